# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of standard stars: the tables that ship, and real and made maps."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.encircled_energy import measure_encircled_energy
from photutils_pconv.evaluation.published import load_standard_stars
from photutils_pconv.evaluation.removers import INPAINT, RemoverChoice
from photutils_pconv.evaluation.standard_stars import measure_standard_stars
from photutils_pconv.evaluation.star_tables import format_star_table, make_star_table
from photutils_pconv.setups.from_header import setup_of_map
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import inject_sources


def test_table_5(reference_data):
    facts = Table.read(reference_data / 'facts' / 'standard_stars.csv')
    stars = load_standard_stars()
    assert list(stars['name']) == list(facts['name'])
    for band, wavelength in (('blue', 70), ('green', 100), ('red', 160)):
        for name, fact in (
            (f'reference_{band}', f'ref{wavelength}_mjy'),
            (f'reference_err_{band}', f'ref{wavelength}_err'),
            (f'paper_{band}', f'paper{wavelength}_mjy'),
        ):
            expected = np.ma.filled(facts[fact].astype(float), np.nan)
            assert_array_equal(stars[name].to_value('mJy'), expected)
        ratio = stars[f'paper_{band}'] / stars[f'reference_{band}']
        expected = np.ma.filled(facts[f'paper{wavelength}_ratio'].astype(float), np.nan)
        # Fluxes have one digit after the point, ratios three: the rounding of
        # all three is what they may differ by.
        rounding = 0.0005 + 2 * 0.05 / stars[f'reference_{band}'].to_value('mJy')
        known = np.isfinite(expected)
        assert_array_equal(known, np.isfinite(ratio.value))
        assert np.all(np.abs(ratio.value - expected)[known] <= rounding[known])


@pytest.fixture(scope='module')
def table(real_data):
    folder = real_data / 'pacs'
    return measure_standard_stars(
        [
            folder / 'gamma_dra_blue_jscanam.fits.gz',
            # The header does not tell the band.
            (folder / 'eta_dra_blue_photproject.fits', 'scanmap/blue'),
            folder / 'gamma_dra_blue_unimap.fits.gz',
        ],
        methods=['local_background'],
        # Their fluxes do not depend on what is taken for the errors.
        remover=replace(INPAINT, error_method='card'),
        others=[RemoverChoice(name='default', error_method='card')],
    )


class TestRealMaps:
    def test_found(self, table):
        assert list(table['star']) == ['gam Dra', 'eta Dra', 'gam Dra']
        assert list(table['setup']) == ['scanmap/blue'] * 3
        reference = table['reference'].to_value('mJy')
        assert_allclose(reference, [3283.0, 479.5, 3283.0])
        assert_allclose(table['paper'].to_value('mJy'), [3283.4, 515.8, 3283.4])
        assert_allclose(table['ratio_paper'], [1.000, 1.076, 1.000], atol=5e-4)
        assert_allclose(table['colour_correction'], 1.016, atol=5e-4)
        assert np.all(table['offset'] < 4 * u.arcsec)

    def test_gamma_dra(self, table):
        row = table[0]
        assert_allclose(row['ratio'], 1.0, atol=0.02)
        assert_allclose(row['ratio_annulus'], 1.0, atol=0.02)
        assert_allclose(row['ratio'], (row['flux'] / row['reference']).value)

    def test_gamma_dra_by_default(self, table):
        """JScanam and Unimap differ by 1.1 percent, with every method."""
        assert_allclose(table['ratio_default'][0], 1.0, atol=0.015)
        assert_allclose(table['ratio_default'][2], 1.0, atol=0.02)

    def test_eta_dra(self, table):
        """An early calibration: an annulus gives about 540 mJy."""
        row = table[1]
        assert_allclose(row['flux_annulus'].to_value('mJy'), 540.0, rtol=0.03)
        # On empty sky the backgrounds agree, and none explains the excess.
        assert_allclose(row['ratio_aperture'], row['ratio_annulus'], rtol=0.02)
        assert_allclose(row['ratio'], row['ratio_aperture'], rtol=0.02)
        aperture = row['ratio_aperture']
        assert_allclose(row['ratio_local_background'], aperture, rtol=0.04)

    def test_band_is_not_told(self, real_data):
        path = real_data / 'pacs' / 'eta_dra_blue_photproject.fits'
        with pytest.raises(ValueError, match='eta_dra.*names no band'):
            measure_standard_stars([path])


