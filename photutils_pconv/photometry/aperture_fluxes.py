# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Sources measured in apertures, in both ways, from a plan of apertures.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv._utils.arrays import as_map, join_missing, match_radius
from photutils_pconv._utils.checks import as_radii, check_choice
from photutils_pconv.photometry.annulus import (
    METHODS,
    check_annulus,
    measure_annuli,
    sum_above,
)
from photutils_pconv.photometry.apertures import (
    encircled_energy_correction,
    sum_removed,
)
from photutils_pconv.photometry.flags import SourceFlags, flag_positions
from photutils_pconv.photometry.response import pixel_response

__all__ = [
    'ApertureFluxes',
    'AperturePlan',
    'measure_sources',
    'source_photometry',
]


# A map that scatters by less than this share of its level is flat: that is the
# rounding of a mean.
_FLAT = 1.0e-12


@dataclass(frozen=True, eq=False)
class AperturePlan:
    """
    Where and how sources are measured on a map.

    Parameters
    ----------
    radii : (A,) array_like
        The aperture radii, in arcsec.

    annulus_radii : 2-tuple of float
        The annulus' inner and outer radii, in arcsec (25 and 35 in the
        paper).

    pixel_scale : float
        The side of the map's pixels, in arcsec.

    eef : callable
        The encircled-energy fraction of a radius in arcsec, as
        `~photutils_pconv.ObservingSetup.eef`. Must raise ValueError
        outside its range.

    profile : callable, optional
        The mean flux a pixel of a source by distance, in pixels, for
        `~photutils_pconv.photometry.pixel_response`; by default
        apertures are taken for circles.

    method : {'exact', 'center', 'subpixel'}, optional
        The way apertures overlap pixels, as in
        `~photutils.aperture.aperture_photometry`.

    subpixels : int, optional
        The subpixels a side with ``method='subpixel'``.

    Raises
    ------
    ValueError
        If a radius, the pixel scale or the method is not as described, or
        an aperture lies outside the encircled-energy table.
    """

    radii: np.ndarray
    annulus_radii: np.ndarray
    pixel_scale: float
    eef: Callable
    profile: Callable | None = None
    method: str = 'exact'
    subpixels: int = 5

    def __post_init__(self):
        object.__setattr__(self, 'radii', as_radii(self.radii))
        annulus = check_annulus(self.annulus_radii)
        object.__setattr__(self, 'annulus_radii', annulus)
        if not (np.isfinite(self.pixel_scale) and self.pixel_scale > 0):
            msg = f'pixel_scale must be positive (arcsec), got {self.pixel_scale}.'
            raise ValueError(msg)
        check_choice(self.method, 'method', METHODS)
        nominal = np.asarray(self.eef(self.radii), dtype=float)
        object.__setattr__(self, 'nominal_eef', nominal)

    @property
    def pixel_radii(self):
        """
        The aperture radii in pixels ((A,) `~numpy.ndarray`).
        """
        return self.radii / self.pixel_scale

    @property
    def pixel_annulus(self):
        """
        The annulus' radii in pixels ((2,) `~numpy.ndarray`).
        """
        return self.annulus_radii / self.pixel_scale


