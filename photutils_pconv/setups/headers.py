# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the header of a map says of its setup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.setups.registry import (
    find_setups,
    get_setup,
    list_setups,
    make_described,
)
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['SetupChoice', 'Statement', 'check_setup', 'find_setup', 'read_statements']

# The modes of the bundled setups, which are PACS'.
_PACS_MODES = ('scanmap', 'parallel')

_INSTRUMENT_KEYS = ('INSTRUME', 'INSTRMNT')
_MODE_KEYS = ('OBS_MODE', 'OBSMODE', 'CUSMODE', 'INSTMODE')
# What the modes are called in headers: by the Herschel Science Archive, and by
# DustPedia.
_MODE_WORDS = {
    'parallel': 'parallel',
    'pacsphoto': 'scanmap',
    'scan map': 'scanmap',
    'scanmap': 'scanmap',
}
# Wavelengths, with their unit where the value has none.
_WAVELENGTH_KEYS = {'WAVELNTH': u.um, 'WAVELENG': u.um, 'WAVELEN': u.um}
_FREQUENCY_KEYS = ('RESTFRQ', 'RESTFREQ')
# Without a unit, a wavelength below this (micron) is one in metres, as WISE
# gives it; by choice, far below any infrared wavelength in micron.
_SMALLEST_WAVELENGTH = 0.01
# PACS' bands in words. The blue camera has two of them.
_BAND_KEYS = ('BAND', 'FILTER', 'DETECTOR', 'BLUEBAND', 'CAMERA', 'CAMNAME')
_CAMERA_KEYS = ('CAMERA', 'CAMNAME')
_BAND_WORDS = {
    'blue1': (70.0,),
    'blue2': (100.0,),
    'blue': (70.0,),
    'green': (100.0,),
    'red': (160.0,),
}
_BLUE_CAMERA = (70.0, 100.0)
# A wavelength in a band's name: PACS70, PACS_160, 100um, 70 micron.
_NAMED_WAVELENGTH = re.compile(
    r'pacs[ _-]?(\d{2,3})\b|\b(\d+(?:\.\d+)?) ?(?:um|micron)'
)

# How far a header's wavelength may be from the setup's. Nominal and effective
# wavelengths of a band are within 10 percent; PACS' bands are 43 percent apart.
_WAVELENGTH_TOLERANCE = 0.1
# The same for beams, where the wavelength leaves several setups: by choice, more
# than measures of one beam differ, less than the beams of PACS' two modes.
_BEAM_TOLERANCE = 0.1


@dataclass(frozen=True)
class Statement:
    """
    What one card of a header says of how a map was observed.

    Parameters
    ----------
    text : str
        The card, as in ``WAVELNTH = 70.0``.

    wavelengths : tuple of float, optional
        The wavelengths (micron) that it can be.

    mode : str, optional
        The observing mode of PACS.

    instrument : str, optional
        The instrument, in capitals.

    setup : str, optional
        The name of a setup.
    """

    text: str
    wavelengths: tuple = ()
    mode: str | None = None
    instrument: str | None = None
    setup: str | None = None

    def allows(self, setup: ObservingSetup) -> bool:
        """
        Whether a setup agrees with it.

        Parameters
        ----------
        setup : `~photutils_pconv.ObservingSetup`
            The setup.

        Returns
        -------
        agrees : bool
            `False` if it contradicts.
        """
        if self.setup is not None:
            return setup.name == self.setup
        if self.mode is not None:
            # Those of another instrument are not observed in PACS' modes.
            is_other = setup.mode not in _PACS_MODES and not setup.instrument
            return is_other or setup.mode == self.mode
        if self.instrument is not None:
            own = setup.instrument.upper()
            if not own:
                own = 'PACS' if setup.mode in _PACS_MODES else ''
            return own in self.instrument or self.instrument in own
        if setup.wavelength is None:
            return True
        own = setup.wavelength.to_value(u.um)
        return any(
            abs(one - own) <= _WAVELENGTH_TOLERANCE * own for one in self.wavelengths
        )


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


def read_statements(header: Mapping) -> tuple[Statement, ...]:
    """
    Read what a header says of how a map was observed.

    Parameters
    ----------
    header : mapping
        The header, or other metadata.

    Returns
    -------
    statements : tuple of `Statement`
        What it says; nothing of cards that are empty or unknown.
    """
    cards: dict[str, Any] = {}
    for key in list(header):
        name = str(key).upper()
        if name in _ALL_KEYS and name not in cards:
            value = header[key]
            if isinstance(value, str):
                value = value.strip()
            if isinstance(value, str | int | float | np.number | u.Quantity):
                cards[name] = value
    statements = []
    instrument = None
    if cards.get('SETUP') in list_setups():
        statements.append(Statement(_show('SETUP', cards), setup=cards['SETUP']))
    for key in _INSTRUMENT_KEYS:
        name = str(cards.get(key, '')).upper()
        if name and name != 'UNKNOWN':
            statements.append(Statement(_show(key, cards), instrument=name))
            instrument = name
    for key in (*_WAVELENGTH_KEYS, *_FREQUENCY_KEYS):
        wavelength = _read_wavelength(key, cards)
        if wavelength is not None:
            statements.append(Statement(_show(key, cards), wavelengths=(wavelength,)))
    is_pacs = instrument is not None and 'PACS' in instrument
    for key in _BAND_KEYS:
        found = _read_band(key, cards, is_pacs=is_pacs)
        if found:
            statements.append(Statement(_show(key, cards), wavelengths=found))
    if instrument is None or is_pacs:
        for key in _MODE_KEYS:
            text = str(cards.get(key, '')).lower()
            mode = next((_MODE_WORDS[one] for one in _MODE_WORDS if one in text), None)
            if mode is not None:
                statements.append(Statement(_show(key, cards), mode=mode))
    return tuple(statements)


_ALL_KEYS = {
    'SETUP',
    *_INSTRUMENT_KEYS,
    *_WAVELENGTH_KEYS,
    *_FREQUENCY_KEYS,
    *_BAND_KEYS,
    *_MODE_KEYS,
}


def _show(key, cards):
    value = cards[key]
    return f'{key} = {value!r}' if isinstance(value, str) else f'{key} = {value}'


def _read_wavelength(key, cards):
    """The wavelength of a card in micron, or None if it has none."""
    if key not in cards:
        return None
    unit = _WAVELENGTH_KEYS.get(key, u.Hz)
    try:
        value = u.Quantity(cards[key])
        if value.unit == u.one:
            value = value.value * unit
        wavelength = float(value.to_value(u.um, u.spectral()))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not (np.isfinite(wavelength) and wavelength > 0):
        return None
    if key in _WAVELENGTH_KEYS and wavelength < _SMALLEST_WAVELENGTH:
        wavelength *= u.m.to(u.um)
    return wavelength


def _read_band(key, cards, *, is_pacs):
    """The wavelengths that the name of a band can mean, in micron."""
    text = str(cards.get(key, '')).lower()
    if not text:
        return ()
    named = _NAMED_WAVELENGTH.search(text)
    if named is not None:
        return (float(named.group(1) or named.group(2)),)
    if not is_pacs:
        # Colours mean something else elsewhere.
        return ()
    cameras = ' '.join(str(cards.get(one, '')).lower() for one in _CAMERA_KEYS)
    if key == 'BLUEBAND' and 'red' in cameras:
        # Of the other camera.
        return ()
    word = next((one for one in _BAND_WORDS if one in text), None)
    if word == 'blue' and key in _CAMERA_KEYS:
        return _BLUE_CAMERA
    return () if word is None else _BAND_WORDS[word]


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
