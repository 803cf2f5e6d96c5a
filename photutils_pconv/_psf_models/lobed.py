# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
An analytic PSF with wings and lobes, fitted to encircled energies. Its public home
is `photutils_pconv.psf`.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import nnls

from photutils_pconv._psf_models.rendering import (
    DEFAULT_OVERSAMPLING,
    average_over_pixels,
    turn_and_stretch,
)

__all__ = [
    'LobedPSF',
    'fit_encircled_energy',
]

# Depth of the three-fold modulation by the component's width in units of
# the core's: the core is round, the first wing carries the lobes, the
# halo shows them faintly (Lutz 2015, figures of the PACS PSFs).
_LOBE_WIDTHS = (1.0, 1.5, 3.0, 8.0)
_LOBE_DEPTHS = (0.05, 0.5, 0.6, 0.2)
# The core's width is fitted within these factors of the nominal one: the
# tables of the parallel mode belong to a sharper PSF than a single fast
# scan's. By choice.
_CORE_FACTORS = np.linspace(0.75, 1.0, 6)

# The fit of the components' weights, all by choice: how many there are, the
# widest one's sigma in units of the total radius, how firmly the total flux is
# held to 1 (in units of one entry of the table), and the ridge that keeps
# neighbouring components from trading flux, which would make rings.
_N_COMPONENTS = 20
_WIDEST = 0.35
_TOTAL_WEIGHT = 100.0
_RIDGE = 0.03
# The weights' sum may be off 1 by a rounding of this.
_ROUNDING = 1.0e-6
# Components with a smaller share of the flux are left out (by choice).
_SMALLEST_SHARE = 1.0e-6


# With slots, Sphinx finds the attributes under the public name.
@dataclass(frozen=True, slots=True)
class LobedPSF:
    """
    Sum of Gaussians with a three-fold azimuthal modulation.

    Parameters
    ----------
    sigmas : tuple of float
        The standard deviations of the components, in arcsec.

    weights : tuple of float
        Their share of the flux; they sum to 1.

    lobes : tuple of float
        The depth of each component's modulation, in [0, 1).
    """

    # The class is documented and pickled under its public name.
    __module__ = 'photutils_pconv.psf'

    sigmas: tuple
    weights: tuple
    lobes: tuple

    def __post_init__(self):
        sizes = {len(self.sigmas), len(self.weights), len(self.lobes)}
        if len(sizes) != 1:
            msg = (
                'sigmas, weights and lobes must have one length, got '
                f'{len(self.sigmas)}, {len(self.weights)} and {len(self.lobes)}'
            )
            raise ValueError(msg)
        if abs(sum(self.weights) - 1.0) > _ROUNDING or min(self.weights) < 0:
            msg = 'weights must not be negative and must sum to 1'
            raise ValueError(msg)
        if min(self.lobes) < 0 or max(self.lobes) >= 1:
            msg = 'lobes must lie in [0, 1), else the PSF turns negative'
            raise ValueError(msg)

    def density(self, dx, dy, *, angle=0.0, stretch=1.0):
        """
        Evaluate the surface density of a source of flux 1.

        Parameters
        ----------
        dx, dy : array_like
            Offsets from the source, in arcsec.

        angle, stretch : float, optional
            The rotation of the lobes and the stretch, as for
            `photutils_pconv.psf.SampledPSF.density`.

        Returns
        -------
        density : `~numpy.ndarray`
            The density, per arcsec^2, with the shape of ``dx``.
        """
        u, v = turn_and_stretch(dx, dy, angle=angle, stretch=stretch)
        r2 = u**2 + v**2
        r = np.sqrt(r2)
        # cos(3 theta) = 4 cos^3 - 3 cos, without an arctangent.
        with np.errstate(invalid='ignore', divide='ignore'):
            c = np.where(r > 0, u / r, 0.0)
        lobe = c * (4.0 * c**2 - 3.0)
        out = np.zeros(np.shape(r2))
        for sigma, weight, depth in zip(
            self.sigmas, self.weights, self.lobes, strict=True
        ):
            if weight == 0:
                continue
            s3 = (r / sigma) ** 3
            gauss = np.exp(-0.5 * r2 / sigma**2) / (2.0 * np.pi * sigma**2)
            out += weight * gauss * (1.0 + depth * lobe * s3 / (1.0 + s3))
        return out

    def encircled_energy(self, radius):
        """
        Compute the share of the flux within a radius.

        Parameters
        ----------
        radius : array_like
            The radius, in arcsec.

        Returns
        -------
        eef : `~numpy.ndarray`
            The encircled-energy fraction.
        """
        r2 = np.asarray(radius, dtype=float)[..., None] ** 2
        sigmas = np.asarray(self.sigmas)
        inside = 1.0 - np.exp(-0.5 * r2 / sigmas**2)
        return inside @ np.asarray(self.weights)

    def render(
        self,
        shape,
        x,
        y,
        *,
        pixel_scale,
        angle=0.0,
        stretch=1.0,
        oversampling=DEFAULT_OVERSAMPLING,
    ):
        """
        Render a source of flux 1 on a pixel grid.

        Parameters
        ----------
        shape, x, y, pixel_scale, angle, stretch : tuple of int or float
            As for `photutils_pconv.psf.SampledPSF.render`.

        oversampling : int, optional
            Points a pixel side over which the density is averaged.

        Returns
        -------
        image : `~numpy.ndarray`
            The flux in each pixel; it sums to 1 on a large image.
        """
        return average_over_pixels(
            partial(self.density, angle=angle, stretch=stretch),
            shape,
            x,
            y,
            pixel_scale=pixel_scale,
            oversampling=oversampling,
        )


