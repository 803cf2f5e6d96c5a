# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From holes in a map to the emission behind them: arrays in, arrays out.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'covariances': ('choose_covariance',),
        'hole_filling': ('InpaintSettings', 'inpaint'),
        'kriging': ('krige_cutout',),
        'native_grid': ('inpaint_grid',),
        'reconstruction': ('Reconstruction',),
        'scaling': ('NORMALISATIONS', 'Scaling', 'normalise'),
        'wings': ('SourceWings', 'expected_wings'),
    },
)
