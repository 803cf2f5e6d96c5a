# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a source removal gives back: the cleaned map and the photometry.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.utils import lazyproperty

from photutils_pconv._utils.checks import check_seed
from photutils_pconv._utils.repr import format_html
from photutils_pconv.inputs.values import as_array
from photutils_pconv.removal.hole_regions import make_hole_regions
from photutils_pconv.removal.result_files import write_result
from photutils_pconv.removal.summary import list_facts, list_flags, summarise

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from regions import Regions

__all__ = ['SourceRemovalResult']

# The number of rows that a notebook shows (by choice).
_N_SHOWN = 10


@dataclass(eq=False, repr=False)
class SourceRemovalResult:
    """
    The result of a source removal; unpacks into map and photometry.

    Parameters
    ----------
    cleaned : object
        The map without its sources, of the class, unit, WCS, mask and
        metadata of the input.

    photometry : `~astropy.table.QTable`
        A row per source, in the order of the input.

    sources : object
        The map minus the cleaned map, of the class of the input; 0
        outside `holes`.

    holes : 2D bool `~numpy.ndarray`
        The pixels that were changed, taper included.

    map_input : `~photutils_pconv.inputs.MapInput`
        The map as it was parsed.

    drawn : 2D `~numpy.ndarray` or `None`
        The random draw that the cleaned map contains, in its unit, with
        ``fill='draw'``; `sources` does not contain it.

    draws : `~photutils_pconv.removal.Draws` or `None`
        What such draws are made from, where empty holes were measured.

    emission : 1D `~numpy.ndarray` or `None`
        The reconstructed emission in the pixels of ``holes``, in their order (see
        `reconstruction`).

    Examples
    --------
    >>> cleaned, photometry = remover(ccd, table)  # doctest: +SKIP
    """

    cleaned: Any
    photometry: QTable
    sources: Any
    holes: np.ndarray
    map_input: Any = field(repr=False)
    drawn: Any = None
    draws: Any = field(default=None, repr=False)
    emission: Any = field(default=None, repr=False)

    def __iter__(self) -> Iterator[Any]:
        yield self.cleaned
        yield self.photometry

    def __repr__(self) -> str:
        ny, nx = self.holes.shape
        return (
            f'<{type(self).__name__}: {len(self.photometry)} sources, '
            f'{nx} x {ny} pixels, {np.count_nonzero(self.holes)} replaced>'
        )

    def summary(self) -> str:
        """
        Say in a few lines what was done, what was found, and which flags there are.

        Flags that warn stand apart from those that only inform
        (`~photutils_pconv.photometry.FlagDefinition`).

        Returns
        -------
        text : str
            The summary.

        Examples
        --------
        >>> print(result.summary())  # doctest: +SKIP
        """
        return summarise(self.photometry, self.holes)

    def _repr_html_(self):
        warning, informing = list_flags(np.asarray(self.photometry['flags']))
        facts = list_facts(self.photometry, self.holes)
        facts |= {'warnings': '; '.join(warning) or 'none'}
        facts |= {'for information': '; '.join(informing)}
        table = self.photometry[:_N_SHOWN]._repr_html_()
        return format_html('Source removal', facts, more=table)

    def draw(self, n: int, seed: int | np.random.Generator = 0) -> Iterator[Any]:
        """
        Draw cleaned maps, whose spread is the error of the reconstruction.

        What the map less its sources does not determine is drawn at random, given
        what was observed around and under each source. A
        statistic of the emission, such as a power spectrum, has the mean of
        its values in many such maps as an estimate, and their scatter as its
        error.

        Parameters
        ----------
        n : int
            The number of maps.

        seed : int or `numpy.random.Generator`, optional
            The seed.

        Yields
        ------
        cleaned : object
            A map of the class of the input. Its first draw is that of
            ``fill='draw'`` with the same seed.

        Raises
        ------
        TypeError, ValueError
            If ``n`` is no positive number, the seed is none, or no empty
            holes were measured.
        """
        if isinstance(n, bool) or not isinstance(n, Integral):
            msg = f'n must be an integer, got {n!r}'
            raise TypeError(msg)
        if n < 1:
            msg = f'n must be at least 1, got {n}'
            raise ValueError(msg)
        check_seed(seed, 'seed')
        if self.draws is None:
            msg = (
                "draws follow from empty holes, which error_method='card' and "
                "'local' do not measure: use error_method='empty_apertures' or "
                "fill='draw'"
            )
            raise ValueError(msg)
        return self._draw(n, self.draws.model, np.random.default_rng(seed))

    def _draw(self, n, model, rng):
        known = as_array(self.cleaned)
        if self.drawn is not None:
            known = known - self.drawn
        error = getattr(self.cleaned, 'uncertainty', None)
        for _ in range(n):
            yield self._like_cleaned(known + model.draw(rng), error)

    def _like_cleaned(self, values, uncertainty):
        other = self.map_input.like_input(values)
        if uncertainty is not None:
            other.uncertainty = deepcopy(uncertainty)
        return other

    @lazyproperty
    def background_rms(self) -> np.ndarray | u.Quantity:
        """
        The local scatter of the cleaned map (2D array or Quantity).

        Photutils' `~photutils.background.Background2D` on the cleaned
        map, in boxes of 48 pixels; NaN where pixels are missing. It is
        computed at the first use, and kept.
        """
        from photutils.background import Background2D

        data = as_array(self.cleaned)
        missing = self.map_input.missing
        box = tuple(min(48, n) for n in data.shape)
        rms = Background2D(
            np.where(missing, 0.0, data),
            box,
            mask=missing,
            exclude_percentile=90.0,
        ).background_rms.astype(float)
        rms[missing] = np.nan
        unit = self.map_input.unit
        return rms if unit is None else rms << unit

    @property
    def reconstruction(self) -> np.ndarray:
        """
        The map with the reconstructed emission in all holes (2D `~numpy.ndarray`).

        It is the estimate of the emission behind the sources, without noise, whatever
        ``fill`` was; in the unit of the map.
        """
        values = np.array(as_array(self.cleaned), dtype=float)
        if self.emission is not None:
            values[self.holes] = self.emission
        return values

    def plot(
        self,
        *,
        sources: Sequence[int] | None = None,
        zoom: int | tuple[int, int, int, int] | None = None,
        axes: Any = None,
        **kwargs: Any,
    ) -> Figure:
        """
        Plot the map before and after, the removed sources, and what is left of them.

        Parameters
        ----------
        sources : sequence of int, optional
            The ids of the sources whose holes are drawn; by default all.

        zoom : int or tuple of 4 int, optional
            The part of the map to show: around the source of that id, or between
            the pixels (x_min, x_max, y_min, y_max). By default all of it.

        axes : sequence of 3 or 4 `~matplotlib.axes.Axes`, optional
            Where to plot; by default a new figure with the map's coordinates.
            Without the fourth, the residual is not shown.

        **kwargs
            Keyword arguments of `~matplotlib.axes.Axes.imshow`.

        Returns
        -------
        figure : `~matplotlib.figure.Figure`
            The figure.

        Raises
        ------
        ValueError
            If there are not three or four axes, or no source has that id.

        Notes
        -----
        The map and the cleaned map share one stretch, an inverse hyperbolic sine
        with limits from the cleaned map. The residual is the cleaned map less
        itself, smoothed with a Gaussian of half a hole's radius: a source that was
        not taken off right stands out in it.
        """
        from photutils_pconv.removal.plots import plot_removal

        return plot_removal(self, sources=sources, zoom=zoom, axes=axes, **kwargs)

    def plot_source(self, source_id: int, *, axes: Any = None, **kwargs: Any) -> Figure:
        """
        Plot a source before, the emission behind it, after, and radial profiles.

        Parameters
        ----------
        source_id : int
            The source's ``id`` in the photometry.

        axes : sequence of 4 `~matplotlib.axes.Axes`, optional
            Where to plot; by default a new figure.

        **kwargs
            Keyword arguments of `~matplotlib.axes.Axes.imshow`.

        Returns
        -------
        figure : `~matplotlib.figure.Figure`
            The figure.

        Raises
        ------
        ValueError
            If no source has that id, or it has no hole on the map.
        """
        from photutils_pconv.removal.plots import plot_source

        return plot_source(self, source_id, axes=axes, **kwargs)

    def to_regions(self) -> Regions:
        """
        Give the holes as regions, for DS9 and the package regions.

        Returns
        -------
        regions : `~regions.Regions`
            A circle for each source on the map, with its hole's radius, on the
            sky (ICRS) where the map has a WCS and else on pixels. Its label is
            the source's ``id``.

        Raises
        ------
        ImportError
            If the package regions is missing.
        """
        return make_hole_regions(self.photometry, self.map_input.pixel_scale)

    def write(
        self,
        directory: str | os.PathLike,
        *,
        overwrite: bool = False,
        figures: Mapping[str, Any] | None = None,
        table_formats: str | Sequence[str] = 'ecsv',
        regions: bool = False,
    ) -> tuple[Path, ...]:
        """
        Write the cleaned map, the removed sources and the photometry.

        ``cleaned.fits`` holds the cleaned map and the extensions
        ``SOURCES`` (map minus cleaned) and ``HOLES`` (1 = replaced), and
        where there is something for them, ``MASK`` (1 = missing) and
        ``UNCERT``, as `~astropy.nddata.CCDData` reads them;
        ``photometry.ecsv`` holds the table, in other formats too where asked
        for, with descriptions, units and UCDs.

        Each file is written whole or not at all, and an error leaves the
        older ones as they were. A process that is killed while it renames
        them leaves the files of one removal: the older ones or the new ones,
        of which all but the map may be missing.

        Parameters
        ----------
        directory : str or path-like
            The folder; it is made if need be.

        overwrite : bool, optional
            Whether to replace existing files.

        figures : dict of `~matplotlib.figure.Figure`, optional
            Figures to write with them, by the names of their files.

        table_formats : str or sequence of str, optional
            The formats of the table: ``'ecsv'``, ``'fits'``
            (``photometry.fits``) and ``'votable'`` (``photometry.vot``).

        regions : bool, optional
            Whether to write the holes as regions of DS9, ``holes.reg``.

        Returns
        -------
        paths : tuple of `pathlib.Path`
            The files.

        Raises
        ------
        FileExistsError
            If a file exists and ``overwrite`` is False; nothing is
            written then.

        OSError
            If a file cannot be written.

        TypeError, ValueError
            If a format is not known.

        ImportError
            If ``regions`` is asked for and the package regions is missing.
        """
        return write_result(
            self,
            directory,
            overwrite=overwrite,
            figures=figures,
            table_formats=table_formats,
            regions=regions,
        )
