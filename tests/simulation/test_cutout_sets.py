# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests for training cutouts from maps, and their division by field."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData, Cutout2D
from astropy.table import Table

from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import (
    TrainingCutouts,
    extract_training_cutouts,
    merge_cutouts,
    simulate_field,
    simulate_sources,
    split_cutouts,
    write_simulation,
)


@pytest.fixture
def sources(scene):
    """Return the sources of `scene` as the paper's table: ra, dec, flux."""
    sky = scene.wcs.pixel_to_world(scene.x, scene.y)
    return Table(
        {'ra': sky.ra.deg, 'dec': sky.dec.deg, 'flux': scene.flux * 1e3 * u.mJy}
    )


@pytest.fixture
def cutouts(scene, ccd, sources):
    """Return the cutouts of `scene`."""
    return extract_training_cutouts(
        ccd, scene.empty, sources, setup='scanmap/green', field='1342191801'
    )


def make_cutouts(field, setup, n=2, value=0.0):
    """Make cutouts that hold a number, for the bookkeeping."""
    image = np.full((n, 96, 96), value, dtype=np.float32)
    table = Table({'field': [field] * n, 'setup': [setup] * n, 'source': range(n)})
    return TrainingCutouts(image, image.copy(), np.ones(image.shape, dtype=bool), table)


def test_cutouts_match_astropy(cutouts, scene):
    assert len(cutouts) == 3
    for i, position in enumerate(zip(scene.x, scene.y, strict=True)):
        for ours, plane in ((cutouts.image, scene.data), (cutouts.target, scene.empty)):
            expected = Cutout2D(
                plane, position, 96, mode='partial', fill_value=np.nan
            ).data.astype(np.float32)
            np.testing.assert_array_equal(ours[i], expected)


def test_holes_of_all_sources(cutouts, scene):
    radius = scene.setup.hole_radius(
        snr(scene.data, scene.x, scene.y, setup=scene.setup)
    )
    np.testing.assert_allclose(cutouts.table['hole_radius'], radius)
    yy, xx = np.indices(scene.data.shape)
    usable = np.ones(scene.data.shape)
    for x, y, r in zip(cutouts.table['x'], cutouts.table['y'], radius, strict=True):
        usable[(xx - x) ** 2 + (yy - y) ** 2 <= r**2] = 0
    for i, position in enumerate(zip(scene.x, scene.y, strict=True)):
        expected = Cutout2D(usable, position, 96, mode='partial', fill_value=0).data
        np.testing.assert_array_equal(cutouts.validity[i], expected == 1)
        # The source stands in the middle, in its hole.
        assert not cutouts.validity[i, 48, 48]


def test_table(cutouts, scene):
    table = cutouts.table
    assert set(table['field']) == {'1342191801'}
    assert set(table['setup']) == {'scanmap/green'}
    np.testing.assert_allclose(table['x'], scene.x, atol=1e-6)
    np.testing.assert_allclose(table['flux'], scene.flux)  # mJy became Jy
    assert repr(cutouts) == '<TrainingCutouts(3 cutouts of 1 fields; scanmap/green)>'


def test_target_lacks_only_the_source(cutouts):
    # In usable pixels far from the sources, input and target agree.
    difference = (cutouts.image - cutouts.target)[1:]
    usable = cutouts.validity[1:] & np.isfinite(difference)
    hole = ~cutouts.validity[1:] & np.isfinite(difference)
    assert np.abs(difference[usable]).max() < 0.05 * np.abs(difference[hole]).max()


def test_units(ccd, scene, sources, cutouts):
    in_mjy = CCDData(scene.data * 1e3, unit='mJy/pix', wcs=scene.wcs)
    other = extract_training_cutouts(
        in_mjy, CCDData(scene.empty, unit='Jy/pix'), sources, setup='scanmap/green'
    )
    np.testing.assert_allclose(other.image, cutouts.image, rtol=1e-6)
    np.testing.assert_allclose(other.target, cutouts.target, rtol=1e-6)


def test_missing_pixels(scene):
    data, empty = scene.data.copy(), scene.empty.copy()
    data[60:70, 60:80] = np.nan
    empty[30:35, 40:50] = np.nan  # no target: no use
    cutouts = extract_training_cutouts(data, empty, scene.xy, setup='scanmap/green')
    missing = np.isnan(data) | np.isnan(empty)
    x0, y0 = 70 + 1 - 48, 55 + 1 - 48
    expected = missing[y0 : y0 + 96, x0 : x0 + 96]
    np.testing.assert_array_equal(np.isnan(cutouts.image[0]), expected)
    np.testing.assert_array_equal(np.isnan(cutouts.target[0]), expected)
    assert not cutouts.validity[0][expected].any()


