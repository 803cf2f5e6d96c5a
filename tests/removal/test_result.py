# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of results: their files, and what they compute on demand."""

import os
import stat

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, InverseVariance, StdDevUncertainty
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from astropy.wcs.wcsapi import HighLevelWCSWrapper
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover, SourceRemovalResult
from photutils_pconv._utils.writing import write_atomically
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.values import as_array

SKY = [[83.8, -5.4], [83.83, -5.41]]


@pytest.fixture(scope='module')
def scene(make_scene):
    return make_scene([70.3, 50.8], [55.1, 90.7], [5.0, 0.3], sky=2e-3, noise=1e-4)


@pytest.fixture
def remove(flat_model, scene):
    remover = NeuralSourceRemover('scanmap', 'green', model=flat_model)

    def run(data, **options):
        return remover(data, scene.xy, **options)

    return run


@pytest.fixture
def ccd(scene):
    data = scene.data.copy()
    data[20:25, 30:40] = np.nan
    header = fits.Header()
    header['OBJECT'] = 'Orion'
    header['OBSERVER'] = 'A. Nonymous', 'with a comment'
    header['HIERARCH obsid001'] = 1342
    header.add_comment('taken in the cold')
    header.add_history('scanned')
    return CCDData(data, unit='Jy/pix', wcs=scene.wcs, meta=header)


