# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the paper published: its Tables 5 and 6, which ship with the package.
"""

from functools import cache
from importlib import resources

import numpy as np
from astropy.table import QTable

__all__ = ['load_paper_statistics', 'load_standard_stars']

# A misprint in Table 6, which the row's other values contradict: what depends
# on it is left out.
_MISPRINT = '1342244170'


@cache
def _read(name):
    """
    Read a table that ships with the package.
    """
    path = resources.files('photutils_pconv') / f'data/evaluation/{name}.ecsv'
    with resources.as_file(path) as file:
        return QTable.read(file, format='ascii.ecsv')


def load_standard_stars():
    """
    Load the standard stars of the paper's Table 5.

    Returns
    -------
    stars : `~astropy.table.QTable`
        A row per star: ``name``, ``ra``, ``dec`` (deg, J2000), for every
        band ``reference_BAND`` and ``reference_err_BAND``, the model's
        flux and its error, ``paper_BAND``, the flux that the paper
        measured (mJy, NaN where it has none), and ``source``, where the
        model comes from.
    """
    return _read('standard_stars').copy()


def load_paper_statistics():
    """
    Load the paper's Table 6, with the measures derived from it.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row a test field: the moments of the original and of the
        cleaned map in the masked regions (Jy/pixel; the table's notes
        say mJy/pixel, in error), and ``mean_shift``, ``median_shift``,
        ``std_ratio``, ``mad_ratio``, ``iqr_ratio``, ``skewness_shift``
        as in
        `~photutils_pconv.evaluation.compare_pixel_statistics`.
        What depends on a misprint in the row of 1342244170 is NaN.
    """
    table = _read('pixel_statistics').copy()
    std = table['original_std']
    table['mean_shift'] = (table['cleaned_mean'] - table['original_mean']) / std
    table['median_shift'] = (table['cleaned_median'] - table['original_median']) / std
    for name in ('std', 'mad', 'iqr'):
        table[f'{name}_ratio'] = table[f'cleaned_{name}'] / table[f'original_{name}']
    table['skewness_shift'] = table['cleaned_skewness'] - table['original_skewness']
    wrong = table['obsid'] == _MISPRINT
    table['mean_shift'][wrong] = table['std_ratio'][wrong] = np.nan
    return table
