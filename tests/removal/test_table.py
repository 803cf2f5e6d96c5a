# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the table of the photometry, from arrays."""

from types import MappingProxyType

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import SourceInput
from photutils_pconv.photometry.aperture_fluxes import ApertureFluxes
from photutils_pconv.photometry.upper_limits import flux_upper_limit
from photutils_pconv.removal.filling import PSFFluxes
from photutils_pconv.removal.flux_errors import FluxErrors
from photutils_pconv.removal.sources import Sources
from photutils_pconv.removal.table import make_photometry_table

INSIDE = np.array([True, False, True])
SHAPE = (40, 50)


def make_fluxes(n_apertures):
    values = np.arange(1.0, 2 * n_apertures + 1).reshape(2, n_apertures)
    return ApertureFluxes(
        flux=values,
        flux_err=values / 10,
        flux_annulus=values + 0.5,
        aperture_correction=values + 1,
        hole_fraction=np.ones_like(values),
        local_bkg=np.array([0.3, 0.4]),
        local_bkg_std=np.array([0.03, 0.04]),
        flags=np.zeros(2, dtype=int),
    )


def make_table(
    *,
    n_apertures=1,
    sky=None,
    psf=False,
    unit='mJy/pix',
    wcs=None,
    null_err=None,
    limits=MappingProxyType({}),
    **changes,
):
    xy = np.array([[3.0, 90.0, 7.0], [5.0, 5.0, 9.0]])
    sources = Sources(*xy, INSIDE, np.zeros(3, int), SourceInput(*xy, sky, None))
    psf_fluxes = psf_err = None
    if psf:
        columns = {'flux': [10.0, 20.0], 'flux_err': [1.0, 2.0], 'x': [3.1, 7.1]}
        columns |= {'y': [5.1, 9.1], 'qfit': [0.1, 0.2], 'cfit': [0.01, 0.02]}
        columns |= changes
        psf_fluxes = PSFFluxes(
            **{k: None if v is None else np.array(v) for k, v in columns.items()}
        )
        psf_err = np.array([1.5, 2.5])
    fluxes = make_fluxes(n_apertures)
    data = np.ones(SHAPE)
    map_input = parse_map(data if unit is None else data * u.Unit(unit), wcs=wcs)
    return make_photometry_table(
        sources,
        Holes(*xy[:, INSIDE], [4.0, 6.0], SHAPE, [8.0, 50.0]),
        fluxes,
        FluxErrors(
            fluxes.flux / 4,
            psf_err,
            np.zeros(2, int),
            null_err=null_err,
            null_psf_err=None if psf_err is None else psf_err / 2,
        ),
        psf_fluxes,
        None,
        map_input,
        np.array([0, 4, 8]),
        **limits,
    )


