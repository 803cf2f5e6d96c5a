# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Completeness, biases and errors of a map's photometry, by injected sources.

`measure_completeness` puts synthetic sources of known flux into the user's own
map, a few at a time, and removes and measures them together with the real ones.
`Completeness` says which share is recovered, how far the fluxes are off, and
how true their errors are; `correct_errors` scales errors accordingly.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'corrections': ('correct_errors',),
        'measuring': ('measure_completeness',),
        'results': ('Completeness',),
        'settings': ('InjectionSettings',),
    },
)
