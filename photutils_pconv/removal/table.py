# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The table of the photometry.
"""

import astropy.units as u
import numpy as np
from astropy.table import QTable

__all__ = [
    'make_photometry_table',
]


def make_photometry_table(sources, measured, *, snr, hole_radius, flux_unit, unit):
    """
    Put the measurements into a table.

    Parameters
    ----------
    sources : `~photutils_pconv.inputs.SourceInput`
        The positions.

    measured : dict of `~numpy.ndarray`
        The results of `~photutils_pconv.photometry.source_photometry`,
        fluxes already in ``flux_unit``, flags complete; and where there
        is PSF photometry, ``flux_psf``, ``flux_psf_err``, ``qfit``,
        ``cfit``, and if known ``x_fit``, ``y_fit`` and ``inner_radius``.

    snr, hole_radius : 1D `~numpy.ndarray`
        The SNR (Eq. 1) and the radius of the hole in the map's pixels.

    flux_unit, unit : `~astropy.units.Unit` or `None`
        The units of fluxes and of the map.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row a source, in the order of the input.
    """
    table = QTable()
    table['id'] = np.arange(1, len(sources) + 1)
    table['x_center'] = sources.x
    table['y_center'] = sources.y
    if sources.sky is not None:
        table['sky_center'] = sources.sky
    table['snr'] = snr
    table['hole_radius'] = hole_radius
    if 'inner_radius' in measured:
        table['inner_radius'] = measured['inner_radius']
    n_apertures = measured['flux'].shape[1]
    for name in ('flux', 'flux_err', 'flux_annulus'):
        for k in range(n_apertures):
            suffix = '' if n_apertures == 1 else f'_{k}'
            table[name + suffix] = _with_unit(measured[name][:, k], flux_unit)
    for name in ('flux_psf', 'flux_psf_err'):
        if name in measured:
            table[name] = _with_unit(measured[name], flux_unit)
    for name in ('x_fit', 'y_fit', 'qfit', 'cfit'):
        if name in measured:
            table[name] = measured[name]
    table['local_bkg'] = _with_unit(measured['local_bkg'], unit)
    for k in range(n_apertures):
        suffix = '' if n_apertures == 1 else f'_{k}'
        table['aperture_correction' + suffix] = measured['aperture_correction'][:, k]
    table['flags'] = measured['flags']
    return table


def _with_unit(values, unit):
    return values if unit is None else u.Quantity(values, unit)
