# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training cutouts, simulated on the fly.

A `CutoutSampler` holds a set of emission fields, noise fields and PSF
stamps, and combines them at random: with 200 fields, flips, rotations,
positions, noise levels and fluxes no two cutouts are the same. A batch
follows from its seed alone, so training can be repeated and resumed.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.inpainting.masked_images import scale_cutouts
from photutils_pconv.inpainting.scaling import Scaling
from photutils_pconv.inpainting.wings import expected_wings
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.profiles import wing_profile
from photutils_pconv.simulation._checks import as_integer, make_rng
from photutils_pconv.simulation._sampler import (
    OVERSAMPLING,
    Sampler,
    draw_peak_ratio,
    stack,
)
from photutils_pconv.simulation.cutout_configs import STAMP_SIZE, SamplerConfig
from photutils_pconv.simulation.emission import emission_field

__all__ = ['CutoutBatch', 'CutoutSampler']

# How far from the centre further sources lie, in pixels: those beyond a small
# cutout still have wings on it.
_CROWD = 48
# Given positions are off by at most this, in pixels (section 2.4.3).
_LARGEST_ERROR = 2.0
# The range of the share of the setup's own PSF in a mixture (by choice).
_OWN_SHARE = (0.5, 1.0)
# The share of holes whose radius is any of the setup's (by choice).
_OTHER_RADIUS = 0.1
# The range of any radius, in pixels (by choice: Table 3's and somewhat more).
_ANY_RADIUS = (3.0, 15.0)


@dataclass
class CutoutBatch:
    """
    A batch of training cutouts, arrays of shape (N, H, W) or (N,).

    Parameters
    ----------
    image : `~numpy.ndarray`
        The scaled input with sources and noise; with more images a cutout
        (see `~photutils_pconv.inpainting.masked_images.scale_cutouts`), (N, C, H, W).

    target : `~numpy.ndarray`
        The scaled extended emission, without noise.

    validity : `~numpy.ndarray` of bool
        False in holes and where pixels are missing.

    missing : `~numpy.ndarray` of bool
        Where pixels are missing, and no target is known.

    hole : `~numpy.ndarray` of bool
        The hole of the central source alone.

    radius, snr : `~numpy.ndarray`
        The central hole's radius and the SNR that set it.

    scaling : `~photutils_pconv.inpainting.Scaling`
        The scaling.

    raw, emission : `~numpy.ndarray`
        The input and the extended emission before the scaling.
    """

    image: np.ndarray
    target: np.ndarray
    validity: np.ndarray
    missing: np.ndarray
    hole: np.ndarray
    radius: np.ndarray
    snr: np.ndarray
    scaling: Scaling
    raw: np.ndarray
    emission: np.ndarray


@dataclass(frozen=True)
class _Stamp:
    """The image of a source, its nominal offset (dx, dy), and its peak."""

    image: np.ndarray
    offset: np.ndarray
    peak: float


@dataclass(frozen=True)
class _Sample:
    """One cutout before the scaling; ``terms`` only for wings."""

    raw: np.ndarray
    emission: np.ndarray
    validity: np.ndarray
    missing: np.ndarray
    hole: np.ndarray
    radius: float
    snr: float
    beam: float
    wings: np.ndarray
    terms: list | None


