# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Linear fits of a known PSF on a polynomial background.

Every source is fitted in a window of its own, with the flux (and, where
asked for, the position, to first order) of its neighbours free as well:
sources that blend are thereby fitted jointly, and neither their order
nor a grouping matters. What lies farther away enters with its flux of
the iteration before.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from photutils_pconv.geometry.windows import find_window
from photutils_pconv.psf.source_images import model_image

__all__ = [
    'FIT_RADIUS',
    'NEIGHBOUR_DISTANCE',
    'POSITION_SNR',
    'SHAPE_SNR',
    'FitWindow',
    'PSFFit',
    'find_neighbours',
    'fit_psf',
    'fit_quality',
    'polynomial_terms',
    'solve_window',
]

#: The SNR (Eq. 1) from which positions are fitted.
POSITION_SNR = 20.0
#: The SNR from which sources tell the PSF's angle and width.
SHAPE_SNR = 80.0

#: The radius of the window of a fit, in pixels.
FIT_RADIUS = 9.0

#: Sources closer than this have free fluxes in each other's fit, in pixels.
NEIGHBOUR_DISTANCE = 12.0

# Positions that move by less have settled (pixels).
_SETTLED_SHIFT = 1.0e-3


def polynomial_terms(dx, dy, *, radius=FIT_RADIUS, degree=2):
    """
    Calculate the terms of a polynomial background.

    Parameters
    ----------
    dx, dy : `~numpy.ndarray`
        The pixels' offsets from the source, in pixels.

    radius : float, optional
        The unit of length.

    degree : int, optional
        The polynomial's degree.

    Returns
    -------
    terms : list of `~numpy.ndarray`
        The terms.
    """
    u, v = dx / radius, dy / radius
    return [
        u**i * v**j
        for total in range(degree + 1)
        for i in range(total, -1, -1)
        for j in (total - i,)
    ]


def solve_window(values, templates, *, penalty=0.0):
    """
    Solve a linear least-squares fit of templates to pixels.

    Parameters
    ----------
    values : 1D `~numpy.ndarray`
        The pixels' values, of length n.

    templates : sequence of 1D `~numpy.ndarray`
        The templates' values there.

    penalty : float or 1D `~numpy.ndarray`, optional
        The weight of each coefficient's square in the sum that is made
        least.

    Returns
    -------
    coefficients : 1D `~numpy.ndarray`
        The factors of the templates.

    covariance : 2D `~numpy.ndarray`
        Their covariance for pixels of variance 1; infinite where the
        pixels do not determine them.
    """
    matrix = np.stack(templates, axis=1)
    norm = np.sqrt((matrix**2).sum(axis=0))
    norm = np.where(norm > 0, norm, 1.0)
    matrix = matrix / norm
    normal = matrix.T @ matrix
    normal[np.diag_indices_from(normal)] += penalty / norm**2
    try:
        inverse = np.linalg.inv(normal)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(normal)
    coefficients = inverse @ (matrix.T @ values) / norm
    return coefficients, inverse / np.outer(norm, norm)


