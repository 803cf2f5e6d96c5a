# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A whole evaluation: every figure and table of the paper's section 5.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.table import Table
from astropy.utils import lazyproperty

from photutils_pconv._writing import refuse_existing, write_atomically
from photutils_pconv.evaluation import flux_plots, illustrations
from photutils_pconv.evaluation.config import EvaluationConfig
from photutils_pconv.evaluation.fields import (
    make_evaluation_field,
    make_evaluation_fields,
    rank_fields,
)
from photutils_pconv.evaluation.fluxes import (
    compare_methods,
    evaluate_fluxes,
    summarise_by_complexity,
    summarise_ratios,
)
from photutils_pconv.evaluation.plots import (
    new_axes,
    plot_delta_variance,
    plot_map_statistics,
)
from photutils_pconv.evaluation.removal import (
    list_maps,
    photometry_table,
    remove_from_maps,
)
from photutils_pconv.evaluation.removal_plots import (
    display_limits,
    plot_before_after,
    render_images,
)
from photutils_pconv.evaluation.report import Report
from photutils_pconv.evaluation.standard_stars import measure_standard_stars
from photutils_pconv.evaluation.structure import (
    evaluate_structure,
    join_comparisons,
    load_paper_statistics,
)
from photutils_pconv.evaluation.verdicts import Verdicts
from photutils_pconv.network import default_model, read_card
from photutils_pconv.network.card import package_versions
from photutils_pconv.plotting import make_axes
from photutils_pconv.results import as_array
from photutils_pconv.setups import get_setup

__all__ = ['Evaluation', 'run_evaluation']


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

    verdicts : `~photutils_pconv.evaluation.verdicts.Verdicts`
        The verdicts.
    """

    output: Path
    tables: dict = field(default_factory=dict)
    figures: list = field(default_factory=list)
    verdicts: Verdicts = field(default_factory=Verdicts)

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
):
    """
    Evaluate models and write tables, figures and a report.

    Parameters
    ----------
    config : `EvaluationConfig`, dict or path-like, optional
        The configuration, or a TOML file; by default the bundled models
        on six simulated fields a setup.

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
    if config is None:
        config = EvaluationConfig()
    elif isinstance(config, dict):
        config = EvaluationConfig.from_dict(config)
    elif not isinstance(config, EvaluationConfig):
        config = EvaluationConfig.from_toml(config)
    if quick:
        config = config.make_quick()
    # What is missing is said before the work, not after it.
    make_axes(1)
    output = Path(output)
    if output.exists() and not output.is_dir():
        msg = f'{output} is a file: choose another name for the folder'
        raise NotADirectoryError(msg)
    refuse_existing([output / 'report.html'], overwrite=overwrite)
    for name in ('tables', 'figures'):
        (output / name).mkdir(parents=True, exist_ok=True)
    return _Run(config, output, model, quick, overwrite, report).run()


