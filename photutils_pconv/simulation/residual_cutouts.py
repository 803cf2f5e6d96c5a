# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training cutouts of PSF-subtracted maps, simulated on the fly.

A source of known flux is put on known emission with one PSF, and fitted
and subtracted with another, as it happens to real maps: the PSF's shape,
width and angle and the source's position are known only roughly. What is
left, and what is known of its errors, is what a network sees that
completes a removal by a PSF fit. The emission without noise is the
target.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.cutouts import CUTOUT_SIZE
from photutils_pconv.inpainting.residual_images import residual_channels, small_holes
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import expected_error_image, model_image
from photutils_pconv.psf_photometry.fitting import (
    FIT_RADIUS,
    fit_psf,
)
from photutils_pconv.simulation._cutout_parts import (
    STAMP_SIZE,
    draw_missing,
    shift_stamp,
)
from photutils_pconv.simulation.emission import emission_field, simulate_emission
from photutils_pconv.simulation.noise import noise_field

__all__ = [
    'ResidualBatch',
    'ResidualConfig',
    'ResidualSampler',
    'flux_weights',
]


@dataclass(frozen=True, kw_only=True)
class ResidualConfig:
    """
    The ranges from which a `ResidualSampler` draws.

    Parameters
    ----------
    n_fields, n_noise, n_stamps : int, optional
        The number of emission fields, of noise fields, and of PSF stamps
        a setup.

    n_angles : int, optional
        The number of angles a setup at which PSFs are rendered.

    field_size : int, optional
        The side of a field, in pixels.

    size : int, optional
        The side of a cutout, in pixels: even, and at most
        `~photutils_pconv.geometry.CUTOUT_SIZE`.

    log_noise : tuple of float, optional
        The range of log10(noise / local scatter of the emission).

    log_peak : tuple of float, optional
        The limits of log10(peak of the source / local scatter): three
        quarters of the sources between the first two, the rest up to the
        third.

    mismatch : tuple of float, optional
        The levels of the PSF's expected relative error, one of which is
        drawn: that of a PSF from elsewhere, and those that remain when a
        map's bright sources tell the PSF more closely.

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

    neighbours : float, optional
        The probability of a cutout to hold one to three further sources.

    missing : float, optional
        The probability of a cutout to have missing pixels.
    """

    n_fields: int = 360
    n_noise: int = 36
    n_stamps: int = 144
    n_angles: int = 8
    field_size: int = 512
    size: int = CUTOUT_SIZE
    log_noise: tuple = (-1.7, 1.0)
    log_peak: tuple = (0.3, 2.7, 4.0)
    mismatch: tuple = (0.05, 0.025, 0.01)
    lobes: float = 10.0
    width: float = 0.5
    stretch: float = 0.6
    position_error: tuple = (0.02, 0.25)
    known_angle: float = 0.5
    neighbours: float = 0.35
    missing: float = 0.15


@dataclass
class ResidualBatch:
    """
    A batch of training cutouts, arrays of shape (N, H, W) or (N,).

    Parameters
    ----------
    image : `~numpy.ndarray`
        The network's input, (N, 3, H, W): see
        `~photutils_pconv.inpainting.residual_channels`.

    target : `~numpy.ndarray`
        The scaled extended emission, without noise.

    validity, missing : `~numpy.ndarray` of bool
        False in small holes and where pixels are missing; where pixels
        are missing.

    hole : `~numpy.ndarray` of bool
        The holes (Table 3 of the paper) of all sources.

    weight : `~numpy.ndarray`
        The weights by which a PSF fit sums the central source's pixels.

    snr, flux, peak : `~numpy.ndarray`
        The central source's SNR, and its true flux and peak.

    setup : `~numpy.ndarray` of int
        The index of the setup.

    scaling : `~photutils_pconv.geometry.Scaling`
        The scaling.

    raw, emission, data : `~numpy.ndarray`
        The residual, the extended emission and the map with its sources,
        before the scaling.
    """

    image: np.ndarray
    target: np.ndarray
    validity: np.ndarray
    missing: np.ndarray
    hole: np.ndarray
    weight: np.ndarray
    snr: np.ndarray
    flux: np.ndarray
    peak: np.ndarray
    setup: np.ndarray
    scaling: object
    raw: np.ndarray
    emission: np.ndarray
    data: np.ndarray


