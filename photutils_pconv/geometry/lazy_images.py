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
    """

    dtype = np.dtype(float)

    def __init__(self, image, other):
        self._image = image
        self._other = other

    @property
    def shape(self):
        """
        The shape (ny, nx) of the images.
        """
        return self._image.shape

    def __getitem__(self, region):
        return self._image[region] - self._other[region]


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
