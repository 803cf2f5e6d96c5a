# Written by tools/write_stubs.py from the file __init__.py beside it.

from .array_cutouts import ArrayCutouts as ArrayCutouts
from .arrays import open_arrays as open_arrays
from .config import TrainingConfig as TrainingConfig
from .data import Cutouts as Cutouts
from .data import ResidualCutouts as ResidualCutouts
from .data import SimulatedCutouts as SimulatedCutouts
from .data_section import DataConfig as DataConfig
from .divergence import DivergenceError as DivergenceError
from .presets import LOSS_PRESETS as LOSS_PRESETS
from .presets import LOSS_TERMS as LOSS_TERMS
from .run import make_data as make_data
from .run import run_training as run_training
from .samplers import make_sampler as make_sampler
from .samplers import make_setups as make_setups
from .sections import AugmentationConfig as AugmentationConfig
from .sections import LossConfig as LossConfig
from .sections import NetworkConfig as NetworkConfig
from .sections import OptimiserConfig as OptimiserConfig
from .trainer import Trainer as Trainer
from .trials import DryRun as DryRun
from .trials import RateSearch as RateSearch

__all__ = [
    'ArrayCutouts',
    'AugmentationConfig',
    'Cutouts',
    'DataConfig',
    'DivergenceError',
    'DryRun',
    'LOSS_PRESETS',
    'LOSS_TERMS',
    'LossConfig',
    'NetworkConfig',
    'OptimiserConfig',
    'RateSearch',
    'ResidualCutouts',
    'SimulatedCutouts',
    'Trainer',
    'TrainingConfig',
    'make_data',
    'make_sampler',
    'make_setups',
    'open_arrays',
    'run_training',
]
