# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What others make of the same map: fluxes and backgrounds by other methods.

Every method goes from a map and the sources' positions to fluxes and to
the map that it leaves, with an estimate of the extended emission in the
sources' holes:

* ``annulus``: aperture photometry above the mean of the setup's annulus,
  25 to 35 arcsec (section 3.4 of the paper).
* ``local_background``: the same above photutils' `LocalBackground
  <photutils.background.LocalBackground>`, the clipped median of an
  annulus around the hole.
* ``psf_photometry``: photutils' `PSFPhotometry
  <photutils.psf.PSFPhotometry>` above the same kind of background, at
  forced positions.
* ``psf_polynomial_fit``: the PSF and a quadratic background, by linear
  least squares within 9 pixels.
* ``maskfill``, ``biharmonic``, ``interpolate``: the hole is filled from
  the pixels around it by maskfill (van Dokkum & Pasha 2024, PASP 136,
  034503), scikit-image's biharmonic surface, or astropy's
  `~astropy.convolution.interpolate_replace_nans`; the source is what is
  above the fill.
* ``local_infilling``: local pixelwise infilling (Saydjari & Finkbeiner 2022,
  ApJ 933, 155): the hole is filled with what its surroundings make expect,
  given the covariance of patches around the source.
* ``local_infilling_psf``: the PSF, by generalised least squares with that
  covariance, averaged over the eight turns and flips of the patches.

Aperture fluxes are corrected to the total with one encircled-energy
table; a PSF fit's flux is that of the whole PSF. Of the PSF the angle is
taken to be unknown: it is averaged over all angles. `kriging`, the
optimum for Gaussian fields, needs to know the field's covariance and is
called on its own.
"""

from importlib.util import find_spec

import numpy as np

from photutils_pconv._utils.arrays import as_map, join_missing, match_radius
from photutils_pconv.evaluation.methods.annuli import (
    measure_annulus,
    measure_local_background,
)
from photutils_pconv.evaluation.methods.fills import (
    measure_biharmonic,
    measure_interpolated,
    measure_maskfill,
    require,
)
from photutils_pconv.evaluation.methods.infilling import (
    measure_infilling,
    measure_infilling_psf,
)
from photutils_pconv.evaluation.methods.psf_fits import (
    measure_psf_photometry,
    measure_psf_polynomial,
)
from photutils_pconv.evaluation.methods.scene import Scene
from photutils_pconv.photometry.flags import flag_positions
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.registry import get_setup

__all__ = ['BASELINES', 'available_baselines', 'measure_baselines']

BASELINES = {
    'annulus': measure_annulus,
    'local_background': measure_local_background,
    'psf_photometry': measure_psf_photometry,
    'psf_polynomial_fit': measure_psf_polynomial,
    'maskfill': measure_maskfill,
    'biharmonic': measure_biharmonic,
    'interpolate': measure_interpolated,
    'local_infilling': measure_infilling,
    'local_infilling_psf': measure_infilling_psf,
}
"""
The methods by name: functions from a
`~photutils_pconv.evaluation.methods.Scene` to a
`~photutils_pconv.evaluation.MethodResult`.
"""

# Of the methods that need one, the module and the package's name for pip.
_NEEDS = {
    'maskfill': ('maskfill', 'maskfill'),
    'biharmonic': ('skimage', 'scikit-image'),
}


def available_baselines():
    """
    List the methods whose packages are installed.

    Returns
    -------
    names : list of str
        The names, in the order of `BASELINES`.
    """
    return [
        name
        for name in BASELINES
        if name not in _NEEDS or find_spec(_NEEDS[name][0]) is not None
    ]


def measure_baselines(
    data,
    x,
    y,
    *,
    setup,
    hole_radius,
    psf=None,
    eef=None,
    names=None,
    missing=None,
):
    """
    Measure the sources of a map by other methods.

    Parameters
    ----------
    data : 2D array_like
        The map, on the setup's pixel scale. Pixels that are not finite
        are missing.

    x, y : array_like
        The ``N`` positions, 0-based (pixels).

    setup : `~photutils_pconv.ObservingSetup` or str
        The setup, for aperture, annulus and pixel scale.

    hole_radius : float or array_like
        The radius of each source's hole (pixels): the part of the map
        whose emission is estimated. NaN for a source without one.

    psf : optional
        The PSF, as `~photutils_pconv.psf.get_psf` takes it; by default
        the setup's.

    eef : callable, optional
        The encircled-energy fraction of a radius in arcsec; by default
        that of the setup for real maps. It must raise ValueError outside
        its range.

    names : sequence of str, optional
        The methods, some of `BASELINES`; by default all that are
        installed (`available_baselines`).

    missing : 2D array_like of bool, optional
        Further pixels not to use.

    Returns
    -------
    results : dict of `~photutils_pconv.evaluation.MethodResult`
        For each method its fluxes, and the map that it leaves.
        ``psf_polynomial_fit`` has a second map, ``polynomial``.

    Raises
    ------
    ValueError
        If a method is not known, or shapes do not fit.

    ImportError
        If a method was asked for whose package is not installed.
    """
    names = available_baselines() if names is None else [*names]
    unknown = [name for name in names if name not in BASELINES]
    if unknown:
        msg = f'names must be some of {", ".join(BASELINES)}, got {unknown}'
        raise ValueError(msg)
    for name in names:
        if name in _NEEDS:
            require(*_NEEDS[name])
    setup = get_setup(setup=setup)
    data = as_map(data, 'data')
    bad = join_missing(missing, data)
    x, y, _, _ = flag_positions(x, y, data.shape)
    scene = Scene(
        data=np.where(bad, np.nan, data),
        x=x,
        y=y,
        hole_radius=match_radius(hole_radius, x.shape, 'hole_radius'),
        setup=setup,
        psf=get_psf(setup if psf is None else psf),
        eef=setup.eef if eef is None else eef,
        missing=bad,
    )
    return {name: BASELINES[name](scene) for name in names}
