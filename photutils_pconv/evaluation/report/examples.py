# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The maps and sources that a report shows as examples, and their figures.
"""

import numpy as np

from photutils_pconv.evaluation.plots._axes import new_axes
from photutils_pconv.evaluation.plots.maps import (
    plot_delta_variance,
    plot_map_statistics,
)
from photutils_pconv.evaluation.structure import TRUTH, WITH_DRAW
from photutils_pconv.geometry.cutouts import CUTOUT_SIZE
from photutils_pconv.inputs.values import as_array

__all__ = [
    'choose_comparisons',
    'cut_source',
    'forget_figure',
    'plot_structure',
]

# The SNR of the source that is shown as an example (by choice).
_EXAMPLE_SNR = 50.0


def choose_comparisons(comparisons, setup, method=None):
    """
    Choose the comparisons of a setup and a method.

    Parameters
    ----------
    comparisons : sequence of `~photutils_pconv.evaluation.MapComparison`
        All comparisons.

    setup : str
        The setup's name.

    method : str, optional
        The method; by default the last remover, without a draw.

    Returns
    -------
    chosen : list of `~photutils_pconv.evaluation.MapComparison`
        The comparisons, in their order.
    """
    found = [one for one in comparisons if one.setup == setup]
    if method is None:
        own = [one for one in found if one.method not in TRUTH]
        plain = [one for one in own if not one.method.endswith(WITH_DRAW)]
        method = (plain or own)[-1].method
    return [one for one in found if one.method == method]


def plot_structure(comparisons):
    """
    Plot the structure of up to three maps, one a row.

    Parameters
    ----------
    comparisons : sequence of `~photutils_pconv.evaluation.MapComparison`
        Comparisons of one setup and method; the first, one in the middle,
        and the last are shown.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The figure.
    """
    last = len(comparisons) - 1
    chosen = [comparisons[k] for k in dict.fromkeys((0, (last + 1) // 2, last))]
    axes = new_axes(len(chosen), 4, size=(4.0, 3.2))
    for row, one in zip(axes, chosen, strict=True):
        plot_map_statistics(
            one.original,
            one.injected,
            one.result.cleaned,
            region=one.holes,
            power_err=None if one.draw_errors is None else one.draw_errors.power,
            axes=row[:3],
        )
        row[2].locator_params(axis='x', nbins=5)
        row[2].ticklabel_format(axis='x', style='sci', scilimits=(0, 0))
        labels = ('original', 'with sources', 'cleaned')
        tables = dict(zip(labels, one.delta_variances.values(), strict=True))
        plot_delta_variance(tables, ax=row[3])
        # Over little more than a decade, labels of minor ticks overlap.
        row[3].tick_params(axis='x', which='minor', labelbottom=False)
        row[0].set_title(one.name)
    return axes.flat[0].figure


def cut_source(comparison):
    """
    Cut out a source that is prominent, but not by orders of magnitude.

    Parameters
    ----------
    comparison : `~photutils_pconv.evaluation.MapComparison`
        The map.

    Returns
    -------
    stamps : list of 2D `~numpy.ndarray`
        The map with the source, without it, and cleaned of it.
    """
    table = comparison.result.photometry
    maps = (comparison.injected, comparison.original, comparison.result.cleaned)
    images = [as_array(one) for one in maps]
    ny, nx = images[0].shape
    x, y = (np.asarray(table[name]) for name in ('x_center', 'y_center'))
    edge = np.minimum.reduce([x, y, nx - x, ny - y])
    with np.errstate(invalid='ignore', divide='ignore'):
        distance = np.abs(np.log(np.asarray(table['snr']) / _EXAMPLE_SNR))
    half = CUTOUT_SIZE // 2
    # Any source that is far enough from the edge goes before all others.
    best = int(np.nanargmin(np.where(edge > half, distance, 1.0e3 + distance)))
    xc, yc = round(float(x[best])), round(float(y[best]))
    window = (slice(max(yc - half, 0), yc + half), slice(max(xc - half, 0), xc + half))
    return [np.where(np.isfinite(one[window]), one[window], 0.0) for one in images]


def forget_figure(figure):
    """
    Take a figure from pyplot, which would keep it forever.

    Parameters
    ----------
    figure : `~matplotlib.figure.Figure`
        The figure.
    """
    from matplotlib import pyplot

    pyplot.close(figure)
