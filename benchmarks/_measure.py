# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Remove and measure the sources of benchmark maps with every method.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from _holes import cut_hole
from _peers import make_peers
from _summary import LARGE_APERTURES
from astropy.table import Table

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.network import load_model
from photutils_pconv.photometry import (
    encircled_energy_correction,
    local_background,
    pixel_response,
    removed_photometry,
)
from photutils_pconv.psf import pixel_profile

__all__ = ['measure_map']

# Half the side of the stamps that the peers see, in pixels (by choice).
_HALF = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Filled:
    """
    The holes of a map, filled by a method.

    Parameters
    ----------
    removed : 2D `~numpy.ndarray`
        What the method takes from the map (Jy/pixel).

    rms, offset : 1D `~numpy.ndarray`
        Root mean square and mean of the error in each hole (Jy/pixel).
    """

    removed: np.ndarray
    rms: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class OtherModel:
    """
    A removal with another model.

    Parameters
    ----------
    name : str
        The model's name.

    cleaned : 2D `~numpy.ndarray`
        The cleaned map (Jy/pixel).

    flux, flux_err : 1D `~numpy.ndarray`
        The fluxes and their errors (Jy).
    """

    name: str
    cleaned: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray


def measure_map(benchmark_map, *, model=None, others=()):
    """
    Remove and measure the sources of one map with every method.

    Parameters
    ----------
    benchmark_map : `_maps.BenchmarkMap`
        The map.

    model : optional
        The model for the method ``'inpaint'``, as
        `~photutils_pconv.NeuralSourceRemover` takes it.

    others : sequence of str, optional
        More models, by name or path. One that is told the PSF is used with
        the setup's PSF.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a source: ``map``, ``setup``, ``snr``, ``hole_radius``,
        ``flux_true`` (Jy), ``ratio_METHOD`` (measured over true flux in
        the setup's aperture; ``annulus`` is what photutils gives, and
        ``annulus_pixels`` is corrected for the pixels as ours is),
        ``ratio_METHOD_RADIUS`` for the large
        apertures of ours and annulus, ``pull_METHOD`` of the models (the
        flux's error over the error that is stated), ``rms_METHOD`` and
        ``offset_METHOD`` (root mean square and mean of fill minus
        noise-free emission in the hole, in units of ``scatter``, the
        standard deviation of the source-free map in the annulus of
        Eq. 1), and ``contrast``, that of the emission over that of the
        noise. The other models' METHOD is their name.
    """
    truth = benchmark_map
    setup, x, y = truth.setup, truth.x, truth.y
    default = setup.aperture_radius.to_value(u.arcsec)
    positions = np.stack([x, y], axis=1)
    data = u.Quantity(truth.data, u.Jy / u.pix)
    remover = NeuralSourceRemover(
        setup=setup,
        model=model,
        method='inpaint',
        aperture_radii=(default, *LARGE_APERTURES),
        aperture_corrections=truth.eef,
        error_method='card',
    )
    cleaned, photometry = remover(data, positions)

    table = Table()
    table['map'] = [truth.name] * len(x)
    table['setup'] = [setup.name] * len(x)
    for name in ('snr', 'hole_radius'):
        table[name] = np.asarray(photometry[name])
    table['flux_true'] = truth.flux
    for k, suffix in enumerate(('', *(f'_{radius:g}' for radius in LARGE_APERTURES))):
        for method, column in (('ours', 'flux_aperture'), ('annulus', 'flux_annulus')):
            flux = photometry[f'{column}_{k}'].to_value(u.Jy)
            table[f'ratio_{method}{suffix}'] = flux / truth.flux

    # The standard method, with the same care for pixels as ours.
    table['ratio_annulus_pixels'] = table['ratio_annulus'] / _pixel_response(
        truth, np.inf
    )

    error = photometry['flux_aperture_err_0'].to_value(u.Jy)
    table['pull_ours'] = _pull(table['ratio_ours'], truth, error)

    maps = {'ours': cleaned.value}
    for other in others:
        found = _apply(other, truth, data, positions)
        ratio = found.flux / truth.flux
        maps[found.name] = found.cleaned
        table[f'ratio_{found.name}'] = ratio
        table[f'pull_{found.name}'] = _pull(ratio, truth, found.flux_err)

    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(truth.noisy, x, y, annulus_radii=ring).local_bkg_std
    table['scatter'] = scatter
    # How complex a place is: the emission's scatter over the noise's.
    emission, noise = (
        local_background(image, x, y, annulus_radii=ring).local_bkg_std
        for image in (truth.emission, truth.noisy - truth.emission)
    )
    with np.errstate(divide='ignore', invalid='ignore'):
        table['contrast'] = emission / noise
    fills = _fill_holes(truth, table['hole_radius'], maps)
    for method, filled in fills.items():
        if f'ratio_{method}' not in table.colnames:
            table[f'ratio_{method}'] = (
                _removed_flux(truth, filled.removed, table['hole_radius']) / truth.flux
            )
        table[f'rms_{method}'] = filled.rms / scatter
        table[f'offset_{method}'] = filled.offset / scatter
    table['rms_annulus_pixels'] = table['rms_annulus']
    for key in ('model', 'model_checksum'):
        table.meta[key] = photometry.meta[key]
    return table


