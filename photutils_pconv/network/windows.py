# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Windows of feature maps, for networks whose output is wanted near the middle only.

A window is a pair of pixels along each axis, the first one and the one beyond the
last: ``[(top, bottom), (left, right)]``.
"""

__all__ = ['clip', 'coarsen', 'crop', 'grow', 'refine', 'take_middle']


def take_middle(shape, reach):
    """
    Give the window around the middle of an image.

    Parameters
    ----------
    shape : 2-tuple of int
        The image's shape (H, W).

    reach : int
        How far from the middle it reaches, in pixels.

    Returns
    -------
    window : list of 2-tuple of int
        The window, which may lie beyond the image.
    """
    return [(size // 2 - reach, size // 2 + reach) for size in shape]


def grow(window, margin):
    """
    Widen a window on all sides.

    Parameters
    ----------
    window : list of 2-tuple of int
        The window.

    margin : int
        By how many pixels.

    Returns
    -------
    window : list of 2-tuple of int
        The wider window.
    """
    return [(low - margin, high + margin) for low, high in window]


def clip(window, shape):
    """
    Leave out what lies beyond an image.

    Parameters
    ----------
    window : list of 2-tuple of int
        The window.

    shape : 2-tuple of int
        The image's shape (H, W).

    Returns
    -------
    window : list of 2-tuple of int
        What is left of it.
    """
    return [
        (max(low, 0), min(high, size))
        for (low, high), size in zip(window, shape, strict=True)
    ]


def coarsen(window, factor):
    """
    Find the pixels of a lower resolution in which a window lies.

    Parameters
    ----------
    window : list of 2-tuple of int
        The window.

    factor : int
        How many of its pixels one of them spans along an axis.

    Returns
    -------
    window : list of 2-tuple of int
        The window of coarse pixels.
    """
    return [(low // factor, -(-high // factor)) for low, high in window]


def refine(window, factor):
    """
    Find the pixels of a higher resolution that a window spans.

    Parameters
    ----------
    window : list of 2-tuple of int
        The window.

    factor : int
        How many of them one of its pixels spans along an axis.

    Returns
    -------
    window : list of 2-tuple of int
        The window of fine pixels.
    """
    return [(factor * low, factor * high) for low, high in window]


def crop(x, window, within=None):
    """
    Cut a window out of features.

    Parameters
    ----------
    x : `torch.Tensor`
        The features, (N, C, H, W).

    window : list of 2-tuple of int
        The window.

    within : list of 2-tuple of int, optional
        The window that the features are of (default: all of the image).

    Returns
    -------
    x : `torch.Tensor`
        A view of the features in the window.
    """
    within = ((0, None),) * 2 if within is None else within
    rows, columns = (
        slice(low - first, high - first)
        for (low, high), (first, _) in zip(window, within, strict=True)
    )
    return x[:, :, rows, columns]
