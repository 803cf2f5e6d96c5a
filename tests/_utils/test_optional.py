# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the import of optional packages.
"""

import json

import pytest

from photutils_pconv._utils.optional import require


def test_what_is_there():
    assert require('json') is json


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({}, r"^training needs nowhere: pip install 'photutils-pconv\[train\]'$"),
        (
            {
                'package': 'no-where',
                'purpose': 'this method',
                'install': 'no-where',
                'otherwise': 'leave it out',
            },
            '^this method needs no-where: pip install no-where, or leave it out$',
        ),
    ],
)
def test_what_is_missing(options, message):
    with pytest.raises(ImportError, match=message):
        require('nowhere.to.go', **options)
