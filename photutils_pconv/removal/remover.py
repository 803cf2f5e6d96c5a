# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal of compact sources: the package's front door.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv._utils.read_only import ReadOnly
from photutils_pconv._utils.repr import format_parameters
from photutils_pconv._utils.scratch import check_scratch
from photutils_pconv.inputs.map_input import MapInput
from photutils_pconv.inputs.maps import parse_opened
from photutils_pconv.inputs.opening import open_map
from photutils_pconv.inputs.sources import mask_excluded, parse_sources
from photutils_pconv.network.running import BATCH_SIZE, RunOptions
from photutils_pconv.photometry.upper_limits import (
    DETECTION_THRESHOLD,
    LIMIT_PROBABILITY,
)
from photutils_pconv.removal.map_settings import SettingsByMap
from photutils_pconv.removal.model_images import make_model_image, make_residual_image
from photutils_pconv.removal.pipeline import run_removal
from photutils_pconv.removal.provenance import describe_settings
from photutils_pconv.removal.result import SourceRemovalResult
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['NeuralSourceRemover']


class NeuralSourceRemover(ReadOnly):
    """
    Remove compact sources from a map and measure them.

    The extended emission behind each source is reconstructed by a
    partial-convolution U-Net; map minus reconstruction is the source,
    which is measured with its PSF and in circular apertures. The column
    ``flux`` of the photometry is the one to use.

    Parameters
    ----------
    mode : str, optional
        The observing mode: ``'scanmap'``, ``'parallel'``, or that of a
        registered setup. By default that in the header of the map
        (`~photutils_pconv.setups.find_setup`).

    band : str, optional
        The band: ``'blue'``, ``'green'``, ``'red'``, or that of a
        registered setup. By default that in the header of the map.

    setup : `~photutils_pconv.ObservingSetup`, str or path-like, optional
        A setup, its name, or its file, instead of ``mode`` and ``band``. With
        none of the three, a given ``psf`` stands for the setup: it is made from
        the PSF (`ObservingSetup.from_psf <photutils_pconv.ObservingSetup>`) for
        the pixels of each map. Where the FWHM has less than 1.8 or more than 4.3
        of them, the map is resampled.

    model : str, path-like or `~photutils_pconv.network.LoadedModel`, optional
        The network: a bundled model's name, a file, or a loaded model.
        By default the bundled model for the method.

    aperture_radii : float, array_like or `~astropy.units.Quantity`, optional
        The aperture radii, in arcsec. By default the setup's.

    aperture_corrections : str or table, optional
        The encircled-energy table: ``'real'`` for real maps,
        ``'simulation'`` for sources injected with a Vesta PSF that is
        normalised within its own stamp, or a table of your own, as
        `~photutils_pconv.ObservingSetup.eef` takes it. By default the
        encircled energy of ``psf`` on the map's pixels or, without a PSF,
        ``'real'``. PSF fluxes are total fluxes in the same sense: corrected
        with it, they have in the first aperture what the source has there.

    recenter : bool, optional
        Whether to move each position to the source's centroid
        (`~photutils.centroids.centroid_quadratic`) first.

    psf : str, path-like, `~photutils_pconv.psf.SampledPSF`, \
          `~photutils.psf.ImagePSF` or array, optional
        The PSF: ``'setup'`` for the setup's, ``'empirical'`` for one
        built from the map's bright isolated sources
        (`photutils_pconv.psf_photometry`), another setup's name, a FITS
        file, or a PSF of your own; an image or an ``ImagePSF`` belongs to
        pixels of the setup's native scale or, without a setup, of the map. By
        default the setup's, or, with
        ``method='inpaint'``, none.

    method : {'auto', 'psf', 'inpaint'}, optional
        ``'psf'`` subtracts the PSF and has a network look under it
        (`photutils_pconv.removal`). ``'inpaint'`` is the paper's method,
        which does not look into the holes; with a PSF, that is fitted to what
        was removed. ``'auto'`` is ``'psf'`` where a PSF is known, and else
        ``'inpaint'``; a ``model`` decides by its kind.

    fit_positions : bool, optional
        With a PSF: whether the positions of bright sources are fitted
        (columns ``x_fit`` and ``y_fit``).

    fit_psf_shape : bool, optional
        With a PSF: whether its angle and width, one of each a map, are
        fitted to bright sources.

    fit_sizes : bool, optional
        With a PSF: whether the sizes of all sources are fitted (`Notes`).

    error_method : {'empty_apertures', 'card', 'local'}, optional
        What ``flux_err`` holds. ``'empty_apertures'``: the error of the
        reconstruction and the noise, from holes at positions without a
        source (`photutils_pconv.photometry`); where the map has too few of
        them, the model's calibration serves (flag ``calibrated_error``).
        ``'card'``: always that calibration, which costs nothing.
        ``'local'``: the scatter of the local background in the aperture,
        with the map's own errors where it has any, and nothing of the
        reconstruction's.

    detection_threshold : float, optional
        The signal-to-noise ratio (column ``detection_snr``) below which a
        source counts as not detected, and has a ``flux_upper_limit``.

    upper_limit_probability : float, optional
        The probability with which the true flux is below that limit.

    colour_correction : `~astropy.units.Quantity`, float, str or pair, optional
        The spectrum that fluxes are corrected for: a temperature (of a black
        body), a slope of F_nu in frequency, ``'star'``, or a pair of a
        temperature and the slope of the emissivity; see
        `~photutils_pconv.photometry.colour_correction`. By default fluxes are
        not corrected: they are those of the spectrum that the map was
        calibrated with (for PACS and SPIRE nu F_nu = constant).

    calibration_error : float or 'setup', optional
        The relative error of the map's calibration, which is added to the
        errors of fluxes; ``'setup'`` for that of the instrument, 7 percent for
        PACS. By default errors are those of one map among themselves; the
        table's metadata hold the calibration's.

    subtract_wings : bool, optional
        Whether the wings that sources have beyond their holes are taken
        off the cleaned map, too (`photutils_pconv.inpainting`). By default
        ``'inpaint'`` leaves the map as it is outside of the holes, as in the
        paper; ``'psf'`` always takes wings off. The photometry does not
        depend on it.

    fill : {'observed', 'mean', 'draw'}, optional
        What the cleaned map holds where sources were. ``'observed'``, the
        default with a PSF: the map less the source wherever that is better
        known than the reconstruction, with the map's own noise, and the
        reconstruction elsewhere. ``'mean'``, the default with ``'inpaint'``:
        the reconstruction, which is the best estimate of the emission, without
        noise. ``'draw'``: the first of the two that can be had, with a random
        draw of what is not known (`photutils_pconv.removal`), so that the
        map's statistics are right. The photometry does not depend on it.

    draw_seed : int or `numpy.random.Generator`, optional
        The seed of the draw.

    resample : bool, optional
        Whether a map that is off the setup's pixel scale is resampled;
        if `False` it is refused.

    batch_size : int, optional
        The number of cutouts that the network sees at once.

    device : str, optional
        A torch device; ``'auto'`` takes a GPU where there is one.

    precision : {'auto', 'float32', 'bfloat16'}, optional
        The network's precision; ``'auto'`` is bfloat16 where the device has it and
        the network only corrects a fill (the bundled ones do), else float32.

    turns : int, optional
        Over how many quarter turns of each cutout the network's output is
        averaged, from 1 to 4: each costs as much time as the first. By default
        1 with the method ``'psf'``, 2 with ``'inpaint'``.

    threads : int, optional
        The number of the processor's threads that the network uses; `None`
        for as many as torch does by itself, which takes longer than one where
        others keep the processor busy.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Raises
    ------
    ValueError, TypeError
        If the setup is unknown, an aperture lies outside the table of
        encircled energies, or an argument is not accepted.

    Warns
    -----
    AstropyUserWarning
        If the header of a map contradicts the setup that was given.

    Notes
    -----
    A source may be larger than the PSF. Its image is then the PSF convolved with an
    elliptical Gaussian; hole, aperture and annulus grow with it. Sizes are taken from
    the catalogue, where it has columns of them (see `parse_sources
    <photutils_pconv.inputs.parse_sources>`): the FWHM of a Gaussian that was fitted
    to the source on the map. With ``fit_sizes`` they are fitted instead, from that
    of the PSF to three times that, while the catalogue's axis ratio and angle stay.
    A bright source that turns out to be resolved without a size in the catalogue
    has a fitted one in any case, and the flag ``resolved``.

    The settings are those that a remover was made with: attributes cannot
    be set later. Several threads may call one remover at once: each has its own
    result. Copies and pickles have the settings, and not the last result, which
    can be pickled itself.

    Examples
    --------
    >>> from photutils_pconv import NeuralSourceRemover
    >>> remover = NeuralSourceRemover(mode='scanmap', band='green')
    >>> cleaned, photometry = remover(ccd, table)  # doctest: +SKIP
    """

    def __init__(
        self,
        mode: str | None = None,
        band: str | None = None,
        *,
        setup: ObservingSetup | str | None = None,
        model: Any = None,
        aperture_radii: Any = None,
        aperture_corrections: Any = None,
        recenter: bool = False,
        psf: Any = None,
        method: str = 'auto',
        fit_positions: bool = True,
        fit_psf_shape: bool = True,
        fit_sizes: bool = False,
        error_method: str = 'empty_apertures',
        detection_threshold: float = DETECTION_THRESHOLD,
        upper_limit_probability: float = LIMIT_PROBABILITY,
        colour_correction: Any = None,
        calibration_error: Any = None,
        subtract_wings: bool = False,
        fill: str | None = None,
        draw_seed: int | np.random.Generator = 0,
        resample: bool = True,
        batch_size: int = BATCH_SIZE,
        device: Any = 'auto',
        precision: str = 'auto',
        turns: int | None = None,
        threads: int | None = 1,
        progress_bar: bool = False,
    ) -> None:
        run = RunOptions(
            batch_size=batch_size,
            device=device,
            precision=precision,
            turns=turns,
            threads=threads,
            progress_bar=progress_bar,
        )
        make_settings = partial(
            RemovalSettings.from_arguments,
            model=model,
            method=method,
            aperture_radii=aperture_radii,
            aperture_corrections=aperture_corrections,
            recenter=recenter,
            fit_positions=fit_positions,
            fit_psf_shape=fit_psf_shape,
            fit_sizes=fit_sizes,
            error_method=error_method,
            detection_threshold=detection_threshold,
            upper_limit_probability=upper_limit_probability,
            colour_correction=colour_correction,
            calibration_error=calibration_error,
            subtract_wings=subtract_wings,
            fill=fill,
            draw_seed=draw_seed,
            resample=resample,
            run=run,
        )
        self._by_map = SettingsByMap.from_arguments(
            make_settings, mode, band, setup=setup, psf=psf
        )
        self._settings, self._result = self._by_map.known, None

    @property
    def settings(self) -> RemovalSettings | None:
        """
        The settings (`~photutils_pconv.removal.RemovalSettings`).

        Where the header of a map names the setup, or a PSF on the map's pixels does,
        they are those for the last map, and `None` before the first.
        """
        return self._settings

    @property
    def setup(self) -> ObservingSetup | None:
        """
        The setup (`~photutils_pconv.ObservingSetup`); `None` as long as `settings` is.
        """
        return None if self.settings is None else self.settings.setup

    @property
    def model(self) -> Any:
        """
        The network (`~photutils_pconv.network.LoadedModel`); `None` as long as
        `settings` is.
        """
        return None if self.settings is None else self.settings.model

    @property
    def aperture_radii(self) -> np.ndarray | None:
        """
        The aperture radii in arcsec (1D `~numpy.ndarray`); `None` as long as
        `settings` is.
        """
        return None if self.settings is None else self.settings.aperture_radii

    @property
    def results(self) -> QTable | None:
        """
        The photometry of the last call (`~astropy.table.QTable`, or None).

        It is that of the call that ended last. Where several threads call one
        remover, take what each call returns.
        """
        return None if self._result is None else self._result.photometry

    @property
    def cleaned(self) -> Any:
        """
        The cleaned map of the last call, or `None`.
        """
        return None if self._result is None else self._result.cleaned

    def __getstate__(self):
        # The result may be thousands of times as large, and whoever needs it has it.
        return self.__dict__ | {'_result': None}

    def __repr__(self) -> str:
        settings = self.settings
        if settings is None:
            return f'<{type(self).__name__}({self._by_map.describe()})>'
        radii = np.array2string(settings.aperture_radii, separator=', ')
        return (
            f'<{type(self).__name__}(setup={settings.setup.name!r}, '
            f'method={settings.method!r}, fill={settings.fill!r}, '
            f'model={settings.model.name!r}, aperture_radii={radii} arcsec)>'
        )

    def __str__(self) -> str:
        if self.settings is None:
            shown = {'setup': self._by_map.describe().removeprefix('setup: ')}
        else:
            shown = describe_settings(self.settings)
        return format_parameters(self, shown, long=True)

    def __call__(
        self,
        data: Any,
        sources: Any,
        *,
        hdu: int | str | tuple | None = None,
        mask: Any = None,
        coverage_mask: Any = None,
        error: Any = None,
        wcs: Any = None,
        beam: Any = None,
        scratch: str | os.PathLike | None = None,
    ) -> SourceRemovalResult:
        """
        Clean a map and measure its sources.

        Parameters
        ----------
        data : NDData, Quantity, array or path
            The 2-D map: `~astropy.nddata.CCDData` or another NDData,
            `~astropy.units.Quantity`, (masked) array, the path of a
            FITS file, or HDUs. Units of Jy/pixel (and Jy, taken as such),
            mJy/pixel, MJy/sr, Jy/arcsec2, Jy/beam, or none.

        sources : SkyCoord, table, Regions, path or (N, 2) array
            The sources; see `~photutils_pconv.inputs.parse_sources`.

        hdu : int, str or tuple, optional
            The HDU of a file that holds the map: its number, its name, or
            a pair of name and version.

        mask : 2D bool `~numpy.ndarray`, Regions, str or int, optional
            True for bad pixels; regions or a region file (``.reg``), which are
            bad; for a file also an extension.

        coverage_mask : 2D bool `~numpy.ndarray`, optional
            True for pixels without data.

        error : 2D array_like, str or int, optional
            The standard deviation of the map; for a file also an
            extension.

        wcs : WCS, optional
            The WCS of a map that has none itself. Without any, sources
            need pixel positions and the pixel scale is the setup's.

        beam : float or `~astropy.units.Quantity`, optional
            The beam's FWHM (arcsec), for Jy/beam without one in the
            header.

        scratch : str or path-like, optional
            A folder for files in which images of the map's size are kept, rather
            than in memory, for a map that is larger than that: the path of a FITS
            file, neither packed nor scaled. In memory is what is near the sources.
            The result is the same; its images are in files, too, which go with it.

        Returns
        -------
        result : `~photutils_pconv.removal.SourceRemovalResult`
            Cleaned map and photometry; it unpacks into the two.

        Raises
        ------
        ValueError, TypeError
            If map, sources or pixel scale are not acceptable; the
            message says what is.
        """
        settings, map_input = self.read_map(
            data,
            hdu=hdu,
            mask=mask,
            coverage_mask=coverage_mask,
            error=error,
            wcs=wcs,
            beam=beam,
            scratch=scratch,
        )
        source_input = parse_sources(sources, wcs=map_input.wcs)
        map_input = mask_excluded(map_input, source_input)
        # Another thread may set it, too, before this one returns.
        result = run_removal(settings, map_input, source_input)
        self._result = result
        return result

    def read_map(
        self,
        data: Any,
        *,
        hdu: int | str | tuple | None = None,
        mask: Any = None,
        coverage_mask: Any = None,
        error: Any = None,
        wcs: Any = None,
        beam: Any = None,
        scratch: str | os.PathLike | None = None,
    ) -> tuple[RemovalSettings, MapInput]:
        """
        Read a map, and settle on the settings for it.

        Parameters
        ----------
        data, hdu, mask, coverage_mask, error, wcs, beam, scratch : optional
            As in the call.

        Returns
        -------
        settings : `~photutils_pconv.removal.RemovalSettings`
            The settings, with the setup that the remover was given or that the
            header of the map says.

        map_input : `~photutils_pconv.inputs.MapInput`
            The map.

        Raises
        ------
        ValueError, TypeError
            If the map is not acceptable, or the setup is not known.
        """
        check_scratch(scratch)
        opened = open_map(data, hdu=hdu, mask=mask, error=error, wcs=wcs)
        parse = partial(
            parse_opened,
            opened,
            coverage_mask=coverage_mask,
            beam=beam,
            scratch=scratch,
        )
        by_map = self._by_map
        # Another thread may change the attribute meanwhile, for another map.
        if by_map.by_psf:
            map_input = parse(setup_fwhm=by_map.beam)
            settings = by_map.settle(opened.meta, map_input.pixel_scale)
        else:
            settings = by_map.settle(opened.meta, last=self._settings)
            map_input = parse(
                pixel_scale=settings.setup.pixel_scale,
                setup_fwhm=settings.setup.psf_fwhm,
            )
        self._settings = settings
        return settings, map_input

    def make_model_image(
        self, shape: tuple[int, ...] | None = None
    ) -> np.ndarray | u.Quantity:
        """
        Make the image of the sources that the last call removed.

        Parameters
        ----------
        shape : tuple of int, optional
            The image's shape; it can only be that of the map.

        Returns
        -------
        model : `~numpy.ndarray` or `~astropy.units.Quantity`
            Map minus cleaned map (without a draw), 0 where nothing was
            removed; a Quantity if the map has a unit.

        Raises
        ------
        ValueError
            If nothing was removed yet, or the shape is another one.
        """
        return make_model_image(self._last_result(), shape)

    def make_residual_image(self, data: Any, *, beam: Any = None) -> Any:
        """
        Subtract the sources that the last call removed from a map.

        Parameters
        ----------
        data : NDData, Quantity or `~numpy.ndarray`
            A map on the grid of the cleaned one.

        beam : float or `~astropy.units.Quantity`, optional
            The beam's FWHM (arcsec), as in the call.

        Returns
        -------
        residual : object
            The map without the sources, of the class of ``data``. For
            the map of the last call it is the cleaned map.

        Raises
        ------
        ValueError
            If nothing was removed yet, or shape or unit do not fit.
        """
        pixel_scale = None if self.setup is None else self.setup.pixel_scale
        return make_residual_image(
            self._last_result(), data, beam=beam, pixel_scale=pixel_scale
        )

    def _last_result(self):
        if self._result is None:
            msg = 'no map was cleaned yet: call the remover with a map and sources'
            raise ValueError(msg)
        return self._result
