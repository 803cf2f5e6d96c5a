# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A whole training run from a configuration file.
"""

import os
from pathlib import Path

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.progress import show_stages
from photutils_pconv._utils.writing import check_output, remove_stale
from photutils_pconv.training.arrays import open_arrays
from photutils_pconv.training.checkpoint import check_compatible, load_checkpoint
from photutils_pconv.training.checkpoint_folder import LAST
from photutils_pconv.training.config import TrainingConfig
from photutils_pconv.training.data import SimulatedCutouts
from photutils_pconv.training.presets import check_terms
from photutils_pconv.training.samplers import (
    make_sampler,
    make_sampler_config,
    make_setups,
)
from photutils_pconv.training.starting import adopt_start
from photutils_pconv.training.trainer import Trainer

__all__ = ['make_data', 'run_training']


def run_training(
    config_path, *, resume=False, overwrite=False, dry_run=False, find_rate=False
):
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

    dry_run : bool, optional
        Whether to take a few steps alone, and say what the whole would take.
        Nothing is written.

    find_rate : bool, optional
        Whether to look for a learning rate alone. Nothing is written.

    Returns
    -------
    path : `pathlib.Path` or `None`
        The exported model; `None` after a dry run or the search of a rate.

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
    trial = to_bool(dry_run, 'dry_run') | to_bool(find_rate, 'find_rate')
    config, lines = adopt_start(TrainingConfig.from_toml(config_path))
    model = Path(config.output) / f'{config.name}.safetensors'
    if not trial:
        remove_stale(config.output)
        check_output([model], overwrite=overwrite)
        _check_resumable(config, resume)
    if config.report and int(os.environ.get('RANK', 0)) == 0:
        for line in (*lines, _announce(config.data)):
            print(line, flush=True)
    setups, train_data, validation_data = make_data(config)
    trainer = Trainer(
        config,
        train_data=train_data,
        validation_data=validation_data,
        setups=setups,
        output=config.output,
    )
    if dry_run:
        trainer.dry_run()
    if find_rate:
        trainer.find_learning_rate()
    if trial:
        return None
    trainer.fit(resume=resume)
    return trainer.export(model, overwrite=overwrite)


def _announce(data):
    """Say what is going to be made, which may take minutes."""
    if data.source == 'arrays':
        return f'reading the cutouts in {data.folder}'
    numbers = [make_sampler_config(data, fixed=fixed).n_fields for fixed in (0, 1)]
    maps = f' and reading {len(data.backgrounds)} maps' if data.backgrounds else ''
    return (
        f'drawing {numbers[0]} fields for training and {numbers[1]} for '
        f'validation{maps}: seconds to minutes'
    )


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
    setups = make_setups(data)
    if data.source == 'arrays':
        sets = [
            open_arrays(
                data.folder,
                part,
                csv_folder=data.csv_folder or None,
                mask_channel=data.mask_channel,
                normalisation=data.normalisation,
                nan_targets=data.nan_targets,
                setups=setups,
            )
            for part in ('train', 'valid')
        ]
        return (setups, *sets)

    sets = []
    for fixed in (False, True):
        with show_stages(config.progress_bar):
            sampler = make_sampler(config, setups, fixed=fixed)
        size = data.validation_size if fixed else data.epoch_size
        sets.append(SimulatedCutouts(sampler, size, seed=config.seed, fixed=fixed))
    return (setups, *sets)


def _check_resumable(config, resume):
    """Refuse what cannot be resumed before data are made, which takes long."""
    check_terms(config.loss.resolve(), config.data.kind)
    path = Path(config.output).expanduser() / LAST
    if resume and path.exists():
        check_compatible(load_checkpoint(path), config.to_dict(), path)
