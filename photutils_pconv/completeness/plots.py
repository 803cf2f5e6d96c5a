# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Plots of completeness, and of measured over true fluxes.
"""

import numpy as np

from photutils_pconv._utils.plotting import make_axes
from photutils_pconv.completeness.statistics import FRACTIONS

__all__ = ['make_row', 'plot_ratios', 'plot_shares']

# The size of a panel, in inches; by choice.
_PANEL = (5.0, 4.0)


def make_row(n_axes, *, interactive=True):
    """
    Make a figure with plots in a row.

    Parameters
    ----------
    n_axes : int
        Their number.

    interactive : bool, optional
        Whether pyplot is to know the figure, so that it can show it.

    Returns
    -------
    axes : 1D `~numpy.ndarray` of `~matplotlib.axes.Axes`
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.
    """
    figure = make_axes(1, interactive=interactive).figure
    figure.clear()
    figure.set_size_inches(_PANEL[0] * n_axes, _PANEL[1])
    return figure.subplots(1, n_axes, squeeze=False)[0]


def plot_shares(completeness, *, ax=None, **kwargs):
    """
    Plot the completeness by flux.

    Parameters
    ----------
    completeness : `~photutils_pconv.completeness.Completeness`
        The result.

    ax : `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.errorbar`.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        The axes.
    """
    ax = make_row(1)[0] if ax is None else ax
    share = completeness.completeness
    low, high = completeness.interval
    errors = np.maximum([share - low, high - share], 0.0)
    ax.errorbar(
        np.asarray(completeness.flux),
        share,
        yerr=errors,
        **{'fmt': 'o-', 'capsize': 2} | kwargs,
    )
    for fraction in FRACTIONS:
        flux = float(np.asarray(completeness.flux_at(fraction)))
        if np.isfinite(flux):
            ax.plot(flux, fraction, 'k+', ms=10)
            ax.annotate(
                f'{100 * fraction:.0f} %: {flux:.3g}',
                (flux, fraction),
                (10, -10),
                textcoords='offset points',
            )
    ax.set(
        xscale='log',
        ylim=(-0.03, 1.03),
        xlabel=_flux_label(completeness),
        ylabel='completeness',
    )
    return ax


def plot_ratios(completeness, *, ax=None, **kwargs):
    """
    Plot measured over true flux by flux, with the true and claimed errors.

    Parameters
    ----------
    completeness : `~photutils_pconv.completeness.Completeness`
        The result.

    ax : `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.errorbar`.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        The axes.
    """
    ax = make_row(1)[0] if ax is None else ax
    flux = np.asarray(completeness.flux)
    ratio = 1.0 + completeness.bias
    claimed = np.asarray(completeness.claimed_err) / flux
    ax.axhline(1.0, color='0.7', lw=1)
    ax.fill_between(flux, 1 - claimed, 1 + claimed, color='0.85', label='claimed error')
    ax.errorbar(
        flux,
        ratio,
        yerr=completeness.scatter,
        **{'fmt': 'o', 'capsize': 2, 'label': 'median and scatter'} | kwargs,
    )
    ax.set(
        xscale='log', xlabel=_flux_label(completeness), ylabel='measured / true flux'
    )
    ax.legend(loc='upper right')
    return ax


def _flux_label(completeness):
    unit = getattr(completeness.flux, 'unit', None)
    return 'flux' if unit is None else f'flux ({unit})'
