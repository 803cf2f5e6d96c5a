# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the photometry that a remover gives: columns, units, flags."""

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.photometry.flags import FLAGS, decode_flags
from photutils_pconv.psf_photometry import window_stacks

GREEN = {'mode': 'scanmap', 'band': 'green'}
NOISE = 1.0e-4
COLUMNS = [
    'id',
    'x_center',
    'y_center',
    'sky_center',
    'snr',
    'hole_radius',
    'flux',
    'flux_err',
    'detection_snr',
    'flux_upper_limit',
    'flux_aperture',
    'flux_aperture_err',
    'flux_annulus',
    'local_bkg',
    'aperture_correction',
    'flags',
]


def bits(values):
    return np.ascontiguousarray(values).view(f'u{values.dtype.itemsize}')


def assert_same_tables(first, second, *, skip=()):
    assert first.colnames == second.colnames
    for name in first.colnames:
        if name in skip:
            continue
        one, two = first[name], second[name]
        if isinstance(one, SkyCoord):
            assert_array_equal(one.ra, two.ra)
            assert_array_equal(one.dec, two.dec)
        else:
            assert getattr(one, 'unit', None) == getattr(two, 'unit', None)
            assert_array_equal(one, two, err_msg=name)


#: The columns of which there is one for each of several apertures.
PER_APERTURE = (
    'flux_aperture',
    'flux_aperture_err',
    'flux_annulus',
    'aperture_correction',
)


class TestTable:
    def test_columns(self, remover, ccd, scene):
        table = remover(ccd, scene.xy).photometry
        assert table.colnames == COLUMNS
        assert_array_equal(table['id'], [1, 2, 3])
        assert_array_equal(table['x_center'], scene.x)
        assert_array_equal(table['y_center'], scene.y)
        expected = scene.wcs.pixel_to_world(scene.x, scene.y)
        assert np.all(table['sky_center'].separation(expected) < 1e-6 * u.arcsec)
        for name in ('flux', 'flux_err', 'flux_annulus'):
            assert table[name].unit == u.Jy
        assert table['local_bkg'].unit == 'Jy/pix'
        for x, y, background in zip(scene.x, scene.y, table['local_bkg'], strict=True):
            r = 1.6 * np.hypot(*np.ogrid[-y : 140 - y, -x : 150 - x])
            mean = scene.data[(r > 25) & (r < 35)].mean()
            assert_allclose(background.value, mean, rtol=5e-3)

    def test_columns_without_wcs_and_unit(self, remover, scene):
        table = remover(scene.data, scene.xy).photometry
        assert table.colnames == [name for name in COLUMNS if name != 'sky_center']
        assert not hasattr(table['flux'], 'unit') or table['flux'].unit is None

    def test_several_apertures(self, flat_model, ccd, scene):
        radii = [6.0, 9.0, 12.0]
        several = NeuralSourceRemover(**GREEN, model=flat_model, aperture_radii=radii)
        table = several(ccd, scene.xy).photometry
        expected = COLUMNS.copy()
        for name in PER_APERTURE:
            i = expected.index(name)
            expected[i : i + 1] = [f'{name}_{k}' for k in range(3)]
        assert table.colnames == expected
        assert table.meta['aperture_radii_arcsec'] == radii
        for k, radius in enumerate(radii):
            one = NeuralSourceRemover(**GREEN, model=flat_model, aperture_radii=radius)
            single = one(ccd, scene.xy).photometry
            for name in PER_APERTURE:
                assert_array_equal(table[f'{name}_{k}'], single[name])

    def test_photometry(self, flat_model, ccd, scene):
        remover = NeuralSourceRemover(
            **GREEN,
            model=flat_model,
            aperture_corrections=scene.eef,
            error_method='local',
        )
        table = remover(ccd, scene.xy).photometry
        # Half a percent is what a median takes of a source's wings.
        tolerance = 3 * table['flux_err'].value + 0.01 * scene.flux
        assert np.all(np.abs(table['flux'].value - scene.flux) < tolerance)
        assert np.all(np.abs(table['flux_annulus'].value - scene.flux) < tolerance)
        expected = NOISE * np.sqrt(np.pi) * 7 / 1.6 * table['aperture_correction']
        assert_allclose(table['flux_err'].value, expected, rtol=0.25)

    @pytest.mark.parametrize('batch_size', [1, 2, 64])
    def test_order_is_kept(self, flat_model, ccd, scene, batch_size):
        remover = NeuralSourceRemover(**GREEN, model=flat_model, batch_size=batch_size)
        expected, table = remover(ccd, scene.xy)
        order = [2, 0, 1]
        shuffled, other = remover(ccd, scene.xy[order])
        assert_array_equal(other['id'], [1, 2, 3])
        assert_array_equal(other['x_center'], scene.x[order])
        assert_same_tables(table[order], other, skip=('id',))
        assert_array_equal(bits(shuffled.data), bits(expected.data))

    def test_batch_size_does_not_matter(self, model, ccd, scene):
        expected, table = NeuralSourceRemover(**GREEN, model=model)(ccd, scene.xy)
        one = NeuralSourceRemover(**GREEN, model=model, batch_size=1)
        cleaned, other = one(ccd, scene.xy)
        # Sums in another order round otherwise, the brightest values in each of the
        # network's layers (about 20).
        atol = 20 * np.finfo(np.float32).eps * np.abs(ccd.data).max()
        assert_allclose(cleaned.data, expected.data, rtol=0, atol=atol)
        assert_allclose(other['flux'], table['flux'], rtol=1e-6)

    def test_ecsv(self, flat_model, ccd, scene, tmp_path):
        remover = NeuralSourceRemover(
            **GREEN, model=flat_model, aperture_radii=[6, 12] * u.arcsec
        )
        with pytest.warns(UserWarning, match='1 of 4 sources lie outside'):
            table = remover(ccd, np.append(scene.xy, [[np.nan, 5]], axis=0)).photometry
        path = tmp_path / 'table.ecsv'
        table.write(path)
        again = QTable.read(path)
        assert_same_tables(table, again)
        assert again.meta == table.meta
        assert again['sky_center'].frame.name == table['sky_center'].frame.name

    def test_source_forms(self, remover, ccd, scene):
        """The same positions in other words."""
        expected = remover(ccd, scene.xy).photometry
        sky = scene.wcs.pixel_to_world(scene.x, scene.y)
        for sources in (
            sky,
            sky.galactic,
            Table({'ra': sky.ra.deg, 'dec': sky.dec.deg}),
            QTable({'sky_centroid': sky}),
            Table({'xcentroid': scene.x, 'ycentroid': scene.y}),
            Table({'x_fit': scene.x, 'y_fit': scene.y}),
        ):
            table = remover(ccd, sources).photometry
            assert_allclose(table['x_center'], scene.x, atol=1e-6)
            # A rounding error may move a pixel on the rim out of the hole.
            assert_allclose(table['flux'], expected['flux'], rtol=2e-3)
        assert remover(ccd, sky.galactic).photometry['sky_center'].frame.name == (
            'galactic'
        )


