# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A map through matched filters, and how much they scatter from place to place.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from photutils_pconv._utils.progress import count, enter_stage
from photutils_pconv.psf_photometry.scatter import FilterKernels

__all__ = ['FilteredMap', 'filter_map', 'local_variance']

# All by choice. The scatter is that within a Gaussian window of this sigma (pixels),
# calculated on blocks of so many pixels a side; it is clipped at so many sigma, so
# many times. Far from any pixel that may be looked at, the scatter is that of the
# whole map, which has this weight.
_WINDOW, _BLOCK = 12.0, 4
_CLIP, _ROUNDS = 4.0, 2
_PRIOR = 1.0e-3
# The pixels that have their mismatch in common, as for `measure_fluxes`.
_COMMON_PIXELS = 4.0
# A filter that is the best for a smaller share of the pixels is left out.
_LEAST_SHARE = 0.005


@dataclass(frozen=True, eq=False)
class FilteredMap:
    """
    The flux that a source at each pixel would have, by the best filter there.

    Parameters
    ----------
    flux : 2D `~numpy.ndarray`
        The flux, in the map's unit times pixel.

    scatter : 2D `~numpy.ndarray`
        The standard deviation of the filter around that pixel.

    error : 2D `~numpy.ndarray`
        That and, in quadrature, what sources that were subtracted leave there.

    chosen : 2D int `~numpy.ndarray`
        The number of the filter.
    """

    flux: np.ndarray
    scatter: np.ndarray
    error: np.ndarray
    chosen: np.ndarray

    @property
    def snr(self):
        """
        Flux over error (2D `~numpy.ndarray`).
        """
        return self.flux / self.error

    @property
    def used(self):
        """
        The filters that are worth their time (1D int `~numpy.ndarray`).
        """
        counts = np.bincount(self.chosen.ravel())
        return np.flatnonzero(counts > _LEAST_SHARE * self.chosen.size)


def filter_map(image, use, kernels, *, numbers, leak=None):
    """
    Filter a map, everywhere with the filter that scatters least around there.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The map without the sources that are known; all pixels hold finite values.

    use : 2D bool `~numpy.ndarray`
        The pixels where the scatter of the filtered map may be looked at.

    kernels : 3D `~numpy.ndarray`
        The filters, of shape (K, side, side).

    numbers : 1D int `~numpy.ndarray`
        The filters' numbers, of length K.

    leak : 2D `~numpy.ndarray`, optional
        The error of each pixel because of the PSF's mismatch, of the sources that
        were subtracted.

    Returns
    -------
    filtered : `FilteredMap`
        Fluxes and scatter.
    """
    half = kernels.shape[-1] // 2
    # A filter sums to zero, and the level does not ring at the edges.
    padded = np.pad(image - np.median(image), half, mode='reflect')
    squares = [None] * len(kernels)
    if leak is not None:
        correlated = FilterKernels(_COMMON_PIXELS * kernels**2)
        squares = correlated.correlate(np.pad(leak**2, half))
    best = None
    filtered = FilterKernels(kernels).correlate(padded)
    enter_stage('filtering', len(kernels), unit='filter')
    for number, flux, square in count(zip(numbers, filtered, squares, strict=True)):
        scatter = local_variance(flux**2, use)
        total = scatter if square is None else scatter + np.maximum(square, 0.0)
        if best is None:
            best = flux.copy(), scatter, total, np.full(image.shape, number)
            continue
        less = total < best[2]
        for kept, new in zip(best, (flux, scatter, total), strict=False):
            kept[less] = new[less]
        best[3][less] = number
    flux, scatter, total, chosen = best
    return FilteredMap(flux, np.sqrt(scatter), np.sqrt(total), chosen)


def local_variance(squares, use):
    """
    Calculate the mean square around each pixel, clipped.

    Parameters
    ----------
    squares : 2D `~numpy.ndarray`
        The squares of a map of mean 0.

    use : 2D bool `~numpy.ndarray`
        The pixels that may be looked at.

    Returns
    -------
    variance : 2D `~numpy.ndarray`
        The variance, positive.
    """
    keep = use
    for _ in range(_ROUNDS):
        overall = squares[keep].mean() if keep.any() else squares.mean()
        weight = _smooth(keep.astype(float), squares.shape) + _PRIOR
        total = _smooth(np.where(keep, squares, 0.0), squares.shape)
        variance = (total + _PRIOR * overall) / weight
        keep = use & (squares <= _CLIP**2 * variance)
    return np.maximum(variance, np.finfo(float).tiny)


def _smooth(image, shape):
    """Smooth an image by the window, on blocks of pixels."""
    ny, nx = (-(-n // _BLOCK) for n in shape)
    padded = np.zeros((ny * _BLOCK, nx * _BLOCK))
    padded[: shape[0], : shape[1]] = image
    blocks = padded.reshape(ny, _BLOCK, nx, _BLOCK).mean(axis=(1, 3))
    smooth = gaussian_filter(blocks, _WINDOW / _BLOCK, mode='constant')
    wide = zoom(smooth, _BLOCK, order=1, mode='nearest', grid_mode=True)
    return np.maximum(wide[: shape[0], : shape[1]], 0.0)
