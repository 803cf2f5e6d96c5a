# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What removal does to the structure of maps (section 5.3).

Into each field, sources of random flux are injected and removed, as for
Figs. 9 and 13; power spectrum, delta-variance and pixel statistics of
the cleaned map are compared with those of the field itself.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.table import QTable

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.executors import check_executor, run_jobs
from photutils_pconv.evaluation.draw_errors import DrawErrors, measure_draw_errors
from photutils_pconv.evaluation.encircled_energy import measure_encircled_energy
from photutils_pconv.evaluation.removers import PSF, RemoverChoice
from photutils_pconv.evaluation.statistics.pixels import compare_pixel_statistics
from photutils_pconv.evaluation.statistics.spectra import (
    delta_variance,
    power_spectrum,
)
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.inputs.values import as_array

__all__ = [
    'STAGES',
    'TRUTH',
    'WITH_DRAW',
    'MapComparison',
    'compare_maps',
    'compare_truth',
    'evaluate_structure',
]

STAGES = ('original', 'injected', 'cleaned')
"""
The states of a map: without sources, with them, and cleaned of them.
"""

WITH_DRAW = '+draw'
"""
What is added to a remover's name where the cleaned map has a random draw.
"""

TRUTH = ('exact', 'exact+noise')
"""
The names under which `compare_truth` has what could be reached at best.
"""


@dataclass(frozen=True, eq=False)
class MapComparison:
    """
    A map before sources were injected, with them, and cleaned.

    Parameters
    ----------
    name : str
        The map's name.

    setup : str
        The setup's name.

    method : str
        The remover's name.

    original : map
        The source-free map.

    injected : map
        The map with the sources.

    result : `~photutils_pconv.SourceRemovalResult`
        The removal.

    spectra : dict of `~astropy.table.QTable`
        The power spectrum of every stage of `STAGES`.

    delta_variances : dict of `~astropy.table.QTable`
        The delta-variance of every stage.

    statistics : `~astropy.table.QTable`
        The pixel statistics in the holes, one row (Table 6).

    holes : 2D bool `~numpy.ndarray`
        The holes: the discs of Table 3, the same for every remover. Where
        only a bright source's wings were taken off is no hole.

    complexity : float
        The field's complexity; NaN if it is not known.

    draw_errors : `DrawErrors` or `None`
        The errors of the cleaned map's statistics, where draws were made.
    """

    name: str
    setup: str
    method: str
    original: Any
    injected: Any
    result: Any
    spectra: dict
    delta_variances: dict
    statistics: QTable
    holes: np.ndarray
    complexity: float = float('nan')
    draw_errors: DrawErrors | None = None


def compare_maps(
    original,
    injected,
    results,
    *,
    name,
    setup,
    complexity=np.nan,
    both=True,
    n_draws=0,
):
    """
    Compare the structure of cleaned maps with the source-free one.

    Parameters
    ----------
    original : map
        The source-free map.

    injected : map
        The map with the sources.

    results : dict of `~photutils_pconv.SourceRemovalResult`
        Removals of the sources, by the remover's name.

    name, setup : str
        The names of map and setup.

    complexity : float, optional
        The field's complexity.

    both : bool, optional
        Whether a removal with a random draw (``fill='draw'``) gives two
        comparisons, one without it, and one with it, whose method ends in
        ``+draw``.

    n_draws : int, optional
        The number of draws from which errors follow, for removals that have
        draws; 0 for no errors.

    Returns
    -------
    comparisons : list of `MapComparison`
        The comparisons.

    Raises
    ------
    ValueError
        If the maps differ in shape or unit, or there is one draw.
    """
    both = to_bool(both, 'both')
    before = {
        stage: _measure(one)
        for stage, one in zip(STAGES[:2], (original, injected), strict=True)
    }
    every = {}
    for method, result in results.items():
        if result.drawn is None or not both:
            every[method] = result
            continue
        every[method] = _without_draw(result)
        every[f'{method}{WITH_DRAW}'] = result
    comparisons, errors = [], {}
    for method, result in every.items():
        table = result.photometry
        holes = draw_holes(
            result.holes.shape,
            np.asarray(table['x_center']),
            np.asarray(table['y_center']),
            np.asarray(table['hole_radius']),
        )
        holes &= result.holes
        removal = method.removesuffix(WITH_DRAW)
        if removal not in errors:
            # What is drawn is the same, whatever the cleaned map holds.
            has_draws = n_draws > 0 and result.draws is not None
            errors[removal] = (
                measure_draw_errors(result, n_draws, region=holes)
                if has_draws
                else None
            )
        stages = {**before, STAGES[2]: _measure(result.cleaned)}
        comparisons.append(
            MapComparison(
                name=name,
                setup=setup,
                method=method,
                original=original,
                injected=injected,
                result=result,
                spectra={stage: one[0] for stage, one in stages.items()},
                delta_variances={stage: one[1] for stage, one in stages.items()},
                statistics=compare_pixel_statistics(
                    original, result.cleaned, region=holes
                ),
                holes=holes,
                complexity=complexity,
                draw_errors=errors[removal],
            )
        )
    return comparisons


