# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps on disk, and the units and masks that their headers and extensions state.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    InverseVariance,
    StdDevUncertainty,
    VarianceUncertainty,
)
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.inputs.fits_files import file_name, open_hdus
from photutils_pconv.inputs.hdus import (
    describe_hdus,
    find_hdu,
    find_map_hdu,
    find_named_image,
    take_plane,
)
from photutils_pconv.inputs.headers import MASK_KEYWORD
from photutils_pconv.inputs.unit_texts import parse_map_unit
from photutils_pconv.inputs.values import split_map
from photutils_pconv.inputs.wcs_headers import is_wcs_keyword, read_wcs, remove_wcs

__all__ = [
    'FileMap',
    'make_ccd',
    'parse_pair',
    'read_file_map',
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
# The first products of HCSS state their unit in QTTY____.
_UNIT_KEYWORDS = ('BUNIT', 'QTTY____')
_BEAM_KEYWORDS = ('BMAJ', 'BMIN', 'BPA')
# What a header has that belongs to its own HDU alone.
_OWN = (
    *('SIMPLE', 'XTENSION', 'BITPIX', 'EXTEND', 'PCOUNT', 'GCOUNT', 'INHERIT'),
    *('EXTNAME', 'EXTVER', 'EXTLEVEL', 'BSCALE', 'BZERO', 'BLANK', 'CHECKSUM'),
    *('DATASUM', 'HISTORY', 'COMMENT', ''),
)
_UNCERTAINTIES = {
    kind.__name__: kind
    for kind in (StdDevUncertainty, VarianceUncertainty, InverseVariance)
}


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


def read_fits_plane(path, name):
    """
    Read an extension of a FITS file by its name.

    Parameters
    ----------
    path : str, `os.PathLike` or HDUs
        The file, or an `~astropy.io.fits.HDUList`.

    name : str, int or tuple
        The name of the extension, whatever its case, its number, or a pair
        of its name and version.

    Returns
    -------
    data : 2D `~numpy.ndarray` or `~astropy.units.Quantity`
        The extension's data, with its unit if it states one.

    Raises
    ------
    ValueError
        If the file has no such image.
    """
    with open_hdus(path) as hdus:
        return _read_plane(hdus, file_name(path), name)


def _read_plane(hdus, where, name):
    index = None
    if isinstance(name, str):
        index = find_named_image(hdus, name.strip().lower())
    if index is None:
        try:
            index = find_hdu(hdus, where, name)
        except ValueError as exc:
            images = [i for i, hdu in enumerate(hdus) if hdu.is_image]
            msg = (
                f'{where} has no image extension {name!r}; its '
                f'image extensions are: {describe_hdus(hdus, images)}.'
            )
            raise ValueError(msg) from exc
    hdu = hdus[index]
    if not hdu.is_image or hdu.data is None:
        msg = f'The extension {name!r} of {where} is no image.'
        raise ValueError(msg)
    unit = parse_map_unit(_get_unit_text(hdu.header, where))
    data = take_plane(np.array(hdu.data), f'The extension {name!r} of {where}')
    return data if unit is None else u.Quantity(data, unit)


def read_fits_map(path, *, hdu=None):
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
            if _is_name(mask):
                mask = _parse_mask(_read_plane(hdus, where, mask), mask, where)
            if _is_name(error):
                error = _read_plane(hdus, where, error)
        except fits.VerifyError as exc:
            msg = f'A header of {where} is damaged: {" ".join(str(exc).split())}'
            raise ValueError(msg) from exc
    return FileMap(ccd=ccd, mask=mask, error=error)


def _is_name(given):
    return isinstance(given, str | int) and not isinstance(given, bool)


def _parse_mask(plane, name, where):
    """Whole numbers, also as floats, are a mask; others are not."""
    values = np.asarray(getattr(plane, 'value', plane))
    if values.dtype.kind == 'f':
        # NaN: nothing is known of the pixel
        bad = ~np.isfinite(values)
        if np.any(values[~bad] % 1):
            msg = (
                f'The extension {name!r} of {where} is no mask: its values are not '
                'whole numbers. A mask has 0 for good pixels.'
            )
            raise ValueError(msg)
        return bad | (values != 0)
    return values != 0


def _read_ccd(hdus, where, *, hdu, own_mask):
    index = find_map_hdu(hdus, where, hdu=hdu)
    image = hdus[index]
    header = _inherit(image, hdus[0], where)
    unit = parse_map_unit(_get_unit_text(header, where))
    what = f'The image {image.name!r} of {where}'
    values = take_plane(image.data, what)
    mask = _read_own_mask(hdus, index, where, values.shape) if own_mask else None
    coverage = _read_coverage(hdus, index, where, values.shape)
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
        uncertainty=_read_own_uncertainty(hdus, index, where, values.shape),
        psf=psf,
    )
    provenance = [card for card in hdus[0].header.cards if card.keyword in _PROVENANCE]
    ccd.header.extend(provenance, unique=True)
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
            if key in _OWN or key.startswith('NAXIS') or key in header:
                continue
            if not (has_wcs and is_wcs_keyword(key)):
                header.append(card, end=True)
        return header
    if inherit is False or primary.shape:
        return header
    missing = [] if any(key in header for key in _UNIT_KEYWORDS) else [_UNIT_KEYWORDS]
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
        warnings.warn(msg, AstropyUserWarning, stacklevel=6)
    return header


