# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of simulated observations: sources, levels, fields, files."""

import csv
import json
from itertools import pairwise

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal
from photutils.aperture import CircularAperture, aperture_photometry
from photutils.psf import CircularGaussianPSF
from scipy.spatial.distance import pdist

from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.psf.library import SampledPSF, get_psf
from photutils_pconv.simulation import (
    flux_levels,
    inject_sources,
    simulate_field,
    simulate_levels,
    simulate_sources,
    write_simulation,
)
from photutils_pconv.simulation.files import simulation_paths
from photutils_pconv.simulation.injection import clustered_positions

SETUP = 'scanmap/green'


def make_wcs(shape, scale=1.6):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ['RA---TAN', 'DEC--TAN']
    wcs.wcs.crval = [83.8, -5.4]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
    wcs.wcs.set()
    return wcs


def make_ccd(shape=(260, 280), unit='Jy/pix', value=0.0, **options):
    data = np.full(shape, value)
    return CCDData(data, unit=unit, wcs=make_wcs(shape), **options)


def simulate(data, flux=500, *, psf=SETUP, seed=1, **options):
    return simulate_sources(data, psf, flux, rng=np.random.default_rng(seed), **options)


def pixels(ccd, sources):
    sky = SkyCoord(sources['ra'], sources['dec'])
    return np.transpose(ccd.wcs.world_to_pixel(sky))


class TestFluxLevels:
    def test_the_papers_example(self):
        assert_array_equal(flux_levels(40, 125).value, [40, 60, 80, 100, 125])

    def test_whole_table(self, reference_data):
        table = json.loads(
            (reference_data / 'facts' / 'flux_levels_mjy.json').read_text()
        )
        assert_array_equal(flux_levels().value, table)
        assert flux_levels().unit == u.mJy

    def test_numbers_of_simulations_of_the_papers_fields(self, reference_data):
        with open(reference_data / 'facts' / 'fields.csv') as file:
            rows = list(csv.DictReader(file))
        assert len(rows) > 50
        for row in rows:
            low, high = float(row['min_flux_mjy']), float(row['max_flux_mjy'])
            assert len(flux_levels(low, high)) == int(row['n_simulations'])

    def test_units(self):
        levels = flux_levels(0.04 * u.Jy, 0.125 * u.Jy)
        assert_array_equal(levels, flux_levels(40, 125))
        assert len(flux_levels(40, 40)) == 1

    @pytest.mark.parametrize('limits', [(41, 42), (125, 40), (5e4, 6e4)])
    def test_no_level(self, limits):
        with pytest.raises(ValueError, match='No flux level'):
            flux_levels(*limits)

    @pytest.mark.parametrize('limit', [-1, np.nan, 3 * u.m])
    def test_bad_limit(self, limit):
        with pytest.raises(ValueError, match='minimum'):
            flux_levels(limit)


