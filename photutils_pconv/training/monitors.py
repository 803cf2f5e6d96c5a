# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a training run leaves to look at: CSV, TensorBoard, pictures.
"""

import csv
import io
from pathlib import Path

import numpy as np

from photutils_pconv._utils.plotting import BRIGHTNESS_COLORS, DIFFERENCE_COLORS
from photutils_pconv._utils.writing import write_bytes_atomically

__all__ = [
    'METRICS',
    'Monitor',
    'find_tensorboard',
    'make_progress_bar',
    'prepare_folder',
    'write_examples',
    'write_metrics',
]

METRICS = 'metrics.csv'
"""
The name of the file with the figures of all epochs.
"""


def prepare_folder(folder, history, *, checkpoints):
    """
    Make the folder of a run, free of what a killed one was writing.

    Parameters
    ----------
    folder : `pathlib.Path`
        The folder.

    history : list of dict
        The figures of the epochs so far.

    checkpoints : sequence of str
        The names of checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*checkpoints, METRICS):
        for path in folder.glob(f'.{name}.*.tmp*'):
            path.unlink(missing_ok=True)
    if history:
        write_metrics(folder / METRICS, history)


def make_progress_bar(progress, *, n_batches, epochs, show):
    """
    Make the progress bar of an epoch.

    Parameters
    ----------
    progress : `~photutils_pconv.training.progress.Progress`
        How far the training has come.

    n_batches, epochs : int
        The number of batches an epoch, and of epochs.

    show : bool
        Whether to show it.

    Returns
    -------
    bar : `tqdm.tqdm`
        The progress bar.
    """
    from tqdm.auto import tqdm

    return tqdm(
        total=n_batches,
        initial=progress.batch,
        desc=f'epoch {progress.epoch + 1}/{epochs}',
        disable=not show,
    )


def find_tensorboard():
    """
    Find what writes TensorBoard's events.

    Returns
    -------
    writer : type or `None`
        The class; `None` where tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter


class Monitor:
    """
    The metrics file, TensorBoard's events and the pictures of a run.

    Parameters
    ----------
    folder : path-like
        The folder.

    examples : int, optional
        The number of cutouts in a picture; 0 for no pictures.

    tensorboard : bool, optional
        Whether to write events, where tensorboard is installed.

    enabled : bool, optional
        Whether to write anything: one of several processes does.
    """

    def __init__(self, folder, *, examples=4, tensorboard=True, enabled=True):
        self.folder = Path(folder)
        self.examples = examples if enabled else 0
        self.enabled = enabled
        self.tensorboard = None
        if tensorboard and enabled:
            writer = find_tensorboard()
            if writer is not None:
                self.tensorboard = writer(str(self.folder / 'events'))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.tensorboard is not None:
            self.tensorboard.close()

    def show(self, history, examples=None):
        """
        Write what the last epoch gave.

        Parameters
        ----------
        history : list of dict
            The figures of every epoch.

        examples : tuple, optional
            Cutouts and what the network made of them, as
            `write_examples` takes them.
        """
        if not self.enabled:
            return
        row = history[-1]
        write_metrics(self.folder / METRICS, history)
        if self.tensorboard is not None:
            for name, value in row.items():
                if name not in ('epoch', 'step'):
                    self.tensorboard.add_scalar(name, value, row['step'])
        if self.examples and examples is not None:
            cutouts, output = examples
            write_examples(
                self.folder / f'epoch_{row["epoch"]:03d}.png',
                [part[: self.examples] for part in cutouts],
                output[: self.examples],
            )


def write_metrics(path, history):
    """
    Write the figures of all epochs as a CSV file.

    The whole file is written anew, so that a resumed run leaves no row
    twice.

    Parameters
    ----------
    path : path-like
        The file.

    history : list of dict
        A dict an epoch.
    """
    names = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, names, restval='', lineterminator='\n')
    writer.writeheader()
    writer.writerows(history)
    write_bytes_atomically(Path(path), text.getvalue().encode())


def write_examples(path, cutouts, output):
    """
    Draw cutouts: input with holes, target, output, and their difference.

    Parameters
    ----------
    path : path-like
        The PNG file.

    cutouts : `~photutils_pconv.training.Cutouts`
        The cutouts, arrays of shape (N, H, W).

    output : `~numpy.ndarray`
        What the network made of them, (N, H, W).

    Returns
    -------
    written : bool
        False where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    n = len(output)
    titles = ('input', 'target', 'output', 'output - target')
    figure = Figure(figsize=(2.2 * len(titles), 2.2 * n), layout='constrained')
    axes = figure.subplots(n, len(titles), squeeze=False, sharex=True, sharey=True)
    options = {'origin': 'lower', 'interpolation': 'nearest'}
    for k, (*parts, out) in enumerate(zip(*cutouts, output, strict=True)):
        image, target, validity, missing = parts
        known = missing == 0
        low, high = np.percentile(target[known] if known.any() else target, [1, 99])
        half = max(0.5 * (high - low), 1e-6)
        images = (image, target, out, out - target)
        for ax, values, title in zip(axes[k], images, titles, strict=True):
            stretch = {
                'vmin': low,
                'vmax': low + 2 * half,
                'cmap': BRIGHTNESS_COLORS,
            }
            if title == titles[-1]:
                stretch = {'vmin': -half, 'vmax': half, 'cmap': DIFFERENCE_COLORS}
            ax.imshow(np.where(known, values, np.nan), **stretch, **options)
            ax.set(xticks=[], yticks=[])
            if title == titles[0] and validity.min() < validity.max():
                # Its rim alone: the hole's inside shows the source.
                ax.contour(validity, levels=[0.5], colors='w', linewidths=0.6)
            if k == 0:
                ax.set_title(title, fontsize=9)
    content = io.BytesIO()
    figure.savefig(content, format='png', dpi=90)
    write_bytes_atomically(Path(path), content.getvalue())
    return True
