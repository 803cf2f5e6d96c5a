# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Calibrate the errors of a model's fluxes on simulated maps.

For every setup of the model, the scatter of fluxes in empty holes is
tabulated by the radii of hole and aperture, and sources of known flux tell
``kappa`` and ``eps`` (`photutils_pconv.photometry`)::

    python tools/calibrate_errors.py pacs
    python tools/calibrate_errors.py WORK/mine.safetensors --card

The result goes to a JSON file beside the weights, which belongs to them
by their checksum, or with ``--card`` into the card within the weights
file. The bundled models' were made with the defaults.
"""

import argparse
import json
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from astropy.stats import mad_std
from scipy.optimize import minimize

from photutils_pconv.geometry import Holes, MapGrid
from photutils_pconv.network import load_model, save_model
from photutils_pconv.photometry import (
    ApertureFluxes,
    AperturePlan,
    ErrorCalibration,
    local_background,
)
from photutils_pconv.psf import get_psf, lobed_psf, sample_psf
from photutils_pconv.removal import (
    EmptySample,
    RemovalSettings,
    choose_holes,
    estimate_errors,
    make_filler,
    make_plan,
    measure,
    sample_empty_holes,
)
from photutils_pconv.setups import get_setup
from photutils_pconv.simulation import (
    emission_field,
    inject_sources,
    noise_field,
    random_positions,
)

SEED = 707
SIZE = 512
N_SOURCES = 30
SEPARATION = 50.0
MARGIN = 48.0
# The SNR of the sources, and the bins in which the pulls are to be 1.
SNR_RANGE = (3.0, 1500.0)
SNR_BINS = (4.0, 12.0, 40.0, 130.0, 400.0, 1500.0)
SHARES = np.array([0.25, 0.4, 0.6, 0.8, 1.0])


def make_map(setup, psf, rng):
    """
    Simulate a map with sources of known flux.
    """
    shape = (SIZE, SIZE)
    scale = setup.pixel_scale.to_value('arcsec')
    beam = setup.psf_fwhm.to_value('arcsec') / scale
    unit = 10.0 ** rng.uniform(-4.5, -2.5)
    noise = 10.0 ** rng.uniform(-1.5, 0.5) * noise_field(shape, rng=rng)
    data = unit * (emission_field(shape, beam_fwhm=beam, rng=rng) + noise).astype(float)
    x, y = random_positions(
        shape, N_SOURCES, rng=rng, separation=SEPARATION, margin=MARGIN
    )
    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(data, x, y, annulus_radii=ring).local_bkg_std
    peak = psf.render((1, 1), 0.0, 0.0, pixel_scale=scale)[0, 0]
    low, high = np.log(SNR_RANGE)
    part = (rng.permutation(len(x)) + rng.uniform(size=len(x))) / len(x)
    flux = np.exp(low + (high - low) * part) * scatter / peak
    angle = rng.uniform(0.0, 2.0 * np.pi)
    data = inject_sources(data, x, y, flux, psf=psf, pixel_scale=scale, angle=angle)
    return data, x, y, flux


@dataclass(frozen=True, eq=False)
class CalibrationMap:
    """
    What was measured on one map.
    """

    flux: np.ndarray
    grid: MapGrid
    holes: Holes
    filled: Any
    plan: AperturePlan
    fluxes: ApertureFluxes
    sample: EmptySample


def measure_map(model, setup, psf, radii, rng):
    """
    Remove and measure the sources of one map, and its empty holes.
    """
    data, x, y, flux = make_map(setup, psf, rng)
    settings = RemovalSettings.from_arguments(setup=setup, model=model, psf=psf)
    scale = setup.pixel_scale.to_value('arcsec')
    missing = np.zeros(data.shape, dtype=bool)
    grid = MapGrid(data, missing, pixel_scale=scale)
    holes = choose_holes(x, y, grid, setup)
    filler = make_filler(settings, grid, settings.psf)
    filled = filler.fill(grid, holes)
    plan = make_plan(settings, grid, settings.psf)
    fluxes = measure(grid, holes, filled, plan)
    filled = filled.with_rms(fluxes.wingless_std)
    sample = sample_empty_holes(
        replace(grid, data=filled.reconstruction.clean(data)),
        holes,
        filler,
        filled,
        replace(plan, radii=radii * scale),
        rms=fluxes.local_bkg_std,
    )
    return CalibrationMap(flux, grid, holes, filled, plan, fluxes, sample)


def calibrate_setup(model, setup, n_maps, seed):
    """
    Calibrate one setup; give the values for the JSON file.
    """
    # Two models of the PSF: the sources' own is another one still.
    psfs = (get_psf(setup), sample_psf(lobed_psf(setup), setup))
    scale = setup.pixel_scale.to_value('arcsec')
    default = setup.aperture_radius.to_value('arcsec') / scale
    classes = np.unique(setup.hole_radii)
    radii = np.unique(np.append(np.outer(classes, SHARES).round(6), default))
    maps = []
    for k in range(n_maps):
        rng = np.random.default_rng([seed, k])
        maps.append(measure_map(model, setup, psfs[k % 2], radii, rng))
    radius, rms, empty, psf_flux, psf_err = (
        np.concatenate([getattr(one.sample, name) for one in maps])
        for name in ('radius', 'rms', 'flux', 'psf_flux', 'psf_err')
    )
    scatter = np.empty((classes.size, SHARES.size))
    psf_scatter = np.empty(classes.size)
    for i, hole in enumerate(classes):
        members = radius == hole
        columns = np.searchsorted(radii, (hole * SHARES).round(6))
        ratio = empty[members] / rms[members, None]
        scatter[i] = mad_std(ratio[:, columns], axis=0)
        ratio = psf_flux[members] / psf_err[members]
        psf_scatter[i] = mad_std(ratio, ignore_nan=True)
    calibration = ErrorCalibration(
        classes, SHARES, scatter, psf_scatter=psf_scatter, psf_eps=0.0
    )

    # The same through the map's own empty holes, with kappa 1 and eps 0.
    column = np.searchsorted(radii, default)
    errors = []
    for one in maps:
        part = replace(
            one.sample,
            flux=one.sample.flux[:, [column]],
            hole_fraction=one.sample.hole_fraction[:, [column]],
        )
        found = estimate_errors(
            one.grid,
            one.holes,
            one.filled,
            one.fluxes,
            one.plan,
            calibration=calibration,
            sample=part,
        )
        errors.append((found.flux_err[:, 0], found.flux_psf_err))
    error, psf_error = np.concatenate(errors, axis=1)
    flux = np.concatenate([one.flux for one in maps])
    snr = np.concatenate([one.holes.snr for one in maps])
    in_aperture = np.concatenate([one.fluxes.flux[:, 0] for one in maps])
    by_psf = np.concatenate([one.filled.psf_fluxes.flux for one in maps])
    kappa, eps, pulls = fit_pulls(in_aperture - flux, error, flux, snr)
    print(f'{setup.name}: kappa {kappa:.3f}, eps {eps:.5f}, pulls {pulls.round(2)}')
    psf_kappa, psf_eps, pulls = fit_pulls(by_psf - flux, psf_error, flux, snr)
    print(f'  PSF: kappa {psf_kappa:.3f}, eps {psf_eps:.5f}, pulls {pulls.round(2)}')
    values = replace(
        calibration, kappa=kappa, eps=eps, psf_kappa=psf_kappa, psf_eps=psf_eps
    ).to_dict()
    values['beam_fwhm'] = round((setup.psf_fwhm / setup.pixel_scale).to_value(''), 4)
    return values


def calibrate_named(model, n_maps, seed, name):
    """
    Calibrate a setup by name, in a process of its own.
    """
    warnings.simplefilter('ignore', RuntimeWarning)
    return calibrate_setup(load_model(model), get_setup(setup=name), n_maps, seed)


def fit_pulls(difference, error, flux, snr):
    """
    Find kappa and eps so that the pulls scatter by 1 in all SNR bins.
    """
    which = np.digitize(snr, SNR_BINS)

    def pulls(logarithms):
        kappa, eps = np.exp(logarithms)
        pull = difference / np.hypot(kappa * error, eps * flux)
        bins = [pull[which == k] for k in range(1, len(SNR_BINS))]
        return np.array([mad_std(one, ignore_nan=True) for one in bins])

    best = minimize(
        lambda logarithms: np.sum(np.log(pulls(logarithms)) ** 2),
        np.log([1.1, 0.002]),
        method='Nelder-Mead',
    )
    return *np.exp(best.x), pulls(best.x)


def main(arguments=None):
    """
    Run from the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('model', help="a bundled model's name or a weights file")
    parser.add_argument('--maps', type=int, default=40, help='maps a setup')
    parser.add_argument('--seed', type=int, default=SEED)
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--card', action='store_true', help='write into the card')
    args = parser.parse_args(arguments)
    model = load_model(args.model, cache=False)
    names = model.card.setups
    run = partial(calibrate_named, args.model, args.maps, args.seed)
    if args.processes == 1:
        found = map(run, names)
    else:
        with ProcessPoolExecutor(args.processes) as pool:
            found = list(pool.map(run, names))
    tables = dict(zip(names, found, strict=True))
    if args.card:
        card = replace(
            model.card, accuracy={**model.card.accuracy, 'flux_error': tables}
        )
        written = save_model(model.path, model.network, card, overwrite=True)
        print(f'weights unchanged: {written.checksum == model.checksum}')
        return
    values = {'checksum': model.checksum, 'flux_error': tables}
    text = json.dumps(values, indent=1, sort_keys=True) + '\n'
    path = model.path.with_suffix('.json')
    path.write_text(text, encoding='utf-8')
    print(path)


if __name__ == '__main__':
    main()