def fit_encircled_energy(core, radii, eef, *, total_radius, has_lobes):
    """
    Fit a sum of Gaussians to a table of encircled energies.

    Parameters
    ----------
    core : float
        The standard deviation of the core, in arcsec; it is fitted a little.

    radii, eef : 1D array_like
        The table: radii, in arcsec, and encircled-energy fractions.

    total_radius : float
        The radius, in arcsec, beyond which nothing is known of the wings: all
        flux is inside.

    has_lobes : bool
        Whether the components have the three lobes of PACS. Otherwise they are
        round.

    Returns
    -------
    psf : `LobedPSF`
        The PSF, of flux 1.
    """
    radii, eef = np.asarray(radii, dtype=float), np.asarray(eef, dtype=float)
    fits = [
        _fit_wings(factor * core, radii, eef, total_radius) for factor in _CORE_FACTORS
    ]
    sigmas, weights, _ = min(fits, key=lambda fit: fit[2])
    keep = weights > _SMALLEST_SHARE
    sigmas, weights = sigmas[keep], weights[keep]
    if has_lobes:
        depths = np.interp(sigmas / sigmas[0], _LOBE_WIDTHS, _LOBE_DEPTHS)
    else:
        depths = np.zeros(len(sigmas))
    return LobedPSF(tuple(sigmas), tuple(weights / weights.sum()), tuple(depths))


def _fit_wings(core, radii, eef, total_radius):
    """
    Fit the weights of Gaussians from the core's width to the halo's.
    """
    sigmas = core * np.geomspace(1.0, _WIDEST * total_radius / core, _N_COMPONENTS)
    radii = np.append(radii, total_radius)
    eef = np.append(eef, 1.0)
    inside = 1.0 - np.exp(-0.5 * (radii[:, None] / sigmas) ** 2)
    # One row holds the total flux to 1.
    matrix = np.vstack(
        [
            inside,
            np.full(_N_COMPONENTS, _TOTAL_WEIGHT),
            _RIDGE * np.eye(_N_COMPONENTS),
        ]
    )
    target = np.concatenate([eef, [_TOTAL_WEIGHT], np.zeros(_N_COMPONENTS)])
    weights, _ = nnls(matrix, target)
    residual = np.sqrt(np.mean((inside @ weights - eef) ** 2))
    return sigmas, weights, residual
