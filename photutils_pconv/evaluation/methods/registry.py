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

Aperture fluxes are corrected to the total with one encircled-energy
table; a PSF fit's flux is that of the whole PSF. Of the PSF the angle is
taken to be unknown: it is averaged over all angles. `kriging`, the
optimum for Gaussian fields, needs to know the field's covariance and is
called on its own.
"""

from importlib.util import find_spec

import astropy.units as u
import numpy as np
from photutils.aperture import CircularAperture
from photutils.background import LocalBackground

from photutils_pconv._utils.arrays import as_map, join_missing, match_radius
from photutils_pconv.evaluation.methods.fills import (
    fill_biharmonic,
    fill_interpolated,
    fill_maskfill,
    require,
)
from photutils_pconv.evaluation.methods.psf_fits import (
    fit_psf_photometry,
    fit_psf_polynomial,
    polynomial,
    round_image_psf,
)
from photutils_pconv.evaluation.methods.scene import Scene
from photutils_pconv.photometry.annulus import annulus_photometry
from photutils_pconv.photometry.apertures import removed_photometry
from photutils_pconv.photometry.flags import flag_positions
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.registry import get_setup

__all__ = ['BASELINES', 'available_baselines', 'measure_baselines']

# Half the side of the stamps that the fills see, in pixels.
_HALF = 32
# LocalBackground begins this far outside the hole, and is as wide (pixels).
_GAP, _WIDTH = 2.0, 6.0
#: The radius of the fit of PSF and quadratic background, in pixels.
FIT_RADIUS = 9.0


def _fill_with(scene, values):
    """
    Put one value a source into its hole.
    """
    background = scene.data.copy()
    for i in np.flatnonzero(scene.usable):
        window, hole = scene.window(i, int(scene.hole_radius[i]) + 2)
        background[window][hole] = values[i]
    background[scene.missing] = np.nan
    return background


def annulus(scene):
    """
    Measure in an aperture above the mean of the standard annulus.

    Parameters
    ----------
    scene : `Scene`
        Map and sources.

    Returns
    -------
    result : dict
        ``flux``, of length N, and ``background``, 2D: the map with the
        annulus' mean in the holes.
    """
    measured = annulus_photometry(
        scene.data,
        scene.x,
        scene.y,
        radii=[scene.aperture_radius],
        annulus_radii=scene.annulus_radii,
        missing=scene.missing,
    )
    flux = scene.in_aperture(measured['flux'][:, 0], np.ones(len(scene.x)))
    return {'flux': flux, 'background': _fill_with(scene, measured['local_bkg'])}


def local_background(scene):
    """
    Measure in an aperture above photutils' LocalBackground.

    The annulus begins 2 pixels outside the hole and is 6 pixels wide;
    other sources' holes are left out of it.

    Parameters
    ----------
    scene : `Scene`
        Map and sources.

    Returns
    -------
    result : dict
        ``flux``, of length N, and ``background``, 2D: the map with the
        annulus' clipped median in the holes.
    """
    flux, values = np.full((2, len(scene.x)), np.nan)
    mask = scene.missing | scene.holes
    clean = np.where(scene.missing, 0.0, scene.data)
    usable = scene.usable
    for radius in np.unique(scene.hole_radius[usable]):
        rows = np.flatnonzero(usable & (scene.hole_radius == radius))
        estimate = LocalBackground(radius + _GAP, radius + _GAP + _WIDTH)
        values[rows] = estimate(scene.data, scene.x[rows], scene.y[rows], mask=mask)
    rows = np.flatnonzero(usable)
    if len(rows):
        apertures = CircularAperture(
            np.stack([scene.x[rows], scene.y[rows]], axis=1), scene.aperture_radius
        )
        total, _ = apertures.do_photometry(clean, mask=scene.missing)
        area, _ = apertures.do_photometry(np.ones_like(clean), mask=scene.missing)
        flux[rows] = total - values[rows] * area
    flux = scene.in_aperture(flux, np.ones(len(scene.x)))
    return {'flux': flux, 'background': _fill_with(scene, values)}


def psf_photometry(scene):
    """
    Fit the PSF with photutils' PSFPhotometry, at forced positions.

    The window is as wide as three times the FWHM, the local background
    the one that `local_background` takes around the smallest hole.
    Sources closer than three times the FWHM are fitted together.

    Parameters
    ----------
    scene : `Scene`
        Map and sources.

    Returns
    -------
    result : dict
        ``flux``, of length N, and ``background``, 2D: the map without
        the fitted PSFs.
    """
    fwhm = scene.setup.psf_fwhm.to_value(u.arcsec) / scene.pixel_scale
    inner = scene.setup.hole_radii[-1] + _GAP
    fit_shape = 2 * round(1.5 * fwhm) + 1
    # No larger than the window: photutils makes its spline for each fit.
    model = round_image_psf(scene.pixel_psf, radius=fit_shape / 2 + 2)
    flux, _ = fit_psf_photometry(
        scene.data,
        scene.x,
        scene.y,
        model,
        fit_shape=fit_shape,
        annulus_radii=(inner, inner + _WIDTH),
        group_distance=3.0 * fwhm,
        missing=scene.missing,
    )
    return {'flux': flux, 'background': _subtract(scene, flux)}


def psf_polynomial_fit(scene):
    """
    Fit the PSF and a quadratic background by linear least squares.

    Every source is fitted alone, within 9 pixels, its position forced.

    Parameters
    ----------
    scene : `Scene`
        Map and sources.

    Returns
    -------
    result : dict
        ``flux``, of length N; ``background``, 2D: the map without the
        fitted PSFs; and ``polynomial``, 2D: the same, with the quadratic
        background in the part of each hole that was fitted.
    """
    coefficients = fit_psf_polynomial(
        scene.data,
        scene.x,
        scene.y,
        scene.pixel_psf,
        radius=FIT_RADIUS,
        missing=scene.missing,
    )
    background = _subtract(scene, coefficients[:, 0])
    surface = background.copy()
    for i in np.flatnonzero(scene.usable & np.isfinite(coefficients[:, 0])):
        (rows, columns), hole = scene.window(i, int(FIT_RADIUS) + 2)
        dx, dy = np.meshgrid(
            np.arange(columns.start, columns.stop) - scene.x[i],
            np.arange(rows.start, rows.stop) - scene.y[i],
        )
        inside = hole & (dx**2 + dy**2 <= FIT_RADIUS**2)
        values = polynomial(dx / FIT_RADIUS, dy / FIT_RADIUS) @ coefficients[i, 1:]
        surface[rows, columns][inside] = values[inside]
    surface[scene.missing] = np.nan
    return {
        'flux': coefficients[:, 0],
        'background': background,
        'polynomial': surface,
    }


def _subtract(scene, flux):
    """
    Subtract fitted PSFs from the map.
    """
    model = np.zeros(scene.data.shape)
    half = int(scene.pixel_psf.radius)
    for i in np.flatnonzero(scene.usable & np.isfinite(flux)):
        (rows, columns), _ = scene.window(i, half)
        dx, dy = np.meshgrid(
            np.arange(columns.start, columns.stop) - scene.x[i],
            np.arange(rows.start, rows.stop) - scene.y[i],
        )
        model[rows, columns] += flux[i] * scene.pixel_psf.evaluate(dx, dy)
    return np.where(scene.missing, np.nan, scene.data - model)


def _fill(scene, fill, **options):
    """
    Fill all holes with a function, and measure what was removed.
    """
    background = scene.data.copy()
    for i in np.flatnonzero(scene.usable):
        window, hole = scene.window(i, _HALF)
        unknown = scene.holes[window] | scene.missing[window]
        given = {name: values[i] for name, values in options.items()}
        filled = fill(scene.data[window], unknown, **given)
        background[window][hole] = filled[hole]
    background[scene.missing] = np.nan
    removed = np.where(scene.missing, 0.0, scene.data - background)
    measured = removed_photometry(
        removed,
        scene.x,
        scene.y,
        radii=[scene.aperture_radius],
        hole_radius=np.where(scene.usable, scene.hole_radius, np.nan),
        local_std=0.0,
        missing=scene.missing,
    )
    flux = scene.in_aperture(measured.flux[:, 0], measured.hole_fraction[:, 0])
    return {'flux': flux / scene.pixel_response, 'background': background}


def maskfill(scene):
    """
    Fill the holes by maskfill.

    Parameters
    ----------
    scene : `Scene`
        Map and sources.

    Returns
    -------
    result : dict
        ``flux``, of length N, and ``background``, 2D: the filled map.

    Raises
    ------
    ImportError
        If maskfill is not installed.
    """
    return _fill(scene, fill_maskfill)


def biharmonic(scene):
    """
    Fill the holes by biharmonic surfaces.

    Parameters
    ----------
    scene : `Scene`
        Map and sources.

    Returns
    -------
    result : dict
        ``flux``, of length N, and ``background``, 2D: the filled map.

    Raises
    ------
    ImportError
        If scikit-image is not installed.
    """
    return _fill(scene, fill_biharmonic)


def interpolate(scene):
    """
    Fill the holes by astropy's ``interpolate_replace_nans``.

    Parameters
    ----------
    scene : `Scene`
        Map and sources.

    Returns
    -------
    result : dict
        ``flux``, of length N, and ``background``, 2D: the filled map.
    """
    return _fill(scene, fill_interpolated, radius=scene.hole_radius)


#: The methods by name: functions of a `Scene`.
BASELINES = {
    'annulus': annulus,
    'local_background': local_background,
    'psf_photometry': psf_photometry,
    'psf_polynomial_fit': psf_polynomial_fit,
    'maskfill': maskfill,
    'biharmonic': biharmonic,
    'interpolate': interpolate,
}

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
    results : dict of dict
        For each method its ``flux`` (N; in the map's unit times pixel,
        total; NaN where it failed) and its ``background`` (2D): the map
        that it leaves, NaN where the map is missing. Fills and annuli
        change the holes only, PSF fits subtract the whole PSF.
        ``psf_polynomial_fit`` has a second background, ``polynomial``.

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
