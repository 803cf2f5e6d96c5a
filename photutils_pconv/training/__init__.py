# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training of networks: losses, augmentation, data, and the `Trainer`.

The paper's sections 2.4.3, 3.3 and 3.5. Training needs kornia and
accelerate: ``pip install 'photutils-pconv[train]'``. The names below are
imported at their first use, so that reading a configuration does not
import torch.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'arrays': ('open_arrays',),
    'augmentation': ('augment', 'draw_transforms'),
    'checkpoint': ('load_checkpoint', 'save_checkpoint'),
    'config': ('TrainingConfig',),
    'data': ('ArrayCutouts', 'Cutouts', 'ResidualCutouts', 'SimulatedCutouts'),
    'divergence': ('DivergenceError',),
    'features': ('RandomFeatures', 'VGG16Features', 'fetch_vgg16'),
    'image_losses': ('gram_matrix', 'ssim_loss', 'style_loss'),
    'losses': (
        'balanced_loss',
        'composite',
        'hole_l1',
        'mean_flux_loss',
        'psf_flux_loss',
        'source_loss',
        'valid_l1',
    ),
    'presets': ('LOSS_PRESETS', 'LOSS_TERMS'),
    'progress': ('Progress',),
    'run': ('make_data', 'run_training'),
    'sections': (
        'AugmentationConfig',
        'DataConfig',
        'LossConfig',
        'NetworkConfig',
        'OptimiserConfig',
    ),
    'trainer': ('Trainer',),
    'validation': ('hole_figures', 'residual_figures'),
    'weighted_loss': ('WeightedLoss',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'LOSS_PRESETS',
    'LOSS_TERMS',
    'ArrayCutouts',
    'AugmentationConfig',
    'Cutouts',
    'DataConfig',
    'DivergenceError',
    'LossConfig',
    'NetworkConfig',
    'OptimiserConfig',
    'Progress',
    'RandomFeatures',
    'ResidualCutouts',
    'SimulatedCutouts',
    'Trainer',
    'TrainingConfig',
    'VGG16Features',
    'WeightedLoss',
    'augment',
    'balanced_loss',
    'composite',
    'draw_transforms',
    'fetch_vgg16',
    'gram_matrix',
    'hole_figures',
    'hole_l1',
    'load_checkpoint',
    'make_data',
    'mean_flux_loss',
    'open_arrays',
    'psf_flux_loss',
    'residual_figures',
    'run_training',
    'save_checkpoint',
    'source_loss',
    'ssim_loss',
    'style_loss',
    'valid_l1',
]

__getattr__, __dir__ = attach(__name__, _HOME)