def make_map(path, center, *, flux=0.0, meta=None):
    """Write a map of a star a little beside its catalogued position."""
    setup = get_setup('scanmap', 'green')
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ['RA---TAN', 'DEC--TAN']
    wcs.wcs.crval = center
    wcs.wcs.crpix = [71.0, 68.0]
    wcs.wcs.cdelt = [-1.6 / 3600, 1.6 / 3600]
    data = 1e-3 + np.random.default_rng(1).normal(0, 1e-6, (140, 150))
    data = inject_sources(
        data, 70.8, 66.6, flux, psf=_psf(), pixel_scale=setup.pixel_scale.value
    )
    CCDData(data, unit='Jy/pix', wcs=wcs, meta=meta).write(path)
    return path


def _psf():
    from photutils_pconv.psf.library import get_psf

    return get_psf('scanmap/green')


def make_measured(*rows):
    """A table of measurements: star, map, setup, ratio."""
    return QTable(
        rows=[
            {'star': star, 'map': name, 'setup': setup, 'flux': flux * u.mJy}
            for star, name, setup, flux in rows
        ]
    )


class TestTable5:
    measured = make_measured(
        ('eta Dra', 'e.fits', 'parallel/red', 89.4),
        ('gam Dra', 'a.fits', 'scanmap/blue', 3200.0),
        ('gam Dra', 'b.fits', 'scanmap/blue', 3300.0),
        ('gam Dra', 'c.fits', 'scanmap/red', 621.0),
    )

    def test_rows(self):
        table = make_star_table(self.measured)
        assert list(table['star']) == ['gam Dra', 'gam Dra', 'eta Dra']
        assert list(table['map_blue']) == ['a.fits', 'b.fits', '']
        assert_allclose(table['flux_blue'].to_value('mJy'), [3200, 3300, np.nan])
        assert_allclose(table['ratio_blue'], [3200 / 3283, 3300 / 3283, np.nan])
        assert_allclose(table['ratio_red'], [1.0, np.nan, 1.0])
        assert np.all(np.isnan(table['flux_green']))
        # References and the paper's values are there in any case.
        assert_allclose(table['reference_green'].value, [1604, 1604, 232.6])
        assert_allclose(table['paper_red'].value, [623.5, 623.5, 83.0])
        assert_allclose(table['ratio_paper_red'], [1.004, 1.004, 0.928], atol=5e-4)
        assert all(table[name].info.description for name in table.colnames[1:])

    def test_text(self):
        lines = format_star_table(make_star_table(self.measured))
        assert len(lines) == 2 + 3
        assert len({len(line) for line in lines[1:]}) == 1
        assert [lines[0].find(band) > 0 for band in ('blue', 'green', 'red')] == [
            True
        ] * 3
        assert lines[2].startswith('gam Dra (a.fits, c.fits) ')
        assert lines[3].startswith('gam Dra (b.fits) ')
        blue, green, red = (part.split() for part in lines[4].split('|')[1:])
        assert blue == ['479.5', '-', '-', '515.8', '1.076']
        assert green == ['232.6', '-', '-', '220.7', '0.949']
        assert red == ['89.4', '89.4', '1.000', '83.0', '0.928']


