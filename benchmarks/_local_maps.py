# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps without sources, and positions on them at which holes are made.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from _maps import EMISSION_RANGE, NOISE_RANGE, draw_positions, setup_number
from _real import BACKGROUNDS, make_real_map
from astropy.stats import gaussian_fwhm_to_sigma
from scipy.ndimage import binary_dilation

from photutils_pconv.evaluation.methods import estimate_noise, infill_roughly
from photutils_pconv.geometry import draw_holes
from photutils_pconv.photometry import snr
from photutils_pconv.setups import get_setup
from photutils_pconv.simulation import noise_field

__all__ = ['PARTS', 'EmptyPositions', 'make_empty_positions']

#: The kinds of emission.
PARTS = ('real', 'filaments')
# All by choice. Positions a map, the least distance from gaps and edges, the radius
# of the holes, and half the side of a cutout (pixels); below which SNR (Eq. 1) a
# real map has no source of its own there.
_POSITIONS, _MARGIN, _HOLE, _HALF = 24, 50, 7.0, 48
_EMPTY_SNR = 5.0
# The filaments: the field's side (pixels), how much longer than wide they are, and
# between which slopes of the power spectrum they lie.
_SIZE, _AXES, _SLOPES = 512, 4.0, (-3.4, -2.6)
_DECIMALS = 3
# Periodic fields of this size (pixels) stand for endless ones, and at this offset
# (pixels) the covariance is zero: as in kriging.
_PERIOD, _LAG = 256, 20


@dataclass(frozen=True, eq=False)
class Cutout:
    """
    The map around a position.

    Parameters
    ----------
    data, emission : 2D `~numpy.ndarray`
        The map, and the emission without noise (Jy/pixel).

    hole, holes : 2D bool `~numpy.ndarray`
        The pixels of the hole at the position, and of all holes.
    """

    data: np.ndarray
    emission: np.ndarray
    hole: np.ndarray
    holes: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class EmptyPositions:
    """
    A map without sources, and positions on it.

    Parameters
    ----------
    name : str
        The map's name.

    setup : `~photutils_pconv.ObservingSetup`
        The observing setup.

    data, emission : 2D `~numpy.ndarray`
        The map, and the emission without noise (Jy/pixel).

    x, y : 1D `~numpy.ndarray`
        The positions (pixels).

    missing : 2D bool `~numpy.ndarray`
        Gaps of the map.
    """

    name: str
    setup: Any
    data: np.ndarray
    emission: np.ndarray
    x: np.ndarray
    y: np.ndarray
    missing: np.ndarray

    hole_radius = _HOLE

    @property
    def beam(self):
        """
        The beam's FWHM (pixels).
        """
        beam = (self.setup.psf_fwhm / self.setup.pixel_scale).to_value('')
        return round(float(beam), _DECIMALS)

    @cached_property
    def holes(self):
        """
        The pixels of all holes and gaps (2D bool `~numpy.ndarray`).
        """
        return self.missing | draw_holes(
            self.data.shape, self.x, self.y, np.full(len(self.x), _HOLE)
        )

    @cached_property
    def filled(self):
        """
        The map with holes and gaps filled roughly (2D `~numpy.ndarray`).
        """
        noise = estimate_noise(self.data, self.holes)
        rng = np.random.default_rng(1)
        return infill_roughly(self.data, self.holes, noise=noise, rng=rng)

    def near(self, margin):
        """
        Tell which pixels are close to holes or gaps.

        Parameters
        ----------
        margin : int
            How close, in pixels along either axis.

        Returns
        -------
        near : 2D bool `~numpy.ndarray`
            True there.
        """
        side = 2 * margin + 1
        return binary_dilation(self.holes, np.ones((side, side)))

    def cutout(self, i):
        """
        Cut out the map around a position, which lies in the middle pixel.

        Parameters
        ----------
        i : int
            The position.

        Returns
        -------
        cutout : `Cutout`
            The part of the map.
        """
        column, row = round(self.x[i]), round(self.y[i])
        part = np.s_[row - _HALF : row + _HALF, column - _HALF : column + _HALF]
        y, x = np.indices((2 * _HALF,) * 2) - _HALF
        distance = np.hypot(x + column - self.x[i], y + row - self.y[i])
        return Cutout(
            data=self.data[part],
            emission=self.emission[part],
            hole=distance <= self.hole_radius,
            holes=self.holes[part],
        )

    def power_law(self, slope, dx, dy):
        """
        Calculate the covariance of a power law seen through the beam.

        Parameters
        ----------
        slope : float
            The slope of the power spectrum.

        dx, dy : 1D `~numpy.ndarray` of int
            The pixels.

        Returns
        -------
        covariance : 2D `~numpy.ndarray`
            Their covariance, in units of the scatter within 20 pixels.
        """
        k = np.hypot(np.fft.fftfreq(_PERIOD)[:, None], np.fft.rfftfreq(_PERIOD))
        k[0, 0] = np.inf
        sigma = self.beam * gaussian_fwhm_to_sigma
        power = k**slope * np.exp(-((2.0 * np.pi * k * sigma) ** 2))
        table = np.fft.irfft2(power, s=(_PERIOD, _PERIOD))
        table /= table[0, 0] - table[0, _LAG]
        return table[dy[:, None] - dy, dx[:, None] - dx]


