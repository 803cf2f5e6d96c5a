# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv remove``, in this process."""

import os
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.cli import main

GREEN = ['--mode', 'scanmap', '--band', 'green']


def remove(*options, catalogue='sources.csv', model=('--model', 'flat.safetensors')):
    files = ['map.fits', catalogue, '-o', 'out']
    return main(['remove', *files, *GREEN, *model, *options])


def assert_written(result):
    """Assert that the command wrote the result, bit for bit."""
    with fits.open('out/cleaned.fits') as hdus:
        assert_array_equal(hdus[0].data, result.cleaned.data)
        assert_array_equal(hdus['SOURCES'].data, result.sources.data)
        assert_array_equal(hdus['HOLES'].data, result.holes)
        if result.cleaned.uncertainty is not None:
            assert_array_equal(hdus['UNCERT'].data, result.cleaned.uncertainty.array)
    table = QTable.read('out/photometry.ecsv')
    assert table.colnames == result.photometry.colnames
    for name in set(table.colnames) - {'sky_center'}:
        assert_array_equal(table[name], result.photometry[name], err_msg=name)
    ours, theirs = table.meta, result.photometry.meta
    assert ours.keys() == theirs.keys()
    for key in ours.keys() - {'date'}:
        assert ours[key] == theirs[key]


class TestOutput:
    def test_files_and_summary(self, files, capsys):
        assert remove() == 0
        out, err = capsys.readouterr()
        lines = out.splitlines()
        assert lines[:2] == [
            os.path.join('out', 'cleaned.fits'),
            os.path.join('out', 'photometry.ecsv'),
        ]
        assert lines[2].startswith('sources: 2 on ')
        assert lines[3] == 'setup: scanmap/green (as asked for)'
        assert 'with a warning: none' in lines
        assert 'filling: 100%' in err  # a progress bar
        assert '2/2' in err
        assert sorted(os.listdir('out')) == ['cleaned.fits', 'photometry.ecsv']

    def test_no_progress_bar(self, files, capsys):
        assert remove('--no-progress-bar') == 0
        out, err = capsys.readouterr()
        assert out.endswith('with a warning: none\n')
        assert err == ''

    def test_quiet(self, files, capsys):
        assert remove('--quiet', '--progress-bar') == 0
        assert capsys.readouterr() == ('', '')

    def test_plot(self, files):
        pytest.importorskip('matplotlib')
        assert remove('--quiet', '--plot') == 0
        with open('out/removal.png', 'rb') as file:
            assert file.read(4) == b'\x89PNG'

    def test_plot_without_matplotlib(self, files, assert_one_line, monkeypatch):
        """Told before the work, not after it."""
        monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
        assert remove('--plot') == 1
        assert_one_line("install 'photutils-pconv[plot]'")
        assert not os.path.exists('out')

    def test_overwrite(self, files, assert_one_line):
        assert remove('--quiet') == 0
        before = (files / 'out' / 'cleaned.fits').stat().st_mtime_ns
        assert remove('--quiet') == 1
        assert_one_line('error:', 'cleaned.fits', '--overwrite')
        assert (files / 'out' / 'cleaned.fits').stat().st_mtime_ns == before
        assert remove('--quiet', '--overwrite') == 0
        assert (files / 'out' / 'cleaned.fits').stat().st_mtime_ns > before

    def test_warnings_are_shown(self, files, assert_one_line, recwarn):
        Table({'x': [70.3, -50.0], 'y': [55.1, 0.0]}).write('more.csv')
        assert remove('--quiet', catalogue='more.csv') == 0
        assert_one_line('photutils-pconv: warning: 1 of 2 sources lie outside')
        assert len(recwarn) == 0

    def test_warnings_are_left_as_they_were(self, files):
        import warnings

        before = warnings.showwarning, list(warnings.filters)
        remove('--quiet')
        assert (warnings.showwarning, list(warnings.filters)) == before


