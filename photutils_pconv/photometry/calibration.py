# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The calibration of a model's errors on simulated maps.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from scipy.interpolate import RegularGridInterpolator

__all__ = [
    'ErrorCalibration',
    'get_error_calibration',
]

# For models without a calibration: a = 0.375 r**1.31 R**1.05, radii in pixels,
# the fit to what tools/calibrate_errors.py gives for all setups of the models
# that were bundled in November 2026.
_GENERIC = (0.375, 1.31, 1.05)
# PSF fluxes: the scatter in units of the expected error, and eps; from the same.
_GENERIC_PSF = (2.0, 0.005)
_GENERIC_RADII = np.array([2.0, 40.0])
_GENERIC_SHARES = np.array([0.1, 1.0])
# Beyond the calibrated radii, a hole's scatter grows as this power: the sum of the
# two exponents above.
_POWER = 2.36


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
        The model. Its calibration is in its card
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
