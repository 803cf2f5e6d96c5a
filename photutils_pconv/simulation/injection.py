# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Injection of compact sources of known flux into a map.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.spatial import cKDTree

from photutils_pconv._psf_models.measures import largest_radius, measure_fwhm
from photutils_pconv._utils.arrays import one_per_source, pair_positions
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.simulation._checks import (
    MAXIMUM_SCALE,
    as_integer,
    as_number,
    as_plane,
    as_shape,
    check_psf,
    check_rng,
)

__all__ = ['clustered_positions', 'inject_sources', 'random_positions']

# The share of a source's flux that may fall outside its stamp (by choice), and how
# well the radius is found where that is so, in units of the FWHM.
_LOST_FLUX = 1.0e-4
_ACCURACY = 0.01

# A pixel's value is the density's mean over points in it: as many a side
# as the steepness needs, within so many pixels of the source. With these
# every pixel is right to 3e-4 of the peak for the coarsest pixels of PACS.
_ZONES = ((None, 1), (20, 3), (6, 15))

# Candidate positions compared with the chosen ones at once; by choice, to bound
# the memory.
_CHUNK = 4096

# Attempts to fill clusters before they are called too small; by choice.
_ROUNDS = 100


def inject_sources(data, x, y, flux, *, psf, pixel_scale, angle=0.0):
    """
    Add compact sources to a map.

    Each source is drawn on a stamp of its own that holds all but 1e-4 of the
    PSF's flux; what falls beyond the map's edge is lost.

    Parameters
    ----------
    data : 2D array_like
        The map, a flux per pixel. Pixels that are not finite stay so.

    x, y : array_like
        The N positions, 0-based, pixel centres at integers. They may lie
        outside the map: its wings reach into it.

    flux : float or array_like
        The total flux of each source, or of all, in the map's unit times
        pixel.

    psf : `~photutils_pconv.psf.LobedPSF` or `~photutils_pconv.psf.SampledPSF`
        The PSF.

    pixel_scale : float
        The pixel's side, in arcsec.

    angle : float or array_like, optional
        The rotation of the PSF, or of each source's, in radians,
        counter-clockwise on the pixel grid.

    Returns
    -------
    image : `~numpy.ndarray`
        A new map with the sources. Floats keep their precision, integers
        become float64.

    Raises
    ------
    TypeError, ValueError
        If the map is not 2-D, the pixel scale not positive, the positions
        and fluxes do not pair up or are no numbers, one is not finite, or
        the PSF is none.

    See Also
    --------
    random_positions : Draw positions that keep their distance.
    """
    dtype = np.asarray(data).dtype
    check_psf(psf)
    pixel_scale = as_number(pixel_scale, 'pixel_scale', above=0, high=MAXIMUM_SCALE)
    image = as_plane(data, 'data').copy()
    for name, values in (('x', x), ('y', y), ('flux', flux), ('angle', angle)):
        _check_numbers(values, name)
    x, y = pair_positions(x, y)
    flux = one_per_source(flux, x.shape, 'flux')
    angle = one_per_source(angle, x.shape, 'angle')
    for name, values in (('x', x), ('y', y), ('flux', flux), ('angle', angle)):
        if not np.all(np.isfinite(values)):
            bad = np.flatnonzero(~np.isfinite(values)).tolist()
            msg = f'{name} must be finite, but is not in the rows {bad}.'
            raise ValueError(msg)
    reach = int(np.ceil(_stamp_radius(psf) / pixel_scale))
    for xc, yc, value, turn in zip(x, y, flux, angle, strict=True):
        whole = _find_square(image.shape, xc, yc, reach)
        if whole is None:
            continue
        stamp = np.empty([part.stop - part.start for part in whole])
        for zone, oversampling in _ZONES:
            inner_reach = reach if zone is None else min(zone, reach)
            part = _find_square(image.shape, xc, yc, inner_reach)
            if part is None:
                continue
            region = tuple(
                slice(inner.start - outer.start, inner.stop - outer.start)
                for inner, outer in zip(part, whole, strict=True)
            )
            stamp[region] = psf.render(
                stamp[region].shape,
                xc - part[1].start,
                yc - part[0].start,
                pixel_scale=pixel_scale,
                angle=turn,
                oversampling=oversampling,
            )
        image[whole] += value * stamp
    return image.astype(dtype if dtype.kind == 'f' else float, copy=False)


