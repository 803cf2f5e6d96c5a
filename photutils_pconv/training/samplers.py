# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The samplers and setups that a configuration describes.

This module does not import torch.
"""

from dataclasses import fields, replace

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.config import unknown_key
from photutils_pconv.inputs.tables import read_source_table
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.setups.setup import ObservingSetup
from photutils_pconv.simulation.backgrounds import make_background
from photutils_pconv.simulation.masked_cutouts import CutoutSampler
from photutils_pconv.simulation.residual_cutouts import ResidualSampler

__all__ = ['make_sampler', 'make_sampler_config', 'make_setups']

_SAMPLERS = {'masked': CutoutSampler, 'residual': ResidualSampler}


def make_setups(data):
    """
    Make the setups that a configuration names.

    Parameters
    ----------
    data : `~photutils_pconv.training.DataConfig`
        The section ``data``.

    Returns
    -------
    setups : tuple of `~photutils_pconv.setups.ObservingSetup`
        The setups.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.

    ValueError
        If no setup is named, or a file holds none.
    """
    setups = [get_setup(setup=name) for name in data.setups]
    setups += [ObservingSetup.read(name) for name in data.setup_files]
    if not setups:
        msg = "data.setups must name at least one setup, such as 'scanmap/green'"
        raise ValueError(msg)
    return tuple(setups)


def make_sampler_config(data, *, fixed=False):
    """
    Make the configuration of a sampler, and check it.

    Parameters
    ----------
    data : `~photutils_pconv.training.DataConfig`
        The section ``data``.

    fixed : bool, optional
        Whether it is that of the validation set.

    Returns
    -------
    config : `~photutils_pconv.simulation.SamplerConfig` or \
            `~photutils_pconv.simulation.ResidualConfig`
        The ranges.

    Raises
    ------
    TypeError, ValueError
        If a key is unknown, a value is not accepted, or the fields would fill
        the memory.
    """
    config_class = _SAMPLERS[data.kind].config_class
    values = {**data.sampler, **(data.validation_sampler if fixed else {})}
    accepted = [item.name for item in fields(config_class)]
    for key in values:
        if key not in accepted:
            raise ValueError(unknown_key(key, accepted, '[data.sampler]'))
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        config = config_class(**values)
        config.check_memory(max(len(data.setups) + len(data.setup_files), 1))
    except (TypeError, ValueError) as exc:
        where = 'data.validation_sampler' if fixed else 'data.sampler'
        raise type(exc)(f'{where}: {exc}') from exc
    return config


def make_sampler(config, setups, *, fixed=False, max_fields=None):
    """
    Make the sampler of a training's cutouts.

    Parameters
    ----------
    config : `~photutils_pconv.training.TrainingConfig`
        The configuration.

    setups : sequence of `~photutils_pconv.setups.ObservingSetup`
        The setups.

    fixed : bool, optional
        Whether it is that of the validation set.

    max_fields : int, optional
        The fields at most, with few images of sources, for a look at the maps
        alone; by default all.

    Returns
    -------
    sampler : `~photutils_pconv.simulation.CutoutSampler` or \
            `~photutils_pconv.simulation.ResidualSampler`
        The sampler.
    """
    fixed = to_bool(fixed, 'fixed')
    ranges = make_sampler_config(config.data, fixed=fixed)
    if max_fields is not None:
        n_stamps = 2 * len(getattr(ranges, 'mismatch', (0,)))
        ranges = replace(
            ranges, n_fields=min(ranges.n_fields, max_fields), n_stamps=n_stamps
        )
    return _SAMPLERS[config.data.kind](
        setups,
        config=ranges,
        normalisation=dict(config.data.normalisation),
        # Other seeds, other fields: training and validation are disjoint.
        seed=2 * config.seed + fixed,
        backgrounds=_read_backgrounds(config.data, setups, fixed),
    )


def _read_backgrounds(data, setups, fixed):
    """Read the real maps for training, or for validation."""
    own = fixed and data.validation_backgrounds
    paths = data.validation_backgrounds if own else data.backgrounds
    lists = data.validation_background_sources if own else data.background_sources
    part = ('valid' if fixed else 'train') if not data.validation_backgrounds else 'all'
    names = data.validation_background_setups if own else data.background_setups
    if not names:
        # Maps that are not resampled may serve all setups.
        names = [setups[0] if len(setups) == 1 else None] * len(paths)
    made = []
    for path, listed, setup in zip(
        paths, lists or [''] * len(paths), names, strict=True
    ):
        sources = read_source_table(listed) if listed else None
        made.append(
            make_background(
                path,
                setup=setup,
                sources=sources,
                part=part,
                resample=data.resample_backgrounds,
            )
        )
    return made
