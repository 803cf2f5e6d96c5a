# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How far a training has come, and the figures of its epochs.
"""

import math
from dataclasses import dataclass, field

__all__ = ['Progress']

# The weight of a new loss in the running mean (by choice: that of some 50
# steps).
_SMOOTHING = 0.02


@dataclass
class Progress:
    """
    How far a training has come.

    Parameters
    ----------
    epoch : int, optional
        The present epoch, from 0.

    batch : int, optional
        The next batch of it: the sampler's position.

    step : int, optional
        The number of steps done.

    seconds : float, optional
        The time spent in training steps.

    smoothed : float, optional
        The running mean of the loss.

    sums : dict, optional
        Sums over the present epoch's steps.

    best_loss : float, optional
        The lowest validation loss.

    best_epoch : int, optional
        Its epoch.

    history : list of dict, optional
        The figures of every finished epoch.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    smoothed: float | None = None
    sums: dict = field(default_factory=dict)
    best_loss: float | None = None
    best_epoch: int | None = None
    history: list = field(default_factory=list)

    def add(self, values):
        """
        Add to the sums over the present epoch's steps.

        Parameters
        ----------
        values : dict of float
            What to add, by name.
        """
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def follow(self, loss):
        """
        Let the running mean follow the loss of a step.

        Parameters
        ----------
        loss : float
            The loss.
        """
        if self.smoothed is None:
            self.smoothed = loss
        self.smoothed += _SMOOTHING * (loss - self.smoothed)

    def shown_losses(self):
        """
        Give the losses that a progress bar shows.

        Returns
        -------
        losses : dict of str
            The running mean, and the last validation loss.
        """
        shown = {'loss': f'{self.smoothed:.4g}'}
        if self.history:
            shown['valid'] = f'{self.history[-1]["valid_loss"]:.4g}'
        return shown

    def finish_epoch(self, figures, *, n_batches, batch_size, learning_rate):
        """
        Enter the figures of the present epoch, and begin the next one.

        Parameters
        ----------
        figures : dict of float
            The figures of the validation, ``valid_loss`` among them.

        n_batches : int
            The number of batches an epoch.

        batch_size : int
            The cutouts a batch.

        learning_rate : float
            The learning rate of the last step.

        Returns
        -------
        best : bool
            Whether the validation loss is the lowest so far.
        """
        sums = self.sums
        losses = {k: v / n_batches for k, v in sums.items() if k.startswith('train_')}
        seconds = sums.get('seconds', 0.0)
        # Steps done before a resumption may have left no time.
        per_second = n_batches * batch_size / seconds if seconds else 0.0
        waited = sums.get('waited', 0.0) / max(seconds, 1e-9)
        self.history.append(
            {
                'epoch': self.epoch + 1,
                'step': self.step,
                'learning_rate': learning_rate,
                **losses,
                **figures,
                'seconds': round(seconds, 3),
                'cutouts_per_second': round(per_second, 3),
                'waiting_share': round(waited, 5),
            }
        )
        self.epoch += 1
        self.batch = 0
        self.sums = {}
        best = self.best_loss is None or figures['valid_loss'] < self.best_loss
        if best:
            self.best_loss, self.best_epoch = figures['valid_loss'], self.epoch
        return best

    def is_settled(self, patience):
        """
        Say whether the validation loss has not fallen for long enough.

        Parameters
        ----------
        patience : int
            How many epochs that is; 0 for never.

        Returns
        -------
        settled : bool
            Whether it is so.
        """
        if patience == 0 or self.best_epoch is None:
            return False
        return self.epoch - self.best_epoch >= patience

    def describe_epoch(self, epochs):
        """
        Describe the last epoch in a line.

        Parameters
        ----------
        epochs : int
            The number of epochs of the training.

        Returns
        -------
        line : str
            The losses, the lowest one, the learning rate, and the time.
        """
        row = self.history[-1]
        best = (
            'the lowest'
            if self.best_epoch == self.epoch
            else (f'lowest {self.best_loss:.4g} in epoch {self.best_epoch}')
        )
        figures = ''.join(
            f', {name} {row[name]:.3g}'
            for name in ('hole_rms', 'weighted_error')
            if name in row
        )
        return (
            f'epoch {self.epoch}/{epochs}: loss {row.get("train_loss", math.nan):.4g}, '
            f'validation {row["valid_loss"]:.4g} ({best}){figures}, rate '
            f'{row["learning_rate"]:.2g}, {row["seconds"]:.0f} s, '
            f'{row["cutouts_per_second"]:.3g} cutouts/s'
        )