class CutoutSampler(Sampler):
    """
    Draw simulated training cutouts of maps with holes.

    Parameters
    ----------
    setups : sequence of `~photutils_pconv.setups.ObservingSetup`
        The setups; every field belongs to one of them.

    config : `SamplerConfig`, optional
        The ranges.

    normalisation : dict, optional
        Keyword arguments of `~photutils_pconv.inpainting.normalise`, and
        ``wings`` and ``kriging`` (see
        `~photutils_pconv.inpainting.masked_images.scale_cutouts`).

    seed : int, optional
        The seed of the fields and stamps.

    backgrounds : sequence of `Background`, optional
        Real maps (`make_background`), whose emission ``config.real_share`` of
        the cutouts have.
    """

    kind = 'masked'
    config_class = SamplerConfig
    _faint_share = 0.75

    def _generator(self, turn):
        if self.config.all_emission and turn:
            return self._simulate_emission
        return emission_field

    def _turn(self, crop, rng):
        return _dihedral(crop, rng.integers(8))

    def _make_stamps(self, setup, rng):
        return [self._make_stamp(setup, rng) for _ in range(self.config.n_stamps)]

    def _make_stamp(self, setup, rng):
        cfg = self.config
        # The reference rounds positions up, so the nominal position
        # lies on or within a pixel below the centre.
        offset = -rng.uniform(0.0, 1.0, size=2)
        error = np.clip(
            rng.normal(0, cfg.position_error, 2), -_LARGEST_ERROR, _LARGEST_ERROR
        )
        if cfg.far_position and rng.random() < cfg.far_position:
            error = rng.uniform(-_LARGEST_ERROR, _LARGEST_ERROR, 2)
        x, y = STAMP_SIZE // 2 + offset + error
        scale = setup.pixel_scale.to_value('arcsec')
        angle = rng.uniform(0.0, 2.0 * np.pi)
        stretch = np.exp(rng.uniform(-1, 1) * cfg.stretch)
        if cfg.width:
            scale *= np.exp(rng.normal(0.0, cfg.width))

        def render(psf):
            return psf.render(
                (STAMP_SIZE, STAMP_SIZE),
                x,
                y,
                pixel_scale=scale,
                angle=angle,
                stretch=stretch,
                oversampling=OVERSAMPLING,
            )

        image = render(lobed_psf(setup))
        if cfg.all_psfs:
            share = rng.uniform(*_OWN_SHARE)
            image *= 1.0 - share
            image += share * render(get_psf(setup))
        return _Stamp(image.astype(np.float32), offset, image.max())

    def batch(self, n, seed):
        """
        Draw a batch.

        Parameters
        ----------
        n : int
            The number of cutouts.

        seed : int or sequence of int
            The seed; the same seed gives the same batch.

        Returns
        -------
        batch : `CutoutBatch`
            The cutouts.

        Raises
        ------
        TypeError, ValueError
            If an argument is not accepted.
        """
        n = as_integer(n, 'n', low=1)
        rng = make_rng(seed)
        samples = [self._sample(rng) for _ in range(n)]
        raw, emission, validity, missing, radius = (
            stack(samples, name)
            for name in ('raw', 'emission', 'validity', 'missing', 'radius')
        )
        with_wings = bool(self.normalisation.get('wings'))
        image, scaling, _ = scale_cutouts(
            raw,
            validity,
            missing,
            self.normalisation,
            wings=stack(samples, 'wings') if with_wings else None,
            terms=[sample.terms for sample in samples] if with_wings else None,
            beam=stack(samples, 'beam'),
            radius=radius,
        )
        if image.shape[1] == 1:
            image = image[:, 0]
        target = scaling.apply(emission)
        return CutoutBatch(
            image=image.astype(np.float32),
            target=target.astype(np.float32),
            validity=validity,
            missing=missing,
            hole=stack(samples, 'hole'),
            radius=radius,
            snr=stack(samples, 'snr'),
            scaling=scaling,
            raw=raw,
            emission=emission,
        )

    def _sample(self, rng):
        cfg = self.config
        ground = self._draw_ground(rng)
        setup, stamps = ground.setup, self._stamps[ground.owner]

        # The central source, and the hole that its SNR asks for.
        log_peak = self._draw_log_peak(rng)
        stamp = stamps[rng.integers(len(stamps))]
        peak = ground.spread * 10.0**log_peak
        if cfg.empty and rng.random() < cfg.empty:
            peak = 0.0
        image = self._add(ground.image, stamp.image, 0, 0, peak / stamp.peak)

        others = []
        for _ in range(self._draw_n_neighbours(rng)):
            dx, dy = rng.integers(-_CROWD, _CROWD, size=2)
            other = stamps[rng.integers(len(stamps))]
            value = peak or ground.spread * 10.0**log_peak
            value *= draw_peak_ratio(rng)
            image = self._add(image, other.image, dx, dy, value / other.peak)
            others.append((dx + other.offset[0], dy + other.offset[1], value))

        snr = self._snr(image, setup, ground.annulus & ~ground.missing)
        radius = setup.hole_radius(snr)
        if rng.random() < _OTHER_RADIUS:
            radius = rng.choice(setup.hole_radii)
        if cfg.any_radius and rng.random() < cfg.any_radius:
            radius = rng.uniform(*_ANY_RADIUS)
        hole = self._disc(stamp.offset, radius)
        holes = hole.copy()
        sources = [(*stamp.offset, radius)]
        for dx, dy, value in others:
            sources.append((dx, dy, setup.hole_radius(value / ground.spread)))
            holes |= self._disc((dx, dy), sources[-1][2])

        missing = self._draw_missing(ground, rng)
        validity = ~(holes | missing)
        wings, terms = self._wings(image, sources, setup, validity, missing)
        return _Sample(
            raw=image,
            emission=ground.emission,
            validity=validity,
            missing=missing,
            hole=hole,
            radius=float(radius),
            snr=float(snr),
            beam=wing_profile(setup).beam_fwhm,
            wings=wings,
            terms=terms,
        )

    def _wings(self, image, sources, setup, validity, missing):
        """
        Give the expected wings, and how those of the first source may differ.
        """
        if not self.normalisation.get('wings'):
            return np.zeros((1, 1)), None
        x, y, radius = np.array(sources).T
        profile = wing_profile(setup)
        wings = expected_wings(
            np.where(missing, np.nan, image),
            x + self._half,
            y + self._half,
            radius,
            profile=profile,
            usable=validity,
        )
        terms = profile.terms(
            self._xx - self._half - x[0],
            self._yy - self._half - y[0],
            flux=wings.flux[0],
            flux_err=wings.flux_err[0],
        )
        return wings.image, terms

    def _disc(self, offset, radius):
        dx = self._xx - self._half - offset[0]
        dy = self._yy - self._half - offset[1]
        return dx**2 + dy**2 <= radius**2

    def _snr(self, image, setup, annulus):
        source = self._ring(0.0, setup.snr_source_radius)
        background = image[annulus]
        return (image[source].max() - background.mean()) / background.std()


def _dihedral(image, k):
    """Apply one of the eight flips and quarter turns."""
    image = np.rot90(image, k % 4)
    return image[:, ::-1] if k >= 4 else image