def test_sources_off_the_map_and_useless_cutouts(scene):
    xy = [(70.3, 55.1), (-30.0, 20.0), (np.nan, 4.0), (2.0, 2.0)]
    cutouts = extract_training_cutouts(
        scene.data, scene.empty, xy, setup='scanmap/green', minimum_usable=0.5
    )
    assert list(cutouts.table['source']) == [0]
    cutouts = extract_training_cutouts(
        scene.data, scene.empty, xy, setup='scanmap/green', minimum_usable=0
    )
    assert list(cutouts.table['source']) == [0, 3]
    assert np.isnan(cutouts.table['flux']).all()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'emission': np.zeros((5, 5))}, 'one shape'),
        ({'sources': [(500.0, 500.0)]}, 'none of the 1 sources lies on the map'),
        ({'setup': 'scanmap/red'}, 'pixel scale'),
        ({'data': np.ones((140, 150)), 'emission': 'unit'}, 'data has none'),
    ],
)
def test_bad_input(ccd, scene, change, message):
    values = {
        'data': ccd,
        'emission': scene.empty,
        'sources': scene.xy,
        'setup': 'scanmap/green',
        **change,
    }
    if isinstance(values['emission'], str):
        values['emission'] = ccd
    with pytest.raises(ValueError, match=message):
        extract_training_cutouts(
            values['data'], values['emission'], values['sources'], setup=values['setup']
        )


def test_arrays_must_fit():
    good = make_cutouts('a', 'scanmap/blue')
    with pytest.raises(ValueError, match='one shape'):
        TrainingCutouts(good.image, good.target[:1], good.validity, good.table)
    with pytest.raises(ValueError, match='a row for each of the 2'):
        TrainingCutouts(good.image, good.target, good.validity, good.table[:1])


def test_merge_bands():
    blue = make_cutouts('a', 'scanmap/blue', n=2, value=1)
    green = make_cutouts('a', 'scanmap/green', n=3, value=2)
    merged = merge_cutouts([blue, green])
    assert list(merged.image[:, 0, 0]) == [1, 1, 2, 2, 2]
    assert list(merged.table['setup']) == ['scanmap/blue'] * 2 + ['scanmap/green'] * 3
    with pytest.raises(ValueError, match='at least one'):
        merge_cutouts([])


def test_split_by_field_never_by_cutout():
    sets = [
        make_cutouts(name, setup, value=value)
        for value, name in enumerate('abc')
        for setup in ('scanmap/blue', 'scanmap/red')
    ]
    parts = split_cutouts(sets, {'train': ['a'], 'valid': ['c'], 'test': ['b']})
    for part, value in (('train', 0), ('valid', 2), ('test', 1)):
        assert len(parts[part]) == 4
        assert set(parts[part].image[:, 5, 5]) == {value}
        assert set(parts[part].table['setup']) == {'scanmap/blue', 'scanmap/red'}


def test_parallel_red_is_for_tests_alone():
    sets = [
        make_cutouts(name, f'parallel/{band}')
        for name in 'abc'
        for band in ('blue', 'red')
    ]
    where = {'train': ['a'], 'valid': ['b'], 'test': ['c']}
    parts = split_cutouts(sets, where)
    bands = {part: set(one.table['setup']) for part, one in parts.items()}
    assert bands['train'] == bands['valid'] == {'parallel/blue'}
    assert bands['test'] == {'parallel/blue', 'parallel/red'}
    # No field of the training has become one of the tests.
    assert set(parts['test'].table['field']) == {'c'}
    everywhere = split_cutouts(sets, where, restricted={})
    assert set(everywhere['train'].table['setup']) == {'parallel/blue', 'parallel/red'}


def test_split_bad_input():
    cutouts = make_cutouts('a', 'scanmap/blue')
    with pytest.raises(ValueError, match=r"'a'.*two parts"):
        split_cutouts(cutouts, {'train': ['a'], 'test': ['a']})
    with pytest.raises(ValueError, match=r"\['a'\] have cutouts but are in none"):
        split_cutouts(cutouts, {'train': ['b']})
    with pytest.raises(TypeError, match='dict'):
        split_cutouts(cutouts, ['a'])


def test_red_setup_has_another_scale():
    # The test of the pixel scale above means something.
    assert get_setup('scanmap', 'red').pixel_scale == 3.2 * u.arcsec


def test_simulated_observation(tmp_path):
    # From a simulation in memory and from its files come the same cutouts.
    rng = np.random.default_rng(8)
    field = simulate_field('parallel/blue', rng=rng, shape=(180, 200))
    ccd, table = simulate_sources(
        field.image, 'parallel/blue', (100, 9000), rng=rng, n_sources=6
    )
    paths = write_simulation(ccd, table, tmp_path, number=1, obsid='13421')
    options = {'setup': 'parallel/blue', 'field': '13421', 'minimum_usable': 0}
    cutouts = extract_training_cutouts(ccd, field.emission, table, **options)
    assert len(cutouts) == 6
    assert np.isnan(cutouts.image).any() == ccd.mask.any()
    np.testing.assert_allclose(cutouts.table['flux'], table['flux'].to_value('Jy'))
    files = extract_training_cutouts(paths[0], field.emission, paths[1], **options)
    np.testing.assert_allclose(files.image, cutouts.image, rtol=1e-6, atol=1e-12)
    np.testing.assert_array_equal(files.target, cutouts.target)
    np.testing.assert_array_equal(files.validity, cutouts.validity)
    # A list without a unit keeps its numbers.
    np.testing.assert_allclose(files.table['flux'], table['flux'].to_value('mJy'))