def _pull(ratio, truth, error):
    """
    Give the errors of fluxes (true ones in Jy) over the stated errors (Jy).
    """
    with np.errstate(divide='ignore', invalid='ignore'):
        return (ratio - 1.0) * truth.flux / error


def _apply(model, truth, data, positions):
    """
    Remove the sources with another model.
    """
    loaded = load_model(model)
    one_pass = loaded.card.kind == 'masked'
    remover = NeuralSourceRemover(
        setup=truth.setup,
        model=model,
        aperture_corrections=truth.eef if one_pass else None,
        error_method='card',
        # What is compared is the emission, not the map's noise, which others keep.
        fill='mean',
    )
    cleaned, photometry = remover(data, positions)
    flux, error = (photometry[name].to_value(u.Jy) for name in ('flux', 'flux_err'))
    if not one_pass:
        # A PSF flux is total; the aperture's share is that of the injected PSF.
        radius = truth.setup.aperture_radius.to_value(u.arcsec)
        given = truth.setup.eef(radius, table=truth.eef)
        known = remover.settings.psf.encircled_energy(
            radius, pixel_scale=truth.setup.pixel_scale.to_value(u.arcsec)
        )
        factor = float(known) / float(given)
        flux, error = factor * flux, factor * error
    return OtherModel(
        name=loaded.name, cleaned=cleaned.value, flux=flux, flux_err=error
    )


def _fill_holes(truth, hole_radius, maps):
    """
    Fill the holes with every method.
    """
    scale = truth.setup.pixel_scale.to_value(u.arcsec)
    inner, outer = truth.setup.annulus_radii.to_value(u.arcsec) / scale
    peers = make_peers(inner=inner, outer=outer)
    names = (*maps, *peers, 'exact')
    removed = {name: np.zeros(truth.data.shape) for name in names}
    rms, offset = (
        {name: np.full(len(truth.x), np.nan) for name in names} for _ in range(2)
    )
    for i, radius in enumerate(hole_radius):
        stamp = cut_hole(truth, i, radius, half=_HALF)
        region, hole = stamp.region, stamp.hole
        image = truth.data[region]
        exact = truth.background(i, *region)
        fills = {name: fill(image, hole) for name, fill in peers.items()}
        fills |= {name: cleaned[region] for name, cleaned in maps.items()}
        fills['exact'] = exact
        for name, filled in fills.items():
            removed[name][region][hole] = (image - filled)[hole]
            error = (filled - exact)[hole]
            rms[name][i] = np.sqrt(np.mean(error**2))
            offset[name][i] = error.mean()
    return {
        name: Filled(removed=removed[name], rms=rms[name], offset=offset[name])
        for name in names
    }


def _removed_flux(truth, removed, hole_radius):
    """
    Measure removed sources just as the remover does.
    """
    setup = truth.setup
    radius = setup.aperture_radius.to_value(u.arcsec)
    measured = removed_photometry(
        removed,
        truth.x,
        truth.y,
        radii=[radius / setup.pixel_scale.to_value(u.arcsec)],
        hole_radius=np.asarray(hole_radius),
        local_std=0.0,
    )
    correction = encircled_energy_correction(
        [radius],
        measured.hole_fraction,
        lambda value: setup.eef(value, table=truth.eef),
    )
    return (measured.flux * correction)[:, 0] / _pixel_response(truth, hole_radius)


def _pixel_response(truth, hole_radius):
    """
    Tell how the pixels of the aperture differ from its circle.
    """
    scale = truth.setup.pixel_scale.to_value(u.arcsec)
    return pixel_response(
        truth.x,
        truth.y,
        radii=[truth.setup.aperture_radius.to_value(u.arcsec) / scale],
        hole_radius=hole_radius,
        profile=pixel_profile(truth.setup, scale),
    )[:, 0]
