# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fits of a PSF, and of how a source differs from it, with the map's covariance.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from photutils_pconv._utils.progress import count, enter_stage
from photutils_pconv.psf.source_images import model_image

__all__ = ['Candidates', 'fit_candidates', 'neighbour_errors']

# All by choice. The step of derivatives by the width and the axis ratio, as a share of
# the width; the largest shift of a position in a round, and in all (pixels).
_STEP = 0.1
_LARGEST_STEP, _LARGEST_SHIFT = 0.5, 2.0
# Fluxes and positions of neighbours depend on each other: so many rounds.
_ROUNDS = 3
# Sources so close (FWHM) are fitted together.
_FREE_FWHM = 2.0
# How much wider the other source is with which one is compared.
_WIDER = 1.5
# Wings below this share of a source's error are not drawn (by choice).
_WING_SHARE = 0.05
# Of the pixels of a filter at least this share must have data (by choice).
_LEAST_PIXELS = 0.4
# The pixels that have their mismatch in common, as for `measure_fluxes`.
_COMMON_PIXELS = 4.0


@dataclass(frozen=True, eq=False)
class Candidates:
    """
    What may be sources, arrays of length N.

    Parameters
    ----------
    x, y : `~numpy.ndarray`
        The positions, in pixels.

    flux : `~numpy.ndarray`
        The total fluxes, in the map's unit times pixel; NaN where too many pixels
        are missing.

    flux_err : `~numpy.ndarray`
        Their errors: the scatter of the filter around them.

    width, width_err : `~numpy.ndarray`
        How much wider than the PSF they are, as a share, and its error.

    ellipticity, ellipticity_err : `~numpy.ndarray`
        Half of how much longer than wide they are, as a share of the width, and its
        error; the PSF's own counts as 0.

    wide_gain : `~numpy.ndarray`
        How much more significant a source is that is wider than the PSF by half, in
        standard errors: negative for a point source.

    number : `~numpy.ndarray` of int
        The filter of each.

    structure : `~numpy.ndarray`
        The factor by which the emission around them has raised their errors.
    """

    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    width: np.ndarray
    width_err: np.ndarray
    ellipticity: np.ndarray
    ellipticity_err: np.ndarray
    wide_gain: np.ndarray
    number: np.ndarray
    structure: np.ndarray

    def __len__(self):
        return len(self.x)

    @property
    def snr(self):
        """
        Flux over its error (1D `~numpy.ndarray`).
        """
        return self.flux / self.flux_err

    def on_structure(self, factor):
        """
        Raise the errors of the fluxes by what the emission around them adds.

        Parameters
        ----------
        factor : 1D `~numpy.ndarray`
            The factor for each, on what the filters scatter.

        Returns
        -------
        candidates : `Candidates`
            The same with these errors.
        """
        return replace(self, flux_err=self.flux_err * factor, structure=factor)

    def select(self, chosen):
        """
        Give some of them.

        Parameters
        ----------
        chosen : 1D array_like
            Which.

        Returns
        -------
        candidates : `Candidates`
            These.
        """
        return Candidates(**{name: one[chosen] for name, one in vars(self).items()})


