# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The flux levels of the paper (Table 1), and a simulated observation of each.
"""

import json
from importlib import resources

import astropy.units as u
import numpy as np

from photutils_pconv._utils.checks import to_quantity
from photutils_pconv.simulation._checks import check_rng
from photutils_pconv.simulation.observations import simulate_sources

__all__ = ['flux_levels', 'simulate_levels']

# The decades beyond the ends of Table 1 that have the levels of its first one (by
# choice).
_LOWEST_DECADE, _HIGHEST_DECADE = -9, 9


def flux_levels(minimum=None, maximum=None):
    """
    List the paper's flux levels (Table 1) between two limits, inclusive.

    Parameters
    ----------
    minimum, maximum : float or `~astropy.units.Quantity`, optional
        The limits, in mJy; by default those of the table, 10 mJy and 40
        Jy. Below, and from 100 Jy on, each decade has the levels that the
        table has from 10 to 100 mJy.

    Returns
    -------
    levels : `~astropy.units.Quantity`
        The levels, in mJy, in ascending order.

    Raises
    ------
    ValueError
        If the limits are not positive, or no level lies between them.
    """
    path = resources.files('photutils_pconv') / 'data/simulation/flux_levels.json'
    levels = json.loads(path.read_text(encoding='utf-8'))['levels'] * u.mJy
    low, high = levels[0], levels[-1]
    if minimum is not None:
        low = to_quantity(minimum, u.mJy, 'minimum')
    if maximum is not None:
        high = to_quantity(maximum, u.mJy, 'maximum')
    decade = levels[levels < 10 * levels[0]]
    factors = 10.0 ** np.arange(_LOWEST_DECADE, _HIGHEST_DECADE + 1)
    beyond = (factors[:, None] * decade).ravel()
    next_decade = 10.0 ** np.ceil(np.log10(levels[-1].value)) * u.mJy
    outside = (beyond < levels[0]) | (beyond >= next_decade)
    levels = np.sort(np.concatenate([levels, beyond[outside]]))
    # Limits converted from another unit may be off by a rounding.
    chosen = levels[(levels >= low * (1 - 1e-9)) & (levels <= high * (1 + 1e-9))]
    if len(chosen) == 0:
        msg = (
            f'No flux level lies between {low:g} and {high:g}; the levels reach '
            f'from {levels[0]:g} to {levels[-1]:g}: see flux_levels().'
        )
        raise ValueError(msg)
    return chosen


def simulate_levels(
    data,
    psf,
    minimum,
    maximum,
    *,
    rng,
    n_sources=None,
    density=None,
    separation=None,
    margin=None,
    n_clusters=None,
    cluster_radius=None,
    rotation='map',
    mask=None,
    coverage_mask=None,
    wcs=None,
):
    """
    Make one simulation for each flux level between two limits.

    Positions are drawn anew for each; the Nth simulation depends on the
    seed and on N only.

    Parameters
    ----------
    data, psf : object
        See `simulate_sources`.

    minimum, maximum : float or `~astropy.units.Quantity`
        The limits, in mJy, inclusive (see `flux_levels`).

    rng : `numpy.random.Generator`
        The source of randomness.

    n_sources, density, separation, margin, n_clusters, cluster_radius, rotation, \
            mask, coverage_mask, wcs : optional
        As for `simulate_sources`.

    Yields
    ------
    ccd : `~astropy.nddata.CCDData`
        The map with the sources.

    sources : `~astropy.table.QTable`
        The sources.

    Raises
    ------
    ValueError
        If no flux level lies between the limits, or as for
        `simulate_sources`.
    """
    check_rng(rng)
    levels = flux_levels(minimum, maximum)
    for level, stream in zip(levels, rng.spawn(len(levels)), strict=True):
        yield simulate_sources(
            data,
            psf,
            level,
            rng=stream,
            n_sources=n_sources,
            density=density,
            separation=separation,
            margin=margin,
            n_clusters=n_clusters,
            cluster_radius=cluster_radius,
            rotation=rotation,
            mask=mask,
            coverage_mask=coverage_mask,
            wcs=wcs,
        )
