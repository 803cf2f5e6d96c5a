# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The covariance of a map's pixels around a position, from the map itself.

That of local pixelwise infilling (Saydjari & Finkbeiner 2022, ApJ 933, 155):
a patch is moved over the surroundings, every place gives a sample, and the
mean and the covariance of all samples are those of the patch.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.linalg import cho_factor, cho_solve
from scipy.ndimage import convolve, uniform_filter

from photutils_pconv._utils.medians import MAD_TO_STD

__all__ = [
    'PatchStatistics',
    'condition',
    'estimate_noise',
    'generalised_flux',
    'infill_roughly',
    'patch_statistics',
    'stationary_covariance',
]

# A first filling is the mean within boxes of this side (pixels), and of sides so
# many times larger where there are too few pixels; the last of them takes the
# median of all (CloudCovErr.jl, ``prelim_infill!``).
_BOX, _GROWTH, _FEWEST, _MOST_BOXES = 19, 1.4, 10, 10

# The difference of differences along both axes, which removes planes, and what it
# makes of white noise of variance 1 (Immerkaer 1996, CVIU 64, 300).
_SECOND_DIFFERENCE = np.outer((1.0, -2.0, 1.0), (1.0, -2.0, 1.0))
_NOISE_GAIN = 6.0


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchStatistics:
    """
    Mean and covariance of the pixels of a square patch.

    Parameters
    ----------
    mean : 1D `~numpy.ndarray`
        The means of its ``N`` pixels, row by row.

    covariance : 2D `~numpy.ndarray`
        Their covariance, (N, N).
    """

    mean: np.ndarray
    covariance: np.ndarray

    def symmetrised(self):
        """
        Average over the eight turns and flips of the patch.

        Returns
        -------
        statistics : `PatchStatistics`
            What eight times as many samples give, if the emission has
            neither a direction nor a handedness.
        """
        side = int(np.sqrt(self.mean.size))
        places = np.arange(self.mean.size).reshape(side, side)
        mean, covariance = np.zeros_like(self.mean), np.zeros_like(self.covariance)
        for image in (places, places.T):
            for turns in range(4):
                order = np.rot90(image, turns).ravel()
                mean += self.mean[order] / 8.0
                covariance += self.covariance[np.ix_(order, order)] / 8.0
        return PatchStatistics(mean=mean, covariance=covariance)

    def mixed(self, covariance, share):
        """
        Mix the covariance with another one.

        Parameters
        ----------
        covariance : 2D `~numpy.ndarray`
            The other covariance.

        share : float
            The share of the other one, from 0 to 1.

        Returns
        -------
        statistics : `PatchStatistics`
            The mixture, with the mean as it is.
        """
        mixture = (1.0 - share) * self.covariance + share * covariance
        return PatchStatistics(mean=self.mean, covariance=mixture)


def estimate_noise(image, bad):
    """
    Estimate the noise of the pixels from second differences.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The map.

    bad : 2D bool `~numpy.ndarray`
        Pixels not to look at.

    Returns
    -------
    noise : float
        The standard deviation, robust; 0 where too few pixels are left.
    """
    values = convolve(np.where(bad, 0.0, image), _SECOND_DIFFERENCE)
    touched = convolve(bad.astype(float), np.ones((3, 3))) > 0
    values = values[~touched]
    if values.size == 0:
        return 0.0
    return float(MAD_TO_STD * np.median(np.abs(values)) / _NOISE_GAIN)


def infill_roughly(image, bad, *, noise, rng):
    """
    Fill pixels with means of their surroundings, and noise.

    It is what the covariance is estimated with, where sources are.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The map.

    bad : 2D bool `~numpy.ndarray`
        The pixels to fill.

    noise : float
        The standard deviation of the noise a pixel.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        The map, filled.
    """
    filled = np.where(bad, 0.0, image)
    known, todo = (~bad).astype(float), bad.copy()
    box = _BOX
    for _ in range(_MOST_BOXES):
        if not todo.any():
            break
        # mode='constant': what lies beyond the map has no weight.
        share = uniform_filter(known, box, mode='constant')
        total = uniform_filter(np.where(bad, 0.0, image), box, mode='constant')
        now = todo & (share * box**2 > _FEWEST)
        filled[now] = total[now] / share[now]
        todo &= ~now
        box = 2 * round((_GROWTH * box - 1) / 2) + 1
    if todo.any():
        filled[todo] = np.median(image[~bad]) if (~bad).any() else 0.0
    filled[bad] += noise * rng.standard_normal(np.count_nonzero(bad))
    return filled


