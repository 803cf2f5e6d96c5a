# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A partial-convolution U-Net that corrects a smooth fill of the holes.

The holes are first filled by partial convolutions with fixed weights, level
by level of a pyramid, as their mask shrinks. Learnt partial convolutions
then see the image with its holes and the smooth fill side by side, and what
follows them predicts the difference from the fill. Most of the work is done
at half the resolution, which holds what a beam of two or more pixels leaves.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from photutils_pconv.network.blocks import PartialConv2d, check_input, make_activation
from photutils_pconv.network.windows import (
    clip,
    coarsen,
    crop,
    grow,
    refine,
    take_middle,
)

__all__ = ['FILLS', 'FilledUNet', 'ResidualBlock', 'smooth_fill']

#: Where the fill that a `FilledUNet` corrects comes from.
FILLS = ('smooth', 'given')

# Channels of the levels in units of the width, from half the resolution down.
_LEVELS = (1, 2, 3, 4)
# The stem and three strides of two.
_DIVISOR = 16
# The smallest cutout, in pixels: two pixels at the coarsest level.
_MINIMUM_SIZE = 32
# How far the output of a residual block sees along an axis, in pixels: two
# convolutions.
_BLOCK_REACH = 2
# The quarter turns of a full circle.
_ALL_TURNS = 4
# Even, so that a coarse pixel lies in the middle of its four fine ones.
_BINOMIAL = (1.0, 3.0, 3.0, 1.0)
# The sizes of images whose matrices are remembered.
_KEPT = 64


