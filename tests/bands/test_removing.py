# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of removals from several bands, against those from each band alone."""

from dataclasses import FrozenInstanceError

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.bands import remove_bands, removing
from photutils_pconv.photometry import SourceFlags

BANDS = ('blue', 'green', 'red')

pytestmark = pytest.mark.filterwarnings('ignore:1 of 4 sources lie outside the map')


@pytest.fixture(scope='module')
def alone(field, removers):
    """What each band gives by itself."""
    with pytest.warns(AstropyUserWarning, match='outside the map'):
        return {
            band: removers[band](field.maps[band], field.catalogue) for band in BANDS
        }


@pytest.fixture(scope='module')
def tied(field, removers):
    """All bands at the positions of the blue one."""
    with pytest.warns(AstropyUserWarning, match='outside the map'):
        return remove_bands(
            field.maps, field.catalogue, removers=removers, position_band='blue'
        )


@pytest.mark.parametrize('n_workers', [1, 3])
def test_like_each_band_alone(field, removers, alone, n_workers):
    result = remove_bands(
        field.maps, field.catalogue, removers=removers, n_workers=n_workers
    )
    cleaned, table = result
    assert result.bands == tuple(cleaned) == BANDS
    assert len(table) == 4
    assert_array_equal(table['id'], [1, 2, 3, 4])
    given = field.catalogue['sky_center']
    assert_allclose(table['sky_center'].separation(given).arcsec, 0, atol=1e-9)
    for band in BANDS:
        assert_array_equal(cleaned[band].data, alone[band].cleaned.data)
        for name in set(alone[band].photometry.colnames) - {'id', 'sky_center'}:
            ours, theirs = table[f'{name}_{band}'], alone[band].photometry[name]
            assert_array_equal(ours, theirs)
            assert ours.info.description == f'{band}: {theirs.info.description}'
        meta = alone[band].photometry.meta
        assert table.meta['by_band'][band].keys() == meta.keys()
    assert table.meta['bands'] == list(BANDS)


def test_a_row_a_source(tied, field):
    table = tied.photometry
    assert np.isfinite(table['flux_blue']).all()
    assert_array_equal(np.isfinite(table['flux_red']), [True, True, True, False])
    assert table['flags_red'][3] & SourceFlags.OUTSIDE_MAP
    for band, flux in field.flux.items():
        ratio = table[f'flux_{band}'][:3].to_value(u.Jy) / flux
        # errors of 0.2 mJy/pixel in some 20 pixels
        assert_allclose(ratio, 1, atol=0.02)


def test_tied_positions(tied, field):
    """Half an arcsec off in the catalogue; a twentieth of that as fitted."""
    table = tied.photometry
    off = field.sky.separation(field.catalogue['sky_center']).arcsec
    assert_allclose(off, 0.48, atol=0.01)
    assert (field.sky.separation(table['sky_tied']).arcsec < 0.1).all()
    for band in ('green', 'red'):
        assert f'x_fit_{band}' not in table.colnames
        wcs = field.maps[band].wcs
        x, y = wcs.world_to_pixel(table['sky_tied'])
        assert_allclose(table[f'x_center_{band}'], x, atol=1e-6)
        assert_allclose(table[f'y_center_{band}'], y, atol=1e-6)
    x, y = field.maps['blue'].wcs.world_to_pixel(table['sky_tied'])
    assert_allclose([table['x_fit_blue'], table['y_fit_blue']], [x, y], atol=1e-6)
    assert table.meta['position_band'] == 'blue'


def test_tied_to_a_smaller_map(field, removers):
    """Where that has no source, the position of the catalogue stays."""
    maps = {band: field.maps[band] for band in ('blue', 'red')}
    removers = {band: removers[band] for band in maps}
    result = remove_bands(maps, field.catalogue, removers=removers, position_band='red')
    table = result.photometry
    apart = table['sky_tied'].separation(table['sky_center']).arcsec
    assert apart[3] < 1e-6
    assert (apart[:3] > 0.2).all()
    assert np.isfinite(table['flux_blue']).all()


def test_pixel_positions_of_one_grid(field, removers):
    data = {'blue': field.maps['blue'].data, 'green': field.maps['blue'].data}
    xy = np.array([[55.3, 60.6], [105.8, 70.2]])
    removers = {band: removers[band] for band in data}
    table = remove_bands(data, xy, removers=removers, position_band='blue').photometry
    assert 'sky_center' not in table.colnames
    assert_allclose(table['x_center_green'], table['x_fit_blue'], atol=1e-9)
    assert_allclose(table['flux_blue'], 0.4, atol=0.01)


def test_wcs_by_band(field, removers):
    """What goes with a map is given by its band."""
    maps = {'blue': field.maps['blue'].data, 'red': field.maps['red']}
    mask = np.zeros(field.maps['red'].shape, dtype=bool)
    mask[:3] = True
    result = remove_bands(
        maps,
        field.catalogue[:3],
        removers={band: removers[band] for band in maps},
        wcs={'blue': field.maps['blue'].wcs},
        mask={'red': mask},
    )
    assert_array_equal(result.results['red'].map_input.missing, mask)
    assert np.isfinite(result.photometry['sky_center'].ra).all()


def test_frozen(tied):
    with pytest.raises(FrozenInstanceError):
        tied.photometry = None
    assert repr(tied) == '<BandsResult: 4 sources in blue, green, red>'
    html = tied._repr_html_()
    assert 'scanmap/red, 4 sources' in html
    assert f'{tied.photometry["flux_green"][0].value:.4g}' in html
    summary = tied.summary()
    assert summary.startswith('blue:\nsources: 4 on 170 x 170 pixels')
    assert 'setup: scanmap/red (as asked for)' in summary


