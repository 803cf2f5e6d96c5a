# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Passbands of instruments, and the colour corrections that follow from them.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv._utils.checks import check_choice, to_bool
from photutils_pconv.photometry.spectra import parse_spectrum
from photutils_pconv.setups.registry import get_setup

__all__ = ['Passband', 'colour_correction', 'find_passband', 'get_passband']

# The bundled passband of each setup, by the names of both.
_NAMES = {
    'scanmap/blue': 'pacs_blue',
    'scanmap/green': 'pacs_green',
    'scanmap/red': 'pacs_red',
    'parallel/blue': 'pacs_blue',
    'parallel/green': 'pacs_green',
    'parallel/red': 'pacs_red',
    'spire/250': 'spire_psw',
    'spire/350': 'spire_pmw',
    'spire/500': 'spire_plw',
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Passband:
    """
    A passband, in which fluxes are those of a spectrum nu F_nu = constant.

    Parameters
    ----------
    name : str
        The name.

    reference_wavelength : `~astropy.units.Quantity`
        The wavelength at which fluxes are given.

    wavelength : (N,) `~astropy.units.Quantity`
        The wavelengths, in ascending order.

    response : (N,) `~numpy.ndarray`
        The response to a point source, per energy, in any unit.

    extended_slope : float or `None`, optional
        The power of the frequency by which the response to extended emission
        differs from that to a point source; `None` where it is not known.

    calibration_error : float or `None`, optional
        The relative error of the calibration that all fluxes share; `None`
        where it is not known.

    source, calibration_source : str, optional
        Where the response and the error come from.
    """

    name: str
    reference_wavelength: u.Quantity
    wavelength: u.Quantity
    response: np.ndarray
    extended_slope: float | None = None
    calibration_error: float | None = None
    source: str = ''
    calibration_source: str = ''

    def colour_correction(self, spectrum, *, extended=False):
        """
        The factor by which measured fluxes exceed those of a spectrum.

        Parameters
        ----------
        spectrum : Quantity, float, str, pair or callable
            The spectrum, as `colour_correction` takes it.

        extended : bool, optional
            Whether the emission is extended.

        Returns
        -------
        factor : float
            What measured fluxes are to be divided by, to be those of the
            spectrum at the reference wavelength.

        Raises
        ------
        TypeError, ValueError
            If the spectrum is not accepted, or the response to extended
            emission is not known.

        References
        ----------
        Poglitsch et al. 2010 (A&A 518, L2), notes of Table 3; Griffin et al.
        2013 (MNRAS 434, 992), Eq. 22.
        """
        extended = to_bool(extended, 'extended')
        spectrum = parse_spectrum(spectrum)
        nu = self.wavelength.to_value(u.Hz, u.spectral())
        nu0 = self.reference_wavelength.to_value(u.Hz, u.spectral())
        # From large frequencies to small ones: the signs cancel in the ratio.
        response = self.response
        if extended:
            if self.extended_slope is None:
                msg = f'the response of {self.name} to extended emission is not known'
                raise ValueError(msg)
            response = response * (nu / nu0) ** self.extended_slope
        *level, at_reference = spectrum(np.append(nu, nu0))
        if not at_reference > 0:
            msg = (
                f'the spectrum ({spectrum.text}) must be positive at '
                f'{self.reference_wavelength:g}, got {at_reference}'
            )
            raise ValueError(msg)
        measured = np.trapezoid(response * np.array(level) / at_reference, nu)
        return float(measured / np.trapezoid(response * nu0 / nu, nu))


@cache
def get_passband(name):
    """
    Give a passband that ships with the package.

    Parameters
    ----------
    name : str
        The name: ``'pacs_blue'``, ``'pacs_green'``, ``'pacs_red'``,
        ``'spire_psw'``, ``'spire_pmw'`` or ``'spire_plw'``.

    Returns
    -------
    passband : `Passband`
        The passband.

    Raises
    ------
    ValueError
        If there is no such passband.
    """
    check_choice(name, 'name', tuple(dict.fromkeys(_NAMES.values())))
    path = resources.files('photutils_pconv') / f'data/passbands/{name}.ecsv'
    with resources.as_file(path) as file:
        table = QTable.read(file, format='ascii.ecsv')
    meta = table.meta
    return Passband(
        name=meta['name'],
        reference_wavelength=meta['reference_wavelength_um'] * u.um,
        wavelength=table['wavelength'],
        response=np.asarray(table['response']),
        extended_slope=meta['extended_slope'],
        calibration_error=meta['calibration_error'],
        source=meta['source'],
        calibration_source=meta['calibration_source'],
    )


def find_passband(setup):
    """
    Find the passband of a setup.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.

    Returns
    -------
    passband : `Passband` or `None`
        The passband; `None` where none is known.
    """
    name = _NAMES.get(get_setup(setup=setup).name)
    return None if name is None else get_passband(name)


def colour_correction(spectrum, setup, *, extended=False):
    """
    The colour correction of a spectrum, by which fluxes are to be divided.

    It is calculated from the setup's passband.

    Parameters
    ----------
    spectrum : `~astropy.units.Quantity`, float, str, pair or callable
        The spectrum: a temperature, of a black body; a number, the slope of a
        power law in frequency (F_nu ~ nu**slope); ``'star'``, a black body of
        5000 K; a pair of a temperature and the slope of the emissivity, of a
        modified black body; a text of one of these (``'30 K'``,
        ``'20 K, 1.8'``, ``'-1'``); or a function F_nu of the frequency
        (Quantity), such as a model of ``astropy.modeling.physical_models``.

    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.

    extended : bool, optional
        Whether the emission is extended. For SPIRE the response then goes as
        that to a point source over the square of the frequency; for PACS it
        is the same.

    Returns
    -------
    factor : float
        The measured flux, which is that of a spectrum nu F_nu = constant, over
        the flux of the spectrum at the setup's wavelength.

    Raises
    ------
    TypeError, ValueError
        If the spectrum is not accepted, or the setup has no passband.

    References
    ----------
    For PACS it reproduces Mueller, Okumura & Klaas 2011 (PICC-ME-TN-038),
    Table 1, and for SPIRE the inverse factors of Ciesla et al. 2012 (A&A 543,
    A161), Table 2.
    """
    passband = find_passband(setup)
    if passband is None:
        msg = (
            f'the setup {get_setup(setup=setup).name!r} has no passband, and so no '
            f'colour correction; those that have one are: {", ".join(_NAMES)}. Divide '
            'the fluxes by the factor of your instrument, such as that of a '
            'photutils_pconv.photometry.Passband.'
        )
        raise ValueError(msg)
    return passband.colour_correction(spectrum, extended=extended)
