# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The noise and small-scale texture that a smooth reconstruction lacks.

A reconstruction is the best estimate of the emission, and therefore
smoother than the map around it: it has neither noise nor what cannot be
known of the emission. What it lacks is seen in empty holes, where the map
is known (`photutils_pconv.geometry`): map minus reconstruction, the
residual. A Gaussian random field with the residual's variance, its
profile from the rim to the centre and its power spectrum completes the
cleaned map, for whoever needs its statistics rather than the best
estimate of each pixel.

Fine and coarse structure vary differently over a map, the one with the
noise and the other with the emission. They are therefore described apart,
each in units of its own scatter around the hole.
"""

import numpy as np
from scipy.signal import oaconvolve

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.geometry.empty_holes import MINIMUM_EMPTY
from photutils_pconv.geometry.holes import TAPER_WIDTH, taper_weight
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.removal.texture_models import (
    cut_surroundings,
    fit_textures,
    local_scales,
    split_scales,
)

__all__ = [
    'draw_texture',
    'make_texture',
]


def draw_texture(models, x, y, radius, scales, usable, *, rng):
    """
    Draw a realisation of the texture in holes.

    Parameters
    ----------
    models : list of `TextureModel`
        The statistics; for each hole the model of the nearest radius is
        taken.

    x, y, radius : 1D `~numpy.ndarray`
        The holes, in pixels.

    scales : (2, N) `~numpy.ndarray`
        Their `local_scales`; a hole where one is NaN gets no texture.

    usable : 2D bool `~numpy.ndarray`
        Where texture may be added: the filled pixels.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    texture : 2D `~numpy.ndarray`
        To be added to the cleaned map; 0 beyond the holes' tapers. In
        the taper its variance makes up for what the map's share of the
        blend lacks.

    Notes
    -----
    The field is drawn for the whole map, so that a hole's texture does
    not depend on the order of the sources.
    """
    amplitudes = np.zeros((2, *usable.shape))
    weight = np.zeros(usable.shape)
    chosen = np.full(usable.shape, -1)
    known = np.array([model.radius for model in models])
    for i in range(len(x)):
        if not np.all(scales[:, i] > 0):
            continue
        window = find_window(usable.shape, x[i], y[i], radius[i] + TAPER_WIDTH)
        if window is None:
            continue
        region, distance = window.region, window.distance
        taper = taper_weight(distance, radius[i], width=TAPER_WIDTH)
        np.maximum(weight[region], taper, out=weight[region])
        k = np.argmin(np.abs(known - radius[i]))
        model = models[k]
        share = distance / radius[i]
        one = np.array([np.interp(share, model.share, a) for a in model.amplitudes])
        one *= scales[:, i, None, None]
        larger = np.hypot(*one) > np.hypot(*amplitudes[:, *region])
        larger &= (taper > 0) & usable[region]
        amplitudes[:, *region][:, larger] = one[:, larger]
        chosen[region][larger] = k
    texture = np.zeros(usable.shape)
    # Parts of one field: a filter parted them, so one noise drives both.
    white = rng.standard_normal(usable.shape)
    for k in np.unique(chosen[chosen >= 0]):
        here = chosen == k
        for kernel, amplitude in zip(models[k].kernels, amplitudes, strict=True):
            field = oaconvolve(white, kernel, mode='same')
            texture[here] += amplitude[here] * field[here]
    # (1 - w)**2 of the map's own variance is still there.
    return texture * np.sqrt(weight * (2.0 - weight))


def make_texture(cleaned, missing, holes, reconstruction, stamps, seed):
    """
    Draw the texture that the reconstruction lacks.

    Parameters
    ----------
    cleaned : 2D `~numpy.ndarray`
        The map without its sources.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    holes : `~photutils_pconv.geometry.Holes`
        The holes.

    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction.

    stamps : sequence of `~photutils_pconv.removal.texture_models.ResidualStamp`
        The residuals in empty holes.

    seed : int or `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    texture : 2D `~numpy.ndarray`
        The texture, in the map's unit.
    """
    holes = holes.select(reconstruction.filled)
    where = (holes.x, holes.y, holes.radius)
    parts = split_scales(cleaned, missing | holes.mask)
    scales = local_scales(parts, *where)
    if len(stamps) < MINIMUM_EMPTY:
        msg = (
            f'the map has free positions for only {len(stamps)} empty holes, of '
            f'{MINIMUM_EMPTY} that are needed: the texture is made from the '
            'small-scale structure around the holes and lacks what is larger'
        )
        warn_user(msg)
        stamps = cut_surroundings(parts, *where, scales)
    models = fit_textures(stamps)
    if not models:
        return np.zeros(cleaned.shape)
    usable = reconstruction.holes & ~missing
    rng = np.random.default_rng(seed)
    return draw_texture(models, *where, scales, usable, rng=rng)
