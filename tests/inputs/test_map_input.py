# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the way back from a result to the form of its map."""

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
    VarianceUncertainty,
)
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs.maps import parse_map
from tests.inputs.conftest import SHAPE, make_values, plain


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
