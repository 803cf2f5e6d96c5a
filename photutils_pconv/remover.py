# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal of compact sources: the package's front door.
"""

import functools
from datetime import UTC, datetime

import astropy.units as u
import numpy as np

from photutils_pconv._arguments import (
    check_batch_size,
    check_precision,
    choose_device,
    parse_aperture_radii,
    refuse_unavailable,
)
from photutils_pconv._arrays import flag_positions
from photutils_pconv._positions import (
    flag_duplicates,
    flag_holes,
    recenter,
    warn_unusable,
)
from photutils_pconv.flags import SourceFlags
from photutils_pconv.inpainting import inpaint, inpaint_resampled
from photutils_pconv.inputs import parse_map, parse_sources
from photutils_pconv.masks import snr as compute_snr
from photutils_pconv.network import LoadedModel, default_model, load_model
from photutils_pconv.network.card import package_versions
from photutils_pconv.photometry import source_photometry
from photutils_pconv.resampling import (
    pixel_scale_factor,
    resample_grid,
    to_native_position,
)
from photutils_pconv.results import (
    SourceRemovalResult,
    as_array,
    make_photometry_table,
)
from photutils_pconv.setups import get_setup

__all__ = ['NeuralSourceRemover', 'SourceRemovalResult']


class NeuralSourceRemover:
    """
    Remove compact sources from a map and measure them.

    The extended emission behind each source is reconstructed by a
    partial-convolution U-Net; map minus reconstruction is the source,
    which is measured in circular apertures.

    Parameters
    ----------
    mode : str, optional
        The observing mode: ``'scanmap'``, ``'parallel'``, or that of a
        registered setup.

    band : str, optional
        The band: ``'blue'``, ``'green'``, ``'red'``, or that of a
        registered setup.

    setup : `~photutils_pconv.ObservingSetup` or str, optional
        A setup or its name, instead of ``mode`` and ``band``.

    model : str, path-like or `~photutils_pconv.network.LoadedModel`, optional
        The network: a bundled model's name, a file, or a loaded model.
        By default the bundled model of the setup's mode.

    aperture_radii : float, array_like or `~astropy.units.Quantity`, optional
        The aperture radii, in arcsec. By default the setup's.

    aperture_corrections : str or table, optional
        The encircled-energy table: ``'real'`` (default) for real maps,
        ``'simulation'`` for sources injected with a Vesta PSF that is
        normalised within its own stamp, or a table of your own, as
        `~photutils_pconv.ObservingSetup.eef` takes it.

    recenter : bool, optional
        Whether to move each position to the source's centroid
        (`~photutils.centroids.centroid_quadratic`) first.

    psf : `None`, optional
        Reserved for removal with a known PSF, which is not available
        yet.

    n_passes : int, optional
        The number of passes; only 1 is available yet.

    error_method : {'local'}, optional
        What ``flux_err`` holds: the scatter of the local background in
        the aperture, with the map's own errors where it has any. The
        reconstruction's error is not part of it yet.

    resample : bool, optional
        Whether a map that is off the setup's pixel scale is resampled;
        if `False` it is refused.

    batch_size : int, optional
        The number of cutouts that the network sees at once.

    device : str, optional
        A torch device; ``'auto'`` takes a GPU where there is one.

    precision : {'auto', 'float32', 'bfloat16'}, optional
        The network's precision; ``'auto'`` is float32.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Raises
    ------
    ValueError, TypeError
        If the setup is unknown, an aperture lies outside the table of
        encircled energies, or an argument is not accepted.

    NotImplementedError
        If ``psf``, ``n_passes`` above 1 or another ``error_method`` is
        asked for.

    Notes
    -----
    Photometry is not colour-corrected.

    Examples
    --------
    >>> from photutils_pconv import NeuralSourceRemover
    >>> remover = NeuralSourceRemover(mode='scanmap', band='green')
    >>> cleaned, photometry = remover(ccd, table)  # doctest: +SKIP
    """

    def __init__(
        self,
        mode=None,
        band=None,
        *,
        setup=None,
        model=None,
        aperture_radii=None,
        aperture_corrections='real',
        recenter=False,
        psf=None,
        n_passes=1,
        error_method='local',
        resample=True,
        batch_size=64,
        device='auto',
        precision='auto',
        progress_bar=False,
    ):
        self.setup = get_setup(mode, band, setup=setup)
        self.aperture_radii = parse_aperture_radii(aperture_radii, self.setup)
        self.aperture_corrections = aperture_corrections
        self._eef = functools.partial(self.setup.eef, table=aperture_corrections)
        # An aperture outside the table is an error here, not after the work.
        self._eef(self.aperture_radii)
        refuse_unavailable(psf, n_passes, error_method)
        self.psf = psf
        self.n_passes = n_passes
        self.error_method = error_method
        self.recenter = recenter
        self.resample = resample
        check_batch_size(batch_size)
        check_precision(precision)
        choose_device(device)
        self.batch_size = batch_size
        self.device = device
        self.precision = precision
        self.progress_bar = progress_bar
        self.model = default_model(self.setup) if model is None else model
        self._loaded = (
            self.model
            if isinstance(self.model, LoadedModel)
            else load_model(self.model)
        )
        self._result = None

    @property
    def results(self):
        """
        The photometry of the last call (`~astropy.table.QTable`, or None).
        """
        return None if self._result is None else self._result.photometry

    @property
    def cleaned(self):
        """
        The cleaned map of the last call, or `None`.
        """
        return None if self._result is None else self._result.cleaned

    def __repr__(self):
        radii = np.array2string(self.aperture_radii, separator=', ')
        return (
            f'<{type(self).__name__}(setup={self.setup.name!r}, '
            f'model={self._loaded.name!r}, aperture_radii={radii} arcsec)>'
        )

    def __str__(self):
        lines = [f'<{type(self).__module__}.{type(self).__name__}>']
        lines += [
            f'{name}: {value!r}'
            for name, value in (
                ('setup', self.setup.name),
                ('model', self._loaded.name),
                ('aperture_radii', self.aperture_radii.tolist()),
                ('aperture_corrections', self.aperture_corrections),
                ('recenter', self.recenter),
                ('n_passes', self.n_passes),
                ('error_method', self.error_method),
                ('resample', self.resample),
                ('batch_size', self.batch_size),
                ('device', self.device),
                ('precision', self.precision),
            )
        ]
        return '\n'.join(lines)

    def __call__(
        self,
        data,
        sources,
        *,
        mask=None,
        coverage_mask=None,
        error=None,
        wcs=None,
        beam=None,
    ):
        """
        Clean a map and measure its sources.

        Parameters
        ----------
        data : NDData, Quantity, array or path
            The 2-D map: `~astropy.nddata.CCDData` or another NDData,
            `~astropy.units.Quantity`, (masked) array, or the path of a
            FITS file. Units of Jy/pixel (and Jy, taken as such),
            mJy/pixel, MJy/sr, Jy/arcsec2, Jy/beam, or none.

        sources : SkyCoord, table, path or (N, 2) array
            The sources; see `~photutils_pconv.inputs.parse_sources`.

        mask : 2D bool `~numpy.ndarray`, optional
            True for bad pixels.

        coverage_mask : 2D bool `~numpy.ndarray`, optional
            True for pixels without data.

        error : 2D array_like, optional
            The standard deviation of the map.

        wcs : WCS, optional
            The WCS of a map that has none itself. Without any, sources
            need pixel positions and the pixel scale is the setup's.

        beam : float or `~astropy.units.Quantity`, optional
            The beam's FWHM (arcsec), for Jy/beam without one in the
            header.

        Returns
        -------
        result : `SourceRemovalResult`
            Cleaned map and photometry; it unpacks into the two.

        Raises
        ------
        ValueError, TypeError
            If map, sources or pixel scale are not acceptable; the
            message says what is.
        """
        map_input = parse_map(
            data,
            mask=mask,
            coverage_mask=coverage_mask,
            error=error,
            wcs=wcs,
            beam=beam,
            pixel_scale=self.setup.pixel_scale,
        )
        source_input = parse_sources(sources, wcs=map_input.wcs)
        pixel_scale, factor = pixel_scale_factor(
            map_input.pixel_scale, self.setup, resample=self.resample
        )
        x, y, inside, flags = flag_positions(
            source_input.x, source_input.y, map_input.shape
        )
        warn_unusable(inside)
        if self.recenter:
            fwhm = self.setup.psf_fwhm.to_value(u.arcsec) / pixel_scale
            x, y, failed = recenter(
                map_input.data, map_input.missing, x, y, inside, fwhm=fwhm
            )
            flags |= failed
            source_input = source_input.moved_to(x, y, wcs=map_input.wcs)
        flags |= flag_duplicates(x, y, inside)

        snr, radius, reconstruction = self._reconstruct(map_input, x, y, inside, factor)
        cleaned = reconstruction.clean(map_input.data)
        removed = map_input.data - cleaned

        filled = inside.copy()
        filled[inside] = reconstruction.filled
        flags[inside & ~filled] |= SourceFlags.NO_BACKGROUND
        flags |= flag_holes(x, y, radius, filled, shape=map_input.shape, factor=factor)
        measured = source_photometry(
            map_input.data,
            removed,
            x,
            y,
            np.where(filled, radius, np.nan),
            radii=self.aperture_radii,
            annulus_radii=self.setup.annulus_radii.to_value(u.arcsec),
            pixel_scale=pixel_scale,
            eef=self._eef,
            error=map_input.error,
            missing=map_input.missing,
        )
        for name in ('flux', 'flux_err', 'flux_annulus'):
            measured[name] = measured[name] * map_input.jy_per_pixel
        measured['flags'] = measured['flags'] | flags
        table = make_photometry_table(
            source_input,
            measured,
            snr=snr,
            hole_radius=radius,
            flux_unit=map_input.flux_unit,
            unit=map_input.unit,
        )
        table.meta.update(self._meta())
        error = map_input.error
        if error is not None:
            positions = (x[inside], y[inside], radius[inside])
            scatter = measured['local_bkg_std'][inside]
            error = reconstruction.clean_error(error, *positions, scatter)
        self._result = SourceRemovalResult(
            cleaned=map_input.like_input(
                cleaned,
                error=error,
                history=self._history(int(filled.sum())),
            ),
            photometry=table,
            sources=map_input.like_input(removed, fill=0.0),
            holes=reconstruction.holes,
            map_input=map_input,
        )
        return self._result

    def make_model_image(self, shape=None):
        """
        Make the image of the sources that the last call removed.

        Parameters
        ----------
        shape : tuple of int, optional
            The image's shape; it can only be that of the map.

        Returns
        -------
        model : `~numpy.ndarray` or `~astropy.units.Quantity`
            Map minus cleaned map, 0 where nothing was removed; a
            Quantity if the map has a unit.

        Raises
        ------
        ValueError
            If nothing was removed yet, or the shape is another one.
        """
        result = self._last_result()
        image = as_array(result.sources)
        if shape is not None and tuple(shape) != image.shape:
            msg = f'shape must be that of the map, {image.shape}, got {tuple(shape)}'
            raise ValueError(msg)
        unit = result.map_input.unit
        return image.copy() if unit is None else u.Quantity(image, unit)

    def make_residual_image(self, data, *, beam=None):
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
        result = self._last_result()
        theirs = result.map_input
        # The grid is the same, and so is the pixel scale.
        pixel_scale = theirs.pixel_scale
        if pixel_scale is None:
            pixel_scale = self.setup.pixel_scale
        map_input = parse_map(data, beam=beam, pixel_scale=pixel_scale)
        model = as_array(result.sources)
        if map_input.shape != model.shape:
            msg = (
                f'data must have the shape {model.shape} of the map that was '
                f'cleaned, got {map_input.shape}'
            )
            raise ValueError(msg)
        if (map_input.unit is None) != (theirs.unit is None):
            msg = (
                f'data must have the unit of the map that was cleaned '
                f'({theirs.unit}), got {map_input.unit}'
            )
            raise ValueError(msg)
        factor = theirs.jy_per_pixel / map_input.jy_per_pixel
        return map_input.like_input(map_input.data - factor * model)

    def _last_result(self):
        if self._result is None:
            msg = 'no map was cleaned yet: call the remover with a map and sources'
            raise ValueError(msg)
        return self._result

    def _reconstruct(self, map_input, x, y, inside, factor):
        """
        Return SNR, hole radii (map pixels) and the reconstruction.
        """
        options = {
            'model': self._loaded,
            'missing': map_input.missing,
            'to_jy_per_pixel': map_input.jy_per_pixel,
            'batch_size': self.batch_size,
            'device': self.device,
            'precision': self.precision,
            'progress_bar': self.progress_bar,
        }
        method = inpaint
        native = map_input.data
        if factor != 1:
            grid = resample_grid(map_input.data, map_input.missing, factor)
            native = grid[0]
            method = functools.partial(inpaint_resampled, factor=factor, native=grid)
        snr = compute_snr(
            native,
            to_native_position(x, factor),
            to_native_position(y, factor),
            setup=self.setup,
        )
        radius = np.full(x.size, np.nan)
        radius[inside] = self.setup.hole_radius(snr[inside]) / factor
        positions = (x[inside], y[inside], radius[inside])
        return snr, radius, method(map_input.data, *positions, **options)

    def _meta(self):
        return {
            'setup': self.setup.name,
            'model': self._loaded.name,
            'model_checksum': self._loaded.checksum,
            'aperture_radii_arcsec': self.aperture_radii.tolist(),
            'aperture_corrections': (
                self.aperture_corrections
                if isinstance(self.aperture_corrections, str)
                else 'user'
            ),
            'annulus_radii_arcsec': self.setup.annulus_radii.to_value(
                u.arcsec
            ).tolist(),
            'error_method': self.error_method,
            'colour_corrected': False,
            'versions': package_versions('astropy', 'photutils'),
            'date': datetime.now(UTC).isoformat(timespec='seconds'),
        }

    def _history(self, n_filled):
        versions = package_versions()
        return (
            f'photutils-pconv {versions["photutils_pconv"]}: {n_filled} '
            f'compact sources replaced by reconstructed emission',
            f'photutils-pconv setup {self.setup.name}, model {self._loaded.name}',
            f'model sha256 {self._loaded.checksum[:32]}',
            f'model sha256 {self._loaded.checksum[32:]} (continued)',
        )
