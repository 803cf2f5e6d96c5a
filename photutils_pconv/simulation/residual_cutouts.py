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

from photutils_pconv.inpainting.residual_images import residual_channels, small_holes
from photutils_pconv.inpainting.scaling import Scaling
from photutils_pconv.psf.source_images import expected_error_image, model_image
from photutils_pconv.psf_photometry.fitting import (
    FIT_RADIUS,
    POSITION_SNR,
    fit_psf,
)
from photutils_pconv.simulation._checks import as_integer, make_rng
from photutils_pconv.simulation._residual_stamps import make_stamps
from photutils_pconv.simulation._sampler import Sampler, draw_peak_ratio, stack
from photutils_pconv.simulation.cutout_configs import ResidualConfig

__all__ = [
    'ResidualBatch',
    'ResidualSampler',
    'flux_weights',
]

# The share of further sources that blend with the central one, and how far
# those lie from it along each axis, in pixels (by choice).
_BLENDED = 0.5
_BLEND_REACH = 12
# Sources nearer than this are one, in pixels (by choice).
_LEAST_SEPARATION = 3
# What a fit's error adds to the expected mismatch, in units of the local
# scatter (by choice).
_LEVEL = 0.02
# Fits of blended sources are repeated this often, as in a removal.
_N_ITERATIONS = 3
# The pattern of a source ends where its PSF is this share of its peak.
_SHAPE_EXTENT = 0.001