def _check_numbers(values, name):
    try:
        kind = np.asarray(values).dtype.kind
    except ValueError:
        # Lists of different lengths.
        kind = 'O'
    # An empty list is one of floats; a Quantity has a unit that would be lost.
    if kind not in 'fiu' or getattr(values, 'unit', None) is not None:
        msg = f'{name} must be plain real numbers, got {values!r}.'
        raise TypeError(msg)


def _stamp_radius(psf):
    """
    Return the radius, in arcsec, beyond which hardly any flux lies.
    """
    fwhm, end = measure_fwhm(psf), largest_radius(psf)
    held = (1.0 - _LOST_FLUX) * float(psf.encircled_energy(end))

    def missing(radius):
        return float(psf.encircled_energy(radius)) - held

    return brentq(missing, 0.0, end, xtol=_ACCURACY * fwhm)


def _find_square(shape, x, y, reach):
    """
    Find the square around a position's pixel, or `None`.
    """
    pixel = (int(np.floor(x + 0.5)), int(np.floor(y + 0.5)))
    window = find_window(shape, *pixel, reach)
    return None if window is None else window.region


def random_positions(shape, n, *, rng, separation, margin=0, mask=None):
    """
    Draw random positions that keep a distance from each other.

    The positions are uniform over the map but for the constraints. Each
    pixel of the map is tried at most once, so the search ends.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx) of the map.

    n : int
        The number of positions.

    rng : `numpy.random.Generator`
        The source of randomness.

    separation : float
        The smallest distance between two positions, in pixels.

    margin : float, optional
        The smallest distance from the map's edge, in pixels.

    mask : 2D bool array_like, optional
        True for pixels in which no position may lie.

    Returns
    -------
    x, y : 1D `~numpy.ndarray`
        The positions, 0-based, pixel centres at integers.

    Raises
    ------
    TypeError, ValueError
        If the positions do not fit on the map, or an argument is not
        accepted.
    """
    check_rng(rng)
    ny, nx = as_shape(shape, minimum=1)
    n = as_integer(n, 'n')
    allowed = _allowed_pixels((ny, nx), separation, margin, mask)
    candidates = rng.permutation(np.flatnonzero(allowed))
    chosen = np.empty((0, 2))
    for start in range(0, len(candidates), _CHUNK):
        if len(chosen) >= n:
            break
        rows, columns = np.divmod(candidates[start : start + _CHUNK], nx)
        new = np.stack([columns, rows], axis=1)
        new = new + rng.uniform(-0.5, 0.5, size=new.shape)
        # Distances from the lower and from the upper edges.
        edge = np.minimum(new + 0.5, np.array([nx, ny]) - 0.5 - new)
        new = new[edge.min(axis=1) >= margin]
        chosen = _extend(chosen, new, n, separation)
    if len(chosen) < n:
        raise ValueError(_too_small(len(chosen), n, allowed, separation, margin))
    return chosen[:, 0].copy(), chosen[:, 1].copy()


