# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Which checkpoints a training keeps in its folder.
"""

from functools import cached_property

import torch

from photutils_pconv.training.checkpoint import (
    check_compatible,
    load_checkpoint,
    save_checkpoint,
)
from photutils_pconv.training.divergence import DivergenceError, describe_divergence

__all__ = ['BEST', 'LAST', 'CheckpointFolder']

#: The names of the checkpoints.
LAST, BEST = 'last.pt', 'best.pt'
# That of an epoch, where several are kept.
_BEST_EPOCH = 'best_epoch_{:03d}.pt'


class CheckpointFolder:
    """
    The checkpoints of a training, written and read by one process of it.

    Parameters
    ----------
    path : `pathlib.Path`
        The folder.

    engine : `~photutils_pconv.training.engine.Engine`
        What is written and restored.

    batches : `~photutils_pconv.training.loading.EpochBatches`
        The training's batches, which the message about a divergence names.

    summarise_data : callable
        Gives what must be the same of the data to resume. It is called once, when
        that is first asked for, since all cutouts may have to be read.
    """

    def __init__(self, path, engine, batches, summarise_data):
        self.path = path
        self._engine = engine
        self._batches = batches
        self._summarise_data = summarise_data

    @property
    def last(self):
        """The file of the last checkpoint (`pathlib.Path`)."""
        return self.path / LAST

    @cached_property
    def _data(self):
        return self._summarise_data()

    def save(self, name, progress):
        """
        Write a checkpoint.

        Parameters
        ----------
        name : str
            The name of the file.

        progress : `~photutils_pconv.training.progress.Progress`
            How far the training has come.

        Raises
        ------
        DivergenceError
            If a weight is not finite: what is there is of more use, and is kept.

        OSError
            If the file cannot be written.
        """
        accelerator = self._engine.accelerator
        if accelerator.is_main_process:
            state = self._engine.state_dict()
            weights = state['network'].values()
            if not all(torch.isfinite(tensor).all() for tensor in weights):
                self.report_divergence('the weights are not finite any more', progress)
            save_checkpoint(
                self.path / name,
                config=self._engine.config.to_dict(),
                data=self._data,
                network=state['network'],
                optimiser=state['optimiser'],
                schedule=state['schedule'],
                average=state['average'],
                progress=progress,
                processes=accelerator.num_processes,
            )
        accelerator.wait_for_everyone()

    def report_divergence(self, what, progress):
        """
        Raise an error that says where a training went wrong, and what is left of it.

        Parameters
        ----------
        what : str
            What is wrong.

        progress : `~photutils_pconv.training.progress.Progress`
            How far the training has come.

        Raises
        ------
        DivergenceError
            In any case.
        """
        raise DivergenceError(
            describe_divergence(what, progress, self._batches, checkpoint=self.last)
        )

    def keep_best(self, progress):
        """
        Keep the checkpoints of the lowest validation losses, by their epochs.

        Parameters
        ----------
        progress : `~photutils_pconv.training.progress.Progress`
            How far the training has come: to the end of an epoch.
        """
        n_kept = self._engine.config.keep_best
        if n_kept == 1:
            return
        ranked = sorted(progress.history, key=lambda row: row['valid_loss'])
        kept = {_BEST_EPOCH.format(row['epoch']) for row in ranked[:n_kept]}
        name = _BEST_EPOCH.format(progress.epoch)
        if name in kept:
            self.save(name, progress)
        if self._engine.accelerator.is_main_process:
            for path in self.path.glob(_BEST_EPOCH.replace('{:03d}', '*')):
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    def read(self, name):
        """
        Read a checkpoint, which must be one of this training.

        Parameters
        ----------
        name : str
            The name of the file.

        Returns
        -------
        state : dict
            What `~photutils_pconv.training.checkpoint.load_checkpoint` gives.

        Raises
        ------
        FileNotFoundError
            If there is no such file.

        ValueError
            If it is damaged, or belongs to another training.
        """
        path = self.path / name
        state = load_checkpoint(path)
        config = self._engine.config.to_dict()
        check_compatible(state, config, path, data=self._data)
        return state

    def restore(self):
        """
        Go back to the last checkpoint.

        Returns
        -------
        progress : `~photutils_pconv.training.progress.Progress`
            How far the training had come.

        Raises
        ------
        ValueError
            If the checkpoint is damaged, or belongs to another training.
        """
        state = self.read(LAST)
        try:
            self._engine.load_state_dict(state)
        except (RuntimeError, LookupError, TypeError, ValueError) as exc:
            msg = (
                f'the parts of {str(self.last)!r} do not fit this training, though it '
                f'says so: begin in another output folder ({exc})'
            )
            raise ValueError(msg) from exc
        return state['progress']
