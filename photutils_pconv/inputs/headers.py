# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
FITS headers and HDUs of maps.
"""

import re

import numpy as np
from astropy.io import fits

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.inputs.values import as_array
from photutils_pconv.inputs.wcs_headers import is_wcs_keyword

__all__ = ['MASK_KEYWORD', 'make_map_hdu', 'make_mask_hdu', 'scale_values']

# Keywords that belong to the file that a map came from, not to the map.
_STRUCTURAL = re.compile(
    'SIMPLE|XTENSION|BITPIX|NAXIS[0-9]*|EXTEND|PCOUNT|GCOUNT|GROUPS|INHERIT|'
    'EXTNAME|EXTVER|EXTLEVEL|BSCALE|BZERO|BLANK|CHECKSUM|DATASUM|END'
)
_KEYWORD = re.compile('[A-Z0-9_-]{1,8}')
# What a HIERARCH keyword may consist of besides; '=' would end it.
_HIERARCH = re.compile('[ -<>-~]{1,60}')
# Tells our masks from those of other programs, which may mean anything.
MASK_KEYWORD = 'PCONVMSK'


def make_map_hdu(image, header, unit_text, *, factor=1.0):
    """
    Make a primary HDU of a map: data, WCS, unit and what of its meta fits.

    Keywords of world coordinates are those of ``header`` alone. Keywords
    that FITS does not allow become HIERARCH ones; what cannot be written
    at all is left out with a warning.

    Parameters
    ----------
    image : object
        The map, of any accepted class.

    header : `~astropy.io.fits.Header`
        Its WCS (see `make_wcs_header`).

    unit_text : str
        Its unit; empty for none.

    factor : float, optional
        What its values are multiplied with for that unit (see
        `~photutils_pconv.inputs.unit_texts.format_unit`).

    Returns
    -------
    primary : `~astropy.io.fits.PrimaryHDU`
        The HDU.
    """
    primary = fits.PrimaryHDU(scale_values(as_array(image), factor), header)
    if unit_text:
        primary.header['BUNIT'] = unit_text
    left_out = []
    for key, value, comment in _list_cards(getattr(image, 'meta', None) or {}):
        keyword = key.strip().upper()
        if _STRUCTURAL.fullmatch(keyword) or is_wcs_keyword(keyword):
            continue
        if keyword in ('HISTORY', 'COMMENT'):
            for line in value if isinstance(value, list | tuple) else [value]:
                primary.header[keyword] = _to_ascii(line)
        elif keyword and keyword not in primary.header:
            card = _make_card(keyword, value, comment)
            if card is None:
                left_out.append(key)
            else:
                primary.header.append(card)
    if left_out:
        msg = (
            'FITS cannot hold these entries of the metadata, they are left out: '
            f'{", ".join(sorted(left_out))}.'
        )
        warn_user(msg)
    return primary


def scale_values(values, factor):
    """
    Multiply values, which keep their type, by a factor.

    Parameters
    ----------
    values : `~numpy.ndarray`
        The values.

    factor : float
        The factor.

    Returns
    -------
    scaled : `~numpy.ndarray`
        The product; the values themselves if the factor is 1.
    """
    return values if factor == 1 else values * values.dtype.type(factor)


def make_mask_hdu(missing, header):
    """
    Make the extension that says which pixels are missing.

    Parameters
    ----------
    missing : 2D bool `~numpy.ndarray`
        The missing pixels.

    header : `~astropy.io.fits.Header`
        The map's WCS.

    Returns
    -------
    hdu : `~astropy.io.fits.ImageHDU`
        The extension ``MASK``, with 1 for missing pixels, which the reader
        knows as one of this package.
    """
    hdu = fits.ImageHDU(missing.view(np.uint8), header, name='MASK')
    hdu.header[MASK_KEYWORD] = ('MISSING', '1 = no data, of photutils-pconv')
    return hdu


def _list_cards(meta):
    """Give keyword, value and comment of all that metadata hold."""
    if not isinstance(meta, fits.Header):
        yield from ((str(key), value, None) for key, value in meta.items())
        return
    for card in meta.cards:
        try:
            yield card.keyword, card.value, card.comment
        except fits.VerifyError:
            # a card without a value that can be read
            yield card.keyword, None, None


def _make_card(keyword, value, comment):
    """Make a card that can be written; `None` if there is no such card."""
    if value is None or not (np.isscalar(value) or isinstance(value, _UNDEFINED)):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    # numpy knows no integer beyond 64 bits, a card does
    if isinstance(value, float | complex) and not np.isfinite(value):
        return None
    if not _KEYWORD.fullmatch(keyword):
        if not _HIERARCH.fullmatch(keyword):
            return None
        # without this prefix astropy warns
        keyword = f'HIERARCH {keyword}'
    for text in (comment, None):
        try:
            card = fits.Card(keyword, value, text)
            # a card of HIERARCH that is too long fails here, not when it is made
            back = fits.Card.fromstring(card.image).value
            if isinstance(value, float) or back == value:
                return card
        except (ValueError, TypeError, fits.VerifyError):
            pass
    return None


_UNDEFINED = fits.card.Undefined


def _to_ascii(line):
    text = ' '.join(str(line).split())
    return text.encode('ascii', 'replace').decode()
