# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Whether a file is the map that was asked for.
"""

import gzip
import zlib
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from photutils_pconv._utils.warnings import quiet
from photutils_pconv.archive.downloads import refuse_page
from photutils_pconv.archive.errors import ArchiveFormatError, NotInArchiveError

__all__ = ['LARGEST_UNPACKED', 'MapFacts', 'check_map', 'open_image']

#: How large a compressed map may grow (bytes), by choice.
LARGEST_UNPACKED = 40 * 10**9
# The wavelength (micron) in a header of each band.
_WAVELENGTHS = {70: 'blue', 100: 'green', 160: 'red'}
_BLOCK = 1 << 20
_MODES = {'parallel': 'parallel', 'pacsphoto': 'scanmap', 'scan map': 'scanmap'}
# Flux in a pixel, on a solid angle, or in a beam.
_FLUX_UNITS = (u.Jy / u.pix, u.Jy / u.sr, u.Jy / u.beam, u.Jy)


@dataclass(frozen=True)
class MapFacts:
    """
    What the headers of a map say.

    Parameters
    ----------
    band : str or `None`
        The band.

    mode : str or `None`
        ``'scanmap'`` or ``'parallel'``.

    target : str
        The name of the target.
    """

    band: str | None
    mode: str | None
    target: str


def check_map(path, *, band):
    """
    Make sure that a file is a FITS map, with unit and WCS, of a band.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.

    band : str
        The band that was asked for.

    Returns
    -------
    facts : `MapFacts`
        What its headers say.

    Raises
    ------
    ArchiveFormatError
        If the file is damaged, or no such map.

    NotInArchiveError
        If it is the map of another band.
    """
    name = path.name
    with open(path, 'rb') as handle:
        start = handle.read(4096)
    refuse_page(start, name, 'The archive')
    if start[:2] == b'\x1f\x8b':
        _check_gzip(path)
    elif not start.startswith(b'SIMPLE'):
        msg = f'{name} is no FITS file: it begins with {start[:12]!r}.'
        raise ArchiveFormatError(msg)
    try:
        with quiet(), fits.open(path) as hdus:
            header = hdus[0].header
            image = _find_image(hdus)
            if image is None:
                msg = f'{name} has no image with a WCS of the sky.'
                raise ArchiveFormatError(msg)
            _check_image(image, name)
            facts = MapFacts(
                band=_find_band(header),
                mode=_find_mode(header),
                target=str(header.get('OBJECT', '')).strip(),
            )
    except ArchiveFormatError:
        raise
    except Exception as exc:
        # astropy raises whatever it likes on a damaged file.
        msg = f'{name} cannot be read as a FITS file: it is damaged ({exc}).'
        raise ArchiveFormatError(msg) from exc
    if facts.band is not None and facts.band != band:
        msg = f'{name} is a {facts.band} map, not the {band} one that was asked for.'
        raise NotInArchiveError(msg)
    return facts


def open_image(path):
    """
    Read the image of a map, and its WCS.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    data, wcs : 2D `~numpy.ndarray` and `~astropy.wcs.WCS`
        The image: NaN where nothing was observed.

    Raises
    ------
    ValueError
        If there is no image with a WCS.
    """
    with quiet(), fits.open(path) as hdus:
        image = _find_image(hdus)
        if image is None:
            msg = f'{path} has no image with a WCS of the sky.'
            raise ValueError(msg)
        data = np.array(image.data, dtype=float)
        data = data.reshape(data.shape[-2:])
        names = [hdu.name.lower() for hdu in hdus]
        if 'coverage' in names:
            coverage = hdus[names.index('coverage')].data
            if coverage is not None and coverage.shape == data.shape:
                data[~(coverage > 0)] = np.nan
        return data, WCS(image.header).celestial


def _check_gzip(path):
    """Unpack a file to its end, where its checksum is, but not into anything."""
    size = 0
    try:
        with gzip.open(path) as handle:
            while block := handle.read(_BLOCK):
                size += len(block)
                if size > LARGEST_UNPACKED:
                    msg = (
                        f'{path.name} unpacks to more than '
                        f'{LARGEST_UNPACKED / 1e9:g} GB: it is not used.'
                    )
                    raise ArchiveFormatError(msg)
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        msg = f'{path.name} is damaged or truncated ({exc}). Try again.'
        raise ArchiveFormatError(msg) from exc


def _find_image(hdus):
    """The image that is called so, or the first with a WCS of the sky."""
    images = [
        hdu
        for hdu in hdus
        if hdu.is_image
        and hdu.shape
        and len(hdu.shape) >= 2
        and set(hdu.shape[:-2]) <= {1}
        and WCS(hdu.header).has_celestial
    ]
    named = [hdu for hdu in images if hdu.name.lower() == 'image']
    return (named or images or [None])[0]


def _check_image(image, name):
    data = np.asarray(image.data)
    if not np.any(np.isfinite(data) & (data != 0)):
        msg = f'{name} has no observed pixel: all are 0 or missing.'
        raise ArchiveFormatError(msg)
    text = image.header.get('BUNIT', image.header.get('QTTY____'))
    try:
        unit = u.Unit(str(text or '').strip())
    except ValueError:
        unit = u.dimensionless_unscaled
    if not any(unit.is_equivalent(one) for one in _FLUX_UNITS):
        msg = (
            f'{name} has the unit {text!r}, which is no flux density per pixel, solid '
            'angle, or beam: it is no map.'
        )
        raise ArchiveFormatError(msg)


def _find_band(header):
    try:
        wavelength = float(header['WAVELNTH'])
    except (KeyError, TypeError, ValueError):
        return None
    return _WAVELENGTHS.get(round(wavelength))


def _find_mode(header):
    for key in ('CUSMODE', 'OBS_MODE', 'INSTMODE'):
        text = str(header.get(key, '')).lower()
        for part, mode in _MODES.items():
            if part in text:
                return mode
    return None
