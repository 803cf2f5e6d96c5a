# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The arithmetic behind `photutils_pconv.psf.SampledPSF`.

Everything works on square-sampled images whose central sample is the
source's position; lengths are in samples.
"""

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import map_coordinates, spline_filter

__all__ = [
    'box_smooth',
    'evaluate_spline',
    'filter_image',
    'make_spline',
    'radial_energy',
]

# Zeros around an image, so that its spline falls to zero smoothly: the effect
# of a sample on a cubic spline's coefficients falls by 0.27 a sample, so that
# half a percent is left beyond them.
_PAD = 4
# The steps of the encircled energy: in radius (samples), and the number of
# angles. By choice.
_RADIAL_STEP = 0.125
_N_ANGLES = 256


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
    margin = int(np.ceil(width / 2)) + _PAD
    return filter_image(data, lambda frequency: np.sinc(width * frequency), margin)


def filter_image(data, response, margin):
    """
    Filter an image along both axes.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The image.

    response : callable
        The filter's response to a frequency, in 1/sample.

    margin : int
        By how many samples the image is enlarged on each side.

    Returns
    -------
    filtered : 2D `~numpy.ndarray`
        The image, enlarged.
    """
    data = np.pad(data, margin)
    shape = [next_fast_len(size + 2 * margin, real=True) for size in data.shape]
    both = (
        response(np.fft.fftfreq(shape[0]))[:, None]
        * response(np.fft.rfftfreq(shape[1]))[None, :]
    )
    filtered = irfft2(rfft2(data, shape) * both, shape)
    return filtered[: data.shape[0], : data.shape[1]]


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
    edges = np.arange(0, corner + _RADIAL_STEP, _RADIAL_STEP)
    middle = 0.5 * (edges[1:] + edges[:-1])
    # Evenly spaced angles integrate a smooth periodic function best; the
    # offset keeps them off the axes of symmetry.
    phi = 2 * np.pi * (np.arange(_N_ANGLES) + 0.25) / _N_ANGLES
    values = evaluate_spline(
        coefficients, middle[:, None] * np.cos(phi), middle[:, None] * np.sin(phi)
    )
    rings = values.mean(axis=1) * np.pi * np.diff(edges**2)
    return edges, np.concatenate([[0.0], np.cumsum(rings)])
