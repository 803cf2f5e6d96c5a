# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the command ``photutils-pconv compare``.
"""

import pytest
from astropy.table import QTable

from photutils_pconv import cli
from photutils_pconv.cli import _compare
from photutils_pconv.datasets import load_demo

CONFIG = """
[data]
setups = ['scanmap/green']
sampler = { n_fields = 3, n_noise = 1, n_stamps = 1, field_size = 128 }
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a configuration and a folder of maps."""
    (tmp_path / 'maps').mkdir()
    (tmp_path / 'config.toml').write_text(CONFIG)
    load_demo()[0].write(tmp_path / 'maps' / 'demo.fits')
    return tmp_path


def test_compare(folder, capsys, monkeypatch):
    pytest.importorskip('matplotlib')
    monkeypatch.setattr(_compare, '_N_MAPS', 6)
    arguments = ['compare', str(folder / 'config.toml'), str(folder / 'maps')]
    arguments += ['-o', str(folder / 'out'), '--side', '128']
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    assert 'slope' in printed
    assert 'covered' in printed
    table = QTable.read(folder / 'out' / 'comparison.ecsv')
    assert 'slope' in table['figure']
    assert (folder / 'out' / 'comparison.png').stat().st_size > 1000


def test_no_maps(folder, capsys):
    (folder / 'none').mkdir()
    arguments = ['compare', str(folder / 'config.toml'), '-o', str(folder / 'out')]
    for path, what in (('none', 'no FITS file'), ('lost.fits', 'no such file')):
        assert cli.main([*arguments, str(folder / path)]) == 1
        assert what in capsys.readouterr().err
