# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: the command line.

What the shell sees is checked: the exit status, a line for the error, and the
files.
"""

import contextlib
import io
import os
from functools import partial
from pathlib import Path

import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import METHODS, SHAPE, XY, make_data, make_wcs, plain
from astropy.io import fits
from astropy.table import Table

from photutils_pconv.cli import main

#: The options of each method; all commands are made here.
_OPTIONS = {
    method: (
        *('--setup', 'scanmap/green', '--error-method', 'local'),
        *('--method', method, '--precision', 'float32'),
    )
    for method in METHODS
}
_NAMES = ('cleaned.fits', 'photometry.ecsv')


class ShellError(ValueError):
    """A command ended with an error in one line."""


def run(context, *arguments):
    """Run a command as the shell does; an error becomes a `ShellError`."""
    out, err = io.StringIO(), io.StringIO()
    status = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(one) for one in arguments])
        except SystemExit as exc:
            status = exc.code
    lines = err.getvalue().strip().splitlines()
    if any('Traceback' in line for line in lines):
        context.fail('a traceback')
    if status == 2:
        context.check(any('error:' in line for line in lines), 'no line of the error')
        raise ShellError(lines[-1] if lines else 'no message')
    if status == 1:
        errors = [line for line in lines if 'error:' in line]
        context.check(len(errors) == 1, f'{len(errors)} lines of errors')
        text = errors[0] if errors else ''
        context.check(text.startswith('photutils-pconv: error: '), text)
        raise ShellError(text)
    context.check(status == 0, f'the status is {status!r}')
    return out.getvalue(), lines


def make_files(folder, **cards):
    """Write the map and the sources."""
    header = make_wcs().to_header()
    header['BUNIT'] = 'Jy/pixel'
    for key, value in cards.items():
        header[key] = value
    fits.PrimaryHDU(make_data(), header).writeto(folder / 'map.fits')
    Table({'x': XY[:, 0], 'y': XY[:, 1]}).write(folder / 'sources.csv')
    for name, value in {'mask': 0, 'error': 1e-4}.items():
        image = np.full(SHAPE, value, dtype=np.uint8 if name == 'mask' else float)
        fits.PrimaryHDU(image).writeto(folder / f'{name}.fits')
    return folder / 'map.fits', folder / 'sources.csv'


def check_output(context, method, folder, *, rtol=1e-9):
    """Compare the written table with the plain map's fluxes."""
    for name in _NAMES:
        context.check((folder / name).is_file(), f'no {name}')
    table = Table.read(folder / 'photometry.ecsv')
    context.compare('flux', table['flux'], plain(method)[0], rtol=rtol)
    with fits.open(folder / 'cleaned.fits') as hdus:
        hdus.verify('exception')
    others = {path.name for path in folder.iterdir()} - {*_NAMES, 'removal.png'}
    context.check(not others, f'there is {others}')


def _check_command(context, *, method, more, rtol):
    files = make_files(context.folder)
    folder = context.folder / 'out'
    more = [one.replace('@', str(context.folder)) for one in more]
    context.start()
    run(context, 'remove', *files, *_OPTIONS[method], '-o', folder, '--quiet', *more)
    check_output(context, method, folder, rtol=rtol)


_GOOD = {
    'alone': ((), 1e-9),
    'no options that are the default': (('--no-recenter', '--resample'), 1e-9),
    'batch size': (('--batch-size', '1'), 1e-5),
    'mask': (('--mask', '@/mask.fits'), 1e-9),
    'mask of an extension': (('--mask', '@/mask.fits[0]'), 1e-9),
    'coverage mask': (('--coverage-mask', '@/mask.fits'), 1e-9),
    'error': (('--error', '@/error.fits'), 1e-9),
    'map HDU': (('--map-hdu', '0'), 1e-9),
    'device': (('--device', 'cpu'), 1e-9),
    'model': (('--precision', 'float32'), 1e-9),
    'recenter': (('--recenter',), 0.02),
    'catalogue of one table': (('--catalogue-hdu', '1'), 1e-9),
}
for _method in METHODS:
    for _name, (_more, _rtol) in _GOOD.items():
        add(
            'command line',
            f'{_method} {_name}',
            partial(_check_command, method=_method, more=_more, rtol=_rtol),
            accept=(RIGHT, REFUSED)
            if 'one table' in _name or '0]' in _more
            else (RIGHT,),
            says='hdu|HDU|EXT|extension',
            quick=_name in ('alone', 'error'),
        )

