# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The files of a removal: the cleaned map and what belongs to it, and the table.
"""

from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.writing import check_output, write_together
from photutils_pconv.inputs.headers import (
    make_map_hdu,
    make_mask_hdu,
    scale_values,
)
from photutils_pconv.inputs.uncertainties import uncertainty_kind, uncertainty_power
from photutils_pconv.inputs.unit_texts import format_unit
from photutils_pconv.inputs.values import as_array
from photutils_pconv.inputs.wcs_headers import make_wcs_header, make_wcs_tables
from photutils_pconv.removal.table_files import (
    name_table,
    parse_formats,
    write_table,
)

__all__ = ['make_hdus', 'write_result']

# The resolution of figures, in dots per inch (by choice).
_FIGURE_DPI = 120


def write_result(result, directory, *, overwrite, figures, table_formats, regions):
    """
    Write the cleaned map, the removed sources, and the photometry.

    Parameters
    ----------
    result : `~photutils_pconv.removal.SourceRemovalResult`
        The result.

    directory, overwrite, figures, table_formats, regions : object
        As for `SourceRemovalResult.write
        <photutils_pconv.removal.SourceRemovalResult.write>`.

    Returns
    -------
    paths : tuple of `pathlib.Path`
        The files.

    Raises
    ------
    OSError, TypeError, ValueError, ImportError
        As for that.
    """
    directory = Path(directory)
    formats = parse_formats(table_formats)
    holes = result.to_regions() if to_bool(regions, 'regions') else None
    figures = {} if figures is None else figures
    names = ['cleaned.fits', *map(name_table, formats)]
    names += [] if holes is None else ['holes.reg']
    paths = tuple(directory / name for name in (*names, *figures))
    check_output(paths, overwrite=overwrite)
    writers = [
        make_hdus(result).writeto,
        *(partial(write_table, result.photometry, form=form) for form in formats),
    ]
    if holes is not None:
        writers.append(partial(holes.write, format='ds9'))
    writers += [partial(one.savefig, dpi=_FIGURE_DPI) for one in figures.values()]
    directory.mkdir(parents=True, exist_ok=True)
    write_together(dict(zip(paths, writers, strict=True)))
    return paths


def make_hdus(result):
    """
    Make the HDUs of a result: the cleaned map, and what belongs to it.

    Parameters
    ----------
    result : `~photutils_pconv.removal.SourceRemovalResult`
        The result.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.
    """
    wcs, unit = result.map_input.wcs, result.map_input.unit
    header = make_wcs_header(wcs)
    unit_text, factor = format_unit(unit)
    primary = make_map_hdu(result.cleaned, header, unit_text, factor=factor)
    hdus = fits.HDUList([primary])
    removed = scale_values(as_array(result.sources), factor)
    images = {'SOURCES': removed, 'HOLES': result.holes}
    for name, image in images.items():
        if image.dtype == bool:
            image = image.view(np.uint8)
        hdus.append(fits.ImageHDU(image, header, name=name))
    if unit_text:
        hdus['SOURCES'].header['BUNIT'] = unit_text
    if result.map_input.missing.any():
        hdus.append(make_mask_hdu(result.map_input.missing, header))
    uncertainty = getattr(result.cleaned, 'uncertainty', None)
    if uncertainty is not None:
        power = uncertainty_power(uncertainty)
        array = _uncertainty_array(uncertainty, unit)
        array = scale_values(array, factor**power)
        hdus.append(fits.ImageHDU(array, header, name='UNCERT'))
        hdus['UNCERT'].header['UTYPE'] = uncertainty_kind(uncertainty).__name__
    hdus.extend(make_wcs_tables(wcs))
    return hdus


def _uncertainty_array(uncertainty, unit):
    """
    Take the values of an uncertainty, in the unit that fits the map's.
    """
    array = np.asarray(uncertainty.array)
    if uncertainty.unit is None or unit is None:
        return array
    power = uncertainty_power(uncertainty)
    return array * array.dtype.type(uncertainty.unit.to(unit**power))
