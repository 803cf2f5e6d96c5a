# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fluxes of a map's sources by the filters that scatter least around them.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.progress import advance
from photutils_pconv.geometry.lazy_images import Difference
from photutils_pconv.geometry.squares import SquareStack, group_alike
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf_photometry.filters import (
    FILTER_RADIUS,
    FilterBank,
    get_filter_bank,
)
from photutils_pconv.psf_photometry.fit_windows import (
    NEIGHBOUR_DISTANCE,
    find_neighbours,
)
from photutils_pconv.psf_photometry.scatter import FilterKernels, FilterScatter
from photutils_pconv.psf_photometry.window_stacks import draw_squares

__all__ = ['measure_fluxes']

# All by choice, 2026-11-22.
# Filters are not looked at this close to a hole or a missing pixel (pixels).
_MARGIN = 4

# The relative error of the PSF's width that a flux's error allows for: where
# bright sources determine the filters' ratios, only what differs from source to
# source is left; else it is half of the PSF's mismatch. And the error of a
# position, in pixels.
_WIDTH_ERROR = 0.0008
_MISMATCH_TO_WIDTH = 0.5
_POSITION_ERROR = 0.03

# The prior's standard deviation of a filter's flux over the fit's, about 1, and
# the scatter of that ratio from source to source.
_RATIO_PRIOR = 0.02
_RATIO_SCATTER = 0.003
# The pixels that have their mismatch in common; by choice, so that the errors of
# faint sources beside ten times brighter ones are true (benchmarks/psf_accuracy.py
# --parts pairs, 2026-11-29).
_COMMON_PIXELS = 4.0
# Sources larger than the PSF by more than this factor have larger filters, of this
# half side (pixels): 1.4 FWHM of the largest sources that are fitted.
_LARGE, _LARGE_RADIUS = 1.5, 16
# The relative error of a size that is given without one.
_SIZE_ERROR = 0.05
# Beams that agree to so many decimals of a pixel share a bank of filters.
_BEAM_DECIMALS = 3


