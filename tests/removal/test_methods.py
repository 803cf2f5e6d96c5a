# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the choice of method and fill."""

from dataclasses import replace

import pytest

from photutils_pconv.removal.methods import (
    KIND_OF_METHOD,
    choose_fill,
    choose_method,
    method_of_kind,
)
from photutils_pconv.setups.registry import get_setup, list_setups

GREEN = get_setup('scanmap', 'green')
OWN = replace(GREEN, name='my/setup', mode='my', psf=None)


class TestMethod:
    @pytest.mark.parametrize(
        ('method', 'psf', 'setup', 'kind', 'expected', 'reason'),
        [
            ('auto', None, GREEN, None, ('psf', 'setup'), 'of scanmap/green is known'),
            ('auto', None, OWN, None, ('inpaint', None), 'no PSF of my/setup is known'),
            ('auto', 'a.fits', OWN, None, ('psf', 'a.fits'), 'a PSF was given'),
            ('auto', 'empirical', GREEN, None, ('psf', 'empirical'), 'was given'),
            ('auto', None, GREEN, 'masked', ('inpaint', None), "kind 'masked'"),
            ('auto', 'setup', GREEN, 'masked', ('inpaint', 'setup'), "kind 'masked'"),
            ('auto', None, OWN, 'residual', ('psf', 'setup'), "kind 'residual'"),
            ('psf', None, OWN, None, ('psf', 'setup'), 'as asked for'),
            ('inpaint', None, GREEN, None, ('inpaint', None), 'as asked for'),
            ('inpaint', 'setup', GREEN, None, ('inpaint', 'setup'), 'as asked for'),
        ],
    )
    def test_choice(self, method, psf, setup, kind, expected, reason):
        choice = choose_method(method, psf, setup=setup, model_kind=kind)
        assert (choice.method, choice.psf) == expected
        assert reason in choice.reason

    @pytest.mark.parametrize('method', ['PSF', 2, None, True, ['psf']])
    def test_bad_method(self, method):
        with pytest.raises((TypeError, ValueError), match='method'):
            choose_method(method, None, setup=GREEN)

    def test_every_bundled_setup_has_a_psf(self):
        for name in list_setups():
            assert get_setup(setup=name).has_psf
        assert not OWN.has_psf

    def test_kinds(self):
        for method, kind in KIND_OF_METHOD.items():
            assert method_of_kind(kind) == method


class TestFill:
    @pytest.mark.parametrize(
        ('fill', 'method', 'expected'),
        [
            (None, 'psf', 'observed'),
            (None, 'inpaint', 'mean'),
            ('mean', 'psf', 'mean'),
            ('draw', 'psf', 'draw'),
            ('draw', 'inpaint', 'draw'),
        ],
    )
    def test_choice(self, fill, method, expected):
        assert choose_fill(fill, method) == expected

    @pytest.mark.parametrize(
        ('fill', 'method', 'match'),
        [
            ('observed', 'inpaint', "use method='psf', or fill='mean' or 'draw'"),
            ('noise', 'psf', "fill must be one of .*got 'noise'"),
        ],
    )
    def test_bad_fill(self, fill, method, match):
        with pytest.raises(ValueError, match=match):
            choose_fill(fill, method)
