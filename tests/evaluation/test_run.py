# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of a whole evaluation, tiny and with a model of no weights."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable
from numpy.testing import assert_allclose

from photutils_pconv.cli import main
from photutils_pconv.evaluation.run import run_evaluation
from photutils_pconv.evaluation.structure import STAGES, TRUTH
from photutils_pconv.simulation import simulate_sources, write_simulation

pytest.importorskip('matplotlib')


@pytest.fixture(scope='module')
def simulation(make_scene, tmp_path_factory):
    """One simulation, with its list beside it."""
    folder = tmp_path_factory.mktemp('maps')
    scene = make_scene([], [], [], sky=2e-3, noise=1e-5, shape=(130, 130))
    meta = {'SETUP': 'scanmap/green'}
    empty = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs, meta=meta)
    ccd, sources = simulate_sources(
        empty, 'scanmap/green', 900.0, rng=np.random.default_rng(2), n_sources=1
    )
    write_simulation(ccd, sources, folder, number=1, obsid='flat')
    return folder / 'flat_L2_5_sim1.fits'


@pytest.fixture(scope='module')
def evaluation(simulation, flat_model, tmp_path_factory):
    config = {
        'setups': ['scanmap/green'],
        'n_fields': 1,
        'size': 160,
        'levels': [600, 2000],
        'n_sources': 3,
        'structure_sources': 3,
        'methods': ['none'],
        'maps': [{'path': str(simulation)}],
        'remover': {'batch_size': 8},
    }
    output = tmp_path_factory.mktemp('evaluation') / 'new'
    lines = []
    found = run_evaluation(config, output, model=flat_model, report=lines.append)
    assert lines[-1].endswith('report.html')
    return found


class TestRun:
    def test_tables(self, evaluation):
        folder = evaluation.output / 'tables'
        names = {path.stem for path in folder.iterdir()}
        assert names == {
            'fluxes',
            'flux_summary',
            'flux_complexity',
            'flux_comparison',
            'power_spectra',
            'delta_variance',
            'pixel_statistics',
            'photometry_simulations',
            'verdicts',
            'limits',
        }
        for name, table in evaluation.tables.items():
            assert len(QTable.read(folder / f'{name}.ecsv')) == len(table) > 0
        assert len(evaluation.tables['fluxes']) == 6

    def test_structure(self, evaluation):
        """Sources add power; and the stages are named as they are."""
        table = evaluation.tables['power_spectra']
        powers = [table[f'power_{stage}'] for stage in STAGES]
        assert np.all(table['relative_injected'] > -0.5)
        assert table['relative_injected'].max() > 1
        assert_allclose(
            table['relative_cleaned'], (powers[2] / powers[0]).value - 1, rtol=1e-10
        )
        statistics = evaluation.tables['pixel_statistics'][0]
        # A flat reconstruction has less scatter than the noise.
        assert statistics['std_ratio'] < 1

    def test_holes(self, evaluation):
        """The pixels compared are those of the discs, for every method."""
        statistics = evaluation.tables['pixel_statistics']
        assert list(statistics['method']) == ['inpaint', 'inpaint+draw', *TRUTH]
        sizes = set(np.asarray(statistics['n_pixels']).tolist())
        assert len(sizes) == 1
        # Three holes of 13 pixels at most.
        assert 0 < sizes.pop() <= 3 * np.pi * 13.5**2

    def test_figures(self, evaluation):
        folder = evaluation.output / 'figures'
        found = {path.name for path in folder.iterdir()}
        expected = (
            'fluxes_scanmap',
            'aperture',
            'complexity',
            'removal_scanmap_green',
            'structure_scanmap_green',
            'structure_scanmap_green_draw',
            'psfs',
            'snr',
            'masks',
            'source_loss',
        )
        assert found == {
            f'{name}.{kind}' for name in expected for kind in ('png', 'pdf')
        }
        assert set(evaluation.figures) == set(expected)

    def test_html(self, evaluation):
        html = evaluation._repr_html_()
        assert '<b>Evaluation</b>' in html
        assert 'power spectrum (5.3.1)' in html

    def test_report(self, evaluation):
        text = evaluation.report.read_text(encoding='utf-8')
        assert text.startswith('<!DOCTYPE html>')
        assert not re.search(r'(src|href)="(?!data:|#)', text)
        assert text.count('class="compare"') == 2
        for title in ('Summary', 'Figs. 11 and 12', 'Fig. 9', 'Fig. 13', 'Table 6'):
            assert title in text
        assert 'Model card: flat' in text
        assert '<td>photutils_pconv</td>' in text

    def test_verdicts(self, evaluation):
        table = evaluation.tables['verdicts']
        assert set(table['subject']) == {'scanmap/green'}
        assert set(table['verdict']) <= {
            'met',
            'not met',
            'for comparison',
            'met by the truth',
            'not met by the truth',
        }
        spectra = evaluation.tables['power_spectra']
        powers = table[table['topic'] == 'power spectrum (5.3.1)']
        assert list(powers['method']) == ['inpaint', 'inpaint+draw', *TRUTH]
        for power in powers:
            part = spectra[spectra['method'] == power['method']]
            worst = np.abs(part['relative_cleaned']).max()
            assert power['verdict'].startswith('met') == (worst <= 0.05)
            assert power['verdict'].endswith('truth') == (power['method'] in TRUTH)

    def test_limits(self, evaluation):
        """Counted by hand from the verdicts."""
        verdicts, limits = (evaluation.tables[n] for n in ('verdicts', 'limits'))
        (row,) = limits[limits['topic'] == 'mean in the holes (Table 6)']
        (one,) = verdicts[
            (verdicts['topic'] == row['topic']) & (verdicts['method'] == 'inpaint')
        ]
        assert row['inpaint'] == f'{int(one["verdict"] == "met")} of 1'
        assert row['inpaint+draw'].endswith(' of 1')
        # Without a draw the scatter has no limit.
        (row,) = limits[limits['topic'] == 'iqr in the holes (Table 6)']
        assert row['inpaint'] == ''

    def test_maps(self, evaluation):
        folder = evaluation.output / 'maps' / 'simulations'
        assert (folder / 'flat_L2_5_sim1' / 'before_after.png').exists()
        table = QTable.read(folder / 'photometry.ecsv')
        assert_allclose(table['ratio'], 1.0, atol=0.02)

    def test_json(self, evaluation):
        text = (evaluation.output / 'evaluation.json').read_text(encoding='utf-8')
        values = json.loads(text)
        assert values['configuration']['remover'] == {'batch_size': 8}
        assert 'photutils' in values['versions']

    def test_nothing_is_overwritten(self, evaluation, flat_model):
        with pytest.raises(FileExistsError, match='would be overwritten'):
            run_evaluation({'n_fields': 1}, evaluation.output, model=flat_model)


