# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the observing setups."""

import copy
import json
import pickle

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import zoom

from photutils_pconv.setups.registry import (
    get_setup,
    list_setups,
    register_setup,
    unregister_setup,
)
from photutils_pconv.setups.setup import ObservingSetup

MODES = ('scanmap', 'parallel')
BANDS = ('blue', 'green', 'red')
ALL = [(mode, band) for mode in MODES for band in BANDS]

# Table 3 of the paper: lower SNR limits and hole radii of its first rows.
SCANMAP_LIMITS = (300, 140, 13, 8, 4)
TABLE_3 = {
    'blue': (12, 11, 9, 7, 6, 5),
    'green': (13, 11, 10, 8, 6, 5),
    'red': (10, 9, 8, 7, 6, 4),
}


def make_kwargs(**changes):
    kwargs = {
        'name': 'spire/psw',
        'mode': 'spire',
        'band': 'psw',
        'wavelength': 250 * u.um,
        'pixel_scale': 6 * u.arcsec,
        'psf_fwhm': 18.1,
        'aperture_radius': 22,
        'snr_source_radius': 4,
        'snr_inner_radius': 8,
        'snr_outer_radius': 18,
        'snr_thresholds': (100, 10),
        'hole_radii': (9, 7, 5),
        'encircled_energy': {'real': ([10, 22, 40], [0.4, 0.8, 0.95])},
    }
    return kwargs | changes


@pytest.fixture
def own_setup():
    setup = ObservingSetup(**make_kwargs())
    yield setup
    if setup.name in list_setups():
        unregister_setup(setup.name)


def test_list_setups():
    pacs = tuple(f'{mode}/{band}' for mode, band in ALL)
    assert list_setups()[:6] == list_setups(instrument='PACS') == pacs
    assert list_setups(instrument='none') == ()


@pytest.mark.parametrize(('mode', 'band'), ALL)
def test_bundled(mode, band):
    setup = get_setup(mode, band)
    assert (setup.name, setup.mode, setup.band) == (f'{mode}/{band}', mode, band)
    assert setup is get_setup(setup=f'{mode}/{band}')
    assert setup is get_setup(setup=setup)
    index = BANDS.index(band)
    assert setup.wavelength == (70, 100, 160)[index] * u.um
    assert setup.aperture_radius == (6, 7, 10)[index] * u.arcsec
    scale = 1.6 if mode == 'scanmap' and band != 'red' else 3.2
    assert setup.pixel_scale == scale * u.arcsec
    assert_array_equal(setup.annulus_radii, [25, 35] * u.arcsec)
    # diffraction at 3.5 m is the least a beam can be
    limit = (1.03 * setup.wavelength / (3.5 * u.m)) * u.rad
    assert 1 < (setup.psf_fwhm / limit).to_value(u.one) < 2.2
    for key in ('wavelength', 'pixel_scale', 'psf_fwhm', 'aperture_radius'):
        assert getattr(setup, key).isscalar


@pytest.mark.parametrize('band', BANDS)
def test_psf_fwhm(real_data, band):
    """Round beams agree with the area above half of Vesta's maximum."""
    scale = 2.4 if band == 'red' else 1.2
    psf = fits.getdata(real_data / f'psf/vesta_{band}_{scale}arcsec.fits')
    fine = zoom(psf.astype(float), 10, order=3, grid_mode=True, mode='nearest')
    area = np.sum(fine > fine.max() / 2) * (scale / 10) ** 2
    measured = np.sqrt(4 * area / np.pi)
    assert_allclose(get_setup('scanmap', band).psf_fwhm.value, measured, rtol=0.06)


@pytest.mark.parametrize('band', BANDS)
def test_table_3(band):
    setup = get_setup('scanmap', band)
    assert setup.hole_radii == TABLE_3[band]
    for limit, radius, below in zip(
        SCANMAP_LIMITS, TABLE_3[band], TABLE_3[band][1:], strict=False
    ):
        assert setup.hole_radius(limit) == radius
        assert setup.hole_radius(np.nextafter(limit, 0)) == below


