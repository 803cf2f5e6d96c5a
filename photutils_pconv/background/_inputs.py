# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a background class does before any work: masks, boxes, sources.
"""

from dataclasses import replace
from numbers import Real

import numpy as np
from astropy.nddata import NDData
from astropy.table import Table
from photutils.background import Background2D, MedianBackground
from photutils.detection import DAOStarFinder
from photutils.segmentation import SegmentationImage, SourceCatalog, SourceFinder

from photutils_pconv._utils.warnings import hold_filters, warn_user
from photutils_pconv.inputs.columns import find_pixel_columns
from photutils_pconv.inputs.fits_planes import is_name
from photutils_pconv.inputs.opening import open_map
from photutils_pconv.inputs.regions import take_regions
from photutils_pconv.inputs.values import check_mask

__all__ = [
    'find_sources',
    'parse_box_size',
    'parse_fill_value',
    'parse_masks',
    'read_map',
    'without_mask',
]

# The side of a box in which the scatter is measured, in native pixels: half a
# cutout, by choice.
_BOX_SIZE = 48
# What the default finder calls a source, in local rms; by choice, the usual five.
_FINDER_SIGMA = 5.0


def read_map(data, *, hdu, mask, error, wcs):
    """
    Read a map, and the mask and the error that are named with it.

    As for Background2D, a mask that is given leaves the map its own.

    Parameters
    ----------
    data : NDData, array_like, path or HDUs
        The map.

    hdu : int, str, tuple or `None`
        The HDU of a file that holds the map.

    mask, error : array_like, str, int, regions or `None`
        The mask and the error. For a file, they may be the name or the
        number of the extension.

    wcs : WCS or `None`
        The WCS that was given.

    Returns
    -------
    opened : `~photutils_pconv.inputs.opening.OpenedMap`
        The map, as NDData or `~numpy.ndarray`, its mask, error and WCS.

    Raises
    ------
    TypeError
        If extensions are named, and the map is no file.
    """
    is_array = mask is not None and not is_name(mask) and take_regions(mask) is None
    opened = open_map(
        data, hdu=hdu, mask=None if is_array else mask, error=error, wcs=wcs
    )
    return replace(opened, mask=mask) if is_array else opened


def without_mask(data, values, unit):
    """
    Give a map as NDData without its mask.

    Parameters
    ----------
    data : NDData or `~numpy.ndarray`
        The map.

    values : 2D `~numpy.ndarray`
        Its values.

    unit : `~astropy.units.Unit` or `None`
        Its unit.

    Returns
    -------
    image : `~astropy.nddata.NDData`
        The map, with the WCS, the uncertainty and the meta that it has.
    """
    carried = {}
    if isinstance(data, NDData):
        carried = {name: getattr(data, name) for name in ('wcs', 'uncertainty', 'meta')}
    return NDData(values, unit=unit, **carried)


def parse_masks(values, own_mask, mask, coverage_mask):
    """
    Parse the masks, and refuse them as Background2D does.

    Parameters
    ----------
    values : 2D `~numpy.ndarray`
        The map.

    own_mask, mask, coverage_mask : array_like or `None`
        The masks; True is not to be used.

    Returns
    -------
    bad : 2D bool `~numpy.ndarray`
        The covered pixels to fill.

    coverage : 2D bool `~numpy.ndarray` or `None`
        The pixels without coverage.

    Raises
    ------
    ValueError, TypeError
        If a mask does not fit, or nothing is left.
    """
    if values.dtype.kind not in 'fiu':
        msg = f'data must be an array of real numbers, got {values.dtype}'
        raise TypeError(msg)
    finite = np.isfinite(values)
    if not finite.any():
        msg = (
            'Input data contains all non-finite (NaN or infinity) values. '
            'Cannot compute a background.'
        )
        raise ValueError(msg)
    mask = _parse_mask(mask, 'mask', values.shape)
    coverage = _parse_mask(coverage_mask, 'coverage_mask', values.shape)
    bad = np.zeros(values.shape, dtype=bool)
    for one in (mask, _parse_mask(own_mask, 'mask of the data', values.shape)):
        if one is not None:
            bad |= one
    covered = True if coverage is None else ~coverage
    if not np.any(~bad & covered):
        msg = (
            'All input pixels are masked. Cannot compute a background. Give a '
            'mask and a coverage_mask that leave some'
        )
        raise ValueError(msg)
    if np.any(~finite & ~bad & covered):
        msg = (
            'Input data contains non-finite (NaN or infinity) values, which '
            'were automatically masked.'
        )
        warn_user(msg)
    bad |= ~finite
    if not np.any(~bad & covered):
        msg = 'All input pixels are masked or not finite. Cannot compute a background.'
        raise ValueError(msg)
    return bad & covered, coverage


def _parse_mask(mask, name, shape):
    """
    Return a mask as a bool array, or None; refuse it as Background2D does.
    """
    if mask is None or mask is np.ma.nomask:
        return None
    mask = np.asarray(mask)
    if mask.ndim != 2:
        msg = f'{name} must be a 2D array, got {mask.ndim} dimensions'
        raise ValueError(msg)
    if mask.shape != shape:
        msg = f'data and {name} must have the same shape, got {shape} and {mask.shape}'
        raise ValueError(msg)
    return check_mask(mask, name, shape)


def parse_box_size(box_size, factor):
    """
    Parse the side of the boxes in which the scatter is measured.

    Parameters
    ----------
    box_size : int or `None`
        The side (pixels); `None` for the default.

    factor : float
        Map pixel / native pixel.

    Returns
    -------
    box_size : int
        The side (pixels).

    Raises
    ------
    ValueError
        If it is not an integer of 2 or more.
    """
    if box_size is None:
        return max(round(_BOX_SIZE / factor), 8)
    if not isinstance(box_size, int | np.integer) or box_size < 2:
        msg = f'box_size must be an integer of 2 or more, got {box_size!r}'
        raise ValueError(msg)
    return int(box_size)


def parse_fill_value(fill_value):
    """
    Parse the value of pixels without coverage.

    Parameters
    ----------
    fill_value : float
        The value; NaN and infinity are accepted.

    Returns
    -------
    fill_value : float
        The value, as it was given.

    Raises
    ------
    TypeError
        If it is not a real number.
    """
    if not isinstance(fill_value, Real) or isinstance(fill_value, bool):
        msg = f'fill_value must be a number, got {fill_value!r}'
        raise TypeError(msg)
    return fill_value


@hold_filters
def find_sources(data, missing, finder, *, fwhm, unit=None):
    """
    Find the sources of a map.

    The map is given to the finder less a coarse background: medians in
    boxes of four beams (`~photutils.background.Background2D`).

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels; the map may hold anything there.

    finder : callable or `None`
        A star finder or `~photutils.segmentation.SourceFinder`. By
        default `~photutils.detection.DAOStarFinder` with the FWHM and a
        threshold of 5 times the rms of the coarse background.

    fwhm : float
        The FWHM of the beam (pixels).

    unit : `~astropy.units.Unit`, optional
        The map's unit.

    Returns
    -------
    positions : (N, 2) `~numpy.ndarray`
        The pixel positions (x, y).

    Raises
    ------
    TypeError
        If the finder is not callable, or gives something else than a
        table with positions or a segmentation image.
    """
    if finder is not None and not callable(finder):
        msg = (
            'finder must be a photutils finder, such as DAOStarFinder, '
            f'IRAFStarFinder or SourceFinder, got {type(finder).__name__}'
        )
        raise TypeError(msg)
    data = np.where(missing, 0.0, data.astype(float))
    box = max(int(np.ceil(4 * fwhm)), 8)
    coarse = Background2D(
        data,
        box,
        mask=missing,
        exclude_percentile=100.0,
        bkg_estimator=MedianBackground(),
    )
    residual = np.where(missing, 0.0, data - coarse.background)
    mesh = coarse.background_rms_mesh
    threshold = _FINDER_SIGMA * np.clip(coarse.background_rms, mesh.min(), mesh.max())
    if isinstance(finder, SourceFinder):
        found = finder(residual, threshold, mask=missing)
    elif finder is None:
        found = DAOStarFinder(threshold, fwhm=fwhm)(residual, mask=missing)
    else:
        with_unit = getattr(getattr(finder, 'threshold', None), 'unit', None)
        if with_unit is not None and unit is not None:
            residual = residual << unit
        found = finder(residual, mask=missing)
    if isinstance(found, SegmentationImage):
        catalog = SourceCatalog(residual, found, mask=missing)
        found = Table({'x': catalog.x_centroid, 'y': catalog.y_centroid})
    if found is None or len(found) == 0:
        msg = (
            'no source was found: the background is the map itself. Give sources, '
            'or a finder with a lower threshold'
        )
        warn_user(msg)
        return np.empty((0, 2))
    return _table_positions(found)


def _table_positions(found):
    names = getattr(found, 'colnames', ())
    pair = find_pixel_columns(found) if names else None
    if pair is not None:
        positions = np.array([found[name] for name in pair], dtype=float).T
        return positions[np.all(np.isfinite(positions), axis=1)]
    msg = (
        'finder must give a table with the columns x_centroid and y_centroid, or a '
        f'SegmentationImage, got {type(found).__name__} {list(names)}'
    )
    raise TypeError(msg)