@dataclass
class ResidualBatch:
    """
    A batch of training cutouts, arrays of shape (N, H, W) or (N,).

    Parameters
    ----------
    image : `~numpy.ndarray`
        The network's input, (N, 3, H, W): see
        `~photutils_pconv.inpainting.residual_images.residual_channels`.

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

    scaling : `~photutils_pconv.inpainting.Scaling`
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
    scaling: Scaling
    raw: np.ndarray
    emission: np.ndarray
    data: np.ndarray


@dataclass(frozen=True)
class _Sources:
    """The sources of a cutout: positions (pixels), peaks, fluxes, each (K,)."""

    x: np.ndarray
    y: np.ndarray
    peak: np.ndarray
    flux: np.ndarray


@dataclass(frozen=True)
class _Sample:
    """One cutout before the scaling."""

    residual: np.ndarray
    error: np.ndarray
    shapes: np.ndarray
    emission: np.ndarray
    missing: np.ndarray
    hole: np.ndarray
    weight: np.ndarray
    data: np.ndarray
    snr: float
    flux: float
    peak: float
    setup: int


class ResidualSampler(Sampler):
    """
    Draw simulated training cutouts of PSF-subtracted maps.

    Parameters
    ----------
    setups : sequence of `~photutils_pconv.setups.ObservingSetup`
        The setups; every field belongs to one of them.

    config : `ResidualConfig`, optional
        The ranges.

    normalisation : dict, optional
        Keyword arguments of `~photutils_pconv.inpainting.normalise`.

    seed : int, optional
        The seed of the fields and stamps.

    backgrounds : sequence of `Background`, optional
        Real maps (`make_background`), whose emission ``config.real_share`` of
        the cutouts have.
    """

    kind = 'residual'
    config_class = ResidualConfig
    _faint_share = 0.8

    def _turn(self, crop, rng):
        crop = np.rot90(crop, rng.integers(4))
        return crop[:, ::-1] if rng.random() < 0.5 else crop

    def _make_stamps(self, setup, rng):
        return make_stamps(setup, self.config, rng)

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

        Raises
        ------
        TypeError, ValueError
            If an argument is not accepted.
        """
        n = as_integer(n, 'n', low=1)
        rng = make_rng(seed)
        samples = [self._sample(rng) for _ in range(n)]
        raw, error, shapes, emission, missing = (
            stack(samples, name)
            for name in ('residual', 'error', 'shapes', 'emission', 'missing')
        )
        validity = ~(missing | small_holes(raw, error, missing))
        image, scaling = residual_channels(
            raw, error, shapes, validity, missing, self.normalisation
        )
        return ResidualBatch(
            image=image.astype(np.float32),
            target=scaling.apply(emission).astype(np.float32),
            validity=validity,
            missing=missing,
            hole=stack(samples, 'hole'),
            weight=stack(samples, 'weight').astype(np.float32),
            snr=stack(samples, 'snr'),
            flux=stack(samples, 'flux'),
            peak=stack(samples, 'peak'),
            setup=stack(samples, 'setup').astype(int),
            scaling=scaling,
            raw=raw,
            emission=emission,
            data=stack(samples, 'data'),
        )

    def _sample(self, rng):
        cfg = self.config
        ground = self._draw_ground(rng)
        own = self._stamps[ground.owner]
        # All sources of a map have the PSF's angle in common.
        number = rng.integers(cfg.n_angles)
        grade = rng.integers(len(cfg.mismatch))
        image, sources = self._add_sources(ground, own.choose(number, grade), rng)
        missing = self._draw_missing(ground, rng)

        psf = own.psf(grade, number if rng.random() < cfg.known_angle else None)
        x, y = sources.x, sources.y
        level = np.full(len(x), _LEVEL * ground.spread)
        fit = fit_psf(
            image,
            x,
            y,
            psf,
            missing=missing,
            fit_position=sources.peak > POSITION_SNR * ground.spread,
            n_iterations=1 if len(x) == 1 else _N_ITERATIONS,
        )
        hole, shapes = self._draw_sources(ground, sources, psf)
        dx, dy = self._xx - x[0], self._yy - y[0]
        return _Sample(
            residual=image - model_image(image.shape, x, y, fit.flux, psf, level=level),
            error=expected_error_image(image.shape, x, y, fit.flux, psf, level=level),
            shapes=shapes,
            emission=ground.emission,
            missing=missing,
            hole=hole,
            weight=flux_weights(psf, dx, dy, ~missing),
            data=image,
            snr=sources.peak[0] / ground.spread,
            flux=sources.flux[0],
            peak=sources.peak[0],
            setup=ground.owner,
        )

    def _add_sources(self, ground, stamps, rng):
        """Put the central source, and others, on the emission."""
        peak = ground.spread * 10.0 ** self._draw_log_peak(rng)
        planned = [(0, 0, peak)]
        for _ in range(self._draw_n_neighbours(rng)):
            reach = _BLEND_REACH if rng.random() < _BLENDED else self._half
            dx, dy = rng.integers(-reach, reach, size=2)
            if np.hypot(dx, dy) >= _LEAST_SEPARATION:
                planned.append((dx, dy, peak * draw_peak_ratio(rng)))
        image = ground.image
        rows = []
        for dx, dy, value in planned:
            # Bright sources' positions are fitted: theirs are precise.
            fitted = value > POSITION_SNR * ground.spread
            choice = [stamp for stamp in stamps if stamp.precise == fitted] or stamps
            stamp = choice[rng.choice(len(choice))]
            flux = value / stamp.peak
            image = self._add(image, stamp.image, dx, dy, flux)
            x = self._half + stamp.offset[0] + dx
            y = self._half + stamp.offset[1] + dy
            rows.append((x, y, value, flux))
        return image, _Sources(*np.array(rows).T)

    def _draw_sources(self, ground, sources, psf):
        """Draw the sources' holes, and their patterns with the peak 1."""
        hole = np.zeros(self._xx.shape, dtype=bool)
        shapes = np.zeros(self._xx.shape)
        reach = psf.extent(_SHAPE_EXTENT * psf.peak)
        for x, y, peak in zip(sources.x, sources.y, sources.peak, strict=True):
            dx, dy = self._xx - x, self._yy - y
            hole |= dx**2 + dy**2 <= ground.setup.hole_radius(peak / ground.spread) ** 2
            near = np.hypot(dx, dy) <= reach
            shapes = np.maximum(shapes, near * psf.evaluate(dx, dy) / psf.peak)
        return hole, shapes


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