@pytest.mark.parametrize(('mode', 'band'), ALL)
def test_facts(reference_data, mode, band):
    """The data files hold the paper's tables."""
    setup = get_setup(mode, band)
    facts = json.loads((reference_data / 'facts/snr_masks.json').read_text())
    facts = facts[mode][band]
    assert setup.snr_source_radius == facts['source_radius']
    assert setup.snr_inner_radius == facts['inner_radius']
    assert setup.snr_outer_radius == facts['outer_radius']
    assert list(setup.snr_thresholds) == facts['snr_thresholds']
    assert list(setup.hole_radii) == facts['mask_sizes']

    path = reference_data / 'facts/aperture_corrections.json'
    facts = json.loads(path.read_text())
    for table, key in (
        ('real', 'encircled_energy_real_maps'),
        ('simulation', 'vesta_psf_simulations'),
    ):
        if (mode, band, table) == ('scanmap', 'green', 'simulation'):
            continue
        for radius, eef in facts[key][mode][band]['apertures'].items():
            if table == 'real' and band == 'red' and radius in ('16', '17'):
                continue
            assert_allclose(setup.eef(float(radius), table=table), eef, rtol=1e-12)


@pytest.mark.parametrize(('mode', 'band'), ALL)
def test_reference_radii(reference_data, mode, band):
    """The hole radii are those of the authors' program."""
    data = np.load(reference_data / 'reference/masks_and_photometry.npz')
    setup = get_setup(mode, band)
    assert_array_equal(
        setup.hole_radius(data[f'{mode}_{band}_snr']), data[f'{mode}_{band}_radius']
    )


def test_hole_radius_shapes():
    setup = get_setup('scanmap', 'green')
    assert isinstance(setup.hole_radius(5), float)
    snr = [[np.nan, -np.inf, -3], [np.inf, 300, 4]]
    assert_array_equal(setup.hole_radius(snr), [[5, 5, 5], [13, 13, 6]])
    assert setup.hole_radius([]).shape == (0,)


@pytest.mark.parametrize('mode', MODES)
def test_red_real_table(mode):
    """The repeated values at 16 and 17 arcsec are interpolated."""
    setup = get_setup(mode, 'red')
    radii, eef = setup.encircled_energy['real']
    assert not {16, 17} & set(radii)
    values = setup.eef([15, 16, 17, 18])
    assert_array_equal(values[[0, 3]], eef[(radii == 15) | (radii == 18)])
    line = np.linspace(values[0], values[3], 4)
    assert_allclose(values, line, atol=0.003)
    assert np.all(np.diff(values) > 0.01)


@pytest.mark.parametrize(
    ('mode', 'band', 'table'),
    [
        (mode, band, table)
        for mode, band in ALL
        for table in ('real', 'simulation')
        if (mode, band, table) != ('scanmap', 'green', 'simulation')
    ],
)
def test_eef_interpolation(mode, band, table):
    setup = get_setup(mode, band)
    radii, fractions = setup.encircled_energy[table]
    assert_allclose(setup.eef(radii, table=table), fractions, rtol=1e-13)
    fine = np.linspace(radii[0], radii[-1], 400)
    eef = setup.eef(fine * u.arcsec, table=table)
    assert np.all(np.diff(eef) > 0)
    # never far from the straight line between two radii
    assert_allclose(eef, np.interp(fine, radii, fractions), atol=0.012)
    assert_allclose(setup.aperture_correction(fine, table=table), 1 / eef)


def test_eef_types():
    setup = get_setup('scanmap', 'green')
    assert isinstance(setup.eef(7), float)
    assert setup.eef(7) == 0.64758221
    assert setup.eef(7 / 60 * u.arcmin) == pytest.approx(0.64758221, rel=1e-12)
    # at the end of the table despite the rounding of the unit
    assert setup.eef((18 * u.arcsec).to(u.rad)) == pytest.approx(0.8377546)
    assert setup.eef([[7], [8]]).shape == (2, 1)
    with pytest.raises(u.UnitConversionError):
        setup.eef(7 * u.pix)


@pytest.mark.parametrize('radius', [3.99, 18.01, [7, 20], np.nan])
def test_eef_outside(radius):
    setup = get_setup('scanmap', 'green')
    with pytest.raises(ValueError, match=r'from 4 to 18 arcsec, got'):
        setup.eef(radius)


