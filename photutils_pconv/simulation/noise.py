# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Seeded generators of what disturbs a map: noise and confusion.

A map's noise follows its coverage, the time that the detectors spent on
each pixel; confusion is the light of sources too faint to be told apart.
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from photutils_pconv._psf_models.measures import measure_fwhm
from photutils_pconv._utils.checks import to_float
from photutils_pconv.setups.beam_rules import size_ratio
from photutils_pconv.simulation._checks import (
    MAXIMUM_COUNT,
    MAXIMUM_SCALE,
    MAXIMUM_SLOPE,
    as_number,
    as_plane,
    as_shape,
    check_psf,
    check_rng,
)
from photutils_pconv.simulation._spectral import wave_numbers

__all__ = [
    'confusion_field',
    'coverage_map',
    'coverage_noise',
    'noise_field',
    'stripe_field',
]

# The largest noise, which float32 must hold with room for many sigmas; by choice.
_LARGEST_LEVEL = 1.0e30
# The widest smoothing of noise, in pixels; by choice.
_LARGEST_CORRELATION = 100.0
# The stamps of confusing sources, in arcsec for PACS, by choice: the wings beyond
# are flat, and the mean is taken off.
_STAMP_RADIUS = 60.0


def noise_field(shape, *, rng, correlation=None, stripes=None):
    """
    Make one field of map-maker noise.

    White noise, smoothed over about a pixel as the map maker's
    projection does, and stripes of residual 1/f noise along two crossed
    scan directions.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    rng : `numpy.random.Generator`
        The source of randomness.

    correlation : float, optional
        The Gaussian sigma of the smoothing, in pixels (default: random,
        0 to 0.8).

    stripes : float, optional
        The stripes' share of the variance (default: random, up to 0.3).

    Returns
    -------
    field : `~numpy.ndarray`
        The noise, of standard deviation 1, float32.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted.
    """
    check_rng(rng)
    shape = as_shape(shape)
    if correlation is not None:
        correlation = as_number(
            correlation, 'correlation', low=0, high=_LARGEST_CORRELATION
        )
    if stripes is not None:
        stripes = as_number(stripes, 'stripes', low=0, high=1)
    correlation = rng.uniform(0.0, 0.8) if correlation is None else correlation
    stripes = rng.uniform(0.0, 0.3) if stripes is None else stripes
    white = gaussian_filter(rng.standard_normal(shape), correlation, mode='wrap')
    field = np.sqrt(1.0 - stripes) * white / white.std()
    if stripes > 0:
        for stripe in _draw_stripes(shape, 40.0, rng):
            field = field + np.sqrt(stripes / 2.0) * stripe
    return (field / field.std()).astype(np.float32)


def stripe_field(shape, *, length, rng):
    """
    Make the stripes that 1/f noise leaves along two crossed scans.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    length : float
        The length over which a stripe keeps its brightness along the scan,
        in pixels.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    field : `~numpy.ndarray`
        The stripes, of standard deviation 1.
    """
    field = sum(_draw_stripes(shape, length, rng))
    return field / field.std()


def _draw_stripes(shape, length, rng):
    """Draw the stripes of either scan, of standard deviation 1 each."""
    kx, ky = wave_numbers(shape)
    angle = rng.uniform(0.0, np.pi)
    for direction in (angle, angle + rng.uniform(0.3, 0.5) * np.pi):
        # Long along the scan, uncorrelated across it.
        along = kx * np.cos(direction) + ky * np.sin(direction)
        across = -kx * np.sin(direction) + ky * np.cos(direction)
        power = np.exp(-0.5 * (along * length) ** 2) / (np.abs(across) + 0.01)
        spectrum = np.fft.rfft2(rng.standard_normal(shape)) * np.sqrt(power)
        spectrum[0, 0] = 0.0
        stripe = np.fft.irfft2(spectrum, s=shape)
        yield stripe / stripe.std()


def coverage_map(shape, *, full=1.0, width=0.8, ramp=0.25, angle=0.0):
    """
    Make the coverage of two crossed scans.

    Each scan covers a band across the map, evenly but for the edges,
    where fewer and fewer of the detectors pass. Both together leave a
    high centre, four arms of half the coverage, and corners without any,
    as in the maps of the Herschel Science Archive.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    full : float, optional
        The coverage of the centre, in any unit.

    width : float, optional
        The width of a scan's band, out to where its coverage ends, as a
        share of the map's side.

    ramp : float, optional
        The length over which the coverage falls to 0, as a share of half
        the map's side.

    angle : float, optional
        The angle of the first scan to the x axis, in radians.

    Returns
    -------
    coverage : 2D `~numpy.ndarray`
        The coverage, 0 in pixels without data.

    Raises
    ------
    TypeError, ValueError
        If ``full`` is not positive, ``width`` or ``ramp`` is not in (0, 1],
        or another argument is not accepted.
    """
    full = to_float(full, 'full')
    for name, value in (('width', width), ('ramp', ramp)):
        if not 0 < as_number(value, name) <= 1:
            msg = f'{name} must be a share, in (0, 1], got {value!r}.'
            raise ValueError(msg)
    angle = as_number(angle, 'angle')
    ny, nx = as_shape(shape, minimum=1)
    x = (np.arange(nx) - (nx - 1) / 2) / (nx / 2)
    y = (np.arange(ny)[:, None] - (ny - 1) / 2) / (ny / 2)
    u = np.abs(x * np.cos(angle) + y * np.sin(angle))
    v = np.abs(-x * np.sin(angle) + y * np.cos(angle))

    def fall(distance, end):
        return np.clip((end - distance) / ramp, 0.0, 1.0)

    scans = fall(u, 1.0) * fall(v, width) + fall(v, 1.0) * fall(u, width)
    if not scans.any():
        msg = f'no pixel is covered: width, {width!r}, must be wider for {nx} by {ny}.'
        raise ValueError(msg)
    return full * scans / scans.max()


