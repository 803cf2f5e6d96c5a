# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the command ``stars``."""

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.testing import assert_allclose

from photutils_pconv.cli.entry import run
from photutils_pconv.psf.library import get_psf
from photutils_pconv.simulation import inject_sources

# eps Lep at 100 micron, as its reference flux (Table 5) is measured by PACS.
CENTER, FLUX = (76.365, -22.371), 0.5762 * 1.033


@pytest.fixture
def stars(files):
    """A folder with the map of a star whose header does not tell the band."""
    shape = (120, 130)
    data = 1e-3 + np.random.default_rng(2).normal(0, 1e-6, shape)
    data = inject_sources(
        data, 64.5, 59.5, FLUX, psf=get_psf('scanmap/green'), pixel_scale=1.6
    )
    folder = files / 'stars'
    folder.mkdir()
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = CENTER
    wcs.wcs.crpix = 65.5, 60.5
    wcs.wcs.cdelt = -1.6 / 3600, 1.6 / 3600
    CCDData(data, unit='Jy/pix', wcs=wcs).write(folder / 'eps_lep.fits')
    return folder


def call(*more):
    return run(['stars', 'stars', '--model', 'flat.safetensors', '--methods', *more])


@pytest.mark.usefixtures('stars')
class TestStars:
    def test_table(self, files, capsys):
        assert call('--band', 'green', '-o', 'out', '--plot') == 0
        out, err = capsys.readouterr()
        assert err == ''
        lines = out.splitlines()
        (row,) = (line for line in lines if line.startswith('eps Lep'))
        cells = row.split('|')[2].split()
        assert [cells[0], *cells[3:]] == ['576.2', '578.6', '1.004']
        assert_allclose(float(cells[2]), 1.0, atol=0.07)
        names = ('table_5.ecsv', 'standard_stars.ecsv', 'standard_stars.png')
        assert lines[-3:] == [f'out/{name}' for name in names]
        assert sorted(path.name for path in (files / 'out').iterdir()) == sorted(names)
        table, measured = (QTable.read(files / 'out' / name) for name in names[:2])
        assert_allclose(table['flux_green'], measured['flux'])
        assert_allclose(measured['colour_correction'], 1.033, atol=5e-4)

    def test_without_colour(self, capsys):
        ratios = []
        for more in ([], ['--colour-correction', 'none']):
            assert call('--band', 'green', '--quiet', *more) == 0
            row = capsys.readouterr().out.splitlines()[-1]
            ratios.append(float(row.split('|')[2].split()[2]))
        assert_allclose(ratios[1] / ratios[0], 1.033, atol=2e-3)

    def test_the_band_is_asked_for(self, files, assert_one_line):
        assert call('-o', 'out') == 1
        assert_one_line('eps_lep.fits', 'names no band', '--band', 'red (160)')
        assert not (files / 'out').exists()

    def test_wrong_usage(self, capsys):
        with pytest.raises(SystemExit, match='2'):
            call('--plot')
        assert '--plot and --overwrite need --output' in capsys.readouterr().err

    def test_existing_files_are_kept(self, files, assert_one_line):
        (files / 'out').mkdir()
        (files / 'out/table_5.ecsv').write_text('mine')
        assert call('--band', 'green', '-o', 'out') == 1
        assert_one_line('table_5.ecsv would be overwritten')
        assert (files / 'out/table_5.ecsv').read_text() == 'mine'


def test_evaluate_leaves_no_folders(files, stars, assert_one_line):
    """A map whose band is not known stops the evaluation before it writes."""
    assert run(['evaluate', '--no-fields', '--stars', 'stars', '-o', 'out', '--quiet'])
    assert_one_line('eps_lep.fits', 'names no band')
    assert not (files / 'out').exists()
