# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Observing setups: what depends on instrument, mode, and band.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'registry': (
        'get_setup',
        'list_setups',
        'register_setup',
        'unregister_setup',
    ),
    'setup': ('ObservingSetup',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'ObservingSetup',
    'get_setup',
    'list_setups',
    'register_setup',
    'unregister_setup',
]

__getattr__, __dir__ = attach(__name__, _HOME)
