# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps of any size with any number of sources, made in little time.
"""

from functools import cache

import numpy as np
from _maps import SNR_RANGE, simulate_emission_and_noise

from photutils_pconv.psf import PixelPSF, lobed_psf
from photutils_pconv.setups import get_setup

__all__ = ['SETUP', 'make_speed_map']

#: The setup of all maps.
SETUP = 'scanmap/green'

# The side of the simulated emission at most, of which larger maps are tiles (pixels).
_LARGEST_TILE = 1024
# The least distance of two sources, and of a source from the edge (pixels).
_SEPARATION, _MARGIN = 40.0, 24.0


@cache
def _pixel_psf(setup):
    # Not the PSF that the removal is given: the mismatch costs time, too.
    return PixelPSF(lobed_psf(setup), setup.pixel_scale.to_value('arcsec'), angle=0.5)


def make_speed_map(n_sources, size, *, seed=2026):
    """
    Make a square map.

    Parameters
    ----------
    n_sources : int
        The number of sources; they do not blend.

    size : int
        The map's side, in pixels.

    seed : int, optional
        The seed.

    Returns
    -------
    data : 2D `~numpy.ndarray` of float32
        The map, in Jy/pixel.

    positions : (N, 2) `~numpy.ndarray`
        The sources' positions, in pixels.
    """
    rng = np.random.default_rng(seed)
    setup = get_setup(setup=SETUP)
    psf = _pixel_psf(setup)
    side = min(size, _LARGEST_TILE)
    emission, noise = simulate_emission_and_noise(setup, rng, (side, side))
    tile = (emission + noise).astype(np.float32)
    n_tiles = -(-size // side)
    data = np.tile(tile, (n_tiles, n_tiles))[:size, :size].copy()
    positions = _draw_positions(n_sources, size, rng)
    # As bright as Eq. 1 has them, roughly: the peak over the scatter.
    snr = np.exp(rng.uniform(*np.log(SNR_RANGE), len(positions)))
    flux = snr * tile.std() / psf.peak / np.sqrt(psf.fwhm)
    reach = int(psf.radius)
    for (x, y), one in zip(positions, flux, strict=True):
        region = tuple(
            slice(max(int(place) - reach, 0), min(int(place) + reach, size))
            for place in (y, x)
        )
        data[region] += one * psf.draw(region, x, y)
    return data, positions


def _draw_positions(n_sources, size, rng):
    """
    Draw a place for each source within a cell of its own.
    """
    per_side = int((size - 2 * _MARGIN) // _SEPARATION)
    if per_side**2 < n_sources:
        msg = f'{n_sources} sources do not fit on a map of {size} pixels'
        raise ValueError(msg)
    cell = (size - 2 * _MARGIN) / per_side
    chosen = rng.choice(per_side**2, n_sources, replace=False)
    places = np.stack(np.unravel_index(chosen, (per_side, per_side)), axis=1)
    spare = 0.5 * (cell - 0.5 * _SEPARATION)
    return _MARGIN + cell * (places + 0.5) + rng.uniform(-spare, spare, places.shape)
