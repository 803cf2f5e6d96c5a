# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The configuration of a training run, which a TOML file fills.

This module does not import torch.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path

from photutils_pconv._utils.config import (
    Section,
    choice,
    flag,
    number,
    path,
    text,
    unknown_key,
)
from photutils_pconv.training.sections import (
    AugmentationConfig,
    DataConfig,
    LossConfig,
    NetworkConfig,
    OptimiserConfig,
)

__all__ = ['TrainingConfig']

_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*')


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Section):
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

    seed : int, optional
        The seed of everything: weights, order, data, augmentation.

    device : {'auto', 'cpu'}, optional
        'auto' takes a GPU where there is one.

    precision : {'float32', 'bfloat16'}, optional
        Whether the network's convolutions run in bfloat16 (autocast).

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
    batch_size: int = number(64, low=1, kind=int)
    seed: int = number(0, low=0, high=2**63 - 1, kind=int)
    device: str = choice('auto', 'cpu')
    precision: str = choice('float32', 'bfloat16')
    channels_last: bool = flag(True)
    compile: bool = flag(False)
    freeze_batch_norm: bool = flag(False)
    sync_batch_norm: bool = flag(True)
    workers: int = number(1, low=0, kind=int)
    prefetch: int = number(4, low=1, kind=int)
    checkpoint_steps: int = number(500, low=0, kind=int)
    explosion: float = number(1.0e4, above=1)
    examples: int = number(4, low=0, high=64, kind=int)
    tensorboard: bool = flag(True)
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

    def to_dict(self, *, full_paths=True):
        """
        Give the configuration as a dictionary of plain values.

        Parameters
        ----------
        full_paths : bool, optional
            Whether paths are kept, or cut down to their last part, as
            befits a model card that is published.

        Returns
        -------
        values : dict
            What `from_dict` takes; sections are dictionaries.
        """
        return _plain(self, full_paths)

    @classmethod
    def from_dict(cls, values):
        """
        Make a configuration from a dictionary.

        Parameters
        ----------
        values : dict
            Keys as the attributes; sections are dictionaries.

        Returns
        -------
        config : `TrainingConfig`
            The configuration.

        Raises
        ------
        TypeError
            If a value has the wrong type.

        ValueError
            If a key is unknown (the message names the closest one), or a
            value not accepted.
        """
        return _build(cls, values, 'the configuration')

    @classmethod
    def from_toml(cls, path):
        """
        Read a configuration from a TOML file.

        Parameters
        ----------
        path : path-like
            The file. Relative paths in it begin at its folder; a name
            that is no file there is kept, since it may be a bundled
            model's.

        Returns
        -------
        config : `TrainingConfig`
            The configuration.

        Raises
        ------
        FileNotFoundError
            If there is no such file.

        TypeError
            If a value has the wrong type.

        ValueError
            If the file is not TOML, a key is unknown, or a value is not
            accepted; the message names the file.
        """
        path = Path(path).expanduser()
        if not path.is_file():
            msg = f'no configuration file {str(path)!r}'
            raise FileNotFoundError(msg)
        try:
            values = tomllib.loads(path.read_text(encoding='utf-8'))
            config = cls.from_dict(values)
        except (ValueError, TypeError) as exc:
            kind = TypeError if isinstance(exc, TypeError) else ValueError
            msg = f'{str(path)!r}: {exc}'
            raise kind(msg) from exc
        return _resolve(config, path.resolve().parent)


def _plain(section, full_paths):
    values = {}
    for item in fields(section):
        value = getattr(section, item.name)
        if is_dataclass(value):
            value = _plain(value, full_paths)
        elif 'path' in item.metadata and not full_paths:
            many = isinstance(value, tuple)
            value = [Path(name).name for name in value] if many else Path(value).name
        values[item.name] = _copy(value)
    return values


def _copy(value):
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value


def _build(kind, values, where):
    if not isinstance(values, Mapping):
        msg = f'{where} must be a table, got {values!r}'
        raise TypeError(msg)
    known = {item.name: item for item in fields(kind)}
    arguments = {}
    for key, value in values.items():
        if key not in known:
            homes = [h for h, names in _homes().items() if key in names]
            msg = unknown_key(key, known, where, elsewhere=homes)
            raise ValueError(msg)
        section = known[key].metadata.get('section')
        if section is not None:
            value = _build(section, value, section._title)
        arguments[key] = value
    return kind(**arguments)


def _homes():
    """Give the keys of every section, by its title."""
    homes = {'the top level': [item.name for item in fields(TrainingConfig)]}
    for item in fields(TrainingConfig):
        section = item.metadata.get('section')
        if section is not None:
            homes[section._title] = [part.name for part in fields(section)]
    return homes


def _resolve(config, folder):
    """Let relative paths begin at a folder."""
    changes = {}
    for item in fields(config):
        value = getattr(config, item.name)
        kind = item.metadata.get('path')
        if 'section' in item.metadata:
            changes[item.name] = _resolve(value, folder)
        elif kind == 'output':
            changes[item.name] = str(folder / Path(value).expanduser())
        elif kind == 'input':
            single = isinstance(value, str)
            found = [_find(name, folder) for name in ([value] if single else value)]
            changes[item.name] = found[0] if single else tuple(found)
    return replace(config, **changes)


def _find(name, folder):
    candidate = folder / Path(name).expanduser()
    return str(candidate) if name and candidate.exists() else name
