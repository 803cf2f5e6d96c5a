# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The terms of the loss that compare the look of images (section 3.3).

All images have the shape (N, C, H, W).
"""

import torch

from photutils_pconv._utils.optional import require

__all__ = [
    'compare_styles',
    'gram_matrices',
    'gram_matrix',
    'ssim_loss',
    'style_loss',
]


def gram_matrix(features):
    """
    Compute the Gram matrices of feature maps, times K_p (section 3.3.2).

    Parameters
    ----------
    features : `torch.Tensor`
        Feature maps, (N, C, H, W).

    Returns
    -------
    gram : `torch.Tensor`
        The sums of products of two channels over all pixels, divided by
        ``C * H * W`` (Liu et al. 2018), (N, C, C).
    """
    n, c, h, w = features.shape
    flat = features.reshape(n, c, h * w)
    return flat @ flat.transpose(1, 2) / (c * h * w)


def gram_matrices(image, features):
    """
    Compute the Gram matrices of all feature maps of an image.

    Parameters
    ----------
    image : `torch.Tensor`
        The image, (N, C, H, W).

    features : callable
        As for `style_loss`.

    Returns
    -------
    grams : list of `torch.Tensor`
        Those of each layer.
    """
    return [gram_matrix(layer) for layer in features(image)]


def compare_styles(grams, wanted):
    """
    Compare the Gram matrices of two images.

    Parameters
    ----------
    grams, wanted : list of `torch.Tensor`
        Those of the network's output and of the true emission, as
        `gram_matrices` gives them.

    Returns
    -------
    loss : `torch.Tensor`
        What `style_loss` gives of the images.
    """
    return sum(
        (gram - true).abs().mean() for gram, true in zip(grams, wanted, strict=True)
    )


def style_loss(output, target, features):
    """
    Compute the style loss of one image (Eq. 3).

    Parameters
    ----------
    output : `torch.Tensor`
        The network's output, for the paper's L_style_out, or its
        `composite`, for L_style_comp, (N, C, H, W).

    target : `torch.Tensor`
        The true emission.

    features : callable
        Gives the feature maps Psi_p of an image as a list of tensors,
        such as `~photutils_pconv.training.features.VGG16Features`.

    Returns
    -------
    loss : `torch.Tensor`
        The sum over layers of the mean absolute difference of the Gram
        matrices (the mean divides by C_p C_p), averaged over the batch.
    """
    with torch.no_grad():
        wanted = gram_matrices(target, features)
    return compare_styles(gram_matrices(output, features), wanted)


def ssim_loss(output, target, *, window=5, max_val=2.0, halved=False):
    """
    Compute the structural-similarity loss, 1 - SSIM (Eqs. 4 and 5).

    Parameters
    ----------
    output, target : `torch.Tensor`
        The network's output and the true emission, (N, C, H, W).

    window : int, optional
        The number of taps of kornia's Gaussian window (sigma 1.5).

    max_val : float, optional
        The dynamic range L of Eq. 5: 2 for images that span [-1, 1]. The
        authors' program leaves it at 1.

    halved : bool, optional
        Whether to give (1 - SSIM) / 2, which is kornia's loss.

    Returns
    -------
    loss : `torch.Tensor`
        A number.
    """
    if halved:
        kornia_losses = require('kornia.losses')
        return kornia_losses.ssim_loss(output, target, window, float(max_val))
    similarity = require('kornia.metrics').ssim(output, target, window, float(max_val))
    return (1 - similarity).mean()
