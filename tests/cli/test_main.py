# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the command line, in this process."""

import json
import os
import subprocess
import sys
import zlib
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from astropy.nddata import CCDData
from astropy.table import QTable, Table

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.cli.main import main
from photutils_pconv.network import PConvUNet, list_models, load_model, save_model

GREEN = ['--mode', 'scanmap', '--band', 'green']


@pytest.fixture(scope='module')
def scene(make_scene):
    return make_scene([70.3, 50.8], [55.1, 90.7], [5.0, 0.3], sky=2e-3, noise=1e-4)


@pytest.fixture
def files(tmp_path, monkeypatch, scene, flat_model):
    """A map, a catalogue and a model; commands run in their folder."""
    CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs).write(tmp_path / 'map.fits')
    sky = scene.wcs.pixel_to_world(scene.x, scene.y)
    catalogue = Table({'ra': sky.ra.deg, 'dec': sky.dec.deg, 'name': ['a', 'b']})
    catalogue.write(tmp_path / 'sources.csv')
    save_model(tmp_path / 'flat.safetensors', flat_model.network, flat_model.card)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def remove(*options, catalogue='sources.csv'):
    model = ['--model', 'flat.safetensors']
    files = ['map.fits', catalogue, '-o', 'out']
    return main(['remove', *files, *GREEN, *model, *options])


def assert_one_line(text, *words):
    assert text.count('\n') == 1
    assert text.endswith('\n')
    for word in words:
        assert word in text


class TestRemove:
    def test_files_and_summary(self, files, capsys):
        assert remove() == 0
        out, err = capsys.readouterr()
        assert out.splitlines() == [
            os.path.join('out', 'cleaned.fits'),
            os.path.join('out', 'photometry.ecsv'),
            '2 sources, 0 of them flagged',
        ]
        assert '1/1' in err  # the progress bar
        assert sorted(os.listdir('out')) == ['cleaned.fits', 'photometry.ecsv']

    def test_same_as_in_python(self, files, flat_model):
        assert remove('--quiet', '--aperture', '6', '12', '--recenter') == 0
        remover = NeuralSourceRemover(
            'scanmap',
            'green',
            model=flat_model,
            aperture_radii=[6, 12],
            recenter=True,
        )
        cleaned, table = remover('map.fits', 'sources.csv')
        written = CCDData.read('out/cleaned.fits')
        assert np.array_equal(written.data, cleaned.data)
        again = QTable.read('out/photometry.ecsv')
        for name in ('x_center', 'flux_0', 'flux_1', 'flux_annulus_1', 'flags'):
            assert np.array_equal(again[name], table[name])

    def test_quiet(self, files, capsys):
        assert remove('--quiet') == 0
        assert capsys.readouterr() == ('', '')

    def test_plot(self, files):
        pytest.importorskip('matplotlib')
        assert remove('--quiet', '--plot') == 0
        with open('out/removal.png', 'rb') as file:
            assert file.read(4) == b'\x89PNG'

    def test_plot_without_matplotlib(self, files, capsys, monkeypatch):
        """Told before the work, not after it."""
        monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
        assert remove('--plot') == 1
        assert_one_line(capsys.readouterr().err, "install 'photutils-pconv[plot]'")
        assert not os.path.exists('out')

    def test_options(self, files):
        options = ['--setup', 'scanmap/green', '--model', 'flat.safetensors']
        options += ['--batch-size', '1', '--device', 'cpu', '--no-resample']
        options += ['--aperture-corrections', 'real', '-o', 'out', '--quiet']
        assert main(['remove', 'map.fits', 'sources.csv', *options]) == 0
        meta = QTable.read('out/photometry.ecsv').meta
        assert meta['setup'] == 'scanmap/green'
        assert meta['model'] == 'flat'

    def test_overwrite(self, files, capsys):
        assert remove('--quiet') == 0
        before = (files / 'out' / 'cleaned.fits').stat().st_mtime_ns
        assert remove('--quiet') == 1
        _, err = capsys.readouterr()
        assert_one_line(err, 'error:', 'cleaned.fits', '--overwrite')
        assert (files / 'out' / 'cleaned.fits').stat().st_mtime_ns == before
        assert remove('--quiet', '--overwrite') == 0
        assert (files / 'out' / 'cleaned.fits').stat().st_mtime_ns > before

    def test_warnings_are_shown(self, files, capsys, recwarn):
        Table({'x': [70.3, -50.0], 'y': [55.1, 0.0]}).write('more.csv')
        assert remove('--quiet', catalogue='more.csv') == 0
        _, err = capsys.readouterr()
        assert_one_line(err, 'photutils-pconv: warning: 1 of 2 sources lie outside')
        assert len(recwarn) == 0

    def test_warnings_are_left_as_they_were(self, files):
        import warnings

        before = warnings.showwarning, list(warnings.filters)
        remove('--quiet')
        assert (warnings.showwarning, list(warnings.filters)) == before


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
            ({'--aperture': '500'}, ['arcsec']),
            ({'--aperture-corrections': 'simulation'}, ['does not offer']),
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
    def test_one_line(self, files, capsys, change, words):
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
        out, err = capsys.readouterr()
        assert out == ''
        assert_one_line(err, 'photutils-pconv: error: ', *words)
        assert len(err) < 600
        assert not os.path.exists('out')

    def test_off_scale(self, files, capsys, scene):
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt *= 1.5
        CCDData(scene.data, unit='Jy/pix', wcs=wcs).write('map.fits', overwrite=True)
        assert remove('--quiet', '--no-resample') == 1
        assert_one_line(capsys.readouterr().err, '2.4 arcsec', '1.6 arcsec')

    def test_debug(self, files):
        with pytest.raises(FileNotFoundError):
            main(['--debug', 'remove', 'x.fits', 'y.csv', *GREEN, '-o', 'out'])

    @pytest.mark.parametrize(
        'arguments',
        [
            [],
            ['remove'],
            ['remove', 'map.fits', 'sources.csv'],
            ['paint'],
            ['models', '--card', 'x', '--convert', 'y', 'z'],
        ],
    )
    def test_usage(self, arguments, capsys):
        with pytest.raises(SystemExit) as info:
            main(arguments)
        assert info.value.code == 2
        assert 'usage: photutils-pconv' in capsys.readouterr().err

    @pytest.mark.parametrize('command', [[], ['remove'], ['demo'], ['models']])
    def test_help(self, command, capsys):
        with pytest.raises(SystemExit) as info:
            main([*command, '--help'])
        assert info.value.code == 0
        assert 'usage: photutils-pconv' in capsys.readouterr().out


