# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the parser of maps."""

import copy

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    InverseVariance,
    NDData,
    NDDataRef,
    StdDevUncertainty,
    UnknownUncertainty,
    VarianceUncertainty,
)
from astropy.utils.exceptions import AstropyUserWarning
from astropy.utils.masked import Masked
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs.map_input import MapInput
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.values import as_array

SHAPE = (30, 40)


def make_values():
    return np.random.default_rng(1).normal(1, 0.1, SHAPE)


def plain(result):
    """Return the pixel values of a result of any class."""
    if isinstance(result, Masked):
        result = result.unmasked
    result = result.data if isinstance(result, NDData) else result
    return np.array(getattr(result, 'value', result))


def write_fits(path, data, name='', **cards):
    hdu = fits.PrimaryHDU(data)
    if name:
        hdu.name = name
    for key, value in cards.items():
        hdu.header[key] = value
    hdu.writeto(path)
    return path


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


# ---- every accepted form -------------------------------------------------


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


def test_like_input_unchanged(any_map):
    """What was not touched comes back bit for bit."""
    parsed = parse_map(any_map.given)
    result = parsed.like_input(parsed.data)
    assert type(result) is any_map.output_class
    values = plain(result)
    assert values.dtype == np.dtype(any_map.dtype)
    assert values.dtype.isnative
    assert_array_equal(values, plain(parsed.original))
    assert not np.shares_memory(values, parsed.data)


def test_like_input_changed(any_map):
    parsed = parse_map(any_map.given)
    data = parsed.data + 1
    result = parsed.like_input(data)
    good = ~any_map.missing
    assert_array_equal(plain(result)[good], any_map.values[good] + 1)
    # missing pixels stay what they were
    assert_array_equal(plain(result)[~good], plain(parsed.original)[~good])

    original = parsed.original
    for name in ('unit', 'mask'):
        if hasattr(original, name) and not isinstance(result, np.ma.MaskedArray):
            assert_array_equal(getattr(result, name), getattr(original, name))
    if isinstance(original, np.ma.MaskedArray):
        assert_array_equal(result.mask, original.mask)
        assert result.fill_value == original.fill_value
    if any_map.has_wcs:
        assert_allclose(result.wcs.wcs.crval, original.wcs.wcs.crval)

    filled = parsed.like_input(data, fill=0)
    assert np.all(plain(filled)[~good] == 0)
    assert_array_equal(plain(filled)[good], plain(result)[good])


def test_like_input_wrong_shape():
    parsed = parse_map(make_values())
    with pytest.raises(ValueError, match='must have the shape'):
        parsed.like_input(np.zeros((3, 3)))


@pytest.mark.parametrize(
    'kind', [StdDevUncertainty, VarianceUncertainty, InverseVariance]
)
@pytest.mark.parametrize('unit', [None, 'mJy/pix'])
@pytest.mark.parametrize('cls', [CCDData, NDData, NDDataRef])
def test_uncertainty(cls, kind, unit):
    """Uncertainties become a standard deviation in the map's unit, and back."""
    power = {StdDevUncertainty: 1, VarianceUncertainty: 2, InverseVariance: -2}[kind]
    sigma = np.random.default_rng(2).uniform(1, 2, SHAPE)
    factor = 1 if unit is None else 1e3
    own_unit = None if unit is None else u.Unit(unit) ** power
    uncertainty = kind((sigma * factor) ** power, unit=own_unit)
    given = cls(make_values(), unit='Jy/pix', uncertainty=uncertainty)
    parsed = parse_map(given)
    assert_allclose(parsed.error, sigma, rtol=1e-12)

    kept = parsed.like_input(parsed.data)
    assert type(kept.uncertainty) is kind
    assert_array_equal(kept.uncertainty.array, given.uncertainty.array)
    assert kept.uncertainty.array is not given.uncertainty.array
    changed = parsed.like_input(parsed.data, error=3 * sigma)
    assert type(changed.uncertainty) is kind
    assert changed.uncertainty.unit == given.uncertainty.unit
    std = changed.uncertainty.represent_as(StdDevUncertainty)
    assert_allclose((std.array * std.unit).to_value('Jy/pix'), 3 * sigma, rtol=1e-12)
    assert changed.uncertainty.parent_nddata is changed