class TestSimulateSources:
    @pytest.mark.parametrize(
        ('unit', 'factor'),
        [
            ('Jy/pix', 1.0),
            ('mJy/pix', 1e-3),
            ('MJy/sr', 1e6 * (1.6 * u.arcsec).to_value(u.rad) ** 2),
        ],
    )
    def test_flux_is_recovered(self, unit, factor):
        before = make_ccd(unit=unit, value=3.0)
        after, sources = simulate(before, n_sources=5, margin=100.0)
        assert after.unit == before.unit
        assert_array_equal(sources['flux'], 500 * u.mJy)
        difference = np.sum(after.data - before.data) * factor
        assert_allclose(difference, 2.5, rtol=2e-3)

    def test_each_source_is_where_the_list_has_it(self):
        before = make_ccd()
        after, sources = simulate(
            before, (100, 10000), n_sources=8, separation=90, margin=60
        )
        positions = pixels(after, sources)
        apertures = CircularAperture(positions, 12 / 1.6)
        found = aperture_photometry(after.data, apertures)['aperture_sum'].value
        eef = get_psf(SETUP).encircled_energy(12.0, pixel_scale=1.6)
        flux = sources['flux'].to_value('Jy')
        # The neighbours' wings add to the faint ones.
        assert_allclose(found, eef * flux, rtol=0.03, atol=0.02)
        assert flux.min() >= 0.1
        assert flux.max() <= 10
        assert np.ptp(np.log10(flux)) > 1
        assert pdist(positions).min() * 1.6 >= 90 * (1 - 1e-6)
        edge = np.minimum(positions, np.array([279, 259]) - positions) + 0.5
        assert edge.min() * 1.6 >= 60 * (1 - 1e-6)

    def test_fluxes_are_even_in_the_logarithm(self):
        _, sources = simulate(make_ccd((400, 400)), (10, 1000), density=2, separation=5)
        share = np.log10(sources['flux'].value / 10) / 2
        counts, _ = np.histogram(share, bins=4, range=(0, 1))
        assert counts.sum() == len(sources)
        assert_allclose(counts, len(sources) / 4, rtol=0.35)

    def test_seed(self):
        first, one = simulate(make_ccd())
        again, two = simulate(make_ccd())
        other, three = simulate(make_ccd(), seed=2)
        assert_array_equal(first.data, again.data)
        assert_array_equal(one['ra'], two['ra'])
        assert one.meta == two.meta
        assert np.any(first.data != other.data)
        assert one['ra'][0] != three['ra'][0]

    def test_density(self):
        _, sources = simulate(make_ccd(), density=1.0, margin=0, separation=10)
        assert len(sources) == round(260 * 280 * (1.6 / 60) ** 2)

    def test_missing_pixels_stay_and_hold_no_source(self):
        data = np.ones((260, 280), dtype=np.float32)
        data[:, 150:] = np.nan
        mask = np.zeros(data.shape, dtype=bool)
        mask[:100] = True
        before = CCDData(
            data,
            unit='Jy/pix',
            wcs=make_wcs(data.shape),
            mask=mask,
            uncertainty=StdDevUncertainty(np.full(data.shape, 0.1)),
            meta={'OBJECT': 'test'},
        )
        after, sources = simulate(before, margin=16, separation=16, n_sources=15)
        x, y = pixels(after, sources).T
        assert x.max() < 149.5 - 8
        assert y.min() > 99.5 + 8
        assert after.data.dtype == np.float32
        missing = mask | np.isnan(data)
        assert_array_equal(after.data[missing], data[missing])
        assert_array_equal(after.mask, mask)
        assert_array_equal(after.uncertainty.array, 0.1)
        assert after.meta['OBJECT'] == 'test'
        assert 'sources injected' in str(after.meta['HISTORY'])
        # The input is left alone.
        assert np.all(before.data[~missing] == 1)
        assert 'HISTORY' not in before.meta

    def test_other_forms_of_a_map(self, tmp_path):
        ccd = make_ccd((200, 200), value=1.0)
        ccd.write(tmp_path / 'map.fits')
        expected, sources = simulate(ccd, n_sources=4)
        quantity = ccd.data * u.Jy / u.pix
        for data, options in (
            (tmp_path / 'map.fits', {}),
            (quantity, {'wcs': ccd.wcs}),
        ):
            result, table = simulate(data, n_sources=4, **options)
            assert type(result) is CCDData
            assert_allclose(result.data, expected.data, rtol=1e-12)
            assert_allclose(table['ra'].value, sources['ra'].value)
            assert 'HISTORY' in result.meta

    def test_one_orientation_a_map_or_a_source(self):
        _, sources = simulate(make_ccd(), n_sources=6)
        assert np.ndim(sources.meta['angle']) == 0
        after, sources = simulate(make_ccd(), n_sources=6, rotation='source')
        angles = sources.meta['angle']
        assert len(set(angles)) == 6
        x, y = pixels(after, sources).T
        psf = get_psf(SETUP)
        expected = sum(
            inject_sources(
                np.zeros(after.shape), a, b, 0.5, psf=psf, pixel_scale=1.6, angle=angle
            )
            for a, b, angle in zip(x, y, angles, strict=True)
        )
        assert_allclose(after.data, expected, atol=1e-6 * expected.max())
        _, sources = simulate(make_ccd(), rotation=30 * u.deg)
        assert_allclose(sources.meta['angle'], np.pi / 6)

    def test_clusters(self):
        ccd = make_ccd((500, 500))
        options = {'n_sources': 40, 'separation': 5}
        after, sources = simulate(ccd, n_clusters=2, cluster_radius=25, **options)
        even = pixels(*simulate(ccd, **options))
        clustered = pixels(after, sources)
        # Half of the pairs share a cluster.
        assert np.percentile(pdist(clustered), 25) < 40
        assert np.percentile(pdist(even), 25) > 100
        assert pdist(clustered).min() * 1.6 >= 5 * (1 - 1e-6)

    def test_own_psf(self):
        yy, xx = np.mgrid[-20:21, -20:21]
        data = CircularGaussianPSF(fwhm=5)(xx, yy)
        after, _ = simulate(make_ccd(), psf=data, n_sources=3, margin=80)
        assert_allclose(after.data.sum(), 1.5, rtol=2e-3)

    def test_psf_that_is_not_normalised(self):
        yy, xx = np.mgrid[-20:21, -20:21]
        data = 3 * CircularGaussianPSF(fwhm=5)(xx, yy)
        with pytest.warns(AstropyUserWarning, match='normal|sum'):
            after, _ = simulate(make_ccd(), psf=data, n_sources=1, margin=80)
        assert_allclose(after.data.sum(), 0.5, rtol=2e-3)
        with pytest.warns(AstropyUserWarning, match='flux of the PSF is 3, not 1'):
            after, _ = simulate(
                make_ccd(), psf=SampledPSF(data, 1.6), n_sources=1, margin=80
            )
        assert_allclose(after.data.sum(), 1.5, rtol=2e-3)

    @pytest.mark.parametrize(
        ('options', 'match'),
        [
            ({'n_sources': 5000}, r'Only \d+ of 5000 positions fit'),
            ({'n_sources': 150, 'n_clusters': 1}, 'more or wider clusters'),
            ({'margin': 1000}, 'Only 0 of'),
            ({'n_sources': 0}, 'n_sources'),
            ({'n_sources': 3, 'density': 1}, 'not both'),
            ({'density': -1}, 'density'),
            ({'separation': -1}, 'separation'),
            ({'flux': -5}, 'flux'),
            ({'flux': (100, 10)}, 'ascending'),
            ({'flux': (10, 20, 30)}, 'flux'),
            ({'rotation': 'row'}, "'map', 'source'"),
            ({'rotation': np.nan}, 'rotation'),
            ({'psf': np.ones((6, 6)) / 36}, 'odd sides'),
        ],
    )
    def test_bad_input(self, options, match):
        with pytest.raises(ValueError, match=match):
            simulate(make_ccd(), **options)

    def test_map_without_unit_or_wcs(self):
        with pytest.raises(ValueError, match='no unit'):
            simulate(np.zeros((100, 100)), wcs=make_wcs((100, 100)))
        with pytest.raises(ValueError, match='no WCS'):
            simulate(CCDData(np.zeros((100, 100)), unit='Jy/pix'))


