# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Pictures of removals. Matplotlib is imported when a picture is made.
"""

from numbers import Integral

import astropy.units as u
import numpy as np
from astropy.stats import mad_std
from photutils.profiles import RadialProfile
from scipy.ndimage import gaussian_filter

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.plotting import (
    BRIGHTNESS_COLORS,
    add_bar,
    make_axes,
    stretch_brightness,
    stretch_difference,
)
from photutils_pconv.inputs.values import as_array
from photutils_pconv.photometry.flags import decode_flags

__all__ = [
    'plot_holes',
    'plot_removal',
    'plot_source',
]

# How much of a map is shown around a source, in radii of its hole; the residual's
# largest value, in its standard deviations. Both by choice.
_VIEW = 3.0
_RESIDUAL_LIMIT = 5.0


def plot_removal(result, *, sources=None, zoom=None, axes=None, **kwargs):
    """
    Plot the map before, after, the removed sources, and what is left of them.

    Parameters
    ----------
    result : `~photutils_pconv.SourceRemovalResult`
        The result of a removal.

    sources : sequence of int, optional
        The ids of the sources whose holes are drawn; by default all.

    zoom : int or tuple of 4 int, optional
        The part of the map to show: around the source of that id, or between
        the pixels (x_min, x_max, y_min, y_max). By default all of it.

    axes : sequence of 3 or 4 `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure. Without the fourth, the residual
        is not shown.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.imshow`. The map and
        the cleaned map share one stretch, an inverse hyperbolic sine with limits
        from the cleaned map.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The figure.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.

    ValueError
        If there are not three or four axes, or no source has that id.
    """
    map_input = result.map_input
    table = result.photometry
    marked = table if sources is None else table[_find_rows(table, sources)]
    limits = _find_limits(result, zoom)
    if axes is None:
        axes = make_axes(4, interactive=True, wcs=map_input.wcs)
    if len(axes) not in (3, 4):
        msg = f'axes must be three or four axes, got {len(axes)}'
        raise ValueError(msg)
    cleaned = np.where(map_input.missing, np.nan, as_array(result.cleaned))
    removed = np.where(map_input.missing, np.nan, as_array(result.sources))
    part = np.s_[limits[2] : limits[3], limits[0] : limits[1]]
    norm = stretch_brightness(cleaned[part])
    options = {'origin': 'lower', 'interpolation': 'nearest', **kwargs}
    brightness = {'cmap': BRIGHTNESS_COLORS, 'norm': norm, **options}
    if 'vmin' in kwargs or 'vmax' in kwargs or 'norm' in kwargs:
        brightness = {'cmap': BRIGHTNESS_COLORS, **options}
    # The removed sources are shown on the emission's scale, centred on zero.
    half = 0.5 * (norm.vmax - norm.vmin)
    images = [
        ('map', map_input.data, brightness),
        ('cleaned', cleaned, brightness),
        ('removed sources', removed, stretch_difference(half) | options),
    ]
    if len(axes) == 4:
        residual = _find_residual(cleaned, table)
        half = _RESIDUAL_LIMIT * _scatter(residual[part])
        images.append(
            (
                'cleaned, less smooth emission',
                residual,
                stretch_difference(half) | options,
            )
        )
    for ax, (title, image, image_options) in zip(axes, images, strict=True):
        _show(ax, image, title, map_input, image_options, is_first=ax is axes[0])
        _outline(ax, marked)
        ax.set(
            xlim=(limits[0] - 0.5, limits[1] - 0.5),
            ylim=(limits[2] - 0.5, limits[3] - 0.5),
        )
    return axes[0].figure


def plot_source(result, source_id, *, axes=None, **kwargs):
    """
    Plot a source: the map, the emission behind it, the cleaned map, and profiles.

    Parameters
    ----------
    result : `~photutils_pconv.SourceRemovalResult`
        The result of a removal.

    source_id : int
        The source's ``id`` in the table.

    axes : sequence of 4 `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

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
        If no source has that id, it has no hole, or there are not four axes.
    """
    table = result.photometry
    row = table[_find_rows(table, [source_id])[0]]
    limits = _find_limits(result, source_id)
    map_input = result.map_input
    if axes is None:
        axes = make_axes(4, interactive=True, wcs=map_input.wcs)
    if len(axes) != 4:
        msg = f'axes must be four axes, got {len(axes)}'
        raise ValueError(msg)
    # The images are cutouts of their own, which the profile shares no axis with.
    *panels, last = axes
    figure = last.figure
    place = last.get_subplotspec()
    if place is not None:
        last.remove()
        last = figure.add_subplot(place)
    missing = map_input.missing
    images = {
        'map': map_input.data,
        'reconstructed emission': np.where(missing, np.nan, result.reconstruction),
        'cleaned': np.where(missing, np.nan, as_array(result.cleaned)),
    }
    part = np.s_[limits[2] : limits[3], limits[0] : limits[1]]
    norm = stretch_brightness(images['cleaned'][part])
    options = {'origin': 'lower', 'interpolation': 'nearest', 'cmap': BRIGHTNESS_COLORS}
    for ax, (title, image) in zip(panels, images.items(), strict=True):
        image_options = options | {'norm': norm} | kwargs
        _show(ax, image, title, map_input, image_options, is_first=ax is panels[0])
        _outline(ax, table)
        ax.set(
            xlim=(limits[0] - 0.5, limits[1] - 0.5),
            ylim=(limits[2] - 0.5, limits[3] - 0.5),
        )
    _plot_profiles(last, images, row, map_input, norm)
    figure.suptitle(f'Source {source_id}: {_describe_source(row)}')
    return figure


def _plot_profiles(ax, images, row, map_input, norm):
    """Plot radial profiles about a source."""
    center = (row['x_center'], row['y_center'])
    edges = np.arange(0.0, _VIEW * row['hole_radius'] + 1.0)
    colors = ('0.1', 'C0', 'C1')
    styles = ('-', '--', ':')
    for (name, image), color, style in zip(images.items(), colors, styles, strict=True):
        profile = RadialProfile(image, center, edges, mask=~np.isfinite(image))
        ax.plot(profile.radius, profile.profile, style, color=color, label=name)
    # Linear for the emission, logarithmic for the source.
    ax.set_yscale('asinh', linear_width=norm.vmax - norm.vmin)
    ax.axvline(row['hole_radius'], color='0.6', lw=1, label='hole')
    ax.set(title='radial profile', xlabel='radius (pixels)', ylabel=_label(map_input))
    # The colour bar of the next panel stands on the left.
    ax.yaxis.tick_right()
    ax.yaxis.set_label_position('right')
    ax.legend()


def _describe_source(row):
    """The flux and the flags of a source, in words."""
    flux, error = row['flux'], row['flux_err']
    unit = f' {flux.unit}' if isinstance(flux, u.Quantity) else ''
    flux, error = (float(getattr(one, 'value', one)) for one in (flux, error))
    names = ', '.join(decode_flags(row['flags']))
    flags = f' ({names})' if names else ''
    return f'flux {flux:.4g} ± {error:.2g}{unit}{flags}'


def _find_rows(table, ids):
    """The rows of sources of these ids."""
    ids = np.asarray(ids)
    if ids.dtype.kind not in 'iu' and ids.size:
        msg = f'sources must be ids, which are integers, got {ids.dtype}'
        raise TypeError(msg)
    known = {int(one): row for row, one in enumerate(table['id'])}
    unknown = [int(one) for one in ids.ravel() if int(one) not in known]
    if unknown:
        msg = (
            f'no source has the id {unknown[0]}: they run from {min(known, default=0)} '
            f'to {max(known, default=0)}'
        )
        raise ValueError(msg)
    return [known[int(one)] for one in ids.ravel()]


def _find_limits(result, zoom):
    """The pixels to show: first and last + 1 in x, then in y."""
    ny, nx = result.holes.shape
    if zoom is None:
        return 0, nx, 0, ny
    if isinstance(zoom, Integral) and not isinstance(zoom, bool):
        row = result.photometry[_find_rows(result.photometry, [zoom])[0]]
        x, y, radius = row['x_center'], row['y_center'], row['hole_radius']
        if not np.all(np.isfinite([x, y, radius])):
            msg = f'source {zoom} has no hole on the map: nothing is to be seen'
            raise ValueError(msg)
        half = int(np.ceil(_VIEW * radius))
        x, y = round(float(x)), round(float(y))
        limits = (x - half, x + half + 1, y - half, y + half + 1)
    else:
        try:
            limits = tuple(int(one) for one in zoom)
        except (TypeError, ValueError):
            limits = ()
        if len(limits) != 4 or limits[0] >= limits[1] or limits[2] >= limits[3]:
            msg = (
                'zoom must be the id of a source, or (x_min, x_max, y_min, y_max) in '
                f'pixels, got {zoom!r}'
            )
            raise ValueError(msg)
    low_x, high_x, low_y, high_y = limits
    limits = (max(low_x, 0), min(high_x, nx), max(low_y, 0), min(high_y, ny))
    if limits[0] >= limits[1] or limits[2] >= limits[3]:
        msg = f'zoom = {zoom!r} lies outside the map of {nx} x {ny} pixels'
        raise ValueError(msg)
    return limits


def _find_residual(cleaned, table):
    """The cleaned map less what is smooth on the scale of holes."""
    radii = np.asarray(table['hole_radius'], dtype=float)
    radii = radii[np.isfinite(radii)]
    sigma = 0.5 * float(np.median(radii)) if radii.size else 1.0
    finite = np.isfinite(cleaned)
    weight = gaussian_filter(finite.astype(float), sigma)
    smooth = gaussian_filter(np.where(finite, cleaned, 0.0), sigma)
    with np.errstate(invalid='ignore', divide='ignore'):
        return np.where(finite, cleaned - smooth / weight, np.nan)


def _scatter(image):
    finite = image[np.isfinite(image)]
    return mad_std(finite) if finite.size else 0.0


def _label(map_input):
    return '' if map_input.unit is None else map_input.unit.to_string('unicode')


def _show(ax, image, title, map_input, options, *, is_first):
    """Show an image with its title, its axes and its colour bar."""
    shown = ax.imshow(image, **options)
    shown.set_in_layout(False)
    add_bar(ax, shown, _label(map_input))
    coords = getattr(ax, 'coords', None)
    if coords is None:
        ax.set(title=title, xlabel='x (pixels)', ylabel='y (pixels)')
        return
    ax.set_title(title)
    for coord in coords:
        coord.set_axislabel(_name_axis(coord))
    if not is_first:
        coords[1].set_ticklabel_visible(False)
        coords[1].set_axislabel('')


def _name_axis(coord):
    names = {'ra': 'right ascension', 'dec': 'declination'}
    name = coord.default_label.split('.')[-1] if coord.default_label else ''
    return names.get(name, name)


def _outline(ax, table):
    """Outline holes, visible on dark and on light pixels."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    x, y, radius = (
        np.asarray(table[name], dtype=float)
        for name in ('x_center', 'y_center', 'hole_radius')
    )
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(radius)
    circles = [
        Circle(center, size)
        for *center, size in zip(x[known], y[known], radius[known], strict=True)
    ]
    for width, color in ((1.6, 'k'), (0.7, 'w')):
        outlines = PatchCollection(
            circles, facecolor='none', edgecolor=color, linewidth=width
        )
        # Those beyond the panel need no room.
        outlines.set_in_layout(False)
        ax.add_collection(outlines, autolim=False)


def plot_holes(
    table,
    *,
    ax=None,
    outlines=True,
    marker='+',
    markersize=None,
    color='blue',
    alpha=None,
    **kwargs,
):
    """
    Plot holes on a matplotlib Axes.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The holes, with the columns ``x_center``, ``y_center`` and
        ``hole_radius`` (pixels).

    ax : `~matplotlib.axes.Axes`, optional
        Where to plot; by default the current axes.

    outlines : bool, optional
        Whether to draw the holes' outlines.

    marker : str, optional
        The marker of the holes' centres.

    markersize : float, optional
        The marker's size in ``points ** 2``; 0 for no markers.

    color : str, optional
        The colour of markers and outlines.

    alpha : float, optional
        The alpha value, from 0 (transparent) to 1 (opaque).

    **kwargs
        Keyword arguments of `~matplotlib.patches.Circle` for the
        outlines.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.
    """
    outlines = to_bool(outlines, 'outlines')
    try:
        import matplotlib.pyplot as plt
        from matplotlib.patches import Circle
    except ImportError as exc:
        msg = "plots need matplotlib: pip install 'photutils-pconv[plot]'"
        raise ImportError(msg) from exc
    if ax is None:
        ax = plt.gca()
    ax.scatter(
        table['x_center'],
        table['y_center'],
        s=markersize,
        marker=marker,
        color=color,
        alpha=alpha,
    )
    if outlines:
        options = {'fill': False, 'color': color, 'alpha': alpha, **kwargs}
        for row in table:
            centre = (row['x_center'], row['y_center'])
            ax.add_patch(Circle(centre, row['hole_radius'], **options))
