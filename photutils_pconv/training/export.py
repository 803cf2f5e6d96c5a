# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a training checkpoint to a weights file with a complete card.
"""

import platform
from importlib import metadata

from photutils_pconv._utils.versions import package_versions
from photutils_pconv.network.card import ModelCard
from photutils_pconv.network.weights import build_loaded, save_model
from photutils_pconv.training.initial_network import describe_architecture

__all__ = ['export_checkpoint', 'make_card']

_VERSIONED = ('accelerate', 'kornia', 'photutils', 'astropy')


def make_card(state, config, *, setups, cutout_size, described):
    """
    Make the card of a trained network.

    Parameters
    ----------
    state : dict
        A checkpoint, as `~photutils_pconv.training.checkpoint.load_checkpoint`
        gives it.

    config : `~photutils_pconv.training.TrainingConfig`
        The configuration.

    setups : sequence of `~photutils_pconv.setups.ObservingSetup`
        The setups that the network is for.

    cutout_size : int
        The side of the cutouts.

    described : dict
        More of the recipe: the data, the loss.

    Returns
    -------
    card : `~photutils_pconv.network.ModelCard`
        The card, with the figures of the checkpoint's last epoch.
    """
    progress = state['progress']
    kind, normalisation = (state['data'][key] for key in ('kind', 'normalisation'))
    values = config.to_dict(full_paths=False)
    for key in ('name', 'description', 'output', 'progress_bar'):
        values.pop(key)
    # What the data are stands in their own description.
    values.pop('data')
    versions = {**package_versions(), 'python': platform.python_version()}
    for package in _VERSIONED:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = 'unknown'
    names = [setup.name for setup in setups]
    figures = progress.history[-1] if progress.history else {}
    return ModelCard(
        name=config.name,
        description=config.description
        or f'A network of width {config.network.width} for {", ".join(names)}.',
        architecture=describe_architecture(config, kind, normalisation),
        normalisation=normalisation,
        kind=kind,
        setups=tuple(names),
        cutout_size=cutout_size,
        recipe={
            'program': 'photutils_pconv.training.Trainer',
            'seed': config.seed,
            'steps': progress.step,
            'epochs': progress.epoch,
            'hours': round(progress.seconds / 3600, 3),
            'processes': state['processes'],
            'averaged_weights': state['average'] is not None,
            'pixel_scale_arcsec': {
                setup.name: float(setup.pixel_scale.to_value('arcsec'))
                for setup in setups
            },
            **described,
            'config': values,
        },
        accuracy={'validation': figures},
        versions=versions,
    )


def export_checkpoint(path, state, card, *, dtype='float16', overwrite=False):
    """
    Write the network of a checkpoint as a weights file.

    Parameters
    ----------
    path : path-like
        The safetensors file.

    state : dict
        The checkpoint. Where it has averaged weights, those are taken.

    card : `~photutils_pconv.network.ModelCard`
        The card.

    dtype, overwrite : optional
        As for `~photutils_pconv.network.save_model`.

    Returns
    -------
    card : `~photutils_pconv.network.ModelCard`
        The card as written, with the checksum.
    """
    average = state['average']
    weights = state['network'] if average is None else average['weights']
    network = build_loaded(card.architecture, weights, label='the checkpoint')
    return save_model(path, network, card, dtype=dtype, overwrite=overwrite)