class TestFiles:
    def test_names(self, remove, ccd, tmp_path):
        folder = tmp_path / 'new' / 'folder'
        result = remove(ccd)
        assert isinstance(result, SourceRemovalResult)
        paths = result.write(folder)
        assert paths == (folder / 'cleaned.fits', folder / 'photometry.ecsv')
        assert sorted(os.listdir(folder)) == ['cleaned.fits', 'photometry.ecsv']

    def test_extensions(self, remove, ccd, scene, tmp_path):
        result = remove(ccd)
        path, _ = result.write(str(tmp_path))
        with fits.open(path) as hdus:
            assert [hdu.name for hdu in hdus] == ['PRIMARY', 'SOURCES', 'HOLES', 'MASK']
            cleaned, sources, holes, mask = (hdu.data for hdu in hdus)
            assert_array_equal(cleaned, result.cleaned.data)
            assert_array_equal(sources, as_array(result.sources))
            assert_array_equal(holes == 1, result.holes)
            assert_array_equal(mask == 1, np.isnan(ccd.data))
            for hdu in hdus:
                hdu.verify('exception')
                wcs = WCS(hdu.header)
                assert_allclose(
                    wcs.pixel_to_world_values(3, 4),
                    scene.wcs.pixel_to_world_values(3, 4),
                    rtol=1e-12,
                )
            for name in ('PRIMARY', 'SOURCES'):
                assert u.Unit(hdus[name].header['BUNIT']) == u.Unit('Jy/pix')

    def test_header(self, remove, ccd, tmp_path):
        result = remove(ccd)
        path, _ = result.write(tmp_path)
        header = fits.getheader(path)
        assert header['OBJECT'] == 'Orion'
        assert header.comments['OBSERVER'] == 'with a comment'
        assert header['obsid001'] == 1342
        assert list(header['COMMENT']) == ['taken in the cold']
        history = list(header['HISTORY'])
        assert history[0] == 'scanned'
        assert '2 compact sources replaced' in ' '.join(history).replace('   ', ' ')
        assert all(len(line) <= 72 for line in history)
        checksum = result.photometry.meta['model_checksum']
        assert checksum[:32] in history[-2]
        assert checksum[32:] in history[-1]

    def test_header_of_a_dict(self, remove, scene, tmp_path):
        """CCDData's own metadata are a dict, of anything."""
        meta = {
            'object': 'Orion',
            'number': np.float32(2.5),
            'nan': np.nan,
            'too long a name': 1,
            'umlaut': 'Mädler',
            'nothing': None,
            'table': {'a': 1},
            'history': ['scanned', 'two\nlines'],
        }
        result = remove(CCDData(scene.data, unit='Jy/pix', meta=meta))
        with pytest.warns(AstropyUserWarning, match='nan, nothing, table, umlaut'):
            paths = result.write(tmp_path)
        header = fits.getheader(paths[0])
        assert header['OBJECT'] == 'Orion'
        assert header['NUMBER'] == 2.5
        assert header['TOO LONG A NAME'] == 1
        assert not {'NAN', 'UMLAUT', 'NOTHING', 'TABLE'} & set(header)
        assert list(header['HISTORY'])[:2] == ['scanned', 'two lines']
        assert any('compact sources' in line for line in header['HISTORY'])

    def test_header_that_contradicts(self, remove, scene, tmp_path):
        """The header of another map, with scaled integers and a matrix."""
        header = fits.Header()
        header['BZERO'], header['BSCALE'], header['BLANK'] = 32768.0, 2.0, -1
        header['NAXIS'], header['BITPIX'], header['CHECKSUM'] = 3, 16, 'x'
        header['CD1_1'], header['CD2_2'], header['CROTA2'] = 0.1, 0.3, 30.0
        header['CRVAL1'], header['BUNIT'] = 3.0, 'K'
        ccd = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs, meta=header)
        result = remove(ccd)
        path = result.write(tmp_path)[0]
        again = CCDData.read(path)
        assert_array_equal(again.data, result.cleaned.data)
        assert again.unit == 'Jy/pix'
        assert_allclose(
            again.wcs.pixel_to_world_values(100, 5),
            scene.wcs.pixel_to_world_values(100, 5),
            rtol=1e-12,
        )

    @pytest.mark.parametrize('dtype', ['f4', 'f8', '>f4'])
    @pytest.mark.parametrize('kind', [None, StdDevUncertainty, InverseVariance])
    def test_read_by_ccddata(self, remove, ccd, tmp_path, dtype, kind):
        data = ccd.data.astype(dtype)
        sigma = np.full(data.shape, 0.5).astype(dtype)
        given = CCDData(
            data,
            unit='Jy/pix',
            wcs=ccd.wcs,
            mask=np.isnan(data),
            uncertainty=None if kind is None else kind(sigma),
        )
        result = remove(given)
        again = CCDData.read(result.write(tmp_path)[0])
        assert again.data.dtype.itemsize == result.cleaned.data.dtype.itemsize
        assert_array_equal(again.data, result.cleaned.data)
        assert again.unit == result.cleaned.unit
        assert_array_equal(again.mask, given.mask)
        assert_array_equal(
            again.wcs.pixel_to_world(9, 8).ra, given.wcs.pixel_to_world(9, 8).ra
        )
        if kind is None:
            assert again.uncertainty is None
        else:
            assert type(again.uncertainty) is kind
            assert_array_equal(
                again.uncertainty.array, result.cleaned.uncertainty.array
            )

    def test_uncertainty_in_another_unit(self, remove, scene, tmp_path):
        uncertainty = StdDevUncertainty(np.full(scene.data.shape, 0.5), unit='mJy/pix')
        given = CCDData(scene.data, unit='Jy/pix', uncertainty=uncertainty)
        result = remove(given)
        again = CCDData.read(result.write(tmp_path)[0])
        assert_allclose(again.uncertainty.array[~result.holes], 0.5e-3, rtol=1e-12)

    def test_read_again_by_the_package(self, remove, ccd, scene, tmp_path):
        """A cleaned map can be cleaned further."""
        result = remove(ccd)
        path = result.write(tmp_path)[0]
        again = parse_map(path)
        assert_array_equal(again.missing, np.isnan(ccd.data))
        assert again.unit == 'Jy/pix'
        second = NeuralSourceRemover('scanmap', 'green')(path, [[100.0, 40.0]])
        assert str(second.cleaned.meta['HISTORY']).count('compact sources') == 2

    def test_photometry(self, remove, ccd, tmp_path):
        result = remove(ccd)
        table = QTable.read(result.write(tmp_path)[1])
        assert table.colnames == result.photometry.colnames
        assert table.meta == result.photometry.meta
        for name in table.colnames:
            if name != 'sky_center':
                assert_array_equal(table[name], result.photometry[name])
                assert table[name].unit == result.photometry[name].unit

    @pytest.mark.parametrize('kind', ['array', 'Quantity', 'masked', 'integers'])
    def test_other_inputs(self, remove, scene, tmp_path, kind):
        data = scene.data
        if kind == 'Quantity':
            data = data * u.Unit('Jy/pix')
        elif kind == 'masked':
            data = np.ma.MaskedArray(data, mask=data > 1e9)
            data[5, 6] = np.ma.masked
        elif kind == 'integers':
            data = np.round(data * 1e5).astype('int32')
        result = remove(data)
        with fits.open(result.write(tmp_path)[0]) as hdus:
            assert_array_equal(hdus[0].data, as_array(result.cleaned))
            assert ('BUNIT' in hdus[0].header) == (kind == 'Quantity')
            assert ('MASK' in hdus) == (kind == 'masked')
            assert 'CRVAL1' not in hdus[0].header

    def test_wcs_that_fits_cannot_hold(self, remove, scene, tmp_path):
        class OtherWCS(HighLevelWCSWrapper):
            pass

        result = remove(scene.data, wcs=OtherWCS(scene.wcs))
        with pytest.warns(AstropyUserWarning, match='OtherWCS, cannot be written'):
            paths = result.write(tmp_path)
        assert 'CRVAL1' not in fits.getheader(paths[0])
        assert 'sky_center' in QTable.read(paths[1]).colnames

    def test_empty(self, flat_model, ccd, tmp_path):
        remover = NeuralSourceRemover('scanmap', 'green', model=flat_model)
        result = remover(ccd, np.empty((0, 2)))
        cleaned, photometry = result.write(tmp_path)
        assert_array_equal(fits.getdata(cleaned), ccd.data)
        table = QTable.read(photometry)
        assert len(table) == 0
        assert table.colnames == result.photometry.colnames
        assert table['flux'].unit == u.Jy


