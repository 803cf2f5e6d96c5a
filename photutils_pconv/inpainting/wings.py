# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The wings of sources beyond their holes, from the setup alone.

A hole never holds the whole source. What lies beyond it is expected to
follow the mean of the setup's PSFs, azimuthally averaged, and is taken off
the pixels around the holes before a network looks at them. How a source's own
wings may differ from that is given as well (`~photutils_pconv.psf`), so
that it can be separated from emission. No PSF is needed, no position is fitted, and
the map itself keeps its wings.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.medians import median
from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.geometry.merging import UNRESOLVED_FWHM, merge_close
from photutils_pconv.geometry.squares import SquareStack, group_alike
from photutils_pconv.geometry.windows import disc, find_window

__all__ = [
    'SourceWings',
    'expected_wings',
    'wings_beyond_holes',
]

# The width of the ring of usable pixels around a hole that determines the local
# background, in pixels, and how many of them there must be; by choice.
_RING = 4.0
_FEWEST = 8
# Wings are followed to this distance from a source, in pixels: half the profile's
# table (psf/profiles.py), by choice.
_EXTENT = 80
# Or as long as they exceed this share of the scatter around it; by choice.
_LEAST_WING = 1.0e-3
_DISTANCES = np.arange(_EXTENT + 1.0)


@dataclass(frozen=True)
class SourceWings:
    """
    The wings that sources are expected to have.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The mean wings of all sources, in the map's unit: everywhere, cores
        included.

    flux, flux_err : 1D `~numpy.ndarray`
        The sources' fluxes from their cores, and their standard deviations,
        in the map's unit times pixels. 0 where there is no source.
    """

    image: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray


def expected_wings(data, x, y, radius, *, profile, usable, missing=None):
    """
    Draw the wings that sources are expected to have.

    A source's flux comes from its core, above the median of the usable
    pixels in a ring around its hole; negative fluxes count as none. Rows
    that are too close to be told apart are one source.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels may hold any value.

    x, y : 1D array_like
        The sources' positions, 0-based, in pixels.

    radius : 1D array_like
        The radii of their holes, in pixels.

    profile : `WingProfile`
        The profile, on the map's pixels.

    usable : 2D bool `~numpy.ndarray`
        Pixels that are neither missing nor in any hole.

    missing : 2D bool `~numpy.ndarray`, optional
        The missing pixels (default: those that are not finite).

    Returns
    -------
    wings : `SourceWings`
        The wings.
    """
    x, y, radius = (np.asarray(one, dtype=float) for one in (x, y, radius))
    missing = ~np.isfinite(data) if missing is None else missing
    image = np.zeros(data.shape)
    drawn = _choose_drawn(x, y, radius, profile)
    levels = profile(_DISTANCES)
    flux, flux_err, scatter = _measure_cores(
        data, x, y, radius, profile, usable, missing
    )
    # A sum's rounding depends on its order: take that from the positions.
    for i in np.lexsort((radius, x, y)):
        if flux[i] <= 0 or not drawn[i]:
            continue
        extent = _find_extent(levels, flux[i], scatter[i])
        window = find_window(data.shape, x[i], y[i], extent)
        if window is None:
            continue
        image[window.region] += flux[i] * profile(window.distance)
    return SourceWings(image, flux, flux_err)


def wings_beyond_holes(shape, x, y, radius, flux, *, profile, taper_width):
    """
    Draw what sources are expected to have beyond their own holes.

    This is what one source's hole holds of the other sources.

    Parameters
    ----------
    shape : tuple of int
        The map's shape (ny, nx).

    x, y, radius : 1D array_like
        The sources' positions and the radii of their holes, in pixels.

    flux : 1D array_like
        Their fluxes (see `expected_wings`).

    profile : `WingProfile`
        The profile, on the map's pixels.

    taper_width : float
        The width of the taper around each hole, over which the wings set in,
        in pixels.

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The wings, in the unit of the fluxes a pixel.
    """
    image = np.zeros(shape)
    drawn = _choose_drawn(x, y, radius, profile)
    for i in np.lexsort((radius, x, y)):
        if flux[i] <= 0 or not drawn[i]:
            continue
        window = find_window(shape, x[i], y[i], _EXTENT)
        beyond = 1.0 - taper_weight(window.distance, radius[i], width=taper_width)
        image[window.region] += flux[i] * beyond * profile(window.distance)
    return image


def _choose_drawn(x, y, radius, profile):
    """
    Choose a row of each source whose wings are drawn: that of the largest hole.
    """
    x, y, radius = (np.asarray(one, dtype=float) for one in (x, y, radius))
    drawn = np.zeros(x.size, dtype=bool)
    row = merge_close(x, y, UNRESOLVED_FWHM * profile.beam_fwhm).row
    order = np.lexsort((y, x, -radius))
    _, first = np.unique(row[order], return_index=True)
    drawn[order[first]] = True
    return drawn


def _measure_cores(data, x, y, radius, profile, usable, missing):
    """
    Measure fluxes above the rings around holes, their errors, and the rings' scatter.

    All are 0 where a ring has too few pixels, or a flux is negative.
    """
    found = np.zeros((3, len(x)))
    reach = radius + _RING
    for group in group_alike(range(len(x)), lambda i: radius[i]):
        squares = SquareStack.around(x[group], y[group], int(np.ceil(reach[group[0]])))
        dx, dy = squares.offsets(x[group], y[group])
        distance = np.sqrt(dx**2 + dy**2)
        image = squares.cut(data)
        ring = squares.cut(usable) & (distance <= reach[group[0]])
        known = ~squares.cut(missing, fill_value=True)
        core = known & disc(dx, dy, min(profile.core_radius, radius[group[0]]))
        expected = profile(distance)
        for k, i in enumerate(group):
            found[:, i] = _core_flux(image[k], expected[k], ring[k], core[k])
    return found


def _core_flux(image, expected, ring, core):
    """
    Measure the flux of a core above a ring, its error, and the scatter of the ring.
    """
    if np.count_nonzero(ring) < _FEWEST:
        return 0.0, 0.0, 0.0
    around, wings = image[ring], expected[ring]
    n_core = np.count_nonzero(core)
    # The ring lies in the source's own wings.
    share = expected[core].sum() - n_core * wings.mean()
    if share <= 0:
        return 0.0, 0.0, 0.0
    flux = float((image[core] - median(around)).sum() / share)
    if flux <= 0:
        return 0.0, 0.0, 0.0
    # The core's background may be off by as much as the ring scatters.
    scatter = np.std(around - flux * wings)
    return flux, float(scatter * n_core / share), float(scatter)


def _find_extent(levels, flux, scatter):
    """
    Give the distance to which the wings of a source are drawn, in pixels.
    """
    above = levels * flux > _LEAST_WING * scatter
    return float(_DISTANCES[np.flatnonzero(above)[-1]]) if above.any() else 0.0
