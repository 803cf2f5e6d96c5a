# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Augmentation of training cutouts: shifts, flips, rotations (section 2.4.3).

Input, target, validity and missing pixels always move together. What a
cutout gets follows from (seed, epoch, index) alone.
"""

import numpy as np
import torch

from photutils_pconv._utils.optional import require
from photutils_pconv.network.orientation import find_up, turn_stack

__all__ = ['augment', 'draw_transforms', 'turn_cutouts', 'turn_upright']

# One of the streams that share a seed; see `photutils_pconv.training.data`.
_STREAM = 4
_ROTATIONS = ('quarter', 'any', 'none')


def draw_transforms(keys, shape, *, seed, shift=2, flips=True, rotation='quarter'):
    """
    Draw the affine transform of each cutout.

    Parameters
    ----------
    keys : sequence of tuple of int
        The (epoch, index) of each cutout.

    shape : tuple of int
        The cutouts' height and width.

    seed : int
        The seed.

    shift : int, optional
        The largest shift along each axis, in whole pixels.

    flips : bool, optional
        Whether to flip, along each axis with a probability of one half.

    rotation : {'quarter', 'any', 'none'}, optional
        Quarter turns, turns by any angle, or none.

    Returns
    -------
    matrices : `~numpy.ndarray`
        Of shape (N, 2, 3): the matrices take a pixel (x, y, 1) of the
        cutout to its place in the augmented one. Flips and rotations
        leave the cutout's centre where it is, half a pixel below the
        pixel (size / 2, size / 2), about which sources scatter.

    Raises
    ------
    ValueError
        If ``rotation`` is unknown, or a quarter turn is asked for and
        the cutouts are not square.
    """
    if rotation not in _ROTATIONS:
        msg = f'rotation must be one of {list(_ROTATIONS)}, got {rotation!r}'
        raise ValueError(msg)
    height, width = shape
    if rotation == 'quarter' and height != width:
        msg = f'quarter turns need square cutouts, got {height} x {width} pixels'
        raise ValueError(msg)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    matrices = np.zeros((len(keys), 2, 3))
    for matrix, (epoch, index) in zip(matrices, keys, strict=True):
        rng = np.random.default_rng([seed, _STREAM, epoch, index])
        # All is drawn in any case: an option changes only what it is for.
        flip = rng.integers(2, size=2)
        turns = rng.integers(4)
        angle = rng.uniform(0.0, 2.0 * np.pi)
        move = rng.integers(-shift, shift + 1, size=2)
        linear = np.eye(2)
        if flips:
            linear = np.diag(1.0 - 2.0 * flip)
        if rotation == 'quarter':
            # Whole numbers: cos(pi / 2) is not 0 in floating point.
            turn = np.array([[0.0, -1.0], [1.0, 0.0]])
            linear = np.linalg.matrix_power(turn, turns) @ linear
        elif rotation == 'any':
            cos, sin = np.cos(angle), np.sin(angle)
            linear = np.array([[cos, -sin], [sin, cos]]) @ linear
        matrix[:, :2] = linear
        matrix[:, 2] = centre - linear @ centre + move
    return matrices


def augment(cutouts, keys, *, seed, shift=2, flips=True, rotation='quarter'):
    """
    Shift, flip and rotate cutouts.

    Whole-pixel shifts, flips and quarter turns only move pixels. A turn
    by any angle interpolates between four: a pixel is then usable where
    all four are, and missing where one of them is. What comes in from
    beyond the cutout is missing.

    Parameters
    ----------
    cutouts : `Cutouts` or `ResidualCutouts`
        The cutouts, tensors of shape (N, C, H, W). Pixels that are NaN
        or infinite in input or target become missing ones.

    keys : sequence of tuple of int
        The (epoch, index) of each cutout.

    seed : int
        The seed.

    shift, flips, rotation : optional
        As for `draw_transforms`.

    Returns
    -------
    cutouts : `Cutouts` or `ResidualCutouts`
        New cutouts of the same shape, free of NaN.

    Raises
    ------
    ImportError
        If kornia is missing; the message says what to install.

    ValueError
        If an option is not accepted.
    """
    warp_affine = require('kornia.geometry.transform').warp_affine
    image, target, validity, missing = cutouts[:4]
    # They are 0 where pixels are missing, and stay so.
    others = {
        name: part
        for name in ('hole', 'weight')
        if (part := getattr(cutouts, name)) is not None
    }
    finite = torch.isfinite(image).all(dim=1, keepdim=True)
    bad = (missing > 0) | ~finite | ~torch.isfinite(target)
    # Even a weight of 0 would spread NaN.
    image = torch.where(bad, 0.0, image)
    target = torch.where(bad, 0.0, target)
    present = (~bad).to(image.dtype)
    usable = torch.where(bad, 0.0, validity)

    shape = image.shape[-2:]
    matrices = draw_transforms(
        keys, shape, seed=seed, shift=shift, flips=flips, rotation=rotation
    )
    stack = torch.cat([image, target, usable, present, *others.values()], dim=1)
    stack = warp_affine(
        stack,
        torch.from_numpy(matrices).to(stack),
        tuple(shape),
        mode='bilinear' if rotation == 'any' else 'nearest',
        padding_mode='zeros',
        align_corners=True,
    )
    sizes = [image.shape[1], *[1] * (3 + len(others))]
    image, target, usable, present, *moved = stack.split(sizes, dim=1)
    # The weights of four pixels sum to 1 but for rounding.
    present = (present > 0.999).to(image.dtype)
    usable = (usable > 0.999).to(image.dtype) * present
    moved = [part * present for part in moved]
    others = dict(zip(others, moved, strict=True))
    if 'hole' in others:
        others['hole'] = (others['hole'] > 0.5).to(image.dtype)
    return cutouts._replace(
        image=image * present,
        target=target * present,
        validity=usable,
        missing=1 - present,
        **others,
    )


def turn_cutouts(cutouts, rng):
    """
    Turn a batch of square cutouts by 90, 180 or 270 degrees, and flip half.

    Parameters
    ----------
    cutouts : `Cutouts` or `ResidualCutouts`
        The batch.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    cutouts : `Cutouts` or `ResidualCutouts`
        The batch, all of it turned alike and never as it was.
    """
    turns, flip = int(rng.integers(1, 4)), rng.random() < 0.5
    parts = (torch.rot90(part, turns, (-2, -1)) for part in cutouts)
    if flip:
        parts = (part.flip(-1) for part in parts)
    return type(cutouts)(*(part.contiguous() for part in parts))


def turn_upright(cutouts):
    """
    Turn square cutouts as networks that are run on one turn see them in use.

    Parameters
    ----------
    cutouts : `Cutouts` or `ResidualCutouts`
        The batch.

    Returns
    -------
    cutouts : `Cutouts` or `ResidualCutouts`
        The batch, each cutout turned so that its bright side lies where
        `~photutils_pconv.network.make_predictor` puts it.
    """
    image, validity = cutouts.image[:, 0].numpy(), cutouts.validity[:, 0].numpy()
    turns = find_up(image, validity)
    return type(cutouts)(
        *(torch.from_numpy(turn_stack(part.numpy(), turns)) for part in cutouts)
    )
