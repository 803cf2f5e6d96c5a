# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a network sees of a cutout: its images, scaled.

A model's ``normalisation`` says how they are made. With ``wings = true`` the
expected wings of all sources (see `~photutils_pconv.inpainting`) are taken off
first, and are shown as a second image. With ``kriging = true`` the last image
is the first one with its hole filled (see `~photutils_pconv.inpainting`).
With both, kriging also says how a source's wings differ from the expected
ones, and that comes off, too.
"""

import numpy as np

from photutils_pconv.inpainting.kriging import krige_cutouts
from photutils_pconv.inpainting.scaling import Normalisation, compress

__all__ = [
    'scale_cutouts',
]

# The largest value of the image of wings: some 40 times the scatter, after the
# arcsinh. By choice, and the bundled models are trained with it.
_BRIGHTEST = 10.0


def scale_cutouts(
    images,
    validity,
    missing,
    normalisation,
    *,
    wings=None,
    terms=None,
    beam=None,
    radius=None,
):
    """
    Make a network's input.

    Parameters
    ----------
    images : `~numpy.ndarray`
        The cutouts, (N, H, W), in Jy/pixel. Missing pixels may hold anything.

    validity, missing : `~numpy.ndarray` of bool
        Usable pixels (neither missing nor in a hole), and missing ones.

    normalisation : dict
        Keyword arguments of `~photutils_pconv.inpainting.normalise`, and
        ``wings`` and ``kriging``.

    wings : `~numpy.ndarray`, optional
        The expected wings, (N, H, W), for ``wings``; by default none.

    terms : sequence of `~photutils_pconv.psf.WingTerms`, optional
        How the wings of each cutout's source may differ from that
        (`~photutils_pconv.psf.WingProfile.terms`), for ``wings`` with
        ``kriging``.

    beam, radius : array_like, optional
        The beam's FWHM and the holes' radii, in pixels, for ``kriging``.

    Returns
    -------
    scaled : `~numpy.ndarray`
        The input, (N, C, H, W).

    scaling : `~photutils_pconv.inpainting.Scaling`
        The scaling of the emission, to be inverted.

    wings : `~numpy.ndarray` or `None`
        The wings that were taken off, (N, H, W); `None` without ``wings``.
    """
    how = Normalisation.from_dict(normalisation)
    if wings is None:
        wings = np.zeros(images.shape)
    if how.wings:
        images = images - wings
    if how.kriging:
        filled, others = krige_cutouts(
            images,
            validity,
            beam=beam,
            radius=radius,
            terms=terms if how.wings else None,
        )
        images, wings = images - others, wings + others
    scaled, scaling = how.scale(images, validity, missing)
    stack = [scaled]
    if how.wings:
        # Wings add to emission: the same scale, from zero.
        level = wings / scaling.scale
        if scaling.softening is not None:
            level = compress(level, scaling.softening)
        # Cores are as bright as anything, and tell no more than their wings.
        stack.append(np.where(missing, 0.0, np.minimum(level, _BRIGHTEST)))
    if how.kriging:
        stack.append(scaling.apply(filled))
    return np.stack(stack, axis=1), scaling, wings if how.wings else None