def clustered_positions(
    shape, n, *, rng, separation, n_clusters, radius, margin=0, mask=None
):
    """
    Draw random positions in clusters.

    The centres of the clusters are uniform over the map; around them the
    positions scatter as a Gaussian.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx) of the map.

    n : int
        The number of positions, in all clusters together.

    rng : `numpy.random.Generator`
        The source of randomness.

    separation : float
        The smallest distance between two positions, in pixels.

    n_clusters : int
        The number of clusters.

    radius : float
        The standard deviation of the positions about a cluster's centre
        along each axis, in pixels.

    margin, mask : optional
        See `random_positions`.

    Returns
    -------
    x, y : 1D `~numpy.ndarray`
        The positions, 0-based, pixel centres at integers.

    Raises
    ------
    TypeError, ValueError
        If the positions do not fit into the clusters, or an argument is
        not accepted.
    """
    check_rng(rng)
    ny, nx = as_shape(shape, minimum=1)
    n = as_integer(n, 'n')
    allowed = _allowed_pixels((ny, nx), separation, margin, mask)
    n_clusters = as_integer(n_clusters, 'n_clusters', low=-1)
    radius = as_number(radius, 'radius')
    if n_clusters < 1 or not radius > 0:
        msg = (
            'n_clusters and radius must be positive, got '
            f'{n_clusters!r} and {radius!r}.'
        )
        raise ValueError(msg)

    def tell(found):
        text = _too_small(found, n, allowed, separation, margin)
        return f'{text[:-1]}, or for more or wider clusters ({n_clusters}, {radius:g}).'

    # No attempt is made at what does not fit on the whole map.
    most = _densest((ny, nx), separation)
    if n > most:
        raise ValueError(tell(most))
    centres = np.stack(
        random_positions(
            shape, n_clusters, rng=rng, separation=0, margin=margin, mask=mask
        ),
        axis=1,
    )
    chosen = np.empty((0, 2))
    for _ in range(_ROUNDS):
        if len(chosen) >= n:
            break
        which = rng.integers(n_clusters, size=max(4 * n, 64))
        new = centres[which] + rng.normal(0.0, radius, (len(which), 2))
        edge = np.minimum(new + 0.5, np.array([nx, ny]) - 0.5 - new).min(axis=1)
        new = new[(edge >= margin) & (edge > 0)]
        column, row = np.floor(new + 0.5).astype(int).T
        chosen = _extend(chosen, new[allowed[row, column]], n, separation)
    if len(chosen) < n:
        raise ValueError(tell(len(chosen)))
    return chosen[:, 0].copy(), chosen[:, 1].copy()


def _allowed_pixels(shape, separation, margin, mask):
    """
    Check what the positions have to keep, and return where they may lie.
    """
    as_number(separation, 'separation', low=0)
    as_number(margin, 'margin', low=0)
    allowed = np.ones(shape, dtype=bool)
    if mask is not None:
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != shape:
            msg = (
                f'mask must be boolean and of the shape {shape}, got '
                f'{mask.dtype} of the shape {mask.shape}.'
            )
            raise ValueError(msg)
        allowed &= ~mask
    return allowed


def _densest(shape, separation):
    """
    Return the number of positions that may fit on a map: a bound from above.
    """
    ny, nx = shape
    # In the densest packing a position has a hexagon to itself; without a
    # separation there is as much room as in `random_positions`.
    hexagon = max(separation**2 * np.sqrt(3) / 2, 1.0)
    return int((ny + separation + 1) * (nx + separation + 1) / hexagon)


def _too_small(found, n, allowed, separation, margin):
    ny, nx = allowed.shape
    return (
        f'Only {found} of {n} positions fit on the map of {nx} by {ny} '
        f'pixels with a separation of {separation:g}, a margin of {margin:g} '
        f'and {np.count_nonzero(~allowed)} masked pixels: ask for fewer, or '
        'for a smaller separation or margin.'
    )


def _extend(chosen, new, n, separation):
    """
    Append those new positions that are far from all chosen before.
    """
    if len(chosen) and len(new):
        distance, _ = cKDTree(chosen).query(new)
        new = new[distance >= separation]
    added = np.empty((min(len(new), n - len(chosen)), 2))
    count = 0
    for position in new:
        if count == len(added):
            break
        dx, dy = (added[:count] - position).T
        if np.all(np.hypot(dx, dy) >= separation):
            added[count] = position
            count += 1
    return np.concatenate([chosen, added[:count]])
