# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Pictures of removals. Matplotlib is imported when a picture is made.
"""

import astropy.units as u
import numpy as np
from astropy.stats import mad_std
from photutils.profiles import RadialProfile
from scipy.ndimage import gaussian_filter

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.plotting import (
    BRIGHTNESS_COLORS,
    format_label,
    make_axes,
    merge_looks,
    stretch_brightness,
    stretch_difference,
)
from photutils_pconv.inputs.values import as_array
from photutils_pconv.photometry.flags import decode_flags
from photutils_pconv.removal.views import (
    N_COLUMNS,
    VIEW,
    find_limits,
    find_rows,
    show_panels,
)

__all__ = [
    'plot_holes',
    'plot_removal',
    'plot_source',
]

# The residual's largest value, in its standard deviations (by choice).
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
    marked = table if sources is None else table[find_rows(table, sources)]
    limits = find_limits(result.holes.shape, table, zoom)
    if axes is None:
        axes = make_axes(4, n_columns=N_COLUMNS, interactive=True, wcs=map_input.wcs)
    if len(axes) not in (3, 4):
        msg = f'axes must be three or four axes, got {len(axes)}'
        raise ValueError(msg)
    cleaned = np.where(map_input.missing, np.nan, as_array(result.cleaned))
    removed = np.where(map_input.missing, np.nan, as_array(result.sources))
    part = np.s_[limits[2] : limits[3], limits[0] : limits[1]]
    norm = stretch_brightness(cleaned[part])
    brightness = {'cmap': BRIGHTNESS_COLORS, 'norm': norm}
    # The removed sources are shown on the emission's scale, centred on zero.
    half = 0.5 * (norm.vmax - norm.vmin)
    images = [
        ('map', map_input.data, brightness),
        ('cleaned', cleaned, brightness),
        ('removed sources', removed, stretch_difference(half)),
    ]
    if len(axes) == 4:
        residual = _find_residual(cleaned, table)
        half = _RESIDUAL_LIMIT * _scatter(residual[part])
        images.append(
            ('cleaned, less smooth emission', residual, stretch_difference(half))
        )
    label = format_label(map_input.unit)
    panels = (
        (title, image, merge_looks(looks, kwargs)) for title, image, looks in images
    )
    show_panels(axes, panels, label=label, limits=limits, table=marked)
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
    row = table[find_rows(table, [source_id])[0]]
    limits = find_limits(result.holes.shape, table, source_id)
    map_input = result.map_input
    if axes is None:
        axes = make_axes(4, n_columns=N_COLUMNS, interactive=True, wcs=map_input.wcs)
    if len(axes) != 4:
        msg = f'axes must be four axes, got {len(axes)}'
        raise ValueError(msg)
    # The images are cutouts of their own, which the profile shares no axis with.
    *others, last = axes
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
    looks = merge_looks({'cmap': BRIGHTNESS_COLORS, 'norm': norm}, kwargs)
    label = format_label(map_input.unit)
    panels = ((title, image, looks) for title, image in images.items())
    show_panels(others, panels, label=label, limits=limits, table=table)
    _plot_profiles(last, images, row, map_input, norm)
    figure.suptitle(f'Source {source_id}: {_describe_source(row)}')
    return figure


def _plot_profiles(ax, images, row, map_input, norm):
    """Plot radial profiles about a source."""
    center = (row['x_center'], row['y_center'])
    edges = np.arange(0.0, VIEW * row['hole_radius'] + 1.0)
    colors = ('0.1', 'C0', 'C1')
    styles = ('-', '--', ':')
    for (name, image), color, style in zip(images.items(), colors, styles, strict=True):
        profile = RadialProfile(image, center, edges, mask=~np.isfinite(image))
        ax.plot(profile.radius, profile.profile, style, color=color, label=name)
    # Linear for the emission, logarithmic for the source.
    ax.set_yscale('asinh', linear_width=norm.vmax - norm.vmin)
    ax.axvline(row['hole_radius'], color='0.6', lw=1, label='hole')
    ax.set(
        title='radial profile',
        xlabel='radius (pixels)',
        ylabel=format_label(map_input.unit),
    )
    _set_ticks(ax, norm.vmax - norm.vmin)
    # The colour bar of the next panel stands on the left.
    ax.yaxis.tick_right()
    ax.yaxis.set_label_position('right')
    ax.legend()


def _set_ticks(ax, width):
    """Set ticks at powers of ten, where they are not crowded about zero."""
    low, high = ax.get_ylim()
    smallest = int(np.floor(np.log10(width)))
    largest = int(np.ceil(np.log10(max(abs(low), abs(high)))))
    powers = [10.0**k for k in range(smallest, largest + 1)]
    ticks = [0.0, *powers, *(-one for one in powers)]
    ax.set_yticks([one for one in ticks if low <= one <= high])
    ax.minorticks_off()


def _describe_source(row):
    """The flux and the flags of a source, in words."""
    flux, error = row['flux'], row['flux_err']
    unit = f' {flux.unit}' if isinstance(flux, u.Quantity) else ''
    flux, error = (float(getattr(one, 'value', one)) for one in (flux, error))
    names = ', '.join(decode_flags(row['flags']))
    flags = f' ({names})' if names else ''
    value = f'{flux:.4g}'
    if error > 0:
        # As many decimals as the two first digits of the error have.
        decimals = max(1 - int(np.floor(np.log10(error))), 0)
        value = f'{flux:.{decimals}f} ± {error:.{decimals}f}'
    return f'flux {value}{unit}{flags}'


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
