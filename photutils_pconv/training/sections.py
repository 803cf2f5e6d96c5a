# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sections of a training configuration.

The defaults are the paper's (section 3.5) where it gives one. This
module does not import torch.
"""

from dataclasses import dataclass, field

from photutils_pconv._utils.config import (
    TABLE,
    Section,
    choice,
    flag,
    number,
    pair,
    path,
)
from photutils_pconv.network.limits import (
    MAXIMUM_BLOCKS,
    MAXIMUM_TURNS,
    MAXIMUM_WIDTH,
)
from photutils_pconv.training.presets import LOSS_PRESETS, resolve_terms

__all__ = [
    'AugmentationConfig',
    'LossConfig',
    'NetworkConfig',
    'OptimiserConfig',
]

# Adam's steps are about as large as the rate, and a network's first weights below
# 1: beyond it nothing is left of them, though losses with a limit stay finite.
_MAXIMUM_RATE = 1.0
_MOST_LEVELS = 8


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Section):
    """
    The network (section ``[network]``).

    Parameters
    ----------
    architecture : {'PConvUNet', 'FilledUNet'}, optional
        The paper's network, or `~photutils_pconv.network.FilledUNet`, which
        corrects a smooth fill of the holes.

    width : int, optional
        The channels of the first block; the paper's network has 32.

    blocks : int, optional
        For 'FilledUNet': the number of residual blocks a level.

    turns : int, optional
        For 'FilledUNet': over how many quarter turns predictions may be averaged
        in use, from 1 to 4. With 1 the training, too, sees cutouts turned as
        they are in use.

    decoder_activation : {'leaky_relu', 'relu'}, optional
        The decoder's activation.

    start : str, optional
        A bundled model or a weights file to start from; by default
        random weights.

    freeze : int, optional
        The number of levels, from the full resolution on, whose encoder
        keeps its weights.
    """

    _title = '[network]'

    architecture: str = choice('PConvUNet', 'FilledUNet')
    width: int = number(32, low=1, high=MAXIMUM_WIDTH, kind=int)
    blocks: int = number(1, low=1, high=MAXIMUM_BLOCKS, kind=int)
    turns: int = number(4, low=1, high=MAXIMUM_TURNS, kind=int)
    decoder_activation: str = choice('leaky_relu', 'relu')
    start: str = path('')
    freeze: int = number(0, low=0, high=_MOST_LEVELS, kind=int)


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig(Section):
    """
    The optimiser and its learning rate (section ``[optimiser]``).

    Parameters
    ----------
    name : {'adam', 'adamw'}, optional
        The optimiser.

    learning_rate : float, optional
        The (initial, or for 'cosine' highest) learning rate, at most 1.

    betas : tuple of float, optional
        Adam's two decay rates.

    weight_decay : float, optional
        The weight decay.

    clip_norm : float, optional
        The largest norm of the gradient; by default it is not clipped.

    schedule : {'plateau', 'cosine', 'constant', 'linear'}, optional
        'plateau' multiplies the learning rate by ``factor`` when the
        validation loss did not fall for more than ``patience`` epochs;
        'cosine' falls to ``minimum_rate`` over the whole run, 'linear'
        from the share ``decay_start`` of it on.

    patience : int, optional
        For 'plateau'.

    factor : float, optional
        For 'plateau'.

    minimum_rate : float, optional
        The smallest learning rate.

    warm_up : float, optional
        The share of all steps over which the learning rate rises from
        0; for all schedules but 'plateau'.

    decay_start : float, optional
        For 'linear': the share of all steps after which the learning
        rate falls.

    ema_decay : float, optional
        The decay of an exponential moving average of the weights, which
        then serves validation and export; by default there is none.
    """

    _title = '[optimiser]'

    name: str = choice('adam', 'adamw')
    learning_rate: float = number(0.005, above=0, high=_MAXIMUM_RATE)
    betas: tuple = pair((0.9, 0.999), low=0, high=1)
    weight_decay: float = number(0.0, low=0)
    clip_norm: float | None = number(None, above=0, optional=True)
    schedule: str = choice('plateau', 'cosine', 'constant', 'linear')
    patience: int = number(5, low=0, kind=int)
    factor: float = number(0.5, above=0, high=1)
    minimum_rate: float = number(0.0, low=0)
    warm_up: float = number(0.0, low=0, high=1)
    decay_start: float = number(0.65, low=0, high=1)
    ema_decay: float | None = number(None, above=0, high=1, optional=True)

    def __post_init__(self):
        super().__post_init__()
        if self.warm_up and self.schedule == 'plateau':
            msg = (
                "optimiser.warm_up serves all schedules but 'plateau': set it to 0, or "
                'choose another one'
            )
            raise ValueError(msg)
        if self.minimum_rate > self.learning_rate:
            msg = (
                f'optimiser.minimum_rate ({self.minimum_rate:g}) must not be above '
                f'optimiser.learning_rate ({self.learning_rate:g})'
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class LossConfig(Section):
    """
    The loss (section ``[loss]``).

    Parameters
    ----------
    preset : {'default', 'balanced', 'residual', 'paper', 'released', 'none'}, optional
        The terms to begin with; see
        `~photutils_pconv.training.LOSS_PRESETS`.

    terms : dict, optional
        Terms to add or to change: term name to weight, or to a table
        with ``weight`` and options.

    features : {'random', 'vgg16'}, optional
        The extractor of the style terms.

    vgg_weights : str, optional
        A file with VGG-16's weights in torchvision's format; by default
        it is downloaded at the first use.

    teacher : str, optional
        A bundled model or a weights file whose output the network is to
        learn in place of the true emission (distillation). The validation
        compares with the truth all the same.
    """

    _title = '[loss]'

    preset: str = choice(*LOSS_PRESETS, 'none')
    terms: dict = field(default_factory=dict, metadata=TABLE)
    features: str = choice('random', 'vgg16')
    vgg_weights: str = path('')
    teacher: str = path('')

    def __post_init__(self):
        super().__post_init__()
        self.resolve()

    def resolve(self):
        """
        Merge the preset and the terms.

        Returns
        -------
        terms : dict of dict
            Term name to ``weight`` and all options.
        """
        return resolve_terms(None if self.preset == 'none' else self.preset, self.terms)


@dataclass(frozen=True, kw_only=True)
class AugmentationConfig(Section):
    """
    The augmentation (section ``[augmentation]``; section 2.4.3).

    Parameters
    ----------
    enabled : bool, optional
        Whether to augment the training cutouts.

    shift : int, optional
        The largest shift along each axis, in pixels.

    flips : bool, optional
        Whether to flip.

    rotation : {'quarter', 'any', 'none'}, optional
        Quarter turns, which move pixels without changing them, or turns
        by any angle, which interpolate.
    """

    _title = '[augmentation]'

    enabled: bool = flag(True)
    shift: int = number(2, low=0, high=24, kind=int)
    flips: bool = flag(True)
    rotation: str = choice('quarter', 'any', 'none')
