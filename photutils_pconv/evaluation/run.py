# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A whole evaluation: every figure and table of the paper's section 5.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from astropy.utils import lazyproperty

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.executors import check_executor
from photutils_pconv._utils.plotting import make_axes
from photutils_pconv._utils.repr import format_html
from photutils_pconv._utils.writing import check_output, write_atomically
from photutils_pconv.evaluation.config import EvaluationConfig
from photutils_pconv.evaluation.fields import (
    make_evaluation_field,
    make_evaluation_fields,
    rank_fields,
)
from photutils_pconv.evaluation.removers import RemoverChoice, list_removers
from photutils_pconv.evaluation.report.page import Report
from photutils_pconv.evaluation.report.sections import (
    add_colophon,
    add_fluxes,
    add_illustrations,
    add_maps,
    add_stars,
    add_structure,
)
from photutils_pconv.evaluation.verdicts import (
    make_limits_table,
    make_verdicts_table,
)

__all__ = ['Evaluation', 'Run', 'run_evaluation']

# The resolution of figures, in dots per inch (by choice).
_DPI = 100


@dataclass
class Evaluation:
    """
    What an evaluation found, and where it is.

    Parameters
    ----------
    output : `pathlib.Path`
        The folder.

    tables : dict of `~astropy.table.Table`
        The tables by the names of their files.

    figures : list of str
        The names of the figures.

    verdicts : list of `~photutils_pconv.evaluation.Verdict`
        The verdicts.
    """

    output: Path
    tables: dict = field(default_factory=dict)
    figures: list = field(default_factory=list)
    verdicts: list = field(default_factory=list)

    def _repr_html_(self):
        facts = {'report': self.report, 'figures': len(self.figures)}
        facts['tables'] = ', '.join(self.tables)
        limits = self.tables.get('limits')
        more = '' if limits is None else limits._repr_html_()
        return format_html('Evaluation', facts, more=more)

    @property
    def report(self):
        """
        The path of the report (`pathlib.Path`).
        """
        return self.output / 'report.html'


def run_evaluation(
    config=None,
    output='evaluation',
    *,
    quick=False,
    model=None,
    overwrite=False,
    report=None,
    executor=None,
):
    """
    Evaluate models and write tables, figures and a report.

    Parameters
    ----------
    config : `EvaluationConfig`, dict or path-like, optional
        The configuration, or a TOML file; by default the bundled models
        on six simulated fields per setup.

    output : path-like, optional
        The folder: ``report.html``, ``tables`` (ECSV), ``figures`` (PNG
        and PDF), and for maps that were given, ``maps``.

    quick : bool, optional
        Whether to cut the configuration down
        (`EvaluationConfig.make_quick`).

    model : optional
        A model instead of the configuration's, as
        `~photutils_pconv.NeuralSourceRemover` takes it.

    overwrite : bool, optional
        Whether to replace files.

    report : callable, optional
        Called with lines of text on the progress.

    executor : `concurrent.futures.Executor` or dask ``Client``, optional
        What works on the simulated fields, each for itself (default: this process,
        one after the other); see `~photutils_pconv.scale.connect`.

    Returns
    -------
    evaluation : `Evaluation`
        Tables, verdicts, and the path of the report.

    Raises
    ------
    FileExistsError
        If there is a report and ``overwrite`` is False.

    ImportError
        If matplotlib is missing.

    TypeError, ValueError
        If the configuration is not accepted.
    """
    quick = to_bool(quick, 'quick')
    overwrite = to_bool(overwrite, 'overwrite')
    check_executor(executor)
    if config is None:
        config = EvaluationConfig()
    elif isinstance(config, dict):
        config = EvaluationConfig.from_dict(config)
    elif not isinstance(config, EvaluationConfig):
        config = EvaluationConfig.from_toml(config)
    if quick:
        config = config.make_quick()
    # What is missing or wrong is said before the work, not after it.
    make_axes(1)
    model = (config.model or None) if model is None else model
    if config.n_fields:
        config.list_setups(model=model)
    choice = RemoverChoice.from_dict(config.remover)
    removers = list_removers(model=model, choice=choice)
    output = Path(output)
    if output.exists() and not output.is_dir():
        msg = f'{output} is a file: choose another name for the folder'
        raise NotADirectoryError(msg)
    check_output([output / 'report.html'], overwrite=overwrite)
    run = Run(
        config,
        output,
        model=model,
        removers=removers,
        quick=quick,
        overwrite=overwrite,
        report=report,
        executor=executor,
    )
    return run.evaluate()


