# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map and its sources to a cleaned map and a table.

Users call `NeuralSourceRemover`. Its stages, from `RemovalSettings` to
`FluxErrors`, are here for those who build something else of them.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'remover': ('NeuralSourceRemover',),
    'result': ('SourceRemovalResult',),
    'settings': ('RemovalSettings',),
    'sources': ('Sources', 'choose_holes', 'locate_sources'),
    'filling': ('Filled', 'Filler', 'PSFFluxes'),
    'pipeline': ('Removal', 'make_filler', 'remove_sources', 'run_removal'),
    'measuring': ('make_plan', 'measure'),
    'empty_sample': ('EmptySample', 'sample_empty_holes'),
    'flux_errors': ('FluxErrors', 'estimate_errors'),
    'plots': ('plot_holes', 'plot_removal'),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'EmptySample',
    'Filled',
    'Filler',
    'FluxErrors',
    'NeuralSourceRemover',
    'PSFFluxes',
    'Removal',
    'RemovalSettings',
    'SourceRemovalResult',
    'Sources',
    'choose_holes',
    'estimate_errors',
    'locate_sources',
    'make_filler',
    'make_plan',
    'measure',
    'plot_holes',
    'plot_removal',
    'remove_sources',
    'run_removal',
    'sample_empty_holes',
]

__getattr__, __dir__ = attach(__name__, _HOME)
