# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the standard stars' maps from the archive."""

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_allclose

from photutils_pconv.archive import ArchiveConnectionError
from photutils_pconv.cli import main
from photutils_pconv.evaluation import fetch_standard_stars
from photutils_pconv.network import save_model
from photutils_pconv.psf.library import get_psf
from photutils_pconv.simulation import inject_sources

EARLY, LATE, SECRET, FAR = '1342200001', '1342200002', '1342200003', '1342200004'
# gamma Dra at 70 micron as PACS sees it: its reference flux (Table 5) and its colour.
FLUX = 3.283 * 1.016


@pytest.fixture(scope='module')
def tars(make):
    """Two tar files: blue and red maps of gamma Dra, and a green one."""
    shape = (120, 130)
    sky = 1e-3 + np.random.default_rng(2).normal(0, 1e-6, shape)
    star = inject_sources(
        sky, 64.5, 59.5, FLUX, psf=get_psf('scanmap/blue'), pixel_scale=1.6
    )
    red = make.product.replace('MAPB_blue', 'MAPR')
    green = make.product.replace('blue', 'green')
    return (
        make.tar(
            {
                make.path(make.product): make.map(data=star),
                make.path(red): make.map(data=sky, wavelength=160),
            }
        ),
        make.tar({make.path(green): make.map(data=sky, wavelength=100)}),
    )


@pytest.fixture
def archive(server, make, tars):
    """Four observations that cover gamma Dra; two serve."""
    server.archives[EARLY, 'LEVEL2_5'], server.archives[LATE, 'LEVEL2_5'] = tars
    far = make.centre.directional_offset_by(0 * u.deg, 1 * u.deg)
    server.observations = [
        make.observation(EARLY),
        make.observation(LATE),
        make.observation(SECRET, is_public='false'),
        make.observation(FAR, centre=far, side=4 * u.deg),
    ]
    bands = {EARLY: '70, 160', LATE: '100, 160', SECRET: '70, 160', FAR: '70, 160'}
    server.esasky = [
        {'observation_id': obsid, 'filter': text, 'product_url': ''}
        for obsid, text in bands.items()
    ]
    return server


def test_the_maps(archive, patience, tmp_path):
    lines = []
    manifest = fetch_standard_stars(
        tmp_path / 'stars', max_stars=5, patience=patience, tell=lines.append
    )
    assert len(lines) == len(manifest['maps']) == 15
    done = {one['band']: one for one in manifest['maps'] if one['state'] == 'done'}
    # The latest observation has no red map: the one before it serves.
    assert {band: one['obsid'] for band, one in done.items()} == {
        'blue': EARLY,
        'green': LATE,
        'red': EARLY,
    }
    assert {one['star'] for one in done.values()} == {'gam Dra'}
    assert {one['level'] for one in done.values()} == {'2.5'}
    assert f'gam Dra, green: done, {LATE}' in lines
    assert 'alf Tau, red: missing, no public scan map is pointed at it' in lines
    names = {one['file'] for one in done.values()}
    assert {path.name for path in (tmp_path / 'stars').iterdir()} == {
        'manifest.json',
        *names,
    }
    assert done['blue']['file'] == f'gam_Dra_blue_{EARLY}.fits.gz'
    written = json.loads((tmp_path / 'stars' / 'manifest.json').read_text())
    assert written['maps'] == manifest['maps']


def test_goes_on(archive, make, patience, tmp_path):
    """What is there stays, what broke off is fetched, what was lacking is asked for."""
    kept = archive.archives[LATE, 'LEVEL2_5']
    archive.archives[LATE, 'LEVEL2_5'] = 503
    options = {'bands': ('blue', 'green'), 'max_stars': 5, 'patience': patience}
    with pytest.raises(ArchiveConnectionError, match='out of order'):
        fetch_standard_stars(tmp_path, **options)
    archive.archives[LATE, 'LEVEL2_5'] = kept
    number = len(archive.data_requests())
    manifest = fetch_standard_stars(tmp_path, **options)
    assert sum(one['state'] == 'done' for one in manifest['maps']) == 2
    assert [
        one.path.split('observation_id=')[1][:10]
        for one in archive.data_requests()[number:]
    ] == [LATE]
    # A file that has changed is made anew, here out of the cache.
    path = tmp_path / f'gam_Dra_blue_{EARLY}.fits.gz'
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    assert fetch_standard_stars(tmp_path, **options) == manifest
    assert path.read_bytes() == content


def test_in_one_command(archive, tmp_path, flat_model, capsys):
    """From the archive to Table 5."""
    model = tmp_path / 'flat.safetensors'
    save_model(model, flat_model.network, flat_model.card)
    folder, out = tmp_path / 'stars', tmp_path / 'out'
    words = ['--fetch', str(folder), '--bands', 'blue', '--max-stars', '5']
    words += ['--model', str(model), '-o', str(out), '--methods']
    assert main(['stars', *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f'gam Dra, blue: done, {EARLY}' in lines
    assert f'1 of 5 maps: {folder}' in lines
    table = QTable.read(out / 'table_5.ecsv')
    assert list(table['star']) == ['gam Dra']
    assert_allclose(table['ratio_blue'], 1.0, atol=0.02)


def test_nothing(server, tmp_path, capsys):
    server.observations = []
    words = ['--fetch', str(tmp_path / 'a'), '--bands', 'red', '--max-stars', '1']
    assert main(['stars', *words, '--quiet']) == 1
    err = capsys.readouterr().err
    assert 'the archive has none of the maps: no public scan map is' in err


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'DIR is missing (or give --fetch DIR)'),
        (['maps', '--max-stars', '3'], '--max-stars goes with --fetch'),
        (['maps', '--timeout', '3'], '--timeout goes with --fetch'),
    ],
)
def test_wrong_usage(words, message, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['stars', *words])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    'wrong', [{'bands': 'violet'}, {'max_stars': 0}, {'bands': ['blue', 'x']}]
)
def test_wrong_options(wrong, tmp_path):
    with pytest.raises(ValueError, match='must be'):
        fetch_standard_stars(tmp_path, **wrong)
