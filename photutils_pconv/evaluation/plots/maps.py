# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Figures of map statistics, as in Fig. 13. Matplotlib is imported at use.

Every function draws into the axes that it is given, or into those of a
new figure, and returns them.
"""

from itertools import cycle

import astropy.units as u
import numpy as np

from photutils_pconv._utils.checks import to_bool
from photutils_pconv.evaluation.plots._axes import check_number, new_axes, one_axes
from photutils_pconv.evaluation.statistics.pdfs import pixel_pdf
from photutils_pconv.evaluation.statistics.power_laws import fit_power_law
from photutils_pconv.evaluation.statistics.spectra import (
    normalised_difference,
    power_spectrum,
    relative_difference,
)

__all__ = [
    'MAP_COLORS',
    'plot_delta_variance',
    'plot_difference',
    'plot_map_statistics',
    'plot_pdfs',
    'plot_power_spectra',
]

MAP_COLORS = {
    'original': '#0072b2',
    'with sources': '#e69f00',
    'cleaned': '#009e73',
}
"""
The colours of curves with these labels: the blue, orange and green of Fig. 13, in the
shades of Okabe and Ito, which colour-blind readers can distinguish.
"""

# How curves are drawn in their order, so that those that coincide are all seen.
_STYLES = ('-', ':', '--', '-.')


# The relative difference of power spectra that is marked: that of the verdicts.
_TOLERANCE = 0.05


def _label(name, unit):
    unit = u.dimensionless_unscaled if unit is None else u.Unit(unit)
    if unit == u.dimensionless_unscaled:
        return name
    return f'{name} ({unit.to_string("unicode")})'


def _curves(tables, x, y, *, ax, fit_limits, **kwargs):
    """
    Plot curves with errors, and a power law that is fitted to the first.
    """
    ax = one_axes(ax)
    if not tables:
        msg = f'there is nothing to plot: give one {y} or more, by their labels.'
        raise ValueError(msg)
    for (label, table), style in zip(tables.items(), cycle(_STYLES), strict=False):
        error = u.Quantity(table[f'{y}_err']).value
        options = {'color': MAP_COLORS.get(label), 'label': label}
        if not {'fmt', 'linestyle', 'ls'} & kwargs.keys():
            options['linestyle'] = style
        line = ax.errorbar(
            u.Quantity(table[x]).value,
            u.Quantity(table[y]).value,
            error,
            **options | kwargs,
        )
        # Where curves coincide, the later ones must not hide the others.
        line.lines[0].set_alpha(0.8)
    first = next(iter(tables.values()))
    ax.set(
        xscale='log',
        yscale='log',
        xlabel=_label(x.replace('_', ' '), first[x].unit),
        ylabel=_label(y.replace('_', ' '), first[y].unit),
    )
    ax.legend()
    if fit_limits is not None:
        _draw_fit(ax, first, x, y, fit_limits)
    return ax


def plot_power_spectra(spectra, *, ax=None, fit_limits=None, **kwargs):
    """
    Plot power spectra (Fig. 13, left column).

    Parameters
    ----------
    spectra : dict of `~astropy.table.QTable`
        Results of `~photutils_pconv.evaluation.power_spectrum`,
        by their labels. Those of `MAP_COLORS` have the paper's colours.

    ax : `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    fit_limits : pair of float or `~astropy.units.Quantity`, optional
        The frequencies between which to fit a power law to the first
        spectrum, and to draw it. By default none is.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.errorbar`.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If there is no spectrum.
    """
    return _curves(
        spectra, 'frequency', 'power', ax=ax, fit_limits=fit_limits, **kwargs
    )


def plot_delta_variance(tables, *, ax=None, fit_limits=None, **kwargs):
    """
    Plot delta-variances.

    Parameters
    ----------
    tables : dict of `~astropy.table.QTable`
        Results of `~photutils_pconv.evaluation.delta_variance`,
        by their labels. Those of `MAP_COLORS` have the paper's colours.

    ax : `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    fit_limits : pair of float or `~astropy.units.Quantity`, optional
        The lags between which to fit a power law to the first table, and
        to draw it. By default none is.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.errorbar`.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If there is no table.
    """
    return _curves(
        tables, 'lag', 'delta_variance', ax=ax, fit_limits=fit_limits, **kwargs
    )


def _draw_fit(ax, table, x, y, limits):
    fit = fit_power_law(table[x], table[y], y_err=table[f'{y}_err'], limits=limits)
    ends = u.Quantity(limits, table[x].unit)
    ax.plot(
        ends.value,
        u.Quantity(fit(ends)).value,
        '--',
        color='k',
        label=f'slope {fit.slope:.2f} ± {fit.slope_err:.2f}',
    )
    ax.legend()


def plot_difference(
    spectra, reference, *, errors=None, relative=False, tolerance=None, ax=None
):
    """
    Plot by how much power spectra differ from a reference (Fig. 13).

    Parameters
    ----------
    spectra : dict of `~astropy.table.QTable`
        Results of `~photutils_pconv.evaluation.power_spectrum`,
        by their labels.

    reference : `~astropy.table.QTable`
        That of the original map, with the same bins.

    errors : dict of 1D `~numpy.ndarray` or `~astropy.units.Quantity`, optional
        Errors of the power, in the reference's unit, by the labels of the spectra;
        they are plotted with ``relative`` only.

    relative : bool, optional
        Whether to plot the relative difference, bin by bin, instead of
        the paper's normalised difference, of which the absolute value is
        plotted.

    tolerance : float, optional
        A relative difference to mark with a grey band.

    ax : `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If the bins differ, there is no spectrum, or a tolerance is given
        without ``relative``.
    """
    relative = to_bool(relative, 'relative')
    if tolerance is not None and not relative:
        msg = 'tolerance is one of the relative difference: add relative=True.'
        raise ValueError(msg)
    if not spectra:
        msg = 'there is nothing to plot: give one spectrum or more, by their labels.'
        raise ValueError(msg)
    compare = relative_difference if relative else normalised_difference
    differences = {name: compare(one, reference) for name, one in spectra.items()}
    ax = one_axes(ax)
    frequency = u.Quantity(reference['frequency'])
    for label, difference in differences.items():
        values = 100.0 * difference if relative else np.abs(difference)
        options = {'color': MAP_COLORS.get(label), 'label': label}
        error = None if errors is None else errors.get(label)
        if error is not None and relative:
            error = 100.0 * u.Quantity(error / reference['power']).to_value('')
            ax.errorbar(frequency.value, values, error, fmt='.-', **options)
            continue
        ax.plot(frequency.value, values, '.-', **options)
    if tolerance is not None:
        limit = 100.0 * tolerance
        ax.axhspan(-limit, limit, color='0.9', zorder=0)
    ax.axhline(0.0, color='0.5', linewidth=0.8) if relative else ax.set_yscale('log')
    ax.set(
        xscale='log',
        xlabel=_label('frequency', frequency.unit),
        ylabel=(
            'relative difference (percent)' if relative else '|normalised difference|'
        ),
    )
    ax.legend()
    return ax


def plot_pdfs(maps, *, region=None, bins=50, limits=None, log=False, ax=None):
    """
    Plot the PDFs of maps in the same bins (Fig. 13, right column).

    Parameters
    ----------
    maps : dict
        Maps in any form that `~photutils_pconv.inputs.parse_map` takes,
        of one unit, by their labels.

    region : 2D bool `~numpy.ndarray`, optional
        `True` in the pixels to use, such as a result's ``holes``. By
        default all that have data.

    bins : int, optional
        The number of bins.

    limits : pair of float or `~astropy.units.Quantity`, optional
        The range of the bins. By default that of the first map.

    log : bool, optional
        Whether to take the PDF of the logarithm; see
        `~photutils_pconv.evaluation.pixel_pdf`.

    ax : `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    TypeError, ValueError
        If there is no map, or one is not accepted.
    """
    log = to_bool(log, 'log')
    if not maps:
        msg = 'there is nothing to plot: give one map or more, by their labels.'
        raise ValueError(msg)
    ax = one_axes(ax)
    name = 'eta' if log else 'value'
    for (label, data), style in zip(maps.items(), cycle(_STYLES), strict=False):
        pdf = pixel_pdf(data, region=region, bins=bins, limits=limits, log=log)
        middle = u.Quantity(pdf[name])
        if limits is None:
            half = 0.5 * (middle[1] - middle[0]) if bins > 1 else 0.5 * middle.unit
            limits = u.Quantity([middle[0] - half, middle[-1] + half])
        ax.step(
            middle.value,
            u.Quantity(pdf['density']).to_value(middle.unit**-1),
            where='mid',
            color=MAP_COLORS.get(label),
            linestyle=style,
            label=label,
            alpha=0.8,
        )
    ax.set(
        yscale='log',
        xlabel='ln(value / mean)' if log else _label('value', middle.unit),
        ylabel=_label('probability density', middle.unit**-1),
    )
    ax.legend()
    return ax


def plot_map_statistics(
    original, with_sources, cleaned, *, region, power_err=None, axes=None
):
    """
    Compare a cleaned map with the truth, as a row of Fig. 13 does.

    Parameters
    ----------
    original : map
        The map before sources were injected, in any form that
        `~photutils_pconv.inputs.parse_map` takes.

    with_sources, cleaned : map
        The map with the sources, and after their removal.

    region : 2D bool `~numpy.ndarray`
        `True` in the pixels of the PDFs: the removal's ``holes``.

    power_err : 1D `~numpy.ndarray` or `~astropy.units.Quantity`, optional
        The errors of the cleaned map's power (`measure_draw_errors
        <photutils_pconv.evaluation.measure_draw_errors>`).

    axes : sequence of 3 `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    Returns
    -------
    axes : sequence of 3 `~matplotlib.axes.Axes`
        The power spectra, their relative differences from that of the
        original (the paper plots normalised ones), and the PDFs.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    TypeError, ValueError
        If a map is not accepted, the maps differ in shape or pixel
        scale, or there are not three axes.
    """
    if axes is None:
        axes = new_axes(1, 3)[0]
    check_number(axes, 3)
    maps = {'original': original, 'with sources': with_sources, 'cleaned': cleaned}
    spectra = {label: power_spectrum(data) for label, data in maps.items()}
    plot_power_spectra(spectra, ax=axes[0])
    plot_difference(
        {'cleaned': spectra['cleaned']},
        spectra['original'],
        errors={'cleaned': power_err},
        relative=True,
        tolerance=_TOLERANCE,
        ax=axes[1],
    )
    del maps['with sources']
    plot_pdfs(maps, region=region, ax=axes[2])
    return axes
