# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The flags of the photometry table.

A flag says what is special about a source's row; 0 means nothing is.
One registry feeds the bit constants, the decoding and the documentation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from photutils_pconv._utils.arrays import on_map, pair_positions

__all__ = [
    'FLAGS',
    'FlagDefinition',
    'SourceFlags',
    'count_flags',
    'decode_flags',
    'flag_positions',
    'has_warning',
]


class FlagDefinition(NamedTuple):
    """
    A flag of the photometry table.

    Parameters
    ----------
    name : str
        The flag's name.

    bit : int
        Its value: a power of two.

    description : str
        What it means.

    informs : bool, optional
        Whether it only says how the source was measured; other flags warn
        that the measurement may be wrong or less certain than its error says.
    """

    name: str
    bit: int
    description: str
    informs: bool = False


# The flags of what is taken into account, so that fluxes and errors are right all
# the same.
_INFORMING = (
    'near_edge',
    'aperture_beyond_hole',
    'overlapping_hole',
    'duplicate',
    'resampled',
    'calibrated_error',
    'resolved',
)

FLAGS = tuple(
    FlagDefinition(name, 1 << position, description, name in _INFORMING)
    for position, (name, description) in enumerate(
        (
            ('outside_map', 'the position lies outside the map; nothing is measured'),
            ('invalid_position', 'the position is not finite; nothing is measured'),
            ('near_edge', 'the cutout around the source reaches beyond the map'),
            ('missing_pixels', 'pixels are missing inside the aperture or the hole'),
            (
                'aperture_beyond_hole',
                'an aperture is larger than the hole; the flux is corrected with '
                'the encircled energy of the hole radius',
            ),
            ('overlapping_hole', "another source's hole overlaps the hole of this one"),
            (
                'duplicate',
                'an earlier row is the same source: both have its flux, and it is '
                'cleaned once',
            ),
            (
                'annulus_incomplete',
                'less than half of the background annulus is usable',
            ),
            (
                'recentered_failed',
                'no centroid was found near the position, which is used as given',
            ),
            (
                'no_background',
                'too few valid pixels around the hole to reconstruct it; the map '
                'is left as it is there',
            ),
            (
                'resampled',
                "the map's pixel scale is not the setup's; the source was cleaned "
                'on the resampled grid',
            ),
            (
                'calibrated_error',
                'the map has too few free positions for empty apertures; the error '
                "is scaled with the model's calibration",
            ),
            (
                'unknown_error',
                "the map's error is not known in pixels of an aperture; those "
                'count as the known ones there do',
            ),
            (
                'unresolved',
                'another row lies within half a FWHM, which cannot be told apart: '
                'they are measured as one source, and each row has the flux of all',
            ),
            (
                'unstable_fit',
                'the PSF fit of the source and its neighbours ran away from the '
                'data; it was repeated without fluxes below 0 and shifts',
            ),
            (
                'poor_fit',
                'the PSF leaves more of the source than it is expected to: it may '
                'be extended, blended or no source; compare flux_aperture',
            ),
            (
                'no_scatter',
                'the map does not scatter around the source, so that errors do not '
                'follow from it',
            ),
            (
                'resolved',
                'the source is larger than the PSF, though the catalogue has no size '
                'of it; its size was fitted',
            ),
        )
    )
)
"""
All flags, a `FlagDefinition` each, in the order of their bits.
"""


def _format_flags():
    rows = '\n'.join(
        f'    * ``{flag.name.upper()}`` ({flag.bit}): {flag.description}'
        f'{" (informs only)" if flag.informs else ""}.'
        for flag in FLAGS
    )
    return rows + '\n'


class SourceFlags:
    __doc__ = (
        '\n    The bit of each flag as a constant.\n\n'
        + _format_flags()
        + '\n    Combine them with ``|`` and test a column with '
        '``&``.\n    '
    )


for _flag in FLAGS:
    setattr(SourceFlags, _flag.name.upper(), _flag.bit)


def count_flags(flags: ArrayLike) -> dict[str, int]:
    """
    Count how many sources have each flag.

    Parameters
    ----------
    flags : 1D int array_like
        The column of flags.

    Returns
    -------
    counts : dict of int
        The number of sources by the name of the flag, in the order of their bits,
        for the flags that any source has.
    """
    values = np.asarray(flags, dtype=int)
    counts = {flag.name: int(np.sum((values & flag.bit) > 0)) for flag in FLAGS}
    return {name: count for name, count in counts.items() if count}


def has_warning(flags: ArrayLike) -> np.ndarray:
    """
    Find which sources have a flag that warns.

    Parameters
    ----------
    flags : int array_like
        The flags.

    Returns
    -------
    warned : bool `~numpy.ndarray`
        `False` for sources without a flag, and for those whose flags only inform
        (`FlagDefinition`).
    """
    warning = sum(flag.bit for flag in FLAGS if not flag.informs)
    return (np.asarray(flags, dtype=int) & warning) > 0


def decode_flags(flags: ArrayLike) -> list:
    """
    Decode values of the column ``flags``.

    Parameters
    ----------
    flags : int or array_like of int
        A value or a column of values.

    Returns
    -------
    names : list of str or list of list of str
        The names of the flags that are set, in the order of their bits;
        for an array, such a list for each value.

    Raises
    ------
    TypeError
        If ``flags`` is not of integers.

    ValueError
        If a value has a bit that belongs to no flag.

    Examples
    --------
    >>> from photutils_pconv.photometry.flags import decode_flags
    >>> decode_flags(12)
    ['near_edge', 'missing_pixels']
    """
    values = np.asarray(flags)
    if values.size == 0:
        return []
    if values.dtype.kind not in 'iu':
        msg = f'flags must be integers, got {values.dtype}.'
        raise TypeError(msg)
    if values.ndim > 0:
        return [decode_flags(value) for value in values]
    value = int(values)
    known = sum(flag.bit for flag in FLAGS)
    if value < 0 or value & ~known:
        msg = (
            f'The flag value {value} has a bit that belongs to no flag; '
            f'the largest value is {known}.'
        )
        raise ValueError(msg)
    return [flag.name for flag in FLAGS if value & flag.bit]


def flag_positions(x, y, shape):
    """
    Return the positions, which of them lie on the map, and their flags.

    Parameters
    ----------
    x, y : array_like
        The ``N`` pixel positions.

    shape : tuple of int
        The shape of the map.

    Returns
    -------
    x, y : (N,) `~numpy.ndarray`
        The positions.

    inside : (N,) bool `~numpy.ndarray`
        Whether they lie on the map.

    flags : (N,) int `~numpy.ndarray`
        The flags of those that do not; see `SourceFlags`.

    Raises
    ------
    ValueError
        If ``x`` and ``y`` are not of one length.
    """
    x, y = pair_positions(x, y)
    inside = on_map(x, y, shape)
    finite = np.isfinite(x) & np.isfinite(y)
    flags = np.zeros(x.size, dtype=int)
    flags[~finite] |= SourceFlags.INVALID_POSITION
    flags[finite & ~inside] |= SourceFlags.OUTSIDE_MAP
    return x, y, inside, flags