class TestClusteredPositions:
    def test_bad_input(self):
        options = {'rng': np.random.default_rng(1), 'separation': 1}
        with pytest.raises(ValueError, match='n_clusters and radius'):
            clustered_positions((50, 50), 5, n_clusters=0, radius=3, **options)
        with pytest.raises(ValueError, match='Only 0 of 1'):
            clustered_positions(
                (50, 50), 5, n_clusters=1, radius=3, margin=40, **options
            )

    def test_mask_and_margin(self):
        mask = np.zeros((80, 80), dtype=bool)
        mask[:, 40:] = True
        x, y = clustered_positions(
            mask.shape,
            100,
            rng=np.random.default_rng(1),
            separation=0.5,
            n_clusters=4,
            radius=20,
            margin=6,
            mask=mask,
        )
        assert len(x) == 100
        assert x.max() < 39.5
        assert min(x.min(), y.min()) >= 5.5
        assert y.max() <= 73.5


class TestSimulateLevels:
    def test_one_simulation_a_level(self):
        ccd = make_ccd((200, 200))
        rng = np.random.default_rng(3)
        results = list(simulate_levels(ccd, SETUP, 40, 125, rng=rng, n_sources=5))
        fluxes = [set(sources['flux'].value) for _, sources in results]
        assert fluxes == [{40}, {60}, {80}, {100}, {125}]
        for (_, one), (_, two) in pairwise(results):
            assert np.all(one['ra'] != two['ra'])

    def test_nth_depends_on_the_seed_and_n_only(self):
        ccd = make_ccd((200, 200))
        options = {'n_sources': 5}
        one, two = (
            list(
                simulate_levels(
                    ccd, SETUP, 40, high, rng=np.random.default_rng(3), **options
                )
            )
            for high in (60, 100)
        )
        assert_array_equal(one[1][0].data, two[1][0].data)

    def test_bad_range(self):
        with pytest.raises(ValueError, match='No flux level'):
            next(
                simulate_levels(
                    make_ccd(), SETUP, 125, 40, rng=np.random.default_rng(3)
                )
            )


