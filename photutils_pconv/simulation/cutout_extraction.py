# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training cutouts out of maps with injected sources.

The paper's section 2.4.5: of each source the map with the sources, the
map without them, and the holes.
"""

import numpy as np
from astropy.table import Table

from photutils_pconv._utils.arrays import on_map
from photutils_pconv.geometry.cutouts import CUTOUT_SIZE, cutout_origin, extract_cutout
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation._checks import as_number
from photutils_pconv.simulation.cutout_sets import TrainingCutouts

__all__ = ['extract_training_cutouts']

# Beyond this relative difference of pixel scales the holes, which are in native
# pixels, would be wrong: as for maps that are cleaned (geometry/grids.py).
_SCALE_TOLERANCE = 0.02


def extract_training_cutouts(
    data, emission, sources, *, setup, field='', minimum_usable=0.25
):
    """
    Make the training cutouts of one map with injected sources.

    Parameters
    ----------
    data : map
        The map with sources, in any form that `parse_map
        <photutils_pconv.inputs.parse_map>` takes, on the setup's pixel
        scale.

    emission : map
        The map before the injection, what the network is to predict. For
        the paper's targets that is the observation, with its noise;
        where the emission without noise is known, the network learns to
        give that.

    sources : table or positions
        All sources of the map, as `parse_sources
        <photutils_pconv.inputs.parse_sources>` takes them, such as a
        table with ``ra``, ``dec`` and ``flux``.

    setup : `~photutils_pconv.setups.ObservingSetup` or str
        The observing setup, for the SNR (Eq. 1) and the radii of the
        holes (Table 3).

    field : str, optional
        The field's name, such as the observation's identifier. All maps
        of one piece of sky need one name: training and tests are divided
        by it.

    minimum_usable : float, optional
        Cutouts with a smaller share of pixels that are neither missing
        nor in a hole are left out.

    Returns
    -------
    cutouts : `TrainingCutouts`
        A cutout for each source on the map, in their order. In each,
        the holes of all sources are holes.

    Raises
    ------
    TypeError, ValueError
        If the maps differ in shape or their units do not fit, the pixel
        scale is not the setup's, no source lies on the map, or another
        argument is not accepted.
    """
    if not isinstance(field, str):
        msg = f'field must be a name (str), got {field!r}'
        raise TypeError(msg)
    minimum_usable = as_number(minimum_usable, 'minimum_usable', low=0, high=1)
    setup = get_setup(setup=setup)
    given = parse_map(data, pixel_scale=setup.pixel_scale)
    _check_pixel_scale(given, setup)
    image = given.data * given.jy_per_pixel
    target = _parse_emission(emission, given, setup)
    unknown = ~np.isfinite(image) | ~np.isfinite(target)
    image[unknown] = target[unknown] = np.nan

    parsed = parse_sources(sources, wcs=given.wcs)
    flux = _parse_flux(parsed.table, len(parsed))
    inside = np.flatnonzero(on_map(parsed.x, parsed.y, image.shape))
    if inside.size == 0:
        msg = (
            f'none of the {len(parsed)} sources lies on the map of {image.shape[1]} '
            f'by {image.shape[0]} pixels: is it the map that they were injected into?'
        )
        raise ValueError(msg)
    x, y = parsed.x[inside], parsed.y[inside]
    ratio = snr(image, x, y, setup=setup)
    radius = setup.hole_radius(ratio)
    usable = ~(unknown | draw_holes(image.shape, x, y, radius))

    x0, y0 = cutout_origin(x, y)
    stacks = []
    for plane, fill, dtype in (
        (image, np.nan, np.float32),
        (target, np.nan, np.float32),
        (usable, False, bool),
    ):
        stack = np.empty((inside.size, CUTOUT_SIZE, CUTOUT_SIZE), dtype=dtype)
        for i, corner in enumerate(zip(x0, y0, strict=True)):
            stack[i] = extract_cutout(plane, *corner, fill_value=fill)
        stacks.append(stack)
    table = Table(
        {
            'field': np.full(inside.size, field, dtype=object).astype(str),
            'setup': np.full(inside.size, setup.name),
            'source': inside,
            'x': x,
            'y': y,
            'snr': ratio,
            'hole_radius': radius,
            'flux': flux[inside],
        }
    )
    cutouts = TrainingCutouts(*stacks, table)
    return cutouts.select(cutouts.validity.mean(axis=(1, 2)) >= minimum_usable)


def _pixel_scale(given, setup):
    return setup.pixel_scale if given.pixel_scale is None else given.pixel_scale


def _check_pixel_scale(given, setup):
    ratio = (_pixel_scale(given, setup) / setup.pixel_scale).to_value('')
    if abs(ratio - 1.0) > _SCALE_TOLERANCE:
        msg = (
            f"the map's pixel scale is {given.pixel_scale:.4g}, but that of "
            f'{setup.name} is {setup.pixel_scale:.4g}: inject the sources into a map '
            "resampled to that, or register a setup with the map's scale"
        )
        raise ValueError(msg)


def _parse_emission(emission, given, setup):
    """
    Return the source-free map in Jy/pixel, or in the unit of both.
    """
    parsed = parse_map(emission, pixel_scale=_pixel_scale(given, setup))
    if parsed.shape != given.shape:
        msg = (
            f'data and emission must have one shape, got {given.shape} and '
            f'{parsed.shape}'
        )
        raise ValueError(msg)
    if parsed.unit is not None and given.unit is None:
        msg = f'emission has the unit {parsed.unit}, but data has none: give both one'
        raise ValueError(msg)
    # An array beside a map with a unit is in that map's unit.
    factor = given.jy_per_pixel if parsed.unit is None else parsed.jy_per_pixel
    return parsed.data * factor


def _parse_flux(table, n):
    if table is None or 'flux' not in table.colnames:
        return np.full(n, np.nan)
    column = table['flux']
    if column.unit is not None:
        column = column.to('Jy')
    return np.asarray(getattr(column, 'value', column), dtype=float)
