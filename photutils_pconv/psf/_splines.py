# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The arithmetic and the checks behind `photutils_pconv.psf.SampledPSF`.

Everything works on square-sampled images whose central sample is the
source's position; lengths are in samples unless said otherwise.
"""

import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_scales
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import map_coordinates, spline_filter

__all__ = [
    'box_smooth',
    'check_kernel',
    'evaluate_spline',
    'make_spline',
    'radial_energy',
    'read_psf_file',
]

# Zeros around an image, so that its spline falls to zero smoothly.
_PAD = 4

# A total this close to 1 counts as normalised.
_TOLERANCE = 0.01


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
    ValueError
        If the image is not 2-D, its sides are even or too short, it is
        not finite or its sum is not positive.
    """
    try:
        data = np.array(data, dtype=float)
    except (TypeError, ValueError):
        msg = f'A PSF must be an array of numbers, got {type(data).__name__}.'
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
    if min(data.shape) < 5:
        msg = f'A PSF must have 5 x 5 pixels or more, got {data.shape}.'
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
        _warn_off_centre(data)
    if not normalize:
        return data / total
    if abs(measured - 1) > _TOLERANCE:
        msg = (
            f'The PSF is not normalised: its flux is {measured:.6g}. It was '
            'scaled to a flux of 1; use normalize=False to keep it as it is, '
            'for example where the image holds a part of the flux only.'
        )
        warnings.warn(msg, AstropyUserWarning, stacklevel=3)
    return data / data.sum()


def _warn_off_centre(data):
    """
    Warn if the peak lies far from the central pixel.
    """
    centre = np.array(data.shape) // 2
    offset = np.array(np.unravel_index(data.argmax(), data.shape)) - centre
    reach = np.sqrt(np.count_nonzero(data > 0.5 * data.max()) / np.pi)
    if np.hypot(*offset) > max(reach, 1.5):
        y, x = offset.tolist()
        msg = (
            f'The peak of the PSF lies {x} columns and {y} rows from its '
            'central pixel, where the source is taken to be: sources will '
            'be drawn with that offset.'
        )
        warnings.warn(msg, AstropyUserWarning, stacklevel=4)


def make_spline(data):
    """
    Calculate the cubic spline coefficients of an image.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The image, with odd sides.

    Returns
    -------
    coefficients : 2D `~numpy.ndarray`
        The coefficients, with a margin of zeros around the image.
    """
    return spline_filter(np.pad(data, _PAD), order=3)


def evaluate_spline(coefficients, dx, dy):
    """
    Evaluate an image's spline, 0 outside the image.

    Parameters
    ----------
    coefficients : 2D `~numpy.ndarray`
        The result of `make_spline`.

    dx, dy : `~numpy.ndarray`
        Offsets from the central sample.

    Returns
    -------
    values : `~numpy.ndarray`
        The values, in the shape of ``dx``.
    """
    cy, cx = (size // 2 for size in coefficients.shape)
    dx, dy = np.broadcast_arrays(dx, dy)
    inside = (np.abs(dx) <= cx) & (np.abs(dy) <= cy)
    out = np.zeros(dx.shape)
    out[inside] = map_coordinates(
        coefficients, [dy[inside] + cy, dx[inside] + cx], order=3, prefilter=False
    )
    return out


def box_smooth(data, width):
    """
    Average an image over a square about each sample.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The image.

    width : float
        The square's side.

    Returns
    -------
    smoothed : 2D `~numpy.ndarray`
        The image, enlarged on each side by half the width and more, so
        that it holds all flux.
    """
    margin = int(np.ceil(width / 2)) + 4
    data = np.pad(data, margin)
    shape = [next_fast_len(size + 2 * margin, real=True) for size in data.shape]
    response = (
        np.sinc(width * np.fft.fftfreq(shape[0]))[:, None]
        * np.sinc(width * np.fft.rfftfreq(shape[1]))[None, :]
    )
    smoothed = irfft2(rfft2(data, shape) * response, shape)
    return smoothed[: data.shape[0], : data.shape[1]]


def radial_energy(coefficients):
    """
    Integrate an image over circles about its centre.

    Parameters
    ----------
    coefficients : 2D `~numpy.ndarray`
        The result of `make_spline`.

    Returns
    -------
    radii, energy : 1D `~numpy.ndarray`
        The radii, from 0 to beyond the corners, and the sum of the image
        within them.
    """
    corner = np.hypot(*(size / 2 for size in coefficients.shape))
    edges = np.arange(0, corner + 0.125, 0.125)
    middle = 0.5 * (edges[1:] + edges[:-1])
    # Evenly spaced angles integrate a smooth periodic function best; the
    # offset keeps them off the axes of symmetry.
    phi = 2 * np.pi * (np.arange(256) + 0.25) / 256
    values = evaluate_spline(
        coefficients, middle[:, None] * np.cos(phi), middle[:, None] * np.sin(phi)
    )
    rings = values.mean(axis=1) * np.pi * np.diff(edges**2)
    return edges, np.concatenate([[0.0], np.cumsum(rings)])


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
    with fits.open(path) as hdus:
        for hdu in hdus:
            if hdu.is_image and hdu.header.get('NAXIS') == 2:
                data, header = np.array(hdu.data, dtype=float), hdu.header.copy()
                break
        else:
            msg = f'{str(path)!r} holds no 2-D image.'
            raise ValueError(msg)
    return data, header, _find_scale(header)


def _find_scale(header):
    """
    Return the pixel's side in arcsec, or `None` where none is told.
    """
    for key in ('PIXSCALE', 'PIXELSCL'):
        if key in header:
            return float(header[key])
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FITSFixedWarning)
        wcs = WCS(header)
    if not wcs.has_celestial:
        return None
    scales = proj_plane_pixel_scales(wcs.celestial) * 3600
    if abs(scales[0] / scales[1] - 1) > 0.01:
        msg = f'A PSF must have square pixels, got {scales} arcsec.'
        raise ValueError(msg)
    return float(np.sqrt(scales[0] * scales[1]))
