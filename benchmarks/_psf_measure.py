# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Measure a benchmark map: ours with both methods, and every peer.
"""

import time
import warnings
from dataclasses import dataclass
from functools import cache, partial

import astropy.units as u
import numpy as np
from _holes import hole_rms, observed_rms
from _psf_maps import GAUSSIAN_FIELDS, GAUSSIAN_UNIT, gaussian_covariance
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.evaluation import available_baselines, kriging, measure_baselines
from photutils_pconv.inputs import parse_map, parse_sources
from photutils_pconv.photometry import local_background, removed_photometry
from photutils_pconv.psf import PixelPSF, get_psf
from photutils_pconv.removal import RemovalSettings, remove_sources

__all__ = [
    'FEW_PEERS',
    'METHODS',
    'PSF_FITS',
    'make_remover',
    'measure_map',
    'model_eef',
    'remove_in_stages',
]

#: Our methods, in the order in which models are given.
METHODS = ('inpaint', 'psf')

#: The peers where all of them would be too much.
FEW_PEERS = ('annulus', 'local_background', 'psf_photometry', 'psf_polynomial_fit')

#: The peers whose flux is that of the whole PSF.
PSF_FITS = ('psf_photometry', 'psf_polynomial_fit', 'local_infilling_psf')
# The kriging sees this many pixels to each side: some more than the
# largest hole, so that the map around it determines the emission.
_HALF = 22


@cache
def make_remover(setup, method, model, fill=None):
    """
    Make ours once for all maps.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    method : {'inpaint', 'psf'}
        The method.

    model : str or `None`
        The model.

    fill : str, optional
        What the cleaned map holds where sources were; the photometry is then
        left without errors of its own.

    Returns
    -------
    remover : `~photutils_pconv.NeuralSourceRemover`
        Ours.
    """
    return NeuralSourceRemover(
        setup=setup,
        model=model,
        method=method,
        fill=fill,
        error_method='empty_apertures' if fill is None else 'card',
    )


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


def remove_in_stages(truth, *, method, fill=None):
    """
    Remove the sources of a map, and keep what each stage found.

    Parameters
    ----------
    truth : `_maps.BenchmarkMap`
        The map.

    method : {'inpaint', 'psf'}
        The method.

    fill : str, optional
        What the cleaned map holds where sources were (default: the method's).

    Returns
    -------
    removal : `~photutils_pconv.removal.Removal`
        What the stages found, with no more than the local errors.
    """
    settings = RemovalSettings.from_arguments(
        setup=truth.setup, method=method, fill=fill, error_method='local'
    )
    map_input = parse_map(truth.data, pixel_scale=truth.setup.pixel_scale)
    positions = parse_sources(np.stack([truth.x, truth.y], axis=1))
    return remove_sources(settings, map_input, positions)


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """
    What a method makes of the ``N`` sources of a map, as far as it does.

    Parameters
    ----------
    name : str
        The method.

    ratio : 1D `~numpy.ndarray`, optional
        Measured over true flux within the setup's aperture.

    pull : 1D `~numpy.ndarray`, optional
        The error of the flux over the error that is stated.

    left : 2D `~numpy.ndarray`, optional
        The map that it leaves (Jy/pixel).

    seconds : float, optional
        The time of the processor for all sources (s).
    """

    name: str
    ratio: np.ndarray | None = None
    pull: np.ndarray | None = None
    left: np.ndarray | None = None
    seconds: float | None = None


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
        The models for `METHODS`; a single one leaves the PSF method out.

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
        two fluxes, ``ours aperture`` and ``ours psf``, and leave one
        map, ``ours psf``.
    """
    setup = truth.setup
    radius = setup.aperture_radius.to_value(u.arcsec)
    true = truth.flux * np.interp(radius, *truth.eef)
    table = Table({'map': [truth.name] * len(true), 'setup': [setup.name] * len(true)})
    measured = []
    for method, model in zip(METHODS, models, strict=False):
        start = time.process_time()
        remover = make_remover(setup, method, model)
        result = _remove(truth, remover)
        seconds = time.process_time() - start
        phot = result.photometry
        for key in ('model', 'model_checksum'):
            table.meta[f'{key}_{method}'] = phot.meta.get(key)
        if method == METHODS[0]:
            table['snr'] = np.asarray(phot['snr'])
            hole_radius = table['hole_radius'] = np.asarray(phot['hole_radius'])
        measured += _list_ours(phot, setup, method, true)
        left = result.cleaned.value
        if method == 'psf':
            measured.append(Measured(name='ours psf', left=left, seconds=seconds))
            measured += _list_fills(truth, remover)
            table['x_pull'] = (phot['x_fit'] - truth.x) / phot['x_err']
            table['y_pull'] = (phot['y_fit'] - truth.y) / phot['y_err']
        else:
            measured.append(Measured(name='ours inpaint', left=left, seconds=seconds))
    table['flux_true'] = truth.flux
    for name in available_baselines() if peers is None else peers:
        measured += _measure_peer(name, truth, true, hole_radius)
    if truth.name.startswith('gaussian'):
        measured += _measure_kriging(truth, true, hole_radius)
    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    table['scatter'] = local_background(
        truth.noisy, truth.x, truth.y, annulus_radii=ring
    ).local_bkg_std
    left = {one.name: one.left for one in measured if one.left is not None}
    rms = hole_rms(truth, left, hole_radius)
    observed = observed_rms(truth, left, hole_radius)
    for one in measured:
        if one.ratio is not None:
            table[f'ratio_{one.name}'] = one.ratio
        if one.pull is not None:
            table[f'pull_{one.name}'] = one.pull
        if one.left is not None:
            table[f'rms_{one.name}'] = rms[one.name] / table['scatter']
            for part, values in observed[one.name].items():
                table[f'{part}_{one.name}'] = values / table['scatter']
        if one.seconds is not None:
            table[f'time_{one.name}'] = one.seconds / len(table)
    return table


def _remove(truth, remover):
    """
    Remove the sources with ours.
    """
    with warnings.catch_warnings():
        # Pairs lie in each other's holes; that is their point.
        warnings.simplefilter('ignore', AstropyUserWarning)
        return remover(
            u.Quantity(truth.data, u.Jy / u.pix), np.stack([truth.x, truth.y], axis=1)
        )


def _list_fills(truth, remover):
    """
    Fill the holes in the other ways that the method has.
    """
    found = []
    for fill in ('mean', 'draw'):
        other = make_remover(remover.setup, 'psf', remover.model, fill=fill)
        left = _remove(truth, other).cleaned.value
        found.append(Measured(name=f'ours psf {fill}', left=left))
    return found


def _list_ours(phot, setup, method, true):
    """
    List the fluxes of ours: with a PSF, those of PSF and aperture.
    """
    if method == 'inpaint':
        # The fraction that aperture photometry is corrected with; that of the
        # pixels stays corrected.
        radius = setup.aperture_radius.to_value(u.arcsec)
        fraction = setup.eef(radius, table='real')
        return [
            _compare('ours inpaint', phot['flux'], phot['flux_err'], fraction, true)
        ]
    fraction = model_eef(setup)
    found = []
    for name, column in (('psf', 'flux'), ('aperture', 'flux_aperture')):
        flux, error = phot[column], phot[f'{column}_err']
        found.append(_compare(f'ours {name}', flux, error, fraction, true))
    return found


def _compare(name, flux, error, fraction, true):
    """
    Compare fluxes of ours with true ones, given what turns totals into sums.
    """
    flux, error = (
        np.asarray(value.to_value(u.Jy)) * fraction for value in (flux, error)
    )
    with np.errstate(divide='ignore', invalid='ignore'):
        return Measured(name=name, ratio=flux / true, pull=(flux - true) / error)


def _measure_peer(name, truth, true, hole_radius):
    """
    Measure with a peer.
    """
    setup = truth.setup
    radius = setup.aperture_radius.to_value(u.arcsec)

    def eef(value):
        return setup.eef(value, table=truth.eef)

    start = time.process_time()
    found = measure_baselines(
        truth.data,
        truth.x,
        truth.y,
        setup=setup,
        hole_radius=hole_radius,
        eef=eef,
        names=[name],
    )[name]
    seconds = time.process_time() - start
    factor = model_eef(setup) if name in PSF_FITS else eef(radius)
    ratio = found.flux * factor / true
    measured = [
        Measured(name=name, ratio=ratio, left=found.background, seconds=seconds)
    ]
    if found.polynomial is not None:
        measured.append(Measured(name='quadratic alone', left=found.polynomial))
    return measured


def _measure_kriging(truth, true, hole_radius):
    """
    Measure the optimum for a Gaussian field whose covariance is known.
    """
    setup = truth.setup
    scale = setup.pixel_scale.to_value(u.arcsec)
    radius = setup.aperture_radius.to_value(u.arcsec)
    slope, noise = GAUSSIAN_FIELDS[int(truth.name.split()[-1])]
    covariance = gaussian_covariance(setup, slope, half=_HALF)
    estimate = partial(
        kriging,
        truth.data,
        truth.x,
        truth.y,
        hole_radius=hole_radius,
        covariance=GAUSSIAN_UNIT**2 * covariance,
        noise=GAUSSIAN_UNIT * noise,
        half=_HALF,
        psf=PixelPSF(get_psf(setup), scale),
    )
    blind, seeing = estimate(), estimate(use_hole=True)
    inside = removed_photometry(
        truth.data - blind.background,
        truth.x,
        truth.y,
        radii=[radius / scale],
        hole_radius=hole_radius,
        local_std=0.0,
    ).flux[:, 0]
    eef = np.interp(radius, *truth.eef)
    return [
        Measured(name='kriging', ratio=inside / true, left=blind.background),
        Measured(
            name='kriging with PSF',
            ratio=seeing.flux * eef / true,
            pull=(seeing.flux * eef - true) / (seeing.flux_err * eef),
            left=seeing.background,
        ),
    ]
