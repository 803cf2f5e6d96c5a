# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Figures, axes, and the looks of images.
"""

import io
import sys
from functools import cache

import numpy as np
from astropy.wcs import WCS

__all__ = [
    'BRIGHTNESS_COLORS',
    'DIFFERENCE_COLORS',
    'format_label',
    'make_axes',
    'merge_looks',
    'outline_circles',
    'show_image',
    'stretch_brightness',
    'stretch_difference',
]

#: The colour map of all images of brightness. It is perceptually uniform, so that
#: steps of brightness look alike, also to readers who see red and green alike.
BRIGHTNESS_COLORS = 'inferno'
#: The colour map of all differences, white at zero, whose two ends those readers see
#: as different, too.
DIFFERENCE_COLORS = 'RdBu_r'

# The side of a panel (inches, by choice) with its colour bar, or with coordinates of
# the sky without it, and the room around those: for two lines of text on the left and
# below, for a colour bar with its numbers and its label on the right of each, for a
# title above. Constrained layout does not get along with WCSAxes.
_SIDE = 5.0
_SIDE_WCS = 3.3
_ROOM = {
    'left': 1.3,
    'right': 1.4,
    'bottom': 0.6,
    'top': 0.65,
    'between': 1.4,
    'above': 0.4,
}
# The percentiles between which the emission is shown, and where the inverse
# hyperbolic sine turns from linear to logarithmic, as a fraction of that range: by
# choice, so that filaments show and the noise of the darkest parts does not.
_PERCENTILES = (0.2, 99.8)
_ASINH = 0.3
# A colour bar: how far from its panel, and how wide, in panels.
_BAR = (1.02, 0.0, 0.04, 1.0)


def make_axes(n_axes, *, n_columns=None, interactive=False, wcs=None):
    """
    Make a figure with images.

    Parameters
    ----------
    n_axes : int
        The number of axes.

    n_columns : int, optional
        How many of them are in a row; by default all.

    interactive : bool, optional
        Whether pyplot is to know the figure, so that it can show it; a
        figure that is only saved needs no screen.

    wcs : WCS, optional
        The coordinates of the images. By default the axes count pixels, and so
        they do with a WCS of another class than `astropy.wcs.WCS`.

    Returns
    -------
    axes : 1D `~numpy.ndarray` of `~matplotlib.axes.Axes`
        The axes, row by row. A last row may have fewer.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as exc:
        msg = "plots need matplotlib: pip install 'photutils-pconv[plot]'"
        raise ImportError(msg) from exc
    n_columns = n_axes if n_columns is None else min(n_columns, n_axes)
    n_rows = -(-n_axes // n_columns)
    has_wcs = isinstance(wcs, WCS)
    options = _lay_out(n_rows, n_columns) if has_wcs else {}
    size = options.pop('figsize', (_SIDE * n_columns, _SIDE * n_rows))
    layout = None if has_wcs else 'constrained'
    if interactive:
        from matplotlib import pyplot

        figure = pyplot.figure(
            FigureClass=_shown_once(Figure), figsize=size, layout=layout
        )
    else:
        figure = Figure(figsize=size, layout=layout)
    if has_wcs:
        options['subplot_kw'] = {'projection': wcs}
    axes = figure.subplots(
        n_rows, n_columns, sharex=True, sharey=True, squeeze=False, **options
    ).ravel()
    for ax in axes[n_axes:]:
        ax.remove()
    return axes[0] if n_axes == 1 else axes[:n_axes]


def _lay_out(n_rows, n_columns):
    """The size of a figure of panels with coordinates, and where they are in it."""
    side, room = _SIDE_WCS, _ROOM
    width = room['left'] + room['right'] - room['between']
    width += n_columns * (side + room['between'])
    height = room['bottom'] + room['top'] - room['above']
    height += n_rows * (side + room['above'])
    grid = {
        'left': room['left'] / width,
        'right': 1.0 - room['right'] / width,
        'bottom': room['bottom'] / height,
        'top': 1.0 - room['top'] / height,
        'wspace': room['between'] / side,
        'hspace': room['above'] / side,
    }
    return {'figsize': (width, height), 'gridspec_kw': grid}


@cache
def _shown_once(figure_class):
    """
    Make a class of figures that notebooks show once.

    A notebook shows a figure that pyplot knows at the end of its cell, and again
    if it is what the cell's last line gives.
    """

    class ShownOnce(figure_class):
        def _ipython_display_(self):
            from IPython.display import Image, display

            png = io.BytesIO()
            self.savefig(png, format='png')
            display(Image(png.getvalue()))
            sys.modules['matplotlib.pyplot'].close(self)

    return ShownOnce


def stretch_brightness(image):
    """
    Make the stretch for an image, with limits from its own values.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The emission, without sources; NaN is left out.

    Returns
    -------
    norm : `~astropy.visualization.ImageNormalize`
        An inverse hyperbolic sine, linear for the faint emission.
    """
    from astropy.visualization import AsinhStretch, ImageNormalize

    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, _PERCENTILES) if finite.size else (0.0, 1.0)
    if not high > low:
        high = low + max(abs(low), 1.0)
    return ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(_ASINH))


