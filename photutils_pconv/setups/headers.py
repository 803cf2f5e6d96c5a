# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The setup of a map by its header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.setups.header_statements import read_statements
from photutils_pconv.setups.registry import (
    find_setups,
    get_setup,
    list_setups,
    make_described,
)
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['SetupChoice', 'check_setup', 'find_setup']

# How far a header's beam may be from the setup's, where the wavelength leaves several
# setups: by choice, more than measures of one beam differ, less than the beams of
# PACS' two modes.
_BEAM_TOLERANCE = 0.1


@dataclass(frozen=True)
class SetupChoice:
    """
    A setup, and why it was chosen.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    reason : str
        The reason.
    """

    setup: ObservingSetup
    reason: str


def find_setup(
    header: Mapping, *, mode: str | None = None, band: str | None = None
) -> SetupChoice:
    """
    Find the setup of a map from its header.

    Of PACS' maps, the cards ``WAVELNTH``, ``CAMERA``, ``BLUEBAND``, ``BAND``,
    ``FILTER`` and ``DETECTOR`` name the band, and ``CUSMODE``, ``OBS_MODE``,
    ``OBSMODE`` and ``INSTMODE`` the mode. Other maps are known by wavelength and,
    where that leaves several setups, by the beam (``BMAJ``).

    Parameters
    ----------
    header : mapping
        The header, or other metadata.

    mode, band : str, optional
        The mode or the band, if you know it: the header is asked for the other
        one only.

    Returns
    -------
    choice : `SetupChoice`
        The setup, with the cards that name it.

    Raises
    ------
    ValueError
        If the header names no setup, or fits several.
    """
    if mode is not None and band is not None:
        return SetupChoice(get_setup(mode, band), 'as asked for')
    statements = read_statements(header)
    used = [
        one
        for one in statements
        if not (mode is not None and one.mode is not None)
        and not (band is not None and one.wavelengths)
        and not ((mode or band) and one.setup is not None)
    ]
    # What is only described has all that decides: its instrument and wavelength.
    named: list[Any] = list(find_setups(mode, band))
    fitting = [
        make_described(one) for one in named if all(said.allows(one) for said in used)
    ]
    if band is None and not any(one.setup for one in used):
        fitting = [one for one in fitting if one.wavelength is not None]
    tells_wavelength = band is not None or any(
        one.wavelengths or one.setup for one in used
    )
    beam = _read_beam(header)
    seen = _choose_telling(used)
    if len(fitting) > 1 and tells_wavelength and beam is not None:
        near = [one for one in fitting if _has_beam(one, beam)]
        if near:
            fitting = near
            seen.append(f'BMAJ = {beam.to_value(u.deg):.6g}')
    if len(fitting) == 1 and tells_wavelength:
        asked = [
            f'{name}={value!r}'
            for name, value in (('mode', mode), ('band', band))
            if value is not None
        ]
        reason = ' and '.join(
            ([f'asked for was {asked[0]}'] if asked else [])
            + ([f'the header says {" and ".join(seen)}'] if seen else [])
        )
        return SetupChoice(fitting[0], reason)
    msg = _tell_ambiguity(statements, fitting if tells_wavelength else [], mode, band)
    raise ValueError(msg)


def _choose_telling(statements):
    """The cards that name a setup by themselves: one of each kind will do."""
    for one in statements:
        if one.setup is not None:
            return [one.text]
    certain = [one for one in statements if len(one.wavelengths) == 1]
    modes = [one for one in statements if one.mode is not None]
    return [one.text for one in (*certain[:1], *modes[:1])]


def _tell_ambiguity(statements, fitting, mode, band):
    """Say what was seen, and what to pass."""
    said = ', '.join(one.text for one in statements)
    said = f'it says {said}' if said else 'it says nothing of wavelength or mode'
    asked = ''.join(
        f' and {name}={value!r} was given'
        for name, value in (('mode', mode), ('band', band))
        if value is not None
    )
    if fitting:
        fits_what = f'which fits {", ".join(repr(one.name) for one in fitting)}'
        lacking = {one.band for one in fitting}, {one.mode for one in fitting}
        if all(one.mode and one.band for one in fitting) and len(lacking[0]) == 1:
            advice = f'give mode, one of {", ".join(sorted(map(repr, lacking[1])))}'
        elif all(one.mode and one.band for one in fitting) and len(lacking[1]) == 1:
            advice = f'give band, one of {", ".join(sorted(map(repr, lacking[0])))}'
        else:
            advice = 'give setup, one of them'
    else:
        fits_what = 'which names no setup'
        names = ', '.join(map(repr, list_setups()))
        advice = (
            f'give mode and band, or setup, one of {names} or an ObservingSetup of '
            'your own'
        )
    return (
        f"The map's header does not name the setup: {said}{asked}, {fits_what}: "
        f'{advice}.'
    )


def _read_beam(header):
    """The FWHM of the beam in the header, or None."""
    value = header.get('BMAJ')
    if isinstance(value, fits.card.Undefined) or not isinstance(
        value, int | float | np.number
    ):
        return None
    return value * u.deg if np.isfinite(value) and value > 0 else None


def _has_beam(setup, beam):
    ratio = float(beam / setup.psf_fwhm)
    return abs(ratio - 1) <= _BEAM_TOLERANCE


def check_setup(setup: ObservingSetup, header: Mapping) -> bool:
    """
    Warn if a map's header contradicts the setup that it is to be cleaned with.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    header : mapping
        The header, or other metadata.

    Returns
    -------
    agrees : bool
        `False` after a warning, which names both.
    """
    against = [one.text for one in read_statements(header) if not one.allows(setup)]
    if not against:
        return True
    how = repr(setup.name)
    if setup.wavelength is not None:
        how += f' ({setup.wavelength.to_value(u.um):g} micron)'
    try:
        told = find_setup(header).setup
    except ValueError:
        advice = 'check both'
    else:
        advice = f'leave the setup out, or give {told.name!r}, to follow the header'
    msg = (
        f'The setup is {how}, but the header of the map says {", ".join(against)}. The '
        f'setup is used as given; {advice}.'
    )
    warn_user(msg)
    return False
