# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the report's HTML."""

import base64
import io
from html.parser import HTMLParser

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table

from photutils_pconv.evaluation.report.page import (
    Report,
    Section,
    encode_image,
    format_table,
)

pytest.importorskip('matplotlib')

_VOID = {'meta', 'link', 'img', 'input', 'br'}


class Page(HTMLParser):
    """Collect elements, and check that every one is closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


@pytest.fixture(scope='module')
def page():
    report = Report('Title & more', lead='The <lead>')
    section = report.add('First', 'Some $text')
    section.add_table(Table({'a': [1.0, np.nan], 'b': ['x<y', 'z']}), 'Caption')
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (2, 8, 6, 4), dtype=np.uint8)
    section.add_slider(*images, 'a map')
    section.add_image(b'\x89PNG', 'a "figure"')
    report.add('Second').add_json({'b': [1, 2]}, 'Card')
    return Page(report.to_html())


class TestPage:
    def test_no_outside_links(self, page):
        for tag, attributes in page.elements:
            for name in ('src', 'href', 'action', 'data'):
                value = attributes.get(name)
                if value is not None:
                    assert value.startswith(('data:', '#')), (tag, value)
        style = ''.join(page.text)
        assert '@import' not in style
        assert 'url(' not in style

    def test_contents_lead_to_sections(self, page):
        links = [item['href'] for item in page.all('a')]
        assert links == [f'#{item["id"]}' for item in page.all('section')]
        assert len(links) == 2

    def test_text_is_escaped(self, page):
        text = ''.join(page.text)
        for expected in ('Title & more', 'The <lead>', 'Some $text', 'x<y'):
            assert expected in text
        assert page.all('lead') == []

    def test_slider(self, page):
        (slider,) = page.all('input')
        assert slider['type'] == 'range'
        assert slider['aria-label'] == 'before and after, a map'
        after, before = page.all('img')[:2]
        assert before['class'] == 'before'
        assert before['alt'] == 'before: a map'
        assert after['alt'] == 'after: a map'

    def test_slider_of_two_shapes(self):
        with pytest.raises(ValueError, match='one shape'):
            Section('x').add_slider(np.zeros((4, 4, 4)), np.zeros((4, 5, 4)))

    def test_write(self, tmp_path):
        path = tmp_path / 'report.html'
        Report('é').write(path)
        Report('ü').write(path)
        assert '<h1>ü</h1>' in path.read_text(encoding='utf-8')
        assert [item.name for item in tmp_path.iterdir()] == ['report.html']


def test_image_is_a_jpeg():
    from PIL import Image

    image = np.zeros((16, 24, 4), dtype=np.uint8)
    image[..., 0] = 200
    url = encode_image(image)
    start = 'data:image/jpeg;base64,'
    assert url.startswith(start)
    found = Image.open(io.BytesIO(base64.b64decode(url[len(start) :])))
    assert found.size == (24, 16)
    assert np.abs(np.asarray(found)[0, 0].astype(int) - [200, 0, 0]).max() < 5


class TestTable:
    def test_values(self):
        sky = SkyCoord([10.0, 20.0], [0.0, -5.0], unit='deg')
        table = QTable({'flux': [1.23456, np.nan] * u.Jy, 'n': [3, 4], 'sky': sky})
        text = ''.join(Page(format_table(table)).text)
        assert 'flux (Jy)' in text
        assert '1.235' in text
        assert 'nan' not in text
        assert '00h40m00.0s +00d00m00.0s' in text

    def test_limit(self):
        table = Table({'n': np.arange(10)})
        page = Page(format_table(table, limit=3))
        assert len(page.all('tr')) == 1 + 3
        assert 'The first 3 of 10 rows.' in ''.join(page.text)

    def test_verdicts(self):
        table = Table({'verdict': ['met', 'not met', 'for comparison']})
        cells = Page(format_table(table, verdicts=True)).all('td')
        assert [cell['class'] for cell in cells] == ['met', 'missed', 'neutral']
        assert Page(format_table(table)).all('td')[0] == {}
