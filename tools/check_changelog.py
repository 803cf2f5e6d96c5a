# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Check that a change has an entry in CHANGES.rst, and that the file is well formed.

With ``--base``, the files that differ from that commit decide whether an entry is
needed: those of the package do, tests and documentation do not.
"""

import argparse
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHANGES = 'CHANGES.rst'
# What users see changes with these files.
PACKAGE = 'photutils_pconv/'
_VERSION = re.compile(r'^\d+\.\d+(\.\d+)? \((unreleased|\d{4}-\d{2}-\d{2})\)$')


def find_problems(text):
    """
    Find what is wrong with the file itself.

    Parameters
    ----------
    text : str
        What it holds.

    Returns
    -------
    problems : list of str
        What is wrong; empty if nothing is.
    """
    lines = text.splitlines()
    titles = [
        line
        for line, below in pairwise(lines)
        if below and set(below) == {'-'} and len(below) > 3
    ]
    problems = [
        f'{CHANGES}: {one!r} is no version with "unreleased" or its date (YYYY-MM-DD)'
        for one in titles
        if not _VERSION.match(one)
    ]
    if not titles:
        problems.append(f'{CHANGES}: there is no version')
    if sum('unreleased' in one for one in titles) > 1:
        problems.append(f'{CHANGES}: more than one version is unreleased')
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            problems.append(f'{CHANGES}:{number}: blanks at the end of the line')
        if len(line) > 100:
            problems.append(f'{CHANGES}:{number}: longer than 100 characters')
    return problems


def needs_entry(files):
    """
    Tell whether a change of these files needs an entry.

    Parameters
    ----------
    files : iterable of str
        The files that were changed.

    Returns
    -------
    needed : bool
        `True` if the package was changed, and `CHANGES` was not.
    """
    files = set(files)
    return CHANGES not in files and any(one.startswith(PACKAGE) for one in files)


def main(arguments=None):
    """
    Check the file.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    status : int
        0 if all is well.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--base', help='the commit to compare with')
    options = parser.parse_args(arguments)
    problems = find_problems((ROOT / CHANGES).read_text(encoding='utf-8'))
    if options.base:
        changed = subprocess.run(
            ['git', 'diff', '--name-only', f'{options.base}...HEAD'],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        if needs_entry(changed):
            problems.append(f'{CHANGES} has no entry for this change of {PACKAGE}')
    for one in problems:
        print(one, file=sys.stderr)
    return int(bool(problems))


if __name__ == '__main__':
    sys.exit(main())
