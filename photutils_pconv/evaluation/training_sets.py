# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Whether a training set covers the maps that its model is to be used on.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv._utils.checks import check_count
from photutils_pconv.evaluation.plots._axes import row_axes
from photutils_pconv.evaluation.statistics._parsing import parse_any_unit
from photutils_pconv.evaluation.statistics.characters import LAGS, map_character
from photutils_pconv.setups.registry import get_setup

__all__ = ['FIGURES', 'SetComparison', 'compare_training_set']

FIGURES = {
    'slope': 'slope of the power spectrum',
    **{f'correlation_{lag}': f'correlation of pixels, lag {lag}' for lag in LAGS},
    'noise': 'noise / scatter',
    'skewness': 'skewness (arcsinh)',
    'dynamic_range': 'log10(99.9th percentile / scatter)',
}
"""
The figures that are compared, and what they are called in the plot.
"""

#: The percentiles between which a training set covers a figure: the outer 2.5
#: percent on either side are too few to learn from (by choice).
_COVERED = (2.5, 97.5)
# Parts of maps with fewer known pixels than this share are left out.
_LEAST_KNOWN = 0.7
# The parts of a map that are looked at, at most, spread evenly.
_MOST_PARTS = 36


@dataclass(frozen=True, eq=False, kw_only=True)
class SetComparison:
    """
    How a training set compares with real maps.

    Parameters
    ----------
    table : `~astropy.table.QTable`
        A row a figure: ``figure``; ``set_low``, ``set_median`` and
        ``set_high``, the 2.5th, 50th and 97.5th percentile of the training
        set; ``map_low``, ``map_median`` and ``map_high``, the lowest, median
        and highest of the maps; ``n_parts``, the parts of maps for which it
        could be measured; and ``covered``, the share of them that lie
        between the set's percentiles.

    training, maps : `~astropy.table.QTable`
        The figures of each part of the training set, and of the maps, by
        ``map``.
    """

    table: QTable
    training: QTable
    maps: QTable

    def outside(self):
        """
        List which maps the training set does not cover, and in what.

        Returns
        -------
        lines : list of str
            A line per map and figure whose median lies outside the set's range.
        """
        lines = []
        for row in self.table:
            name = row['figure']
            low, high = row['set_low'], row['set_high']
            for one in dict.fromkeys(self.maps['map']):
                values = self.maps[name][self.maps['map'] == one]
                values = values[np.isfinite(values)]
                if len(values) == 0:
                    continue
                median = np.median(values)
                if not low <= median <= high:
                    lines.append(
                        f'{one}: {name} is {median:.3g}, outside the training '
                        f"set's {low:.3g} to {high:.3g}"
                    )
        return lines

    def plot(self, axes=None):
        """
        Plot the training set's distributions, with the maps upon them.

        Parameters
        ----------
        axes : sequence of `~matplotlib.axes.Axes`, optional
            As many axes as figures; by default those of a new figure.

        Returns
        -------
        axes : `~numpy.ndarray` of `~matplotlib.axes.Axes`
            The axes, one a figure.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        axes = row_axes(axes, (1, len(FIGURES)), (2.6, 3.2)).ravel()
        names = list(dict.fromkeys(self.maps['map']))
        for ax, (name, label) in zip(axes, FIGURES.items(), strict=True):
            scale = np.arcsinh if name == 'skewness' else np.asarray
            known = [scale(_finite(one[name])) for one in (self.training, self.maps)]
            if min(len(one) for one in known) == 0:
                ax.set_title(f'{label}:\nnot measurable', fontsize=8)
                continue
            both = np.concatenate(known)
            edges = np.linspace(both.min(), both.max() + 1.0e-9, 25)
            ax.hist(known[0], edges, density=True, color='0.8', label='training set')
            row = self.table[self.table['figure'] == name][0]
            for end in ('set_low', 'set_high'):
                ax.axvline(scale(row[end]), color='0.5', linestyle=':')
            top = ax.get_ylim()[1]
            for k, one in enumerate(names):
                values = scale(_finite(self.maps[name][self.maps['map'] == one]))
                height = np.full(len(values), top * (k + 0.5) / len(names))
                ax.plot(values, height, '.', color=f'C{k % 10}', label=one)
            ax.set(xlabel=label, yticks=[])
        handles, labels = axes[0].get_legend_handles_labels()
        if handles:
            axes[0].figure.legend(
                handles, labels, loc='outside upper center', ncols=4, fontsize=7
            )
        return axes


def compare_training_set(training, maps, *, side=256):
    """
    Compare a training set with the maps that a model is to be used on.

    Both are cut into squares of one size, of which the same figures are
    measured (`map_character`). Where the maps lie outside of the set, a model
    that was trained on it has to extrapolate.

    Parameters
    ----------
    training : iterable of (2D array_like, setup)
        Source-free images of the training set, such as
        ``sampler.draw_map(seed)`` gives them, each with its setup.

    maps : dict
        The maps by name, each a pair of the map, in any form that
        `~photutils_pconv.inputs.parse_map` takes but in any unit, and its
        setup. Bright compact sources are best masked.

    side : int, optional
        The side of the squares, in pixels; images that are smaller are
        taken whole.

    Returns
    -------
    comparison : `SetComparison`
        The figures, their table, and a plot.

    Raises
    ------
    TypeError, ValueError
        If there is no image or no map, no part of the maps has enough
        pixels, or an argument is not accepted.
    """
    check_count(side, 'side', minimum=32)
    if not maps:
        msg = 'maps must have at least one map, by its name.'
        raise ValueError(msg)
    parts = []
    for name, (data, setup) in maps.items():
        values, _, scale = parse_any_unit(data)
        beam = _beam_pixels(get_setup(setup=setup), scale)
        found = [_measure(part, beam) for part in _cut(values, side)]
        parts += [{'map': name, **one} for one in found if one is not None]
    if not parts:
        msg = (
            f'no part of the maps, of {side} by {side} pixels, has 70 percent of its '
            'pixels with data: give a smaller side.'
        )
        raise ValueError(msg)
    rows = []
    for image, setup in training:
        setup = get_setup(setup=setup)
        image = np.asarray(image, dtype=float)[:side, :side]
        found = _measure(image, _beam_pixels(setup, setup.pixel_scale))
        rows += [] if found is None else [{'setup': setup.name, **found}]
    if not rows:
        msg = 'training must hold at least one image that is not flat.'
        raise ValueError(msg)
    training, real = QTable(rows), QTable(parts)
    return SetComparison(table=_summarise(training, real), training=training, maps=real)


def _beam_pixels(setup, scale):
    """Give the beam in pixels; a map without WCS has the setup's pixels."""
    scale = setup.pixel_scale if scale.unit == u.pix else scale
    return float((setup.psf_fwhm / scale).to_value(u.dimensionless_unscaled))


