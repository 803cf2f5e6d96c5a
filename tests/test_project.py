# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the files around the package: they agree with each other."""

import importlib.util
import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))


def load_tool(name):
    """Import a script of ``tools``."""
    spec = importlib.util.spec_from_file_location(name, ROOT / 'tools' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestFiles:
    @pytest.mark.parametrize(
        'path',
        [
            '.pre-commit-config.yaml',
            '.readthedocs.yaml',
            '.github/workflows/ci.yml',
            '.github/ISSUE_TEMPLATE/bug_report.yml',
            '.github/ISSUE_TEMPLATE/feature_request.yml',
        ],
    )
    def test_yaml(self, path):
        assert isinstance(yaml.safe_load((ROOT / path).read_text('utf-8')), dict)

    def test_zenodo(self):
        values = json.loads((ROOT / '.zenodo.json').read_text(encoding='utf-8'))
        assert values['title'] == PROJECT['project']['name']
        assert values['license'] == PROJECT['project']['license']

    def test_workflow_runs_every_python(self):
        text = (ROOT / '.github/workflows/ci.yml').read_text(encoding='utf-8')
        jobs = yaml.safe_load(text)['jobs']
        supported = [
            one.rpartition(' ')[2]
            for one in PROJECT['project']['classifiers']
            if re.search(r':: 3\.\d+$', one)
        ]
        assert jobs['test']['strategy']['matrix']['python'] == supported
        steps = {
            step['run'].split()[1]
            for job in jobs.values()
            for step in job['steps']
            if step.get('run', '').startswith('.ci/run')
        }
        assert steps == {'lint', 'docs', 'notebooks', 'test'}

    def test_conda_recipe_has_the_floors(self):
        text = (ROOT / 'conda-recipe' / 'meta.yaml').read_text(encoding='utf-8')
        wanted = set(PROJECT['project']['dependencies'])
        names = {'torch': 'pytorch', 'astropy': 'astropy-base'}
        # An address that is nobody's would lead users astray.
        (home,) = re.findall(r'^  home: (\S+)$', text, re.M)
        assert home in PROJECT['project']['urls'].values()
        for one in wanted:
            name, floor = one.split('>=')
            assert f'    - {names.get(name, name)} >={floor}\n' in text


class TestChangelog:
    def test_ours(self):
        text = (ROOT / 'CHANGES.rst').read_text(encoding='utf-8')
        assert load_tool('check_changelog').find_problems(text) == []

    @pytest.mark.parametrize(
        ('text', 'words'),
        [
            ('', 'no version'),
            ('0.1 (soon)\n----------\n', 'no version with'),
            ('0.2 (unreleased)\n-----\n\n0.1 (unreleased)\n-----\n', 'more'),
            ('0.1 (2026-12-01)\n-----------\n- new \n', ':3: blanks'),
        ],
    )
    def test_problems(self, text, words):
        problems = load_tool('check_changelog').find_problems(text)
        assert any(words in one for one in problems)

    @pytest.mark.parametrize(
        ('files', 'needed'),
        [
            (['photutils_pconv/datasets.py'], True),
            (['photutils_pconv/datasets.py', 'CHANGES.rst'], False),
            (['docs/index.rst', 'tests/test_datasets.py'], False),
        ],
    )
    def test_who_needs_an_entry(self, files, needed):
        assert load_tool('check_changelog').needs_entry(files) is needed


def test_stubs_show_what_faces_show():
    stale = [
        str(path.relative_to(ROOT))
        for path, text in load_tool('write_stubs').list_stubs().items()
        if not path.is_file() or path.read_text(encoding='utf-8') != text
    ]
    assert stale == [], 'run python tools/write_stubs.py'


def test_constraints_serve_every_python():
    """A version that leaves out the first 3.11 cannot be installed everywhere."""
    text = (ROOT / 'constraints.txt').read_text(encoding='utf-8')
    pinned = re.findall(r'^([\w.-]+)==', text, re.M)
    assert len(pinned) > 100
    refused = []
    for name in pinned:
        try:
            required = metadata.metadata(name).get('Requires-Python')
        except metadata.PackageNotFoundError:
            # Of another extra.
            continue
        if required and not SpecifierSet(required).contains('3.11.0'):
            refused.append(f'{name}: {required}')
    assert refused == []
