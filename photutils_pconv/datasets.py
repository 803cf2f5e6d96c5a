# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The bundled demo map.

It is a simulated PACS 100 micron scan map (setup ``scanmap/green``) of
filamentary emission with sources of known flux, made by
``tools/make_demo_map.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.nddata import CCDData
from astropy.table import QTable

from photutils_pconv.inputs.fits import read_fits_map, read_fits_plane
from photutils_pconv.psf.lobed import LobedPSF

__all__ = [
    'demo_aperture_corrections',
    'demo_path',
    'load_demo',
    'load_demo_emission',
]


def __dir__():
    return sorted(__all__)


_FOLDER = Path(__file__).parent / 'data' / 'demo'
_SOURCES = _FOLDER / 'demo_sources.ecsv'

# The table of encircled energies (by choice): its step, in arcsec, and length.
_RADIUS_STEP, _N_RADII = 0.5, 200


def demo_path() -> Path:
    """
    Return the path of the demo map.

    Returns
    -------
    path : `~pathlib.Path`
        A FITS file in the form of a product of the Herschel Science
        Archive, with the extensions ``image``, ``coverage`` and
        ``emission``. Beside it stands the table of its sources,
        ``demo_sources.ecsv``.
    """
    return _FOLDER / 'demo.fits.gz'


def load_demo() -> tuple[CCDData, QTable]:
    """
    Load the demo map and the sources that were injected into it.

    Returns
    -------
    ccd : `~astropy.nddata.CCDData`
        The map, 320 x 320 pixels of 1.6 arcsec in Jy/pixel, with its WCS
        and a mask of the pixels without coverage.

    truth : `~astropy.table.QTable`
        A row per source: ``ra``, ``dec`` (deg), ``flux`` (mJy), and the
        pixel position ``x``, ``y``, 0-based.

    See Also
    --------
    demo_aperture_corrections : The encircled energy of these sources.
    """
    ccd = read_fits_map(demo_path())
    ccd.data = _native(ccd.data)
    return ccd, QTable.read(_SOURCES, format='ascii.ecsv')


def load_demo_emission() -> CCDData:
    """
    Load the extended emission of the demo map.

    Returns
    -------
    ccd : `~astropy.nddata.CCDData`
        The emission behind the sources, without noise, in Jy/pixel. It
        is known everywhere and has no mask.
    """
    emission = read_fits_plane(demo_path(), 'emission')
    wcs = read_fits_map(demo_path()).wcs
    return CCDData(_native(emission.value), unit=emission.unit, wcs=wcs)


def demo_aperture_corrections() -> QTable:
    """
    Return the encircled energy of the demo map's sources.

    They were injected with an analytic PSF that is close to the ``real``
    table of the setup ``scanmap/green``, but not equal to it: for an
    unbiased comparison with the injected fluxes, give this table as
    ``aperture_corrections``.

    Returns
    -------
    radii : `~numpy.ndarray`
        The radii, 0.5 to 100 arcsec.

    eef : `~numpy.ndarray`
        The encircled-energy fraction within them.
    """
    table = QTable.read(_SOURCES, format='ascii.ecsv')
    psf = LobedPSF(**{name: tuple(v) for name, v in table.meta['psf'].items()})
    radii = _RADIUS_STEP * np.arange(1, _N_RADII + 1)
    return radii, psf.encircled_energy(radii)


def _native(values):
    """
    Give values in the machine's byte order.
    """
    # FITS is big-endian, which torch and others refuse.
    return values.astype(values.dtype.newbyteorder('='))
