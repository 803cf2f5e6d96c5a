# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what a remover does with input that is wrong, or nearly so."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.photometry.flags import SourceFlags, decode_flags

XY = np.array([[70.3, 55.1], [50.8, 90.7]])


@pytest.fixture(scope='module')
def scene(make_scene):
    return make_scene(*XY.T, [5.0, 0.3], sky=2e-3, noise=1e-4)


@pytest.fixture(scope='module')
def ccd(scene):
    return CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)


@pytest.fixture
def remover(flat_model):
    return NeuralSourceRemover('scanmap', 'green', model=flat_model)


def assert_unchanged(image, original):
    assert np.asarray(image).tobytes() == np.asarray(original).tobytes()


class TestSources:
    @pytest.mark.parametrize(
        'sources',
        [
            SkyCoord([83.8], [-5.4], unit='deg'),
            Table({'ra': [83.8], 'dec': [-5.4]}),
        ],
        ids=['SkyCoord', 'Table'],
    )
    def test_sky_positions_without_wcs(self, remover, scene, sources):
        with pytest.raises(ValueError, match='the map has no celestial WCS: give wcs'):
            remover(scene.data, sources)

    def test_sky_and_pixel_positions_without_wcs(self, remover, scene):
        """The pixel columns may be those of another map: they are asked for."""
        sources = Table({'ra': [0.0], 'dec': [0.0], 'x': [70.3], 'y': [55.1]})
        with pytest.raises(ValueError, match='x and y are those of this map'):
            remover(scene.data, sources)
        table = remover(scene.data, sources['x', 'y']).photometry
        assert table['x_center'][0] == 70.3

    @pytest.mark.parametrize(
        'sources',
        [
            np.array([[500.0, 20.0], [70.0, -3.0], [-0.51, 20.0]]),
            SkyCoord([200.0, 83.8, 263.8], [40.0, -6.4, 5.4], unit='deg'),
        ],
        ids=['pixels', 'sky'],
    )
    def test_all_outside(self, remover, ccd, sources):
        with pytest.warns(
            AstropyUserWarning, match='none of the 3 sources lies on the map: check'
        ) as record:
            cleaned, table = remover(ccd, sources)
        assert [warning.filename for warning in record] == [__file__]
        assert_unchanged(cleaned.data, ccd.data)
        assert not remover.make_model_image().value.any()
        assert len(table) == 3
        for name in ('snr', 'hole_radius', 'flux', 'flux_err', 'flux_annulus'):
            assert np.all(np.isnan(table[name])), name
        flags = SourceFlags.OUTSIDE_MAP, SourceFlags.INVALID_POSITION
        assert np.all(np.isin(table['flags'], flags))
        assert table['flags'][1] == SourceFlags.OUTSIDE_MAP

    def test_some_outside(self, remover, ccd):
        xy = np.insert(XY, 1, [[-30.0, 5.0]], axis=0)
        with pytest.warns(AstropyUserWarning, match='1 of 3 sources lie outside'):
            cleaned, table = remover(ccd, xy)
        expected, good = remover(ccd, XY)
        assert_array_equal(np.isnan(table['flux']), [False, True, False])
        assert_array_equal(table['flux'][[0, 2]], good['flux'])
        assert_unchanged(cleaned.data, expected.data)

    @pytest.mark.parametrize('recenter', [False, True])
    @pytest.mark.parametrize(
        'empty',
        [
            Table(names=['ra', 'dec']),
            QTable({'sky_center': SkyCoord([], [], unit='deg')}),
            Table({'x': [], 'y': []}),
            Table(),
            SkyCoord([], [], unit='deg'),
            np.empty((0, 2)),
            [],
        ],
        ids=['ra dec', 'sky_center', 'x y', 'nothing', 'SkyCoord', 'array', 'list'],
    )
    def test_empty(self, flat_model, ccd, empty, recenter):
        remover = NeuralSourceRemover(
            'scanmap', 'green', model=flat_model, recenter=recenter
        )
        result = remover(ccd, empty)
        cleaned, table = result
        assert isinstance(table, QTable)
        assert len(table) == 0
        full = remover(ccd, XY).photometry
        assert table.colnames == full.colnames
        for name in full.colnames:
            assert type(table[name]) is type(full[name]), name
            assert getattr(table[name], 'unit', None) == getattr(
                full[name], 'unit', None
            )
        assert set(table.meta) == set(full.meta)
        assert isinstance(cleaned, CCDData)
        assert_unchanged(cleaned.data, ccd.data)
        assert not result.holes.any()

    def test_empty_table_and_no_wcs(self, flat_model, scene):
        remover = NeuralSourceRemover(
            'scanmap', 'green', model=flat_model, aperture_radii=[6, 12]
        )
        cleaned, table = remover(scene.data, Table(names=['ra', 'dec']))
        assert len(table) == 0
        assert {'flux_aperture_0', 'flux_aperture_1', 'flags'} < set(table.colnames)
        assert_unchanged(cleaned, scene.data)

    @pytest.mark.parametrize('form', ['array', 'table', 'masked table', 'sky'])
    def test_nan_positions(self, remover, ccd, scene, form):
        xy = np.insert(XY, 1, [[np.nan, 40.0]], axis=0)
        sources = xy
        if form == 'table':
            sources = Table({'x': xy[:, 0], 'y': xy[:, 1]})
        elif form == 'masked table':
            sources = Table({'x': np.nan_to_num(xy[:, 0]), 'y': xy[:, 1]}, masked=True)
            sources['x'].mask = np.isnan(xy[:, 0])
        elif form == 'sky':
            sky = scene.wcs.pixel_to_world(*np.nan_to_num(xy).T)
            sources = Table({'ra': sky.ra.deg, 'dec': sky.dec.deg})
            sources['dec'][1] = np.nan
        with pytest.warns(AstropyUserWarning, match='or have no finite position'):
            _, table = remover(ccd, sources)
        expected = remover(ccd, XY).photometry
        names = [decode_flags(flag) for flag in table['flags']]
        assert names == [[], ['invalid_position'], []]
        assert np.isnan(table['flux'][1])
        assert_allclose(table['flux'][[0, 2]], expected['flux'], rtol=1e-6)

    def test_duplicates(self, remover, ccd):
        near, far = np.array([[0.0, 0.09]]), np.array([[0.2, 0.0]])
        xy = np.concatenate([XY, XY[:1] + near, XY[1:] + far])
        with pytest.warns(AstropyUserWarning, match="sources? repeats? .*'duplicate'"):
            cleaned, table = remover(ccd, xy)
        duplicate = table['flags'] & SourceFlags.DUPLICATE != 0
        assert_array_equal(duplicate, [False, False, True, True])
        expected = remover(ccd, XY)
        assert_allclose(table['flux'][:2], expected.photometry['flux'], rtol=5e-3)
        assert_array_equal(table['flux'][2:], table['flux'][:2])
        hole = expected.holes
        assert_allclose(cleaned.data[hole], expected.cleaned.data[hole], atol=5e-3)

    def test_exact_duplicates_are_cleaned_once(self, remover, ccd):
        with pytest.warns(AstropyUserWarning, match='2 of 4 sources repeat'):
            cleaned, table = remover(ccd, np.concatenate([XY, XY]))
        expected, good = remover(ccd, XY)
        assert_allclose(cleaned.data, expected.data, rtol=1e-12)
        assert_allclose(table['flux'][2:], good['flux'], rtol=1e-12)

    def test_table_without_positions(self, remover, ccd):
        with pytest.raises(ValueError, match=r'it has: name, flux\. Accepted are: sky'):
            remover(ccd, Table({'name': ['a'], 'flux': [1.0]}))

    @pytest.mark.parametrize('sources', [3, None, 'nowhere.csv', {'x': 1}])
    def test_no_source_list(self, remover, ccd, sources):
        with pytest.raises((TypeError, FileNotFoundError), match='source'):
            remover(ccd, sources)

    def test_wrong_unit_of_positions(self, remover, ccd):
        with pytest.raises(ValueError, match='must have a unit convertible to deg'):
            remover(ccd, Table({'ra': [1.0] * u.Jy, 'dec': [2.0] * u.deg}))


