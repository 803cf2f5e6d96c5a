# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A map on its own pixel grid and on a setup's native one.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from photutils_pconv._utils.checks import to_bool
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.geometry.resampling import resample_grid, to_native_position

__all__ = ['MAX_FACTOR', 'MIN_FACTOR', 'MapGrid', 'pixel_scale_factor']

#: The limits of map pixel / native pixel within which maps are resampled; by
#: choice: beyond them the beam is sampled too coarsely, or by very many pixels.
MIN_FACTOR, MAX_FACTOR = 0.4, 2.5

# A map this close to the native pixel scale is used as it is; by choice: over a
# cutout's half the positions differ by one pixel at most.
_SCALE_TOLERANCE = 0.02
# A FWHM of the PSF must have so many of the map's pixels: below, apertures and PSF
# fits are off by more than a percent, each source by another share, as it lies
# within a pixel (measured on all setups with the PSF binned to the map's pixels,
# 2026-11-29).
_LEAST_FWHM = 1.4
# The largest value of a map may lie between these, in its unit: by choice, so that
# squares and their ratios are floats.
_LEVELS = (1.0e-100, 1.0e100)
# Factors may be off by so much, by the arithmetic of the pixel scale.
_ROUNDING = 1.0e-6


def pixel_scale_factor(pixel_scale, setup, *, resample=True):
    """
    Compare a map's pixel scale with the native one of a setup.

    Parameters
    ----------
    pixel_scale : `~astropy.units.Quantity` or `None`
        The map's pixel scale; `None` (a map without WCS) is taken as
        the setup's.

    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup.

    resample : bool, optional
        Whether a map that is off the native scale may be resampled.

    Returns
    -------
    pixel_scale : float
        The map's pixel scale, in arcsec.

    factor : float
        Map pixel / native pixel; 1 within 2 percent of it.

    Raises
    ------
    ValueError
        If the map is off the native scale and ``resample`` is False, or
        the factor lies beyond `MIN_FACTOR` to `MAX_FACTOR`, or the PSF's FWHM
        has less than 1.4 of the map's pixels.
    """
    resample = to_bool(resample, 'resample')
    native = setup.pixel_scale.to_value('arcsec')
    if pixel_scale is None:
        return native, 1.0
    scale = pixel_scale.to_value('arcsec')
    factor = scale / native
    if abs(factor - 1.0) <= _SCALE_TOLERANCE:
        return scale, 1.0
    if not resample:
        msg = (
            f'the map has pixels of {scale:.4g} arcsec, the setup {setup.name!r} of '
            f'{native:.4g} arcsec: allow resample=True, or choose the setup of the map'
        )
        raise ValueError(msg)
    # A scale from a WCS has rounding errors.
    largest = min(MAX_FACTOR, setup.psf_fwhm.to_value('arcsec') / native / _LEAST_FWHM)
    if not MIN_FACTOR - _ROUNDING <= factor <= largest + _ROUNDING:
        msg = (
            f'the map has pixels of {scale:.4g} arcsec, {factor:.3g} times the '
            f'{native:.4g} arcsec of the setup {setup.name!r}; accepted are '
            f'{MIN_FACTOR} to {largest:.3g} times (a FWHM is {_LEAST_FWHM} pixels or '
            'more): regrid the map or choose another setup'
        )
        raise ValueError(msg)
    return scale, factor


def _check_level(data):
    """Refuse a map whose values are too large or too small to be squared."""
    # Without a copy of the map; missing pixels are NaN.
    low, high = (
        float(reduce(data, axis=None, initial=0.0))
        for reduce in (np.fmin.reduce, np.fmax.reduce)
    )
    level = max(-low, high)
    if level > 0 and not _LEVELS[0] <= level <= _LEVELS[1]:
        msg = (
            f'the largest value of the map is {level:.3g}; accepted are values of '
            f'{_LEVELS[0]:g} to {_LEVELS[1]:g}, or 0: take another unit, or mask what '
            'is no signal'
        )
        raise ValueError(msg)


