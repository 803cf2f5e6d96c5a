# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of fetching and matching catalogues, against a server like VizieR's."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.archive import (
    ArchiveConnectionError,
    ArchiveFormatError,
    NotInArchiveError,
    fetch_catalogue,
    match_catalogue,
)
from photutils_pconv.inputs import parse_sources

SHAPE = (90, 100)


@pytest.fixture
def ccd(make):
    """A map of which the first five columns were not observed."""
    data = np.ones(SHAPE)
    data[:, :5] = np.nan
    return CCDData(data, unit='Jy/pix', wcs=make.wcs(SHAPE))


@pytest.fixture
def sources(make):
    """Three sources on the map, one on missing pixels, one beside it."""
    x, y = [20, 50.3, 80, 2, 50], [30, 44.8, 70, 40, 110]
    sky = make.wcs(SHAPE).pixel_to_world(x, y)
    table = Table(
        {
            'Name': [f'HPPSC070A {n}' for n in 'abcde'],
            'ObsId': np.arange(5) + 1342217404,
            'RAJ2000': sky.ra.deg * u.deg,
            'DEJ2000': sky.dec.deg * u.deg,
            'Flux': [3283.0, 20.0, 15.0, 9.0, 9.0] * u.mJy,
            'Edge': [0, 1, 0, 0, 0],
            'Blend': [0, 0, 1, 0, 0],
        },
        masked=True,
    )
    table['Flux'].mask[1] = True
    return table


