# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv simulate``, in this process."""

import os

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.table import Table
from astropy.wcs import WCS

from photutils_pconv.cli import main
from photutils_pconv.inputs.maps import parse_map

GREEN = ['--mode', 'scanmap', '--band', 'green']
FLUXES = ['--min-flux', '40', '--max-flux', '100']


def simulate(*options):
    return main(['simulate', *options, *GREEN, *FLUXES, '-o', 'out'])


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def map_file(in_folder):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ['RA---TAN', 'DEC--TAN']
    wcs.wcs.crval = [10.0, 20.0]
    wcs.wcs.crpix = [80.0, 80.0]
    wcs.wcs.cdelt = [-1.6 / 3600, 1.6 / 3600]
    image = CCDData(np.ones((160, 160)), unit='Jy/pix', wcs=wcs).to_hdu()[0]
    image = fits.ImageHDU(image.data, image.header, name='image')
    coverage = np.full((160, 160), 7.0)
    coverage[:20] = 0
    primary = fits.PrimaryHDU()
    primary.header['OBSID001'] = 1342
    hdus = [primary, image, fits.ImageHDU(coverage, name='coverage')]
    fits.HDUList(hdus).writeto('map.fits')
    return 'map.fits'


def test_levels_in_a_map(map_file, capsys):
    assert simulate(map_file, '--n-sources', '4', '--levels') == 0
    out, err = capsys.readouterr()
    assert err == ''
    assert out.splitlines() == [
        f'{os.path.join("out", f"1342_L2_5_sim{n}.fits")}: 4 sources'
        for n in (1, 2, 3, 4)
    ]
    for number, flux in enumerate((40, 60, 80, 100), start=1):
        table = Table.read(f'out/1342_L2_5_sim{number}.csv')
        assert table.colnames == ['ra', 'dec', 'flux']
        assert set(table['flux']) == {flux}
        found = parse_map(f'out/1342_L2_5_sim{number}.fits')
        assert found.missing[:20].all()
        assert not found.missing[20:].any()
    with fits.open('out/1342_L2_5_sim1.fits') as hdus:
        assert hdus['coverage'].data.max() == 7


def test_random_flux_in_a_simulated_field(capsys):
    options = ['--random-flux', '--size', '200', '--rotation', 'source']
    assert simulate(*options, '--seed', '3', '--quiet') == 0
    assert capsys.readouterr() == ('', '')
    assert sorted(os.listdir('out')) == [
        'field3_L2_5_sim1.csv',
        'field3_L2_5_sim1.fits',
    ]
    table = Table.read('out/field3_L2_5_sim1.csv')
    assert len(set(table['flux'])) == len(table)
    assert 40 <= min(table['flux']) < max(table['flux']) <= 100
    first = parse_map('out/field3_L2_5_sim1.fits')
    assert first.shape == (200, 200)

    assert simulate(*options, '--seed', '3', '--obsid', 'again', '--quiet') == 0
    again = parse_map('out/again_L2_5_sim1.fits')
    assert np.array_equal(first.data, again.data, equal_nan=True)


def test_existing_files_are_kept(map_file, capsys):
    options = [map_file, '--random-flux', '--n-sources', '2', '--quiet']
    assert simulate(*options) == 0
    assert simulate(*options) == 1
    assert '--overwrite' in capsys.readouterr().err
    assert simulate(*options, '--overwrite') == 0


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--size', '100'], '--size is for a simulated field'),
        (['--n-sources', '900'], 'of 900 positions fit'),
        (['--min-flux', '200'], 'No flux level'),
        (['--seed', '-1'], '--seed'),
        (['--psf', 'none.fits'], 'none.fits'),
        (['-o', 'map.fits'], 'is a file'),
    ],
)
def test_errors_in_one_line(map_file, capsys, options, words):
    arguments = ['simulate', map_file, *GREEN, *FLUXES, '-o', 'out', *options]
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert err.count('\n') == 1
    assert words in err
    assert not os.path.exists('out')
