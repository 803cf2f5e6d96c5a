# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The way of a map through `~photutils_pconv.removal.NeuralSourceRemover`.
"""

import astropy.units as u
import numpy as np

from photutils_pconv.geometry.grids import NativeMap, pixel_scale_factor
from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_holes
from photutils_pconv.inpainting.prediction import choose_sizes
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.photometry.apertures import source_photometry
from photutils_pconv.photometry.errors import get_error_calibration
from photutils_pconv.photometry.flags import SourceFlags, flag_positions
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.profiles import pixel_profile, wing_profile
from photutils_pconv.psf_photometry.empirical import build_empirical_psf
from photutils_pconv.removal.empty_sample import sample_empty_holes
from photutils_pconv.removal.filling import _spread
from photutils_pconv.removal.flux_errors import calculate_errors
from photutils_pconv.removal.measuring import make_eef
from photutils_pconv.removal.one_pass import OnePass
from photutils_pconv.removal.provenance import _make_history, _make_meta
from photutils_pconv.removal.result import SourceRemovalResult
from photutils_pconv.removal.sources import (
    choose_holes,
    flag_duplicates,
    flag_holes,
    recenter,
    warn_unusable,
)
from photutils_pconv.removal.table import make_photometry_table
from photutils_pconv.removal.texture import make_texture
from photutils_pconv.removal.two_pass import TwoPass

__all__ = [
    'run_removal',
]


def run_removal(remover, map_input, source_input):
    """
    Clean a map and measure its sources.

    Parameters
    ----------
    remover : `~photutils_pconv.NeuralSourceRemover`
        The settings.

    map_input : `~photutils_pconv.inputs.MapInput`
        The map.

    source_input : `~photutils_pconv.inputs.SourceInput`
        The sources.

    Returns
    -------
    result : `~photutils_pconv.SourceRemovalResult`
        The result.
    """
    setup = remover.setup
    data, missing = map_input.data, map_input.missing
    pixel_scale, factor = pixel_scale_factor(
        map_input.pixel_scale, setup, resample=remover.resample
    )
    x, y, inside, flags = flag_positions(source_input.x, source_input.y, data.shape)
    warn_unusable(inside)
    if remover.recenter:
        fwhm = setup.psf_fwhm.to_value(u.arcsec) / pixel_scale
        x, y, failed = recenter(data, missing, x, y, inside, fwhm=fwhm)
        flags |= failed
        source_input = source_input.moved_to(x, y, wcs=map_input.wcs)
    flags |= flag_duplicates(x, y, inside)

    native_map = NativeMap(data, missing, factor)
    snr, radius = choose_holes(native_map, x, y, inside, setup=setup)
    psf = _find_psf(remover, native_map, x, y, snr, inside)
    chain = _make_chain(remover, psf, pixel_scale, factor, map_input.jy_per_pixel)
    holes = (x[inside], y[inside], radius[inside])
    found = chain.fill(native_map, *holes, snr=snr[inside])
    reconstruction = found.reconstruction
    cleaned = reconstruction.clean(data)

    filled = inside.copy()
    filled[inside] = reconstruction.filled
    flags[inside & ~filled] |= SourceFlags.NO_BACKGROUND
    flags |= flag_holes(
        x,
        y,
        radius,
        filled,
        shape=data.shape,
        size=choose_sizes(remover.loaded_model, radius[filled] * factor + TAPER_WIDTH),
        factor=factor,
    )
    photometry = {
        'radii': remover.aperture_radii,
        'annulus_radii': setup.annulus_radii.to_value(u.arcsec),
        'pixel_scale': pixel_scale,
        'eef': make_eef(setup, remover.aperture_corrections, psf, pixel_scale),
        'profile': pixel_profile(setup, pixel_scale),
    }
    filled_holes = (x, y, np.where(filled, radius, np.nan))
    measured = source_photometry(
        data,
        data - reconstruction.replace_holes(data),
        *filled_holes,
        error=map_input.error,
        missing=missing,
        **photometry,
    )
    fluxes = _spread(found.fluxes, inside)
    meta = _make_meta(remover, found.psf)
    sample = None
    if remover.texture or remover.error_method == 'empty_apertures':
        sample = sample_empty_holes(
            native_map,
            cleaned,
            holes,
            found,
            chain=chain,
            photometry=photometry,
            rms=measured['local_bkg_std'][inside],
            stamps=remover.texture,
        )
    if remover.error_method != 'local':
        errors, ratio = calculate_errors(
            measured,
            filled_holes,
            calibration=get_error_calibration(remover.loaded_model, setup),
            sample=sample if remover.error_method == 'empty_apertures' else None,
            photometry=photometry,
            factor=factor,
            fluxes=fluxes,
            psf_errors_known=remover.n_passes == 2,
            error=map_input.error,
            missing=missing,
        )
        flags |= errors.pop('flags')
        measured.update(errors)
        meta['n_empty_apertures'] = 0 if ratio is None else len(sample)
        meta['error_scale'] = None if ratio is None else ratio.tolist()
    elif fluxes is not None:
        measured['flux_psf_err'] = fluxes.flux_err
    if fluxes is not None:
        measured |= {'flux_psf': fluxes.flux, 'qfit': fluxes.qfit, 'cfit': fluxes.cfit}
        if remover.fit_positions:
            measured |= {'x_fit': fluxes.x, 'y_fit': fluxes.y}
        if fluxes.inner_radius is not None:
            measured['inner_radius'] = fluxes.inner_radius
    texture = None
    if remover.texture:
        texture = make_texture(
            cleaned,
            missing,
            holes,
            reconstruction,
            stamps=sample.stamps,
            seed=remover.texture_seed,
        )
        cleaned = cleaned + texture
    for name in ('flux', 'flux_err', 'flux_annulus', 'flux_psf', 'flux_psf_err'):
        if name in measured:
            measured[name] = measured[name] * map_input.jy_per_pixel
    measured['flags'] = measured['flags'] | flags
    table = make_photometry_table(
        source_input,
        measured,
        snr=snr,
        hole_radius=radius,
        flux_unit=map_input.flux_unit,
        unit=map_input.unit,
    )
    table.meta.update(meta)
    error = map_input.error
    if error is not None:
        scatter = measured['local_bkg_std'][inside]
        error = _clean_error(reconstruction, chain, error, holes, scatter)
    return SourceRemovalResult(
        cleaned=map_input.like_input(
            cleaned, error=error, history=_make_history(meta, int(filled.sum()))
        ),
        photometry=table,
        sources=map_input.like_input(data - reconstruction.clean(data), fill=0.0),
        holes=reconstruction.holes,
        map_input=map_input,
        texture=texture,
    )


def _find_psf(remover, native_map, x, y, snr, inside):
    """
    Return the PSF; build it if it is to come from the map.
    """
    if not isinstance(remover.known_psf, str):
        return remover.known_psf
    setup = remover.setup
    scale = setup.pixel_scale.to_value(u.arcsec)
    native, missing = native_map.native
    return build_empirical_psf(
        native,
        *native_map.to_native(x[inside], y[inside]),
        snr=snr[inside],
        pixel_scale=scale,
        fwhm=setup.psf_fwhm.to_value(u.arcsec) / scale,
        missing=missing,
        wings=get_psf(setup),
    )


def _make_chain(remover, psf, pixel_scale, factor, jy_per_pixel):
    """
    Make the way in which holes are filled.
    """
    options = {
        'model': remover.loaded_model,
        'to_jy_per_pixel': jy_per_pixel,
        'batch_size': remover.batch_size,
        'device': remover.device,
        'precision': remover.precision,
        'progress_bar': remover.progress_bar,
        'fit_positions': remover.fit_positions,
        'fit_psf_shape': remover.fit_psf_shape,
    }
    setup = remover.setup
    if remover.n_passes == 1:
        annulus = setup.annulus_radii.to_value(u.arcsec)
        return OnePass(
            psf=psf,
            profile=wing_profile(setup),
            subtract_wings=remover.subtract_wings,
            pixel_scale=pixel_scale,
            annulus_radii=annulus / pixel_scale,
            **options,
        )
    # On the native grid, but exactly the map's own scale where that is taken
    # for it.
    scale = pixel_scale if factor == 1 else pixel_scale / factor
    return TwoPass(
        psf=psf,
        pixel_scale=scale,
        beam_fwhm=setup.psf_fwhm.to_value(u.arcsec) / scale,
        aperture_radius=remover.aperture_radii[0] / scale,
        **options,
    )


def _clean_error(reconstruction, chain, error, holes, scatter):
    """
    Give the error of the cleaned map.
    """
    if chain.injects:
        # Beyond the holes wings were subtracted, which adds no noise.
        weight = draw_holes(error.shape, *holes).astype(float)
        reconstruction = Reconstruction(
            reconstruction.emission,
            np.where(reconstruction.holes, weight, 0.0),
            reconstruction.filled,
        )
    return reconstruction.clean_error(error, *holes, scatter)
