# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images of the size of a map that take room where they are written to, or lie on disk.
"""

import mmap
import os
import tempfile
from contextlib import suppress

import numpy as np

__all__ = ['check_scratch', 'copy_to_scratch', 'make_zeros']

# The pixels that are copied together; by choice.
_PIXELS = 2**22
# From so many bytes on, numpy asks the system for pages of 2 MB, of which a few rows
# around each source fill nearly all (benchmarks/speed.py --large-maps).
_LARGE = 2**22


def check_scratch(folder):
    """
    Complain if a folder for scratch files is none.

    Parameters
    ----------
    folder : str, path-like or `None`
        The folder; `None` for the memory.

    Raises
    ------
    NotADirectoryError
        If it does not exist.
    """
    if folder is not None and not os.path.isdir(folder):
        msg = f'scratch must be a folder that exists, got {os.fspath(folder)!r}'
        raise NotADirectoryError(msg)


def make_zeros(shape, dtype, folder=None):
    """
    Make an image of zeros.

    Parameters
    ----------
    shape : tuple of int
        Its shape.

    dtype : `numpy.dtype`
        Its type.

    folder : str or path-like, optional
        Where to put it: a file without a name, which goes with the array (default:
        into memory).

    Returns
    -------
    image : `~numpy.ndarray`
        The image, which takes room where it is written to.
    """
    dtype = np.dtype(dtype)
    if folder is None:
        n_bytes = int(np.prod(shape)) * dtype.itemsize
        if n_bytes < _LARGE or not hasattr(mmap, 'MAP_ANONYMOUS'):
            return np.zeros(shape, dtype=dtype)
        memory = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # Systems without them refuse what they need not be told.
        with suppress(AttributeError, OSError):
            memory.madvise(mmap.MADV_NOHUGEPAGE)
        return np.frombuffer(memory, dtype=dtype).reshape(shape)
    # Numpy duplicates the file's handle.
    with tempfile.TemporaryFile(dir=folder, prefix='photutils_pconv') as file:
        image = np.memmap(file, dtype=dtype, mode='w+', shape=tuple(shape))
    return image.view(np.ndarray)


def copy_to_scratch(image, dtype, folder):
    """
    Copy an image to a scratch file, some rows at a time.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`, or what gives its parts
        The image.

    dtype : `numpy.dtype`
        The type of the copy.

    folder : str or path-like
        The folder of the file.

    Returns
    -------
    copied : 2D `~numpy.ndarray`
        The copy.
    """
    copied = make_zeros(image.shape, dtype, folder)
    rows = max(_PIXELS // max(image.shape[1], 1), 1)
    for start in range(0, image.shape[0], rows):
        part = slice(start, min(start + rows, image.shape[0]))
        region = part, slice(0, image.shape[1])
        copied[region] = image[region]
    return copied