class Run:
    """
    One evaluation at work.

    Parameters
    ----------
    config : `EvaluationConfig`
        The configuration.

    output : `pathlib.Path`
        The folder, with ``tables`` and ``figures`` in it.

    model : str, path or loaded model
        The model; `None` for the bundled ones.

    removers : tuple of `~photutils_pconv.evaluation.RemoverChoice`
        The removers to compare.

    quick : bool
        Whether the configuration was cut down.

    overwrite : bool
        Whether to replace files.

    report : callable or `None`
        Called with lines of text on the progress.

    executor : object or `None`
        What works on the fields; `None` for this process.
    """

    def __init__(
        self,
        config,
        output,
        *,
        model,
        removers,
        quick,
        overwrite,
        report,
        executor=None,
    ):
        self.executor = executor
        self.config = config
        self.model = model
        self.removers = removers
        self.quick, self.overwrite = quick, overwrite
        self.evaluation = Evaluation(output)
        self.verdicts = self.evaluation.verdicts
        self.start = time.monotonic()
        self._report = report
        self.page = Report('Evaluation of source removal')
        self.setups_used = {}

    def say(self, text):
        """
        Report on the progress.

        Parameters
        ----------
        text : str
            A line of text.
        """
        if self._report is not None:
            self._report(f'{time.monotonic() - self.start:6.0f} s  {text}')

    def evaluate(self):
        """
        Do all that the configuration asks for.

        Returns
        -------
        evaluation : `Evaluation`
            What was found.
        """
        summary = self.page.add(
            'Summary',
            'What was measured, beside a limit and the figure of the paper (Madarász '
            'et al. 2025, A&A 696, A37). Where there is no limit, the paper gives no '
            'figure that could be held against ours on other fields.',
        )
        if self.fields:
            add_fluxes(self)
            comparisons = add_structure(self)
        if self.config.stars:
            add_stars(self)
        if self.config.maps:
            add_maps(self)
        if self.config.illustrations and self.fields:
            add_illustrations(self, comparisons)
        add_colophon(self)
        verdicts = make_verdicts_table(self.verdicts)
        self.write_table('verdicts', verdicts)
        counts = ', '.join(
            f'{sum(one.verdict == kind for one in self.verdicts)} {kind}'
            for kind in ('met', 'not met', 'for comparison')
        )
        limits = make_limits_table(self.verdicts)
        self.write_table('limits', limits)
        summary.add_table(
            limits, 'Limits, by method: fields (or setups, stars) within', whole=True
        )
        summary.add_table(verdicts, f'Verdicts: {counts}', verdicts=True)
        setups = ', '.join(self.setups_used) or 'none'
        self.page.lead = (
            f'Setups: {setups}. {"Quick evaluation: few sources a box. " * self.quick}'
            f'Run time {time.monotonic() - self.start:.0f} s.'
        )
        self.page.write(self.evaluation.report)
        self.say(str(self.evaluation.report))
        return self.evaluation

    @lazyproperty
    def fields(self):
        """
        The fields into which sources are injected (list).
        """
        config, made = self.config, []
        if config.n_fields:
            shape = (config.size, config.size)
            for name in config.list_setups(model=self.model):
                made += make_evaluation_fields(
                    name, n_fields=config.n_fields, shape=shape, seed=config.seed
                )
        for entry in config.fields:
            name = Path(entry['path']).name.split('.')[0]
            made.append(
                make_evaluation_field(
                    entry['path'], entry['setup'], name=name, seed=config.seed
                )
            )
        made = rank_fields(made)
        for one in made:
            self.setups_used[one.setup.name] = one.setup
        return made

    def _remove_old_report(self):
        """Let no report stand beside tables and figures that are newer."""
        self.evaluation.report.unlink(missing_ok=True)

    def _make_folder(self, name):
        folder = self.evaluation.output / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write_table(self, name, table):
        """
        Write a table, and keep it.

        Parameters
        ----------
        name : str
            The name of the file, without ending.

        table : `~astropy.table.Table`
            The table.
        """
        self._remove_old_report()
        # Not before: a failure leaves no empty folders.
        path = self._make_folder('tables') / f'{name}.ecsv'
        write_atomically(path, lambda f: table.write(f, format='ascii.ecsv'))
        self.evaluation.tables[name] = table

    def write_figure(self, name, figure):
        """
        Write a figure as PDF and PNG.

        Parameters
        ----------
        name : str
            The name of the files, without ending.

        figure : `~matplotlib.figure.Figure`
            The figure.

        Returns
        -------
        content : bytes
            The content of the PNG.
        """
        self._remove_old_report()
        folder = self._make_folder('figures')
        for kind in ('pdf', 'png'):
            path = folder / f'{name}.{kind}'
            write_atomically(path, lambda f: figure.savefig(f, dpi=_DPI))
        self.evaluation.figures.append(name)
        return (folder / f'{name}.png').read_bytes()
