# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of what docstrings and pages refer to: public names, by their faces.
"""

import importlib
import re
from pathlib import Path

import pytest

import photutils_pconv

PACKAGE = Path(photutils_pconv.__file__).parent
DOCS = PACKAGE.parent / 'docs'
NAME = 'photutils_pconv'

# Without a page of the API: the command has one of its own kind.
UNDOCUMENTED = {'_psf_models', '_utils', 'cli', 'data'}
NOT_OF_THE_API = {'index', 'command_line', 'glossary', 'training_options'}

# `~photutils_pconv.psf.get_psf`, `text <photutils_pconv.psf.get_psf>`.
REFERENCE = re.compile(rf'`(?:~|[^`]*<)?({NAME}(?:\.\w+)*)>?`')

SOURCES = sorted(
    [
        *PACKAGE.rglob('*.py'),
        *(
            path
            for path in DOCS.rglob('*.rst')
            if not {'api', 'generated', '_build'} & set(path.parts)
        ),
        *DOCS.glob('gallery/**/*.py'),
    ]
)


def find_object(reference):
    """Return what a dotted name stands for, and None if there is nothing."""
    place, name = importlib.import_module(NAME), NAME
    for part in reference.split('.')[1:]:
        name = f'{name}.{part}'
        try:
            place = importlib.import_module(name)
        except ImportError:
            place = getattr(place, part, None)
            if place is None:
                return None
    return place


def is_public(reference):
    """Tell whether a dotted name goes through faces alone."""
    place, name = importlib.import_module(NAME), NAME
    for part in reference.split('.')[1:]:
        name = f'{name}.{part}'
        path = PACKAGE.parent / Path(*name.split('.'))
        if path.is_dir() or name == f'{NAME}.datasets':
            place = importlib.import_module(name)
            continue
        if part not in getattr(place, '__all__', (part,)):
            return False
        place = getattr(place, part, None)
        if place is None:
            return False
    return True


def find_fault(reference, *, for_users):
    """Return what is wrong with a reference; None for nothing."""
    if is_public(reference):
        return None
    if for_users:
        return 'is not public'
    if find_object(reference) is None:
        return 'does not exist'
    parts = reference.split('.')
    short = '.'.join([*parts[:2], parts[-1]])
    if len(parts) > 3 and is_public(short):
        return f'is public as {short}'
    return None


@pytest.mark.parametrize(
    'path', SOURCES, ids=lambda path: str(path.relative_to(PACKAGE.parent))
)
def test_references_are_public(path):
    # What is written inside the package may name internals by their files.
    for_users = PACKAGE not in path.parents
    wrong = []
    for name in sorted(set(REFERENCE.findall(path.read_text(encoding='utf-8')))):
        fault = find_fault(name, for_users=for_users)
        if fault:
            wrong.append(f'{name} {fault}')
    assert not wrong, '\n'.join(wrong)


def test_a_page_for_each_package():
    packages = {path.parent.name for path in PACKAGE.glob('*/__init__.py')}
    packages |= {'datasets'}
    pages = {path.stem for path in DOCS.glob('reference/*.rst')} - NOT_OF_THE_API
    assert pages == packages - UNDOCUMENTED


@pytest.mark.parametrize('page', sorted(DOCS.glob('reference/*.rst')), ids=str)
def test_pages_document_faces(page):
    text = page.read_text(encoding='utf-8')
    modules = re.findall(r'automod(?:ule|api):: ([\w.]+)', text)
    assert page.stem in NOT_OF_THE_API or modules
    for module in modules:
        path = PACKAGE.parent / Path(*module.split('.'))
        assert path.is_dir() or path.stem == 'datasets', f'{module} is no face'