@pytest.mark.parametrize(
    'table',
    [
        ([5, 10], [0.5, 0.9]),
        ([5, 10] * u.arcsec, np.array([0.5, 0.9])),
        np.array([[5, 10], [0.5, 0.9]]),
        {5: 0.5, 10: 0.9},
        {'radius': [5, 10], 'eef': [0.5, 0.9]},
        Table({'radius': [5, 10], 'eef': [0.5, 0.9]}),
        QTable({'radius': np.array([5, 10]) / 60 * u.arcmin, 'eef': [0.5, 0.9]}),
    ],
    ids=['pair', 'Quantity', 'array', 'dict', 'columns', 'Table', 'QTable'],
)
def test_eef_own_table(table):
    setup = get_setup('scanmap', 'green')
    assert setup.eef(7.5, table=table) == pytest.approx(0.7)
    assert setup.aperture_correction(10, table=table) == pytest.approx(1 / 0.9)
    with pytest.raises(ValueError, match='from 5 to 10 arcsec'):
        setup.eef(4, table=table)


@pytest.mark.parametrize(
    ('table', 'error', 'match'),
    [
        ('vesta', ValueError, "has no encircled-energy table 'vesta'; it has: 'real'"),
        ('simulation', ValueError, 'repeats the table for real maps'),
        (3, TypeError, r'must be a \(radii, eef\) pair'),
        (([1, 2], ['a', 'b']), TypeError, 'must hold numbers'),
        (([5, 10], [0.5]), ValueError, 'equal length'),
        (([5], [0.5]), ValueError, 'two or more'),
        (([10, 5], [0.9, 0.5]), ValueError, 'ascending'),
        (([0, 5], [0.1, 0.5]), ValueError, 'positive radii'),
        (([5, 10], [0.9, 0.5]), ValueError, 'do not fall'),
        (([5, 10], [0.9, 1.5]), ValueError, 'fractions in'),
        (([5, 10] * u.pix, [0.5, 0.9]), ValueError, 'must have radii in arcsec'),
        (Table({'r': [1, 2]}), ValueError, 'must have the columns'),
    ],
)
def test_eef_bad_table(table, error, match):
    with pytest.raises(error, match=match):
        get_setup('scanmap', 'green').eef(7, table=table)


@pytest.mark.parametrize(
    ('args', 'kwargs', 'error', 'match'),
    [
        (
            ('scan', 'green'),
            {},
            ValueError,
            "Unknown mode 'scan'; accepted are: 'scanmap', 'parallel'",
        ),
        (
            ('scanmap', 'purple'),
            {},
            ValueError,
            "Unknown band 'purple' .* accepted are: 'blue', 'green', 'red'",
        ),
        (('scanmap',), {}, ValueError, 'Both mode and band are needed'),
        ((), {}, ValueError, "Accepted modes are: 'scanmap', 'parallel'"),
        ((), {'setup': 'spire/psw'}, ValueError, "accepted are: 'scanmap/blue'"),
        ((), {'setup': 3}, TypeError, 'must be an ObservingSetup'),
        (('scanmap', 'green'), {'setup': 'scanmap/red'}, ValueError, 'not both'),
    ],
)
def test_get_setup_errors(args, kwargs, error, match):
    with pytest.raises(error, match=match):
        get_setup(*args, **kwargs)


def test_register(own_setup):
    register_setup(own_setup)
    assert list_setups()[-1] == 'spire/psw'
    assert get_setup('spire', 'psw') is own_setup
    assert get_setup(setup='spire/psw') is own_setup
    with pytest.raises(ValueError, match='registered already'):
        register_setup(own_setup)
    other = ObservingSetup(**make_kwargs(name='other'))
    with pytest.raises(ValueError, match='has the mode'):
        register_setup(other)
    changed = ObservingSetup(**make_kwargs(hole_radii=(9, 8, 6)))
    register_setup(changed, overwrite=True)
    assert get_setup('spire', 'psw') is changed
    with pytest.raises(ValueError, match="accepted are: '250', '350', '500', 'psw'"):
        get_setup('spire', 'red')
    unregister_setup('spire/psw')
    assert 'spire/psw' not in list_setups()


def test_register_without_mode():
    setup = ObservingSetup(**make_kwargs(name='mine', mode='', band=''))
    register_setup(setup)
    try:
        assert get_setup(setup='mine') is setup
        with pytest.raises(ValueError, match='Unknown mode'):
            get_setup('', '')
    finally:
        unregister_setup('mine')


def test_register_errors():
    with pytest.raises(TypeError, match='must be an ObservingSetup'):
        register_setup('scanmap/green')
    bundled = ObservingSetup(**make_kwargs(name='scanmap/green'))
    with pytest.raises(ValueError, match='cannot be replaced'):
        register_setup(bundled, overwrite=True)
    with pytest.raises(ValueError, match='No setup'):
        unregister_setup('scanmap/green')


