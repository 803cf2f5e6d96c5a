# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps on disk, and the units and pixel scales that their headers state.
"""

import os
import re
import warnings

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from astropy.nddata import CCDData
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import FITSFixedWarning

from photutils_pconv.inputs.units import ACCEPTED_UNITS
from photutils_pconv.inputs.values import check_dimensions

__all__ = [
    'read_fits_map',
    'read_fits_plane',
]

# What the primary header of an HSA product says of the observation.
_PROVENANCE = (
    'TELESCOP',
    'INSTRUME',
    'OBJECT',
    'OBSID001',
    'OBSID002',
    'PROPOSAL',
    'DATE-OBS',
    'DATE-END',
    'OBS_MODE',
    'INSTMODE',
    'SCANVELO',
    'WAVELNTH',
    'BNDRADEC',
    'LEVEL',
    'MAPPER',
    'CALVERS',
    'CREATOR',
    'FILENAME',
)


def _parse_unit(text):
    """
    Parse a FITS unit, also in the spellings that FITS files have.
    """
    text = (text or '').strip()
    if text.lower() in ('', 'none', 'unknown', 'dimensionless'):
        return None
    match = re.fullmatch(
        r'(?i:(p|n|u|k|m|g|)jy\s*(?:/|per|\s)\s*'
        r'(pixel|pix|px|beam|sr|arcsec)(?:\^|\*\*)?(-1|2|)'
        r'|(p|n|u|k|m|g|)jy)',
        text,
    )
    if match is not None:
        prefix = match[1] or match[4] or ''
        # the case tells mega from milli, and means nothing elsewhere
        prefix = prefix if prefix in 'mM' else prefix.lower().replace('g', 'G')
        over = (match[2] or '').lower()
        over = {'pixel': 'pix', 'px': 'pix'}.get(over, over)
        power = '2' if match[3] == '2' else ''
        text = f'{prefix}Jy' + (f' / {over}{power}' if over else '')
    try:
        return u.Unit(text)
    except ValueError:
        msg = (
            f'The unit {text!r} of the FITS file cannot be understood; '
            f'accepted are {ACCEPTED_UNITS}. Read the map yourself and '
            'give it as CCDData with a unit.'
        )
        raise ValueError(msg) from None


def _read_unit(text):
    """
    What astropy makes of a unit, `None` if it does not understand it.
    """
    try:
        return u.Unit(text or None)
    except (TypeError, ValueError):
        return None


def _open(path):
    path = os.fspath(path)
    if not os.path.isfile(path):
        msg = f'The map {path!r} does not exist or is not a file.'
        raise FileNotFoundError(msg)
    try:
        return fits.open(path)
    except OSError as exc:
        msg = f'The map {path!r} cannot be read as a FITS file: {exc}'
        raise ValueError(msg) from exc


def _find_hdu(hdus, name):
    """
    The index of the image extension of that name, whatever its case.
    """
    for index, hdu in enumerate(hdus):
        if (
            hdu.is_image
            and hdu.name.lower() == name.lower()
            and hdu.header.get('NAXIS', 0) > 0
        ):
            return index
    return None


def _find_map(hdus, path):
    index = _find_hdu(hdus, 'image')
    if index is not None:
        check_dimensions(hdus[index].shape, f'The extension "image" of {path}')
        return index
    images = [
        i
        for i, hdu in enumerate(hdus)
        if hdu.is_image and hdu.header.get('NAXIS', 0) > 0
    ]
    for index in images:
        if len(hdus[index].shape) == 2:
            return index
    if images:
        check_dimensions(hdus[images[0]].shape, f'The image of {path}')
    msg = f'{path} holds no image.'
    raise ValueError(msg)


def read_fits_plane(path, name):
    """
    Read an extension of a FITS file by its name.

    Parameters
    ----------
    path : str or `os.PathLike`
        The file.

    name : str
        The name of the extension, whatever its case.

    Returns
    -------
    data : 2D `~numpy.ndarray` or `~astropy.units.Quantity`
        The extension's data, with its unit if it states one.

    Raises
    ------
    ValueError
        If the file has no such image.
    """
    with _open(path) as hdus:
        index = _find_hdu(hdus, name)
        if index is None:
            names = ', '.join(repr(hdu.name) for hdu in hdus if hdu.is_image)
            msg = (
                f'{os.fspath(path)} has no image extension {name!r}; its '
                f'image extensions are: {names}.'
            )
            raise ValueError(msg)
        header = hdus[index].header
        unit = _parse_unit(header.get('BUNIT', header.get('QTTY____')))
        data = np.array(hdus[index].data)
    return data if unit is None else u.Quantity(data, unit)


def read_fits_map(path):
    """
    Read a map from a FITS file.

    The map is the extension ``image``, as in the products of the
    Herschel Science Archive, or else the first 2-D image. Where the file
    has an extension ``coverage``, pixels without coverage are masked.
    The mask and uncertainty of a file that astropy's CCDData wrote are
    read, too. An extension ``stDev`` or ``error`` is not taken as the
    map's error.

    Parameters
    ----------
    path : str or `os.PathLike`
        The file.

    Returns
    -------
    ccd : `~astropy.nddata.CCDData`
        The map. It has no dimension where the file states no unit.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file does not exist, is no FITS file, or holds no 2-D
        image with an accepted unit.
    """
    path = os.fspath(path)
    with warnings.catch_warnings():
        # what these say about a header, its reader cannot change
        for category in (FITSFixedWarning, VerifyWarning, u.UnitsWarning):
            warnings.simplefilter('ignore', category)
        with _open(path) as hdus:
            index = _find_map(hdus, path)
            header = hdus[index].header
            # the first products of HCSS state their unit in QTTY____
            text = header.get('BUNIT', header.get('QTTY____'))
            provenance = [
                card for card in hdus[0].header.cards if card.keyword in _PROVENANCE
            ]
            coverage = None
            if (i_cov := _find_hdu(hdus, 'coverage')) not in (None, index):
                coverage = np.array(hdus[i_cov].data)
        unit = _parse_unit(text) or u.dimensionless_unscaled
        if unit == _read_unit(header.get('BUNIT')):
            unit = None  # the reader reports in the log what it is given
        ccd = CCDData.read(path, hdu=index, unit=unit)
        ccd.header.extend(provenance, unique=True)

    if coverage is not None:
        if coverage.shape == ccd.shape:
            # NaN is no coverage, either
            uncovered = ~(coverage > 0)
            ccd.mask = uncovered if ccd.mask is None else ccd.mask | uncovered
        else:
            msg = (
                f'The extension "coverage" of {path} has the shape '
                f'{coverage.shape}, the map {ccd.shape}: it is ignored. '
                'Give coverage_mask to mark pixels without coverage.'
            )
            warnings.warn(msg, AstropyUserWarning, stacklevel=3)
    return ccd
