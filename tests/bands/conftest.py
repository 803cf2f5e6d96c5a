# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures for bands: one field in three bands, and fast removers."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.psf import get_psf
from tests.conftest import make_wcs

BANDS = ('blue', 'green', 'red')
FLUXES = {'blue': 0.4, 'green': 0.6, 'red': 1.0}


@pytest.fixture(scope='package')
def field(make_scene):
    """
    Return four sources in three bands; the fourth is on the blue map alone.

    The red pixels are twice as large. ``sky`` is where they are, and the catalogue
    is off by half an arcsec.
    """
    x = np.array([55.3, 105.8, 75.2, 160.0])
    y = np.array([60.6, 70.2, 112.4, 160.0])
    shapes = {'blue': (170, 170), 'green': (140, 140), 'red': (70, 70)}
    maps, wcs = {}, {}
    for band, shape in shapes.items():
        scale = 3.2 if band == 'red' else 1.6
        wcs[band] = make_wcs(scale=scale, shape=shape)
        sky = wcs['blue'].pixel_to_world(x, y)
        at = np.array(wcs[band].world_to_pixel(sky))
        inside = ((at > 0) & (at < shape[0])).all(axis=0)
        scene = make_scene(
            *at[:, inside],
            FLUXES[band],
            setup=f'scanmap/{band}',
            shape=shape,
            noise=2e-4,
            psf=get_psf(f'scanmap/{band}'),
            seed=len(band),
        )
        maps[band] = CCDData(scene.data, unit='Jy/pix', wcs=wcs[band])
    given = wcs['blue'].pixel_to_world(x + 0.3, y)
    return SimpleNamespace(
        maps=maps, sky=sky, catalogue=QTable({'sky_center': given}), flux=FLUXES
    )


@pytest.fixture(scope='package')
def removers(flat_psf_model):
    """Return a fast remover for each band."""
    return {
        band: NeuralSourceRemover(
            'scanmap', band, model=flat_psf_model, error_method='card'
        )
        for band in BANDS
    }
