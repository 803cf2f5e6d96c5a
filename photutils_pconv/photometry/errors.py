# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Errors of fluxes that include the reconstruction's own.

The flux of a removed source is wrong by what the reconstruction misses
in its aperture. How much that is, empty holes tell
(`photutils_pconv.geometry`): sources of flux 0 at known positions.
The error of a flux ``F``, before the correction for the aperture, is
modelled as ::

    err**2 = (kappa * m * a(R, r) * rms)**2 + (eps * F)**2 + excess

``rms`` is the scatter of the cleaned map in the source's annulus. It
holds the noise as well as the emission's structure. ``a`` is the ratio of
the flux' scatter to it, for a hole of the radius ``R`` and an aperture
``r``, as a calibration of the model on simulated maps gives it, and ``m``
is the map's own ratio to that, the robust scatter of its empty holes.
``kappa`` is what a source adds to the scatter of an empty hole, since its
wings disturb the reconstruction around it, and ``eps`` is what grows
with the flux: the PSF's lobes over the pixels. ``excess`` is the noise
that an error array has in the aperture above that in the annulus, such as
the source's own photon noise; the noise of the annulus is in ``rms``
already.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from astropy.stats import mad_std
from scipy.interpolate import RegularGridInterpolator

from photutils_pconv.photometry.annulus import local_background
from photutils_pconv.photometry.apertures import removed_photometry

__all__ = [
    'ErrorCalibration',
    'excess_variance',
    'flux_error',
    'get_error_calibration',
    'scatter_ratio',
]

# For models without a calibration: the fit to all setups of the bundled
# ones, a = 0.37 r**1.3 R**1.05, in pixels.
_GENERIC = (0.375, 1.31, 1.05)
# PSF fluxes: the scatter and eps of those.
_GENERIC_PSF = (2.0, 0.005)
_GENERIC_RADII = np.array([2.0, 40.0])
_GENERIC_SHARES = np.array([0.1, 1.0])
# Beyond the calibrated radii, a hole's scatter grows as this power.
_POWER = 2.36
# The empty holes that weigh as much as the calibration: the scatter of m
# from map to map is about 0.3, that of a robust deviation 0.3 for so many.
_PRIOR = 10
_LEAST_OF_A_CLASS = 4


