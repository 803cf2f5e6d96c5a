# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Check the wording of pages, docstrings and messages.

Some turns of phrase are clear to their author and stop every other reader. This
check finds those that came up again and again, and names the usual words::

    python tools/check_wording.py
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ('README.rst', 'CONTRIBUTING.rst', 'docs/**/*.rst', 'docs/gallery/**/*.py')
MODULES = ('photutils_pconv/**/*.py',)
# Written by Sphinx, or words of before.
SKIPPED = {'api', 'generated', '_build', 'changelog.rst', 'sg_execution_times.rst'}

#: What not to write, and what to write instead.
WORDINGS = {
    r'\b[Tt]ells?\b(?! :)': 'say, show, record, determine',
    r'\btold (?!apart\b)': 'given, said, shown',
    r'\bby hand of\b': 'by',
    r'\b(?:row|line|file|bar|panel|number|fields?|circle|second) an? '
    r'(?:source|map|method|epoch|row|setup|cutout|star|field|flux)\b': 'per source',
    r"\bof an? annulus'(?=[\s.,])": 'of those of an annulus',
    r'\bin the place of\b': 'instead of',
    r'\b[Hh]old true\b': 'is right',
    r"\bone's own\b": 'your own',
    r'\bstands? in (?:the|its|their) (?:metadata|header|table|card)\b': 'is in',
}


def read_texts(path):
    """
    Read the texts of a file: all of it, or a module's docstrings and strings.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.

    Yields
    ------
    line : int
        The line at which a text begins.

    text : str
        The text.
    """
    content = path.read_text(encoding='utf-8')
    if path.suffix != '.py' or 'gallery' in path.parts:
        yield 1, content
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def check_text(text):
    """
    Find unclear wording.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    faults : list of tuple
        For each fault the number of the line in the text, from 0, what is written,
        and what to write instead.
    """
    return [
        (text.count('\n', 0, found.start()), ' '.join(found[0].split()), instead)
        for pattern, instead in WORDINGS.items()
        for found in re.finditer(pattern.replace(' ', r'\s+'), text)
    ]


def main():
    """
    Run the script.

    Returns
    -------
    status : int
        1 if there is a fault, and else 0.
    """
    faults = []
    for pattern in (*PAGES, *MODULES):
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT)
            if SKIPPED & set(name.parts):
                continue
            for first, text in read_texts(path):
                faults += [
                    f'{name}:{first + line}: {words!r}: write {instead}'
                    for line, words, instead in check_text(text)
                ]
    print(*faults, sep='\n', end='\n' if faults else '')
    return int(bool(faults))


if __name__ == '__main__':
    sys.exit(main())
