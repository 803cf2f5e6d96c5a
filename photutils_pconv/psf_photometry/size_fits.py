# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sizes of sources that are larger than the PSF.

Every source is a PSF convolved with a Gaussian. Its size is fitted to the first
order, in the window of the flux fit, with the flux, the position, the fluxes of the
neighbours and a polynomial background free; then all fluxes are fitted anew. Where
that leaves an ellipse, the axes are fitted, too.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.lazy_images import Difference
from photutils_pconv.geometry.squares import group_alike
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resolved import SourcePSFs
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf.source_sizes import SourceSizes
from photutils_pconv.psf_photometry.fit_windows import (
    FIT_RADIUS,
    NEIGHBOUR_DISTANCE,
    find_neighbours,
    solve_window,
)
from photutils_pconv.psf_photometry.fitting import PSFFit, fit_psf
from photutils_pconv.psf_photometry.window_stacks import WindowStack

__all__ = ['LARGEST_SIZE', 'find_resolved', 'fit_sizes']

#: The largest size that is fitted, in units of the PSF; by choice.
LARGEST_SIZE = 3.0

# All by choice.
# A source that nobody said is resolved must be larger than the PSF by this much (in
# the first order of the size), which the PSF's own width does not differ by, and by
# so many of its errors.
_LEAST_EXCESS, _LEAST_SIGNIFICANCE = 0.15, 4.0
# The window in which they are looked for, in units of that of the flux fit.
_WIDER = 1.5
# The rounds of a fit at most, the largest step of ln(size), and that which is
# small enough.
_MOST_ROUNDS, _LARGEST_STEP, _SETTLED = 12, 0.25, 0.003
# Sources are drawn so far (pixels): the windows of the largest ones end at 27.
_REACH = 30.0
# The degree of the background's polynomial.
_DEGREE = 2
# The background around a source is not white: a fit sees fewer pixels.
_CORRELATED_PIXELS = 4.0
# The prior of ln(size): sizes are as given, or those of the PSF, with a standard
# deviation that lets the largest size be two of them away.
_PRIOR = 0.55
# The shape of a source is fitted where it differs from the one that it has by so many
# of its errors, and by so much (an axis ratio of 1.1). With fewer, the two more
# parameters add more to a flux's scatter than the shape takes off: Hyper's test, of
# ellipses at a SNR of 14, has an IQR of 12, 14 and 18 percent from 15, 10 and 5 errors
# on. The fit has so many steps at most, none of them larger, until they are small.
_SHAPE_SIGNIFICANCE, _LEAST_SHAPE = 15.0, 0.1
_SHAPE_ROUNDS, _LARGEST_SHEAR, _SHEAR_SETTLED = 6, 0.3, 0.01


@dataclass(frozen=True, eq=False)
class _Step:
    """
    What a fit to the first order says of the size of a source.
    """

    change: float
    error: float
    shear: tuple = (0.0, 0.0)
    is_significant: bool = False


def find_resolved(data, fit, psf, *, missing, chosen):
    """
    Find sources that are larger than the PSF.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    fit : `~photutils_pconv.psf_photometry.PSFFit`
        The fit of the PSF to all of its sources.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    chosen : (M,) bool `~numpy.ndarray`
        The sources that are looked at.

    Returns
    -------
    resolved : (M,) bool `~numpy.ndarray`
        The sources.
    """
    n = len(fit.x)
    resolved = np.zeros(n, dtype=bool)
    psfs = _for_fits(psf, SourceSizes.of_points(n))
    sources = model_image(data.shape, fit.x, fit.y, fit.flux, psf, level=fit.level)
    residual = Difference(data, sources)
    neighbours = find_neighbours(fit.x, fit.y, _WIDER * NEIGHBOUR_DISTANCE)
    scene = _ResidualScene(residual, missing, fit, psfs, neighbours)
    radius = np.full(n, _WIDER * FIT_RADIUS)
    for i, step in _fit_steps(scene, np.flatnonzero(chosen), radius).items():
        resolved[i] = step.change > max(_LEAST_EXCESS, _LEAST_SIGNIFICANCE * step.error)
    return resolved


