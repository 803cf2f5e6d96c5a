# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of a result in files of other programs: tables, UCDs, regions."""

import json
import os
import subprocess
import sys

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import parse
from astropy.io.votable.ucd import check_ucd
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs import parse_sources
from photutils_pconv.removal.pipeline import run_removal
from photutils_pconv.removal.table import _UCDS
from photutils_pconv.removal.table_files import TABLE_FORMATS, write_table


@pytest.fixture(scope='module')
def scene(make_scene):
    """A scene with a source beside the map."""
    return make_scene(
        [30.25, 75.5, 500.0], [40.0, 60.0, 9.0], [2.0, 0.3, 0.0], shape=(90, 110)
    )


@pytest.fixture(scope='module')
def remove(scene, make_settings, make_inputs):
    """Remove the sources from the map, with or without a unit and a WCS."""

    def remove(data):
        settings = make_settings(
            error_method='local', psf='setup', aperture_radii=[6, 8], method='inpaint'
        )
        inputs = make_inputs(scene, data=data)
        with pytest.warns(AstropyUserWarning, match='1 of 3 sources lie outside'):
            return run_removal(settings, *inputs)

    return remove


@pytest.fixture(scope='module')
def result(remove, scene):
    return remove(CCDData(scene.data, unit='MJy/sr', wcs=scene.wcs))


@pytest.fixture(scope='module')
def plain(remove, scene):
    """The result on an array: without unit and WCS."""
    return remove(scene.data)


@pytest.mark.parametrize('ucd', sorted(set(_UCDS.values())))
def test_ucds_are_those_of_the_ivoa(ucd):
    assert check_ucd(ucd, check_controlled_vocabulary=True)


class TestTables:
    @pytest.mark.parametrize('form', TABLE_FORMATS)
    def test_round_trip(self, result, tmp_path, form):
        """Values, units, descriptions and UCDs come back from all formats."""
        path = tmp_path / f'a{TABLE_FORMATS[form]}'
        write_table(result.photometry, path, form)
        table = QTable.read(path, format='ascii.ecsv' if form == 'ecsv' else form)
        for name in result.photometry.colnames:
            if name == 'sky_center':
                continue
            old, new = result.photometry[name], table[name]
            assert getattr(new, 'unit', None) == getattr(old, 'unit', None), name
            values = getattr(new, 'unmasked', new)
            if hasattr(new, 'filled') and new.dtype.kind == 'f':
                values = new.filled(np.nan)
            assert_allclose(
                u.Quantity(values), u.Quantity(old), rtol=1e-12, err_msg=name
            )
            # XML breaks lines.
            description = ' '.join(new.info.description.split())
            assert description == old.info.description
            assert new.info.meta['ucd'] == old.info.meta['ucd']
        expected = result.photometry['sky_center'].icrs
        if form == 'ecsv':
            found = table['sky_center'].icrs
        else:
            found = SkyCoord(table['ra'], table['dec'])
        assert np.all(found.separation(expected) < 1e-6 * u.arcsec)

    def test_fits_without_astropy(self, result, tmp_path):
        """Keywords that other programs read."""
        write_table(result.photometry, tmp_path / 'a.fits', 'fits')
        header = fits.getheader(tmp_path / 'a.fits', 'PHOTOMETRY')
        columns = {header[f'TTYPE{k}']: k for k in range(1, header['TFIELDS'] + 1)}
        assert header[f'TUCD{columns["ra"]}'] == 'pos.eq.ra;meta.main'
        assert header[f'TUNIT{columns["dec"]}'] == 'deg'
        assert header[f'TUNIT{columns["flux"]}'] == 'Jy'
        assert header[f'TUCD{columns["flux_err"]}'].startswith('stat.error')
        assert 'of the PSF' in header[f'TCOMM{columns["flux"]}']
        assert 'setup = scanmap/green' in list(header['COMMENT'])

    def test_votable(self, result, tmp_path):
        write_table(result.photometry, tmp_path / 'a.vot', 'votable')
        table = parse(tmp_path / 'a.vot', verify='exception').get_first_table()
        fields = {field.name: field for field in table.fields}
        assert fields['ra'].ucd == 'pos.eq.ra;meta.main'
        assert fields['flux_aperture_1'].ucd == 'phot.flux.density'
        assert fields['local_bkg'].unit == u.Unit('MJy/sr')
        infos = {info.name: info.value for info in table.infos}
        assert infos['setup'] == 'scanmap/green'
        assert json.loads(infos['versions']) == result.photometry.meta['versions']
        assert json.loads(infos['aperture_radii_arcsec']) == [6.0, 8.0]

    @pytest.mark.parametrize('form', TABLE_FORMATS)
    def test_without_unit_and_wcs(self, plain, tmp_path, form):
        path = tmp_path / f'a{TABLE_FORMATS[form]}'
        write_table(plain.photometry, path, form)
        table = QTable.read(path, format='ascii.ecsv' if form == 'ecsv' else form)
        assert table.colnames == plain.photometry.colnames
        assert_allclose(table['flux'][:2], plain.photometry['flux'][:2])


