# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the trainer on one process.
"""

import csv
import sys

import numpy as np
import pytest
import torch
from astropy.table import Table
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from photutils_pconv.network import load_model
from photutils_pconv.training import (
    ArrayCutouts,
    DivergenceError,
    open_arrays,
)
from photutils_pconv.training.checkpoint import load_checkpoint

pytest.importorskip('accelerate')
pytest.importorskip('kornia')

# Times differ from run to run.
TIMES = ('seconds', 'cutouts_per_second', 'waiting_share')
EVERYTHING = {
    'optimiser': {'name': 'adamw', 'ema_decay': 0.9, 'weight_decay': 0.01},
    'loss': {'terms': {'ssim': 0.4}},
    'epochs': 2,
}


def assert_same(a, b):
    """Compare nested values, tensors bit for bit."""
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert set(a) == set(b)
        for key in a:
            if key not in TIMES and key != 'waited':
                assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


def final_state(trainer):
    """Read the last checkpoint without what may differ between runs."""
    state = load_checkpoint(trainer.output / 'last.pt')
    return {
        **{k: state[k] for k in ('network', 'optimiser', 'schedule', 'average')},
        'history': state['progress'].history,
        'best_loss': state['progress'].best_loss,
        'smoothed': state['progress'].smoothed,
    }


class TestFit:
    def test_leaves_behind(self, make_trainer):
        trainer = make_trainer(examples=2)
        history = trainer.fit()
        assert [row['epoch'] for row in history] == [1, 2, 3]
        assert [row['step'] for row in history] == [2, 4, 6]
        with open(trainer.output / 'metrics.csv', newline='') as handle:
            rows = list(csv.DictReader(handle))
        assert len(rows) == 3
        for row, written in zip(history, rows, strict=True):
            assert set(row) == set(written)
            assert float(written['train_loss']) == row['train_loss']
        names = {path.name for path in trainer.output.iterdir()}
        pictures = {f'epoch_00{k}.png' for k in (1, 2, 3)}
        assert names == {'best.pt', 'last.pt', 'metrics.csv', 'events', *pictures}
        best = min(row['valid_loss'] for row in history)
        assert load_checkpoint(trainer.output / 'best.pt')['progress'].best_loss == best
        assert 'epoch 3 of 3, step 6' in repr(trainer)

    def test_losses_are_weighted_sums(self, make_trainer):
        row = make_trainer(epochs=1).fit()[0]
        for part in ('train', 'valid'):
            total = (
                6 * row[f'{part}_hole']
                + row[f'{part}_valid']
                + 3 * row[f'{part}_mean_flux']
            )
            assert row[f'{part}_loss'] == pytest.approx(total, rel=1e-5)

    def test_one_step_of_adam(self, make_trainer):
        # Adam's first step moves each weight by the learning rate against
        # the gradient's sign.
        trainer = make_trainer(optimiser={'clip_norm': None, 'learning_rate': 0.001})
        before = trainer.network.decoder[-1].conv.bias.detach().clone()
        trainer.fit(max_steps=1)
        parameter = trainer.network.decoder[-1].conv.bias
        step = -0.001 * torch.sign(parameter.grad)
        torch.testing.assert_close(parameter.detach() - before, step, rtol=1e-3, atol=0)

    def test_same_seed_same_result(self, make_trainer, tmp_path):
        state = torch.random.get_rng_state()
        first = make_trainer(output=tmp_path / 'a', **EVERYTHING)
        second = make_trainer(output=tmp_path / 'b', **EVERYTHING)
        for trainer in (first, second):
            trainer.fit()
            torch.rand(3)
        assert_same(final_state(first), final_state(second))
        other = make_trainer(output=tmp_path / 'c', seed=6)
        assert not torch.equal(
            other.network.encoder[0].conv.weight, second.network.encoder[0].conv.weight
        )
        torch.random.set_rng_state(state)

    def test_validation_does_not_disturb(self, make_trainer):
        trainer = make_trainer(**EVERYTHING)
        trainer.fit(max_steps=1)
        before = {k: v.clone() for k, v in trainer.network.state_dict().items()}
        trainer.engine.validate(trainer._validation_loader)
        assert_same(before, dict(trainer.network.state_dict()))

    def test_averaged_weights_are_validated(self, make_trainer, tmp_path):
        trainer = make_trainer(epochs=1, optimiser={'ema_decay': 0.9})
        history = trainer.fit()
        path = trainer.export(dtype='float32')
        exported = load_model(path, cache=False).network
        average = load_checkpoint(trainer.output / 'best.pt')['average']['weights']
        assert_same(dict(exported.state_dict()), average)
        assert not torch.equal(
            average['encoder.0.conv.weight'], trainer.network.encoder[0].conv.weight
        )
        # Its loss, computed by itself.
        batch = next(iter(trainer._validation_loader))
        with torch.no_grad():
            output = exported(batch.image, batch.validity)
            loss, _ = trainer.engine.loss(output, *batch[1:])
        assert history[0]['valid_loss'] == pytest.approx(float(loss), rel=1e-5)

    def test_clipping(self, make_trainer):
        trainer = make_trainer(optimiser={'clip_norm': 1e-3})
        trainer.fit(max_steps=1)
        norm = sum(float((p.grad**2).sum()) for p in trainer.network.parameters())
        assert norm**0.5 == pytest.approx(1e-3, rel=1e-3)

    def test_frozen_batch_norm(self, make_trainer):
        trainer = make_trainer(freeze_batch_norm=True)
        trainer.fit(max_steps=2)
        for name, buffer in trainer.network.named_buffers():
            if name.endswith('running_mean'):
                assert float(buffer.abs().max()) == 0
            if name.endswith('num_batches_tracked'):
                assert int(buffer) == 0

    @pytest.mark.filterwarnings('ignore:.*only emulated')
    @pytest.mark.parametrize(
        'changes', [{'precision': 'bfloat16'}, {'channels_last': False}]
    )
    def test_options_of_the_engine(self, make_trainer, tmp_path, changes):
        plain = make_trainer(epochs=1, output=tmp_path / 'a').fit()[0]
        other = make_trainer(epochs=1, output=tmp_path / 'b', **changes).fit()[0]
        assert other['train_loss'] == pytest.approx(plain['train_loss'], rel=0.1)
        same_bits = other['train_loss'] == plain['train_loss']
        assert not (same_bits and 'precision' in changes)

    @pytest.mark.slow
    def test_compile(self, make_trainer, monkeypatch, tmp_path):
        compile_network = torch.compile
        calls = []

        def compile_quickly(network):
            calls.append(network)
            # Without a C++ compiler, and the same bits.
            return compile_network(network, backend='eager')

        plain = make_trainer(epochs=1, output=tmp_path / 'a')
        plain.fit()
        monkeypatch.setattr(torch, 'compile', compile_quickly)
        trainer = make_trainer(epochs=1, output=tmp_path / 'b', compile=True)
        trainer.fit()
        assert calls == [trainer.network]
        assert_same(final_state(plain), final_state(trainer))
        # The names of the tensors are those of the network itself.
        assert load_model(trainer.export(), cache=False).card.recipe['steps'] == 2

    def test_cosine(self, make_trainer):
        optimiser = {'schedule': 'cosine', 'warm_up': 0.5, 'learning_rate': 0.01}
        history = make_trainer(optimiser=optimiser).fit()
        rates = [row['learning_rate'] for row in history]
        expected = [0.01, 0.01 * 0.5 * (1 + np.cos(np.pi / 3)), 0]
        np.testing.assert_allclose(rates, expected, atol=1e-9)

    def test_tensorboard(self, make_trainer):
        trainer = make_trainer(epochs=2)
        trainer.fit()
        events = EventAccumulator(str(trainer.output / 'events'))
        events.Reload()
        table = Table.read(trainer.output / 'metrics.csv')
        scalars = events.Scalars('valid_loss')
        assert [one.step for one in scalars] == list(table['step'])
        values = [one.value for one in scalars]
        np.testing.assert_allclose(values, table['valid_loss'], rtol=1e-6)

    def test_without_extras(self, make_trainer, monkeypatch):
        for name in ('torch.utils.tensorboard', 'matplotlib.figure'):
            monkeypatch.setitem(sys.modules, name, None)
        trainer = make_trainer(epochs=1, examples=2)
        trainer.fit()
        assert not list(trainer.output.glob('*.png'))

    def test_without_accelerate(self, make_trainer, monkeypatch):
        monkeypatch.setitem(sys.modules, 'accelerate', None)
        with pytest.raises(ImportError, match=r'photutils-pconv\[train\]'):
            make_trainer()

    @pytest.mark.slow
    def test_overfits_sixteen_cutouts(self, make_trainer):
        trainer = make_trainer(
            epochs=20,
            batch_size=16,
            checkpoint_steps=0,
            network={'width': 4},
            augmentation={'enabled': False},
            optimiser={'schedule': 'constant', 'learning_rate': 0.02},
        )
        losses = [row['train_loss'] for row in trainer.fit()]
        assert losses[-1] < 0.1 * losses[0]


class TestResume:
    @pytest.mark.parametrize('steps', [1, 2])
    def test_bit_for_bit(self, make_trainer, tmp_path, steps):
        whole = make_trainer(output=tmp_path / 'whole', **EVERYTHING)
        whole.fit()
        broken = make_trainer(output=tmp_path / 'broken', **EVERYTHING)
        broken.fit(max_steps=steps)
        resumed = make_trainer(output=tmp_path / 'broken', **EVERYTHING)
        resumed.fit(resume=True)
        assert_same(final_state(whole), final_state(resumed))

    def test_goes_on_in_memory(self, make_trainer, tmp_path):
        whole = make_trainer(output=tmp_path / 'whole')
        whole.fit()
        parts = make_trainer(output=tmp_path / 'parts')
        for _ in range(4):
            parts.fit(max_steps=2)
        assert_same(final_state(whole), final_state(parts))

    def test_more_epochs(self, make_trainer, tmp_path):
        make_trainer(epochs=1).fit()
        trainer = make_trainer(epochs=2)
        # As if it was killed before it wrote them.
        (trainer.output / 'metrics.csv').unlink()
        history = trainer.fit(resume=True)
        assert [row['epoch'] for row in history] == [1, 2]
        with open(trainer.output / 'metrics.csv', newline='') as handle:
            assert [row['epoch'] for row in csv.DictReader(handle)] == ['1', '2']
        assert make_trainer(epochs=2).fit(resume=True) == history

    def test_nothing_to_resume(self, make_trainer):
        assert len(make_trainer(epochs=1).fit(resume=True)) == 1

    def test_existing_checkpoint(self, make_trainer):
        make_trainer(epochs=1).fit()
        with pytest.raises(FileExistsError, match='resume=True'):
            make_trainer(epochs=1).fit()

    def test_incompatible(self, make_trainer):
        make_trainer(epochs=1).fit()
        with pytest.raises(
            ValueError, match='network.width is 2 in the checkpoint, but 3'
        ):
            make_trainer(network={'width': 3}).fit(resume=True)

    @pytest.mark.parametrize('what', ['training', 'validation'])
    def test_other_cutouts(self, make_trainer, array_folder, arrays, what):
        """A training does not go on with others, in number and scale alike."""
        make_trainer().fit(max_steps=1)
        trainer = make_trainer()
        name = 'train_data' if what == 'training' else 'validation_data'
        n = len(getattr(trainer, name))
        other = ArrayCutouts(*arrays(n, 77), normalisation={'name': 'robust'})
        setattr(trainer, name, other)
        match = f'the {what} cutouts are not those of the checkpoint'
        with pytest.raises(ValueError, match=match):
            trainer.fit(resume=True)
        with pytest.raises(ValueError, match=match):
            trainer.export(which='last')

    @pytest.mark.parametrize('part', ['network', 'optimiser', 'schedule', 'average'])
    def test_parts_that_do_not_fit(self, make_trainer, monkeypatch, part):
        """What is whole, but of another training, under the right words."""
        from photutils_pconv.training import checkpoint_folder as module

        options = {'optimiser': {'ema_decay': 0.9}}
        trainer = make_trainer(**options)
        trainer.fit(max_steps=1)
        state = load_checkpoint(trainer.output / 'last.pt')
        odd = {'odd': torch.ones(2)}
        changed = {'n_updates': 1, 'weights': odd} if part == 'average' else odd
        monkeypatch.setattr(
            module, 'load_checkpoint', lambda path: {**state, part: changed}
        )
        with pytest.raises(ValueError, match=r'parts of .*last\.pt.* do not fit'):
            make_trainer(**options).fit(resume=True)

    def test_random_numbers_of_others(self, make_trainer):
        make_trainer().fit(max_steps=1)
        trainer = make_trainer()
        legacy = np.random.get_state()[1].copy()  # noqa: NPY002
        state = torch.get_rng_state()
        trainer.fit(resume=True, max_steps=1)
        assert np.array_equal(np.random.get_state()[1], legacy)  # noqa: NPY002
        assert torch.equal(torch.get_rng_state(), state)

    def test_leftovers_of_a_killed_run(self, make_trainer):
        trainer = make_trainer(epochs=1)
        trainer.output.mkdir()
        half = trainer.output / '.last.pt.0123.tmp.pt'
        half.write_bytes(b'half')
        trainer.fit()
        assert not half.exists()

    def test_full_disk(self, make_trainer, monkeypatch):
        from photutils_pconv.training import checkpoint

        trainer = make_trainer()
        trainer.fit(max_steps=1)
        before = (trainer.output / 'last.pt').read_bytes()

        def fail(path, content):
            raise OSError(28, 'No space left on device')

        monkeypatch.setattr(checkpoint, 'write_bytes_atomically', fail)
        with pytest.raises(OSError, match='No space left .* is kept'):
            trainer.fit()
        assert (trainer.output / 'last.pt').read_bytes() == before


class TestDivergence:
    def test_nan(self, make_trainer, array_folder):
        # Not what ArrayCutouts would let through.
        data = open_arrays(array_folder, normalisation={'name': 'robust'})
        plain = data.__class__.__getitem__

        class Bad(ArrayCutouts):
            def __getitem__(self, key):
                cutouts = plain(self, key)
                if key == (1, 3):
                    return cutouts._replace(target=cutouts.target * torch.nan)
                return cutouts

        data.__class__ = Bad
        trainer = make_trainer(train_data=data, augmentation={'enabled': False})
        with pytest.raises(DivergenceError, match='the loss is nan') as error:
            trainer.fit()
        trainer._batches.epoch = 1
        batch = next(k for k in range(2) if (1, 3) in trainer._batches.keys(k))
        assert f'at epoch 2, batch {batch + 1} of 2' in str(error.value)
        assert ' 3,' in str(error.value) or ' 3)' in str(error.value)
        # The last good checkpoint is from the step before.
        state = load_checkpoint(trainer.output / 'last.pt')
        assert state['progress'].step == 2 + batch
        assert all(torch.isfinite(t).all() for t in state['network'].values())

    def test_gradient(self, make_trainer, monkeypatch):
        trainer = make_trainer()
        trainer.fit(max_steps=1)
        before = {k: v.clone() for k, v in trainer.network.state_dict().items()}

        def poison(loss):
            loss.backward()
            next(trainer.network.parameters()).grad[0] = torch.nan

        monkeypatch.setattr(trainer.accelerator, 'backward', poison)
        with pytest.raises(DivergenceError, match='gradient is not finite .* batch 2'):
            trainer.fit()
        for name, parameter in trainer.network.named_parameters():
            assert torch.equal(parameter, before[name])

    def test_weights(self, make_trainer):
        """Weights that are lost replace no checkpoint."""
        trainer = make_trainer()
        trainer.fit(max_steps=1)
        before = (trainer.output / 'last.pt').read_bytes()
        update = trainer.engine.update

        def spoil(loss):
            norm = update(loss)
            with torch.no_grad():
                next(trainer.network.parameters())[0] = torch.inf
            return norm

        trainer.engine.update = spoil
        with pytest.raises(
            DivergenceError, match='weights are not finite .* lower opt'
        ):
            trainer.fit(max_steps=1)
        assert (trainer.output / 'last.pt').read_bytes() == before

    @pytest.mark.parametrize('name', ['train_data', 'validation_data'])
    def test_nothing_is_known(self, make_trainer, array_folder, monkeypatch, name):
        """Data of one's own need not be checked before."""

        class Unknown(ArrayCutouts):
            def __getitem__(self, key):
                cutouts = super().__getitem__(key)
                return cutouts._replace(
                    image=cutouts.image * 0, missing=torch.ones_like(cutouts.missing)
                )

        trainer = make_trainer(epochs=1)
        getattr(trainer, name).__class__ = Unknown
        match = f'no pixel of all {name[:5]}.* cutouts is known'
        with pytest.raises(ValueError, match=match):
            trainer.fit()

    def test_explosion(self, make_trainer):
        trainer = make_trainer(explosion=1.5)
        trainer.fit(max_steps=1)
        trainer.progress.smoothed = 1e-3
        with pytest.raises(DivergenceError, match='times its running mean .* batch 2'):
            trainer.fit()

    def test_validation(self, make_trainer):
        trainer = make_trainer()
        trainer.engine.validate = lambda _: ({'valid_loss': float('inf')}, None)
        with pytest.raises(DivergenceError, match='validation loss is inf .* epoch 1'):
            trainer.fit()
        assert load_checkpoint(trainer.output / 'last.pt')['progress'].step == 2
