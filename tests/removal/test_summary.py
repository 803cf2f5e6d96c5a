# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of how results show themselves."""

import io

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable
from numpy.testing import assert_array_equal

from photutils_pconv import NeuralSourceRemover, get_setup
from photutils_pconv.network import load_model
from photutils_pconv.photometry import FLAGS, SourceFlags, count_flags, has_warning
from photutils_pconv.removal.summary import list_flags, summarise


@pytest.fixture(scope='module')
def result(make_scene, flat_model):
    scene = make_scene([70.3, 50.8], [55.1, 90.7], [5.0, 0.3], sky=2e-3, noise=1e-4)
    ccd = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
    remover = NeuralSourceRemover('scanmap', 'green', model=flat_model)
    return remover(ccd, scene.xy)


class TestFlags:
    def test_kinds(self):
        """Every flag informs or warns; a map off the scale is no reason to worry."""
        informing = {flag.name for flag in FLAGS if flag.informs}
        assert 'resampled' in informing
        assert {'poor_fit', 'no_background', 'missing_pixels'}.isdisjoint(informing)

    def test_counts(self):
        flags = [SourceFlags.RESAMPLED] * 3 + [0]
        flags[1] |= SourceFlags.POOR_FIT
        assert count_flags(flags) == {'resampled': 3, 'poor_fit': 1}
        assert_array_equal(has_warning(flags), [False, True, False, False])
        assert count_flags([]) == {}

    def test_words(self):
        flags = np.array([SourceFlags.RESAMPLED, SourceFlags.POOR_FIT])
        warning, informing = list_flags(flags)
        assert warning == [
            f'1 poor_fit: {FLAGS[FLAGS.index(_flag("poor_fit"))].description}'
        ]
        assert informing[0].startswith("1 resampled: the map's pixel scale")


def _flag(name):
    return next(flag for flag in FLAGS if flag.name == name)


class TestSummary:
    def test_lines(self, result):
        lines = result.summary().splitlines()
        n_changed = np.count_nonzero(result.holes)
        ny, nx = result.holes.shape
        size = f'{nx} x {ny} pixels'
        assert lines[0] == f'sources: 2 on {size}, {n_changed} of them changed'
        assert lines[1] == 'setup: scanmap/green (as asked for)'
        assert lines[4].startswith('detected: 2 (detection_snr of 3')
        assert 'with a warning: none' in lines

    def test_only_informing(self, result):
        """A resampled map is not one of flagged sources."""
        table = result.photometry.copy()
        table['flags'] = SourceFlags.RESAMPLED
        text = summarise(table, result.holes)
        assert 'with a warning: none\nfor information:\n    2 resampled: ' in text
        table['flags'][0] |= SourceFlags.POOR_FIT
        assert 'with a warning: 1\n    1 poor_fit: ' in summarise(table, result.holes)


class TestTable:
    def test_formats(self, result):
        """No 17 digits on the screen, but all of them in files."""
        table = result.photometry
        for line in table['flux', 'x_center', 'snr'].pformat(show_unit=False)[2:]:
            assert all(len(word) <= 9 for word in line.split())
        text = io.StringIO()
        table.write(text, format='ascii.ecsv')
        back = QTable.read(text.getvalue(), format='ascii.ecsv')
        assert_array_equal(back['flux'], table['flux'])
        assert back['flux'].info.description == table['flux'].info.description

    def test_descriptions_and_units(self, result):
        for name in result.photometry.colnames:
            assert result.photometry[name].info.description, name
        assert str(result.photometry['flux'].unit) == 'Jy'


class TestHtml:
    def test_result(self, result):
        html = result._repr_html_()
        assert 'scanmap/green (as asked for)' in html
        assert '<th>flux_err</th>' in html

    def test_setup(self):
        html = get_setup('scanmap', 'green')._repr_html_()
        assert 'Observing setup scanmap/green' in html
        assert '100 um' in html

    def test_card(self):
        card = load_model('psf').card
        html = card._repr_html_()
        assert '<b>Model psf</b>' in html
        assert card.checksum in html

    def test_escaped(self, result):
        table = result.photometry.copy()
        table.meta['setup_reason'] = '<script>'
        other = type(result)(
            result.cleaned, table, result.sources, result.holes, result.map_input
        )
        assert '<script>' not in other._repr_html_()
