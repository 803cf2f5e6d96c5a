# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fluxes by matched filters that the map chooses.

The best linear estimate of the flux of a known PSF P on a background of
known covariance C is the generalised least-squares one, P C^-1 d /
(P C^-1 P). What C is differs from map to map and from place to place: a
bank holds the filters for emission with power-law spectra seen through
the beam, smooth to rugged, under noise, faint to strong and white to
correlated. How much each of them scatters is measured around every
source, on the map whose sources are taken off; the one that promises the
smallest error is used, and that error is the flux's.
"""

from functools import lru_cache

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy import fft

__all__ = ['FILTER_RADIUS', 'FilterBank', 'get_filter_bank']

# All by choice, 2026-11-22. On Gaussian fields of known covariance the bank comes
# within a percent or two of the best filter (docs/explanations/psf_removal.rst).

#: Half the side of a filter, in pixels.
FILTER_RADIUS = 10

# Slopes of the emission's power spectrum; the noise of a pixel over the emission's
# scatter; the smoothing of the noise (the sigma of a Gaussian, pixels) and the wave
# number (1/pixel) below which it rises as 1/k.
_SLOPES = (-2.4, -3.4)
_NOISES = (0.02, 0.06, 0.2, 0.6, 2.0)
_NOISE_KINDS = ((0.0, 0.0), (0.6, 0.05))
# Periodic fields of this size (pixels) stand for endless ones.
_PERIOD = 256
# Over the largest covariance: the variance of a constant, which makes any constant
# possible at no cost, and a ridge that keeps the matrix from being singular.
_CONSTANT = 1.0e3
_RIDGE = 1.0e-6
# The images of which all filters are made, and the step through the covariances by
# which they are chosen: the scatter of a filter's output is off by less than a
# thousandth in the median, and 0.005 at most (tests/psf_photometry/test_filters.py).
_RANK, _EVERY = 8, 3


class FilterBank:
    """
    Covariances of emission and noise, for filters matched to a PSF.

    Parameters
    ----------
    beam_fwhm : float
        The FWHM of the beam through which the emission is seen, in
        pixels.

    radius : int, optional
        Half the side of the filters, in pixels.
    """

    def __init__(self, beam_fwhm, *, radius=FILTER_RADIUS):
        self.beam_fwhm, self.radius = float(beam_fwhm), int(radius)
        self.models = [
            (slope, noise, kind)
            for slope in _SLOPES
            for noise in _NOISES
            for kind in _NOISE_KINDS
        ]
        y, x = np.indices((self.side, self.side)) - self.radius
        self.dx, self.dy = x.ravel().astype(float), y.ravel().astype(float)
        self.covariances = [self._covariance(*model) for model in self.models]
        self.inverses = [np.linalg.inv(matrix) for matrix in self.covariances]

    def __len__(self):
        return len(self.models)

    @property
    def side(self):
        """
        The side of the filters, in pixels (int).
        """
        return 2 * self.radius + 1

    def _covariance(self, slope, noise, kind):
        """
        Calculate the covariance of the pixels of a filter.
        """
        frequency = fft.fftfreq(_PERIOD)
        k = np.hypot(*np.meshgrid(frequency, frequency))
        k[0, 0] = 1.0 / _PERIOD
        beam = np.exp(
            -((2.0 * np.pi * k * self.beam_fwhm * gaussian_fwhm_to_sigma) ** 2)
        )
        matrices = []
        smoothing, knee = kind
        for spectrum in (
            k**slope * beam,
            np.exp(-((2.0 * np.pi * k * smoothing) ** 2)) * (1.0 + knee / k),
        ):
            spectrum[0, 0] = 0.0
            correlation = fft.ifft2(spectrum).real
            rows = (self.dy[:, None] - self.dy).astype(int)
            columns = (self.dx[:, None] - self.dx).astype(int)
            matrices.append(correlation[rows, columns])
        emission, white = matrices
        # The scatter is that within the window, as around a source.
        emission = emission / (np.trace(emission) / len(emission) - emission.mean())
        total = emission + noise**2 * white / white[0, 0]
        scale = np.abs(total).max()
        return total + _CONSTANT * scale + _RIDGE * scale * np.eye(len(total))

    def weights(self, k, templates, *, valid=None):
        """
        Calculate the filter of the first of some templates, for one source or many.

        Parameters
        ----------
        k : int
            The number of the covariance.

        templates : (..., F, P) array_like
            The source's PSF and those of its neighbours, whose fluxes are
            free, at the P pixels ``dx``, ``dy`` of the bank.

        valid : (..., P) bool `~numpy.ndarray`, optional
            The pixels that may be used (default: all).

        Returns
        -------
        weights : (..., P) `~numpy.ndarray`
            The weights by which pixels are summed to the source's flux.
        """
        templates = np.asarray(templates)
        if valid is None or valid.all():
            # A symmetric matrix.
            solved = templates @ self.inverses[k]
        elif valid.ndim > 1:
            pairs = zip(templates, valid, strict=True)
            return np.array([self.weights(k, one, valid=use) for one, use in pairs])
        else:
            solved = np.zeros(templates.shape)
            part = self.covariances[k][np.ix_(valid, valid)]
            solved[:, valid] = np.linalg.solve(part, templates[:, valid].T).T
            templates = np.where(valid, templates, 0.0)
        normal = templates @ np.swapaxes(solved, -1, -2)
        first = np.linalg.inv(normal)[..., :1, :]
        return (first @ solved)[..., 0, :]

    def kernels(self, pixel_psf):
        """
        Calculate the filters of an isolated source on a pixel's centre.

        Parameters
        ----------
        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            The PSF on the map's pixels.

        Returns
        -------
        kernels : 3D `~numpy.ndarray`
            The filters as images.
        """
        image = pixel_psf.evaluate(self.dx, self.dy)
        side = self.side
        return np.stack(
            [self.weights(k, [image]).reshape(side, side) for k in range(len(self))]
        )

    def factor(self, kernels):
        """
        Find a few images of which all filters are sums, or nearly so.

        Filters for similar covariances are much alike. The images are chosen such that
        what they lack changes the scatter of the filters' outputs least.

        Parameters
        ----------
        kernels : 3D `~numpy.ndarray`
            The filters of a PSF (see `kernels`), of shape (K, side, side).

        Returns
        -------
        mixing : 2D `~numpy.ndarray`
            How much of each image each filter has, of shape (K, R).

        images : 3D `~numpy.ndarray`
            The images, of shape (R, side, side).
        """
        filters = kernels.reshape(len(kernels), -1)
        total = np.zeros((len(kernels), len(kernels)))
        for covariance in self.covariances[::_EVERY]:
            outputs = filters @ covariance @ filters.T
            # All covariances count alike, whatever their scale.
            total += outputs / np.median(np.diag(outputs))
        scale = 1.0 / np.sqrt(np.diag(total))
        _, vectors = np.linalg.eigh(total * scale * scale[:, None])
        vectors = vectors[:, -_RANK:]
        images = (vectors.T * scale) @ filters
        return vectors / scale[:, None], images.reshape(-1, *kernels.shape[1:])

    def sensitivity(self, pixel_psf, kernels, *, width, position):
        """
        Calculate how far the fluxes are off if the PSF is.

        Parameters
        ----------
        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            The PSF on the map's pixels.

        kernels : 3D `~numpy.ndarray`
            Its filters (see `kernels`).

        width : float
            The relative error of its width.

        position : float
            The error of a position along each axis, in pixels.

        Returns
        -------
        errors : 1D `~numpy.ndarray`
            The relative error of the flux, filter by filter.
        """
        wide = pixel_psf.adjusted(
            angle=pixel_psf.angle, width=pixel_psf.width * (1.0 + width)
        )
        wide = wide.evaluate(self.dx, self.dy)
        shifted = pixel_psf.evaluate(self.dx - position, self.dy - position)
        weights = kernels.reshape(len(self), -1)
        return np.hypot(weights @ wide - 1.0, weights @ shifted - 1.0)


@lru_cache(maxsize=8)
def get_filter_bank(beam_fwhm, radius=FILTER_RADIUS):
    """
    Give the bank of filters for a beam; it is made once.

    Parameters
    ----------
    beam_fwhm : float
        The FWHM of the beam, in pixels.

    radius : int, optional
        Half the side of the filters, in pixels.

    Returns
    -------
    bank : `FilterBank`
        The bank.
    """
    return FilterBank(beam_fwhm, radius=radius)
