# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the parser of maps."""

import copy

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    NDData,
    StdDevUncertainty,
    UnknownUncertainty,
    VarianceUncertainty,
)
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs.map_input import MapInput
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.values import as_array
from tests.inputs.conftest import SHAPE, make_values, plain


class Lazy:
    """What arrays of dask and their like have: numpy makes an array of them."""

    def __init__(self, values):
        self._values = values
        self.dtype, self.shape, self.ndim = values.dtype, values.shape, values.ndim

    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype=dtype)


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


# What is given, and the type of the result.
FORMS = {
    'double': (lambda v: v, 'f8'),
    'single': (lambda v: v.astype('f4'), 'f4'),
    'half': (lambda v: v.astype('f2'), 'f2'),
    'long double': (lambda v: v.astype(np.longdouble), 'f8'),
    'double of another byte order': (lambda v: v.astype('>f8'), 'f8'),
    'single of another byte order': (lambda v: v.astype('>f4'), 'f4'),
    'short integers of another byte order': (lambda v: v.astype('>i2'), 'f8'),
    'bytes': (lambda v: v.astype('u1'), 'f8'),
    'unsigned': (lambda v: v.astype('u8'), 'f8'),
    'in columns': (np.asfortranarray, 'f8'),
    'turned': (lambda v: v[::-1, ::-1].copy()[::-1, ::-1], 'f8'),
    'every second': (lambda v: np.repeat(np.repeat(v, 2, 0), 2, 1)[::2, ::2], 'f8'),
    'read-only': (read_only, 'f8'),
    'lists': (lambda v: v.tolist(), 'f8'),
    'lazy': (Lazy, 'f8'),
}


