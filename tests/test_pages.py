# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of pages that list things: everything that exists is on them.
"""

import re
from pathlib import Path

import pytest

from photutils_pconv.cli.entry import make_parser
from photutils_pconv.photometry.flags import FLAGS
from photutils_pconv.removal import table

DOCS = Path(__file__).parents[1] / 'docs'
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
