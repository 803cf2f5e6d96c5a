# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Observing setups: what depends on instrument, mode, and band.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'headers': ('SetupChoice', 'check_setup', 'find_setup'),
        'registry': (
            'get_setup',
            'list_setups',
            'register_setup',
            'unregister_setup',
        ),
        'setup': ('ObservingSetup',),
    },
)