class TestModels:
    def test_list(self, capsys):
        assert main(['models']) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(':')[0] for line in lines] == list(list_models())
        assert all('normalisation' in line for line in lines)

    def test_card(self, capsys):
        assert main(['models', '--card', 'pacs']) == 0
        card = json.loads(capsys.readouterr().out)
        assert card == load_model('pacs').card.to_dict()
        assert main(['models', '--card', 'nonesuch']) == 1
        assert_one_line(capsys.readouterr().err, "no model 'nonesuch'")

    @pytest.fixture
    def checkpoint(self, tmp_path):
        """A small checkpoint in the form of the paper's authors."""
        state = {}
        for name, tensor in PConvUNet(width=1).state_dict().items():
            side, index, rest = name.split('.', 2)
            rest = rest.replace('conv.', 'conv.input_conv.', 1)
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            values = rng.uniform(0.5, 1.5, tuple(tensor.shape))
            new = torch.from_numpy(np.asarray(values)).to(tensor.dtype)
            state[f'{side[0]}{int(index) + 1}.{rest}'] = new
        path = tmp_path / 'scanmap.pth'
        torch.save(state, path)
        return str(path)

    def test_convert(self, checkpoint, tmp_path, capsys):
        path = str(tmp_path / 'paper.safetensors')
        arguments = ['models', '--convert', checkpoint, path, '--mode', 'parallel']
        assert main(arguments) == 0
        assert capsys.readouterr().out == f'{path}\n'
        model = load_model(path)
        assert model.name == 'paper'
        assert model.card.setups[0] == 'parallel/blue'
        assert model.network.width == 1
        assert main(arguments) == 1
        assert_one_line(capsys.readouterr().err, 'paper.safetensors', 'exists')
        assert main([*arguments, '--overwrite']) == 0

    def test_convert_needs_a_mode(self, checkpoint, tmp_path, capsys):
        path = tmp_path / 'paper.safetensors'
        assert main(['models', '--convert', checkpoint, str(path)]) == 1
        assert_one_line(capsys.readouterr().err, '--convert needs --mode')
        assert not path.exists()

    def test_convert_something_else(self, tmp_path, capsys):
        path = tmp_path / 'other.pth'
        torch.save({'a': torch.ones(2)}, path)
        arguments = ['models', '--convert', str(path), str(tmp_path / 'new')]
        assert main([*arguments, '--mode', 'scanmap']) == 1
        assert_one_line(capsys.readouterr().err, 'not a checkpoint')


@pytest.mark.skipif(
    find_spec('photutils_pconv.datasets') is None, reason='needs the demo map'
)
class TestDemo:
    def test_files_and_table(self, tmp_path, capsys):
        pytest.importorskip('matplotlib')
        folder = tmp_path / 'demo'
        assert main(['demo', '-o', str(folder)]) == 0
        out, _ = capsys.readouterr()
        assert sorted(os.listdir(folder)) == [
            'cleaned.fits',
            'photometry.ecsv',
            'removal.png',
        ]
        assert 'measured / injected flux' in out
        rows = [line.split() for line in out.splitlines() if ' - ' in line]
        assert len(rows) >= 3
        table = QTable.read(folder / 'photometry.ecsv')
        assert sum(int(row[3]) for row in rows) == len(table)
        # SNR: low, dash, high, sources, then median and range of each method
        for row in rows[1:]:
            assert 0.95 < float(row[4]) < 1.05
        assert 'reconstructed emission: off by' in out

        assert main(['demo', '-o', str(folder)]) == 1
        assert_one_line(capsys.readouterr().err, 'removal.png', '--overwrite')

    def test_quiet(self, tmp_path, capsys):
        pytest.importorskip('matplotlib')
        arguments = ['demo', '-o', str(tmp_path), '--quiet', '--overwrite']
        assert main([*arguments, '--model', 'pacs']) == 0
        assert capsys.readouterr() == ('', '')


@pytest.mark.parametrize(
    'statement',
    [
        'import photutils_pconv',
        'from photutils_pconv import get_setup; get_setup("scanmap", "red")',
        'import photutils_pconv.cli.main',
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
