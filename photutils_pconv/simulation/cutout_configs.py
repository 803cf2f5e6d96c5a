# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The ranges from which the samplers of masked and of residual cutouts draw.
"""

from dataclasses import dataclass

from photutils_pconv._utils.checks import check_switches
from photutils_pconv.geometry.cutouts import CUTOUT_SIZE
from photutils_pconv.simulation._checks import (
    MAXIMUM_PIXELS,
    as_integer,
    as_number,
    as_pair,
    as_sequence,
    is_row,
)

__all__ = ['STAMP_SIZE', 'CutoutConfig', 'ResidualConfig', 'SamplerConfig']

#: The side of the stamps of sources, which are cut to cutouts, in pixels.
STAMP_SIZE = 2 * CUTOUT_SIZE

# The smallest cutout, which has room for the annulus of the SNR, in pixels, the most
# fields or stamps, and the largest logarithm of a ratio; by choice.
_SMALLEST = 48
_MOST_FIELDS = 100_000
_LARGEST_LOG = 10.0
# The most angles, and the largest standard deviation of a logarithm, or of a
# position (pixels); by choice.
_MOST_ANGLES = 1000
_LARGEST_SIGMA = 3.0


@dataclass(frozen=True, kw_only=True)
class CutoutConfig:
    """
    The ranges from which samplers of either kind draw.

    Parameters
    ----------
    n_fields, n_noise, n_stamps, log_peak, field_size, size, log_noise, neighbours, \
    missing, realistic, real_share, added_noise : optional
        As for `SamplerConfig`; without a default, for which both kinds have their own,
        are the first four.

    Raises
    ------
    TypeError, ValueError
        If a value is not accepted; the message names it.
    """

    n_fields: int
    n_noise: int
    n_stamps: int
    log_peak: tuple
    field_size: int = 512
    size: int = CUTOUT_SIZE
    log_noise: tuple = (-1.7, 1.0)
    neighbours: float = 0.35
    missing: float = 0.15
    realistic: bool = True
    real_share: float = 0.75
    added_noise: tuple = (-1.7, 0.0)

    #: The fields that are probabilities or shares.
    _shares = ('neighbours', 'missing', 'real_share')

    def __post_init__(self):
        check_switches(self)
        for name in ('n_fields', 'n_noise', 'n_stamps'):
            as_integer(getattr(self, name), name, low=1, high=_MOST_FIELDS)
        as_integer(self.size, 'size', low=_SMALLEST, high=CUTOUT_SIZE)
        if self.size % 2:
            msg = f'size must be even, got {self.size}.'
            raise ValueError(msg)
        as_integer(self.field_size, 'field_size', low=self.size)
        self.check_memory()
        limits = {'low': -_LARGEST_LOG, 'high': _LARGEST_LOG}
        as_pair(self.log_peak, 'log_peak', n=3, **limits)
        as_pair(self.log_noise, 'log_noise', **limits)
        if not is_row(self.added_noise, 0):
            as_pair(self.added_noise, 'added_noise', **limits)
        for name in self._shares:
            as_number(getattr(self, name), name, low=0, high=1)

    def check_memory(self, n_setups=1):
        """
        Refuse fields and stamps that would fill the memory.

        Parameters
        ----------
        n_setups : int, optional
            The number of setups, each of which has stamps of its own.

        Raises
        ------
        ValueError
            If they are too many; the message says what they would take.
        """
        parts = {
            'n_fields': self.n_fields * self.field_size**2,
            'n_noise': self.n_noise * self.field_size**2,
            'n_stamps': self.n_stamps * n_setups * STAMP_SIZE**2,
        }
        pixels = sum(parts.values())
        if pixels > MAXIMUM_PIXELS:
            largest = max(parts, key=parts.get)
            msg = (
                'the fields and stamps of a sampler are kept in memory: these would '
                f'take {4e-9 * pixels:.3g} GB, at most {4e-9 * MAXIMUM_PIXELS:.3g} GB '
                f'are accepted. Lower {largest} ({getattr(self, largest)}'
                f'{f" for each of {n_setups} setups" if largest == "n_stamps" else ""})'
                ', or field_size.'
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class SamplerConfig(CutoutConfig):
    """
    The ranges from which a `CutoutSampler` draws.

    Parameters
    ----------
    n_fields, n_noise, n_stamps : int, optional
        The number of emission fields, of noise fields, and of PSF stamps
        a setup.

    log_peak : tuple of float, optional
        The limits of log10(peak of the source / local scatter): three
        quarters of the sources between the first two, the rest up to the
        third. Together with the scatter of a map this covers the paper's
        fluxes of 10 mJy to 40 Jy (Table 1).

    field_size : int, optional
        The side of a field, in pixels.

    size : int, optional
        The side of a cutout, in pixels: even, and at most
        `~photutils_pconv.geometry.CUTOUT_SIZE`.

    log_noise : tuple of float, optional
        The range of log10(noise / local scatter of the emission).

    neighbours : float, optional
        The probability of a cutout to hold one to three further sources.

    missing : float, optional
        The probability of a cutout to have missing pixels.

    realistic : bool, optional
        Whether emission and noise vary as those of real maps do
        (`simulate_emission`, `simulate_noise`), or as the first bundled
        models were trained on.

    real_share : float, optional
        The share of cutouts whose emission is that of a real map, where a
        sampler has any.

    added_noise : tuple of float, optional
        The range of log10(noise / local scatter) that is added to real maps,
        beside the noise of their own, which is part of what the network is
        to give; ``()`` for none.

    stretch : float, optional
        The largest stretch of a PSF along a random axis, as a logarithm.

    position_error : float, optional
        The sigma of the given positions' error, in pixels; errors are
        cut at 2 pixels (section 2.4.3 of the paper).

    all_emission : bool, optional
        Whether half of the fields are those of `simulate_emission`, with
        flat spectra, bubbles and mixtures, or all those of
        `emission_field`.

    all_psfs : bool, optional
        Whether PSFs are mixtures of the setup's own physical one (`get_psf`)
        and the analytic `~photutils_pconv.psf.lobed_psf`, at least half of
        them the former, or the latter alone.

    width : float, optional
        The standard deviation of the logarithm of a PSF's width.

    far_position : float, optional
        The share of positions that are off by anything up to 2 pixels.

    any_radius : float, optional
        The probability of a hole to have any radius from 3 to 15 pixels
        instead of that of its SNR.

    empty : float, optional
        The probability of a cutout to have no source in its central hole,
        as the holes have that determine the errors on a map.
    """

    n_fields: int = 240
    n_noise: int = 24
    n_stamps: int = 96
    log_peak: tuple = (0.4, 3.0, 4.5)
    stretch: float = 0.08
    position_error: float = 0.4
    all_emission: bool = True
    all_psfs: bool = True
    width: float = 0.0
    far_position: float = 0.0
    any_radius: float = 0.0
    empty: float = 0.0

    _shares = (*CutoutConfig._shares, 'far_position', 'any_radius', 'empty')

    def __post_init__(self):
        super().__post_init__()
        for name in ('stretch', 'width', 'position_error'):
            as_number(getattr(self, name), name, low=0, high=_LARGEST_SIGMA)


@dataclass(frozen=True, kw_only=True)
class ResidualConfig(CutoutConfig):
    """
    The ranges from which a `ResidualSampler` draws.

    Parameters
    ----------
    n_fields, n_noise, n_stamps, field_size, size, log_noise, neighbours, missing, \
    realistic, real_share, added_noise : optional
        As for `SamplerConfig`.

    log_peak : tuple of float, optional
        The limits of log10(peak of the source / local scatter): four
        fifths of the sources between the first two, the rest up to the
        third.

    n_angles : int, optional
        The number of angles a setup at which PSFs are rendered.

    mismatch : tuple of float, optional
        The levels of the PSF's expected relative error, one of which is
        drawn: that of a PSF from elsewhere, and those that remain when a
        map's bright sources determine the PSF more closely.

    lobes : float, optional
        The PSF is a mixture of the setup's own and of the analytic
        `~photutils_pconv.psf.lobed_psf`, whose largest share this is, in
        units of the expected error: the two differ by some 10 percent of
        the peak.

    width, stretch : float, optional
        The standard deviation of the logarithm of the PSF's width, and
        of its stretch along one axis, in units of the expected error.

    position_error : tuple of float, optional
        The standard deviations of the error of bright sources' positions
        (which are fitted), and of those of half of the faint sources; in
        pixels.

    known_angle : float, optional
        The share of cutouts on which the PSF's angle is known.
    """

    n_fields: int = 360
    n_noise: int = 36
    n_stamps: int = 144
    log_peak: tuple = (0.3, 2.7, 4.0)
    n_angles: int = 8
    mismatch: tuple = (0.05, 0.025, 0.01)
    lobes: float = 10.0
    width: float = 0.5
    stretch: float = 0.6
    position_error: tuple = (0.02, 0.25)
    known_angle: float = 0.5

    _shares = (*CutoutConfig._shares, 'known_angle')

    def __post_init__(self):
        super().__post_init__()
        as_integer(self.n_angles, 'n_angles', low=1, high=_MOST_ANGLES)
        levels = as_sequence(self.mismatch, 'mismatch', 'numbers')
        for level in levels:
            as_number(level, 'mismatch', above=0, high=1)
        # Each level has precise and other stamps in turns.
        if not levels or self.n_stamps < 2 * len(levels) - 1:
            msg = (
                'mismatch must have at least one level, and n_stamps two for each, got '
                f'{self.mismatch!r} and {self.n_stamps}.'
            )
            raise ValueError(msg)
        as_pair(self.position_error, 'position_error', low=0, high=_LARGEST_SIGMA)
        as_number(self.lobes, 'lobes', low=0, high=1 / max(levels))
        for name in ('width', 'stretch'):
            as_number(getattr(self, name), name, low=0, high=_LARGEST_SIGMA)
