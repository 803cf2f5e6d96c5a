# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Regions of DS9 and of astropy's package regions: positions and masks.
"""

import os
import re

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from photutils_pconv._utils.optional import require
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.inputs.positions import sky_to_pixel

__all__ = [
    'get_excluded',
    'has_regions',
    'is_regions',
    'read_regions',
    'regions_to_mask',
    'regions_to_table',
    'take_regions',
]

_ENDING = '.reg'
# So many bytes of a file tell whether it is of DS9 (by choice).
_N_READ = 4096
# What a DS9 region file begins with: its title, its properties, a coordinate system
# that stands alone or before a semicolon, or a shape. A table may have columns of
# these names.
_SYSTEMS = (
    'physical|image|fk4|fk5|icrs|galactic|ecliptic|linear|amplifier|detector|b1950|'
    'j2000'
)
_SHAPES = (
    'circle|ellipse|box|rotbox|polygon|point|line|vector|text|ruler|annulus|panda|'
    'epanda|bpanda|compass|projection|segment'
)
_START = re.compile(
    r'#\s*region file format:\s*ds9|global\s+\w+\s*=|'
    rf'(?:{_SYSTEMS})\s*(?:;|$)|[-+]?\s*(?:{_SHAPES})\s*\(\s*[-+\d]',
    re.IGNORECASE,
)


def is_regions(value):
    """
    Return whether a value is of the package regions, without importing it.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    answer : bool
        `True` for ``Regions``, a region, and a list of regions.
    """
    if isinstance(value, list | tuple) and len(value):
        return all(is_regions(one) for one in value)
    return type(value).__module__.partition('.')[0] == 'regions' and (
        hasattr(value, 'meta') or hasattr(value, 'regions')
    )


def has_regions(path):
    """
    Return whether a file holds regions.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    answer : bool
        Whether its name ends in ``.reg``, or its first line that is no comment
        is one of DS9.
    """
    path = os.fspath(path)
    if path.lower().endswith(_ENDING):
        return True
    try:
        with open(path, 'rb') as file:
            start = file.read(_N_READ).decode('utf-8', errors='replace')
    except OSError:
        # Whoever reads it says so.
        return False
    for line in start.splitlines():
        line = line.strip()
        if _START.match(line):
            return True
        if line and not line.startswith('#'):
            return False
    return False


def read_regions(path):
    """
    Read a region file of DS9.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    regions : `~regions.Regions`
        The regions.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file does not exist, or is none of DS9.

    ImportError
        If the package regions is missing.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        msg = f'The region file {path!r} does not exist or is not a file.'
        raise FileNotFoundError(msg)
    package = _import_regions('reading region files')
    try:
        # A file of DS9 may have any name.
        return package.Regions.read(path, format='ds9')
    except Exception as exc:
        # whatever a reader raises on a file that is none
        reason = (str(exc).splitlines() or [''])[0].rstrip('.')
        msg = f'The region file {path!r} cannot be read as one of DS9: {reason}.'
        raise ValueError(msg) from exc


def _import_regions(purpose):
    return require(
        'regions',
        purpose=purpose,
        install="'photutils-pconv[regions]'",
        otherwise='give a table of positions',
    )


def take_regions(value):
    """
    Give the regions that a user means by a mask, if any.

    Parameters
    ----------
    value : object
        Regions, the name of a file that ends in ``.reg``, or anything else.

    Returns
    -------
    regions : list of region, or `None`
        The regions; `None` if it is something else.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        If the file cannot be read.
    """
    is_name = isinstance(value, str | os.PathLike)
    if is_name and os.fspath(value).lower().endswith(_ENDING):
        value = read_regions(value)
    return _to_list(value) if is_regions(value) else None


def _to_list(regions):
    """Give regions as a list, of one if it is one."""
    inner = getattr(regions, 'regions', regions)
    return list(inner) if isinstance(inner, list | tuple) else [inner]


def _is_excluded(region):
    """Whether a region has the minus sign of DS9."""
    return region.meta.get('include', True) in (False, 0, '-')


