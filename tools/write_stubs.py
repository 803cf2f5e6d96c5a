# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Write the stubs of the packages' faces, from which type checkers and editors learn
the names that are imported at their first use.
"""

import argparse
import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'photutils_pconv'
_HEAD = '# Written by tools/write_stubs.py from the file __init__.py beside it.\n'


def find_modules(face):
    """
    Find the public names of a face by their modules.

    Parameters
    ----------
    face : `~pathlib.Path`
        The file ``__init__.py``.

    Returns
    -------
    modules : dict of tuple of str, or `None`
        What it gives ``attach``; `None` if it does not use that.
    """
    for node in ast.walk(ast.parse(face.read_text(encoding='utf-8'))):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if is_call and node.func.id == 'attach':
            return ast.literal_eval(node.args[1])
    return None


def make_stub(modules):
    """
    Make the stub of a face.

    Parameters
    ----------
    modules : dict of tuple of str
        The public names by their modules.

    Returns
    -------
    text : str
        The stub.
    """
    lines = [
        f'from .{module} import {name} as {name}'
        for module, names in sorted(modules.items())
        for name in sorted(names)
    ]
    names = sorted(name for names in modules.values() for name in names)
    shown = ''.join(f"    '{name}',\n" for name in names)
    return f'{_HEAD}\n' + '\n'.join(lines) + f'\n\n__all__ = [\n{shown}]\n'


def list_stubs():
    """
    List the stubs, with what they are to hold.

    Returns
    -------
    stubs : dict of str
        The texts by their `pathlib.Path`.
    """
    stubs = {}
    for face in sorted(PACKAGE.rglob('__init__.py')):
        # The top names its types itself.
        modules = None if face.parent == PACKAGE else find_modules(face)
        if modules is not None:
            stubs[face.with_suffix('.pyi')] = make_stub(modules)
    return stubs


def main(arguments=None):
    """
    Write the stubs, or check them.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    status : int
        0 if all is well.
    """
    parser = argparse.ArgumentParser(description='Write the stubs of the faces.')
    parser.add_argument('--check', action='store_true', help='write nothing')
    options = parser.parse_args(arguments)
    stale = []
    for path, text in list_stubs().items():
        if path.is_file() and path.read_text(encoding='utf-8') == text:
            continue
        stale.append(path.relative_to(ROOT))
        if not options.check:
            path.write_text(text, encoding='utf-8')
    for path in stale if options.check else ():
        print(f'{path} is stale: python tools/write_stubs.py', file=sys.stderr)
    return int(options.check and bool(stale))


if __name__ == '__main__':
    sys.exit(main())
