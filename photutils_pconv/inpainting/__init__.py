# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From holes in a map to the emission behind them: arrays in, arrays out.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'hole_filling': ('InpaintSettings', 'inpaint'),
    'native_grid': ('inpaint_grid',),
    'reconstruction': ('Reconstruction',),
    'scaling': ('NORMALISATIONS', 'Scaling', 'normalise'),
    'wings': ('SourceWings', 'expected_wings'),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'NORMALISATIONS',
    'InpaintSettings',
    'Reconstruction',
    'Scaling',
    'SourceWings',
    'expected_wings',
    'inpaint',
    'inpaint_grid',
    'normalise',
]

__getattr__, __dir__ = attach(__name__, _HOME)
