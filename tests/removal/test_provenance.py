# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what is said of a removal."""

from datetime import UTC, datetime

import numpy as np
import pytest

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.removal.provenance import make_history, make_meta


@pytest.fixture
def pixel_psf():
    return PixelPSF(get_psf('scanmap/green'), 1.6)


class TestMeta:
    def test_settings(self, make_settings):
        settings = make_settings(aperture_radii=[6, 12], error_method='card')
        meta = make_meta(settings, None)
        assert meta['setup'] == 'scanmap/green'
        assert meta['model'] == 'flat'
        assert meta['model_checksum'] == '0123456789abcdef' * 4
        assert meta['method'] == 'inpaint'
        assert meta['method_reason'] == "the model is of the kind 'masked'"
        assert meta['aperture_radii_arcsec'] == [6.0, 12.0]
        assert meta['error_method'] == 'card'
        assert meta['subtract_wings'] is False
        assert meta['fill'] == 'mean'
        assert meta['colour_corrected'] is False
        assert 'psf' not in meta
        age = datetime.now(UTC) - datetime.fromisoformat(meta['date'])
        assert 0 <= age.total_seconds() < 60
        assert {'photutils_pconv', 'astropy', 'photutils'} <= set(meta['versions'])

    @pytest.mark.parametrize(
        ('options', 'expected'),
        [
            ({}, 'real'),
            ({'psf': 'setup'}, 'psf'),
            ({'psf': 'empirical'}, 'psf'),
            ({'psf': 'setup', 'aperture_corrections': 'real'}, 'real'),
            (
                {'aperture_corrections': {'radius': [1.0, 99.0], 'eef': [0.5, 1.0]}},
                'user',
            ),
        ],
    )
    def test_aperture_corrections(self, make_settings, options, expected):
        meta = make_meta(make_settings(**options), None)
        assert meta['aperture_corrections'] == expected

    def test_psf(self, make_settings, pixel_psf):
        settings = make_settings(method='psf')
        meta = make_meta(settings, pixel_psf)
        assert meta['psf'] == 'setup'
        assert meta['psf_angle_deg'] is None
        assert meta['psf_width'] == pixel_psf.width
        assert meta['method_reason'] == 'as asked for'
        assert meta['fill'] == 'observed'
        # A PSF takes the wings off, whatever was asked for.
        assert meta['subtract_wings'] is True

    def test_angle_in_degrees(self, make_settings):
        turned = PixelPSF(get_psf('scanmap/green'), 1.6, angle=np.pi / 3)
        meta = make_meta(make_settings(method='psf'), turned)
        assert meta['psf_angle_deg'] == pytest.approx(60.0)


class TestHistory:
    def test_lines_fit_into_a_header(self, make_settings, pixel_psf):
        settings = make_settings(method='psf', fill='draw')
        lines = make_history(make_meta(settings, pixel_psf), 123456)
        assert all(len(line) <= 72 for line in lines[1:])
        text = ' '.join(lines)
        for part in (
            '123456 compact sources',
            'scanmap/green',
            'model flat-psf',
            '0123456789abcdef' * 2,
            'method psf: as asked for',
            'the PSF (setup) is known, averaged over angles',
            'wings of sources beyond the holes were subtracted',
            'a random draw of what is not',
        ):
            assert part in text

    def test_only_what_was_done(self, make_settings):
        text = ' '.join(make_history(make_meta(make_settings(), None), 3))
        assert '3 compact sources' in text
        for part in ('PSF', 'wings', 'draw'):
            assert part not in text