@dataclass(frozen=True)
class PSFFit:
    """
    The fit of a PSF to the sources of a map, arrays of length N.

    Parameters
    ----------
    flux : `~numpy.ndarray`
        The total fluxes, in the map's unit times pixel; NaN where there
        are too few pixels.

    flux_err : `~numpy.ndarray`
        Their errors for pixels of variance 1.

    x, y : `~numpy.ndarray`
        The positions.

    n_pixels : `~numpy.ndarray` of int
        The number of pixels used.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    x: np.ndarray
    y: np.ndarray
    n_pixels: np.ndarray


def fit_psf(
    data,
    x,
    y,
    psf,
    *,
    missing=None,
    fit_position=None,
    radius=FIT_RADIUS,
    degree=2,
    n_iterations=10,
    maximum_shift=1.0,
):
    """
    Fit a PSF and a polynomial background to every source of a map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    x, y : 1D `~numpy.ndarray`
        The positions, 0-based, in pixels; they must be finite.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    missing : 2D bool `~numpy.ndarray`, optional
        Missing pixels (default: those that are not finite).

    fit_position : 1D bool `~numpy.ndarray`, optional
        The sources whose positions are fitted as well (default: none).

    radius : float, optional
        The radius of each source's window, in pixels.

    degree : int or `None`, optional
        The degree of the polynomial; `None` for no background.

    n_iterations : int, optional
        The largest number of rounds in which sources learn of the wings
        of those beyond their window, and of shifted positions; the fit
        ends when fluxes and positions have settled.

    maximum_shift : float, optional
        The largest shift of a position, in pixels; a source whose fit
        asks for more keeps the position given.

    Returns
    -------
    fit : `PSFFit`
        The fluxes and positions.
    """
    if missing is None:
        missing = ~np.isfinite(data)
    data = np.where(missing, 0.0, data)
    x0, y0 = (np.asarray(value, dtype=float) for value in (x, y))
    x, y = x0.copy(), y0.copy()
    n = len(x)
    if fit_position is None:
        fit_position = np.zeros(n, dtype=bool)
    windows = [
        FitWindow(data.shape, missing, x[i], y[i], radius, degree) for i in range(n)
    ]
    neighbours = find_neighbours(x, y, NEIGHBOUR_DISTANCE)
    # Without company or shifts the first round is the last.
    if n == 1 and not fit_position.any():
        n_iterations = 1
    flux, flux_err = np.zeros(n), np.full(n, np.inf)
    model = np.zeros(data.shape)
    level = np.zeros(n)
    for iteration in range(n_iterations):
        new_flux, new_x, new_y = flux.copy(), x.copy(), y.copy()
        for i, window in enumerate(windows):
            if not window.enough:
                new_flux[i] = np.nan
                continue
            values = (data[window.region] - model[window.region])[window.use]
            templates = []
            free = [i, *neighbours[i]]
            for j in free:
                offsets = window.offsets(x[j], y[j])
                template = psf.evaluate(*offsets)
                if np.isfinite(flux[j]):
                    values = values + flux[j] * template
                templates.append(template)
            for j in free:
                if fit_position[j]:
                    templates += psf.gradient(*window.offsets(x[j], y[j]))
            templates += window.terms
            coefficients, covariance = solve_window(values, templates)
            new_flux[i] = coefficients[0]
            flux_err[i] = np.sqrt(max(covariance[0, 0], 0.0))
            if iteration == 0:
                residual = values - np.stack(templates, axis=1) @ coefficients
                level[i] = 0.1 * residual.std()
            if fit_position[i] and iteration < n_iterations - 1 and new_flux[i] > 0:
                shift = coefficients[len(free) : len(free) + 2] / new_flux[i]
                shift *= min(1.0, 0.5 / max(np.hypot(*shift), 1e-9))
                new_x[i], new_y[i] = x[i] + shift[0], y[i] + shift[1]
                if np.hypot(new_x[i] - x0[i], new_y[i] - y0[i]) > maximum_shift:
                    new_x[i], new_y[i] = x0[i], y0[i]
        settled = _settled(new_flux, flux) and (
            np.all(np.hypot(new_x - x, new_y - y) < _SETTLED_SHIFT)
        )
        flux, x, y = new_flux, new_x, new_y
        if settled:
            break
        if iteration < n_iterations - 1:
            model = model_image(data.shape, x, y, flux, psf, level=level)
    n_pixels = np.array([window.n_pixels for window in windows], dtype=int)
    return PSFFit(flux, flux_err, x, y, n_pixels)


def _settled(flux, before):
    """
    Tell whether no flux has changed by more than a small share of it.
    """
    change = np.abs(flux - before)
    return bool(np.all(~np.isfinite(change) | (change <= 1.0e-4 * np.abs(flux))))


def find_neighbours(x, y, distance):
    """
    Find every source's neighbours.

    Parameters
    ----------
    x, y : 1D `~numpy.ndarray`
        The positions.

    distance : float
        The largest distance of a neighbour.

    Returns
    -------
    neighbours : list of list of int
        The neighbours' indices, source by source.
    """
    if len(x) == 0:
        return []
    points = np.stack([x, y], axis=1)
    found = KDTree(points).query_ball_point(points, distance, return_sorted=True)
    # Two rows of one position would make the fit singular.
    return [
        [j for j in row if np.hypot(x[j] - x[i], y[j] - y[i]) > 0.5]
        for i, row in enumerate(found)
    ]


class FitWindow:
    """
    The pixels of one source's fit.
    """

    def __init__(self, shape, missing, x, y, radius, degree):
        window = find_window(shape, x, y, radius)
        self.n_pixels = 0
        self.enough = False
        if window is None:
            return
        self.region, dx, dy = window.region, window.dx, window.dy
        self.use = (window.distance <= radius) & ~missing[self.region]
        self.n_pixels = int(self.use.sum())
        self.columns = dx[self.use] + x
        self.rows = dy[self.use] + y
        self.terms = (
            []
            if degree is None
            else polynomial_terms(
                dx[self.use], dy[self.use], radius=radius, degree=degree
            )
        )
        self.enough = self.n_pixels > 2 * len(self.terms) + 10

    def offsets(self, x, y):
        return self.columns - x, self.rows - y


def fit_quality(data, x, y, flux, psf, missing, emission, *, radius=FIT_RADIUS):
    """
    Calculate how well sources and emission explain the map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    x, y, flux : 1D `~numpy.ndarray`
        The sources.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    emission : sequence
        For each source the first pixel (x, y) of a cutout and the
        emission there, or `None` where it is not known.

    radius : float, optional
        The radius of each source's window, in pixels.

    Returns
    -------
    qfit, cfit : `~numpy.ndarray`
        The sum of the absolute residuals within the window, and the
        residual in the central pixel, over the flux, as
        `photutils.psf.PSFPhotometry` defines them; NaN where the
        emission or the flux is not known.
    """
    qfit, cfit = np.full(len(x), np.nan), np.full(len(x), np.nan)
    sources = model_image(data.shape, x, y, flux, psf)
    for i in range(len(x)):
        window = FitWindow(data.shape, missing, x[i], y[i], radius, None)
        if emission[i] is None or not window.enough or not np.isfinite(flux[i]):
            continue
        (x0, y0), background = emission[i]
        rows = np.rint(window.rows).astype(int) - y0
        columns = np.rint(window.columns).astype(int) - x0
        inside = (rows >= 0) & (columns >= 0)
        inside &= (rows < background.shape[0]) & (columns < background.shape[1])
        residual = (data[window.region] - sources[window.region])[window.use][inside]
        residual = residual - background[rows[inside], columns[inside]]
        if flux[i] != 0:
            central = np.argmin(np.hypot(*window.offsets(x[i], y[i]))[inside])
            qfit[i] = np.abs(residual).sum() / abs(flux[i])
            cfit[i] = residual[central] / flux[i]
    return qfit, cfit
