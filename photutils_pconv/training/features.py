# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Feature extractors for the style loss: VGG-16, or fixed random filters.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import torch
from torch import nn

__all__ = ['RandomFeatures', 'VGG16Features', 'fetch_vgg16']

_URL = 'https://download.pytorch.org/models/vgg16-397923af.pth'
_SHA256 = '397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0'

# Channels of the first seven convolutions of VGG-16 (configuration D of
# Simonyan & Zisserman 2015); 'pool' halves the image.
_LAYERS = (64, 64, 'pool', 128, 128, 'pool', 256, 256, 256, 'pool')
# Where the paper's three feature maps end.
_SLICES = ((0, 5), (5, 10), (10, 17))
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def fetch_vgg16(folder=None):
    """
    Find the weights of VGG-16, or download them (528 MB) once.

    Parameters
    ----------
    folder : path-like, optional
        Where they are kept; by default torch's own folder, which
        torchvision uses too.

    Returns
    -------
    path : `pathlib.Path`
        The file, whose SHA-256 was compared.

    Raises
    ------
    ConnectionError
        If the file is not there and cannot be downloaded.

    ValueError
        If the file is not the expected one.
    """
    if folder is None:
        folder = Path(torch.hub.get_dir()) / 'checkpoints'
    path = Path(folder).expanduser() / Path(_URL).name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # It writes under another name, and renames after the check.
            torch.hub.download_url_to_file(
                _URL, str(path), hash_prefix=_SHA256, progress=False
            )
        except (URLError, OSError) as exc:
            msg = (
                f'the VGG-16 weights could not be downloaded from {_URL} ({exc}). '
                f'Without a network, copy the file to {str(path)!r} by other means, '
                "name a copy of it with vgg_weights, or choose features = 'random', "
                'which needs no file.'
            )
            raise ConnectionError(msg) from exc
        except RuntimeError as exc:
            msg = f'the download of {_URL} has a wrong checksum: try again ({exc})'
            raise ValueError(msg) from exc
        return path
    with open(path, 'rb') as handle:
        digest = hashlib.file_digest(handle, 'sha256').hexdigest()
    if digest != _SHA256:
        msg = (
            f'{str(path)!r} is damaged or another file (SHA-256 {digest[:12]}..., '
            f'expected {_SHA256[:12]}...): delete it, and it is downloaded again'
        )
        raise ValueError(msg)
    return path


class _Features(nn.Module):
    """
    Fixed layers in slices, each of which ends in one feature map.
    """

    def _freeze(self):
        self.eval()
        self.requires_grad_(False)

    def train(self, mode=True):
        """
        Stay in evaluation mode: the features never change.

        Parameters
        ----------
        mode : bool, optional
            Ignored.

        Returns
        -------
        self : `torch.nn.Module`
            The extractor.
        """
        return super().train(False)


class VGG16Features(_Features):
    """
    The first three pooled feature maps of VGG-16.

    Parameters
    ----------
    weights : path-like or dict, optional
        A file in torchvision's format (a state dict with
        ``features.0.weight`` and so on) or such a dict; by default
        `fetch_vgg16`.

    normalise : bool, optional
        Whether to shift and scale the image by the means and standard
        deviations of ImageNet. The authors' program does not.

    Raises
    ------
    ConnectionError
        If the weights are to be downloaded and cannot be.

    FileNotFoundError
        If there is no such file.

    ValueError
        If the file does not hold the weights of VGG-16.
    """

    def __init__(self, weights=None, *, normalise=False):
        super().__init__()
        self.normalise = normalise
        self.register_buffer('mean', torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor(_STD).view(1, 3, 1, 1))
        layers = []
        channels = 3
        for layer in _LAYERS:
            if layer == 'pool':
                layers.append(nn.MaxPool2d(2, 2))
                continue
            # Without the usual random start: the weights are read below.
            layers.append(nn.utils.skip_init(nn.Conv2d, channels, layer, 3, padding=1))
            layers.append(nn.ReLU())
            channels = layer
        self.layers = nn.Sequential(*layers)
        self.layers.load_state_dict(self._read(weights))
        self._freeze()

    def _read(self, weights):
        if isinstance(weights, Mapping):
            label, content = 'the state dict', weights
        else:
            path = fetch_vgg16() if weights is None else Path(os.fspath(weights))
            label = repr(str(path))
            content = _load(path.expanduser(), label)
        state = {}
        for name, tensor in self.layers.state_dict().items():
            given = content.get(f'features.{name}')
            shape = None if given is None else tuple(given.shape)
            if shape != tuple(tensor.shape):
                found = 'nothing' if shape is None else f'the shape {shape}'
                msg = (
                    f"{label} does not hold torchvision's VGG-16 weights: "
                    f"'features.{name}' must have the shape {tuple(tensor.shape)}, "
                    f'found {found}'
                )
                raise ValueError(msg)
            state[name] = torch.as_tensor(given, dtype=torch.float32)
        return state

    def forward(self, image):
        """
        Compute the feature maps.

        Parameters
        ----------
        image : `torch.Tensor`
            The image, (N, 1, H, W), which is repeated for the three
            colours, or (N, 3, H, W).

        Returns
        -------
        features : list of `torch.Tensor`
            With 64, 128 and 256 channels at H/2, H/4 and H/8.
        """
        x = image.expand(-1, 3, -1, -1)
        if self.normalise:
            x = (x - self.mean) / self.std
        maps = []
        for start, stop in _SLICES:
            x = self.layers[start:stop](x)
            maps.append(x)
        return maps


def _load(path, label):
    if not path.is_file():
        msg = f'no file with VGG-16 weights: {label}'
        raise FileNotFoundError(msg)
    with open(path, 'rb') as handle:
        try:
            content = torch.load(handle, map_location='cpu', weights_only=True)
        except Exception as exc:
            # A damaged file fails in many ways, OSError among them.
            msg = f'{label} could not be read as a state dict: {exc}'
            raise ValueError(msg) from exc
    if not isinstance(content, Mapping):
        msg = f'{label} must hold a state dict, got {type(content).__name__}'
        raise ValueError(msg)
    return content


class RandomFeatures(_Features):
    """
    Feature maps of fixed random filters, which need no download.

    Gram matrices of random convolutions describe texture nearly as well
    as trained ones do (Ustyuzhaninov et al. 2017, ICLR).

    Parameters
    ----------
    channels : tuple of int, optional
        The number of filters of each layer; every layer is a 3 x 3
        convolution, ReLU and a mean over 2 x 2 pixels.

    seed : int, optional
        The seed of the filters.
    """

    def __init__(self, channels=(16, 32, 64), *, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        layers = []
        before = 1
        for after in channels:
            conv = nn.utils.skip_init(nn.Conv2d, before, after, 3, padding=1)
            with torch.no_grad():
                # He's scale keeps the maps of the order of the image.
                scale = (2.0 / (9 * before)) ** 0.5
                shape = conv.weight.shape
                conv.weight.copy_(torch.randn(shape, generator=generator) * scale)
                conv.bias.zero_()
            layers.append(nn.Sequential(conv, nn.ReLU(), nn.AvgPool2d(2)))
            before = after
        self.layers = nn.ModuleList(layers)
        self._freeze()

    def forward(self, image):
        """
        Compute the feature maps.

        Parameters
        ----------
        image : `torch.Tensor`
            The image, (N, 1, H, W).

        Returns
        -------
        features : list of `torch.Tensor`
            One map a layer, each of half the size of the one before.
        """
        maps = []
        for layer in self.layers:
            image = layer(image)
            maps.append(image)
        return maps
