# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the package's structure: imports run one way, and cost little.
"""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import photutils_pconv

PACKAGE = Path(photutils_pconv.__file__).parent
ROOT = PACKAGE.parent
NAME = 'photutils_pconv'

# The floors of docs/development/architecture.rst: a package imports only from
# floors below its own.
FLOORS = {
    'cli': 7,
    'background': 6,
    'bands': 6,
    'completeness': 6,
    'scale': 6,
    'training': 6,
    'evaluation': 6,
    'finding': 5,
    'removal': 5,
    'simulation': 5,
    'inpainting': 4,
    'psf_photometry': 4,
    'datasets': 4,
    'psf': 3,
    'photometry': 3,
    'setups': 2,
    'geometry': 2,
    'network': 2,
    '_psf_models': 1,
    'inputs': 1,
    'archive': 1,
    '_utils': 0,
}
# The face of the whole package stands above all others.
ROOF = 8

FILES = sorted(
    path for path in PACKAGE.rglob('*.py') if PACKAGE / 'data' not in path.parents
)
ABOVE = sorted([*ROOT.glob('tools/*.py'), *ROOT.glob('benchmarks/*.py')])


def module_name(path):
    """Give the dotted name of a file of the package."""
    relative = path.relative_to(PACKAGE).with_suffix('')
    return '.'.join((NAME, *relative.parts)).removesuffix('.__init__')


MODULES = {module_name(path): path for path in FILES}


def find_imports(path):
    """
    List what a file imports of the package, in functions too.

    Each item is a module, the name that is taken from it (or None), and
    whether the import is for type checkers alone.
    """
    tree = ast.parse(path.read_text(encoding='utf-8'))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, 'id', '') == 'TYPE_CHECKING'
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path} has a relative import'
            names = [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [(alias.name, None) for alias in node.names]
        else:
            continue
        found += [
            (module, name, id(node) in for_types)
            for module, name in names
            if module == NAME or module.startswith(f'{NAME}.')
        ]
    return found


def find_module(module, name):
    """Give the file of the package that an import reads."""
    return f'{module}.{name}' if f'{module}.{name}' in MODULES else module


def package_of(module):
    """Give the package, one below the top, that a module belongs to."""
    parts = module.split('.')
    return parts[1] if len(parts) > 1 and parts[1] != '__main__' else None


def test_every_package_has_a_floor():
    packages = {package_of(module) for module in MODULES} - {None}
    assert packages == set(FLOORS)


def test_the_top_holds_packages_only():
    names = {path.name for path in PACKAGE.iterdir() if path.name != '__pycache__'}
    folders = {path.parent.name for path in PACKAGE.glob('*/__init__.py')}
    files = {'__init__.py', '__main__.py', 'datasets.py', 'py.typed'}
    assert names == folders | files | {'data'}


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(path):
    own = package_of(module_name(path))
    floor = ROOF if own is None else FLOORS[own]
    for module, name, _ in find_imports(path):
        other = package_of(find_module(module, name))
        if other is None:
            # The top imports everything: nothing below may import it.
            assert own is None, f'{path} imports {NAME} itself'
        elif other != own:
            assert FLOORS[other] < floor, f'{own} imports {other} ({module})'


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_underscores_stay_inside(path):
    own = package_of(module_name(path))
    for module, name, _ in find_imports(path):
        if package_of(module) == own:
            continue
        inner = module.split('.')[2:]
        private = [part for part in (*inner, name or '') if part.startswith('_')]
        assert not private, f'{path} imports {module}.{name}'


def test_no_import_cycle():
    graph = {
        module: {
            find_module(other, name)
            for other, name, for_types in find_imports(path)
            if not for_types
        }
        for module, path in MODULES.items()
    }
    done = set()

    def visit(module, above):
        assert module not in above, ' -> '.join((*above, module))
        if module in done:
            return
        for other in graph[module]:
            visit(other, (*above, module))
        done.add(module)

    for module in graph:
        visit(module, ())
    assert done == set(MODULES)


@pytest.mark.parametrize('path', ABOVE, ids=lambda path: path.name)
def test_tools_and_benchmarks_use_faces(path):
    faces = {module for module, file in MODULES.items() if file.name == '__init__.py'}
    faces.add(f'{NAME}.datasets')
    for module, name, _ in find_imports(path):
        assert module in faces, f'{path.name} imports from {module}'
        public = importlib.import_module(module).__all__
        assert name in public, f'{name} is not public in {module}'


def test_faces_name_no_module():
    """A file of the same name would hide what the face offers."""
    for module, path in MODULES.items():
        if path.name == '__init__.py':
            face = importlib.import_module(module)
            files = {other.stem for other in path.parent.glob('*.py')}
            both = set(getattr(face, '__all__', ())) & files
            assert not both, f'{module}: {both}'


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_torch_stays_in_its_packages(path):
    own = package_of(module_name(path))
    if own in ('network', 'training'):
        return
    tree = ast.parse(path.read_text(encoding='utf-8'))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            assert name.split('.')[0] != 'torch', f'{path} imports torch'


HEAVY = (
    'torch',
    'matplotlib',
    'astroquery',
    'requests',
    'dask',
    'accelerate',
    'kornia',
    'tqdm',
)


@pytest.mark.parametrize('module', [NAME, *(f'{NAME}.{name}' for name in FLOORS)])
def test_import_is_light(module):
    code = (
        f'import sys, {module}\n'
        f'print([name for name in {HEAVY!r} if name in sys.modules])'
    )
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == '[]'
