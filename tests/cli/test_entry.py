# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what all commands do alike: errors, usage, help."""

import os
import subprocess
import sys

import pytest

import photutils_pconv
from photutils_pconv.cli import main

GREEN = ['--mode', 'scanmap', '--band', 'green']


class TestErrors:
    @pytest.mark.parametrize(
        ('change', 'words'),
        [
            ({'map': 'nowhere.fits'}, ['nowhere.fits', 'does not exist']),
            ({'catalogue': 'nowhere.csv'}, ['nowhere.csv', 'does not exist']),
            ({'--mode': 'fast'}, ["'fast'", "'scanmap', 'parallel'"]),
            ({'--band': 'pink'}, ["'pink'", "'blue', 'green', 'red'"]),
            ({'--model': 'nonesuch'}, ["'nonesuch'", 'pacs']),
            ({'--model': 'sources.csv'}, ['not a safetensors file']),
            ({'--aperture-radii': '500'}, ['arcsec']),
            ({'--aperture-corrections': 'simulation'}, ['does not offer']),
            ({'--aperture-corrections': 'ideal'}, ["'ideal'", "'real'"]),
            ({'--aperture-corrections': 'eef.csv'}, ["'eef.csv' does not exist"]),
            ({'--aperture-corrections': 'map.fits'}, ["'map.fits' cannot be read"]),
            ({'--aperture-corrections': './broken.csv'}, ['broken.csv', 'cannot be']),
            ({'--aperture-corrections': 'sources.csv'}, ['"radius" and "eef"']),
            ({'--method': 'inpaint', '--fill': 'observed'}, ["method='psf'"]),
            ({'--psf': 'nowhere.fits'}, ['nowhere.fits']),
            ({'--mask': 'nowhere.fits'}, ['nowhere.fits', 'does not exist']),
            ({'--mask': 'map.fits'}, ['mask', 'bool']),
            ({'--mask': 'map.fits[mask]'}, ["'mask'", "'PRIMARY'"]),
            ({'--error': 'sources.csv'}, ['sources.csv', 'FITS']),
            ({'--beam': '7'}, ['beam is for maps in Jy/beam']),
            ({'--device': 'gpu'}, ["device must be 'auto'"]),
            ({'--batch-size': '0'}, ['batch_size']),
            ({'--setup': 'scanmap/red'}, ['not both']),
            ({'map': 'sources.csv'}, ['cannot be read as a FITS file']),
            ({'catalogue': 'map.fits'}, ['cannot be read as FITS']),
            ({'catalogue': 'flat.safetensors'}, ['cannot be read as']),
            ({'catalogue': 'broken.csv'}, ['cannot be read as text']),
            ({'-o': 'sources.csv'}, ['sources.csv is a file']),
        ],
        ids=lambda value: (
            ''
            if isinstance(value, list)
            else ' '.join(f'{key} {text}' for key, text in value.items())
        ),
    )
    def test_one_line(self, files, assert_one_line, change, words):
        (files / 'broken.csv').write_text('ra,dec\n1,2,3,4\n5\n')
        options = {
            '--mode': 'scanmap',
            '--band': 'green',
            '--model': 'flat.safetensors',
            '-o': 'out',
        }
        change = dict(change)
        positional = [
            change.pop('map', 'map.fits'),
            change.pop('catalogue', 'sources.csv'),
        ]
        options |= change
        arguments = [text for pair in options.items() for text in pair]
        assert main(['remove', *positional, *arguments, '--quiet']) == 1
        assert_one_line('photutils-pconv: error: ', *words)
        assert not os.path.exists('out')

    def test_debug(self, files):
        with pytest.raises(FileNotFoundError):
            main(['--debug', 'remove', 'x.fits', 'y.csv', *GREEN, '-o', 'out'])

    @pytest.mark.parametrize(
        'arguments',
        [
            [],
            ['remove'],
            ['remove', 'map.fits', 'sources.csv'],
            ['remove', '-o', 'out'],
            ['remove', 'map.fits', '-o', 'out'],
            ['remove', 'a', 'b', '--obsid', '1342217404', '-o', 'out'],
            ['find'],
            ['fetch', '1342217404'],
            ['paint'],
            ['models', '--card', 'x', '--convert', 'y', 'z'],
        ],
    )
    def test_usage(self, arguments, capsys):
        with pytest.raises(SystemExit) as info:
            main(arguments)
        assert info.value.code == 2
        assert 'usage: photutils-pconv' in capsys.readouterr().err

    @pytest.mark.parametrize(
        'command',
        [
            [],
            ['remove'],
            ['find'],
            ['fetch'],
            ['demo'],
            ['simulate'],
            ['train'],
            ['evaluate'],
            ['models'],
        ],
    )
    def test_help(self, command, capsys):
        with pytest.raises(SystemExit) as info:
            main([*command, '--help'])
        assert info.value.code == 0
        assert 'usage: photutils-pconv' in capsys.readouterr().out


@pytest.mark.parametrize(
    'statement',
    [
        'import photutils_pconv',
        'from photutils_pconv import get_setup; get_setup("scanmap", "red")',
        'import photutils_pconv.cli.entry',
        'from photutils_pconv.photometry.flags import decode_flags',
    ],
)
def test_imports_are_light(statement):
    """Nobody pays for torch, or for a library that he does not use."""
    heavy = ('torch', 'matplotlib', 'astroquery', 'dask', 'accelerate', 'kornia')
    code = f'import sys; {statement}; print(sorted({heavy!r} & sys.modules.keys()))'
    code = code.replace(repr(heavy), repr(set(heavy)))
    done = subprocess.run(
        [sys.executable, '-W', 'error', '-c', code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ('[]', '')


def test_the_parser_is_light():
    """Help does not wait for torch."""
    code = (
        'import sys; from photutils_pconv.cli.entry import make_parser; make_parser(); '
        "print(sorted({'torch', 'matplotlib'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, '-W', 'error', '-c', code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ('[]', '')


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(['--version'])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f'photutils-pconv {photutils_pconv.__version__}\n'


def test_python_m():
    """``python -m photutils_pconv`` is the command."""
    found = subprocess.run(
        [sys.executable, '-m', 'photutils_pconv', '--version'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ['photutils-pconv', photutils_pconv.__version__]