class TestCommand:
    def test_maps_alone(self, simulation, tmp_path, capsys):
        output = tmp_path / 'out'
        options = ['--no-fields', '--maps', str(simulation), '-o', str(output)]
        assert main(['evaluate', *options]) == 0
        out, err = capsys.readouterr()
        assert err == ''
        assert 'flat_L2_5_sim1: 1 sources' in out
        assert out.splitlines()[-1] == '0 limits not met'
        assert (output / 'report.html').exists()

    @pytest.mark.parametrize(
        ('content', 'message'),
        [
            ('n_field = 3', "unknown key 'n_field'.*'n_fields'"),
            ("setups = ['scanmap/violet']", "Unknown setup 'scanmap/violet'"),
            ("methods = ['getsf']", "got 'getsf'"),
            ('levels = [5]', 'must lie from 10 to 40000 mJy'),
            ('n_fields = 0', 'nothing to evaluate'),
            ("[[maps]]\nfile = 'a'", "unknown key 'file'"),
            ("[[fields]]\npath = 'a'", r"needs \['setup'\]"),
            ('n_fields = ', 'config.toml'),
        ],
    )
    def test_bad_configuration(self, tmp_path, capsys, content, message):
        path = tmp_path / 'config.toml'
        path.write_text(content)
        assert main(['evaluate', str(path), '-o', str(tmp_path / 'out')]) == 1
        assert re.search(message, capsys.readouterr().err)
        assert not (tmp_path / 'out').exists()

    def test_workers(self, tmp_path, monkeypatch, capsys):
        asked = []

        @contextmanager
        def connect(client, *, n_workers):
            asked.append((client, n_workers))
            with ThreadPoolExecutor(2) as executor:
                yield executor

        def evaluate(config, output, *, executor, **options):
            asked.append(executor.submit(int, 3).result())
            return SimpleNamespace(tables={'verdicts': {'verdict': np.array([])}})

        monkeypatch.setattr('photutils_pconv.scale.clusters.connect', connect)
        monkeypatch.setattr('photutils_pconv.evaluation.run.run_evaluation', evaluate)
        command = ['evaluate', '-o', str(tmp_path / 'out'), '--quiet']
        assert main([*command, '--workers', '2']) == 0
        assert main([*command, '--scheduler', 'tcp://a:1']) == 0
        assert asked == [(None, 2), 3, ('tcp://a:1', None), 3]
        with pytest.raises(SystemExit):
            main([*command, '--scheduler', 'tcp://a:1', '--workers', '2'])
        assert '--workers are those of this machine' in capsys.readouterr().err

    def test_missing_files(self, tmp_path, capsys):
        output = ['-o', str(tmp_path / 'out')]
        assert main(['evaluate', 'none.toml', *output]) == 1
        assert "no configuration file 'none.toml'" in capsys.readouterr().err
        assert main(['evaluate', '--stars', 'none', *output]) == 1
        assert 'no such file or folder: none' in capsys.readouterr().err