@dataclass(frozen=True, eq=False)
class MapGrid:
    """
    A map as plain arrays, on its own grid and on the setup's native one.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, of shape (ny, nx), in its own unit and precision.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    factor : float, optional
        Map pixel / native pixel; 1 for a map on the native grid.

    pixel_scale : float, optional
        The side of the map's pixels, in arcsec.

    jy_per_pixel : float, optional
        The factor from the map's unit to Jy/pixel.

    error : 2D `~numpy.ndarray`, optional
        The map's standard deviation, in its unit.
    """

    data: np.ndarray
    missing: np.ndarray
    factor: float = 1.0
    pixel_scale: float = 1.0
    jy_per_pixel: float = 1.0
    error: np.ndarray | None = None

    @classmethod
    def from_input(cls, map_input, setup, *, resample=True):
        """
        Make the grids of a map that was parsed.

        Parameters
        ----------
        map_input : `~photutils_pconv.inputs.MapInput`
            The map.

        setup : `~photutils_pconv.ObservingSetup`
            The setup, for its pixel scale.

        resample : bool, optional
            Whether a map off the native scale may be resampled.

        Returns
        -------
        grid : `MapGrid`
            The grids.

        Raises
        ------
        ValueError
            As `pixel_scale_factor`, or if the map's values are so large or small
            that their squares are not.
        """
        scale, factor = pixel_scale_factor(
            map_input.pixel_scale, setup, resample=resample
        )
        _check_level(map_input.data)
        return cls(
            map_input.data,
            map_input.missing,
            factor=factor,
            pixel_scale=scale,
            jy_per_pixel=map_input.jy_per_pixel,
            error=map_input.error,
        )

    @cached_property
    def native(self):
        """
        The same map on the native grid (`MapGrid`).

        A native pixel collects the flux of ``1 / factor**2`` map pixels:
        values are carried as they are, and ``jy_per_pixel`` follows.
        """
        if self.factor == 1:
            return self
        data, missing = resample_grid(self.data, self.missing, self.factor)
        return MapGrid(
            data,
            missing,
            pixel_scale=self.pixel_scale / self.factor,
            jy_per_pixel=self.jy_per_pixel / self.factor**2,
        )

    def in_double(self):
        """
        Give the map in double precision.

        Returns
        -------
        grid : `MapGrid`
            The map; itself if it is.
        """
        images = {'data': self.data, 'error': self.error}
        changed = {
            name: np.asarray(image, dtype=float)
            for name, image in images.items()
            if image is not None
        }
        same = all(image is getattr(self, name) for name, image in changed.items())
        return self if same else replace(self, **changed)

    def to_native(self, x, y):
        """
        Give positions on the native grid.

        Parameters
        ----------
        x, y : array_like
            Positions on the map, in pixels.

        Returns
        -------
        x, y : `~numpy.ndarray`
            The positions in native pixels.
        """
        return to_native_position(x, self.factor), to_native_position(y, self.factor)

    def to_map(self, x, y):
        """
        Give positions on the map from those on the native grid.

        Parameters
        ----------
        x, y : array_like
            Positions in native pixels.

        Returns
        -------
        x, y : `~numpy.ndarray`
            The positions on the map, in pixels.
        """
        factor = 1.0 / self.factor
        return to_native_position(x, factor), to_native_position(y, factor)

    def native_holes(self, holes):
        """
        Give holes on the native grid.

        Parameters
        ----------
        holes : `~photutils_pconv.geometry.Holes`
            Holes of the map.

        Returns
        -------
        holes : `~photutils_pconv.geometry.Holes`
            The same holes in native pixels; themselves on the native grid.
        """
        if self.factor == 1:
            return holes
        x, y = self.to_native(holes.x, holes.y)
        shape = self.native.data.shape
        return Holes(x, y, holes.radius * self.factor, shape, holes.snr)

    def with_holes_missing(self, holes, data):
        """
        Give a map in which holes count as missing.

        Parameters
        ----------
        holes : `~photutils_pconv.geometry.Holes`
            The holes.

        data : 2D `~numpy.ndarray`
            The pixels to take in place of the map's.

        Returns
        -------
        grid : `MapGrid`
            The map with more missing pixels.
        """
        return replace(self, data=data, missing=self.missing | holes.mask)