class TestSimulateField:
    def make(self, seed=4, **options):
        rng = np.random.default_rng(seed)
        return simulate_field(SETUP, rng=rng, shape=(150, 170), **options)

    def test_parts(self):
        field = self.make(emission=2e-3, noise=1e-4, confusion=0)
        covered = field.coverage > 0
        assert field.image.unit == u.Jy / u.pix
        assert_array_equal(field.image.mask, ~covered)
        assert_array_equal(np.isfinite(field.image.data), covered)
        scatter = 1.4826 * np.median(np.abs(field.emission - np.median(field.emission)))
        assert_allclose(scatter, 2e-3, rtol=1e-4)
        noise = (field.image.data - field.emission) * np.sqrt(field.coverage)
        assert_allclose(np.nanstd(noise), 1e-4, rtol=0.1)
        scale = parse_map(field.image).pixel_scale
        assert_allclose(scale.to_value('arcsec'), 1.6, rtol=1e-6)

    def test_confusion_adds(self):
        without, with_ = self.make(confusion=0), self.make(confusion=20.0)
        difference = with_.image.data - without.image.data
        assert 0 < np.nanstd(difference) < 5e-4

    def test_seed(self):
        assert_array_equal(self.make().image.data, self.make().image.data)

    @pytest.mark.parametrize('option', ['emission', 'noise', 'faintest', 'confusion'])
    def test_bad_input(self, option):
        with pytest.raises(ValueError, match='must be'):
            self.make(**{option: -1.0})
        with pytest.raises(ValueError, match='2-D'):
            simulate_field(SETUP, rng=np.random.default_rng(1), shape=(3, 4, 5))


