# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Whole simulated maps: emission, coverage, noise, and confusion.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.nddata import CCDData
from astropy.wcs import WCS

from photutils_pconv._utils.checks import to_float, to_quantity
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation._checks import as_number, as_shape, check_rng, is_row
from photutils_pconv.simulation.emission_kinds import simulate_emission
from photutils_pconv.simulation.noise import (
    confusion_field,
    coverage_map,
    coverage_noise,
)

__all__ = ['SimulatedField', 'simulate_field']

# In Jy/pixel: float32 must hold it, with room for many sigmas; by choice.
_LARGEST_NOISE = 1.0e30


@dataclass(frozen=True, eq=False)
class SimulatedField:
    """
    A simulated map without compact sources, and what is behind it.

    Parameters
    ----------
    image : `~astropy.nddata.CCDData`
        The map in Jy/pixel with its WCS; pixels without coverage are NaN
        and masked.

    emission : 2D `~numpy.ndarray`
        The extended emission alone, in Jy/pixel, known everywhere.

    coverage : 2D `~numpy.ndarray`
        The coverage, as a share of the highest.
    """

    image: CCDData
    emission: np.ndarray
    coverage: np.ndarray


def simulate_field(
    setup,
    *,
    rng,
    shape=(512, 512),
    kinds=None,
    config=None,
    emission=1.5e-3,
    noise=2.0e-4,
    faintest=10.0,
    confusion=5.0,
    center=(83.82, -5.39),
):
    """
    Simulate a map without compact sources.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup` or str
        The setup or its name, whose pixel scale, beam and PSF are taken.

    rng : `numpy.random.Generator`
        The source of randomness.

    shape : tuple of int, optional
        The shape (ny, nx).

    kinds, config : optional
        See `~photutils_pconv.simulation.simulate_emission`.

    emission : float, optional
        The robust standard deviation of the emission, in Jy/pixel.

    noise : float, optional
        The standard deviation of the noise where the coverage is
        highest, in Jy/pixel.

    faintest : float or `~astropy.units.Quantity`, optional
        The flux of the faintest source that will be injected, in mJy:
        what is fainter, down to a hundredth, makes the confusion.

    confusion : float, optional
        The number of those fainter sources per square arcmin; 0 for
        none.

    center : pair of float, optional
        The position of the map's centre (ra, dec), in degrees.

    Returns
    -------
    field : `SimulatedField`
        The map, the emission and the coverage.

    Raises
    ------
    TypeError, ValueError
        If a number is not positive, the shape is not that of a map, or
        another argument is not accepted.
    """
    check_rng(rng)
    setup = get_setup(setup=setup)
    shape = as_shape(shape)
    center = _to_position(center)
    confusion = as_number(confusion, 'confusion', low=0)
    emission = to_float(emission, 'emission')
    noise = as_number(noise, 'noise', above=0, high=_LARGEST_NOISE)
    faintest = to_quantity(faintest, u.mJy, 'faintest').to_value(u.Jy)
    scale = setup.pixel_scale.to_value(u.arcsec)
    beam = setup.psf_fwhm.to_value(u.arcsec) / scale

    field = simulate_emission(
        shape, beam_fwhm=beam, rng=rng, kinds=kinds, config=config
    )
    field = emission * field.astype(float)
    coverage = coverage_map(shape)
    image = field + coverage_noise(coverage, level=noise, rng=rng)
    if confusion != 0:
        image += confusion_field(
            shape,
            psf=get_psf(setup),
            pixel_scale=scale,
            density=confusion,
            flux_max=faintest,
            rng=rng,
        )
    meta = {'OBJECT': 'simulated', 'SETUP': setup.name}
    if setup.wavelength is not None:
        meta['WAVELNTH'] = float(setup.wavelength.to_value(u.um))
    image = CCDData(
        image,
        unit=u.Jy / u.pix,
        wcs=_make_wcs(shape, scale, center),
        mask=~(coverage > 0),
        meta=meta,
    )
    return SimulatedField(image=image, emission=field, coverage=coverage)


def _to_position(center):
    if not is_row(center, 2):
        msg = f'center must be a pair (ra, dec), in degrees, got {center!r}.'
        raise TypeError(msg)
    ra = as_number(center[0], 'the ra of center', low=-360, high=360)
    return ra, as_number(center[1], 'the dec of center', low=-90, high=90)


def _make_wcs(shape, scale, center):
    """
    Make a TAN WCS with north up, for a scale in arcsec.
    """
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ['RA---TAN', 'DEC--TAN']
    wcs.wcs.cunit = ['deg', 'deg']
    wcs.wcs.crval = center
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
    wcs.wcs.radesys = 'ICRS'
    wcs.wcs.set()
    return wcs