def get_excluded(regions):
    """
    List the regions that are excluded, those with a minus sign in DS9.

    Parameters
    ----------
    regions : `~regions.Regions`, region, or list of region
        The regions.

    Returns
    -------
    excluded : list of region
        Those that are.
    """
    return [region for region in _to_list(regions) if _is_excluded(region)]


def _kind(region):
    """Name the shape of a region, on the sky or on pixels."""
    return re.sub('(Sky|Pixel)Region$', '', type(region).__name__)


def regions_to_table(regions, *, wcs=None):
    """
    Make a table of sources of the points and circles among regions.

    Parameters
    ----------
    regions : `~regions.Regions`, region, or list of region
        The regions. Excluded ones and texts are no sources.

    wcs : WCS, optional
        The celestial WCS of the map, needed where some regions are on the sky
        and some on pixels.

    Returns
    -------
    table : `~astropy.table.QTable`
        Their labels as ``name``, and ``sky_center``, or ``x_center`` and
        ``y_center`` where some are on pixels.

    Raises
    ------
    ValueError
        If there is no point and no circle, or no WCS where it is needed.

    Warns
    -----
    AstropyUserWarning
        If other shapes are left out.
    """
    shown = [region for region in _to_list(regions) if not _is_excluded(region)]
    shown = [region for region in shown if _kind(region) != 'Text']
    found = [region for region in shown if _kind(region) in ('Point', 'Circle')]
    others = [_kind(region).lower() for region in shown if region not in found]
    if not found:
        listed = f' ({", ".join(sorted(set(others)))})' if others else ''
        msg = (
            f'The regions hold neither points nor circles{listed}: sources are points '
            'and circles without a minus sign.'
        )
        raise ValueError(msg)
    if others:
        msg = (
            f'{len(others)} regions are neither points nor circles '
            f'({", ".join(sorted(set(others)))}): they are left out'
        )
        warn_user(msg)
    centers = [region.center for region in found]
    on_sky = [isinstance(center, SkyCoord) for center in centers]
    table = QTable()
    table['name'] = [str(region.meta.get('text', '')) for region in found]
    if all(on_sky):
        table['sky_center'] = _join(centers)
        return table
    xy = np.empty((2, len(found)))
    for k, center in enumerate(centers):
        if on_sky[k] and wcs is None:
            msg = (
                'Some regions are on the sky and some on pixels, but the map has no '
                'celestial WCS: give wcs, or regions of one kind.'
            )
            raise ValueError(msg)
        xy[:, k] = (
            np.ravel(sky_to_pixel(center.reshape(1), wcs))
            if on_sky[k]
            else (center.x, center.y)
        )
    table['x_center'], table['y_center'] = xy
    return table


def _join(centers):
    """Join positions of any frames."""
    # The positions may be of several frames.
    icrs = [center.icrs for center in centers]
    return SkyCoord([one.ra for one in icrs], [one.dec for one in icrs])


def regions_to_mask(regions, shape, *, wcs=None):
    """
    Mark the pixels of a map whose centres lie in any of some regions.

    Parameters
    ----------
    regions : list of region
        The regions.

    shape : tuple of int
        The shape of the map.

    wcs : WCS, optional
        The celestial WCS of the map, for regions on the sky.

    Returns
    -------
    mask : 2D bool `~numpy.ndarray`
        True in the regions.

    Raises
    ------
    ValueError
        If a region has no area, or is on the sky and there is no WCS.
    """
    mask = np.zeros(shape, dtype=bool)
    for region in regions:
        if hasattr(region, 'to_pixel'):
            if wcs is None:
                msg = (
                    'A region of the mask is on the sky, but the map has no celestial '
                    'WCS: give wcs, or regions on pixels.'
                )
                raise ValueError(msg)
            region = region.to_pixel(wcs)
        try:
            image = region.to_mask(mode='center').to_image(shape)
        except NotImplementedError as exc:
            msg = (
                f'A {_kind(region).lower()} has no area and cannot be masked: use a '
                'circle, box, ellipse, annulus or polygon.'
            )
            raise ValueError(msg) from exc
        if image is not None:
            mask |= image > 0
    return mask