def measure_fluxes(
    data,
    fit,
    pixel_psf,
    *,
    beam_fwhm,
    missing,
    unseen,
    sources,
    whole_sources=None,
    bright=None,
):
    """
    Measure fluxes with matched filters.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, its level taken off; missing pixels hold any finite value.

    fit : `~photutils_pconv.psf_photometry.PSFFit`
        The sources' positions, and first estimates of their fluxes.

    pixel_psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF on the map's pixels, or that of each source.

    beam_fwhm : float
        The FWHM of the beam, in pixels.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    unseen : 2D bool `~numpy.ndarray`
        The pixels, missing or in holes, where a filtered map does not
        show the background.

    sources : 2D `~numpy.ndarray`
        The image of the sources of ``fit``, which may leave out the
        faintest wings.

    whole_sources : 2D `~numpy.ndarray`, optional
        The same with all of the wings, where it is at hand.

    bright : 1D bool `~numpy.ndarray`, optional
        The sources that show how the filters' fluxes compare with those
        of the fit (default: none), for a PSF that is a little off makes
        each filter's flux wrong by a factor of its own.

    Returns
    -------
    flux, flux_err, null_err : 1D `~numpy.ndarray`
        The fluxes and their errors, in the map's unit times pixel: the
        scatter of the filter around the source and, in quadrature, what
        the PSF's expected error makes of the flux. The third is what the
        error were without the source: the scatter. NaN where ``fit`` has no
        flux.
    """
    n = len(fit.x)
    bright = np.zeros(n, dtype=bool) if bright is None else bright
    flux, flux_err, null_err = np.full((3, n), np.nan)
    known = np.isfinite(fit.flux)
    if not known.any():
        return flux, flux_err, null_err
    # The wings that the first estimates' image leaves out stay out here.
    if whole_sources is None:
        whole_sources = model_image(data.shape, fit.x, fit.y, fit.flux, pixel_psf)
    residual = Difference(data, sources)
    scale = pixel_psf.scales(n)
    filters = _Filters(pixel_psf, beam_fwhm, told=bright.any())
    chosen = _choose_filters(
        FilterScatter(residual, ~unseen, missing=missing, margin=_MARGIN),
        fit,
        filters,
        scale,
    )
    neighbours = find_neighbours(fit.x, fit.y, NEIGHBOUR_DISTANCE, scale=scale)
    free = {i: [i, *(j for j in neighbours[i] if known[j])] for i in chosen}
    ratios = np.full(len(filters.point.bank), 1.0 / _RATIO_PRIOR**2)
    norms = ratios.copy()
    telling = []
    for group in group_alike(
        chosen, lambda i: (chosen[i].bank.radius, chosen[i].number, len(free[i]))
    ):
        bank, k = chosen[group[0]].bank, chosen[group[0]].number
        squares = SquareStack.around(fit.x[group], fit.y[group], bank.radius)
        use = ~squares.cut(missing, fill_value=True)
        left_out = squares.cut(whole_sources) - squares.cut(sources)
        pixels = squares.cut(residual) - np.where(use, left_out, 0.0)
        use, pixels = (one.reshape(len(group), -1) for one in (use, pixels))
        # Each template is that of the flux still missing from the fit.
        templates = _draw(squares, fit, pixel_psf, np.array([free[i] for i in group]))
        weights = bank.weights(k, templates, valid=use)
        flux[group] = fit.flux[group] + np.sum(weights * pixels, axis=1)
        alone = use.all(axis=1) & (templates.shape[1] == 1)
        growth = np.ones(len(group))
        if not alone.all():
            # Neighbours and missing pixels cost precision.
            own_weights = bank.weights(k, templates[:, :1])
            growth = np.linalg.norm(weights, axis=1)
            growth = np.maximum(growth / np.linalg.norm(own_weights, axis=1), 1.0)
        scatter = np.array([chosen[i].scatter for i in group])
        null_err[group] = growth * scatter[:, k]
        for i, one, region in zip(group, weights, squares.regions, strict=True):
            for j in free[i][1:]:
                leak = _leak(one, pixel_psf.of(j), region, fit.x[j], fit.y[j])
                null_err[i] = np.hypot(null_err[i], fit.flux[j] * leak)
        sensitivity = np.array([chosen[i].sensitivity for i in group])
        flux_err[group] = np.hypot(null_err[group], sensitivity * fit.flux[group])
        is_point = np.array([chosen[i].is_point for i in group])
        tells = np.flatnonzero(bright[group] & alone & is_point)
        telling += [
            (templates[m, 0], pixels[m], fit.flux[group[m]], scatter[m]) for m in tells
        ]
    if telling:
        # Of filters that no source has, nothing needs to be known.
        used = np.unique([one.number for one in chosen.values()])
        found, precision = _compare(
            filters.point.bank, used, *zip(*telling, strict=True)
        )
        ratios[used] += np.sum(precision * found, axis=1)
        norms[used] += np.sum(precision, axis=1)
    measured = np.array(list(chosen), dtype=int)
    factor = (norms / ratios)[[one.number for one in chosen.values()]]
    flux[measured] *= factor
    flux_err[measured] *= factor
    null_err[measured] *= factor
    return flux, flux_err, null_err


@dataclass(frozen=True, eq=False)
class _Choice:
    """
    The filter of a source that has the least error: its bank, and its number there.

    With how much all of them scatter, how far it is off if the PSF is, and whether they
    are those of an unresolved source. The filters themselves are not kept.
    """

    bank: FilterBank
    number: int
    scatter: np.ndarray
    sensitivity: float
    is_point: bool


