# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Seeded generators of extended emission.

All fields are dimensionless: an emission field has the robust standard
deviation 1, so that the caller sets the scale.
"""

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
    'bubble_field',
    'emission_field',
    'filament_field',
    'fractional_brownian_motion',
    'gradient_field',
]

#: The most filaments or bubbles of a field; by choice.
MOST = 10_000
#: What is cut off at each side, in pixels: it takes the periodic wrap of the
#: generators away.
MARGIN = 32


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
    slope = as_number(slope, 'slope', low=-MAXIMUM_SLOPE, high=0)
    kx, ky = wave_numbers(shape)
    k = np.hypot(kx, ky)
    k[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * k ** (slope / 2.0)
    field = np.fft.irfft2(spectrum, s=shape)
    return (field - field.mean()) / field.std()


def filament_field(shape, n_filaments, *, width, rng, winding=(4.0, 12.0)):
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

    winding : pair of float, optional
        The range of the Gaussian sigma, in pixels, by which the field is
        smoothed whose level lines they are.

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
    n_filaments = as_integer(n_filaments, 'n_filaments', high=MOST)
    width = as_number(width, 'width', above=0, high=MAXIMUM_WIDTH)
    winding = as_pair(winding, 'winding', low=0, high=MAXIMUM_WIDTH)
    field = np.zeros(shape)
    for _ in range(n_filaments):
        smooth = fractional_brownian_motion(shape, rng.uniform(-4.5, -3.5), rng=rng)
        smooth = gaussian_filter(smooth, rng.uniform(*winding), mode='wrap')
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
    shape = as_shape(shape, margin=MARGIN)
    beam_fwhm = as_number(beam_fwhm, 'beam_fwhm', above=0, high=MAXIMUM_WIDTH)
    big = (shape[0] + 2 * MARGIN, shape[1] + 2 * MARGIN)
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
    field = field[MARGIN:-MARGIN, MARGIN:-MARGIN]
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
