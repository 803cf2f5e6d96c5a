# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map that was opened to its background, and to the rms of that.
"""

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv.background._inputs import (
    find_sources,
    parse_box_size,
    parse_masks,
    without_mask,
)
from photutils_pconv.background._rms import (
    EmptyHoleSettings,
    interpolate_gaps,
    measure_rms,
)
from photutils_pconv.geometry.grids import MapGrid, pixel_scale_factor
from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_taper
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.regions import regions_to_mask
from photutils_pconv.inputs.sources import mask_excluded, parse_sources
from photutils_pconv.inputs.units import celestial_wcs, get_pixel_scale
from photutils_pconv.inputs.values import as_array, check_dimensions, split_map
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.removal.assembly import assemble
from photutils_pconv.removal.pipeline import remove_sources
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['BackgroundEstimate', 'estimate_background']


@dataclass(frozen=True, kw_only=True, eq=False)
class BackgroundEstimate:
    """
    The background of a map, and what its rms is measured from.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The background, in the float type of the data.

    unit : `~astropy.units.Unit` or `None`
        The unit of the map.

    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    model : `~photutils_pconv.network.LoadedModel`
        The network.

    holes : 2D bool `~numpy.ndarray`
        The pixels that were reconstructed around the sources.

    photometry : `~astropy.table.QTable`
        The sources.

    mask, coverage_mask : 2D bool `~numpy.ndarray` or `None`
        The covered pixels that were not used, and those without coverage.

    fill_value : float
        The value where there is no coverage.

    error : 2D `~numpy.ndarray` or `None`
        The standard deviation of the map.

    box_size : int
        The side of the boxes in which the rms is measured, in pixels.

    empty_holes : `~photutils_pconv.background._rms.EmptyHoleSettings`
        What is needed to fill empty holes as the sources' were filled.

    factor, pixel_scale, jy_per_pixel : float
        As for `~photutils_pconv.geometry.MapGrid`.
    """

    image: np.ndarray
    unit: u.UnitBase | None
    setup: ObservingSetup
    model: Any
    holes: np.ndarray
    photometry: QTable
    mask: np.ndarray | None
    coverage_mask: np.ndarray | None
    fill_value: float
    error: np.ndarray | None
    box_size: int
    empty_holes: EmptyHoleSettings
    factor: float
    pixel_scale: float
    jy_per_pixel: float

    @property
    def filled_sources(self):
        """
        The rows of the sources whose hole was filled (`~astropy.table.QTable`).
        """
        table = self.photometry
        filled = (table['flags'] & SourceFlags.NO_BACKGROUND) == 0
        return table[filled & np.isfinite(table['hole_radius'])]

    def measure_rms(self):
        """
        Measure the local scatter, with the reconstruction's error in holes.

        Returns
        -------
        rms : 2D `~numpy.ndarray`
            The standard deviation of a pixel, in the float type of the data.
        """
        grid = MapGrid(
            self.image.astype(float),
            _join_masks(self.image.shape, self.mask, self.coverage_mask),
            factor=self.factor,
            pixel_scale=self.pixel_scale,
            jy_per_pixel=self.jy_per_pixel,
            error=self.error,
        )
        holes = self.holes
        if self.empty_holes.filler.depends_on_flux:
            # Where nothing but wings came off, the map scatters as anywhere.
            holes = holes & (draw_taper(self.empty_holes.holes, width=TAPER_WIDTH) > 0)
        rms = measure_rms(
            grid,
            holes,
            self.empty_holes,
            sigma=_find_fwhm(self.setup, self.pixel_scale),
            box_size=self.box_size,
        )
        rms = rms.astype(self.image.dtype)
        if self.coverage_mask is not None:
            rms[self.coverage_mask] = self.fill_value
        return rms


def estimate_background(
    opened,
    sources,
    by_map,
    *,
    coverage_mask,
    beam,
    finder,
    fill_value,
    box_size,
    resample,
):
    """
    Estimate the background of a map.

    Parameters
    ----------
    opened : `~photutils_pconv.inputs.opening.OpenedMap`
        The map, with its mask and its error.

    sources : object or `None`
        The sources, or `None` to have them found.

    by_map : `~photutils_pconv.removal.map_settings.SettingsByMap`
        What settings the map gets.

    coverage_mask, beam, finder, fill_value, box_size, resample : object
        As for `~photutils_pconv.background.PConvBackground`.

    Returns
    -------
    estimate : `BackgroundEstimate`
        The background.

    Raises
    ------
    ValueError, TypeError
        If the map or what belongs to it is not accepted.
    """
    data = opened.data
    values, own_mask, unit = split_map(data)
    shape = values.shape
    check_dimensions(shape, 'data must be a 2D array: it')
    wcs = getattr(data, 'wcs', None) if opened.wcs is None else opened.wcs
    wcs = celestial_wcs(wcs)
    scale = None if wcs is None else get_pixel_scale(wcs, shape)
    settings = by_map.settle(opened.meta, scale)
    setup = settings.setup
    mask = opened.mask
    if opened.regions is not None:
        mask = regions_to_mask(opened.regions, shape, wcs=wcs)
    bad, coverage = parse_masks(values, own_mask, mask, coverage_mask)
    missing = bad if coverage is None else bad | coverage
    if sources is None:
        scale, _ = pixel_scale_factor(scale, setup, resample=resample)
        fwhm = setup.psf_fwhm.to_value(u.arcsec) / scale
        sources = find_sources(values, missing, finder, fwhm=fwhm, unit=unit)
    map_input = parse_map(
        without_mask(data, values, unit),
        mask=missing if missing.any() else None,
        error=opened.error,
        wcs=opened.wcs,
        beam=beam,
        pixel_scale=setup.pixel_scale,
        setup_fwhm=setup.psf_fwhm,
    )
    source_input = parse_sources(sources, wcs=map_input.wcs)
    map_input = mask_excluded(map_input, source_input)
    bad = bad | regions_to_mask(source_input.excluded, shape, wcs=map_input.wcs)
    # What is wrong with it is said before the network runs.
    _, factor = pixel_scale_factor(map_input.pixel_scale, setup, resample=resample)
    box_size = parse_box_size(box_size, factor)
    removal = remove_sources(settings, map_input, source_input)
    result = assemble(settings, map_input, removal)
    grid = removal.grid
    cleaned = as_array(result.cleaned)
    if bad.any():
        fwhm = _find_fwhm(setup, grid.pixel_scale)
        cleaned = interpolate_gaps(
            cleaned, _join_masks(shape, bad, coverage), sigma=fwhm / 2
        )
    # Integers become float32, as in Background2D.
    is_float = values.dtype.kind == 'f'
    image = cleaned.astype(values.dtype.newbyteorder('=') if is_float else np.float32)
    if coverage is not None:
        image[coverage] = fill_value
    return BackgroundEstimate(
        image=image,
        unit=getattr(data, 'unit', None),
        setup=setup,
        model=settings.model,
        holes=result.holes,
        photometry=result.photometry,
        mask=bad if bad.any() else None,
        coverage_mask=coverage,
        fill_value=fill_value,
        error=map_input.error,
        box_size=box_size,
        empty_holes=EmptyHoleSettings.from_removal(removal),
        factor=grid.factor,
        pixel_scale=grid.pixel_scale,
        jy_per_pixel=grid.jy_per_pixel,
    )


def _join_masks(shape, *masks):
    """Give the pixels that are in any of some masks, which may be None."""
    joined = np.zeros(shape, dtype=bool)
    for one in masks:
        if one is not None:
            joined |= one
    return joined


def _find_fwhm(setup, pixel_scale):
    """Give the FWHM of a setup in pixels of this scale (arcsec)."""
    return setup.psf_fwhm.to_value(u.arcsec) / pixel_scale
