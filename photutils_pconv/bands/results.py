# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a removal from several bands gives back.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.repr import format_html
from photutils_pconv._utils.writing import check_output, write_atomically
from photutils_pconv.bands.resolution import BandMap, match_resolution
from photutils_pconv.inputs.values import as_array
from photutils_pconv.psf.library import parse_psf

__all__ = ['BandsResult']

# The number of rows that a notebook shows (by choice).
_N_SHOWN = 10


@dataclass(frozen=True, eq=False, repr=False)
class BandsResult:
    """
    The result of a removal from several bands; unpacks into maps and photometry.

    Parameters
    ----------
    photometry : `~astropy.table.QTable`
        A row per source, in the order of the input: ``id``, ``sky_center`` and, where
        positions are tied to one band, ``sky_tied``; then every column of each band,
        with the band's name as a suffix (``flux_blue``, ``flux_err_blue``,
        ``flags_blue``).

    results : dict of `~photutils_pconv.SourceRemovalResult`
        The result of each band.

    setups : dict of `~photutils_pconv.ObservingSetup`
        The setup of each band.

    psfs : dict
        The PSF of each band, `None` where none is known or it was built from the map.

    Examples
    --------
    >>> cleaned, photometry = result  # doctest: +SKIP
    >>> cleaned['red']  # doctest: +SKIP
    """

    photometry: QTable
    results: dict
    setups: dict
    psfs: dict

    def __iter__(self):
        yield self.cleaned
        yield self.photometry

    def __repr__(self):
        return (
            f'<{type(self).__name__}: {len(self.photometry)} sources in '
            f'{", ".join(self.results)}>'
        )

    def summary(self):
        """
        Say in a few lines what was done and found in each band.

        Returns
        -------
        text : str
            The bands' own summaries (`SourceRemovalResult.summary
            <photutils_pconv.SourceRemovalResult.summary>`), one after another.
        """
        return '\n\n'.join(
            f'{band}:\n{result.summary()}' for band, result in self.results.items()
        )

    def _repr_html_(self):
        facts = {
            band: f'{self.setups[band].name}, {len(result.photometry)} sources'
            for band, result in self.results.items()
        }
        names = ['flux', 'flux_err', 'flags']
        names = [f'{name}_{band}' for band in self.bands for name in names]
        names = ['id', 'sky_center', *names]
        table = self.photometry[names][:_N_SHOWN]._repr_html_()
        return format_html('Source removal from bands', facts, more=table)

    @property
    def bands(self):
        """
        The names of the bands (tuple of str).
        """
        return tuple(self.results)

    @property
    def cleaned(self):
        """
        The cleaned map of each band (dict), of the class of the input.
        """
        return {band: result.cleaned for band, result in self.results.items()}

    def plot_sed(self, source_ids=None, *, ax=None, **kwargs):
        """
        Plot the fluxes of sources by wavelength.

        Sources that a band does not detect have their upper limit there, an open
        triangle.

        Parameters
        ----------
        source_ids : int or sequence of int, optional
            The ``id`` of the sources; by default all.

        ax : `~matplotlib.axes.Axes`, optional
            Where to plot; by default a new figure.

        **kwargs
            Keyword arguments of `~matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        ax : `~matplotlib.axes.Axes`
            The axes.

        Raises
        ------
        ValueError
            If no source has an id, or the wavelength of a band is not known.
        """
        from photutils_pconv.bands.plots import plot_sed

        return plot_sed(self.photometry, self.setups, source_ids, ax=ax, **kwargs)

    def match_resolution(self, *, target=None, grid=None):
        """
        Bring the cleaned maps to one resolution and onto one grid.

        Each map is convolved with the kernel that turns its PSF into that of the
        target (`photutils.psf_matching.make_wiener_kernel`), and is interpolated on
        the grid by cubic splines. PSFs are averaged over all angles; a band without
        one has its setup's.

        Parameters
        ----------
        target : str, optional
            The band whose resolution all maps get (default: the coarsest).

        grid : str, optional
            The band whose grid all maps get (default: ``target``).

        Returns
        -------
        matched : dict of `~astropy.nddata.CCDData`
            The maps, in MJy/sr, or, for maps without unit, in their values per pixel
            of the grid. They have no uncertainty: the convolution makes the errors of
            neighbouring pixels one.

        Raises
        ------
        ValueError
            If ``target`` or ``grid`` is no band, a map is coarser than the target,
            or has another grid and no WCS.
        """
        maps = {}
        for band, result in self.results.items():
            map_input, setup = result.map_input, self.setups[band]
            scale = map_input.pixel_scale
            scale = setup.pixel_scale if scale is None else scale
            psf = self.psfs[band]
            maps[band] = BandMap(
                map_input=map_input,
                data=np.asarray(as_array(result.cleaned), dtype=float),
                psf=parse_psf('setup', setup) if psf is None else psf,
                pixel_scale=scale.to_value(u.arcsec),
            )
        return match_resolution(maps, target=target, grid=grid)

    def write(self, directory, *, overwrite=False, matched=None):
        """
        Write the photometry of all bands, and each band's own result.

        Parameters
        ----------
        directory : str or path-like
            The folder; it is made if need be. It gets ``photometry.ecsv``, and a
            folder for each band (a slash in its name becomes an underscore) with
            what `~photutils_pconv.SourceRemovalResult.write` writes.

        overwrite : bool, optional
            Whether to replace existing files.

        matched : dict of `~astropy.nddata.CCDData`, optional
            What `match_resolution` gave: written as ``matched.fits`` beside each
            band's other files.

        Returns
        -------
        paths : tuple of `pathlib.Path`
            The files.

        Raises
        ------
        FileExistsError
            If a file exists and ``overwrite`` is False; nothing is written then.

        OSError
            If a file cannot be written.
        """
        overwrite = to_bool(overwrite, 'overwrite')
        directory = Path(directory)
        names = name_files(self.bands, matched=matched is not None)
        check_output([directory / name for name in names], overwrite=overwrite)
        directory.mkdir(parents=True, exist_ok=True)
        paths = []
        for band, result in self.results.items():
            folder = directory / _name_folder(band)
            paths += result.write(folder, overwrite=overwrite)
            if matched is not None:
                path = folder / 'matched.fits'
                write_atomically(path, matched[band].write)
                paths.append(path)
        path = directory / 'photometry.ecsv'
        write_atomically(path, partial(self.photometry.write, format='ascii.ecsv'))
        return (path, *paths)


def name_files(bands, *, matched):
    """
    Name the files of a result.

    Parameters
    ----------
    bands : iterable of str
        The bands.

    matched : bool
        Whether there are maps of one resolution.

    Returns
    -------
    names : list of str
        The files, relative to their folder.
    """
    names = ['cleaned.fits', 'photometry.ecsv', *(['matched.fits'] if matched else [])]
    inner = [f'{_name_folder(band)}/{name}' for band in bands for name in names]
    return ['photometry.ecsv', *inner]


def _name_folder(band):
    """Name the folder of a band."""
    return band.replace('/', '_')
