# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Observing setups by name.

Setups come with the package, with other packages (entry points of the group
``photutils_pconv.setups``), in files, or are registered for a session.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from photutils_pconv._utils.checks import to_bool
from photutils_pconv.setups.bundled import BundledSetup, bundled_setups
from photutils_pconv.setups.plugins import plugin_setups
from photutils_pconv.setups.setup import ObservingSetup

__all__ = [
    'find_setups',
    'get_setup',
    'is_bundled',
    'list_setups',
    'make_described',
    'name_setup',
    'register_setup',
    'unregister_setup',
]

# The setups that were registered in this session, by name.
_registered: dict[str, ObservingSetup] = {}
# Endings of names that are those of files.
_FILE_SUFFIXES = ('.json', '.fits', '.fits.gz')


def _described():
    """
    All setups by name, in order; those of the package only described.
    """
    others = {
        name: setup
        for name, setup in plugin_setups().items()
        if name not in bundled_setups()
    }
    return bundled_setups() | others | _registered


def list_setups(*, instrument: str | None = None) -> tuple[str, ...]:
    """
    The names of the setups that `get_setup` knows.

    Parameters
    ----------
    instrument : str, optional
        The instrument, such as ``'PACS'``, of which to list the setups.
        By default all are listed.

    Returns
    -------
    names : tuple of str
        The setups of the package, those of PACS first, then those of other
        packages, then those registered, in order.
    """
    return tuple(
        name
        for name, setup in _described().items()
        if instrument is None or setup.instrument == instrument
    )


def make_described(described: ObservingSetup | BundledSetup) -> ObservingSetup:
    """
    Give the setup that was described.

    Parameters
    ----------
    described : `ObservingSetup` or ``BundledSetup``
        A setup, or what is known of one that comes with the package.

    Returns
    -------
    setup : `ObservingSetup`
        The setup.
    """
    return described if isinstance(described, ObservingSetup) else described.make()


def is_bundled(setup: ObservingSetup) -> bool:
    """
    Return whether a setup is one of those that every session knows by name.

    Parameters
    ----------
    setup : `ObservingSetup`
        The setup.

    Returns
    -------
    bundled : bool
        Whether it is.
    """
    described = bundled_setups().get(setup.name)
    return described is not None and make_described(described) == setup


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
    if setup.name in bundled_setups():
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
    for other in _described().values():
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

    setup : `ObservingSetup`, str or path-like, optional
        A setup, the name of one, or the file that `ObservingSetup.write`
        wrote, instead of ``mode`` and ``band``.

    Returns
    -------
    setup : `ObservingSetup`
        The setup.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If there is no such setup, or too much or too little was given.
    """
    if setup is not None:
        if mode is not None or band is not None:
            msg = 'Give either mode and band or setup, not both.'
            raise ValueError(msg)
        if isinstance(setup, ObservingSetup):
            return setup
        if not isinstance(setup, str | os.PathLike):
            msg = (
                'setup must be an ObservingSetup, the name of one, or its file, got '
                f'{type(setup).__name__}.'
            )
            raise TypeError(msg)
        if setup in _described():
            return make_described(_described()[setup])
        if _is_file(setup):
            return ObservingSetup.read(setup)
        msg = (
            f'Unknown setup {setup!r}; accepted are: '
            f'{", ".join(map(repr, list_setups()))}, or a file (.json).'
        )
        raise ValueError(msg)

    if mode is None or band is None:
        modes = ', '.join(map(repr, _bands_of_modes()))
        msg = (
            'Both mode and band are needed, or a setup, got '
            f'mode={mode!r} and band={band!r}. Accepted modes are: '
            f'{modes}.'
        )
        raise ValueError(msg)
    return make_described(find_setups(mode, band)[0])


def _bands_of_modes():
    """
    The setups by mode, then by band.
    """
    bands = {}
    for one in _described().values():
        if one.mode:
            bands.setdefault(one.mode, {})[one.band] = one
    return bands


def find_setups(
    mode: str | None = None, band: str | None = None
) -> list[ObservingSetup | BundledSetup]:
    """
    Find all setups of a mode, of a band, or of both.

    Parameters
    ----------
    mode, band : str, optional
        The observing mode and the band. `None` stands for all of them.

    Returns
    -------
    setups : list of `ObservingSetup` or ``BundledSetup``
        The setups; all, those without a mode too, if nothing is given. Those of
        the package are described and not made, which takes a while: call their
        ``make``.

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
        return list(_described().values())
    chosen = bands.values() if mode is None else [bands[mode]]
    known: dict[str, list[ObservingSetup | BundledSetup]] = {}
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


def name_setup(setup: Any) -> str:
    """
    Give the name by which `get_setup` finds a setup, and let it find it.

    Parameters
    ----------
    setup : `ObservingSetup`, str or path-like
        A setup, the name of one, or its file. If it is none that is known by
        its name, it is registered for this session.

    Returns
    -------
    name : str
        The name.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If there is no such setup, or its name is that of another one.
    """
    found = get_setup(setup=setup)
    known = _described().get(found.name)
    if known is None:
        register_setup(found)
    elif make_described(known) != found:
        msg = (
            f'The setup {found.name!r} is another one than that which is known under '
            'this name: choose another name.'
        )
        raise ValueError(msg)
    return found.name


def _is_file(name):
    """Return whether a name is that of a file, there or not."""
    return (
        isinstance(name, os.PathLike)
        or name.lower().endswith(_FILE_SUFFIXES)
        or Path(name).is_file()
    )
