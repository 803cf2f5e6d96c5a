# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Figures of photometric accuracy: box plots as in Figs. 11 and 12.
"""

import numpy as np

from photutils_pconv.evaluation.plots._axes import new_axes, setup_axes
from photutils_pconv.evaluation.summaries import (
    in_own_aperture,
    own_aperture,
    ratio_columns,
    summarise_by_complexity,
)

__all__ = [
    'METHOD_COLORS',
    'plot_complexity',
    'plot_flux_boxes',
    'plot_ratio_by_aperture',
    'plot_standard_stars',
]

METHOD_COLORS = {
    'inpaint': '#4c8bc0',
    'psf': '#6aa84f',
    'psf_aperture': '#1f3f6f',
    'annulus': '#b5b5b5',
}
"""
The colours of the boxes; of inpaint and annulus, those of the paper.
"""

_OTHERS = ('#d98b3a', '#b08d57', '#a2649b', '#c0504d', '#8c7853', '#3aa6a6', '#777777')


def _color(method, k):
    return METHOD_COLORS.get(method, _OTHERS[k % len(_OTHERS)])


def _setups(table):
    return list(dict.fromkeys(str(name) for name in table['setup']))


def plot_flux_boxes(table, *, aperture=None, methods=('psf', 'annulus')):
    """
    Plot measured over injected flux at every flux level, a band a panel.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.evaluate_fluxes`,
        of one mode or of several.

    aperture : float, optional
        The aperture radius (arcsec); by default the setup's.

    methods : sequence of str, optional
        The methods, side by side.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The figure: boxes from quartile to quartile, the median in
        green, whiskers to the last source within 1.5 times the box's
        length, other sources as points. Panels are cut off where boxes
        and whiskers end; points beyond are not shown.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If the table has no ratio in that aperture.
    """
    setups = _setups(table)
    n_levels = len(set(table['flux']))
    size = (max(7.0, 0.35 * n_levels + 2.0), 3.0)
    axes = new_axes(len(setups), 1, size=size, interactive=False)
    for ax, setup in zip(axes[:, 0], setups, strict=True):
        part = table[table['setup'] == setup]
        radius = own_aperture(setup) if aperture is None else aperture
        names = {m: c for c, (m, _) in ratio_columns(part, aperture=radius).items()}
        lacking = [method for method in methods if method not in names]
        if lacking:
            msg = f'the table has no ratio of {lacking} in {radius:g} arcsec'
            raise ValueError(msg)
        levels = np.unique(part['flux'])
        width = 0.8 / len(methods)
        ends = [0.9, 1.1]
        handles = []
        for k, method in enumerate(methods):
            values = [
                np.asarray(part[names[method]][part['flux'] == level])
                for level in levels
            ]
            values = [value[np.isfinite(value)] for value in values]
            drawn = ax.boxplot(
                values,
                positions=np.arange(len(levels)) + (k + 0.5) * width - 0.4,
                widths=0.85 * width,
                patch_artist=True,
                manage_ticks=False,
                medianprops={'color': 'green', 'linewidth': 1.4},
                boxprops={'facecolor': _color(method, k), 'linewidth': 0.6},
                whiskerprops={'linewidth': 0.6},
                capprops={'linewidth': 0.6},
                flierprops={'markersize': 2, 'markeredgewidth': 0.4},
            )
            handles.append(drawn['boxes'][0])
            for cap in drawn['caps']:
                ends.extend(value for value in cap.get_ydata() if np.isfinite(value))
        ax.axhline(1.0, color='k', linewidth=0.6)
        ax.set_xticks(
            np.arange(len(levels)), [f'{level:g}' for level in levels], rotation=60
        )
        low, high = max(min(ends), -1.0), min(max(ends), 3.0)
        room = 0.05 * (high - low)
        ax.set(
            ylabel='measured / injected',
            title=f'{setup}, aperture {radius:g} arcsec',
            ylim=(low - room, high + room),
            xlim=(-0.6, len(levels) - 0.4),
        )
        ax.legend(handles, methods, fontsize='small', loc='upper right')
    axes[-1, 0].set_xlabel('injected flux (mJy)')
    return axes[0, 0].figure


def plot_ratio_by_aperture(table):
    """
    Plot median and quartiles of all sources against the aperture.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.evaluate_fluxes`.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        A panel per setup: median as a line, quartiles as a band.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    setups = _setups(table)
    axes = setup_axes(len(setups), size=(4.0, 3.0), interactive=False)
    for ax, setup in zip(axes.flat, setups, strict=False):
        part = table[table['setup'] == setup]
        curves = {}
        for name, (method, radius) in ratio_columns(part).items():
            if np.isfinite(radius):
                values = np.asarray(part[name])
                quartiles = np.nanpercentile(values, [25, 50, 75])
                curves.setdefault(method, []).append((radius, *quartiles))
        for k, (method, rows) in enumerate(curves.items()):
            radius, q25, median, q75 = np.array(sorted(rows)).T
            color = _color(method, k)
            ax.fill_between(radius, q25, q75, color=color, alpha=0.35, linewidth=0)
            ax.plot(radius, median, 'o-', color=color, markersize=3, label=method)
        ax.axhline(1.0, color='k', linewidth=0.6)
        ax.set(title=setup, xlabel='aperture (arcsec)', ylabel='measured / injected')
    axes.flat[0].legend(fontsize='small')
    return axes.flat[0].figure