@dataclass(frozen=True, eq=False)
class ErrorCalibration:
    """
    The errors of a model's fluxes on simulated maps of a setup.

    Parameters
    ----------
    hole_radii : (H,) array_like
        Radii of holes, in pixels of the native grid, ascending.

    aperture_shares : (A,) array_like
        Radii of apertures in units of the hole's, ascending, at most 1.

    scatter : (H, A) array_like
        The scatter of the flux in empty holes in units of the local rms
        times pixel, not corrected for the aperture.

    kappa : float, optional
        The scatter of faint sources over that of empty holes.

    eps : float, optional
        The error that grows with the flux, relative to it.

    psf_scatter : (H,) array_like, optional
        The scatter of PSF fluxes in units of the error that the fit
        expects, by the radius of the hole.

    psf_kappa, psf_eps : float, optional
        ``kappa`` and ``eps`` of PSF fluxes.

    source : str, optional
        Where the values come from: ``'model'``, ``'other setup'`` or
        ``'generic'``.
    """

    hole_radii: np.ndarray
    aperture_shares: np.ndarray
    scatter: np.ndarray
    kappa: float = 1.0
    eps: float = 0.0
    psf_scatter: np.ndarray | None = None
    psf_kappa: float = 1.0
    psf_eps: float = _GENERIC_PSF[1]
    source: str = 'model'

    def __post_init__(self):
        if self.psf_scatter is None:
            generic = np.full(np.shape(self.hole_radii), _GENERIC_PSF[0])
            object.__setattr__(self, 'psf_scatter', generic)
        for key in ('hole_radii', 'aperture_shares', 'scatter', 'psf_scatter'):
            array = np.asarray(getattr(self, key), dtype=float)
            if not np.all(np.isfinite(array) & (array > 0)):
                msg = f'{key} must be positive, got {array.tolist()}'
                raise ValueError(msg)
            object.__setattr__(self, key, array)
        for key in ('hole_radii', 'aperture_shares'):
            axis = getattr(self, key)
            if axis.ndim != 1 or axis.size < 2 or np.any(np.diff(axis) <= 0):
                msg = f'{key} must be two or more ascending numbers, got {axis}'
                raise ValueError(msg)
        shape = (self.hole_radii.size, self.aperture_shares.size)
        if self.scatter.shape != shape:
            msg = f'scatter must have the shape {shape}, got {self.scatter.shape}'
            raise ValueError(msg)
        if self.psf_scatter.shape != self.hole_radii.shape:
            msg = (
                f'psf_scatter must have the shape {self.hole_radii.shape}, got '
                f'{self.psf_scatter.shape}'
            )
            raise ValueError(msg)
        if min(self.kappa, self.psf_kappa) <= 0 or min(self.eps, self.psf_eps) < 0:
            msg = (
                'kappa must be positive and eps not negative, got '
                f'{self.kappa}, {self.psf_kappa} and {self.eps}, {self.psf_eps}'
            )
            raise ValueError(msg)

    @classmethod
    def generic(cls):
        """
        Give the calibration of models that have none.

        Returns
        -------
        calibration : `ErrorCalibration`
            A power law that fits the bundled models within a quarter.
        """
        factor, p, q = _GENERIC
        radii = _GENERIC_RADII[:, None]
        scatter = factor * (radii * _GENERIC_SHARES) ** p * radii**q
        return cls(
            _GENERIC_RADII, _GENERIC_SHARES, scatter, 1.15, 0.002, source='generic'
        )

    @classmethod
    def from_dict(cls, values, *, source='model'):
        """
        Make a calibration from what `to_dict` gives.

        Parameters
        ----------
        values : dict
            The values.

        source : str, optional
            Where they come from.

        Returns
        -------
        calibration : `ErrorCalibration`
            The calibration.
        """
        keys = {item.name for item in fields(cls)} - {'source'}
        given = {key: value for key, value in values.items() if key in keys}
        return cls(**given, source=source)

    def to_dict(self):
        """
        Give the values as JSON can hold them.

        Returns
        -------
        values : dict
            The values, rounded to four digits.
        """
        names = [item.name for item in fields(self) if item.name != 'source']
        return {name: _rounded(getattr(self, name)) for name in names}

    def ratio(self, hole_radius, aperture_radius):
        """
        Give the scatter of fluxes in empty holes in units of the rms.

        Parameters
        ----------
        hole_radius, aperture_radius : array_like
            The radii in native pixels, broadcast against each other. An
            aperture larger than its hole counts as one of its size.

        Returns
        -------
        ratio : `~numpy.ndarray`
            The ratio ``a``, interpolated in the logarithms of all
            quantities.
        """
        hole, aperture = np.broadcast_arrays(
            np.asarray(hole_radius, dtype=float),
            np.asarray(aperture_radius, dtype=float),
        )
        known = np.clip(hole, self.hole_radii[0], self.hole_radii[-1])
        share = np.minimum(aperture / hole, self.aperture_shares[-1])
        table = RegularGridInterpolator(
            (np.log(self.hole_radii), np.log(self.aperture_shares)),
            np.log(self.scatter),
            bounds_error=False,
            fill_value=None,
        )
        points = np.stack([np.log(known), np.log(share)], axis=-1)
        ratio = np.exp(table(points)).reshape(hole.shape)
        return ratio * (hole / known) ** _POWER

    def psf_ratio(self, hole_radius):
        """
        Give the scatter of PSF fluxes in units of the expected error.

        Parameters
        ----------
        hole_radius : array_like
            The radii of holes, in native pixels.

        Returns
        -------
        ratio : `~numpy.ndarray`
            The ratio, interpolated.
        """
        return np.interp(hole_radius, self.hole_radii, self.psf_scatter)


def _rounded(values):
    """
    Round numbers to four digits.
    """
    if np.ndim(values):
        return [_rounded(value) for value in values]
    return float(f'{values:.4g}')


def get_error_calibration(model, setup):
    """
    Find the calibration of a model's errors for a setup.

    Parameters
    ----------
    model : `~photutils_pconv.network.LoadedModel`
        The model. Its calibration stands in its card
        (``accuracy['flux_error']``) or in a JSON file of the same name
        beside the weights; ``tools/calibrate_errors.py`` makes either.

    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    Returns
    -------
    calibration : `ErrorCalibration`
        That of the setup; else that of the model's setup whose PSF has
        the most similar width in pixels; else the generic one.
    """
    tables = model.card.accuracy.get('flux_error') or _read_beside(model)
    if setup.name in tables:
        return ErrorCalibration.from_dict(tables[setup.name])
    if not tables:
        return ErrorCalibration.generic()
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    nearest = min(
        tables.values(), key=lambda values: abs(np.log(beam / values['beam_fwhm']))
    )
    return ErrorCalibration.from_dict(nearest, source='other setup')