class TestFiles:
    def test_names(self, tmp_path):
        paths = simulation_paths(tmp_path, 1342191801, 7)
        assert [path.name for path in paths] == [
            '1342191801_L2_5_sim7.fits',
            '1342191801_L2_5_sim7.csv',
        ]
        for bad in ('', 'a/b'):
            with pytest.raises(ValueError, match='obsid'):
                simulation_paths(tmp_path, bad, 1)

    def test_round_trip(self, tmp_path):
        field = simulate_field(SETUP, rng=np.random.default_rng(1), shape=(160, 170))
        ccd, sources = simulate(field.image, (20, 400), n_sources=6)
        ccd.uncertainty = StdDevUncertainty(np.full(ccd.shape, 2e-4))
        image, table = write_simulation(
            ccd,
            sources,
            tmp_path / 'new' / 'folder',
            number=2,
            obsid='field',
            coverage=field.coverage,
            emission=field.emission,
        )
        assert sorted(path.name for path in image.parent.iterdir()) == [
            'field_L2_5_sim2.csv',
            'field_L2_5_sim2.fits',
        ]
        expected = parse_map(ccd)
        found = parse_map(image, error='error')
        assert_array_equal(found.data, expected.data)
        assert_array_equal(found.missing, expected.missing)
        assert_allclose(found.error, 2e-4, rtol=1e-6)
        assert found.jy_per_pixel == 1
        assert_allclose(found.pixel_scale.value, 1.6, rtol=1e-6)
        positions = parse_sources(table, wcs=found.wcs)
        assert_allclose(
            np.stack([positions.x, positions.y], axis=1),
            pixels(ccd, sources),
            atol=1e-6,
        )
        with open(table) as file:
            rows = list(csv.reader(file))
        assert rows[0] == ['ra', 'dec', 'flux']
        assert_allclose(
            [float(row[2]) for row in rows[1:]], sources['flux'].to_value('mJy')
        )
        with fits.open(image) as hdus:
            hdus.verify('exception')
            assert [hdu.name for hdu in hdus[1:]] == [
                'image',
                'coverage',
                'emission',
                'error',
            ]
            assert_allclose(hdus['emission'].data, field.emission, rtol=1e-6)
            assert hdus[0].header['OBSID001'] == 'field'

    def test_covered_but_masked_pixels_stay_missing(self, tmp_path):
        mask = np.zeros((120, 120), dtype=bool)
        mask[:30] = True
        ccd, sources = simulate(make_ccd((120, 120), mask=mask), n_sources=2)
        image, _ = write_simulation(
            ccd, sources, tmp_path, number=1, obsid='x', coverage=np.ones(ccd.shape)
        )
        assert_array_equal(parse_map(image).missing, mask)

    def test_existing_files_are_kept(self, tmp_path):
        ccd, sources = simulate(make_ccd((120, 120)), n_sources=2)
        paths = simulation_paths(tmp_path, 'x', 1)
        paths[1].write_text('mine')
        options = {'number': 1, 'obsid': 'x'}
        with pytest.raises(FileExistsError, match='overwrite=True'):
            write_simulation(ccd, sources, tmp_path, **options)
        assert paths[1].read_text() == 'mine'
        assert not paths[0].exists()
        write_simulation(ccd, sources, tmp_path, overwrite=True, **options)
        assert paths[1].read_text() != 'mine'

    def test_a_failure_leaves_nothing(self, tmp_path, monkeypatch):
        ccd, sources = simulate(make_ccd((120, 120)), n_sources=2)

        def fail(*args, **kwargs):
            raise OSError(28, 'No space left on device')

        monkeypatch.setattr(fits.HDUList, 'writeto', fail)
        with pytest.raises(OSError, match='No space'):
            write_simulation(ccd, sources, tmp_path, number=1, obsid='x')
        assert list(tmp_path.iterdir()) == []

    def test_bad_input(self, tmp_path):
        ccd, sources = simulate(make_ccd((120, 120)), n_sources=2)
        with pytest.raises(ValueError, match='give obsid'):
            write_simulation(ccd, sources, tmp_path, number=1)
        with pytest.raises(ValueError, match='coverage must have'):
            write_simulation(
                ccd, sources, tmp_path, number=1, obsid='x', coverage=np.ones((3, 3))
            )


@pytest.mark.parametrize('name', ['jscanam', 'unimap'])
def test_real_map(real_data, tmp_path, name):
    path = real_data / 'pacs' / f'gamma_dra_blue_{name}.fits.gz'
    before = parse_map(path)
    ccd, sources = simulate(path, psf='scanmap/blue', margin=40, n_sources=8)
    image, table = write_simulation(ccd, sources, tmp_path, number=1)
    assert image.name == '1342217404_L2_5_sim1.fits'
    after = parse_map(image)
    assert_array_equal(after.missing, before.missing)
    assert_allclose(np.nansum(after.data - before.data), 4.0, rtol=0.05)
    positions = parse_sources(table, wcs=after.wcs)
    column, row = (np.round(p).astype(int) for p in (positions.x, positions.y))
    difference = after.data - before.data
    peak = get_psf('scanmap/blue').render((61, 61), 30, 30, pixel_scale=1.6).max()
    assert_allclose(difference[row, column], 0.5 * peak, rtol=0.25)
