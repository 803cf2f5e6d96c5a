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

from photutils_pconv.geometry.cutouts import CUTOUT_SIZE
from photutils_pconv.inpainting.masked_images import scale_cutouts
from photutils_pconv.inpainting.wings import expected_wings
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.profiles import wing_profile
from photutils_pconv.simulation._cutout_parts import (
    STAMP_SIZE,
    draw_missing,
    shift_stamp,
)
from photutils_pconv.simulation.emission import (
    emission_field,
    noise_field,
    simulate_emission,
)

__all__ = ['CutoutBatch', 'CutoutSampler', 'SamplerConfig']

# Sources beyond a cutout still have wings on it.
_CROWD = CUTOUT_SIZE // 2


@dataclass(frozen=True, kw_only=True)
class SamplerConfig:
    """
    The ranges from which a `CutoutSampler` draws.

    Parameters
    ----------
    n_fields, n_noise, n_stamps : int, optional
        The number of emission fields, of noise fields, and of PSF stamps
        a setup.

    field_size : int, optional
        The side of a field, in pixels.

    log_noise : tuple of float, optional
        The range of log10(noise / local scatter of the emission).

    log_peak : tuple of float, optional
        The limits of log10(peak of the source / local scatter): three
        quarters of the sources between the first two, the rest up to the
        third. Together with the scatter of a map this covers the paper's
        fluxes of 10 mJy to 40 Jy (Table 1).

    stretch : float, optional
        The largest stretch of a PSF along a random axis, as a logarithm.

    position_error : float, optional
        The sigma of the given positions' error, in pixels; errors are
        cut at 2 pixels (section 2.4.3 of the paper).

    neighbours : float, optional
        The probability of a cutout to hold one to three further sources.

    missing : float, optional
        The probability of a cutout to have missing pixels.

    size : int, optional
        The side of the cutouts, in pixels.

    all_emission : bool, optional
        Whether half of the fields are those of `simulate_emission`, with
        bubbles and mixtures, or all those of `emission_field`.

    all_psfs : bool, optional
        Whether PSFs are mixtures of the setup's own physical one (`get_psf`)
        and the analytic `~photutils_pconv.psf.lobed_psf`, at least half of
        them the former, or the latter alone.

    width : float, optional
        The standard deviation of the logarithm of a PSF's width.

    far_position : float, optional
        The share of positions that are off by anything up to 2 pixels.

    any_radius : float, optional
        The probability of a hole to have any radius from 3 to 15 pixels
        instead of that of its SNR.

    empty : float, optional
        The probability of a cutout to have no source in its central hole,
        as the holes have that tell the errors on a map.
    """

    n_fields: int = 240
    n_noise: int = 24
    n_stamps: int = 96
    field_size: int = 512
    log_noise: tuple = (-1.7, 1.0)
    log_peak: tuple = (0.4, 3.0, 4.5)
    stretch: float = 0.08
    position_error: float = 0.4
    neighbours: float = 0.35
    missing: float = 0.15
    size: int = CUTOUT_SIZE
    all_emission: bool = False
    all_psfs: bool = False
    width: float = 0.0
    far_position: float = 0.0
    any_radius: float = 0.0
    empty: float = 0.0