class _Run:
    """
    One evaluation at work.
    """

    def __init__(self, config, output, model, quick, overwrite, report):
        self.config = config
        self.model = (config.model or None) if model is None else model
        self.options = {'model': self.model, 'remover_options': config.remover}
        self.quick, self.overwrite = quick, overwrite
        self.evaluation = Evaluation(output)
        self.verdicts = self.evaluation.verdicts
        self.start = time.monotonic()
        self._report = report
        self.page = Report('Evaluation of source removal')
        self.setups_used = {}

    def say(self, text):
        if self._report is not None:
            self._report(f'{time.monotonic() - self.start:6.0f} s  {text}')

    def run(self):
        summary = self.page.add(
            'Summary',
            'What was measured, beside a limit and the figure of the paper (Madarász '
            'et al. 2025, A&A 696, A37). Where there is no limit, the paper gives no '
            'figure that could be held against ours on other fields.',
        )
        if self.fields:
            self._fluxes()
            self._structure()
        if self.config.stars:
            self._stars()
        if self.config.maps:
            self._maps()
        if self.config.illustrations and self.fields:
            self._illustrations()
        self._colophon()
        verdicts = self.verdicts.to_table()
        self._write_table('verdicts', verdicts)
        counts = ', '.join(
            f'{np.count_nonzero(verdicts["verdict"] == kind)} {kind}'
            for kind in ('met', 'not met', 'for comparison')
        )
        summary.add_table(verdicts, f'Verdicts: {counts}', verdicts=True, whole=True)
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
        config, made = self.config, []
        if config.n_fields:
            shape = (config.size, config.size)
            for name in config.list_setups():
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

    def _write_table(self, name, table):
        path = self.evaluation.output / 'tables' / f'{name}.ecsv'
        write_atomically(path, lambda f: table.write(f, format='ascii.ecsv'))
        self.evaluation.tables[name] = table

    def _write_figure(self, name, figure):
        """
        Write a figure in both forms, and return the PNG's content.
        """
        folder = self.evaluation.output / 'figures'
        for kind, options in (('pdf', {}), ('png', {'dpi': 100})):
            path = folder / f'{name}.{kind}'
            write_atomically(path, lambda f, kw=options: figure.savefig(f, **kw))
        self.evaluation.figures.append(name)
        return (folder / f'{name}.png').read_bytes()

    def _fluxes(self):
        config = self.config
        table = evaluate_fluxes(
            self.fields,
            levels=config.levels or None,
            n_sources=config.n_sources or None,
            methods=config.list_methods(),
            report=self.say,
            **self.options,
        )
        complexity = summarise_by_complexity(table)
        comparison = compare_methods(table)
        summary = summarise_ratios(table)
        for name, one in (
            ('fluxes', table),
            ('flux_summary', summary),
            ('flux_complexity', complexity),
            ('flux_comparison', comparison),
        ):
            self._write_table(name, one)
        self.verdicts.add_fluxes(table)
        section = self.page.add(
            'Photometric accuracy (section 5.2, Figs. 11 and 12)',
            'Measured over injected flux of sources of known flux in '
            f'{len(set(table["field"]))} fields. All methods are corrected with the '
            'encircled energy of the PSF that was injected. Outliers are sources '
            'beyond the quartiles by more than 1.5 interquartile ranges.',
        )
        modes = {}
        for name in dict.fromkeys(table['setup']):
            modes.setdefault(get_setup(setup=str(name)).mode or str(name), []).append(
                name
            )
        for mode, names in modes.items():
            part = table[np.isin(table['setup'], names)]
            stem = mode.replace('/', '_')
            figure = flux_plots.plot_flux_boxes(part)
            section.add_image(
                self._write_figure(f'fluxes_{stem}', figure),
                f'{mode}: measured over injected flux by flux level',
            )
        for name, draw, caption in (
            (
                'aperture',
                flux_plots.plot_ratio_by_aperture,
                'Median and quartiles by aperture, all sources',
            ),
            (
                'complexity',
                flux_plots.plot_complexity,
                'Interquartile range by complexity of the field, the geometric mean '
                'over flux levels',
            ),
        ):
            section.add_image(self._write_figure(name, draw(table)), caption)
        section.add_table(comparison, 'All methods against the annulus')
        own = [
            row['aperture'] == get_setup(setup=str(row['setup'])).aperture_radius.value
            for row in complexity
        ]
        section.add_table(complexity[own], 'By field, in the aperture of the setup')
        own = [
            row['aperture'] == get_setup(setup=str(row['setup'])).aperture_radius.value
            for row in summary
        ]
        section.add_table(summary[own], 'By flux level, in the aperture of the setup')

    def _structure(self):
        number = self.config.structure_sources
        if not number:
            number = None if not self.config.n_fields else self.config.size**2 // 6000
        self.comparisons = evaluate_structure(
            self.fields, n_sources=number, report=self.say, **self.options
        )
        spectra, variances, statistics = join_comparisons(self.comparisons)
        self._write_table('power_spectra', spectra)
        self._write_table('delta_variance', variances)
        self._write_table('pixel_statistics', statistics)
        texture = bool(self.config.remover.get('texture'))
        self.verdicts.add_spectra(spectra)
        self.verdicts.add_statistics(statistics, texture=texture)
        pictures = self.page.add(
            'Removal on simulations (section 4.1, Fig. 9)',
            'Sources of random flux between the faintest and the brightest level of '
            'each field, of medium complexity here. Drag the line.',
        )
        section = self.page.add(
            'Structure of the maps (section 5.3, Fig. 13, Table 6)',
            'Power spectra, their relative difference from that of the source-free '
            'map, and distributions of the pixels in the holes. The normalised '
            'difference of the paper is in the table: it is small even with all '
            'sources left in.',
        )
        for name in self.setups_used:
            group = [one for one in self.comparisons if one.setup == name]
            one = group[len(group) // 2]
            stem = name.replace('/', '_')
            limits = display_limits(as_array(one.original))
            title = f'{name}, {one.name}: {len(one.result.photometry)} sources'
            figure = plot_before_after(one.result, title=title, limits=limits)
            self._write_figure(f'removal_{stem}', figure)
            pictures.add_slider(*render_images(one.result, limits=limits), title)
            figure = _plot_structure(group)
            section.add_image(
                self._write_figure(f'structure_{stem}', figure),
                f'{name}, from the least to the most complex field: power spectra, '
                'relative difference, pixels in the holes, delta-variance',
            )
            _forget(figure)
        section.add_table(statistics, 'Pixels in the holes')
        section.add_table(load_paper_statistics(), "The paper's Table 6")
        section.add_table(spectra, 'Power spectra', limit=200)

    def _stars(self):
        jobs = []
        for entry in self.config.stars:
            path = Path(entry['path']).expanduser()
            found = [path]
            if path.is_dir():
                found = [p for p in sorted(path.iterdir()) if '.fit' in p.name.lower()]
            jobs += [(one, entry.get('setup')) for one in found]
        table = measure_standard_stars(
            jobs, methods=self.config.list_methods(), report=self.say, **self.options
        )
        self._write_table('standard_stars', table)
        self.verdicts.add_stars(table)
        section = self.page.add(
            'Standard stars (section 5.1, Table 5)',
            'Measured over reference flux (Balog et al. 2014; Klaas et al. 2018). '
            'Positions are centroids; fluxes are not colour-corrected.',
        )
        figure = flux_plots.plot_standard_stars(table)
        section.add_image(
            self._write_figure('standard_stars', figure), 'Measured over reference flux'
        )
        section.add_table(table)

    def _maps(self):
        groups = {'simulations': [], 'real': []}
        for path, sources, setup, simulated in list_maps(self.config.maps):
            kind = 'simulations' if simulated else 'real'
            groups[kind].append((path, sources, setup))
        for kind, jobs in groups.items():
            if not jobs:
                continue
            removals = remove_from_maps(
                jobs,
                self.evaluation.output / 'maps' / kind,
                simulated=kind == 'simulations',
                overwrite=self.overwrite,
                report=self.say,
                **self.options,
            )
            table = photometry_table(removals)
            self._write_table(f'photometry_{kind}', table)
            section = self.page.add(
                'Maps given: simulations (section 4.1, Fig. 9)'
                if kind == 'simulations'
                else 'Maps given: real data (section 4.2, Fig. 10)'
            )
            for one in removals:
                name = one.photometry.meta['setup']
                self.setups_used.setdefault(name, get_setup(setup=name))
                title = f'{one.name}, {name}: {len(one.photometry)} sources'
                section.add_slider(*render_images(one.result), title)
            section.add_table(table, 'Photometry')

    def _illustrations(self):
        section = self.page.add(
            'How it works (Figs. 1, 4, 5 and 8)',
            'PSFs, the regions of the signal-to-noise ratio, the sizes of holes, and '
            'a source as it was injected and as it was removed.',
        )
        setups = list(self.setups_used)
        one = max(
            self.comparisons,
            key=lambda item: len(set(item.result.photometry['hole_radius'])),
        )
        table = one.result.photometry
        setup = one.setup
        group = [item for item in self.comparisons if item.setup == setups[0]]
        example = group[len(group) // 2]
        stamps = _cut_source(example)
        for name, axes, caption in (
            ('psfs', illustrations.plot_psfs(setups), 'PSFs (Fig. 1)'),
            (
                'snr',
                illustrations.plot_snr(setups[:3]),
                'Where the signal-to-noise ratio is measured (Fig. 4)',
            ),
            (
                'masks',
                illustrations.plot_masks(one.injected, table, setup=setup),
                f'Holes by signal-to-noise ratio, {one.name} (Fig. 5)',
            ),
            (
                'source_loss',
                illustrations.plot_source_loss(*stamps),
                f'A source of {example.name} (Fig. 8)',
            ),
        ):
            figure = np.asarray(axes).flat[0].figure
            section.add_image(self._write_figure(name, figure), caption)
            _forget(figure)

    def _colophon(self):
        section = self.page.add(
            'Model and versions', 'The card travels in the weights file.'
        )
        names = {}
        if self.model is None:
            for setup in self.setups_used.values():
                names.setdefault(default_model(setup), None)
            cards = {name: read_card(name).to_dict() for name in names}
        elif hasattr(self.model, 'card'):
            cards = {self.model.card.name: self.model.card.to_dict()}
        else:
            cards = {str(self.model): read_card(self.model).to_dict()}
        for name, card in cards.items():
            section.add_json(card, f'Model card: {name}')
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self.config).items()
        }
        section.add_json(plain, 'Configuration')
        versions = package_versions('astropy', 'photutils', 'scipy', 'matplotlib')
        table = Table(
            {'package': list(versions), 'version': list(versions.values())},
            dtype=[str, str],
        )
        section.add_table(table, 'Versions')
        content = json.dumps(
            {'models': cards, 'configuration': plain, 'versions': versions},
            indent=2,
            default=str,
        )
        path = self.evaluation.output / 'evaluation.json'
        write_atomically(path, lambda f: f.write_text(content, encoding='utf-8'))


