# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The table of the photometry.
"""

import astropy.units as u
import numpy as np
from astropy.table import QTable

__all__ = ['make_photometry_table']


def make_photometry_table(sources, holes, fluxes, errors, psf_fluxes, map_input, flags):
    """
    Put the measurements into a table.

    Parameters
    ----------
    sources : `~photutils_pconv.removal.Sources`
        The N sources, of which M lie on the map.

    holes : `~photutils_pconv.geometry.Holes`
        Their M holes, with the SNR (Eq. 1).

    fluxes : `~photutils_pconv.photometry.ApertureFluxes`
        The fluxes in apertures, of M sources, in the map's unit times pixel.

    errors : `~photutils_pconv.removal.FluxErrors`
        The errors of the fluxes.

    psf_fluxes : `~photutils_pconv.removal.PSFFluxes` or `None`
        The PSF photometry, where there is one; its positions are shown
        where they are given.

    map_input : `~photutils_pconv.inputs.MapInput`
        The map, for its units.

    flags : (N,) int `~numpy.ndarray`
        The flags of all sources.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row a source, in the order of the input; in its metadata the
        smallest and the largest factor from the map's unit to Jy/pixel.
    """
    to_flux = map_input.jy_per_pixel_at(sources.source_input.x, sources.source_input.y)
    unit, flux_unit = map_input.unit, map_input.flux_unit
    table = QTable()
    if unit is not None:
        factors = np.append(to_flux, map_input.jy_per_pixel)
        table.meta['jy_per_pixel'] = [float(factors.min()), float(factors.max())]
    table['id'] = np.arange(1, len(sources) + 1)
    table['x_center'] = sources.source_input.x
    table['y_center'] = sources.source_input.y
    if sources.source_input.sky is not None:
        table['sky_center'] = sources.source_input.sky
    table['snr'] = sources.spread(holes.snr)
    table['hole_radius'] = sources.spread(holes.radius)
    if psf_fluxes is not None and psf_fluxes.inner_radius is not None:
        table['inner_radius'] = sources.spread(psf_fluxes.inner_radius)
    n_apertures = fluxes.flux.shape[1]
    suffixes = [''] if n_apertures == 1 else [f'_{k}' for k in range(n_apertures)]
    columns = {
        'flux': fluxes.flux,
        'flux_err': errors.flux_err,
        'flux_annulus': fluxes.flux_annulus,
    }
    for name, values in columns.items():
        for k, suffix in enumerate(suffixes):
            spread = sources.spread(values[:, k]) * to_flux
            table[name + suffix] = _with_unit(spread, flux_unit)
    if psf_fluxes is not None:
        for name, values in (
            ('flux_psf', psf_fluxes.flux),
            ('flux_psf_err', errors.flux_psf_err),
        ):
            table[name] = _with_unit(sources.spread(values) * to_flux, flux_unit)
        for name, values in (
            ('x_fit', psf_fluxes.x),
            ('y_fit', psf_fluxes.y),
            ('qfit', psf_fluxes.qfit),
            ('cfit', psf_fluxes.cfit),
        ):
            if values is not None:
                table[name] = sources.spread(values)
    table['local_bkg'] = _with_unit(sources.spread(fluxes.local_bkg), unit)
    for k, suffix in enumerate(suffixes):
        correction = sources.spread(fluxes.aperture_correction[:, k])
        table['aperture_correction' + suffix] = correction
    table['flags'] = flags
    return table


def _with_unit(values, unit):
    return values if unit is None else u.Quantity(values, unit)
