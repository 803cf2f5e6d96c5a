# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training of networks: the configuration, data, and the `Trainer`.

The paper's sections 2.4.3, 3.3 and 3.5. Training needs kornia and
accelerate: ``pip install 'photutils-pconv[train]'``. The names below are
imported at their first use, so that reading a configuration does not
import torch.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'array_cutouts': ('ArrayCutouts',),
        'arrays': ('open_arrays',),
        'config': ('TrainingConfig',),
        'data': ('Cutouts', 'ResidualCutouts', 'SimulatedCutouts'),
        'data_section': ('DataConfig',),
        'divergence': ('DivergenceError',),
        'presets': ('LOSS_PRESETS', 'LOSS_TERMS'),
        'samplers': ('make_sampler', 'make_setups'),
        'run': ('make_data', 'run_training'),
        'sections': (
            'AugmentationConfig',
            'LossConfig',
            'NetworkConfig',
            'OptimiserConfig',
        ),
        'trainer': ('Trainer',),
        'trials': ('DryRun', 'RateSearch'),
    },
)
