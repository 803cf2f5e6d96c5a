# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Partial convolutions and the two blocks that the network is made of.

A partial convolution (Liu et al. 2018, ECCV 11215, 89) looks only at
valid pixels, rescales its sum to a full window, and hands on an updated
validity: an output pixel is valid as soon as one pixel of its window is.

All feature channels that come from one tensor share one validity, so it
travels as a single channel a branch: a layer behind a skip connection
sees two branches, hence two validity channels. This gives the result of
one validity channel a feature at a fraction of the work.
"""

import torch
from torch import nn
from torch.nn import functional as F

__all__ = [
    'PCDown',
    'PCUp',
    'PartialConv2d',
    'PartialConvTranspose2d',
    'check_input',
    'make_activation',
]


def make_activation(name):
    """
    Make an activation layer by name.

    Parameters
    ----------
    name : {'relu', 'leaky_relu', 'identity'}
        The activation. ``'leaky_relu'`` has the negative slope 0.2 of
        the paper's decoder (section 3.2.1).

    Returns
    -------
    activation : `torch.nn.Module`
        The layer.

    Raises
    ------
    ValueError
        If the name is not one of the accepted ones.
    """
    accepted = {
        'relu': lambda: nn.ReLU(inplace=True),
        'leaky_relu': lambda: nn.LeakyReLU(0.2, inplace=True),
        'identity': nn.Identity,
    }
    if name not in accepted:
        msg = f'activation must be one of {sorted(accepted)}, got {name!r}'
        raise ValueError(msg)
    return accepted[name]()


def check_input(image, validity, *, in_channels, divisor, minimum, hint=''):
    """
    Refuse cutouts that a network cannot take.

    Parameters
    ----------
    image, validity : `torch.Tensor`
        The network's input.

    in_channels : int
        The number of images a cutout.

    divisor, minimum : int
        What the sides must be multiples of, and how long at least.

    hint : str, optional
        What the message adds: why, and what to do.

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    if image.ndim != 4 or image.shape[1] != in_channels:
        msg = (
            f'image must have the shape (N, {in_channels}, H, W), got '
            f'{tuple(image.shape)}'
        )
        raise ValueError(msg)
    expected = (image.shape[0], 1, *image.shape[2:])
    if tuple(validity.shape) != expected:
        msg = (
            f'validity must have the shape {expected} (one channel, 1 = usable), '
            f'got {tuple(validity.shape)}'
        )
        raise ValueError(msg)
    for size in image.shape[2:]:
        if size < minimum or size % divisor:
            msg = (
                f'the height and width must be multiples of {divisor} and at least '
                f'{minimum}{hint}, got {tuple(image.shape[2:])}: pad the image and '
                'give the padding the validity 0'
            )
            raise ValueError(msg)


class _PartialConvBase(nn.Module):
    """
    What both partial convolutions share: branches, rescaling, bias.
    """

    def __init__(
        self, branches, out_channels, kernel_size, stride, padding, *, bias=False
    ):
        super().__init__()
        self.branches = tuple(branches)
        self.in_channels = sum(self.branches)
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.weight = nn.Parameter(self._empty_weight())
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self, generator=None):
        """
        Draw new weights.

        Parameters
        ----------
        generator : `torch.Generator`, optional
            The source of randomness; by default torch's global one.
        """
        # He initialisation for the taps that an output pixel really sees.
        std = (2.0 / self.window) ** 0.5
        nn.init.normal_(self.weight, 0.0, std, generator=generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, *branches, memory_format=None):
        """
        Convolve the branches' features and update the validity.

        Parameters
        ----------
        *branches : tuple of `torch.Tensor`
            ``(features, validity)`` pairs of shapes (N, C, H, W) and
            (N, 1, H, W), one a branch.

        memory_format : `torch.memory_format`, optional
            The layout in which they are convolved (default: as they are).

        Returns
        -------
        features, validity : `torch.Tensor`
            The output (N, out_channels, H', W') and its validity
            (N, 1, H', W').
        """
        features = [f * v.to(f.dtype) for f, v in branches]
        features = features[0] if len(features) == 1 else torch.cat(features, dim=1)
        if memory_format is not None:
            # It is faster to join the branches first.
            features = features.contiguous(memory_format=memory_format)
        # How many inputs are usable at each pixel.
        usable = sum(
            n * v.float() for n, (_, v) in zip(self.branches, branches, strict=True)
        )
        # Counts reach several thousand: bfloat16 could not hold them.
        with torch.autocast(usable.device.type, enabled=False):
            count = self._count(usable)
            valid = count > 0
            scale = torch.where(valid, self.window / count.clamp(min=1.0), 0.0)
            validity = valid.float()

        out = self._convolve(features, self.weight)
        # In place: no backward pass needs the convolution's own output, but for the
        # scale's gradient, and that has none.
        out = out.mul_(scale.to(out.dtype))
        if self.bias is not None:
            bias = self.bias.to(out.dtype).view(1, -1, 1, 1)
            out = out.addcmul_(bias, validity.to(out.dtype))
        return out, validity

    def extra_repr(self):
        """
        Describe the layer, as torch's layers do.

        Returns
        -------
        text : str
            The description.
        """
        return (
            f'{self.branches}, {self.out_channels}, '
            f'kernel_size={self.kernel_size}, stride={self.stride}, '
            f'padding={self.padding}, bias={self.bias is not None}'
        )