class TestUnits:
    AREA = (1.6 * u.arcsec).to_value(u.rad) ** 2

    @pytest.mark.parametrize(
        ('unit', 'factor', 'options'),
        [
            ('Jy/pix', 1.0, {}),
            ('Jy', 1.0, {}),
            ('mJy/pix', 1e-3, {}),
            ('MJy/sr', 1e6 * AREA, {}),
            ('Jy/arcsec2', 1.6**2, {}),
            ('Jy/beam', 1.6**2 / (np.pi / (4 * np.log(2)) * 6.8**2), {'beam': 6.8}),
            (
                'mJy/beam',
                1e-3 * 1.6**2 / (np.pi / (4 * np.log(2)) * 6.8 * 7.5),
                {'beam': [6.8, 7.5] * u.arcsec},
            ),
        ],
    )
    def test_same_flux(self, remover, ccd, scene, unit, factor, options):
        expected = remover(ccd, scene.xy).photometry
        data = scene.data / factor
        other = CCDData(data, unit=unit, wcs=scene.wcs)
        cleaned, table = remover(other, scene.xy, **options)
        for name in ('flux', 'flux_err', 'flux_annulus'):
            assert table[name].unit == u.Jy
            assert_allclose(table[name], expected[name], rtol=1e-6)
        assert_allclose(table['snr'], expected['snr'], rtol=1e-9)
        assert table['local_bkg'].unit == cleaned.unit == u.Unit(unit)

    def test_beam_of_the_header(self, remover, ccd, scene):
        expected = remover(ccd, scene.xy).photometry['flux']
        factor = 1.6**2 / (np.pi / (4 * np.log(2)) * 6.8 * 7.5)
        meta = {'BMAJ': 7.5 / 3600, 'BMIN': 6.8 / 3600}
        other = CCDData(scene.data / factor, unit='Jy/beam', wcs=scene.wcs, meta=meta)
        assert_allclose(
            remover(other, scene.xy).photometry['flux'], expected, rtol=1e-6
        )

    def test_residual_with_the_wcs_of_the_call(self, remover, scene):
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt *= 1.5
        data = scene.data * u.Unit('MJy/sr')
        cleaned, _ = remover(data, scene.xy, wcs=wcs)
        assert_allclose(remover.make_residual_image(data), cleaned, rtol=1e-9)

    def test_residual_of_a_map_in_jy_per_beam(self, remover, scene):
        data = CCDData(scene.data, unit='Jy/beam', wcs=scene.wcs)
        cleaned, _ = remover(data, scene.xy, beam=6.8)
        residual = remover.make_residual_image(data, beam=6.8)
        assert_allclose(residual.data, cleaned.data, rtol=1e-9)
        with pytest.raises(ValueError, match='give beam'):
            remover.make_residual_image(data)

    def test_without_unit(self, remover, ccd, scene):
        expected = remover(ccd, scene.xy).photometry
        table = remover(scene.data, scene.xy).photometry
        assert type(table['flux']) is not u.Quantity
        assert_allclose(table['flux'], expected['flux'].value, rtol=1e-6)

    def test_without_wcs(self, remover, ccd, scene):
        """The pixel scale is the setup's."""
        expected = remover(ccd, scene.xy).photometry
        data = scene.data / (1e6 * self.AREA)
        table = remover(data * u.Unit('MJy/sr'), scene.xy).photometry
        assert_allclose(table['flux'], expected['flux'], rtol=1e-6)


