# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How a training is known to have gone wrong.
"""

import math

__all__ = ['ADVICE', 'DivergenceError', 'describe_divergence', 'find_divergence']

#: What can be done.
ADVICE = 'lower optimiser.learning_rate, or set optimiser.clip_norm'

# The number of cutouts that a message names.
_SHOWN = 8


class DivergenceError(RuntimeError):
    """
    The loss is not finite any more, or has exploded.
    """


def find_divergence(loss, usual, *, explosion):
    """
    Say what is wrong with the loss of a step.

    Parameters
    ----------
    loss : float
        The loss.

    usual : float or `None`
        Its running mean; `None` before the first step.

    explosion : float
        A loss that is this many times its running mean is wrong.

    Returns
    -------
    what : str
        What is wrong; empty if nothing is.
    """
    if not math.isfinite(loss):
        return f'the loss is {loss}'
    if usual is not None and loss > explosion * usual > 0:
        return f'the loss is {loss:.4g}, {loss / usual:.3g} times its running mean'
    return ''


def describe_divergence(what, progress, batches, *, checkpoint):
    """
    Say at which step a training went wrong, and what is left of it.

    Parameters
    ----------
    what : str
        What is wrong.

    progress : `~photutils_pconv.training.progress.Progress`
        How far the training has come.

    batches : `~photutils_pconv.training.loading.EpochBatches`
        The batches of the present epoch.

    checkpoint : `pathlib.Path`
        The last checkpoint, if there is one.

    Returns
    -------
    message : str
        The message.
    """
    indices = [index for _, index in batches.keys(progress.batch)]
    shown = ', '.join(map(str, indices[:_SHOWN]))
    more = ', ...' if len(indices) > _SHOWN else ''
    kept = (
        f'{str(checkpoint)!r} is kept' if checkpoint.exists() else 'there is none yet'
    )
    return (
        f'{what} at epoch {progress.epoch + 1}, batch {progress.batch + 1} of '
        f'{batches.n_batches} (step {progress.step + 1}; training cutouts '
        f'{shown}{more}). The last good checkpoint: {kept}. Look at these cutouts, '
        f'{ADVICE}'
    )
