# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The images of wings and of kriged holes, for cutouts that are on disk.

Their sources are known by their holes alone.
"""

import numpy as np
from scipy.ndimage import center_of_mass, label

from photutils_pconv.inpainting.masked_images import scale_cutouts
from photutils_pconv.inpainting.wings import expected_wings
from photutils_pconv.psf.profiles import wing_profile

__all__ = ['find_holes', 'scale_masked']

# The radius that kriging is told where a cutout has no hole, in pixels: about the
# smallest of Table 3.
_NO_HOLE = 4.0


def find_holes(validity, missing):
    """
    Find position and size of the holes of a cutout.

    Holes that overlap count as one.

    Parameters
    ----------
    validity, missing : 2D bool `~numpy.ndarray`
        Usable and missing pixels.

    Returns
    -------
    x, y, radius : 1D `~numpy.ndarray`
        The centres, 0-based, and the radii of circles of the same area, in
        pixels; that nearest to the centre first.
    """
    labels, number = label(~validity & ~missing)
    numbers = np.arange(1, number + 1)
    if number == 0:
        return np.empty(0), np.empty(0), np.empty(0)
    y, x = np.array(center_of_mass(labels > 0, labels, numbers)).T
    radius = np.sqrt(np.bincount(labels.ravel())[1:] / np.pi)
    middle = [0.5 * (side - 1) for side in validity.shape]
    order = np.argsort(np.hypot(y - middle[0], x - middle[1]), kind='stable')
    return x[order], y[order], radius[order]


def scale_masked(image, validity, missing, normalisation, setup):
    """
    Make the images that a masked model sees of a cutout.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The cutout, finite.

    validity, missing : 2D bool `~numpy.ndarray`
        Usable and missing pixels.

    normalisation : dict
        The normalisation, with ``wings``, ``kriging``, or both.

    setup : `~photutils_pconv.setups.ObservingSetup`
        The cutout's setup, for the profile of wings and the beam.

    Returns
    -------
    images : 3D `~numpy.ndarray`
        The images, (C, H, W).

    scaling : `~photutils_pconv.inpainting.Scaling`
        The scaling of the emission.
    """
    profile = wing_profile(setup)
    x, y, radius = find_holes(validity, missing)
    wings, terms = np.zeros(image.shape), None
    if normalisation.get('wings') and len(x):
        found = expected_wings(
            np.where(missing, np.nan, image),
            x,
            y,
            radius,
            profile=profile,
            usable=validity,
        )
        rows, columns = np.indices(image.shape)
        wings = found.image
        terms = profile.terms(
            columns - x[0], rows - y[0], flux=found.flux[0], flux_err=found.flux_err[0]
        )
    with_terms = normalisation.get('wings') and normalisation.get('kriging')
    if with_terms and terms is None:
        rows, columns = np.indices(image.shape)
        terms = profile.terms(columns, rows, flux=0.0, flux_err=0.0)
    scaled, scaling, _ = scale_cutouts(
        image[None],
        validity[None],
        missing[None],
        normalisation,
        wings=wings[None],
        terms=[terms] if with_terms else None,
        beam=[profile.beam_fwhm],
        radius=[radius[0] if len(x) else _NO_HOLE],
    )
    return scaled[0], scaling