def test_uncertainty_added():
    parsed = parse_map(CCDData(make_values(), unit='Jy/pix'))
    result = parsed.like_input(parsed.data, error=np.ones(SHAPE))
    assert isinstance(result.uncertainty, StdDevUncertainty)
    assert_array_equal(result.uncertainty.array, 1)
    # other classes cannot hold it
    parsed = parse_map(make_values())
    assert type(parsed.like_input(parsed.data, error=np.ones(SHAPE))) is np.ndarray


def test_uncertainty_infinite():
    """No weight is an unknown error, and stays no weight."""
    weight = np.ones(SHAPE)
    weight[0, 0] = 0
    ccd = CCDData(make_values(), unit='Jy/pix', uncertainty=InverseVariance(weight))
    with pytest.warns(AstropyUserWarning, match='error of 1 pixels'):
        parsed = parse_map(ccd)
    assert np.isnan(parsed.error[0, 0])
    assert_array_equal(np.argwhere(parsed.unknown_error), [[0, 0]])
    result = parsed.like_input(parsed.data, error=parsed.error)
    assert_array_equal(result.uncertainty.array, weight)


@pytest.mark.parametrize(
    'meta',
    [
        {'A': 1},
        {'A': 1, 'history': ['made']},
        {'A': 1, 'HISTORY': 'made'},
        fits.Header({'A': 1}),
    ],
)
def test_history(meta, tmp_path):
    ccd = CCDData(make_values(), unit='Jy/pix', meta=meta)
    before = copy.deepcopy(ccd.meta)
    parsed = parse_map(ccd)
    assert parsed.meta == before
    result = parsed.like_input(parsed.data, history=['cleaned', 'on a Tuesday …'])
    key = 'history' if 'history' in meta else 'HISTORY'
    text = str(result.meta[key])
    assert text.index('cleaned') < text.index('on a Tuesday')
    assert ('made' in text) == ('made' in str(meta))
    assert ccd.meta == before
    if key == 'HISTORY' and isinstance(meta, fits.Header):
        result.write(tmp_path / 'out.fits')
        header = fits.getheader(tmp_path / 'out.fits')
        assert list(header['HISTORY']) == ['cleaned', 'on a Tuesday ?']


def test_subclass_is_kept():
    class MyCCD(CCDData):
        def __init__(self, *args, note='none', **kwargs):
            super().__init__(*args, **kwargs)
            self.note = note

    parsed = parse_map(MyCCD(make_values(), unit='Jy/pix', note='mine'))
    result = parsed.like_input(parsed.data)
    assert type(result) is MyCCD
    assert result.note == 'mine'


# ---- masks and errors given apart ----------------------------------------


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


# ---- bad maps ------------------------------------------------------------


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


# ---- units ---------------------------------------------------------------

ARCSEC2 = (np.pi / 180 / 3600) ** 2  # sr


@pytest.mark.parametrize(
    ('unit', 'factor'),
    [
        ('Jy', 1),
        ('mJy', 1e-3),
        ('Jy/pix', 1),
        ('mJy/pix', 1e-3),
        ('uJy/pix', 1e-6),
        ('MJy/sr', 1e6 * 1.6**2 * ARCSEC2),
        ('Jy/sr', 1.6**2 * ARCSEC2),
        ('Jy/arcsec2', 1.6**2),
        ('mJy/arcmin2', 1e-3 * 1.6**2 / 3600),
        ('W / (m2 Hz sr)', 1e26 * 1.6**2 * ARCSEC2),
    ],
)
def test_units(unit, factor, map_wcs):
    parsed = parse_map(make_values() * u.Unit(unit), wcs=map_wcs)
    assert parsed.unit == u.Unit(unit)
    assert parsed.flux_unit == u.Jy
    assert parsed.jy_per_pixel == pytest.approx(factor, rel=1e-9)