class TestFetch:
    def test_as_the_remover_takes_it(self, server, patience, ccd, sources, make):
        server.catalogues['VIII/106/hppsc070'] = sources
        server.catalogues['VIII/106/hppsc100'] = sources[:1]
        table = fetch_catalogue(ccd, band='blue', catalogue='hppsc', patience=patience)
        assert isinstance(table, QTable)
        assert list(table['Name']) == ['HPPSC070A a', 'HPPSC070A b', 'HPPSC070A c']
        assert list(table['Edge']) == [0, 1, 0]
        assert list(table['Blend']) == [0, 0, 1]
        assert table['Flux'].unit == u.mJy
        assert table.meta['table'] == 'VIII/106/hppsc070'
        assert table.meta['catalogue'] == 'hppsc'
        found = parse_sources(table, wcs=ccd.wcs)
        assert_allclose(found.x, [20, 50.3, 80], atol=1e-6)
        assert_allclose(found.y, [30, 44.8, 70], atol=1e-6)

    def test_the_query_that_arrives(self, server, patience, ccd, sources):
        server.catalogues['VIII/106/hppsc160'] = sources
        fetch_catalogue(ccd, band='red', catalogue='hppsc', patience=patience)
        (body,) = server.vizier_bodies
        lines = body.splitlines()
        assert '-source=VIII/106' in lines
        assert '-out.max=unlimited' in lines
        assert '-out.all' in lines
        (position,) = [line for line in lines if line.startswith('-c=')]
        # astroquery sends it in FK5, as VizieR wants it
        ra, dec = position.removeprefix('-c=').split('+')
        assert_allclose([float(ra), float(dec)], [269.15154, 51.48889], atol=1e-5)
        (radius,) = [line for line in lines if line.startswith('-c.rd=')]
        # half the diagonal of 90 x 100 pixels
        half = np.hypot(45, 50) * 1.6 + 1
        assert_allclose(float(radius.split('=')[1]) * 3600, half, rtol=1e-4)

    @pytest.mark.parametrize(
        'names',
        [
            ['hpsc_blue', 'hpsc_green', 'hpsc_red', 'rejected_blue'],
            ['t70', 't100', 't160', 'rej70'],
        ],
    )
    def test_the_new_catalogue(self, server, patience, ccd, sources, names):
        for number, name in enumerate(names):
            server.catalogues[f'J/A+A/688/A203/{name}'] = sources[: 3 - number % 3]
        table = fetch_catalogue(ccd, band='green', patience=patience)
        assert table.meta['table'] == f'J/A+A/688/A203/{names[1]}'
        assert len(table) == 2

    def test_captions(self, server, patience, ccd, sources):
        for name, band in (('table1', 'blue'), ('table2', 'green')):
            one = sources.copy()
            one.meta['description'] = f'The {band} sources'
            server.catalogues[f'J/A+A/688/A203/{name}'] = one
        table = fetch_catalogue(ccd, band='green', patience=patience)
        assert table.meta['table'] == 'J/A+A/688/A203/table2'

    def test_all_bands_in_one_table(self, server, patience, ccd, sources):
        sources['Band'] = ['70', '100', '70', '70', '70']
        server.catalogues['J/A+A/688/A203/catalog'] = sources
        table = fetch_catalogue(ccd, band='blue', patience=patience)
        assert list(table['Name']) == ['HPPSC070A a', 'HPPSC070A c']

    def test_a_table_by_its_name(self, server, patience, ccd, sources):
        for name in ('one', 'two'):
            server.catalogues[f'J/A+A/688/A203/{name}'] = sources
        with pytest.raises(
            ArchiveFormatError,
            match=r'that of the blue band: .*one, .*two\. Name one',
        ):
            fetch_catalogue(ccd, band='blue', patience=patience)
        table = fetch_catalogue(ccd, band='blue', table='two', patience=patience)
        assert table.meta['table'] == 'J/A+A/688/A203/two'

    @pytest.mark.parametrize('others', [False, True])
    def test_empty(self, server, patience, ccd, sources, others):
        if others:
            server.catalogues['VIII/106/hppsc160'] = sources
        with pytest.raises(
            NotInArchiveError,
            match=r'The catalogue hppsc .* has no blue source on the map around 17h56m',
        ):
            fetch_catalogue(ccd, band='blue', catalogue='hppsc', patience=patience)

    def test_only_beside_the_map(self, server, patience, ccd, sources):
        server.catalogues['VIII/106/hppsc070'] = sources[3:]
        with pytest.raises(NotInArchiveError, match='no blue source on the map'):
            fetch_catalogue(ccd, band='blue', catalogue='hppsc', patience=patience)

    def test_renamed_column(self, server, patience, ccd, sources):
        sources.rename_column('RAJ2000', 'alpha')
        server.catalogues['VIII/106/hppsc070'] = sources
        with pytest.raises(
            ArchiveFormatError,
            match=r'VizieR has changed: .* no columns RAJ2000 .*It has: Name, ObsId',
        ):
            fetch_catalogue(ccd, band='blue', catalogue='hppsc', patience=patience)

    def test_other_columns_of_positions(self, server, patience, ccd, sources):
        sky = SkyCoord(sources['RAJ2000'], sources['DEJ2000'])
        sources['RAJ2000'] = sky.ra.to_string('hour', sep=' ', precision=4)
        sources['DEJ2000'] = sky.dec.to_string('deg', sep=' ', precision=3)
        server.catalogues['VIII/106/hppsc070'] = sources
        table = fetch_catalogue(ccd, band='blue', catalogue='hppsc', patience=patience)
        assert np.all(table['sky_center'].separation(sky[:3]) < 0.01 * u.arcsec)

    def test_failures(self, server, patience, ccd, make):
        server.faults['vizier'] = [make.fault(503)] * 2
        with pytest.raises(
            ArchiveConnectionError, match='VizieR is out of order: .*503'
        ):
            fetch_catalogue(ccd, band='blue', patience=patience)
        server.faults['vizier'] = [make.fault(200, b'<html>Maintenance</html>')]
        with pytest.raises(ArchiveFormatError, match='VizieR sent .* no table'):
            fetch_catalogue(ccd, band='blue', patience=patience)

    def test_a_file(self, server, patience, make, tmp_path, sources):
        """Also one of the archive's, with coverage."""
        path = tmp_path / 'map.fits.gz'
        path.write_bytes(make.map(shape=SHAPE))
        server.catalogues['VIII/106/hppsc070'] = sources
        table = fetch_catalogue(path, band='blue', catalogue='hppsc', patience=patience)
        assert len(table) == 3


@pytest.mark.parametrize(
    ('data', 'error', 'match'),
    [
        (np.ones(SHAPE), TypeError, 'must be the path of a FITS file, or an NDData'),
        (CCDData(np.ones(SHAPE), unit='Jy'), ValueError, 'The map has no WCS'),
    ],
)
def test_no_map(data, error, match):
    with pytest.raises(error, match=match):
        fetch_catalogue(data, band='blue')


