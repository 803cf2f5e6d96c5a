# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of colour corrections, against published tables and closed forms."""

import json
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.modeling.physical_models import BlackBody
from numpy.testing import assert_allclose

from photutils_pconv.photometry import (
    Passband,
    colour_correction,
    find_passband,
    get_passband,
)
from photutils_pconv.setups.registry import get_setup

BANDS = ('blue', 'green', 'red')
# Poglitsch et al. 2010, Table 3: of a power law F_nu ~ nu**slope.
SLOPES = {
    'blue': (1.04, 1.02, 1.00, 1.00, 1.00, 1.02, 1.04),
    'green': (1.04, 1.01, 1.00, 1.00, 1.01, 1.03, 1.07),
    'red': (1.06, 1.02, 1.00, 1.00, 1.03, 1.08, 1.14),
}
# Ciesla et al. 2012, Table 2: what SPIRE's fluxes of point sources, and those of
# extended ones, are to be multiplied with, for modified black bodies.
SPIRE_POINT = {
    (10, 2.0): (1.023, 0.995, 0.959),
    (20, 2.0): (0.955, 0.938, 0.896),
    (30, 2.0): (0.924, 0.917, 0.876),
    (10, 1.5): (1.026, 1.004, 0.977),
    (50, 1.5): (0.918, 0.919, 0.888),
}
SPIRE_EXTENDED = {
    (10, 2.0): (1.026, 1.025, 1.044),
    (20, 2.0): (1.005, 0.996, 1.007),
    (30, 2.0): (0.985, 0.983, 0.994),
    (10, 1.5): (1.021, 1.025, 1.049),
    (50, 1.5): (0.981, 0.984, 1.000),
}
SPIRE = ('spire_psw', 'spire_pmw', 'spire_plw')


class TestPublished:
    @pytest.mark.parametrize('band', BANDS)
    @pytest.mark.parametrize('mode', ['scanmap', 'parallel'])
    def test_black_bodies(self, reference_data, mode, band):
        """PICC-ME-TN-038, Table 1: 5 to 10,000 K, of three digits."""
        facts = json.loads(
            (reference_data / 'facts/colour_corrections.json').read_text()
        )
        table = facts['blackbody']
        found = [
            colour_correction(temperature * u.K, f'{mode}/{band}')
            for temperature in table['temperature_k']
        ]
        # Below 7 K blue fluxes are those of the faintest wing of the passband.
        good = np.array(table['temperature_k']) >= (7 if band == 'blue' else 5)
        expected = np.array(table[band])
        assert_allclose(np.array(found)[good], expected[good], rtol=7e-4)
        assert_allclose(found, expected, rtol=0.011)

    @pytest.mark.parametrize('band', BANDS)
    def test_power_laws(self, band):
        found = [colour_correction(slope, f'scanmap/{band}') for slope in range(-3, 4)]
        assert_allclose(found, SLOPES[band], atol=5.5e-3)

    @pytest.mark.parametrize('name', SPIRE)
    @pytest.mark.parametrize('extended', [False, True])
    def test_spire(self, name, extended):
        passband = get_passband(name)
        table = SPIRE_EXTENDED if extended else SPIRE_POINT
        found = [
            1.0
            / passband.colour_correction((temperature * u.K, slope), extended=extended)
            for temperature, slope in table
        ]
        expected = [values[SPIRE.index(name)] for values in table.values()]
        assert_allclose(found, expected, atol=1.6e-3)

    def test_of_the_standard_stars(self):
        factors = [colour_correction('star', f'scanmap/{band}') for band in BANDS]
        assert_allclose(factors, [1.016, 1.033, 1.074], atol=5e-4)


