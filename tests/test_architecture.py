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

# The floors of docs/development/architecture.rst.
FLOORS = {
    'setups': 0,
    'cutouts': 0,
    'resampling': 0,
    'flags': 0,
    'psf': 1,
    'inputs': 1,
    'masks': 1,
    'kriging_fill': 1,
    'pixel_response': 1,
    'wing_modes': 1,
    'network_input': 1,
    'wings': 2,
    'matched_filter': 1,
    'pixel_psf': 1,
    'psf_fitting': 1,
    'psf_images': 1,
    'psf_shape': 1,
    'residuals': 1,
    'network': 1,
    'datasets': 1,
    'reconstruction': 2,
    'inpainting': 2,
    'empirical_psf': 2,
    'texture': 2,
    'errors': 2,
    'empty_holes': 2,
    'filter_photometry': 2,
    'psf_normalisation': 2,
    'psf_removal': 2,
    'photometry': 2,
    'results': 2,
    'plotting': 2,
    'simulation': 2,
    'remover': 3,
    'background': 3,
    'local_background': 3,
    'training': 3,
    'evaluation': 4,
    'cli': 5,
}


def _imports(path):
    """Yield the names of the package's modules that a file imports."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name


def _room(module):
    parts = module.split('.')
    return parts[1] if parts[0] == 'photutils_pconv' and len(parts) > 1 else None


FILES = sorted(
    path for path in PACKAGE.rglob('*.py') if path.parent != PACKAGE / 'data'
)


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix('.py')
    if room.startswith('_'):
        # A private module's floor is that of its users; __init__ is the roof.
        return
    assert room in FLOORS, f'{room} has no floor in docs/development/architecture.rst'
    for module in _imports(path):
        other = _room(module)
        if other is None or other.startswith('_') or other == room:
            continue
        # Plots of a result are made through the result's own method.
        if (room, other) in {('results', 'plotting')}:
            continue
        assert FLOORS[other] <= FLOORS[room], f'{room} imports {other}'


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
    'module', ['photutils_pconv', 'photutils_pconv.setups', 'photutils_pconv.cli']
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
