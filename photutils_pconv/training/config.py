# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The configuration of a training run, which a TOML file fills.

This module does not import torch.
"""

import re
from dataclasses import dataclass, field

from photutils_pconv._utils.config import (
    choice,
    flag,
    number,
    path,
    text,
)
from photutils_pconv._utils.toml import Configuration
from photutils_pconv.training.data_section import DataConfig
from photutils_pconv.training.sections import (
    AugmentationConfig,
    LossConfig,
    NetworkConfig,
    OptimiserConfig,
)

__all__ = ['TrainingConfig']

# Beyond these a number is a slip that would fill the memory or the table of
# processes (by choice).
_MAX_BATCH = 8192
_MAX_WORKERS = 256
_MAX_PREFETCH = 256
_MAX_KEPT = 100

_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*')


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Configuration):
    """
    The whole configuration of a training run.

    Parameters
    ----------
    name : str, optional
        The model's name.

    description : str, optional
        One or two sentences for the model's card.

    output : str, optional
        The folder for checkpoints, metrics and pictures; used by
        `~photutils_pconv.training.run_training`.

    epochs : int, optional
        The number of epochs (20, as the authors' configuration has it).

    batch_size : int, optional
        The cutouts a step, over all processes together.

    repeats : int, optional
        How often in a row each batch serves, the second time and later
        flipped and turned at random: where drawing cutouts takes longer
        than learning from them.

    seed : int, optional
        The seed of everything: weights, order, data, augmentation.

    device : {'auto', 'cpu'}, optional
        'auto' takes a GPU where there is one.

    precision : {'float32', 'bfloat16', 'auto'}, optional
        Whether the network's convolutions run in bfloat16 (autocast);
        'auto' for where the device calculates in it. Others emulate it, and
        take many times as long.

    channels_last : bool, optional
        The memory layout of images and weights; faster on most CPUs and
        GPUs.

    compile : bool, optional
        Whether to use `torch.compile`.

    freeze_batch_norm : bool, optional
        Whether to keep the batch norms' statistics as they are, for
        fine-tuning.

    sync_batch_norm : bool, optional
        On several GPUs, whether the statistics are those of all
        processes. On CPUs they are always each process' own.

    workers : int, optional
        The number of processes that make batches beside the training
        one; 0 for none.

    prefetch : int, optional
        The number of batches that each of them prepares in advance.

    accumulate : int, optional
        The parts into which each process' share of a batch is cut, one after
        the other, where memory does not hold it whole; the gradient is the
        mean of theirs.

    early_stopping : int, optional
        After so many epochs in which the validation loss did not fall below
        its lowest value the training ends; 0 for never.

    keep_best : int, optional
        How many checkpoints of the lowest validation losses are kept: the
        best as ``best.pt``, and with more than one each as
        ``best_epoch_001.pt`` and so on.

    checkpoint_steps : int, optional
        The number of steps between checkpoints within an epoch; 0 for
        none. One is always written after an epoch.

    explosion : float, optional
        A loss this many times its running mean stops the training.

    examples : int, optional
        The number of validation cutouts in the picture that is drawn
        after every epoch, where matplotlib is installed; 0 for none.

    tensorboard : bool, optional
        Whether to write events for TensorBoard, where it is installed.

    report : bool, optional
        Whether to print what is trained on, and a line per epoch.

    progress_bar : bool, optional
        Whether to show a progress bar.

    network, optimiser, loss, augmentation, data : optional
        The sections.

    Raises
    ------
    TypeError, ValueError
        If a value is not accepted; the message names it.
    """

    name: str = text(
        'model', pattern=_NAME, rule="made of letters, digits and '.', '_', '-'"
    )
    description: str = text('')
    output: str = path('training_output', output=True)
    epochs: int = number(20, low=1, kind=int)
    batch_size: int = number(64, low=1, high=_MAX_BATCH, kind=int)
    repeats: int = number(1, low=1, high=16, kind=int)
    seed: int = number(0, low=0, high=2**63 - 1, kind=int)
    device: str = choice('auto', 'cpu')
    precision: str = choice('float32', 'bfloat16', 'auto')
    channels_last: bool = flag(True)
    compile: bool = flag(False)
    freeze_batch_norm: bool = flag(False)
    sync_batch_norm: bool = flag(True)
    workers: int = number(1, low=0, high=_MAX_WORKERS, kind=int)
    prefetch: int = number(4, low=1, high=_MAX_PREFETCH, kind=int)
    accumulate: int = number(1, low=1, high=_MAX_BATCH, kind=int)
    early_stopping: int = number(0, low=0, kind=int)
    keep_best: int = number(1, low=1, high=_MAX_KEPT, kind=int)
    checkpoint_steps: int = number(500, low=0, kind=int)
    explosion: float = number(1.0e4, above=1)
    examples: int = number(4, low=0, high=64, kind=int)
    tensorboard: bool = flag(True)
    report: bool = flag(True)
    progress_bar: bool = flag(True)
    network: NetworkConfig = field(
        default_factory=NetworkConfig, metadata={'section': NetworkConfig}
    )
    optimiser: OptimiserConfig = field(
        default_factory=OptimiserConfig, metadata={'section': OptimiserConfig}
    )
    loss: LossConfig = field(
        default_factory=LossConfig, metadata={'section': LossConfig}
    )
    augmentation: AugmentationConfig = field(
        default_factory=AugmentationConfig, metadata={'section': AugmentationConfig}
    )
    data: DataConfig = field(
        default_factory=DataConfig, metadata={'section': DataConfig}
    )

    def __post_init__(self):
        super().__post_init__()
        # Before anything is drawn: fields that fill the memory would end the process.
        # The kind may follow from the model to start from (see starting.py).
        known = self.data.source == 'simulated' and not self.network.start
        if known and self.data.has_own_ranges:
            # At use: it takes seconds to import.
            from photutils_pconv.training.samplers import make_sampler_config

            for fixed in (False, True):
                make_sampler_config(self.data, fixed=fixed)
