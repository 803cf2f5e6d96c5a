# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From predicted cutouts to the emission of a map.

Overlapping cutouts are averaged with weights that depend on positions
alone: neither the order of the sources nor the batch size matters.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.cutouts import CUTOUT_SIZE, cutout_origin, taper_weight
from photutils_pconv.network.running import make_predictor

__all__ = ['TAPER_WIDTH', 'Reconstruction', 'choose_sizes', 'reconstruct']

#: The width of the taper around a hole, in pixels.
TAPER_WIDTH = 2.0

# Fewer usable pixels than this in a cutout tell nothing of the emission.
_MINIMUM_VALID = 64
# Cutouts that can grow with their hole keep this much around it (pixels), and
# their sides are multiples of this.
_SURROUNDINGS = 12
_MULTIPLE = 32


@dataclass(frozen=True)
class Reconstruction:
    """
    The reconstructed extended emission of a map.

    Parameters
    ----------
    emission : 2D `~numpy.ndarray`
        The reconstruction where ``weight`` is positive, 0 elsewhere.

    weight : 2D `~numpy.ndarray`
        The reconstruction's weight in the cleaned map: 1 in the holes,
        falling to 0 over the taper around them.

    filled : 1D bool `~numpy.ndarray`
        Whether each source's hole could be filled.

    wings : 2D `~numpy.ndarray`, optional
        The wings of sources to be taken off outside of the holes.

    foreign : 2D `~numpy.ndarray`, optional
        What the holes hold of the wings of other sources, which are not in
        ``emission``.
    """

    emission: np.ndarray
    weight: np.ndarray
    filled: np.ndarray
    wings: np.ndarray | None = None
    foreign: np.ndarray | None = None

    @property
    def holes(self):
        """
        The changed pixels, taper included (2D bool `~numpy.ndarray`).
        """
        if self.wings is None:
            return self.weight > 0
        return (self.weight > 0) | (self.wings != 0)

    def clean(self, data):
        """
        Replace the sources of a map by the reconstruction.

        Parameters
        ----------
        data : 2D `~numpy.ndarray`
            The map.

        Returns
        -------
        cleaned : 2D `~numpy.ndarray`
            The cleaned map, equal to ``data`` bit for bit outside
            `holes`.
        """
        if self.wings is not None:
            return self._blend(data - self.wings, self.emission)
        return self.replace_holes(data)

    def replace_holes(self, data):
        """
        Replace what each hole holds of its own source.

        Parameters
        ----------
        data : 2D `~numpy.ndarray`
            The map.

        Returns
        -------
        replaced : 2D `~numpy.ndarray`
            The map with all wings that lie beyond the hole of their source:
            the difference from ``data`` is what belongs to the sources.
        """
        emission = self.emission
        if self.foreign is not None:
            emission = emission + self.foreign
        return self._blend(data, emission)

    def _blend(self, data, emission):
        cleaned = data.copy()
        holes = self.weight > 0
        weight = self.weight[holes]
        # Not data + w * (emission - data): where w is 1 a bright source
        # would leave its rounding error in a faint reconstruction.
        cleaned[holes] = weight * emission[holes] + (1.0 - weight) * data[holes]
        return cleaned

    def clean_error(self, error, x, y, radius, scatter):
        """
        Give the error of the cleaned map.

        Parameters
        ----------
        error : 2D `~numpy.ndarray`
            The map's error.

        x, y, radius : 1D `~numpy.ndarray`
            The positions and hole radii, in pixels.

        scatter : 1D `~numpy.ndarray`
            The scatter of the emission around each source.

        Returns
        -------
        error : 2D `~numpy.ndarray`
            The scatter inside the holes (the largest, where they
            overlap), the map's error elsewhere.
        """
        inside = np.zeros(error.shape)
        blender = Blender(error.shape, TAPER_WIDTH)
        for i in np.flatnonzero(self.filled):
            window = blender.mark(x[i], y[i], radius[i])
            if window is not None:
                region, _, weight = window
                part = inside[region]
                np.maximum(part, np.where(weight > 0, scatter[i], 0.0), out=part)
        return np.where(
            self.holes,
            np.hypot(self.weight * inside, (1.0 - self.weight) * error),
            error,
        )


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


class Blender:
    """
    Collect reconstructions, weighted by the distance from their source.
    """

    def __init__(self, shape, taper_width):
        self.shape = shape
        self.taper_width = taper_width
        self.weight = np.zeros(shape)
        self._sum = np.zeros(shape)
        self._norm = np.zeros(shape)

    def _window(self, x, y, radius):
        reach = radius + self.taper_width
        ny, nx = self.shape
        x0, x1 = max(int(np.ceil(x - reach)), 0), min(int(x + reach) + 1, nx)
        y0, y1 = max(int(np.ceil(y - reach)), 0), min(int(y + reach) + 1, ny)
        if x0 >= x1 or y0 >= y1:
            return None
        distance = np.hypot(
            np.arange(x0, x1)[None, :] - x, np.arange(y0, y1)[:, None] - y
        )
        weight = taper_weight(distance, radius, width=self.taper_width)
        return np.s_[y0:y1, x0:x1], distance, weight

    def mark(self, x, y, radius):
        """
        Set the weight of one hole; return what `add` needs.
        """
        window = self._window(x, y, radius)
        if window is not None:
            region, _, weight = window
            np.maximum(self.weight[region], weight, out=self.weight[region])
        return window

    def add(self, emission, origin, x, y, radius):
        """
        Add one cutout's reconstruction.
        """
        window = self.mark(x, y, radius)
        if window is None:
            return
        (rows, columns), distance, weight = window
        part = emission[
            rows.start - origin[1] : rows.stop - origin[1],
            columns.start - origin[0] : columns.stop - origin[0],
        ]
        share = weight / (1.0 + distance)
        self._sum[rows, columns] += share * part
        self._norm[rows, columns] += share

    def finish(self, missing):
        """
        Return the mean reconstruction and its weight in the map.
        """
        use = (self._norm > 0) & ~missing
        emission = np.zeros(self.shape)
        emission[use] = self._sum[use] / self._norm[use]
        return emission, np.where(use, self.weight, 0.0)


def _progress(iterable, show):
    if not show:
        return iterable
    from tqdm.auto import tqdm

    return tqdm(iterable, desc='inpainting', unit='batch')
