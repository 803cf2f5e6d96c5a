# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Pictures of maps before and after the removal, as in Figs. 9 and 10.
"""

import numpy as np

from photutils_pconv._utils.plotting import BRIGHTNESS_COLORS, make_axes
from photutils_pconv.evaluation.plots._axes import check_number
from photutils_pconv.inputs.values import as_array

__all__ = ['display_limits', 'plot_before_after', 'render_images']

# Linear up to this part of the range, then logarithmic (by choice).
_STRETCH = 0.2
# The percentiles of the cleaned map between which the stretch lies (by choice).
_PERCENTILES = (0.5, 99.8)


def display_limits(cleaned, missing=None):
    """
    Find the limits of a stretch that shows the extended emission.

    Parameters
    ----------
    cleaned : 2D `~numpy.ndarray`
        The cleaned map.

    missing : 2D bool `~numpy.ndarray`, optional
        Pixels to leave out, beside those that are not finite.

    Returns
    -------
    low, high : float
        The 0.5 and 99.8 percentiles, the upper one raised a little so
        that it stands clear of the lower.
    """
    good = np.isfinite(cleaned)
    if missing is not None:
        good &= ~missing
    low, high = np.percentile(cleaned[good], _PERCENTILES)
    # A map of one value has no range of its own.
    return float(low), float(max(high, low + 1.0e-12 + 1.0e-6 * abs(low)))


def _images(result, limits):
    """
    Return the map before and after, and the stretch that both have.
    """
    from astropy.visualization import AsinhStretch, ImageNormalize

    map_input = result.map_input
    cleaned = np.where(map_input.missing, np.nan, as_array(result.cleaned))
    low, high = display_limits(cleaned) if limits is None else limits
    norm = ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(_STRETCH))
    return map_input.data, cleaned, norm


def plot_before_after(result, *, title=None, axes=None, limits=None):
    """
    Plot a map and the cleaned map side by side.

    Both have one stretch, an inverse hyperbolic sine between limits
    taken from the cleaned map.

    Parameters
    ----------
    result : `~photutils_pconv.SourceRemovalResult`
        The removal.

    title : str, optional
        The title of the figure.

    axes : sequence of 2 `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    limits : pair of float, optional
        The limits of the stretch, in the map's unit.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The figure.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If there are not two axes.
    """
    axes = make_axes(2) if axes is None else axes
    check_number(axes, 2)
    before, after, norm = _images(result, limits)
    unit = result.map_input.unit
    label = '' if unit is None else unit.to_string('unicode')
    for ax, image, name in zip(axes, (before, after), ('before', 'after'), strict=True):
        shown = ax.imshow(
            image,
            origin='lower',
            cmap=BRIGHTNESS_COLORS,
            norm=norm,
            interpolation='nearest',
        )
        ax.set(title=name, xlabel='x (pixels)', ylabel='y (pixels)')
    figure = axes[0].figure
    figure.colorbar(shown, ax=list(axes), label=label, shrink=0.8)
    if title:
        figure.suptitle(title)
    return figure


def render_images(result, *, limits=None, largest=640):
    """
    Render a map before and after the removal as colour images.

    Parameters
    ----------
    result : `~photutils_pconv.SourceRemovalResult`
        The removal.

    limits : pair of float, optional
        The limits of the stretch, in the map's unit.

    largest : int, optional
        The longest side, in pixels; larger maps are thinned, small ones
        enlarged by a whole factor.

    Returns
    -------
    before, after : 3D uint8 `~numpy.ndarray`
        The images (ny, nx, 4), their first row on top: the map's last.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    make_axes(1)  # says what to install where matplotlib is missing
    from matplotlib import colormaps

    before, after, norm = _images(result, limits)
    step = int(np.ceil(max(after.shape) / largest))
    zoom = max(1, largest // max(after.shape))
    colormap = colormaps[BRIGHTNESS_COLORS].with_extremes(bad='0.75')
    images = []
    for image in (before, after):
        thin = image[::step, ::step][::-1]
        thin = np.repeat(np.repeat(thin, zoom, axis=0), zoom, axis=1)
        values = np.ma.masked_invalid(norm(thin, clip=True))
        images.append(colormap(values, bytes=True))
    return tuple(images)
