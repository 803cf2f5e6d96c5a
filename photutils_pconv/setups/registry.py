# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Observing setups: what depends on the instrument, its mode and its band.

A setup holds the native pixel scale, the beam, the radii and thresholds
of the signal-to-noise ratio (Eq. 1 of the paper), the hole radii (Table
3) and the encircled-energy tables. Six setups are bundled, the two PACS
modes times three bands, and further ones can be registered.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from photutils_pconv._utils.checks import to_bool
from photutils_pconv.setups.setup import ObservingSetup

__all__ = [
    'find_setups',
    'get_setup',
    'list_setups',
    'register_setup',
    'unregister_setup',
]


@cache
def _bundled_setups():
    """
    The six PACS setups, by name.
    """
    data = Path(__file__).resolve().parents[1] / 'data'
    path = data / 'setups/pacs.json'
    setups = {}
    for values in json.loads(path.read_text(encoding='utf-8'))['setups']:
        # the tabulated axes are those of one scan; scans in two directions
        # and the radii of Table 3 ask for the round beam of equal area
        minor, major = values.pop('psf_fwhm_axes_arcsec')
        values['psf_fwhm_arcsec'] = float(np.sqrt(minor * major))
        values['instrument'] = 'PACS'
        file = f'{values["mode"]}_{values["band"]}.fits'
        setup = ObservingSetup.from_dict(values | {'psf': data / 'psf' / file})
        setups[setup.name] = setup
    return setups


# The setups that were registered in this session, by name.
_registered: dict[str, ObservingSetup] = {}


def _all_setups():
    """
    All setups by name: the bundled ones, then those registered.
    """
    return _bundled_setups() | _registered


def list_setups() -> tuple[str, ...]:
    """
    The names of the setups that `get_setup` knows.

    Returns
    -------
    names : tuple of str
        The bundled setups, then those registered, in order.
    """
    return tuple(_all_setups())


def register_setup(setup: ObservingSetup, *, overwrite: bool = False) -> None:
    """
    Add a setup to those that `get_setup` finds, for this session.

    Parameters
    ----------
    setup : `ObservingSetup`
        The setup.

    overwrite : bool, optional
        Whether to replace a setup registered before under the same
        name. A bundled setup cannot be replaced.

    Raises
    ------
    TypeError
        If ``setup`` is not an `ObservingSetup`, or ``overwrite`` no bool.

    ValueError
        If the name is taken, or another setup has the same mode and
        band.
    """
    overwrite = to_bool(overwrite, 'overwrite')
    if not isinstance(setup, ObservingSetup):
        msg = f'setup must be an ObservingSetup, got {type(setup).__name__}.'
        raise TypeError(msg)
    if setup.name in _bundled_setups():
        msg = (
            f'{setup.name!r} is a bundled setup and cannot be replaced: '
            'choose another name.'
        )
        raise ValueError(msg)
    if setup.name in _registered and not overwrite:
        msg = (
            f'A setup {setup.name!r} is registered already: choose '
            'another name or use overwrite=True.'
        )
        raise ValueError(msg)
    for other in _all_setups().values():
        if (
            setup.mode
            and other.name != setup.name
            and (setup.mode, setup.band) == (other.mode, other.band)
        ):
            msg = (
                f'The setup {other.name!r} has the mode {setup.mode!r} '
                f'and the band {setup.band!r} already: choose others, or '
                'leave them empty and refer to the setup by name.'
            )
            raise ValueError(msg)
    _registered[setup.name] = setup


def unregister_setup(name: str) -> None:
    """
    Remove a registered setup.

    Parameters
    ----------
    name : str
        Its name.

    Raises
    ------
    ValueError
        If no setup was registered under that name.
    """
    if name not in _registered:
        msg = (
            f'No setup {name!r} has been registered; registered are: '
            f'{", ".join(map(repr, _registered)) or "none"}.'
        )
        raise ValueError(msg)
    del _registered[name]


def get_setup(
    mode: str | None = None,
    band: str | None = None,
    *,
    setup: ObservingSetup | str | None = None,
) -> ObservingSetup:
    """
    Find a setup by its mode and band, or by its name.

    Parameters
    ----------
    mode : str, optional
        The observing mode: ``'scanmap'``, ``'parallel'`` or that of a
        registered setup.

    band : str, optional
        The band: ``'blue'`` (70 micron), ``'green'`` (100 micron),
        ``'red'`` (160 micron) or that of a registered setup.

    setup : `ObservingSetup` or str, optional
        A setup, or the name of one, instead of ``mode`` and ``band``.

    Returns
    -------
    setup : `ObservingSetup`
        The setup.

    Raises
    ------
    TypeError, ValueError
        If there is no such setup, or too much or too little was given.
    """
    if setup is not None:
        if mode is not None or band is not None:
            msg = 'Give either mode and band or setup, not both.'
            raise ValueError(msg)
        if isinstance(setup, ObservingSetup):
            return setup
        if not isinstance(setup, str):
            msg = (
                'setup must be an ObservingSetup or the name of one, got '
                f'{type(setup).__name__}.'
            )
            raise TypeError(msg)
        if setup not in list_setups():
            msg = (
                f'Unknown setup {setup!r}; accepted are: '
                f'{", ".join(map(repr, list_setups()))}.'
            )
            raise ValueError(msg)
        return _all_setups()[setup]

    if mode is None or band is None:
        modes = ', '.join(map(repr, _bands_of_modes()))
        msg = (
            'Both mode and band are needed, or a setup, got '
            f'mode={mode!r} and band={band!r}. Accepted modes are: '
            f'{modes}.'
        )
        raise ValueError(msg)
    return find_setups(mode, band)[0]


def _bands_of_modes():
    """
    The setups by mode, then by band.
    """
    bands = {}
    for one in _all_setups().values():
        if one.mode:
            bands.setdefault(one.mode, {})[one.band] = one
    return bands


def find_setups(
    mode: str | None = None, band: str | None = None
) -> list[ObservingSetup]:
    """
    Find all setups of a mode, of a band, or of both.

    Parameters
    ----------
    mode, band : str, optional
        The observing mode and the band. `None` stands for all of them.

    Returns
    -------
    setups : list of `ObservingSetup`
        The setups; all, those without a mode too, if nothing is given.

    Raises
    ------
    TypeError, ValueError
        If there is no such setup.
    """
    bands = _bands_of_modes()
    modes = ', '.join(map(repr, bands))
    for name, value in (('mode', mode), ('band', band)):
        if value is not None and not isinstance(value, str):
            msg = f'{name} must be a text, got {value!r}. Accepted modes are: {modes}.'
            raise TypeError(msg)
    if mode is not None and mode not in bands:
        msg = f'Unknown mode {mode!r}; accepted are: {modes}.'
        raise ValueError(msg)
    if mode is None and band is None:
        return list(_all_setups().values())
    chosen = bands.values() if mode is None else [bands[mode]]
    known: dict[str, list[ObservingSetup]] = {}
    for of_mode in chosen:
        for name, setup in of_mode.items():
            known.setdefault(name, []).append(setup)
    if band is None:
        return [setup for setups in known.values() for setup in setups]
    if band not in known:
        of_what = '' if mode is None else f' of the mode {mode!r}'
        msg = (
            f'Unknown band {band!r}{of_what}; accepted are: '
            f'{", ".join(map(repr, known))}.'
        )
        raise ValueError(msg)
    return known[band]