def plot_complexity(table):
    """
    Plot the interquartile range of fluxes against the field's complexity.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.evaluate_fluxes`.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        A panel per setup, a line per method, in the setup's aperture.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    summary = in_own_aperture(summarise_by_complexity(table))
    setups = _setups(table)
    axes = setup_axes(len(setups), size=(4.0, 3.0), interactive=False)
    for ax, setup in zip(axes.flat, setups, strict=False):
        part = summary[summary['setup'] == setup]
        for k, method in enumerate(dict.fromkeys(part['method'])):
            rows = part[part['method'] == method]
            order = np.argsort(rows['complexity'])
            ax.loglog(
                rows['complexity'][order],
                rows['iqr'][order],
                'o-',
                color=_color(method, k),
                markersize=3,
                linewidth=2 if method == 'psf' else 1,
                label=method,
            )
        # Over less than a decade, labels of minor ticks overlap.
        ax.tick_params(axis='x', which='minor', labelbottom=False)
        ax.set(title=setup, xlabel='complexity', ylabel='interquartile range')
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure = axes.flat[0].figure
    figure.legend(handles, labels, fontsize='small', loc='outside right upper')
    return figure


def plot_standard_stars(table):
    """
    Plot measured over reference flux of standard stars, with the paper's.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.measure_standard_stars`.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        The figure.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    size = (max(5.0, 0.7 * len(table) + 3.0), 3.5)
    ax = new_axes(size=size, interactive=False)[0, 0]
    place = np.arange(len(table))
    for shift, column, marker, color in (
        (-0.15, 'ratio', 'o', METHOD_COLORS['psf']),
        (0.0, 'ratio_annulus', 's', '#777777'),
        (0.15, 'ratio_paper', '^', '#d98b3a'),
    ):
        label = {'ratio': 'flux', 'ratio_annulus': 'annulus'}.get(column, 'paper')
        ax.plot(place + shift, table[column], marker, color=color, label=label)
    ax.axhline(1.0, color='k', linewidth=0.6)
    labels = [f'{row["star"]}\n{row["setup"]}\n{row["map"]}' for row in table]
    ax.set_xticks(place, labels, fontsize='x-small')
    ax.set(ylabel='measured / reference', xlim=(-0.6, len(table) - 0.4))
    ax.legend(fontsize='small')
    return ax.figure
