# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What an aperture's pixels hold of a source, over what its circle holds.

Flux is spread evenly over a pixel that an aperture cuts, though the source is
brighter on one side: the sum depends on where in a pixel the source lies. On
pixels of 3.2 arcsec that is half a percent of the flux, more than the noise
of bright sources. The mean profile of a source determines most of it.

Everything is in pixels.
"""

from functools import lru_cache

import numpy as np

from photutils_pconv._utils.checks import as_radii, check_choice
from photutils_pconv.photometry._aperture_stacks import iterate_apertures

__all__ = ['pixel_response']

# Positions within a pixel over which the mean is taken, along either axis; by
# choice.
_N_PHASES = 8
# Steps of the radial integral, in pixels; by choice.
_STEP = 0.01
# The apertures whose mean is remembered.
_KEPT = 64


def pixel_response(x, y, *, radii, hole_radius, profile, method='exact', subpixels=5):
    """
    Compare the pixels of apertures with circles, for a source in their middle.

    Parameters
    ----------
    x, y : array_like
        The ``N`` pixel positions; where they are not finite the response is
        NaN.
    radii : array_like
        The ``A`` aperture radii.
    hole_radius : float or array_like
        The radius of each source's hole: other pixels are not summed.
    profile : callable
        The mean flux a pixel at a distance from the source, as
        `~photutils_pconv.psf.pixel_profile` makes it.
    method : {'exact', 'center', 'subpixel'}, optional
        The way apertures overlap pixels.
    subpixels : int, optional
        The subpixels a side with ``method='subpixel'``.

    Returns
    -------
    response : `~numpy.ndarray`
        What the pixels hold, (N, A), in units of the mean over all positions
        within a pixel; for an aperture that reaches beyond its hole, of the
        circle with the area of its pixels in the hole (see
        `~photutils_pconv.photometry.encircled_energy_correction`).

    Raises
    ------
    ValueError
        If the radii or the method are not as described.
    """
    x, y = (np.atleast_1d(np.asarray(one, dtype=float)) for one in (x, y))
    radii = as_radii(radii)
    check_choice(method, 'method', ('exact', 'center', 'subpixel'))
    hole_radius = np.broadcast_to(np.asarray(hole_radius, dtype=float), x.shape)
    inside = np.isfinite(x) & np.isfinite(y) & (np.nan_to_num(hole_radius) > 0)
    inside_circle = _integrate(profile, radii.max() + 1.0)
    response = np.full((x.size, radii.size), np.nan)
    for j, radius in enumerate(radii):
        options = ((float(radius),), method, subpixels)
        mean = _average_phases(profile, *options)
        for stack in iterate_apertures(x, y, inside, *options):
            part, beyond = stack.within(hole_radius)
            expected = np.where(beyond, inside_circle(np.sqrt(part.area / np.pi)), mean)
            found = np.sum(part.weights * profile(part.distance), axis=(1, 2))
            known = expected > 0
            response[stack.rows[known], j] = found[known] / expected[known]
    return response


@lru_cache(maxsize=_KEPT)
def _average_phases(profile, radii, method, subpixels):
    """Average what an aperture's pixels hold over all positions within a pixel."""
    phases = (np.arange(_N_PHASES) + 0.5) / _N_PHASES
    x, y = (phase.ravel() for phase in np.meshgrid(phases, phases))
    everywhere = np.ones(x.shape, dtype=bool)
    return np.mean(
        np.concatenate(
            [
                np.sum(stack.weights * profile(stack.distance), axis=(1, 2))
                for stack in iterate_apertures(
                    x, y, everywhere, radii, method, subpixels
                )
            ]
        )
    )


def _integrate(profile, largest):
    """Give the function from a radius to the flux within it."""
    middle = np.arange(_STEP / 2.0, largest, _STEP)
    flux = np.cumsum(profile(middle) * 2.0 * np.pi * middle * _STEP)
    edges = np.append(0.0, middle + _STEP / 2.0)
    return lambda radius: np.interp(radius, edges, np.append(0.0, flux))