def patch_statistics(image, row, column, *, half, reach):
    """
    Calculate mean and covariance of a patch from all of its shifts.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The map, without gaps, and at least ``half + reach`` pixels larger
        than the position on every side (pad it).

    row, column : int
        The patch's middle pixel.

    half : int
        Half the patch's side: it has ``2 * half + 1`` pixels a side.

    reach : int
        The largest shift along either axis, in pixels.

    Returns
    -------
    statistics : `PatchStatistics`
        Sample mean and covariance of ``(2 * reach + 1)**2`` patches.
    """
    side, window = 2 * half + 1, 2 * reach + 1
    first = half + reach
    part = image[
        row - first : row + first + 1, column - first : column + first + 1
    ].astype(float)
    level = part.mean()
    part = part - level
    n = window**2
    mean = _box_sums(part, window) / n
    covariance = np.empty((side,) * 4)
    # Every pair of pixels once: the second lies below the first, or right of it.
    for dr in range(side):
        for dc in range(1 - side if dr else 0, side):
            left, right = max(-dc, 0), side - max(dc, 0)
            a = part[: len(part) - dr, left : part.shape[1] - max(dc, 0)]
            b = part[dr:, left + dc : part.shape[1] + min(dc, 0)]
            products = _box_sums(a * b, window)
            rows, columns = np.ogrid[: side - dr, left:right]
            value = (
                products
                - n
                * mean[: side - dr, left:right]
                * (mean[dr:, left + dc : right + dc])
            )
            covariance[rows, columns, rows + dr, columns + dc] = value
            covariance[rows + dr, columns + dc, rows, columns] = value
    return PatchStatistics(
        mean=mean.ravel() + level,
        covariance=covariance.reshape(side**2, side**2) / (n - 1.0),
    )


def _box_sums(image, size):
    """
    Sum up all squares of a size that lie on an image.
    """
    total = np.zeros((image.shape[0] + 1, image.shape[1]))
    np.cumsum(image, axis=0, out=total[1:])
    rows = total[size:] - total[:-size]
    total = np.zeros((rows.shape[0], rows.shape[1] + 1))
    np.cumsum(rows, axis=1, out=total[:, 1:])
    return total[:, size:] - total[:, :-size]


def stationary_covariance(image, row, column, *, half, reach):
    """
    Calculate the covariance of a patch as far as offsets determine it.

    It is the mean over all pairs of pixels of an offset, and of its turns
    and flips, that the surroundings hold. Pairs that they do not hold count
    as zero, which makes it a covariance of positive eigenvalues.

    Parameters
    ----------
    image, row, column, half, reach
        As for `patch_statistics`.

    Returns
    -------
    covariance : 2D `~numpy.ndarray`
        The covariance of the pixels of the patch.
    """
    first = half + reach
    part = image[row - first : row + first + 1, column - first : column + first + 1]
    part = part - part.mean()
    shape = (fft.next_fast_len(2 * len(part), real=True),) * 2
    power = np.abs(fft.rfft2(part, shape)) ** 2
    products = fft.irfft2(power, shape)[: 2 * half + 1] / part.size
    # The offset (a, -b) belongs to the last columns.
    products = 0.5 * (
        products[:, : 2 * half + 1] + products[:, -np.arange(2 * half + 1)]
    )
    products = 0.5 * (products + products.T)
    pixel_row, pixel_column = (
        index.ravel() for index in np.indices((2 * half + 1,) * 2)
    )
    return products[
        np.abs(pixel_row[:, None] - pixel_row),
        np.abs(pixel_column[:, None] - pixel_column),
    ]


def condition(statistics, values, known, hidden):
    """
    Predict hidden pixels from known ones: the conditional Gaussian.

    Parameters
    ----------
    statistics : `PatchStatistics`
        Mean and covariance of all pixels of the patch.

    values : 1D `~numpy.ndarray`
        The pixels' values; only those of known pixels matter.

    known, hidden : 1D bool `~numpy.ndarray`
        Which pixels are given, and which are wanted. The rest is ignored.

    Returns
    -------
    mean : 1D `~numpy.ndarray`
        The expected values of the hidden pixels.

    covariance : 2D `~numpy.ndarray`
        The covariance of their errors.
    """
    matrix, expected = statistics.covariance, statistics.mean
    factor = cho_factor(matrix[np.ix_(known, known)], lower=True)
    cross = matrix[np.ix_(known, hidden)]
    weights = cho_solve(factor, cross)
    mean = expected[hidden] + (values - expected)[known] @ weights
    covariance = matrix[np.ix_(hidden, hidden)] - cross.T @ weights
    return mean, covariance


def generalised_flux(covariance, values, templates):
    """
    Measure the flux of the first of some templates, and its error.

    Generalised least squares: the values are the templates by their
    factors, plus noise of the given covariance.

    Parameters
    ----------
    covariance : 2D `~numpy.ndarray`
        The covariance of the pixels.

    values : 1D `~numpy.ndarray`
        Their values.

    templates : sequence of 1D `~numpy.ndarray`
        The templates there, the source of flux 1 first.

    Returns
    -------
    flux, flux_err : float
        The factor of the first template, and its standard deviation.
    """
    design = np.stack(templates, axis=1)
    solved = cho_solve(cho_factor(covariance, lower=True), design)
    inverse = np.linalg.inv(design.T @ solved)
    return float(inverse[0] @ (solved.T @ values)), float(np.sqrt(inverse[0, 0]))
