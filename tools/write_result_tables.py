# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Write tables of the docs from the output of the benchmarks.

After ``benchmarks/accuracy.py --output benchmarks/results/accuracy.md``, and
``psf_accuracy.py``, ``structure.py``, ``finding.py`` and ``finding_pairs.py`` in the
same way::

    python tools/write_result_tables.py

writes ``docs/explanations/accuracy_tables.inc``, ``psf_accuracy_tables.inc``,
``structure_table.inc``, ``finding_tables.inc`` and ``finding_pairs_tables.inc``, which
the pages include. The tables of single modes and backgrounds, ratios and bars are left
in the benchmarks' output.
"""

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / 'benchmarks' / 'results'
PAGES = ROOT / 'docs' / 'explanations'
_NOTE = '.. Written by tools/write_result_tables.py: do not edit.'
# Underlines by the depth of a Markdown heading.
_UNDERLINES = {2: '=', 3: '-'}
# What fits a page.
_MOST_COLUMNS = 6
# The methods in the benchmarks' outputs, the longest names first.
_METHODS = {
    'ours, inpaint': "'inpaint'",
    'ours, PSF, aperture': "'psf', in apertures",
    'ours, PSF, mean': "'psf', fill 'mean'",
    'ours, PSF, draw': "'psf', fill 'draw'",
    'ours, PSF': "'psf'",
    'ours': "'inpaint'",
    "(?<!')psf(?!')": "'psf'",
    'IQR': 'interquartile range',
}
_PSF_PARTS = ('Simulated fields', 'Real backgrounds, all together')
_PSF_TABLES = ('Interquartile', 'Median bias', 'Hole RMS', 'Pull')
_FINDING_TABLES = (
    'Completeness at a reliability of 95',
    'Completeness at a reliability of 90',
    'Usual thresholds',
)


def read_sections(text):
    """
    Split Markdown at its headings.

    Parameters
    ----------
    text : str
        The Markdown text.

    Returns
    -------
    sections : list of tuple
        For each heading its depth, its text, and the lines below it.
    """
    sections = []
    for line in text.splitlines():
        mark, _, title = line.partition(' ')
        if title and set(mark) == {'#'}:
            sections.append((len(mark), title, []))
        elif sections:
            sections[-1][2].append(line)
    return sections


def format_table(lines, *, title='', rename=False):
    """
    Turn a Markdown table into one of reStructuredText, or into several.

    A table that is too wide for the page is turned, if it has fewer rows than
    columns, and else divided.

    Parameters
    ----------
    lines : list of str
        The lines of the table.

    title : str, optional
        Its title.

    rename : bool, optional
        Whether the methods have their names in the package.

    Returns
    -------
    text : str
        A ``csv-table``, or several.
    """
    rows = [[cell.strip() for cell in line.strip('| ').split(' | ')] for line in lines]
    # The second line is the rule; the last row may begin with an empty cell.
    width = len(rows[0])
    rows = [row + [''] * (width - len(row)) for row in rows if set(row[0]) != {'-'}]
    if rename:
        rows = [[_rename(cell) for cell in row] for row in rows]
    if _MOST_COLUMNS < width > len(rows):
        rows = [list(column) for column in zip(*rows, strict=True)]
        width = len(rows[0])
    if width <= _MOST_COLUMNS + 1:
        return _format_rows(rows, title)
    half = width // 2 + 1
    return '\n\n'.join(
        _format_rows([[row[0], *row[part]] for row in rows], title)
        for part in (slice(1, half), slice(half, None))
    )


def _rename(cell):
    """Call the methods as the package does."""
    for name, ours in _METHODS.items():
        cell = re.sub(rf'\b{name}\b', ours, cell)
    return cell


def _format_rows(rows, title):
    """Write a table."""
    quoted = [', '.join(f'"{cell}"' for cell in row) for row in rows]
    return '\n'.join(
        [f'.. csv-table:: {title}'.rstrip(), f'    :header: {quoted[0]}', '']
        + [f'    {row}' for row in quoted[1:]]
    )


def format_section(depth, title, lines, *, notes=()):
    """
    Turn a section of Markdown into reStructuredText.

    Parameters
    ----------
    depth : int
        The heading's depth.

    title : str
        The heading.

    lines : list of str
        The lines of its only table, or none, among others, which are left out.

    notes : list of str, optional
        Lines that stand before the table.

    Returns
    -------
    parts : list of str
        The lines of text, each paragraph behind an empty one.
    """
    parts = ['', title, _UNDERLINES[depth] * len(title)]
    table = [line for line in lines if line.startswith('|')]
    for one in (*notes, *([format_table(table, rename=True)] if table else [])):
        parts += ['', one]
    return parts


def write_tables(text):
    """
    Write the page's tables.

    Parameters
    ----------
    text : str
        The output of ``benchmarks/accuracy.py``.

    Returns
    -------
    tables : str
        The reStructuredText.
    """
    parts = [_NOTE]
    use = False
    for depth, title, lines in read_sections(text):
        if depth not in _UNDERLINES:
            continue
        # The setups of both modes stand behind the single modes' tables.
        if depth == 2 or title == 'Setups':
            use = '; ' not in title
        if not use:
            continue
        notes = [
            line for line in lines if line and not line.startswith(('|', 'Run time'))
        ]
        parts += format_section(depth, title, lines, notes=notes)
    return '\n'.join(parts) + '\n'


def write_psf_tables(text):
    """
    Write the tables of the page about known PSFs.

    Parameters
    ----------
    text : str
        The output of ``benchmarks/psf_accuracy.py``.

    Returns
    -------
    tables : str
        The reStructuredText.
    """
    parts = [_NOTE]
    use = False
    for depth, title, lines in read_sections(text):
        if depth == 2:
            use = title in _PSF_PARTS
        if use and (depth == 2 or title.startswith(_PSF_TABLES)):
            parts += format_section(depth, title, lines)
    return '\n'.join(parts) + '\n'


def write_finding_tables(text):
    """
    Write the tables of the page about finding sources.

    Parameters
    ----------
    text : str
        The output of ``benchmarks/finding.py``, or of ``finding_pairs.py``.

    Returns
    -------
    tables : str
        The reStructuredText: a heading for each kind of maps, below those of a page.
    """
    parts = [_NOTE]
    for depth, title, lines in read_sections(text):
        table = [line for line in lines if line.startswith('|')]
        if depth == 2:
            parts += ['', title, '-' * len(title)]
            notes = [line for line in lines if line and line not in table]
            parts += [part for note in notes for part in ('', note)]
        if table and (depth == 2 or title.startswith(_FINDING_TABLES)):
            # The only table of a section has its heading already.
            parts += ['', format_table(table, title=title if depth > 2 else '')]
    return '\n'.join(parts) + '\n'


def write_table(text):
    """
    Write the only table of a benchmark's output.

    Parameters
    ----------
    text : str
        The output of ``benchmarks/structure.py``.

    Returns
    -------
    table : str
        The reStructuredText.
    """
    lines = [line for line in text.splitlines() if line.startswith('|')]
    return f'{_NOTE}\n\n{format_table(lines)}\n'


def main(arguments=None):
    """
    Run the script.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--results', type=Path, default=RESULTS)
    parser.add_argument('-o', '--output', type=Path, default=PAGES)
    args = parser.parse_args(arguments)
    for source, page, write in FILES:
        text = (args.results / source).read_text(encoding='utf-8')
        (args.output / page).write_text(write(text), encoding='utf-8')


#: What is written from what, and how.
FILES = (
    ('accuracy.md', 'accuracy_tables.inc', write_tables),
    ('psf_accuracy.md', 'psf_accuracy_tables.inc', write_psf_tables),
    ('structure.md', 'structure_table.inc', write_table),
    ('finding.md', 'finding_tables.inc', write_finding_tables),
    ('finding_pairs.md', 'finding_pairs_tables.inc', write_finding_tables),
)


if __name__ == '__main__':
    main()
