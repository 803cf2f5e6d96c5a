# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of maps that are larger than the memory: read and written block by block.
"""

import mmap
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.testing import assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv._utils.scratch import copy_to_scratch, make_zeros
from photutils_pconv.cli import main
from photutils_pconv.psf import PixelPSF, get_psf
from photutils_pconv.setups import get_setup

SIDE = 560
SETUP = 'scanmap/green'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A map with uncovered and missing pixels, and its sources."""
    folder = tmp_path_factory.mktemp('large')
    rng = np.random.default_rng(5)
    data = rng.normal(0.01, 0.002, (SIDE, SIDE))
    psf = PixelPSF(get_psf(get_setup(setup=SETUP)), 1.6)
    places = [(150.2, 200.7), (400.0, 170.4)]
    for x, y in places:
        region = tuple(slice(int(one) - 59, int(one) + 60) for one in (y, x))
        data[region] += 2.0 * psf.draw(region, x, y)
    data[300:310, 500:520] = np.nan
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval, wcs.wcs.crpix = (30.0, 10.0), (SIDE / 2, SIDE / 2)
    wcs.wcs.cdelt = -1.6 / 3600.0, 1.6 / 3600.0
    header = wcs.to_header()
    header['BUNIT'] = 'Jy/pixel'
    coverage = np.ones((SIDE, SIDE), dtype=np.float32)
    coverage[:, :12] = 0.0
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(data.astype(np.float32), header, name='image'),
            fits.ImageHDU(coverage, name='coverage'),
        ]
    ).writeto(folder / 'map.fits')
    table = QTable(rows=places, names=['x', 'y'])
    table.write(folder / 'sources.csv')
    return folder


def test_files_are_the_same(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    before = (folder / 'map.fits').read_bytes()
    command = ['remove', 'map.fits', 'sources.csv', '--setup', SETUP, '--regions']
    assert main([*command, '-o', 'memory']) == 0
    assert main([*command, '-o', 'block', '--block']) == 0
    assert (folder / 'map.fits').read_bytes() == before
    assert sorted(os.listdir('block')) == sorted(os.listdir('memory'))
    with (
        fits.open('memory/cleaned.fits') as one,
        fits.open('block/cleaned.fits') as two,
    ):
        assert [hdu.name for hdu in one] == ['PRIMARY', 'SOURCES', 'HOLES', 'MASK']
        assert [hdu.name for hdu in two] == [hdu.name for hdu in one]
        for first, second in zip(one, two, strict=True):
            assert first.data.dtype == second.data.dtype
            assert_array_equal(first.data, second.data)
        # Pixels without coverage keep their values.
        assert np.isfinite(two[0].data[:, :12]).all()
    one, two = (QTable.read(f'{name}/photometry.ecsv') for name in ('memory', 'block'))
    for name in one.colnames:
        assert_array_equal(one[name], two[name])


def test_images_are_in_files(folder, tmp_path):
    remover = NeuralSourceRemover(setup=SETUP, error_method='local')
    result = remover(folder / 'map.fits', folder / 'sources.csv', scratch=tmp_path)
    images = (
        result.cleaned.data,
        result.sources.data,
        result.holes,
        result.map_input.missing,
        result.map_input.data,
    )
    for image in images:
        while isinstance(image.base, np.ndarray):
            image = image.base
        assert isinstance(image, np.memmap)
    # They have no names.
    assert os.listdir(tmp_path) == []


def test_refused(folder, tmp_path):
    remover = NeuralSourceRemover(setup=SETUP)
    with pytest.raises(NotADirectoryError, match='scratch must be a folder'):
        remover(folder / 'map.fits', folder / 'sources.csv', scratch=tmp_path / 'none')


def test_copy(tmp_path):
    image = np.random.default_rng(2).normal(size=(300, 7))
    copied = copy_to_scratch(image, np.float32, tmp_path)
    assert_array_equal(copied, image.astype(np.float32))
    assert not make_zeros((3, 2), bool, tmp_path).any()


@pytest.mark.skipif(not Path('/proc/self/statm').exists(), reason='needs Linux')
@pytest.mark.parametrize('dtype', [bool, np.float32, float])
def test_zeros_take_memory_where_they_are_written_to(dtype):
    """A few rows here and there, not the pages of 2 MB around them."""

    def resident():
        pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
        return pages * mmap.PAGESIZE

    before = resident()
    image = make_zeros((4096, 8192), dtype)
    assert image.dtype == dtype
    for row in range(0, 4096, 128):
        image[row : row + 8, 4000:4060] = 1
    taken = resident() - before
    assert taken < 0.2 * image.nbytes
    assert np.count_nonzero(image) == 32 * 8 * 60
    again = pickle.loads(pickle.dumps(image[:256]))
    np.testing.assert_array_equal(again, image[:256])
