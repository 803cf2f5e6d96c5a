# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Real maps as a source of emission for training cutouts.
"""

import hashlib
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.nddata import NDData

from photutils_pconv._utils.checks import check_choice, to_bool
from photutils_pconv.geometry.cutouts import CUTOUT_SIZE
from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.inputs.values import split_map
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.setups.setup import ObservingSetup
from photutils_pconv.simulation._spectral import robust_std

__all__ = ['Background', 'make_background']

#: Where no list of sources is given, a position whose own SNR (Eq. 1) is above this
#: may be one: no source is put there. That of the benchmarks on real emission.
SOURCE_SNR = 5.0
# The share of a map, along its longer side, that is kept for validation where both
# come from one map: about that of the paper's Table 2 (17 percent), and room for
# cutouts.
_VALIDATION_SHARE = 0.25


@dataclass(frozen=True, eq=False, kw_only=True)
class Background:
    """
    A real map, ready to be cut into the emission of training cutouts.

    Parameters
    ----------
    data : 2D float32 `~numpy.ndarray`
        The map on native pixels, of median 0 and robust standard deviation
        1; 0 where pixels are missing.

    missing : 2D bool `~numpy.ndarray`
        The pixels without data, and those of known real sources: nobody
        knows the emission under them.

    listed : bool
        Whether the real sources are known. If not, positions that look like
        one are avoided.

    setup : `~photutils_pconv.setups.ObservingSetup` or `None`
        The setup to whose cutouts it belongs; `None` for any.

    name : str
        What messages and descriptions call it.
    """

    data: np.ndarray
    missing: np.ndarray
    listed: bool = False
    setup: ObservingSetup | None = None
    name: str = 'map'

    def digest(self):
        """
        Find which map this is.

        Returns
        -------
        digest : str
            A SHA-256 of its pixels.
        """
        digest = hashlib.sha256(str(self.data.shape).encode())
        for array in (self.data, self.missing):
            digest.update(np.ascontiguousarray(array))
        return digest.hexdigest()


def make_background(
    data,
    *,
    setup=None,
    sources=None,
    part='all',
    resample=True,
    name=None,
    mask=None,
    coverage_mask=None,
):
    """
    Make a background of a map, for `CutoutSampler` and `ResidualSampler`.

    Parameters
    ----------
    data : map
        The map, in any form that `~photutils_pconv.inputs.parse_map` takes,
        in any unit.

    setup : `~photutils_pconv.setups.ObservingSetup` or str, optional
        The setup to whose cutouts the map belongs; by default the cutouts of
        all setups may have it.

    sources : table or positions, optional
        The compact sources that are on the map, as
        `~photutils_pconv.inputs.parse_sources` takes them. What lies in their
        holes (Table 3) is not used. Without a list, no source is injected
        where the map itself has an SNR (Eq. 1) above 5. An empty list says
        that there are none.

    part : {'all', 'train', 'valid'}, optional
        The whole map, or the first three quarters along its longer side, or
        the last one.

    resample : bool, optional
        Whether a map with a WCS is resampled to the setup's pixels; `False`
        takes its pixels as they are.

    name : str, optional
        What messages call it.

    mask, coverage_mask : optional
        See `~photutils_pconv.inputs.parse_map`.

    Returns
    -------
    background : `Background`
        The background.

    Raises
    ------
    TypeError, ValueError
        If the map is too small for a cutout, is flat, or an argument is not
        accepted.
    """
    check_choice(part, 'part', ('all', 'train', 'valid'))
    resample = to_bool(resample, 'resample')
    setup = None if setup is None else get_setup(setup=setup)
    if isinstance(data, str) or hasattr(data, '__fspath__'):
        name = str(data) if name is None else name
        data = read_fits_map(data)
    name = 'the map' if name is None else name
    values, own_mask, _ = split_map(data)
    wcs = data.wcs if isinstance(data, NDData) else None
    # Units do not matter, and need not be those of surface brightness.
    given = parse_map(
        NDData(values, mask=own_mask, wcs=wcs), mask=mask, coverage_mask=coverage_mask
    )
    values, missing = np.array(given.data), given.missing.copy()
    if sources is not None:
        missing |= _source_pixels(sources, given, setup, name)
    if setup is not None and given.pixel_scale is not None and resample:
        grid = MapGrid(
            values, missing, factor=(given.pixel_scale / setup.pixel_scale).to_value('')
        )
        # Within 2 percent pixels count as native ones (geometry/grids.py).
        if abs(grid.factor - 1.0) > 0.02:
            values, missing = grid.native.data, grid.native.missing
    values, missing = _take_part(values, missing, part)
    if min(values.shape) < CUTOUT_SIZE or not np.any(~missing):
        msg = (
            f'{name} ({part}) has {values.shape[1]} by {values.shape[0]} pixels, '
            f'{np.count_nonzero(~missing)} of them usable: a background must have '
            f'room for cutouts of {CUTOUT_SIZE} by {CUTOUT_SIZE}.'
        )
        raise ValueError(msg)
    good = values[~missing]
    scatter = robust_std(good)
    if not scatter > 0:
        msg = f'{name} is flat: half of its pixels or more have one value.'
        raise ValueError(msg)
    values = np.where(missing, 0.0, (values - np.median(good)) / scatter)
    return Background(
        data=values.astype(np.float32),
        missing=missing,
        listed=sources is not None,
        setup=setup,
        name=name,
    )


def _source_pixels(sources, given, setup, name):
    """Find the pixels in the holes of real sources."""
    if setup is None:
        msg = (
            f'{name} has a list of sources, whose holes need a setup: give setup, such '
            "as 'scanmap/green'."
        )
        raise ValueError(msg)
    if len(sources) == 0:
        return np.zeros(given.shape, dtype=bool)
    parsed = parse_sources(sources, wcs=given.wcs)
    factor = 1.0
    if given.pixel_scale is not None:
        factor = float((given.pixel_scale / setup.pixel_scale).to_value(u.one))
    ratio = snr(given.data, parsed.x, parsed.y, setup=setup)
    radius = setup.hole_radius(np.where(np.isfinite(ratio), ratio, 0.0)) / factor
    inside = np.isfinite(parsed.x) & np.isfinite(parsed.y)
    return draw_holes(given.shape, parsed.x[inside], parsed.y[inside], radius[inside])


def _take_part(values, missing, part):
    """Cut the part for training or for validation off a map."""
    if part == 'all':
        return values, missing
    axis = int(np.argmax(values.shape))
    # A small map has room for one cutout in its smaller part at least.
    n = values.shape[axis]
    cut = n - max(round(_VALIDATION_SHARE * n), CUTOUT_SIZE)
    region = [slice(None), slice(None)]
    region[axis] = slice(0, max(cut, 0)) if part == 'train' else slice(max(cut, 0), n)
    return values[tuple(region)], missing[tuple(region)]
