# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of distillation, and of networks that see one orientation only.
"""

import numpy as np
import pytest
import torch

from photutils_pconv.network import RunOptions, make_predictor
from photutils_pconv.network.initialisation import build_seeded
from photutils_pconv.training.augmentation import turn_upright
from photutils_pconv.training.data import Cutouts
from photutils_pconv.training.teacher import Teacher, load_teacher

pytest.importorskip('accelerate')
pytest.importorskip('kornia')

# Roundings of float32, relative to the largest value: a dozen layers, and some more.
ROUNDING = 20 * np.finfo(np.float32).eps

FILLED = {'architecture': 'FilledUNet', 'width': 2}


def make_network(turns=4):
    """Make a network whose output is not its fill."""
    network = build_seeded(
        {'class': 'FilledUNet', 'width': 4, 'in_channels': 1, 'turns': turns}, 3
    )
    torch.manual_seed(4)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


def make_batch(arrays, n=6):
    """Make a batch of cutouts of 64 x 64 pixels."""
    image, target, validity = (
        torch.from_numpy(np.array(one[:, None, 16:80, 16:80], dtype=np.float32))
        for one in arrays(n, 8)
    )
    return Cutouts(image, target, validity, torch.zeros_like(validity))


def turn(batch, k):
    """Turn all of a batch."""
    return Cutouts(*(torch.rot90(part, k, (-2, -1)) for part in batch))


def test_each_cutout_is_turned_by_its_place(arrays):
    network, batch = make_network(), make_batch(arrays)
    found = Teacher(network).predict(batch.image, batch.validity)
    with torch.no_grad():
        for k in range(len(batch.image)):
            one = turn(Cutouts(*(part[k : k + 1] for part in batch)), k)
            wanted = torch.rot90(network(one.image, one.validity), -k, (-2, -1))
            atol = ROUNDING * float(wanted.abs().max())
            np.testing.assert_allclose(found[k], wanted[0], rtol=0, atol=atol)


def test_a_network_that_learnt_no_turns_is_asked_as_it_is(arrays):
    network = build_seeded({'class': 'PConvUNet', 'width': 2, 'in_channels': 1}, 3)
    batch = make_batch(arrays, 2)
    image, validity = (
        torch.nn.functional.pad(one, (16, 16, 16, 16))
        for one in (batch.image, batch.validity)
    )
    with torch.no_grad():
        wanted = network.eval()(image, validity)
    assert torch.equal(Teacher(network).predict(image, validity), wanted)


@pytest.fixture
def train_model(make_trainer, tmp_path):
    """Return a function that trains a model by a seed."""

    def train(seed=1):
        folder = tmp_path / f'model_{seed}'
        trainer = make_trainer(network=FILLED, epochs=1, seed=seed, output=folder)
        trainer.fit()
        return trainer.export(dtype='float32')

    return train


def test_the_loss_compares_with_the_teacher(make_trainer, train_model):
    path = train_model()
    options = {'network': {**FILLED, 'start': str(path)}}
    untaught = make_trainer(**options)
    taught = make_trainer(**options, loss={'teacher': str(path)})
    losses = {}
    for name, trainer in (('untaught', untaught), ('taught', taught)):
        batch = Cutouts(*(part[None] for part in trainer.train_data[0, 0]))
        trainer.engine.network.eval()
        loss, _ = trainer.engine.compute_loss(batch)
        losses[name] = float(loss.detach())
    # It is its own teacher: nothing is left to learn.
    assert losses['taught'] < 1.0e-5 < 0.01 < losses['untaught']


def test_the_validation_compares_with_the_truth(make_trainer, train_model):
    path = train_model()
    options = {'network': {**FILLED, 'start': str(path)}, 'epochs': 1}
    figures = []
    for loss in ({}, {'teacher': str(path)}):
        output = path.parent / str(len(loss))
        trainer = make_trainer(**options, loss=loss, output=output)
        found, _ = trainer.engine.validate(trainer._validation_loader)
        figures.append(found['valid_loss'])
    assert figures[0] == figures[1]


@pytest.mark.parametrize(
    ('name', 'kind', 'normalisation', 'match'),
    [
        ('psf', 'masked', {}, "of kind 'residual'"),
        ('pacs', 'masked', {'name': 'minmax'}, r"loss.teacher = 'pacs' was trained"),
    ],
)
def test_teachers_of_other_cutouts_are_refused(name, kind, normalisation, match):
    with pytest.raises(ValueError, match=match):
        load_teacher(name, kind, normalisation)


def test_a_training_is_not_resumed_with_another_teacher(
    make_trainer, train_model, tmp_path
):
    paths = [train_model(seed) for seed in (1, 2)]
    teacher = tmp_path / 'teacher.safetensors'
    teacher.write_bytes(paths[0].read_bytes())
    options = {'network': FILLED, 'loss': {'teacher': str(teacher)}, 'epochs': 1}
    make_trainer(**options).fit()
    teacher.write_bytes(paths[1].read_bytes())
    with pytest.raises(ValueError, match='the model of loss.teacher is not that'):
        make_trainer(**options).fit(resume=True)


@pytest.mark.parametrize('k', [1, 2, 3])
def test_upright_cutouts_do_not_depend_on_the_orientation(arrays, k):
    batch = make_batch(arrays)
    found, wanted = turn_upright(turn(batch, k)), turn_upright(batch)
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
    # They are the cutouts, turned.
    sums = [part.sum((1, 2, 3)) for part in (batch.image, wanted.image)]
    np.testing.assert_allclose(*sums, rtol=1e-4)


def test_networks_of_one_turn_train_on_what_they_see_in_use(arrays):
    network, batch = make_network(turns=1), make_batch(arrays)
    upright = turn_upright(batch)
    with torch.no_grad():
        wanted = network(upright.image, upright.validity)
    predict = make_predictor(network, RunOptions())
    found = predict(batch.image.numpy(), batch.validity[:, 0].numpy())
    # In use the result is turned back.
    found = turn_upright(batch._replace(target=torch.from_numpy(found[:, None])))
    atol = ROUNDING * float(wanted.abs().max())
    np.testing.assert_allclose(found.target, wanted, rtol=0, atol=atol)


def test_the_trainer_turns_cutouts_of_networks_of_one_turn(make_trainer):
    figures = {}
    for turns in (1, 4):
        trainer = make_trainer(network={**FILLED, 'turns': turns})
        network = trainer.engine.network
        torch.manual_seed(4)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        batch = Cutouts(*(part[None] for part in trainer.train_data[0, 0]))
        losses = [
            trainer.engine.compute_loss(turn(batch, k))[1]['loss'] for k in range(4)
        ]
        figures[turns] = np.ptp(losses) / np.mean(losses)
    assert figures[1] < 1e-5 < 1e-3 < figures[4]