#: Options that are refused, and what the message must tell.
_BAD = {
    'an unknown option': (('--colour', 'red'), 'colour'),
    'an abbreviation': (('--recent',), 'recent'),
    'a third file': (('more.fits',), 'more.fits'),
    'batch size of 0': (('--batch-size', '0'), 'batch'),
    'batch size of -1': (('--batch-size', '-1'), 'batch'),
    'batch size of 1.5': (('--batch-size', '1.5'), 'batch'),
    'batch size of words': (('--batch-size', 'many'), 'batch'),
    'batch size empty': (('--batch-size', ''), 'batch'),
    'batch size missing': (('--batch-size',), 'batch'),
    'radius of 0': (('--aperture-radii', '0'), 'radii'),
    'radius of -5': (('--aperture-radii', '-5'), 'radii'),
    'radius NaN': (('--aperture-radii', 'nan'), 'radii'),
    'radius infinite': (('--aperture-radii', 'inf'), 'radii|radius'),
    'radius of words': (('--aperture-radii', 'big'), 'radii'),
    'radius of 1e6': (('--aperture-radii', '1e6'), 'radi'),
    'corrections of a missing file': (
        ('--aperture-corrections', './no.csv'),
        'no.csv',
    ),
    'corrections of a map': (
        ('--aperture-corrections', '@/map.fits'),
        'map.fits|table',
    ),
    'corrections unknown': (('--aperture-corrections', 'foo'), 'foo|corrections'),
    'error method unknown': (('--error-method', 'magic'), 'error-method'),
    'device unknown': (('--device', 'toaster'), 'device'),
    'device meta': (('--device', 'meta'), 'device'),
    'device empty': (('--device', ''), 'device'),
    'precision unknown': (('--precision', 'double'), 'precision'),
    'setup unknown': (('--setup', 'scanmap/purple'), 'purple'),
    'mode and setup': (('--mode', 'parallel', '--band', 'red'), 'mode|setup'),
    'model missing': (('--model', 'none.safetensors'), 'none.safetensors'),
    'model of a map': (('--model', '@/map.fits'), 'map.fits'),
    'model of the other kind': (('--model', 'psf'), 'model'),
    'psf unknown': (('--psf', 'magic'), 'psf|magic'),
    'psf of a catalogue': (('--psf', '@/sources.csv'), 'psf|sources.csv'),
    'psf of a map': (('--psf', '@/map.fits'), 'psf|PSF'),
    'map HDU missing': (('--map-hdu', '7'), '7'),
    'map HDU name missing': (('--map-hdu', 'nothing'), 'nothing|NOTHING'),
    'map HDU empty': (('--map-hdu', ''), 'hdu|HDU'),
    'map HDU float': (('--map-hdu', '1.5'), '1.5'),
    'map HDU of three': (('--map-hdu', 'a,b,c'), 'a,b,c|a'),
    'mask missing': (('--mask', 'none.fits'), 'none.fits'),
    'mask of a catalogue': (('--mask', '@/sources.csv'), 'sources.csv'),
    'mask of floats': (('--mask', '@/error.fits'), 'mask'),
    'mask of a missing extension': (('--mask', '@/mask.fits[NO]'), 'NO'),
    'mask in two ways': (('--mask', 'a', '--mask-hdu', 'b'), 'mask'),
    'error missing': (('--error', 'none.fits'), 'none.fits'),
    'error HDU missing': (('--error-hdu', 'stDev'), 'stDev|STDEV'),
    'error of zeros of integers': (('--error', '@'), 'error|folder|directory'),
    'mask of a missing region file': (('--mask', 'none.reg'), 'none.reg'),
    'table format unknown': (('--table-formats', 'csv'), 'table-formats'),
    'spectrum of words': (('--colour-correction', 'red'), 'colour'),
    'calibration error of words': (('--calibration-error', 'big'), 'calibration'),
    'beam of words': (('--beam', 'big'), 'beam'),
    'beam of three': (('--beam', '1', '2', '3'), 'beam'),
    'beam negative': (('--beam', '-5'), 'beam'),
    'output is a file': (('-o', '@/map.fits'), 'map.fits'),
    'output below a file': (('-o', '@/map.fits/out'), 'map.fits'),
    'output of NUL': (('-o', 'a\0b'), '.'),
    'output of 5000 letters': (('-o', 'a' * 5000), 'long|name'),
    'output in /proc': (('-o', '/proc/out'), '/proc'),
    'output in /dev/null': (('-o', '/dev/null/out'), '/dev/null'),
}
for _method in ('inpaint',):
    for _name, (_more, _says) in _BAD.items():
        add(
            'command line',
            f'{_method} {_name}',
            partial(_check_command, method=_method, more=_more, rtol=1e-9),
            accept=(RIGHT, REFUSED, WARNED) if _name == 'beam negative' else (REFUSED,),
            says=_says,
            quick=True,
        )


