# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The table of the photometry.
"""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv.photometry.upper_limits import (
    DETECTION_THRESHOLD,
    LIMIT_PROBABILITY,
    detection_ratio,
    flux_upper_limit,
)
from photutils_pconv.removal.flux_calibration import add_calibration_error

__all__ = ['make_photometry_table']


def make_photometry_table(
    sources,
    holes,
    fluxes,
    errors,
    psf_fluxes,
    found_sizes,
    map_input,
    flags,
    *,
    detection_threshold=DETECTION_THRESHOLD,
    upper_limit_probability=LIMIT_PROBABILITY,
    colour_factor=1.0,
    calibration_error=None,
):
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

    found_sizes : `~photutils_pconv.removal.sizes.FoundSizes` or `None`
        The sources' sizes, where they are to be shown.

    map_input : `~photutils_pconv.inputs.MapInput`
        The map, for its units.

    flags : (N,) int `~numpy.ndarray`
        The flags of all sources.

    detection_threshold : float, optional
        The SNR below which sources have an upper limit.

    upper_limit_probability : float, optional
        The probability with which a source is fainter than its limit.

    colour_factor : float, optional
        The colour correction, by which fluxes are divided.

    calibration_error : float, optional
        The relative error of the calibration that is added to the errors.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row per source, in the order of the input; in its metadata the
        smallest and the largest factor from the map's unit to Jy/pixel.
    """
    to_flux = map_input.jy_per_pixel_at(sources.source_input.x, sources.source_input.y)
    unit, flux_unit = map_input.unit, map_input.flux_unit
    table = QTable()
    to_colour = to_flux / colour_factor

    def add_shared(err, flux):
        return add_calibration_error(err, flux, calibration_error)

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
    aperture_err = add_shared(errors.flux_err, fluxes.flux)
    apertures = (fluxes.flux[:, 0], aperture_err[:, 0], errors.null_err[:, 0])
    best = apertures
    if psf_fluxes is not None:
        psf_err = add_shared(errors.flux_psf_err, psf_fluxes.flux)
        best = (psf_fluxes.flux, psf_err, errors.null_psf_err)
        if psf_fluxes.poor is not None:
            best = [
                np.where(psf_fluxes.poor, aperture, one)
                for aperture, one in zip(apertures, best, strict=True)
            ]
    for name, values in zip(('flux', 'flux_err'), best[:2], strict=True):
        table[name] = _with_unit(sources.spread(values) * to_colour, flux_unit)
    detection_snr = detection_ratio(best[0], best[2])
    limit = flux_upper_limit(*best[:2], probability=upper_limit_probability)
    limit[~(detection_snr < detection_threshold)] = np.nan
    table['detection_snr'] = sources.spread(detection_snr)
    table['flux_upper_limit'] = _with_unit(sources.spread(limit) * to_colour, flux_unit)
    if psf_fluxes is not None:
        for name, values in (
            ('x_fit', psf_fluxes.x),
            ('y_fit', psf_fluxes.y),
            ('x_err', psf_fluxes.position_err),
            ('y_err', psf_fluxes.position_err),
            ('qfit', psf_fluxes.qfit),
            ('cfit', psf_fluxes.cfit),
        ):
            if values is not None:
                table[name] = sources.spread(values)
    if found_sizes is not None:
        major, minor = found_sizes.axes
        for name, values, axis_unit in (
            ('fwhm_fit', found_sizes.fwhm, u.arcsec),
            ('fwhm_err', found_sizes.fwhm_err, u.arcsec),
            ('fwhm_major_fit', major, u.arcsec),
            ('fwhm_minor_fit', minor, u.arcsec),
            ('orientation_fit', found_sizes.orientation, u.deg),
        ):
            table[name] = sources.spread(values) * axis_unit
    columns = {
        'flux_aperture': fluxes.flux,
        'flux_aperture_err': aperture_err,
        'flux_annulus': fluxes.flux_annulus,
    }
    for name, values in columns.items():
        for k, suffix in enumerate(suffixes):
            spread = sources.spread(values[:, k]) * to_colour
            table[name + suffix] = _with_unit(spread, flux_unit)
    if found_sizes is not None:
        for k, suffix in enumerate(suffixes):
            radii = sources.spread(fluxes.aperture_radius[:, k])
            table['aperture_radius' + suffix] = radii * u.arcsec
    table['local_bkg'] = _with_unit(sources.spread(fluxes.local_bkg), unit)
    for k, suffix in enumerate(suffixes):
        correction = sources.spread(fluxes.aperture_correction[:, k])
        table['aperture_correction' + suffix] = correction
    table['flags'] = flags
    for name in table.colnames:
        info = table[name].info
        info.description = _describe(name, has_psf=psf_fluxes is not None)
        info.meta = {'ucd': _UCDS[_stem(name)]}
        info.format = _FORMATS.get(_stem(name))
    table.meta['flux'] = 'aperture' if psf_fluxes is None else 'psf'
    return table


