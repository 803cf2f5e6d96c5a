# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sources of residual cutouts: with one PSF, and fitted with another.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.simulation._sampler import OVERSAMPLING
from photutils_pconv.simulation.cutout_configs import STAMP_SIZE

__all__ = ['SetupStamps', 'Stamp', 'make_stamps']

# Given positions are off by at most this, in pixels (by choice).
_LARGEST_ERROR = 1.0
# The share of faint sources whose positions are off (by choice).
_OFF_SHARE = 0.5


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