def _read_beside(model):
    """
    Read the calibration beside a weights file, if it is that of its weights.
    """
    weights = Path(model.path)
    # A model that was made in memory has no file.
    if not weights.name:
        return {}
    path = weights.with_suffix('.json')
    if not path.is_file():
        return {}
    values = json.loads(path.read_text(encoding='utf-8'))
    if values.get('checksum') != model.checksum:
        return {}
    return values['flux_error']


def scatter_ratio(flux, rms, hole_radius, expected):
    """
    Compare the scatter in a map's empty holes with the calibration.

    Parameters
    ----------
    flux : (K, A) `~numpy.ndarray`
        The fluxes in the empty holes, not corrected for the aperture.

    rms : (K,) `~numpy.ndarray`
        The local rms around them.

    hole_radius : (K,) `~numpy.ndarray`
        The radii of the holes.

    expected : (K, A) `~numpy.ndarray`
        The expected scatter of the fluxes in units of the rms
        (`ErrorCalibration.ratio`).

    Returns
    -------
    ratio : (A,) `~numpy.ndarray`
        The robust scatter of the fluxes over the expected one, about
        the median for each radius, drawn towards 1 as much as 10 more
        holes with the expected scatter would do. NaN without any hole.

    Notes
    -----
    The median is not taken as a flux: the network expects a bright source
    in a large hole, and wings around it, which an empty hole lacks.
    """
    flux = np.asarray(flux, dtype=float)
    with np.errstate(invalid='ignore', divide='ignore'):
        z = flux / (expected * np.asarray(rms, dtype=float)[:, None])
    result = np.full(z.shape[1], np.nan)
    for j in range(z.shape[1]):
        use = np.isfinite(z[:, j])
        n = np.count_nonzero(use)
        if n == 0:
            continue
        deviation, n_medians = _about_medians(z[use, j], hole_radius[use])
        ratio = mad_std(deviation) * np.sqrt(n / max(n - n_medians, 1))
        # A map without any scatter has nothing to be drawn from.
        result[j] = ratio ** (n / (n + _PRIOR)) if ratio > 0 else 0.0
    return result


def _about_medians(values, classes):
    """
    Subtract the median of each class, that of all from those too small.
    """
    result = values - np.median(values)
    n_medians = 1
    for one in np.unique(classes):
        members = classes == one
        if np.count_nonzero(members) >= _LEAST_OF_A_CLASS:
            result[members] = values[members] - np.median(values[members])
            n_medians += 1
    return result, n_medians


def excess_variance(error, x, y, *, radii, hole_radius, annulus_radii, missing=None):
    """
    Sum the variance in apertures above that of the annuli.

    Parameters
    ----------
    error : 2D `~numpy.ndarray`
        The map's standard deviation.

    x, y, hole_radius : (N,) `~numpy.ndarray`
        Positions and hole radii of the sources, in pixels.

    radii : (A,) array_like
        The aperture radii, in pixels.

    annulus_radii : 2-tuple of float
        The annulus' radii, in pixels.

    missing : 2D bool `~numpy.ndarray`, optional
        The missing pixels.

    Returns
    -------
    variance : (N, A) `~numpy.ndarray`
        The excess, not corrected for the aperture; 0 where the annulus
        is noisier.
    """
    variance = np.asarray(error, dtype=float) ** 2
    annulus = local_background(
        variance, x, y, annulus_radii=annulus_radii, missing=missing
    )
    inside = removed_photometry(
        variance,
        x,
        y,
        radii=radii,
        hole_radius=hole_radius,
        local_std=0.0,
        missing=missing,
    )
    excess = inside['flux'] - annulus['local_bkg'][:, None] * inside['area']
    return np.maximum(np.nan_to_num(excess), 0.0)


def flux_error(flux, scatter, *, kappa, eps, excess=0.0):
    """
    Add up the parts of the errors of fluxes.

    Parameters
    ----------
    flux : `~numpy.ndarray`
        The fluxes.

    scatter : `~numpy.ndarray`
        The scatter of fluxes in empty holes there.

    kappa, eps : float
        The calibration's (`ErrorCalibration`).

    excess : `~numpy.ndarray`, optional
        Further variance (`excess_variance`).

    Returns
    -------
    error : `~numpy.ndarray`
        The errors.
    """
    return np.sqrt((kappa * scatter) ** 2 + (eps * flux) ** 2 + excess)