@pytest.mark.parametrize('unit', ['K', 'adu', 'mag', 'Jy km / s', 'cm-2', '%'])
def test_wrong_units(unit, map_wcs):
    with pytest.raises(ValueError, match='is not accepted; accepted are Jy/pixel'):
        parse_map(CCDData(make_values(), unit=unit, wcs=map_wcs))


@pytest.mark.parametrize(
    'given',
    [make_values() * u.one, CCDData(make_values(), unit=''), NDData(make_values())],
)
def test_no_unit(given):
    parsed = parse_map(given)
    assert parsed.unit is None
    assert parsed.flux_unit is None
    assert parsed.jy_per_pixel == 1


def test_pixel_scale_fallback(map_wcs):
    given = make_values() * u.Unit('MJy/sr')
    with pytest.raises(ValueError, match='has no pixel area: give wcs'):
        parse_map(given)
    parsed = parse_map(given, pixel_scale=3.2)
    assert parsed.jy_per_pixel == pytest.approx(1e6 * 3.2**2 * ARCSEC2)
    assert parsed.pixel_scale is None
    # the WCS knows better
    parsed = parse_map(given, wcs=map_wcs, pixel_scale=3.2)
    assert parsed.jy_per_pixel == pytest.approx(1e6 * 1.6**2 * ARCSEC2)


@pytest.mark.parametrize(
    ('header', 'beam', 'axes'),
    [
        ({'BMAJ': 12 / 3600, 'BMIN': 6 / 3600}, None, (12, 6)),
        ({'BMAJ': 12 / 3600}, None, (12, 12)),
        ({'bmaj': 12 / 3600, 'bmin': 6 / 3600}, None, (12, 6)),
        ({}, 14, (14, 14)),
        ({}, (12, 6), (12, 6)),
        ({}, 0.1 * u.arcmin, (6, 6)),
        ({'BMAJ': 1.0}, [12, 6] * u.arcsec, (12, 6)),
    ],
)
def test_beam(header, beam, axes, map_wcs):
    """A point source of 1 Jy has a peak of 1 Jy/beam and sums to 1 Jy."""
    given = CCDData(make_values(), unit='mJy/beam', wcs=map_wcs, meta=header)
    parsed = parse_map(given, beam=beam)
    sigma_x, sigma_y = np.array(axes) / 2.3548200450309493 / 1.6
    y, x = np.mgrid[-40:41, -40:41]
    source = 1e3 * np.exp(-0.5 * ((x / sigma_x) ** 2 + (y / sigma_y) ** 2))
    assert np.sum(source) * parsed.jy_per_pixel == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize('beam', [-1, (1, 2, 3), 'small', 3 * u.Jy, 0])
def test_bad_beam(beam, map_wcs):
    with pytest.raises(ValueError, match="beam must be the beam's FWHM"):
        parse_map(make_values() * u.Jy / u.beam, wcs=map_wcs, beam=beam)


def test_beam_unknown(map_wcs):
    with pytest.raises(ValueError, match='no BMAJ and BMIN: give beam'):
        parse_map(make_values() * u.Jy / u.beam, wcs=map_wcs)


# ---- WCS -----------------------------------------------------------------


@pytest.mark.parametrize('scale', [1.0, 1.6, 3.2])
@pytest.mark.parametrize('angle', [0, 30, 90])
def test_pixel_scale(scale, angle):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'GLON-TAN', 'GLAT-TAN'
    wcs.wcs.crval = 10, 80
    wcs.wcs.cdelt = -scale / 3600, 1.008 * scale / 3600
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.pc = [[c, -s], [s, c]]
    parsed = parse_map(make_values(), wcs=wcs)
    assert parsed.pixel_scale.value == pytest.approx(scale * np.sqrt(1.008))