def _check_arguments(context, *, arguments):
    context.start()
    arguments = [one.replace('@', str(context.folder)) for one in arguments]
    run(context, *arguments)


for _name, _arguments in {
    'no command': (),
    'an unknown command': ('paint',),
    'remove without files': ('remove',),
    'remove without output': ('remove', 'a.fits', 'b.csv'),
    'remove missing files': ('remove', '@/a.fits', '@/b.csv', '-o', '@/out'),
    'remove without a setup': ('remove', '@/a.fits', '@/b.csv', '-o', '@/out'),
    'train a missing file': ('train', '@/no.toml'),
    'train a folder': ('train', '@'),
    'train /dev/null': ('train', '/dev/null'),
    'evaluate a missing file': ('evaluate', '@/no.toml', '-o', '@/out'),
    'models card missing': ('models', '--card', 'nothing'),
    'models convert missing': ('models', '--convert', '@/a.pth', '@/b.safetensors'),
    'simulate without a setup': ('simulate', '-o', '@/out'),
    'simulate negative size': (
        *('simulate', '--mode', 'scanmap', '--band', 'green', '-o', '@/out'),
        *('--size', '-5'),
    ),
    'simulate size of 0': (
        *('simulate', '--mode', 'scanmap', '--band', 'green', '-o', '@/out'),
        *('--size', '0'),
    ),
    'simulate size of 10**7': (
        *('simulate', '--mode', 'scanmap', '--band', 'green', '-o', '@/out'),
        *('--size', '10000000'),
    ),
    'simulate no sources': (
        *('simulate', '--mode', 'scanmap', '--band', 'green', '-o', '@/out'),
        *('--size', '64', '--n-sources', '-1'),
    ),
    'simulate NaN flux': (
        *('simulate', '--mode', 'scanmap', '--band', 'green', '-o', '@/out'),
        *('--size', '64', '--min-flux', 'nan'),
    ),
    'simulate fluxes the wrong way': (
        *('simulate', '--mode', 'scanmap', '--band', 'green', '-o', '@/out'),
        *('--size', '64', '--min-flux', '90', '--max-flux', '40'),
    ),
    'simulate a missing map': (
        *('simulate', '@/no.fits', '--mode', 'scanmap', '--band', 'green'),
        *('-o', '@/out'),
    ),
    'simulate a seed of words': (
        *('simulate', '--mode', 'scanmap', '--band', 'green', '-o', '@/out'),
        *('--seed', 'a'),
    ),
    'simulate a negative seed': (
        *('simulate', '--mode', 'scanmap', '--band', 'green', '-o', '@/out'),
        *('--size', '64', '--seed', '-1'),
    ),
    'demo in a file': ('demo', '-o', '/dev/null'),
}.items():
    add(
        'command line',
        _name,
        partial(_check_arguments, arguments=_arguments),
        accept=(REFUSED,),
        says='.',
        quick=_name not in ('simulate size of 10**7',),
    )