def compare_truth(comparison, emission):
    """
    Compare maps with the true emission in the holes: what could be reached.

    Parameters
    ----------
    comparison : `MapComparison`
        Any comparison of the field.

    emission : 2D array_like
        The emission without noise, in the unit of the maps.

    Returns
    -------
    comparisons : list of `MapComparison`
        One with the emission itself in the holes (``'exact'``), and one with
        noise of the same scatter: the map's own, with its sign reversed
        (``'exact+noise'``).
    """
    result, holes = comparison.result, comparison.holes
    original, emission = as_array(comparison.original), np.asarray(emission)
    comparisons = []
    for method, filled in zip(
        TRUTH, (emission, 2.0 * emission - original), strict=True
    ):
        cleaned = result.map_input.like_input(np.where(holes, filled, original))
        spectrum, variance = _measure(cleaned)
        comparisons.append(
            replace(
                comparison,
                method=method,
                result=replace(result, cleaned=cleaned, drawn=None),
                draw_errors=None,
                spectra={**comparison.spectra, STAGES[2]: spectrum},
                delta_variances={**comparison.delta_variances, STAGES[2]: variance},
                statistics=compare_pixel_statistics(
                    comparison.original, cleaned, region=holes
                ),
            )
        )
    return comparisons


def _measure(one):
    return power_spectrum(one), delta_variance(one)


def _without_draw(result):
    """
    Return a removal whose cleaned map has no random draw.
    """
    plain = result.map_input.like_input(as_array(result.cleaned) - result.drawn)
    return replace(result, cleaned=plain, drawn=None)


def evaluate_structure(
    fields,
    *,
    n_sources=None,
    psf=None,
    removers=(PSF,),
    truth=False,
    n_draws=0,
    report=None,
    executor=None,
):
    """
    Inject sources of random flux into fields, remove them, and compare.

    Parameters
    ----------
    fields : iterable of `~photutils_pconv.evaluation.EvaluationField`
        The fields. The fluxes are spread evenly in their logarithm over
        each field's range.

    n_sources : int, optional
        The sources a field; by default 0.5 per square arcmin.

    psf : optional
        The PSF to inject; by default the setup's.

    removers : sequence of `~photutils_pconv.evaluation.RemoverChoice`, optional
        The removers to compare (see
        `~photutils_pconv.evaluation.list_removers`); by default the
        package's default. Unless ``fill`` is chosen, maps are compared both
        without and with a random draw.

    truth : bool, optional
        Whether to add what could be reached (`compare_truth`), for fields
        whose emission is known.

    n_draws : int, optional
        The number of draws of each cleaned map from which the errors of its
        statistics follow; 0 for none.

    report : callable, optional
        Called with a line of text after each field.

    executor : `concurrent.futures.Executor` or dask ``Client``, optional
        What compares the fields, each for itself (default: this process, one after
        the other).

    Returns
    -------
    comparisons : list of `MapComparison`
        Those of one field after those of another.
    """
    truth = to_bool(truth, 'truth')
    check_executor(executor)
    fields = list(fields)
    how = _HowToCompare(n_sources, psf, tuple(removers), truth, n_draws)
    comparisons = []
    compared = run_jobs(_compare_field, how, fields, executor=executor)
    for field, found in zip(fields, compared, strict=True):
        comparisons += found
        if report is not None:
            n = len(found[0].result.photometry)
            report(f'{field.name}: structure, {n} sources')
    return comparisons


@dataclass(frozen=True, eq=False)
class _HowToCompare:
    """
    What the comparisons of all fields have in common.
    """

    n_sources: int | None
    psf: Any
    removers: tuple
    truth: bool
    n_draws: int


def _compare_field(how, field):
    """Inject sources into a field, remove them, and compare."""
    setup = field.setup
    given = RemoverChoice(
        aperture_corrections=measure_encircled_energy(
            setup if how.psf is None else how.psf, setup.pixel_scale
        ),
        error_method='card',
        fill='draw',
    )
    ccd, sources = field.simulate(
        field.flux_range, n_sources=how.n_sources, psf=how.psf
    )
    found = compare_maps(
        field.image,
        ccd,
        {
            one.name: one.or_else(given).make_remover(setup)(ccd, sources)
            for one in how.removers
        },
        name=field.name,
        setup=setup.name,
        complexity=field.complexity,
        n_draws=how.n_draws,
    )
    if how.truth and field.emission is not None:
        found += compare_truth(found[0], field.emission)
    return found