class TestOverwriting:
    @pytest.mark.parametrize('name', ['cleaned.fits', 'photometry.ecsv'])
    def test_refused(self, remove, ccd, tmp_path, name):
        (tmp_path / name).write_text('precious')
        result = remove(ccd)
        with pytest.raises(
            FileExistsError, match=rf'{name} would be overwritten.*=True'
        ):
            result.write(tmp_path)
        assert os.listdir(tmp_path) == [name]
        assert (tmp_path / name).read_text() == 'precious'
        result.write(tmp_path, overwrite=True)
        assert sorted(os.listdir(tmp_path)) == ['cleaned.fits', 'photometry.ecsv']
        CCDData.read(tmp_path / 'cleaned.fits')

    def test_whole_or_not_at_all(self, tmp_path):
        path = tmp_path / 'file.txt'
        path.write_text('old')

        def fail(temporary):
            temporary.write_text('half')
            raise RuntimeError('disk full')

        with pytest.raises(RuntimeError, match='disk full'):
            write_atomically(path, fail)
        assert os.listdir(tmp_path) == ['file.txt']
        assert path.read_text() == 'old'

    def test_permissions(self, tmp_path):
        """Those of any new file, not those of a temporary one."""
        path, other = tmp_path / 'file.txt', tmp_path / 'other.txt'
        write_atomically(path, lambda temporary: temporary.write_text('x'))
        other.write_text('x')
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


class TestBackgroundRMS:
    def test_known_noise(self, make_scene, flat_model):
        scene = make_scene(
            [50.0, 150.0], [60.0, 140.0], [5.0, 1.0], shape=(240, 250), noise=2e-3
        )
        gradient = 1 + np.arange(250) / 250
        data = (scene.data * gradient).astype(np.float32)
        data[200:, :60] = np.nan
        remover = NeuralSourceRemover('scanmap', 'green', model=flat_model)
        rms = remover(data, scene.xy).background_rms
        assert rms.shape == data.shape
        assert_array_equal(np.isnan(rms), np.isnan(data))
        columns = [40, 120, 200]
        found = np.nanmedian(rms[:190, columns], axis=0)
        assert_allclose(found, 2e-3 * gradient[columns], rtol=0.06)

    def test_unit_and_cache(self, remove, ccd):
        result = remove(ccd)
        rms = result.background_rms
        assert rms.unit == 'Jy/pix'
        assert rms is result.background_rms
        assert_allclose(np.nanmedian(rms.value), 1e-4, rtol=0.1)

    def test_small_map(self, flat_model):
        rng = np.random.default_rng(2)
        data = rng.normal(0, 3.0, (20, 30))
        remover = NeuralSourceRemover('scanmap', 'green', model=flat_model)
        assert_allclose(remover(data, [[14, 9]]).background_rms, 3.0, rtol=0.2)

    def test_mostly_missing(self, flat_model):
        """Few pixels are better than none."""
        data = np.random.default_rng(2).normal(0, 3.0, (200, 200))
        data[np.hypot(*np.ogrid[-100:100, -100:100]) > 12] = np.nan
        remover = NeuralSourceRemover('scanmap', 'green', model=flat_model)
        rms = remover(data, [[100, 100]]).background_rms
        assert_array_equal(np.isnan(rms), np.isnan(data))
        assert_allclose(np.nanmedian(rms), 3.0, rtol=0.4)


def test_as_array(any_map):
    if isinstance(any_map.given, np.ndarray) or hasattr(any_map.given, 'data'):
        array = as_array(any_map.given)
        assert type(array) is np.ndarray
        assert array.shape == (30, 40)
