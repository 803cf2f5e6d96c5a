# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The settings for each map: by a given setup, the map's header, or the PSF.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from photutils_pconv.removal.provenance import log_choices
from photutils_pconv.removal.psf_setups import (
    has_no_scale,
    settle_by_psf,
    stands_for_a_setup,
)
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.setups.headers import check_setup, find_setup
from photutils_pconv.setups.registry import find_setups, make_described

__all__ = ['SettingsByMap']


@dataclass(frozen=True, eq=False)
class SettingsByMap:
    """
    What settings each map gets.

    Use `from_arguments` to make it from what a user gives.

    Parameters
    ----------
    make : callable
        Makes `~photutils_pconv.removal.RemovalSettings` of mode and band, ``setup``,
        and ``psf``.

    psf : object
        The PSF as the user gave it.

    by_psf : bool
        Whether the PSF stands for the setup, which then differs from map to map.

    asked : mapping or `None`
        The mode and the band that were asked for, where the header of the map gives
        the rest; otherwise `None`.

    known : `~photutils_pconv.removal.RemovalSettings` or `None`
        The settings, as far as they are known before a map is read.
    """

    make: Callable
    psf: Any
    by_psf: bool
    asked: Mapping | None
    known: RemovalSettings | None

    @classmethod
    def from_arguments(cls, make, mode, band, *, setup, psf):
        """
        Make it from what a user gives, and check that at once.

        Parameters
        ----------
        make : callable
            As for the class.

        mode, band, setup, psf : object
            As for `~photutils_pconv.NeuralSourceRemover`.

        Returns
        -------
        by_map : `SettingsByMap`
            What settings each map gets.

        Raises
        ------
        ValueError, TypeError
            If no setup that is in question accepts what was given.
        """
        by_psf = stands_for_a_setup(psf, mode, band, setup)
        asked = known = None
        if by_psf:
            known = make(psf=psf)
            known = None if has_no_scale(psf) else known
        elif setup is not None or None not in (mode, band):
            known = make(mode, band, setup=setup, psf=psf)
        else:
            asked = {'mode': mode, 'band': band}
            _check_arguments(make, asked, psf)
        return cls(make, psf, by_psf, asked, known)

    @property
    def beam(self):
        """
        The FWHM of the PSF (`~astropy.units.Quantity`), or `None` if a map decides it.
        """
        return None if self.known is None else self.known.setup.psf_fwhm

    def settle(self, header, pixel_scale=None, *, last=None):
        """
        Give the settings for a map, and log what was chosen.

        Parameters
        ----------
        header : mapping
            The header of the map.

        pixel_scale : `~astropy.units.Quantity`, optional
            Its pixel scale, if it is known, where the PSF stands for the setup.

        last : `~photutils_pconv.removal.RemovalSettings`, optional
            Those for the last map, which serve again if the setup is the same.

        Returns
        -------
        settings : `~photutils_pconv.removal.RemovalSettings`
            The settings.

        Raises
        ------
        ValueError
            If the setup does not follow from the map.
        """
        if self.by_psf:
            # It is made for the pixels of the map, whatever its header says.
            settings = settle_by_psf(self.make, self.psf, pixel_scale)
            log_choices(settings)
            return settings
        settings = self.known
        if settings is None:
            choice = find_setup(header, **self.asked)
            settings = last
            if last is None or choice.setup != last.setup:
                settings = self.make(setup=choice.setup, psf=self.psf)
                settings = replace(settings, setup_reason=choice.reason)
        log_choices(settings)
        check_setup(settings.setup, header)
        return settings

    def describe(self):
        """
        Say in words where the setup comes from, where a map decides.

        Returns
        -------
        text : str
            The text.
        """
        if self.by_psf:
            return "setup: that of the PSF on the map's pixels"
        asked = [f'{name}={value!r}' for name, value in self.asked.items() if value]
        return ', '.join([*asked, "setup: that of the map's header"])


def _check_arguments(make, asked, psf):
    """Complain at once about what no setup in question accepts."""
    errors = []
    for described in find_setups(**asked):
        try:
            make(setup=make_described(described), psf=psf)
        except (TypeError, ValueError, OSError) as exc:
            errors.append(exc)
        else:
            return
    raise errors[0]
