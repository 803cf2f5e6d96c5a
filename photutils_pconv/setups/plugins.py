# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Setups that other packages bring along, by entry points.
"""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['GROUP', 'plugin_setups']

#: The group of entry points.
GROUP = 'photutils_pconv.setups'


@cache
def plugin_setups():
    """
    Load the setups of other packages, once.

    Each entry point is an `ObservingSetup`, a sequence of them, or a function
    that gives either. One that fails is left out, with a warning.

    Returns
    -------
    setups : dict of `ObservingSetup`
        The setups, by name.
    """
    setups = {}
    for point in entry_points(group=GROUP):
        try:
            for setup in _load(point):
                if setup.name in setups:
                    msg = f'another package has a setup {setup.name!r}, too'
                    raise ValueError(msg)
                setups[setup.name] = setup
        except Exception as exc:
            # whatever the code of another package may raise
            reason = ' '.join(str(exc).split()) or type(exc).__name__
            msg = (
                f'The setups of the entry point {point.name!r} ({point.value}) are '
                f'left out: {reason}'
            )
            warn_user(msg)
    return setups


def _load(point):
    """Load what an entry point stands for, as a list of setups."""
    found = point.load()
    # a setup is not called, and a class is not one
    if callable(found):
        found = found()
    found = list(found) if isinstance(found, Iterable) else [found]
    for setup in found:
        if not isinstance(setup, ObservingSetup):
            msg = f'it gives a {type(setup).__name__}, not an ObservingSetup'
            raise TypeError(msg)
    return found
