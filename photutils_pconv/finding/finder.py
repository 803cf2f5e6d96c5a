# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map to a table of its sources.
"""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.progress import show_stages
from photutils_pconv._utils.versions import package_versions
from photutils_pconv.finding.search import search_map
from photutils_pconv.finding.settings import (
    N_ROUNDS,
    SHAPE_TOLERANCE,
    THRESHOLD,
    FindSettings,
)
from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.inputs.maps import parse_opened
from photutils_pconv.inputs.opening import open_map
from photutils_pconv.inputs.positions import pixel_to_sky
from photutils_pconv.psf.library import parse_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.setups.headers import check_setup, find_setup
from photutils_pconv.setups.registry import get_setup

__all__ = ['find_sources']

_DESCRIPTIONS = {
    'id': 'number of the source, from 1, the brightest first',
    'x_centroid': 'fitted position, pixels from 0',
    'y_centroid': 'fitted position, pixels from 0',
    'sky_centroid': 'position on the sky',
    'snr': 'flux over flux_err',
    'flux': 'total flux of the PSF, by the matched filter',
    'flux_err': 'scatter of that filter around the source, times structure',
    'structure': 'by how much emission and neighbours raise flux_err',
    'width_excess': 'how much wider than the PSF it is, as a share',
    'width_excess_err': 'standard error of width_excess',
    'ellipticity': 'half of how much longer than wide it is, as a share of the width',
    'ellipticity_err': 'standard error of ellipticity',
    'wide_gain': 'significance of a source wider by half, less that of the PSF',
}

# How they are shown; files hold all digits.
_FORMATS = {'x_centroid': '.3f', 'y_centroid': '.3f'} | dict.fromkeys(
    (
        *('snr', 'flux', 'flux_err', 'structure'),
        *('width_excess', 'width_excess_err'),
        *('ellipticity', 'ellipticity_err', 'wide_gain'),
    ),
    '.3g',
)


def find_sources(
    data,
    mode=None,
    band=None,
    *,
    setup=None,
    psf='setup',
    threshold=THRESHOLD,
    shape_tolerance=SHAPE_TOLERANCE,
    n_rounds=N_ROUNDS,
    resample=True,
    hdu=None,
    mask=None,
    coverage_mask=None,
    wcs=None,
    beam=None,
    progress_bar=False,
):
    """
    Find the compact sources of a map with structured emission.

    Parameters
    ----------
    data, hdu, mask, coverage_mask, wcs, beam : optional
        The map, as `~photutils_pconv.NeuralSourceRemover` takes it.

    mode, band : str, optional
        The observing mode and the band. By default the map's header gives them
        (`~photutils_pconv.setups.find_setup`).

    setup : `~photutils_pconv.ObservingSetup`, str or path-like, optional
        A setup, its name, or its file, instead of ``mode`` and ``band``.

    psf : str, path-like, array, ``ImagePSF`` or `~photutils_pconv.psf.SampledPSF`, \
          optional
        The PSF, as the remover takes it, averaged over all angles. By default the
        setup's.

    threshold : float, optional
        The signal-to-noise ratio from which on a peak of the filtered map is a
        source.

    shape_tolerance : float, optional
        How far, beyond two standard errors, its width and its ellipticity may be
        off those of the PSF, as shares of the width; nor may a source half as wide
        again be more significant by over 0.3. Infinity lets any shape pass.

    n_rounds : int, optional
        How often the map is searched at most, each time without what was found
        before.

    resample : bool, optional
        Whether a map that is off the setup's pixel scale is resampled; if `False` it
        is refused.

    progress_bar : bool, optional
        Whether to show progress bars, of the filters and of the fits of each round.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row per source, the brightest first: ``id``, ``x_centroid``, ``y_centroid``,
        ``sky_centroid`` (with a WCS), ``snr``, ``flux`` and ``flux_err`` (Jy, or the
        map's values times pixel), ``structure``, the factor by which the emission
        around the source, or a neighbour within a FWHM, raises that error,
        ``width_excess``, ``ellipticity`` and their errors, and ``wide_gain``, how much
        more significant a source is that is half as wide again (negative for a point
        source).
        `~photutils_pconv.NeuralSourceRemover` takes it as it is.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted.

    Notes
    -----
    The filters are those of `~photutils_pconv.psf_photometry.FilterBank`: matched to
    the PSF on emission of some power spectrum with some noise. Everywhere the one
    serves that scatters least around there, and that scatter is the error. Peaks are
    fitted together, position and flux, with the covariance of their filters, and are
    subtracted; what they may leave, because the PSF is not quite right, counts as
    error in the next round. In the end errors are raised where the map without the
    sources is rougher than in the window around, or a bump is left under a source:
    emission is rough where it is bright. Those of pairs closer than a FWHM are doubled:
    most of these are one wide knot. With the width and two axis ratios free, the
    fit distinguishes the PSF from knots and ridges of the emission.

    Examples
    --------
    >>> from photutils_pconv.finding import find_sources
    >>> table = find_sources(ccd)  # doctest: +SKIP
    >>> cleaned, photometry = remover(ccd, table)  # doctest: +SKIP
    """
    settings = FindSettings(
        threshold=threshold, shape_tolerance=shape_tolerance, n_rounds=n_rounds
    )
    resample = to_bool(resample, 'resample')
    progress_bar = to_bool(progress_bar, 'progress_bar')
    is_known = setup is not None or None not in (mode, band)
    # What is wrong with it is said before a file is read.
    setup = get_setup(mode, band, setup=setup) if is_known else None
    opened = open_map(data, hdu=hdu, mask=mask, wcs=wcs)
    if setup is None:
        setup = find_setup(opened.meta, mode=mode, band=band).setup
    check_setup(setup, opened.meta)
    found_psf = parse_psf('setup' if psf is None else psf, setup)
    map_input = parse_opened(
        opened,
        coverage_mask=coverage_mask,
        beam=beam,
        pixel_scale=setup.pixel_scale,
        setup_fwhm=setup.psf_fwhm,
    )
    grid = MapGrid.from_input(map_input, setup, resample=resample).in_double()
    native = grid.native
    with show_stages(progress_bar):
        found = search_map(
            native.data,
            native.missing,
            PixelPSF(found_psf, native.pixel_scale),
            settings,
            beam_fwhm=setup.psf_fwhm.to_value(u.arcsec) / native.pixel_scale,
        )
    return _make_table(found, grid, map_input, settings, setup)


def _make_table(found, grid, map_input, settings, setup):
    """Give what was found as a table, in the map's pixels and in Jy."""
    x, y = grid.to_map(found.x, found.y)
    # A native pixel collects the flux of 1 / factor**2 of the map's.
    to_flux = map_input.jy_per_pixel_at(x, y) / grid.factor**2
    columns = {
        'id': np.arange(1, len(found) + 1),
        'x_centroid': x,
        'y_centroid': y,
        'sky_centroid': pixel_to_sky(x, y, map_input.wcs),
        'snr': found.snr,
        'flux': found.flux * to_flux,
        'flux_err': found.flux_err * to_flux,
        'structure': found.structure,
        'width_excess': found.width,
        'width_excess_err': found.width_err,
        'ellipticity': found.ellipticity,
        'ellipticity_err': found.ellipticity_err,
        'wide_gain': found.wide_gain,
    }
    table = QTable()
    for name, values in columns.items():
        if values is None:
            continue
        if name.startswith('flux') and map_input.flux_unit is not None:
            values = u.Quantity(values, map_input.flux_unit)
        table[name] = values
        table[name].info.description = _DESCRIPTIONS[name]
        if name in _FORMATS:
            table[name].info.format = _FORMATS[name]
    table.meta.update(
        {
            'setup': setup.name,
            'threshold': float(settings.threshold),
            'shape_tolerance': float(settings.shape_tolerance),
            'n_rounds': int(settings.n_rounds),
            'versions': package_versions('astropy', 'photutils'),
        }
    )
    return table