def test_wrong_arguments(ccd):
    with pytest.raises(ValueError, match='catalogue must be one of'):
        fetch_catalogue(ccd, band='blue', catalogue='gaia')
    with pytest.raises(ValueError, match='band must be one of'):
        fetch_catalogue(ccd, band='violet')


class TestMatch:
    @pytest.fixture
    def catalogue(self, sources):
        table = QTable(sources)
        position = SkyCoord(sources['RAJ2000'], sources['DEJ2000'])
        table.add_column(position, name='sky_center', index=0)
        return table

    def test_against_a_loop(self, catalogue):
        """The definition, by brute force."""
        rng = np.random.default_rng(5)
        at = catalogue['sky_center']
        ours = at[rng.integers(0, 5, 30)].spherical_offsets_by(
            *(rng.normal(0, 3, (2, 30)) * u.arcsec)
        )
        photometry = QTable({'id': np.arange(30), 'sky_center': ours})
        matched = match_catalogue(photometry, catalogue, max_separation=4 * u.arcsec)
        distance = ours[:, np.newaxis].separation(at).arcsec
        for i, row in enumerate(matched):
            j = np.argmin(distance[i])
            pair = np.argmin(distance[:, j]) == i and distance[i, j] <= 4
            assert row['catalogue_index'] == (j if pair else -1)
            if pair:
                assert_allclose(row['catalogue_separation'].value, distance[i, j])
                assert row['catalogue_Name'] == catalogue['Name'][j]
            else:
                assert np.isnan(row['catalogue_separation'])
                assert row['catalogue_Name'] is np.ma.masked
        assert 1 <= np.sum(matched['catalogue_index'] >= 0) <= 5
        assert_array_equal(matched['id'], np.arange(30))

    def test_nothing_to_match(self, catalogue):
        photometry = QTable(
            {'sky_center': SkyCoord([1.0, np.nan], [2.0, 3.0], unit='deg')}
        )
        matched = match_catalogue(photometry, catalogue, max_separation=1 * u.arcsec)
        assert_array_equal(matched['catalogue_index'], [-1, -1])
        assert len(match_catalogue(photometry, catalogue[:0], max_separation='1s')) == 2

    def test_a_result(self, server, patience, make_scene, flat_model):
        """From a map without a list of sources to fluxes beside the catalogue's."""
        scene = make_scene([70.3, 50.8], [55.1, 90.7], [5.0, 0.3], sky=2e-3, noise=1e-4)
        ccd = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
        sky = scene.wcs.pixel_to_world(scene.x, scene.y)
        server.catalogues['VIII/106/hppsc100'] = Table(
            {
                'RAJ2000': sky.ra.deg * u.deg,
                'DEJ2000': sky.dec.deg * u.deg,
                'Flux': [5000.0, 300.0] * u.mJy,
            }
        )
        table = fetch_catalogue(ccd, band='green', catalogue='hppsc', patience=patience)
        remover = NeuralSourceRemover('scanmap', 'green', model=flat_model)
        matched = match_catalogue(
            remover(ccd, table), table, max_separation=2 * u.arcsec
        )
        assert_array_equal(matched['catalogue_index'], [0, 1])
        assert_allclose(matched['flux'], matched['catalogue_Flux'], rtol=0.05)

    @pytest.mark.parametrize(
        ('change', 'error', 'match'),
        [
            ({'max_separation': 3}, ValueError, 'must be an angle'),
            ({'max_separation': 3 * u.m}, ValueError, 'must be an angle'),
            ({'max_separation': 0 * u.deg}, ValueError, 'one angle above 0'),
            (
                {'result': Table({'x': [1]})},
                ValueError,
                'result must have the column sky',
            ),
            ({'result': 3}, TypeError, 'result must be a table'),
            ({'catalogue': [3]}, TypeError, 'catalogue must be a table'),
        ],
    )
    def test_wrong_arguments(self, catalogue, change, error, match):
        given = {'result': catalogue, 'catalogue': catalogue, 'max_separation': '3s'}
        given |= change
        with pytest.raises(error, match=match):
            match_catalogue(**given)
