# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The partial-convolution network, its weights files and their model cards.

The names below are imported at their first use, so that reading a model
card or listing the bundled models does not import torch.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'blocks': (
        'PCDown',
        'PCUp',
        'PartialConv2d',
        'PartialConvTranspose2d',
        'check_input',
        'make_activation',
    ),
    'architectures': ('build_network',),
    'card': ('ModelCard', 'package_versions'),
    'conversion': ('convert_reference_checkpoint', 'write_converted_checkpoint'),
    'filled': ('FilledUNet', 'ResidualBlock', 'smooth_fill'),
    'registry': ('default_model', 'list_models', 'model_path', 'read_card'),
    'unet': ('PConvUNet',),
    'weights': ('LoadedModel', 'load_model', 'save_model'),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'FilledUNet',
    'LoadedModel',
    'ModelCard',
    'PCDown',
    'PCUp',
    'PConvUNet',
    'PartialConv2d',
    'PartialConvTranspose2d',
    'ResidualBlock',
    'build_network',
    'check_input',
    'convert_reference_checkpoint',
    'default_model',
    'list_models',
    'load_model',
    'make_activation',
    'model_path',
    'package_versions',
    'read_card',
    'save_model',
    'smooth_fill',
    'write_converted_checkpoint',
]

__getattr__, __dir__ = attach(__name__, _HOME)
