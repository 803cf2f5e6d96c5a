# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The steps of an epoch, and its validation.
"""

import math
import time

from photutils_pconv.training.checkpoint_folder import BEST, LAST
from photutils_pconv.training.divergence import (
    ADVICE,
    DivergenceError,
    find_divergence,
)
from photutils_pconv.training.loading import repeat_batches
from photutils_pconv.training.monitors import make_progress_bar

__all__ = ['finish_epoch', 'train_epoch']


def train_epoch(engine, training, progress, checkpoints, *, limit):
    """
    Train to the end of the present epoch, or to a limit of steps.

    Parameters
    ----------
    engine : `~photutils_pconv.training.engine.Engine`
        What takes the steps.

    training : tuple
        The loader of the training cutouts, and its
        `~photutils_pconv.training.loading.EpochBatches`.

    progress : `~photutils_pconv.training.progress.Progress`
        How far the training has come; it moves on.

    checkpoints : `~photutils_pconv.training.checkpoint_folder.CheckpointFolder`
        Where the last checkpoint is written in between, if the configuration says
        so.

    limit : float
        The number of steps, of the whole training, at which to stop.

    Returns
    -------
    finished : bool
        Whether the epoch is at its end.

    Raises
    ------
    DivergenceError
        If the loss, the gradient or a weight is not finite, or the loss explodes.

    ValueError
        If no pixel of the whole epoch is known.
    """
    config = engine.config
    loader, batches = training
    whole, known = progress.batch == 0, False
    batches.epoch, batches.first = progress.epoch, progress.batch
    engine.begin_epoch()
    with make_progress_bar(
        progress,
        n_batches=batches.n_batches,
        epochs=config.epochs,
        show=config.progress_bar and engine.accelerator.is_main_process,
    ) as bar:
        start = time.perf_counter()
        for batch in repeat_batches(loader, batches):
            waited = time.perf_counter() - start
            _step(engine, batch, progress, checkpoints)
            known = known or bool((batch.missing < 1).any())
            progress.batch += 1
            progress.step += 1
            bar.update()
            bar.set_postfix(progress.shown_losses(), refresh=False)
            every = config.checkpoint_steps
            save = every and progress.step % every == 0
            spent = time.perf_counter() - start
            progress.seconds += spent
            progress.add({'seconds': spent, 'waited': waited})
            if save:
                checkpoints.save(LAST, progress)
            if progress.step >= limit:
                break
            start = time.perf_counter()
    finished = progress.batch == batches.n_batches
    if whole and finished and not known:
        msg = (
            'no pixel of all training cutouts is known: all are missing, NaN or '
            'infinite, and nothing can be learnt from them'
        )
        raise ValueError(msg)
    return finished


def _step(engine, batch, progress, checkpoints):
    """Take a step, unless something is wrong with the loss or the gradient."""

    def check(loss):
        explosion = engine.config.explosion
        what = find_divergence(loss, progress.smoothed, explosion=explosion)
        if what:
            checkpoints.report_divergence(what, progress)

    values, norm = engine.train_batch(batch, check)
    if not math.isfinite(norm):
        checkpoints.report_divergence('the gradient is not finite', progress)
    progress.add({f'train_{name}': value for name, value in values.items()})
    progress.follow(values['loss'])


def finish_epoch(engine, loader, progress, checkpoints, *, n_batches):
    """
    Validate at the end of an epoch, and write its checkpoints.

    Parameters
    ----------
    engine : `~photutils_pconv.training.engine.Engine`
        What validates.

    loader : iterable
        The loader of the validation cutouts.

    progress : `~photutils_pconv.training.progress.Progress`
        How far the training has come; the next epoch begins in it.

    checkpoints : `~photutils_pconv.training.checkpoint_folder.CheckpointFolder`
        Where the last checkpoint is written, and the best.

    n_batches : int
        The number of batches of the epoch.

    Returns
    -------
    examples : tuple or `None`
        Cutouts and what the network made of them.

    Raises
    ------
    DivergenceError
        If the validation loss or a weight is not finite.
    """
    figures, examples = engine.validate(loader)
    loss = figures['valid_loss']
    if not math.isfinite(loss):
        msg = (
            f'the validation loss is {loss} after epoch {progress.epoch + 1} '
            f'(batches 1 to {n_batches}). The checkpoint {str(checkpoints.last)!r} is '
            f'from before the end of the epoch: {ADVICE}'
        )
        raise DivergenceError(msg)
    best = progress.finish_epoch(
        figures,
        n_batches=n_batches,
        batch_size=engine.config.batch_size,
        learning_rate=engine.learning_rate,
    )
    engine.end_epoch(loss)
    if best:
        checkpoints.save(BEST, progress)
    checkpoints.keep_best(progress)
    checkpoints.save(LAST, progress)
    return examples