def fit_sizes(data, x, y, psf, sizes, *, missing, chosen, fit_position):
    """
    Fit the sizes of sources.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    x, y : (M,) `~numpy.ndarray`
        The positions of all sources, in pixels.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    sizes : `~photutils_pconv.psf.SourceSizes`
        The sizes as they are known, with which the fit begins. The shapes stay, but for
        those of sources that are clearly of another one.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    chosen, fit_position : (M,) bool `~numpy.ndarray`
        The sources whose sizes and positions are fitted.

    Returns
    -------
    sizes : `~photutils_pconv.psf.SourceSizes`
        The sizes, with their errors, from the PSF's to three times that; those of
        other sources as they were.
    """
    psfs = _for_fits(psf, sizes)
    near = _find_near(x, y, chosen)
    fit = fit_psf(data, x, y, psfs, missing=missing, fit_position=fit_position)
    far = np.where(near, np.nan, fit.flux)
    data = data - model_image(data.shape, fit.x, fit.y, far, psfs)
    scene = _Scene(data, missing, psf, x[near], y[near], fit_position[near], psfs.drawn)
    numbers = np.flatnonzero(chosen[near])
    fitted = scene.settle(sizes.select(near), numbers, _MOST_ROUNDS)
    elliptical = scene.find_elliptical(fitted, numbers)
    for _ in range(_SHAPE_ROUNDS if elliptical.size else 0):
        fitted, largest = scene.shear(fitted, elliptical)
        fitted = scene.settle(fitted, elliptical, 1)
        if largest < _SHEAR_SETTLED:
            break
    columns = {}
    for name in ('major', 'minor', 'angle', 'error'):
        columns[name] = getattr(sizes, name).copy()
        columns[name][near] = getattr(fitted, name)
    return SourceSizes(**columns)


@dataclass(frozen=True, eq=False)
class _Scene:
    """
    A map, the places of the sources on it, and what was drawn of them.
    """

    data: np.ndarray
    missing: np.ndarray
    psf: PixelPSF
    x: np.ndarray
    y: np.ndarray
    fit_position: np.ndarray
    drawn: dict

    def steps(self, sizes, numbers, *, log_size=None, shapes=False):
        """
        Give the steps of some sources with enough to see, by their numbers.
        """
        psfs = _for_fits(self.psf, sizes, self.drawn)
        fit = fit_psf(
            self.data,
            self.x,
            self.y,
            psfs,
            missing=self.missing,
            fit_position=self.fit_position,
        )
        model = model_image(self.data.shape, fit.x, fit.y, fit.flux, psfs)
        residual = self.data - model
        scale = psfs.scales(len(self.x))
        neighbours = find_neighbours(self.x, self.y, NEIGHBOUR_DISTANCE, scale=scale)
        scene = _ResidualScene(residual, self.missing, fit, psfs, neighbours)
        return _fit_steps(
            scene, numbers, FIT_RADIUS * scale, log_size=log_size, shapes=shapes
        )

    def settle(self, first, numbers, most_rounds):
        """
        Fit the sizes of some sources, of the shapes that they have.
        """
        log_size, error = np.zeros(len(self.x)), first.error.copy()
        limits = np.log(1.0 / first.minor), np.log(LARGEST_SIZE / first.major)
        sizes = first
        for _ in range(most_rounds):
            largest = 0.0
            for i, step in self.steps(sizes, numbers, log_size=log_size).items():
                new = log_size[i] + np.clip(step.change, -_LARGEST_STEP, _LARGEST_STEP)
                new = np.clip(new, min(limits[0][i], 0.0), max(limits[1][i], 0.0))
                largest = max(largest, abs(new - log_size[i]))
                log_size[i], error[i] = new, step.error
            sizes = first.scaled(np.exp(log_size), error=error)
            if largest < _SETTLED:
                break
        return sizes

    def find_elliptical(self, sizes, numbers):
        """
        Find the sources whose shapes are others.
        """
        resolved = [i for i in numbers if sizes.is_resolved[i]]
        steps = self.steps(sizes, resolved, shapes=True)
        found = [i for i, one in steps.items() if one.is_significant]
        return np.array(found, dtype=int)

    def shear(self, sizes, numbers):
        """
        Give some sources the shapes that are seen, and find the largest change.
        """
        largest = 0.0
        for i, step in self.steps(sizes, numbers, shapes=True).items():
            shear = np.clip(step.shear, -_LARGEST_SHEAR, _LARGEST_SHEAR)
            largest = max(largest, *np.abs(shear))
            sizes = sizes.sheared(i, *shear, largest=LARGEST_SIZE)
        return sizes, largest


