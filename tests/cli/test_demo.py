# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv demo``, in this process."""

import os

import pytest
from astropy.table import QTable

from photutils_pconv.cli import main


@pytest.fixture(autouse=True)
def _needs_matplotlib():
    pytest.importorskip('matplotlib')


def test_files_and_table(tmp_path, capsys, assert_one_line):
    folder = tmp_path / 'demo'
    assert main(['demo', '-o', str(folder)]) == 0
    out, _ = capsys.readouterr()
    assert sorted(os.listdir(folder)) == [
        'cleaned.fits',
        'photometry.ecsv',
        'removal.png',
    ]
    assert 'measured / injected flux' in out
    rows = [line.split() for line in out.splitlines() if ' - ' in line]
    assert len(rows) >= 3
    table = QTable.read(folder / 'photometry.ecsv')
    assert sum(int(row[3]) for row in rows) == len(table)
    # SNR: low, dash, high, sources, then median and range of each method
    assert all(len(row) == 10 for row in rows)
    for row in rows[1:]:
        assert 0.95 < float(row[4]) < 1.05
    assert 'reconstructed emission: off by' in out

    assert main(['demo', '-o', str(folder)]) == 1
    assert_one_line('removal.png', '--overwrite')


def test_quiet(tmp_path, capsys):
    arguments = ['demo', '-o', str(tmp_path), '--quiet', '--overwrite']
    assert main([*arguments, '--model', 'pacs']) == 0
    assert capsys.readouterr() == ('', '')


def test_options_of_a_removal(tmp_path, capsys):
    """With a PSF its fluxes have columns too; of several apertures one is shown."""
    arguments = ['demo', '-o', str(tmp_path), '--psf', 'setup', '--no-progress-bar']
    arguments += ['--error-method', 'card', '--aperture-radii', '6', '9']
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ''
    lines = out.splitlines()
    header = next(line for line in lines if 'injected' in line)
    assert header.split()[-3:] == ['flux', 'aperture', 'annulus']
    rows = [line.split() for line in lines if ' - ' in line]
    for row in rows[1:]:
        assert len(row) == 10
        # The PSF of the demo's sources is not quite the setup's.
        assert 0.9 < float(row[8]) < 1.1
    meta = QTable.read(tmp_path / 'photometry.ecsv').meta
    assert meta['psf'] == 'setup'
    assert meta['error_method'] == 'card'
    assert meta['aperture_radii_arcsec'] == [6.0, 9.0]
    # The encircled energies stay those of the demo's sources.
    assert meta['aperture_corrections'] == 'user'


@pytest.mark.parametrize('option', ['--mode', '--setup', '--aperture-corrections'])
def test_the_map_has_its_setup(option, tmp_path, capsys):
    with pytest.raises(SystemExit) as info:
        main(['demo', '-o', str(tmp_path), option, 'real'])
    assert info.value.code == 2
    assert 'unrecognized arguments' in capsys.readouterr().err
