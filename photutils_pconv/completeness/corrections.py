# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Errors of fluxes, scaled to those that injected sources have.
"""

import astropy.units as u
import numpy as np

from photutils_pconv.completeness.results import Completeness
from photutils_pconv.photometry.upper_limits import LIMIT_PROBABILITY, flux_upper_limit

__all__ = ['correct_errors']


def correct_errors(photometry, completeness):
    """
    Scale the errors of a table of photometry by those of injected sources.

    Parameters
    ----------
    photometry : `~astropy.table.QTable`
        The photometry of the same map, by the same remover.

    completeness : `~photutils_pconv.completeness.Completeness`
        What injected sources showed.

    Returns
    -------
    corrected : `~astropy.table.QTable`
        A copy. Its ``flux_err`` is multiplied by ``pull``, interpolated in the
        logarithm of the flux and constant beyond the fluxes that were injected
        (but not what ``calibration_error`` has added to it), and where there is
        a ``flux_upper_limit``, that follows. All else, such as
        ``detection_snr``, for which the completeness holds, is as it was.
        ``meta['flux_err_corrected']`` is True.

    Raises
    ------
    TypeError, ValueError
        If columns are missing, the units do not fit, it was corrected already,
        or the pull of a flux is not known.
    """
    if not isinstance(completeness, Completeness):
        msg = f'completeness must be a Completeness, got {completeness!r}.'
        raise TypeError(msg)
    names = ('flux', 'flux_err')
    absent = [name for name in names if name not in photometry.colnames]
    if absent:
        msg = (
            'photometry must be the table of a removal, but has no '
            f'{" and no ".join(absent)}.'
        )
        raise ValueError(msg)
    if photometry.meta.get('flux_err_corrected'):
        msg = 'the errors of photometry were corrected already: give the first table.'
        raise ValueError(msg)
    pull = completeness.pull
    if not np.all(np.isfinite(pull) & (pull > 0)):
        msg = (
            'errors cannot be corrected: the pull of some fluxes is not known, got '
            f'{pull.tolist()}. Inject more sources of each flux.'
        )
        raise ValueError(msg)
    corrected = photometry.copy()
    flux, known = u.Quantity(corrected['flux']), u.Quantity(completeness.flux)
    try:
        flux = flux.to_value(known.unit)
    except u.UnitConversionError as exc:
        msg = (
            f'photometry is in {flux.unit or "no unit"}, completeness in '
            f'{known.unit or "no unit"}: they must be of the same map.'
        )
        raise ValueError(msg) from exc
    # What is injected has the map's own colour.
    level = flux * photometry.meta.get('colour_correction_factor', 1.0)
    # What is not positive is fainter than the faintest.
    level = np.where(flux > 0, level, known.value[0])
    scale = np.interp(np.log(level), np.log(known.value), pull)
    info = corrected['flux_err'].info.description
    corrected['flux_err'] = _scale_errors(corrected, scale)
    corrected['flux_err'].info.description = info
    if 'flux_upper_limit' in corrected.colnames:
        _renew_limits(corrected)
    corrected.meta['flux_err_corrected'] = True
    return corrected


def _scale_errors(table, scale):
    """Scale errors, but not the part that the calibration has in them."""
    err = table['flux_err']
    if not table.meta.get('calibration_error_added'):
        return err * scale
    shared = table.meta['calibration_error'] * table['flux']
    own = np.sqrt(np.maximum(err**2 - shared**2, 0 * err**2))
    return np.hypot(own * scale, shared)


def _renew_limits(table):
    """Let upper limits follow from the errors."""
    probability = table.meta.get('upper_limit_probability', LIMIT_PROBABILITY)
    old = table['flux_upper_limit']
    unit = u.Quantity(old).unit
    flux, flux_err = (
        u.Quantity(table[name]).to_value(unit) for name in ('flux', 'flux_err')
    )
    limit = flux_upper_limit(flux, flux_err, probability=probability)
    limit[~np.isfinite(u.Quantity(old).value)] = np.nan
    description = old.info.description
    table['flux_upper_limit'] = limit * unit if isinstance(old, u.Quantity) else limit
    table['flux_upper_limit'].info.description = description
