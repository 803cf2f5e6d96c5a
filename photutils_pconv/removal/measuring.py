# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Apertures, and the fluxes in them.
"""

from dataclasses import fields as dataclass_fields
from dataclasses import replace

import astropy.units as u
import numpy as np

from photutils_pconv.geometry.grids import pixel_scale_factor
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.photometry.aperture_fluxes import AperturePlan, measure_sources
from photutils_pconv.psf.library import parse_psf
from photutils_pconv.psf.profiles import pixel_profile
from photutils_pconv.psf_photometry.aperture_scale import aperture_fraction

__all__ = ['make_eef', 'make_plan', 'measure', 'measure_resolved']

# The room around what is measured (pixels); by choice.
_ROOM = 3


def make_plan(settings, grid, psf):
    """
    Plan the apertures of a map.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        The settings.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map, for its pixel scale.

    psf : PSF or `None`
        The PSF, given or built from the map.

    Returns
    -------
    plan : `~photutils_pconv.photometry.AperturePlan`
        The apertures, the annulus and their corrections.
    """
    setup = settings.setup
    return AperturePlan(
        radii=settings.aperture_radii,
        annulus_radii=setup.annulus_radii.to_value(u.arcsec),
        pixel_scale=grid.pixel_scale,
        eef=make_eef(setup, settings.aperture_corrections, psf, grid.pixel_scale),
        profile=pixel_profile(setup, grid.pixel_scale),
    )


def measure(grid, holes, filled, plan, *, unseen=None):
    """
    Measure the sources that were removed.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    holes : `~photutils_pconv.geometry.Holes`
        The holes of its M sources.

    filled : `~photutils_pconv.removal.Filled`
        The holes, filled.

    plan : `~photutils_pconv.photometry.AperturePlan`
        The apertures.

    unseen : 2D bool `~numpy.ndarray`, optional
        Pixels to leave out of the rms for the errors of PSF fluxes; by
        default the map's missing pixels.

    Returns
    -------
    fluxes : `~photutils_pconv.photometry.ApertureFluxes`
        The fluxes, (M, A), in the map's unit times pixel; NaN for holes
        that could not be filled.
    """
    reconstruction = filled.reconstruction
    wingless = None
    if filled.errors_in_rms:
        unseen = grid.missing if unseen is None else unseen
        wingless = (reconstruction.clean(grid.data), unseen)
    return measure_sources(
        grid.data,
        reconstruction.find_removed(grid.data),
        grid.missing,
        holes.x,
        holes.y,
        np.ones(len(holes), dtype=bool),
        np.where(reconstruction.filled, holes.radius, np.nan),
        plan,
        error=grid.error,
        wingless=wingless,
    )


def measure_resolved(grid, holes, filled, plan, fluxes, images):
    """
    Measure resolved sources in apertures and annuli that are larger by their size.

    Parameters
    ----------
    grid, holes, filled, plan
        As for `measure`.

    fluxes : `~photutils_pconv.photometry.ApertureFluxes`
        What `measure` gives.

    images : `~photutils_pconv.psf.SourcePSFs`
        The images of the sources on the map's pixels.

    Returns
    -------
    fluxes : `~photutils_pconv.photometry.ApertureFluxes`
        The fluxes, with those of resolved sources anew: what an aperture of the
        PSF misses is corrected for by the encircled energy, and what one of the
        source does by the ratio of both images' shares.
    """
    reconstruction = filled.reconstruction
    removed = reconstruction.find_removed(grid.data)
    columns = {
        one.name: np.copy(getattr(fluxes, one.name))
        for one in dataclass_fields(fluxes)
        if getattr(fluxes, one.name) is not None
    }
    for i in np.flatnonzero(images.sizes.is_resolved & reconstruction.filled):
        scale, annulus = images.sizes.mean[i], images.sizes.major[i]
        own = replace(
            plan,
            radii=plan.radii * scale,
            annulus_radii=plan.annulus_radii * annulus,
            eef=_make_resolved_eef(plan, images, i, scale),
            profile=None,
        )
        half = int(np.ceil(max(own.pixel_annulus[1], holes.radius[i]))) + _ROOM
        window = find_window(grid.data.shape, holes.x[i], holes.y[i], half)
        part = window.region
        error = None if grid.error is None else grid.error[part]
        wingless = None
        if filled.errors_in_rms:
            wingless = reconstruction.clean(grid.data)[part], grid.missing[part]
        one = measure_sources(
            grid.data[part],
            removed[part],
            grid.missing[part],
            holes.x[i : i + 1] - part[1].start,
            holes.y[i : i + 1] - part[0].start,
            np.ones(1, dtype=bool),
            holes.radius[i : i + 1],
            own,
            error=error,
            wingless=wingless,
        )
        for name, values in columns.items():
            values[i] = getattr(one, name)[0]
    return replace(fluxes, **columns)


def _make_resolved_eef(plan, images, i, scale):
    """Make the function that gives the share of a resolved source in an aperture."""

    def eef(radius):
        radius = np.asarray(radius, dtype=float)
        own = radius / scale
        shares = [
            aperture_fraction(images.of(i), one / plan.pixel_scale)
            / aperture_fraction(images.point, one / scale / plan.pixel_scale)
            for one in radius.ravel()
        ]
        return plan.eef(own) * np.reshape(shares, radius.shape)

    return eef


def make_eef(setup, table, psf, pixel_scale):
    """
    Make the function that gives the encircled energy of a radius.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    table : str, table or `None`
        The table of encircled energies; `None` for the PSF's own, or the
        setup's for real maps without a PSF.

    psf : `~photutils_pconv.psf.SampledPSF` or `None`
        The PSF.

    pixel_scale : float
        The map's pixel scale, in arcsec. A table is of native pixels: on others
        it is corrected by what they make of the PSF.

    Returns
    -------
    eef : callable
        The encircled-energy fraction of radii in arcsec.
    """
    if table is None and psf is not None:

        def eef(radius):
            radius = np.asarray(radius, dtype=float)
            if np.any(radius > psf.radius):
                msg = (
                    f'the PSF is known to {psf.radius:.4g} arcsec, got an aperture '
                    f'of {radius.max():.4g} arcsec: choose a smaller one, or give '
                    'aperture_corrections'
                )
                raise ValueError(msg)
            energy = psf.encircled_energy(radius, pixel_scale=pixel_scale)
            if np.any(energy <= 0):
                msg = (
                    'the PSF must have positive flux within the apertures, got '
                    f'{np.min(energy):.3g} within {np.min(radius):.4g} arcsec: check '
                    'its centre and background'
                )
                raise ValueError(msg)
            return energy

        return eef
    table = 'real' if table is None else table
    _, factor = pixel_scale_factor(pixel_scale * u.arcsec, setup)
    if factor == 1:
        return lambda radius: setup.eef(radius, table=table)
    # The table is of native pixels, and others smooth a source otherwise.
    psf = parse_psf('setup', setup) if psf is None else psf
    native = setup.pixel_scale.to_value(u.arcsec)

    def eef_of_pixels(radius):
        there = psf.encircled_energy(radius, pixel_scale=pixel_scale)
        here = psf.encircled_energy(radius, pixel_scale=native)
        return setup.eef(radius, table=table) * there / here

    return eef_of_pixels
