# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The partial-convolution U-Net of the paper (section 3.2, Table 4, Fig. 7)."""

import torch
from torch import nn

from photutils_pconv.network.blocks import PCDown, PCUp, check_input
from photutils_pconv.network.windows import (
    clip,
    coarsen,
    crop,
    grow,
    refine,
    take_middle,
)

__all__ = ['PConvUNet']

# Table 4 in units of the width: output channels, kernel, stride, padding.
_ENCODER = (
    (1, 3, 1, 1),
    (2, 4, 2, 1),
    (2, 3, 1, 1),
    (4, 4, 2, 1),
    (4, 3, 1, 1),
    (8, 4, 2, 1),
    (8, 3, 1, 1),
    (16, 4, 2, 1),
    (16, 3, 1, 1),
    (16, 4, 2, 1),
    (16, 3, 1, 0),
)
_DECODER = (
    (16, 3, 1, 0),
    (16, 4, 2, 1),
    (16, 3, 1, 1),
    (8, 4, 2, 1),
    (8, 3, 1, 1),
    (4, 4, 2, 1),
    (4, 3, 1, 1),
    (2, 4, 2, 1),
    (2, 3, 1, 1),
    (1, 4, 2, 1),
    (None, 3, 1, 1),
)
# Five strides of two, then a 3 x 3 convolution without padding.
_DIVISOR = 32
_MINIMUM_SIZE = 96


class PConvUNet(nn.Module):
    """
    U-Net of 11 + 11 partial-convolution blocks with skip connections.

    Parameters
    ----------
    width : int, optional
        The channel count of the first block; all others scale with it.
        The paper's network has 32 (Table 4: 32 to 512 channels).

    decoder_activation : {'leaky_relu', 'relu'}, optional
        The decoder's activation: ``'leaky_relu'`` (slope 0.2) as the
        paper's text says, ``'relu'`` as in the authors' released
        checkpoints.

    in_channels : int, optional
        The number of input images a cutout.

    Raises
    ------
    ValueError
        If ``width`` or ``in_channels`` is not a positive integer or the
        activation is unknown.
    """

    def __init__(self, *, width=32, decoder_activation='leaky_relu', in_channels=1):
        super().__init__()
        for name, value in (('width', width), ('in_channels', in_channels)):
            if not isinstance(value, int) or value < 1:
                msg = f'{name} must be a positive integer, got {value!r}'
                raise ValueError(msg)
        self.width = width
        self.decoder_activation = decoder_activation
        self.in_channels = in_channels

        encoder = []
        channels = in_channels
        skips = []
        for factor, kernel, stride, padding in _ENCODER:
            out = factor * width
            encoder.append(PCDown(channels, out, kernel, stride, padding))
            skips.append(out)
            channels = out
        self.encoder = nn.ModuleList(encoder)

        decoder = []
        # The bottom of the network feeds the decoder directly.
        skips.pop()
        for i, (factor, kernel, stride, padding) in enumerate(_DECODER):
            final = factor is None
            out = 1 if final else factor * width
            branches = (channels,) if i == 0 else (channels, skips.pop())
            decoder.append(
                PCUp(
                    branches,
                    out,
                    kernel,
                    stride,
                    padding,
                    activation=decoder_activation,
                    final=final,
                )
            )
            channels = out
        self.decoder = nn.ModuleList(decoder)

    @property
    def config(self):
        """The keyword arguments that rebuild this network (`dict`)."""
        return {
            'width': self.width,
            'decoder_activation': self.decoder_activation,
            'in_channels': self.in_channels,
        }

    #: The output may be wanted near the middle only.
    crops = True

    def forward(self, image, validity, *, reach=None):
        """
        Predict the source-free image.

        Parameters
        ----------
        image : `torch.Tensor`
            The normalised cutouts, (N, in_channels, H, W). H and W are
            multiples of 32 and at least 96. Values where ``validity`` is
            0 have no influence, but must be finite.

        validity : `torch.Tensor`
            1 for usable pixels, 0 for holes and missing pixels,
            (N, 1, H, W).

        reach : int, optional
            How far from the middle the emission is wanted, in pixels (default:
            everywhere). It is the same there, but for rounding, at a fraction of
            the decoder's work. Not for training.

        Returns
        -------
        emission : `torch.Tensor`
            The predicted extended emission, (N, 1, H, W); 0 where it is not
            wanted.

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
            hint=' (five strides of two, then a 3 x 3 window)',
        )
        branch = (image, validity.to(torch.float32))
        skips = []
        for block in self.encoder:
            branch = block(branch)
            skips.append(branch)
        skips.pop()
        branch = self.decoder[0](branch)
        if reach is None:
            for block in self.decoder[1:]:
                branch = block(branch, skips.pop())
            return branch[0]
        return self._decode_middle(branch, skips, image.shape[2:], int(reach))

    def _decode_middle(self, branch, skips, shape, reach):
        """
        Go through the decoder as far as the middle of the output needs it.
        """
        wanted = clip(take_middle(shape, reach), shape)
        # From the output down: what each block needs of its input.
        needed, window = [], wanted
        for block, (skip, _) in zip(reversed(self.decoder[1:]), skips, strict=True):
            stride = block.conv.stride
            below = clip(coarsen(grow(window, 1), stride), skip.shape[2:])
            # With the window of the block's own output.
            needed.append((below, refine(below, stride), window))
            window = below
        branch = _crop_both(branch, window)
        for block, (below, given, window) in zip(
            self.decoder[1:], reversed(needed), strict=True
        ):
            branch = block(branch, _crop_both(skips.pop(), below))
            # Beyond this, the rim lacks what was cut off.
            branch = _crop_both(branch, window, given)
        emission = branch[0].new_zeros(len(branch[0]), 1, *shape)
        crop(emission, wanted).copy_(branch[0])
        return emission


def _crop_both(branch, window, within=None):
    """
    Cut features and their validity.
    """
    return tuple(crop(one, window, within) for one in branch)
