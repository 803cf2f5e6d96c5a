# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training cutouts: simulated on the fly, or from arrays on disk.

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
from photutils_pconv.inpainting.scaling import Normalisation
from photutils_pconv.network.kinds import check_normalisation
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.training.hole_images import scale_masked

__all__ = ['ArrayCutouts', 'Cutouts', 'ResidualCutouts', 'SimulatedCutouts']

# The streams of random numbers that share a seed.
_TRAINING, _VALIDATION = 2, 3
_CHUNK = 256


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
            return Cutouts(*(_tensor(array[0]) for array in arrays))
        scatter = batch.peak / batch.snr
        arrays += (
            batch.hole & ~batch.missing,
            batch.weight,
            batch.snr[:, None, None],
            batch.scaling.scale / scatter[:, None, None],
        )
        return ResidualCutouts(*(_tensor(array[0]) for array in arrays))

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


class ArrayCutouts(torch.utils.data.Dataset):
    """
    Cutouts from arrays in memory or memory-mapped ones.

    Every epoch has the same cutouts; augmentation varies them.

    Parameters
    ----------
    image : sequence of 2D arrays
        The N inputs in the map's unit, such as an array of shape
        (N, H, W). NaN are missing pixels.

    target : sequence of 2D arrays
        The extended emission in the same unit.

    validity : sequence of 2D arrays
        1 (or True) for usable pixels, 0 in holes.

    normalisation : dict, optional
        Keyword arguments of `~photutils_pconv.inpainting.normalise`; by
        default the paper's, ``{'name': 'minmax'}``.

    nan_targets : {'raise', 'missing'}, optional
        Whether a target that is NaN where the input is not is an error,
        or makes the pixel a missing one.

    check : bool, optional
        Whether to read all cutouts once, so that what is wrong with one
        of them is found now and not in the middle of the training.

    label : str, optional
        What error messages and the model's card call the data.

    setups : setup, str, or sequence of them, optional
        The setup of all cutouts, or of each. Only a normalisation with
        ``wings`` or ``kriging`` needs it.

    Raises
    ------
    ValueError
        If the numbers or shapes differ, a cutout does not hold real numbers,
        a validity is neither 0 nor 1, a target is NaN where the input is not,
        or no pixel of all cutouts is known.
    """

    #: The kind of model that the cutouts train.
    kind = 'masked'

    def __init__(
        self,
        image,
        target,
        validity,
        *,
        normalisation=None,
        nan_targets='raise',
        check=True,
        label='the data',
        setups=None,
    ):
        if nan_targets not in ('raise', 'missing'):
            msg = f"nan_targets must be 'raise' or 'missing', got {nan_targets!r}"
            raise ValueError(msg)
        parts = {'image': image, 'target': target, 'validity': validity}
        for name, part in parts.items():
            if not (hasattr(part, '__len__') and hasattr(part, '__getitem__')):
                msg = f'{name} must be a sequence of 2-D arrays, got {part!r}'
                raise TypeError(msg)
        sizes = {name: len(part) for name, part in parts.items()}
        if len(set(sizes.values())) != 1 or len(image) == 0:
            msg = (
                f'image, target and validity of {label} must hold the same number of '
                f'cutouts, at least one, got {sizes}'
            )
            raise ValueError(msg)
        self.image = image
        self.target = target
        self.validity = validity
        if normalisation is None:
            normalisation = {'name': 'minmax'}
        check_normalisation(normalisation)
        self.normalisation = dict(normalisation)
        self.nan_targets = nan_targets
        self.label = label
        self._setups = self._parse_setups(setups)
        self.cutout_shape = np.shape(image[0])
        if to_bool(check, 'check'):
            self._check_all()

    def _check_all(self):
        """Read all cutouts once; some pixel must be known."""
        known = False
        for start in range(0, len(self), _CHUNK):
            *_, missing = self._read(range(start, min(start + _CHUNK, len(self))))
            known = known or not missing.all()
        if not known:
            msg = (
                f'no pixel of the {len(self)} cutouts of {self.label} is known: the '
                'images, or with nan_targets="missing" the targets, are NaN or infinite'
            )
            raise ValueError(msg)

    def __len__(self):
        return len(self.image)

    def __getitem__(self, key):
        _, index = key
        image, target, validity, missing = self._read([index])
        if self._setups is not None:
            image, scaling = scale_masked(
                image[0],
                validity[0],
                missing[0],
                self.normalisation,
                self._setups[index % len(self._setups)],
            )
            image = image[None]
        else:
            how = Normalisation.from_dict(self.normalisation)
            image, scaling = how.scale(image, validity, missing)
        target = np.where(missing, 0.0, scaling.apply(target))
        arrays = (image, target, validity, missing)
        return Cutouts(*(_tensor(array[0]) for array in arrays))

    def _parse_setups(self, setups):
        """Give the setups of the cutouts, one or one each; None if not needed."""
        switches = [key for key in ('wings', 'kriging') if self.normalisation.get(key)]
        if not switches:
            return None
        if setups is None:
            msg = (
                f'the normalisation has {" and ".join(switches)}: give setups, the '
                f'observing setup of {self.label}, or of each cutout'
            )
            raise ValueError(msg)
        if isinstance(setups, str) or not np.iterable(setups):
            setups = [setups]
        if len(setups) not in (1, len(self)):
            msg = (
                f'setups must be one, or one for each of the {len(self)} cutouts of '
                f'{self.label}, got {len(setups)}'
            )
            raise ValueError(msg)
        return [get_setup(setup=one) for one in setups]

    def _to_float(self, cutout, what):
        cutout = np.asarray(cutout)
        if cutout.dtype.kind not in 'fiub':
            msg = (
                f'all cutouts of {self.label} must hold real numbers, but {what} has '
                f'{cutout.dtype}'
            )
            raise ValueError(msg)
        return cutout.astype(float)

    def _read(self, indices):
        """
        Read cutouts as (n, H, W) arrays, finite everywhere, and check them.
        """
        stacks = []
        for name in ('image', 'target', 'validity'):
            source = getattr(self, name)
            stack = [self._to_float(source[i], f'{name} {i}') for i in indices]
            for i, cutout in zip(indices, stack, strict=True):
                if cutout.shape != self.cutout_shape or cutout.ndim != 2:
                    msg = (
                        f'all cutouts of {self.label} must be 2-D and of one shape, '
                        f'{self.cutout_shape}, but {name} {i} has {cutout.shape}'
                    )
                    raise ValueError(msg)
            stacks.append(np.stack(stack))
        image, target, validity = stacks
        missing = ~np.isfinite(image)
        unknown = ~np.isfinite(target) & ~missing
        if unknown.any() and self.nan_targets == 'raise':
            which = np.flatnonzero(unknown.any(axis=(1, 2)))
            msg = (
                f'the target of cutout {indices[which[0]]} of {self.label} is NaN in '
                f'{unknown[which[0]].sum()} pixels where its input is not '
                f'({len(which)} such cutouts of {len(indices)} read): leave them out, '
                "or use nan_targets='missing' to have no loss there"
            )
            raise ValueError(msg)
        missing |= unknown
        wrong = (validity != 0) & (validity != 1)
        if wrong.any():
            k = np.flatnonzero(wrong.any(axis=(1, 2)))[0]
            msg = (
                f'the validity of cutout {indices[k]} of {self.label} must be 0 or 1, '
                f'got {validity[k][wrong[k]][0]:g}'
            )
            raise ValueError(msg)
        validity = (validity == 1) & ~missing
        image[missing] = 0.0
        target[missing] = 0.0
        return image, target, validity, missing

    def describe(self):
        """
        Describe the data for a model card.

        Returns
        -------
        values : dict
            Where they are from, their kind and number.
        """
        # Not the whole path: a card is published.
        origin = '/'.join(Path(self.label).parts[-2:])
        return {
            'source': 'arrays',
            'kind': self.kind,
            'size': len(self),
            'origin': origin,
        }

    def digest(self):
        """
        Find which cutouts these are.

        Returns
        -------
        digest : str
            A SHA-256 of all numbers, as float64, and of the scaling. All
            cutouts are read.
        """
        options = {**self.normalisation, 'nan_targets': self.nan_targets}
        if self._setups is not None:
            names = [setup.name for setup in self._setups]
            options['setups'] = sorted(set(names)) if len(set(names)) == 1 else names
        text = json.dumps(options, sort_keys=True, default=float)
        digest = hashlib.sha256(text.encode())
        for name in ('image', 'target', 'validity'):
            source = getattr(self, name)
            for i in range(len(self)):
                cutout = self._to_float(source[i], f'{name} {i}')
                digest.update(f'{name} {cutout.shape}'.encode())
                digest.update(np.ascontiguousarray(cutout, dtype='<f8'))
        return digest.hexdigest()


def _tensor(array):
    """Turn one cutout, (H, W) or (C, H, W), into a float32 tensor (C, H, W)."""
    array = np.asarray(array, dtype=np.float32)
    return torch.from_numpy(array.reshape(-1, *array.shape[-2:]).copy())


def _plain(value):
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | None) else str(value)