def _get_unit_text(header, where):
    try:
        return next((header[key] for key in _UNIT_KEYWORDS if key in header), None)
    except fits.VerifyError as exc:
        msg = f'BUNIT in a header of {where} cannot be read: write it as a text.'
        raise ValueError(msg) from exc


def _read_coverage(hdus, index, where, shape):
    i_coverage = find_named_image(hdus, 'coverage')
    if i_coverage in (None, index):
        return None
    coverage = np.array(hdus[i_coverage].data)
    if set(coverage.shape[:-2]) == {1}:
        coverage = coverage.reshape(coverage.shape[-2:])
    if coverage.shape == shape:
        # NaN is no coverage, either
        return ~(coverage > 0)
    _warn_ignored(
        'coverage',
        where,
        f'it has the shape {coverage.shape}, the map {shape}',
        'Give coverage_mask to mark pixels without coverage.',
    )
    return None


def _read_own_mask(hdus, index, where, shape):
    """The extension MASK, if it can be told that it marks bad pixels."""
    for hdu in hdus:
        if hdu.name.upper() != 'MASK' or hdu is hdus[index]:
            continue
        reason = _find_reason(hdu, shape)
        if reason is None and MASK_KEYWORD not in hdu.header:
            plain = not any(
                key not in _OWN and not key.startswith('NAXIS') for key in hdu.header
            )
            if index != 0 or not plain:
                reason = 'neither this package nor CCDData wrote it: 1 may be good'
            elif hdu.header['BITPIX'] != 8 or np.any(hdu.data > 1):
                reason = 'it has other values than 0 and 1'
        if reason is None:
            mask = hdu.data.astype(bool)
            share = np.mean(mask)
            if MASK_KEYWORD not in hdu.header and _looks_inverted(mask, hdus[index]):
                msg = (
                    f'The extension MASK of {where} is taken for bad pixels, '
                    f'{share:.0%} of all. If 1 stands for good ones there, give mask.'
                )
                warnings.warn(msg, AstropyUserWarning, stacklevel=7)
            return mask
        _warn_ignored(
            'MASK',
            where,
            reason,
            "If 1 marks bad pixels, give mask='MASK', on the command line "
            '--mask-hdu MASK.',
        )
    return None


def _looks_inverted(mask, image):
    """Whether most pixels are masked, and have data as often as the others."""
    data = image.data
    has_data = np.isfinite(data) & (data != 0)
    if np.mean(mask) <= 0.5 or mask.all():
        return bool(mask.all() and has_data.any())
    return np.mean(has_data[mask]) >= np.mean(has_data[~mask])


def _read_own_uncertainty(hdus, index, where, shape):
    """The extension UNCERT, if it says which kind of uncertainty it is."""
    for hdu in hdus:
        if hdu.name.upper() != 'UNCERT' or hdu is hdus[index]:
            continue
        kind = _UNCERTAINTIES.get(str(hdu.header.get('UTYPE')).strip())
        reason = _find_reason(hdu, shape)
        if reason is None and kind is None:
            reason = 'no UTYPE says which uncertainty it is'
        if reason is None:
            return kind(hdu.data)
        _warn_ignored(
            'UNCERT',
            where,
            reason,
            "If it is the standard deviation of the map, give error='UNCERT'.",
        )
    return None


def _find_reason(hdu, shape):
    if not hdu.is_image:
        return 'it is a table'
    if hdu.shape != shape:
        return f'it has the shape {hdu.shape}, the map {shape}'
    return None


def _warn_ignored(name, where, reason, remedy):
    msg = f'The extension "{name}" of {where} is ignored: {reason}. {remedy}'
    warnings.warn(msg, AstropyUserWarning, stacklevel=8)


def parse_pair(array, header):
    """Make CCDData of an image and its header, as reproject takes maps."""
    values, mask, unit = split_map(array)
    where = 'the header'
    if unit is None:
        unit = parse_map_unit(_get_unit_text(header, where))
    values = take_plane(values, 'The image')
    return make_ccd(values, header, unit, hdus=None, where=where, mask=mask)