@dataclass
class CutoutBatch:
    """
    A batch of training cutouts, arrays of shape (N, H, W) or (N,).

    Parameters
    ----------
    image : `~numpy.ndarray`
        The scaled input with sources and noise; with more images a cutout
        (see `~photutils_pconv.inpainting.scale_cutouts`), (N, C, H, W).

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

    scaling : `~photutils_pconv.geometry.Scaling`
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
    scaling: object
    raw: np.ndarray
    emission: np.ndarray


class CutoutSampler:
    """
    Draw simulated training cutouts of the setups of one mode.

    Parameters
    ----------
    setups : sequence of `~photutils_pconv.setups.ObservingSetup`
        The setups; every field belongs to one of them.

    config : `SamplerConfig`, optional
        The ranges.

    normalisation : dict, optional
        Keyword arguments of `~photutils_pconv.geometry.normalise`.

    seed : int, optional
        The seed of the fields and stamps.
    """

    def __init__(self, setups, *, config=None, normalisation=None, seed=0):
        self.setups = tuple(setups)
        self.config = SamplerConfig() if config is None else config
        self.normalisation = normalisation or {'name': 'robust'}
        cfg = self.config
        rng = np.random.default_rng([seed, 1])
        shape = (cfg.field_size, cfg.field_size)
        self._owner = np.arange(cfg.n_fields) % len(self.setups)
        beams = [
            (setup.psf_fwhm / setup.pixel_scale).to_value('') for setup in self.setups
        ]
        self._fields = np.stack(
            [
                self._generator(i)(
                    shape, beam_fwhm=beams[k] * rng.uniform(0.75, 1.1), rng=rng
                )
                for i, k in enumerate(self._owner)
            ]
        )
        self._noise = np.stack(
            [noise_field(shape, rng=rng) for _ in range(cfg.n_noise)]
        )
        self._stamps = [self._make_stamps(setup, rng) for setup in self.setups]
        self._half = cfg.size // 2
        self._yy, self._xx = np.indices((cfg.size, cfg.size))

    def _generator(self, i):
        # Each setup has fields of both.
        every_other = (i // len(self.setups)) % 2
        return (
            simulate_emission
            if self.config.all_emission and every_other
            else (emission_field)
        )

    def _make_stamps(self, setup, rng):
        return [self._make_stamp(setup, rng) for _ in range(self.config.n_stamps)]

    def _make_stamp(self, setup, rng):
        cfg = self.config
        # The reference rounds positions up, so the nominal position
        # lies on or within a pixel below the centre.
        offset = -rng.uniform(0.0, 1.0, size=2)
        error = np.clip(rng.normal(0, cfg.position_error, 2), -2, 2)
        if cfg.far_position and rng.random() < cfg.far_position:
            error = rng.uniform(-2.0, 2.0, 2)
        x, y = STAMP_SIZE // 2 + offset + error
        options = {
            'pixel_scale': setup.pixel_scale.to_value('arcsec'),
            'angle': rng.uniform(0.0, 2.0 * np.pi),
            'stretch': np.exp(rng.uniform(-1, 1) * cfg.stretch),
            'oversampling': 2,
        }
        if cfg.width:
            options['pixel_scale'] *= np.exp(rng.normal(0.0, cfg.width))
        shape = (STAMP_SIZE, STAMP_SIZE)
        image = lobed_psf(setup).render(shape, x, y, **options)
        if cfg.all_psfs:
            share = rng.uniform(0.5, 1.0)
            image *= 1.0 - share
            image += share * get_psf(setup).render(shape, x, y, **options)
        return image.astype(np.float32), offset, image.max()

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
        """
        rng = np.random.default_rng(seed)
        samples = [self._sample(rng) for _ in range(n)]
        *columns, terms = zip(*samples, strict=True)
        raw, emission, validity, missing, hole, radius, snr, beam, wings = (
            np.stack(column) for column in columns
        )
        image, scaling, _ = scale_cutouts(
            raw,
            validity,
            missing,
            self.normalisation,
            wings=wings if self.normalisation.get('wings') else None,
            terms=terms if self.normalisation.get('wings') else None,
            beam=beam,
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
            hole=hole,
            radius=radius,
            snr=snr,
            scaling=scaling,
            raw=raw,
            emission=emission,
        )

    def _crop(self, field, rng):
        size = self.config.size
        y, x = rng.integers(0, self.config.field_size - size + 1, size=2)
        crop = field[y : y + size, x : x + size]
        return _dihedral(crop, rng.integers(8)).astype(float)

    def _sample(self, rng):
        cfg = self.config
        index = rng.integers(cfg.n_fields)
        setup = self.setups[self._owner[index]]
        stamps = self._stamps[self._owner[index]]
        emission = self._crop(self._fields[index], rng)
        noise = self._crop(self._noise[rng.integers(cfg.n_noise)], rng)

        annulus = self._ring(self._half, setup.snr_inner_radius, setup.snr_outer_radius)
        spread = max(emission[annulus].std(), 1.0e-3)
        # Coverage, and with it the noise, changes slowly over a cutout.
        tilt = np.exp(rng.normal(0.0, 0.2) * (self._xx / self._half - 1.0))
        noise = noise * tilt * spread * 10.0 ** rng.uniform(*cfg.log_noise)
        image = emission + noise
        spread = image[annulus].std()

        # The central source, and the hole that its SNR asks for.
        faint, bright, brightest = cfg.log_peak
        log_peak = (
            rng.uniform(faint, bright)
            if rng.random() < 0.75
            else rng.uniform(bright, brightest)
        )
        stamp, offset, stamp_peak = stamps[rng.integers(len(stamps))]
        peak = spread * 10.0**log_peak
        if cfg.empty and rng.random() < cfg.empty:
            peak = 0.0
        image = image + shift_stamp(stamp, 0, 0, size=cfg.size) * (peak / stamp_peak)

        others = []
        if rng.random() < cfg.neighbours:
            for _ in range(rng.integers(1, 4)):
                dx, dy = rng.integers(-_CROWD, _CROWD, size=2)
                other, other_offset, other_peak = stamps[rng.integers(len(stamps))]
                value = peak or spread * 10.0**log_peak
                value *= 10.0 ** np.clip(rng.normal(-0.3, 0.6), -2.0, 1.0)
                image = image + shift_stamp(other, dx, dy, size=cfg.size) * (
                    value / other_peak
                )
                others.append((dx + other_offset[0], dy + other_offset[1], value))

        snr = self._snr(image, setup, annulus)
        radius = setup.hole_radius(snr)
        if rng.random() < 0.1:
            radius = rng.choice(setup.hole_radii)
        if cfg.any_radius and rng.random() < cfg.any_radius:
            radius = rng.uniform(3.0, 15.0)
        hole = self._disc(offset, radius)
        holes = hole.copy()
        sources = [(*offset, radius)]
        for dx, dy, value in others:
            sources.append((dx, dy, setup.hole_radius(value / spread)))
            holes |= self._disc((dx, dy), sources[-1][2])

        missing = np.zeros(image.shape, dtype=bool)
        if rng.random() < cfg.missing:
            missing = draw_missing(self._xx, self._yy, rng)
        validity = ~(holes | missing)
        return (
            image,
            emission,
            validity,
            missing,
            hole,
            float(radius),
            float(snr),
            wing_profile(setup).beam_fwhm,
            *self._wings(image, sources, setup, validity, missing),
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

    def _ring(self, centre, inner, outer):
        r = np.hypot(self._xx - centre, self._yy - centre)
        return (r >= inner) & (r <= outer)

    def _disc(self, offset, radius):
        dx = self._xx - self._half - offset[0]
        dy = self._yy - self._half - offset[1]
        return dx**2 + dy**2 <= radius**2

    def _snr(self, image, setup, annulus):
        source = self._ring(self._half, 0.0, setup.snr_source_radius)
        background = image[annulus]
        return (image[source].max() - background.mean()) / background.std()


def _dihedral(image, k):
    """
    Apply one of the eight flips and quarter turns.
    """
    image = np.rot90(image, k % 4)
    return image[:, ::-1] if k >= 4 else image