class PartialConv2d(_PartialConvBase):
    """
    Partial convolution: ``W(X * V) * window / sum(V) + b``.

    The sum runs over the window and all input channels; ``window`` is
    its value where everything is valid. See the module's notes.

    Parameters
    ----------
    branches : tuple of int
        The number of feature channels of each input branch.

    out_channels : int
        The number of output channels.

    kernel_size, stride, padding : int
        As in `torch.nn.Conv2d`.

    bias : bool, optional
        Whether to add a bias to valid output pixels.
    """

    @property
    def window(self):
        """The number of inputs that an output pixel sees."""
        return self.in_channels * self.kernel_size**2

    def _empty_weight(self):
        k = self.kernel_size
        return torch.empty(self.out_channels, self.in_channels, k, k)

    def _count(self, usable):
        """Sum over the windows of all output pixels."""
        return F.avg_pool2d(
            usable, self.kernel_size, self.stride, self.padding, divisor_override=1
        )

    def _convolve(self, x, weight):
        return F.conv2d(x, weight, stride=self.stride, padding=self.padding)


class PartialConvTranspose2d(_PartialConvBase):
    """
    Transposed partial convolution, the learnt upsampling of the decoder.

    With stride s an output pixel sees ``(kernel_size / s)**2`` of the
    kernel's taps, which is what ``window`` counts.

    Parameters
    ----------
    branches : tuple of int
        The number of feature channels of each input branch.

    out_channels : int
        The number of output channels.

    kernel_size, stride, padding : int
        As in `torch.nn.ConvTranspose2d`.

    bias : bool, optional
        Whether to add a bias to valid output pixels.
    """

    @property
    def window(self):
        """The number of inputs that an (interior) output pixel sees."""
        return self.in_channels * self.kernel_size**2 / self.stride**2

    def _empty_weight(self):
        k = self.kernel_size
        return torch.empty(self.in_channels, self.out_channels, k, k)

    def _count(self, usable):
        """Sum over the windows of all output pixels."""
        return self._convolve(usable, usable.new_ones(1, 1, *2 * [self.kernel_size]))

    def _convolve(self, x, weight):
        return F.conv_transpose2d(x, weight, stride=self.stride, padding=self.padding)


class PCDown(nn.Module):
    """
    Encoder block: partial convolution, batch norm, activation (Fig. 6).

    Parameters
    ----------
    in_channels, out_channels : int
        The channel counts (Table 4).

    kernel_size, stride, padding : int
        The convolution's geometry (Table 4).

    activation : str, optional
        See `make_activation`.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        *,
        activation='relu',
    ):
        super().__init__()
        self.conv = PartialConv2d(
            (in_channels,), out_channels, kernel_size, stride, padding
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.activation = make_activation(activation)

    def forward(self, branch):
        """
        Apply the block to one ``(features, validity)`` pair.

        Parameters
        ----------
        branch : tuple of `torch.Tensor`
            The features and their validity.

        Returns
        -------
        branch : tuple of `torch.Tensor`
            The new features and their validity.
        """
        x, validity = self.conv(branch)
        return self.activation(self.bn(x)), validity


class PCUp(nn.Module):
    """
    Decoder block: transposed partial convolution, batch norm, activation.

    Parameters
    ----------
    branches : tuple of int
        The channels of each input branch: those from below and, behind
        a skip connection, those of the encoder.

    out_channels : int
        The number of output channels (Table 4).

    kernel_size, stride, padding : int
        The convolution's geometry (Table 4).

    activation : str, optional
        See `make_activation`.

    final : bool, optional
        Whether this is the last block, which has a bias but neither
        batch norm nor activation.
    """

    def __init__(
        self,
        branches,
        out_channels,
        kernel_size,
        stride,
        padding,
        *,
        activation='leaky_relu',
        final=False,
    ):
        super().__init__()
        self.conv = PartialConvTranspose2d(
            branches, out_channels, kernel_size, stride, padding, bias=final
        )
        self.bn = nn.Identity() if final else nn.BatchNorm2d(out_channels)
        self.activation = make_activation('identity' if final else activation)

    def forward(self, *branches):
        """
        Apply the block to its ``(features, validity)`` pairs.

        Parameters
        ----------
        *branches : tuple of `torch.Tensor`
            One pair a branch.

        Returns
        -------
        branch : tuple of `torch.Tensor`
            The new features and their validity.
        """
        x, validity = self.conv(*branches)
        return self.activation(self.bn(x)), validity