def _plot_structure(comparisons):
    """
    Plot the structure of up to three maps, one a row.
    """
    last = len(comparisons) - 1
    chosen = [comparisons[k] for k in dict.fromkeys((0, (last + 1) // 2, last))]
    axes = new_axes(len(chosen), 4, size=(4.0, 3.2))
    for row, one in zip(axes, chosen, strict=True):
        plot_map_statistics(
            one.original,
            one.injected,
            one.result.cleaned,
            region=one.result.holes,
            axes=row[:3],
        )
        row[2].locator_params(axis='x', nbins=5)
        row[2].ticklabel_format(axis='x', style='sci', scilimits=(0, 0))
        labels = ('original', 'with sources', 'cleaned')
        tables = dict(zip(labels, one.delta_variances.values(), strict=True))
        plot_delta_variance(tables, ax=row[3])
        # Over little more than a decade, labels of minor ticks overlap.
        row[3].tick_params(axis='x', which='minor', labelbottom=False)
        row[0].set_title(one.name)
    return axes.flat[0].figure


def _cut_source(comparison):
    """
    Cut out a source that is prominent, but not by orders of magnitude.
    """
    table = comparison.result.photometry
    maps = (comparison.injected, comparison.original, comparison.result.cleaned)
    images = [as_array(one) for one in maps]
    ny, nx = images[0].shape
    x, y = (np.asarray(table[name]) for name in ('x_center', 'y_center'))
    edge = np.minimum.reduce([x, y, nx - x, ny - y])
    with np.errstate(invalid='ignore', divide='ignore'):
        distance = np.abs(np.log(np.asarray(table['snr']) / 50.0))
    best = int(np.nanargmin(np.where(edge > 48, distance, 1.0e3 + distance)))
    xc, yc = round(float(x[best])), round(float(y[best]))
    window = (slice(max(yc - 48, 0), yc + 48), slice(max(xc - 48, 0), xc + 48))
    return [np.where(np.isfinite(one[window]), one[window], 0.0) for one in images]


def _forget(figure):
    """
    Take a figure from pyplot, which would keep it forever.
    """
    from matplotlib import pyplot

    pyplot.close(figure)
