# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The image of a source in the PSF's own frame, averaged over pixels.
"""

from functools import lru_cache

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from photutils_pconv.psf._splines import spline_slopes, spline_weights

__all__ = ['PixelImage']

# All by choice, 2026-11-22.
# Samples of the image along a pixel's side, those of the radial profiles for each
# of them, and the angles over which the profiles are taken.
_OVERSAMPLING = 4
_PROFILE_SAMPLES = 4
_N_ANGLES = 72
# An image ends where all that lies beyond holds at most this share of its flux:
# compact PSFs, such as Gaussians, have no wings to draw.
_NEGLIGIBLE_FLUX = 1.0e-6
# Steps of the radial profile are divided into so many where its half maximum is
# looked for.
_FINE = 20
# The PSFs that are remembered, of some 2 MB each.
_KEPT = 8


class PixelImage:
    """
    An image of a source of flux 1, and its radial profiles.

    Parameters
    ----------
    samples : 2D `~numpy.ndarray`
        The image, averaged over pixels: what a pixel that is centred there holds.
        Its first sample is ``ceil(radius)`` pixels left of and below the source.

    oversampling : int
        The samples along a pixel's side.

    radius : float
        The radius to which it is known, in pixels.
    """

    def __init__(self, samples, oversampling, radius):
        self.radius = float(radius)
        self._oversampling = oversampling
        self._centre = int(np.ceil(self.radius)) * oversampling
        self._coefficients = spline_filter(samples, order=3)
        self._profiles = {}
        # The profiles' radii, in pixels.
        self._r = np.arange(
            0.0, np.ceil(self.radius), 1.0 / (_PROFILE_SAMPLES * _OVERSAMPLING)
        )

    @classmethod
    def of_psf(cls, psf, pixel_scale, radius):
        """
        Sample a PSF on the pixels of a map.

        Parameters
        ----------
        psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
            The PSF.

        pixel_scale : float
            The side of the map's pixel, in arcsec.

        radius : float
            The radius to which it is evaluated at most, in pixels.

        Returns
        -------
        image : `PixelImage`
            The image, smaller where there is nothing farther out.
        """
        # PSFs do not change, and most maps of a process have the same one.
        return _sample(psf, pixel_scale, radius)

    @property
    def end(self):
        """
        The last radius of the profiles, in pixels (float).
        """
        return self._r[-1]

    @property
    def fwhm(self):
        """
        The full width at half maximum of the mean profile, in pixels (float).
        """
        mean = self._radial('mean')
        r = np.linspace(0.0, self._r[-1], _FINE * len(self._r))
        below = np.interp(r, self._r, mean) < 0.5 * mean[0]
        return float(2.0 * r[np.argmax(below)])

    def evaluate(self, dx, dy):
        """
        Evaluate the image.

        Parameters
        ----------
        dx, dy : array_like
            The offsets from the source, in pixels.

        Returns
        -------
        values : `~numpy.ndarray`
            The image there.
        """
        rows = np.atleast_1d(dy * self._oversampling + self._centre)
        columns = np.atleast_1d(dx * self._oversampling + self._centre)
        values = map_coordinates(
            self._coefficients, [rows, columns], order=3, prefilter=False, cval=0.0
        )
        return values.reshape(np.shape(dx))

    def differentiate(self, dx, dy):
        """
        Evaluate the image and its derivatives.

        Parameters
        ----------
        dx, dy : `~numpy.ndarray`
            As for `evaluate`.

        Returns
        -------
        values, by_x, by_y : `~numpy.ndarray`
            The image there, and how it changes with ``dx`` and ``dy``.
        """
        samples, step = self._coefficients, self._oversampling
        places = [np.ravel(one * step + self._centre) for one in (dy, dx)]
        # Where the spline needs no sample beyond the image, which is 0 there.
        ends = [n - 3.0 for n in samples.shape]
        inside = (np.minimum(*places) >= 1.0) & (places[0] <= ends[0])
        inside &= places[1] <= ends[1]
        places = [np.where(inside, one, 1.0) for one in places]
        before = [np.floor(one).astype(int) for one in places]
        shares = [one - first for one, first in zip(places, before, strict=True)]
        rows, columns = (one - 1 + np.arange(4)[:, None] for one in before)
        fours = samples.take(rows[:, None] * samples.shape[1] + columns)
        along, across = (spline_weights(one) for one in shares)
        along_slope, across_slope = (step * spline_slopes(one) for one in shares)
        lines = np.einsum('ijp,jp->ip', fours, across)
        changes = np.einsum('ijp,jp->ip', fours, across_slope)
        return [
            (np.einsum('ip,ip->p', one, weights) * inside).reshape(np.shape(dx))
            for one, weights in (
                (lines, along),
                (changes, along),
                (lines, along_slope),
            )
        ]

    def evaluate_profile(self, name, r):
        """
        Evaluate a radial profile.

        Parameters
        ----------
        name : {'mean', 'scatter', 'slope'}
            The mean over all angles, the scatter about it, or its derivative.

        r : array_like
            The distances from the source, in pixels.

        Returns
        -------
        values : `~numpy.ndarray`
            The profile there; 0 beyond its end.
        """
        return np.interp(r, self._r, self._radial(name), right=0.0)

    def average_ring(self, r):
        """
        Average the image over a ring alone, without the other radii of its profile.

        Parameters
        ----------
        r : float
            The radius, in pixels.

        Returns
        -------
        mean : float
            The average.
        """
        return float(self._evaluate_rings(np.array([r])).mean())

    def extent(self, level):
        """
        Find the radius beyond which the mean profile stays below a level.

        Parameters
        ----------
        level : float or `~numpy.ndarray`
            The level, or many.

        Returns
        -------
        radius : float or `~numpy.ndarray`
            The radius, in pixels, for each.
        """
        # The envelope falls: so many of its values are above.
        above = np.searchsorted(-self._radial('envelope'), -np.asarray(level))
        return self._r[np.minimum(above, len(self._r) - 1)]

    def _find_end(self):
        """
        Find the radius beyond which next to nothing of the flux lies, in whole pixels.
        """
        faint = self._radial('envelope') + self._radial('scatter')
        faint = np.maximum.accumulate(faint[::-1])[::-1]
        negligible = faint * np.pi * self.radius**2 < _NEGLIGIBLE_FLUX
        if not negligible.any():
            return int(np.ceil(self.radius))
        return int(np.ceil(self._r[np.argmax(negligible)]))

    def _radial(self, name):
        """
        Give a radial profile: mean, scatter, slope, or envelope.
        """
        if not self._profiles:
            rings = self._evaluate_rings(self._r)
            mean = rings.mean(axis=0)
            self._profiles |= {
                'mean': mean,
                'scatter': rings.std(axis=0),
                'slope': np.gradient(mean, self._r),
                # The largest value that the mean has there or farther out.
                'envelope': np.maximum.accumulate(np.abs(mean)[::-1])[::-1],
            }
        return self._profiles[name]

    def _evaluate_rings(self, r):
        """
        Evaluate the image at radii, in pixels, and all angles.
        """
        theta = 2.0 * np.pi * np.arange(_N_ANGLES)[:, None] / _N_ANGLES
        return self.evaluate(r * np.cos(theta), r * np.sin(theta))


@lru_cache(maxsize=_KEPT)
def _sample(psf, pixel_scale, radius):
    """
    Sample a PSF on pixels, as far as it holds anything.
    """
    reach = int(np.ceil(radius))
    samples = _render(psf, pixel_scale, reach)
    image = PixelImage(samples, _OVERSAMPLING, radius)
    # One more pixel for the spline.
    needed = image._find_end() + 1
    if needed >= image.radius:
        return image
    cut = (reach - needed) * _OVERSAMPLING
    size = (2 * needed + 1) * _OVERSAMPLING
    part = samples[cut : cut + size, cut : cut + size]
    return PixelImage(part, _OVERSAMPLING, needed)


def _render(psf, pixel_scale, reach):
    """
    Sample a PSF, averaged over the pixel, several times a pixel.
    """
    n = 2 * reach + 1
    o = _OVERSAMPLING
    image = np.empty((n * o, n * o))
    for ky in range(o):
        for kx in range(o):
            image[ky::o, kx::o] = psf.render(
                (n, n),
                reach - kx / o,
                reach - ky / o,
                pixel_scale=pixel_scale,
            )
    return image
