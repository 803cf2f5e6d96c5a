# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of setups on the command line: the command, and files for --setup."""

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from photutils_pconv import ObservingSetup, get_setup, list_setups
from photutils_pconv.cli import main

MAKE = ['setups', '--psf', '18', '--pixel-scale', '6', '--wavelength', '250']


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_list(capsys):
    assert main(['setups']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(list_setups())
    assert 'Airy pattern' in next(line for line in lines if 'spire/250' in line)


def test_show(capsys):
    assert main(['setups', 'scuba2/850']) == 0
    values = json.loads(capsys.readouterr().out)
    assert 'scuba2/450' in values['references']
    assert values['wavelength_um'] == 850


def test_make(folder, capsys):
    assert main([*MAKE, '-o', 'mine.json', '--instrument', 'camera']) == 0
    assert capsys.readouterr().out.split() == ['mine.json', 'mine_psf.fits']
    setup = get_setup(setup='mine.json')
    expected = ObservingSetup.from_psf(
        18 * u.arcsec, pixel_scale=6, wavelength=250, name='mine', instrument='camera'
    )
    assert setup == expected
    # the PSF that was written makes another one
    again = ['setups', '--psf', 'mine_psf.fits', '--name', 'other', '-o', 'other.json']
    assert main(again) == 0
    assert get_setup(setup='other.json').name == 'other'
    capsys.readouterr()
    assert main(['setups', 'mine.json']) == 0
    assert json.loads(capsys.readouterr().out)['name'] == 'mine'


@pytest.mark.parametrize(
    ('arguments', 'match'),
    [
        (MAKE, 'needs --psf and --output'),
        (['setups', '-o', 'a.json'], 'needs --psf and --output'),
        ([*MAKE, 'scanmap/red', '-o', 'a.json'], 'and no SETUP'),
        ([*MAKE, '-o', 'a.fits'], r'file .json'),
        (['setups', '--psf', 'none.fits', '-o', 'a.json'], 'no PSF file'),
        (['setups', 'nonesuch'], 'Unknown setup'),
    ],
)
def test_errors(arguments, match, folder, capsys):
    try:
        status = main(arguments)
    except SystemExit as exc:
        status = exc.code
    assert status in (1, 2)
    assert match in capsys.readouterr().err
    assert not list(folder.iterdir())


@pytest.fixture
def scene(folder):
    """A simulated map, its sources, and the file of its setup."""
    setup = ObservingSetup.from_psf(18 * u.arcsec, pixel_scale=6, name='mine')
    setup.write(folder / 'mine.json')
    simulate = ['simulate', '--setup', 'mine.json', '--size', '160', '--quiet']
    fluxes = ['--min-flux', '2000', '--max-flux', '2000', '--levels', '--seed', '3']
    fluxes += ['--n-sources', '3', '--separation', '150']
    assert main([*simulate, *fluxes, '-o', 'sky']) == 0
    (table,) = folder.glob('sky/*.csv')
    (image,) = folder.glob('sky/*.fits')
    return image, table


@pytest.mark.parametrize(
    'options', [['--setup', 'mine.json'], ['--psf', 'mine_psf.fits']]
)
def test_a_file_serves_as_a_setup(scene, folder, options):
    image, table = map(str, scene)
    fast = ['--error-method', 'card', '--quiet']
    assert main(['remove', image, table, *options, *fast, '-o', 'out']) == 0
    photometry = QTable.read(folder / 'out/photometry.ecsv')
    # The noise of a simulation goes by its fluxes.
    error = photometry['flux_err'].to_value('Jy')
    assert np.all(error < 0.15)
    assert np.all(np.abs(photometry['flux'].to_value('Jy') - 2.0) < 3 * error)
