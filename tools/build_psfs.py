# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Build the bundled PSFs of Herschel/PACS.

Run from the repository's root, with poppy installed::

    PCONV_REAL_DATA=FOLDER python tools/build_psfs.py
    python tools/build_psfs.py --from-headers

The first command fits the model's parameters and needs FOLDER/psf with the
in-flight PSFs of Vesta; the second one takes the parameters from the files
that are there. Both write ``photutils_pconv/data/psf/{mode}_{band}.fits``,
with every parameter in the header. There is no randomness.

The model is described in ``_psf_model.py``. The telescope is common to all
PSFs; the red camera has its own focus and astigmatism.

How the parameters are fitted is described in ``_psf_fit.py``. The orientation is
that of the telescope: a lobe points along +x.
"""

import argparse
import logging
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
import poppy
from _psf_fit import BANDS, energies, fit_all, table
from _psf_model import (
    DETECTOR_PIXEL,
    DIAMETER,
    LIMITS,
    MAP_PIXEL,
    N_WAVES,
    PIXEL,
    RADIUS,
    TAPER,
    TEMPERATURE,
    TERMS,
    Recipe,
    fwhm,
    make_psf,
)
from astropy.io import fits

from photutils_pconv.setups import get_setup

FOLDER = Path(__file__).parents[1] / 'photutils_pconv' / 'data' / 'psf'

# The parameters' keywords and comments in the headers.
CARDS = {
    'obscuration': ('OBSCUR', '[m] diameter of the central obscuration'),
    'strut': ('STRUT', '[m] width of each of the 3 struts'),
    'strut_angle': ('STRUTANG', '[rad] direction of the first strut'),
    'detector_angle': ('DETANG', '[rad] direction of the detector rows'),
    'jitter': ('JITTER', '[arcsec] sigma of the pointing jitter'),
    'scan_length': ('SCANLEN', '[arcsec] length of the scan smear'),
    'scan_angle': ('SCANANG', '[rad] direction of the scan smear'),
    'halo_share': ('HALOFRAC', 'flux in the scattering halo'),
    'halo_radius': ('HALORAD', '[arcsec] (1 + (r/HALORAD)^2)^-1.5'),
}


def read_all():
    """
    Read the recipes and Vesta's residuals from the headers.
    """
    recipes, residual = {'scanmap': {}, 'parallel': {}}, {}
    for mode, band in product(recipes, BANDS):
        header = fits.getheader(FOLDER / f'{mode}_{band}.fits', 1)
        values = {key: header[card] for key, (card, _) in CARDS.items()}
        wfe = tuple(header[f'WFE{term:02d}'] for term in TERMS)
        recipes[mode][band] = Recipe(wfe=wfe, **values)
        if mode == 'scanmap':
            residual[band] = header['VESTADEV']
    return recipes, residual


def make_header(recipe, image, mode, band):
    """
    Write down what a PSF is made of and how well it fits.
    """
    setup = get_setup(mode, band)
    radii, eef, axes = table(mode, band)
    own, on_map = (one / eef - 1 for one in energies(image, mode, band))
    minor, major, direction = fwhm(image)
    native = setup.pixel_scale.value
    cards = [
        ('SETUP', setup.name, 'observing setup'),
        ('WAVELEN', setup.wavelength.value, '[um] nominal wavelength'),
        ('PIXSCALE', PIXEL, '[arcsec] side of a sample'),
        ('OVERSAMP', native / PIXEL, 'samples a native pixel side'),
        ('EFFPIX', native, '[arcsec] map pixel: there, values are samples'),
        ('RADIUS', RADIUS, '[arcsec] the PSF is 0 beyond'),
        ('TAPER', TAPER, '[arcsec] from here on it is led to 0'),
        ('SCRIPT', 'tools/build_psfs.py', 'made by'),
        ('POPPY', poppy.__version__, 'version of poppy'),
        ('BANDMIN', LIMITS[band][0], '[um] lower edge of the band'),
        ('BANDMAX', LIMITS[band][1], '[um] upper edge of the band'),
        ('NWAVES', N_WAVES, 'number of wavelengths'),
        ('TEMPER', TEMPERATURE, '[K] of the black body'),
        ('APERTURE', DIAMETER, '[m] diameter of the used aperture'),
        ('DETPIX', DETECTOR_PIXEL[band], '[arcsec] detector pixel'),
        ('MAPPIX', MAP_PIXEL[band], '[arcsec] pixel of the reference maps'),
    ]
    cards += [
        (f'WFE{term:02d}', value, f'[um] rms, Zernike term {term} (Noll)')
        for term, value in zip(TERMS, recipe.wfe, strict=True)
    ]
    values = asdict(recipe)
    cards += [(card, values[key], text) for key, (card, text) in CARDS.items()]
    cards += [
        ('FWHMMIN', minor, f'[arcsec] smallest FWHM; published {axes[0]:g}'),
        ('FWHMMAX', major, f'[arcsec] largest FWHM; published {axes[1]:g}'),
        ('FWHMANG', direction, '[rad] direction of the largest FWHM'),
        ('EEFFROM', radii[0], '[arcsec] EEF compared from here'),
        ('EEFTO', radii[-1], '[arcsec] to here with the real-map table'),
        ('EEFDEV', np.abs(own).max(), 'largest relative deviation of the EEF'),
        ('EEFDEVM', np.abs(on_map).max(), 'same, exact apertures on a map'),
    ]
    header = fits.Header()
    for card, value, text in cards:
        value = round(float(value), 6) if isinstance(value, float) else value
        header[card] = (value, text)
    return header


def main():
    """
    Build the six PSFs.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('-o', '--output', type=Path, default=FOLDER)
    parser.add_argument(
        '--from-headers', action='store_true', help='do not fit the parameters'
    )
    args = parser.parse_args()
    logging.getLogger('poppy').setLevel(logging.ERROR)
    poppy.conf.use_multiprocessing = False
    args.output.mkdir(parents=True, exist_ok=True)

    recipes, residual = read_all() if args.from_headers else fit_all()
    for mode, band in product(recipes, BANDS):
        recipe = recipes[mode][band]
        image = make_psf(recipe, band).clip(0)
        image /= image.sum()
        header = make_header(recipe, image, mode, band)
        if mode == 'scanmap':
            header['VESTADEV'] = (
                round(float(residual[band]), 6),
                'sum of |PSF - Vesta| in its stamp',
            )
        # A dither would spoil the total, so the compression is lossless.
        hdu = fits.CompImageHDU(
            image.astype(np.float32),
            header,
            compression_type='GZIP_2',
            quantize_level=0.0,
        )
        path = args.output / f'{mode}_{band}.fits'
        hdu.writeto(path, overwrite=True)
        print(path)
        print(repr(header))


if __name__ == '__main__':
    main()
