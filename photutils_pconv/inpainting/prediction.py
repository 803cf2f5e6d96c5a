# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Batches of cutouts, predicted by a network and blended into a map.
"""

import numpy as np

from photutils_pconv.geometry.cutouts import CUTOUT_SIZE, cutout_origin
from photutils_pconv.geometry.holes import TAPER_WIDTH
from photutils_pconv.inpainting.blending import Blender
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.network.running import make_predictor

__all__ = [
    'choose_sizes',
    'reconstruct',
]

# Fewer usable pixels than this in a cutout tell nothing of the emission.
_MINIMUM_VALID = 64
# Cutouts that can grow with their hole keep this much around it (pixels), and
# their sides are multiples of this.
_SURROUNDINGS = 12
_MULTIPLE = 32


def choose_sizes(model, reach):
    """
    Choose the side of each cutout by how far its hole reaches.

    Parameters
    ----------
    model : `~photutils_pconv.network.LoadedModel`
        The network and its card.

    reach : 1D `~numpy.ndarray`
        The radii of what is to be seen, in pixels.

    Returns
    -------
    sizes : 1D int `~numpy.ndarray`
        The sides, in pixels: the model's, or more if its network takes any.
    """
    smallest = model.card.cutout_size
    if not getattr(model.network, 'any_size', False):
        return np.full(len(reach), smallest)
    needed = 2.0 * (reach + _SURROUNDINGS)
    return np.maximum(smallest, _MULTIPLE * np.ceil(needed / _MULTIPLE)).astype(int)


def reconstruct(
    make_input,
    x,
    y,
    radius,
    *,
    network,
    missing,
    sizes=None,
    to_jy_per_pixel=1.0,
    taper_width=TAPER_WIDTH,
    batch_size=64,
    device='auto',
    precision='auto',
    progress_bar=False,
    collect=None,
):
    """
    Have a network predict cutouts, and blend them into a map.

    Parameters
    ----------
    make_input : callable
        Called with the indices of a batch of sources, the first pixels
        (x, y) of their cutouts, and the cutouts' side; gives the network's input
        (N, C, H, W), the validity (N, H, W) and the
        `~photutils_pconv.geometry.Scaling` to be inverted.

    x, y, radius : 1D `~numpy.ndarray`
        The positions and the holes' radii, in pixels.

    network : `torch.nn.Module`
        The network.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels of the map.

    sizes : 1D int `~numpy.ndarray`, optional
        The sides of the cutouts (default: those of the paper, 96 pixels).

    to_jy_per_pixel, taper_width, batch_size, device, precision, progress_bar
        As for `~photutils_pconv.inpainting.inpaint`.

    collect : callable, optional
        Called with a source's index, its cutout of the prediction, and
        the cutout's first pixel, for each hole that could be filled.

    Returns
    -------
    reconstruction : `Reconstruction`
        The reconstructed emission.
    """
    predict = make_predictor(network, device, precision)
    if sizes is None:
        sizes = np.full(len(x), CUTOUT_SIZE)
    # A sum's rounding depends on its order: take that from the positions.
    order = np.lexsort((radius, x, y))
    blender = Blender(missing.shape, taper_width)
    filled = np.zeros(len(x), dtype=bool)
    batches = [
        (int(size), members[start : start + batch_size])
        for size in np.unique(sizes)
        for members in [order[sizes[order] == size]]
        for start in range(0, len(members), batch_size)
    ]
    for size, batch in _progress(batches, progress_bar and len(batches) > 0):
        origins = np.stack(cutout_origin(x[batch], y[batch], size=size), axis=1)
        images, validity, scaling = make_input(batch, origins, size)
        enough = validity.sum(axis=(1, 2)) >= _MINIMUM_VALID
        emission = scaling.invert(predict(images, validity)) / to_jy_per_pixel
        filled[batch] = enough
        for k in np.flatnonzero(enough):
            i = batch[k]
            blender.add(emission[k], origins[k], x[i], y[i], radius[i])
            if collect is not None:
                collect(i, emission[k], origins[k])
    emission, weight = blender.finish(missing)
    return Reconstruction(emission, weight, filled)


def _progress(iterable, show):
    if not show:
        return iterable
    from tqdm.auto import tqdm

    return tqdm(iterable, desc='inpainting', unit='batch')
