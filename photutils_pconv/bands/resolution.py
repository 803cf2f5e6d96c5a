# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps of several bands at one resolution, on one grid.
"""

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.nddata import CCDData
from astropy.wcs.utils import pixel_to_pixel
from photutils.psf_matching import make_wiener_kernel
from scipy.ndimage import map_coordinates
from scipy.signal import fftconvolve

from photutils_pconv._utils.checks import check_choice
from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.geometry.resampling import fill_missing
from photutils_pconv.inputs.map_input import MapInput
from photutils_pconv.psf.pixel import PixelPSF

__all__ = ['BandMap', 'match_resolution']

# The regularisation of photutils' kernel: so that a convolved PSF is the target's to
# 0.1 percent of its peak (tests/bands/test_resolution.py), while frequencies that the
# sharper PSF does not have are not amplified.
_REGULARIZATION = 1.0e-4
# PSFs whose FWHM agree to this share are of one resolution: by choice, what PSFs of one
# band measured on two maps differ by.
_SAME_FWHM = 0.01
# A pixel is missing where more than this share of the kernel's weight, or of the pixels
# between which it is interpolated, has no data: by choice.
_LARGEST_MISSING = 0.5


@dataclass(frozen=True, eq=False)
class BandMap:
    """
    A map with the PSF that it was observed with.

    Parameters
    ----------
    map_input : `~photutils_pconv.inputs.MapInput`
        The map as it was parsed, for its grid, unit and missing pixels.

    data : 2D `~numpy.ndarray`
        Its values, or those of a cleaned map on the same grid, in its unit.

    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF.

    pixel_scale : float
        The side of its pixels, in arcsec.
    """

    map_input: MapInput
    data: np.ndarray
    psf: Any
    pixel_scale: float

    @property
    def pixel_psf(self):
        """
        The PSF on the map's pixels, averaged over all angles (`PixelPSF`).
        """
        return PixelPSF(self.psf, self.pixel_scale)

    @property
    def fwhm(self):
        """
        The FWHM on the map's pixels, in arcsec (float).
        """
        return self.pixel_psf.fwhm * self.pixel_scale


def match_resolution(maps, *, target=None, grid=None):
    """
    Bring maps to the resolution of one of them, and onto one grid.

    Each map is convolved with the kernel that turns its PSF into the target's
    (`photutils.psf_matching.make_wiener_kernel`), and is then interpolated on the
    grid by cubic splines. PSFs are averaged over all angles.

    Parameters
    ----------
    maps : dict of `BandMap`
        The maps, by their bands.

    target : str, optional
        The band whose resolution all maps get. By default that of the largest FWHM;
        no map can be made sharper.

    grid : str, optional
        The band whose grid all maps get (default: ``target``).

    Returns
    -------
    matched : dict of `~astropy.nddata.CCDData`
        The maps, in MJy/sr, or, for maps without unit, in their values per pixel of
        the grid. They have no uncertainty: the errors of neighbouring pixels are
        one after the convolution.

    Raises
    ------
    ValueError
        If ``target`` or ``grid`` is no band, the resolution is too high for one of
        the maps, or a map has no WCS and another grid.
    """
    fwhm = {band: one.fwhm for band, one in maps.items()}
    if target is None:
        target = max(fwhm, key=fwhm.get)
    check_choice(target, 'target', tuple(maps))
    grid = target if grid is None else grid
    check_choice(grid, 'grid', tuple(maps))
    for band, one in fwhm.items():
        if one > fwhm[target] * (1.0 + _SAME_FWHM):
            msg = (
                f'the map of {band} has a FWHM of {one:.3g} arcsec and cannot be '
                f'brought to the {fwhm[target]:.3g} arcsec of {target}: choose a '
                'coarser target, or leave that band out'
            )
            raise ValueError(msg)
        _check_grids(maps, band, grid)
    matched = {}
    for band, one in maps.items():
        values, missing = _convolve(one, maps[target], same=band == target)
        if band != grid:
            values, missing = _move(values, missing, one, maps[grid])
        matched[band] = _as_ccd(
            values,
            missing,
            one,
            maps[grid],
            band=band,
            target=target,
            fwhm=fwhm[target],
        )
    return matched


def _check_grids(maps, band, grid):
    """Refuse a map that cannot be put onto a grid."""
    one, other = maps[band].map_input, maps[grid].map_input
    if (one.unit is None) != (other.unit is None):
        msg = f'the maps of {band} and {grid} must both have a unit, or none'
        raise ValueError(msg)
    no_wcs = one.wcs is None or other.wcs is None
    if no_wcs and not _is_same_grid(maps[band], maps[grid]):
        msg = f'the maps of {band} and {grid} have other grids and no WCS: give wcs'
        raise ValueError(msg)


def _is_same_grid(one, other):
    """Return whether two maps without WCS have pixels of one shape."""
    return (
        one.map_input.wcs is other.map_input.wcs is None
        and one.data.shape == other.data.shape
        and one.pixel_scale == other.pixel_scale
    )


def _make_kernel(one, target):
    """Make the kernel from the PSF of a map to that of another, on its pixels."""
    psf, goal = one.pixel_psf, target.pixel_psf
    ratio = one.pixel_scale / target.pixel_scale
    half = int(np.ceil(max(psf.radius, goal.radius / ratio)))
    y, x = np.indices((2 * half + 1, 2 * half + 1)) - half
    # The target's pixels are part of its resolution, whatever the grid.
    return make_wiener_kernel(
        psf.evaluate(x, y),
        goal.evaluate(ratio * x, ratio * y),
        regularization=_REGULARIZATION,
    )


def _convolve(one, target, *, same):
    """Convolve a map; return its values and its missing pixels."""
    missing = one.map_input.missing | ~np.isfinite(one.data)
    if same or abs(one.fwhm / target.fwhm - 1.0) <= _SAME_FWHM:
        return one.data, missing
    kernel = _make_kernel(one, target)
    half = len(kernel) // 2
    # Gaps, and what lies beyond the edge, hold what is next to them.
    values = np.pad(fill_missing(one.data, missing), half, mode='edge')
    values = fftconvolve(values, kernel, mode='valid')
    # A kernel of several beams would fill any gap from far away.
    weight = np.abs(kernel) / np.abs(kernel).sum()
    unknown = fftconvolve(missing.astype(float), weight, mode='same')
    return values, missing | (unknown > _LARGEST_MISSING)


@hold_filters
def _move(values, missing, one, other):
    """Interpolate a map on the grid of another."""
    shape = other.data.shape
    y, x = np.indices(shape)
    if one.map_input.wcs is not None:
        x, y = pixel_to_pixel(other.map_input.wcs, one.map_input.wcs, x, y)
    # Beyond the projection there is no position.
    off = ~(np.isfinite(x) & np.isfinite(y))
    at = [np.where(off, -1.0, y), np.where(off, -1.0, x)]
    bad = map_coordinates(missing.astype(float), at, order=1, cval=1.0)
    moved = map_coordinates(fill_missing(values, missing), at, order=3, mode='nearest')
    return moved, off | (bad > _LARGEST_MISSING)


def _as_ccd(values, missing, one, grid, *, band, target, fwhm):
    """Give values on a grid as a map."""
    map_input = one.map_input
    if map_input.unit is None:
        unit = u.dimensionless_unscaled
        factor = (grid.pixel_scale / one.pixel_scale) ** 2
    else:
        unit = u.MJy / u.sr
        area = (one.pixel_scale * u.arcsec) ** 2
        factor = (map_input.jy_per_pixel * u.Jy / area).to_value(unit)
    values = np.where(missing, np.nan, factor * values)
    meta = {
        'BAND': (band, 'band of the map'),
        'RESOLUT': (target, 'band whose resolution it has'),
        'FWHM': (round(fwhm, 3), 'FWHM of the PSF, arcsec'),
    }
    return CCDData(
        values, unit=unit, wcs=grid.map_input.wcs, mask=missing.copy(), meta=meta
    )
