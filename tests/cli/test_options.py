# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The options of ``photutils-pconv remove`` are the keywords of Python.

A keyword that is new on either side makes a test here fail until the other
side has it.
"""

import argparse
import inspect
import re

import pytest

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.cli import _demo, _remove
from photutils_pconv.cli._removal import OPTION_GROUPS, SHELL_DEFAULTS
from photutils_pconv.removal.options import removal_options

# What only a shell needs: the files, and what is done about them.
OWN_OPTIONS = {'help', 'map', 'catalogue', 'output', 'overwrite', 'quiet', 'plot'}
# What `SourceRemovalResult.write` takes.
WRITE_OPTIONS = {'table_formats', 'regions'}
# What is fetched in the place of files.
ARCHIVE_OPTIONS = {'obsid', 'catalogue_name', 'level', 'map_maker', 'source'}
ARCHIVE_OPTIONS |= {'no_cache', 'timeout'}
# Many maps, for which Python has `remove_many`.
MANY_OPTIONS = {'many', 'scheduler', 'workers'}
# Large maps.
BLOCK_OPTIONS = {'block'}
# Which part of its two files is meant: Python has ``hdu`` for the map, takes the
# names of extensions as ``mask`` and ``error``, and reads catalogues itself.
HDU_OPTIONS = {'map_hdu', 'mask_hdu', 'error_hdu', 'catalogue_hdu', 'table_id'}
# What only Python can give: a shell has files, whose header holds the WCS, and
# ``--block`` puts images into the folder of the output, as ``scratch`` does.
PYTHON_ONLY = {'self', 'data', 'sources', 'wcs', 'hdu', 'scratch'}


def keywords_of(function):
    return dict(inspect.signature(function).parameters)


INIT = keywords_of(NeuralSourceRemover)
CALL = keywords_of(NeuralSourceRemover.__call__).keys() - PYTHON_ONLY


def make_parser(command):
    return command.add_parser(argparse.ArgumentParser().add_subparsers())


@pytest.fixture
def parser():
    return make_parser(_remove)


def find_action(parser, name):
    (action,) = [one for one in parser._actions if one.dest == name]
    return action


def test_all_three_have_the_same_names(parser):
    """The signature, the descriptions, and the parser."""
    assert INIT.keys() == {'mode', 'band'} | removal_options().keys()
    dests = {action.dest for action in parser._actions}
    own = OWN_OPTIONS | HDU_OPTIONS | ARCHIVE_OPTIONS | WRITE_OPTIONS | MANY_OPTIONS
    assert dests == INIT.keys() | CALL | own | BLOCK_OPTIONS


@pytest.mark.parametrize('name', [*INIT, *sorted(CALL)])
def test_flag(parser, name):
    flag = f'--{name.replace("_", "-")}'
    flags = find_action(parser, name).option_strings
    assert flags in ([flag], [flag, flag.replace('--', '--no-', 1)])


@pytest.mark.parametrize('name', [name for name in INIT if name not in SHELL_DEFAULTS])
def test_default(parser, name):
    described = removal_options().get(name, {'default': None})
    assert described['default'] == INIT[name].default
    required = ['map.fits', 'sources.csv', '-o', 'out']
    parsed = vars(parser.parse_args(required))[name]
    assert parsed == INIT[name].default
    assert type(parsed) is type(INIT[name].default)


def test_the_progress_bar_is_the_one_exception(parser):
    assert SHELL_DEFAULTS == {'progress_bar': True}
    assert INIT['progress_bar'].default is False
    assert removal_options()['progress_bar']['default'] is False
    assert parser.get_default('progress_bar') is True


@pytest.mark.parametrize('name', sorted(CALL))
def test_nothing_goes_with_the_map_unasked(parser, name):
    call = keywords_of(NeuralSourceRemover.__call__)
    assert parser.get_default(name) is call[name].default is None


def test_every_option_has_a_group(parser):
    grouped = [name for names in OPTION_GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == INIT.keys()
    titles = re.findall(r'^(\S.*):$', parser.format_help(), re.MULTILINE)
    assert titles[2:] == [*OPTION_GROUPS, 'archive', 'many maps', 'output']


def test_values(parser):
    """Each option arrives as what Python takes."""
    text = (
        'map.fits sources.csv -o out --mode scanmap --band green --method psf '
        '--aperture-radii 6 12 --no-fit-psf-shape --fill draw --draw-seed 7 '
        '--beam 7.2 6.8 --aperture-corrections eef.csv --precision bfloat16'
    )
    parsed = vars(parser.parse_args(text.split()))
    expected = {
        'method': 'psf',
        'aperture_radii': [6.0, 12.0],
        'fit_psf_shape': False,
        'fill': 'draw',
        'draw_seed': 7,
        'beam': [7.2, 6.8],
        'aperture_corrections': 'eef.csv',
        'precision': 'bfloat16',
    }
    assert {name: parsed[name] for name in expected} == expected


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('--method', 'passes'),
        ('--error-method', 'guess'),
        ('--precision', 'float16'),
        ('--draw-seed', 'seven'),
        ('--aperture-radii', 'small'),
    ],
)
def test_bad_values(parser, option, value, capsys):
    with pytest.raises(SystemExit) as info:
        parser.parse_args(['map.fits', 'sources.csv', '-o', 'out', option, value])
    assert info.value.code == 2
    assert f'argument {option}: invalid' in capsys.readouterr().err


def test_help_tells_each_default_once(parser):
    text = ' '.join(parser.format_help().split())
    for name, about in removal_options().items():
        action = find_action(parser, name)
        assert action.help.startswith(about['help'])
        assert action.help.count('(default: ') <= 1
        if about['default'] is not None:
            assert '(default: ' in action.help
        assert action.help in text


def test_the_demo_has_the_options_of_the_method():
    """All but those that its map and its sources decide."""
    dests = {action.dest for action in make_parser(_demo)._actions}
    fixed = {'mode', 'band', 'setup', 'resample', 'aperture_corrections'}
    own = OWN_OPTIONS - {'map', 'catalogue', 'plot'}
    assert dests == (INIT.keys() - fixed) | own
