# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The terms of the loss that compare pixels and fluxes (section 3.3).

All images have the shape (N, C, H, W); ``validity`` is the paper's M,
(N, 1, H, W) with 1 where a pixel is usable. Missing pixels belong to
neither side of the loss: `WeightedLoss` hands the terms an output that
equals the target there, and those that take a mean over a region are
given by ``missing``.
"""

import torch

__all__ = [
    'balanced_loss',
    'composite',
    'hole_l1',
    'mean_flux_loss',
    'psf_flux_loss',
    'source_loss',
    'valid_l1',
]

# No hole of the paper's reaches farther, in pixels.
_CENTRAL = 17.0


def composite(output, target, validity):
    """
    Put the output's holes into the target: the paper's I_comp.

    Parameters
    ----------
    output, target : `torch.Tensor`
        The network's output and the true emission, (N, C, H, W).

    validity : `torch.Tensor`
        1 for usable pixels, (N, 1, H, W).

    Returns
    -------
    image : `torch.Tensor`
        The output in holes, the target elsewhere.
    """
    return validity * target + (1 - validity) * output


def _masked_l1(output, target, region, mean, limit, reduce):
    difference = output - target
    if limit is not None:
        difference = difference.clamp(-limit, limit)
    error = difference.abs() * region
    if mean == 'image':
        return error.mean()
    if mean != 'region':
        msg = f"mean must be 'image' or 'region', got {mean!r}"
        raise ValueError(msg)
    size = region.expand_as(error).sum()
    if reduce is not None:
        size = reduce(size)
    return error.sum() / size.clamp(min=1)


def hole_l1(
    output, target, validity, *, mean='image', limit=None, missing=None, reduce=None
):
    """
    Compute the L1 loss over the holes (Eq. 2).

    Parameters
    ----------
    output, target : `torch.Tensor`
        The network's output and the true emission, (N, C, H, W).

    validity : `torch.Tensor`
        1 for usable pixels, (N, 1, H, W).

    mean : {'image', 'region'}, optional
        Whether the sum is divided by the number of all pixels, as in
        Eq. 2, or by that of the holes' pixels.

    limit : float, optional
        Errors beyond it count as this much and pull no more: a wild
        cutout cannot rule a batch.

    missing : `torch.Tensor`, optional
        1 for missing pixels, (N, 1, H, W), which do not count.

    reduce : callable, optional
        Averages a tensor over all processes, for ``mean='region'``: the
        processes' gradients then add up to those of one large batch.

    Returns
    -------
    loss : `torch.Tensor`
        A number.
    """
    hole = 1 - validity
    if missing is not None:
        hole = hole * (1 - missing)
    return _masked_l1(output, target, hole, mean, limit, reduce)


def valid_l1(output, target, validity, *, mean='image', limit=None, reduce=None):
    """
    Compute the L1 loss over the usable pixels (Eq. 2).

    Parameters
    ----------
    output, target : `torch.Tensor`
        The network's output and the true emission, (N, C, H, W).

    validity : `torch.Tensor`
        1 for usable pixels, (N, 1, H, W).

    mean, limit, reduce : optional
        As for `hole_l1`; ``'region'`` are the usable pixels.

    Returns
    -------
    loss : `torch.Tensor`
        A number.
    """
    return _masked_l1(output, target, validity, mean, limit, reduce)


def mean_flux_loss(output, target, validity, *, limit=None, missing=None):
    """
    Compute the mean absolute error of the cutouts' means over holes.

    A source's flux sees the mean of the reconstruction's error, which
    the L1 terms do not know from its scatter. This term is not in the
    paper.

    Parameters
    ----------
    output, target : `torch.Tensor`
        The network's output and the true emission, (N, C, H, W).

    validity : `torch.Tensor`
        1 for usable pixels, (N, 1, H, W).

    limit, missing : optional
        As for `hole_l1`.

    Returns
    -------
    loss : `torch.Tensor`
        A number; a cutout without holes adds 0.
    """
    difference = output - target
    if limit is not None:
        difference = difference.clamp(-limit, limit)
    hole = 1 - validity
    if missing is not None:
        hole = hole * (1 - missing)
    hole = hole.expand_as(difference)
    axes = tuple(range(1, difference.ndim))
    size = hole.sum(dim=axes).clamp(min=1)
    return ((difference * hole).sum(dim=axes) / size).abs().mean()


def psf_flux_loss(output, target, weight, *, limit=None):
    """
    Compute the mean absolute error of the fluxes of the central sources.

    It is what the error of the emission adds to a flux when the source's
    pixels are summed with the weights of a PSF fit. This term is not in
    the paper.

    Parameters
    ----------
    output, target : `torch.Tensor`
        The network's output and the true emission, (N, C, H, W).

    weight : `torch.Tensor`
        The weights, (N, 1, H, W), 0 where pixels are missing.

    limit : float, optional
        As for `hole_l1`.

    Returns
    -------
    loss : `torch.Tensor`
        A number, in units of the scale of the cutouts: the error of the
        source's central pixel.
    """
    difference = output - target
    if limit is not None:
        difference = difference.clamp(-limit, limit)
    axes = tuple(range(1, difference.ndim))
    return (difference * weight).sum(dim=axes).abs().mean()


def balanced_loss(
    output,
    target,
    validity,
    *,
    valid=0.3,
    flux=0.5,
    aperture=0.5,
    radius=4.0,
    power=0.5,
    lag=6,
    floor=0.02,
    limit=20.0,
    missing=None,
):
    """
    Compute the mean of the cutouts' errors, each over its emission's roughness.

    The error of a cutout is the absolute deviation over the hole from the mean
    error, plus the weighted L1 over usable pixels and the errors of the means
    over the hole about the centre and over an aperture in it, which are what
    fluxes see. It is divided by a power of the mean difference of pixels
    ``lag`` apart outside of the holes, so that plain cutouts count beside those
    that nobody can fill. Since this weight does not depend on the error itself,
    and since pixels cannot pull the mean, the mean over the aperture is as
    often too high as too low. This term is not in the paper.

    Parameters
    ----------
    output, target : `torch.Tensor`
        The network's output and the true emission, (N, C, H, W).

    validity : `torch.Tensor`
        1 for usable pixels, (N, 1, H, W).

    valid, flux, aperture : float, optional
        The weights of the L1 over usable pixels and of the two means.

    radius : float, optional
        The aperture's radius, in pixels.

    power : float, optional
        The power of the roughness.

    lag : int, optional
        The distance of the pixels that are compared, in pixels.

    floor : float, optional
        What is added to each roughness.

    limit, missing : optional
        As for `hole_l1`.

    Returns
    -------
    loss : `torch.Tensor`
        A number; a cutout whose hole has no known pixel does not count.
    """
    difference = (output - target).clamp(-limit, limit)
    hole = 1 - validity
    if missing is not None:
        hole = hole * (1 - missing)
    axes = tuple(range(1, difference.ndim))

    def mean(image, region):
        region = region.expand_as(image)
        return (image * region).sum(dim=axes) / region.sum(dim=axes).clamp(min=1)

    distance = _distance(hole.shape[-2:], like=hole)
    # Of the holes of all sources, that of the central one.
    central = hole * (distance <= _CENTRAL)
    offset = mean(difference, hole)
    centred = difference - offset[:, None, None, None]
    error = mean(centred.abs(), hole)
    error = error + valid * mean(difference.abs(), validity)
    error = error + flux * mean(difference, central).abs()
    error = error + aperture * mean(difference, hole * (distance <= radius)).abs()
    with torch.no_grad():
        weight = (_roughness(target, validity, lag) + floor) ** -power
    known = (hole.sum(dim=axes) > 0).to(error.dtype)
    return (known * weight * error).sum() / known.sum().clamp(min=1)


def _roughness(target, validity, lag):
    total = count = 0.0
    axes = tuple(range(1, target.ndim))
    valid = validity.expand_as(target)
    for dim in (-2, -1):
        length = target.shape[dim] - lag
        step, both = (
            operation(image.narrow(dim, lag, length), image.narrow(dim, 0, length))
            for image, operation in ((target, torch.sub), (valid, torch.mul))
        )
        total = total + (step.abs() * both).sum(dim=axes)
        count = count + both.sum(dim=axes)
    return total / count.clamp(min=1)


def _distance(shape, *, like):
    # Sources scatter about the point half a pixel below the middle pixel.
    y, x = (torch.arange(n, device=like.device) - (n - 1) / 2 for n in shape)
    return torch.hypot(y[:, None].expand(shape), x.expand(shape)).to(like.dtype)


def source_loss(output, target, validity=None, *, composited=False):
    """
    Compute the source loss (Eq. 6).

    The input cancels in (I_orig - I_gt) - (I_orig - I_pred), so it is
    left out, and with it the rounding errors of bright sources. The norm
    is divided by the number of pixels, as those of Eq. 2 are.

    Parameters
    ----------
    output, target : `torch.Tensor`
        The network's output and the true emission, (N, C, H, W).

    validity : `torch.Tensor`, optional
        1 for usable pixels, (N, 1, H, W); for ``composited``.

    composited : bool, optional
        Whether the prediction is the output in holes and the input
        elsewhere, as in the authors' program: only holes then depend on
        the network, and only they are counted.

    Returns
    -------
    loss : `torch.Tensor`
        A number.
    """
    difference = output - target
    if composited:
        if validity is None:
            msg = 'composited=True needs validity'
            raise ValueError(msg)
        difference = difference * (1 - validity)
    return difference.abs().mean()
