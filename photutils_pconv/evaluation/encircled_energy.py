# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The encircled energy of the PSF that was injected, as photometry sees it.
"""

from functools import cache

import astropy.units as u
import numpy as np
from photutils.aperture import CircularAperture

from photutils_pconv._psf_models.measures import measure_fwhm
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.beam_rules import size_ratio

__all__ = ['measure_encircled_energy']

# The radii of the table of encircled energies (arcsec): aperture and hole radii
# lie within. Beyond the beams of PACS they go with the FWHM.
_EEF_RADII = np.arange(1.0, 50.1, 0.5)
# Positions spread evenly over a pixel, along both axes.
_OFFSETS = ((-0.375, 0.125), (-0.125, -0.375), (0.125, 0.375), (0.375, -0.125))


def measure_encircled_energy(psf, pixel_scale):
    """
    Measure a PSF's encircled energy as photometry sees it: in pixels.

    Pixels widen the PSF: with 3.2 arcsec, an aperture of 6 arcsec holds
    some percent less than the PSF's own encircled energy. Simulations
    are corrected with this table, so that no error of a table is in
    their figures.

    Parameters
    ----------
    psf : setup, str, path, array or PSF
        The PSF, as `~photutils_pconv.psf.get_psf` takes it.

    pixel_scale : float or `~astropy.units.Quantity`
        The pixel's side (arcsec).

    Returns
    -------
    radii, eef : 1D `~numpy.ndarray`
        The radii (arcsec) and the fractions, the mean over positions
        within a pixel.
    """
    scale = u.Quantity(pixel_scale, u.arcsec).value
    return _measure_eef(get_psf(psf), float(scale))


@cache
def _measure_eef(psf, scale):
    ratio = size_ratio(measure_fwhm(psf))
    table = _EEF_RADII * ratio
    side = 2 * int(np.ceil((table[-1] + 2.0 * ratio) / scale)) + 1
    middle = side // 2
    fractions = []
    for dx, dy in _OFFSETS:
        x, y = middle + dx, middle + dy
        stamp = psf.render(
            (side, side), x, y, pixel_scale=scale, angle=7.0 * dx + dy, oversampling=7
        )
        fractions.append(
            [
                CircularAperture((x, y), radius).do_photometry(stamp)[0][0]
                for radius in table / scale
            ]
        )
    # Splines may fall by a rounding error where there is nothing.
    return table, np.maximum.accumulate(np.mean(fractions, axis=0))
