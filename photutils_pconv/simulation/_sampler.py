# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the samplers of masked and of residual cutouts have in common.

A sampler holds a set of emission fields, noise fields and images of
sources, and combines them at random. What a batch holds follows from its
seed alone; for that, the order of the draws must not change.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.progress import count, enter_stage
from photutils_pconv.geometry.cutouts import CUTOUT_SIZE
from photutils_pconv.network.kinds import check_normalisation, list_images
from photutils_pconv.setups.setup import ObservingSetup
from photutils_pconv.simulation._checks import (
    as_integer,
    as_sequence,
    as_setups,
    make_rng,
)
from photutils_pconv.simulation.backgrounds import SOURCE_SNR, Background
from photutils_pconv.simulation.cutout_configs import STAMP_SIZE, CutoutConfig
from photutils_pconv.simulation.emission import emission_field
from photutils_pconv.simulation.emission_kinds import FIRST_EMISSION, simulate_emission
from photutils_pconv.simulation.map_noise import simulate_noise
from photutils_pconv.simulation.noise import noise_field

__all__ = [
    'OVERSAMPLING',
    'Ground',
    'Sampler',
    'draw_missing',
    'draw_peak_ratio',
    'shift_stamp',
    'stack',
]

#: The samples a pixel, along each axis, with which PSFs are averaged over it.
OVERSAMPLING = 2

# Twice that of a training, and one more.
_LARGEST_SEED = 2**64
# The range of a field's beam, in units of the setup's FWHM: emission that is a
# little sharper than the beam is part of real maps (by choice).
_BEAM_RANGE = (0.75, 1.1)
# The standard deviation of the noise's logarithmic slope over half a cutout:
# coverage, and with it the noise, changes slowly over a map (by choice).
_NOISE_TILT = 0.2
# The least scatter of the emission, which the fields have near 1 (by choice).
_LEAST_SPREAD = 1.0e-3
# The most further sources on a cutout, and the mean and standard deviation of
# log10(their peak / the central one's), cut at the last two (by choice).
_MOST_NEIGHBOURS = 3
_LOG_RATIO = (-0.3, 0.6)
_LOG_RATIO_LIMITS = (-2.0, 1.0)
# The edge beyond which pixels are missing lies this far from the centre, in
# pixels, and takes at most this share of a cutout (by choice).
_EDGE_RANGE = (2.0, 45.0)
_MOST_MISSING = 0.85
# Places on real maps that are tried for a cutout; the largest share of pixels that
# may be missing there, and the fewest pixels of the annulus (by choice).
_TRIES = 40
_MOST_UNKNOWN = 0.5
_FEWEST_AROUND = 30


@dataclass(frozen=True)
class Ground:
    """
    What the sources of a cutout are put upon.

    Parameters
    ----------
    owner : int
        The number of the setup to which it belongs.

    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup.

    emission : 2D `~numpy.ndarray`
        The extended emission.

    image : 2D `~numpy.ndarray`
        The emission with noise.

    annulus : 2D bool `~numpy.ndarray`
        The pixels that determine the scatter around the source (Eq. 1).

    spread : float
        That scatter, of the image.

    missing : 2D bool `~numpy.ndarray`
        Where a real map has no data, or a source of its own.
    """

    owner: int
    setup: ObservingSetup
    emission: np.ndarray
    image: np.ndarray
    annulus: np.ndarray
    spread: float
    missing: np.ndarray