class TestFlags:
    @pytest.fixture
    def flagged(self, flat_model, scene):
        def run(x, y, data=scene.data, **options):
            call = {k: options.pop(k) for k in ('wcs', 'error') if k in options}
            remover = NeuralSourceRemover(**GREEN, model=flat_model, **options)
            table = remover(data, np.stack([x, y], axis=1), **call).photometry
            return [set(decode_flags(value)) for value in table['flags']]

        return run

    def test_no_flag(self, flagged, scene):
        assert flagged(scene.x, scene.y) == [set(), set(), set()]
        assert flagged(scene.x, scene.y, recenter=True) == [set(), set(), set()]

    def test_outside_map_and_invalid_position(self, flagged):
        with pytest.warns(UserWarning, match='2 of 3 sources'):
            flags = flagged([70.3, -0.6, np.nan], [55.1, 60.0, 30.0])
        assert flags == [set(), {'outside_map'}, {'invalid_position'}]

    def test_near_edge(self, flagged):
        x, y = np.array([48.0, 47.0, 70.0, 102.0, 103.0, 70.0]), np.full(6, 70.0)
        y[[2, 5]] = 92.0, 93.0
        for i in range(6):
            near = {'near_edge'} if i in (1, 4, 5) else set()
            assert flagged(x[i : i + 1], y[i : i + 1]) == [near]

    def test_near_edge_of_small_cutouts(self, scene):
        # Cutouts of 64 pixels reach less far than those of 96.
        remover = NeuralSourceRemover(**GREEN, model='pacs', error_method='card')
        for x, near in ((32.0, set()), (31.0, {'near_edge'})):
            table = remover(scene.data, [[x, 70.0]]).photometry
            assert set(decode_flags(table['flags'][0])) - {'missing_pixels'} == near

    def test_missing_pixels(self, flagged, scene):
        data = scene.data.copy()
        data[90, 58] = np.nan  # within the second hole
        flags = flagged(scene.x, scene.y, data)
        assert flags == [set(), {'missing_pixels'}, set()]

    def test_aperture_beyond_hole(self, flagged, scene):
        flags = flagged(scene.x, scene.y, aperture_radii=18)
        assert flags == [set(), {'aperture_beyond_hole'}, {'aperture_beyond_hole'}]

    def test_overlapping_hole(self, flagged, scene):
        x, y = np.append(scene.x, scene.x[0] + 12), np.append(scene.y, scene.y[0])
        flags = flagged(x, y)
        assert flags == [{'overlapping_hole'}, set(), set(), {'overlapping_hole'}]

    def test_duplicate(self, flagged, scene):
        x, y = np.append(scene.x, scene.x[1] + 0.06), np.append(scene.y, scene.y[1])
        with pytest.warns(UserWarning, match='1 of 4 sources repeat'):
            flags = flagged(x, y)
        assert flags == [set(), set(), set(), {'duplicate'}]

    def test_unresolved(self, flagged, scene):
        x, y = np.append(scene.x, scene.x[1] + 1.5), np.append(scene.y, scene.y[1])
        with pytest.warns(UserWarning, match='1 of 4 sources repeat'):
            flags = flagged(x, y)
        assert flags == [set(), {'unresolved'}, set(), {'unresolved', 'duplicate'}]

    def test_annulus_incomplete(self, flagged, scene):
        yy, xx = np.indices(scene.data.shape)
        r = np.hypot(xx - scene.x[0], yy - scene.y[0])
        data = scene.data.copy()
        data[(r > 15) & (xx > scene.x[0] - 3)] = np.nan
        assert flagged(scene.x[:1], scene.y[:1], data) == [{'annulus_incomplete'}]

    def test_recentered_failed(self, flagged, scene):
        rng = np.random.default_rng(0)
        slope = 1e-2 * np.arange(150) + rng.normal(0, 1e-5, scene.data.shape)
        flags = flagged([70.0], [70.0], slope, recenter=True)
        assert flags == [{'recentered_failed'}]

    def test_no_background(self, flat_model, scene):
        yy, xx = np.indices(scene.data.shape)
        r = np.hypot(xx - scene.x[1], yy - scene.y[1])
        data = np.where((r > 6.5) & (r < 90), np.nan, scene.data)
        result = NeuralSourceRemover(**GREEN, model=flat_model)(data, scene.xy[1:2])
        assert 'no_background' in decode_flags(result.photometry['flags'][0])
        assert not result.holes.any()
        assert_array_equal(result.cleaned, data)
        assert np.isnan(result.photometry['flux'][0])

    def test_calibrated_error(self, flagged, scene):
        # 60 x 60 pixels hold no sixteen places for empty holes.
        data = scene.data[25:85, 40:100]
        flags = flagged(scene.x[:1] - 40, scene.y[:1] - 25, data)
        assert 'calibrated_error' in flags[0]

    @pytest.mark.parametrize('error_method', ['empty_apertures', 'card', 'local'])
    def test_unknown_error(self, flagged, scene, error_method):
        """One source has pixels of unknown error in its aperture."""
        error = np.full(scene.data.shape, 1e-4)
        y, x = round(scene.y[1]), round(scene.x[1])
        error[y, x - 1 : x + 2] = np.nan
        with pytest.warns(UserWarning, match='error'):
            flags = flagged(scene.x, scene.y, error=error, error_method=error_method)
        assert flags == [set(), {'unknown_error'}, set()]

    def test_resampled(self, flat_model, scene):
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt *= 1.1
        remover = NeuralSourceRemover(**GREEN, model=flat_model)
        table = remover(scene.data, scene.xy[:1], wcs=wcs).photometry
        assert decode_flags(table['flags'][0]) == ['resampled']

    def test_no_scatter(self, flagged, scene):
        flat = np.full(scene.data.shape, 2e-3)
        assert flagged(scene.x[:1], scene.y[:1], flat) == [{'no_scatter'}]

    def test_unstable_fit(self, flagged, scene, monkeypatch):
        # A bound that every source of these exceeds.
        assert flagged(scene.x, scene.y, psf='setup') == [set(), set(), set()]
        monkeypatch.setattr(window_stacks, '_LARGEST_RANGE', 0.5)
        assert flagged(scene.x, scene.y, psf='setup') == 3 * [{'unstable_fit'}]

    # 'poor_fit': see test_mismatch.py; 'resolved': see test_sizes.py.
    def test_all_flags_are_tested(self):
        text = Path(__file__).read_text(encoding='utf-8')
        for flag in FLAGS:
            assert f"'{flag.name}'" in text
