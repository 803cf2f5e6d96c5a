# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checks of arrays: maps, and values for each source.
"""

import numpy as np

__all__ = [
    'as_map',
    'join_missing',
    'match_radius',
    'on_map',
    'one_per_source',
    'pair_positions',
    'take_off_level',
]

# The pixels that tell a map's level; by choice.
_ENOUGH_PIXELS = 2**16


def as_map(data, name, shape=None, *, dtype=float):
    """Return a 2-D array of floats, of the given shape if there is one."""
    data = np.asarray(data, dtype=dtype)
    if data.ndim != 2:
        msg = f'{name} must be a 2-D map, got {data.ndim} dimensions.'
        raise ValueError(msg)
    if shape is not None and data.shape != shape:
        msg = f"{name} must have the map's shape {shape}, got {data.shape}."
        raise ValueError(msg)
    return data


def join_missing(missing, data):
    """Return which pixels not to use: those given and those not finite."""
    bad = ~np.isfinite(data)
    if missing is None:
        return bad
    missing = np.asarray(missing)
    if missing.dtype != bool or missing.shape != data.shape:
        msg = (
            f"missing must be boolean and of the map's shape {data.shape}, "
            f'got {missing.dtype} of the shape {missing.shape}.'
        )
        raise ValueError(msg)
    return bad | missing


def take_off_level(data, missing):
    """
    Take a map's level off, so that missing pixels may hold 0.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    Returns
    -------
    data : 2D `~numpy.ndarray`
        The map less its level; 0 where pixels are missing.

    level : float
        The median of the others, or of 65,536 of them; 0 without any.
    """
    # Any level will do.
    step = max(int(np.sqrt(data.size / _ENOUGH_PIXELS)), 1)
    known = data[::step, ::step][~missing[::step, ::step]]
    if known.size == 0:
        known = data[~missing]
    # They are a copy, which the median may sort.
    level = float(np.median(known, overwrite_input=True)) if known.size else 0.0
    del known
    data = data - level
    data[missing] = 0.0
    return data, level


def pair_positions(x, y):
    """Return two 1-D float arrays of pixel positions, of one length."""
    x = np.atleast_1d(np.asarray(x, dtype=float))
    y = np.atleast_1d(np.asarray(y, dtype=float))
    if x.ndim != 1 or x.shape != y.shape:
        msg = (
            'x and y must be 1-D and of one length, got the shapes '
            f'{x.shape} and {y.shape}.'
        )
        raise ValueError(msg)
    return x, y


def on_map(x, y, shape):
    """Find which positions lie within the outer edges of a map's pixels."""
    ny, nx = shape
    return (x >= -0.5) & (x < nx - 0.5) & (y >= -0.5) & (y < ny - 0.5)


def one_per_source(value, shape, name):
    """Return a value for each source from one for all or one for each."""
    value = np.asarray(value, dtype=float)
    if value.ndim and value.shape != shape:
        msg = (
            f'{name} must be one number or one for each of the {shape[0]} '
            f'positions, got the shape {value.shape}.'
        )
        raise ValueError(msg)
    return np.broadcast_to(value, shape)


def match_radius(radius, shape, name='radius'):
    """Return a hole radius for each source; NaN is a source without a hole."""
    radius = one_per_source(radius, shape, name)
    if np.any(radius < 0) or np.any(np.isinf(radius)):
        msg = f'{name} must not be negative or infinite (NaN: no hole).'
        raise ValueError(msg)
    return radius
