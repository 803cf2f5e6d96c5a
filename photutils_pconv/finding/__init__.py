# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Finding compact sources on structured emission.

`find_sources` filters a map with the filters that are matched to its PSF and to its
emission, takes the peaks over the local scatter, fits and subtracts them, looks again
at what is left, and distinguishes sources from knots of the emission by their shape.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'finder': ('find_sources',),
        'settings': ('FindSettings',),
    },
)
