# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures for the tests of the command line."""

import zlib

import numpy as np
import pytest
import torch
from astropy.nddata import CCDData
from astropy.table import Table

from photutils_pconv.network import PConvUNet, save_model


@pytest.fixture(scope='package')
def scene(make_scene):
    """Return a scene of two sources."""
    return make_scene([70.3, 50.8], [55.1, 90.7], [5.0, 0.3], sky=2e-3, noise=1e-4)


@pytest.fixture(scope='package')
def write_files(scene, flat_model):
    """Return a function that writes a map, a catalogue and a model."""

    def write(folder):
        CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs).write(folder / 'map.fits')
        sky = scene.wcs.pixel_to_world(scene.x, scene.y)
        catalogue = Table({'ra': sky.ra.deg, 'dec': sky.dec.deg, 'name': ['a', 'b']})
        catalogue.write(folder / 'sources.csv')
        save_model(folder / 'flat.safetensors', flat_model.network, flat_model.card)

    return write


@pytest.fixture
def files(tmp_path, monkeypatch, write_files):
    """A map, a catalogue and a model; commands run in their folder."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def assert_one_line(capsys):
    """Return a function: the standard error is one line with these words."""

    def check(*words):
        out, err = capsys.readouterr()
        assert out == ''
        assert err.count('\n') == 1
        assert err.endswith('\n')
        assert len(err) < 600
        for word in words:
            assert word in err

    return check


@pytest.fixture
def checkpoint(tmp_path):
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
