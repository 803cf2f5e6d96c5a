# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Which cutouts a step gets, and the processes that make them.
"""

import numpy as np
import torch

from photutils_pconv.training.augmentation import augment
from photutils_pconv.training.data import Cutouts

__all__ = ['EpochBatches', 'make_loader']

# One of the streams that share a seed; see `photutils_pconv.training.data`.
_ORDER = 1


class EpochBatches:
    """
    The keys of one process' share of each batch of an epoch.

    Parameters
    ----------
    size : int
        The number of cutouts in the data set.

    batch_size : int
        The cutouts a batch, over all processes.

    seed : int, optional
        The seed of the order.

    shuffle : bool, optional
        Whether each epoch has a random order of its own and leaves the
        incomplete last batch out. Otherwise all cutouts come in their
        own order, as those of epoch 0.

    rank, n_processes : int, optional
        This process, and the number of processes. When shuffled, each
        process gets its part of every batch, otherwise every
        n-th batch.

    Raises
    ------
    ValueError
        If a batch cannot be filled or divided.
    """

    def __init__(
        self, size, batch_size, *, seed=0, shuffle=True, rank=0, n_processes=1
    ):
        if shuffle and batch_size % n_processes:
            msg = (
                f'batch_size is that of all processes together: {batch_size} is not '
                f'divisible by the number of processes, {n_processes}'
            )
            raise ValueError(msg)
        if shuffle and size < batch_size:
            msg = (
                f'batch_size must be at most the number of training cutouts, {size}, '
                f'got {batch_size}'
            )
            raise ValueError(msg)
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.rank = rank
        self.n_processes = n_processes
        #: The epoch, and the first batch of it, of the next iteration.
        self.epoch = 0
        self.first = 0

    @property
    def n_batches(self):
        """The number of batches an epoch, over all processes."""
        if self.shuffle:
            return self.size // self.batch_size
        return -(-self.size // self.batch_size)

    def keys(self, batch):
        """
        Give the keys of a whole batch.

        Parameters
        ----------
        batch : int
            The batch's number in the epoch.

        Returns
        -------
        keys : list of tuple of int
            The (epoch, index) of each cutout.
        """
        return self._keys(self._order(), batch)

    def _order(self):
        if not self.shuffle:
            return np.arange(self.size)
        rng = np.random.default_rng([self.seed, _ORDER, self.epoch])
        return rng.permutation(self.size)

    def _keys(self, order, batch):
        start = batch * self.batch_size
        epoch = self.epoch if self.shuffle else 0
        return [(epoch, int(i)) for i in order[start : start + self.batch_size]]

    def __iter__(self):
        order = self._order()
        for batch in range(self.first, self.n_batches):
            keys = self._keys(order, batch)
            if self.shuffle:
                share = self.batch_size // self.n_processes
                yield keys[self.rank * share : (self.rank + 1) * share]
            elif batch % self.n_processes == self.rank:
                yield keys

    def __len__(self):
        # A length for the loader, which does not rely on it.
        return self.n_batches


class _Batches(torch.utils.data.Dataset):
    """
    Whole batches, augmented, from lists of keys.
    """

    def __init__(self, data, options, seed):
        self.data = data
        self.options = options
        self.seed = seed

    def __getitems__(self, keys):
        cutouts = [self.data[key] for key in keys]
        batch = Cutouts(*(torch.stack(parts) for parts in zip(*cutouts, strict=True)))
        if self.options is not None:
            batch = augment(batch, keys, seed=self.seed, **self.options)
        return batch


def _unchanged(batch):
    return batch


def make_loader(data, batches, *, augmentation=None, workers=0, prefetch=4, pin=False):
    """
    Make the loader of a data set's batches.

    Parameters
    ----------
    data : `torch.utils.data.Dataset`
        Indexed by (epoch, index).

    batches : `EpochBatches`
        Which batches; its ``epoch`` and ``first`` are read anew at each
        iteration.

    augmentation : `~photutils_pconv.training.AugmentationConfig`, optional
        The augmentation; by default there is none.

    workers, prefetch : int, optional
        The number of processes that make batches, and of batches that
        each prepares in advance.

    pin : bool, optional
        Whether to put batches into page-locked memory, for GPUs.

    Returns
    -------
    loader : `torch.utils.data.DataLoader`
        Gives `~photutils_pconv.training.Cutouts`.
    """
    options = None
    if augmentation is not None and augmentation.enabled:
        options = {
            'shift': augmentation.shift,
            'flips': augmentation.flips,
            'rotation': augmentation.rotation,
        }
    more = {}
    if workers > 0:
        # The fields of a simulation are not to be handed over every epoch.
        more = {'prefetch_factor': prefetch, 'persistent_workers': True}
    return torch.utils.data.DataLoader(
        _Batches(data, options, batches.seed),
        batch_sampler=batches,
        collate_fn=_unchanged,
        num_workers=workers,
        pin_memory=pin,
        # Its own generator: the loader would draw from the global stream.
        generator=torch.Generator().manual_seed(0),
        **more,
    )
