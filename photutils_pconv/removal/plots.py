# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Pictures of removals. Matplotlib is imported when a picture is made.
"""

import numpy as np

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.plotting import make_axes
from photutils_pconv.inputs.values import as_array

__all__ = [
    'plot_holes',
    'plot_removal',
]


def plot_removal(result, *, axes=None, **kwargs):
    """
    Plot the map before, after, and the removed sources side by side.

    Parameters
    ----------
    result : `~photutils_pconv.SourceRemovalResult`
        The result of a removal.

    axes : sequence of 3 `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.imshow`. The map and
        the cleaned map share one stretch, taken from the cleaned map.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The figure.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.

    ValueError
        If there are not three axes.
    """
    if axes is None:
        axes = make_axes(3, interactive=True)
    if len(axes) != 3:
        msg = f'axes must be three axes, got {len(axes)}'
        raise ValueError(msg)
    map_input = result.map_input
    cleaned = np.where(map_input.missing, np.nan, as_array(result.cleaned))
    removed = as_array(result.sources)
    finite = cleaned[np.isfinite(cleaned)]
    low, high = np.percentile(finite, [0.5, 99.8])
    options = {'origin': 'lower', 'interpolation': 'nearest', **kwargs}
    shared = {'vmin': low, 'vmax': high, **options}
    # The removed sources are shown on the same scale, centred on zero.
    half = 0.5 * (high - low)
    images = (
        ('map', map_input.data, shared),
        ('cleaned', cleaned, shared),
        (
            'removed sources',
            np.where(map_input.missing, np.nan, removed),
            {'vmin': -half, 'vmax': half, 'cmap': 'RdBu_r', **options},
        ),
    )
    unit = map_input.unit
    for ax, (title, image, image_options) in zip(axes, images, strict=True):
        shown = ax.imshow(image, **image_options)
        ax.set(title=title, xlabel='x (pixels)', ylabel='y (pixels)')
        label = '' if unit is None else unit.to_string('unicode')
        ax.figure.colorbar(shown, ax=ax, label=label, shrink=0.8)
    table = result.photometry
    axes[0].scatter(
        table['x_center'],
        table['y_center'],
        s=40,
        facecolors='none',
        edgecolors='w',
        linewidths=0.6,
    )
    axes[0].set(
        xlim=(-0.5, cleaned.shape[1] - 0.5), ylim=(-0.5, cleaned.shape[0] - 0.5)
    )
    return axes[0].figure


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
