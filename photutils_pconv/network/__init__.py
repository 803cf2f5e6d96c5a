# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The networks, weights files with their model cards, and the bundled models.

The names below are imported at their first use, so that reading a model
card or listing the bundled models does not import torch.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'card': ('ModelCard', 'package_versions'),
    'conversion': ('convert_reference_checkpoint', 'write_converted_checkpoint'),
    'filled': ('FilledUNet',),
    'registry': ('list_models', 'read_card'),
    'unet': ('PConvUNet',),
    'weights': ('LoadedModel', 'load_model', 'save_model'),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'FilledUNet',
    'LoadedModel',
    'ModelCard',
    'PConvUNet',
    'convert_reference_checkpoint',
    'list_models',
    'load_model',
    'package_versions',
    'read_card',
    'save_model',
    'write_converted_checkpoint',
]

__getattr__, __dir__ = attach(__name__, _HOME)
