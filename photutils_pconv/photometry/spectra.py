# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Spectra of sources, for colour corrections.
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import astropy.units as u
import numpy as np
from scipy.constants import h, k

__all__ = ['Spectrum', 'parse_spectrum']

#: The temperature of a star (K), as far as the far infrared tells one from
#: another; that of the standard stars of Balog et al. 2014.
_STAR = 5000.0
# Colder black bodies are seen by the faintest wings of the passbands alone, which
# are not measured: the published tables end here (K; PICC-ME-TN-038).
_COLDEST = 5.0
# A steeper power law, or emissivity, is no spectrum of a source (by choice).
_STEEPEST = 5.0
_ACCEPTED = (
    "a temperature (30 * u.K), a slope of F_nu (-1.0), 'star', or a pair of a "
    'temperature and the slope of the emissivity ((20 * u.K, 1.8))'
)


@dataclass(frozen=True)
class Spectrum:
    """
    A spectrum, up to a factor.

    Parameters
    ----------
    text : str
        What it is, for metadata.

    function : callable
        The flux density F_nu at frequencies in Hz (1D `~numpy.ndarray`).
    """

    text: str
    function: Callable

    def __call__(self, frequency):
        """
        Get the flux density.

        Parameters
        ----------
        frequency : 1D `~numpy.ndarray`
            The frequencies, in Hz.

        Returns
        -------
        flux : 1D `~numpy.ndarray`
            F_nu at each, up to a factor.
        """
        return self.function(frequency)


def parse_spectrum(spectrum):
    """
    Parse what a user calls a spectrum.

    Parameters
    ----------
    spectrum : Spectrum, Quantity, float, str, pair or callable
        The spectrum, as `photutils_pconv.photometry.colour_correction` takes it.

    Returns
    -------
    spectrum : `Spectrum`
        The spectrum.

    Raises
    ------
    TypeError, ValueError
        If it is not accepted.
    """
    if isinstance(spectrum, Spectrum):
        return spectrum
    if isinstance(spectrum, str):
        spectrum = _parse_text(spectrum)
    if isinstance(spectrum, Real) and not isinstance(spectrum, bool):
        slope = _check_slope(spectrum, 'the slope')
        return Spectrum(
            f'power law of slope {slope:g} in frequency',
            lambda nu: (nu / nu[-1]) ** slope,
        )
    if isinstance(spectrum, u.Quantity):
        return _black_body(spectrum, 0.0)
    if isinstance(spectrum, tuple | list) and len(spectrum) == 2:
        return _black_body(*spectrum)
    if callable(spectrum):
        name = getattr(spectrum, '__name__', type(spectrum).__name__)
        return Spectrum(name, lambda nu: _call(spectrum, nu))
    msg = f'a spectrum must be {_ACCEPTED}, got {spectrum!r}'
    raise TypeError(msg)


def _parse_text(text):
    """Make of a text what it stands for."""
    if text.strip().lower() == 'star':
        return _STAR * u.K
    parts = text.split(',')
    try:
        if len(parts) == 2:
            return u.Quantity(parts[0]), float(parts[1])
        value = u.Quantity(text)
    except (TypeError, ValueError) as exc:
        msg = (
            "a spectrum in words must be 'star', a temperature ('30 K'), a temperature "
            "and the slope of the emissivity ('20 K, 1.8'), or a slope of F_nu "
            f"('-1'), got {text!r}"
        )
        raise ValueError(msg) from exc
    return float(value.value) if value.unit == u.one else value


def _check_slope(slope, name):
    """Check the slope of a power law."""
    if not isinstance(slope, Real) or isinstance(slope, bool):
        msg = f'{name} must be a number, got {slope!r}'
        raise TypeError(msg)
    if not abs(slope) <= _STEEPEST:
        msg = (
            f'{name} must be between -{_STEEPEST:g} and {_STEEPEST:g}, got {slope:g}. '
            'A temperature needs its unit, such as 30 * u.K.'
        )
        raise ValueError(msg)
    return float(slope)


def _black_body(temperature, slope):
    """Give the spectrum of a black body, modified by a slope other than 0."""
    slope = _check_slope(slope, 'the slope of the emissivity')
    try:
        temperature = u.Quantity(temperature).to_value(u.K)
    except (TypeError, ValueError) as exc:
        # Errors of units are TypeErrors and ValueErrors, too.
        msg = f'a temperature must be in kelvin, got {temperature!r}'
        raise ValueError(msg) from exc
    if np.ndim(temperature) or not _COLDEST <= temperature < np.inf:
        msg = (
            f'a temperature must be one number of {_COLDEST:g} K or more, got '
            f'{temperature} K'
        )
        raise ValueError(msg)
    text = f'black body of {temperature:g} K'
    if slope:
        text = f'modified {text}, emissivity slope {slope:g}'

    def planck(nu):
        # Relative to the last frequency, for numbers of order 1.
        reference = nu[-1]
        brightness = (nu / reference) ** (3 + slope)
        x, x0 = (h * value / (k * temperature) for value in (nu, reference))
        return brightness * np.expm1(x0) / np.expm1(x)

    return Spectrum(text, planck)


def _call(function, nu):
    """Call a function of the user's and check what it gives."""
    level = u.Quantity(function(nu * u.Hz)).value
    if np.shape(level) != nu.shape or not np.all(np.isfinite(level) & (level >= 0)):
        msg = (
            'a spectrum must give a finite flux density F_nu, not negative, for every '
            f'frequency, got {level}'
        )
        raise ValueError(msg)
    return level
