# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sources of residual cutouts: with one PSF, and fitted with another.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.simulation._checks import (
    as_integer,
    as_number,
    as_pair,
    as_sequence,
)
from photutils_pconv.simulation._sampler import OVERSAMPLING, STAMP_SIZE, CutoutConfig

__all__ = ['ResidualConfig', 'SetupStamps', 'Stamp', 'make_stamps']

# The most angles, and the largest standard deviation of a logarithm, or of a
# position (pixels); by choice.
_MOST_ANGLES = 1000
_LARGEST_SIGMA = 3.0
# Given positions are off by at most this, in pixels (by choice).
_LARGEST_ERROR = 1.0
# The share of faint sources whose positions are off (by choice).
_OFF_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class ResidualConfig(CutoutConfig):
    """
    The ranges from which a `ResidualSampler` draws.

    Parameters
    ----------
    n_fields, n_noise, n_stamps : int, optional
        The number of emission fields, of noise fields, and of PSF stamps
        a setup.

    log_peak : tuple of float, optional
        The limits of log10(peak of the source / local scatter): four
        fifths of the sources between the first two, the rest up to the
        third.

    field_size : int, optional
        The side of a field, in pixels.

    size : int, optional
        The side of a cutout, in pixels: even, and at most
        `~photutils_pconv.geometry.CUTOUT_SIZE`.

    log_noise : tuple of float, optional
        The range of log10(noise / local scatter of the emission).

    neighbours : float, optional
        The probability of a cutout to hold one to three further sources.

    missing : float, optional
        The probability of a cutout to have missing pixels.

    realistic : bool, optional
        Whether emission and noise vary as those of real maps do
        (`simulate_emission`, `simulate_noise`), or as the first bundled
        models were trained on.

    real_share : float, optional
        The share of cutouts whose emission is that of a real map, where a
        sampler has any.

    added_noise : tuple of float, optional
        The range of log10(noise / local scatter) that is added to real maps,
        beside the noise of their own, which is part of what the network is
        to give; ``()`` for none.

    n_angles : int, optional
        The number of angles a setup at which PSFs are rendered.

    mismatch : tuple of float, optional
        The levels of the PSF's expected relative error, one of which is
        drawn: that of a PSF from elsewhere, and those that remain when a
        map's bright sources determine the PSF more closely.

    lobes : float, optional
        The PSF is a mixture of the setup's own and of the analytic
        `~photutils_pconv.psf.lobed_psf`, whose largest share this is, in
        units of the expected error: the two differ by some 10 percent of
        the peak.

    width, stretch : float, optional
        The standard deviation of the logarithm of the PSF's width, and
        of its stretch along one axis, in units of the expected error.

    position_error : tuple of float, optional
        The standard deviations of the error of bright sources' positions
        (which are fitted), and of those of half of the faint sources; in
        pixels.

    known_angle : float, optional
        The share of cutouts on which the PSF's angle is known.
    """

    n_fields: int = 360
    n_noise: int = 36
    n_stamps: int = 144
    log_peak: tuple = (0.3, 2.7, 4.0)
    n_angles: int = 8
    mismatch: tuple = (0.05, 0.025, 0.01)
    lobes: float = 10.0
    width: float = 0.5
    stretch: float = 0.6
    position_error: tuple = (0.02, 0.25)
    known_angle: float = 0.5

    _shares = (*CutoutConfig._shares, 'known_angle')

    def __post_init__(self):
        super().__post_init__()
        as_integer(self.n_angles, 'n_angles', low=1, high=_MOST_ANGLES)
        levels = as_sequence(self.mismatch, 'mismatch', 'numbers')
        for level in levels:
            as_number(level, 'mismatch', above=0, high=1)
        # Each level has precise and other stamps in turns.
        if not levels or self.n_stamps < 2 * len(levels) - 1:
            msg = (
                'mismatch must have at least one level, and n_stamps two for each, got '
                f'{self.mismatch!r} and {self.n_stamps}.'
            )
            raise ValueError(msg)
        as_pair(self.position_error, 'position_error', low=0, high=_LARGEST_SIGMA)
        as_number(self.lobes, 'lobes', low=0, high=1 / max(levels))
        for name in ('width', 'stretch'):
            as_number(getattr(self, name), name, low=0, high=_LARGEST_SIGMA)


@dataclass(frozen=True)
class Stamp:
    """
    The image of a source, its nominal offset (dx, dy) and its peak.

    ``angle`` and ``grade`` are the numbers of the PSF's angle and of its level
    of mismatch; ``precise`` says whether the position is as good as a fitted one.
    """

    image: np.ndarray
    offset: np.ndarray
    peak: float
    angle: int
    grade: int
    precise: bool


@dataclass(frozen=True)
class SetupStamps:
    """
    The stamps of a setup, and the PSFs that are fitted to them.

    There is a list of PSFs for each level of mismatch: the first of it is the mean
    over all angles, the others have one each.
    """

    psfs: list
    stamps: list

    def psf(self, grade, angle=None):
        """Give the PSF of a level of mismatch, by default the mean over all angles."""
        return self.psfs[grade][0 if angle is None else 1 + angle]

    def choose(self, angle, grade):
        """Give the stamps of a level of mismatch, of one angle if there are any."""
        alike = [stamp for stamp in self.stamps if stamp.grade == grade]
        return [stamp for stamp in alike if stamp.angle == angle] or alike


def make_stamps(setup, cfg, rng):
    """Draw the stamps of a setup, and the PSFs that are fitted to them."""
    scale = setup.pixel_scale.to_value('arcsec')
    own, lobed = get_psf(setup), lobed_psf(setup)
    angles = rng.uniform(0.0, 2.0 * np.pi, cfg.n_angles)
    psfs = [PixelPSF(own, scale)]
    psfs += [PixelPSF(own, scale, angle=angle) for angle in angles]
    stamps = []
    for k in range(cfg.n_stamps):
        # The nominal position lies on or within a pixel below the
        # centre: see cutout_origin.
        offset = -rng.uniform(0.0, 1.0, size=2)
        precise = k % 2 == 0
        sigma = cfg.position_error[0]
        if not precise and rng.random() < _OFF_SHARE:
            sigma = cfg.position_error[1]
        moved = np.clip(rng.normal(0, sigma, 2), -_LARGEST_ERROR, _LARGEST_ERROR)
        x, y = STAMP_SIZE // 2 + offset + moved
        number = rng.integers(cfg.n_angles)
        grade = (k // 2) % len(cfg.mismatch)
        error = cfg.mismatch[grade]
        own_scale = scale * np.exp(rng.normal(0.0, cfg.width * error))
        stretch = np.exp(rng.normal(0.0, cfg.stretch * error))
        angle = angles[number] + rng.normal(0.0, error)
        share = rng.uniform(0.0, cfg.lobes * error)
        image = 0.0
        for psf, part in ((own, 1 - share), (lobed, share)):
            image = image + part * psf.render(
                (STAMP_SIZE, STAMP_SIZE),
                x,
                y,
                pixel_scale=own_scale,
                angle=angle,
                stretch=stretch,
                oversampling=OVERSAMPLING,
            )
        stamps.append(
            Stamp(
                image=image.astype(np.float32),
                offset=offset,
                peak=image.max(),
                angle=number,
                grade=grade,
                precise=precise,
            )
        )
    # What each is drawn with is made once, not for every cutout.
    graded = [[psf.with_mismatch(error) for psf in psfs] for error in cfg.mismatch]
    return SetupStamps(graded, stamps)
