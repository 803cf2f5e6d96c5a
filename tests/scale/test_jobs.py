# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of jobs and of the lists that they are read from."""

import inspect
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from photutils_pconv import NeuralSourceRemover, ObservingSetup, get_setup
from photutils_pconv.psf import get_psf
from photutils_pconv.scale import RemovalJob, read_jobs
from photutils_pconv.scale.jobs import remover_options
from photutils_pconv.setups import register_setup, unregister_setup

GREEN = get_setup('scanmap', 'green')


def make_job(**options):
    return RemovalJob(map='m.fits', catalogue='m.csv', name='m', options=options)


def test_all_keywords_of_a_remover_but_the_bar():
    keywords = set(inspect.signature(NeuralSourceRemover).parameters)
    assert set(remover_options()) == keywords - {'progress_bar'}


class TestJob:
    @pytest.mark.parametrize(
        'options',
        [
            {'mode': 'scanmap', 'band': 'green'},
            {'setup': 'scanmap/green'},
            {'setup': GREEN},
        ],
    )
    def test_setup(self, options):
        job = make_job(**options)
        assert job.has_setup
        assert job.options == {'setup': 'scanmap/green'}
        assert make_job().with_setup(GREEN) == job
        assert not make_job().has_setup

    def test_a_setup_of_ones_own(self):
        """Goes whole, since workers do not know what is registered here."""
        psf = get_psf('scanmap/green')
        setups = [
            ObservingSetup.from_psf(one, name='mine', pixel_scale=1.6)
            for one in (psf, psf, get_psf('scanmap/blue'))
        ]
        jobs = [make_job(setup=one) for one in setups]
        register_setup(setups[0])
        try:
            jobs.append(make_job(setup='mine'))
        finally:
            unregister_setup('mine')
        jobs = [pickle.loads(pickle.dumps(job)) for job in jobs]
        first, same, other, named = (job.settings for job in jobs)
        assert first == same == named
        assert first != other
        assert jobs[-1].options['setup'] == setups[0]

    def test_settings_are_the_removers(self):
        one = make_job(setup=GREEN, fill='mean', error_hdu='stDev', draw_seed=None)
        other = make_job(fill='mean', band='green', mode='scanmap')
        assert one.settings == other.settings
        assert json.loads(one.settings.text).keys() == {'setup', 'fill'}

    @pytest.mark.parametrize(
        ('options', 'words'),
        [
            ({'fil': 'mean'}, "unknown options \\['fil'\\]; there are mode, band"),
            ({'progress_bar': True}, 'unknown options'),
            ({'mask': 'a.fits', 'mask_hdu': 2}, 'both mask and mask_hdu'),
            ({'psf': object()}, 'psf of the job .* must be a number, a text'),
            ({'setup': 'spire'}, 'spire'),
        ],
    )
    def test_bad_options(self, options, words):
        with pytest.raises((TypeError, ValueError), match=words):
            make_job(**options)

    @pytest.mark.parametrize('name', ['', 'a/b', '..', '.a', None, 3])
    def test_bad_name(self, name):
        with pytest.raises(ValueError, match='name must'):
            RemovalJob(map='m.fits', catalogue='m.csv', name=name)


class TestList:
    def test_folder(self, many):
        jobs = read_jobs(many.folder, options={'fill': 'mean'})
        assert [job.name for job in jobs] == ['a', 'b', 'c', 'd']
        assert [Path(job.map).name for job in jobs] == [f'{c}.fits' for c in 'abcd']
        assert all(job.options == {'fill': 'mean'} for job in jobs)
        assert all(Path(job.catalogue).is_file() for job in jobs)

    def test_table(self, tmp_path):
        """Paths are those beside the list; what is empty is left out."""
        (tmp_path / 'psf.fits').touch()
        (tmp_path / 'list.csv').write_text(
            'map,catalogue,name,setup,fit_sizes,aperture_radii,draw_seed,psf,mask\n'
            'a.fits,/data/a.csv,one,scanmap/blue,yes,6 12,3,psf.fits,bad.fits[M]\n'
            'sub/b.fits.gz,b.csv,,,,,,setup,\n'
        )
        one, two = read_jobs(
            tmp_path / 'list.csv', options={'mode': 'scanmap', 'band': 'green'}
        )
        assert (one.name, two.name) == ('one', 'b')
        assert one.map == str(tmp_path / 'a.fits')
        assert one.catalogue == '/data/a.csv'
        assert two.map == str(tmp_path / 'sub' / 'b.fits.gz')
        assert one.options == {
            'setup': 'scanmap/blue',
            'fit_sizes': True,
            'aperture_radii': [6.0, 12.0],
            'draw_seed': 3,
            'psf': str(tmp_path / 'psf.fits'),
            'mask': str(tmp_path / 'bad.fits[M]'),
        }
        assert two.options == {'setup': 'scanmap/green', 'psf': 'setup'}

    @pytest.mark.parametrize('suffix', ['.ecsv', '.fits'])
    def test_typed_table(self, tmp_path, suffix):
        table = Table({'map': ['a.fits', 'b.fits'], 'catalogue': ['a.csv', 'b.csv']})
        table['fit_sizes'] = [True, False]
        table['aperture_radii'] = np.array([[6.0, 9.0], [7.0, 8.0]])
        table['batch_size'] = MaskedColumn([8, 0], mask=[False, True])
        path = tmp_path / f'list{suffix}'
        table.write(path)
        for jobs in (read_jobs(path), read_jobs(table)):
            options = [dict(job.options) for job in jobs]
            assert options[0].pop('batch_size') == 8
            assert 'batch_size' not in options[1]
            assert options == [
                {'fit_sizes': True, 'aperture_radii': [6.0, 9.0]},
                {'fit_sizes': False, 'aperture_radii': [7.0, 8.0]},
            ]

    @pytest.mark.parametrize(
        ('text', 'words'),
        [
            ('map\na.fits\n', 'needs the columns map and catalogue'),
            ('map,catalogue,colour\na.fits,a.csv,red\n', 'no options: colour'),
            ('map,catalogue,fit_sizes\na.fits,a.csv,so\n', 'row 1 .* fit_sizes must'),
            ('map,catalogue,batch_size\na.fits,a.csv,1.5\n', 'batch_size must be int'),
            ('map,catalogue,beam\na.fits,a.csv,wide\n', 'beam must be numbers'),
            ('map,catalogue\na.fits,a.csv\nx/A.fits,b.csv\n', 'more than one map'),
            ('map,catalogue,mode\na.fits,a.csv,scan\n', 'row 1 of the list of maps'),
            ('map,catalogue,fill\na.fits,,mean\n', 'row 1 .* catalogue is empty'),
        ],
    )
    def test_bad_table(self, tmp_path, text, words):
        path = tmp_path / 'list.csv'
        path.write_text(text)
        with pytest.raises(ValueError, match=words):
            read_jobs(path)

    def test_no_list(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='does not exist'):
            read_jobs(tmp_path / 'none.csv')
        with pytest.raises(FileNotFoundError, match='holds no map'):
            read_jobs(tmp_path)
