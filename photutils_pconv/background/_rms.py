# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the background classes are built of: gaps, scatter, errors.

The functions take and give plain arrays in the map's own pixels.
"""

import numpy as np
from astropy.stats import sigma_clipped_stats
from photutils.background import Background2D
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from photutils_pconv.geometry.empty_holes import (
    MINIMUM_EMPTY,
    choose_empty_radii,
    place_empty_holes,
)
from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_holes
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.inpainting.hole_filling import inpaint
from photutils_pconv.inpainting.native_grid import inpaint_resampled

__all__ = [
    'interpolate_gaps',
    'local_scatter',
    'measure_rms',
    'reconstruct',
    'reconstruction_error',
    'spread_over_holes',
]

# How many holes on empty positions are wanted.
_N_EMPTY = 64


def interpolate_gaps(data, gaps, *, sigma):
    """
    Fill gaps with a Gaussian-weighted mean of what is near.

    The network is not asked: in large gaps without a source its
    reconstruction came out worse than this on simulated maps.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map. In the gaps it may hold anything.

    gaps : 2D bool `~numpy.ndarray`
        The gaps; some pixel must be outside.

    sigma : float
        The standard deviation of the Gaussian (pixels). It is doubled
        until every gap has something near.

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        A copy without gaps.
    """
    good = ~gaps
    filled = np.where(good, data, 0.0)
    values, weights = filled.copy(), good.astype(float)
    todo = gaps.copy()
    while todo.any():
        if sigma > 2 * max(data.shape):
            filled[todo] = np.median(data[good])
            break
        weight = gaussian_filter(weights, sigma, mode='constant')
        near = todo & (weight > 1e-2)
        smooth = gaussian_filter(values, sigma, mode='constant')
        filled[near] = smooth[near] / weight[near]
        todo &= ~near
        sigma *= 2
    return filled


def local_scatter(data, use, *, sigma, box_size):
    """
    Measure the scatter of a map about its local mean.

    The map less a Gaussian-weighted local mean; of that, photutils'
    `~photutils.background.Background2D` takes the sigma-clipped standard
    deviation in boxes and interpolates between them.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    use : 2D bool `~numpy.ndarray`
        The pixels to use.

    sigma : float
        The standard deviation of the Gaussian (pixels).

    box_size : int
        The box size (pixels).

    Returns
    -------
    scatter : 2D `~numpy.ndarray`
        The standard deviation of a pixel, scaled to be that of the map
        if the map is white noise; 0 if there is nothing to use.
    """
    if not use.any():
        return np.zeros(data.shape)
    used = use.astype(float)
    weight = gaussian_filter(used, sigma)
    weight = np.where(use, weight, 1.0)
    mean = gaussian_filter(np.where(use, data, 0.0), sigma) / weight
    # Of white noise, subtracting a mean that the pixel is part of takes away
    # a known part. The square of a Gaussian is a Gaussian, too.
    impulse = np.zeros(2 * int(4 * sigma + 1) + 1)
    impulse[len(impulse) // 2] = 1.0
    kernel = gaussian_filter1d(impulse, sigma, mode='constant')
    square = gaussian_filter(used, sigma / np.sqrt(2)) * np.sum(kernel**2) ** 2
    left = 1.0 - 2.0 * kernel.max() ** 2 / weight + square / weight**2
    # Nothing is left of a pixel on its own.
    use = use & (left > 0.1)
    if not use.any():
        return np.zeros(data.shape)
    residual = np.where(use, data - mean, 0.0) / np.sqrt(np.where(use, left, 1.0))
    try:
        bkg = Background2D(residual, box_size, mask=~use, exclude_percentile=90.0)
    except ValueError:
        # Nowhere is there enough for a box.
        scatter = np.full(data.shape, sigma_clipped_stats(residual[use])[2])
    else:
        mesh = bkg.background_rms_mesh
        # The spline between boxes may overshoot, below zero even.
        scatter = np.clip(bkg.background_rms, mesh.min(), mesh.max())
    return scatter


def reconstruct(data, x, y, radius, *, missing, factor, native=None, **options):
    """
    Reconstruct the emission in holes, on any pixel scale.

    Parameters
    ----------
    data, x, y, radius, missing
        As for `~photutils_pconv.inpainting.inpaint`.

    factor : float
        Map pixel / native pixel.

    native : tuple of `~numpy.ndarray`, optional
        As for `~photutils_pconv.inpainting.inpaint_resampled`.

    **options
        The other arguments of `~photutils_pconv.inpainting.inpaint`.

    Returns
    -------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction.
    """
    if factor == 1:
        return inpaint(data, x, y, radius, missing=missing, **options)
    return inpaint_resampled(
        data, x, y, radius, missing=missing, factor=factor, native=native, **options
    )


def reconstruction_error(data, missing, scatter, x, y, radius, *, factor, **options):
    """
    Measure how well holes are reconstructed in this map.

    Holes at positions without sources (`photutils_pconv.geometry`)
    are reconstructed and compared with the map. The difference has the
    map's own scatter in it, which is taken off in quadrature.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map without sources.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    scatter : 2D `~numpy.ndarray`
        Its local scatter.

    x, y, radius : 1D `~numpy.ndarray`
        The positions of the sources and the radii of their holes
        (pixels).

    factor : float
        Map pixel / native pixel.

    **options
        The other arguments of `~photutils_pconv.inpainting.inpaint`.

    Returns
    -------
    ratio : 1D `~numpy.ndarray`
        The error over the local scatter for each source: the median of
        the 16 empty holes that are nearest in radius. 1 if there are
        not as many, as for a reconstruction that knows nothing but the
        mean of the surroundings.
    """
    rng = np.random.default_rng(0)
    radii = choose_empty_radii(radius, rng=rng, n_empty=_N_EMPTY)
    empty = place_empty_holes(missing, x, y, radius, radii, rng=rng)
    if len(empty) < MINIMUM_EMPTY:
        return np.ones(len(radius))
    square = np.full(len(empty), np.nan)
    # The holes of the sources stay holes.
    unusable = missing | draw_holes(data.shape, x, y, radius)
    for number in np.unique(empty.rounds):
        index = np.flatnonzero(empty.rounds == number)
        reconstruction = reconstruct(
            data,
            empty.x[index],
            empty.y[index],
            empty.radius[index],
            missing=unusable,
            factor=factor,
            **options,
        )
        difference = reconstruction.emission - data
        for i in index[reconstruction.filled]:
            reach = empty.radius[i] + 1.0
            window = find_window(data.shape, empty.x[i], empty.y[i], reach)
            hole = window.within(empty.radius[i])
            expected = scatter[window.region][hole] ** 2
            if np.any(expected > 0):
                found = difference[window.region][hole] ** 2
                square[i] = np.mean(found) / expected.mean()
    known = np.flatnonzero(np.isfinite(square))
    if known.size < MINIMUM_EMPTY:
        return np.ones(len(radius))
    ratio = np.empty(len(radius))
    for one in np.unique(radius):
        order = np.argsort(np.abs(empty.radius[known] - one), kind='stable')
        excess = np.median(square[known[order[:MINIMUM_EMPTY]]]) - 1.0
        ratio[radius == one] = np.sqrt(max(excess, 0.0))
    return ratio


def spread_over_holes(values, x, y, radius, shape):
    """
    Draw a value for each source into its hole and taper.

    Parameters
    ----------
    values : 1D `~numpy.ndarray`
        The values, not negative.

    x, y, radius : 1D `~numpy.ndarray`
        The positions and the radii of the holes (pixels).

    shape : tuple of int
        The shape (ny, nx) of the map.

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The values, the largest where holes overlap; 0 elsewhere.
    """
    image = np.zeros(shape)
    for value, *place in zip(values, x, y, radius + TAPER_WIDTH, strict=True):
        *position, reach = place
        window = find_window(shape, *position, reach + 1.0)
        if window is not None:
            part = image[window.region]
            part[:] = np.maximum(part, np.where(window.within(reach), value, 0.0))
    return image


def measure_rms(
    data, missing, holes, places, *, error=None, sigma, box_size, **options
):
    """
    Measure the local scatter, with the reconstruction's error in holes.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The background.

    missing : 2D bool `~numpy.ndarray`
        Pixels without data of their own.

    holes : 2D bool `~numpy.ndarray`
        The reconstructed pixels.

    places : sequence of 3 `~numpy.ndarray`
        The holes' positions x, y and radii (pixels).

    error : 2D `~numpy.ndarray`, optional
        The known error of the map, below which the result is nowhere.

    sigma, box_size
        As for `local_scatter`.

    **options
        As for `reconstruction_error`.

    Returns
    -------
    rms : 2D `~numpy.ndarray`
        The standard deviation of a pixel.
    """
    rms = local_scatter(data, ~(missing | holes), sigma=sigma, box_size=box_size)
    if error is not None:
        rms = np.maximum(rms, np.where(np.isfinite(error), error, 0.0))
    if len(places[0]):
        ratio = reconstruction_error(data, missing, rms, *places, **options)
        ratio = spread_over_holes(ratio, *places, rms.shape)
        rms *= np.sqrt(1.0 + np.where(holes, ratio, 0.0) ** 2)
    return rms
