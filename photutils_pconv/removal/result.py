# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a source removal gives back: the cleaned map and the photometry.
"""

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.nddata import NDData
from astropy.table import QTable
from astropy.utils import lazyproperty
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv._utils.writing import refuse_existing, write_atomically
from photutils_pconv.inputs.values import UNCERTAINTY_POWERS

__all__ = ['SourceRemovalResult', 'make_photometry_table']

# Keywords that belong to the file that a map came from, not to the map.
_STRUCTURAL = re.compile(
    'SIMPLE|XTENSION|BITPIX|NAXIS[0-9]*|EXTEND|PCOUNT|GCOUNT|GROUPS|INHERIT|'
    'EXTNAME|EXTVER|EXTLEVEL|BSCALE|BZERO|BLANK|CHECKSUM|DATASUM'
)
# A WCS is written with the matrix PCi_j; another one would contradict it.
_MATRIX = re.compile('CD[0-9]_[0-9]|PC[0-9]_[0-9]|CROTA[0-9]')


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
        unit_text = '' if unit is None else unit.to_string()
        hdus = fits.HDUList([make_map_hdu(self.cleaned, header, unit_text)])
        images = {'SOURCES': as_array(self.sources), 'HOLES': self.holes}
        if self.map_input.missing.any():
            images['MASK'] = self.map_input.missing
        uncertainty = getattr(self.cleaned, 'uncertainty', None)
        if uncertainty is not None:
            images['UNCERT'] = _uncertainty_array(uncertainty, unit)
        for name, image in images.items():
            if image.dtype == bool:
                image = image.astype(np.uint8)
            hdus.append(fits.ImageHDU(image, header, name=name))
        if unit_text:
            hdus['SOURCES'].header['BUNIT'] = unit_text
        if uncertainty is not None:
            hdus['UNCERT'].header['UTYPE'] = type(uncertainty).__name__
        return hdus


def make_wcs_header(wcs):
    """
    Put a WCS into a FITS header, as far as FITS has words for it.

    Parameters
    ----------
    wcs : WCS or `None`
        The celestial WCS.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        The header, empty with a warning if the WCS cannot be written.
    """
    if wcs is None:
        return fits.Header()
    if not hasattr(wcs, 'to_header'):
        msg = (
            f'the WCS, a {type(wcs).__name__}, cannot be written into a FITS header: '
            'the file has none'
        )
        warnings.warn(msg, AstropyUserWarning, stacklevel=4)
        return fits.Header()
    return wcs.to_header(relax=True)


def _uncertainty_array(uncertainty, unit):
    """
    Take the values of an uncertainty, in the unit that fits the map's.
    """
    array = np.asarray(uncertainty.array)
    if uncertainty.unit is None or unit is None:
        return array
    power = UNCERTAINTY_POWERS[type(uncertainty)]
    return array * array.dtype.type(uncertainty.unit.to(unit**power))


def make_map_hdu(image, header, unit_text):
    """
    Make a primary HDU of a map: data, WCS, unit and what of its meta fits.

    Parameters
    ----------
    image : object
        The map, of any accepted class.

    header : `~astropy.io.fits.Header`
        Its WCS (see `make_wcs_header`).

    unit_text : str
        Its unit; empty for none.

    Returns
    -------
    primary : `~astropy.io.fits.PrimaryHDU`
        The HDU.
    """
    primary = fits.PrimaryHDU(as_array(image), header)
    if unit_text:
        primary.header['BUNIT'] = unit_text
    for card in _to_header(getattr(image, 'meta', None) or {}).cards:
        keyword = card.keyword
        if _STRUCTURAL.fullmatch(keyword) or (header and _MATRIX.fullmatch(keyword)):
            continue
        if keyword == 'HISTORY':
            primary.header.add_history(str(card.value))
        elif keyword == 'COMMENT':
            primary.header.add_comment(str(card.value))
        elif keyword and keyword not in primary.header:
            primary.header.append(card)
    return primary


def _to_header(meta):
    """
    Put what of the metadata fits into a FITS header.
    """
    if isinstance(meta, fits.Header):
        return meta
    header = fits.Header()
    for key, value in meta.items():
        key = str(key).upper()
        if key in ('HISTORY', 'COMMENT'):
            for line in value if isinstance(value, list | tuple) else [value]:
                text = ' '.join(str(line).split())
                header[key] = text.encode('ascii', 'replace').decode()
        elif re.fullmatch('[A-Z0-9_-]{1,8}', key) and np.isscalar(value):
            try:
                header[key] = value
            except ValueError:
                # Such as NaN or a letter that FITS does not know.
                continue
    return header


def as_array(image):
    """
    Take the bare array out of a map of any class.

    Parameters
    ----------
    image : NDData, Quantity, masked array or `~numpy.ndarray`
        The map.

    Returns
    -------
    array : 2D `~numpy.ndarray`
        Its values.
    """
    if isinstance(image, NDData):
        image = image.data
    if isinstance(image, u.Quantity):
        image = image.value
    image = getattr(image, 'unmasked', image)
    return np.ma.getdata(np.asanyarray(image)).view(np.ndarray)


def make_photometry_table(sources, measured, *, snr, hole_radius, flux_unit, unit):
    """
    Put the measurements into a table.

    Parameters
    ----------
    sources : `~photutils_pconv.inputs.SourceInput`
        The positions.

    measured : dict of `~numpy.ndarray`
        The results of `~photutils_pconv.photometry.source_photometry`,
        fluxes already in ``flux_unit``, flags complete; and where there
        is PSF photometry, ``flux_psf``, ``flux_psf_err``, ``qfit``,
        ``cfit``, and if known ``x_fit``, ``y_fit`` and ``inner_radius``.

    snr, hole_radius : 1D `~numpy.ndarray`
        The SNR (Eq. 1) and the radius of the hole in the map's pixels.

    flux_unit, unit : `~astropy.units.Unit` or `None`
        The units of fluxes and of the map.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row a source, in the order of the input.
    """
    table = QTable()
    table['id'] = np.arange(1, len(sources) + 1)
    table['x_center'] = sources.x
    table['y_center'] = sources.y
    if sources.sky is not None:
        table['sky_center'] = sources.sky
    table['snr'] = snr
    table['hole_radius'] = hole_radius
    if 'inner_radius' in measured:
        table['inner_radius'] = measured['inner_radius']
    n_apertures = measured['flux'].shape[1]
    for name in ('flux', 'flux_err', 'flux_annulus'):
        for k in range(n_apertures):
            suffix = '' if n_apertures == 1 else f'_{k}'
            table[name + suffix] = _with_unit(measured[name][:, k], flux_unit)
    for name in ('flux_psf', 'flux_psf_err'):
        if name in measured:
            table[name] = _with_unit(measured[name], flux_unit)
    for name in ('x_fit', 'y_fit', 'qfit', 'cfit'):
        if name in measured:
            table[name] = measured[name]
    table['local_bkg'] = _with_unit(measured['local_bkg'], unit)
    for k in range(n_apertures):
        suffix = '' if n_apertures == 1 else f'_{k}'
        table['aperture_correction' + suffix] = measured['aperture_correction'][:, k]
    table['flags'] = measured['flags']
    return table


def _with_unit(values, unit):
    return values if unit is None else u.Quantity(values, unit)
