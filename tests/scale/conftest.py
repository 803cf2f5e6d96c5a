# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures for many maps: a folder of them, and what one remover makes of each."""

from types import SimpleNamespace

import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from numpy.testing import assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.inputs import read_source_table
from photutils_pconv.network import save_model

FACTORS = {'a': 1.0, 'b': 2.0, 'c': 3.0, 'd': 4.0}


@pytest.fixture(scope='package')
def many(make_scene, flat_model, tmp_path_factory):
    """
    Return a folder of four maps with catalogues, and how they are cleaned.

    Its results are those of one remover after the other.
    """
    folder = tmp_path_factory.mktemp('many')
    scene = make_scene(
        [40.3, 50.8], [35.1, 60.7], [5.0, 0.3], sky=2e-3, noise=1e-4, shape=(90, 100)
    )
    sky = scene.wcs.pixel_to_world(scene.x, scene.y)
    for name, factor in FACTORS.items():
        data = factor * scene.data
        ccd = CCDData(data, unit='Jy/pix', wcs=scene.wcs, meta={'WAVELNTH': 100.0})
        ccd.write(folder / f'{name}.fits')
        Table({'ra': sky.ra.deg, 'dec': sky.dec.deg}).write(folder / f'{name}.csv')
    model = folder / 'flat.safetensors'
    save_model(model, flat_model.network, flat_model.card)
    options = {'error_method': 'card', 'model': str(model)}
    remover = NeuralSourceRemover('scanmap', 'green', **options)
    results = {
        name: remover(
            folder / f'{name}.fits', read_source_table(folder / f'{name}.csv')
        )
        for name in FACTORS
    }
    return SimpleNamespace(folder=folder, options=options, results=results)


@pytest.fixture(scope='package')
def assert_written(many):
    """Return a function: the files of a map are those of the remover, to the bit."""

    def check(output, name):
        result = many.results[name]
        with fits.open(output / name / 'cleaned.fits') as hdus:
            assert_array_equal(hdus[0].data, result.cleaned.data)
            assert_array_equal(hdus['SOURCES'].data, result.sources.data)
        table = QTable.read(output / name / 'photometry.ecsv')
        assert table.colnames == result.photometry.colnames
        for column in set(table.colnames) - {'sky_center'}:
            assert_array_equal(table[column], result.photometry[column])

    return check
