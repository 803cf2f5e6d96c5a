# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of pages that list things, of their wording, and of the checks of built pages.
"""

import importlib.util
import re
from pathlib import Path

import pytest

from photutils_pconv.cli.entry import make_parser
from photutils_pconv.photometry.flags import FLAGS
from photutils_pconv.removal import table

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs'
RESULTS = (DOCS / 'how_to' / 'results.rst').read_text(encoding='utf-8')
# A row of a list-table: its first cell, and what follows up to the next row.
ROW = re.compile(r'^    \* - (.+?)\n((?:      .*\n|\n)*)', re.MULTILINE)


def read_rows(title, end):
    """Return the rows between two places of the page: first cell and the rest."""
    part = RESULTS[RESULTS.index(title) : RESULTS.index(end)]
    return {
        name: rest
        for cell, rest in ROW.findall(part)
        for name in re.findall(r'``(\w+)``', cell)
    }


def test_every_column():
    rows = read_rows('\nColumns\n===', '\nDetections and upper limits\n')
    assert set(rows) == set(table._UCDS)


@pytest.mark.parametrize('flag', FLAGS, ids=lambda flag: flag.name)
def test_every_flag(flag):
    warn = read_rows('list-table:: Flags that warn', 'list-table:: Flags that inform')
    inform = read_rows('list-table:: Flags that inform', '``decode_flags`` gives')
    rows, others = (inform, warn) if flag.informs else (warn, inform)
    assert flag.name not in others
    cells = re.split(r'^ {6}- ', rows[flag.name], flags=re.MULTILINE)
    bit, *texts = [cell.strip() for cell in cells if cell.strip()]
    assert int(bit) == flag.bit
    assert len(texts) == (1 if flag.informs else 2)


def test_no_flag_of_old():
    names = {flag.name for flag in FLAGS}
    warn = read_rows('list-table:: Flags that warn', 'list-table:: Flags that inform')
    inform = read_rows('list-table:: Flags that inform', '``decode_flags`` gives')
    assert set(warn) | set(inform) == names


def test_every_command():
    page = (DOCS / 'reference' / 'command_line.rst').read_text(encoding='utf-8')
    (commands,) = [
        action.choices for action in make_parser()._actions if action.choices
    ]
    missing = [name for name in commands if f'photutils-pconv {name}' not in page]
    assert not missing


@pytest.mark.parametrize('kind', ['tutorials', 'how_to', 'explanations'])
def test_every_page_is_in_its_index(kind):
    index = (DOCS / kind / 'index.rst').read_text(encoding='utf-8')
    for path in DOCS.glob(f'{kind}/*.rst'):
        name = path.stem
        if name == 'index':
            continue
        assert f'\n    {name}\n' in index, f'{name} is not in the toctree'
        assert f'\n:doc:`{name}`\n    ' in index, f'{name} has no line'


@pytest.mark.parametrize('kind', ['tutorials', 'how_to', 'explanations'])
def test_every_page_has_a_picture_or_a_table(kind):
    carries = re.compile(
        r'^ *\.\. (list-table|csv-table|plot|image|figure|include)::|^={3,} +={3,}',
        re.MULTILINE,
    )
    for path in DOCS.glob(f'{kind}/*.rst'):
        if path.stem != 'index':
            assert carries.search(path.read_text(encoding='utf-8')), path.name


def load_tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / 'tools' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ('text', 'found'),
    [
        ('The header tells\nthe band.', ['tells']),
        ('A table with a row a source.', ['row a source']),
        ('They cannot be told apart; tell : callable', []),
        ('A row per source, which the header names.', []),
    ],
)
def test_wording(text, found):
    tool = load_tool('check_wording')
    assert [words for _, words, _ in tool.check_text(text)] == found


def test_broken_links_are_found(tmp_path):
    tool = load_tool('check_pages')
    (tmp_path / 'index.html').write_text(
        '<a id="top" href="other.html#here">a</a><a href="other.html#gone">b</a>'
        '<img src="no.png"><a href="https://example.org/none">c</a><a href="#top">d</a>'
        '<a href="none.html">e</a>'
    )
    (tmp_path / 'other.html').write_text('<p id="here">f</p>')
    assert tool.find_broken(tmp_path) == [
        'index.html: no.png',
        'index.html: none.html',
        'index.html: other.html#gone',
    ]


def test_search_order():
    tool = load_tool('check_pages')
    index = {
        'docnames': ['a', 'b', 'c'],
        'titles': ['Flags', 'Results', 'Other flags'],
        'alltitles': {'Flags': [[0, None]], 'Other flags': [[2, None]]},
        'indexentries': {'flags': [[1, 'x', True], [2, 'y', False]]},
    }
    # A main entry counts most, and another one comes last.
    assert tool.find_first(index, 'flags') == 'b'
    assert tool.find_first(index, 'other flags') == 'c'
    assert tool.find_first(index, 'nothing') is None
