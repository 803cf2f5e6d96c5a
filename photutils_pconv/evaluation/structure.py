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
from photutils_pconv.evaluation.encircled_energy import measure_encircled_energy
from photutils_pconv.evaluation.removers import PSF, RemoverChoice
from photutils_pconv.evaluation.statistics.pixels import compare_pixel_statistics
from photutils_pconv.evaluation.statistics.spectra import (
    delta_variance,
    normalised_difference,
    power_spectrum,
    relative_difference,
)
from photutils_pconv.evaluation.tables import label_rows, stack_tables
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
    'join_comparisons',
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


def compare_maps(
    original, injected, results, *, name, setup, complexity=np.nan, both=True
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

    Returns
    -------
    comparisons : list of `MapComparison`
        The comparisons.

    Raises
    ------
    ValueError
        If the maps differ in shape or unit.
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
    comparisons = []
    for method, result in every.items():
        table = result.photometry
        holes = draw_holes(
            result.holes.shape,
            np.asarray(table['x_center']),
            np.asarray(table['y_center']),
            np.asarray(table['hole_radius']),
        )
        holes &= result.holes
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
    report=None,
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

    report : callable, optional
        Called with a line of text after each field.

    Returns
    -------
    comparisons : list of `MapComparison`
        Those of one field after those of another.
    """
    truth = to_bool(truth, 'truth')
    comparisons = []
    made = {}
    for field in fields:
        setup = field.setup
        if setup.name not in made:
            given = RemoverChoice(
                aperture_corrections=measure_encircled_energy(
                    setup if psf is None else psf, setup.pixel_scale
                ),
                error_method='card',
                fill='draw',
            )
            made[setup.name] = {
                one.name: one.or_else(given).make_remover(setup) for one in removers
            }
        ccd, sources = field.simulate(field.flux_range, n_sources=n_sources, psf=psf)
        found = compare_maps(
            field.image,
            ccd,
            {method: one(ccd, sources) for method, one in made[setup.name].items()},
            name=field.name,
            setup=setup.name,
            complexity=field.complexity,
        )
        if truth and field.emission is not None:
            found += compare_truth(found[0], field.emission)
        comparisons += found
        if report is not None:
            report(f'{field.name}: structure, {len(sources)} sources')
    return comparisons


def join_comparisons(comparisons):
    """
    Put comparisons into tables.

    Parameters
    ----------
    comparisons : sequence of `MapComparison`
        The comparisons.

    Returns
    -------
    spectra : `~astropy.table.QTable`
        A row a map, remover and bin of frequency: ``frequency``, the
        power of every stage (``power_STAGE``), ``relative_cleaned`` and
        ``relative_injected`` (power over the original's, less 1), and
        ``normalised_difference`` (Fig. 13).

    delta_variances : `~astropy.table.QTable`
        A row a map, remover and lag: ``lag`` and ``delta_variance_STAGE``.

    statistics : `~astropy.table.QTable`
        A row a map and remover:
        `~photutils_pconv.evaluation.compare_pixel_statistics`.

    Raises
    ------
    ValueError
        If there is no comparison.
    """
    if not comparisons:
        msg = 'there is no comparison'
        raise ValueError(msg)
    return tuple(
        stack_tables(parts)
        for parts in zip(*(_make_tables(one) for one in comparisons), strict=True)
    )


def _make_tables(one):
    """
    Make the tables of one comparison: spectra, delta-variances, statistics.
    """
    labels = {'map': one.name, 'setup': one.setup, 'method': one.method}
    first = one.spectra['original']
    spectra = QTable({'frequency': first['frequency'], 'n_modes': first['n_modes']})
    for stage in STAGES:
        spectra[f'power_{stage}'] = one.spectra[stage]['power']
    for stage in STAGES[:0:-1]:
        spectra[f'relative_{stage}'] = relative_difference(one.spectra[stage], first)
    spectra['normalised_difference'] = normalised_difference(
        one.spectra['cleaned'], first
    )
    variances = QTable({'lag': one.delta_variances['original']['lag']})
    for stage in STAGES:
        column = one.delta_variances[stage]['delta_variance']
        variances[f'delta_variance_{stage}'] = column
    return (
        label_rows(spectra, labels),
        label_rows(variances, labels),
        label_rows(one.statistics, {**labels, 'complexity': one.complexity}),
    )