def _check_toml(context, *, command, text):
    path = context.folder / 'config.toml'
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    context.start()
    arguments = [path] if command == 'train' else [path, '-o', context.folder / 'out']
    run(context, command, *arguments)


for _command in ('train', 'evaluate'):
    for _name, _text in {
        'no TOML': 'this is not TOML',
        'a list': '[[a]]\nb = 1\n',
        'an unknown section': '[colours]\nred = 1\n',
        'an unknown key': 'colour = "red"\n',
        'a type': 'seed = "a"\nname = 5\noutput = 7\n',
        'deep': 'a = ' + '[' * 5000 + ']' * 5000,
        'deep keys': '.'.join('a' * 3000) + ' = 1',
        'zeros': bytes(500),
        'latin-1': 'name = "Ä"'.encode('latin-1'),
        'a huge number': 'seed = ' + '9' * 5000,
        'JSON': '{"a": 1}',
    }.items():
        add(
            'command line',
            f'{_command} TOML: {_name}',
            partial(_check_toml, command=_command, text=_text),
            accept=(REFUSED,),
            says='toml|TOML|config|unknown|must|section|key|column|line|utf|needs',
            quick=True,
        )


def _check_existing(context, *, method, overwrite):
    """Files that are there are kept, unless they may be replaced."""
    files = make_files(context.folder)
    folder = context.folder / 'out'
    folder.mkdir()
    for name in _NAMES:
        (folder / name).write_bytes(b'mine')
    context.start()
    more = ['--overwrite'] if overwrite else []
    try:
        run(
            context, 'remove', *files, *_OPTIONS[method], '-o', folder, '--quiet', *more
        )
    finally:
        kept = all((folder / name).read_bytes() == b'mine' for name in _NAMES)
        context.check(kept != overwrite, 'the files were not kept')
    check_output(context, method, folder)


def _check_broken_pipe(context, *, method):
    """Nobody reads the output."""
    files = make_files(context.folder)
    context.start()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        run(context, 'remove', *files, *_OPTIONS[method], '-o', context.folder / 'out')
    check_output(context, method, context.folder / 'out')


def _check_flags(context, *, method):
    """The picture is one file more, and does not change the backend."""
    files = make_files(context.folder)
    folder = context.folder / 'out'
    context.start()
    run(
        context,
        *('remove', *files, *_OPTIONS[method], '-o', folder, '--quiet', '--plot'),
    )
    check_output(context, method, folder)
    context.check((folder / 'removal.png').is_file(), 'no removal.png')


def _check_relative(context, *, method):
    """Names are relative to the working directory."""
    make_files(context.folder)
    context.start()
    before = os.getcwd()
    os.chdir(context.folder)
    try:
        run(
            context,
            *('remove', 'map.fits', 'sources.csv', *_OPTIONS[method]),
            *('-o', 'deep/out', '--quiet'),
        )
    finally:
        os.chdir(before)
    check_output(context, method, Path(context.folder) / 'deep/out')


for _method in METHODS:
    for _overwrite in (False, True):
        add(
            'command line',
            f'{_method} files exist{", overwrite" if _overwrite else ""}',
            partial(_check_existing, method=_method, overwrite=_overwrite),
            accept=(RIGHT,) if _overwrite else (REFUSED,),
            says='overwrit',
            quick=_method == 'inpaint',
        )
    add(
        'command line',
        f'{_method} with a summary',
        partial(_check_broken_pipe, method=_method),
    )
    add('command line', f'{_method} plot', partial(_check_flags, method=_method))
    add(
        'command line',
        f'{_method} relative names',
        partial(_check_relative, method=_method),
    )
