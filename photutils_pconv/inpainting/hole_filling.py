# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map with holes to the extended emission behind them.

All holes are drawn before any is filled, and each is filled from the
untouched map.
"""

from dataclasses import replace

import numpy as np

from photutils_pconv.geometry.cutouts import (
    CUTOUT_SIZE,
    add_cutout,
    cut_stack,
)
from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_holes
from photutils_pconv.inpainting.masked_images import scale_cutouts
from photutils_pconv.inpainting.prediction import choose_sizes, reconstruct
from photutils_pconv.inpainting.wings import expected_wings, wings_beyond_holes
from photutils_pconv.network.running import check_batch_size

__all__ = [
    'inpaint',
]

# The beam where nothing is known of it, in pixels.
_BEAM = 3.5


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

    profile : `~photutils_pconv.inpainting.WingProfile`, optional
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
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
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
        image = cut_stack(wings.image, origins, size) * to_jy_per_pixel
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
                add_cutout(total, one, origin)
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
    found = {}
    if subtract_wings and wings is not None:
        found['wings'] = np.where(missing, 0.0, total)
    if wings is not None and normalisation.get('wings'):
        # The network did not see them: they are not in the emission.
        foreign = wings_beyond_holes(
            data.shape,
            x,
            y,
            radius,
            wings.flux,
            profile=profile,
            taper_width=taper_width,
        )
        found['foreign'] = np.where(missing, 0.0, foreign)
    return replace(reconstruction, **found)


def _cut(data, missing, holes, origins, size):
    """
    Cut the stamps: values (0 where missing), missing pixels, validity.
    """
    images = cut_stack(data, origins, size).astype(float)
    absent = cut_stack(missing, origins, size, fill_value=True)
    hole = cut_stack(holes, origins, size)
    images[absent] = 0.0
    return images, absent, ~(absent | hole)


def _fade(cutouts):
    """Let cutouts fade out before their edges."""
    half = cutouts.shape[-1] / 2.0
    side = np.arange(cutouts.shape[-1]) + 0.5 - half
    distance = np.hypot(side[:, None], side) / half
    return cutouts * np.clip(4.0 * (1.0 - distance), 0.0, 1.0)
