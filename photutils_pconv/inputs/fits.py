# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps on disk, and the units and masks that their headers and extensions state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import astropy.units as u
from astropy.io import fits
from astropy.nddata import (
    CCDData,
)
from astropy.wcs.wcsapi import BaseHighLevelWCS, BaseLowLevelWCS

from photutils_pconv._utils.warnings import hold_filters, warn_user
from photutils_pconv.inputs.fits_files import file_name, open_hdus
from photutils_pconv.inputs.fits_planes import (
    OWN_KEYWORDS,
    UNIT_KEYWORDS,
    get_unit_text,
    is_name,
    parse_file_mask,
    read_coverage,
    read_fits_plane,
    read_own_mask,
    read_own_uncertainty,
    read_plane,
)
from photutils_pconv.inputs.hdus import (
    find_map_hdu,
    get_shape,
    read_values,
    take_plane,
)
from photutils_pconv.inputs.meta_cards import name_meta_cards
from photutils_pconv.inputs.unit_texts import parse_map_unit
from photutils_pconv.inputs.values import split_map
from photutils_pconv.inputs.wcs_headers import is_wcs_keyword, read_wcs, remove_wcs

__all__ = [
    'FileMap',
    'make_ccd',
    'read_file_map',
    'read_fits_map',
    'read_fits_plane',
    'take_pair',
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
    'CUSMODE',
    'INSTMODE',
    'SCANVELO',
    'CAMERA',
    'BLUEBAND',
    'WAVELNTH',
    'BNDRADEC',
    'LEVEL',
    'MAPPER',
    'CALVERS',
    'CREATOR',
    'FILENAME',
)
_BEAM_KEYWORDS = ('BMAJ', 'BMIN', 'BPA')


@dataclass(frozen=True)
class FileMap:
    """
    A map from a file, with the planes that the user names.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`
        The map, with what the file itself says is mask and uncertainty.

    mask, error : object
        Mask and error as given, or read where they name an extension.
    """

    ccd: CCDData
    mask: Any
    error: Any


@hold_filters
def read_fits_map(path: Any, *, hdu: int | str | tuple | None = None) -> CCDData:
    """
    Read a map from a FITS file.

    The map is the extension ``image``, as in the products of the
    Herschel Science Archive, or else the image that is named as a signal,
    or the only one that is not named as something else (coverage, error,
    weight, mask, ...). Where the file has an extension ``coverage``,
    pixels without coverage are masked. ``MASK`` and ``UNCERT`` are read
    if this package or astropy's CCDData wrote them; others are named in a
    warning. An extension ``stDev`` or ``error`` is not taken as the
    map's error.

    Parameters
    ----------
    path : str, `os.PathLike` or HDUs
        The file, an `~astropy.io.fits.HDUList`, or an image HDU.

    hdu : int, str or tuple, optional
        The HDU that holds the map: its number, its name, or a pair of name
        and version.

    Returns
    -------
    ccd : `~astropy.nddata.CCDData`
        The map. It has no dimension where the file states no unit.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file does not exist, is no FITS file, or is damaged, if it
        is not clear which image is the map, or it has no accepted unit.
    """
    return read_file_map(path, hdu=hdu).ccd


@hold_filters
def read_file_map(source, *, hdu=None, mask=None, error=None):
    """
    Read a map, and those planes of its file that the user names.

    Parameters
    ----------
    source : str, `os.PathLike` or HDUs
        The file, an `~astropy.io.fits.HDUList`, or an image HDU.

    hdu : int, str or tuple, optional
        The HDU that holds the map.

    mask, error : object, optional
        A text or a number is the name or the number of an extension; all
        else is given back as it is.

    Returns
    -------
    file_map : `FileMap`
        The map and the planes.
    """
    where = file_name(source)
    with open_hdus(source) as hdus:
        try:
            ccd = _read_ccd(hdus, where, hdu=hdu, own_mask=mask is None)
            if is_name(mask):
                mask = parse_file_mask(read_plane(hdus, where, mask), mask, where)
            if is_name(error):
                error = read_plane(hdus, where, error)
        except fits.VerifyError as exc:
            msg = f'A header of {where} is damaged: {" ".join(str(exc).split())}'
            raise ValueError(msg) from exc
    return FileMap(ccd=ccd, mask=mask, error=error)