class TestSameAsInPython:
    """The command gives what Python gives with the same settings."""

    @pytest.mark.parametrize(
        ('text', 'keywords'),
        [
            ('', {}),
            (
                '--aperture-radii 6 12 --recenter --batch-size 1 --device cpu',
                {
                    'aperture_radii': [6, 12],
                    'recenter': True,
                    'batch_size': 1,
                    'device': 'cpu',
                },
            ),
            (
                '--subtract-wings --error-method local --no-resample',
                {'subtract_wings': True, 'error_method': 'local', 'resample': False},
            ),
            (
                '--psf scanmap/green --no-fit-positions --no-fit-psf-shape '
                '--aperture-corrections real --error-method card',
                {
                    'psf': 'scanmap/green',
                    'fit_positions': False,
                    'fit_psf_shape': False,
                    'aperture_corrections': 'real',
                    'error_method': 'card',
                },
            ),
        ],
        ids=['defaults', 'apertures', 'wings', 'psf'],
    )
    def test_one_pass(self, files, flat_model, text, keywords):
        assert remove('--quiet', *text.split()) == 0
        remover = NeuralSourceRemover('scanmap', 'green', model=flat_model, **keywords)
        result = remover('map.fits', 'sources.csv')
        # A model that is read has the checksum of its file.
        result.photometry.meta['model_checksum'] = QTable.read(
            'out/photometry.ecsv'
        ).meta['model_checksum']
        assert_written(result)

    def test_psf_with_draw(self, files):
        """With the bundled model, and a setup by its name."""
        options = ['--setup', 'scanmap/green', '--psf', 'setup']
        options += ['--fill', 'draw', '--draw-seed', '5', '--quiet', '-o', 'out']
        assert main(['remove', 'map.fits', 'sources.csv', *options]) == 0
        remover = NeuralSourceRemover(
            setup='scanmap/green', psf='setup', fill='draw', draw_seed=5
        )
        result = remover('map.fits', 'sources.csv')
        assert np.any(result.drawn != 0)
        assert_written(result)

    @pytest.mark.parametrize('name', ['eef.ecsv', 'eef.csv', 'eef.fits', './eef'])
    def test_own_aperture_corrections(self, files, name):
        radii = np.array([2.0, 6.0, 12.0, 40.0])
        eef = np.array([0.21, 0.55, 0.83, 0.99])
        kind = 'ascii' if name == './eef' else None
        Table({'radius': radii, 'eef': eef}).write(name, format=kind)
        options = ['--aperture-corrections', name, '--aperture-radii', '9']
        assert remove('--quiet', *options) == 0
        remover = NeuralSourceRemover(
            'scanmap',
            'green',
            model='flat.safetensors',
            aperture_corrections=(radii, eef),
            aperture_radii=9,
        )
        result = remover('map.fits', 'sources.csv')
        assert result.photometry.meta['aperture_corrections'] == 'user'
        assert_written(result)

    def test_regions_and_formats(self, files, scene):
        """A catalogue and a mask of DS9, the table as VOTable, the holes back."""
        pytest.importorskip('regions')
        x, y = scene.x + 1, scene.y + 1
        (files / 'sources.reg').write_text(
            f'image\npoint({x[0]},{y[0]})\ncircle({x[1]},{y[1]},5)\n'
            '-circle(21,31,3.2)\n'
        )
        (files / 'bad.reg').write_text('image\nbox(101,16,7,5,0)\n')
        options = ['--mask', 'bad.reg', '--table-formats', 'votable', '--regions']
        options += ['--error-method', 'card', '--colour-correction', '20 K']
        assert remove('--quiet', *options, catalogue='sources.reg') == 0
        expected = ['cleaned.fits', 'holes.reg', 'photometry.vot']
        assert sorted(os.listdir('out')) == expected
        with fits.open('out/cleaned.fits') as hdus:
            rows, columns = np.nonzero(hdus['MASK'].data)
        yy, xx = np.indices(scene.data.shape)
        bad = np.hypot(xx - 20, yy - 30) < 3.2
        bad |= (abs(xx - 100) < 3.5) & (abs(yy - 15) < 2.5)
        assert_array_equal([rows, columns], np.nonzero(bad))
        table = QTable.read('out/photometry.vot')
        remover = NeuralSourceRemover(
            'scanmap', 'green', model='flat.safetensors', error_method='card'
        )
        plain = remover('map.fits', scene.xy, mask=bad).photometry
        # PICC-ME-TN-038, Table 1
        assert_allclose(plain['flux'] / table['flux'], 1.036, atol=1e-3)
        assert (files / 'out/holes.reg').read_text().count('circle') == 2

    def test_planes(self, files, scene):
        """Masks and the error from files of their own, and from an extension."""
        bad = np.zeros(scene.data.shape, dtype=bool)
        bad[50, 60:64] = True
        uncovered = np.zeros_like(bad)
        uncovered[:, :8] = True
        error = np.full(bad.shape, 2e-4)
        fits.writeto('bad.fits', bad.astype(np.uint8))
        hdus = [fits.PrimaryHDU()]
        hdus.append(fits.ImageHDU(uncovered.astype(np.int16), name='outside'))
        # In another unit than the map.
        hdus.append(fits.ImageHDU(1e3 * error, name='stDev'))
        hdus[-1].header['BUNIT'] = 'mJy/pixel'
        fits.HDUList(hdus).writeto('planes.fits')
        options = ['--mask', 'bad.fits', '--coverage-mask', 'planes.fits[outside]']
        options += ['--error', 'planes.fits[stDev]', '--error-method', 'local']
        assert remove('--quiet', *options) == 0
        remover = NeuralSourceRemover(
            'scanmap', 'green', model='flat.safetensors', error_method='local'
        )
        with fits.open('planes.fits') as hdus:
            error = hdus['stDev'].data * 1e-3
        result = remover(
            'map.fits', 'sources.csv', mask=bad, coverage_mask=uncovered, error=error
        )
        assert result.cleaned.uncertainty is not None
        assert_written(result)
        with fits.open('out/cleaned.fits') as hdus:
            assert_array_equal(hdus['MASK'].data, bad | uncovered)

    @pytest.mark.parametrize('axes', [['10'], ['10', '8']])
    def test_beam(self, files, scene, axes):
        CCDData(1e3 * scene.data, unit='mJy/beam', wcs=scene.wcs).write(
            'map.fits', overwrite=True
        )
        assert remove('--quiet', '--beam', *axes) == 0
        remover = NeuralSourceRemover('scanmap', 'green', model='flat.safetensors')
        assert_written(
            remover('map.fits', 'sources.csv', beam=[float(text) for text in axes])
        )


