# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv find-sources``, in this process."""

import argparse
import inspect
import os

import pytest
from astropy.table import QTable
from numpy.testing import assert_array_equal

from photutils_pconv.cli import _find_sources, main
from photutils_pconv.finding import find_sources

GREEN = ('--mode', 'scanmap', '--band', 'green')


def find(*options):
    return main(['find-sources', 'map.fits', '-o', 'out/found.ecsv', *GREEN, *options])


def test_same_as_in_python(files, capsys):
    assert find('--threshold', '8', '--no-progress-bar') == 0
    out, err = capsys.readouterr()
    expected = find_sources('map.fits', 'scanmap', 'green', threshold=8)
    path = os.path.join('out', 'found.ecsv')
    assert out.splitlines() == [path, f'{len(expected)} sources']
    assert err == ''
    table = QTable.read(path)
    assert table.colnames == expected.colnames
    for name in set(table.colnames) - {'sky_centroid'}:
        assert_array_equal(table[name], expected[name])


@pytest.mark.parametrize('options', [(), ('--quiet',)])
def test_progress_bar(files, capsys, options):
    assert find('--n-rounds', '1', *options) == 0
    assert ('filtering: ' in capsys.readouterr().err) == (not options)


def test_every_keyword_is_an_option():
    parser = _find_sources.add_parser(argparse.ArgumentParser().add_subparsers())
    defaults = {action.dest: action.default for action in parser._actions}
    keywords = dict(inspect.signature(find_sources).parameters)
    # What the files stand for.
    for name in ('data', 'hdu', 'wcs'):
        del keywords[name]
    assert keywords.keys() <= defaults.keys()
    # The shell shows what goes on.
    assert defaults.pop('progress_bar')
    assert keywords.pop('progress_bar').default is False
    for name, one in keywords.items():
        assert defaults[name] == one.default, name


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--threshold', '0'], 'threshold'),
        (['--n-rounds', '0'], 'n_rounds'),
        (['--psf', 'none.fits'], 'none.fits'),
        (['--mask', 'none.fits'], 'none.fits'),
        (['--setup', 'scanmap/red'], 'not both'),
    ],
)
def test_errors_are_told(files, assert_one_line, options, words):
    assert find(*options) == 1
    assert_one_line(words)
    assert not os.path.exists('out')


def test_setup_of_the_header(files, assert_one_line):
    assert main(['find-sources', 'map.fits', '-o', 'out/found.ecsv']) == 1
    assert_one_line('header does not name the setup')


def test_overwrite(files, assert_one_line):
    os.mkdir('out')
    (files / 'out/found.ecsv').write_text('')
    assert find() == 1
    assert_one_line('found.ecsv', '--overwrite')
    assert (files / 'out/found.ecsv').read_text() == ''
