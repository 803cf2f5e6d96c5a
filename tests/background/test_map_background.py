# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What Background2D and PConvBackground have in common."""

import copy
import functools
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData, NDData, StdDevUncertainty
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal
from photutils.background import Background2D

from photutils_pconv import PConvBackground

SHAPE = (90, 100)
SOURCES = np.array([[40.3, 45.1], [70.8, 60.2]])
UNIT = u.Jy / u.pix


@pytest.fixture(params=['Background2D', 'PConvBackground'])
def make(request, flat_model):
    """Return a function that makes one or the other from the same map."""
    if request.param == 'Background2D':
        return functools.partial(Background2D, box_size=25)
    return functools.partial(
        PConvBackground,
        sources=SOURCES,
        mode='scanmap',
        band='green',
        model=flat_model,
    )


def make_data(dtype=float):
    data = np.random.default_rng(20250411).normal(1.0, 0.05, SHAPE)
    yy, xx = np.indices(SHAPE)
    for x, y in SOURCES:
        data += 3 * np.exp(-0.5 * ((xx - x) ** 2 + (yy - y) ** 2) / 1.8**2)
    return (data if np.dtype(dtype).kind == 'f' else 1000 * data).astype(dtype)


def make_mask(rows, columns):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[rows, columns] = True
    return mask


@pytest.fixture
def data():
    return make_data()


RESULTS = ('background', 'background_rms')
MEDIANS = ('background_median', 'background_rms_median')


def test_shape_and_level(make, data):
    bkg = make(data)
    for name in RESULTS:
        image = getattr(bkg, name)
        assert type(image) is np.ndarray
        assert image.shape == SHAPE
        assert np.all(np.isfinite(image))
    # A median over thousands of pixels, and a noise of 0.05.
    assert_allclose(bkg.background_median, 1.0, atol=0.01)
    assert_allclose(bkg.background_rms_median, 0.05, rtol=0.1)
    for name in MEDIANS:
        assert np.ndim(getattr(bkg, name)) == 0
    # The sources are not in the background.
    x, y = np.round(SOURCES).astype(int).T
    assert_allclose(bkg.background[y, x], 1.0, atol=0.05)


@pytest.mark.parametrize('dtype', ['f4', 'f8', '>f4', 'i2', 'i4', 'u4', 'i8'])
def test_dtype(make, dtype):
    bkg = make(make_data(dtype))
    # The order of the bytes is the machine's, or the input's.
    kind = np.dtype(dtype).newbyteorder('=')
    expected = kind if kind.kind == 'f' else np.dtype('f4')
    for name in RESULTS:
        assert getattr(bkg, name).dtype.newbyteorder('=') == expected
    for name in MEDIANS:
        assert np.asarray(getattr(bkg, name)).dtype.newbyteorder('=') == expected


def test_integers_are_not_truncated(make):
    data = np.round(make_data() * 50).astype(int)
    bkg = make(data)
    x, y = np.round(SOURCES).astype(int).T
    assert np.all(bkg.background[y, x] < 60)
    assert np.any(bkg.background_rms % 1 != 0)


@pytest.mark.parametrize('form', ['Quantity', 'NDData', 'CCDData'])
def test_units(make, data, form):
    given = {
        'Quantity': lambda: data << UNIT,
        'NDData': lambda: NDData(data, unit=UNIT),
        'CCDData': lambda: CCDData(data, unit=UNIT),
    }[form]()
    bkg = make(given)
    bare = make(data)
    for name in (*RESULTS, *MEDIANS):
        value = getattr(bkg, name)
        assert type(value) is u.Quantity
        assert value.unit == UNIT
        assert_array_equal(value.value, getattr(bare, name))


@pytest.mark.parametrize(
    ('given', 'cls'),
    [(lambda x: NDData(x), np.ndarray), (lambda x: x * u.one, u.Quantity)],
    ids=['NDData', 'dimensionless'],
)
def test_no_unit(make, data, given, cls):
    assert type(make(given(data)).background) is cls


