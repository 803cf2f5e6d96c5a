# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a source removal gives back: the cleaned map and the photometry.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import QTable
from astropy.utils import lazyproperty

from photutils_pconv._utils.writing import refuse_existing, write_atomically
from photutils_pconv.inputs.headers import (
    make_map_hdu,
    make_mask_hdu,
    scale_values,
)
from photutils_pconv.inputs.unit_texts import format_unit
from photutils_pconv.inputs.values import as_array, uncertainty_kind, uncertainty_power
from photutils_pconv.inputs.wcs_headers import make_wcs_header, make_wcs_tables

__all__ = [
    'SourceRemovalResult',
]


@dataclass(eq=False, repr=False)
class SourceRemovalResult:
    """
    The result of a source removal; unpacks into map and photometry.

    Parameters
    ----------
    cleaned : object
        The map with its sources replaced by the extended emission, of
        the class, unit, WCS, mask and metadata of the input.

    photometry : `~astropy.table.QTable`
        A row a source, in the order of the input.

    sources : object
        The map minus the cleaned map, of the class of the input; 0
        outside `holes`.

    holes : 2D bool `~numpy.ndarray`
        The pixels that were replaced, taper included.

    map_input : `~photutils_pconv.inputs.MapInput`
        The map as it was parsed.

    texture : 2D `~numpy.ndarray` or `None`
        The realisation of noise and texture that the cleaned map
        contains, in its unit, where it was asked for; `sources` does not
        contain it.

    Examples
    --------
    >>> cleaned, photometry = remover(ccd, table)  # doctest: +SKIP
    """

    cleaned: Any
    photometry: QTable
    sources: Any
    holes: np.ndarray
    map_input: Any = field(repr=False)
    texture: Any = None

    def __iter__(self):
        yield self.cleaned
        yield self.photometry

    def __repr__(self):
        ny, nx = self.holes.shape
        return (
            f'<{type(self).__name__}: {len(self.photometry)} sources, '
            f'{nx} x {ny} pixels, {np.count_nonzero(self.holes)} replaced>'
        )

    @lazyproperty
    def background_rms(self):
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

    def plot(self, *, axes=None, **kwargs):
        """
        Plot the map before, after, and the removed sources side by side.

        Parameters
        ----------
        axes : sequence of 3 `~matplotlib.axes.Axes`, optional
            Where to plot; by default a new figure.

        **kwargs
            Keyword arguments of `~matplotlib.axes.Axes.imshow`.

        Returns
        -------
        figure : `~matplotlib.figure.Figure`
            The figure.
        """
        from photutils_pconv.removal.plots import plot_removal

        return plot_removal(self, axes=axes, **kwargs)

    def write(self, directory, *, overwrite=False):
        """
        Write the cleaned map, the removed sources and the photometry.

        ``cleaned.fits`` holds the cleaned map and the extensions
        ``SOURCES`` (map minus cleaned) and ``HOLES`` (1 = replaced), and
        where there is something for them, ``MASK`` (1 = missing) and
        ``UNCERT``, as `~astropy.nddata.CCDData` reads them;
        ``photometry.ecsv`` holds the table. Each file is written whole or
        not at all.

        Parameters
        ----------
        directory : str or path-like
            The folder; it is made if need be.

        overwrite : bool, optional
            Whether to replace existing files.

        Returns
        -------
        paths : tuple of `pathlib.Path`
            The files.

        Raises
        ------
        FileExistsError
            If a file exists and ``overwrite`` is False; nothing is
            written then.
        """
        directory = Path(directory)
        paths = (directory / 'cleaned.fits', directory / 'photometry.ecsv')
        refuse_existing(paths, overwrite=overwrite)
        directory.mkdir(parents=True, exist_ok=True)
        hdus = self._make_hdus()
        write_atomically(paths[0], hdus.writeto)
        write_atomically(
            paths[1],
            lambda path: self.photometry.write(path, format='ascii.ecsv'),
        )
        return paths

    def _make_hdus(self):
        wcs, unit = self.map_input.wcs, self.map_input.unit
        header = make_wcs_header(wcs)
        unit_text, factor = format_unit(unit)
        primary = make_map_hdu(self.cleaned, header, unit_text, factor=factor)
        hdus = fits.HDUList([primary])
        removed = scale_values(as_array(self.sources), factor)
        images = {'SOURCES': removed, 'HOLES': self.holes}
        for name, image in images.items():
            if image.dtype == bool:
                image = image.astype(np.uint8)
            hdus.append(fits.ImageHDU(image, header, name=name))
        if unit_text:
            hdus['SOURCES'].header['BUNIT'] = unit_text
        if self.map_input.missing.any():
            hdus.append(make_mask_hdu(self.map_input.missing, header))
        uncertainty = getattr(self.cleaned, 'uncertainty', None)
        if uncertainty is not None:
            power = uncertainty_power(uncertainty)
            array = _uncertainty_array(uncertainty, unit)
            array = scale_values(array, factor**power)
            hdus.append(fits.ImageHDU(array, header, name='UNCERT'))
            hdus['UNCERT'].header['UTYPE'] = uncertainty_kind(uncertainty).__name__
        hdus.extend(make_wcs_tables(wcs))
        return hdus


def _uncertainty_array(uncertainty, unit):
    """
    Take the values of an uncertainty, in the unit that fits the map's.
    """
    array = np.asarray(uncertainty.array)
    if uncertainty.unit is None or unit is None:
        return array
    power = uncertainty_power(uncertainty)
    return array * array.dtype.type(uncertainty.unit.to(unit**power))