@pytest.mark.parametrize(
    ('changes', 'error', 'match'),
    [
        ({'name': ''}, ValueError, 'name must not be empty'),
        ({'name': 3}, TypeError, 'name must be a str'),
        ({'band': None}, TypeError, 'band must be a str'),
        ({'wavelength': 'red'}, TypeError, 'wavelength must be a number'),
        ({'wavelength': 3 * u.Jy}, ValueError, 'convertible to um, got Jy'),
        ({'pixel_scale': -1}, ValueError, 'finite and positive'),
        ({'pixel_scale': [1, 2]}, ValueError, 'must be a scalar'),
        ({'psf_fwhm': np.nan}, ValueError, 'finite and positive'),
        ({'annulus_radii': 25}, ValueError, r'of shape \(2,\)'),
        ({'annulus_radii': (35, 25)}, ValueError, 'larger outer radius'),
        ({'snr_source_radius': 0}, ValueError, 'finite and positive'),
        ({'snr_source_radius': '4'}, TypeError, 'must be a number'),
        ({'snr_inner_radius': 18}, ValueError, 'must be smaller'),
        ({'snr_thresholds': (10, 100)}, ValueError, 'sorted, the largest first'),
        ({'snr_thresholds': (10, 10)}, ValueError, 'sorted'),
        ({'snr_thresholds': 10}, TypeError, 'sequence of numbers'),
        ({'hole_radii': (9, 7)}, ValueError, 'one radius more'),
        ({'hole_radii': (5, 7, 9)}, ValueError, 'sorted'),
        ({'hole_radii': 'large'}, TypeError, 'sequence of numbers'),
        ({'encircled_energy': [1]}, TypeError, 'must be a mapping'),
        (
            {'encircled_energy': {'real': ([2, 1], [0.1, 0.2])}},
            ValueError,
            r"encircled_energy\['real'\] must have positive radii",
        ),
    ],
)
def test_constructor_errors(changes, error, match):
    with pytest.raises(error, match=match):
        ObservingSetup(**make_kwargs(**changes))


def test_constructor_units():
    setup = ObservingSetup(
        **make_kwargs(
            wavelength=0.25 * u.mm, pixel_scale=0.1 * u.arcmin, annulus_radii=(60, 90)
        )
    )
    assert setup.wavelength.unit == u.um
    assert_allclose(setup.wavelength.value, 250)
    assert_allclose(setup.pixel_scale.value, 6)
    assert_array_equal(setup.annulus_radii.value, [60, 90])
    assert setup.hole_radii == (9.0, 7.0, 5.0)


def test_empty_encircled_energy():
    setup = ObservingSetup(**make_kwargs(encircled_energy={}))
    with pytest.raises(ValueError, match='it has: none'):
        setup.eef(7)
    assert setup.eef(7, table={5: 0.5, 10: 0.9}) == pytest.approx(0.66)


def test_copies_and_equality(own_setup):
    text = json.dumps(own_setup.to_dict())
    for other in (
        copy.deepcopy(own_setup),
        pickle.loads(pickle.dumps(own_setup)),
        ObservingSetup.from_dict(json.loads(text)),
    ):
        assert other == own_setup
        assert hash(other) == hash(own_setup)
    assert own_setup != get_setup('scanmap', 'green')
    assert own_setup != 'spire/psw'
    assert own_setup != ObservingSetup(**make_kwargs(psf_fwhm=18))


def test_read_only():
    setup = get_setup('scanmap', 'green')
    with pytest.raises(AttributeError):
        setup.name = 'other'
    with pytest.raises(ValueError, match='read-only'):
        setup.encircled_energy['real'][1][0] = 1


def test_repr():
    assert repr(get_setup('scanmap', 'green')) == (
        "<ObservingSetup('scanmap/green', 100 um, 1.6 arcsec / pixel)>"
    )


@pytest.mark.parametrize('value', [['scanmap'], {'a': 1}, {1}, 3, np.array(['blue'])])
@pytest.mark.parametrize('name', ['mode', 'band', 'setup'])
def test_no_text(name, value):
    given = {'setup': value}
    if name != 'setup':
        given = {'mode': 'scanmap', 'band': 'blue', name: value}
    with pytest.raises(TypeError, match=f'^{name} must be '):
        get_setup(**given)