class TestClosedForms:
    @pytest.fixture
    def box(self):
        """A passband of one height from 80 to 125 micron."""
        return Passband(
            name='box',
            reference_wavelength=100 * u.um,
            wavelength=(1.0 / np.linspace(1 / 80, 1 / 125, 4001)) * u.um,
            response=np.ones(4001),
        )

    @pytest.mark.parametrize('slope', [-3.0, -1.0, 0.0, 2.0])
    def test_power_laws_in_a_box(self, box, slope):
        low, high = 0.8, 1.25
        if slope == -1:
            expected = 1.0
        else:
            expected = (high ** (slope + 1) - low ** (slope + 1)) / (slope + 1)
            expected /= np.log(high / low)
        assert_allclose(box.colour_correction(slope), expected, rtol=1e-6)

    @pytest.mark.parametrize('band', BANDS)
    def test_any_function(self, band):
        setup = f'scanmap/{band}'
        model = BlackBody(30 * u.K)
        assert_allclose(
            colour_correction(model, setup),
            colour_correction(30 * u.K, setup),
            rtol=1e-6,
        )
        assert_allclose(
            colour_correction(lambda nu: 7 * nu.to_value('THz') ** -2, setup),
            colour_correction(-2, setup),
        )

    def test_hot_black_bodies_are_power_laws(self):
        found = colour_correction(1e6 * u.K, 'scanmap/red')
        assert_allclose(found, colour_correction(2.0, 'scanmap/red'), rtol=1e-4)

    def test_an_emissivity_without_slope(self):
        assert colour_correction((20 * u.K, 0), 'scanmap/blue') == colour_correction(
            20 * u.K, 'scanmap/blue'
        )

    def test_pacs_has_no_other_response_to_extended_emission(self):
        pair = [
            colour_correction(2, 'scanmap/red', extended=one) for one in (False, True)
        ]
        assert pair[0] == pair[1]

    def test_an_unknown_response_to_extended_emission(self, box):
        with pytest.raises(ValueError, match='box to extended emission is not known'):
            box.colour_correction(2, extended=True)


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('star', 5000 * u.K),
        (' Star ', 5000 * u.K),
        ('30 K', 30 * u.K),
        ('30K', 30 * u.K),
        ('-1.5', -1.5),
        ('20 K, 1.8', (20 * u.K, 1.8)),
        ('20K,1.8', (20 * u.K, 1.8)),
    ],
)
def test_texts(text, value):
    one, two = (colour_correction(each, 'scanmap/red') for each in (text, value))
    assert one == two


@pytest.mark.parametrize(
    ('spectrum', 'error', 'match'),
    [
        ('warm', ValueError, "'star', a temperature"),
        ('1, 2, 3', ValueError, "'star', a temperature"),
        (3 * u.Jy, ValueError, 'must be in kelvin'),
        ((20, 1.8), ValueError, 'must be in kelvin'),
        ((20 * u.K, 'b'), TypeError, 'slope of the emissivity must be a number'),
        (4 * u.K, ValueError, '5 K or more'),
        ([20, 30] * u.K, ValueError, 'must be one number'),
        (np.nan * u.K, ValueError, '5 K or more'),
        (30, ValueError, r'needs its unit, such as 30 \* u.K'),
        (np.nan, ValueError, 'must be between -5 and 5'),
        (True, TypeError, "'star', or a pair"),
        (None, TypeError, "'star', or a pair"),
        ((1 * u.K,), TypeError, "'star', or a pair"),
        (lambda nu: -nu, ValueError, 'flux density F_nu, not negative'),
        (lambda nu: 1.0, ValueError, 'for every frequency'),
        (lambda nu: 0 * nu, ValueError, 'must be positive at 70 um'),
    ],
)
def test_refused_spectra(spectrum, error, match):
    with pytest.raises(error, match=match):
        colour_correction(spectrum, 'scanmap/blue')


class TestSetups:
    def test_without_a_passband(self):
        setup = replace(get_setup(setup='scanmap/red'), name='mine')
        assert find_passband(setup) is None
        with pytest.raises(ValueError, match="'mine' has no passband.*scanmap/blue"):
            colour_correction('star', setup)

    def test_modes_share_passbands(self):
        assert find_passband('scanmap/red') is find_passband('parallel/red')

    @pytest.mark.parametrize('name', ['pacs_blue', 'pacs_green', 'pacs_red', *SPIRE])
    def test_files(self, name):
        passband = get_passband(name)
        assert passband.calibration_error == (0.07 if 'pacs' in name else 0.055)
        assert np.all(np.diff(passband.wavelength) > 0)
        assert passband.response.max() <= 1.0
        assert passband.source
        assert passband.calibration_source

    def test_unknown_name(self):
        with pytest.raises(ValueError, match="'pacs_blue', 'pacs_green'"):
            get_passband('pacs')

    @pytest.mark.parametrize(('band', 'name'), [('250', 'PSW'), ('500', 'PLW')])
    def test_spire(self, band, name):
        setup = get_setup(setup=f'spire/{band}')
        assert find_passband(setup).name == f'SPIRE {name}'
        # Ciesla et al. 2012, Table 2: 20 K, an emissivity of slope 2.
        expected = {'PSW': 0.955, 'PLW': 0.896}[name]
        factor = colour_correction((20 * u.K, 2.0), setup)
        assert_allclose(1.0 / factor, expected, atol=1.6e-3)