def test_write(tied, tmp_path):
    paths = tied.write(tmp_path / 'out')
    names = [str(path.relative_to(tmp_path / 'out')) for path in paths]
    assert names[:3] == ['photometry.ecsv', 'blue/cleaned.fits', 'blue/photometry.ecsv']
    assert len(names) == 7
    table = QTable.read(paths[0])
    assert table.colnames == tied.photometry.colnames
    assert_array_equal(table['flux_red'], tied.photometry['flux_red'])
    assert table.meta['by_band'] == tied.photometry.meta['by_band']
    paths[-1].unlink()
    before = paths[0].read_bytes()
    with pytest.raises(FileExistsError, match='blue/cleaned.fits'):
        tied.write(tmp_path / 'out')
    assert not paths[-1].exists()
    tied.write(tmp_path / 'out', overwrite=True)
    assert paths[0].read_bytes() == before


class TestErrors:
    """All before any work."""

    @pytest.fixture(autouse=True)
    def no_work(self, monkeypatch):
        def begin(*_):
            raise AssertionError('the work has begun')

        monkeypatch.setattr(removing, 'run_removal', begin)

    @pytest.mark.parametrize(
        ('options', 'error', 'words'),
        [
            ({'maps': []}, TypeError, 'a dictionary of maps'),
            ({'maps': {}}, ValueError, 'one map or more'),
            ({'maps': {1: None}}, TypeError, 'must be a text'),
            ({'mode': 'scanmap'}, ValueError, 'mode or removers'),
            ({'mode': 'fast', 'removers': None}, ValueError, "blue: Unknown mode 'f"),
            ({'removers': None}, ValueError, 'names of setups: give mode'),
            ({'removers': {'blue': 3}}, ValueError, r'each band of maps \(blue, green'),
            ({'removers': dict.fromkeys(BANDS, 3)}, TypeError, 'blue: a remover must'),
            ({'position_band': 'pink'}, ValueError, "'red'.*got 'pink'"),
            ({'n_workers': 0}, ValueError, 'n_workers must be a positive'),
            ({'progress_bar': 'no'}, TypeError, 'progress_bar must be True'),
            ({'mask': {'pink': None}}, TypeError, r'mask must be a dictionary by'),
            ({'error': 'stDev'}, TypeError, 'error must be a dictionary by bands'),
            ({'mask': {'red': np.zeros((2, 2), bool)}}, ValueError, 'red: mask'),
            ({'sources': 'none.csv'}, FileNotFoundError, 'none.csv'),
            ({'sources': np.ones((3, 2))}, ValueError, 'blue and green do not have'),
            ({'sources': QTable({'a': [1]})}, ValueError, 'blue: The table has no'),
        ],
    )
    def test_refused(self, field, removers, options, error, words):
        given = {'maps': field.maps, 'sources': field.catalogue, 'removers': removers}
        given |= options
        with pytest.raises(error, match=words):
            remove_bands(given.pop('maps'), given.pop('sources'), **given)

    def test_pixels_of_other_scales(self, removers):
        """Maps without WCS have the scales of their setups."""
        data = {'green': np.ones((50, 50)), 'red': np.ones((50, 50))}
        removers = {band: removers[band] for band in data}
        with pytest.raises(ValueError, match='green and red do not have the same grid'):
            remove_bands(data, [[20.0, 20.0]], removers=removers)


def test_error_of_a_band(field, removers, monkeypatch):
    """What fails in a thread is raised, and the others are not waited for twice."""

    def fail(settings, *_):
        raise RuntimeError(settings.setup.band)

    monkeypatch.setattr(removing, 'run_removal', fail)
    with pytest.raises(RuntimeError, match='blue|green|red'):
        remove_bands(field.maps, field.catalogue, removers=removers, n_workers=2)


def test_progress_bar(field, removers, capsys):
    remove_bands(
        {'blue': field.maps['blue']},
        field.catalogue[:1],
        removers={'blue': removers['blue']},
        progress_bar=True,
    )
    assert 'bands: 100%' in capsys.readouterr().err


def test_colour_correction(removers):
    """One spectrum for all bands; that of a star is of PICC-ME-TN-038, Table 1."""
    bands = ('blue', 'red')
    made = removing._make_removers(bands, 'scanmap', None, 'star')
    settings = {band: made[band].settings for band in bands}
    factors = [settings[band].colour_correction.factor for band in bands]
    assert_allclose(factors, [1.016, 1.074], atol=5e-4)
    (by_name,) = removing._make_removers(('parallel/red',), None, None, 'star').values()
    assert by_name.settings.colour_correction == settings['red'].colour_correction
    with pytest.raises(ValueError, match='to each of the removers'):
        removing._make_removers(tuple(removers), None, removers, 'star')


def test_excluded_regions(field, removers):
    regions = pytest.importorskip('regions')
    sky = field.sky[:2]
    points = [regions.PointSkyRegion(one) for one in sky]
    center = sky[0].directional_offset_by(0 * u.deg, 40 * u.arcsec)
    area = regions.CircleSkyRegion(
        center, 8 * u.arcsec, meta=regions.RegionMeta({'include': False})
    )
    result = remove_bands(
        {'blue': field.maps['blue']},
        [*points, area],
        removers={'blue': removers['blue']},
    )
    assert len(result.photometry) == 2
    missing = result.results['blue'].map_input.missing
    assert_allclose(missing.sum(), np.pi * 5**2, rtol=0.05)
