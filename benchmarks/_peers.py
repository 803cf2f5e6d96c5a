# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What others put into a hole: the benchmarks' peers.

Each peer is a function from an image and a hole (True = to be filled) to
the filled image; pixels outside the hole stay as they are. Image and
hole are stamps around a single source.
"""

from functools import partial

from photutils_pconv.evaluation.methods import (
    fill_annulus_mean,
    fill_biharmonic,
    fill_interpolated,
    fill_local_median,
    fill_maskfill,
)

__all__ = [
    'fill_annulus_mean',
    'fill_biharmonic',
    'fill_interpolated',
    'fill_local_median',
    'fill_maskfill',
    'make_peers',
]


def _is_installed(name):
    from importlib.util import find_spec

    return find_spec(name) is not None


def make_peers(*, inner, outer):
    """
    Collect the peers that can be run here.

    Parameters
    ----------
    inner, outer : float
        The radii of the standard annulus, in pixels.

    Returns
    -------
    peers : dict
        The names of the peers and their functions of image and hole.
        scikit-image and maskfill are optional: without one of them, its
        peer is left out.
    """
    peers = {
        'annulus': partial(fill_annulus_mean, inner=inner, outer=outer),
        'local median': fill_local_median,
        'interpolated': fill_interpolated,
    }
    if _is_installed('skimage'):
        peers['biharmonic'] = fill_biharmonic
    if _is_installed('maskfill'):
        peers['maskfill'] = fill_maskfill
    return peers
