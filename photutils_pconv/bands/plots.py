# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Plots of the fluxes of several bands. Matplotlib is imported when one is made.
"""

from itertools import cycle

import astropy.units as u
import numpy as np

from photutils_pconv._utils.plotting import make_axes

__all__ = ['plot_sed']

# Sources have a marker each, beside a colour.
_MARKERS = 'osD^P*X'


def plot_sed(photometry, setups, source_ids=None, *, ax=None, **kwargs):
    """
    Plot the fluxes of sources by wavelength.

    Parameters
    ----------
    photometry : `~astropy.table.QTable`
        The table of all bands.

    setups : dict of `~photutils_pconv.ObservingSetup`
        The setup of each band.

    source_ids : int or sequence of int, optional
        The sources; by default all.

    ax : `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    **kwargs
        Keyword arguments of `~matplotlib.axes.Axes.errorbar`.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.

    ValueError
        If no source has an id, or the wavelength of a band is not known.
    """
    unknown = [band for band, setup in setups.items() if setup.wavelength is None]
    if unknown:
        msg = (
            f'the setup of {unknown[0]!r} has no wavelength: give one when you make it'
        )
        raise ValueError(msg)
    rows = _find_rows(photometry, source_ids)
    ax = make_axes(1, interactive=True) if ax is None else ax
    order = sorted(setups, key=lambda band: setups[band].wavelength)
    wavelength = np.array([setups[one].wavelength.to_value(u.um) for one in order])
    for row, marker in zip(rows, cycle(_MARKERS), strict=False):
        looks = {'capsize': 2}
        if 'fmt' not in kwargs:
            looks |= {'marker': marker, 'linestyle': '-'}
        flux, error, limit = (
            np.array(
                [
                    float(getattr(value, 'value', value))
                    for value in (photometry[f'{name}_{band}'][row] for band in order)
                ]
            )
            for name in ('flux', 'flux_err', 'flux_upper_limit')
        )
        # A source that is not detected has an upper limit, and no point.
        is_limit = np.isfinite(limit)
        (line, *_) = ax.errorbar(
            wavelength,
            np.where(is_limit, np.nan, flux),
            yerr=np.where(is_limit, np.nan, error),
            **looks | {'label': f'source {photometry["id"][row]}'} | kwargs,
        )
        ax.plot(
            wavelength[is_limit],
            limit[is_limit],
            linestyle='none',
            marker='v',
            markerfacecolor='none',
            color=line.get_color(),
        )
    unit = getattr(photometry[f'flux_{order[0]}'], 'unit', None)
    ax.set(
        xscale='log',
        yscale='log',
        xlabel='wavelength (µm)',
        ylabel='flux' if unit is None else f'flux ({unit})',
        xticks=wavelength,
        xticklabels=[f'{one:g}' for one in wavelength],
    )
    ax.tick_params(axis='x', which='minor', bottom=False, labelbottom=False)
    if len(rows) <= _MOST_NAMES:
        ax.legend()
    return ax


# More sources than this are not named (by choice).
_MOST_NAMES = 10


def _find_rows(photometry, source_ids):
    """The rows of the sources that are asked for."""
    known = {int(one): row for row, one in enumerate(photometry['id'])}
    if source_ids is None:
        return list(known.values())
    asked = np.atleast_1d(source_ids).tolist()
    for one in asked:
        if one not in known:
            msg = (
                f'no source has the id {one!r}: they run from {min(known)} to '
                f'{max(known)}'
            )
            raise ValueError(msg)
    return [known[one] for one in asked]