def fit_candidates(data, missing, x, y, flux, scatter, number, bank, psf):
    """
    Fit all candidates, each with the covariance of its own filter.

    The flux is the generalised least-squares one of the PSF at the fitted position.
    Width and ellipticity are those of a fit to first order with them free, too.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    x, y, flux : 1D `~numpy.ndarray`
        First estimates.

    scatter : 1D `~numpy.ndarray`
        The scatter of the filters around them.

    number : 1D int `~numpy.ndarray`
        The filters' numbers in the bank.

    bank : `~photutils_pconv.psf_photometry.FilterBank`
        The filters.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    Returns
    -------
    candidates : `Candidates`
        The fits.
    """
    scene = _Scene(data, missing, bank, psf)
    x, y, flux = (np.array(one, dtype=float) for one in (x, y, flux))
    first = x.copy(), y.copy()
    flux[~(flux > 0)] = 0.0
    level = _WING_SHARE * scatter
    scene.model = model_image(data.shape, x, y, flux, psf, level=level)
    order = np.argsort(-flux)
    reach = _FREE_FWHM * psf.fwhm
    enter_stage('fitting', (_ROUNDS + 1) * len(x), unit='fit')
    for _ in range(_ROUNDS):
        for i in count(order):
            window = scene.cut(x[i], y[i], flux[i])
            if window is None:
                flux[i] = 0.0
                continue
            templates = [window.evaluate(psf), *window.gradient(psf)]
            free = _near(x, y, flux, i, reach)
            for j in free:
                templates += window.neighbour(psf, x[j], y[j], moves=True)
            normal, right = scene.equations(number[i], templates, window)
            found = np.linalg.solve(normal, right)[:3]
            if found[0] > 0:
                step = np.clip(found[1:] / found[0], -_LARGEST_STEP, _LARGEST_STEP)
                moved = x[i] + step[0], y[i] + step[1]
                if np.hypot(moved[0] - first[0][i], moved[1] - first[1][i]) <= (
                    _LARGEST_SHIFT
                ):
                    x[i], y[i] = moved
            # The flux at fixed positions.
            keep = np.array([0, *range(3, len(right), 3)])
            alone = np.linalg.solve(normal[np.ix_(keep, keep)], right[keep])
            flux[i] = max(alone[0], 0.0)
            scene.replace(window, x[i], y[i], flux[i])
    shapes = []
    for i in count(range(len(x))):
        near = _near(x, y, flux, i, reach)
        others = [(x[j], y[j]) for j in near]
        own = x[i], y[i], flux[i]
        shapes.append(_fit_shape(scene, own, others, number[i], scatter[i]))
    values = np.array(shapes).reshape(-1, 7).T
    return Candidates(x, y, *values, number, np.ones(len(x)))


def _near(x, y, flux, i, reach):
    """List the sources that are fitted with one, since they blend with it."""
    distance = np.hypot(x - x[i], y - y[i])
    near = (distance < reach) & (flux > 0)
    near[i] = False
    return np.flatnonzero(near)


def _fit_shape(scene, source, others, number, scatter):
    """Fit flux, width and ellipticity at a position; return them and their errors."""
    window = scene.cut(*source)
    if window is None:
        return np.full(7, np.nan)
    bank, psf = scene.bank, scene.psf
    image = window.evaluate(psf)
    beside = [one for at in others for one in window.neighbour(psf, *at, moves=False)]
    normal, right = scene.equations(number, [image, *beside], window)
    covariance = np.linalg.inv(normal)
    flux = covariance[0] @ right
    # Missing pixels and neighbours cost precision; the scatter is that of the whole
    # filter of one source.
    whole = image @ bank.inverses[number] @ image
    scale = scatter * np.sqrt(whole)
    flux_err = max(scale * np.sqrt(covariance[0, 0]), scatter)
    if not flux > 0:
        return np.array([flux, flux_err, *np.full(5, np.nan)])
    templates = [
        image,
        *window.gradient(psf),
        *_deformations(psf, window.dx, window.dy),
        *beside,
    ]
    normal, right = scene.equations(number, templates, window)
    covariance = np.linalg.inv(normal)
    by_width, *by_axes = (covariance @ right)[3:6]
    error = scale * np.sqrt(np.diag(covariance))[3:5]
    values = by_width, error[0], np.hypot(*by_axes), error[1]
    gain = scene.gain_of_width(window, image, beside, number) / scale
    return np.array([flux, flux_err, *(one / flux for one in values), gain])


def _deformations(psf, dx, dy):
    """Give the change of a PSF by its width, and by its axis ratio along two axes."""

    def stretched(along, across, turn=0.0):
        c, s = np.cos(turn), np.sin(turn)
        a, b = (c * dx + s * dy) / along, (-s * dx + c * dy) / across
        return psf.evaluate(c * a - s * b, s * a + c * b) / (along * across)

    high, low = 1.0 + _STEP, 1.0 - _STEP
    pairs = [
        (stretched(high, high), stretched(low, low)),
        (stretched(high, low), stretched(low, high)),
        (stretched(high, low, np.pi / 4), stretched(low, high, np.pi / 4)),
    ]
    return [(one - other) / (2.0 * _STEP) for one, other in pairs]


@dataclass(frozen=True, eq=False)
class _Window:
    """The pixels of a filter around a source."""

    region: tuple
    inner: tuple
    x: float
    y: float
    flux: float
    dx: np.ndarray
    dy: np.ndarray
    valid: np.ndarray
    values: np.ndarray

    def evaluate(self, psf):
        """Give the source's image of flux 1."""
        return psf.evaluate(self.dx, self.dy)

    def gradient(self, psf):
        """Give the derivatives by the position."""
        return psf.gradient(self.dx, self.dy)

    def neighbour(self, psf, x, y, *, moves):
        """Give the same of another source, at a position."""
        dx, dy = self.dx + self.x - x, self.dy + self.y - y
        return [psf.evaluate(dx, dy), *(psf.gradient(dx, dy) if moves else ())]


