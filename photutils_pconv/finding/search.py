# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Rounds of finding sources: peaks of the filtered map, fits, and what is left.
"""

from dataclasses import replace

import numpy as np
from scipy.ndimage import binary_dilation, maximum_filter
from scipy.spatial import cKDTree

from photutils_pconv.finding.filtering import filter_map
from photutils_pconv.finding.fits import (
    Candidates,
    fit_candidates,
    neighbour_errors,
)
from photutils_pconv.finding.structure import structure_map
from photutils_pconv.geometry.merging import UNRESOLVED_FWHM
from photutils_pconv.geometry.resampling import fill_missing
from photutils_pconv.psf.source_images import expected_error_image, model_image
from photutils_pconv.psf_photometry.filters import get_filter_bank

__all__ = ['search_map']

# All by choice. A peak is the largest value within this radius, and the scatter is
# not looked at within that one of a source (FWHM).
_PEAK_RADIUS, _SOURCE_RADIUS = 0.6, 0.7
# Nothing is looked for this close to a knot (FWHM).
_KNOT_RADIUS = 1.0
# Candidates are kept from this share of the threshold on until all are found: their
# neighbours change what they have.
_CANDIDATE_SHARE = 0.8
# Shapes may be off by so many standard errors, beyond the tolerance.
_SHAPE_ERRORS = 2.0
# A source half as wide again as the PSF may be more significant by so much: on the
# training half of benchmarks/finding.py, 2026-11-29, the completeness at 0.90 and 0.95
# reliability is 0.707, 0.714, 0.719, 0.716 and 0.715 for -0.3, 0, 0.3, 0.6 and 1.
_WIDE_GAIN = 0.3
# Sources with another one this close (FWHM) have their errors raised by this factor:
# most such pairs are one knot, wider than the PSF. Measured on the same maps, on which
# no two sources are so close: with it the completeness at 0.90 and 0.95 reliability
# on real emission is 0.69 and 0.64 instead of 0.61 and 0.58, and as it was elsewhere.
_PAIR_FWHM, _PAIR_ERROR = 1.0, 2.0
# Beams that agree to so many decimals of a pixel share a bank of filters.
_BEAM_DECIMALS = 3


def search_map(data, missing, psf, settings, *, beam_fwhm):
    """
    Find the sources of a map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    settings : `~photutils_pconv.finding.FindSettings`
        What counts as a source.

    beam_fwhm : float
        The FWHM of the beam, in pixels.

    Returns
    -------
    found : `~photutils_pconv.finding.fits.Candidates`
        The sources, brightest first.
    """
    search = _Search(data, missing, psf, settings, beam_fwhm)
    for _ in range(settings.n_rounds):
        if not search.look_again():
            break
    return search.finish()


class _Search:
    """A map, and what was found on it so far."""

    def __init__(self, data, missing, psf, settings, beam_fwhm):
        filled = fill_missing(data, missing)
        # A constant is of no concern.
        self.filled = filled - np.median(filled[~missing])
        self.missing, self.psf, self.settings = missing, psf, settings
        self.fwhm = psf.fwhm
        self.bank = get_filter_bank(round(float(beam_fwhm), _BEAM_DECIMALS))
        self.kernels = self.bank.kernels(psf)
        self.numbers = np.arange(len(self.bank))
        self.found = self._fit(*np.zeros((4, 0)), np.zeros(0, dtype=int))
        self.filtered = self.structure = None
        self.knots = np.zeros((0, 2))

    def look_again(self):
        """Find what is left; return whether there is anything new."""
        found = self.found
        shape = self.filled.shape
        image, use, leak = self.filled, ~self.missing, None
        if len(found):
            image = image - model_image(shape, found.x, found.y, found.flux, self.psf)
            leak = expected_error_image(shape, found.x, found.y, found.flux, self.psf)
            use = use & ~self._near(_SOURCE_RADIUS)
        self.filtered = filter_map(
            image, use, self.kernels[self.numbers], numbers=self.numbers, leak=leak
        )
        self.numbers = self.filtered.used
        x, y, flux = self._peaks()
        self.found = self._refit(
            np.append(found.x, x), np.append(found.y, y), np.append(found.flux, flux)
        )
        self._drop_knots()
        self.found = self._thin(_CANDIDATE_SHARE * self.settings.threshold)
        return len(x) > 0

    def _drop_knots(self):
        """
        Leave out what is wider than the PSF along both axes, once and for all.

        Subtracted as a source, it would leave others around it. Blends are wider along
        one axis.
        """
        found, tolerance = self.found, self.settings.shape_tolerance
        if len(found) == 0 or not np.isfinite(tolerance):
            return
        excess = found.width - found.ellipticity
        knot = excess > tolerance + _SHAPE_ERRORS * found.width_err
        places = np.stack([found.x, found.y], axis=1)
        self.knots = np.concatenate([self.knots, places[knot]])
        self.found = found.select(~knot)

    def finish(self):
        """Give what counts as a source."""
        rule = self.settings.threshold, self.settings.shape_tolerance
        found = self.found
        image = model_image(self.filled.shape, found.x, found.y, found.flux, self.psf)
        self.structure = structure_map(self.filled - image, self.missing, self.fwhm)
        self.found = self._raise_errors(found)
        self.found = found = self._thin(*rule)
        # Their neighbours may be gone.
        self.found = self._raise_errors(self._refit(found.x, found.y, found.flux))
        self.found = self._thin(*rule)
        return self.found.select(np.argsort(-self.found.flux))

    def _raise_errors(self, found):
        """Give sources with the errors that the structure around them makes."""
        factor = self.structure[self._pixels(found.x, found.y)]
        if len(found) > 1:
            places = np.stack([found.x, found.y], axis=1)
            pairs = cKDTree(places).query_pairs(
                _PAIR_FWHM * self.fwhm, output_type='ndarray'
            )
            factor[np.unique(pairs)] *= _PAIR_ERROR
        return found.on_structure(factor)

    def _pixels(self, x, y):
        """Give the rows and columns of positions, the nearest ones on the map."""
        ny, nx = self.filled.shape
        column = np.clip(np.round(x).astype(int), 0, nx - 1)
        return np.clip(np.round(y).astype(int), 0, ny - 1), column

    def _refit(self, x, y, flux):
        """Fit sources with the filters and the scatter of where they are."""
        row, column = self._pixels(x, y)
        return self._fit(
            x,
            y,
            flux,
            self.filtered.scatter[row, column],
            self.filtered.chosen[row, column],
        )

    def _fit(self, x, y, flux, scatter, number):
        """Fit sources; errors have the mismatch of brighter neighbours."""
        if len(x) == 0:
            empty = np.zeros(0)
            number = np.zeros(0, dtype=int)
            return Candidates(*[empty] * 9, number=number, structure=empty)
        found = fit_candidates(
            self.filled,
            self.missing,
            x,
            y,
            flux,
            scatter,
            number,
            self.bank,
            self.psf,
        )
        leak = neighbour_errors(found, self.bank, self.psf, self.kernels)
        return replace(found, flux_err=np.hypot(found.flux_err, leak))

    def _thin(self, threshold, tolerance=np.inf):
        """Leave out what is too faint, has another shape, or is another's copy."""
        found = self.found
        with np.errstate(invalid='ignore'):
            good = found.snr >= threshold
            if np.isfinite(tolerance):
                good &= np.abs(found.width) <= (
                    tolerance + _SHAPE_ERRORS * found.width_err
                )
                good &= found.wide_gain <= _WIDE_GAIN
                good &= found.ellipticity <= (
                    tolerance + _SHAPE_ERRORS * found.ellipticity_err
                )
        kept = []
        for i in np.flatnonzero(good)[np.argsort(-found.flux[good])]:
            distance = np.hypot(found.x[kept] - found.x[i], found.y[kept] - found.y[i])
            if np.all(distance > UNRESOLVED_FWHM * self.fwhm):
                kept.append(i)
        return found.select(np.array(kept, dtype=int))

    def _peaks(self):
        """Find the peaks of the filtered map that are new."""
        snr = np.where(self.missing, -np.inf, self.filtered.snr)
        threshold = _CANDIDATE_SHARE * self.settings.threshold
        highest = maximum_filter(
            snr,
            footprint=_disc(_PEAK_RADIUS * self.fwhm),
            mode='constant',
            cval=-np.inf,
        )
        peak = (snr == highest) & (snr >= threshold)
        if len(self.found):
            peak &= ~self._near(UNRESOLVED_FWHM)
        row, column = np.nonzero(peak)
        for x, y in self.knots:
            far = np.hypot(column - x, row - y) > _KNOT_RADIUS * self.fwhm
            row, column = row[far], column[far]
        return column.astype(float), row.astype(float), self.filtered.flux[row, column]

    def _near(self, radius):
        """Give the pixels within a radius (FWHM) of what was found."""
        near = np.zeros(self.filled.shape, dtype=bool)
        near[self._pixels(self.found.x, self.found.y)] = True
        return binary_dilation(near, _disc(radius * self.fwhm))


def _disc(radius):
    """Give the pixels within a radius, as a footprint."""
    half = int(np.ceil(radius))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    return np.hypot(x, y) <= radius