class ResidualSampler:
    """
    Draw simulated training cutouts of PSF-subtracted maps.

    Parameters
    ----------
    setups : sequence of `~photutils_pconv.setups.ObservingSetup`
        The setups; every field belongs to one of them.

    config : `ResidualConfig`, optional
        The ranges.

    normalisation : dict, optional
        Keyword arguments of `~photutils_pconv.geometry.normalise`.

    seed : int, optional
        The seed of the fields and stamps.
    """

    def __init__(self, setups, *, config=None, normalisation=None, seed=0):
        self.setups = tuple(setups)
        self.config = ResidualConfig() if config is None else config
        self.normalisation = normalisation or {'name': 'robust'}
        cfg = self.config
        rng = np.random.default_rng([seed, 1])
        shape = (cfg.field_size, cfg.field_size)
        self._owner = np.arange(cfg.n_fields) % len(self.setups)
        fields = []
        for i, k in enumerate(self._owner):
            setup = self.setups[k]
            beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
            make = emission_field if (i // len(self.setups)) % 2 else simulate_emission
            fields.append(make(shape, beam_fwhm=beam * rng.uniform(0.75, 1.1), rng=rng))
        self._fields = fields
        self._noise = [noise_field(shape, rng=rng) for _ in range(cfg.n_noise)]
        self._psfs, self._stamps = zip(
            *(self._make_stamps(setup, rng) for setup in self.setups), strict=True
        )
        self._half = cfg.size // 2
        self._yy, self._xx = np.indices((cfg.size, cfg.size))

    def _make_stamps(self, setup, rng):
        cfg = self.config
        scale = setup.pixel_scale.to_value('arcsec')
        own, lobed = get_psf(setup), lobed_psf(setup)
        angles = rng.uniform(0.0, 2.0 * np.pi, cfg.n_angles)
        psfs = [PixelPSF(own, scale)]
        psfs += [PixelPSF(own, scale, angle=angle) for angle in angles]
        stamps = []
        for k in range(cfg.n_stamps):
            # The nominal position lies on or within a pixel below the
            # centre (see cutouts.cutout_origin).
            offset = -rng.uniform(0.0, 1.0, size=2)
            precise = k % 2 == 0
            sigma = cfg.position_error[0]
            if not precise and rng.random() < 0.5:
                sigma = cfg.position_error[1]
            x, y = STAMP_SIZE // 2 + offset + np.clip(rng.normal(0, sigma, 2), -1, 1)
            number = rng.integers(cfg.n_angles)
            grade = (k // 2) % len(cfg.mismatch)
            error = cfg.mismatch[grade]
            options = {
                'pixel_scale': scale * np.exp(rng.normal(0.0, cfg.width * error)),
                'stretch': np.exp(rng.normal(0.0, cfg.stretch * error)),
                'oversampling': 2,
            }
            angle = angles[number] + rng.normal(0.0, error)
            shape = (STAMP_SIZE, STAMP_SIZE)
            share = rng.uniform(0.0, cfg.lobes * error)
            image = (1 - share) * own.render(shape, x, y, angle=angle, **options)
            image += share * lobed.render(shape, x, y, angle=angle, **options)
            group = (number, grade, precise)
            stamps.append((image.astype(np.float32), offset, image.max(), group))
        return psfs, stamps

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
        batch : `ResidualBatch`
            The cutouts.
        """
        rng = np.random.default_rng(seed)
        columns = zip(*(self._sample(rng) for _ in range(n)), strict=True)
        (raw, error, shapes, emission, missing, hole, weight, data, scalars) = (
            np.stack(column) for column in columns
        )
        validity = ~(missing | small_holes(raw, error, missing))
        image, scaling = residual_channels(
            raw, error, shapes, validity, missing, **self.normalisation
        )
        return ResidualBatch(
            image=image.astype(np.float32),
            target=scaling.apply(emission).astype(np.float32),
            validity=validity,
            missing=missing,
            hole=hole,
            weight=weight.astype(np.float32),
            snr=scalars[:, 0],
            flux=scalars[:, 1],
            peak=scalars[:, 2],
            setup=scalars[:, 3].astype(int),
            scaling=scaling,
            raw=raw,
            emission=emission,
            data=data,
        )

    def _crop(self, field, rng):
        size = self.config.size
        y, x = rng.integers(0, self.config.field_size - size + 1, size=2)
        crop = field[y : y + size, x : x + size]
        crop = np.rot90(crop, rng.integers(4))
        return (crop[:, ::-1] if rng.random() < 0.5 else crop).astype(float)

    def _sample(self, rng):
        cfg, half = self.config, self._half
        index = rng.integers(cfg.n_fields)
        owner = self._owner[index]
        setup, stamps, psfs = (
            group[owner] for group in (self.setups, self._stamps, self._psfs)
        )
        emission = self._crop(self._fields[index], rng)
        noise = self._crop(self._noise[rng.integers(cfg.n_noise)], rng)
        annulus = self._ring(setup.snr_inner_radius, setup.snr_outer_radius)
        spread = max(emission[annulus].std(), 1.0e-3)
        # Coverage, and with it the noise, changes slowly over a cutout.
        tilt = np.exp(rng.normal(0.0, 0.2) * (self._xx / half - 1.0))
        noise = noise * tilt * spread * 10.0 ** rng.uniform(*cfg.log_noise)
        image = emission + noise
        spread = image[annulus].std()

        # All sources of a map have the PSF's angle in common.
        number = rng.integers(cfg.n_angles)
        grade = rng.integers(len(cfg.mismatch))
        alike = [k for k, stamp in enumerate(stamps) if stamp[3][1] == grade]
        alike = [k for k in alike if stamps[k][3][0] == number] or alike
        faint, bright, brightest = cfg.log_peak
        log_peak = (
            rng.uniform(faint, bright)
            if rng.random() < 0.8
            else rng.uniform(bright, brightest)
        )
        peak = spread * 10.0**log_peak
        sources = [(0, 0, peak)]
        if rng.random() < cfg.neighbours:
            for _ in range(rng.integers(1, 4)):
                # Half of them blend with the central source.
                reach = 12 if rng.random() < 0.5 else half
                dx, dy = rng.integers(-reach, reach, size=2)
                if np.hypot(dx, dy) < 3:
                    continue
                value = peak * 10.0 ** np.clip(rng.normal(-0.3, 0.6), -2.0, 1.0)
                sources.append((dx, dy, value))
        x, y, peaks, fluxes = [], [], [], []
        for dx, dy, value in sources:
            # Bright sources' positions are fitted: theirs are precise.
            fitted = value > 20.0 * spread
            choice = [k for k in alike if stamps[k][3][2] == fitted] or alike
            stamp, offset, stamp_peak, _ = stamps[rng.choice(choice)]
            flux = value / stamp_peak
            image = image + shift_stamp(stamp, dx, dy, size=cfg.size) * flux
            x.append(half + offset[0] + dx)
            y.append(half + offset[1] + dy)
            peaks.append(value)
            fluxes.append(flux)
        x, y, peaks = np.array(x), np.array(y), np.array(peaks)

        missing = np.zeros(image.shape, dtype=bool)
        if rng.random() < cfg.missing:
            missing = draw_missing(self._xx, self._yy, rng)

        psf = psfs[1 + number] if rng.random() < cfg.known_angle else psfs[0]
        psf = psf.with_mismatch(cfg.mismatch[grade])
        level = np.full(len(x), 0.02 * spread)
        fit = fit_psf(
            image,
            x,
            y,
            psf,
            missing=missing,
            fit_position=peaks > 20.0 * spread,
            n_iterations=1 if len(x) == 1 else 3,
        )
        residual = image - model_image(image.shape, x, y, fit.flux, psf, level=level)
        error = expected_error_image(image.shape, x, y, fit.flux, psf, level=level)
        hole = np.zeros(image.shape, dtype=bool)
        shapes = np.zeros(image.shape)
        for k in range(len(x)):
            dx, dy = self._xx - x[k], self._yy - y[k]
            hole |= dx**2 + dy**2 <= setup.hole_radius(peaks[k] / spread) ** 2
            near = np.hypot(dx, dy) <= psf.extent(0.001 * psf.peak)
            shapes = np.maximum(shapes, near * psf.evaluate(dx, dy) / psf.peak)
        dx, dy = self._xx - x[0], self._yy - y[0]
        weight = flux_weights(psf, dx, dy, ~missing)
        scalars = np.array([peaks[0] / spread, fluxes[0], peaks[0], owner])
        return residual, error, shapes, emission, missing, hole, weight, image, scalars

    def _ring(self, inner, outer):
        r = np.hypot(self._xx - self._half, self._yy - self._half)
        return (r >= inner) & (r <= outer)


def flux_weights(psf, dx, dy, valid):
    """
    Calculate the weights by which a PSF fit sums a source's pixels.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF.

    dx, dy : 2D `~numpy.ndarray`
        The pixels' offsets from the source, in pixels.

    valid : 2D bool `~numpy.ndarray`
        The pixels to be used.

    Returns
    -------
    weights : 2D `~numpy.ndarray`
        The weights, which sum a source to the value of its central
        pixel.
    """
    weights = psf.evaluate(dx, dy) * (np.hypot(dx, dy) <= FIT_RADIUS) * valid
    return weights / max((weights**2).sum(), 1.0e-12) * psf.peak
