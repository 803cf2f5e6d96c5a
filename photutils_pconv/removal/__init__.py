# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map and its sources to a cleaned map and a table.

With a PSF (the method ``'psf'``) it is fitted to all sources and subtracted,
and a network reconstructs the emission under them from what is left. Without
one (``'inpaint'``, the paper's method) a network fills holes from what is
around. The cleaned map holds the map less the sources where that is better
known than the reconstruction (`compose`), and, where asked for, a random draw
of what is not known (`Draws`).

Users call `NeuralSourceRemover`. Its stages, from `RemovalSettings` to
`FluxErrors`, are here for those who build something else of them.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'remover': ('NeuralSourceRemover',),
        'result': ('SourceRemovalResult',),
        'settings': ('RemovalSettings',),
        'sources': ('Sources', 'choose_holes', 'locate_sources'),
        'filling': ('Filled', 'Filler', 'PSFFluxes'),
        'pipeline': ('Removal', 'make_filler', 'remove_sources', 'run_removal'),
        'composition': ('Composition', 'compose'),
        'draws': ('DrawModel', 'Draws'),
        'measuring': ('make_plan', 'measure'),
        'empty_sample': ('EmptySample', 'sample_empty_holes'),
        'flux_errors': ('FluxErrors', 'estimate_errors'),
        'map_plots': ('plot_maps',),
        'plots': ('plot_holes', 'plot_removal'),
    },
)