@pytest.mark.parametrize(('make', 'dtype'), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize('container', ['array', 'CCDData', 'Quantity', 'masked'])
def test_types(make, dtype, container):
    """The values are those given, in every type and order of memory."""
    expected = np.random.default_rng(5).integers(1, 200, SHAPE).astype(float)
    given = make(expected)
    if container == 'CCDData':
        given = CCDData(given, unit='Jy')
    elif container == 'Quantity':
        given = u.Quantity(given, 'Jy', dtype=None)
    elif container == 'masked':
        given = np.ma.MaskedArray(np.asarray(given), mask=expected > 150)
        expected[expected > 150] = np.nan
    parsed = parse_map(given)
    assert_array_equal(parsed.data, expected)
    result = plain(parsed.like_input(parsed.data))
    is_list = isinstance(given, list)
    assert result.dtype == np.dtype('f8' if is_list else dtype)
    assert result.dtype.isnative


def test_memory_map(tmp_path):
    values = make_values().astype('f4')
    np.save(tmp_path / 'map.npy', values)
    given = np.load(tmp_path / 'map.npy', mmap_mode='r')
    parsed = parse_map(given)
    assert_array_equal(parsed.data, values)
    parsed.data[:] = 0
    assert_array_equal(given, values)


def test_more_than_a_double_holds():
    """A long double beyond double precision is a missing pixel, without a warning."""
    values = make_values().astype(np.longdouble)
    if np.finfo(np.longdouble).max <= np.finfo(float).max:
        pytest.skip('a long double is a double here')
    values[3, 4] = np.finfo(np.longdouble).max
    parsed = parse_map(values)
    assert np.argwhere(parsed.missing).tolist() == [[3, 4]]
    assert parsed.like_input(parsed.data)[3, 4] == np.inf


@pytest.mark.parametrize('cards', [{}, {'BSCALE': 0.01}, {'BSCALE': 0.5, 'BZERO': 7.0}])
@pytest.mark.parametrize('dtype', ['u1', 'i2', 'i4'])
def test_integers_of_a_file(tmp_path, cards, dtype):
    """Whole numbers with BSCALE, BZERO and BLANK, by the standard's formula."""
    stored = np.random.default_rng(6).integers(1, 200, SHAPE).astype(dtype)
    hdu = fits.PrimaryHDU(stored)
    hdu.header.update({'BUNIT': 'Jy', 'BLANK': int(stored[2, 3])} | cards)
    hdu.writeto(tmp_path / 'map.fits')
    parsed = parse_map(tmp_path / 'map.fits')
    expected = cards.get('BZERO', 0) + cards.get('BSCALE', 1) * stored.astype(float)
    assert_array_equal(parsed.missing, stored == stored[2, 3])
    good = ~parsed.missing
    assert_allclose(parsed.data[good], expected[good], rtol=1e-6)


@pytest.mark.parametrize('blank', [False, True])
@pytest.mark.parametrize('cards', [{}, {'BSCALE': 0.01}, {'BSCALE': 0.5, 'BZERO': 7.0}])
def test_integers_that_astropy_left_as_stored(tmp_path, cards, blank):
    """An HDU opened with do_not_scale_image_data is the map that the file holds."""
    stored = np.random.default_rng(6).integers(1, 200, SHAPE).astype('i2')
    hdu = fits.PrimaryHDU(stored)
    hdu.header.update({'BUNIT': 'Jy'} | cards)
    if blank:
        hdu.header['BLANK'] = int(stored[2, 3])
    hdu.writeto(tmp_path / 'map.fits')
    expected = parse_map(tmp_path / 'map.fits')
    with fits.open(tmp_path / 'map.fits', do_not_scale_image_data=True) as hdus:
        parsed = parse_map(hdus)
    assert_array_equal(parsed.missing, expected.missing)
    assert_allclose(parsed.data, expected.data, rtol=1e-6)


@pytest.mark.parametrize('dtype', ['int16', 'int32', 'float32'])
def test_hdu_after_scale(dtype):
    """``hdu.scale`` puts stored numbers into the HDU, and keywords beside them."""
    values = make_values()
    hdu = fits.PrimaryHDU(values.copy(), fits.Header({'BUNIT': 'Jy'}))
    step = np.ptp(values) / 3e4
    hdu.scale(dtype, bscale=step, bzero=values.mean())
    assert_allclose(parse_map(hdu).data, values, rtol=0, atol=step)


def test_unsigned_integers_in_memory():
    """BZERO of unsigned integers, which astropy keeps, is applied by it."""
    stored = np.random.default_rng(7).integers(1, 200, SHAPE).astype('u2')
    hdu = fits.PrimaryHDU(stored, fits.Header({'BUNIT': 'Jy'}))
    assert hdu.header['BZERO'] == 32768
    assert_array_equal(parse_map(hdu).data, stored)


def test_parse(any_map):
    before = copy.deepcopy(any_map.given)
    parsed = parse_map(any_map.given)
    assert isinstance(parsed, MapInput)
    # Single precision stays; all else becomes double.
    single = as_array(parsed.original).dtype.newbyteorder('=') == np.float32
    assert parsed.data.dtype == np.dtype(np.float32 if single else float)
    assert parsed.data.dtype.isnative
    assert parsed.data.flags.c_contiguous
    assert parsed.shape == SHAPE
    assert_array_equal(parsed.missing, any_map.missing)
    assert_array_equal(np.isnan(parsed.data), any_map.missing)
    assert_array_equal(parsed.data[~parsed.missing], any_map.values[~any_map.missing])
    assert parsed.unit == any_map.unit
    assert parsed.flux_unit == (None if any_map.unit is None else u.Jy)
    assert parsed.jy_per_pixel == pytest.approx(any_map.jy_per_pixel, rel=1e-12)
    assert (parsed.wcs is not None) == any_map.has_wcs
    if any_map.has_wcs:
        assert parsed.pixel_scale.unit == u.arcsec
        assert parsed.pixel_scale.value == pytest.approx(1.6)
    else:
        assert parsed.pixel_scale is None
    if any_map.error is None:
        assert parsed.error is None
    else:
        assert_allclose(parsed.error, any_map.error, rtol=1e-12)

    # the copy is ours
    parsed.data[:] = 1e9
    if not isinstance(any_map.given, str) and hasattr(any_map.given, '__array__'):
        assert_array_equal(plain(any_map.given), plain(before))


def test_masks_are_joined():
    values = make_values()
    values[0, 0] = np.nan
    masks = np.zeros((3, *SHAPE), dtype=bool)
    for i in range(3):
        masks[i, 1, i] = True
    given = np.ma.MaskedArray(values, mask=masks[0])
    parsed = parse_map(given, mask=masks[1], coverage_mask=masks[2].astype(int))
    expected = np.zeros(SHAPE, dtype=bool)
    expected[1, :3] = expected[0, 0] = True
    assert_array_equal(parsed.missing, expected)


def test_integer_mask_of_nddata():
    """A bit mask: every value but 0 is bad."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[2, 3] = 4
    parsed = parse_map(NDData(make_values(), mask=mask))
    assert_array_equal(np.argwhere(parsed.missing), [[2, 3]])
    assert parsed.like_input(parsed.data).mask[2, 3] == 4


@pytest.mark.parametrize(
    'error',
    [
        np.full(SHAPE, 2.0),
        np.full(SHAPE, 2),
        np.full(SHAPE, 2e3) * u.Unit('mJy/pix'),
        StdDevUncertainty(np.full(SHAPE, 2.0)),
        VarianceUncertainty(np.full(SHAPE, 4.0)),
    ],
)
def test_error(error):
    parsed = parse_map(make_values() * u.Unit('Jy/pix'), error=error)
    assert parsed.error.dtype == float
    assert_allclose(parsed.error, 2)


@pytest.mark.parametrize(
    ('kwargs', 'error', 'match'),
    [
        ({'mask': np.zeros((3, 3), bool)}, ValueError, r'mask must have the shape'),
        ({'mask': np.zeros(SHAPE)}, TypeError, 'mask must be a bool array'),
        (
            {'coverage_mask': np.zeros((3, 3), bool)},
            ValueError,
            'coverage_mask must have the shape',
        ),
        ({'error': np.ones((3, 3))}, ValueError, 'error must have the shape'),
        ({'error': 0.1}, ValueError, 'error must have the shape'),
        ({'error': np.full(SHAPE, -1)}, ValueError, 'not be negative'),
        ({'error': np.full(SHAPE, 'a')}, TypeError, 'error must hold real numbers'),
        ({'error': np.ones(SHAPE) * u.m}, ValueError, 'error must have the unit'),
        ({'error': 'stDev'}, TypeError, 'only if data is the path'),
        (
            {'error': UnknownUncertainty(np.ones(SHAPE))},
            ValueError,
            'must be a StdDevUncertainty',
        ),
        ({'wcs': 'TAN'}, TypeError, 'wcs must be an astropy WCS'),
        ({'wcs': WCS(naxis=2)}, ValueError, 'two celestial axes'),
        ({'beam': 14}, ValueError, 'beam is for maps in Jy/beam'),
    ],
)
def test_bad_keywords(kwargs, error, match):
    with pytest.raises(error, match=match):
        parse_map(make_values() * u.Unit('Jy/pix'), **kwargs)


@pytest.mark.parametrize('cls', [CCDData, NDData])
@pytest.mark.parametrize('keyword', ['mask', 'error', 'wcs'])
def test_given_twice(cls, keyword, map_wcs):
    parts = {
        'mask': np.zeros(SHAPE, bool),
        'wcs': map_wcs,
        'error': StdDevUncertainty(np.ones(SHAPE)),
    }
    own = parts[keyword]
    name = 'uncertainty' if keyword == 'error' else keyword
    given = cls(make_values(), unit='Jy/pix', **{name: own})
    value = np.ones(SHAPE) if keyword == 'error' else own
    with pytest.raises(ValueError, match=f'{keyword} was given, but the map has'):
        parse_map(given, **{keyword: value})
    # the others, and coverage_mask, which NDData have not, can be given
    others = {
        key: np.ones(SHAPE) if key == 'error' else part
        for key, part in parts.items()
        if key != keyword
    }
    coverage = np.zeros(SHAPE, bool)
    coverage[0, 0] = True
    parsed = parse_map(given, coverage_mask=coverage, **others)
    assert parsed.missing[0, 0]
    assert parsed.error is not None
    assert parsed.pixel_scale.value == pytest.approx(1.6)
    assert parsed.like_input(parsed.data).wcs is not None


@pytest.mark.parametrize(
    'given',
    [
        np.zeros((1, *SHAPE)),
        np.zeros((2, 3, *SHAPE)) * u.Jy,
        CCDData(np.zeros((1, *SHAPE)), unit='Jy/pix'),
    ],
)
def test_more_dimensions(given):
    with pytest.raises(ValueError, match=r'2-D map .* Choose one plane .* data\[0'):
        parse_map(given)


@pytest.mark.parametrize('shape', [(), (5,), (0, 5), (5, 0)])
def test_fewer_dimensions(shape):
    with pytest.raises(ValueError, match='must be a 2-D map'):
        parse_map(np.ones(shape))


@pytest.mark.parametrize(
    'given',
    [
        np.full(SHAPE, np.nan),
        np.full(SHAPE, np.inf),
        np.ma.MaskedArray(np.ones(SHAPE), mask=True),
        CCDData(np.ones(SHAPE), unit='Jy', mask=np.ones(SHAPE, bool)),
    ],
)
def test_no_usable_pixel(given):
    with pytest.raises(ValueError, match='no usable pixel'):
        parse_map(given)


@pytest.mark.parametrize(
    'given',
    [
        np.ones(SHAPE, complex),
        np.ones(SHAPE, bool),
        np.full(SHAPE, 'a'),
        np.full(SHAPE, None),
        None,
        {'data': 1},
        [[1, 2], [3]],
        object(),
    ],
)
def test_not_real_numbers(given):
    with pytest.raises(TypeError, match='data must be CCDData, NDData'):
        parse_map(given)


def test_nested_list():
    parsed = parse_map([[1, 2], [3, 4]])
    assert_array_equal(parsed.data, [[1, 2], [3, 4]])
    assert type(parsed.like_input(parsed.data)) is np.ndarray


def test_blank_border_warning():
    values = make_values()
    values[:3] = values[-3:] = values[:, :3] = values[:, -3:] = 0
    with pytest.warns(AstropyUserWarning, match='exactly 0.*coverage_mask'):
        parse_map(values)
    assert not np.any(parse_map(values, coverage_mask=values == 0).data == 0)


def test_no_blank_border_warning():
    """Models on nothing, and single zeros, are no sign of coverage."""
    y, x = np.mgrid[:300, :300]
    parse_map(np.exp(-((x - 150) ** 2 + (y - 150) ** 2) / 8))
    parse_map(np.zeros(SHAPE))
    values = make_values()
    values[[0, 0, -1, -1], [0, -1, 0, -1]] = 0
    parse_map(values)
