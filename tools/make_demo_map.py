# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Make the bundled demo map.

Run from the repository's root::

    python tools/make_demo_map.py

It writes two files to ``photutils_pconv/data/demo``. ``demo.fits.gz`` is a
simulated PACS 100 micron scan map in the form of a product of the Herschel
Science Archive, with the extensions ``image`` and ``coverage``; a third one,
``emission``, holds the extended emission alone, without noise.
``demo_sources.ecsv`` lists the sources that were injected. Everything follows
from one seed, byte for byte on one machine.

The PSF is `photutils_pconv.psf.lobed_psf` of the scanmap/green setup. Its
encircled energy is close to the setup's ``real`` table, to which it was
fitted (within 0.01), but not equal, and its flux is all there is: correct
with its own encircled energy. Its parameters stand in the list's metadata,
where `photutils_pconv.datasets.demo_aperture_corrections` finds them.
"""

import argparse
import gzip
import io
from functools import partial
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.stats import gaussian_sigma_to_fwhm
from astropy.table import QTable
from astropy.wcs import WCS
from scipy.ndimage import binary_dilation, gaussian_filter

from photutils_pconv.psf import lobed_psf
from photutils_pconv.setups import get_setup
from photutils_pconv.simulation import (
    filament_field,
    fractional_brownian_motion,
    inject_sources,
    noise_field,
    random_positions,
)

FOLDER = Path(__file__).parents[1] / 'photutils_pconv' / 'data' / 'demo'
SEED = 5
SHAPE = (320, 320)
CENTRE = (83.82, -5.39)  # deg, near the Orion nebula cluster
PSF_ANGLE = 0.6  # rad

# All by choice.
EMISSION_RMS = 1.5e-3  # Jy/pixel
SLOPE = -3.0  # of the power spectrum of the clouds' logarithm
CONTRAST = 0.9  # the scatter of that logarithm
N_FILAMENTS, FILAMENT_WIDTH = 5, 4.0  # pixels, the half-width
FILAMENT_SHARE = 0.7  # their scatter over the clouds'
WRAP = 32  # pixels, cut off on each side: fields are periodic
NOISE = 2.0e-4  # Jy/pixel where the coverage is full
NOISE_CORRELATION = 0.6  # pixels, the sigma of a Gaussian
NOISE_STRIPES = 0.1  # their share of the noise's variance
FULL_COVERAGE = 40.0  # s
FLUX_RANGE = (40.0, 20000.0)  # mJy
N_SOURCES, N_COMPANIONS = 34, 6
N_POSITIONS = 72  # to choose from
SEPARATION, MARGIN = 24, 14  # pixels, between sources and from the map's edge
MINIMUM_SNR = 5.0
COMPANION_OF = (0.3, 5.0)  # Jy, sources that may get a companion
COMPANION_DISTANCE = (8.0, 14.0)  # pixels
COMPANION_SHARE = (0.4, 1.0)  # of the source's flux
# The pixel values' steps, a 200th of the noise: noise does not compress.
STEP = 2.0**-20


def make_wcs(setup):
    """
    Make the map's WCS, TAN with north up.
    """
    scale = setup.pixel_scale.to_value('deg')
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ['RA---TAN', 'DEC--TAN']
    wcs.wcs.cunit = ['deg', 'deg']
    wcs.wcs.crval = CENTRE
    wcs.wcs.crpix = [(SHAPE[1] + 1) / 2, (SHAPE[0] + 1) / 2]
    wcs.wcs.cdelt = [-scale, scale]
    wcs.wcs.radesys = 'ICRS'
    return wcs


def make_emission(setup, rng):
    """
    Make log-normal clouds with filaments, as the telescope sees them.
    """
    big = tuple(n + 2 * WRAP for n in SHAPE)
    clouds = np.exp(CONTRAST * fractional_brownian_motion(big, SLOPE, rng=rng))
    filaments = filament_field(big, N_FILAMENTS, width=FILAMENT_WIDTH, rng=rng)
    field = clouds / clouds.std() + FILAMENT_SHARE * filaments / filaments.std()
    fwhm = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    field = gaussian_filter(field, fwhm / gaussian_sigma_to_fwhm, mode='wrap')
    field = field[WRAP:-WRAP, WRAP:-WRAP]
    return EMISSION_RMS * (field - field.min()) / field.std()


def make_coverage():
    """
    Make the coverage: less towards the edges, none in a corner.
    """
    y, x = np.indices(SHAPE)
    edge = 30.0 + np.minimum(np.minimum(x, y), SHAPE[0] - 1 - np.maximum(x, y))
    corner = 0.8 * x + 0.6 * (SHAPE[0] - 1 - y) - 48.0
    depth = np.clip(np.minimum(edge, corner) / 60.0, 0.0, 1.0)
    return (FULL_COVERAGE * depth).round(1)


def find_annuli(x, y, setup):
    """
    Find the pixels of the annuli of the SNR.
    """
    yy, xx = np.indices(SHAPE)
    annuli = []
    for xc, yc in zip(x, y, strict=True):
        r = np.hypot(xx - xc, yy - yc)
        ring = (r >= setup.snr_inner_radius) & (r <= setup.snr_outer_radius)
        annuli.append(np.nonzero(ring))
    return annuli


def choose_sources(background, forbidden, setup, inject, rng):
    """
    Choose positions and fluxes (Jy).

    The fluxes are spread evenly in the logarithm. From the brightest on,
    each takes a random one of the positions where it stands out of what
    is there already. Some of medium brightness get a companion.
    """
    x, y = random_positions(
        SHAPE,
        N_POSITIONS,
        rng=rng,
        separation=SEPARATION,
        margin=MARGIN,
        mask=forbidden,
    )
    flux = np.geomspace(*FLUX_RANGE, N_SOURCES)[::-1].round(1) / 1000.0
    peak = inject(np.zeros((41, 41)), 20.0, 20.0, 1.0).max()
    annuli = find_annuli(x, y, setup)
    image = background
    rows = []
    for value in flux:
        ratio = value * peak / np.array([image[ring].std() for ring in annuli])
        able = np.setdiff1d(np.flatnonzero(ratio > MINIMUM_SNR), rows)
        if able.size == 0:
            msg = f'no position left for {value} Jy: try another seed'
            raise RuntimeError(msg)
        rows.append(int(rng.choice(able)))
        image = inject(image, x[rows[-1]], y[rows[-1]], value)
    x, y = x[rows], y[rows]

    medium = np.flatnonzero((flux > COMPANION_OF[0]) & (flux < COMPANION_OF[1]))
    first = rng.choice(medium, N_COMPANIONS, replace=False)
    distance = rng.uniform(*COMPANION_DISTANCE, N_COMPANIONS)
    angle = rng.uniform(0.0, 2.0 * np.pi, N_COMPANIONS)
    companion = (flux[first] * rng.uniform(*COMPANION_SHARE, N_COMPANIONS)).round(4)
    x = np.append(x, x[first] + distance * np.cos(angle)).round(3)
    y = np.append(y, y[first] + distance * np.sin(angle)).round(3)
    flux = np.append(flux, companion)
    order = rng.permutation(len(flux))
    return x[order], y[order], flux[order]


def make_demo():
    """
    Make the HDUs and the table of sources.
    """
    rng = np.random.default_rng(SEED)
    setup = get_setup('scanmap', 'green')
    psf = lobed_psf(setup)
    inject = partial(
        inject_sources,
        psf=psf,
        pixel_scale=setup.pixel_scale.to_value('arcsec'),
        angle=PSF_ANGLE,
    )

    emission = make_emission(setup, rng)
    coverage = make_coverage()
    covered = coverage > 0
    depth = np.where(covered, coverage, FULL_COVERAGE) / FULL_COVERAGE
    noise = noise_field(
        SHAPE, rng=rng, correlation=NOISE_CORRELATION, stripes=NOISE_STRIPES
    )
    background = emission + NOISE * noise / np.sqrt(depth)
    forbidden = binary_dilation(~covered, iterations=16)
    x, y, flux = choose_sources(background, forbidden, setup, inject, rng)
    image = inject(background, x, y, flux)
    image[~covered] = 0.0

    wcs = make_wcs(setup)
    planes = {
        'image': (np.round(image / STEP) * STEP, 'Jy/pixel'),
        'coverage': (coverage, 's'),
        'emission': (np.round(emission / STEP) * STEP, 'Jy/pixel'),
    }
    primary = fits.PrimaryHDU()
    primary.header['INSTRUME'] = ('PACS', 'that is simulated')
    primary.header['OBJECT'] = ('simulated', 'not an observation')
    primary.header['WAVELNTH'] = (100.0, 'micron')
    primary.header['OBS_MODE'] = ('Scan map', 'the mode of its setup')
    primary.header['CREATOR'] = 'photutils-pconv make_demo_map'
    hdus = fits.HDUList([primary])
    for name, (values, unit) in planes.items():
        header = wcs.to_header()
        header['BUNIT'] = unit
        hdus.append(fits.ImageHDU(values.astype(np.float32), header, name=name))

    sky = wcs.pixel_to_world(x, y)
    table = QTable()
    table['ra'] = sky.ra.deg.round(8) * u.deg
    table['dec'] = sky.dec.deg.round(8) * u.deg
    table['flux'] = (1000.0 * flux).round(1) * u.mJy
    table['x'] = x
    table['y'] = y
    table.meta['setup'] = setup.name
    table.meta['psf'] = {
        name: [float(value) for value in getattr(psf, name)]
        for name in ('sigmas', 'weights', 'lobes')
    }
    table.meta['psf_angle'] = PSF_ANGLE
    table.meta['seed'] = SEED
    return hdus, table


def write_demo(folder):
    """
    Write the two files.
    """
    hdus, table = make_demo()
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    # Without the time, so that the same map makes the same file.
    data = gzip.compress(buffer.getvalue(), compresslevel=9, mtime=0)
    (folder / 'demo.fits.gz').write_bytes(data)
    table.write(folder / 'demo_sources.ecsv', format='ascii.ecsv', overwrite=True)


def main():
    """
    Run the script.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('-o', '--output', type=Path, default=FOLDER)
    write_demo(parser.parse_args().output)


if __name__ == '__main__':
    main()
