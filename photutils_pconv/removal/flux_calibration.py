# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What fluxes are multiplied with, and what their errors share: the colour
correction and the error of the calibration.
"""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from photutils_pconv.photometry.passbands import colour_correction, find_passband
from photutils_pconv.photometry.spectra import parse_spectrum

__all__ = [
    'ColourCorrection',
    'add_calibration_error',
    'choose_calibration_error',
    'choose_colour_correction',
    'describe_calibration',
]


@dataclass(frozen=True)
class ColourCorrection:
    """
    A colour correction that is applied.

    Parameters
    ----------
    spectrum : str
        The spectrum, in words.

    factor : float
        What measured fluxes are divided by.

    passband : str
        The name of the passband that it is calculated from.
    """

    spectrum: str
    factor: float
    passband: str


def choose_colour_correction(spectrum, setup):
    """
    Find the colour correction that a user asks for.

    Parameters
    ----------
    spectrum : optional
        The spectrum, as `photutils_pconv.photometry.colour_correction` takes
        it; `None` for no correction.

    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    Returns
    -------
    correction : `ColourCorrection` or `None`
        The correction.

    Raises
    ------
    TypeError, ValueError
        If the spectrum is not accepted, or the setup has no passband.
    """
    if spectrum is None:
        return None
    try:
        spectrum = parse_spectrum(spectrum)
        factor = colour_correction(spectrum, setup)
    except (TypeError, ValueError) as exc:
        msg = f'colour_correction: {exc}'
        raise type(exc)(msg) from exc
    return ColourCorrection(spectrum.text, factor, find_passband(setup).name)


def choose_calibration_error(error, setup):
    """
    Find the error of the calibration that a user wants to be added.

    Parameters
    ----------
    error : float, str or `None`
        The relative error, ``'setup'`` for that of the setup's instrument, or
        `None` for none.

    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    Returns
    -------
    error : float or `None`
        The relative error.

    Raises
    ------
    TypeError, ValueError
        If it is not accepted, or that of the setup is not known.
    """
    if error is None:
        return None
    if error == 'setup':
        error = _find_error(setup)
        if error is None:
            msg = (
                f'the calibration error of the setup {setup.name!r} is not known: '
                'give the number, such as calibration_error=0.07 for 7 percent'
            )
            raise ValueError(msg)
        return error
    if isinstance(error, str):
        # As the command line has it.
        try:
            error = float(error)
        except ValueError as exc:
            msg = f"calibration_error must be 'setup' or a number, got {error!r}"
            raise ValueError(msg) from exc
    if not isinstance(error, Real) or isinstance(error, bool):
        msg = f"calibration_error must be 'setup' or a number, got {error!r}"
        raise TypeError(msg)
    if not 0 <= error < 1:
        msg = (
            'calibration_error must be a relative error of 0 or more and below 1, such '
            f'as 0.07 for 7 percent, got {error!r}'
        )
        raise ValueError(msg)
    return float(error)


def _find_error(setup):
    """Give the calibration error of a setup, or None."""
    passband = find_passband(setup)
    return None if passband is None else passband.calibration_error


def add_calibration_error(flux_err, flux, error):
    """
    Add the error of the calibration to those of fluxes.

    Parameters
    ----------
    flux_err, flux : array_like
        The errors and the fluxes.

    error : float or `None`
        The relative error of the calibration.

    Returns
    -------
    flux_err : `~numpy.ndarray`
        The root of the sum of both squares.
    """
    flux_err = np.asarray(flux_err)
    return flux_err if error is None else np.hypot(flux_err, error * np.asarray(flux))


def describe_calibration(settings):
    """
    Say in metadata what was corrected, and how well fluxes are calibrated.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        The settings.

    Returns
    -------
    meta : dict
        Whether fluxes were corrected, for which spectrum and by which factor;
        the relative error of the calibration, and whether errors hold it.
    """
    correction, added = settings.colour_correction, settings.calibration_error
    return {
        'colour_corrected': correction is not None,
        'colour_correction': None if correction is None else correction.spectrum,
        'colour_correction_factor': 1.0 if correction is None else correction.factor,
        'calibration_error': _find_error(settings.setup) if added is None else added,
        'calibration_error_added': added is not None,
    }
