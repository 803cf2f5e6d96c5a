# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map with holes to the extended emission behind them.

All holes are drawn before any is filled, each is filled from the
untouched map, and overlapping reconstructions are averaged with weights
that depend on positions alone: neither the order of the sources nor the
batch size matters.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv._arguments import (
    check_batch_size,
    check_precision,
    choose_device,
)
from photutils_pconv.cutouts import (
    CUTOUT_SIZE,
    cutout_origin,
    extract_cutout,
    taper_weight,
)
from photutils_pconv.masks import draw_holes
from photutils_pconv.network_input import scale_cutouts
from photutils_pconv.resampling import resample_grid, to_native_position
from photutils_pconv.wings import expected_wings

__all__ = [
    'TAPER_WIDTH',
    'Reconstruction',
    'choose_sizes',
    'inpaint',
    'inpaint_resampled',
    'reconstruct',
]

#: The width of the taper around a hole, in pixels.
TAPER_WIDTH = 2.0

# Fewer usable pixels than this in a cutout tell nothing of the emission.
_MINIMUM_VALID = 64
# Cutouts that can grow with their hole keep this much around it (pixels), and
# their sides are multiples of this.
_SURROUNDINGS = 12
# The beam where nothing is known of it, in pixels.
_BEAM = 3.5
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
    """

    emission: np.ndarray
    weight: np.ndarray
    filled: np.ndarray
    wings: np.ndarray | None = None

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
            data = data - self.wings
        cleaned = data.copy()
        holes = self.weight > 0
        weight = self.weight[holes]
        # Not data + w * (emission - data): where w is 1 a bright source
        # would leave its rounding error in a faint reconstruction.
        cleaned[holes] = weight * self.emission[holes] + (1.0 - weight) * data[holes]
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
        blender = _Blender(error.shape, TAPER_WIDTH)
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


def inpaint(
    data,
    x,
    y,
    radius,
    *,
    model,
    profile=None,
    missing=None,
    to_jy_per_pixel=1.0,
    taper_width=TAPER_WIDTH,
    subtract_wings=False,
    batch_size=64,
    device='auto',
    precision='auto',
    progress_bar=False,
):
    """
    Reconstruct the extended emission in holes of a map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, on the model's native pixel scale.

    x, y : 1D `~numpy.ndarray`
        The sources' positions, 0-based, in pixels; they must be finite.

    radius : 1D `~numpy.ndarray`
        The holes' radii, in pixels.

    model : `~photutils_pconv.network.LoadedModel`
        The network and its card.

    profile : `~photutils_pconv.wings.WingProfile`, optional
        The wings that sources are expected to have, for a model that takes
        them off and for ``subtract_wings``; by default none, and a beam of
        3.5 pixels.

    missing : 2D bool `~numpy.ndarray`, optional
        Missing pixels (default: those that are not finite). They are
        treated as holes and stay missing.

    to_jy_per_pixel : float, optional
        The factor from the map's unit to Jy/pixel, the unit in which
        the 'minmax' normalisation has its 1e-7.

    taper_width : float, optional
        The width of the taper around each hole, in pixels.

    subtract_wings : bool, optional
        Whether the reconstruction has ``wings``: those that sources are
        expected to have and, for a model with wings and kriging, what
        kriging found beyond them.

    batch_size : int, optional
        The number of cutouts that the network sees at once.

    device : str, optional
        A torch device, or 'auto' for a GPU where there is one.

    precision : {'auto', 'float32', 'bfloat16'}, optional
        The network's precision; 'auto' is float32.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    reconstruction : `Reconstruction`
        The reconstructed emission, in the map's unit.

    Raises
    ------
    ValueError
        If the device, the precision or the batch size is not accepted,
        or a hole does not fit into a cutout.
    """
    if missing is None:
        missing = ~np.isfinite(data)
    x, y, radius = (np.asarray(value, dtype=float) for value in (x, y, radius))
    check_batch_size(batch_size)
    largest = CUTOUT_SIZE / 2 - 1
    if radius.size and np.max(radius) + taper_width > largest:
        msg = (
            f'a hole of {np.max(radius):.4g} pixels with a taper of {taper_width:.4g} '
            f'does not fit into a cutout of {CUTOUT_SIZE} pixels: hole_radii of the '
            f'setup can be at most {largest - taper_width:.4g} pixels'
        )
        raise ValueError(msg)
    normalisation = model.card.normalisation
    holes = draw_holes(data.shape, x, y, radius)
    wings = total = None
    if profile is not None and (subtract_wings or normalisation.get('wings')):
        known = np.where(missing, np.nan, data)
        wings = expected_wings(
            known, x, y, radius, profile=profile, usable=~(holes | missing)
        )
        total = wings.image.copy()

    def make_wings(batch, origins, size):
        if wings is None:
            return {}
        side = np.arange(size)
        terms = []
        for i, (x0, y0) in zip(batch, origins, strict=True):
            dx, dy = np.meshgrid(side + x0 - x[i], side + y0 - y[i])
            flux, error = (
                one[i] * to_jy_per_pixel for one in (wings.flux, wings.flux_err)
            )
            terms.append(profile.terms(dx, dy, flux=flux, flux_err=error))
        image = _cut_stack(wings.image, origins, size) * to_jy_per_pixel
        return {'wings': image, 'terms': terms}

    def make_input(batch, origins, size):
        images, absent, validity = _cut(data, missing, holes, origins, size)
        given = make_wings(batch, origins, size)
        scaled, scaling, found = scale_cutouts(
            images * to_jy_per_pixel,
            validity,
            absent,
            normalisation,
            **given,
            beam=_BEAM if profile is None else profile.beam_fwhm,
            radius=radius[batch],
        )
        if subtract_wings and found is not None:
            more = _fade(found - given['wings']) / to_jy_per_pixel
            for one, origin in zip(more, origins, strict=True):
                _add_cutout(total, one, origin)
        return scaled, validity, scaling

    reconstruction = reconstruct(
        make_input,
        x,
        y,
        radius,
        network=model.network,
        sizes=choose_sizes(model, radius + taper_width),
        missing=missing,
        to_jy_per_pixel=to_jy_per_pixel,
        taper_width=taper_width,
        batch_size=batch_size,
        device=device,
        precision=precision,
        progress_bar=progress_bar,
    )
    if not subtract_wings or total is None:
        return reconstruction
    return replace(reconstruction, wings=np.where(missing, 0.0, total))


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
        `~photutils_pconv.cutouts.Scaling` to be inverted.

    x, y, radius : 1D `~numpy.ndarray`
        The positions and the holes' radii, in pixels.

    network : `torch.nn.Module`
        The network.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels of the map.

    sizes : 1D int `~numpy.ndarray`, optional
        The sides of the cutouts (default: those of the paper, 96 pixels).

    to_jy_per_pixel, taper_width, batch_size, device, precision, progress_bar
        As for `inpaint`.

    collect : callable, optional
        Called with a source's index, its cutout of the prediction, and
        the cutout's first pixel, for each hole that could be filled.

    Returns
    -------
    reconstruction : `Reconstruction`
        The reconstructed emission.
    """
    predict = _make_predictor(network, device, precision)
    if sizes is None:
        sizes = np.full(len(x), CUTOUT_SIZE)
    # A sum's rounding depends on its order: take that from the positions.
    order = np.lexsort((radius, x, y))
    blender = _Blender(missing.shape, taper_width)
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