@pytest.mark.parametrize('kind', ['oblong', 'skewed'])
def test_pixels_not_square(kind, map_wcs):
    if kind == 'oblong':
        map_wcs.wcs.cdelt = -1.6 / 3600, 1.65 / 3600
    else:
        map_wcs.wcs.pc = [[1, 0.3], [0, 1]]
    with pytest.raises(ValueError, match='not square.*Reproject'):
        parse_map(make_values(), wcs=map_wcs)


def test_sliced_wcs(map_wcs):
    """NDDataRef wraps the WCS of a part of a map."""
    given = NDDataRef(make_values(), unit='MJy/sr', wcs=map_wcs)[5:, 7:]
    assert not isinstance(given.wcs, WCS)
    parsed = parse_map(given)
    assert parsed.pixel_scale.value == pytest.approx(1.6, rel=1e-4)
    expected = map_wcs.pixel_to_world(7, 5)
    assert parsed.wcs.pixel_to_world(0, 0).separation(expected) < 1e-6 * u.arcsec


def test_wcs_of_more_axes():
    wcs = WCS(naxis=3)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN', 'FREQ'
    wcs.wcs.cdelt = -1.6 / 3600, 1.6 / 3600, 1e9
    parsed = parse_map(make_values(), wcs=wcs)
    assert parsed.wcs.naxis == 2
    assert parsed.pixel_scale.value == pytest.approx(1.6)


# ---- files ---------------------------------------------------------------


def test_file_primary(tmp_path):
    path = write_fits(tmp_path / 'map.fits', make_values(), BUNIT='mJy/pixel')
    parsed = parse_map(path)
    assert parsed.unit == u.mJy / u.pix
    assert parsed.wcs is None
    assert_array_equal(parsed.data, make_values())


def test_file_first_2d(tmp_path):
    """Planes of other dimensions are passed over."""
    fits.HDUList(
        [
            fits.PrimaryHDU(np.zeros((2, *SHAPE))),
            fits.ImageHDU(np.zeros(5)),
            fits.BinTableHDU.from_columns([fits.Column('a', 'D', array=[1.0])]),
            fits.ImageHDU(make_values(), name='SCI'),
            fits.ImageHDU(np.ones((3, 3))),
        ]
    ).writeto(tmp_path / 'map.fits')
    assert_array_equal(parse_map(tmp_path / 'map.fits').data, make_values())


def test_file_compressed(tmp_path):
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.CompImageHDU(
                make_values(), name='IMAGE', compression_type='GZIP_2', quantize_level=0
            ),
        ]
    ).writeto(tmp_path / 'map.fits.gz')
    assert_array_equal(parse_map(tmp_path / 'map.fits.gz').data, make_values())


@pytest.mark.parametrize('name', ['image', 'PRIMARY'])
def test_file_cube(tmp_path, name):
    path = write_fits(tmp_path / 'map.fits', np.zeros((2, *SHAPE)), name=name)
    with pytest.raises(ValueError, match=r'Choose one plane'):
        parse_map(path)


def test_file_without_image(tmp_path):
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / 'map.fits')
    with pytest.raises(ValueError, match='holds no image'):
        parse_map(tmp_path / 'map.fits')


def test_file_not_fits(tmp_path):
    (tmp_path / 'map.fits').write_text('not FITS')
    with pytest.raises(ValueError, match='cannot be read as a FITS file'):
        parse_map(tmp_path / 'map.fits')
    with pytest.raises(FileNotFoundError, match='does not exist'):
        parse_map(str(tmp_path / 'none.fits'))


