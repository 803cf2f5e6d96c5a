# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The images of resolved sources: the PSF convolved with an elliptical Gaussian.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy import fft

from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_sizes import SourceSizes

__all__ = ['SourcePSFs']

# All by choice.
# Samples of a resolved source along a pixel's side: it is smoother than the PSF.
_OVERSAMPLING = 2
# The room around the PSF's own, in sigma of the Gaussian, and the largest radius
# (pixels) to which a resolved source is drawn.
_SIGMAS, _LARGEST_RADIUS = 4.0, 90.0
# Radii are whole multiples of this (pixels), so that images have few shapes.
_STEP = 10.0
# Sizes that agree to this, relative to the PSF's, are drawn once.
_SAME_SIZE = 1.0e-3
# Images of so many samples together are kept: 240 MB.
_MOST_SAMPLES = 3.0e7
# The relative error of a size that the expected error of a source allows for, where
# none is given: that of the sizes which fits of bright sources find.
_SIZE_ERROR = 0.05


@dataclass(frozen=True, eq=False)
class _Transform:
    """
    The Fourier transform of an image of so many samples, and its frequencies.
    """

    values: np.ndarray
    frequencies: tuple
    shape: tuple
    size: int


@dataclass(frozen=True, eq=False)
class SourcePSFs:
    """
    The images of a map's sources, some of them resolved.

    Functions that take a `PixelPSF` for all sources take these, too.

    Parameters
    ----------
    point : `~photutils_pconv.psf.PixelPSF`
        The PSF.

    sizes : `SourceSizes`
        The sources' sizes.

    radius : float, optional
        The radius to which resolved sources are drawn, in pixels (default: as far
        as the PSF and the size reach).

    drawn : dict, optional
        What was drawn already, of the same PSF.
    """

    point: PixelPSF
    sizes: SourceSizes
    radius: float = _LARGEST_RADIUS
    drawn: dict = field(default_factory=dict)

    def of(self, index):
        """
        Give the image of one source.

        Parameters
        ----------
        index : int
            The number of the source.

        Returns
        -------
        psf : `~photutils_pconv.psf.PixelPSF`
            Its image.
        """
        if not self.sizes.is_resolved[index]:
            return self.point
        error = np.nan_to_num(self.sizes.error[index], nan=_SIZE_ERROR)
        key = (*self._shape_of(index), round(float(error), 3))
        return self._keep(key, lambda: self._draw(index, error))

    def by_size(self, index):
        """
        Give the derivative of a source's image by the logarithm of its size.

        Parameters
        ----------
        index : int
            The number of the source.

        Returns
        -------
        image : `~photutils_pconv.psf.PixelPSF`
            The change of a source of flux 1.
        """
        return self._derivative(index, 'size')

    def by_shape(self, index):
        """
        Give the derivatives of a source's image by its shape.

        Parameters
        ----------
        index : int
            The number of the source.

        Returns
        -------
        along, across : `~photutils_pconv.psf.PixelPSF`
            The changes of a source of flux 1 by the elements of its shape
            (`SourceSizes.sheared`).
        """
        return self._derivative(index, 'along'), self._derivative(index, 'across')

    def _derivative(self, index, by):
        """
        Draw the derivative of a source's image.
        """

        def draw():
            image, radius = self._transform_back(index, by=by)
            return self.point.with_image(image, _OVERSAMPLING, radius)

        return self._keep((by, *self._shape_of(index)), draw)

    def _keep(self, key, make):
        """
        Give what was drawn before under this key, or draw it.
        """
        if key not in self.drawn:
            samples = (2 * _OVERSAMPLING * self.radius + 1) ** 2
            if len(self.drawn) >= _MOST_SAMPLES / samples:
                # the one that was drawn first
                self.drawn.pop(next(iter(self.drawn)))
            self.drawn[key] = make()
        return self.drawn[key]

    def _shape_of(self, index):
        """
        Give the shape of a source as whole numbers.
        """
        covariance = self.sizes.covariance(index, self._fwhm)
        return tuple(round(one / (_SAME_SIZE * self._fwhm**2)) for one in covariance)

    @cached_property
    def _fwhm(self):
        return self.point.fwhm

    def _draw(self, index, size_error):
        """
        Draw a resolved source, and what it is expected to be off.
        """
        image, radius = self._transform_back(index)
        drawn = self.point.with_image(image, _OVERSAMPLING, radius)
        error, _ = self._transform_back(index, of_error=True)
        by_size, _ = self._transform_back(index, by='size')
        error = np.hypot(error, size_error * by_size)
        half = len(error) // 2
        distance = np.hypot(*(np.indices(error.shape) - half)) / _OVERSAMPLING
        rings = np.rint(distance).astype(int)
        total = np.bincount(rings.ravel(), weights=(error**2).ravel())
        count = np.bincount(rings.ravel())
        n = int(radius)
        return drawn.with_expected_error(np.arange(n), np.sqrt(total / count)[:n])

    def _transform_back(self, index, *, by=None, of_error=False):
        """
        Convolve the PSF, or its expected error, with the Gaussian of a source.

        Give the derivative of that by something, if asked for; and the radius to which
        it is known, in pixels.
        """
        xx, yy, xy = self.sizes.covariance(index, self._fwhm)
        reach = self.point.radius + _SIGMAS * np.sqrt(max(xx, yy))
        radius = min(_STEP * np.ceil(reach / _STEP), self.radius)
        transform = self._transform(radius, of_error)
        ky, kx = (2.0 * np.pi * _OVERSAMPLING * one for one in transform.frequencies)
        form = xx * kx**2 + 2.0 * xy * kx * ky + yy * ky**2
        product = transform.values * np.exp(-0.5 * form)
        # The whole size has the PSF's in it.
        own = (self._fwhm * gaussian_fwhm_to_sigma) ** 2
        half_trace = 0.5 * (xx + yy) + own
        if by == 'size':
            product *= -(form + own * (kx**2 + ky**2))
        elif by == 'along':
            product *= -0.5 * half_trace * (kx**2 - ky**2)
        elif by == 'across':
            product *= -half_trace * kx * ky
        size = transform.size
        image = fft.irfft2(product, transform.shape)[:size, :size]
        return image, radius

    def _transform(self, radius, of_error):
        """
        Transform the PSF, or its expected error, on samples to a radius.
        """

        def make():
            half = int(radius) * _OVERSAMPLING
            y, x = (np.indices((2 * half + 1,) * 2) - half) / _OVERSAMPLING
            evaluate = self.point.expected_error if of_error else self.point.evaluate
            values = evaluate(x, y)
            shape = (fft.next_fast_len(len(values), real=True),) * 2
            return _Transform(
                fft.rfft2(values, shape),
                (fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]),
                shape,
                len(values),
            )

        return self._keep(('transform', radius, of_error), make)

    def select(self, chosen):
        """
        Give the images of some sources.

        Parameters
        ----------
        chosen : array_like
            A mask, or the sources' numbers.

        Returns
        -------
        psfs : `SourcePSFs`
            The images.
        """
        return replace(self, sizes=self.sizes.select(chosen))

    def scales(self, n):
        """
        Give how much larger than the PSF sources are along their major axes.

        Parameters
        ----------
        n : int
            The number of the sources.

        Returns
        -------
        scales : 1D `~numpy.ndarray`
            The factors; 1 for unresolved sources.
        """
        if n != len(self.sizes):
            msg = f'there are sizes of {len(self.sizes)} sources, not of {n}'
            raise ValueError(msg)
        return np.where(self.sizes.is_resolved, self.sizes.major, 1.0)

    def turns(self, n):
        """
        Give the angles that are known of each source's PSF alone.

        Parameters
        ----------
        n : int
            The number of the sources.

        Returns
        -------
        angles : 1D `~numpy.ndarray`
            The angles, in radians; NaN where none is known.
        """
        return np.full(n, np.nan)

    def with_point(self, point):
        """
        Give the images of the same sources seen with another PSF.

        What was measured is how large sources are on the map: with a wider PSF
        they themselves are smaller.

        Parameters
        ----------
        point : `~photutils_pconv.psf.PixelPSF`
            The PSF.

        Returns
        -------
        psfs : `SourcePSFs`
            The images.
        """
        sizes = self.sizes.in_other_units(self.point.fwhm / point.fwhm)
        return replace(self, point=point, sizes=sizes, drawn={})
