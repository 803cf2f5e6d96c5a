# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests that PConvBackground refuses arguments before the network runs."""

import numpy as np
import pytest

from photutils_pconv import PConvBackground
from photutils_pconv.background import estimation


@pytest.mark.parametrize(
    ('options', 'error'),
    [
        ({'box_size': 1}, ValueError),
        ({'box_size': 4.0}, ValueError),
        ({'box_size': True}, ValueError),
        ({'box_size': '8'}, ValueError),
        ({'fill_value': 'nan'}, TypeError),
        ({'fill_value': None}, TypeError),
        ({'fill_value': [0.0]}, TypeError),
    ],
)
def test_refused(options, error, flat_model, monkeypatch):
    def fail(*_):
        msg = 'the network ran'
        raise AssertionError(msg)

    monkeypatch.setattr(estimation, 'remove_sources', fail)
    (name,) = options
    with pytest.raises(error, match=f'{name} must be'):
        PConvBackground(
            np.ones((50, 50)),
            [[25, 25]],
            setup='scanmap/green',
            model=flat_model,
            **options,
        )


def test_refused_before_the_map_is_read():
    """Where the header would name the setup, too."""
    with pytest.raises(ValueError, match='method must be'):
        PConvBackground('no_such_map.fits', [[25, 25]], method='nonesuch')