@pytest.mark.parametrize(
    ('bunit', 'unit'),
    [
        ('Jy/pixel', 'Jy/pix'),
        ('JY/PIXEL', 'Jy/pix'),
        ('Jy pixel-1', 'Jy/pix'),
        ('jy per px', 'Jy/pix'),
        ('mJy/pix', 'mJy/pix'),
        ('MJY/SR', 'MJy/sr'),
        ('KJy/SR', 'kJy/sr'),
        ('Jy/arcsec^2', 'Jy/arcsec2'),
        ('Jy', 'Jy'),
        ('Jy/arcsec**2', 'Jy/arcsec2'),
        ('MJy sr-1', 'MJy/sr'),
        ('', None),
        ('Unknown', None),
    ],
)
def test_file_units(tmp_path, bunit, unit, map_wcs):
    cards = dict(map_wcs.to_header()) | {'BUNIT': bunit}
    path = write_fits(tmp_path / 'map.fits', make_values(), **cards)
    parsed = parse_map(path)
    assert parsed.unit == (None if unit is None else u.Unit(unit))


@pytest.mark.parametrize(
    ('bunit', 'match'),
    [
        ('bananas', "'bananas' of the FITS file cannot be understood"),
        ('K', "The unit 'K' of the map is not accepted"),
    ],
)
def test_file_bad_unit(tmp_path, bunit, match):
    path = write_fits(tmp_path / 'map.fits', make_values(), BUNIT=bunit)
    with pytest.raises(ValueError, match=match):
        parse_map(path)


def test_file_coverage_nan(tmp_path):
    coverage = np.ones(SHAPE)
    coverage[0, :3] = np.nan, 0, -1
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(make_values(), name='IMAGE'),
            fits.ImageHDU(coverage, name='COVERAGE'),
        ]
    ).writeto(tmp_path / 'map.fits')
    parsed = parse_map(tmp_path / 'map.fits')
    assert np.sum(parsed.missing) == 3
    assert np.all(parsed.missing[0, :3])


def test_file_coverage_and_mask(tmp_path):
    coverage = np.ones(SHAPE)
    coverage[0, 0] = 0
    mask = np.zeros(SHAPE, bool)
    mask[1, 1] = True
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(make_values(), name='image'),
            fits.ImageHDU(coverage, name='coverage'),
        ]
    ).writeto(tmp_path / 'map.fits')
    parsed = parse_map(tmp_path / 'map.fits', mask=mask)
    assert_array_equal(np.argwhere(parsed.missing), [[0, 0], [1, 1]])


def test_file_coverage_shape(tmp_path):
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(make_values(), name='image'),
            fits.ImageHDU(np.zeros((3, 3)), name='coverage'),
        ]
    ).writeto(tmp_path / 'map.fits')
    with pytest.warns(AstropyUserWarning, match='"coverage" .* is ignored'):
        parsed = parse_map(tmp_path / 'map.fits')
    assert not np.any(parsed.missing)


def test_file_error_extension(tmp_path, map_wcs):
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(make_values(), name='image'),
            fits.ImageHDU(np.full(SHAPE, 0.25), name='stDev'),
        ]
    ).writeto(tmp_path / 'map.fits')
    assert parse_map(tmp_path / 'map.fits').error is None
    parsed = parse_map(tmp_path / 'map.fits', error='STDEV', wcs=map_wcs)
    assert_array_equal(parsed.error, 0.25)
    with pytest.raises(ValueError, match="no image extension 'error'.*'STDEV'"):
        parse_map(tmp_path / 'map.fits', error='error')


def test_file_of_ours(tmp_path, map_wcs):
    """What was written comes back with mask, uncertainty and WCS."""
    mask = np.zeros(SHAPE, bool)
    mask[4, 5] = True
    given = CCDData(
        make_values(),
        unit='Jy/pix',
        mask=mask,
        wcs=map_wcs,
        uncertainty=StdDevUncertainty(np.full(SHAPE, 0.5)),
    )
    parsed = parse_map(given)
    parsed.like_input(parsed.data, history=['cleaned']).write(tmp_path / 'map.fits')
    again = parse_map(tmp_path / 'map.fits')
    assert_array_equal(again.data, parsed.data)
    assert_array_equal(again.error, 0.5)
    assert 'cleaned' in str(again.meta['HISTORY'])
    assert again.pixel_scale.value == pytest.approx(1.6)
    with pytest.raises(ValueError, match='wcs was given'):
        parse_map(tmp_path / 'map.fits', wcs=map_wcs)