@dataclass(frozen=True, eq=False)
class ApertureFluxes:
    """
    Sources measured in apertures, in both ways.

    Fluxes are in the map's unit times pixel; N sources, A apertures.

    Parameters
    ----------
    flux, flux_err : (N, A) `~numpy.ndarray`
        What was removed, corrected for the aperture. The error is that of
        `RemovedPhotometry`, scaled alike.

    flux_annulus : (N, A) `~numpy.ndarray`
        The standard method, corrected by ``1 / eef(radii)``.

    aperture_correction : (N, A) `~numpy.ndarray`
        The factor that was applied to ``flux`` and ``flux_err``.

    hole_fraction : (N, A) `~numpy.ndarray`
        The part of the aperture's area that lies in the hole.

    local_bkg : (N,) `~numpy.ndarray`
        The annulus' mean in the map, in its unit.

    local_bkg_std : (N,) `~numpy.ndarray`
        The annulus' standard deviation in the cleaned map, where
        neighbouring sources do not add to it.

    flags : (N,) int `~numpy.ndarray`
        See `~photutils_pconv.photometry.SourceFlags`.

    excess : (N, A) `~numpy.ndarray` or `None`
        The variance that an error map has in the apertures above that in
        the annuli, not corrected for the aperture; 0 where the annulus is
        noisier. `None` without an error map.

    wingless_std : (N,) `~numpy.ndarray` or `None`
        The annulus' standard deviation in the map without wings, where it
        was asked for.

    aperture_radius : (N, A) `~numpy.ndarray`
        The radii of the apertures, in arcsec.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    flux_annulus: np.ndarray
    aperture_correction: np.ndarray
    hole_fraction: np.ndarray
    local_bkg: np.ndarray
    local_bkg_std: np.ndarray
    flags: np.ndarray
    excess: np.ndarray | None = None
    wingless_std: np.ndarray | None = None
    aperture_radius: np.ndarray | None = None


def source_photometry(
    data, removed, x, y, hole_radius, plan, *, error=None, missing=None
):
    """
    Measure sources in both ways, corrected for the apertures' losses.

    Parameters
    ----------
    data : array_like
        The 2-D map before cleaning, of shape ``(ny, nx)``.
    removed : array_like
        The map minus the cleaned map, of the same shape.
    x, y : array_like
        The ``N`` pixel positions. Not finite or outside the map: all
        results are NaN.
    hole_radius : float or array_like
        The radius of each source's hole in pixels. NaN or 0 for a
        source that was not removed: its flux is NaN.
    plan : `AperturePlan`
        The apertures, the annulus and their corrections.
    error : array_like, optional
        The standard deviation of each pixel, of the map's shape.
    missing : array_like of bool, optional
        Pixels not to use, of the map's shape. Pixels that are not
        finite are missing in any case.

    Returns
    -------
    fluxes : `ApertureFluxes`
        The fluxes.

    Raises
    ------
    ValueError
        If shapes or positions are not as described.
    """
    data = as_map(data, 'data')
    removed = as_map(removed, 'removed', data.shape)
    missing = join_missing(missing, data)
    if error is not None:
        error = as_map(error, 'error', data.shape)
    x, y, inside, flags = flag_positions(x, y, data.shape)
    hole_radius = match_radius(hole_radius, x.shape, 'hole_radius')
    fluxes = measure_sources(
        data, removed, missing, x, y, inside, hole_radius, plan, error=error
    )
    return replace(fluxes, flags=fluxes.flags | flags)


def measure_sources(
    data,
    removed,
    missing,
    x,
    y,
    inside,
    hole_radius,
    plan,
    *,
    error=None,
    wingless=None,
):
    """
    Measure sources in both ways; each annulus is gone through once.

    Nothing is checked here: `source_photometry` is for users.

    Parameters
    ----------
    data, removed, missing : 2D `~numpy.ndarray`
        The map, the map minus the cleaned map, and the missing pixels.

    x, y, inside : (N,) `~numpy.ndarray`
        The positions, in pixels, and which of them lie on the map.

    hole_radius : (N,) `~numpy.ndarray`
        The radii of the holes, in pixels; NaN without one.

    plan : `AperturePlan`
        The apertures.

    error : 2D `~numpy.ndarray`, optional
        The map's standard deviation.

    wingless : pair of 2D `~numpy.ndarray`, optional
        The map without sources and wings, for ``wingless_std``, and the
        pixels that are missing in it.

    Returns
    -------
    fluxes : `ApertureFluxes`
        The fluxes.
    """
    images = [(data, missing), (data - removed, missing)]
    if wingless is not None:
        images.append(wingless)
    if error is not None:
        variance = error**2
        unknown = join_missing(missing, variance)
        images.append((variance, unknown))
    annuli = measure_annuli(images, x, y, inside, plan.pixel_annulus)
    radii = plan.pixel_radii
    how = (plan.method, plan.subpixels)
    standard, flags = sum_above(
        data,
        missing,
        x,
        y,
        inside,
        radii,
        annuli[0].local_bkg,
        method=how[0],
        subpixels=how[1],
    )
    flags |= annuli[0].flags
    std = annuli[1].local_bkg_std
    flat = std <= _FLAT * np.abs(annuli[1].local_bkg)
    flags[flat] |= SourceFlags.NO_SCATTER
    in_hole = inside & (np.nan_to_num(hole_radius) > 0)
    where = (x, y, in_hole, hole_radius, radii)
    ours = sum_removed(
        removed, missing, *where, std, error=error, method=how[0], subpixels=how[1]
    )
    excess = None
    if error is not None:
        # What the annulus has of it is in the scatter there.
        inner = sum_removed(variance, unknown, *where, np.zeros(x.size))
        excess = inner.flux - annuli[-1].local_bkg[:, None] * inner.area
        # What is not known counts as what is known there.
        part = inner.area < ours.area
        with np.errstate(divide='ignore', invalid='ignore'):
            excess[part] *= ours.area[part] / inner.area[part]
        flags[part.any(axis=1)] |= SourceFlags.UNKNOWN_ERROR
        excess = np.maximum(np.nan_to_num(excess), 0.0)
        blind = np.isfinite(ours.flux) & ~np.isfinite(ours.flux_err)
        if blind.any():
            # Where no error is known in the aperture, the scatter around remains.
            plain = sum_removed(
                removed, missing, *where, std, method=how[0], subpixels=how[1]
            )
            flux_err = np.where(blind, plain.flux_err, ours.flux_err)
            ours = replace(ours, flux_err=flux_err)
    correction = encircled_energy_correction(plan.radii, ours.hole_fraction, plan.eef)
    if plan.profile is not None:
        measured = np.isfinite(ours.flux[:, 0])
        correction = correction / pixel_response(
            np.where(measured, x, np.nan),
            np.where(measured, y, np.nan),
            radii=radii,
            hole_radius=hole_radius,
            profile=plan.profile,
            method=plan.method,
            subpixels=plan.subpixels,
        )
    return ApertureFluxes(
        flux=ours.flux * correction,
        flux_err=ours.flux_err * correction,
        flux_annulus=standard / plan.nominal_eef,
        aperture_correction=correction,
        hole_fraction=ours.hole_fraction,
        local_bkg=annuli[0].local_bkg,
        local_bkg_std=std,
        flags=flags | ours.flags,
        excess=excess,
        wingless_std=None if wingless is None else annuli[2].local_bkg_std,
        aperture_radius=np.tile(plan.radii, (x.size, 1)),
    )