def make_filaments(setup, rng):
    """
    Simulate emission of elongated structures that all lie along one direction.
    """
    shape = (_SIZE, _SIZE)
    slope, turn = rng.uniform(*_SLOPES), rng.uniform(0.0, np.pi)
    ky, kx = np.fft.fftfreq(_SIZE)[:, None], np.fft.rfftfreq(_SIZE)
    along = kx * np.cos(turn) + ky * np.sin(turn)
    across = ky * np.cos(turn) - kx * np.sin(turn)
    k = np.hypot(along * np.sqrt(_AXES), across / np.sqrt(_AXES))
    k[0, 0] = np.inf
    modes = np.fft.rfft2(rng.standard_normal(shape)) * k ** (slope / 2.0)
    field = np.fft.irfft2(modes, s=shape)
    field = np.exp(field / field.std())
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('') * gaussian_fwhm_to_sigma
    blur = np.exp(-2.0 * (np.pi * np.hypot(kx, ky) * beam) ** 2)
    field = np.fft.irfft2(np.fft.rfft2(field) * blur, s=shape)
    return (field - np.median(field)) / field.std()


def make_empty_positions(part, setup_name, k, *, seed, folder=None):
    """
    Make a map without sources, and choose positions.

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
        The folder of real data.

    Returns
    -------
    empty : `EmptyPositions`
        Map and positions.
    """
    setup = get_setup(setup=setup_name)
    number = setup_number(setup_name)
    seed = [seed, 6, PARTS.index(part), number, k]
    rng = np.random.default_rng(seed)
    if part == 'real':
        name = BACKGROUNDS[k % len(BACKGROUNDS)]
        truth = make_real_map(folder, name, setup, seed=seed, n_sources=1)
        emission, data = truth.emission, truth.noisy
    else:
        name = part
        unit = 10.0 ** rng.uniform(*EMISSION_RANGE)
        emission = unit * make_filaments(setup, rng)
        noise = 10.0 ** rng.uniform(*NOISE_RANGE)
        data = emission + unit * noise * noise_field(emission.shape, rng=rng)
    missing = ~np.isfinite(data)
    level = np.median(data[~missing])

    def accept(x, y):
        rows, columns = (
            slice(max(int(v) - _HALF, 0), int(v) + _HALF + 1) for v in (y, x)
        )
        empty = snr(data, [x], [y], setup=setup)[0] < _EMPTY_SNR
        return empty and not missing[rows, columns].any()

    margin = min(_MARGIN, min(data.shape) // 2 - 1)
    x, y = draw_positions(
        data.shape, _POSITIONS, rng, margin=margin, separation=20.0, accept=accept
    )
    return EmptyPositions(
        name=f'{name} {setup_name} {k}',
        setup=setup,
        data=np.where(missing, level, data),
        emission=np.where(missing, level, emission),
        x=x,
        y=y,
        missing=missing,
    )
