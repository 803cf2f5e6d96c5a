# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Measure a benchmark map: ours with one and two passes, and every peer.
"""

import time
import warnings
from functools import cache

import astropy.units as u
import numpy as np
from _psf_maps import GAUSSIAN_FIELDS, GAUSSIAN_UNIT, gaussian_covariance
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.evaluation import available_baselines, kriging, measure_baselines
from photutils_pconv.geometry import hole_stamp
from photutils_pconv.photometry import local_background, removed_photometry
from photutils_pconv.psf import PixelPSF, get_psf

__all__ = ['FEW_PEERS', 'PSF_FITS', 'make_remover', 'measure_map', 'model_eef']

#: The peers where all of them would be too much.
FEW_PEERS = ('annulus', 'local_background', 'psf_photometry', 'psf_polynomial_fit')

#: The peers whose flux is that of the whole PSF.
PSF_FITS = ('psf_photometry', 'psf_polynomial_fit')
# The kriging sees this many pixels to each side: some more than the
# largest hole, so that the map around it determines the emission.
_HALF = 22


@cache
def make_remover(setup, n_passes, model):
    """
    Make ours once for all maps.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    n_passes : int
        1, or 2 with the setup's PSF.

    model : str or `None`
        The model.

    Returns
    -------
    remover : `~photutils_pconv.NeuralSourceRemover` or `None`
        Ours; `None` where two passes are not available.
    """
    options = {} if n_passes == 1 else {'psf': 'setup', 'n_passes': n_passes}
    try:
        return NeuralSourceRemover(setup=setup, model=model, **options)
    except NotImplementedError:
        return None


@cache
def model_eef(setup):
    """
    Give the fraction of the model PSF's flux that the aperture holds.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup, whose PSF is the model.

    Returns
    -------
    eef : float
        The fraction, as photometry on the map's pixels finds it.
    """
    radius = setup.aperture_radius.to_value(u.arcsec)
    scale = setup.pixel_scale.to_value(u.arcsec)
    return float(get_psf(setup).encircled_energy(radius, pixel_scale=scale))


def measure_map(truth, *, models=(None, None), peers=None):
    """
    Remove and measure the sources of one map with every method.

    All ratios are those of fluxes within the setup's aperture: a flux
    times the encircled-energy fraction that it was corrected with (that of
    the model PSF, for fitted ones), over the true flux times the true PSF's
    fraction. How either PSF is normalised does not matter.

    Parameters
    ----------
    truth : `_maps.BenchmarkMap`
        The map.

    models : sequence of str or `None`, optional
        The models for one and two passes; a single one leaves two passes
        out.

    peers : sequence of str, optional
        The other methods (default: all that are installed).

    Returns
    -------
    table : `~astropy.table.Table`
        A row a source: ``map``, ``setup``, ``snr`` and ``hole_radius``
        (of the first pass), ``flux_true`` (Jy), ``scatter``, and for
        every method ``ratio_METHOD``, ``rms_METHOD`` (of what it leaves
        in the hole against the noise-free emission, over ``scatter``,
        the standard deviation of the source-free map in the annulus of
        Eq. 1), ``time_METHOD`` (s, of the processor), and for ours
        ``pull_METHOD``, the error of the flux over the error that is
        stated. Two passes have
        two fluxes, ``ours 2 aperture`` and ``ours 2 psf``, and leave one
        map, ``ours 2``.
    """
    setup, x, y = truth.setup, truth.x, truth.y
    radius = setup.aperture_radius.to_value(u.arcsec)
    true = truth.flux * np.interp(radius, *truth.eef)
    table = Table({'map': [truth.name] * len(x), 'setup': [setup.name] * len(x)})
    left, spent = {}, {}
    for n_passes, model in enumerate(models, start=1):
        remover = make_remover(setup, n_passes, model)
        if remover is None:
            continue
        start = time.process_time()
        with warnings.catch_warnings():
            # Pairs lie in each other's holes; that is their point.
            warnings.simplefilter('ignore', AstropyUserWarning)
            cleaned, phot = remover(
                u.Quantity(truth.data, u.Jy / u.pix), np.stack([x, y], axis=1)
            )
        spent[f'ours {n_passes}'] = time.process_time() - start
        left[f'ours {n_passes}'] = cleaned.value
        name = 'ours 1' if n_passes == 1 else 'ours 2 aperture'
        # The fraction that aperture photometry is corrected with; that of the
        # pixels stays corrected.
        fraction = model_eef(setup) if n_passes > 1 else setup.eef(radius, table='real')
        _put(table, name, phot['flux'], phot['flux_err'], fraction, true)
        if n_passes == 1:
            table['snr'] = np.asarray(phot['snr'])
            hole_radius = table['hole_radius'] = np.asarray(phot['hole_radius'])
            for key in ('model', 'model_checksum'):
                table.meta[key] = phot.meta.get(key)
        else:
            eef = model_eef(setup)
            fit = (phot['flux_psf'], phot['flux_psf_err'])
            _put(table, 'ours 2 psf', *fit, eef, true)
            for key in ('model', 'model_checksum'):
                table.meta[f'{key}_2'] = phot.meta.get(key)
    table['flux_true'] = truth.flux

    def eef(value):
        return setup.eef(value, table=truth.eef)

    for name in available_baselines() if peers is None else peers:
        start = time.process_time()
        found = measure_baselines(
            truth.data,
            x,
            y,
            setup=setup,
            hole_radius=hole_radius,
            eef=eef,
            names=[name],
        )[name]
        spent[name] = time.process_time() - start
        factor = model_eef(setup) if name in PSF_FITS else eef(radius)
        table[f'ratio_{name}'] = found.flux * factor / true
        left[name] = found.background
        if found.polynomial is not None:
            left['quadratic alone'] = found.polynomial
    if truth.name.startswith('gaussian'):
        _add_kriging(table, truth, true, left, hole_radius)
    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(truth.noisy, x, y, annulus_radii=ring)['local_bkg_std']
    table['scatter'] = scatter
    rms = _hole_rms(truth, left, hole_radius)
    for name, values in rms.items():
        table[f'rms_{name}'] = values / scatter
    for name, seconds in spent.items():
        table[f'time_{name}'] = seconds / len(x)
    return table


def _put(table, name, flux, error, factor, true):
    """
    Add flux ratio and pull of ours, given what turns totals into sums.
    """
    flux, error = (np.asarray(value.to_value(u.Jy)) * factor for value in (flux, error))
    table[f'ratio_{name}'] = flux / true
    with np.errstate(divide='ignore', invalid='ignore'):
        table[f'pull_{name}'] = (flux - true) / error


def _add_kriging(table, truth, true, left, hole_radius):
    """
    Add the optimum for a Gaussian field whose covariance is known.
    """
    setup = truth.setup
    scale = setup.pixel_scale.to_value(u.arcsec)
    radius = setup.aperture_radius.to_value(u.arcsec)
    slope, noise = GAUSSIAN_FIELDS[int(truth.name.split()[-1])]
    covariance = gaussian_covariance(setup, slope, half=_HALF)
    options = {
        'hole_radius': hole_radius,
        'covariance': GAUSSIAN_UNIT**2 * covariance,
        'noise': GAUSSIAN_UNIT * noise,
        'half': _HALF,
    }
    options['psf'] = PixelPSF(get_psf(setup), scale)
    found = kriging(truth.data, truth.x, truth.y, **options)
    left['kriging'] = found.background
    inside = removed_photometry(
        truth.data - found.background,
        truth.x,
        truth.y,
        radii=[radius / scale],
        hole_radius=hole_radius,
        local_std=0.0,
    )['flux'][:, 0]
    table['ratio_kriging'] = inside / true
    found = kriging(truth.data, truth.x, truth.y, use_hole=True, **options)
    left['kriging with PSF'] = found.background
    eef = np.interp(radius, *truth.eef)
    table['ratio_kriging with PSF'] = found.flux * eef / true
    table['pull_kriging with PSF'] = (found.flux * eef - true) / (found.flux_err * eef)


def _hole_rms(truth, left, hole_radius):
    """
    Compare what each method leaves in the holes with the noise-free emission.
    """
    rms = {name: np.full(len(truth.x), np.nan) for name in left}
    ny, nx = truth.data.shape
    for i, (x, y, radius) in enumerate(zip(truth.x, truth.y, hole_radius, strict=True)):
        reach = int(radius) + 2
        rows = slice(max(int(y) - reach, 0), min(int(y) + reach + 1, ny))
        columns = slice(max(int(x) - reach, 0), min(int(x) + reach + 1, nx))
        hole = hole_stamp(
            np.arange(rows.start, rows.stop),
            np.arange(columns.start, columns.stop),
            x,
            y,
            radius,
        )
        exact = truth.background(i, rows, columns)
        for name, image in left.items():
            error = (image[rows, columns] - exact)[hole]
            rms[name][i] = np.sqrt(np.mean(error**2))
    return rms
