# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of trainings that start from a model, on one's own maps.
"""

import numpy as np
import pytest
from astropy.io import fits

from photutils_pconv.network import read_card
from photutils_pconv.simulation import emission_field, make_small_training_set
from photutils_pconv.training import (
    ArrayCutouts,
    TrainingConfig,
    open_arrays,
    run_training,
)
from photutils_pconv.training.hole_images import find_holes
from photutils_pconv.training.starting import adopt_start

pytest.importorskip('accelerate')
pytest.importorskip('kornia')

COMMON = """
name = 'tuned'
output = 'run'
epochs = 1
batch_size = 4
workers = 0
examples = 0
tensorboard = false
progress_bar = false
"""


@pytest.fixture(scope='module')
def small_set(tmp_path_factory):
    """Return a small training set on disk."""
    folder = tmp_path_factory.mktemp('small') / 'cutouts'
    return make_small_training_set(
        folder, setups=['scanmap/blue'], n_fields=3, n_sources=4, field_size=192
    )


@pytest.mark.parametrize('name', ['pacs', 'psf'])
def test_a_model_brings_its_network_kind_and_scaling(name):
    card = read_card(name)
    values = {'network': {'start': name}, 'data': {'setups': ['parallel/red']}}
    config, lines = adopt_start(TrainingConfig.from_dict(values))
    assert config.network.architecture == card.architecture['class']
    assert config.network.width == card.architecture['width']
    assert config.data.kind == card.kind
    assert config.data.normalisation == card.normalisation
    assert config.data.sampler['size'] == card.cutout_size
    assert config.optimiser.learning_rate < 1e-3
    assert any('loss.preset' in line for line in lines)
    # A second time nothing is left to be taken over.
    assert adopt_start(config)[0] == config


@pytest.mark.parametrize(
    ('section', 'values', 'match'),
    [
        ('network', {'width': 16}, r'network.width = 32.*asks for 16: leave it out'),
        ('data', {'normalisation': {'name': 'minmax'}}, 'data.normalisation'),
    ],
)
def test_what_the_model_is_not(section, values, match):
    values = {'network': {'start': 'pacs'}, section: values}
    values['network'] = {**values['network'], 'start': 'pacs'}
    with pytest.raises(ValueError, match=match):
        adopt_start(TrainingConfig.from_dict(values))


def test_residual_models_take_no_arrays():
    values = {'source': 'arrays', 'folder': 'x', 'setups': ['scanmap/red']}
    values = {'network': {'start': 'psf'}, 'data': values}
    with pytest.raises(ValueError, match=r"'pacs', or use data.backgrounds"):
        adopt_start(TrainingConfig.from_dict(values))


def test_pacs_on_arrays_of_another_setup(tmp_path, small_set):
    path = tmp_path / 'config.toml'
    path.write_text(
        f"""{COMMON}
        [network]
        start = 'pacs'
        [data]
        source = 'arrays'
        folder = '{small_set}'
        setups = ['scanmap/blue']
        """
    )
    card = read_card(run_training(path))
    assert card.setups == ('scanmap/blue',)
    assert card.kind == 'masked'
    assert card.normalisation == read_card('pacs').normalisation
    assert card.architecture == read_card('pacs').architecture


def test_psf_on_real_maps(tmp_path):
    rng = np.random.default_rng(1)
    image = emission_field((230, 130), beam_fwhm=3.5, rng=rng)
    fits.writeto(tmp_path / 'mine.fits', image.astype(np.float32))
    path = tmp_path / 'config.toml'
    path.write_text(
        f"""{COMMON}
        [network]
        start = 'psf'
        [data]
        setups = ['scanmap/red']
        backgrounds = ['mine.fits']
        epoch_size = 4
        validation_size = 2
        validation_sampler = {{}}
        [data.sampler]
        n_fields = 1
        n_noise = 1
        n_stamps = 6
        n_angles = 1
        field_size = 128
        """
    )
    card = read_card(run_training(path))
    assert card.kind == 'residual'
    assert card.recipe['training_data']['backgrounds'] == ['mine.fits']


def test_holes_are_found_by_their_pixels():
    rows, columns = np.indices((96, 96))
    validity = np.ones((96, 96), dtype=bool)
    missing = np.zeros((96, 96), dtype=bool)
    for x, y, radius in ((70.3, 20.1, 6.0), (47.6, 47.2, 10.0)):
        validity &= np.hypot(columns - x, rows - y) > radius
    missing[:, :5] = True
    x, y, radius = find_holes(validity & ~missing, missing)
    np.testing.assert_allclose(x, [47.6, 70.3], atol=0.15)
    np.testing.assert_allclose(y, [47.2, 20.1], atol=0.15)
    np.testing.assert_allclose(radius, [10.0, 6.0], rtol=0.03)
    assert len(find_holes(np.ones((9, 9), bool), np.zeros((9, 9), bool))[0]) == 0


def test_images_of_arrays_are_those_of_the_simulation():
    """On disk, wings and kriged holes come out as from the sampler that knows all."""
    from photutils_pconv.simulation import CutoutSampler, SamplerConfig

    normalisation = dict(read_card('pacs').normalisation)
    sampler = CutoutSampler(
        ['scanmap/green'],
        config=SamplerConfig(
            n_fields=1, n_noise=1, n_stamps=2, field_size=128, neighbours=0.0, size=64
        ),
        normalisation=normalisation,
    )
    batch = sampler.batch(6, 3)
    image = np.where(batch.missing, np.nan, batch.raw)
    data = ArrayCutouts(
        image,
        batch.emission,
        batch.validity,
        normalisation=normalisation,
        setups='scanmap/green',
    )
    for i in range(6):
        if batch.missing[i].any():
            continue
        found = data[0, i].image.numpy()
        valid = batch.validity[i]
        scatter = batch.image[i, 0][valid].std()
        difference = (found - batch.image[i])[:, valid]
        assert np.sqrt(np.mean(difference[0] ** 2)) < 0.05 * scatter
        target = data[0, i].target.numpy()[0]
        assert np.abs(target - batch.target[i]).max() < 0.2 * scatter


def test_wings_need_a_setup(arrays):
    with pytest.raises(ValueError, match='give setups'):
        ArrayCutouts(*arrays(2, 0), normalisation={'name': 'robust', 'wings': True})


def test_setups_of_a_list(small_set):
    normalisation = dict(read_card('pacs').normalisation)
    data = open_arrays(small_set, 'valid', normalisation=normalisation)
    assert data[0, 0].image.shape == (3, 96, 96)