def coverage_noise(coverage, *, level, rng, correlation=None, stripes=None):
    """
    Make noise that grows where the coverage falls.

    The noise of a pixel is proportional to 1 / sqrt(coverage), as for
    any average.

    Parameters
    ----------
    coverage : 2D array_like
        The coverage; pixels with 0 or NaN have no data.

    level : float
        The standard deviation where the coverage is highest.

    rng : `numpy.random.Generator`
        The source of randomness.

    correlation, stripes : float, optional
        See `noise_field`.

    Returns
    -------
    noise : 2D `~numpy.ndarray`
        The noise, NaN in pixels without data.

    Raises
    ------
    TypeError, ValueError
        If no pixel is covered, ``level`` is not positive, or another argument
        is not accepted.
    """
    check_rng(rng)
    coverage = as_plane(coverage, 'coverage')
    if np.any(np.isinf(coverage)):
        msg = 'coverage must not be infinite (0 or NaN: no data).'
        raise ValueError(msg)
    level = as_number(level, 'level', above=0, high=_LARGEST_LEVEL)
    covered = coverage > 0
    if not covered.any():
        msg = 'coverage must be positive somewhere, but no pixel is covered.'
        raise ValueError(msg)
    noise = noise_field(
        coverage.shape, rng=rng, correlation=correlation, stripes=stripes
    )
    depth = np.where(covered, coverage, np.nan) / coverage[covered].max()
    return level * noise / np.sqrt(depth)


def confusion_field(
    shape, *, psf, pixel_scale, density, flux_max, rng, flux_min=None, slope=-2.0
):
    """
    Make the fluctuations that sources too faint to be seen leave.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
        The PSF.

    pixel_scale : float
        The pixel's side, in arcsec.

    density : float
        The number of sources per square arcmin, of fluxes between
        ``flux_min`` and ``flux_max``.

    flux_max : float
        The flux of the brightest: that of the faintest source that is
        injected on its own, in the unit that the field shall have, times
        pixel.

    rng : `numpy.random.Generator`
        The source of randomness.

    flux_min : float, optional
        The flux of the faintest, by default a hundredth of ``flux_max``.

    slope : float, optional
        The slope of the differential number counts, dN/dS ~ S**slope. It
        is -2.5 for sources spread evenly through Euclidean space, as for
        bright ones; deep counts turn flatter, at 160 micron at about 20
        mJy (Bethermin et al. 2010, A&A 512, A78).

    Returns
    -------
    field : 2D `~numpy.ndarray`
        The sum of the sources, less its mean, since a map's zero point is
        arbitrary. They lie on pixel centres.

    Raises
    ------
    TypeError, ValueError
        If a number is not positive, ``flux_min`` is not below ``flux_max``,
        or another argument is not accepted.
    """
    check_rng(rng)
    check_psf(psf)
    pixel_scale = as_number(pixel_scale, 'pixel_scale', above=0, high=MAXIMUM_SCALE)
    density = to_float(density, 'density')
    flux_max = to_float(flux_max, 'flux_max')
    flux_min = flux_max / 100 if flux_min is None else to_float(flux_min, 'flux_min')
    if flux_min >= flux_max:
        msg = f'flux_min must be below flux_max, got {flux_min:g} and {flux_max:g}.'
        raise ValueError(msg)
    slope = as_number(slope, 'slope', low=-MAXIMUM_SLOPE, high=MAXIMUM_SLOPE)
    radius = _STAMP_RADIUS * size_ratio(measure_fwhm(psf))
    reach = int(np.ceil(radius / pixel_scale))
    shape = as_shape(shape, minimum=1, margin=reach)
    ny, nx = (size + 2 * reach for size in shape)
    expected = density * nx * ny * (pixel_scale / 60.0) ** 2
    if expected > MAXIMUM_COUNT:
        msg = (
            f'density must leave at most {MAXIMUM_COUNT} sources on the map, got '
            f'{density:g} a square arcmin, which are {expected:.3g}.'
        )
        raise ValueError(msg)
    count = rng.poisson(expected)
    field = np.bincount(
        rng.integers(nx * ny, size=count),
        weights=_power_law(count, flux_min, flux_max, slope, rng),
        minlength=nx * ny,
    ).reshape(ny, nx)
    side = 2 * reach + 1
    stamp = psf.render((side, side), reach, reach, pixel_scale=pixel_scale)
    field = fftconvolve(field, stamp, mode='valid')
    return field - field.mean()


def _power_law(count, low, high, slope, rng):
    """
    Draw from a power law between two limits.
    """
    share = rng.random(count)
    power = slope + 1.0
    if power == 0:
        return low * (high / low) ** share
    return (low**power + share * (high**power - low**power)) ** (1.0 / power)
