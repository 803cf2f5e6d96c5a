# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Whatever stands on the command line is answered in a line.

The commands and their options are those of the parser, so that new ones are
tested too. What passes all checks ends where the work would begin.
"""

import argparse
import functools
from dataclasses import fields

import pytest

from photutils_pconv.bands import removing as bands_removing
from photutils_pconv.cli import entry, main
from photutils_pconv.completeness import injection_field
from photutils_pconv.evaluation import run as evaluation_run
from photutils_pconv.evaluation.config import EvaluationConfig
from photutils_pconv.finding import finder as finding_finder
from photutils_pconv.removal import remover
from photutils_pconv.simulation import files as files_of_simulations
from photutils_pconv.simulation import map_set
from photutils_pconv.training import run as training_run
from photutils_pconv.training.config import TrainingConfig

BEGUN = 'the work has begun'
#: What is given where nothing hostile is.
SOUND = {
    'map': ['map.fits'],
    'catalogue': ['sources.csv'],
    'config': ['recipe.toml'],
    'mode': ['scanmap'],
    'band': ['green'],
    'model': ['flat.safetensors'],
    'output': ['out'],
    'min_flux': ['10'],
    'max_flux': ['20'],
    'size': ['96'],
}
#: The options that the paper's data set has, and others have not.
OF_PAPER = {'bands', 'max_fields', 'max_simulations', 'timeout'}
#: The options that a command does not share with ``remove``.
OWN = {
    'demo': {'output'},
    'bands': {'maps', 'position_band', 'match_resolution', 'n_workers', 'output'},
    'find-sources': {'psf', 'threshold', 'shape_tolerance', 'n_rounds', 'output'},
}
FILES = {
    'empty': '',
    'missing': 'missing.dat',
    'folder': 'folder',
    'null': '/dev/null',
    'binary': 'binary.fits',
    'long': 'x' * 3000,
}
NUMBERS = {
    'empty': '',
    'nan': 'nan',
    'inf': 'inf',
    'negative': '-1',
    'zero': '0',
    'overflow': '1e999',
    'huge': '9' * 30,
    'word': 'x',
}


@functools.cache
def list_commands():
    parser = entry.make_parser()
    (action,) = [
        one for one in parser._actions if isinstance(one, argparse._SubParsersAction)
    ]
    return action.choices


def list_actions(parser):
    return [one for one in parser._actions if one.dest != 'help']


def list_cases():
    for command, parser in list_commands().items():
        for action in list_actions(parser):
            # The rest of the options of these is that of ``remove``.
            own = OWN.get(command, {action.dest})
            if action.nargs == 0 or action.dest not in own:
                continue
            values = NUMBERS if action.type in (int, float) else FILES
            for name, value in values.items():
                yield pytest.param(
                    command,
                    action.dest,
                    value,
                    id=f'{command}-{action.dest}-{name}',
                )


def make_arguments(command, changes, *, without=()):
    """Make sound arguments with changes, each a list of texts."""
    parser = list_commands()[command]
    given = {
        action.dest: SOUND[action.dest]
        for action in list_actions(parser)
        if action.dest in SOUND and action.dest not in without
    }
    if any(one.dest == 'maps' and not one.option_strings for one in parser._actions):
        given['maps'] = ['green=map.fits' if command == 'bands' else 'map.fits']
    given |= changes
    if command == 'dataset' and changes.keys() & OF_PAPER:
        del given['maps']
        given['paper'] = []
    if command == 'simulate' and ('map' in changes) is ('size' not in changes):
        # One of the two: a field is simulated, or it is the map.
        del given['size' if 'map' in changes else 'map']
    positional, options = [], []
    for action in list_actions(parser):
        if action.dest not in given:
            continue
        if not action.option_strings:
            positional += given[action.dest]
        elif action.nargs == 0:
            options.append(action.option_strings[0])
        elif len(given[action.dest]) == 1:
            # As one word, so that a value may begin with a hyphen.
            (value,) = given[action.dest]
            options.append(f'{action.option_strings[-1]}={value}')
        else:
            options += [action.option_strings[-1], *given[action.dest]]
    return [command, *options, *(['--', *positional] if positional else [])]


@pytest.fixture(scope='module')
def all_files(tmp_path_factory, write_files):
    """A folder with all kinds of files."""
    files = tmp_path_factory.mktemp('hostile')
    write_files(files)
    (files / 'folder').mkdir()
    (files / 'binary.fits').write_bytes(bytes(range(256)) * 4)
    return files


@pytest.fixture
def hostile(all_files, monkeypatch):
    """A folder with all kinds of files, where no work is done."""
    monkeypatch.chdir(all_files)
    (all_files / 'recipe.toml').write_text('')

    def begin(*_, **__):
        raise ValueError(BEGUN)

    monkeypatch.setattr(remover, 'run_removal', begin)
    monkeypatch.setattr(bands_removing, '_check_positions', begin)
    monkeypatch.setattr(finding_finder, 'search_map', begin)
    monkeypatch.setattr(injection_field, 'remove_sources', begin)
    # Simulating a small field is no work.
    monkeypatch.setattr(files_of_simulations, 'write_simulation', begin)
    monkeypatch.setattr(evaluation_run.Run, 'evaluate', begin)
    monkeypatch.setattr(training_run, 'make_data', begin)
    monkeypatch.setattr(map_set, '_plan', begin)
    yield all_files
    assert not list(all_files.rglob('.*'))


@pytest.fixture
def assert_refused(capsys):
    def check(arguments):
        try:
            status = main(arguments)
        except SystemExit as exc:
            status = exc.code
            assert status == 2
        out, err = capsys.readouterr()
        if status == 0:
            assert arguments[0] in ('models', 'setups')
            return
        assert status in (1, 2)
        error = err.splitlines()[-1]
        # What is done is told once the work has begun.
        assert out == '' or BEGUN in error
        assert ': error: ' in error
        assert len(error) < 4000
        assert 'error of photutils-pconv itself' not in err
        # Before the last line there may be warnings.
        for line in err.splitlines()[:-1]:
            assert line.startswith('photutils-pconv: warning: ')
        return error

    return check


@pytest.mark.parametrize(('command', 'name', 'value'), [*list_cases()])
def test_values(command, name, value, hostile, assert_refused):
    # Where the setup has a name, it has neither mode nor band.
    without = ('mode', 'band') if name == 'setup' else ()
    assert_refused(make_arguments(command, {name: [value]}, without=without))


@pytest.mark.parametrize('command', ['remove', 'demo'])
def test_no_device(command, hostile, assert_refused):
    assert 'device' in assert_refused(make_arguments(command, {'device': ['gpu']}))


@pytest.mark.parametrize('command', list_commands())
def test_no_arguments(command, hostile, assert_refused):
    error = assert_refused([command])
    if command == 'stars':
        # What it needs may also be fetched.
        assert 'DIR is missing (or give --fetch DIR)' in error
    elif command not in ('models', 'setups'):
        assert 'the following arguments are required' in error


NESTED = {
    'lists': 'model = ' + 5000 * '[' + 5000 * ']',
    'tables': 'model = ' + 5000 * '{a = ' + '1' + 5000 * '}',
    'dots': f'[{".".join(5000 * "a")}]',
}


@pytest.mark.parametrize('command', ['train', 'evaluate'])
@pytest.mark.parametrize('text', NESTED.values(), ids=NESTED)
def test_nested_recipe(command, text, hostile, assert_refused):
    (hostile / 'recipe.toml').write_text(text)
    error = assert_refused(make_arguments(command, {}))
    assert error.startswith('photutils-pconv: error: ')
    assert 'recipe.toml' in error


def list_keys():
    for command, kind in (('train', TrainingConfig), ('evaluate', EvaluationConfig)):
        for item in fields(kind):
            section = item.metadata.get('section')
            if section is None:
                yield command, item.name
            else:
                yield from (
                    (command, f'{item.name}.{one.name}') for one in fields(section)
                )


VALUES = {
    'huge': 400 * '9',
    'wide': '10_000_000',
    'infinite': 'inf',
    'nan': 'nan',
    'text': '"no"',
    'list': '[[1]]',
    'table': '{a = {b = 1}}',
}


@pytest.mark.parametrize(('command', 'key'), [*list_keys()])
def test_keys(command, key, hostile, assert_refused):
    for value in VALUES.values():
        setups = '' if key.startswith('data') else 'data.setups = ["scanmap/green"]\n'
        setups = setups if command == 'train' else ''
        (hostile / 'recipe.toml').write_text(f'{setups}{key} = {value}\n')
        assert_refused(make_arguments(command, {}, without=('model',)))
