# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training cutouts as the network takes them, and those simulated on the fly.

A data set is indexed by ``(epoch, index)``, so that what a training step
sees follows from (seed, epoch, index) alone, in whatever process it is
made and however often training was interrupted.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from photutils_pconv._utils.checks import check_count, to_bool

__all__ = ['Cutouts', 'ResidualCutouts', 'SimulatedCutouts', 'to_tensor']

# The streams of random numbers that share a seed.
_TRAINING, _VALIDATION = 2, 3


class Cutouts(NamedTuple):
    """
    One cutout, or a batch of them, as the network takes them.

    Parameters
    ----------
    image : `torch.Tensor`
        The scaled input, (1, H, W) or (N, 1, H, W), float32; 0 where
        missing. There are more images with wings and kriging.

    target : `torch.Tensor`
        The extended emission on the same scale.

    validity : `torch.Tensor`
        1 for usable pixels, 0 in holes and where missing.

    missing : `torch.Tensor`
        1 where a pixel is missing, which no loss counts.
    """

    image: torch.Tensor
    target: torch.Tensor
    validity: torch.Tensor
    missing: torch.Tensor

    # What only residual cutouts have.
    hole = None
    weight = None


class ResidualCutouts(NamedTuple):
    """
    One cutout of a map minus its sources, or a batch of them.

    Parameters
    ----------
    image, target, validity, missing : `torch.Tensor`
        As of `Cutouts`; ``image`` is (3, H, W) or (N, 3, H, W), and
        ``validity`` is 0 where the expected mismatch drowns the emission.

    hole : `torch.Tensor`
        1 in the holes (Table 3) of all sources but for missing pixels,
        (1, H, W) or (N, 1, H, W).

    weight : `torch.Tensor`
        The weights by which a PSF fit sums the central source's pixels, of
        the same shape.

    snr : `torch.Tensor`
        The central source's SNR, (1, 1, 1) or (N, 1, 1, 1).

    scale : `torch.Tensor`
        The scale of image and target over the local scatter, of the same
        shape.
    """

    image: torch.Tensor
    target: torch.Tensor
    validity: torch.Tensor
    missing: torch.Tensor
    hole: torch.Tensor
    weight: torch.Tensor
    snr: torch.Tensor
    scale: torch.Tensor


class SimulatedCutouts(torch.utils.data.Dataset):
    """
    Cutouts drawn on the fly; every epoch has its own.

    Parameters
    ----------
    sampler : `~photutils_pconv.simulation.CutoutSampler` or \
            `~photutils_pconv.simulation.ResidualSampler`
        The sampler, which determines the kind of the cutouts.

    size : int
        The number of cutouts an epoch.

    seed : int, optional
        The seed of the draws.

    fixed : bool, optional
        Whether all epochs have the same cutouts, for validation.
    """

    def __init__(self, sampler, size, *, seed=0, fixed=False):
        if size < 1:
            msg = f'size must be at least 1, got {size}'
            raise ValueError(msg)
        check_count(seed, 'seed', minimum=0)
        self.sampler = sampler
        self.size = size
        self.seed = seed
        self.fixed = to_bool(fixed, 'fixed')

    @property
    def kind(self):
        """The kind of model that the cutouts train (`str`)."""
        return self.sampler.kind

    @property
    def normalisation(self):
        """The keyword arguments of the cutouts' scaling (`dict`)."""
        return dict(self.sampler.normalisation)

    def __len__(self):
        return self.size

    def __getitem__(self, key):
        epoch, index = key
        stream = [_VALIDATION, 0] if self.fixed else [_TRAINING, epoch]
        batch = self.sampler.batch(1, [self.seed, *stream, index])
        arrays = (batch.image, batch.target, batch.validity, batch.missing)
        if self.kind == 'masked':
            return Cutouts(*(to_tensor(array[0]) for array in arrays))
        scatter = batch.peak / batch.snr
        arrays += (
            batch.hole & ~batch.missing,
            batch.weight,
            batch.snr[:, None, None],
            batch.scaling.scale / scatter[:, None, None],
        )
        return ResidualCutouts(*(to_tensor(array[0]) for array in arrays))

    def describe(self):
        """
        Describe the data for a model card.

        Returns
        -------
        values : dict
            What is needed to draw the same cutouts.
        """
        config = self.sampler.config
        return {
            'source': 'simulated',
            'kind': self.kind,
            'size': self.size,
            'seed': self.seed,
            'setups': [setup.name for setup in self.sampler.setups],
            'sampler': {name: _plain(value) for name, value in vars(config).items()},
            'backgrounds': [
                Path(one.name).name for one in getattr(self.sampler, 'backgrounds', ())
            ],
        }

    def digest(self):
        """
        Find which cutouts these are.

        Returns
        -------
        digest : str
            A SHA-256 of all that they follow from: setups, ranges, scaling,
            and seeds.
        """
        values = {
            **self.describe(),
            'fixed': self.fixed,
            'normalisation': self.normalisation,
            'setups': [setup.to_dict() for setup in self.sampler.setups],
            'fields': _plain(getattr(self.sampler, 'seed', None)),
            'backgrounds': [
                one.digest() for one in getattr(self.sampler, 'backgrounds', ())
            ],
        }
        text = json.dumps(values, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def to_tensor(array):
    """
    Turn one cutout into a tensor.

    Parameters
    ----------
    array : `~numpy.ndarray`
        The cutout, of the shape (H, W) or (C, H, W).

    Returns
    -------
    tensor : `torch.Tensor`
        A copy as float32, of the shape (C, H, W).
    """
    array = np.asarray(array, dtype=np.float32)
    return torch.from_numpy(array.reshape(-1, *array.shape[-2:]).copy())


def _plain(value):
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | None) else str(value)
