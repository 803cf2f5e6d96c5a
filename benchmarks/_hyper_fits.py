# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Joint fits of Gaussian sources of various sizes: what sizes are worth.

An experiment beside the package's own methods, none of which takes a size a
source. Every source is fitted in a window of its own by generalised least
squares, with the fluxes of its neighbours free and a covariance of the package's
bank of filters; sources farther away are subtracted as the round before found
them.
"""

from dataclasses import dataclass

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma

from photutils_pconv.psf_photometry import get_filter_bank

__all__ = ['GaussianSources', 'fit_gaussians']

# All by choice. The covariance's number in the bank (emission of slope -3.4, white
# noise of 0.6 of its scatter), the distance of free neighbours, and that of all
# that reaches into a window (pixels); the rounds; the step of a derivative, the
# largest step of a width, and its limits in units of the first guess.
_MODEL, _NEAR, _FAR = 16, 12.0, 26.0
_ROUNDS = 10
_STEP, _LARGEST_STEP, _LIMITS = 0.005, 0.15, (0.6, 1.6)


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianSources:
    """
    What is fitted to the sources.

    Parameters
    ----------
    flux : 1D `~numpy.ndarray`
        The total fluxes, in the map's unit times pixel.

    fwhm : 1D `~numpy.ndarray`
        The sources' FWHM (pixels).
    """

    flux: np.ndarray
    fwhm: np.ndarray


def _gaussian(dx, dy, fwhm):
    """
    Evaluate a Gaussian of flux 1, averaged over pixels to the second order.
    """
    variance = (fwhm * gaussian_fwhm_to_sigma) ** 2 + 1.0 / 12.0
    return np.exp(-0.5 * (dx**2 + dy**2) / variance) / (2.0 * np.pi * variance)


def fit_gaussians(data, x, y, fwhm, *, fit_fwhm=False):
    """
    Fit round Gaussian sources of given positions.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    x, y : 1D `~numpy.ndarray`
        The positions (pixels).

    fwhm : 1D `~numpy.ndarray`
        The sources' FWHM (pixels), or first guesses of them.

    fit_fwhm : bool, optional
        Whether the sizes are fitted.

    Returns
    -------
    sources : `GaussianSources`
        Fluxes and sizes.
    """
    first = np.asarray(fwhm, dtype=float)
    fwhm, flux = first.copy(), np.zeros(len(x))
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    bank = get_filter_bank(float(np.median(first)))
    half = int(bank.dx.max())
    side = 2 * half + 1
    padded, inside = np.pad(data, half), np.pad(np.ones(data.shape, bool), half)
    for _ in range(_ROUNDS):
        new_flux, new_fwhm = flux.copy(), fwhm.copy()
        for i in range(len(x)):
            column, row = round(x[i]), round(y[i])
            part = np.s_[row : row + side, column : column + side]
            values, use = padded[part].ravel(), inside[part].ravel()
            dx, dy = bank.dx + column, bank.dy + row
            free = [i, *np.flatnonzero((distance[i] < _NEAR) & (distance[i] > 0))]
            for j in np.flatnonzero((distance[i] >= _NEAR) & (distance[i] < _FAR)):
                values = values - flux[j] * _gaussian(dx - x[j], dy - y[j], fwhm[j])
            offsets = [(dx - x[j], dy - y[j]) for j in free]
            templates = [
                _gaussian(*one, fwhm[j]) for one, j in zip(offsets, free, strict=True)
            ]
            weights = bank.weights(_MODEL, templates, valid=use)
            new_flux[i] = weights @ values
            if not fit_fwhm:
                continue
            # To the first order in the widths, of the neighbours as well.
            slopes = [
                (
                    _gaussian(*one, fwhm[j] * (1.0 + _STEP))
                    - _gaussian(*one, fwhm[j] * (1.0 - _STEP))
                )
                / (2.0 * _STEP)
                for one, j in zip(offsets, free, strict=True)
            ]
            every = [*templates, *slopes]
            amplitude = bank.weights(_MODEL, every, valid=use) @ values
            # The weights are those of the first template.
            every.insert(0, every.pop(len(free)))
            slope = bank.weights(_MODEL, every, valid=use) @ values
            step = slope / max(amplitude, np.finfo(float).tiny)
            step = np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
            new_fwhm[i] = np.clip(
                fwhm[i] * (1.0 + step), *np.multiply(_LIMITS, first[i])
            )
        flux, fwhm = new_flux, new_fwhm
    return GaussianSources(flux=flux, fwhm=fwhm)
