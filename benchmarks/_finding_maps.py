# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps of the benchmark of source finding.

Half of the sources lie anywhere, half on the structure, as young stars do on
filaments; their fluxes do not depend on what lies behind them, and they may blend.

What the finder's numbers are chosen with, the training half, and what it is tested
with have no map in common: simulations have other seeds, and of each real background
one takes the left and the other the right part.
"""

from pathlib import Path

import numpy as np
from _local_maps import make_filaments
from _maps import (
    EMISSION_RANGE,
    NOISE_RANGE,
    BenchmarkMap,
    draw_positions,
    setup_number,
    simulate_emission_and_noise,
)
from _real import BACKGROUNDS, load_background, load_vesta
from _stamps import STAMP_SIZE, flux_for_snr, place_stamp

from photutils_pconv.photometry import local_background
from photutils_pconv.psf import lobed_psf
from photutils_pconv.setups import get_setup
from photutils_pconv.simulation import noise_field

__all__ = ['HALVES', 'PARTS', 'make_empty_map', 'make_finding_map', 'source_snr']

#: The kinds of maps: the package's simulated emission, filaments of one direction a
#: map, and real emission.
PARTS = ('simulated', 'filaments', 'real')
#: What maps are for.
HALVES = ('test', 'training')
# All by choice. The range of fluxes, as the SNR (Eq. 1) on the map's median scatter;
# sources a pixel; the least distance of two (FWHM) and from the edge (pixels); and
# how much positions on the structure prefer its brightest parts: the power of the
# share of pixels that are fainter.
_SNR_RANGE = (0.5, 100.0)
_DENSITY = 120 / 512**2
_SEPARATION, _MARGIN = 1.2, 16
_PREFERENCE = 3.0
_SIZE = 320


def make_finding_map(part, setup_name, k, *, seed, folder=None, half='test'):
    """
    Make a map for finding sources.

    Parameters
    ----------
    part : str
        One of `PARTS`.

    setup_name : str
        The setup.

    k : int
        The map's number, which chooses a real background in turn.

    seed : int
        The benchmark's seed.

    folder : path-like, optional
        The folder of real data; without it sources have the PSF of
        `~photutils_pconv.psf.lobed_psf`.

    half : str, optional
        One of `HALVES`.

    Returns
    -------
    benchmark_map : `_maps.BenchmarkMap`
        The map.
    """
    setup = get_setup(setup=setup_name)
    rng = _make_rng(seed, 9 + HALVES.index(half), part, setup_name, k)
    name, emission, noise = _make_emission(part, setup, k, rng, folder, half)
    psf = lobed_psf(setup) if folder is None else load_vesta(Path(folder), setup)[0]
    return _inject(name, setup, psf, emission, noise, rng)


def make_empty_map(part, setup_name, k, *, seed, folder=None):
    """
    Make a map without sources, but those that a real background has of its own.

    Parameters
    ----------
    part : str
        One of `PARTS`, or 'noise', which is white.

    setup_name, k, seed, folder
        As for `make_finding_map`.

    Returns
    -------
    name : str
        The emission's name.

    data : 2D `~numpy.ndarray`
        The map, NaN where it is missing.
    """
    rng = _make_rng(seed, 11, part, setup_name, k)
    if part == 'noise':
        return part, rng.standard_normal((_SIZE, _SIZE))
    setup = get_setup(setup=setup_name)
    name, emission, noise = _make_emission(part, setup, k, rng, folder, 'test')
    return name, emission + noise


def source_snr(truth):
    """
    Calculate the SNR (Eq. 1) of the sources over the scatter around them.

    Parameters
    ----------
    truth : `_maps.BenchmarkMap`
        The map.

    Returns
    -------
    snr : 1D `~numpy.ndarray`
        Of each source what it would be without its own wings.
    """
    setup = truth.setup
    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(
        np.nan_to_num(truth.noisy),
        truth.x,
        truth.y,
        annulus_radii=ring,
        missing=~np.isfinite(truth.noisy),
    ).local_bkg_std
    scale = setup.pixel_scale.to_value('arcsec')
    _, stamp = place_stamp(truth.psf, truth.x[0], truth.y[0], scale, truth.angle)
    return truth.flux / np.array([flux_for_snr(stamp, 1.0, s, ring) for s in scatter])


def _make_rng(seed, purpose, part, setup_name, k):
    number = setup_number(setup_name)
    parts = (*PARTS, 'noise')
    return np.random.default_rng([seed, purpose, parts.index(part), number, k])


def _make_emission(part, setup, k, rng, folder, half):
    """Make the name, the emission and the noise of a map."""
    if part == 'simulated':
        emission, noise = simulate_emission_and_noise(setup, rng, (_SIZE, _SIZE))
        return part, emission, noise
    name = part
    if part == 'filaments':
        emission = make_filaments(setup, rng)[:_SIZE, :_SIZE]
    else:
        name = BACKGROUNDS[k % len(BACKGROUNDS)]
        emission = load_background(Path(folder) / 'backgrounds' / f'{name}.fits')
        middle = emission.shape[1] // 2
        emission = emission[:, middle:] if half == 'test' else emission[:, :middle]
        emission = _crop(np.rot90(emission, rng.integers(4)), rng)
    unit = 10.0 ** rng.uniform(*EMISSION_RANGE)
    noise = unit * 10.0 ** rng.uniform(*NOISE_RANGE)
    noise = noise * noise_field(emission.shape, rng=rng)
    return name, unit * emission, noise


def _inject(name, setup, psf, emission, noise, rng):
    """Add sources whose fluxes do not depend on where they lie."""
    fwhm = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    known = np.isfinite(emission)
    n = round(_DENSITY * np.count_nonzero(known))
    rank = np.zeros(emission.shape)
    rank[known] = emission[known].argsort().argsort() / np.count_nonzero(known)

    def accept(x, y, power):
        column, row = round(x), round(y)
        return known[row, column] and rng.uniform() < rank[row, column] ** power

    parts = [
        draw_positions(
            emission.shape,
            n // 2,
            rng,
            margin=_MARGIN,
            separation=0.0,
            accept=lambda x, y, power=power: accept(x, y, power),
        )
        for power in (0.0, _PREFERENCE)
    ]
    x, y = _thin(*np.concatenate(parts, axis=1), _SEPARATION * fwhm)
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    noisy = emission + noise
    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(noisy, x, y, annulus_radii=ring).local_bkg_std
    pixel_scale = setup.pixel_scale.to_value('arcsec')
    angle = rng.uniform(0.0, 2.0 * np.pi)
    _, stamp = place_stamp(psf, x[0], y[0], pixel_scale, angle)
    low, high = (
        flux_for_snr(stamp, snr, np.nanmedian(scatter), ring) for snr in _SNR_RANGE
    )
    part = (np.arange(len(x)) + rng.uniform(size=len(x))) / len(x)
    flux = np.exp(np.log(low) + np.log(high / low) * part)
    padded = np.pad(np.zeros(emission.shape), STAMP_SIZE)
    for i in range(len(x)):
        region, stamp = place_stamp(psf, x[i], y[i], pixel_scale, angle)
        padded[region] += flux[i] * stamp
    data = noisy + padded[STAMP_SIZE:-STAMP_SIZE, STAMP_SIZE:-STAMP_SIZE]
    return BenchmarkMap(
        name, setup, emission, noisy, data, x, y, flux, psf, angle, eef=()
    )


def _crop(image, rng):
    """Cut a part of the size of the simulated maps, or less, at random."""
    first = [rng.integers(max(n - _SIZE, 0) + 1) for n in image.shape]
    return image[tuple(slice(one, one + _SIZE) for one in first)].copy()


def _thin(x, y, separation):
    """Leave out positions too close to an earlier one."""
    kept = []
    for i in range(len(x)):
        if np.all(np.hypot(x[kept] - x[i], y[kept] - y[i]) >= separation):
            kept.append(i)
    return x[kept], y[kept]
