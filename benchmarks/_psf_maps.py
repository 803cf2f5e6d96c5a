# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The maps of the benchmark of removal with a known PSF.

Their sources have the in-flight PSFs of Vesta, turned by a random angle,
while the methods are given the package's PSF: the mismatch is real. Only
on the Gaussian fields, where the optimum is calculated, the PSF is known.
"""

from pathlib import Path

import numpy as np
from _maps import (
    MARGIN,
    BenchmarkMap,
    draw_positions,
    inject,
    inject_pairs,
    make_map,
    setup_number,
    simulate_emission_and_noise,
)
from _real import BACKGROUNDS, load_vesta, make_real_map
from _stamps import measured_eef
from astropy.stats import gaussian_fwhm_to_sigma

from photutils_pconv.psf import PixelPSF, get_psf
from photutils_pconv.setups import get_setup

__all__ = [
    'GAUSSIAN_FIELDS',
    'GAUSSIAN_UNIT',
    'PAIR_DISTANCES',
    'PAIR_SHARES',
    'PAIR_SNR',
    'SECOND_SNR',
    'gaussian_covariance',
    'make_benchmark_map',
]

#: The distances of the sources of a pair, in FWHM.
PAIR_DISTANCES = (0.7, 1.0, 1.5, 2.0, 3.0)
#: The second source's flux in units of the first's.
PAIR_SHARES = (1.0, 1 / 3, 1 / 10, 1 / 30)
#: The SNR (Eq. 1) that the first source has alone, at least, and the one that the
#: second is to have: a fainter one would show the noise, not the blend.
PAIR_SNR, SECOND_SNR = 50.0, 15.0
#: Slope of the power spectrum, and noise in units of the emission's
#: scatter, of the Gaussian fields.
GAUSSIAN_FIELDS = ((-2.5, 0.1), (-3.5, 0.03))
#: The standard deviation of the Gaussian fields (Jy/pixel).
GAUSSIAN_UNIT = 1.0e-3

_SIZE = 512


class RoundPSF:
    """
    The package's PSF, averaged over all angles.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The observing setup.
    """

    def __init__(self, setup):
        self.pixels = PixelPSF(get_psf(setup), setup.pixel_scale.to_value('arcsec'))

    def render(self, shape, x, y, *, pixel_scale=None, angle=0.0, oversampling=1):
        """
        Render a source of flux 1, on the setup's pixels.

        Parameters
        ----------
        shape : tuple of int
            The shape (ny, nx) of the image.

        x, y : float
            The source's position.

        pixel_scale, angle, oversampling : optional
            Of no effect: the setup's pixels, all angles, and averages over
            pixels are those of the PSF.

        Returns
        -------
        image : 2D `~numpy.ndarray`
            The flux in each pixel.
        """
        ny, nx = shape
        return self.pixels.evaluate(np.arange(nx) - x, np.arange(ny)[:, None] - y)


def _amplitude(shape, slope, beam):
    """
    Return the amplitude of each Fourier mode, for a field of variance 1.
    """
    ky, kx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    k = np.hypot(kx, ky)
    sigma = beam * gaussian_fwhm_to_sigma
    k[0, 0] = np.inf
    amplitude = k ** (slope / 2) * np.exp(-2.0 * (np.pi * k * sigma) ** 2)
    amplitude[0, 0] = 0.0
    return amplitude / np.sqrt(np.fft.irfft2(amplitude**2, s=shape)[0, 0])


def gaussian_covariance(setup, slope, *, half, shape=(_SIZE, _SIZE)):
    """
    Calculate the covariance of a Gaussian field of variance 1.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The observing setup, for the beam.

    slope : float
        The slope of the power spectrum.

    half : int
        As for `~photutils_pconv.evaluation.kriging`.

    shape : tuple of int, optional
        The map's shape.

    Returns
    -------
    covariance : 2D `~numpy.ndarray`
        The covariance by the pixels' offset, 0 at the centre.
    """
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    covariance = np.fft.irfft2(_amplitude(shape, slope, beam) ** 2, s=shape)
    reach = np.arange(-2 * half, 2 * half + 1)
    return covariance[reach[:, None], reach]


def _make_gaussian_map(setup, kind, seed, n_sources, size):
    """
    Make a Gaussian field with white noise; sources have the package's PSF.
    """
    rng = np.random.default_rng(seed)
    slope, noise = GAUSSIAN_FIELDS[kind]
    shape = (size, size)
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    modes = np.fft.rfft2(rng.standard_normal(shape))
    emission = np.fft.irfft2(modes * _amplitude(shape, slope, beam), s=shape)
    noise = noise * rng.standard_normal(shape)
    positions = draw_positions(shape, n_sources, rng, margin=MARGIN)
    psf = RoundPSF(setup)
    eef = measured_eef(psf, setup.pixel_scale.to_value('arcsec'))
    emission, noise = GAUSSIAN_UNIT * emission, GAUSSIAN_UNIT * noise
    name = f'gaussian {kind}'
    return inject(name, setup, psf, eef, emission, noise, positions, rng)


def _make_pairs_map(setup, psf, eef, seed, n_pairs, size):
    """
    Make a simulated map with pairs of sources.
    """
    rng = np.random.default_rng(seed)
    emission, noise = simulate_emission_and_noise(setup, rng, (size, size))
    positions = draw_positions(emission.shape, n_pairs, rng, margin=MARGIN)
    fwhm = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    kinds = [(d * fwhm, share) for d in PAIR_DISTANCES for share in PAIR_SHARES]
    first = rng.integers(len(kinds))
    pairs = [kinds[(first + k) % len(kinds)] for k in range(len(positions[0]))]
    return inject_pairs(
        'pairs',
        setup,
        psf,
        eef,
        emission,
        noise,
        positions,
        rng,
        pairs=pairs,
        snr=[max(PAIR_SNR, SECOND_SNR / share) for _, share in pairs],
    )


def make_benchmark_map(
    part, setup_name, k, *, seed, folder=None, n_sources=30, size=_SIZE
) -> BenchmarkMap:
    """
    Make one of the benchmark's maps.

    Parameters
    ----------
    part : {'simulated', 'real', 'pairs', 'gaussian'}
        The kind of map.

    setup_name : str
        The setup.

    k : int
        The map's number, which chooses real background and Gaussian
        field in turn.

    seed : int
        The benchmark's seed.

    folder : path-like, optional
        The folder of real data. Without it simulated sources have the
        PSF of `~photutils_pconv.psf.lobed_psf`.

    n_sources : int, optional
        The number of sources, or of pairs.

    size : int, optional
        The side of simulated maps (pixels).

    Returns
    -------
    benchmark_map : `_maps.BenchmarkMap`
        The map.
    """
    setup = get_setup(setup=setup_name)
    own = setup_number(setup_name)
    parts = ('simulated', 'real', 'pairs', 'gaussian')
    seed = [seed, 4, parts.index(part), own, k]
    if part == 'real':
        name = BACKGROUNDS[k % len(BACKGROUNDS)]
        return make_real_map(folder, name, setup, seed=seed, n_sources=n_sources)
    if part == 'gaussian':
        kind = k % len(GAUSSIAN_FIELDS)
        return _make_gaussian_map(setup, kind, seed, n_sources, size)
    if folder is not None:
        psf = load_vesta(Path(folder), setup)
    elif part == 'pairs':
        psf = make_map(setup, seed=seed, n_sources=0, size=2 * MARGIN)
        psf = psf.psf, psf.eef
    else:
        psf = None
    if part == 'pairs':
        return _make_pairs_map(setup, *psf, seed, n_sources, size)
    return make_map(setup, seed=seed, n_sources=n_sources, size=size, psf=psf)
