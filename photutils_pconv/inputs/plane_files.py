# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images in files of their own, which go with a map.
"""

import os

from astropy.io import fits

from photutils_pconv.inputs.fits import read_fits_plane
from photutils_pconv.inputs.regions import take_regions

__all__ = ['read_plane_file']


def read_plane_file(text):
    """
    Read an image from ``FILE`` or ``FILE[EXT]``, with its unit if it has one.

    Parameters
    ----------
    text : str or `None`
        What was given.

    Returns
    -------
    image : `~numpy.ndarray`, `~astropy.units.Quantity`, list of region or `None`
        The image, or the regions of a region file; `None` where nothing was
        given.

    Raises
    ------
    ValueError, OSError
        If the file cannot be read, or has not one image.
    """
    if text is None:
        return None
    regions = take_regions(text)
    if regions is not None:
        return regions
    path, extension = text, None
    if text.endswith(']') and not os.path.exists(text):
        path, _, extension = text[:-1].rpartition('[')
    if extension is None and os.path.isfile(path):
        try:
            with fits.open(path) as hdus:
                names = {
                    # The name may be missing; the number never is.
                    number: hdu.name or str(number)
                    for number, hdu in enumerate(hdus)
                    if hdu.is_image and hdu.shape
                }
        except OSError as exc:
            msg = f'{path} cannot be read as a FITS file: {exc}'
            raise ValueError(msg) from exc
        if len(names) != 1:
            msg = (
                f'{path} has {len(names)} images ({", ".join(names.values())}): name '
                f'one of them, {path}[EXT]'
            )
            raise ValueError(msg)
        (extension,) = names
    return read_fits_plane(path, extension)
