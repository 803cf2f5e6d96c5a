# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Seeded maps with known sources on known emission, for the benchmarks.

To simulated emission, noise is added, and sources of known flux at known
positions. See `_real` for maps of real emission.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from _stamps import STAMP_SIZE, flux_for_snr, measured_eef, place_stamp

from photutils_pconv.photometry import local_background
from photutils_pconv.psf import lobed_psf
from photutils_pconv.simulation import emission_field, noise_field

__all__ = [
    'EMISSION_RANGE',
    'MARGIN',
    'NOISE_RANGE',
    'BenchmarkMap',
    'draw_positions',
    'inject',
    'inject_pairs',
    'make_map',
    'setup_number',
    'simulate_emission_and_noise',
]

#: The SNR (Eq. 1) at which sources are aimed: a little more than the
#: benchmark's bins hold, so that their outer edges are not starved.
SNR_RANGE = (3.0, 1800.0)

#: The least distance of a source from the map's edge, in pixels.
MARGIN = 48

# The least distance of two sources (pixels), by choice.
_SEPARATION = 64.0
#: The emission's standard deviation (Jy/pixel), and the noise's in units of it:
#: powers of ten between these, by choice.
EMISSION_RANGE = (-4.5, -2.5)
NOISE_RANGE = (-1.5, 0.5)
# Positions that are tried, at most, for each source.
_TRIES = 60


@dataclass(frozen=True, eq=False)
class BenchmarkMap:
    """
    A map of which everything is known, in Jy/pixel.

    Parameters
    ----------
    name : str
        The emission: 'simulated' or the name of a real background.

    setup : `~photutils_pconv.ObservingSetup`
        The observing setup, whose pixel scale the map has.

    emission : 2D `~numpy.ndarray`
        The extended emission, without noise.

    noisy : 2D `~numpy.ndarray`
        Emission and noise.

    data : 2D `~numpy.ndarray`
        Emission, noise and sources: the map.

    x, y, flux : 1D `~numpy.ndarray`
        The sources' positions (0-based) and total fluxes (Jy).

    psf : object
        Their PSF, with a method ``render``.

    angle : float
        The PSF's angle on this map, in radians.

    eef : tuple of `~numpy.ndarray`
        The PSF's radii (arcsec) and encircled-energy fractions.
    """

    name: str
    setup: Any
    emission: np.ndarray
    noisy: np.ndarray
    data: np.ndarray
    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    psf: Any
    angle: float
    eef: tuple

    def background(self, i, rows, columns):
        """
        Give the noise-free truth behind a source, in a part of the map.

        Parameters
        ----------
        i : int
            The source.

        rows, columns : slice
            The part of the map, near the source.

        Returns
        -------
        background : 2D `~numpy.ndarray`
            The emission and the wings of all other sources.
        """
        others = (self.data - self.noisy)[rows, columns] - self.flux[
            i
        ] * self.psf.render(
            (rows.stop - rows.start, columns.stop - columns.start),
            self.x[i] - columns.start,
            self.y[i] - rows.start,
            pixel_scale=self.setup.pixel_scale.to_value('arcsec'),
            angle=self.angle,
        )
        return self.emission[rows, columns] + others


@cache
def _setup_psf(setup):
    psf = lobed_psf(setup)
    return psf, measured_eef(psf, setup.pixel_scale.to_value('arcsec'))


def setup_number(name):
    """
    Give a number of a setup's own for seeds, the same whatever setups are chosen.

    Parameters
    ----------
    name : str
        The setup's name.

    Returns
    -------
    number : int
        The number.
    """
    return sum(ord(letter) * 31**i for i, letter in enumerate(name)) % 10**6


def draw_positions(
    shape, n_sources, rng, *, margin, accept=None, separation=_SEPARATION
):
    """
    Draw positions that are far from each other.

    Parameters
    ----------
    shape : tuple of int
        The map's shape (ny, nx).

    n_sources : int
        The number of positions, at most: a small map holds fewer.

    rng : `numpy.random.Generator`
        The source of randomness.

    margin : float
        The least distance from the map's edge, in pixels.

    accept : callable, optional
        Tells of a position (x, y) whether it is wanted.

    separation : float, optional
        The least distance of two positions, in pixels.

    Returns
    -------
    x, y : 1D `~numpy.ndarray`
        The positions.
    """
    ny, nx = shape
    positions = np.empty((0, 2))
    for _ in range(_TRIES * n_sources):
        if len(positions) == n_sources:
            break
        one = rng.uniform(margin, (nx - margin, ny - margin))
        if np.all(np.hypot(*(positions - one).T) >= separation) and (
            accept is None or accept(*one)
        ):
            positions = np.vstack([positions, one])
    return positions.T


