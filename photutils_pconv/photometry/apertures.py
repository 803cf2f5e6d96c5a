# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Aperture photometry of removed sources, and the standard one beside it.

Two measurements of the same source: the flux of what was removed (map
minus cleaned map, no local background to subtract), and the flux above
the mean of an annulus in the map itself (section 3.4 of the paper).

A removed source is seen only inside its own hole. Within the hole the
reconstruction has full weight, so only the pixels of the hole
(`~photutils_pconv.geometry.hole_stamp`) are summed: the taper around it,
where the reconstruction fades out, and other sources' holes are left
out. Where an aperture reaches beyond the hole, what it sees is a disc of
whole pixels. Its flux is corrected with the encircled energy of the
circle of the same area, the *effective radius*: a disc of whole pixels
covers up to a few percent more or less than its nominal circle, and the
effective radius removes nine tenths of the scatter this causes. What is left,
and how pixels that an aperture cuts share a source's flux, follows from the
mean profile of sources (`~photutils_pconv.photometry`).

Everything here works on plain arrays: fluxes are in the unit of the map
times pixels, positions are 0-based pixels.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv._utils.arrays import (
    as_map,
    join_missing,
    match_radius,
    one_per_source,
)
from photutils_pconv._utils.checks import as_radii, check_choice
from photutils_pconv.photometry._aperture_stacks import (
    find_gaps,
    iterate_apertures,
)
from photutils_pconv.photometry.annulus import METHODS
from photutils_pconv.photometry.flags import SourceFlags, flag_positions

__all__ = [
    'RemovedPhotometry',
    'encircled_energy_correction',
    'removed_photometry',
    'sum_removed',
]


