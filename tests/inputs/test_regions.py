# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of regions as sources and as masks."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs import (
    mask_excluded,
    parse_map,
    parse_sources,
    read_regions,
    read_sources,
)
from photutils_pconv.inputs.regions import has_regions, is_regions

regions = pytest.importorskip('regions')

HEADER = '# Region file format: DS9 version 4.1\nglobal color=green width=1\n'
SHAPE = (30, 40)


@pytest.fixture
def wcs(map_wcs):
    """A WCS of 1.6 arcsec pixels."""
    return map_wcs


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a region file and gives its path."""

    def write(text, name='a.reg', header=HEADER):
        path = tmp_path / name
        path.write_text(header + text)
        return path

    return write


def sky_text(wcs, x, y):
    sky = wcs.pixel_to_world(x, y)
    return f'{sky.ra.deg:.9f},{sky.dec.deg:.9f}'


class TestSources:
    def test_on_the_sky(self, write, wcs):
        """Points, circles, labels, frames; what is excluded is no source."""
        galactic = wcs.pixel_to_world(5, 6).galactic
        path = write(
            f'icrs\ncircle({sky_text(wcs, 10, 20)},5") # text={{first}}\n'
            f'point({sky_text(wcs, 12.5, 3)}) # point=x\n'
            f'-circle({sky_text(wcs, 30, 20)},8")\n'
            f'text({sky_text(wcs, 1, 1)}) # text={{a label}}\n'
            f'galactic\ncircle({galactic.l.deg:.9f},{galactic.b.deg:.9f},5")\n'
        )
        found = parse_sources(path, wcs=wcs)
        assert_allclose(found.x, [10, 12.5, 5], atol=1e-3)
        assert_allclose(found.y, [20, 3, 6], atol=1e-3)
        assert list(found.table['name']) == ['first', '', '']
        assert len(found.excluded) == 1

    def test_on_pixels(self, write):
        """DS9 counts from 1."""
        path = write('image\ncircle(11,21,5)\npoint(3.5,4)\n')
        found = parse_sources(path)
        assert_allclose([found.x, found.y], [[10, 2.5], [20, 3]])
        assert found.sky is None

    def test_on_both(self, write, wcs):
        path = write(f'image\npoint(3,4)\nicrs\npoint({sky_text(wcs, 10, 20)})\n')
        found = parse_sources(path, wcs=wcs)
        assert_allclose([found.x, found.y], [[2, 10], [3, 20]], atol=1e-3)
        with pytest.raises(ValueError, match='some on pixels.*give wcs'):
            parse_sources(path)

    @pytest.mark.parametrize('form', ['Regions', 'list', 'one'])
    def test_objects(self, wcs, form):
        one = regions.CirclePixelRegion(regions.PixCoord(4.0, 5.0), 3.0)
        value = {'Regions': regions.Regions([one]), 'list': [one], 'one': one}[form]
        found = parse_sources(value, wcs=wcs)
        assert_allclose([found.x, found.y], [[4], [5]])
        assert isinstance(found.sky, SkyCoord)

    def test_other_shapes_are_left_out(self, write):
        path = write('image\nbox(3,4,5,5,0)\npoint(3,4)\nbox(3,4,5,5,0)\n')
        with pytest.warns(AstropyUserWarning, match=r'2 regions .*\(rectangle\)'):
            assert len(parse_sources(path)) == 1

    def test_nothing_that_is_a_source(self, write):
        with pytest.raises(ValueError, match=r'points nor circles \(polygon\)'):
            parse_sources(write('image\npolygon(1,1,5,1,5,5)\n'))
        with pytest.raises(ValueError, match='without a minus sign'):
            parse_sources(write('image\n-circle(1,1,5)\n'))

    def test_no_wcs(self, write, wcs):
        with pytest.raises(ValueError, match='no celestial WCS'):
            parse_sources(write(f'fk5\npoint({sky_text(wcs, 1, 1)})\n'))


class TestMasks:
    def test_excluded(self, write, wcs):
        """A circle of 6 arcsec and a box of 3 x 5 pixels, on pixels of 1.6 arcsec."""
        path = write(
            f'fk5\npoint({sky_text(wcs, 3, 3)})\n-circle({sky_text(wcs, 30, 20)},6")\n'
            'image\n-box(11,6,3,5,0)\n'
        )
        error = np.ones(SHAPE)
        map_input = parse_map(np.ones(SHAPE), error=error, wcs=wcs)
        masked = mask_excluded(map_input, parse_sources(path, wcs=wcs))
        y, x = np.indices(SHAPE)
        expected = np.hypot(x - 30, y - 20) < 6 / 1.6
        expected |= (abs(x - 10) < 1.5) & (abs(y - 5) < 2.5)
        assert_array_equal(masked.missing, expected)
        for one in (masked.data, masked.error):
            assert_array_equal(np.isnan(one), expected)
        assert not map_input.missing.any()
        # What is written stays as it is given.
        assert_array_equal(masked.like_input(np.zeros(SHAPE)), expected.astype(float))

    def test_nothing_excluded(self, wcs):
        map_input = parse_map(np.ones(SHAPE), wcs=wcs)
        assert mask_excluded(map_input, parse_sources([[1, 2]], wcs=wcs)) is map_input

    def test_everything_excluded(self, write, wcs):
        sources = parse_sources(write('image\npoint(3,3)\n-circle(3,3,99)\n'))
        with pytest.raises(ValueError, match='no usable pixel'):
            mask_excluded(parse_map(np.ones(SHAPE)), sources)

    @pytest.mark.parametrize('sign', ['', '-'])
    def test_as_mask(self, write, sign):
        """All that a mask holds is bad, whatever its sign."""
        path = write(f'image\n{sign}circle(11,6,2.5)\n{sign}circle(200,6,2.5)\n')
        expected = np.hypot(*(np.indices(SHAPE) - [[[5]], [[10]]])) < 2.5
        for mask in (path, str(path), read_regions(path), list(read_regions(path))):
            map_input = parse_map(np.ones(SHAPE), mask=mask)
            assert_array_equal(map_input.missing, expected)

    def test_no_area(self, write):
        with pytest.raises(ValueError, match='A point has no area'):
            parse_map(np.ones(SHAPE), mask=write('image\npoint(3,3)\n'))

    def test_no_wcs(self, write, wcs):
        path = write(f'fk5\ncircle({sky_text(wcs, 3, 3)},5")\n')
        with pytest.raises(ValueError, match='the map has no celestial WCS'):
            parse_map(np.ones(SHAPE), mask=path)
        assert parse_map(np.ones(SHAPE), mask=path, wcs=wcs).missing.any()


class TestFiles:
    @pytest.mark.parametrize(
        ('text', 'answer'),
        [
            ('# Region file format: DS9\n', True),
            ('# a comment\n\nfk5\ncircle(1,2,3)\n', True),
            ('global color=red\n', True),
            ('fk5;circle(1,2,3)\n', True),
            ('-circle(1,2,3)\n', True),
            ('image,ra,dec\na,1,2\n', False),
            ('point x y\n1 2 3\n', False),
            ('circle,x,y\n1,2,3\n', False),
            ('# fk5\nra,dec\n1,2\n', False),
            ('', False),
        ],
    )
    def test_told_by_content(self, write, text, answer):
        assert has_regions(write(text, name='a.txt', header='')) is answer

    def test_read_sources(self, write, tmp_path):
        path = write('image\ncircle(11,21,5)\n', name='sources.txt')
        assert is_regions(read_sources(path))
        Table({'x': [1.0], 'y': [2.0]}).write(tmp_path / 'b.csv')
        assert read_sources(tmp_path / 'b.csv').colnames == ['x', 'y']

    def test_missing_file(self):
        with pytest.raises(FileNotFoundError, match='nonesuch.reg'):
            read_sources('nonesuch.reg')
        with pytest.raises(FileNotFoundError, match='nonesuch.csv'):
            read_sources('nonesuch.csv')

    def test_damaged_file(self, write):
        with pytest.raises(ValueError, match='cannot be read as one of DS9'):
            read_regions(write('image\ncircle(abc,2,3)\n'))

    def test_without_the_package(self, write, monkeypatch):
        monkeypatch.setitem(__import__('sys').modules, 'regions', None)
        path = write('image\ncircle(11,21,5)\n')
        with pytest.raises(ImportError, match=r'photutils-pconv\[regions\]'):
            parse_sources(path)


@pytest.mark.parametrize('value', [[], (), 'a', None, np.ones((2, 2)), [1, 2], {}])
def test_no_regions(value):
    assert not is_regions(value)
