# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tables of what removal does to the structure of maps.
"""

import numpy as np
from astropy.table import QTable

from photutils_pconv.evaluation.draw_errors import MOMENTS
from photutils_pconv.evaluation.statistics.spectra import (
    normalised_difference,
    relative_difference,
)
from photutils_pconv.evaluation.structure import STAGES
from photutils_pconv.evaluation.tables import label_rows, stack_tables

__all__ = ['join_comparisons']


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
        A row per map, remover and bin of frequency: ``frequency``, the
        power of every stage (``power_STAGE``), ``relative_cleaned`` and
        ``relative_injected`` (power over the original's, less 1), and
        ``normalised_difference`` (Fig. 13). The standard deviation of the
        cleaned map's power over draws is ``draw_err_power``, NaN without draws.

    delta_variances : `~astropy.table.QTable`
        A row per map, remover and lag: ``lag``, ``delta_variance_STAGE``, and
        ``draw_err_delta_variance``.

    statistics : `~astropy.table.QTable`
        A row per map and remover:
        `~photutils_pconv.evaluation.compare_pixel_statistics`, and for each moment
        ``draw_err_MOMENT``.

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
    errors = one.draw_errors
    spectra['draw_err_power'] = (
        np.nan * first['power'] if errors is None else errors.power
    )
    variances = QTable({'lag': one.delta_variances['original']['lag']})
    for stage in STAGES:
        column = one.delta_variances[stage]['delta_variance']
        variances[f'delta_variance_{stage}'] = column
    variances['draw_err_delta_variance'] = (
        np.nan * column if errors is None else errors.delta_variance
    )
    statistics = one.statistics.copy()
    for name in MOMENTS:
        value = statistics[f'{name}_original'][0]
        error = np.nan * value if errors is None else errors.moments[name]
        statistics[f'draw_err_{name}'] = [error] if np.isscalar(error) else error[None]
    return (
        label_rows(spectra, labels),
        label_rows(variances, labels),
        label_rows(statistics, {**labels, 'complexity': one.complexity}),
    )