ONE = [
    'id',
    'x_center',
    'y_center',
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


def test_factor_of_each_source():
    """Pixels that shrink towards a pole: the flux counts them where they are."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'GLON-CAR', 'GLAT-CAR'
    shrink = np.cos(np.radians(60))
    wcs.wcs.cdelt = -5e-3 / shrink, 5e-3
    wcs.wcs.crpix = 25.5, 20.5 - 12000
    wcs.wcs.set()
    table, reference = (make_table(unit=unit, wcs=wcs) for unit in ('MJy/sr', 'Jy/pix'))
    ratio = table['flux'] / reference['flux']
    latitude = wcs.pixel_to_world([3, 7], [5, 9]).b
    expected = 1e6 * np.radians(5e-3) ** 2 * np.cos(latitude) / shrink
    assert_allclose(ratio[INSIDE].value, expected.value, rtol=1e-6)
    assert_allclose(table['flux_err'][2] / table['flux'][2], 0.25)
    low, high = table.meta['jy_per_pixel']
    factors = np.append(expected.value, 1e6 * np.radians(5e-3) ** 2)
    assert_allclose([low, high], [factors.min(), factors.max()], rtol=1e-4)
    assert reference.meta['jy_per_pixel'] == [1.0, 1.0]


class TestColumns:
    def test_one_aperture(self):
        assert make_table().colnames == ONE

    def test_several_apertures(self):
        names = make_table(n_apertures=2).colnames
        several = [*ONE[9:12], 'aperture_correction']
        expected = []
        for name in ONE:
            expected += [f'{name}_0', f'{name}_1'] if name in several else [name]
        assert names == expected

    def test_sky(self):
        sky = SkyCoord([10.0, 11.0, 12.0], [0.0, 0.0, 0.0], unit='deg')
        table = make_table(sky=sky)
        assert set(table.colnames) - set(ONE) == {'sky_center'}
        assert_array_equal(table['sky_center'].ra.deg, [10, 11, 12])

    def test_psf(self):
        added = {'qfit', 'cfit'}
        fitted = make_table(psf=True)
        assert set(fitted.colnames) - set(ONE) == added | {'x_fit', 'y_fit'}
        fixed = make_table(psf=True, x=None, y=None)
        assert set(fixed.colnames) - set(ONE) == added
        two = make_table(psf=True, inner_radius=[0.0, 2.0])
        assert 'inner_radius' in two.colnames


class TestValues:
    def test_spread_over_all_sources(self):
        table = make_table(psf=True, inner_radius=[0.0, 2.0])
        assert_array_equal(table['id'], [1, 2, 3])
        assert_array_equal(table['x_center'], [3, 90, 7])
        assert_array_equal(table['flags'], [0, 4, 8])
        kept = ('id', 'x_center', 'y_center', 'flags')
        # Both sources are detected.
        assert np.all(np.isnan(table['flux_upper_limit']))
        for name in set(table.colnames) - {*kept, 'flux_upper_limit'}:
            found = np.isnan(u.Quantity(table[name]).value)
            assert_array_equal(found, ~INSIDE, name)
        assert_array_equal(table['hole_radius'], [4, np.nan, 6])
        assert_array_equal(table['snr'], [8, np.nan, 50])
        assert_array_equal(table['inner_radius'], [0, np.nan, 2])
        assert_array_equal(table['x_fit'], [3.1, np.nan, 7.1])

    @pytest.mark.parametrize(
        ('unit', 'factor'), [('mJy/pix', 1e-3), ('Jy/pix', 1.0), (None, 1.0)]
    )
    def test_units(self, unit, factor):
        """Fluxes are in Jy, whatever the map is in; backgrounds are as the map."""
        table = make_table(psf=True, unit=unit)
        expected = {
            'flux_aperture': [1, 2],
            'flux_aperture_err': [0.25, 0.5],
            'flux_annulus': [1.5, 2.5],
            'flux': [10, 20],
            'flux_err': [1.5, 2.5],
        }
        for name, values in expected.items():
            column = table[name][INSIDE]
            assert getattr(column, 'unit', None) == (u.Jy if unit else None), name
            assert_allclose(u.Quantity(column).value, np.array(values) * factor)
        background = table['local_bkg'][INSIDE]
        assert getattr(background, 'unit', None) == (u.Unit(unit) if unit else None)
        assert_array_equal(u.Quantity(background).value, [0.3, 0.4])
        assert_array_equal(table['aperture_correction'][INSIDE], [2, 3])


class TestBestFlux:
    def test_without_a_psf_it_is_that_of_the_first_aperture(self):
        table = make_table(n_apertures=2)
        for name in ('flux', 'flux_err'):
            expected = table[name.replace('flux', 'flux_aperture') + '_0']
            assert_array_equal(table[name][INSIDE], expected[INSIDE])
        assert table.meta['flux'] == 'aperture'
        assert 'first aperture' in table['flux'].info.description

    def test_with_a_psf(self):
        table = make_table(psf=True, position_err=[0.03, np.nan])
        assert table.meta['flux'] == 'psf'
        assert 'of the PSF' in table['flux'].info.description
        for name in ('x_err', 'y_err'):
            assert_array_equal(table[name], [0.03, np.nan, np.nan])

    @pytest.mark.parametrize('psf', [False, True])
    def test_every_column_is_described(self, psf):
        sky = SkyCoord([10.0, 11.0, 12.0], [0.0, 0.0, 0.0], unit='deg')
        table = make_table(psf=psf, n_apertures=2, sky=sky)
        for name in table.colnames:
            assert len(table[name].info.description) > 10, name


class TestDetection:
    def test_the_error_is_that_without_the_source(self):
        # The best fluxes are 10 and 20, their errors 1.5 and 2.5.
        table = make_table(psf=True)
        assert_allclose(table['detection_snr'][INSIDE], [10 / 0.75, 20 / 1.25])
        assert not isinstance(table['detection_snr'], u.Quantity)

    def test_a_poor_fit_has_that_of_the_aperture(self):
        null = np.array([[0.5], [0.1]])
        table = make_table(psf=True, poor=[False, True], null_err=null)
        assert_allclose(table['detection_snr'][INSIDE], [10 / 0.75, 2 / 0.1])

    @pytest.mark.parametrize('unit', ['mJy/pix', None])
    def test_limits_below_the_threshold_only(self, unit):
        limits = {'detection_threshold': 14.0, 'upper_limit_probability': 0.9}
        table = make_table(psf=True, unit=unit, limits=limits)
        expected = flux_upper_limit(10.0, 1.5, probability=0.9)
        factor = 1.0 if unit is None else 1e-3
        found = u.Quantity(table['flux_upper_limit']).value
        assert_allclose(found, [expected * factor, np.nan, np.nan])

    def test_what_is_not_measured_is_neither(self):
        table = make_table(psf=True, flux=[np.nan, 1.0])
        assert np.isnan(table['detection_snr'][0])
        assert np.isfinite(u.Quantity(table['flux_upper_limit']).value).tolist() == [
            False,
            False,
            True,
        ]
