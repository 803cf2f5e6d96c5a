# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of README.rst: what it shows runs, and its figures are the benchmarks'."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from astropy.nddata import CCDData
from numpy.testing import assert_array_equal

from photutils_pconv import datasets
from photutils_pconv.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.rst').read_text(encoding='utf-8')
RESULTS = ROOT / 'benchmarks' / 'results' / 'psf_accuracy.md'


def blocks(language):
    """The code blocks of a language, as texts."""
    found = re.findall(
        rf'\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)', README + '\n'
    )
    return [re.sub('^    ', '', one, flags=re.M).strip() for one in found]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files of the text, and a demo of a tenth of its size."""
    matplotlib = pytest.importorskip('matplotlib')
    matplotlib.use('Agg')
    ccd, sources = datasets.load_demo()
    part = np.s_[100:200, 100:200]
    ccd = CCDData(
        ccd.data[part],
        unit=ccd.unit,
        wcs=ccd.wcs[part],
        meta={key: ccd.meta[key] for key in ('INSTRUME', 'WAVELNTH', 'OBS_MODE')},
    )
    sources = sources[np.all([np.abs(sources[k] - 150) < 40 for k in 'xy'], axis=0)]
    assert len(sources) == 2
    monkeypatch.setattr(datasets, 'load_demo', lambda: (ccd, sources))
    monkeypatch.chdir(tmp_path)
    ccd.write('map.fits')
    sources['ra', 'dec'].write('sources.csv')
    yield tmp_path
    from matplotlib import pyplot

    pyplot.close('all')


def test_every_block_runs(folder, capsys):
    assert len(blocks('python')) >= 2
    names = {}
    for one in blocks('python'):
        exec(compile(one, 'README.rst', 'exec'), names)
    out = capsys.readouterr().out
    assert 'setup: scanmap/green (the header says WAVELNTH = 100.0' in out
    assert_array_equal(names['cleaned'].data, names['result'].cleaned.data)
    assert (folder / 'removal.png').exists()
    (command,) = blocks('sh')
    program, *arguments = shlex.split(command)
    assert program == 'photutils-pconv'
    assert main(arguments) == 0
    assert (folder / 'output' / 'removal.png').exists()


def test_table_is_the_benchmark():
    """The scatter in the table, and how the cleaned map differs."""
    text = RESULTS.read_text(encoding='utf-8')
    text = text.split('## Real backgrounds, all together\n', 1)[1]

    def row(title, method):
        section = text.split(f'### {title}\n', 1)[1].split('\n### ')[0]
        line = re.search(rf'^\| {re.escape(method)} \| (.*) \|$', section, re.M)
        return [float(one) for one in line.group(1).split(' | ')]

    scatter = 'Interquartile range of the flux ratio, percent'
    names = {
        '**this, with PSF**': 'ours, PSF',
        'this, without': 'ours, inpaint',
        'PSF + quadratic': 'PSF + quadratic',
        'PSFPhotometry': 'PSFPhotometry',
        'annulus': 'annulus',
    }
    for shown, method in names.items():
        line = re.search(rf'^{re.escape(shown)}  +([\d. ]+)$', README, re.M)
        assert [float(one) for one in line.group(1).split()] == row(scatter, method)
    bias = row('Median bias of the flux, percent', 'ours, PSF')
    largest = max(map(abs, bias))
    assert f'off by at most {largest:.2f} percent in each column' in README
    differs = row(
        'Hole RMS against the map without sources as observed, local scatter = 1',
        'ours, PSF',
    )
    assert f'by {differs[0]:.2f} of the local standard deviation' in README
    assert f'by {differs[-1]:.2f} in those of the brightest' in README


@pytest.mark.parametrize(
    'target', sorted(set(re.findall(r'[<:] ?([\w/]+\.(?:rst|png))\b', README)))
)
def test_links_within_the_repository(target):
    assert (ROOT / target).is_file()
