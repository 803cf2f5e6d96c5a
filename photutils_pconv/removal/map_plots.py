# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps side by side. Matplotlib is imported when they are drawn.
"""

import numpy as np

from photutils_pconv._utils.plotting import (
    BRIGHTNESS_COLORS,
    format_label,
    make_axes,
    merge_looks,
    stretch_brightness,
    stretch_difference,
)
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.removal.views import N_COLUMNS, find_limits, show_panels

__all__ = ['plot_maps']

# The percentile of differences from which on they have the darkest colours (by
# choice): what stands out is a few pixels.
_DIFFERENCE_PERCENTILE = 99.8


def plot_maps(
    maps,
    *,
    differences=(),
    reference=None,
    photometry=None,
    zoom=None,
    n_columns=N_COLUMNS,
    axes=None,
    **kwargs,
):
    """
    Plot maps of one field side by side, with one stretch.

    Parameters
    ----------
    maps : dict
        Maps in any form that `~photutils_pconv.inputs.parse_map` takes, by their
        titles, all of one shape. Arrays have the unit and the WCS of the first of
        the others.

    differences : str or sequence of str, optional
        The titles of those that are differences of maps: zero is white, and what is
        more red, what is less blue.

    reference : str, optional
        The title of the map whose values set the limits of the stretch (an inverse
        hyperbolic sine), best one without sources. By default the last that is no
        difference.

    photometry : `~astropy.table.Table`, optional
        The photometry of a removal, to outline the holes.

    zoom : int or tuple of 4 int, optional
        The part of the maps to show: around the source of that id in ``photometry``,
        or between the pixels (x_min, x_max, y_min, y_max). By default all.

    n_columns : int, optional
        How many maps are in a row.

    axes : sequence of `~matplotlib.axes.Axes`, optional
        Where to plot, one for each map; by default a new figure, with axes of the
        sky where there is a WCS.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.imshow`.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The figure.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.

    ValueError
        If there is no map, the shapes differ, a title is unknown, or the axes are
        not as many as the maps.

    Examples
    --------
    >>> from photutils_pconv.removal import plot_maps
    >>> cleaned, photometry = result  # doctest: +SKIP
    >>> plot_maps({'map': ccd, 'cleaned': cleaned})  # doctest: +SKIP
    """
    if not maps:
        msg = 'there is nothing to plot: give one map or more, by their titles'
        raise ValueError(msg)
    parsed = {title: parse_map(one) for title, one in maps.items()}
    differences = {differences} if isinstance(differences, str) else set(differences)
    named = differences if reference is None else {*differences, reference}
    unknown = sorted(named - set(maps))
    if unknown:
        msg = f'{unknown[0]!r} is no title: they are {", ".join(map(repr, maps))}'
        raise ValueError(msg)
    shapes = {one.data.shape for one in parsed.values()}
    if len(shapes) > 1:
        msg = f'maps must have one shape, got {" and ".join(map(str, sorted(shapes)))}'
        raise ValueError(msg)
    limits = find_limits(shapes.pop(), photometry, zoom)
    if axes is None:
        wcs = _find_first(one.wcs for one in parsed.values())
        axes = make_axes(len(maps), n_columns=n_columns, interactive=True, wcs=wcs)
    axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if len(axes) != len(maps):
        msg = f'axes must be one for each of the {len(maps)} maps, got {len(axes)}'
        raise ValueError(msg)
    part = np.s_[limits[2] : limits[3], limits[0] : limits[1]]
    images = {title: one.data for title, one in parsed.items()}
    looks = _choose_looks(
        {title: image[part] for title, image in images.items()}, differences, reference
    )
    label = format_label(_find_first(one.unit for one in parsed.values()))
    panels = (
        (title, image, merge_looks(looks[title], kwargs))
        for title, image in images.items()
    )
    show_panels(axes, panels, label=label, limits=limits, table=photometry)
    return axes[0].figure


def _choose_looks(images, differences, reference):
    """The stretch and the colours of each image."""
    brightness = [title for title in images if title not in differences]
    looks = {}
    largest = np.inf
    if brightness:
        reference = brightness[-1] if reference is None else reference
        norm = stretch_brightness(images[reference])
        # What stands on the emission is shown on its scale.
        largest = 0.5 * (norm.vmax - norm.vmin)
        for title in brightness:
            looks[title] = {'norm': norm, 'cmap': BRIGHTNESS_COLORS}
    values = np.concatenate(
        [np.abs(images[one]).ravel() for one in differences] or [[]]
    )
    values = values[np.isfinite(values)]
    half = np.percentile(values, _DIFFERENCE_PERCENTILE) if values.size else 0.0
    for title in differences:
        looks[title] = stretch_difference(min(half, largest))
    return looks


def _find_first(values):
    """The first that is there."""
    return next((one for one in values if one is not None), None)
