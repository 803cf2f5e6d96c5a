# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Seeded generators of extended emission and of map noise.

All fields are dimensionless: an emission field has the robust standard
deviation 1 and a noise field the standard deviation 1, so that the
caller sets the scales.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = [
    'emission_field',
    'filament_field',
    'fractional_brownian_motion',
    'noise_field',
]

_FWHM_TO_SIGMA = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))


def _robust_std(field):
    median = np.median(field)
    return 1.4826 * np.median(np.abs(field - median))


def _wave_numbers(shape):
    ky = np.fft.fftfreq(shape[0])[:, None]
    kx = np.fft.rfftfreq(shape[1])[None, :]
    return kx, ky


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
    """
    kx, ky = _wave_numbers(shape)
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
    """
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
    """
    # The margin takes the periodic wrap of the generators away.
    margin = 32
    big = (shape[0] + 2 * margin, shape[1] + 2 * margin)
    kind = rng.choice(['gaussian', 'lognormal', 'filaments'], p=[0.3, 0.4, 0.3])
    field = fractional_brownian_motion(big, rng.uniform(-4.0, -2.0), rng=rng)
    if kind != 'gaussian':
        field = np.exp(rng.uniform(0.2, 1.5) * field)
        field /= _robust_std(field)
    if kind == 'filaments':
        filaments = filament_field(
            big, rng.integers(2, 9), width=rng.uniform(1.5, 6.0), rng=rng
        )
        field += rng.uniform(0.5, 4.0) * filaments / _robust_std(filaments)
    gy, gx = rng.normal(0.0, 0.5, size=2) / max(big)
    yy, xx = np.indices(big)
    field = field + gy * yy + gx * xx
    field = gaussian_filter(field, beam_fwhm * _FWHM_TO_SIGMA, mode='wrap')
    field = field[margin:-margin, margin:-margin]
    field = (field - np.median(field)) / _robust_std(field)
    return field.astype(np.float32)


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
    """
    correlation = rng.uniform(0.0, 0.8) if correlation is None else correlation
    stripes = rng.uniform(0.0, 0.3) if stripes is None else stripes
    white = gaussian_filter(rng.standard_normal(shape), correlation, mode='wrap')
    field = np.sqrt(1.0 - stripes) * white / white.std()
    if stripes > 0:
        kx, ky = _wave_numbers(shape)
        angle = rng.uniform(0.0, np.pi)
        for direction in (angle, angle + rng.uniform(0.3, 0.5) * np.pi):
            # Long along the scan, uncorrelated across it.
            along = kx * np.cos(direction) + ky * np.sin(direction)
            across = -kx * np.sin(direction) + ky * np.cos(direction)
            power = np.exp(-0.5 * (along * 40.0) ** 2) / (np.abs(across) + 0.01)
            spectrum = np.fft.rfft2(rng.standard_normal(shape)) * np.sqrt(power)
            spectrum[0, 0] = 0.0
            stripe = np.fft.irfft2(spectrum, s=shape)
            field = field + np.sqrt(stripes / 2.0) * stripe / stripe.std()
    return (field / field.std()).astype(np.float32)
