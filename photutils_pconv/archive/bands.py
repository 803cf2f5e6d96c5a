# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The bands of the photometer, as archives call them.
"""

import re

__all__ = ['BANDS', 'parse_bands']

#: The wavelength of each band (micron).
BANDS = {'blue': 70, 'green': 100, 'red': 160}


def parse_bands(text):
    """
    Find the bands that a text names, by their names or wavelengths.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    bands : set of str
        The bands.
    """
    text = str(text).lower()
    return {
        band
        for band, wavelength in BANDS.items()
        if re.search(rf'(?<!\d){wavelength}(?!\d)|\b{band}\b', text)
    }