class TestMaps:
    @pytest.mark.parametrize('shape', [(1, 140, 150), (3, 140, 150)])
    def test_3d(self, remover, scene, shape):
        data = np.broadcast_to(scene.data, shape)
        with pytest.raises(ValueError, match=r'2-D.*data\[0\]'):
            remover(data, XY)
        with pytest.raises(ValueError, match='2-D'):
            remover(scene.data[0], XY)

    @pytest.mark.parametrize('dtype', ['int16', '>i4', 'uint16', 'int64'])
    def test_integers(self, remover, scene, dtype):
        """As good as floats of the same values, and given back as floats."""
        data = np.clip(np.round(scene.data * 1e4), 0, 3e4).astype(dtype)
        before = data.copy()
        cleaned, table = remover(data, XY)
        expected_cleaned, expected = remover(data.astype(float), XY)
        assert cleaned.dtype == float
        assert_unchanged(cleaned, expected_cleaned)
        assert_array_equal(table['flux'], expected['flux'])
        assert_array_equal(data, before)

    @pytest.mark.parametrize('how', ['NaN', 'mask', 'coverage_mask', 'CCDData'])
    def test_nothing_usable(self, remover, scene, how):
        everything = np.ones(scene.data.shape, dtype=bool)
        data, options = scene.data, {}
        if how == 'NaN':
            data = np.full(data.shape, np.nan)
        elif how == 'CCDData':
            data = CCDData(data, unit='Jy', mask=everything)
        else:
            options = {how: everything}
        with pytest.raises(ValueError, match='no usable pixel: all are NaN, masked or'):
            remover(data, XY, **options)

    @pytest.mark.parametrize('unit', ['K', 'Jy s', 'W/m2', 'adu', 'mag'])
    def test_wrong_unit(self, remover, scene, unit):
        with pytest.raises(ValueError, match=r'not accepted; accepted are Jy/pixel'):
            remover(CCDData(scene.data, unit=unit, wcs=scene.wcs), XY)

    def test_beam_missing(self, remover, scene):
        with pytest.raises(ValueError, match='no BMAJ and BMIN: give beam'):
            remover(CCDData(scene.data, unit='Jy/beam', wcs=scene.wcs), XY)

    def test_given_twice(self, remover, scene):
        ccd = CCDData(scene.data, unit='Jy', wcs=scene.wcs, mask=scene.data > 1e9)
        with pytest.raises(ValueError, match='mask was given, but the map has its own'):
            remover(ccd, XY, mask=scene.data > 1)
        with pytest.raises(ValueError, match='wcs was given, but the map has its own'):
            remover(ccd, XY, wcs=scene.wcs)

    @pytest.mark.parametrize('name', ['mask', 'coverage_mask', 'error'])
    def test_wrong_shape(self, remover, scene, name):
        with pytest.raises(ValueError, match=rf'{name} must have the shape \(140, 150'):
            remover(scene.data, XY, **{name: np.zeros((150, 140), dtype=bool) + 0})

    @pytest.mark.parametrize('data', [None, 'nowhere.fits', {'a': 1}, [['x', 'y']]])
    def test_no_map(self, remover, data):
        with pytest.raises((TypeError, FileNotFoundError)):
            remover(data, XY)

    def test_complex_map(self, remover, scene):
        with pytest.raises(TypeError, match='real numbers'):
            remover(scene.data.astype(complex), XY)

    @pytest.mark.parametrize('scale', [0.3, 6.4])
    def test_pixel_scale_beyond_the_limits(self, remover, scene, scale):
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
        match = rf"pixels of {scale} arcsec, .* of the setup 'scanmap/green'; accepted"
        with pytest.raises(ValueError, match=match):
            remover(scene.data, XY, wcs=wcs)

    def test_wcs_without_sky(self, remover, scene):
        with pytest.raises(ValueError, match='two celestial axes'):
            remover(scene.data, XY, wcs=WCS(naxis=2))

    def test_pixels_not_square(self, remover, scene):
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt = [-1.6 / 3600, 1.8 / 3600]
        with pytest.raises(ValueError, match='not square'):
            remover(scene.data, XY, wcs=wcs)

    def test_blank_border(self, remover, scene):
        """Zeros outside the coverage are doubtful, not wrong."""
        data = scene.data.copy()
        data[:20] = data[-20:] = data[:, :20] = data[:, -20:] = 0
        with pytest.warns(AstropyUserWarning, match='coverage_mask'):
            remover(data, XY)
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            cleaned, _ = remover(data, XY, coverage_mask=data == 0)
        assert_array_equal(cleaned[data == 0], 0)

    def test_map_smaller_than_a_hole(self, remover):
        rng = np.random.default_rng(0)
        data = rng.normal(size=(6, 7))
        cleaned, table = remover(data, [[3.0, 3.0]])
        assert_unchanged(cleaned, data)
        assert 'no_background' in decode_flags(table['flags'][0])
        assert np.isnan(table['flux'][0])

    def test_constant_map(self, remover):
        """Neither scatter nor source: nothing to divide by."""
        data = np.full((120, 130), 5.0)
        cleaned, table = remover(data, [[60.0, 60.0]])
        assert_array_equal(cleaned, data)
        assert np.isnan(table['snr'][0])
        assert table['flux'][0] == 0

    @pytest.mark.parametrize('factor', [1e-30, 1e30])
    def test_extreme_numbers(self, remover, scene, factor):
        expected = remover(scene.data, XY).photometry
        table = remover(scene.data * factor, XY).photometry
        assert_allclose(table['flux'] / factor, expected['flux'], rtol=1e-6)


class TestNames:
    def test_unknown_mode(self):
        with pytest.raises(
            ValueError, match="mode 'fast'; accepted are: 'scanmap', 'parallel'"
        ):
            NeuralSourceRemover('fast', 'green')

    def test_unknown_band(self):
        with pytest.raises(
            ValueError, match="band 'pink' .* are: 'blue', 'green', 'red'"
        ):
            NeuralSourceRemover('scanmap', 'pink')

    def test_unknown_setup(self):
        with pytest.raises(ValueError, match="setup 'x'; accepted are: 'scanmap/blue'"):
            NeuralSourceRemover(setup='x')
        with pytest.raises(TypeError, match='setup must be an ObservingSetup'):
            NeuralSourceRemover(setup=70)
