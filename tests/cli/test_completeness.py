# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv completeness``, in this process."""

import argparse
import inspect
import os

import numpy as np
import pytest
from astropy.table import QTable, Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.cli import _completeness, main
from photutils_pconv.completeness import correct_errors, measure_completeness

FLUXES = ['0.5', '2.0']


def completeness(*options, fluxes=FLUXES):
    return main(
        [
            'completeness',
            *('map.fits', 'sources.csv', '-o', 'out'),
            *('--mode', 'scanmap', '--band', 'green', '--model', 'flat.safetensors'),
            *('--error-method', 'card', '--n-per-flux', '4', '--separation', '40'),
            *('--fluxes', *fluxes, *options),
        ]
    )


@pytest.fixture
def expected(files):
    """What Python gives with the same options."""
    remover = NeuralSourceRemover(
        'scanmap', 'green', model='flat.safetensors', error_method='card'
    )
    sources = Table.read('sources.csv')
    found = measure_completeness(
        'map.fits',
        sources,
        remover=remover,
        fluxes=[0.5, 2.0],
        n_per_flux=4,
        separation=40.0,
    )
    return found, correct_errors(remover('map.fits', sources).photometry, found)


def test_same_as_in_python(expected, capsys):
    found, photometry = expected
    assert completeness('--correct-errors') == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    names = ['completeness.ecsv', 'injected.ecsv', 'photometry.ecsv']
    names += ['completeness.png']
    assert lines[:4] == [os.path.join('out', name) for name in names]
    assert lines[4].startswith('8 sources injected in')
    assert lines[5].startswith('50 percent complete: ')
    assert lines[-1].startswith('true over claimed error: ')
    assert 'completeness: 100%' in err
    assert sorted(os.listdir('out')) == sorted(names)
    for name, table in (
        ('completeness', found.to_table()),
        ('injected', found.sources),
        ('photometry', photometry),
    ):
        written = QTable.read(f'out/{name}.ecsv')
        assert written.colnames == table.colnames
        for column in set(table.colnames) - {'sky_center'}:
            assert_array_equal(written[column], table[column], err_msg=column)
    with open('out/completeness.png', 'rb') as file:
        assert file.read(4) == b'\x89PNG'


def test_every_keyword_is_an_option():
    parser = _completeness.add_parser(argparse.ArgumentParser().add_subparsers())
    options = {action.dest for action in parser._actions}
    keywords = set(inspect.signature(measure_completeness).parameters)
    # What the files, the options of a removal, and the shell stand for.
    keywords -= {'data', 'sources', 'remover', 'psf', 'threshold', 'hdu', 'wcs'}
    keywords -= {'executor'}
    assert keywords <= options
    assert {'detection_threshold', 'injected_psf', 'map_hdu', 'method'} <= options


def test_places_and_quiet(files, capsys):
    Table({'x': [30.0, 110.0], 'y': [30.0, 20.0]}).write('places.csv')
    assert completeness('--places', 'places.csv', '--quiet', '--no-plot') == 0
    assert capsys.readouterr() == ('', '')
    injected = QTable.read('out/injected.ecsv')
    assert_allclose(np.unique(injected['x_true']), [30, 110])
    assert not os.path.exists('out/completeness.png')


def test_overwrite(files, assert_one_line):
    os.mkdir('out')
    Table({'a': [1]}).write('out/injected.ecsv')
    assert completeness() == 1
    assert_one_line('injected.ecsv', '--overwrite')
    assert os.listdir('out') == ['injected.ecsv']


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--n-per-flux', '0'], 'n_per_flux must be a positive integer'),
        (['--clearance', '900'], 'no room for injected sources'),
        (['--position-error=-1'], 'position_error must be'),
        (['--injected-psf', 'none.fits'], 'none.fits'),
    ],
)
def test_errors_are_told(files, assert_one_line, options, words):
    assert completeness(*options, '--quiet') == 1
    assert_one_line(words)
    assert not os.path.exists('out')
