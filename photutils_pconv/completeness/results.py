# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What injected sources determine of a map's photometry.
"""

from dataclasses import dataclass, field
from typing import Any

import astropy.units as u
import numpy as np
from astropy.stats import binom_conf_interval
from astropy.table import QTable

from photutils_pconv._utils.repr import format_html
from photutils_pconv.completeness.statistics import (
    FRACTIONS,
    flux_at_completeness,
    robust_width,
)

__all__ = ['Completeness']

# The confidence level of the intervals of shares: one standard deviation.
_CONFIDENCE = 0.6827
# The standard error of a median over that of a mean, of a Gaussian: sqrt(pi / 2).
_MEDIAN_ERROR = 1.2533


@dataclass(frozen=True, eq=False, repr=False)
class Completeness:
    """
    Completeness, bias, and errors of photometry by the flux of the source.

    Parameters
    ----------
    flux : (F,) `~astropy.units.Quantity` or `~numpy.ndarray`
        The fluxes that were injected, ascending.

    n_injected, n_measured, n_recovered : (F,) int `~numpy.ndarray`
        How many sources were injected, have a flux, and were recovered.

    completeness : (F,) `~numpy.ndarray`
        The share of the injected ones that was recovered.

    interval : (2, F) `~numpy.ndarray`
        The limits of the share at a confidence of 68.27 percent
        (`~astropy.stats.binom_conf_interval`, Wilson's).

    bias, bias_err : (F,) `~numpy.ndarray`
        The median of measured over true flux, less 1, and its standard error. It
        is that of all measured sources, whether recovered or not.

    scatter : (F,) `~numpy.ndarray`
        The scatter of measured over true flux, from its quartiles as for a
        Gaussian.

    true_err : (F,) `~astropy.units.Quantity` or `~numpy.ndarray`
        The same in units of flux: the true error.

    claimed_err : (F,) `~astropy.units.Quantity` or `~numpy.ndarray`
        The median of ``flux_err``.

    pull : (F,) `~numpy.ndarray`
        The scatter of (measured - true flux) / ``flux_err``: 1 where errors are
        true, more where they are too small.

    sources : `~astropy.table.QTable`
        The injected sources: what was injected (``x_true``, ``y_true``,
        ``flux_true``), where it was looked for (``x_center``, ``y_center``),
        the columns of the photometry, ``position_offset``, and ``recovered``.

    threshold : float
        The ``detection_snr`` from which on a source counts as recovered.

    position_tolerance : float or `None`
        How far (arcsec) its position may be off.

    meta : dict, optional
        What was used.
    """

    flux: Any
    n_injected: np.ndarray
    n_measured: np.ndarray
    n_recovered: np.ndarray
    completeness: np.ndarray
    interval: np.ndarray
    bias: np.ndarray
    bias_err: np.ndarray
    scatter: np.ndarray
    true_err: Any
    claimed_err: Any
    pull: np.ndarray
    sources: QTable
    threshold: float
    position_tolerance: float | None = None
    meta: dict = field(default_factory=dict)

    @classmethod
    def from_sources(
        cls, sources, *, flux_unit, threshold, position_tolerance=None, meta=None
    ):
        """
        Count and compare injected sources.

        Parameters
        ----------
        sources : `~astropy.table.QTable`
            The sources, with the columns ``flux_true``, ``flux``, ``flux_err``,
            ``detection_snr`` and ``position_offset``.

        flux_unit : `~astropy.units.Unit` or `None`
            The unit of the fluxes.

        threshold : float
            The ``detection_snr`` from which on a source counts as recovered.

        position_tolerance : float, optional
            How far (arcsec) its position may be off.

        meta : dict, optional
            What was used.

        Returns
        -------
        completeness : `Completeness`
            The result.
        """
        sources = sources.copy()
        true, flux, flux_err = (
            _plain(sources[name], flux_unit)
            for name in ('flux_true', 'flux', 'flux_err')
        )
        with np.errstate(invalid='ignore'):
            recovered = np.asarray(sources['detection_snr']) >= threshold
        if position_tolerance is not None:
            offset = sources['position_offset'].to_value(u.arcsec)
            recovered &= offset <= position_tolerance
        sources['recovered'] = recovered
        fluxes, level = np.unique(true, return_inverse=True)
        members = [level == k for k in range(len(fluxes))]
        measured = np.isfinite(flux)
        n, n_measured, n_recovered = (
            np.array([np.count_nonzero(one & chosen) for one in members])
            for chosen in (np.ones(true.size, dtype=bool), measured, recovered)
        )
        with np.errstate(divide='ignore', invalid='ignore'):
            pulls = (flux - true) / flux_err
        ratio = flux / true
        widths = [robust_width(ratio[one]) for one in members]
        scatter = np.array(widths)
        return cls(
            flux=_with_unit(fluxes, flux_unit),
            n_injected=n,
            n_measured=n_measured,
            n_recovered=n_recovered,
            completeness=n_recovered / n,
            interval=binom_conf_interval(
                n_recovered, n, confidence_level=_CONFIDENCE, interval='wilson'
            ),
            bias=np.array([_median(ratio[one]) for one in members]) - 1.0,
            bias_err=_MEDIAN_ERROR * scatter / np.sqrt(np.maximum(n_measured, 1)),
            scatter=scatter,
            true_err=_with_unit(scatter * fluxes, flux_unit),
            claimed_err=_with_unit(
                np.array([_median(flux_err[one]) for one in members]), flux_unit
            ),
            pull=np.array([robust_width(pulls[one]) for one in members]),
            sources=sources,
            threshold=threshold,
            position_tolerance=position_tolerance,
            meta=dict(meta or {}),
        )

    def __repr__(self):
        limits = ', '.join(
            f'{100 * share:.0f} %: {self.flux_at(share):.3g}' for share in FRACTIONS
        )
        return (
            f'<{type(self).__name__}: {len(self.sources)} sources of '
            f'{len(self.flux)} fluxes; complete to {limits}>'
        )

    def _repr_html_(self):
        facts = {'sources': f'{len(self.sources)} of {len(self.flux)} fluxes'}
        for share in FRACTIONS:
            facts[f'complete to {100 * share:.0f} %'] = f'{self.flux_at(share):.3g}'
        names = ['flux', 'n_injected', 'completeness', 'bias', 'scatter', 'pull']
        table = self.to_table()[names]._repr_html_()
        return format_html('Completeness', facts, more=table)

    def flux_at(self, fraction):
        """
        Give the flux at which a share of the sources is recovered.

        Parameters
        ----------
        fraction : float
            The share, between 0 and 1.

        Returns
        -------
        flux : `~astropy.units.Quantity` or float
            The flux, interpolated in its logarithm on the curve that rises with
            the flux and fits the shares best; NaN where the fluxes that were
            injected do not reach it.

        Raises
        ------
        ValueError
            If it is no share.
        """
        if not 0 < fraction <= 1:
            msg = f'fraction must be above 0 and at most 1, got {fraction!r}.'
            raise ValueError(msg)
        unit = getattr(self.flux, 'unit', None)
        flux = flux_at_completeness(
            _plain(self.flux, unit), self.completeness, self.n_injected, fraction
        )
        return _with_unit(flux, unit)

    def to_table(self):
        """
        Give the numbers by flux as a table.

        Returns
        -------
        table : `~astropy.table.QTable`
            A row per flux; in its metadata ``flux_50``, ``flux_80`` and
            ``flux_90``, the fluxes of that completeness in percent (None where
            not reached), and what was used.
        """
        table = QTable()
        low, high = self.interval
        for name, (values, text) in {
            'flux': (self.flux, 'injected flux'),
            'n_injected': (self.n_injected, 'number of injected sources'),
            'n_measured': (self.n_measured, 'number of them with a flux'),
            'n_recovered': (self.n_recovered, 'number of them that were recovered'),
            'completeness': (self.completeness, 'share that was recovered'),
            'completeness_low': (low, 'its lower limit, 68.27 percent confidence'),
            'completeness_high': (high, 'its upper limit, 68.27 percent confidence'),
            'bias': (self.bias, 'median of measured / true flux, less 1'),
            'bias_err': (self.bias_err, 'standard error of bias'),
            'scatter': (self.scatter, 'scatter of measured / true flux, by quartiles'),
            'true_err': (self.true_err, 'scatter times flux: the true error'),
            'claimed_err': (self.claimed_err, 'median of flux_err'),
            'pull': (self.pull, 'scatter of (measured - true) / flux_err'),
        }.items():
            table[name] = values
            table[name].info.description = text
            if table[name].dtype.kind == 'f':
                # Files hold all digits.
                table[name].info.format = '.4g'
        for share in FRACTIONS:
            flux = float(_plain(self.flux_at(share), getattr(self.flux, 'unit', None)))
            key = f'flux_{100 * share:.0f}'
            table.meta[key] = flux if np.isfinite(flux) else None
        table.meta['detection_threshold'] = self.threshold
        table.meta['position_tolerance_arcsec'] = self.position_tolerance
        table.meta.update(self.meta)
        return table

    def plot(self, ax=None, **kwargs):
        """
        Plot the completeness by flux.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to plot; by default a new figure.

        **kwargs
            Keyword arguments of `~matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        ax : `~matplotlib.axes.Axes`
            The axes.
        """
        from photutils_pconv.completeness.plots import plot_shares

        return plot_shares(self, ax=ax, **kwargs)

    def plot_fluxes(self, ax=None, **kwargs):
        """
        Plot measured over true flux by flux, with the true and claimed errors.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to plot; by default a new figure.

        **kwargs
            Keyword arguments of `~matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        ax : `~matplotlib.axes.Axes`
            The axes.
        """
        from photutils_pconv.completeness.plots import plot_ratios

        return plot_ratios(self, ax=ax, **kwargs)


def _plain(values, unit):
    """Give numbers in a unit."""
    if unit is None:
        return np.asarray(values, dtype=float)
    return u.Quantity(values).to_value(unit)


def _with_unit(values, unit):
    return values if unit is None else u.Quantity(values, unit)


def _median(values):
    """Give the median of the finite values, NaN without any."""
    values = values[np.isfinite(values)]
    return np.median(values) if values.size else np.nan