def stretch_difference(half):
    """
    Make the stretch for a difference, with zero in its middle.

    Parameters
    ----------
    half : float
        The largest difference to show.

    Returns
    -------
    limits : dict
        Keyword arguments of `~matplotlib.axes.Axes.imshow`.
    """
    half = half if np.isfinite(half) and half > 0 else 1.0
    return {'vmin': -half, 'vmax': half, 'cmap': DIFFERENCE_COLORS}


def merge_looks(looks, kwargs):
    """
    Merge the looks of an image with those that the user wants.

    Parameters
    ----------
    looks : dict
        Keyword arguments of `~matplotlib.axes.Axes.imshow`.

    kwargs : dict
        Those of the user, which have precedence: a norm takes the place of limits,
        and limits that of a norm.

    Returns
    -------
    merged : dict
        The keyword arguments.
    """
    limits = {'vmin', 'vmax'}
    replaced = limits if 'norm' in kwargs else set()
    replaced |= {'norm'} if limits & kwargs.keys() else set()
    return {key: one for key, one in looks.items() if key not in replaced} | kwargs


def format_label(unit, name=''):
    """
    Say what an axis or a colour bar shows.

    Parameters
    ----------
    unit : `~astropy.units.Unit` or `None`
        Its unit.

    name : str, optional
        What it is.

    Returns
    -------
    label : str
        The name with the unit in brackets, or the unit alone.
    """
    unit = '' if unit is None else unit.to_string('unicode', fraction='inline')
    unit = unit.replace(' / ', '/')
    return f'{name} ({unit})' if name and unit else name or unit


def show_image(ax, image, title, *, label='', **kwargs):
    """
    Show an image with its title, its axes and its colour bar.

    Images that have neighbours on the left or below have no labels there: those
    of the neighbours count.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`
        Where.

    image : 2D `~numpy.ndarray`
        The image.

    title : str
        Its title.

    label : str, optional
        The label of its colour bar.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.imshow`.
    """
    shown = ax.imshow(
        image, **{'origin': 'lower', 'interpolation': 'nearest', **kwargs}
    )
    shown.set_in_layout(False)
    _add_bar(ax, shown, label)
    ax.set_title(title)
    is_left, is_lowest = _find_sides(ax)
    coords = getattr(ax, 'coords', None)
    if coords is None:
        ax.set(
            xlabel='x (pixels)' if is_lowest else '',
            ylabel='y (pixels)' if is_left else '',
        )
        return
    for coord, is_labelled in zip(coords, (is_lowest, is_left), strict=True):
        coord.set_axislabel(_name_axis(coord) if is_labelled else '')
        coord.set_ticklabel_visible(is_labelled)


def _add_bar(ax, artist, label):
    """Add a colour bar beside axes, as high as they are."""
    from matplotlib.axes import Axes

    bar = ax.inset_axes(_BAR, axes_class=Axes)
    ax.figure.colorbar(artist, cax=bar, label=label)


def _find_sides(ax):
    """Whether axes have no neighbours on the left, and none below."""
    place = ax.get_subplotspec()
    if place is None:
        return True, True
    others = [one.get_subplotspec() for one in ax.figure.axes]
    below = any(
        one is not None
        and one.get_gridspec() is place.get_gridspec()
        and one.colspan.start == place.colspan.start
        and one.rowspan.start >= place.rowspan.stop
        for one in others
    )
    return place.is_first_col(), not below


def _name_axis(coord):
    names = {'ra': 'right ascension', 'dec': 'declination'}
    name = coord.default_label.split('.')[-1] if coord.default_label else ''
    return names.get(name, name)


def outline_circles(ax, x, y, radius):
    """
    Outline circles, visible on dark and on light pixels.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`
        Where.

    x, y, radius : 1D `~numpy.ndarray`
        Their centres and radii, in pixels; those that are not finite are left out.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

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
