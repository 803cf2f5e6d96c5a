# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSFs as users give them: arrays, FITS files and photutils' ``ImagePSF``.
"""

from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv._utils.writing import check_output, write_atomically

__all__ = [
    'check_image_psf',
    'check_kernel',
    'read_psf_file',
    'read_psf_grid',
    'write_psf_file',
    'write_psf_hdu',
]

# A total this close to 1 counts as normalised (by choice).
_TOLERANCE = 0.01
# The fewest pixels along a side (by choice: a cubic spline needs four).
_SMALLEST_SIDE = 5
# A peak farther (pixels) from the centre than this, and than the core's radius,
# is probably not meant to lie there (by choice).
_LARGEST_OFFSET = 1.5
# The sides of a pixel that differ by less, relatively, count as equal (by choice).
_SQUARE = 0.01
# So far (pixels) the origin of an ImagePSF may lie off the centre (by choice).
_ORIGIN_TOLERANCE = 1.0e-3
# The keywords of a pixel's side, in arcsec: this package's, and poppy's.
_SCALE_KEYS = ('PIXSCALE', 'PIXELSCL')
# The extensions of a PSF that varies over a map.
_IMAGES, _POSITIONS = 'GRID', 'POSITIONS'


def check_kernel(data, *, normalize, total=1.0, warn=True):
    """
    Check a PSF image and return it as float64, its sum scaled to 1.

    Parameters
    ----------
    data : 2D array_like
        The image.

    normalize : bool
        Whether to scale the image to a sum of 1, with a warning where
        its sum is far from ``total``. Otherwise it is only divided by
        ``total``.

    total : float, optional
        The sum of a normalised image.

    warn : bool, optional
        Whether to warn of a peak far from the centre.

    Returns
    -------
    data : 2D `~numpy.ndarray`
        A copy of the image.

    Raises
    ------
    TypeError
        If the image does not hold real numbers.

    ValueError
        If the image is not 2-D, its sides are even or too short, it is
        not finite or its sum is not positive.
    """
    if np.iscomplexobj(data):
        msg = 'A PSF must be an array of real numbers, got complex ones.'
        raise TypeError(msg)
    normalize = to_bool(normalize, 'normalize')
    if np.any(getattr(data, 'mask', False)):
        msg = 'A PSF must have no masked pixels: fill them (with 0 in the wings).'
        raise ValueError(msg)
    try:
        data = np.array(data)
        if data.dtype.kind not in 'fiu':
            raise TypeError
        data = data.astype(float)
    except (TypeError, ValueError):
        kind = getattr(data, 'dtype', type(data).__name__)
        msg = f'A PSF must be an array of real numbers, got {kind}.'
        raise TypeError(msg) from None
    if data.ndim != 2:
        msg = f'A PSF must be a 2-D image, got {data.ndim} dimensions.'
        raise ValueError(msg)
    if any(size % 2 == 0 for size in data.shape):
        msg = (
            'A PSF must have odd sides, so that the source lies on its '
            f'central pixel, got the shape {data.shape}. Cut a row or '
            'column that holds no flux, or resample the PSF about its centre.'
        )
        raise ValueError(msg)
    if min(data.shape) < _SMALLEST_SIDE:
        side = _SMALLEST_SIDE
        msg = f'A PSF must have {side} x {side} pixels or more, got {data.shape}.'
        raise ValueError(msg)
    n_bad = np.count_nonzero(~np.isfinite(data))
    if n_bad:
        msg = (
            f'A PSF must be finite, but {n_bad} of its pixels are not: '
            'replace them (with 0 in the wings).'
        )
        raise ValueError(msg)
    measured = data.sum() / total
    if not measured > 0:
        msg = f'The sum of a PSF must be positive, got {measured:g}.'
        raise ValueError(msg)
    if warn:
        _check_core(data)
        _warn_off_centre(data)
    if not normalize:
        return data / total
    if abs(measured - 1) > _TOLERANCE:
        msg = (
            f'The PSF is not normalised: its flux is {measured:.6g}. It was '
            'scaled to a flux of 1; use normalize=False to keep it as it is, '
            'for example where the image holds a part of the flux only.'
        )
        warn_user(msg)
    return data / data.sum()


def _check_core(data):
    """
    Refuse an image without a core, or whose core has a hole in it.
    """
    core = data > 0.5 * data.max()
    inner = np.zeros(data.shape, dtype=bool)
    inner[1:-1, 1:-1] = True
    if (core & ~inner).any():
        msg = (
            'A PSF must fall below half its maximum within its image: give a larger '
            'image, and check that the source is on its central pixel.'
        )
        raise ValueError(msg)
    row, column = np.rint(np.mean(np.nonzero(core), axis=1)).astype(int)
    if not core[row, column]:
        msg = (
            'A PSF must have one peak, but in the middle of its brightest pixels it '
            f'falls to {data[row, column] / data.max():.2g} of its maximum.'
        )
        raise ValueError(msg)


def _warn_off_centre(data):
    """
    Warn if the peak lies far from the central pixel.
    """
    centre = np.array(data.shape) // 2
    offset = np.array(np.unravel_index(data.argmax(), data.shape)) - centre
    reach = np.sqrt(np.count_nonzero(data > 0.5 * data.max()) / np.pi)
    if np.hypot(*offset) > max(reach, _LARGEST_OFFSET):
        y, x = offset.tolist()
        msg = (
            f'The peak of the PSF lies {x} columns and {y} rows from its '
            'central pixel, where the source is taken to be: sources will '
            'be drawn with that offset.'
        )
        warn_user(msg)


def check_image_psf(model):
    """
    Check that photutils' ``ImagePSF`` is one that can be taken as a PSF image.

    Parameters
    ----------
    model : `~photutils.psf.ImagePSF`
        The model.

    Returns
    -------
    oversampling : int
        Its samples along a pixel's side.

    Raises
    ------
    ValueError
        If its axes are oversampled differently, or its origin is not the
        centre of its image.
    """
    oversampling = np.asarray(model.oversampling)
    if oversampling[0] != oversampling[1]:
        msg = (
            'The ImagePSF must have one oversampling factor for both axes, '
            f'got {oversampling.tolist()}.'
        )
        raise ValueError(msg)
    centre = (np.array(model.data.shape[:-3:-1]) - 1) / 2
    origin = np.asarray(model.origin)[:2]
    if not np.allclose(origin, centre, atol=_ORIGIN_TOLERANCE):
        msg = (
            'The origin of the ImagePSF must be the centre of its image, '
            f'{centre.tolist()}, got {origin.tolist()}.'
        )
        raise ValueError(msg)
    return int(oversampling[0])


def read_psf_file(path):
    """
    Read a PSF from a FITS file.

    Parameters
    ----------
    path : str or `~pathlib.Path`
        The file. Its first 2-D image is taken.

    Returns
    -------
    data : 2D `~numpy.ndarray`
        The image.

    header : `~astropy.io.fits.Header`
        Its header.

    pixel_scale : float or `None`
        The pixel's side in arcsec, from the keyword ``PIXSCALE``, or
        ``PIXELSCL`` as poppy writes it, or from a WCS.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or no 2-D image in it.
    """
    path = Path(path)
    if not path.is_file():
        msg = (
            f'There is no PSF file {str(path)!r}. Give a FITS file, or the '
            'name of a setup, such as "scanmap/green".'
        )
        raise FileNotFoundError(msg)
    try:
        found = _read_image(path)
        scale = None if found is None else _find_scale(found[1])
    except Exception as exc:
        # whatever astropy makes of a file that is none of FITS, or damaged
        reason = ' '.join(str(exc).split())
        msg = (
            f'{str(path)!r} cannot be read as a PSF, it must be a FITS file with a 2-D '
            f'image: {reason}'
        )
        raise ValueError(msg) from exc
    if found is None:
        msg = f'{str(path)!r} holds no 2-D image.'
        raise ValueError(msg)
    return *found, scale


def _read_image(path):
    """
    Read the first 2-D image of a file, and its header; `None` without one.
    """
    with fits.open(path) as hdus:
        for hdu in hdus:
            if hdu.is_image and hdu.header.get('NAXIS') == 2:
                return np.array(hdu.data), hdu.header.copy()
    return None


def read_psf_grid(path):
    """
    Read the images of a PSF that varies over a map.

    Parameters
    ----------
    path : str or `~pathlib.Path`
        A file that `read_psf_file` reads.

    Returns
    -------
    grid : tuple of `~numpy.ndarray` or `None`
        The images, (N, ny, nx), and their positions, (N, 2), where the file has
        them in the extensions ``GRID`` and ``POSITIONS``.
    """
    with fits.open(path) as hdus:
        if not {_IMAGES, _POSITIONS} <= {hdu.name for hdu in hdus}:
            return None
        return np.array(hdus[_IMAGES].data), np.array(hdus[_POSITIONS].data)


def write_psf_file(
    path, data, *, pixel_scale, effective_pixel, grid=None, overwrite=False
):
    """
    Write a PSF to a FITS file that `read_psf_file` reads, in single precision.

    Parameters
    ----------
    path : str or `~pathlib.Path`
        The file.

    data : 2D `~numpy.ndarray`
        The image.

    pixel_scale, effective_pixel : float
        The side of a sample, and of the map pixel that the image contains, in
        arcsec.

    grid : tuple of array_like, optional
        What `read_psf_grid` gives back.

    overwrite : bool, optional
        Whether to replace a file.
    """
    write = partial(
        write_psf_hdu,
        data=data.astype(np.float32),
        pixel_scale=pixel_scale,
        effective_pixel=effective_pixel,
        grid=None if grid is None else (grid[0].astype(np.float32), grid[1]),
    )
    path = Path(path).expanduser()
    check_output([path], overwrite=overwrite)
    write_atomically(path, write)


def write_psf_hdu(path, *, data, pixel_scale, effective_pixel, grid=None):
    """
    Write a PSF to a new file, in the precision that it has.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.

    data : 2D `~numpy.ndarray`
        The image.

    pixel_scale, effective_pixel, grid
        As for `write_psf_file`.
    """
    header = fits.Header()
    header['PIXSCALE'] = (pixel_scale, '[arcsec] side of a sample')
    header['EFFPIX'] = (effective_pixel, '[arcsec] map pixel contained')
    hdus = [fits.PrimaryHDU(data, header)]
    if grid is not None:
        names = (_IMAGES, _POSITIONS)
        hdus += [
            fits.ImageHDU(values, name=name)
            for name, values in zip(names, grid, strict=True)
        ]
    fits.HDUList(hdus).writeto(path)


def _find_scale(header):
    """
    Return the pixel's side in arcsec, or `None` where none is told.
    """
    for key in _SCALE_KEYS:
        if key in header:
            return float(header[key])
    # Astropy warns of what it mends, which no scale depends on.
    wcs = WCS(header, fix=False)
    if not wcs.has_celestial:
        return None
    scales = proj_plane_pixel_scales(wcs.celestial) * 3600
    if abs(scales[0] / scales[1] - 1) > _SQUARE:
        msg = f'A PSF must have square pixels, got {scales} arcsec.'
        raise ValueError(msg)
    return float(np.sqrt(scales[0] * scales[1]))
