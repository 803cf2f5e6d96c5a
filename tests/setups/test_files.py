# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of setups in files."""

import json

import astropy.units as u
import numpy as np
import pytest

from photutils_pconv import ObservingSetup, get_setup
from photutils_pconv.psf import GriddedPSF, LobedPSF, SampledPSF

MINE = ObservingSetup.from_psf(
    18 * u.arcsec, pixel_scale=6, name='mine', wavelength=250, instrument='camera'
)


CORNERS = [(10.5, 0), (0, 0), (0, 30), (10.5, 30)]
VARYING = GriddedPSF(
    np.linspace(0.9, 1.0, 4)[:, None, None] * MINE.psf.data, CORNERS, 1.5
)


def with_psf(psf):
    values = MINE.to_dict() | {'psf': psf}
    return ObservingSetup.from_dict(values)


@pytest.mark.parametrize(
    'setup',
    [
        MINE,
        with_psf(None),
        with_psf(LobedPSF((7.0, 20.0), (0.9, 0.1), (0.0, 0.2))),
        # a part of the flux lies beyond the image
        with_psf(SampledPSF(0.9 * MINE.psf.data, 1.5, effective_pixel=3.0)),
        with_psf(VARYING),
        ObservingSetup.from_psf(18 * u.arcsec, name='no wavelength'),
        get_setup('scanmap', 'green'),
        get_setup('scuba2', '850'),
    ],
    ids=lambda setup: setup.name,
)
def test_round_trip(setup, tmp_path):
    paths = setup.write(tmp_path / 'one.json')
    names = ['one.json', 'one_psf.fits']
    assert [path.name for path in paths] == (
        names if isinstance(setup.psf, SampledPSF) else names[:1]
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in paths
    )
    again = ObservingSetup.read(tmp_path / 'one.json')
    assert again == setup
    if isinstance(setup.psf, SampledPSF):
        np.testing.assert_array_equal(again.psf.data, setup.psf.data)
    assert type(again.psf) is type(setup.psf)


def test_varying_psfs_are_compared():
    """Setups whose PSFs differ in one place only are different, as are their means."""
    images, positions = VARYING.grid
    same = GriddedPSF(images, positions, 1.5)
    swapped = GriddedPSF(images[::-1], positions, 1.5)
    mean = SampledPSF(VARYING.data, 1.5)
    assert with_psf(same) == with_psf(VARYING)
    assert with_psf(swapped) != with_psf(VARYING)
    assert with_psf(mean) != with_psf(VARYING)


def test_files_move_together(tmp_path):
    MINE.write(tmp_path / 'one.json')
    folder = tmp_path / 'there'
    folder.mkdir()
    for path in list(tmp_path.glob('one*')):
        path.rename(folder / path.name)
    assert ObservingSetup.read(folder / 'one.json') == MINE


def test_overwrite(tmp_path):
    path = tmp_path / 'one.json'
    MINE.write(path)
    with pytest.raises(OSError, match='would be overwritten'):
        MINE.write(path)
    assert len(MINE.write(str(path), overwrite=True)) == 2
    with pytest.raises(ValueError, match=r'file \.json'):
        MINE.write(tmp_path / 'one.fits')
    with pytest.raises(OSError, match='nowhere'):
        MINE.write('/nowhere/at/all/one.json')


@pytest.mark.parametrize('kind', [str, lambda path: path])
def test_a_file_is_a_setup(tmp_path, kind):
    path = tmp_path / 'one.json'
    MINE.write(path)
    assert get_setup(setup=kind(path)) == MINE


def test_plain_values_are_a_file_too(tmp_path):
    path = tmp_path / 'one.json'
    path.write_text(json.dumps(MINE.to_dict()))
    assert ObservingSetup.read(path) == with_psf(None)


@pytest.mark.parametrize(
    ('content', 'match'),
    [
        ('SIMPLE  = T', 'is no setup file'),
        ('[1, 2]', 'it holds a list'),
        ('{}', 'does not hold a setup'),
        ('{"name": "mine"}', 'does not hold a setup'),
        (json.dumps(MINE.to_dict() | {'color': 3}), "argument 'color'"),
        (json.dumps(MINE.to_dict() | {'psf': 3}), 'psf must be a file'),
        (json.dumps(MINE.to_dict() | {'psf': {'path': 'x'}}), 'must have the key'),
        (json.dumps(MINE.to_dict() | {'encircled_energy': []}), 'does not hold'),
    ],
)
def test_bad_files(tmp_path, content, match):
    path = tmp_path / 'one.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=match):
        ObservingSetup.read(path)


def test_missing_files(tmp_path):
    for name in ('none.json', 'none.fits'):
        with pytest.raises(FileNotFoundError, match='no setup file'):
            get_setup(setup=str(tmp_path / name))
    MINE.write(tmp_path / 'one.json')
    (tmp_path / 'one_psf.fits').unlink()
    with pytest.raises(FileNotFoundError, match=r'one_psf\.fits'):
        ObservingSetup.read(tmp_path / 'one.json')