@pytest.mark.parametrize('fill_value', [0.0, np.nan, -1.0])
def test_coverage_mask(make, data, fill_value):
    coverage = make_mask(slice(0, 20), slice(None))
    data[coverage] = np.nan
    bkg = make(data, coverage_mask=coverage, fill_value=fill_value)
    for name in RESULTS:
        image = getattr(bkg, name)
        assert_array_equal(image[coverage], fill_value)
        assert np.all(np.isfinite(image[~coverage]))
    assert np.isfinite(bkg.background_median)
    assert np.isfinite(bkg.background_rms_median)
    assert_array_equal(bkg.coverage_mask, coverage)
    assert bkg.fill_value is fill_value


@pytest.mark.parametrize(
    'region',
    [
        (slice(20, 21), slice(10, 11)),
        (slice(10, 11), slice(None)),
        (slice(15, 30), slice(70, 85)),
        (slice(0, 12), slice(0, 12)),
        (slice(60, 90), slice(0, 30)),
    ],
    ids=['pixel', 'row', 'source', 'corner', 'wide'],
)
@pytest.mark.parametrize('bad', [100.0, np.nan])
def test_masked_pixels_get_a_background(make, data, region, bad):
    mask = make_mask(*region)
    data[mask] = bad
    bkg = make(data, mask=mask)
    # Each class says by its means what is there; it is the level of 1,
    # to the noise at most.
    assert_allclose(bkg.background[mask], 1.0, atol=0.16)
    assert_allclose(np.mean(bkg.background[mask]), 1.0, atol=0.06)
    assert_allclose(bkg.background_rms[mask], 0.05, rtol=0.35)


@pytest.mark.parametrize('way', ['excluded', 'mask'])
def test_regions(data, flat_model, way):
    """Regions are as the same mask."""
    regions = pytest.importorskip('regions')
    points = [regions.PointPixelRegion(regions.PixCoord(*xy)) for xy in SOURCES]
    area = regions.CirclePixelRegion(regions.PixCoord(20, 70), 4.5)
    area.meta['include'] = False
    bad = np.hypot(*(np.indices(SHAPE) - [[[70]], [[20]]])) < 4.5
    data[bad] = 100.0
    options = {'mode': 'scanmap', 'band': 'green', 'model': flat_model}
    expected = PConvBackground(data, SOURCES, mask=bad, **options)
    if way == 'excluded':
        found = PConvBackground(data, regions.Regions([*points, area]), **options)
    else:
        found = PConvBackground(data, SOURCES, mask=[area], **options)
    assert_array_equal(found.background, expected.background)


@pytest.mark.parametrize('nothing', [None, np.ma.nomask])
def test_no_mask(make, data, nothing):
    bkg = make(data, mask=nothing, coverage_mask=nothing)
    assert bkg.coverage_mask is None
    assert_array_equal(bkg.background, make(data).background)


def test_not_finite(make, data):
    data[20, 10:13] = np.nan
    data[21, 11] = np.inf
    bad = ~np.isfinite(data)
    with pytest.warns(AstropyUserWarning, match='non-finite .*automatically masked'):
        bkg = make(data)
    assert np.all(np.isfinite(bkg.background))
    # Masked by the user, there is nothing to warn of.
    masked = make(data, mask=bad)
    assert_array_equal(masked.background, bkg.background)
    make(data, coverage_mask=bad)
    half = bad & (np.indices(SHAPE)[1] > 11)
    make(data, mask=half, coverage_mask=bad & ~half)


def test_all_masked(make, data):
    everything = np.ones(SHAPE, dtype=bool)
    half = make_mask(slice(0, 45), slice(None))
    for options in (
        {'mask': everything},
        {'coverage_mask': everything},
        {'mask': half, 'coverage_mask': ~half},
    ):
        with pytest.raises(ValueError, match='All input pixels are masked'):
            make(data, **options)
    with pytest.raises(ValueError, match='contains all non-finite'):
        make(np.full(SHAPE, np.nan))


@pytest.mark.parametrize('name', ['mask', 'coverage_mask'])
def test_refused_masks(make, data, name):
    with pytest.raises(ValueError, match=f'data and {name} must have the same shape'):
        make(data, **{name: np.zeros((2, 2), dtype=bool)})
    with pytest.raises(ValueError, match=f'{name} must be a 2D array'):
        make(data, **{name: np.zeros((2, 2, 2), dtype=bool)})


