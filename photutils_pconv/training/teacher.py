# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A trained network as the teacher of another one (distillation).

A small network that learns what a large one predicts gets closer to it than by
learning from the truth alone: what nobody can say about the emission in a hole
is not among what it is asked for (Hinton et al. 2015, arXiv:1503.02531).
"""

import torch

from photutils_pconv.network.kinds import check_kind
from photutils_pconv.network.orientation import ALL_TURNS
from photutils_pconv.network.weights import load_model
from photutils_pconv.training._inputs import check_scaling

__all__ = ['Teacher', 'load_teacher']


class Teacher:
    """
    A network that says what another one is to predict.

    Parameters
    ----------
    network : `torch.nn.Module`
        The network, in evaluation mode.
    """

    def __init__(self, network):
        self.network = network
        # A network that learnt the orientation of its cutouts is asked as it is.
        self._turns = getattr(network, 'turns', None) is not None

    @torch.no_grad()
    def predict(self, image, validity):
        """
        Predict the emission.

        Each cutout is turned by another number of quarter turns before, and back
        after it: on average the prediction is that of all four.

        Parameters
        ----------
        image : `torch.Tensor`
            The normalised cutouts, (N, C, H, W), with H equal to W.

        validity : `torch.Tensor`
            1 for usable pixels, (N, 1, H, W).

        Returns
        -------
        emission : `torch.Tensor`
            The emission, (N, 1, H, W).
        """
        if not self._turns:
            return self.network(image, validity)
        output = self.network(_turn(image, 1), _turn(validity, 1))
        return _turn(output, -1)


def load_teacher(name, kind, normalisation, *, device='cpu'):
    """
    Load the network that another one is to learn from.

    Parameters
    ----------
    name : str
        A bundled model or a weights file.

    kind : {'masked', 'residual'}
        The kind of the cutouts.

    normalisation : dict
        Their scaling.

    device : `torch.device` or str, optional
        Where it runs.

    Returns
    -------
    teacher : `Teacher`
        The teacher.

    Raises
    ------
    ValueError
        If it is a model for other cutouts.
    """
    model = load_model(name, cache=False)
    check_kind(model.card, kind)
    check_scaling(model.card, normalisation, setting='loss.teacher', given=name)
    return Teacher(model.network.eval().requires_grad_(False).to(device))


def _turn(stack, sign):
    """
    Turn every cutout by its place in the stack, modulo four, times the sign.
    """
    turned = torch.empty_like(stack)
    for k in range(min(ALL_TURNS, len(stack))):
        turned[k::ALL_TURNS] = torch.rot90(stack[k::ALL_TURNS], sign * k, (-2, -1))
    return turned