def _read_ccd(hdus, where, *, hdu, own_mask):
    index = find_map_hdu(hdus, where, hdu=hdu)
    image = hdus[index]
    header = _inherit(image, hdus[0], where)
    unit = parse_map_unit(get_unit_text(header, where))
    what = f'The image {image.name!r} of {where}'
    values = take_plane(read_values(image, what), what)
    mask = read_own_mask(hdus, index, where, values.shape) if own_mask else None
    coverage = read_coverage(hdus, index, where, values.shape)
    if coverage is not None:
        mask = coverage if mask is None else mask | coverage
    psf = hdus['PSFIMAGE'].data if 'PSFIMAGE' in hdus and index == 0 else None
    ccd = make_ccd(
        values,
        header,
        unit,
        hdus=hdus,
        where=where,
        mask=mask,
        uncertainty=read_own_uncertainty(hdus, index, where, values.shape),
        psf=psf,
    )
    provenance = [card for card in hdus[0].header.cards if card.keyword in _PROVENANCE]
    ccd.header.extend(provenance, unique=True)
    ccd.header.extend(name_meta_cards(hdus[0].header, _PROVENANCE), unique=True)
    return ccd


def make_ccd(values, header, unit, *, hdus, where, **parts):
    """
    Make CCDData of an image and its header.

    Parameters
    ----------
    values : 2D `~numpy.ndarray`
        The image.

    header : `~astropy.io.fits.Header`
        The header.

    unit : `~astropy.units.Unit` or `None`
        The unit.

    hdus : `~astropy.io.fits.HDUList` or `None`
        The file, for WCS with lookup tables.

    where : str
        Its name, for messages.

    **parts
        Further keyword arguments of `~astropy.nddata.CCDData`.

    Returns
    -------
    ccd : `~astropy.nddata.CCDData`
        The map, without a dimension if it has no unit.
    """
    wcs = read_wcs(header, hdus, where)
    return CCDData(
        values,
        unit=u.dimensionless_unscaled if unit is None else unit,
        meta=remove_wcs(header, wcs),
        wcs=wcs,
        **parts,
    )


def _inherit(hdu, primary, where):
    """The header of an image with what it has from the primary one."""
    header = hdu.header
    if hdu is primary:
        return header
    inherit = header.get('INHERIT')
    header = header.copy()
    if inherit is True:
        has_wcs = any(key.startswith('CTYPE') for key in header)
        for card in primary.header.cards:
            key = card.keyword
            if key in OWN_KEYWORDS or key.startswith('NAXIS') or key in header:
                continue
            if not (has_wcs and is_wcs_keyword(key)):
                header.append(card, end=True)
        return header
    if inherit is False or get_shape(primary):
        return header
    missing = [] if any(key in header for key in UNIT_KEYWORDS) else [UNIT_KEYWORDS]
    missing += [] if 'BMAJ' in header else [_BEAM_KEYWORDS]
    taken = [key for keys in missing for key in keys if key in primary.header]
    for key in taken:
        header[key] = primary.header[key]
    if taken:
        msg = (
            f'The header of the image {hdu.name!r} of {where} has no '
            f'{" and ".join(taken)}: unit or beam are those of the primary header, '
            f'{", ".join(f"{key} = {primary.header[key]!r}" for key in taken)}.'
        )
        warn_user(msg)
    return header


def _parse_pair(array, header):
    """Make CCDData of an image and its header, as reproject takes maps."""
    values, mask, unit = split_map(array)
    where = 'the header'
    if unit is None:
        unit = parse_map_unit(get_unit_text(header, where))
    values = take_plane(values, 'The image')
    return make_ccd(values, header, unit, hdus=None, where=where, mask=mask)


def take_pair(data, wcs):
    """
    Make one map of a pair of array and header, or of array and WCS.

    Parameters
    ----------
    data : object
        The map, as reproject takes maps; all but pairs is given back.

    wcs : WCS or `None`
        The WCS that the user gives.

    Returns
    -------
    data, wcs : object
        The map and its WCS.

    is_file : bool
        Whether the map came with a header, as those of files do.
    """
    if not (isinstance(data, tuple) and len(data) == 2):
        return data, wcs, False
    image, second = data
    is_header = isinstance(second, fits.Header)
    if not (is_header or isinstance(second, BaseHighLevelWCS | BaseLowLevelWCS)):
        return data, wcs, False
    if is_header:
        return _parse_pair(image, second), wcs, True
    if wcs is not None:
        msg = 'wcs was given, but the map has its own: leave it out.'
        raise ValueError(msg)
    return image, second, False
