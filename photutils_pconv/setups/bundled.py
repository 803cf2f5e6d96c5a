# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The setups that come with the package: those of PACS, with the paper's numbers, and
those of other instruments, which follow from their beams.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import astropy.units as u
import numpy as np

from photutils_pconv._psf_models.shapes import airy_psf, gaussian_psf, gaussians_psf
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['BundledSetup', 'bundled_setups']

_DATA = Path(__file__).resolve().parents[1] / 'data'


@dataclass(frozen=True, kw_only=True, eq=False)
class BundledSetup:
    """
    A setup that comes with the package, before it is made.

    Parameters
    ----------
    name, instrument, mode, band : str
        As for `ObservingSetup`.

    wavelength : `~astropy.units.Quantity`
        The band's wavelength.

    psf : str
        What its PSF is, in a few words.

    references : str
        Where its numbers come from.

    make : callable
        What makes it, and keeps it.
    """

    name: str
    instrument: str
    mode: str
    band: str
    wavelength: u.Quantity
    psf: str
    references: str
    make: Callable


@cache
def bundled_setups():
    """
    Describe the setups that come with the package.

    Returns
    -------
    setups : dict of `BundledSetup`
        Each by its name. None is made yet: their PSFs take a while.
    """
    setups = {}
    for values in _read('pacs.json'):
        setups[values['name']] = BundledSetup(
            **{key: values[key] for key in ('name', 'mode', 'band')},
            instrument='PACS',
            wavelength=values['wavelength_um'] * u.um,
            psf='physical model, fitted to PACS',
            references='the paper; PICC-ME-TN-033',
            make=cache(partial(_make_pacs, values)),
        )
    for values in _read('beams.json'):
        keys = ('name', 'instrument', 'mode', 'band')
        setups[values['name']] = BundledSetup(
            **{key: values[key] for key in keys},
            wavelength=values['wavelength_um'] * u.um,
            psf=_SHAPES[values['psf']['shape']],
            references=_describe_references(values),
            make=cache(partial(_make_by_beam, values)),
        )
    return setups


def _read(name):
    path = _DATA / 'setups' / name
    return json.loads(path.read_text(encoding='utf-8'))['setups']


def _describe_references(values):
    """Say where the numbers of a beam come from, and which were not confirmed."""
    if not values['unconfirmed']:
        return values['references']
    names = ', '.join(_NAMES[name] for name in values['unconfirmed'])
    return f'{values["references"]}. Not found in a second document: {names}'


def _make_pacs(values):
    """Make one of the six setups of PACS."""
    values = dict(values)
    # the tabulated axes are those of one scan; scans in two directions
    # and the radii of Table 3 ask for the round beam of equal area
    minor, major = values.pop('psf_fwhm_axes_arcsec')
    values['psf_fwhm_arcsec'] = float(np.sqrt(minor * major))
    values['instrument'] = 'PACS'
    values['psf'] = _DATA / 'psf' / f'{values["mode"]}_{values["band"]}.fits'
    return ObservingSetup.from_dict(values)


# What the numbers of beams are called where they come from.
_NAMES = {
    'fwhm_arcsec': 'FWHM',
    'pixel_scale_arcsec': 'pixels',
    'diameter_m': 'diameter of the telescope',
    'obscuration': 'its obscuration',
}
#: What the shapes of beams are called in lists.
_SHAPES = {
    'airy': 'Airy pattern, smoothed to the FWHM',
    'gaussians': 'two Gaussians',
    'gaussian': 'Gaussian',
}


def _make_by_beam(values):
    """Make a setup that follows from its beam."""
    return ObservingSetup.from_psf(
        _make_psf(values['psf'], values['wavelength_um']),
        pixel_scale=values['pixel_scale_arcsec'],
        wavelength=values['wavelength_um'],
        **{key: values[key] for key in ('name', 'mode', 'band', 'instrument')},
    )


def _make_psf(beam, wavelength):
    """Make the PSF that a beam is described by."""
    if beam['shape'] == 'airy':
        return airy_psf(
            wavelength,
            beam['diameter_m'],
            obscuration=beam['obscuration'],
            fwhm=beam['fwhm_arcsec'],
        )
    if beam['shape'] == 'gaussians':
        return gaussians_psf(beam['fwhm_arcsec'], beam['amplitude'])
    return gaussian_psf(beam['fwhm_arcsec'])