def inpaint_resampled(data, x, y, radius, *, factor, missing, native=None, **options):
    """
    Reconstruct the emission in a map that is off the native pixel scale.

    The map is resampled to the native grid, filled there, and the
    reconstruction is interpolated back to the map's pixels.

    Parameters
    ----------
    data, x, y, radius, missing
        As for `inpaint`, all in the map's own pixels.

    factor : float
        Map pixel / native pixel.

    native : tuple of `~numpy.ndarray`, optional
        The map on the native grid and its missing pixels, where they
        were made already (`~photutils_pconv.resampling.resample_grid`).

    **options
        The other arguments of `inpaint`.

    Returns
    -------
    reconstruction : `Reconstruction`
        The reconstructed emission, on the map's grid.
    """
    taper_width = options.pop('taper_width', TAPER_WIDTH)
    # A native pixel collects the flux of 1 / factor**2 of the map's.
    options['to_jy_per_pixel'] = options.get('to_jy_per_pixel', 1.0) / factor**2
    if native is None:
        native = resample_grid(data, missing, factor)
    native, native_missing = native
    result = inpaint(
        native,
        to_native_position(x, factor),
        to_native_position(y, factor),
        np.asarray(radius) * factor,
        missing=native_missing,
        # The spline needs the reconstruction beyond the map's own taper.
        taper_width=(taper_width * factor + 3.0),
        **options,
    )
    hard = Reconstruction(result.emission, result.holes.astype(float), result.filled)
    back = {'factor': 1.0 / factor, 'shape': data.shape}
    emission, _ = resample_grid(hard.clean(native), native_missing, **back)
    wings = result.wings
    if wings is not None:
        wings, _ = resample_grid(wings, native_missing, **back)
        wings = np.where(missing, 0.0, np.nan_to_num(wings))
    blender = _Blender(data.shape, taper_width)
    for i in np.flatnonzero(result.filled):
        blender.mark(x[i], y[i], radius[i])
    weight = np.where(missing | ~np.isfinite(emission), 0.0, blender.weight)
    emission = np.where(weight > 0, emission, 0.0)
    return Reconstruction(emission, weight, result.filled, wings)


