# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Bright sources with their pixels, from which the PSF's shape is read.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.squares import group_alike
from photutils_pconv.psf_photometry.fit_windows import (
    FIT_RADIUS,
    NEIGHBOUR_DISTANCE,
    FitWindow,
    find_neighbours,
    solve_window,
)

__all__ = [
    'CORRELATED_PIXELS',
    'SMALLEST_FLUX',
    'BrightSource',
    'ShapeFit',
    'choose_bright_sources',
    'fit_sources',
]

#: The background around a source is not white: a fit sees so many times fewer pixels.
#: By choice, 2026-11-22.
CORRELATED_PIXELS = 10.0
#: The smallest flux that is divided by.
SMALLEST_FLUX = 1.0e-120
# The degree of the background's polynomial (by choice).
_DEGREE = 2
# The step of ln(width) for derivatives (by choice).
_LOG_WIDTH_STEP = 0.01


@dataclass(frozen=True, eq=False)
class BrightSource:
    """
    A source that determines the PSF's shape, with its P pixels.

    Parameters
    ----------
    window : `~photutils_pconv.psf_photometry.fit_windows.FitWindow`
        Its window.

    values : (P,) `~numpy.ndarray`
        The map's values there.

    x, y : float
        Its position, in pixels.

    snr : float
        Its signal-to-noise ratio (Eq. 1).

    angle : float
        The angle of the PSF there, in radians; NaN where none is known.

    number : int
        Its number among all sources.
    """

    window: FitWindow
    values: np.ndarray
    x: float
    y: float
    snr: float
    angle: float
    number: int

    def measure_width(self, pixel_psf):
        """
        Measure how much wider than the PSF the source is.

        Parameters
        ----------
        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            The PSF on the map's pixels.

        Returns
        -------
        change, error : float
            The logarithm of the width, and its error.
        """
        psf = self.turn(pixel_psf)
        offsets = self.offsets()
        templates = [psf.evaluate(*offsets), *psf.gradient(*offsets)]
        wider = psf.adjusted(angle=psf.angle, width=psf.width * (1.0 + _LOG_WIDTH_STEP))
        change = (wider.evaluate(*offsets) - templates[0]) / _LOG_WIDTH_STEP
        templates = [change, *templates, *self.window.terms]
        coefficients, covariance = solve_window(self.values, templates)
        left = self.values - coefficients @ np.array(templates)
        flux = max(coefficients[1], SMALLEST_FLUX)
        error = np.sqrt(covariance[0, 0] * CORRELATED_PIXELS * left.var())
        return coefficients[0] / flux, error / flux

    def turn(self, pixel_psf):
        """
        Turn a PSF by the angle that is known here, if there is one.

        Parameters
        ----------
        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            The PSF on the map's pixels.

        Returns
        -------
        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            The PSF of this source.
        """
        if not np.isfinite(self.angle):
            return pixel_psf
        return pixel_psf.adjusted(angle=self.angle, width=pixel_psf.width)

    def offsets(self):
        """
        Give the offsets of its pixels, in pixels.

        Returns
        -------
        dx, dy : (P,) `~numpy.ndarray`
            The offsets.
        """
        return self.window.offsets(self.x, self.y)


@dataclass(frozen=True, eq=False)
class ShapeFit:
    """
    The fit of one PSF to one source.

    Parameters
    ----------
    distance : (P,) `~numpy.ndarray`
        The pixels' distances from the source, in pixels.

    matrix : (P, T) `~numpy.ndarray`
        The templates.

    flux : float
        The flux.

    residual : (P,) `~numpy.ndarray`
        What the fit leaves.
    """

    distance: np.ndarray
    matrix: np.ndarray
    flux: float
    residual: np.ndarray


def fit_sources(sources, pixel_psf):
    """
    Fit flux, position and background of sources.

    Parameters
    ----------
    sources : sequence of `BrightSource`
        The sources.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    Returns
    -------
    fits : list of `ShapeFit`
        The fits.
    """
    offsets = [source.offsets() for source in sources]
    drawn = [None] * len(sources)
    angles = [one.angle if np.isfinite(one.angle) else None for one in sources]
    for group in group_alike(range(len(sources)), angles.__getitem__):
        # All of them at once: a PSF takes longer to be asked than to answer.
        psf = sources[group[0]].turn(pixel_psf)
        dx, dy = (
            np.concatenate(one)
            for one in zip(*(offsets[k] for k in group), strict=True)
        )
        templates = np.stack([psf.evaluate(dx, dy), *psf.gradient(dx, dy)])
        ends = np.cumsum([offsets[k][0].size for k in group])
        for k, part in zip(group, np.split(templates, ends[:-1], axis=1), strict=True):
            drawn[k] = part
    fits = []
    for source, place, templates in zip(sources, offsets, drawn, strict=True):
        matrix = np.array([*templates, *source.window.terms])
        coefficients, _ = solve_window(source.values, matrix)
        fits.append(
            ShapeFit(
                distance=np.hypot(*place),
                matrix=matrix.T,
                flux=coefficients[0],
                residual=source.values - coefficients @ matrix,
            )
        )
    return fits


def choose_bright_sources(data, x, y, missing, snr, angles, n_sources):
    """
    Choose the brightest sources without neighbours.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    x, y : (M,) `~numpy.ndarray`
        The positions of the sources, in pixels.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    snr : (M,) `~numpy.ndarray`
        The sources' signal-to-noise ratios (Eq. 1).

    angles : (M,) `~numpy.ndarray`
        The angle of the PSF at each source, in radians; NaN where none is known.

    n_sources : int
        The number of sources at most.

    Returns
    -------
    sources : list of `BrightSource`
        The sources, the brightest first.
    """
    neighbours = find_neighbours(x, y, 2 * NEIGHBOUR_DISTANCE)
    sources = []
    for i in np.argsort(-snr, kind='stable'):
        window = FitWindow(data.shape, missing, x[i], y[i], FIT_RADIUS, _DEGREE)
        if window.enough and not neighbours[i]:
            values = window.pick(data[window.region])
            sources.append(
                BrightSource(window, values, x[i], y[i], snr[i], angles[i], i)
            )
        if len(sources) == n_sources:
            break
    return sources
