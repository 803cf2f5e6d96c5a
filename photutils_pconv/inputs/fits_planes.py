# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The extensions of a file that go with its map: mask, uncertainty, coverage.
"""

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.nddata import InverseVariance, StdDevUncertainty, VarianceUncertainty

from photutils_pconv._utils.warnings import hold_filters, warn_user
from photutils_pconv.inputs.fits_files import file_name, open_hdus
from photutils_pconv.inputs.hdus import (
    describe_hdus,
    find_hdu,
    find_named_image,
    get_shape,
    read_values,
    take_plane,
)
from photutils_pconv.inputs.headers import MASK_KEYWORD
from photutils_pconv.inputs.unit_texts import parse_map_unit

__all__ = [
    'OWN_KEYWORDS',
    'UNIT_KEYWORDS',
    'get_unit_text',
    'is_name',
    'parse_file_mask',
    'read_coverage',
    'read_fits_plane',
    'read_own_mask',
    'read_own_uncertainty',
    'read_plane',
]

# The first products of HCSS state their unit in QTTY____.
UNIT_KEYWORDS = ('BUNIT', 'QTTY____')
# What a header has that belongs to its own HDU alone.
OWN_KEYWORDS = (
    *('SIMPLE', 'XTENSION', 'BITPIX', 'EXTEND', 'PCOUNT', 'GCOUNT', 'INHERIT'),
    *('EXTNAME', 'EXTVER', 'EXTLEVEL', 'BSCALE', 'BZERO', 'BLANK', 'CHECKSUM'),
    *('DATASUM', 'HISTORY', 'COMMENT', ''),
)
_UNCERTAINTIES = {
    kind.__name__: kind
    for kind in (StdDevUncertainty, VarianceUncertainty, InverseVariance)
}


@hold_filters
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
        return read_plane(hdus, file_name(path), name)


def read_plane(hdus, where, name):
    """
    Read an extension by its name from HDUs that are open.

    Parameters
    ----------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.

    where : str
        The name of the file, for messages.

    name : str, int or tuple
        The extension, as `read_fits_plane` takes it.

    Returns
    -------
    data : 2D `~numpy.ndarray` or `~astropy.units.Quantity`
        The extension's data, with its unit if it states one.

    Raises
    ------
    ValueError
        If there is no such image, or its unit or shape is not accepted.
    """
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
    unit = parse_map_unit(get_unit_text(hdu.header, where))
    what = f'The extension {name!r} of {where}'
    data = take_plane(np.array(read_values(hdu, what)), what)
    return data if unit is None else u.Quantity(data, unit)


def is_name(given):
    """
    Return whether a mask or error is given as the name or number of an extension.

    Parameters
    ----------
    given : object
        What was given.

    Returns
    -------
    is_name : bool
        Whether it is a text or an integer, and not a bool.
    """
    return isinstance(given, str | int) and not isinstance(given, bool)


def parse_file_mask(plane, name, where):
    """
    Make a mask of an extension that holds whole numbers, also as floats.

    Parameters
    ----------
    plane : `~numpy.ndarray` or `~astropy.units.Quantity`
        The extension's data.

    name : str or int
        Its name, for messages.

    where : str
        The name of the file, for messages.

    Returns
    -------
    mask : bool `~numpy.ndarray`
        True where it is not 0, or not finite.

    Raises
    ------
    ValueError
        If a value is not a whole number.
    """
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


def get_unit_text(header, where):
    """
    Get the unit as a header states it.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        The header.

    where : str
        The name of the file, for messages.

    Returns
    -------
    text : str or `None`
        The value of the first of `UNIT_KEYWORDS` that is there.

    Raises
    ------
    ValueError
        If the card is damaged.
    """
    try:
        return next((header[key] for key in UNIT_KEYWORDS if key in header), None)
    except fits.VerifyError as exc:
        msg = f'BUNIT in a header of {where} cannot be read: write it as a text.'
        raise ValueError(msg) from exc


def read_coverage(hdus, index, where, shape):
    """
    Read which pixels the extension "coverage" leaves without data.

    Parameters
    ----------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.

    index : int
        The number of the map's HDU.

    where : str
        The name of the file, for messages.

    shape : tuple of int
        The shape of the map.

    Returns
    -------
    mask : bool `~numpy.ndarray` or `None`
        True where the coverage is 0, negative or NaN. `None` without such an
        extension beside the map, and, with a warning, where its shape is another.
    """
    i_coverage = find_named_image(hdus, 'coverage')
    if i_coverage in (None, index):
        return None
    what = f'The extension "coverage" of {where}'
    coverage = read_values(hdus[i_coverage], what)
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


def read_own_mask(hdus, index, where, shape):
    """
    Read the extension MASK, if it is known to mark bad pixels.

    Parameters
    ----------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.

    index : int
        The number of the map's HDU.

    where : str
        The name of the file, for messages.

    shape : tuple of int
        The shape of the map.

    Returns
    -------
    mask : bool `~numpy.ndarray` or `None`
        True for bad pixels. `None` without such an extension, and, with a warning,
        where it may mark good ones.
    """
    for hdu in hdus:
        if hdu.name.upper() != 'MASK' or hdu is hdus[index]:
            continue
        reason = _find_reason(hdu, shape)
        if reason is None and MASK_KEYWORD not in hdu.header:
            keys = {key for key in hdu.header if not key.startswith('NAXIS')}
            if index != 0 or keys - set(OWN_KEYWORDS):
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
                warn_user(msg)
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


def read_own_uncertainty(hdus, index, where, shape):
    """
    Read the extension UNCERT, if it says which kind of uncertainty it is.

    Parameters
    ----------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.

    index : int
        The number of the map's HDU.

    where : str
        The name of the file, for messages.

    shape : tuple of int
        The shape of the map.

    Returns
    -------
    uncertainty : `~astropy.nddata.NDUncertainty` or `None`
        The uncertainty. `None` without such an extension, and, with a warning,
        where its kind is not known or its shape is another.
    """
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
    if get_shape(hdu) != shape:
        return f'it has the shape {get_shape(hdu)}, the map {shape}'
    return None


def _warn_ignored(name, where, reason, remedy):
    msg = f'The extension "{name}" of {where} is ignored: {reason}. {remedy}'
    warn_user(msg)
