# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the package's structure: imports run one way, and cost little.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import photutils_pconv

PACKAGE = Path(photutils_pconv.__file__).parent

FILES = sorted(
    path for path in PACKAGE.rglob('*.py') if path.parent != PACKAGE / 'data'
)


def test_no_import_cycle():
    graph = {}
    for path in FILES:
        relative = path.relative_to(PACKAGE).with_suffix('')
        name = '.'.join(('photutils_pconv', *relative.parts)).removesuffix('.__init__')
        if name == 'photutils_pconv':
            continue
        tree = ast.parse(path.read_text())
        # Imports inside functions are made at their first use, so they
        # cannot make a cycle.
        graph[name] = {
            node.module
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module
        }
    done = set()

    def visit(name, above):
        assert name not in above, ' -> '.join((*above, name))
        if name in done or name not in graph:
            return
        for other in graph[name]:
            visit(other, (*above, name))
        done.add(name)

    for name in graph:
        visit(name, ())
    assert done == set(graph)


HEAVY = (
    'torch',
    'matplotlib',
    'astroquery',
    'dask',
    'accelerate',
    'kornia',
    'tqdm',
)


@pytest.mark.parametrize(
    'module',
    ['photutils_pconv', 'photutils_pconv.setups', 'photutils_pconv.cli'],
)
def test_import_is_light(module):
    code = (
        f'import sys, {module}\n'
        f'print([name for name in {HEAVY!r} if name in sys.modules])'
    )
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == '[]'