def _choose_filters(scatter_of, fit, filters, scale):
    """
    Choose the filter of each source on the map with a flux, by its number.
    """
    chosen = {}
    ny, nx = scatter_of.shape
    columns, rows = np.rint(fit.x), np.rint(fit.y)
    seen = np.isfinite(fit.flux) & (columns >= 0) & (columns < nx)
    seen &= (rows >= 0) & (rows < ny)
    # Resolved sources one by one: their filters are not kept.
    for group in group_alike(
        np.flatnonzero(seen), lambda i: -1 if filters.is_point(i) else i
    ):
        own = filters.of(group[0], scale[group[0]])
        scatter = scatter_of.measure(fit.x[group], fit.y[group], own.kernels)
        error = np.hypot(scatter, own.sensitivity * fit.flux[group][:, None])
        known = np.isfinite(error)
        best = np.argmin(np.where(known, error, np.inf), axis=1)
        for k in np.flatnonzero(known.any(axis=1)):
            number = int(best[k])
            chosen[group[k]] = _Choice(
                bank=own.bank,
                number=number,
                scatter=scatter[k],
                sensitivity=own.sensitivity[number],
                is_point=own is filters.point,
            )
        advance(len(group))
    return chosen


def _draw(squares, fit, pixel_psf, free):
    """
    Draw sources of flux 1, in each square as many, (N, F, P).
    """
    images = []
    for numbers in free.T:
        psfs = [pixel_psf.of(j) for j in numbers]
        images += draw_squares(squares, psfs, fit.x[numbers], fit.y[numbers])
    return np.stack(images, axis=1).reshape(*free.shape, -1)


@dataclass(frozen=True, eq=False)
class _SourceFilters:
    """
    The filters of a source: a bank, and what its PSF makes of it.
    """

    bank: FilterBank
    kernels: FilterKernels
    sensitivity: np.ndarray


class _Filters:
    """
    The filters of all sources; unresolved ones share theirs.
    """

    def __init__(self, pixel_psf, beam_fwhm, *, told):
        self._psfs = pixel_psf
        self._beam_fwhm = round(float(beam_fwhm), _BEAM_DECIMALS)
        point = pixel_psf.point
        self._width = _WIDTH_ERROR if told else _MISMATCH_TO_WIDTH * point.mismatch
        self.point = self._make(point, FILTER_RADIUS, self._width, shared=True)

    def is_point(self, i):
        """
        Say whether a source has the filters of unresolved ones.
        """
        return self._psfs.of(i) is self._psfs.point

    def of(self, i, scale):
        """
        Give the filters of a source that is so much larger than the PSF.
        """
        if self.is_point(i):
            return self.point
        psf = self._psfs.of(i)
        radius = FILTER_RADIUS if scale <= _LARGE else _LARGE_RADIUS
        error = np.nan_to_num(self._psfs.sizes.error[i], nan=_SIZE_ERROR)
        return self._make(psf, radius, np.hypot(self._width, error))

    def _make(self, psf, radius, width, *, shared=False):
        bank = get_filter_bank(self._beam_fwhm, radius)
        kernels = bank.kernels(psf)
        sensitivity = bank.sensitivity(
            psf, kernels, width=width, position=_POSITION_ERROR
        )
        # For a single source that is no gain.
        factors = bank.factor(kernels) if shared else None
        filters = FilterKernels(kernels, factors=factors)
        return _SourceFilters(bank, filters, sensitivity)


def _leak(weights, psf, region, x, y):
    """
    Estimate what a filter takes for its source of the mismatch of a neighbour.

    For a neighbour of flux 1 at some position.
    """
    error = psf.draw_error(region, x, y).ravel()
    return np.sqrt(np.sum((weights * error) ** 2) * _COMMON_PIXELS)


def _compare(bank, used, templates, pixels, flux, scatter):
    """
    Give filters' fluxes of sources over their fits', and their precision.

    Both have a row for each filter and a column for each source.
    """
    templates, pixels = np.stack(templates, axis=1), np.stack(pixels, axis=1)
    flux, scatter = np.array(flux), np.stack(scatter, axis=1)[used]
    found = []
    for k in used:
        solved = bank.inverses[k] @ templates
        added = np.sum(solved * pixels, axis=0) / np.sum(solved * templates, axis=0)
        found.append(1.0 + added / flux)
    precision = 1.0 / ((scatter / flux) ** 2 + _RATIO_SCATTER**2)
    return np.array(found), precision
