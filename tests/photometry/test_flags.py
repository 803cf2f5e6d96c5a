# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the flag registry."""

import numpy as np
import pytest
from astropy.table import Column

from photutils_pconv.photometry.flags import FLAGS, SourceFlags, decode_flags


def test_registry():
    names = [flag.name for flag in FLAGS]
    assert names == [
        'outside_map',
        'invalid_position',
        'near_edge',
        'missing_pixels',
        'aperture_beyond_hole',
        'overlapping_hole',
        'duplicate',
        'annulus_incomplete',
        'recentered_failed',
        'no_background',
        'resampled',
        'calibrated_error',
        'unknown_error',
        'unresolved',
        'unstable_fit',
        'poor_fit',
        'no_scatter',
        'resolved',
    ]
    assert [flag.bit for flag in FLAGS] == [2**i for i in range(len(names))]
    assert all(flag.description for flag in FLAGS)


@pytest.mark.parametrize('flag', FLAGS, ids=lambda flag: flag.name)
def test_each_flag(flag):
    assert getattr(SourceFlags, flag.name.upper()) == flag.bit
    assert decode_flags(flag.bit) == [flag.name]
    assert f'``{flag.name.upper()}`` ({flag.bit})' in SourceFlags.__doc__
    assert flag.description in SourceFlags.__doc__


def test_decode_combined():
    value = SourceFlags.RESAMPLED | SourceFlags.OUTSIDE_MAP
    assert decode_flags(value) == ['outside_map', 'resampled']
    assert decode_flags(0) == []
    assert decode_flags(np.int32(3)) == ['outside_map', 'invalid_position']


def test_decode_column():
    column = Column([0, 12], name='flags')
    assert decode_flags(column) == [[], ['near_edge', 'missing_pixels']]
    assert decode_flags([]) == []


@pytest.mark.parametrize('value', [-1, 2 * FLAGS[-1].bit])
def test_unknown_bit(value):
    with pytest.raises(ValueError, match='belongs to no flag'):
        decode_flags(value)


@pytest.mark.parametrize('value', [1.0, 'near_edge', [0.5], True])
def test_not_integers(value):
    with pytest.raises(TypeError, match='must be integers'):
        decode_flags(value)
