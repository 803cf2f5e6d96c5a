# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The analytic PSF of a setup, from its encircled energies.
"""

import astropy.units as u
from astropy.stats import gaussian_sigma_to_fwhm

from photutils_pconv._psf_models.lobed import LobedPSF, fit_encircled_energy

__all__ = [
    'LobedPSF',
    'has_lobes',
    'lobed_psf',
]

# The instrument whose PSF has three lobes and a halo that is known: all flux lies
# within this radius (arcsec), by choice; its encircled-energy tables end at 22.
_LOBED_INSTRUMENT = 'PACS'
_LOBED_TOTAL_RADIUS = 120.0
# That radius for other instruments, in units of the FWHM (by choice: the mean of
# the six bundled setups is 13), and at least in units of the table's last radius.
_TOTAL_FWHM = 12.0
_BEYOND_TABLE = 1.5


def has_lobes(setup):
    """
    Return whether a setup's PSF is known to have the lobes of PACS.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup.

    Returns
    -------
    known : bool
        Whether its ``instrument`` is PACS.
    """
    return setup.instrument == _LOBED_INSTRUMENT


def lobed_psf(setup):
    """
    Build the analytic PSF of an observing setup.

    The weights of the Gaussians are fitted to the setup's
    encircled-energy table for real maps by non-negative least squares;
    a setup without a table has a Gaussian core only. The three lobes and
    the halo out to 120 arcsec are those of PACS: a setup of another
    ``instrument``, or of none, has a round PSF that ends at 12 FWHM, or at
    1.5 times the table's last radius where that is farther out.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup.

    Returns
    -------
    psf : `LobedPSF`
        The model, normalised to a total flux of 1.
    """
    fwhm = setup.psf_fwhm.to_value(u.arcsec)
    core = fwhm / gaussian_sigma_to_fwhm
    table = setup.encircled_energy.get('real')
    if table is None:
        return LobedPSF((core,), (1.0,), (0.0,))

    lobed = has_lobes(setup)
    total = max(_TOTAL_FWHM * fwhm, _BEYOND_TABLE * table[0][-1])
    return fit_encircled_energy(
        core,
        *table,
        total_radius=_LOBED_TOTAL_RADIUS if lobed else total,
        has_lobes=lobed,
    )