@dataclass(frozen=True, eq=False)
class RemovedPhotometry:
    """
    What was removed of sources, summed in apertures.

    Parameters
    ----------
    flux : (N, A) `~numpy.ndarray`
        The sum over the pixels of the aperture that belong to the source's
        own hole, not corrected for losses.

    flux_err : (N, A) `~numpy.ndarray`
        The root of the area times the square of the local scatter, plus
        the sum of the squares of the map's error if there is one. It does
        not yet hold the error of the reconstruction, and takes the noise of
        pixels as independent.

    area : (N, A) `~numpy.ndarray`
        The pixels that were summed.

    hole_fraction : (N, A) `~numpy.ndarray`
        The part of the aperture's area that lies in the hole; exactly 1 if
        all of it does. Missing pixels count as if they were there.

    flags : (N,) int `~numpy.ndarray`
        See `~photutils_pconv.photometry.SourceFlags`.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    area: np.ndarray
    hole_fraction: np.ndarray
    flags: np.ndarray


def removed_photometry(
    removed,
    x,
    y,
    *,
    radii,
    hole_radius,
    local_std,
    error=None,
    missing=None,
    method='exact',
    subpixels=5,
):
    """
    Sum what was removed of each source within apertures.

    Parameters
    ----------
    removed : array_like
        The map minus the cleaned map, of shape ``(ny, nx)``.
    x, y : array_like
        The ``N`` pixel positions.
    radii : array_like
        The ``A`` aperture radii in pixels.
    hole_radius : float or array_like
        The radius of each source's hole in pixels. NaN or 0 for a
        source that was not removed: its flux is NaN.
    local_std : float or array_like
        The standard deviation of the background around each source.
    error : array_like, optional
        The standard deviation of each pixel, of the map's shape.
    missing : array_like of bool, optional
        Pixels not to use, of the map's shape. Pixels that are not
        finite are missing in any case.
    method : {'exact', 'center', 'subpixel'}, optional
        The way apertures overlap pixels, as in
        `~photutils.aperture.aperture_photometry`.
    subpixels : int, optional
        The subpixels a side with ``method='subpixel'``.

    Returns
    -------
    results : `RemovedPhotometry`
        The sums and their errors.

    Raises
    ------
    ValueError
        If shapes, radii or the method are not as described.
    """
    removed = as_map(removed, 'removed')
    missing = join_missing(missing, removed)
    if error is not None:
        error = as_map(error, 'error', removed.shape)
    radii = as_radii(radii)
    check_choice(method, 'method', METHODS)
    x, y, inside, flags = flag_positions(x, y, removed.shape)
    hole_radius = match_radius(hole_radius, x.shape, 'hole_radius')
    local_std = one_per_source(local_std, x.shape, 'local_std')
    inside &= np.nan_to_num(hole_radius) > 0
    found = sum_removed(
        removed,
        missing,
        x,
        y,
        inside,
        hole_radius,
        radii,
        local_std,
        error=error,
        method=method,
        subpixels=subpixels,
    )
    return replace(found, flags=found.flags | flags)


def sum_removed(
    removed,
    missing,
    x,
    y,
    inside,
    hole_radius,
    radii,
    local_std,
    *,
    error=None,
    method='exact',
    subpixels=5,
):
    """
    Sum what was removed of each source within apertures.

    Nothing is checked here: `removed_photometry` is for users.

    Parameters
    ----------
    removed, missing : 2D `~numpy.ndarray`
        The map minus the cleaned map, and the missing pixels.

    x, y, inside : (N,) `~numpy.ndarray`
        The positions, in pixels, and which of them have a hole on the map.

    hole_radius : (N,) `~numpy.ndarray`
        The radii of the holes, in pixels.

    radii : (A,) `~numpy.ndarray`
        The aperture radii, in pixels.

    local_std : (N,) `~numpy.ndarray`
        The standard deviation of the background around each source.

    error, method, subpixels : optional
        As for `removed_photometry`.

    Returns
    -------
    results : `RemovedPhotometry`
        The sums and their errors.
    """
    flags = np.zeros(x.size, dtype=int)
    flux, variance, area, fraction = np.full((4, x.size, radii.size), np.nan)
    for j, radius in enumerate(radii):
        for stack in iterate_apertures(x, y, inside, (radius,), method, subpixels):
            rows = stack.rows
            part, beyond = stack.within(hole_radius)
            flags[rows[beyond]] |= SourceFlags.APERTURE_BEYOND_HOLE
            fraction[rows, j] = np.where(beyond, part.area / stack.area, 1.0)
            present, incomplete = part.on_map(missing)
            flags[rows[incomplete]] |= SourceFlags.MISSING_PIXELS
            area[rows, j] = used = present.area
            total = present.sum(removed)
            noise = used * local_std[rows] ** 2
            if error is not None:
                noise += _sum_known(error, present)
            is_seen = used > 0
            flux[rows[is_seen], j] = total[is_seen]
            variance[rows[is_seen], j] = noise[is_seen]
    places = np.flatnonzero(inside)
    gaps = find_gaps(x[places], y[places], hole_radius[places], missing)
    flags[places[gaps]] |= SourceFlags.MISSING_PIXELS
    return RemovedPhotometry(flux, np.sqrt(variance), area, fraction, flags)


def _sum_known(error, apertures):
    """
    Sum variances in apertures; those that are not known count as the known ones do.
    """
    variance = apertures.cut(error) ** 2
    known = np.where(np.isfinite(variance), apertures.weights, 0.0)
    total = np.einsum('nij,nij->n', np.nan_to_num(variance, posinf=0.0), known)
    area = known.sum(axis=(1, 2))
    scale = np.full(area.size, np.nan)
    np.divide(apertures.area, area, out=scale, where=area > 0)
    return total * scale


def encircled_energy_correction(radii, hole_fraction, eef):
    """
    Correct for what a source loses beyond the aperture or its hole.

    An aperture of radius ``r`` of which the fraction ``f`` lies in the
    hole sees a disc of the effective radius ``r * sqrt(f)``: the
    aperture itself where it lies inside the hole, the hole where it
    reaches beyond it on all sides.

    Parameters
    ----------
    radii : array_like
        The ``A`` aperture radii, in the unit that ``eef`` takes
        (arcsec).
    hole_fraction : array_like
        The part of each aperture's area in the hole, of shape (N, A).
    eef : callable
        The encircled-energy fraction of a radius, as
        `~photutils_pconv.ObservingSetup.eef`. Must raise ValueError
        outside its range.

    Returns
    -------
    correction : `~numpy.ndarray`
        The factors ``1 / eef`` of the effective radii, of shape (N, A).
        NaN where the fraction is NaN, or where the hole is smaller than
        the range of ``eef`` (not so for any hole of the bundled
        setups).

    Raises
    ------
    ValueError
        If an aperture itself lies outside the range of ``eef``.
    """
    radii = as_radii(radii)
    nominal = np.asarray(eef(radii), dtype=float)
    hole_fraction = np.asarray(hole_fraction, dtype=float)
    if hole_fraction.ndim != 2 or hole_fraction.shape[1] != radii.size:
        msg = (
            'hole_fraction must have a row for each source and a column for '
            f'each of the {radii.size} radii, got the shape '
            f'{hole_fraction.shape}.'
        )
        raise ValueError(msg)
    result = np.where(hole_fraction == 1, 1 / nominal, np.nan)
    beyond = (hole_fraction > 0) & (hole_fraction < 1)
    effective = (radii * np.sqrt(hole_fraction))[beyond]
    values, position = np.unique(effective, return_inverse=True)
    # No effective radius exceeds an aperture's, so only the smallest may
    # leave the range: find the first that eef accepts.
    first, last = 0, values.size
    while first < last:
        middle = (first + last) // 2
        try:
            eef(values[middle])
        except ValueError:
            first = middle + 1
        else:
            last = middle
    factors = np.full(values.size, np.nan)
    if first < values.size:
        factors[first:] = 1 / np.asarray(eef(values[first:]), dtype=float)
    result[beyond] = factors[position]
    return result
