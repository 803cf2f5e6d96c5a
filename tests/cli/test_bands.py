# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv bands``, in this process."""

import argparse
import inspect
import os

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from numpy.testing import assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.bands import remove_bands
from photutils_pconv.cli import _bands, main

COMMON = ('--mode', 'scanmap', '--model', 'flat.safetensors', '--error-method', 'card')


def bands(*options, maps=('blue=map.fits', 'green=map.fits'), common=COMMON):
    return main(['bands', *maps, 'sources.csv', '-o', 'out', *common, *options])


def test_same_as_in_python(files, capsys):
    assert bands('--position-band', 'green', '--match-resolution') == 0
    out, err = capsys.readouterr()
    names = ['photometry.ecsv']
    for band in ('blue', 'green'):
        names += [
            os.path.join(band, name)
            for name in ('cleaned.fits', 'photometry.ecsv', 'matched.fits')
        ]
    lines = out.splitlines()
    assert lines[:7] == [os.path.join('out', name) for name in names]
    assert lines[7].startswith('blue: 2 of 2 sources measured, ')
    assert 'bands: 100%' in err
    expected = remove_bands(
        {'blue': 'map.fits', 'green': 'map.fits'},
        Table.read('sources.csv'),
        removers={
            band: NeuralSourceRemover(
                'scanmap', band, model='flat.safetensors', error_method='card'
            )
            for band in ('blue', 'green')
        },
        position_band='green',
    )
    table = QTable.read('out/photometry.ecsv')
    assert table.colnames == expected.photometry.colnames
    for name in set(table.colnames) - {'sky_center', 'sky_tied'}:
        assert_array_equal(table[name], expected.photometry[name])
    for band, one in expected.match_resolution().items():
        written = CCDData.read(f'out/{band}/matched.fits')
        assert_array_equal(written.data, one.data)
        assert written.unit == one.unit
        assert written.header['RESOLUT'] == 'green'


def test_setups_as_names(files, capsys):
    """Without a mode, and quietly."""
    common = ('--model', 'flat.safetensors', '--error-method', 'card')
    status = bands('--quiet', maps=['scanmap/green=map.fits'], common=common)
    assert (status, *capsys.readouterr()) == (0, '', '')
    assert sorted(os.listdir('out')) == ['photometry.ecsv', 'scanmap_green']
    assert np.isfinite(QTable.read('out/photometry.ecsv')['flux_scanmap/green']).all()


def test_every_keyword_is_an_option():
    parser = _bands.add_parser(argparse.ArgumentParser().add_subparsers())
    options = {action.dest for action in parser._actions}
    keywords = set(inspect.signature(remove_bands).parameters)
    # What the files and the options of a removal stand for.
    keywords -= {'sources', 'removers', 'wcs', 'hdu', 'mask', 'error', 'coverage_mask'}
    assert keywords <= options
    assert {'map_hdu', 'mask_hdu', 'error_hdu', 'method', 'psf'} <= options


@pytest.mark.parametrize(
    ('maps', 'options', 'words'),
    [
        (['blue=none.fits'], [], ['none.fits', 'does not exist']),
        (['pink=map.fits'], [], ["pink: Unknown band 'pink'"]),
        (['blue=map.fits', 'blue=b.fits'], [], ['blue is given twice']),
        (['blue=map.fits'], ['--position-band', 'red'], ["got 'red'"]),
        (['blue=map.fits'], ['--match-resolution', 'red'], ['must be one of blue']),
        (['blue=map.fits'], ['--n-workers', '0'], ['n_workers']),
    ],
)
def test_errors_are_told(files, assert_one_line, maps, options, words):
    assert bands(*options, maps=maps) == 1
    assert_one_line(*words)
    assert not os.path.exists('out')


def test_no_band(files, capsys):
    with pytest.raises(SystemExit, match='2'):
        bands(maps=['map.fits'])
    assert "'map.fits' is not BAND=MAP" in capsys.readouterr().err


def test_overwrite(files, assert_one_line):
    os.makedirs('out/blue')
    (files / 'out/blue/matched.fits').write_text('')
    assert bands('--match-resolution') == 1
    assert_one_line('matched.fits', '--overwrite')
    assert os.listdir('out') == ['blue']
