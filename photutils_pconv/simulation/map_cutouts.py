# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Cutouts of a map into which sources were injected, away from its own.
"""

import astropy.units as u
import numpy as np
from astropy.nddata import CCDData
from astropy.table import QTable
from scipy.ndimage import maximum_filter

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.inputs.tables import read_source_table
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.psf.library import get_psf
from photutils_pconv.simulation._checks import as_number
from photutils_pconv.simulation.backgrounds import SOURCE_SNR
from photutils_pconv.simulation.cutout_extraction import extract_training_cutouts
from photutils_pconv.simulation.cutout_sets import merge_cutouts
from photutils_pconv.simulation.injection import inject_sources, random_positions
from photutils_pconv.simulation.map_fields import read_field

__all__ = ['PARTS', 'make_map_cutouts']

# The peaks over the local scatter between which fluxes lie where none are given:
# from what is hardly seen to what fills the largest hole of Table 3 (by choice).
_PEAK_RANGE = (3.0, 600.0)
# Places at which a map's scatter is measured for that (by choice).
_PLACES = 200
# The least distance of sources, and from real ones and the edge, in FWHMs of the beam;
# what does not fit is tried with less (by choice).
_SEPARATIONS = (6.0, 4.0, 2.5)
_MARGIN = 5.0
# Sources a map where no number is given: one in so many squared FWHMs (by choice).
_AREA = 200.0
#: The parts of a map that is cut into two, as shares of its longer side.
PARTS = {'train': (0.0, 0.75), 'valid': (0.75, 1.0)}


def make_map_cutouts(one, setup, *, n_simulations, rng, part=None):
    """
    Make the cutouts of a map: a simulation for each flux level.

    Parameters
    ----------
    one : `~photutils_pconv.simulation.MapField`
        The map.

    setup : `~photutils_pconv.setups.ObservingSetup`
        Its setup.

    n_simulations : int
        The number of flux levels.

    rng : `numpy.random.Generator`
        What positions and angles are drawn with.

    part : str, optional
        One of `PARTS`, if the map is cut into two.

    Returns
    -------
    cutouts : `~photutils_pconv.simulation.TrainingCutouts`
        The cutouts.

    Raises
    ------
    ValueError
        If the map has other pixels than the setup, or no room for sources.
    """
    image = read_field(one)
    if part is not None:
        image = _cut_part(image, part)
    given = parse_map(image, pixel_scale=setup.pixel_scale)
    # The network works on the setup's own pixels.
    grid = MapGrid.from_input(given, setup).in_double()
    native = grid.native
    data = np.where(native.missing, np.nan, native.data * native.jy_per_pixel)
    forbidden, data = _find_forbidden(data, one, grid, given.wcs, setup)
    scale = setup.pixel_scale.to_value('arcsec')
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    psf = get_psf(setup)
    low, high = one.flux_range or _choose_fluxes(data, forbidden, psf, setup, rng)
    n_sources = one.n_sources
    if n_sources is None:
        n_sources = max(1, int(np.count_nonzero(~forbidden) / (_AREA * beam**2)))
    sets = []
    for flux in np.geomspace(low, high, n_simulations):
        x, y = _draw_positions(data.shape, n_sources, beam, forbidden, rng)
        simulated = inject_sources(
            np.where(np.isfinite(data), data, 0.0),
            x,
            y,
            np.full(len(x), flux * 1.0e-3),
            psf=psf,
            pixel_scale=scale,
            angle=rng.uniform(0.0, 2.0 * np.pi),
        )
        unit = u.Jy / u.pix
        injected = QTable({'x': x, 'y': y, 'flux': np.full(len(x), flux) * u.mJy})
        sets.append(
            extract_training_cutouts(
                CCDData(np.where(np.isfinite(data), simulated, np.nan), unit=unit),
                CCDData(data, unit=unit),
                injected,
                setup=setup,
                field=one.name,
            )
        )
    return merge_cutouts(sets)


def _cut_part(image, part):
    """Cut a part of a map off, along its longer side."""
    axis = int(np.argmax(image.shape))
    n = image.shape[axis]
    start, stop = (round(share * n) for share in PARTS[part])
    region = [slice(None), slice(None)]
    region[axis] = slice(start, stop)
    return image[tuple(region)]


def _find_forbidden(data, one, grid, wcs, setup):
    """Find where no source may be put; listed sources are taken off the map."""
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    if one.sources is not None:
        parsed = parse_sources(read_source_table(one.sources), wcs=wcs)
        x, y = grid.to_native(parsed.x, parsed.y)
    else:
        # Peaks that would pass for sources by Eq. 1.
        filled = np.where(np.isfinite(data), data, -np.inf)
        size = 2 * int(np.ceil(beam)) + 1
        peaks = (filled == maximum_filter(filled, size)) & np.isfinite(data)
        y, x = np.nonzero(peaks)
        ratio = snr(data, x, y, setup=setup)
        found = np.isfinite(ratio) & (ratio > SOURCE_SNR)
        x, y = x[found].astype(float), y[found].astype(float)
    inside = np.isfinite(x) & np.isfinite(y)
    x, y = x[inside], y[inside]
    ratio = snr(data, x, y, setup=setup) if len(x) else np.empty(0)
    radius = setup.hole_radius(np.where(np.isfinite(ratio), ratio, 0.0))
    if one.sources is not None:
        # Nobody knows the emission under them.
        data = np.where(draw_holes(data.shape, x, y, radius), np.nan, data)
    around = draw_holes(data.shape, x, y, radius + max(setup.hole_radii))
    return around | ~np.isfinite(data), data


def _choose_fluxes(data, forbidden, psf, setup, rng):
    """Choose fluxes (mJy) whose peaks are a range of multiples of the scatter."""
    places = np.flatnonzero(~forbidden)
    if places.size == 0:
        msg = 'no place is free of sources and missing pixels'
        raise ValueError(msg)
    y, x = np.unravel_index(rng.choice(places, _PLACES), data.shape)
    scatter = []
    for column, row in zip(x, y, strict=True):
        reach = int(setup.snr_outer_radius)
        part = data[
            max(row - reach, 0) : row + reach + 1,
            max(column - reach, 0) : column + reach + 1,
        ]
        part = part[np.isfinite(part)]
        if part.size > 1:
            scatter.append(part.std())
    stamp = psf.render(
        (3, 3), 1, 1, pixel_scale=setup.pixel_scale.to_value('arcsec'), oversampling=5
    )
    level = np.median(scatter) / stamp.max() if scatter else 0.0
    as_number(float(level), "the map's scatter", above=0)
    return tuple(1.0e3 * ratio * level for ratio in _PEAK_RANGE)


def _draw_positions(shape, n, beam, forbidden, rng):
    """Draw as many positions as asked for, or as fit."""
    for separation in _SEPARATIONS:
        try:
            return random_positions(
                shape,
                n,
                rng=rng,
                separation=separation * beam,
                margin=_MARGIN * beam,
                mask=forbidden,
            )
        except ValueError:
            if separation == _SEPARATIONS[-1]:
                raise
    return None