def _cut(values, side):
    """Cut a map into squares that have enough pixels with data."""
    ny, nx = values.shape
    corners = [
        (y, x)
        for y in range(0, max(ny - side, 0) + 1, side)
        for x in range(0, max(nx - side, 0) + 1, side)
    ]
    parts = [values[y : y + side, x : x + side] for y, x in corners]
    parts = [one for one in parts if np.isfinite(one).mean() >= _LEAST_KNOWN]
    if not parts and min(ny, nx) <= 2 * side:
        # A map that lies askew on its array has no full square.
        rows, columns = (
            np.flatnonzero(np.isfinite(values).any(axis=k)) for k in (1, 0)
        )
        if rows.size:
            parts = [values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]]
    step = -(-len(parts) // _MOST_PARTS) if parts else 1
    return parts[::step]


def _measure(image, beam_fwhm):
    try:
        found = map_character(image, beam_fwhm=beam_fwhm)
    except ValueError:
        # Too few pixels, or all alike: nothing can be said.
        return None
    values = {name: getattr(found, name, np.nan) for name in FIGURES}
    for lag, value in zip(LAGS, found.correlation, strict=True):
        values[f'correlation_{lag}'] = value
    return values


def _finite(column):
    values = np.asarray(column, dtype=float)
    return values[np.isfinite(values)]


def _summarise(training, maps):
    rows = []
    for name in FIGURES:
        own, real = _finite(training[name]), _finite(maps[name])
        low, median, high = (
            np.percentile(own, (_COVERED[0], 50.0, _COVERED[1]))
            if len(own)
            else [np.nan] * 3
        )
        inside = (real >= low) & (real <= high)
        rows.append(
            {
                'figure': name,
                'set_low': float(low),
                'set_median': float(median),
                'set_high': float(high),
                'map_low': float(real.min()) if len(real) else np.nan,
                'map_median': float(np.median(real)) if len(real) else np.nan,
                'map_high': float(real.max()) if len(real) else np.nan,
                'n_parts': len(real),
                'covered': float(inside.mean()) if len(real) else np.nan,
            }
        )
    return QTable(rows)
