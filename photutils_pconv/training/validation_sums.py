# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The losses and figures of a validation set, summed batch by batch over all processes.
"""

import torch

from photutils_pconv._utils.optional import require
from photutils_pconv.training.validation import (
    hole_figures,
    residual_figures,
    softening_of,
    summarise,
    summarise_residual,
)

__all__ = ['ValidationSums']


class ValidationSums:
    """
    The means of the losses, and the figures of all cutouts.

    Parameters
    ----------
    names : sequence of str
        ``'loss'`` and the names of its terms.

    kind : {'masked', 'residual'}
        The kind of model.

    normalisation : dict
        The scaling of the data.

    accelerator : `accelerate.Accelerator`
        The accelerator, which knows of the other processes.
    """

    def __init__(self, names, kind, normalisation, accelerator):
        self._names = names
        self._kind = kind
        self._softening = softening_of(normalisation)
        self._accelerator = accelerator
        # Those of the cutouts, of the ones with a known pixel, and of the losses.
        self._sums = torch.zeros(
            2 + len(names), dtype=torch.float64, device=accelerator.device
        )
        self._figures = []

    def add_losses(self, loss, terms, missing):
        """
        Add the losses of a batch.

        Parameters
        ----------
        loss : `torch.Tensor`
            The loss.

        terms : dict of `torch.Tensor`
            Its terms.

        missing : `torch.Tensor`
            1 for missing pixels, (N, 1, H, W).
        """
        known = (missing < 1).any().to(loss)
        values = [torch.ones_like(loss), known, loss, *terms.values()]
        self._sums += torch.stack(values).double() * len(missing)

    def add_figures(self, output, cutouts):
        """
        Add the figures of a batch.

        Parameters
        ----------
        output : `~numpy.ndarray`
            The network's output, (N, H, W).

        cutouts : `~photutils_pconv.training.Cutouts` or \
                `~photutils_pconv.training.ResidualCutouts`
            The batch, arrays of the same shape.
        """
        if self._kind == 'residual':
            found = residual_figures(output, cutouts, softening=self._softening)
        else:
            image, target, validity, missing = cutouts
            found = hole_figures(output, target, image, validity, missing)
        self._figures.extend(found.tolist())

    def summarise(self):
        """
        Summarise the batches of all processes.

        Returns
        -------
        summary : dict
            ``valid_loss``, the terms, and the medians of the figures.

        Raises
        ------
        ValueError
            If no pixel of all cutouts is known.
        """
        sums, figures = self._sums, self._figures
        if self._accelerator.num_processes > 1:
            sums = self._accelerator.reduce(sums, reduction='sum')
            figures = require('accelerate.utils').gather_object(figures)
        if sums[1] == 0:
            msg = (
                'no pixel of all validation cutouts is known: all are missing, NaN or '
                'infinite'
            )
            raise ValueError(msg)
        means = (sums[2:] / sums[0]).tolist()
        values = {f'valid_{n}': v for n, v in zip(self._names, means, strict=True)}
        medians = summarise if self._kind == 'masked' else summarise_residual
        return {**values, **medians(figures)}