@pytest.mark.parametrize('shape', [(50,), (3, 50, 50)])
def test_refused_shapes(make, shape):
    with pytest.raises(ValueError, match='data must be a 2D array'):
        make(np.ones(shape))


def test_keyword_only(make, data):
    with pytest.raises(TypeError, match='positional'):
        make.func(data, SOURCES, None)


def test_input_is_not_changed(make, data):
    mask = make_mask(slice(20, 24), slice(10, 14))
    coverage = make_mask(slice(0, 5), slice(None))
    given = CCDData(
        data,
        unit=UNIT,
        mask=mask,
        uncertainty=StdDevUncertainty(np.full(SHAPE, 0.05)),
        meta={'OBJECT': 'test'},
    )
    before = copy.deepcopy(given)
    uncertainty = given.uncertainty
    bkg = make(given, coverage_mask=coverage)
    assert bkg.background_rms.shape == SHAPE
    assert_array_equal(given.data, before.data)
    assert_array_equal(given.mask, before.mask)
    assert given.uncertainty is uncertainty
    assert given.uncertainty.parent_nddata is given
    assert_array_equal(given.uncertainty.array, before.uncertainty.array)
    assert given.meta == before.meta
    assert given.wcs is None
    assert_array_equal(coverage, make_mask(slice(0, 5), slice(None)))
    # What is done with the result stays there.
    for array in (bkg.background, bkg.background_rms):
        array[:] = -7 * UNIT
    assert np.all(bkg.background[~coverage].value > 0)
    assert np.all(bkg.background_rms[~coverage].value > 0)
    assert_array_equal(given.data, before.data)


def test_read_only_input(make, data):
    expected = make(data).background
    data.flags.writeable = False
    assert_array_equal(make(data).background, expected)


@pytest.mark.parametrize('wrap', [lambda x: x, lambda x: CCDData(x, unit=UNIT)])
def test_data_are_not_kept(make, wrap):
    data = make_data()
    given = wrap(data)
    references = [weakref.ref(given), weakref.ref(data)]
    bkg = make(given)
    del data, given
    gc.collect()
    assert [one() for one in references] == [None, None]
    assert bkg.background.shape == SHAPE


def test_scales_with_the_data(make, data):
    # 4 is a power of 2: a change of unit leaves even the rounding alone.
    one, four = make(data), make(4 * data)
    assert_allclose(four.background, 4 * one.background, rtol=1e-6)
    assert_allclose(four.background_rms, 4 * one.background_rms, rtol=1e-6)


def test_repr_and_str(make, data):
    mask = make_mask(slice(0, 5), slice(0, 5))
    name = make.func.__name__
    for options in ({}, {'mask': mask}, {'coverage_mask': mask}):
        bkg = make(data, **options)
        text = repr(bkg)
        assert text.startswith(f'{name}(data=')
        assert 'shape=(90, 100)' in text
        for key in ('mask', 'coverage_mask'):
            missing = key not in options
            assert (f', {key}=None' in text) == missing
        long = str(bkg)
        assert long.startswith(f'<{type(bkg).__module__}.{name}>\n')
        assert f'\nfill_value: {bkg.fill_value}' in long
        assert len(text) < 600


@pytest.mark.parametrize('used', [False, True])
@pytest.mark.parametrize(
    'clone',
    [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))],
    ids=['copy', 'deepcopy', 'pickle'],
)
def test_copies(make, data, clone, used):
    coverage = make_mask(slice(0, 5), slice(None))
    bkg = make(data << UNIT, coverage_mask=coverage)
    if used:
        assert bkg.background_rms.unit == UNIT
    other = clone(bkg)
    for name in (*RESULTS, *MEDIANS):
        one = getattr(other, name)
        assert one.unit == UNIT
        assert_array_equal(one, getattr(bkg, name))
    assert repr(other) == repr(bkg)


# photutils' own classes change the filters of all threads
@pytest.mark.filterwarnings('ignore')
def test_threads(make, data):
    expected = make(data)
    shared = make(data)

    def work(k):
        bkg = shared if k % 2 else make(data)
        return bkg.background_rms, bkg.background

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(8)))
    for rms, background in results:
        assert_array_equal(background, expected.background)
        assert_array_equal(rms, expected.background_rms)
