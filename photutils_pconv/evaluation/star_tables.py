# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The paper's Table 5: a row per standard star, in three bands.
"""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv.evaluation.published import load_standard_stars
from photutils_pconv.setups.registry import get_setup

__all__ = ['format_star_table', 'make_star_table']

_BANDS = ('blue', 'green', 'red')
# What stands below each band, and how wide and precise it is printed.
_SHOWN = {
    'reference': ('ref.', 8, 1),
    'flux': ('ours', 8, 1),
    'ratio': ('ratio', 6, 3),
    'paper': ('paper', 8, 1),
    'ratio_paper': ('ratio', 6, 3),
}
_DESCRIPTIONS = {
    'reference': "flux of the star's model",
    'flux': 'measured flux',
    'ratio': 'measured flux over that of the model',
    'paper': 'flux that the paper measured',
    'ratio_paper': "the paper's flux over that of the model",
}


def make_star_table(measured):
    """
    Put fluxes of standard stars into the form of the paper's Table 5.

    Parameters
    ----------
    measured : `~astropy.table.QTable`
        The table of `~photutils_pconv.evaluation.measure_standard_stars`.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row per star, brightest first, and for every further map of a star in a
        band another one: ``star``, and for each ``BAND`` (blue, green, red)
        ``map_BAND``, ``reference_BAND``, ``flux_BAND`` (mJy), ``ratio_BAND``,
        ``paper_BAND`` (mJy) and ``ratio_paper_BAND``. What was not measured is
        NaN.
    """
    band_of = {
        name: get_setup(setup=name).band for name in np.unique(measured['setup'])
    }
    rows = []
    for star in load_standard_stars():
        own = measured[measured['star'] == star['name']]
        by_band = {
            band: [row for row in own if band_of[row['setup']] == band]
            for band in _BANDS
        }
        for k in range(max(map(len, by_band.values()))):
            row = {'star': str(star['name'])}
            for band, found in by_band.items():
                row |= _fill_band(star, band, found[k] if k < len(found) else None)
            rows.append(row)
    table = QTable(rows=rows)
    for name in table.colnames[1:]:
        stem, _, band = name.rpartition('_')
        text = _DESCRIPTIONS.get(stem, 'file of the map')
        table[name].info.description = f'{text}, {band} band'
    return table


def _fill_band(star, band, found):
    """Give the cells of a band; what was not measured is NaN."""
    reference, paper = star[f'reference_{band}'], star[f'paper_{band}']
    flux = np.nan * u.mJy if found is None else found['flux']
    return {
        f'map_{band}': '' if found is None else str(found['map']),
        f'reference_{band}': reference,
        f'flux_{band}': flux,
        f'ratio_{band}': float(flux / reference),
        f'paper_{band}': paper,
        f'ratio_paper_{band}': float(paper / reference),
    }


def format_star_table(table):
    """
    Write the paper's Table 5 in lines of text.

    Parameters
    ----------
    table : `~astropy.table.QTable`
        The table of `make_star_table`.

    Returns
    -------
    lines : list of str
        Two lines of headings, and one a row; fluxes in mJy. A star that has
        several rows is called by its map, too.
    """
    stars, names = list(table['star']), []
    for row in table:
        maps = ', '.join(filter(None, (row[f'map_{band}'] for band in _BANDS)))
        several = stars.count(row['star']) > 1
        names.append(f'{row["star"]} ({maps})' if several else str(row['star']))
    width = max(map(len, names))
    head = ' '.join(f'{text:>{size}}' for text, size, _ in _SHOWN.values())
    titles = [f'{band} (mJy)' for band in _BANDS]
    lines = [
        ' | '.join([' ' * width, *(f'{one:^{len(head)}}' for one in titles)]).rstrip(),
        ' | '.join([f'{"star":<{width}}', *[head] * len(_BANDS)]),
    ]
    for name, row in zip(names, table, strict=True):
        cells = [f'{name:<{width}}']
        for band in _BANDS:
            values = [
                _format(u.Quantity(row[f'{key}_{band}']).value, size, digits)
                for key, (_, size, digits) in _SHOWN.items()
            ]
            cells.append(' '.join(values))
        lines.append(' | '.join(cells))
    return lines


def _format(value, size, digits):
    return f'{value:{size}.{digits}f}' if np.isfinite(value) else f'{"-":>{size}}'
