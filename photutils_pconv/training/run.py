# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A whole training run from a configuration file.
"""

import json
from dataclasses import fields
from pathlib import Path

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.config import unknown_key
from photutils_pconv._utils.progress import show_stages
from photutils_pconv._utils.writing import check_output, remove_stale
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.setups.setup import ObservingSetup
from photutils_pconv.simulation.masked_cutouts import CutoutSampler
from photutils_pconv.simulation.residual_cutouts import ResidualSampler
from photutils_pconv.training.arrays import open_arrays
from photutils_pconv.training.checkpoint import check_compatible, load_checkpoint
from photutils_pconv.training.config import TrainingConfig
from photutils_pconv.training.data import SimulatedCutouts
from photutils_pconv.training.presets import check_terms
from photutils_pconv.training.trainer import LAST, Trainer

__all__ = ['make_data', 'run_training']

_SAMPLERS = {'masked': CutoutSampler, 'residual': ResidualSampler}


def run_training(config_path, *, resume=False, overwrite=False):
    """
    Train a model as a TOML file says, and export it.

    Parameters
    ----------
    config_path : path-like
        The configuration, read by
        `~photutils_pconv.training.TrainingConfig.from_toml`.

    resume : bool, optional
        Whether to go on from the last checkpoint in the output folder,
        if there is one.

    overwrite : bool, optional
        Whether to replace a model exported before.

    Returns
    -------
    path : `pathlib.Path`
        The exported model.

    Raises
    ------
    FileExistsError
        If the output folder has a checkpoint and ``resume`` is False, or
        the model exists and ``overwrite`` is False.

    FileNotFoundError
        If a file that the configuration names does not exist.

    ImportError
        If accelerate or kornia is missing.

    TypeError, ValueError
        If the configuration or the data are not accepted, or the checkpoint
        to resume belongs to another training; the message names what
        differs.
    """
    overwrite = to_bool(overwrite, 'overwrite')
    resume = to_bool(resume, 'resume')
    config = TrainingConfig.from_toml(config_path)
    model = Path(config.output) / f'{config.name}.safetensors'
    remove_stale(config.output)
    check_output([model], overwrite=overwrite)
    _check_resumable(config, resume)
    setups, train_data, validation_data = make_data(config)
    trainer = Trainer(
        config,
        train_data=train_data,
        validation_data=validation_data,
        setups=setups,
        output=config.output,
    )
    trainer.fit(resume=resume)
    return trainer.export(model, overwrite=overwrite)


def make_data(config):
    """
    Make the setups and data sets that a configuration describes.

    Parameters
    ----------
    config : `~photutils_pconv.training.TrainingConfig`
        The configuration.

    Returns
    -------
    setups : tuple of `~photutils_pconv.setups.ObservingSetup`
        The setups.

    train_data, validation_data : `torch.utils.data.Dataset`
        The data sets.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.

    ValueError
        If no setup is named, or a key is unknown.
    """
    data = config.data
    setups = [get_setup(setup=name) for name in data.setups]
    setups += [_read_setup(Path(name).expanduser()) for name in data.setup_files]
    if not setups:
        msg = "data.setups must name at least one setup, such as 'scanmap/green'"
        raise ValueError(msg)
    if data.source == 'arrays':
        sets = [
            open_arrays(
                data.folder,
                part,
                csv_folder=data.csv_folder or None,
                mask_channel=data.mask_channel,
                normalisation=data.normalisation,
                nan_targets=data.nan_targets,
            )
            for part in ('train', 'valid')
        ]
        return (tuple(setups), *sets)

    sets = []
    kind = _SAMPLERS[data.kind]
    for fixed in (False, True):
        # Other seeds, other fields: training and validation are disjoint.
        with show_stages(config.progress_bar):
            sampler = kind(
                setups,
                config=_sampler_config(data, fixed, kind.config_class),
                normalisation=dict(data.normalisation),
                seed=2 * config.seed + fixed,
            )
        size = data.validation_size if fixed else data.epoch_size
        sets.append(SimulatedCutouts(sampler, size, seed=config.seed, fixed=fixed))
    return (tuple(setups), *sets)


def _check_resumable(config, resume):
    """Refuse what cannot be resumed before data are made, which takes long."""
    check_terms(config.loss.resolve(), config.data.kind)
    path = Path(config.output).expanduser() / LAST
    if resume and path.exists():
        check_compatible(load_checkpoint(path), config.to_dict(), path)


def _sampler_config(data, fixed, config_class):
    values = {**data.sampler, **(data.validation_sampler if fixed else {})}
    accepted = [item.name for item in fields(config_class)]
    for key in values:
        if key not in accepted:
            raise ValueError(unknown_key(key, accepted, '[data.sampler]'))
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return config_class(**values)


def _read_setup(path):
    if not path.is_file():
        msg = f'no setup file {str(path)!r}'
        raise FileNotFoundError(msg)
    try:
        return ObservingSetup.from_dict(json.loads(path.read_text(encoding='utf-8')))
    except (ValueError, TypeError, KeyError) as exc:
        msg = (
            f'{str(path)!r} does not hold a setup as ObservingSetup.to_dict gives it: '
            f'{exc}'
        )
        raise ValueError(msg) from exc