class Sampler:
    """
    The base of `CutoutSampler` and `ResidualSampler`.

    Parameters
    ----------
    setups : sequence of `~photutils_pconv.setups.ObservingSetup`
        The setups; every field belongs to one of them.

    config : `CutoutConfig`, optional
        The ranges, of the class that the sampler takes.

    normalisation : dict, optional
        Keyword arguments of `~photutils_pconv.inpainting.normalise`.

    seed : int, optional
        The seed of the fields and stamps.

    backgrounds : sequence of `Background`, optional
        Real maps, whose emission ``config.real_share`` of the cutouts have.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted.
    """

    #: The kind of model that the cutouts train (see the model card).
    kind = None
    #: The class of the configuration.
    config_class = CutoutConfig
    # The share of the sources in the lower range of log_peak.
    _faint_share = None

    def __init__(
        self, setups, *, config=None, normalisation=None, seed=0, backgrounds=()
    ):
        self.setups = as_setups(setups)
        self.config = self.config_class() if config is None else config
        if not isinstance(self.config, self.config_class):
            msg = f'config must be a {self.config_class.__name__}, got {config!r}.'
            raise TypeError(msg)
        if normalisation is None:
            normalisation = {'name': 'robust'}
        check_normalisation(normalisation)
        list_images(self.kind, normalisation)
        self.normalisation = normalisation
        self.seed = as_integer(seed, 'seed', high=_LARGEST_SEED)
        self.backgrounds = check_backgrounds(backgrounds, self.setups)
        cfg = self.config
        cfg.check_memory(len(self.setups))
        rng = np.random.default_rng([seed, 1])
        shape = (cfg.field_size, cfg.field_size)
        self._owner = np.arange(cfg.n_fields) % len(self.setups)
        beams = [
            (setup.psf_fwhm / setup.pixel_scale).to_value('') for setup in self.setups
        ]
        enter_stage('emission', cfg.n_fields, unit='field')
        # Each setup has fields of both generators, in turns.
        self._fields = [
            self._generator((i // len(self.setups)) % 2)(
                shape, beam_fwhm=beams[k] * rng.uniform(*_BEAM_RANGE), rng=rng
            )
            for i, k in count(enumerate(self._owner))
        ]
        self._noise_owner = np.arange(cfg.n_noise) % len(self.setups)
        enter_stage('noise', cfg.n_noise, unit='field')
        self._noise = [
            simulate_noise(shape, self.setups[k], rng=rng)
            if cfg.realistic
            else noise_field(shape, rng=rng)
            for k in count(self._noise_owner)
        ]
        enter_stage('sources', len(self.setups), unit='setup')
        self._stamps = [self._make_stamps(setup, rng) for setup in count(self.setups)]
        self._half = cfg.size // 2
        self._yy, self._xx = np.indices((cfg.size, cfg.size))

    def _generator(self, turn):
        """Give the generator of a field; the kinds take turns differently."""
        return emission_field if turn else self._simulate_emission

    def _simulate_emission(self, shape, *, beam_fwhm, rng):
        """Draw a field of any kind."""
        config = None if self.config.realistic else FIRST_EMISSION
        return simulate_emission(shape, beam_fwhm=beam_fwhm, rng=rng, config=config)

    def draw_map(self, seed):
        """
        Draw a whole field with its noise, as the cutouts' surroundings are.

        Parameters
        ----------
        seed : int or sequence of int
            The seed; the same seed gives the same map.

        Returns
        -------
        image : 2D `~numpy.ndarray`
            Emission and noise, without sources.

        setup : `~photutils_pconv.setups.ObservingSetup`
            The setup to which it belongs.
        """
        rng = make_rng(seed)
        index = rng.integers(self.config.n_fields)
        owner = self._owner[index]
        emission = self._fields[index].astype(float)
        noise = self._noise[self._choose_noise(owner, rng)]
        level = emission.std() * 10.0 ** rng.uniform(*self.config.log_noise)
        return emission + level * noise, self.setups[owner]

    def _choose_noise(self, owner, rng):
        """Choose the number of a noise field, of the setup's own if there are any."""
        if not self.config.realistic:
            return rng.integers(self.config.n_noise)
        own = np.flatnonzero(self._noise_owner == owner)
        return (
            own[rng.integers(len(own))] if len(own) else rng.integers(len(self._noise))
        )

    def _make_stamps(self, setup, rng):
        """Draw the images of a setup's sources."""
        raise NotImplementedError

    def _turn(self, crop, rng):
        """Flip and turn a crop at random; each kind has draws of its own."""
        raise NotImplementedError

    def _crop(self, field, rng):
        size = self.config.size
        y, x = rng.integers(0, self.config.field_size - size + 1, size=2)
        return self._turn(field[y : y + size, x : x + size], rng).astype(float)

    def _draw_ground(self, rng):
        """Draw emission with noise, and measure its scatter."""
        cfg = self.config
        found = None
        if self.backgrounds and rng.random() < cfg.real_share:
            found = self._draw_real(rng)
        if found is None:
            index = rng.integers(cfg.n_fields)
            owner = self._owner[index]
            emission = self._crop(self._fields[index], rng)
            missing, log_noise = np.zeros(emission.shape, dtype=bool), cfg.log_noise
        else:
            owner, emission, missing = found
            log_noise = cfg.added_noise
        setup = self.setups[owner]
        annulus = self._ring(setup.snr_inner_radius, setup.snr_outer_radius)
        # Real maps lack pixels, but never all of an annulus.
        seen = annulus & ~missing
        image = emission
        if len(log_noise):
            noise = self._crop(self._noise[self._choose_noise(owner, rng)], rng)
            spread = max(emission[seen].std(), _LEAST_SPREAD)
            tilt = np.exp(rng.normal(0.0, _NOISE_TILT) * (self._xx / self._half - 1.0))
            image = emission + noise * tilt * spread * 10.0 ** rng.uniform(*log_noise)
        spread = image[seen].std()
        return Ground(owner, setup, emission, image, annulus, spread, missing)

    def _draw_real(self, rng):
        """Draw emission from a real map; `None` if no place is found."""
        size = self.config.size
        for _ in range(_TRIES):
            chosen = self.backgrounds[rng.integers(len(self.backgrounds))]
            owner = rng.integers(len(self.setups))
            if chosen.setup is not None:
                names = [setup.name for setup in self.setups]
                owner = names.index(chosen.setup.name)
            ny, nx = chosen.data.shape
            y, x = rng.integers(0, ny - size + 1), rng.integers(0, nx - size + 1)
            region = np.s_[y : y + size, x : x + size]
            pair = np.stack([chosen.data[region], chosen.missing[region]], axis=-1)
            pair = self._turn(pair, rng).astype(float)
            emission, missing = pair[..., 0], pair[..., 1] > 0
            if self._is_usable(emission, missing, self.setups[owner], chosen.listed):
                return owner, emission, missing
        return None

    def _is_usable(self, emission, missing, setup, listed):
        """Return whether a source may be put onto the centre of real emission."""
        if missing.mean() > _MOST_UNKNOWN:
            return False
        if missing[self._ring(0.0, max(setup.hole_radii))].any():
            return False
        around = emission[
            self._ring(setup.snr_inner_radius, setup.snr_outer_radius) & ~missing
        ]
        if around.size < _FEWEST_AROUND or around.std() == 0:
            return False
        peak = emission[self._ring(0.0, setup.snr_source_radius)].max()
        return listed or peak - around.mean() < SOURCE_SNR * around.std()

    def _draw_log_peak(self, rng):
        """Draw log10(peak / local scatter) of the central source."""
        faint, bright, brightest = self.config.log_peak
        if rng.random() < self._faint_share:
            return rng.uniform(faint, bright)
        return rng.uniform(bright, brightest)

    def _draw_n_neighbours(self, rng):
        if rng.random() < self.config.neighbours:
            return rng.integers(1, _MOST_NEIGHBOURS + 1)
        return 0

    def _draw_missing(self, ground, rng):
        if rng.random() < self.config.missing:
            return ground.missing | draw_missing(self._xx, self._yy, rng)
        return ground.missing

    def _add(self, image, stamp, dx, dy, factor):
        """Add a stamp, moved by whole pixels, to an image."""
        return image + shift_stamp(stamp, dx, dy, size=self.config.size) * factor

    def _ring(self, inner, outer):
        r = np.hypot(self._xx - self._half, self._yy - self._half)
        return (r >= inner) & (r <= outer)


def check_backgrounds(backgrounds, setups):
    """Check that backgrounds belong to the setups; return them as a tuple."""
    backgrounds = as_sequence(backgrounds, 'backgrounds', 'Background')
    names = [setup.name for setup in setups]
    for one in backgrounds:
        if not isinstance(one, Background):
            msg = (
                'backgrounds must hold what make_background gives, got '
                f'{type(one).__name__}.'
            )
            raise TypeError(msg)
        if one.setup is not None and one.setup.name not in names:
            msg = (
                f'backgrounds has {one.name} of the setup {one.setup.name}, which is '
                f'none of the setups: {", ".join(names)}.'
            )
            raise ValueError(msg)
    return tuple(backgrounds)


def draw_peak_ratio(rng):
    """Draw the peak of a further source over that of the central one."""
    return 10.0 ** np.clip(rng.normal(*_LOG_RATIO), *_LOG_RATIO_LIMITS)


def shift_stamp(stamp, dx, dy, *, size=CUTOUT_SIZE):
    """Cut a cutout out of a stamp so that its centre moves by (dx, dy)."""
    y0, x0 = (STAMP_SIZE // 2 - size // 2 - shift for shift in (dy, dx))
    return stamp[y0 : y0 + size, x0 : x0 + size]


def draw_missing(xx, yy, rng):
    """Draw missing pixels beyond a straight edge, at most most of the cutout."""
    half = xx.shape[0] // 2
    angle = rng.uniform(0.0, 2.0 * np.pi)
    along = (xx - half) * np.cos(angle) + (yy - half) * np.sin(angle)
    missing = along > rng.uniform(*_EDGE_RANGE)
    if missing.sum() > _MOST_MISSING * missing.size:
        missing[:] = False
    return missing


def stack(samples, name):
    """Stack one part of all samples."""
    return np.stack([getattr(sample, name) for sample in samples])