@lru_cache(maxsize=_KEPT)
def _halving(size):
    """Give the binomial average of every second pixel along an axis, as a matrix."""
    line = np.array(_BINOMIAL, dtype=np.float32) / sum(_BINOMIAL)
    padded = np.zeros((size // 2, size + 2), dtype=np.float32)
    for row, values in enumerate(padded):
        values[2 * row : 2 * row + line.size] = line
    return padded[:, 1:-1]


@lru_cache(maxsize=_KEPT)
def _stretching(size, larger):
    """Give linear interpolation to more pixels along an axis, as a matrix."""
    place = np.clip((np.arange(larger) + 0.5) * size / larger - 0.5, 0.0, size - 1.0)
    return np.maximum(1.0 - np.abs(place[:, None] - np.arange(size)), 0.0).astype(
        np.float32
    )


def _apply(matrices, images):
    """Multiply images (N, 1, H, W) with a matrix each for rows and columns."""
    # Much faster than convolutions of images with one channel.
    rows, columns = (torch.from_numpy(one).to(images) for one in matrices)
    return rows @ (images @ columns.T)


def smooth_fill(image, validity, *, minimum=4):
    """
    Fill holes smoothly, from the nearest usable pixels around them.

    Partial convolutions with a fixed binomial kernel halve the image until it
    has ``minimum`` pixels a side, each step closing holes further; on the
    way back every level's remaining holes are filled from the level below.

    Parameters
    ----------
    image : `torch.Tensor`
        The images, (N, 1, H, W); finite everywhere.

    validity : `torch.Tensor`
        1 for usable pixels, 0 for others, (N, 1, H, W).

    minimum : int, optional
        The size at which the pyramid ends, in pixels.

    Returns
    -------
    filled : `torch.Tensor`
        The images with their unusable pixels filled, (N, 1, H, W). Where
        nothing is usable they are 0.
    """
    levels = [(image * validity, validity)]
    while min(levels[-1][0].shape[2:]) > minimum:
        image, validity = levels[-1]
        halves = [_halving(size) for size in image.shape[2:]]
        share, total = (_apply(halves, one) for one in (validity, image * validity))
        # Without usable pixels both are 0.
        levels.append((total / share.clamp(min=1.0e-6), share.clamp(max=0.5) * 2.0))
    image, validity = levels.pop()
    while levels:
        finer, weight = levels.pop()
        sizes = zip(image.shape[2:], finer.shape[2:], strict=True)
        coarse = _apply([_stretching(*one) for one in sizes], image)
        image = weight * finer + (1.0 - weight) * coarse
    return image


class ResidualBlock(nn.Module):
    """
    Two 3 x 3 convolutions whose result is added to their input.

    The second one begins at zero, so that a new network is the smooth fill
    and needs no batch norm: amplitudes, which separate noise from emission, pass
    through it as they are.

    Parameters
    ----------
    channels : int
        The number of channels.

    activation : str, optional
        See `~photutils_pconv.network.blocks.make_activation`.

    dilation : int, optional
        The dilation of the first convolution.
    """

    def __init__(self, channels, *, activation='leaky_relu', dilation=1):
        super().__init__()
        self.first = nn.Conv2d(
            channels, channels, 3, padding=dilation, dilation=dilation
        )
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation = make_activation(activation)
        self.reset_last_layer()

    def reset_last_layer(self):
        """
        Set the second convolution to zero.
        """
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x):
        """
        Apply the block.

        Parameters
        ----------
        x : `torch.Tensor`
            The features, (N, C, H, W).

        Returns
        -------
        x : `torch.Tensor`
            The new features, of the same shape.
        """
        # In place: no backward pass needs a convolution's own output.
        return self.second(self.activation(self.first(x))).add_(x)


class FilledUNet(nn.Module):
    """
    A U-Net on top of a smooth fill, behind partial convolutions.

    Parameters
    ----------
    width : int, optional
        The number of channels at half the resolution; the levels below have
        2, 3 and 4 times as many.

    blocks : int, optional
        The number of residual blocks a level, on either side.

    in_channels : int, optional
        The number of input images; the first one is filled and corrected.

    fill : {'smooth', 'given'}, optional
        Whether the network fills the first image itself (`smooth_fill`), or
        the last image is the first one, filled.

    decoder_activation : {'leaky_relu', 'relu'}, optional
        The activation.

    turns : int, optional
        Over how many quarter turns predictions may be averaged in use, from 1
        to 4. Training takes no notice of it.

    Raises
    ------
    ValueError
        If a number is not a positive integer, ``turns`` is larger than 4,
        or an option is unknown.
    """

    #: Cutouts may be larger than those of the training.
    any_size = True
    #: The output is a correction of a fill that is calculated in float32.
    corrects_fill = True
    #: The output may be wanted near the middle only.
    crops = True

    def __init__(
        self,
        *,
        width=32,
        blocks=1,
        in_channels=1,
        fill='smooth',
        decoder_activation='leaky_relu',
        turns=4,
    ):
        super().__init__()
        given = {
            'width': width,
            'blocks': blocks,
            'in_channels': in_channels,
            'turns': turns,
        }
        for name, value in given.items():
            if not isinstance(value, int) or value < 1:
                msg = f'{name} must be a positive integer, got {value!r}'
                raise ValueError(msg)
        if fill not in FILLS:
            msg = f'fill must be one of {list(FILLS)}, got {fill!r}'
            raise ValueError(msg)
        if turns > _ALL_TURNS:
            msg = f'turns must be at most {_ALL_TURNS}, got {turns}'
            raise ValueError(msg)
        n_images = in_channels - (fill == 'given')
        if n_images < 1:
            msg = "fill='given' needs in_channels of at least 2: image and fill"
            raise ValueError(msg)
        self.width = width
        self.blocks = blocks
        self.in_channels = in_channels
        self.fill = fill
        self.decoder_activation = decoder_activation
        self.turns = turns
        channels = [factor * width for factor in _LEVELS]

        def stack(size):
            return nn.Sequential(
                *(
                    ResidualBlock(size, activation=decoder_activation)
                    for _ in range(blocks)
                )
            )

        # The image with its holes, the fill, and the mask itself.
        self.stem = PartialConv2d((n_images, 2), width, 4, 2, 1, bias=True)
        self.encoder = nn.ModuleList(stack(size) for size in channels)
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(channels)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in pairwise(channels)
        )
        self.decoder = nn.ModuleList(stack(size) for size in channels[:-1])
        self.activation = make_activation(decoder_activation)
        # Four values a pixel: those of the full resolution.
        self.head = nn.Conv2d(width, 4, 3, padding=1)
        self.reset_last_layer()

    def reset_last_layer(self):
        """
        Set the last convolution to zero: the network is then the fill itself.
        """
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @property
    def config(self):
        """The keyword arguments that rebuild this network (`dict`)."""
        return {
            'width': self.width,
            'blocks': self.blocks,
            'in_channels': self.in_channels,
            'fill': self.fill,
            'decoder_activation': self.decoder_activation,
            'turns': self.turns,
        }

    def forward(self, image, validity, *, reach=None):
        """
        Predict the source-free image.

        Parameters
        ----------
        image : `torch.Tensor`
            The normalised cutouts, (N, in_channels, H, W). H and W are
            multiples of 16 and at least 32. Values where ``validity`` is 0
            have no influence, but must be finite.

        validity : `torch.Tensor`
            1 for usable pixels, 0 for holes and missing pixels,
            (N, 1, H, W).

        reach : int, optional
            How far from the middle the emission is wanted, in pixels (default:
            everywhere). It is the same there, but for rounding, at a fraction of
            the decoder's work; beyond, it is the fill. Not for training.

        Returns
        -------
        emission : `torch.Tensor`
            The predicted extended emission, (N, 1, H, W).

        Raises
        ------
        ValueError
            If a shape does not fit.
        """
        check_input(
            image,
            validity,
            in_channels=self.in_channels,
            divisor=_DIVISOR,
            minimum=_MINIMUM_SIZE,
        )
        validity = validity.to(torch.float32)
        if self.fill == 'given':
            image, base = image[:, :-1], image[:, -1:].float()
        else:
            with torch.autocast(image.device.type, enabled=False):
                base = smooth_fill(image[:, :1].float(), validity)
        everywhere = torch.ones_like(validity)
        known = torch.cat([base, validity], dim=1)
        # Convolutions are the faster for it; all that follow have the layout of the
        # first. A training has a layout of its own.
        layout = None if torch.is_grad_enabled() else torch.channels_last
        x, _ = self.stem((image, validity), (known, everywhere), memory_format=layout)
        x = self.activation(x)
        skips = []
        for level, block in enumerate(self.encoder):
            if level:
                x = self.down[level - 1](x)
            x = block(x)
            skips.append(x)
        skips.pop()
        if reach is not None:
            return self._decode_middle(x, skips, base, int(reach))
        for up, block in zip(reversed(self.up), reversed(self.decoder), strict=True):
            x = block(up(x).add_(skips.pop()))
        return base + F.pixel_shuffle(self.head(x), 2).float()

    def _decode_middle(self, x, skips, base, reach):
        """
        Go through the decoder as far as the middle of the output needs it.
        """
        shape = base.shape[2:]
        wanted = coarsen(take_middle(shape, reach), 2)
        # From the output down: what each level needs, and what it takes from below.
        window, needed = grow(wanted, 1), []
        for skip, block in zip(skips, self.decoder, strict=True):
            size = skip.shape[2:]
            outer = clip(grow(window, len(block) * _BLOCK_REACH), size)
            below = coarsen(outer, 2)
            needed.append((clip(window, size), outer, below))
            window = below
        x, known = crop(x, window), window
        for up, block, (inner, outer, below) in zip(
            reversed(self.up), reversed(self.decoder), reversed(needed), strict=True
        ):
            x = up(crop(x, below, known))
            x = block(crop(x, outer, refine(below, 2)) + crop(skips.pop(), outer))
            # Beyond this, the rim lacks what was cut off.
            x, known = crop(x, inner, outer), inner
        wanted = clip(wanted, [size // 2 for size in shape])
        x = crop(self.head(x), wanted, known)
        emission = base.clone()
        middle = crop(emission, refine(wanted, 2))
        middle += F.pixel_shuffle(x, 2).float()
        return emission
