# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
FITS headers and HDUs of maps.
"""

import re
import warnings

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.inputs.values import as_array

__all__ = [
    'make_map_hdu',
    'make_wcs_header',
]

# Keywords that belong to the file that a map came from, not to the map.
_STRUCTURAL = re.compile(
    'SIMPLE|XTENSION|BITPIX|NAXIS[0-9]*|EXTEND|PCOUNT|GCOUNT|GROUPS|INHERIT|'
    'EXTNAME|EXTVER|EXTLEVEL|BSCALE|BZERO|BLANK|CHECKSUM|DATASUM'
)
# A WCS is written with the matrix PCi_j; another one would contradict it.
_MATRIX = re.compile('CD[0-9]_[0-9]|PC[0-9]_[0-9]|CROTA[0-9]')


def make_wcs_header(wcs):
    """
    Put a WCS into a FITS header, as far as FITS has words for it.

    Parameters
    ----------
    wcs : WCS or `None`
        The celestial WCS.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        The header, empty with a warning if the WCS cannot be written.
    """
    if wcs is None:
        return fits.Header()
    if not hasattr(wcs, 'to_header'):
        msg = (
            f'the WCS, a {type(wcs).__name__}, cannot be written into a FITS header: '
            'the file has none'
        )
        warnings.warn(msg, AstropyUserWarning, stacklevel=4)
        return fits.Header()
    return wcs.to_header(relax=True)


def make_map_hdu(image, header, unit_text):
    """
    Make a primary HDU of a map: data, WCS, unit and what of its meta fits.

    Parameters
    ----------
    image : object
        The map, of any accepted class.

    header : `~astropy.io.fits.Header`
        Its WCS (see `make_wcs_header`).

    unit_text : str
        Its unit; empty for none.

    Returns
    -------
    primary : `~astropy.io.fits.PrimaryHDU`
        The HDU.
    """
    primary = fits.PrimaryHDU(as_array(image), header)
    if unit_text:
        primary.header['BUNIT'] = unit_text
    for card in _to_header(getattr(image, 'meta', None) or {}).cards:
        keyword = card.keyword
        if _STRUCTURAL.fullmatch(keyword) or (header and _MATRIX.fullmatch(keyword)):
            continue
        if keyword == 'HISTORY':
            primary.header.add_history(str(card.value))
        elif keyword == 'COMMENT':
            primary.header.add_comment(str(card.value))
        elif keyword and keyword not in primary.header:
            primary.header.append(card)
    return primary


def _to_header(meta):
    """
    Put what of the metadata fits into a FITS header.
    """
    if isinstance(meta, fits.Header):
        return meta
    header = fits.Header()
    for key, value in meta.items():
        key = str(key).upper()
        if key in ('HISTORY', 'COMMENT'):
            for line in value if isinstance(value, list | tuple) else [value]:
                text = ' '.join(str(line).split())
                header[key] = text.encode('ascii', 'replace').decode()
        elif re.fullmatch('[A-Z0-9_-]{1,8}', key) and np.isscalar(value):
            try:
                header[key] = value
            except ValueError:
                # Such as NaN or a letter that FITS does not know.
                continue
    return header
