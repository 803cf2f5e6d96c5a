# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The fit of the parameters of the PSFs of Herschel/PACS.

The size of the obscuration and of the struts is fitted, too: no published
figure was found. The halo's width follows the wavelength; the tables end at
22 arcsec, so that they fix its flux rather than its width, which is held
within 60 arcsec at 100 micron.

Two steps:

1. The telescope and the scan map mode are fitted by least squares to the
   Vesta PSFs, the published FWHMs of 20 arcsec/s scans and the scanmap
   encircled-energy tables.
2. The parallel mode shares the telescope. In blue and green, its tables and
   the FWHMs of single 60 arcsec/s scans contradict each other: the FWHMs ask
   for the literal smear of 12 arcsec, the tables for hardly any. The longest
   smear is taken with which the tables are kept within ``TABLE_LIMIT``; it
   lies along the longer axis of the unsmeared PSF. In red, the table is that
   of the scan map mode and so is the PSF, as in the paper (section 2.3.2).
"""

import json
import os
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from _psf_model import (
    MAP_PIXEL,
    PIXEL,
    TERMS,
    N,
    Recipe,
    components,
    fwhm,
    make_psf,
)
from astropy.io import fits
from scipy.ndimage import map_coordinates
from scipy.optimize import brentq, least_squares, minimize_scalar

from photutils_pconv.psf import SampledPSF
from photutils_pconv.setups import get_setup

BANDS = ('blue', 'green', 'red')
# The first radius (arcsec) of the tables that is compared: within, the deviation is
# larger (docs/explanations/psfs.rst).
FIRST_RADIUS = {'blue': 5, 'green': 5, 'red': 10}

# The largest relative deviation from the tables that a smear of the parallel mode
# may cause (by choice).
TABLE_LIMIT = 0.025

# The Zernike terms (Noll) that the red camera has on top: focus and astigmatism.
CAMERA_TERMS = (4, 5, 6)

# What counts as a deviation of one sigma in the fit, by choice. Of the tables: that
# of apertures on a map, and that of the PSF itself, which counts by its third power;
# of the FWHM. The residuals of Vesta's PSFs are divided by the root of the PSF, not
# below the root of the floor, over VESTA_WEIGHT.
ON_MAP_SIGMA, OWN_SIGMA, FWHM_SIGMA = 0.01, 0.02, 0.05
VESTA_FLOOR, VESTA_WEIGHT = 3e-5, 30

# The largest share of the halo, the length (arcsec) below which the smear of least
# deviation is looked for, and the longest smear (arcsec). By choice.
LARGEST_HALO = 0.4
SHORT_SMEAR, LONGEST_SMEAR = 8.0, 20.0

# name: start, lower and upper bound, step scale. Angles in radians.
PARAMETERS = {
    **{
        f'wfe{term}': (start, -20, 20, 1.0)
        for term, start in zip(
            TERMS, (-2.2, 2.45, 1.9, 0.23, -0.97, -2.8, 0.1), strict=True
        )
    },
    'red4': (-2.0, -20, 20, 1.0),
    'red5': (2.4, -20, 20, 1.0),
    'red6': (0.1, -20, 20, 1.0),
    'obscuration': (0.6, 0.3, 0.8, 0.1),
    'strut': (0.05, 0.0, 0.3, 0.05),
    'strut_angle': (0.08, -4, 4, 0.3),
    'detector_angle': (-0.04, -4, 4, 0.3),
    'halo_radius': (50.0, 5.0, 60.0, 5.0),  # at 100 micron
    'scan_blue': (2.3, 0.0, 12.0, 1.0),
    'scan_red': (6.0, 0.0, 15.0, 1.0),
    'scan_angle_blue': (-0.08, -4, 4, 0.3),
    'scan_angle_red': (-0.75, -4, 4, 0.3),
    **{f'jitter_{band}': (0.5, 0.0, 5.0, 0.5) for band in BANDS},
    **{f'halo_{band}': (0.1, 0.0, LARGEST_HALO, 0.05) for band in BANDS},
    **{
        f'rotation_{band}': (start, -4, 4, 0.2)
        for band, start in zip(BANDS, (2.57, -0.56, 1.53), strict=True)
    },
    **{f'x_{band}': (0.0, -5, 5, 0.3) for band in BANDS},
    **{f'y_{band}': (0.0, -5, 5, 0.3) for band in BANDS},
}


def make_recipe(values, band):
    """
    Collect the parameters of a band in the scan map mode.
    """
    terms = {term: values[f'wfe{term}'] for term in TERMS}
    if band == 'red':
        for term in CAMERA_TERMS:
            terms[term] += values[f'red{term}']
    camera = 'red' if band == 'red' else 'blue'
    wavelength = get_setup('scanmap', band).wavelength.to_value('um')
    shared = ('obscuration', 'strut', 'strut_angle', 'detector_angle')
    return Recipe(
        wfe=tuple(terms.values()),
        **{key: values[key] for key in shared},
        jitter=values[f'jitter_{band}'],
        scan_length=values[f'scan_{camera}'],
        scan_angle=values[f'scan_angle_{camera}'],
        halo_share=values[f'halo_{band}'],
        halo_radius=values['halo_radius'] * wavelength / 100,
    )


@cache
def table(mode, band):
    """
    Return the published encircled-energy table and FWHMs.
    """
    setup = get_setup(mode, band)
    radii, eef = setup.encircled_energy['real']
    keep = radii >= FIRST_RADIUS[band]
    path = files('photutils_pconv') / 'data/setups/pacs.json'
    for one in json.loads(path.read_text())['setups']:
        if one['name'] == setup.name:
            axes = np.array(one['psf_fwhm_axes_arcsec'])
    return radii[keep], eef[keep], axes


def energies(image, mode, band):
    """
    Calculate the EEF of a PSF: its own, and that of apertures on a map.

    The map has the setup's pixel, over which an exact aperture spreads
    the flux evenly.
    """
    radii = table(mode, band)[0]
    native = get_setup(mode, band).pixel_scale.value
    # The image has the map pixel in it already.
    psf = SampledPSF(image, PIXEL, effective_pixel=native)
    return [
        psf.encircled_energy(radii),
        psf.encircled_energy(radii, pixel_scale=native),
    ]


def vesta_stamp(image, vesta, band, rotation, x, y):
    """
    Sample a PSF as Vesta's, with the same total.
    """
    step = MAP_PIXEL[band]
    yy, xx = np.indices(vesta.shape) - vesta.shape[0] // 2
    dx, dy = xx * step - x, yy * step - y
    cos, sin = np.cos(rotation), np.sin(rotation)
    v, w = cos * dx + sin * dy, cos * dy - sin * dx
    stamp = map_coordinates(image, [w / PIXEL + N // 2, v / PIXEL + N // 2], order=3)
    return stamp / stamp.sum()


def fit_scanmap(vesta):
    """
    Fit the telescope and the scan map mode.
    """
    names = list(PARAMETERS)
    start, lower, upper, scale = np.array(list(PARAMETERS.values())).T

    def residuals(vector):
        values = dict(zip(names, vector.tolist(), strict=True))
        parts = []
        for band in BANDS:
            image = make_psf(make_recipe(values, band), band)
            pose = (values[f'{key}_{band}'] for key in ('rotation', 'x', 'y'))
            stamp = vesta_stamp(image, vesta[band], band, *pose)
            # Between least squares and relative errors: the wings count,
            # and the noise there does not rule.
            noise = np.sqrt(vesta[band].clip(VESTA_FLOOR)) / VESTA_WEIGHT
            parts.append(((stamp - vesta[band]) / noise).ravel())
            _, eef, axes = table('scanmap', band)
            own, on_map = energies(image, 'scanmap', band)
            parts += [
                (on_map / eef - 1) / ON_MAP_SIGMA,
                ((own / eef - 1) / OWN_SIGMA) ** 3,
            ]
            parts.append((np.array(fwhm(image)[:2]) / axes - 1) / FWHM_SIGMA)
        return np.concatenate(parts)

    result = least_squares(
        residuals,
        start,
        bounds=(lower, upper),
        x_scale=scale,
        diff_step=1e-3,
        ftol=1e-5,
        max_nfev=40,
    )
    print(f'fit: {result.nfev} steps, cost {result.cost:.2f}, {result.message}')
    return dict(zip(names, result.x.tolist(), strict=True))


def fit_parallel(recipes):
    """
    Find the longest smear that the tables of the parallel mode allow.

    Takes the scan map recipes of bands of one camera and returns those of
    the parallel mode.
    """
    band = next(iter(recipes))
    bare = replace(recipes[band], scan_length=0.0)
    direction = fwhm(make_psf(bare, band))[2]

    def best_halo(length, band):
        recipe = replace(recipes[band], scan_length=length, scan_angle=direction)
        _, eef, _ = table('parallel', band)
        core, halo = (
            np.concatenate(energies(one, 'parallel', band)) / np.tile(eef, 2)
            for one in components(recipe, band)
        )
        result = minimize_scalar(
            lambda share: np.abs((1 - share) * core + share * halo - 1).max(),
            bounds=(0.0, LARGEST_HALO),
            method='bounded',
            options={'xatol': 1e-5},
        )
        return result.fun, replace(recipe, halo_share=float(result.x))

    def excess(length):
        return max(best_halo(length, band)[0] for band in recipes) - TABLE_LIMIT

    # With a longer smear the deviation first falls (the PSF's own energy
    # lies above the table), then rises.
    lowest = minimize_scalar(excess, bounds=(0, SHORT_SMEAR), method='bounded').x
    length = brentq(excess, lowest, LONGEST_SMEAR, xtol=0.01)
    return {band: best_halo(length, band)[1] for band in recipes}


def fit_all():
    """
    Fit all parameters; the recipes by mode and band, and Vesta's residuals.
    """
    folder = os.environ.get('PCONV_REAL_DATA')
    if not folder:
        msg = (
            'The fit needs PCONV_REAL_DATA, the folder that holds '
            'psf/vesta_*.fits; --from-headers does without.'
        )
        raise SystemExit(msg)
    vesta = {
        band: fits.getdata(
            Path(folder) / f'psf/vesta_{band}_{MAP_PIXEL[band]}arcsec.fits'
        ).astype(float)
        for band in BANDS
    }
    values = fit_scanmap(vesta)
    scanmap, residual = {}, {}
    for band in BANDS:
        scanmap[band] = make_recipe(values, band)
        pose = (values[f'{key}_{band}'] for key in ('rotation', 'x', 'y'))
        stamp = vesta_stamp(make_psf(scanmap[band], band), vesta[band], band, *pose)
        residual[band] = np.abs(stamp - vesta[band]).sum()
    parallel = fit_parallel({band: scanmap[band] for band in ('blue', 'green')})
    parallel['red'] = scanmap['red']
    return {'scanmap': scanmap, 'parallel': parallel}, residual
