# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of training sets out of one's own maps.
"""

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from photutils_pconv import cli
from photutils_pconv.setups import get_setup
from photutils_pconv.simulation import (
    MapField,
    MapSetOptions,
    correlated_noise,
    emission_field,
    make_map_set,
    read_map_fields,
)
from photutils_pconv.training.config import TrainingConfig
from photutils_pconv.training.starting import adopt_start

SETUP = 'scanmap/blue'
PLACE = (60.0, 70.0)


def write_map(path, seed, unit='Jy/pixel', shape=(150, 180)):
    """Write a map of emission and noise."""
    rng = np.random.default_rng(seed)
    image = 1e-3 * emission_field(shape, beam_fwhm=3.5, rng=rng)
    image = image + 1e-5 * correlated_noise(shape, share=0.4, length=1.4, rng=rng)
    header = fits.Header() if unit is None else fits.Header({'BUNIT': unit})
    fits.writeto(path, image.astype(np.float32), header)
    return image


@pytest.fixture(scope='module')
def maps(tmp_path_factory):
    """Return a folder with three maps."""
    folder = tmp_path_factory.mktemp('maps')
    for k in range(3):
        write_map(folder / f'field_{k}.fits', k)
    return folder


@pytest.fixture(scope='module')
def made(maps, tmp_path_factory):
    """Make a set of three maps by the command; return its folder and the lines."""
    folder = tmp_path_factory.mktemp('sets') / 'mine'
    arguments = ['dataset', str(maps), '--setup', SETUP, '-o', str(folder)]
    assert cli.main([*arguments, '--simulations', '2', '--quiet']) == 0
    return folder


def test_what_is_made(made):
    manifest = json.loads((made / 'manifest.json').read_text())
    assert {one['split'] for one in manifest['fields']} == {'train', 'valid', 'test'}
    for one in manifest['fields']:
        assert one['state'] == 'done', one
        table = Table.read(made / 'cutouts' / f'{one["split"]}.csv')
        assert len(table) == one['cutouts']
        # Two levels, at the ends of what the sources' SNR shall be.
        assert len(set(np.round(np.log(table['flux']), 3))) == 2
    image = np.load(made / 'cutouts' / 'train.npy')
    target = np.load(made / 'cutouts' / 'train_target.npy')
    # Sources only add, but for the rounding of float32.
    assert np.nanmin(image - target) > -1e-7
    assert np.nanmax(image - target) > 1e-3


def test_fluxes_span_their_range(made):
    table = Table.read(made / 'cutouts' / 'train.csv')
    levels = np.unique(table['flux'])
    faint, bright = (np.median(table['snr'][table['flux'] == one]) for one in levels)
    assert 1 < faint < 15
    # The wings of bright sources are part of the scatter around them.
    assert bright > 40
    np.testing.assert_allclose(levels.max() / levels.min(), 200, rtol=1e-3)


def test_the_configuration_is_one(made):
    config = TrainingConfig.from_toml(made / 'train.toml')
    config, _ = adopt_start(config)
    assert config.data.folder == str(made / 'cutouts')
    assert config.data.normalisation['kriging']


def test_a_second_run_does_nothing_anew(maps, made):
    before = {path: path.stat().st_mtime_ns for path in made.glob('pieces/*')}
    fields = [MapField(path=path) for path in sorted(maps.glob('*.fits'))]
    lines = []
    make_map_set(
        made, fields, SETUP, options=MapSetOptions(n_simulations=2), tell=lines.append
    )
    assert before == {path: path.stat().st_mtime_ns for path in made.glob('pieces/*')}
    assert len(lines) == 4
    with pytest.raises(ValueError, match='holds a set with other options'):
        make_map_set(made, fields, SETUP, options=MapSetOptions(seed=3))


def test_one_map_is_cut_and_its_source_left_out(tmp_path):
    write_map(tmp_path / 'one.fits', 5, unit=None, shape=(150, 440))
    Table({'x': [PLACE[0]], 'y': [PLACE[1]]}).write(tmp_path / 'real.csv')
    table = Table({'map': ['one.fits'], 'sources': ['real.csv'], 'n_sources': [4]})
    table['unit'], table['min_flux'], table['max_flux'] = 'Jy/pixel', 50.0, 500.0
    table.write(tmp_path / 'list.csv')
    fields = read_map_fields(tmp_path / 'list.csv')
    assert fields[0].flux_range == (50.0, 500.0)
    folder = tmp_path / 'set'
    options = MapSetOptions(n_simulations=2)
    manifest = make_map_set(folder, fields, SETUP, options=options)
    assert [one['split'] for one in manifest['fields']] == ['train', 'valid']
    train = Table.read(folder / 'cutouts' / 'train.csv')
    np.testing.assert_allclose(np.unique(train['flux']), [0.05, 0.5])
    assert np.hypot(train['x'] - PLACE[0], train['y'] - PLACE[1]).min() > 12
    near = np.hypot(train['x'] - PLACE[0], train['y'] - PLACE[1]) < 40
    if near.any():
        target = np.load(folder / 'cutouts' / 'train_target.npy')
        assert np.isnan(target[np.flatnonzero(near)[0]]).any()


@pytest.mark.parametrize('pixel', [0.8, 2.0])
def test_a_map_of_other_pixels_is_resampled(tmp_path, pixel):
    """A flat map of one surface brightness, whatever its pixels."""
    scale = get_setup(*SETUP.split('/')).pixel_scale.to_value('arcsec')
    shape = (int(440 * scale / pixel), int(150 * scale / pixel))
    rng = np.random.default_rng(2)
    # 10 MJy/sr, and as much of structure as lets fluxes be chosen.
    image = 10.0 + 0.1 * emission_field(shape, beam_fwhm=5.6 / pixel, rng=rng)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crpix = shape[1] / 2, shape[0] / 2
    wcs.wcs.cdelt = -pixel / 3600, pixel / 3600
    header = wcs.to_header()
    header['BUNIT'] = 'MJy/sr'
    fits.writeto(tmp_path / 'map.fits', image.astype(np.float32), header)
    make_map_set(
        tmp_path / 'set',
        [MapField(path=tmp_path / 'map.fits', n_sources=1)],
        SETUP,
        options=MapSetOptions(n_simulations=1),
    )
    target = np.load(tmp_path / 'set' / 'cutouts' / 'train_target.npy')
    area = (scale * u.arcsec) ** 2
    expected = (np.median(image) * u.MJy / u.sr * area).to_value('Jy')
    np.testing.assert_allclose(np.nanmedian(target), expected, rtol=0.02)
    sources = np.load(tmp_path / 'set' / 'cutouts' / 'train.npy') - target
    table = Table.read(tmp_path / 'set' / 'cutouts' / 'train.csv')
    # All of the flux lies in a cutout of 64 pixels, but for the far wings.
    flux = np.nansum(sources, axis=(-2, -1)).ravel() / table['flux']
    np.testing.assert_allclose(flux, 1.0, atol=0.1)


def test_maps_for_a_removal_with_a_psf(maps, tmp_path):
    fields = [MapField(path=path) for path in sorted(maps.glob('*.fits'))]
    options = MapSetOptions(kind='residual')
    make_map_set(tmp_path / 'set', fields, SETUP, options=options)
    config = TrainingConfig.from_toml(tmp_path / 'set' / 'train.toml')
    config, _ = adopt_start(config)
    assert config.data.kind == 'residual'
    used = config.data.backgrounds + config.data.validation_backgrounds
    assert len(set(used)) == len(used) == 2


@pytest.mark.parametrize(
    ('arguments', 'match'),
    [
        ([], 'give maps, or --paper'),
        (['--paper'], '--paper needs --mode'),
        (['lost.fits', '--setup', SETUP], 'no such file'),
        (['lost.fits', '--max-fields', '2'], '--max-fields goes with --paper'),
        (['--paper', '--mode', 'scanmap', '--kind', 'masked'], '--kind goes with maps'),
    ],
)
def test_wrong_commands(arguments, match, tmp_path, capsys):
    assert cli.main(['dataset', *arguments, '-o', str(tmp_path / 'set')]) == 1
    assert match in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder(maps, tmp_path, capsys):
    path = tmp_path / 'set'
    path.write_text('mine')
    words = ['dataset', str(maps), '--setup', SETUP, '-o', str(path)]
    assert cli.main(words) == 1
    assert 'set is a file: choose another name' in capsys.readouterr().err


def test_wrong_lists(tmp_path):
    Table({'x': [1.0], 'y': [2.0]}).write(tmp_path / 'list.csv')
    with pytest.raises(ValueError, match="must have the column 'map'"):
        read_map_fields(tmp_path / 'list.csv')
