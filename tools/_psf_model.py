# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The physical model of a PACS PSF, fitted and written by ``build_psfs.py``.

Fraunhofer diffraction (poppy) at the telescope's used aperture of 3.28 m,
obscured by the secondary and three struts, with a figure error in Zernike
polynomials up to the trefoil and the spherical term, averaged over the band
with the spectrum of a 200 K black body; then the detector's pixel, the pixel
of the reference maps, a Gaussian for the pointing's jitter and the smear of
the scan; and a halo of scattered light.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import astropy.units as u
import numpy as np
import poppy
from scipy.ndimage import map_coordinates, spline_filter

LIMITS = {'blue': (60, 85), 'green': (85, 130), 'red': (130, 210)}  # micron
DETECTOR_PIXEL = {'blue': 3.2, 'green': 3.2, 'red': 6.4}  # arcsec
MAP_PIXEL = {'blue': 1.2, 'green': 1.2, 'red': 2.4}  # of the Vesta images

DIAMETER = 3.28  # m
N_PUPIL = 128
N_WAVES = 7
TEMPERATURE = 200.0  # K, of Vesta

PIXEL = 0.8  # arcsec, of the PSFs
RADIUS, TAPER = 100.0, 75.0  # arcsec; from TAPER on the PSF falls to zero
N = 2 * int(RADIUS / PIXEL) + 1

# Zernike terms by Noll's index, in micron rms. The sine of the trefoil is
# zero: this fixes the orientation.
TERMS = (4, 5, 6, 7, 8, 10, 11)

_AXIS = (np.arange(N) - N // 2) * PIXEL
_R = np.hypot(*np.meshgrid(_AXIS, _AXIS))
_KEEP = np.cos(np.pi / 2 * np.clip((_R - TAPER) / (RADIUS - TAPER), 0, 1)) ** 2
_KEEP[_R >= RADIUS] = 0.0


@dataclass(frozen=True)
class Recipe:
    """
    All parameters of one PSF. Lengths in arcsec, angles in radians.
    """

    wfe: tuple  # micron rms, by TERMS
    obscuration: float  # m, diameter
    strut: float  # m, width
    strut_angle: float
    detector_angle: float
    jitter: float
    scan_length: float
    scan_angle: float
    halo_share: float
    halo_radius: float


def pupil(obscuration, strut, strut_angle):
    """
    Draw the aperture, its edges softened over a sample for smooth fits.
    """
    step = DIAMETER / N_PUPIL
    y, x = (np.indices((N_PUPIL, N_PUPIL)) - (N_PUPIL - 1) / 2) * step
    r = np.hypot(x, y)
    image = np.clip((DIAMETER / 2 - r) / step + 0.5, 0, 1)
    image -= np.clip((obscuration / 2 - r) / step + 0.5, 0, 1)
    for k in range(3):
        angle = strut_angle + 2 * np.pi / 3 * k
        along = x * np.cos(angle) + y * np.sin(angle)
        across = np.abs(y * np.cos(angle) - x * np.sin(angle))
        shade = np.clip((strut / 2 - across) / step + 0.5, 0, min(1, strut / step))
        image *= 1 - shade * (along > 0)
    return image


@lru_cache(maxsize=8)
def diffraction(band, wfe, *obstruction):
    """
    Calculate the optical PSF of a band: the flux in each sample.
    """
    opd = np.tensordot(np.array(wfe) * 1e-6, zernike_basis(), 1)
    system = poppy.OpticalSystem(
        npix=N_PUPIL, pupil_diameter=DIAMETER * u.m, oversample=1
    )
    system.add_pupil(
        poppy.ArrayOpticalElement(
            name='Herschel',
            transmission=pupil(*obstruction),
            opd=opd,
            pixelscale=DIAMETER / N_PUPIL * u.m / u.pixel,
        )
    )
    system.add_detector(pixelscale=PIXEL, fov_pixels=N)
    edges = np.linspace(*LIMITS[band], N_WAVES + 1) * 1e-6
    waves = 0.5 * (edges[1:] + edges[:-1])
    weights = waves**-5 / np.expm1(0.0143877688 / (waves * TEMPERATURE))
    source = {'wavelengths': waves, 'weights': weights / weights.sum()}
    return system.calc_psf(source=source, normalize='first')[0].data


@cache
def zernike_basis():
    """
    Calculate the terms of the figure error once.
    """
    basis = poppy.zernike.zernike_basis(nterms=max(TERMS), npix=N_PUPIL, outside=0.0)
    return basis[np.array(TERMS) - 1]


def smear(image, boxes, sigma):
    """
    Convolve an image with bars (length, angle) and a Gaussian.
    """
    size = N + 69  # smooth for the FFT, and wider than any bar
    fx, fy = np.fft.rfftfreq(size, PIXEL)[None, :], np.fft.fftfreq(size, PIXEL)[:, None]
    response = np.exp(-2 * (np.pi * sigma) ** 2 * (fx**2 + fy**2))
    for length, angle in boxes:
        response = response * np.sinc(
            length * (fx * np.cos(angle) + fy * np.sin(angle))
        )
    return np.fft.irfft2(np.fft.rfft2(image, (size, size)) * response, (size, size))[
        :N, :N
    ]


def square(side, angle=0.0):
    """
    Return the two bars that make a square pixel.
    """
    return [(side, angle), (side, angle + np.pi / 2)]


def components(recipe, band):
    """
    Calculate the PSF without halo and the halo, each of flux 1.
    """
    optical = diffraction(
        band, recipe.wfe, recipe.obscuration, recipe.strut, recipe.strut_angle
    )
    bars = [
        *square(DETECTOR_PIXEL[band], recipe.detector_angle),
        *square(MAP_PIXEL[band]),
        (recipe.scan_length, recipe.scan_angle),
    ]
    core = smear(optical, bars, recipe.jitter) * _KEEP
    halo = (1 + (_R / recipe.halo_radius) ** 2) ** -1.5 * _KEEP
    return core / core.sum(), halo / halo.sum()


def make_psf(recipe, band):
    """
    Calculate a PSF of flux 1.
    """
    core, halo = components(recipe, band)
    return (1 - recipe.halo_share) * core + recipe.halo_share * halo


def fwhm(image):
    """
    Measure the smallest and largest FWHM, in arcsec, and its direction.
    """
    c, half = N // 2, 40
    spline = spline_filter(image[c - half : c + half + 1, c - half : c + half + 1])
    # The peak: a parabola through the highest sample and its neighbours.
    y, x = np.unravel_index(image.argmax(), image.shape)
    offset = [
        0.5 * (a[0] - a[2]) / (a[0] - 2 * a[1] + a[2])
        for a in (image[y - 1 : y + 2, x], image[y, x - 1 : x + 2])
    ]
    y0, x0 = y + offset[0] - c + half, x + offset[1] - c + half
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)[:, None]
    radius = np.arange(0, 16, 0.1)
    value = map_coordinates(
        spline,
        [y0 + np.sin(angle) * radius / PIXEL, x0 + np.cos(angle) * radius / PIXEL],
        prefilter=False,
    )
    level = 0.5 * map_coordinates(spline, [[y0], [x0]], prefilter=False)[0]
    k = np.argmax(value < level, axis=1)
    rows = np.arange(len(k))
    before, after = value[rows, k - 1], value[rows, k]
    reach = radius[k - 1] + 0.1 * (before - level) / (before - after)
    width = reach[:24] + reach[24:]
    return width.min(), width.max(), float(angle[width.argmax(), 0])
