# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What `spectra` does with arrays: windows, gaps, and Fourier transforms.

Lengths are in pixels, frequencies in cycles a pixel.
"""

import numpy as np
from scipy import fft
from scipy.ndimage import distance_transform_edt, gaussian_filter

_NYQUIST = 0.5

# The Mexican hat's two Gaussians fall below 2e-5 at this many lags.
_REACH = 2.5

# The area over which the squared, filtered map is correlated, in squared
# lags: the integral of the squared autocorrelation of a map with
# P ~ k^-3 seen through the Mexican hat (0.6 for k^-2, 1.2 for k^-4).
_CORRELATION_AREA = 0.77

# Where a filter sees less than this of the highest weight, its mean is
# not used.
_LEAST_WEIGHT = 0.01


def make_window(missing, *, taper, max_gap):
    """
    Make a window that falls to zero at the edge of what was observed.

    Parameters
    ----------
    missing : 2D bool `~numpy.ndarray`
        The missing pixels.

    taper : float
        The width of the cosine taper, in pixels.

    max_gap : float
        Missing regions that nowhere reach deeper than this many pixels
        are gaps: the window passes over them.

    Returns
    -------
    window : 2D `~numpy.ndarray`
        The window, between 0 and 1.

    gaps : 2D bool `~numpy.ndarray`
        Missing pixels under the window.
    """
    # The frame, too, must be too deep for a gap.
    frame = int(max_gap) + 2
    padded = np.pad(missing, frame, constant_values=True)
    core = distance_transform_edt(padded) > max_gap
    # What is within max_gap of the cores is all of the deep regions, less
    # the thin structures on them.
    outside = padded & (distance_transform_edt(~core) <= max_gap)
    distance = distance_transform_edt(~outside)
    window = np.sin(0.5 * np.pi * np.minimum(distance / (taper + 1.0), 1.0)) ** 2
    inner = np.s_[frame:-frame, frame:-frame]
    return window[inner], (missing & ~outside[inner])


def fill_gaps(data, missing, gaps):
    """
    Fill gaps with the Gaussian-weighted mean of the nearest pixels.

    Other missing pixels become 0.
    """
    filled = np.where(missing, 0.0, data)
    todo = gaps.copy()
    good = (~missing).astype(float)
    known = filled.copy()
    sigma = 1.0
    while todo.any():
        weight = gaussian_filter(good, sigma, mode='constant', truncate=3.0)
        mean = gaussian_filter(known, sigma, mode='constant', truncate=3.0)
        # A pixel takes the narrowest kernel that sees enough of the map.
        able = todo & (weight > 0.05)
        filled[able] = mean[able] / weight[able]
        todo &= ~able
        sigma *= 1.5
    return filled


def log_edges(fundamental, per_decade):
    """
    Make logarithmic bins, none narrower than the fundamental frequency.
    """
    if per_decade <= 0:
        msg = f'bins_per_decade must be positive, got {per_decade}.'
        raise ValueError(msg)
    edges = [0.5 * fundamental]
    ratio = 10.0 ** (1.0 / per_decade)
    while edges[-1] < _NYQUIST:
        edges.append(max(edges[-1] + fundamental, edges[-1] * ratio))
    # What is left for the last bin goes to the one before it.
    if len(edges) > 2:
        edges.pop()
    edges[-1] = _NYQUIST
    return np.array(edges)


def azimuthal_average(filled, window, edges):
    """
    Average the power spectrum of a map under a window over annuli.

    Returns the mean frequency, the power and the number of independent
    modes in each bin, and the number of modes that were averaged.
    """
    ny, nx = filled.shape
    mean = np.sum(window * filled) / np.sum(window)
    transform = fft.rfft2(window * (filled - mean))
    power = np.abs(transform) ** 2 / np.sum(window**2)
    k = np.hypot(fft.fftfreq(ny)[:, np.newaxis], fft.rfftfreq(nx)[np.newaxis, :])
    # The columns that a real transform leaves out mirror those it has.
    twins = np.full(k.shape, 2.0)
    twins[:, 0] = 1.0
    if nx % 2 == 0:
        twins[:, -1] = 1.0
    # The last bin holds its upper edge, as those of a histogram.
    which = np.searchsorted(edges, k, side='right') - 1
    which[k == edges[-1]] = len(edges) - 2
    used = (which >= 0) & (which < len(edges) - 1) & (k > 0)
    which, weight = which[used], twins[used]
    n = len(edges) - 1
    counted = np.bincount(which, weight, n)
    with np.errstate(invalid='ignore'):
        frequency = np.bincount(which, weight * k[used], n) / counted
        power = np.bincount(which, weight * power[used], n) / counted
    share = np.sum(window**2) ** 2 / np.sum(window**4) / window.size
    return frequency, power, 0.5 * share * counted, counted


def filtered_variance(data, weight, lags, ratio):
    """
    Measure the delta-variance of a map, and its error, at each lag.

    Map and weights are filtered alike, so that neither pixels without
    weight nor what lies beyond the edge takes part (Ossenkopf et al.
    2008, Eqs. 8 to 12). The filters are those of a continuous map,
    multiplied in the frequency domain.
    """
    ny, nx = data.shape
    # The convolution is cyclic: the padding parts the opposite edges.
    pad = int(np.ceil(_REACH * max(lags)))
    shape = tuple(fft.next_fast_len(size + pad, real=True) for size in (ny, nx))
    weighted = fft.rfft2(weight * data, shape)
    weights = fft.rfft2(weight, shape)
    k2 = fft.fftfreq(shape[0])[:, np.newaxis] ** 2
    k2 = k2 + fft.rfftfreq(shape[1])[np.newaxis, :] ** 2

    result = np.full((2, len(lags)), np.nan)
    for i, lag in enumerate(lags):
        exponent = 0.25 * (np.pi * lag) ** 2 * k2
        core = np.exp(-exponent)
        annulus = (ratio**2 * np.exp(-exponent * ratio**2) - core) / (ratio**2 - 1.0)
        means, seen = [], []
        for kernel in (core, annulus):
            below = fft.irfft2(weights * kernel, shape)[:ny, :nx]
            above = fft.irfft2(weighted * kernel, shape)[:ny, :nx]
            known = below > _LEAST_WEIGHT * weight.max()
            below = np.where(known, below, 0.0)
            means.append(np.divide(above, below, out=np.zeros((ny, nx)), where=known))
            seen.append(below)
        joint = seen[0] * seen[1]
        total = joint.sum()
        if total == 0:
            continue
        square = (means[0] - means[1]) ** 2
        variance = np.sum(joint * square) / total
        scatter = np.sum(joint * (square - variance) ** 2) / total
        area = total**2 / np.sum(joint**2)
        n_independent = max(1.0, area / (_CORRELATION_AREA * lag**2))
        result[:, i] = variance, np.sqrt(scatter / n_independent)
    return result
