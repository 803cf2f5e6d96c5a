# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the cards of a map's header say of how it was observed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from photutils_pconv.setups.registry import list_setups
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['Statement', 'read_statements']

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
