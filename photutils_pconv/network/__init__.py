# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The networks, weights files with their model cards, and the bundled models.

The names below are imported at their first use, so that reading a model
card or listing the bundled models does not import torch.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'card': ('ModelCard', 'package_versions'),
        'conversion': ('convert_reference_checkpoint', 'write_converted_checkpoint'),
        'devices': ('has_bfloat16',),
        'filled': ('FilledUNet',),
        'registry': ('list_models', 'read_card'),
        'running': ('RunOptions', 'make_predictor'),
        'unet': ('PConvUNet',),
        'weights': ('LoadedModel', 'load_model', 'save_model'),
    },
)
