# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images of the size of a map that hold something around its sources alone.

Numpy takes memory for zeros when they are first written to. An image that is made
of zeros, and is written to around sources only, therefore costs what is around them,
however large the map; what is calculated from it must not be written everywhere.
"""

import numpy as np

__all__ = ['Difference', 'copy_sparse']


class Difference:
    """
    The difference of images, worked out where it is looked at.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The first image.

    other : 2D `~numpy.ndarray`
        What is subtracted.

    zero : 2D bool `~numpy.ndarray`, optional
        Pixels in which the difference is 0 all the same.
    """

    dtype = np.dtype(float)

    def __init__(self, image, other, *, zero=None):
        self._image = image
        self._other = other
        self._zero = zero

    @property
    def shape(self):
        """
        The shape (ny, nx) of the images.
        """
        return self._image.shape

    def __getitem__(self, region):
        values = self._image[region] - self._other[region]
        if self._zero is not None:
            values[self._zero[region]] = 0.0
        return values

    def mean(self):
        """
        Give the mean over all pixels (float), those of ``zero`` included as they are.
        """
        return float(self._image.mean() - self._other.mean())


def copy_sparse(image):
    """
    Copy an image that is mostly 0, and take memory for the rest only.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The image.

    Returns
    -------
    copied : 2D `~numpy.ndarray`
        The copy.
    """
    copied = np.zeros_like(image)
    np.copyto(copied, image, where=image != 0)
    return copied