class _Blender:
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


def _cut_stack(image, origins, size, **options):
    cutouts = [extract_cutout(image, *one, size=size, **options) for one in origins]
    return np.stack(cutouts)


def _cut(data, missing, holes, origins, size):
    """
    Cut the stamps: values (0 where missing), missing pixels, validity.
    """
    images = _cut_stack(data, origins, size).astype(float)
    absent = _cut_stack(missing, origins, size, fill_value=True)
    hole = _cut_stack(holes, origins, size)
    images[absent] = 0.0
    return images, absent, ~(absent | hole)


def _fade(cutouts):
    """Let cutouts fade out before their edges."""
    half = cutouts.shape[-1] / 2.0
    side = np.arange(cutouts.shape[-1]) + 0.5 - half
    distance = np.hypot(side[:, None], side) / half
    return cutouts * np.clip(4.0 * (1.0 - distance), 0.0, 1.0)


def _add_cutout(image, cutout, origin):
    """Add a cutout to the part of a map that it covers."""
    whole, part = [], []
    for start, n, size in zip(origin[::-1], image.shape, cutout.shape, strict=True):
        low, high = max(start, 0), min(start + size, n)
        whole.append(slice(low, max(high, low)))
        part.append(slice(low - start, max(high, low) - start))
    image[tuple(whole)] += cutout[tuple(part)]


def _make_predictor(network, device, precision):
    """
    Make the function from scaled cutouts and validity to the output.
    """
    import torch

    check_precision(precision)
    device = choose_device(device)
    turns = getattr(network, 'turns', 1)
    if device.type != 'cpu':
        # The loaded network is shared, and `to` would move it for all.
        network = copy.deepcopy(network).to(device)

    def predict(images, validity):
        images = torch.from_numpy(images.astype(np.float32)).to(device)
        validity = torch.from_numpy(validity[:, None].astype(np.float32)).to(device)
        images = images.contiguous(memory_format=torch.channels_last)
        with (
            torch.inference_mode(),
            torch.autocast(
                device.type, dtype=torch.bfloat16, enabled=precision == 'bfloat16'
            ),
        ):
            # The sky has no up: what depends on the orientation is an error.
            output = sum(
                torch.rot90(
                    network(*(torch.rot90(t, k, (2, 3)) for t in (images, validity))),
                    -k,
                    (2, 3),
                )
                for k in range(turns)
            )
        return (output[:, 0].float() / turns).cpu().numpy().astype(float)

    return predict


def _progress(iterable, show):
    if not show:
        return iterable
    from tqdm.auto import tqdm

    return tqdm(iterable, desc='inpainting', unit='batch')
