# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The orientation of cutouts: the sky has no up, but a network may.

Cutouts are turned by quarter turns so that their bright side lies in the same
direction before a network sees them. A map that is turned then gives a result
that is turned.
"""

import numpy as np

__all__ = ['ALL_TURNS', 'find_up', 'turn_stack']

#: The quarter turns of a full circle.
ALL_TURNS = 4


def find_up(images, validity):
    """
    Find by how many quarter turns cutouts are turned so that they lie alike.

    Their bright side then lies in the same direction.

    Parameters
    ----------
    images : (N, H, W) `~numpy.ndarray`
        The images.

    validity : (N, H, W) `~numpy.ndarray`
        1 where they are usable.

    Returns
    -------
    turns : (N,) int `~numpy.ndarray`
        The quarter turns.
    """
    light = images * validity
    rows = np.arange(images.shape[1]) - 0.5 * (images.shape[1] - 1)
    columns = np.arange(images.shape[2]) - 0.5 * (images.shape[2] - 1)
    # With rows downwards, as arrays are turned.
    angle = np.arctan2(-(light.sum(axis=2) @ rows), light.sum(axis=1) @ columns)
    return -np.rint(angle / (0.5 * np.pi)).astype(int)


def turn_stack(stack, turns):
    """
    Turn the images of a stack, each by its own number of quarter turns.

    Parameters
    ----------
    stack : (N, ..., H, W) `~numpy.ndarray`
        The images; H equals W.

    turns : int or (N,) int `~numpy.ndarray`
        The quarter turns, counter-clockwise with rows downwards.

    Returns
    -------
    turned : (N, ..., H, W) `~numpy.ndarray`
        A copy.
    """
    turns = np.broadcast_to(turns, len(stack)) % ALL_TURNS
    turned = stack.copy()
    for k in np.unique(turns[turns > 0]):
        turned[turns == k] = np.rot90(stack[turns == k], k, axes=(-2, -1))
    return turned
