# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Holes as regions of DS9 and of astropy's package regions.
"""

import numpy as np

from photutils_pconv._utils.optional import require

__all__ = ['make_hole_regions']


def make_hole_regions(photometry, pixel_scale):
    """
    Make a circle for each hole.

    Parameters
    ----------
    photometry : `~astropy.table.QTable`
        The table of a removal.

    pixel_scale : `~astropy.units.Quantity` or `None`
        The map's pixel scale; `None` for a map without WCS.

    Returns
    -------
    regions : `~regions.Regions`
        The circles of the sources that have a hole, labelled with their ``id``,
        on the sky (ICRS), or on pixels for a map without WCS.

    Raises
    ------
    ImportError
        If the package regions is missing.
    """
    package = require(
        'regions', purpose='making regions', install="'photutils-pconv[regions]'"
    )
    on_sky = pixel_scale is not None and 'sky_center' in photometry.colnames
    circles = []
    for row in photometry[np.isfinite(photometry['hole_radius'])]:
        meta = package.RegionMeta({'text': str(row['id'])})
        radius = float(row['hole_radius'])
        if on_sky:
            circle = package.CircleSkyRegion(
                row['sky_center'].icrs, radius * pixel_scale, meta=meta
            )
        else:
            center = package.PixCoord(float(row['x_center']), float(row['y_center']))
            circle = package.CirclePixelRegion(center, radius, meta=meta)
        circles.append(circle)
    return package.Regions(circles)
