# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The background of a map, instead of photutils' ``Background2D``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.read_only import ReadOnly
from photutils_pconv._utils.repr import format_parameters
from photutils_pconv.background._inputs import parse_fill_value, read_map
from photutils_pconv.background.estimation import estimate_background
from photutils_pconv.network.running import BATCH_SIZE, BLIND_TURNS, RunOptions
from photutils_pconv.removal.map_settings import SettingsByMap
from photutils_pconv.removal.plots import plot_holes
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['PConvBackground']


class PConvBackground(ReadOnly):
    """
    The extended emission of a map: the map, with what lies behind its
    sources reconstructed.

    Instead of `~photutils.background.Background2D`. Where that
    interpolates between the medians of large boxes, this is the map
    itself wherever there is no source, and the network's reconstruction
    in the holes around the sources. So ``data - background`` is exactly
    zero outside `holes`, and has the sources on zero inside.

    Parameters
    ----------
    data : NDData, Quantity, array, path or HDUs
        The 2-D map, as `~photutils_pconv.NeuralSourceRemover` takes it.
        Values that are not finite are masked, with a warning, and so are
        the pixels of `~astropy.nddata.NDData.mask` and of masked arrays
        (which Background2D ignores).

    sources : SkyCoord, table, path or (N, 2) array, optional
        The sources; see `~photutils_pconv.inputs.parse_sources`. If
        `None`, they are searched for.

    mode : str, optional
        The observing mode: ``'scanmap'``, ``'parallel'``, or that of a
        registered setup. By default that in the header of the map
        (`~photutils_pconv.setups.find_setup`).

    band : str, optional
        The band: ``'blue'``, ``'green'``, ``'red'``, or that of a
        registered setup. By default that in the header of the map.

    setup : `~photutils_pconv.ObservingSetup` or str, optional
        A setup or its name, instead of ``mode`` and ``band``. With none of
        the three, a given ``psf`` stands for the setup, as for
        `~photutils_pconv.NeuralSourceRemover`.

    model : str, path-like or `~photutils_pconv.network.LoadedModel`, optional
        The network. By default the bundled model of the setup's mode.

    hdu : int, str or tuple, optional
        The HDU of a file that holds the map: its number, its name, or a
        pair of name and version. By default the names say.

    mask : 2D bool `~numpy.ndarray`, str or int, optional
        True for pixels not to use: bad pixels, or sources that are not
        in the list. As in Background2D they do get a background, which
        is interpolated, from the pixels around them. It adds to the mask
        of the data. For a file it can be the name or number of the
        extension that is not 0 in bad pixels.

    coverage_mask : 2D bool `~numpy.ndarray`, optional
        True for pixels without data. They get ``fill_value``.

    fill_value : float, optional
        The value of background and background rms where
        ``coverage_mask`` is True.

    finder : callable, optional
        What finds the sources if none are given: a photutils star
        finder or a `~photutils.segmentation.SourceFinder`. It is given
        the map less a coarse background (medians in boxes of four
        beams), and a SourceFinder the threshold of 5 times its rms. By
        default `~photutils.detection.DAOStarFinder` with the setup's
        FWHM and that threshold.

    error : 2D array_like, str or int, optional
        The standard deviation of the map. `background_rms` is nowhere
        below it. For a file it can be the name or number of an extension.

    wcs : WCS, optional
        The WCS of a map that has none itself. Without any, the pixel
        scale is the setup's.

    beam : float or `~astropy.units.Quantity`, optional
        The beam's FWHM (arcsec), for Jy/beam without one in the header.

    box_size : int, optional
        The side of the boxes in which `background_rms` is measured, in
        pixels. By default 48 pixels of the setup.

    psf, method, recenter, resample, batch_size, device, precision, turns, \
    threads, progress_bar
        As for `~photutils_pconv.NeuralSourceRemover`. A background is the
        reconstruction itself, to which a second turn adds 3 percent.

    error_method : str, optional
        The ``error_method`` of `~photutils_pconv.NeuralSourceRemover`,
        for the errors in `photometry`. The default costs no time.

    Raises
    ------
    ValueError, TypeError
        If the map or an argument is not accepted; the message says what
        is. What Background2D refuses is refused in its words.

    Notes
    -----
    The background is computed when the object is made, the background
    rms at its first use. Both are kept, in the float type of the data
    (float32 for integers, as in Background2D), with `holes`,
    ``coverage_mask``, the mask, `photometry`, and the given error. The
    data are not kept. Each access gives a copy, so that what is done
    with it in place stays there. The object may be used from several
    threads at once, pickled and copied.

    Examples
    --------
    >>> from photutils_pconv import PConvBackground
    >>> bkg = PConvBackground(ccd, table, setup='scanmap/green')  # doctest: +SKIP
    >>> subtracted = ccd.subtract(bkg.background)  # doctest: +SKIP
    """

    def __init__(
        self,
        data: Any,
        sources: Any = None,
        *,
        mode: str | None = None,
        band: str | None = None,
        setup: ObservingSetup | str | None = None,
        model: Any = None,
        hdu: int | str | tuple | None = None,
        mask: Any = None,
        coverage_mask: Any = None,
        fill_value: float = 0.0,
        finder: Callable | None = None,
        error: Any = None,
        wcs: Any = None,
        beam: Any = None,
        box_size: int | None = None,
        psf: Any = None,
        method: str = 'auto',
        error_method: str = 'card',
        recenter: bool = False,
        resample: bool = True,
        batch_size: int = BATCH_SIZE,
        device: Any = 'auto',
        precision: str = 'auto',
        turns: int = BLIND_TURNS,
        threads: int | None = 1,
        progress_bar: bool = False,
    ) -> None:
        if sources is not None and finder is not None:
            msg = 'give either sources or a finder, not both'
            raise ValueError(msg)
        recenter = to_bool(recenter, 'recenter')
        resample = to_bool(resample, 'resample')
        make_settings = partial(
            RemovalSettings.from_arguments,
            model=model,
            method=method,
            # A background has no noise where it is estimated.
            fill='mean',
            error_method=error_method,
            recenter=recenter,
            resample=resample,
            run=RunOptions(
                batch_size=batch_size,
                device=device,
                precision=precision,
                turns=turns,
                threads=threads,
                progress_bar=progress_bar,
            ),
        )
        # What is wrong with it is said before a file is read.
        by_map = SettingsByMap.from_arguments(
            make_settings, mode, band, setup=setup, psf=psf
        )
        fill_value = parse_fill_value(fill_value)
        self._estimate = estimate_background(
            read_map(data, hdu=hdu, mask=mask, error=error, wcs=wcs),
            sources,
            by_map,
            coverage_mask=coverage_mask,
            beam=beam,
            finder=finder,
            fill_value=fill_value,
            box_size=box_size,
            resample=resample,
        )
        self._background_rms: np.ndarray | None = None
        self._lock = threading.Lock()

    def _with_unit(self, values):
        unit = self._estimate.unit
        return values if unit is None else u.Quantity(values, unit)

    @property
    def setup(self) -> ObservingSetup:
        """
        The setup (`~photutils_pconv.ObservingSetup`).
        """
        return self._estimate.setup

    @property
    def model(self) -> Any:
        """
        The network (`~photutils_pconv.network.LoadedModel`).
        """
        return self._estimate.model

    @property
    def fill_value(self) -> float:
        """
        The value where there is no coverage (`float`).
        """
        return self._estimate.fill_value

    @property
    def box_size(self) -> int:
        """
        The side of the boxes of `background_rms`, in pixels (`int`).
        """
        return self._estimate.box_size

    @property
    def coverage_mask(self) -> np.ndarray | None:
        """
        The pixels without coverage (2D bool `~numpy.ndarray`, or `None`).
        """
        mask = self._estimate.coverage_mask
        return None if mask is None else mask.copy()

    @property
    def background(self) -> np.ndarray | u.Quantity:
        """
        The background (2D `~numpy.ndarray` or Quantity).

        The map, with the reconstructed emission in `holes`.
        """
        return self._with_unit(self._estimate.image.copy())

    @property
    def background_rms(self) -> np.ndarray | u.Quantity:
        """
        The local scatter of the emission, with the reconstruction's error
        in `holes` (2D `~numpy.ndarray` or Quantity).

        The scatter is the sigma-clipped standard deviation, in boxes of
        ``box_size`` (`~photutils.background.Background2D`), of the
        background less its local mean (a Gaussian whose standard
        deviation is the beam's FWHM), sources left out. For white noise
        it is the noise of a pixel. Structure wider than the beam, which
        is in the background, does not count, as it does in Background2D.
        Where the error of the map is known, it is at least that.

        In holes, the error of the reconstruction is added in quadrature,
        which makes it the standard deviation of ``data - background``
        there, the source aside. It is measured on the map itself: some 64
        holes of the same sizes, on positions without sources, are
        reconstructed and compared with the map, and the median ratio of
        error to scatter of the 16 nearest in size is taken. Where there
        is no room for 16, it is taken to be as large as the scatter. What
        the wings of a very bright source add is not in it.

        It is computed at the first use, and kept.
        """
        with self._lock:
            rms = self._background_rms
            if rms is None:
                rms = self._background_rms = self._estimate.measure_rms()
        return self._with_unit(rms.copy())

    def _median(self, values):
        uncovered = self._estimate.coverage_mask
        if uncovered is not None:
            values = values[~uncovered]
        return self._with_unit(np.median(values))

    @property
    def background_median(self) -> Any:
        """
        The median of the background where there is coverage (a scalar).
        """
        return self._median(self._estimate.image)

    @property
    def background_rms_median(self) -> Any:
        """
        The median of the background rms where there is coverage.
        """
        rms = self.background_rms
        return self._median(getattr(rms, 'value', rms))

    @property
    def holes(self) -> np.ndarray:
        """
        The pixels that were reconstructed around the sources, tapers
        included (2D bool `~numpy.ndarray`).

        Masked pixels that were filled are not among them.
        """
        return self._estimate.holes.copy()

    @property
    def n_holes(self) -> int:
        """
        The number of sources whose hole was filled (`int`).
        """
        return len(self._estimate.filled_sources)

    @property
    def photometry(self) -> QTable:
        """
        The sources and their photometry (`~astropy.table.QTable`).

        The table of `~photutils_pconv.SourceRemovalResult`.
        """
        return self._estimate.photometry.copy()

    def plot_holes(
        self,
        *,
        ax: Any = None,
        marker: str = '+',
        markersize: float | None = None,
        color: str = 'blue',
        alpha: float | None = None,
        outlines: bool = True,
        **kwargs: Any,
    ) -> None:
        """
        Plot the holes on a matplotlib Axes.

        Parameters
        ----------
        ax : `~matplotlib.axes.Axes`, optional
            Where to plot; by default the current axes.

        marker : str, optional
            The marker of the holes' centres.

        markersize : float, optional
            The marker's size in ``points ** 2``; 0 for no markers.

        color : str, optional
            The colour of markers and outlines.

        alpha : float, optional
            The alpha value, from 0 (transparent) to 1 (opaque).

        outlines : bool, optional
            Whether to draw the holes' outlines.

        **kwargs
            Keyword arguments of `~matplotlib.patches.Circle` for the
            outlines.

        Raises
        ------
        ImportError
            If matplotlib is missing; the message says what to install.
        """
        outlines = to_bool(outlines, 'outlines')
        plot_holes(
            self._estimate.filled_sources,
            ax=ax,
            outlines=outlines,
            marker=marker,
            markersize=markersize,
            color=color,
            alpha=alpha,
            **kwargs,
        )

    def _parameters(self):
        estimate = self._estimate
        array = f'<array; shape={estimate.image.shape}>'
        return {
            'data': array,
            'setup': self.setup.name,
            'model': self.model.name,
            'mask': None if estimate.mask is None else array,
            'coverage_mask': None if estimate.coverage_mask is None else array,
            'fill_value': estimate.fill_value,
            'box_size': estimate.box_size,
            'n_holes': self.n_holes,
        }

    def __repr__(self) -> str:
        return format_parameters(self, self._parameters())

    def __str__(self) -> str:
        return format_parameters(self, self._parameters(), long=True)

    def __getstate__(self):
        state = self.__dict__.copy()
        del state['_lock']
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._lock = threading.Lock()
