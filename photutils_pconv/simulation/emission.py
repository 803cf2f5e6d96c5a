# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Seeded generators of extended emission.

All fields are dimensionless: an emission field has the robust standard
deviation 1, so that the caller sets the scale.
"""

from dataclasses import dataclass, replace

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy.ndimage import gaussian_filter

from photutils_pconv.simulation._checks import (
    MAXIMUM_SLOPE,
    MAXIMUM_WIDTH,
    as_integer,
    as_number,
    as_pair,
    as_shape,
    check_rng,
)
from photutils_pconv.simulation._spectral import robust_std, wave_numbers

# It has moved; this name of it stays.
from photutils_pconv.simulation.noise import noise_field as noise_field

__all__ = [
    'EmissionConfig',
    'bubble_field',
    'emission_field',
    'filament_field',
    'fractional_brownian_motion',
    'gradient_field',
    'simulate_emission',
]

# The most filaments or bubbles of a field, and the largest contrast and scatter
# of a logarithm, beyond which numbers overflow; by choice.
_MOST = 10_000
_LARGEST = 100.0
# What is cut off at each side, in pixels: it takes the periodic wrap of the
# generators away.
_MARGIN = 32
_KINDS = ('gaussian', 'lognormal', 'filaments', 'bubbles', 'mixture')


def fractional_brownian_motion(shape, slope, *, rng):
    """
    Make a Gaussian field with a power-law power spectrum.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx); the field is periodic.

    slope : float
        The slope of the power spectrum, P(k) ~ k**slope. Interstellar
        emission has slopes between -2 and -4, for instance -2.7 in
        Herschel maps of Polaris (Miville-Deschenes et al. 2010, A&A
        518, L104).

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    field : `~numpy.ndarray`
        The field, of mean 0 and standard deviation 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted.
    """
    check_rng(rng)
    shape = as_shape(shape)
    slope = as_number(slope, 'slope', low=-MAXIMUM_SLOPE, high=MAXIMUM_SLOPE)
    kx, ky = wave_numbers(shape)
    k = np.hypot(kx, ky)
    k[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * k ** (slope / 2.0)
    field = np.fft.irfft2(spectrum, s=shape)
    return (field - field.mean()) / field.std()


def filament_field(shape, n_filaments, *, width, rng):
    """
    Make a field of winding filaments with power-law profiles.

    Each filament is a level line of a smooth random field; across it the
    brightness falls as a Plummer-like profile, (1 + (d / width)^2)^-p
    with p between 0.75 and 1.5, the range of filaments in Herschel maps
    (Arzoumanian et al. 2011, A&A 529, L6), and along it the brightness
    varies.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    n_filaments : int
        The number of filaments.

    width : float
        The typical half-width of the flat inner part, in pixels.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    field : `~numpy.ndarray`
        The non-negative field, not normalised.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted.
    """
    check_rng(rng)
    shape = as_shape(shape)
    n_filaments = as_integer(n_filaments, 'n_filaments', high=_MOST)
    width = as_number(width, 'width', above=0, high=MAXIMUM_WIDTH)
    field = np.zeros(shape)
    for _ in range(n_filaments):
        smooth = fractional_brownian_motion(shape, rng.uniform(-4.5, -3.5), rng=rng)
        smooth = gaussian_filter(smooth, rng.uniform(4.0, 12.0), mode='wrap')
        gy, gx = np.gradient(smooth)
        slope = np.hypot(gx, gy)
        # A level's distance in pixels, to first order; the floor keeps
        # the neighbourhood of extrema from turning into plateaus.
        slope = np.maximum(slope, np.median(slope))
        level = rng.uniform(-1.0, 1.0) * smooth.std()
        distance = (smooth - level) / slope
        half_width = width * rng.lognormal(0.0, 0.4)
        profile = (1.0 + (distance / half_width) ** 2) ** -rng.uniform(0.75, 1.5)
        along = np.exp(0.7 * fractional_brownian_motion(shape, -3.0, rng=rng))
        field += rng.lognormal(0.0, 0.6) * along * profile
    return field


def emission_field(shape, *, beam_fwhm, rng):
    """
    Make one random field of extended emission, seen through the beam.

    A mixture of fractional Brownian motion with slopes of -2 to -4, its
    exponential (a log-normal field whose logarithm scatters by 0.2 to
    1.5, as column-density PDFs of clouds do; Kainulainen et al. 2009,
    A&A 508, L35), filaments, and a gradient.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    beam_fwhm : float
        The beam's full width at half maximum, in pixels.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    field : `~numpy.ndarray`
        The field, of median 0 and robust standard deviation 1, float32.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted.
    """
    check_rng(rng)
    shape = as_shape(shape, margin=_MARGIN)
    beam_fwhm = as_number(beam_fwhm, 'beam_fwhm', above=0, high=MAXIMUM_WIDTH)
    big = (shape[0] + 2 * _MARGIN, shape[1] + 2 * _MARGIN)
    kind = rng.choice(['gaussian', 'lognormal', 'filaments'], p=[0.3, 0.4, 0.3])
    field = fractional_brownian_motion(big, rng.uniform(-4.0, -2.0), rng=rng)
    if kind != 'gaussian':
        field = np.exp(rng.uniform(0.2, 1.5) * field)
        field /= robust_std(field)
    if kind == 'filaments':
        filaments = filament_field(
            big, rng.integers(2, 9), width=rng.uniform(1.5, 6.0), rng=rng
        )
        field += rng.uniform(0.5, 4.0) * filaments / robust_std(filaments)
    gy, gx = rng.normal(0.0, 0.5, size=2) / max(big)
    yy, xx = np.indices(big)
    field = field + gy * yy + gx * xx
    field = gaussian_filter(field, beam_fwhm * gaussian_fwhm_to_sigma, mode='wrap')
    field = field[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    field = (field - np.median(field)) / robust_std(field)
    return field.astype(np.float32)


def bubble_field(shape, n_bubbles, *, radius, rng, thickness=(0.2, 0.4)):
    """
    Make a field of bubbles: shells that are bright at their rims.

    Each bubble is an elongated shell seen through, brighter on one side,
    and patchy. The ranges are those of the bubbles in the Galactic disk
    (Churchwell et al. 2006, ApJ 649, 759): almost 90 percent have shells
    as thick as 0.2 to 0.4 of their radius, and 65 percent eccentricities
    of 0.55 to 0.85.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    n_bubbles : int
        The number of bubbles.

    radius : float or pair of float
        The outer radius along the longer axis, in pixels, or the range
        in whose logarithm the radii are spread evenly.

    rng : `numpy.random.Generator`
        The source of randomness.

    thickness : pair of float, optional
        The range of the shells' thickness, as a share of the radius.

    Returns
    -------
    field : `~numpy.ndarray`
        The non-negative field, not normalised.
    """
    low, high = np.broadcast_to(radius, 2)
    if not 0 < low <= high:
        msg = f'radius must be positive, or a pair in ascending order, got {radius!r}.'
        raise ValueError(msg)
    if not 0 < thickness[0] <= thickness[1] <= 1:
        msg = f'thickness must be a pair of ascending shares, got {thickness!r}.'
        raise ValueError(msg)
    yy, xx = np.indices(shape)
    field = np.zeros(shape)
    for _ in range(n_bubbles):
        outer = low * (high / low) ** rng.random()
        inner = 1.0 - rng.uniform(*thickness)
        axis_ratio = np.sqrt(1.0 - rng.uniform(0.55, 0.85) ** 2)
        angle = rng.uniform(0.0, np.pi)
        dy, dx = yy - rng.uniform(0, shape[0]), xx - rng.uniform(0, shape[1])
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / outer
        v = (-dx * np.sin(angle) + dy * np.cos(angle)) / (outer * axis_ratio)
        r2 = u**2 + v**2
        # The length of the line of sight inside the shell.
        depth = np.sqrt(np.clip(1.0 - r2, 0.0, None))
        depth -= np.sqrt(np.clip(inner**2 - r2, 0.0, None))
        side = np.arctan2(v, u) - rng.uniform(0.0, 2.0 * np.pi)
        open_side = 1.0 + rng.uniform(0.0, 1.0) * np.cos(side)
        patches = np.exp(0.7 * fractional_brownian_motion(shape, -3.0, rng=rng))
        field += rng.lognormal(0.0, 0.6) * depth * open_side * patches
    return field


def gradient_field(shape, *, rng):
    """
    Make a plane that rises in a random direction.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    field : `~numpy.ndarray`
        The field, of mean 0 and standard deviation 1.
    """
    angle = rng.uniform(0.0, 2.0 * np.pi)
    yy, xx = np.indices(shape)
    field = xx * np.cos(angle) + yy * np.sin(angle)
    return (field - field.mean()) / max(field.std(), 1.0e-12)


@dataclass(frozen=True, kw_only=True)
class EmissionConfig:
    """
    The ranges from which `simulate_emission` draws.

    Parameters
    ----------
    kinds : tuple of str, optional
        The kinds of field, one of which is drawn, all with the same
        probability: ``'gaussian'`` (fractional Brownian motion),
        ``'lognormal'``, ``'filaments'``, ``'bubbles'``, and
        ``'mixture'``, a log-normal field with filaments and bubbles.

    slope : pair of float, optional
        The slope of the power spectrum. Herschel's maps of Polaris have
        -2.7 (Miville-Deschenes et al. 2010, A&A 518, L104); the default
        goes beyond it on both sides, to flatter fields of knots and to
        the smoothness of near clouds.

    log_width : pair of float, optional
        The standard deviation of the logarithm (base e) of a log-normal
        field before the beam. The column-density PDFs of clouds have
        widths of 0.5 to 0.6 (Schneider et al. 2022, A&A 666, A165), with
        power-law wings where stars form (Kainulainen et al. 2009, A&A
        508, L35). Brightness, which depends on the dust's temperature as
        well, varies more: the default reaches 1.5.

    n_filaments, n_bubbles : pair of int, optional
        Their number, both limits inclusive.

    filament_width : pair of float, optional
        The half-width of filaments, in pixels (see `filament_field`).

    bubble_radius : pair of float, optional
        The radius of bubbles, in pixels (see `bubble_field`); those
        hardly larger than the beam would look like compact sources.

    contrast : pair of float, optional
        The scatter of filaments, or the mean brightness of bubbles where
        they are, over the scatter of the field below.

    gradient : float, optional
        The typical standard deviation of the gradient over that of the
        rest.
    """

    kinds: tuple = _KINDS
    slope: tuple = (-4.0, -2.0)
    log_width: tuple = (0.2, 1.5)
    n_filaments: tuple = (2, 8)
    filament_width: tuple = (1.5, 6.0)
    n_bubbles: tuple = (1, 4)
    bubble_radius: tuple = (20.0, 80.0)
    contrast: tuple = (0.5, 4.0)
    gradient: float = 0.3

    def __post_init__(self):
        kinds = (self.kinds,) if isinstance(self.kinds, str) else self.kinds
        if not isinstance(kinds, list | tuple):
            msg = f'kinds must be a tuple of kinds, got {self.kinds!r}.'
            raise TypeError(msg)
        object.__setattr__(self, 'kinds', tuple(kinds))
        unknown = [kind for kind in kinds if kind not in _KINDS]
        if unknown or not kinds:
            msg = f'kinds must be some of {", ".join(_KINDS)}, got {self.kinds!r}.'
            raise ValueError(msg)
        as_pair(self.slope, 'slope', low=-MAXIMUM_SLOPE, high=MAXIMUM_SLOPE)
        for name, high in (
            ('log_width', _LARGEST),
            ('n_filaments', _MOST),
            ('filament_width', MAXIMUM_WIDTH),
            ('n_bubbles', _MOST),
            ('bubble_radius', MAXIMUM_WIDTH),
            ('contrast', _LARGEST),
        ):
            pair = as_pair(getattr(self, name), name, low=0, high=high)
            if pair[0] == 0:
                msg = f'{name} must be positive, got {getattr(self, name)!r}.'
                raise ValueError(msg)
            if name.startswith('n_'):
                for value in getattr(self, name):
                    as_integer(value, name)
        as_number(self.gradient, 'gradient', low=0, high=_LARGEST)


def simulate_emission(shape, *, beam_fwhm, rng, kinds=None, config=None):
    """
    Make one random field of extended emission of a kind, or of any.

    It is like `emission_field`, by which the bundled models were trained
    and which therefore stays as it is, with bubbles, mixtures and a
    choice.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    beam_fwhm : float
        The beam's full width at half maximum, in pixels.

    rng : `numpy.random.Generator`
        The source of randomness.

    kinds : str or sequence of str, optional
        The kinds of field to choose from, instead of the
        configuration's.

    config : `EmissionConfig`, optional
        The ranges.

    Returns
    -------
    field : `~numpy.ndarray`
        The field, of median 0 and robust standard deviation 1, float32.

    Raises
    ------
    TypeError, ValueError
        If a kind is not known, the beam is not positive, or another argument
        is not accepted.
    """
    check_rng(rng)
    shape = as_shape(shape, margin=_MARGIN)
    config = EmissionConfig() if config is None else config
    if not isinstance(config, EmissionConfig):
        msg = f'config must be an EmissionConfig, got {config!r}.'
        raise TypeError(msg)
    if kinds is not None:
        config = replace(config, kinds=kinds)
    beam_fwhm = as_number(beam_fwhm, 'beam_fwhm', above=0, high=MAXIMUM_WIDTH)
    big = (shape[0] + 2 * _MARGIN, shape[1] + 2 * _MARGIN)
    kind = config.kinds[rng.integers(len(config.kinds))]
    field = fractional_brownian_motion(big, rng.uniform(*config.slope), rng=rng)
    if kind != 'gaussian':
        field = np.exp(rng.uniform(*config.log_width) * field)
        field /= robust_std(field)
    if kind in ('filaments', 'mixture'):
        number = rng.integers(*config.n_filaments, endpoint=True)
        width = rng.uniform(*config.filament_width)
        filaments = filament_field(big, number, width=width, rng=rng)
        field += rng.uniform(*config.contrast) * filaments / filaments.std()
    if kind in ('bubbles', 'mixture'):
        number = rng.integers(*config.n_bubbles, endpoint=True)
        bubbles = bubble_field(big, number, radius=config.bubble_radius, rng=rng)
        if bubbles.any():
            # A scatter over the whole map would make small bubbles glare
            # like compact sources.
            inside = bubbles[bubbles > 0].mean()
            field += rng.uniform(*config.contrast) * bubbles / inside
    slope = rng.normal(0.0, config.gradient)
    field = field + slope * robust_std(field) * gradient_field(big, rng=rng)
    field = gaussian_filter(field, beam_fwhm * gaussian_fwhm_to_sigma, mode='wrap')
    field = field[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return ((field - np.median(field)) / robust_std(field)).astype(np.float32)
