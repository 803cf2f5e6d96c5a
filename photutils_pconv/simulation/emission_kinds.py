# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Random fields of extended emission of many kinds, as varied as real maps.
"""

from dataclasses import dataclass, replace

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy.ndimage import gaussian_filter

from photutils_pconv._utils.checks import check_choice
from photutils_pconv.simulation._checks import (
    MAXIMUM_SLOPE,
    MAXIMUM_WIDTH,
    as_integer,
    as_number,
    as_pair,
    as_shape,
    check_rng,
)
from photutils_pconv.simulation._spectral import robust_std
from photutils_pconv.simulation.emission import (
    MARGIN,
    MOST,
    bubble_field,
    filament_field,
    fractional_brownian_motion,
    gradient_field,
)

__all__ = ['FIRST_EMISSION', 'EmissionConfig', 'simulate_emission']

# The largest contrast and scatter of a logarithm, beyond which numbers overflow;
# by choice.
_LARGEST = 100.0
_KINDS = (
    'gaussian',
    'lognormal',
    'filaments',
    'bubbles',
    'mixture',
    'patches',
    'cirrus',
)
# The smoothing of the fields whose level lines are filaments, in pixels and in
# FWHMs: how tightly they wind (by choice).
_WINDING = {'pixel': (4.0, 12.0), 'beam': (1.0, 3.0)}
# How abruptly one patch gives way to the other: the factor on the standard
# deviation of the field that parts them (by choice).
_EDGE = 2.0
# The range of the logarithm (base 10) of one patch's scatter over the other's
# (by choice).
_LOG_RATIO = (-1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class EmissionConfig:
    """
    The ranges from which `simulate_emission` draws.

    Parameters
    ----------
    kinds : tuple of str, optional
        The kinds of field, one of which is drawn, all with the same
        probability: ``'gaussian'`` (fractional Brownian motion),
        ``'lognormal'``, ``'filaments'``, ``'bubbles'``, ``'mixture'``, a
        log-normal field with filaments and bubbles, ``'patches'``, two
        fields of different slope and brightness side by side, and
        ``'cirrus'``, filaments behind a veil.

    slope : pair of float, optional
        The slope of the power spectrum. Herschel's maps of Polaris have
        -2.7 (Miville-Deschenes et al. 2010, A&A 518, L104); the default
        goes beyond it on both sides, to fields of knots, which are as flat
        as -1.45 in maps of star-forming regions and galaxies, and to the
        smoothness of near clouds.

    log_width : pair of float, optional
        The standard deviation of the logarithm (base e) of a log-normal
        field before the beam. The column-density PDFs of clouds have
        widths of 0.5 to 0.6 (Schneider et al. 2022, A&A 666, A165), with
        power-law wings where stars form (Kainulainen et al. 2009, A&A
        508, L35). Brightness, which depends on the dust's temperature as
        well, varies more: the default reaches 1.5.

    n_filaments, n_bubbles : pair of int, optional
        Their number, both limits inclusive.

    filament_width : pair of float, optional
        The half-width of filaments (see `filament_field`).

    bubble_radius : pair of float, optional
        The radius of bubbles (see `bubble_field`); those hardly larger
        than the beam would look like compact sources.

    contrast : pair of float, optional
        The scatter of filaments, or the mean brightness of bubbles where
        they are, over the scatter of the field below.

    gradient : float, optional
        The typical standard deviation of the gradient over that of the
        rest.

    cirrus_slope : pair of float, optional
        The slope of the veil of the kind ``'cirrus'``: that of diffuse
        Galactic cirrus (-2.6 to -2.9: Bianchi et al. 2017, A&A 597, A130;
        Miville-Deschenes et al. 2010) and somewhat more.

    unit : {'beam', 'pixel'}, optional
        What ``filament_width`` and ``bubble_radius`` are given in: FWHMs
        of the beam, so that a field looks alike in all bands, or pixels.
    """

    kinds: tuple = _KINDS
    slope: tuple = (-3.5, -1.2)
    log_width: tuple = (0.2, 1.5)
    n_filaments: tuple = (2, 8)
    filament_width: tuple = (0.4, 1.6)
    n_bubbles: tuple = (1, 4)
    bubble_radius: tuple = (5.0, 20.0)
    contrast: tuple = (0.5, 4.0)
    gradient: float = 0.3
    cirrus_slope: tuple = (-3.1, -2.4)
    unit: str = 'beam'

    def __post_init__(self):
        kinds = (self.kinds,) if isinstance(self.kinds, str) else self.kinds
        if not isinstance(kinds, list | tuple):
            msg = f'kinds must be a tuple of kinds, got {self.kinds!r}.'
            raise TypeError(msg)
        object.__setattr__(self, 'kinds', tuple(kinds))
        unknown = [kind for kind in kinds if kind not in _KINDS]
        if unknown or not kinds:
            msg = f'kinds must be some of {", ".join(_KINDS)}, got {self.kinds!r}.'
            raise ValueError(msg)
        check_choice(self.unit, 'unit', ('beam', 'pixel'))
        for name in ('slope', 'cirrus_slope'):
            as_pair(getattr(self, name), name, low=-MAXIMUM_SLOPE, high=0)
        for name, high in (
            ('log_width', _LARGEST),
            ('n_filaments', MOST),
            ('filament_width', MAXIMUM_WIDTH),
            ('n_bubbles', MOST),
            ('bubble_radius', MAXIMUM_WIDTH),
            ('contrast', _LARGEST),
        ):
            pair = as_pair(getattr(self, name), name, low=0, high=high)
            if pair[0] == 0:
                msg = f'{name} must be positive, got {getattr(self, name)!r}.'
                raise ValueError(msg)
            if name.startswith('n_'):
                for value in getattr(self, name):
                    as_integer(value, name)
        as_number(self.gradient, 'gradient', low=0, high=_LARGEST)


# What the first bundled models were trained on.
FIRST_EMISSION = EmissionConfig(
    kinds=('gaussian', 'lognormal', 'filaments', 'bubbles', 'mixture'),
    slope=(-4.0, -2.0),
    filament_width=(1.5, 6.0),
    bubble_radius=(20.0, 80.0),
    unit='pixel',
)
"""
The ranges from which `~photutils_pconv.simulation.CutoutSampler` and
`~photutils_pconv.simulation.ResidualSampler` draw with ``realistic=False``.
"""


def simulate_emission(shape, *, beam_fwhm, rng, kinds=None, config=None):
    """
    Make one random field of extended emission of a kind, or of any.

    It is like `emission_field`, with flatter fields, bubbles, mixtures,
    patches, cirrus, and a choice.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    beam_fwhm : float
        The beam's full width at half maximum, in pixels.

    rng : `numpy.random.Generator`
        The source of randomness.

    kinds : str or sequence of str, optional
        The kinds of field to choose from, instead of the
        configuration's.

    config : `EmissionConfig`, optional
        The ranges.

    Returns
    -------
    field : `~numpy.ndarray`
        The field, of median 0 and robust standard deviation 1, float32.

    Raises
    ------
    TypeError, ValueError
        If a kind is not known, the beam is not positive, or another argument
        is not accepted.
    """
    check_rng(rng)
    shape = as_shape(shape, margin=MARGIN)
    config = EmissionConfig() if config is None else config
    if not isinstance(config, EmissionConfig):
        msg = f'config must be an EmissionConfig, got {config!r}.'
        raise TypeError(msg)
    if kinds is not None:
        config = replace(config, kinds=kinds)
    beam_fwhm = as_number(beam_fwhm, 'beam_fwhm', above=0, high=MAXIMUM_WIDTH)
    big = (shape[0] + 2 * MARGIN, shape[1] + 2 * MARGIN)
    kind = config.kinds[rng.integers(len(config.kinds))]
    unit = beam_fwhm if config.unit == 'beam' else 1.0
    field = _draw_cloud(big, kind != 'gaussian', config, rng)
    if kind in ('filaments', 'mixture', 'cirrus'):
        number = rng.integers(*config.n_filaments, endpoint=True)
        width = unit * rng.uniform(*config.filament_width)
        winding = unit * np.array(_WINDING[config.unit])
        filaments = filament_field(big, number, width=width, rng=rng, winding=winding)
        field += rng.uniform(*config.contrast) * filaments / filaments.std()
    if kind in ('bubbles', 'mixture'):
        number = rng.integers(*config.n_bubbles, endpoint=True)
        radius = unit * np.array(config.bubble_radius)
        bubbles = bubble_field(big, number, radius=radius, rng=rng)
        if bubbles.any():
            # A scatter over the whole map would make small bubbles glare
            # like compact sources.
            inside = bubbles[bubbles > 0].mean()
            field += rng.uniform(*config.contrast) * bubbles / inside
    if kind == 'patches':
        other = _draw_cloud(big, rng.random() < 0.5, config, rng)
        other *= 10.0 ** rng.uniform(*_LOG_RATIO) / other.std()
        share = fractional_brownian_motion(big, -4.0, rng=rng)
        share = 0.5 * (1.0 + np.tanh(_EDGE * share))
        field = share * field / field.std() + (1.0 - share) * other
    if kind == 'cirrus':
        veil = fractional_brownian_motion(
            big, rng.uniform(*config.cirrus_slope), rng=rng
        )
        field += rng.uniform(*config.contrast) * field.std() * veil
    slope = rng.normal(0.0, config.gradient)
    field = field + slope * robust_std(field) * gradient_field(big, rng=rng)
    field = gaussian_filter(field, beam_fwhm * gaussian_fwhm_to_sigma, mode='wrap')
    field = field[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return ((field - np.median(field)) / robust_std(field)).astype(np.float32)


def _draw_cloud(shape, lognormal, config, rng):
    """Draw a field with a power-law spectrum, or its exponential."""
    field = fractional_brownian_motion(shape, rng.uniform(*config.slope), rng=rng)
    if lognormal:
        field = np.exp(rng.uniform(*config.log_width) * field)
        field /= robust_std(field)
    return field
