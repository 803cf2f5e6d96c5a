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
    'add_bar',
    'make_axes',
    'stretch_brightness',
    'stretch_difference',
]

#: The colour map of all images of brightness. It is perceptually uniform, so that
#: steps of brightness look alike, also to readers who do not say red from green.
BRIGHTNESS_COLORS = 'inferno'
#: The colour map of all differences, white at zero, which they can tell apart, too.
DIFFERENCE_COLORS = 'RdBu_r'

# The side of an image in a figure (inches, by choice).
_SIDE = 5
# The same with coordinates of the sky, and the room around the images: for two
# lines of text on the left and below, for a colour bar with its numbers and its
# label on the right of each. Constrained layout does not get along with WCSAxes.
_SIDE_WCS = 5.0
_ROOM = {'left': 1.3, 'right': 1.4, 'bottom': 0.6, 'top': 0.5, 'between': 1.4}
# The percentiles between which the emission is shown, and where the inverse
# hyperbolic sine turns from linear to logarithmic, as a fraction of that range: by
# choice, so that filaments show and the noise of the darkest parts does not.
_PERCENTILES = (0.2, 99.8)
_ASINH = 0.3
# A colour bar: how far from its panel, and how wide, in panels.
_BAR = (1.02, 0.0, 0.04, 1.0)


def make_axes(n_axes, *, interactive=False, wcs=None):
    """
    Make a figure with images in a row.

    Parameters
    ----------
    n_axes : int
        The number of axes.

    interactive : bool, optional
        Whether pyplot is to know the figure, so that it can show it; a
        figure that is only saved needs no screen.

    wcs : WCS, optional
        The coordinates of the images. By default the axes count pixels, and so
        they do with a WCS of another class than `astropy.wcs.WCS`.

    Returns
    -------
    axes : `~numpy.ndarray` of `~matplotlib.axes.Axes`
        The axes.

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
    has_wcs = isinstance(wcs, WCS)
    if has_wcs:
        options = {'figsize': (_SIDE_WCS * n_axes, _SIDE_WCS)}
    else:
        options = {'figsize': (_SIDE * n_axes, _SIDE), 'layout': 'constrained'}
    if interactive:
        from matplotlib import pyplot

        figure = pyplot.figure(FigureClass=_shown_once(Figure), **options)
    else:
        figure = Figure(**options)
    if not has_wcs:
        return figure.subplots(1, n_axes, sharex=True, sharey=True)
    width, height = options['figsize']
    panel = (width - _ROOM['left'] - _ROOM['right'] + _ROOM['between']) / n_axes
    panel -= _ROOM['between']
    return figure.subplots(
        1,
        n_axes,
        sharex=True,
        sharey=True,
        subplot_kw={'projection': wcs},
        gridspec_kw={
            'left': _ROOM['left'] / width,
            'right': 1.0 - _ROOM['right'] / width,
            'bottom': _ROOM['bottom'] / height,
            'top': 1.0 - _ROOM['top'] / height,
            'wspace': _ROOM['between'] / panel,
        },
    )


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


def add_bar(ax, artist, label):
    """
    Add a colour bar beside axes, as high as they are.

    Parameters
    ----------
    ax : `~matplotlib.axes.Axes`
        The axes; their size stays.

    artist : `~matplotlib.image.AxesImage`
        The image.

    label : str
        The label.
    """
    from matplotlib.axes import Axes

    bar = ax.inset_axes(_BAR, axes_class=Axes)
    ax.figure.colorbar(artist, cax=bar, label=label)