class TestFiles:
    def test_off_scale(self, files, assert_one_line, scene):
        """Refused with the two scales, unless it may be resampled."""
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt *= 1.5
        CCDData(scene.data, unit='Jy/pix', wcs=wcs).write('map.fits', overwrite=True)
        Table({'x': scene.x, 'y': scene.y}).write('pixels.csv')
        assert remove('--quiet', '--no-resample', catalogue='pixels.csv') == 1
        assert_one_line('2.4 arcsec', '1.6 arcsec')
        assert not os.path.exists('out')
        assert remove('--quiet', catalogue='pixels.csv') == 0

    def test_several_images(self, files, assert_one_line):
        """It is not guessed which of them is the mask."""
        plane = np.zeros((140, 150), dtype=np.uint8)
        hdus = [fits.PrimaryHDU(plane), fits.ImageHDU(plane, name='bad')]
        fits.HDUList(hdus).writeto('two.fits')
        assert remove('--quiet', '--mask', 'two.fits') == 1
        assert_one_line('two.fits has 2 images (PRIMARY, BAD)', 'two.fits[EXT]')

    @pytest.mark.parametrize('empty_primary', [True, False])
    @pytest.mark.parametrize('option', ['--mask', '--coverage-mask'])
    def test_image_without_a_name(self, files, option, empty_primary):
        plane = np.eye(140, 150, dtype=np.uint8)
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(plane)]
        if not empty_primary:
            hdus = [fits.PrimaryHDU(plane), fits.BinTableHDU.from_columns([])]
        fits.HDUList(hdus).writeto('one.fits')
        for number, name in enumerate(['one.fits', f'one.fits[{int(empty_primary)}]']):
            options = [option, name, '--error-method', 'local', '-o', f'out{number}']
            assert remove('--quiet', *options) == 0
            with fits.open(f'out{number}/cleaned.fits') as cleaned:
                assert_array_equal(cleaned['MASK'].data, plane)

    def test_images_without_names(self, files, assert_one_line):
        plane = np.zeros((140, 150), dtype=np.uint8)
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(plane), fits.ImageHDU(plane)]
        fits.HDUList(hdus).writeto('two.fits')
        assert remove('--quiet', '--mask', 'two.fits') == 1
        assert_one_line('two.fits has 2 images (1, 2)', 'two.fits[EXT]')

    def test_name_with_brackets(self, files):
        """A file that is really called so."""
        fits.writeto('bad[1].fits[x]', np.eye(140, 150, dtype=np.uint8))
        assert remove('--quiet', '--mask', 'bad[1].fits[x]') == 0
        with fits.open('out/cleaned.fits') as hdus:
            assert_array_equal(hdus['MASK'].data, np.eye(140, 150))
