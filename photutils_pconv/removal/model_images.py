# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images of what a removal took off, and maps without it.
"""

import astropy.units as u

from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.values import as_array

__all__ = ['make_model_image', 'make_residual_image']


def make_model_image(result, shape=None):
    """
    Make the image of the sources that were removed.

    Parameters
    ----------
    result : `~photutils_pconv.removal.SourceRemovalResult`
        The result of the removal.

    shape : tuple of int, optional
        The image's shape; it can only be that of the map.

    Returns
    -------
    model : `~numpy.ndarray` or `~astropy.units.Quantity`
        A copy of ``result.sources``, with the unit of the map.

    Raises
    ------
    ValueError
        If the shape is another one.
    """
    image = as_array(result.sources)
    if shape is not None and tuple(shape) != image.shape:
        msg = f'shape must be that of the map, {image.shape}, got {tuple(shape)}'
        raise ValueError(msg)
    unit = result.map_input.unit
    return image.copy() if unit is None else u.Quantity(image, unit)


def make_residual_image(result, data, *, beam=None, pixel_scale=None):
    """
    Subtract the sources that were removed from a map.

    Parameters
    ----------
    result : `~photutils_pconv.removal.SourceRemovalResult`
        The result of the removal.

    data : NDData, Quantity or `~numpy.ndarray`
        A map on the grid of the cleaned one.

    beam : float or `~astropy.units.Quantity`, optional
        The beam's FWHM (arcsec), for Jy/beam without one in the header.

    pixel_scale : `~astropy.units.Quantity`, optional
        The pixel scale of maps without a WCS.

    Returns
    -------
    residual : object
        The map without the sources, of the class of ``data``.

    Raises
    ------
    ValueError
        If shape or unit do not fit.
    """
    theirs = result.map_input
    if theirs.pixel_scale is not None:
        # The grid is the same, and so is the pixel scale.
        pixel_scale = theirs.pixel_scale
    map_input = parse_map(data, beam=beam, pixel_scale=pixel_scale)
    model = as_array(result.sources)
    if map_input.shape != model.shape:
        msg = (
            f'data must have the shape {model.shape} of the map that was cleaned, got '
            f'{map_input.shape}'
        )
        raise ValueError(msg)
    if (map_input.unit is None) != (theirs.unit is None):
        msg = (
            f'data must have the unit of the map that was cleaned ({theirs.unit}), got '
            f'{map_input.unit}'
        )
        raise ValueError(msg)
    factor = theirs.jy_per_pixel / map_input.jy_per_pixel
    return map_input.like_input(map_input.data - factor * model)
