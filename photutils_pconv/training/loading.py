# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Which cutouts a step gets, and the processes that make them.
"""

import numpy as np
import torch

from photutils_pconv.training.augmentation import augment, turn_cutouts

__all__ = ['EpochBatches', 'make_loader', 'make_loaders', 'repeat_batches']

# Two of the streams that share a seed; see `photutils_pconv.training.data`.
_ORDER, _REPEATS = 1, 5


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

    repeats : int, optional
        How often each batch serves in a row; what makes batches draws it
        once (see `repeat_batches`).

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
        self,
        size,
        batch_size,
        *,
        seed=0,
        shuffle=True,
        repeats=1,
        rank=0,
        n_processes=1,
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
        self.repeats = repeats
        self.rank = rank
        self.n_processes = n_processes
        #: The epoch, and the first batch of it, of the next iteration.
        self.epoch = 0
        self.first = 0

    @property
    def n_batches(self):
        """The number of batches an epoch, repeats and all processes included."""
        return self._n_drawn * self.repeats

    @property
    def _n_drawn(self):
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
        return self._keys(self._order(), batch // self.repeats)

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
        for batch in range(self.first // self.repeats, self._n_drawn):
            keys = self._keys(order, batch)
            if self.shuffle:
                share = self.batch_size // self.n_processes
                yield keys[self.rank * share : (self.rank + 1) * share]
            elif batch % self.n_processes == self.rank:
                yield keys

    def __len__(self):
        # A length for the loader, which does not rely on it.
        return self._n_drawn


class _Batches(torch.utils.data.Dataset):
    """
    Whole batches, augmented, from lists of keys.
    """

    def __init__(self, data, augmentation, seed):
        self.data = data
        self.augmentation = augmentation
        self.seed = seed

    def __getitems__(self, keys):
        cutouts = [self.data[key] for key in keys]
        kind = type(cutouts[0])
        batch = kind(*(torch.stack(parts) for parts in zip(*cutouts, strict=True)))
        options = self.augmentation
        if options is None or not options.enabled:
            return batch
        return augment(
            batch,
            keys,
            seed=self.seed,
            shift=options.shift,
            flips=options.flips,
            rotation=options.rotation,
        )


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
        Gives `~photutils_pconv.training.Cutouts` or
        `~photutils_pconv.training.ResidualCutouts`.
    """
    more = {}
    if workers > 0:
        # The fields of a simulation are not to be handed over every epoch.
        more = {'prefetch_factor': prefetch, 'persistent_workers': True}
    return torch.utils.data.DataLoader(
        _Batches(data, augmentation, batches.seed),
        batch_sampler=batches,
        collate_fn=_unchanged,
        num_workers=workers,
        pin_memory=pin,
        # Its own generator: the loader would draw from the global stream.
        generator=torch.Generator().manual_seed(0),
        **more,
    )


def make_loaders(train_data, validation_data, config, accelerator):
    """
    Make the loaders of a training, for one of its processes.

    Parameters
    ----------
    train_data, validation_data : `torch.utils.data.Dataset`
        The data sets.

    config : `~photutils_pconv.training.TrainingConfig`
        The configuration.

    accelerator : `accelerate.Accelerator`
        The accelerator, which knows the processes.

    Returns
    -------
    training, validation : tuple
        For each the loader, and its `EpochBatches`.

    Raises
    ------
    ValueError
        If a batch cannot be filled, or divided among the processes and into the
        parts of ``accumulate``.
    """
    made = []
    for data, shuffle in ((train_data, True), (validation_data, False)):
        batches = EpochBatches(
            len(data),
            config.batch_size,
            seed=config.seed if shuffle else 0,
            shuffle=shuffle,
            repeats=config.repeats if shuffle else 1,
            rank=accelerator.process_index,
            n_processes=accelerator.num_processes,
        )
        loader = make_loader(
            data,
            batches,
            augmentation=config.augmentation if shuffle else None,
            workers=config.workers,
            prefetch=config.prefetch,
            pin=accelerator.device.type == 'cuda',
        )
        made.append((loader, batches))
    share = config.batch_size // accelerator.num_processes
    if share % config.accumulate:
        msg = (
            f'batch_size ({config.batch_size}) over the number of processes '
            f'({accelerator.num_processes}) must be divisible by accumulate, got '
            f'{config.accumulate}'
        )
        raise ValueError(msg)
    return tuple(made)


def repeat_batches(loader, batches):
    """
    Let each batch serve several times in a row, from the second time on turned.

    Parameters
    ----------
    loader : iterable
        What `make_loader` gives.

    batches : `EpochBatches`
        Which batches: ``repeats`` says how often, ``first`` where to begin.

    Yields
    ------
    batch : `~photutils_pconv.training.Cutouts`
        The batches.
    """
    first, again = divmod(batches.first, batches.repeats)
    for number, batch in enumerate(loader, start=first):
        for repeat in range(again, batches.repeats):
            if repeat == 0:
                yield batch
                continue
            key = [batches.seed, _REPEATS, batches.epoch, number, repeat]
            yield turn_cutouts(batch, np.random.default_rng(key))
        again = 0