#: What each column holds; for those of several apertures, without the number.
_DESCRIPTIONS = {
    'id': 'number of the source in the input, from 1',
    'x_center': 'position that was given, pixels from 0',
    'y_center': 'position that was given, pixels from 0',
    'sky_center': 'position on the sky',
    'snr': 'signal-to-noise ratio of the paper, Eq. 1',
    'hole_radius': 'radius of the hole, pixels',
    'inner_radius': 'radius within which the residual was not used, pixels',
    'flux_err': 'standard error of flux',
    'detection_snr': 'flux over what its error were without the source',
    'flux_upper_limit': 'upper limit of the flux where detection_snr is below the '
    'threshold, with the probability in the metadata',
    'x_fit': 'fitted position, pixels from 0',
    'y_fit': 'fitted position, pixels from 0',
    'x_err': 'standard error of x_fit',
    'y_err': 'standard error of y_fit',
    'qfit': 'sum of the absolute residuals of the fit over the flux',
    'cfit': 'residual of the central pixel over the flux',
    'fwhm_fit': 'FWHM of the source on the map, geometric mean of both axes',
    'fwhm_err': 'standard error of fwhm_fit where that was fitted',
    'fwhm_major_fit': 'FWHM of the source on the map along its major axis',
    'fwhm_minor_fit': 'FWHM of the source on the map along its minor axis',
    'orientation_fit': 'angle of the major axis counter-clockwise from the x axis',
    'aperture_radius': 'radius of the aperture, larger for resolved sources',
    'flux_aperture': 'total flux from the aperture, with its correction',
    'flux_aperture_err': 'standard error of flux_aperture',
    'flux_annulus': 'the same with the background of an annulus',
    'local_bkg': 'background in the annulus',
    'aperture_correction': 'factor from the flux in the aperture to the total',
    'flags': 'bitwise flags; see photutils_pconv.photometry.decode_flags',
}

#: What each column is in the words of the IVOA (UCD1+ 1.6).
_UCDS = {
    'id': 'meta.id;meta.main',
    'x_center': 'pos.cartesian.x;instr.det',
    'y_center': 'pos.cartesian.y;instr.det',
    'sky_center': 'pos.eq;meta.main',
    'snr': 'stat.snr',
    'hole_radius': 'phys.angSize;instr.pixel',
    'inner_radius': 'phys.angSize;instr.pixel',
    'flux': 'phot.flux.density;meta.main',
    'flux_err': 'stat.error;phot.flux.density;meta.main',
    'detection_snr': 'stat.snr;phot.flux.density',
    'flux_upper_limit': 'phot.flux.density;stat.max',
    'x_fit': 'pos.cartesian.x;instr.det;stat.fit',
    'y_fit': 'pos.cartesian.y;instr.det;stat.fit',
    'x_err': 'stat.error;pos.cartesian.x;instr.det',
    'y_err': 'stat.error;pos.cartesian.y;instr.det',
    'qfit': 'stat.fit.goodness',
    'cfit': 'stat.fit.residual',
    'fwhm_fit': 'phys.angSize;stat.fit',
    'fwhm_err': 'stat.error;phys.angSize;stat.fit',
    'fwhm_major_fit': 'phys.angSize.smajAxis;stat.fit',
    'fwhm_minor_fit': 'phys.angSize.sminAxis;stat.fit',
    'orientation_fit': 'pos.posAng;stat.fit',
    'aperture_radius': 'phys.angSize;instr.param',
    'flux_aperture': 'phot.flux.density',
    'flux_aperture_err': 'stat.error;phot.flux.density',
    'flux_annulus': 'phot.flux.density',
    'local_bkg': 'phot.flux.density.sb;instr.background',
    'aperture_correction': 'arith.factor',
    'flags': 'meta.code.qual',
}


# How the columns are shown; files hold all digits. Positions to a thousandth of
# a pixel, fluxes to four digits, errors to three: by choice, beyond what is known.
_FORMATS = (
    dict.fromkeys(('x_center', 'y_center', 'x_fit', 'y_fit'), '.3f')
    | dict.fromkeys(('x_err', 'y_err', 'flux_err', 'flux_aperture_err'), '.3g')
    | dict.fromkeys(('fwhm_err', 'qfit', 'cfit'), '.3g')
    | dict.fromkeys(('flux', 'flux_aperture', 'flux_annulus', 'local_bkg'), '.4g')
    | dict.fromkeys(('flux_upper_limit', 'snr', 'detection_snr', 'fwhm_fit'), '.4g')
    | dict.fromkeys(('fwhm_major_fit', 'fwhm_minor_fit', 'orientation_fit'), '.4g')
    | dict.fromkeys(('hole_radius', 'inner_radius', 'aperture_radius'), '.4g')
    | {'aperture_correction': '.4f'}
)


def _stem(name):
    """The name of a column without the number of the aperture."""
    stem, _, number = name.rpartition('_')
    return stem if number.isdigit() else name


def _describe(name, *, has_psf):
    """Describe a column of the table."""
    if name == 'flux':
        first = 'flux_aperture of the first aperture'
        how = f'of the PSF ({first} for a poor_fit)' if has_psf else first
        return f'total flux, {how}: the best there is'
    return _DESCRIPTIONS[_stem(name)]


def _with_unit(values, unit):
    return values if unit is None else u.Quantity(values, unit)
