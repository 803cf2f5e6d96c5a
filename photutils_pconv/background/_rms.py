# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the background classes are built of: gaps, scatter, errors.

The functions take and give plain arrays in the map's own pixels.
"""

from dataclasses import dataclass

import numpy as np
from astropy.stats import sigma_clipped_stats
from photutils.background import Background2D
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.geometry.empty_holes import MINIMUM_EMPTY
from photutils_pconv.geometry.holes import TAPER_WIDTH, Holes, draw_values
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.removal.empty_sample import fill_empty_holes
from photutils_pconv.removal.filling import Filler

__all__ = [
    'EmptyHoleSettings',
    'interpolate_gaps',
    'local_scatter',
    'measure_rms',
    'reconstruction_error',
]

# How many holes on empty positions are wanted, and the seed of their places: by
# choice.
_N_EMPTY = 64
_SEED = 0


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


@hold_filters
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


@dataclass(frozen=True, eq=False)
class EmptyHoleSettings:
    """
    What is needed to fill empty holes as the sources' were filled.

    Parameters
    ----------
    holes : `~photutils_pconv.geometry.Holes`
        The sources' holes that were filled, M of them.

    filler : `~photutils_pconv.removal.Filler`
        What filled them.

    annulus_radii : 2-tuple of float
        The annulus of the local rms, in pixels.

    pixel_psf : `~photutils_pconv.psf.PixelPSF` or `None`
        The PSF that was found on the map, for a filler that needs it.

    brightness : (M,) `~numpy.ndarray` or `None`
        The sources' fluxes in units of the local rms, likewise.
    """

    holes: Holes
    filler: Filler
    annulus_radii: np.ndarray
    pixel_psf: PixelPSF | None
    brightness: np.ndarray | None

    @classmethod
    def from_removal(cls, removal):
        """
        Keep what the rms needs of a removal, and nothing of its map.
        """
        use = removal.filled.reconstruction.filled
        brightness = pixel_psf = None
        if removal.filler.depends_on_flux:
            pixel_psf = removal.filled.pixel_psf
            rms = removal.fluxes.local_bkg_std
            brightness = (removal.filled.psf_fluxes.flux / rms)[use]
        return cls(
            holes=removal.holes.select(use),
            filler=removal.filler,
            annulus_radii=removal.plan.pixel_annulus,
            pixel_psf=pixel_psf,
            brightness=brightness,
        )


def reconstruction_error(grid, scatter, settings):
    """
    Measure how well holes are reconstructed in this map.

    Holes at positions without sources are filled as the sources' were, and
    compared with the map. The difference has the map's own scatter in it,
    which is taken off in quadrature.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map without sources.

    scatter : 2D `~numpy.ndarray`
        Its local scatter.

    settings : `EmptyHoleSettings`
        The sources' holes, and what filled them.

    Returns
    -------
    ratio : (M,) `~numpy.ndarray`
        The error over the local scatter for each source: the median of
        the 16 empty holes that are nearest in radius. 1 if there are
        not as many, as for a reconstruction that knows nothing but the
        mean of the surroundings.
    """
    square, radius = [], []
    for part in fill_empty_holes(
        grid,
        settings.holes,
        settings.filler,
        annulus_radii=settings.annulus_radii,
        pixel_psf=settings.pixel_psf,
        brightness=settings.brightness,
        n_empty=_N_EMPTY,
        seed=_SEED,
    ):
        reconstruction = part.filled.reconstruction
        difference = reconstruction.emission - grid.data
        for i in np.flatnonzero(reconstruction.filled):
            x, y, reach = part.holes.x[i], part.holes.y[i], part.holes.radius[i]
            window = find_window(scatter.shape, x, y, reach + 1.0)
            hole = window.within(reach)
            expected = scatter[window.region][hole] ** 2
            if np.any(expected > 0):
                found = difference[window.region][hole] ** 2
                square.append(np.mean(found) / expected.mean())
                radius.append(reach)
    square, radius = np.array(square), np.array(radius)
    known = np.isfinite(square)
    square, radius = square[known], radius[known]
    ratio = np.ones(len(settings.holes))
    if square.size < MINIMUM_EMPTY:
        return ratio
    for one in np.unique(settings.holes.radius):
        order = np.argsort(np.abs(radius - one), kind='stable')
        excess = np.median(square[order[:MINIMUM_EMPTY]]) - 1.0
        ratio[settings.holes.radius == one] = np.sqrt(max(excess, 0.0))
    return ratio


def measure_rms(grid, holes, settings, *, sigma, box_size):
    """
    Measure the local scatter, with the reconstruction's error in holes.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The background; its ``missing`` pixels have no data of their own,
        and the result is nowhere below its ``error``.

    holes : 2D bool `~numpy.ndarray`
        The reconstructed pixels.

    settings : `EmptyHoleSettings`
        The sources' holes, and what filled them.

    sigma, box_size
        As for `local_scatter`.

    Returns
    -------
    rms : 2D `~numpy.ndarray`
        The standard deviation of a pixel.
    """
    use = ~(grid.missing | holes)
    rms = local_scatter(grid.data, use, sigma=sigma, box_size=box_size)
    if grid.error is not None:
        rms = np.maximum(rms, np.where(np.isfinite(grid.error), grid.error, 0.0))
    if len(settings.holes):
        ratio = reconstruction_error(grid, rms, settings)
        ratio = draw_values(settings.holes, ratio, width=TAPER_WIDTH)
        rms *= np.sqrt(1.0 + np.where(holes, ratio, 0.0) ** 2)
    return rms