class TestRegions:
    def test_on_the_sky(self, result, tmp_path, scene):
        regions = pytest.importorskip('regions')
        found = result.to_regions()
        assert [one.meta['text'] for one in found] == ['1', '2']
        radius = result.photometry['hole_radius'][:2]
        assert_allclose(u.Quantity([one.radius for one in found]).value, 1.6 * radius)
        # What DS9 is given marks the pixels of the holes.
        found.write(tmp_path / 'a.reg', format='ds9')
        drawn = regions.Regions.read(tmp_path / 'a.reg', format='ds9')
        again = parse_sources(tmp_path / 'a.reg', wcs=scene.wcs)
        assert_allclose([again.x, again.y], [scene.x[:2], scene.y[:2]], atol=1e-2)
        for one, x, y, r in zip(drawn, scene.x, scene.y, radius, strict=False):
            circle = one.to_pixel(scene.wcs)
            assert_allclose([circle.center.x, circle.center.y], [x, y], atol=1e-2)
            assert_allclose(circle.radius, r, rtol=1e-3)

    def test_on_pixels(self, plain, scene):
        pytest.importorskip('regions')
        found = plain.to_regions()
        assert_array_equal([one.center.x for one in found], scene.x[:2])
        radii = [one.radius for one in found]
        assert_array_equal(radii, plain.photometry['hole_radius'][:2])


#: Writes and reads rows of all lengths around 256, 512 and 1024 bytes.
ROWS = """
import sys
from astropy.table import QTable
from photutils_pconv.removal.table_files import write_table
table = QTable({'name': ['a' * n for n in range(200, 1040)]})
write_table(table, sys.argv[1], 'votable')
assert list(QTable.read(sys.argv[1], format='votable')['name']) == list(table['name'])
"""


@pytest.mark.slow
def test_rows_of_any_length_fit_into_a_votable(tmp_path):
    """Python's own check of memory ends a process that writes beyond what it has."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', ROWS, str(tmp_path / 'table.vot')],
        env={**os.environ, 'PYTHONMALLOC': 'debug'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class TestWrite:
    def test_all_of_it(self, result, tmp_path):
        pytest.importorskip('regions')
        paths = result.write(
            tmp_path, table_formats=['votable', 'fits', 'fits'], regions=True
        )
        expected = ['cleaned.fits', 'photometry.vot', 'photometry.fits', 'holes.reg']
        assert [path.name for path in paths] == expected
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(expected)
        assert 'circle' in (tmp_path / 'holes.reg').read_text()
        with pytest.raises(FileExistsError, match=r'photometry\.vot'):
            result.write(tmp_path, table_formats='votable')

    @pytest.mark.parametrize(
        ('options', 'match'),
        [
            ({'table_formats': 'csv'}, "table_formats must be one of .'ecsv', 'fits'"),
            ({'table_formats': []}, 'some of ecsv, fits, votable'),
        ],
    )
    def test_refused(self, result, tmp_path, options, match):
        with pytest.raises(ValueError, match=match):
            result.write(tmp_path / 'out', **options)
        assert not (tmp_path / 'out').exists()

    def test_regions_without_the_package(self, result, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__('sys').modules, 'regions', None)
        with pytest.raises(ImportError, match=r'photutils-pconv\[regions\]'):
            result.write(tmp_path / 'out', regions=True)
        assert not (tmp_path / 'out').exists()
