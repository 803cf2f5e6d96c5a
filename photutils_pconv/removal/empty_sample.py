# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What empty holes tell of a removal: errors and texture.

The steps of `~photutils_pconv.removal` after the sources' holes are
filled (`photutils_pconv.removal`), from arrays to arrays.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.geometry.empty_holes import (
    MINIMUM_EMPTY,
    choose_empty_radii,
    place_empty_holes,
)
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.photometry.apertures import (
    local_background,
    removed_photometry,
    source_photometry,
)
from photutils_pconv.photometry.errors import excess_variance, flux_error, scatter_ratio
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.removal.one_pass import with_holes_missing
from photutils_pconv.removal.texture import (
    cut_residuals,
    cut_surroundings,
    draw_texture,
    fit_textures,
    local_scales,
    split_scales,
)

__all__ = ['EmptySample', 'calculate_errors', 'make_texture', 'sample_empty_holes']

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


def calculate_errors(
    measured,
    holes,
    *,
    calibration,
    sample,
    photometry,
    factor,
    fluxes=None,
    psf_errors_known=False,
    error=None,
    missing=None,
):
    """
    Give errors to measured fluxes.

    Parameters
    ----------
    measured : dict of `~numpy.ndarray`
        The results of `~photutils_pconv.photometry.source_photometry`,
        in the unit of the map times pixel.

    holes : tuple of (N,) `~numpy.ndarray`
        Positions and radii of the holes, in pixels; NaN radii for those
        that are not filled.

    calibration : `~photutils_pconv.photometry.ErrorCalibration`
        The calibration of the model.

    sample : `EmptySample` or `None`
        The empty holes; `None` for the calibration alone.

    photometry : dict
        As for `sample_empty_holes`.

    factor : float
        Map pixel / native pixel.

    fluxes : `~photutils_pconv.removal.PSFFluxes`, optional
        The PSF photometry of the same sources.

    psf_errors_known : bool, optional
        Whether its errors were measured on the map, filter by filter;
        otherwise they are calibrated as those of the apertures.

    error : 2D `~numpy.ndarray`, optional
        The map's error.

    missing : 2D bool `~numpy.ndarray`, optional
        The map's missing pixels.

    Returns
    -------
    errors : dict of `~numpy.ndarray`
        ``flux_err`` (N, A), corrected for the aperture as the fluxes
        are; ``flux_psf_err`` (N,), where PSF photometry is given; and
        ``flags`` (N,), ``CALIBRATED_ERROR`` where the sample is too
        small.

    ratio : (A,) `~numpy.ndarray` or `None`
        The map's scatter in units of the calibration's, where the sample
        was large enough.
    """
    radii = np.asarray(photometry['radii']) / photometry['pixel_scale']
    radius = holes[2]
    rms = measured['local_bkg_std']

    def expected(hole_radius, fraction):
        aperture = radii * np.sqrt(fraction)
        ratio = calibration.ratio(hole_radius[:, None] * factor, aperture * factor)
        # The calibration counts native pixels.
        return ratio / factor**2

    def expected_psf(hole_radius, psf_err):
        return calibration.psf_ratio(hole_radius * factor) * psf_err

    scatter = expected(radius, measured['hole_fraction']) * rms[:, None]
    flags = np.zeros(radius.size, dtype=int)
    enough = sample is not None and len(sample) >= MINIMUM_EMPTY
    ratio = None
    if enough:
        shared = (sample.rms, sample.radius)
        ratio = scatter_ratio(
            sample.flux, *shared, expected(sample.radius, sample.hole_fraction)
        )
        scatter = scatter * ratio
    elif sample is not None:
        flags[np.isfinite(radius)] = SourceFlags.CALIBRATED_ERROR
    excess = np.zeros(scatter.shape)
    if error is not None:
        excess = excess_variance(
            error,
            *holes[:2],
            radii=radii,
            hole_radius=radius,
            annulus_radii=np.asarray(photometry['annulus_radii'])
            / photometry['pixel_scale'],
            missing=missing,
        )
    correction = measured['aperture_correction']
    flux_err = correction * flux_error(
        measured['flux'] / correction,
        scatter,
        kappa=calibration.kappa,
        eps=calibration.eps,
        excess=excess,
    )
    result = {'flux_err': flux_err, 'flags': flags}
    if fluxes is not None:
        kappa, eps = calibration.psf_kappa, calibration.psf_eps
        scatter = expected_psf(radius, fluxes.flux_err)
        if psf_errors_known:
            scatter, kappa, eps = fluxes.flux_err, 1.0, 0.0
        elif enough:
            ratio_psf = scatter_ratio(
                sample.psf_flux[:, None],
                np.ones(len(sample)),
                sample.radius,
                expected_psf(sample.radius, sample.psf_err)[:, None],
            )
            scatter = scatter * ratio_psf[0]
        # The mean excess of a pixel in the aperture that is the smallest.
        k = np.argmin(radii)
        area = np.pi * radii[k] ** 2 * measured['hole_fraction'][:, k]
        result['flux_psf_err'] = flux_error(
            fluxes.flux,
            scatter,
            kappa=kappa,
            eps=eps,
            excess=(fluxes.flux_err / rms) ** 2 * excess[:, k] / area,
        )
    return result, ratio


def make_texture(cleaned, missing, holes, reconstruction, *, stamps, seed):
    """
    Draw the texture that the reconstruction lacks.

    Parameters
    ----------
    cleaned : 2D `~numpy.ndarray`
        The map without its sources.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    holes : tuple of 1D `~numpy.ndarray`
        Positions and radii of the holes.

    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction.

    stamps : list of `~photutils_pconv.removal.ResidualStamp`
        The residuals in empty holes.

    seed : int or `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    texture : 2D `~numpy.ndarray`
        The texture.
    """
    holes = tuple(value[reconstruction.filled] for value in holes)
    parts = split_scales(cleaned, missing | draw_holes(missing.shape, *holes))
    scales = local_scales(parts, *holes)
    if len(stamps) < MINIMUM_EMPTY:
        msg = (
            f'the map has free positions for only {len(stamps)} empty holes, of '
            f'{MINIMUM_EMPTY} that are needed: the texture is made from the '
            'small-scale structure around the holes and lacks what is larger'
        )
        warnings.warn(msg, AstropyUserWarning, stacklevel=4)
        stamps = cut_surroundings(parts, *holes, scales)
    models = fit_textures(stamps)
    if not models:
        return np.zeros(cleaned.shape)
    usable = reconstruction.holes & ~missing
    rng = np.random.default_rng(seed)
    return draw_texture(models, *holes, scales, usable, rng=rng)
