# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Summaries of flux ratios: medians, boxes, outliers (Figs. 11 and 12).
"""

import re

import astropy.units as u
import numpy as np
from astropy.table import Table

from photutils_pconv.setups.registry import get_setup

__all__ = [
    'compare_methods',
    'in_own_aperture',
    'own_aperture',
    'ratio_columns',
    'summarise_by_complexity',
    'summarise_ratios',
]

# The least interquartile range that has a logarithm: no scatter at all.
_NO_SCATTER = 1.0e-12

_COLUMN = re.compile(r'ratio_(?P<method>.*?)(?:_(?P<radius>[0-9.]+))?')
# Points beyond the box by this many of its lengths, as boxplots have it
# (Tukey 1977, Exploratory Data Analysis).
_WHISKER = 1.5


def own_aperture(setup):
    """
    Give the aperture radius of a setup.

    Parameters
    ----------
    setup : str
        The setup's name.

    Returns
    -------
    radius : float
        The radius, in arcsec.
    """
    return get_setup(setup=str(setup)).aperture_radius.to_value(u.arcsec)


def in_own_aperture(summary):
    """
    Choose the rows of a summary that are of each setup's own aperture.

    Parameters
    ----------
    summary : `~astropy.table.Table`
        A table with the columns ``setup`` and ``aperture`` (arcsec).

    Returns
    -------
    part : `~astropy.table.Table`
        Those rows.
    """
    own = [row['aperture'] == own_aperture(row['setup']) for row in summary]
    return summary[np.array(own, dtype=bool)]


def _in_order(rows, table, k):
    """
    Sort rows, whose item ``k`` is the setup, as a table has the setups.
    """
    # Grouping sorts; setups are to stay as they came.
    order = list(dict.fromkeys(table['setup']))
    return sorted(rows, key=lambda row: order.index(row[k]))


def _geometric_mean(values):
    return float(np.exp(np.mean(np.log(np.maximum(values, _NO_SCATTER)))))


def ratio_columns(table, *, aperture=None):
    """
    List the columns of ratios, by method and aperture.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.measure_ratios` or
        `~photutils_pconv.evaluation.evaluate_fluxes`.

    aperture : float, optional
        The aperture (arcsec) of methods measured in several, instead of
        all of them.

    Returns
    -------
    columns : dict
        The (method, radius) of every column; the radius of a method that
        was measured in the setup's aperture only is NaN.
    """
    columns = {}
    for name in table.colnames:
        found = _COLUMN.fullmatch(name)
        if found is None:
            continue
        radius = float(found['radius'] or 'nan')
        if aperture is None or np.isnan(radius) or np.isclose(radius, aperture):
            columns[name] = (found['method'], radius)
    return columns


def summarise_ratios(table, *, by=('setup', 'flux')):
    """
    Summarise ratios: median, quartiles, share of outliers.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.evaluate_fluxes`.

    by : sequence of str, optional
        The columns to group by. The setup must be among them.

    Returns
    -------
    summary : `~astropy.table.Table`
        A row a group, method and aperture (``aperture``, arcsec): ``n``,
        ``median``, ``q25``, ``q75``, ``iqr`` and ``outlier_fraction``,
        the share of sources beyond the quartiles by more than 1.5 times
        their distance, which a box plot draws as points (0.7 percent of
        a Gaussian).

    Raises
    ------
    ValueError
        If the setup is not among the columns to group by.
    """
    by = tuple(by)
    if 'setup' not in by:
        msg = f"by must hold 'setup', whose apertures differ, got {by}"
        raise ValueError(msg)
    columns = ratio_columns(table)
    rows = []
    for group in table.group_by(list(by)).groups:
        key = tuple(group[name][0] for name in by)
        own = own_aperture(group['setup'][0])
        for column, (method, radius) in columns.items():
            values = np.asarray(group[column], dtype=float)
            values = values[np.isfinite(values)]
            if len(values) == 0:
                continue
            q25, median, q75 = np.percentile(values, [25, 50, 75])
            reach = _WHISKER * (q75 - q25)
            beyond = (values < q25 - reach) | (values > q75 + reach)
            rows.append(
                (
                    *key,
                    method,
                    own if np.isnan(radius) else radius,
                    len(values),
                    median,
                    q25,
                    q75,
                    q75 - q25,
                    beyond.mean(),
                )
            )
    rows = _in_order(rows, table, by.index('setup'))
    names = ('median', 'q25', 'q75', 'iqr', 'outlier_fraction')
    names = (*by, 'method', 'aperture', 'n', *names)
    return Table(rows=rows, names=names)


def summarise_by_complexity(table):
    """
    Summarise ratios field by field, over the flux levels.

    Boxes are taken at each level, since their lengths differ by orders
    of magnitude, and averaged over the levels.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.evaluate_fluxes`.

    Returns
    -------
    summary : `~astropy.table.Table`
        A row per field, method and aperture: ``setup``, ``field``,
        ``rank``, ``complexity``, ``method``, ``aperture``, ``n``,
        ``median`` (the median over levels), ``iqr`` (the geometric mean)
        and ``outlier_fraction`` (the mean).
    """
    keys = ('setup', 'field', 'rank', 'complexity')
    boxes = summarise_ratios(table, by=(*keys, 'flux'))
    groups = boxes.group_by([*keys, 'method', 'aperture']).groups
    rows = [
        (
            *(group[name][0] for name in (*keys, 'method', 'aperture')),
            int(group['n'].sum()),
            float(np.median(group['median'])),
            _geometric_mean(group['iqr']),
            float(np.average(group['outlier_fraction'], weights=group['n'])),
        )
        for group in groups
    ]
    rows = _in_order(rows, table, 0)
    names = ('n', 'median', 'iqr', 'outlier_fraction')
    return Table(rows=rows, names=(*keys, 'method', 'aperture', *names))


def compare_methods(table, *, by=('setup', 'flux'), reference='annulus'):
    """
    Compare every method's scatter with that of one, in the setup's aperture.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.evaluate_fluxes`.

    by : sequence of str, optional
        The boxes; the setup must be among the columns.

    reference : str, optional
        The method to compare with.

    Returns
    -------
    comparison : `~astropy.table.Table`
        A row per setup and method: ``n_boxes``, ``median_offset`` (the
        median over boxes of the distance of their median from 1),
        ``iqr_ratio`` (the geometric mean over boxes of the
        interquartile range over that of the reference) and
        ``narrower`` (the share of boxes in which it is smaller).

    Raises
    ------
    ValueError
        If no column is of the reference.
    """
    summary = summarise_ratios(table, by=by)
    if reference not in set(summary['method']):
        msg = f'{reference!r} is not a method of the table: {set(summary["method"])}'
        raise ValueError(msg)
    rows = []
    for setup in dict.fromkeys(summary['setup']):
        own = own_aperture(setup)
        part = summary[(summary['setup'] == setup) & (summary['aperture'] == own)]
        boxes = {}
        for row in part:
            key = tuple(row[name] for name in by)
            boxes.setdefault(str(row['method']), {})[key] = row
        for method, own_boxes in boxes.items():
            shared = [key for key in own_boxes if key in boxes[reference]]
            ratio = np.array(
                [own_boxes[k]['iqr'] / boxes[reference][k]['iqr'] for k in shared]
            )
            offset = [abs(own_boxes[k]['median'] - 1.0) for k in shared]
            rows.append(
                (
                    str(setup),
                    method,
                    len(shared),
                    float(np.median(offset)),
                    _geometric_mean(ratio),
                    float(np.mean(ratio < 1)),
                )
            )
    names = ('setup', 'method', 'n_boxes', 'median_offset', 'iqr_ratio', 'narrower')
    return Table(rows=rows, names=names)