def inject(
    name, setup, psf, eef, emission, noise, positions, rng, *, snr_range=SNR_RANGE
):
    """
    Add noise and sources to emission.

    The fluxes are drawn so that the SNR (Eq. 1) spans its range evenly
    in its logarithm. They follow from the local scatter, which includes
    the source's own wings, but not from what lies at the very position:
    else faint sources would prefer troughs.

    Parameters
    ----------
    name : str
        The emission's name.

    setup : `~photutils_pconv.ObservingSetup`
        The observing setup.

    psf : object
        The PSF, with a method ``render``.

    eef : tuple of `~numpy.ndarray`
        Its radii (arcsec) and encircled-energy fractions.

    emission, noise : 2D `~numpy.ndarray`
        The extended emission and the noise, in Jy/pixel.

    positions : tuple of 1D `~numpy.ndarray`
        The sources' x and y.

    rng : `numpy.random.Generator`
        The source of randomness.

    snr_range : tuple of float, optional
        The lowest and the highest SNR.

    Returns
    -------
    benchmark_map : `BenchmarkMap`
        The map.
    """
    x, y = positions
    pixel_scale = setup.pixel_scale.to_value('arcsec')
    angle = rng.uniform(0.0, 2.0 * np.pi)
    noisy = emission + noise
    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(noisy, x, y, annulus_radii=ring).local_bkg_std
    low, high = np.log(snr_range)
    # Stratified: every map covers the whole range.
    part = (rng.permutation(len(x)) + rng.uniform(size=len(x))) / max(len(x), 1)
    target = np.exp(low + (high - low) * part)

    sources = np.zeros(emission.shape)
    flux = np.empty(len(x))
    padded = np.pad(sources, STAMP_SIZE)
    for i in range(len(x)):
        region, stamp = place_stamp(psf, x[i], y[i], pixel_scale, angle)
        flux[i] = flux_for_snr(stamp, target[i], scatter[i], ring)
        padded[region] += flux[i] * stamp
    sources = padded[STAMP_SIZE:-STAMP_SIZE, STAMP_SIZE:-STAMP_SIZE]
    return BenchmarkMap(
        name, setup, emission, noisy, noisy + sources, x, y, flux, psf, angle, eef
    )


def inject_pairs(name, setup, psf, eef, emission, noise, positions, rng, *, pairs, snr):
    """
    Add noise and pairs of sources to emission.

    Parameters
    ----------
    name, setup, psf, eef, emission, noise
        As for `inject`.

    positions : tuple of 1D `~numpy.ndarray`
        The x and y of the middles of the pairs.

    rng : `numpy.random.Generator`
        The source of randomness.

    pairs : sequence of (float, float)
        For each position the distance of the two sources (pixels) and
        the flux of the second in units of the first's.

    snr : sequence of float
        The SNR (Eq. 1) that the first source of each pair would have alone.

    Returns
    -------
    benchmark_map : `BenchmarkMap`
        The map; the two sources of each pair follow each other.
    """
    pixel_scale = setup.pixel_scale.to_value('arcsec')
    angle = rng.uniform(0.0, 2.0 * np.pi)
    noisy = emission + noise
    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(noisy, *positions, annulus_radii=ring).local_bkg_std
    x, y, flux = np.empty((3, 2 * len(pairs)))
    padded = np.pad(np.zeros(emission.shape), STAMP_SIZE)
    for k, (distance, share) in enumerate(pairs):
        turn = rng.uniform(0.0, 2.0 * np.pi)
        for i, sign in ((2 * k, -0.5), (2 * k + 1, 0.5)):
            x[i] = positions[0][k] + sign * distance * np.cos(turn)
            y[i] = positions[1][k] + sign * distance * np.sin(turn)
            region, stamp = place_stamp(psf, x[i], y[i], pixel_scale, angle)
            if sign < 0:
                first = flux_for_snr(stamp, snr[k], scatter[k], ring)
            flux[i] = first if sign < 0 else share * first
            padded[region] += flux[i] * stamp
    data = noisy + padded[STAMP_SIZE:-STAMP_SIZE, STAMP_SIZE:-STAMP_SIZE]
    return BenchmarkMap(name, setup, emission, noisy, data, x, y, flux, psf, angle, eef)


def simulate_emission_and_noise(setup, rng, shape):
    """
    Simulate emission and noise, in Jy/pixel.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The observing setup.

    rng : `numpy.random.Generator`
        The source of randomness.

    shape : tuple of int
        The shape (ny, nx).

    Returns
    -------
    emission, noise : 2D `~numpy.ndarray`
        The two.
    """
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    unit = 10.0 ** rng.uniform(*EMISSION_RANGE)
    emission = unit * emission_field(shape, beam_fwhm=beam, rng=rng).astype(float)
    noise = unit * 10.0 ** rng.uniform(*NOISE_RANGE) * noise_field(shape, rng=rng)
    return emission, noise


def make_map(setup, *, seed, n_sources=30, size=512, psf=None):
    """
    Make a map of simulated emission with sources.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The observing setup.

    seed : sequence of int
        The seed.

    n_sources : int, optional
        The number of sources.

    size : int, optional
        The map's side in pixels.

    psf : tuple, optional
        The sources' PSF and what `measured_eef` gives for it (default:
        `~photutils_pconv.psf.lobed_psf`).

    Returns
    -------
    benchmark_map : `BenchmarkMap`
        The map.
    """
    rng = np.random.default_rng(seed)
    emission, noise = simulate_emission_and_noise(setup, rng, (size, size))
    positions = draw_positions(emission.shape, n_sources, rng, margin=MARGIN)
    psf, eef = psf or _setup_psf(setup)
    return inject('simulated', setup, psf, eef, emission, noise, positions, rng)
