# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The local background under sources, reconstructed by the network.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import ArrayLike
from photutils.aperture import CircularAperture
from photutils.background import LocalBackground

from photutils_pconv._utils.checks import to_quantity
from photutils_pconv._utils.read_only import ReadOnly
from photutils_pconv._utils.repr import format_parameters
from photutils_pconv.geometry.grids import MapGrid, pixel_scale_factor
from photutils_pconv.geometry.merging import UNRESOLVED_FWHM, merge_close
from photutils_pconv.inputs.units import get_jy_per_pixel
from photutils_pconv.inputs.values import check_dimensions, check_mask, split_map
from photutils_pconv.network.running import BATCH_SIZE, BLIND_TURNS, RunOptions
from photutils_pconv.removal.pipeline import find_psf, make_filler
from photutils_pconv.removal.psf_setups import settle_by_psf, stands_for_a_setup
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.removal.sources import choose_holes
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['PConvLocalBackground']


class PConvLocalBackground(ReadOnly, LocalBackground):
    """
    Measure the emission under sources from its reconstruction.

    Instead of `~photutils.background.LocalBackground`, as in
    ``PSFPhotometry(..., local_bkg_estimator=PConvLocalBackground(...))``.
    Where that takes the median of an annulus, this reconstructs the
    extended emission under each position and takes its mean.

    All positions of one call are holes together, filled in one go: a
    neighbour that is among the positions is not taken for emission.

    Parameters
    ----------
    mode : str, optional
        The observing mode: ``'scanmap'``, ``'parallel'``, or that of a
        registered setup.

    band : str, optional
        The band: ``'blue'``, ``'green'``, ``'red'``, or that of a
        registered setup.

    setup : `~photutils_pconv.ObservingSetup` or str, optional
        A setup or its name, instead of ``mode`` and ``band``. With none of
        the three, a given ``psf`` stands for the setup; if it is one in arcsec,
        ``pixel_scale`` is needed.

    model : str, path-like or `~photutils_pconv.network.LoadedModel`, optional
        The network. By default the bundled model of the setup's mode.

    radius : float, optional
        The radius of the circle over which the emission is averaged, in
        pixels of the data. By default the setup's aperture radius.

    pixel_scale : float or `~astropy.units.Quantity`, optional
        The pixel scale of the data (arcsec): arrays have no WCS to say
        it. By default the setup's. Data off the setup's pixel scale are
        resampled, as a map is by
        `~photutils_pconv.NeuralSourceRemover`.

    psf, method : optional
        As for `~photutils_pconv.NeuralSourceRemover`: with the method
        ``'psf'`` the PSF is subtracted from all positions of a call, and the
        emission under it is reconstructed.

    batch_size, device, precision, turns, threads : optional
        As for `~photutils_pconv.NeuralSourceRemover`; by default there are two turns
        with either method.

    Raises
    ------
    ValueError, TypeError
        If the setup is unknown or an argument is not accepted.

    Notes
    -----
    An instance holds the network and nothing of the data. It can be
    pickled and copied, and be called from several threads at once.

    Examples
    --------
    >>> import numpy as np
    >>> from photutils_pconv import PConvLocalBackground
    >>> data = np.random.default_rng(0).normal(1.0, 0.01, (101, 101))
    >>> local_bkg = PConvLocalBackground(mode='scanmap', band='green')
    >>> print(f'{local_bkg(data, 50, 50):.1f}')
    1.0
    """

    def __init__(
        self,
        *,
        mode: str | None = None,
        band: str | None = None,
        setup: ObservingSetup | str | None = None,
        model: Any = None,
        radius: Any = None,
        pixel_scale: Any = None,
        psf: Any = None,
        method: str = 'auto',
        batch_size: int = BATCH_SIZE,
        device: Any = 'auto',
        precision: str = 'auto',
        turns: int = BLIND_TURNS,
        threads: int | None = 1,
    ) -> None:
        # LocalBackground's own __init__ is left out: there is no annulus.
        make_settings = partial(
            RemovalSettings.from_arguments,
            model=model,
            psf=psf,
            method=method,
            run=RunOptions(
                batch_size=batch_size,
                device=device,
                precision=precision,
                turns=turns,
                threads=threads,
            ),
        )
        if pixel_scale is not None:
            pixel_scale = to_quantity(pixel_scale, u.arcsec, 'pixel_scale')
        if stands_for_a_setup(psf, mode, band, setup):
            self._settings = settle_by_psf(
                make_settings, psf, pixel_scale, give='pixel_scale'
            )
        else:
            self._settings = make_settings(mode, band, setup=setup)
        scale, self._factor = pixel_scale_factor(pixel_scale, self.setup)
        self._pixel_scale = scale * u.arcsec
        if radius is None:
            radius = (self.setup.aperture_radius / self.pixel_scale).to_value(u.one)
        is_number = np.isscalar(radius) and not isinstance(radius, str)
        if not is_number:
            msg = f'radius must be a number of pixels, got {radius!r}'
            raise TypeError(msg)
        if not (np.isfinite(radius) and radius > 0):
            msg = f'radius must be positive and finite, got {radius!r}'
            raise ValueError(msg)
        self._radius = float(radius)

    #: `~photutils.background.LocalBackground` has these. A circle is an
    #: annulus from 0.
    inner_radius = 0.0

    @property
    def setup(self) -> ObservingSetup:
        """
        The setup (`~photutils_pconv.ObservingSetup`).
        """
        return self._settings.setup

    @property
    def model(self) -> Any:
        """
        The network (`~photutils_pconv.network.LoadedModel`).
        """
        return self._settings.model

    @property
    def pixel_scale(self) -> u.Quantity:
        """
        The pixel scale of the data (`~astropy.units.Quantity`).
        """
        return self._pixel_scale

    @property
    def radius(self) -> float:
        """
        The radius of the circle, in pixels (`float`).
        """
        return self._radius

    @property
    def outer_radius(self) -> Any:
        """
        The same as ``radius``.
        """
        return self.radius

    @property
    def bkg_estimator(self) -> Any:
        """
        The function that takes the mean of the emission.
        """
        return np.mean

    def _parameters(self):
        return {
            'setup': self.setup.name,
            'model': self.model.name,
            'radius': self.radius,
            'pixel_scale': self.pixel_scale,
        }

    def __repr__(self) -> str:
        return format_parameters(self, self._parameters())

    def __str__(self) -> str:
        return format_parameters(self, self._parameters(), long=True)

    def to_aperture(self, x: ArrayLike, y: ArrayLike) -> CircularAperture:
        """
        Give the circles over which the emission is averaged.

        Parameters
        ----------
        x, y : float or 1D float `~numpy.ndarray`
            The position(s).

        Returns
        -------
        apertures : `~photutils.aperture.CircularAperture`
            The circle(s).

        Raises
        ------
        ValueError
            If a position is not finite, or x and y do not pair up.
        """
        x = np.atleast_1d(x)
        y = np.atleast_1d(y)
        positions = np.array(list(zip(x, y, strict=True)))
        return CircularAperture(positions, self.radius)

    def __call__(self, data: Any, x: ArrayLike, y: ArrayLike, mask: Any = None) -> Any:
        """
        Measure the emission under each position.

        Parameters
        ----------
        data : 2D array_like or `~astropy.units.Quantity`
            The data. Their unit, if any, must be one of surface
            brightness. Pixels that are not finite are masked.

        x, y : float or 1D float `~numpy.ndarray`
            The position(s), in pixels.

        mask : 2D bool `~numpy.ndarray`, optional
            True for pixels not to use.

        Returns
        -------
        value : float or 1D float `~numpy.ndarray`
            The mean of the reconstructed emission within ``radius``, a
            `~astropy.units.Quantity` if the data are one. NaN where the
            circle holds no usable pixel, or there is nothing around to
            reconstruct from. A single position gives a scalar.

        Raises
        ------
        ValueError, TypeError
            If the data are not 2-D, the mask does not fit or the unit is
            not accepted, or a position is not finite.
        """
        values, own_mask, unit = split_map(data)
        if values.dtype.kind not in 'fiu':
            msg = f'data must be an array of real numbers, got {values.dtype}'
            raise TypeError(msg)
        check_dimensions(values.shape, 'data')
        given_unit = getattr(data, 'unit', None)
        jy_per_pixel = get_jy_per_pixel(unit, self.pixel_scale)
        values = values.astype(float)
        missing = ~np.isfinite(values)
        for one in (own_mask, None if mask is np.ma.nomask else mask):
            if one is not None:
                missing |= check_mask(one, 'mask', values.shape)
        values[missing] = np.nan

        apertures = self.to_aperture(x, y).to_mask(method='exact')
        overlaps = [one.get_overlap_slices(values.shape)[0] for one in apertures]
        on_map = np.array([overlap is not None for overlap in overlaps])
        x, y = (np.atleast_1d(np.asarray(one, dtype=float)) for one in (x, y))
        result = np.full(x.size, np.nan)
        if np.any(on_map) and not missing.all():
            emission, filled = self._reconstruct(
                values, missing, x[on_map], y[on_map], jy_per_pixel
            )
            for i in np.flatnonzero(on_map)[filled]:
                result[i] = _mean(emission, missing, apertures[i])
        result = result[0] if result.size == 1 else result
        return result if given_unit is None else result << given_unit

    def _reconstruct(self, values, missing, x, y, jy_per_pixel):
        """
        Return the map without sources, and which holes were filled.
        """
        grid = MapGrid(
            values,
            missing,
            factor=self._factor,
            pixel_scale=self.pixel_scale.to_value(u.arcsec),
            jy_per_pixel=jy_per_pixel,
        )
        # Rows of one source are cleaned once.
        fwhm = self.setup.psf_fwhm.to_value(u.arcsec) / grid.pixel_scale
        distinct = merge_close(x, y, UNRESOLVED_FWHM * fwhm)
        holes = choose_holes(distinct.x, distinct.y, grid, self.setup)
        psf = find_psf(self._settings, grid, holes)
        filled = make_filler(self._settings, grid, psf).fill(grid, holes)
        return filled.mean.clean(values), filled.mean.filled[distinct.row]


def _mean(emission, missing, aperture):
    """
    Average over the pixels of an aperture that are not missing.
    """
    large, small = aperture.get_overlap_slices(emission.shape)
    weights = np.where(missing[large], 0.0, aperture.data[small])
    total = weights.sum()
    if total == 0:
        return np.nan
    return np.sum(weights * np.where(missing[large], 0.0, emission[large])) / total
