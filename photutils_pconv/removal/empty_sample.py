# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What empty holes tell of a removal: errors and texture.

The steps of `~photutils_pconv.removal` after the sources' holes are
filled (`photutils_pconv.removal`), from arrays to arrays.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.empty_holes import (
    choose_empty_radii,
    place_empty_holes,
)
from photutils_pconv.geometry.grids import with_holes_missing
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.photometry.annulus import local_background
from photutils_pconv.photometry.apertures import removed_photometry, source_photometry
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.removal.texture import (
    cut_residuals,
    local_scales,
    split_scales,
)

__all__ = [
    'EmptySample',
    'sample_empty_holes',
]

# Where empty holes lie is no choice of the user's.
_PLACES_SEED = 20250411


@dataclass(frozen=True, eq=False)
class EmptySample:
    """
    What was measured in empty holes.

    Parameters
    ----------
    radius, rms : (K,) `~numpy.ndarray`
        The holes' radii, in pixels, and the local rms around them.

    flux, hole_fraction : (K, A) `~numpy.ndarray`
        The fluxes, not corrected for the aperture, less what was put in,
        and the part of each aperture in its hole.

    psf_flux, psf_err : (K,) `~numpy.ndarray`
        The PSF fluxes, likewise, and the errors that their fit expects;
        NaN without a PSF.

    stamps : list of `~photutils_pconv.removal.ResidualStamp`
        The residuals, if asked for.
    """

    radius: np.ndarray
    rms: np.ndarray
    flux: np.ndarray
    hole_fraction: np.ndarray
    psf_flux: np.ndarray
    psf_err: np.ndarray
    stamps: list

    def __len__(self):
        return self.radius.size


def sample_empty_holes(
    native_map, cleaned, holes, filled, *, chain, photometry, rms=None, stamps=False
):
    """
    Place, fill and measure empty holes.

    Parameters
    ----------
    native_map : `~photutils_pconv.removal.NativeMap`
        The map.

    cleaned : 2D `~numpy.ndarray`
        The map without its sources.

    holes : tuple of (M,) `~numpy.ndarray`
        Positions and radii of the holes of the sources on the map.

    filled : `~photutils_pconv.removal.Filled`
        Those holes, filled.

    chain : `~photutils_pconv.removal.OnePass` or ``TwoPass``
        The way in which they were.

    photometry : dict
        The arguments of `~photutils_pconv.photometry.source_photometry`
        that do not depend on the sources.

    rms : (M,) `~numpy.ndarray`, optional
        The local rms around the sources, needed if the chain injects: a
        source that is as bright as the sources with holes of that size
        are, in units of the rms, is then put into every empty hole, since
        what such a chain does depends on the flux.

    stamps : bool, optional
        Whether to keep the residuals, for their texture.

    Returns
    -------
    sample : `EmptySample`
        The measurements.
    """
    missing = native_map.missing
    rng = np.random.default_rng(_PLACES_SEED)
    radii = choose_empty_radii(holes[2], rng=rng)
    empty = place_empty_holes(missing, *holes, radii, rng=rng)
    annulus = np.asarray(photometry['annulus_radii']) / photometry['pixel_scale']
    pixels = np.asarray(photometry['radii']) / photometry['pixel_scale']
    injected = np.zeros(len(empty))
    if chain.injects:
        around = local_background(
            cleaned, empty.x, empty.y, annulus_radii=annulus, missing=missing
        )
        level = _class_levels(empty.radius, holes[2], filled.fluxes.flux / rms)
        injected = level * np.nan_to_num(around['local_bkg_std'])
    n_apertures = len(photometry['radii'])
    rows = [tuple(np.empty((0, n_apertures) if k in (2, 3) else 0) for k in range(6))]
    kept = []
    for number in np.unique(empty.rounds):
        index = np.flatnonzero(empty.rounds == number)
        data, image = cleaned, None
        places = (empty.x[index], empty.y[index], empty.radius[index])
        if injected[index].any():
            image = _source_image(
                cleaned.shape,
                *places[:2],
                injected[index],
                filled.psf,
                native_map.factor,
            )
            data = cleaned + image
        part = with_holes_missing(native_map, data, *holes)
        found = chain.fill_empty(part, *places, psf=filled.psf)
        use = found.reconstruction.filled
        radius = np.where(use, places[2], np.nan)
        measured = source_photometry(
            data,
            data - found.reconstruction.replace_holes(data),
            *places[:2],
            radius,
            missing=missing,
            **photometry,
        )
        flux = measured['flux'] / measured['aperture_correction']
        if image is not None:
            shared = {'radii': pixels, 'hole_radius': radius, 'local_std': 0.0}
            flux -= removed_photometry(image, *places[:2], **shared)['flux']
        psf_flux, psf_err = np.full((2, index.size), np.nan)
        if found.fluxes is not None:
            psf_flux = found.fluxes.flux - injected[index]
            psf_err = found.fluxes.flux_err
        columns = (
            places[2],
            measured['local_bkg_std'],
            flux,
            measured['hole_fraction'],
            psf_flux,
            psf_err,
        )
        rows.append(tuple(column[use] for column in columns))
        if stamps:
            usable = tuple(value[use] for value in places)
            unusable = part.missing | draw_holes(missing.shape, *usable)
            scales = local_scales(split_scales(cleaned, unusable), *usable)
            residual = cleaned - found.reconstruction.emission
            kept += cut_residuals(residual, *usable, scales)
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    return EmptySample(*columns, stamps=kept)


def _class_levels(empty_radius, radius, ratio):
    """
    Give each empty hole the median flux over rms of its class' sources.
    """
    level = np.zeros(empty_radius.size)
    for one in np.unique(empty_radius):
        members = ratio[(radius == one) & np.isfinite(ratio)]
        if members.size:
            level[empty_radius == one] = max(np.median(members), 0.0)
    return level


def _source_image(shape, x, y, flux, psf, factor):
    """
    Draw sources on the map's grid with a PSF on native pixels.
    """
    if factor == 1:
        return model_image(shape, x, y, flux, psf)
    image = np.zeros(shape)
    rows, columns = np.indices(shape)
    for i in range(len(x)):
        dx, dy = (columns - x[i]) * factor, (rows - y[i]) * factor
        # A map pixel holds the flux of factor**2 native ones.
        image += flux[i] * factor**2 * psf.evaluate(dx, dy)
    return image
