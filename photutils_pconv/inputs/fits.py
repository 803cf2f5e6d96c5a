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
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_area, proj_plane_pixel_scales

__all__ = [
    'ACCEPTED_UNITS',
    'celestial_wcs',
    'check_dimensions',
    'get_jy_per_pixel',
    'get_pixel_scale',
    'read_fits_map',
    'read_fits_plane',
]

ACCEPTED_UNITS = (
    'Jy/pixel (or Jy, taken as Jy/pixel), Jy/sr, Jy/arcsec2 and '
    'Jy/beam, each with any prefix or as another unit of flux '
    'density, or no unit'
)
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
_SIZE_GUARD = 0.01  # the relative difference of pixel sides that is let pass


def check_dimensions(shape, what):
    """
    Raise an error, with the remedy, unless a map has two dimensions.

    Parameters
    ----------
    shape : tuple of int
        The shape of the map.

    what : str
        The name of the map for the message.

    Raises
    ------
    ValueError
        If the shape is not that of a 2-D map with pixels.
    """
    if len(shape) == 2 and min(shape) > 0:
        return
    msg = f'{what} must be a 2-D map with pixels, got the shape {shape}.'
    if len(shape) > 2:
        index = ', '.join(['0'] * (len(shape) - 2))
        msg += f' Choose one plane of it, for example the first as data[{index}].'
    raise ValueError(msg)


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


def celestial_wcs(wcs):
    """
    The 2-D celestial WCS of a map.

    Parameters
    ----------
    wcs : WCS or `None`
        A `~astropy.wcs.WCS` or another WCS with astropy's shared
        interface (APE 14).

    Returns
    -------
    wcs : WCS or `None`
        The WCS, without further axes; `None` if it is not celestial.

    Raises
    ------
    TypeError
        If ``wcs`` is not a WCS.
    """
    if wcs is None:
        return None
    if isinstance(wcs, WCS):
        if not wcs.has_celestial:
            return None
        return wcs if wcs.naxis == 2 else wcs.celestial
    if not (hasattr(wcs, 'world_to_pixel') and hasattr(wcs, 'pixel_to_world')):
        msg = (
            'wcs must be an astropy WCS or have its interface, got '
            f'{type(wcs).__name__}.'
        )
        raise TypeError(msg)
    low = wcs.low_level_wcs
    kinds = low.world_axis_physical_types
    if low.pixel_n_dim == low.world_n_dim == 2 and all(
        'pos.' in (kind or '') for kind in kinds
    ):
        return wcs
    return None


def get_pixel_scale(wcs, shape):
    """
    The pixel scale of a celestial WCS.

    Parameters
    ----------
    wcs : WCS
        The result of `celestial_wcs`.

    shape : tuple of int
        The shape (ny, nx) of the map.

    Returns
    -------
    scale : `~astropy.units.Quantity`
        The pixel scale (arcsec): the square root of the pixel's area.

    Raises
    ------
    ValueError
        If the pixels are not square, to 1 percent.
    """
    if isinstance(wcs, WCS):
        sides = proj_plane_pixel_scales(wcs) * u.deg
        area = proj_plane_pixel_area(wcs) * u.deg**2
    else:
        y, x = (size / 2 for size in shape)
        origin, along_x, along_y = wcs.pixel_to_world([x, x + 1, x], [y, y, y + 1])
        sides = u.Quantity([origin.separation(along_x), origin.separation(along_y)])
        angle = origin.position_angle(along_x) - origin.position_angle(along_y)
        area = np.abs(np.sin(angle)) * sides[0] * sides[1]
    sides = sides.to(u.arcsec)
    if not (np.all(np.isfinite(sides.value)) and np.all(sides.value > 0)):
        msg = f'The WCS has no valid pixel scale, got {sides}.'
        raise ValueError(msg)
    squareness = (area / np.max(sides) ** 2).to_value(u.one)
    if squareness < 1 - _SIZE_GUARD:
        msg = (
            f'The pixels of the map are not square: {sides[0]:.4g} by '
            f'{sides[1]:.4g}. Reproject the map to square pixels.'
        )
        raise ValueError(msg)
    return np.sqrt(area).to(u.arcsec)


def _get_beam_area(beam, meta):
    """
    The solid angle of a Gaussian beam from its FWHM or from a header.
    """
    if beam is not None:
        try:
            axes = np.atleast_1d(u.Quantity(beam, u.arcsec, dtype=float))
        except (TypeError, u.UnitConversionError):
            axes = np.array([])
        if axes.shape not in ((1,), (2,)) or not np.all(axes > 0):
            msg = (
                "beam must be the beam's FWHM in arcsec, or a pair of the "
                f'FWHM of its axes, all positive, got {beam!r}.'
            )
            raise ValueError(msg)
        major, minor = axes[0], axes[-1]
    else:
        header = {str(key).upper(): value for key, value in meta.items()}
        major = header.get('BMAJ')
        minor = header.get('BMIN', major)
        if major is None:
            msg = (
                "The map's unit is per beam, but its header has no BMAJ "
                "and BMIN: give beam, the beam's FWHM in arcsec."
            )
            raise ValueError(msg)
        major, minor = u.Quantity([major, minor], u.deg, dtype=float)
    return np.pi / (4 * np.log(2)) * major * minor


def get_jy_per_pixel(unit, pixel_scale, *, beam=None, meta=None):
    """
    The factor from a map's unit to Jy/pixel.

    Parameters
    ----------
    unit : `~astropy.units.Unit` or `None`
        The map's unit. Flux density without a solid angle is taken as
        per pixel, as the labels of PACS products ask for.

    pixel_scale : `~astropy.units.Quantity` or `None`
        The pixel scale, needed if the unit has a solid angle.

    beam : float, pair of float or `~astropy.units.Quantity`, optional
        The FWHM of the beam (arcsec), or of its two axes, for units per
        beam; by default ``BMAJ`` and ``BMIN`` (deg) of ``meta``.

    meta : mapping, optional
        The map's header.

    Returns
    -------
    factor : float
        The factor; 1 if there is no unit.

    Raises
    ------
    ValueError
        If the unit is not of surface brightness, or the pixel scale or
        the beam are needed and not known.
    """
    per_beam = unit is not None and unit.is_equivalent(u.Jy / u.beam)
    if beam is not None and not per_beam:
        msg = (
            f'beam is for maps in Jy/beam, but the unit of this map is '
            f'{unit}: leave it out.'
        )
        raise ValueError(msg)
    if unit is None:
        return 1.0
    for per_pixel in (u.Jy / u.pix, u.Jy):
        if unit.is_equivalent(per_pixel):
            return float(unit.to(per_pixel))
    if not (per_beam or unit.is_equivalent(u.Jy / u.sr)):
        msg = (
            f'The unit {unit.to_string()!r} of the map is not accepted; '
            f'accepted are {ACCEPTED_UNITS}.'
        )
        raise ValueError(msg)
    if pixel_scale is None:
        msg = (
            f'A map in {unit} without a celestial WCS has no pixel area: '
            'give wcs, or the map in Jy/pixel.'
        )
        raise ValueError(msg)
    if per_beam:
        area = pixel_scale**2 / _get_beam_area(beam, meta or {})
        return float(unit.to(u.Jy / u.beam) * area.to_value(u.one))
    return float(unit.to(u.Jy / u.sr) * (pixel_scale**2).to_value(u.sr))