def _for_fits(psf, sizes, drawn=None):
    """Give the images of sources as far as windows of fits reach."""
    return SourcePSFs(psf, sizes, _REACH, {} if drawn is None else drawn)


def _find_near(x, y, chosen):
    """Find which sources are chosen ones, or may lie in the windows of those."""
    distance = np.hypot(x[:, None] - x[chosen], y[:, None] - y[chosen])
    return np.any(distance <= 2.0 * LARGEST_SIZE * FIT_RADIUS, axis=1)


@dataclass(frozen=True, eq=False)
class _ResidualScene:
    """
    What a fit leaves of a map, and the sources that it took off.
    """

    residual: object
    missing: np.ndarray
    fit: PSFFit
    psfs: SourcePSFs
    neighbours: list

    def draw(self, windows, group, *, shapes):
        """
        Draw the templates of sources that are alike, (N, T, P).

        The first is the change by the size, which with `shapes` those by the shape
        follow.
        """
        x, y = self.fit.x, self.fit.y
        psfs = self.psfs
        place = x[group], y[group]
        templates = windows.draw([psfs.by_size(i) for i in group], *place)
        if shapes:
            for by in zip(*(psfs.by_shape(i) for i in group), strict=True):
                templates += windows.draw(by, *place)
        own = [psfs.of(i) for i in group]
        templates += windows.draw(own, *place, gradient=True)
        for near in np.array([self.neighbours[i] for i in group], dtype=int).T:
            templates += windows.draw([psfs.of(j) for j in near], x[near], y[near])
        templates += windows.terms(_DEGREE)
        return np.stack(templates, axis=1)


def _fit_steps(scene, numbers, radius, *, log_size=None, shapes=False):
    """
    Fit the changes of ln(size) of sources; give them by the sources' numbers.

    Those of which there is too little to see are left out. With `shapes`, fit those
    of their shapes, too.
    """
    flux = scene.fit.flux
    log_size = np.zeros(len(flux)) if log_size is None else log_size
    seen = [i for i in numbers if np.isfinite(flux[i]) and flux[i] > 0]
    steps = {}
    for group in group_alike(seen, lambda i: (radius[i], len(scene.neighbours[i]))):
        windows = WindowStack.around(
            scene.fit.x[group], scene.fit.y[group], radius[group[0]], scene.missing
        )
        values = windows.cut(scene.residual)
        templates = scene.draw(windows, group, shapes=shapes)
        coefficients, covariance = solve_window(values, templates)
        left = values - np.einsum('nt,ntp->np', coefficients, templates)
        unit = windows.scatter(left) ** 2 * _CORRELATED_PIXELS / flux[group] ** 2
        for k in np.flatnonzero(windows.has_enough(_DEGREE)):
            i = group[k]
            steps[i] = _take_step(
                coefficients[k] / flux[i],
                covariance[k] * unit[k],
                log_size[i],
                shapes=shapes,
            )
    return steps


def _take_step(changes, covariance, log_size, *, shapes):
    """
    Give what a fit says of a source's size: the first of the changes that it found.
    """
    variance = covariance[0, 0]
    # The prior of the whole change, as one more measurement of it.
    weight = variance / (variance + _PRIOR**2)
    change = float((1.0 - weight) * changes[0] - weight * log_size)
    error = float(np.sqrt(variance * (1.0 - weight)))
    if not shapes:
        return _Step(change, error)
    shear, known = changes[1:3], covariance[1:3, 1:3]
    significance = np.sqrt(shear @ np.linalg.solve(known, shear))
    is_significant = significance > _SHAPE_SIGNIFICANCE
    is_significant &= np.hypot(*shear) > _LEAST_SHAPE
    return _Step(change, error, tuple(shear), bool(is_significant))