class TestMadeMaps:
    def test_flux(self, tmp_path, flat_model):
        """eps Lep at 100 micron, as a star of its reference flux is measured."""
        make_map(
            tmp_path / 'a.fits',
            (76.365, -22.371),
            flux=0.5762 * 1.033,
            meta={'WAVELNTH': 100},
        )
        eef = measure_encircled_energy('scanmap/green', 1.6)
        lines = []
        table = measure_standard_stars(
            tmp_path,
            remover=RemoverChoice(model=flat_model, aperture_corrections=eef),
            aperture_radius=8 * u.arcsec,
            methods=(),
            report=lines.append,
        )
        (row,) = table
        assert (row['star'], row['setup']) == ('eps Lep', 'scanmap/green')
        assert_allclose(row['ratio'], 1.0, atol=0.01)
        # (0.8, -0.4) pixels from the position of the catalogue.
        assert_allclose(row['offset'].to_value('arcsec'), 1.6 * 0.894, atol=0.1)
        assert_allclose([row['x_center'], row['y_center']], [70.8, 66.6], atol=0.1)
        assert row['aperture'] == 8 * u.arcsec
        assert_allclose(row['colour_correction'], 1.033, atol=5e-4)
        assert lines == [f'a.fits: eps Lep, ratio {row["ratio"]:.3f}']

    def test_other_removers_and_colours(self, tmp_path, flat_model):
        """A band that the header does not tell, another remover, no colour."""
        path = make_map(tmp_path / 'a.fits', (76.365, -22.371), flux=0.5762)
        eef = measure_encircled_energy('scanmap/green', 1.6)
        choice = RemoverChoice(model=flat_model, aperture_corrections=eef)
        one, two = (
            measure_standard_stars(
                [path],
                band='green',
                remover=choice,
                others=others,
                aperture_radius=8,
                methods=['annulus', 'local_background'],
                colour_correction=colour,
            )[0]
            for others, colour in (
                ([replace(choice, name='wide', aperture_radii=12)], None),
                ((), 'star'),
            )
        )
        assert one['setup'] == 'scanmap/green'
        assert_allclose([one['ratio'], one['ratio_wide']], 1.0, atol=0.01)
        assert one['colour_correction'] == 1.0
        # All that is ours is corrected by the same factor.
        for name in ('flux', 'flux_err', 'flux_annulus', 'ratio_local_background'):
            assert_allclose(one[name] / two[name], two['colour_correction'], rtol=1e-12)

    def test_a_setup_without_references(self, tmp_path, flat_model):
        path = make_map(tmp_path / 'a.fits', (76.365, -22.371), flux=0.5)
        setup = replace(get_setup(setup='scanmap/green'), name='mine', band='x')
        with pytest.raises(ValueError, match="a.fits: .* none for 'mine'"):
            measure_standard_stars([(path, setup)])

    def test_no_star(self, tmp_path, flat_model):
        path = make_map(tmp_path / 'a.fits', (10.0, 0.0), meta={'WAVELNTH': 70.0})
        with (
            pytest.warns(AstropyUserWarning, match='no standard star lies on a.fits'),
            pytest.raises(ValueError, match='on any of the maps'),
        ):
            measure_standard_stars([path], remover=RemoverChoice(model=flat_model))

    def test_no_map(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='no FITS file'):
            measure_standard_stars(tmp_path)


@pytest.mark.parametrize(
    ('meta', 'options', 'name'),
    [
        ({'WAVELNTH': 70.0}, {}, 'scanmap/blue'),
        ({'WAVELNTH': 160}, {'mode': 'parallel'}, 'parallel/red'),
        ({'WAVELNTH': 100.0, 'CUSMODE': 'SpirePacsParallel'}, {}, 'parallel/green'),
        ({'SETUP': 'parallel/blue'}, {}, 'parallel/blue'),
    ],
)
def test_setup_of_a_header(meta, options, name):
    ccd = CCDData(np.ones((3, 3)), unit='Jy/pix', meta=meta)
    assert setup_of_map(ccd, **options).name == name


@pytest.mark.parametrize('value', [250.0, 0.0, 'blue', None])
def test_unknown_band(value):
    ccd = CCDData(np.ones((3, 3)), unit='Jy/pix', meta={'WAVELNTH': value})
    with pytest.raises(ValueError, match='(names|says) no (setup|band)'):
        setup_of_map(ccd)
