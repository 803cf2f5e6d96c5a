# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training cutouts from arrays, in memory or memory-mapped.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from photutils_pconv._utils.checks import to_bool
from photutils_pconv.inpainting.scaling import Normalisation
from photutils_pconv.network.kinds import check_normalisation
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.training.data import Cutouts, to_tensor
from photutils_pconv.training.hole_images import scale_masked

__all__ = ['ArrayCutouts']

# The number of cutouts that are read at once to check them (by choice).
_CHUNK = 256


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
        return Cutouts(*(to_tensor(array[0]) for array in arrays))

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