class _Scene:
    """A map, and the image of the sources on it as they are known."""

    def __init__(self, data, missing, bank, psf):
        self.data, self.missing, self.bank, self.psf = data, missing, bank, psf
        self.model = np.zeros(data.shape)
        self.wide = psf.adjusted(angle=psf.angle, width=_WIDER * psf.width)

    def _image(self, rows, columns, x, y):
        dx = np.arange(columns.start, columns.stop) - x
        dy = np.arange(rows.start, rows.stop)[:, None] - y
        return self.psf.evaluate(dx, dy)

    def cut(self, x, y, flux):
        """Cut the pixels around a source, without the others; None for too few."""
        bank, half = self.bank, self.bank.radius
        ny, nx = self.data.shape
        column, row = round(x), round(y)
        rows = slice(max(row - half, 0), min(row + half + 1, ny))
        columns = slice(max(column - half, 0), min(column + half + 1, nx))
        if not (0 <= column < nx and 0 <= row < ny):
            return None
        inner = tuple(
            slice(one.start - first, one.stop - first)
            for one, first in ((rows, row - half), (columns, column - half))
        )
        valid = np.zeros((bank.side, bank.side), dtype=bool)
        valid[inner] = ~self.missing[rows, columns]
        if valid.mean() < _LEAST_PIXELS or self.missing[row, column]:
            return None
        values = np.zeros(valid.shape)
        values[inner] = self.data[rows, columns] - self.model[rows, columns]
        if flux:
            values[inner] += flux * self._image(rows, columns, x, y)
        return _Window(
            (rows, columns),
            inner,
            x,
            y,
            flux,
            bank.dx + column - x,
            bank.dy + row - y,
            valid.ravel(),
            np.where(valid, values, 0.0).ravel(),
        )

    def replace(self, window, x, y, flux):
        """Put another source instead of that of a window."""
        rows, columns = window.region
        change = flux * self._image(rows, columns, x, y)
        if window.flux:
            change -= window.flux * self._image(rows, columns, window.x, window.y)
        self.model[rows, columns] += change

    def gain_of_width(self, window, image, beside, number):
        """Compare the significance of a wider source with that of a point source."""
        ratios = []
        for one in (image, window.evaluate(self.wide)):
            normal, right = self.equations(number, [one, *beside], window)
            covariance = np.linalg.inv(normal)
            ratios.append(covariance[0] @ right / np.sqrt(covariance[0, 0]))
        return ratios[1] - ratios[0]

    def equations(self, number, templates, window):
        """Give the normal equations of templates with a filter's covariance."""
        matrix = np.stack(templates, axis=1)
        valid = window.valid
        if valid.all():
            solved = self.bank.inverses[number] @ matrix
        else:
            matrix = np.where(valid[:, None], matrix, 0.0)
            solved = np.zeros(matrix.shape)
            part = self.bank.covariances[number][np.ix_(valid, valid)]
            solved[valid] = np.linalg.solve(part, matrix[valid])
        return matrix.T @ solved, solved.T @ window.values


def neighbour_errors(candidates, bank, psf, kernels):
    """
    Estimate what the mismatch of brighter neighbours adds to the flux of each.

    Parameters
    ----------
    candidates : `Candidates`
        The candidates.

    bank : `~photutils_pconv.psf_photometry.FilterBank`
        The filters.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF.

    kernels : 3D `~numpy.ndarray`
        The filters as images.

    Returns
    -------
    error : 1D `~numpy.ndarray`
        The standard deviation, in the unit of the fluxes.
    """
    variance = np.zeros(len(candidates))
    if len(candidates) < 2:
        return variance
    x, y, flux = candidates.x, candidates.y, candidates.flux
    tree = cKDTree(np.stack([x, y], axis=1))
    pairs = tree.query_pairs(psf.radius + bank.radius, output_type='ndarray')
    for a, b in (*pairs, *pairs[:, ::-1]):
        if not flux[b] > flux[a] > 0:
            continue
        expected = psf.expected_error(bank.dx + x[a] - x[b], bank.dy + y[a] - y[b])
        weights = kernels[candidates.number[a]].ravel()
        squares = np.sum((weights * expected) ** 2)
        variance[a] += _COMMON_PIXELS * flux[b] ** 2 * squares
    return np.sqrt(variance)
