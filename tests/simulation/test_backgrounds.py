# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of real maps as a source of emission.
"""

import numpy as np
import pytest
from astropy.nddata import CCDData
from numpy.testing import assert_allclose

from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.simulation import (
    Background,
    CutoutSampler,
    ResidualConfig,
    ResidualSampler,
    SamplerConfig,
    emission_field,
    make_background,
)

FEW = {'n_fields': 1, 'n_noise': 1, 'field_size': 128, 'size': 64}
SETUP = 'scanmap/green'
# A real source that would be found by nobody, but is on the list.
PLACE = (150.0, 90.0)


def make_map():
    """Make a map that nothing else is: all its values are above 7."""
    field = emission_field((200, 260), beam_fwhm=4.2, rng=np.random.default_rng(3))
    return field.astype(float) * 0.1 + 10.0


@pytest.fixture(scope='module')
def samplers():
    """Return a sampler of each kind that has nothing but the map."""
    background = make_background(make_map(), setup=SETUP, sources=[PLACE], name='mine')
    options = {'real_share': 1.0, 'added_noise': (), 'missing': 0.0, 'neighbours': 0.0}
    return {
        'masked': CutoutSampler(
            [SETUP],
            config=SamplerConfig(n_stamps=2, **FEW, **options),
            backgrounds=[background],
        ),
        'residual': ResidualSampler(
            [SETUP],
            config=ResidualConfig(n_stamps=6, n_angles=1, **FEW, **options),
            backgrounds=[background],
        ),
    }


@pytest.mark.parametrize('kind', ['masked', 'residual'])
def test_emission_is_that_of_the_map(samplers, kind):
    sampler = samplers[kind]
    batch = sampler.batch(12, 5)
    values = sampler.backgrounds[0].data
    for emission, missing in zip(batch.emission, batch.missing, strict=True):
        known = emission[~missing]
        assert np.isin(np.float32([known.min(), known.max()]), values).all()
    # The noise is the map's own: nothing but the source is added.
    data = batch.raw if kind == 'masked' else batch.data
    ring = np.hypot(*(np.indices((64, 64)) - 32)) > 28
    left = (data - batch.emission)[:, ring]
    assert np.median(np.abs(left)) < 0.05 * np.median(batch.snr)


@pytest.mark.parametrize('kind', ['masked', 'residual'])
def test_known_sources_are_missing_and_never_under_a_hole(samplers, kind):
    batch = samplers[kind].batch(40, 1)
    assert batch.missing.any()
    middle = np.hypot(*(np.indices((64, 64)) - 32)) <= 10
    assert not batch.missing[:, middle].any()
    assert not (batch.validity & batch.missing).any()


def test_the_hole_of_a_listed_source_is_left_out():
    background = make_background(make_map(), setup=SETUP, sources=[PLACE])
    # Its SNR is low: the smallest hole of Table 3.
    hole = draw_holes((200, 260), [PLACE[0]], [PLACE[1]], [5.0])
    assert background.missing[hole].all()
    assert background.missing.sum() < 4 * hole.sum()
    assert background.listed
    assert not make_background(make_map()).listed


def test_places_that_look_like_sources_are_avoided():
    image = make_map()
    rows, columns = np.indices(image.shape)
    for x, y in [(60, 60), (130, 100), (200, 140)]:
        r2 = (columns - x) ** 2 + (rows - y) ** 2
        image += 40 * np.exp(-0.5 * r2 / 1.8**2)
    options = {'real_share': 1.0, 'added_noise': (), 'missing': 0.0, 'neighbours': 0.0}
    sampler = CutoutSampler(
        [SETUP],
        config=SamplerConfig(n_stamps=1, **FEW, **options, empty=1.0),
        backgrounds=[make_background(image)],
    )
    batch = sampler.batch(60, 2)
    peak = np.argmax(batch.emission.reshape(60, -1), axis=1)
    y, x = np.unravel_index(peak, (64, 64))
    bright = batch.emission.max(axis=(1, 2)) > 100
    assert bright.any()
    assert np.hypot(x - 32, y - 32)[bright].min() > 3


def test_parts_do_not_overlap():
    image = make_map()
    train, valid = (make_background(image, part=part) for part in ('train', 'valid'))
    assert train.data.shape == (200, 164)
    assert valid.data.shape == (200, 96)


def test_pixels_are_those_of_the_setup(map_wcs):
    ccd = CCDData(make_map(), unit='MJy/sr', wcs=map_wcs)
    assert make_background(ccd).data.shape == (200, 260)
    # The WCS has 1.6 arcsec, the red band's pixels 3.2.
    background = make_background(ccd, setup='scanmap/red')
    assert background.data.shape == (100, 130)
    as_they_are = make_background(ccd, setup='scanmap/red', resample=False)
    assert as_they_are.data.shape == (200, 260)
    good = as_they_are.data
    assert_allclose(np.median(good), 0, atol=1e-6)
    assert_allclose(1.4826 * np.median(np.abs(good)), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ('image', 'options', 'match'),
    [
        (np.ones((50, 300)), {}, 'room for cutouts'),
        (np.ones((200, 200)), {}, 'is flat'),
        (make_map(), {'sources': [PLACE]}, 'need a setup'),
        (make_map(), {'part': 'half'}, 'part must be one of'),
    ],
)
def test_wrong_maps(image, options, match):
    with pytest.raises(ValueError, match=match):
        make_background(image, **options)


def test_wrong_backgrounds():
    background = make_background(make_map(), setup='scanmap/red')
    with pytest.raises(ValueError, match='none of the setups: scanmap/green'):
        CutoutSampler([SETUP], backgrounds=[background])
    with pytest.raises(TypeError, match='what make_background gives'):
        CutoutSampler([SETUP], backgrounds=[make_map()])
    other = Background(data=background.data + 1, missing=background.missing)
    assert other.digest() != background.digest()
