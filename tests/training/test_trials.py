# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of frozen levels, parts of batches, early ends, dry runs and found rates.
"""

import numpy as np
import pytest
import torch

from photutils_pconv.training import TrainingConfig
from photutils_pconv.training.checkpoint import load_checkpoint
from photutils_pconv.training.loading import EpochBatches

pytest.importorskip('accelerate')
pytest.importorskip('kornia')


def weights(trainer):
    return {k: v.clone() for k, v in trainer.network.state_dict().items()}


@pytest.mark.parametrize('architecture', ['PConvUNet', 'FilledUNet'])
def test_frozen_levels_keep_weights_and_statistics(make_trainer, architecture):
    trainer = make_trainer(
        epochs=1, network={'architecture': architecture, 'freeze': 2}
    )
    before = weights(trainer)
    trainer.fit()
    after = weights(trainer)
    kept = {name for name in before if torch.equal(before[name], after[name])}
    first = {name for name in before if name.startswith(('encoder.0.', 'encoder.1.'))}
    assert first <= kept
    for part in ('encoder.2.', 'decoder'):
        assert any(name.startswith(part) for name in set(before) - kept), part


def test_more_levels_than_there_are(make_trainer):
    with pytest.raises(ValueError, match=r'network.freeze must be at most 4'):
        make_trainer(network={'architecture': 'FilledUNet', 'freeze': 6})


def test_parts_have_the_gradient_of_the_whole(make_trainer, tmp_path):
    """Batch norm apart, and for means over images, four parts are one batch."""
    gradients = []
    for k, parts in enumerate((1, 4)):
        trainer = make_trainer(
            output=tmp_path / str(k),
            accumulate=parts,
            freeze_batch_norm=True,
            augmentation={'enabled': False},
            loss={'preset': 'none', 'terms': {'hole': 1.0, 'valid': 1.0}},
            optimiser={'clip_norm': None},
        )
        trainer.fit(max_steps=1)
        gradients.append([p.grad.clone() for p in trainer.network.parameters()])
    for whole, parts in zip(*gradients, strict=True):
        scale = whole.abs().max()
        torch.testing.assert_close(parts, whole, rtol=0, atol=float(2e-3 * scale))


def test_parts_must_be_equal(make_trainer):
    with pytest.raises(ValueError, match='divisible by accumulate, got 3'):
        make_trainer(accumulate=3)


def test_early_stopping_and_the_best_checkpoints(make_trainer, tmp_path, capsys):
    # Without a step the validation loss never falls again.
    changes = {'epochs': 9, 'early_stopping': 2, 'keep_best': 2}
    changes['freeze_batch_norm'] = True
    trainer = make_trainer(**changes, optimiser={'learning_rate': 1e-30})
    history = trainer.fit()
    assert len(history) < 9
    best = int(np.argmin([row['valid_loss'] for row in history])) + 1
    assert len(history) == best + 2
    printed = capsys.readouterr().out
    assert 'early_stopping' in printed
    assert 'data: 16 cutouts an epoch, 6 for validation' in printed
    assert 'device: cpu, float32, one process' in printed
    for row in history:
        line = next(x for x in printed.splitlines() if f'epoch {row["epoch"]}/9' in x)
        assert f'validation {row["valid_loss"]:.4g}' in line
    ranked = sorted(history, key=lambda row: row['valid_loss'])[:2]
    kept = sorted(path.name for path in (tmp_path / 'run').glob('best_epoch_*.pt'))
    assert kept == sorted(f'best_epoch_{row["epoch"]:03d}.pt' for row in ranked)
    state = load_checkpoint(tmp_path / 'run' / kept[0])
    assert state['progress'].epoch == int(kept[0][11:14])
    # Nothing is left to be done.
    again = make_trainer(**changes, optimiser={'learning_rate': 1e-30})
    assert again.fit(resume=True) == history


def test_tensorboard_is_missed_in_words(make_trainer, capsys, monkeypatch):
    from photutils_pconv.training import _inputs

    monkeypatch.setattr(_inputs, 'find_tensorboard', lambda: None)
    make_trainer(epochs=1).fit()
    assert 'TensorBoard is not installed' in capsys.readouterr().out
    make_trainer(epochs=1, tensorboard=False).fit(resume=True)
    assert 'TensorBoard' not in capsys.readouterr().out


def test_dry_run_leaves_no_trace(make_trainer, tmp_path, capsys):
    trainer = make_trainer()
    before = weights(trainer)
    result = trainer.dry_run(2)
    assert result.n_steps == 2
    assert result.whole == pytest.approx(
        result.first_batch + 3 * (2 * result.step + result.validation)
    )
    printed = capsys.readouterr().out
    assert '3 epochs' in printed
    assert not (tmp_path / 'run').exists()
    for name, value in weights(trainer).items():
        assert torch.equal(value, before[name])
    # What follows is as without it.
    expected = make_trainer(output=tmp_path / 'other').fit(max_steps=1)
    assert trainer.fit(max_steps=1) == expected


def test_a_rate_is_found_below_where_the_loss_rises(make_trainer):
    trainer = make_trainer(augmentation={'enabled': False})
    before = weights(trainer)
    found = trainer.find_learning_rate(limits=(1e-5, 1.0), n_steps=30)
    assert found.rates[0] == pytest.approx(1e-5)
    assert np.all(np.diff(found.rates) > 0)
    lowest = found.rates[np.nanargmin(found.losses)]
    assert found.suggestion == pytest.approx(0.1 * lowest)
    assert 1e-4 < lowest <= 1.0
    assert all(torch.equal(v, before[k]) for k, v in weights(trainer).items())
    with pytest.raises(ValueError, match='limits must be two rates'):
        trainer.find_learning_rate(limits=(1.0, 0.1))


def test_unknown_keys_are_not_answered_by_far_guesses():
    with pytest.raises(ValueError, match="'patiense' in .*optimiser.*'patience'"):
        TrainingConfig.from_dict({'optimiser': {'patiense': 3}})
    with pytest.raises(ValueError, match='there is none like it') as error:
        TrainingConfig.from_dict({'xyz': 3})
    assert 'did you mean' not in str(error.value)


def test_shares_of_the_processes_do_not_overlap():
    ranks = [EpochBatches(64, 8, rank=rank, n_processes=2) for rank in (0, 1)]
    whole = EpochBatches(64, 8)
    for first, second, both in zip(*ranks, whole, strict=True):
        assert not set(first) & set(second)
        assert sorted(first + second) == sorted(both)
    seen = [key for one in ranks for batch in one for key in batch]
    assert len(seen) == len(set(seen)) == 64