# ---- real maps -----------------------------------------------------------

REAL_MAPS = [
    # name, pixel scale, unit, percentage of missing pixels
    ('gamma_dra_blue_jscanam.fits.gz', 1.6, 'Jy/pix', 24.442),
    ('gamma_dra_blue_unimap.fits.gz', 1.6, 'Jy/pix', 22.985),
    ('a1689_green_jscanam.fits.gz', 1.6, 'Jy/pix', 33.890),
    ('a1689_red_jscanam.fits.gz', 3.2, 'Jy/pix', 35.681),
    ('eta_dra_blue_photproject.fits', 3.2, 'Jy', 51.057),
    ('ngc5584_green_3arcsec.fits.gz', 3.0, None, 32.505),
]


@pytest.mark.parametrize(('name', 'scale', 'unit', 'percent'), REAL_MAPS)
def test_real_map(real_data, tmp_path, name, scale, unit, percent):
    path = real_data / 'pacs' / name
    parsed = parse_map(path)
    assert parsed.pixel_scale.value == pytest.approx(scale, rel=1e-4)
    assert parsed.unit == (None if unit is None else u.Unit(unit))
    assert parsed.jy_per_pixel == 1
    assert 100 * np.mean(parsed.missing) == pytest.approx(percent, abs=0.01)
    assert parsed.error is None

    with fits.open(path) as hdus:
        index = next(i for i, hdu in enumerate(hdus) if hdu.name.lower() == 'image')
        raw = hdus[index].data
        good = ~parsed.missing
        assert_array_equal(parsed.data[good], raw[good])
        if 'jscanam' in name:
            assert np.all(raw[~good] == 0)
            assert_array_equal(good, hdus['coverage'].data > 0)
        expected = WCS(hdus[index].header).pixel_to_world(50, 60)
        expected_center = expected.icrs

        result = parsed.like_input(parsed.data, history=['nothing done'])
        assert isinstance(result, CCDData)
        assert_array_equal(result.data, raw)
    result.write(tmp_path / 'out.fits')
    again = parse_map(tmp_path / 'out.fits')
    assert_array_equal(again.missing, parsed.missing)
    assert_array_equal(again.data, parsed.data)
    assert again.unit == parsed.unit
    center = again.wcs.pixel_to_world(50, 60).icrs
    assert center.separation(expected_center) < 1e-5 * u.arcsec


def test_real_map_header(real_data):
    """What the primary header says of the observation is kept."""
    path = real_data / 'pacs/a1689_green_jscanam.fits.gz'
    header = parse_map(path).meta
    assert header['INSTRUME'] == 'PACS'
    assert header['WAVELNTH'] == 100
    assert header['OBSID001'] == 1342222912


def test_real_error_extension(real_data):
    path = real_data / 'pacs/gamma_dra_blue_unimap.fits.gz'
    parsed = parse_map(path, error='error')
    raw = fits.getdata(path, 'error')
    assert_array_equal(parsed.error, raw)


def test_real_map_without_coverage(real_data):
    """The image alone: its zeros are pointed out."""
    path = real_data / 'pacs/a1689_green_jscanam.fits.gz'
    data, header = fits.getdata(path, 'image', header=True)
    ccd = CCDData(data, unit='Jy/pix', wcs=WCS(header))
    with pytest.warns(AstropyUserWarning, match='34% of the pixels are exactly 0'):
        parse_map(ccd)
    parsed = parse_map(ccd, coverage_mask=data == 0)
    assert_array_equal(parsed.missing, parse_map(path).missing)


def test_real_cube(real_data):
    path = real_data / 'backgrounds/m31_iras12.fits'
    with pytest.warns(
        AstropyUserWarning, match=r'shape \(1, 241, 241\): its only plane'
    ):
        parsed = parse_map(path)
    assert_array_equal(parsed.data, fits.getdata(path)[0])
