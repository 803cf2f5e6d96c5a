# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How sources are injected and recovered, checked before any work.
"""

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from photutils_pconv._utils.checks import (
    check_count,
    check_seed,
    to_float,
    to_quantity,
)

__all__ = ['InjectionSettings', 'parse_fluxes']

#: Sources of each flux, where their places are drawn; by choice: a share of one half
#: is then known to 0.07, a width to 17 percent.
N_PER_FLUX = 50
# Of a round, so many sources are injected, or this share of the real ones if that
# is more; by choice, so that the map stays what it is.
_N_PER_ROUND = 10
_ROUND_SHARE = 0.1
# Held as numbers of arcsec.
_ANGLES = ('position_tolerance', 'position_error', 'separation', 'clearance')


@dataclass(frozen=True, kw_only=True)
class InjectionSettings:
    """
    How synthetic sources are injected, and when they count as recovered.

    Parameters
    ----------
    n_per_flux : int, optional
        The number of sources of each flux. By default 50, or the number of the
        places that are given.

    n_per_round : int, optional
        The number of sources that are injected at once. By default 10, or a
        tenth of the real ones if that is more.

    threshold : float, optional
        The ``detection_snr`` from which on a source counts as recovered. By
        default the remover's ``detection_threshold``.

    position_tolerance : float or `~astropy.units.Quantity`, optional
        How far (arcsec) the measured position may be off for a source to count
        as recovered (default: any distance).

    position_error : float or `~astropy.units.Quantity`, optional
        The standard deviation (arcsec), along each axis, of the positions at
        which injected sources are looked for, about their true ones; those of
        a catalogue are not exact either (default: they are exact).

    separation : float or `~astropy.units.Quantity`, optional
        The smallest distance (arcsec) of injected sources of one round. By
        default the radius of the setup's annulus and that of its largest hole
        together.

    clearance : float or `~astropy.units.Quantity`, optional
        The smallest distance (arcsec) of random places from the holes of real
        sources, from missing pixels and from the map's edge. By default the
        radius of the setup's smallest hole, with its taper.

    seed : int or `numpy.random.Generator`, optional
        The seed of the places and of the errors of positions.

    Raises
    ------
    TypeError, ValueError
        If a value is not accepted.
    """

    n_per_flux: int | None = None
    n_per_round: int | None = None
    threshold: float | None = None
    position_tolerance: Any = None
    position_error: Any = None
    separation: Any = None
    clearance: Any = None
    seed: Any = 0

    def __post_init__(self):
        for name in ('n_per_flux', 'n_per_round'):
            if getattr(self, name) is not None:
                check_count(getattr(self, name), name)
        if self.threshold is not None:
            to_float(self.threshold, 'threshold')
        for name in _ANGLES:
            if getattr(self, name) is not None:
                angle = to_quantity(getattr(self, name), u.arcsec, name)
                object.__setattr__(self, name, float(angle.value))
        check_seed(self.seed, 'seed')

    def round_size(self, n_real):
        """
        Give the number of sources that are injected at once.

        Parameters
        ----------
        n_real : int
            The number of real sources.

        Returns
        -------
        n : int
            The number.
        """
        if self.n_per_round is not None:
            return self.n_per_round
        return max(_N_PER_ROUND, int(_ROUND_SHARE * n_real))


def parse_fluxes(fluxes, flux_unit):
    """
    Check the fluxes of the sources that are to be injected.

    Parameters
    ----------
    fluxes : array_like or `~astropy.units.Quantity`
        The fluxes; numbers are in ``flux_unit``.

    flux_unit : `~astropy.units.Unit` or `None`
        The unit of the map's fluxes; `None` for a map without unit.

    Returns
    -------
    fluxes : 1D `~numpy.ndarray`
        The fluxes in that unit, ascending.

    Raises
    ------
    TypeError, ValueError
        If they are not one or more positive, finite, different numbers, or in
        another kind of unit.
    """
    unit = getattr(fluxes, 'unit', None)
    if unit is not None and flux_unit is None:
        msg = f'fluxes must be plain numbers for a map without unit, got {unit}.'
        raise ValueError(msg)
    try:
        if unit is not None:
            fluxes = u.Quantity(fluxes).to_value(flux_unit)
        values = np.atleast_1d(np.asarray(fluxes))
        if values.dtype.kind not in 'fiu':
            raise TypeError
    except u.UnitConversionError as exc:
        msg = f'fluxes must be in {flux_unit} or its multiples, got {unit}.'
        raise ValueError(msg) from exc
    except (TypeError, ValueError) as exc:
        msg = f'fluxes must be positive numbers or a Quantity, got {fluxes!r}.'
        raise TypeError(msg) from exc
    values = np.sort(values.astype(float).ravel())
    is_good = values.size > 0 and np.all(np.isfinite(values) & (values > 0))
    if not is_good or np.any(np.diff(values) == 0):
        msg = (
            'fluxes must be one or more positive, finite, different numbers, got '
            f'{values.tolist()}.'
        )
        raise ValueError(msg)
    return values
