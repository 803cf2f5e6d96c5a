# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A PSF as the pixels of a map see it.
"""

import copy

import numpy as np

from photutils_pconv._utils.checks import to_bool, to_float
from photutils_pconv.psf._grids import SampledGrid
from photutils_pconv.psf._one_psf import OnePSF
from photutils_pconv.psf._pixel_image import PixelImage

__all__ = ['PixelPSF']

# All by choice, 2026-11-22.
# The radius (pixels) to which a PSF is evaluated at most.
_LARGEST_RADIUS = 60.0
# The expected relative error of a PSF of which no source of the map tells
# anything (docs/explanations/psf_removal.rst).
_MISMATCH = 0.05
# The error at some radius is that share of the PSF at a radius smaller by this
# factor: errors of a PSF peak at its first ring, where it is faint itself.
_RING = 1.5
# The step (pixels) of the derivative of a profile's correction.
_SHIFT = 0.125
# Nearer (pixels) than this, a distance is not divided by.
_TINY = 1.0e-6
# Samples of the expected error along a pixel's side, where it is drawn.
_ERROR_SAMPLES = 2


class PixelPSF(OnePSF):
    """
    A PSF as the pixels of a map see it, fast to evaluate anywhere.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
        The PSF.

    pixel_scale : float
        The side of the map's pixel, in arcsec.

    angle : float, optional
        The PSF's rotation on the map, in radians, counter-clockwise. By
        default it is not known, and the PSF is averaged over all angles.

    radius : float, optional
        The radius to which the PSF is evaluated, in pixels (default: to
        which it is known, at most 60).

    mismatch : float, optional
        The PSF's expected relative error, where its angle is known.

    Notes
    -----
    A PSF does not change: `adjusted`, `with_mismatch`, `with_expected_error`
    and `corrected` give another one, which shares its image.
    """

    def __init__(
        self, psf, pixel_scale, *, angle=None, radius=None, mismatch=_MISMATCH
    ):
        self.pixel_scale = to_float(pixel_scale, 'pixel_scale')
        self.angle = angle
        self.width = 1.0
        if radius is None:
            known = getattr(psf, 'radius', np.inf) / self.pixel_scale
            radius = min(known, _LARGEST_RADIUS)
        self._set_image(PixelImage.of_psf(psf, self.pixel_scale, float(radius)))
        self.mismatch = float(mismatch)
        self._correction = None
        self._expected = None
        self._made = {}
        self._error_grid = None

    def __getstate__(self):
        # What is drawn with is made again where it is needed.
        return self.__dict__ | {'_made': {}, '_error_grid': None}

    def _set_image(self, image):
        """
        Take an image of the source.
        """
        self._image, self.radius = image, image.radius

    def _copy(self):
        """
        Copy what stays the same if the PSF differs.
        """
        other = copy.copy(self)
        other._made, other._error_grid = {}, None
        return other

    def adjusted(self, *, angle=None, width=1.0):
        """
        Give the PSF with another angle and width.

        Parameters
        ----------
        angle : float, optional
            The rotation (default: not known).

        width : float, optional
            The factor by which the PSF is wider than the nominal one.

        Returns
        -------
        psf : `PixelPSF`
            The PSF.
        """
        other = self._copy()
        other.angle, other.width = angle, float(width)
        return other

    def with_mismatch(self, mismatch):
        """
        Give the PSF with another expected error.

        Parameters
        ----------
        mismatch : float
            The relative error.

        Returns
        -------
        psf : `PixelPSF`
            The PSF.
        """
        other = self._copy()
        # The image is the same: what it is drawn with is made once for both.
        other._made = self._made
        other.mismatch, other._expected = float(mismatch), None
        return other

    def with_expected_error(self, radii, values):
        """
        Give the PSF with an expected error that was measured.

        Parameters
        ----------
        radii : 1D `~numpy.ndarray`
            Radii, in pixels, ascending.

        values : 1D `~numpy.ndarray`
            The expected error of a source of flux 1 there; beyond the
            last radius it falls as the mismatch does.

        Returns
        -------
        psf : `PixelPSF`
            The PSF.
        """
        # Its own profile is not needed for this one radius.
        end = radii[-1] / (_RING * self.width)
        last = abs(self._image.average_ring(end)) / self.width**2
        # Beyond a small image there is nothing that could fall.
        other = self.with_mismatch(values[-1] / last if last > 0 else self.mismatch)
        other._expected = np.array(radii, dtype=float), np.array(values, dtype=float)
        return other

    def corrected(self, radii, values):
        """
        Give the PSF with a correction of its radial profile.

        Parameters
        ----------
        radii : 1D `~numpy.ndarray`
            The radii of the correction's knots, in pixels, ascending; it
            is linear in between, and 0 beyond the last.

        values : 1D `~numpy.ndarray`
            What is to be added there to a source of flux 1.

        Returns
        -------
        psf : `PixelPSF`
            The PSF.
        """
        other = self._copy()
        values = np.array(values, dtype=float)
        other._correction = np.array(radii, dtype=float), values
        return other

    def with_image(self, image, oversampling, radius):
        """
        Give a PSF of the same pixels with another image.

        Parameters
        ----------
        image : 2D `~numpy.ndarray`
            The image on the map's axes, averaged over pixels: what a pixel that
            is centred there holds of a source of flux 1. Its first sample is
            ``ceil(radius)`` pixels left of and below the source.

        oversampling : int
            Its samples along a pixel's side.

        radius : float
            The radius to which it is known, in pixels.

        Returns
        -------
        psf : `PixelPSF`
            The PSF, whose angle is 0 and whose width is 1.
        """
        other = self._copy()
        other.angle, other.width = 0.0, 1.0
        other._correction = other._expected = None
        other._set_image(PixelImage(image, oversampling, radius))
        return other

    @property
    def is_round(self):
        """
        Whether the PSF is averaged over all angles (bool).
        """
        return self.angle is None

    @property
    def peak(self):
        """
        The value of a pixel that is centred on a source of flux 1 (float).
        """
        if 'peak' not in self._made:
            extra = 0.0 if self._correction is None else self._correction[1][0]
            middle = float(self._image.evaluate(0.0, 0.0)) / self.width**2
            self._made['peak'] = middle + float(extra)
        return self._made['peak']

    @property
    def fwhm(self):
        """
        The full width at half maximum of the PSF's mean profile, in pixels.
        """
        if 'fwhm' not in self._made:
            self._made['fwhm'] = self._image.fwhm * self.width
        return self._made['fwhm']

    def _profile(self, name, dx, dy):
        """
        Evaluate a radial profile, stretched by the width; 0 beyond its end.
        """
        r = np.hypot(dx, dy) / self.width
        return self._image.evaluate_profile(name, r)

    def draw(self, region, x, y):
        """
        Draw a source of flux 1 on pixels of a map.

        This is `evaluate` at the pixels' centres, some times faster.

        Parameters
        ----------
        region : 2-tuple of slice
            The rows and columns of the map.

        x, y : float
            The position of the source on the map, in pixels.

        Returns
        -------
        values : 2D `~numpy.ndarray`
            The flux in each pixel; 0 beyond `radius`.
        """
        return self._image_grid().draw(region, x, y)

    def draw_stack(self, origins, side, x, y, *, gradient=False):
        """
        Draw many sources of flux 1, each on a square of a map.

        This is `draw`, some times faster for squares of some hundred pixels.

        Parameters
        ----------
        origins : (N, 2) int `~numpy.ndarray`
            The squares' first pixels (x, y).

        side : int
            Their side, in pixels.

        x, y : (N,) `~numpy.ndarray`
            The positions of the sources on the map, in pixels.

        gradient : bool, optional
            Whether the derivatives by the positions are drawn, too.

        Returns
        -------
        images : list of (N, side, side) `~numpy.ndarray`
            The sources, and with ``gradient`` their changes by a shift of 1 pixel
            along x, and along y: `gradient` of each.

        Raises
        ------
        TypeError
            If ``gradient`` is neither True nor False.
        """
        gradient = to_bool(gradient, 'gradient')
        return self._image_grid().draw_stack(origins, side, x, y, gradient=gradient)

    def draw_error(self, region, x, y):
        """
        Draw how far a source of flux 1 may be off: `expected_error` on pixels.

        Parameters
        ----------
        region, x, y
            As for `draw`.

        Returns
        -------
        error : 2D `~numpy.ndarray`
            The expected error of each pixel.
        """
        if self._error_grid is None:
            # Errors need not be known that well, but reach farther.
            self._error_grid = SampledGrid(
                self.expected_error,
                _RING * self._image.end * self.width,
                oversampling=_ERROR_SAMPLES,
            )
        return self._error_grid.draw(region, x, y)

    def _image_grid(self):
        """
        Give the image on the map's axes; it is made once.
        """
        if 'grid' not in self._made:
            radius = self._image.end * self.width
            self._made['grid'] = SampledGrid(self._evaluate_everywhere, radius)
        return self._made['grid']

    def evaluate(self, dx, dy):
        """
        Evaluate a source of flux 1.

        Parameters
        ----------
        dx, dy : array_like
            The pixels' offsets from the source, in pixels.

        Returns
        -------
        values : `~numpy.ndarray`
            The flux in each pixel; 0 beyond `radius`.
        """
        values = self._evaluate_everywhere(dx, dy)
        if self.is_round:
            return values
        inside = np.hypot(dx, dy) <= self._image.end * self.width
        return np.where(inside, values, 0.0)

    def _evaluate_everywhere(self, dx, dy):
        """
        Evaluate a source of flux 1, an image beyond its radius, too.
        """
        extra = 0.0
        if self._correction is not None:
            extra = np.interp(np.hypot(dx, dy), *self._correction, right=0.0)
        if self.is_round:
            return self._profile('mean', dx, dy) / self.width**2 + extra
        dx, dy = np.broadcast_arrays(dx, dy)
        cos, sin = self._frame
        values = self._image.evaluate(cos * dx + sin * dy, -sin * dx + cos * dy)
        return values / self.width**2 + extra

    @property
    def _frame(self):
        """
        The cosine and sine of the angle over the width: the image's own axes.
        """
        return np.cos(self.angle) / self.width, np.sin(self.angle) / self.width

    def gradient(self, dx, dy):
        """
        Evaluate the derivatives by the source's position.

        Parameters
        ----------
        dx, dy : array_like
            The pixels' offsets from the source, in pixels.

        Returns
        -------
        by_x, by_y : `~numpy.ndarray`
            The change of `evaluate` by a shift of the source of 1 pixel.
        """
        return self.evaluate_with_gradient(dx, dy)[1:]

    def evaluate_with_gradient(self, dx, dy):
        """
        Evaluate a source of flux 1, and its derivatives by the source's position.

        Parameters
        ----------
        dx, dy : array_like
            The pixels' offsets from the source, in pixels.

        Returns
        -------
        values, by_x, by_y : `~numpy.ndarray`
            What `evaluate` and `gradient` give, in one go.
        """
        dx, dy = np.broadcast_arrays(dx, dy)
        r, area = np.hypot(dx, dy), self.width**2
        by_radius = np.zeros(r.shape)
        if self.is_round:
            values = self._image.evaluate_profile('mean', r / self.width) / area
            slope = self._image.evaluate_profile('slope', r / self.width)
            by_radius += slope / (area * self.width)
            by_x, by_y = np.zeros((2, *r.shape))
        else:
            cos, sin = self._frame
            values, along, across = self._image.differentiate(
                cos * dx + sin * dy, -sin * dx + cos * dy
            )
            inside = (r <= self._image.end * self.width) / area
            # A source that moves on leaves the pixels behind.
            by_x = (sin * across - cos * along) * inside
            by_y = (-sin * along - cos * across) * inside
            values = values * inside
        if self._correction is not None:
            values = values + np.interp(r, *self._correction, right=0.0)
            # It is linear between its knots: the difference spans a kink.
            outer, inner = (
                np.interp(np.abs(r + step), *self._correction, right=0.0)
                for step in (_SHIFT, -_SHIFT)
            )
            by_radius += (outer - inner) / (2 * _SHIFT)
        by_radius /= np.maximum(r, _TINY)
        return values, by_x - by_radius * dx, by_y - by_radius * dy

    def expected_error(self, dx, dy):
        """
        Evaluate how far a source of flux 1 may be off this PSF.

        Parameters
        ----------
        dx, dy : array_like
            The pixels' offsets from the source, in pixels.

        Returns
        -------
        error : `~numpy.ndarray`
            What was measured, or the relative `mismatch` of the round
            PSF at two thirds of the distance and, where the angle is not
            known, the scatter over the angles, in quadrature.
        """
        if self._expected is not None:
            radii, values = self._expected
            r = np.hypot(dx, dy)
            measured = np.interp(r, radii, values)
            return np.where(r <= radii[-1], measured, self._mismatch_error(dx, dy))
        error = self._mismatch_error(dx, dy)
        if self.is_round:
            scatter = self._profile('scatter', dx, dy) / self.width**2
            error = np.hypot(error, scatter)
        return error

    def _mismatch_error(self, dx, dy):
        """
        Evaluate the error that the relative mismatch makes expect.
        """
        inside = np.asarray(dx) / _RING, np.asarray(dy) / _RING
        profile = np.abs(self._profile('mean', *inside))
        return self.mismatch * profile / self.width**2

    def extent(self, level):
        """
        Calculate the radius beyond which a source of flux 1 stays below a level.

        Parameters
        ----------
        level : float or `~numpy.ndarray`
            The level, or many.

        Returns
        -------
        radius : float or `~numpy.ndarray`
            The radius, in pixels, for each.
        """
        return self._image.extent(level * self.width**2) * self.width
