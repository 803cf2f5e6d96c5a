# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests for training cutouts on disk, and the small training set."""

import csv
import filecmp
import os

import numpy as np
import pytest
from astropy.table import Table

from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import (
    CutoutWriter,
    TrainingCutouts,
    make_small_training_set,
    write_cutouts,
)
from photutils_pconv.training.arrays import open_arrays

SUFFIXES = ('', '_target', '_mask')


def make_cutouts(n, seed=0):
    """Make random cutouts, one of them with missing pixels."""
    rng = np.random.default_rng([seed, n])
    image, target = rng.normal(size=(2, n, 96, 96)).astype(np.float32)
    validity = rng.random(size=image.shape) < 0.8
    if n:
        image[-1, :5] = target[-1, :5] = np.nan
        validity[-1, :5] = False
    table = Table({'field': ['a'] * n, 'setup': ['scanmap/blue'] * n})
    table['snr'] = np.arange(n) / 3
    return TrainingCutouts(image, target, validity, table)


def read_rows(path):
    """Return the rows of a CSV file as dicts."""
    with open(path, newline='') as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize('layout', ['arrays', 'files'])
def test_round_trip(tmp_path, layout):
    pieces = [make_cutouts(3), make_cutouts(0), make_cutouts(4)]
    folder = write_cutouts(
        tmp_path / 'new' / 'set',
        {'train': pieces, 'valid': make_cutouts(2)},
        layout=layout,
    )
    assert folder == tmp_path / 'new' / 'set'
    train, valid = (open_arrays(folder, part) for part in ('train', 'valid'))
    assert (len(train), len(valid)) == (7, 2)
    for name in ('image', 'target', 'validity'):
        expected = np.concatenate([getattr(piece, name) for piece in pieces])
        stored = getattr(train, name)
        np.testing.assert_array_equal([stored[i] for i in range(7)], expected)
    assert isinstance(train.image, np.memmap) == (layout == 'arrays')
    rows = read_rows(folder / 'train.csv')
    assert [row['index'] for row in rows] == list('0123456')
    assert float(rows[4]['snr']) == pytest.approx(1 / 3)
    # What a training gets: missing pixels have no validity.
    cutout = train[0, 6]
    assert cutout.missing[0, :5].all()
    assert not cutout.validity[0, :5].any()
    # Nothing else is left over.
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['set']


def test_paper_layout(tmp_path):
    write_cutouts(tmp_path / 'set', {'train': make_cutouts(3)}, layout='files')
    found = {str(p.relative_to(tmp_path / 'set')) for p in tmp_path.rglob('*.*')}
    expected = {f'train{s}/{i}.npy' for s in SUFFIXES for i in range(3)}
    assert found - {'.'} == expected | {'train.csv'}
    mask = np.load(tmp_path / 'set' / 'train_mask' / '1.npy')
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 1}


def test_stacked_arrays_are_plain_npy(tmp_path):
    # In two pieces, they are the very file that NumPy writes in one.
    pieces = [make_cutouts(3), make_cutouts(8)]
    write_cutouts(tmp_path / 'set', {'valid': pieces})
    for name, suffix in zip(('image', 'target'), SUFFIXES, strict=False):
        whole = np.concatenate([getattr(piece, name) for piece in pieces])
        np.save(tmp_path / 'whole.npy', whole)
        assert filecmp.cmp(
            tmp_path / 'whole.npy', tmp_path / 'set' / f'valid{suffix}.npy', False
        )


@pytest.mark.parametrize('layout', ['arrays', 'files'])
def test_refuses_to_overwrite(tmp_path, layout):
    folder = tmp_path / 'set'
    folder.mkdir()
    write_cutouts(folder, {'train': make_cutouts(2)}, layout=layout)  # empty: fine
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(FileExistsError, match='not an empty folder'):
        write_cutouts(folder, {'train': make_cutouts(2)}, layout=layout)
    assert sorted(tmp_path.rglob('*')) == before


def write_and(folder, action, *, layout='arrays'):
    """Write a set and do something before it is complete."""
    with CutoutWriter(folder, layout=layout) as writer:
        writer.add('train', make_cutouts(2))
        action()


def test_folder_appears_meanwhile(tmp_path):
    def make_folder():
        (tmp_path / 'set').mkdir()
        (tmp_path / 'set' / 'precious').touch()

    with pytest.raises(FileExistsError, match='not an empty folder'):
        write_and(tmp_path / 'set', make_folder)
    assert [p.name for p in tmp_path.rglob('*')] == ['set', 'precious']


@pytest.mark.skipif(os.name != 'posix', reason='needs the permissions of POSIX')
@pytest.mark.parametrize('umask', [0o022, 0o077, 0o007])
def test_permissions_are_those_of_any_folder(tmp_path, monkeypatch, umask):
    """Without asking for the umask, which sets it for all threads."""
    before = os.umask(umask)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, 'umask', None)
            folder = write_cutouts(tmp_path / 'set', {'train': make_cutouts(1)})
        assert folder.stat().st_mode & 0o777 == 0o777 & ~umask
        assert (folder / 'train.npy').stat().st_mode & 0o777 == 0o666 & ~umask
    finally:
        os.umask(before)


@pytest.mark.parametrize('layout', ['arrays', 'files'])
def test_an_error_leaves_nothing(tmp_path, layout):
    def fail():
        assert not (tmp_path / 'set').exists()
        raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'):
        write_and(tmp_path / 'set', fail, layout=layout)
    assert list(tmp_path.iterdir()) == []


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match='layout must be one of'):
        CutoutWriter(tmp_path / 'set', layout='zarr')
    with pytest.raises(ValueError, match='no cutouts were added'):
        write_cutouts(tmp_path / 'set', {})
    with pytest.raises(ValueError, match="'test' has no cutouts"):
        write_cutouts(
            tmp_path / 'set', {'train': make_cutouts(1), 'test': make_cutouts(0)}
        )
    writer = CutoutWriter(tmp_path / 'set')
    with pytest.raises(RuntimeError, match='with block'):
        writer.add('train', make_cutouts(1))
    for part in ('../train', 'train_mask', ''):
        with pytest.raises(ValueError, match='plain name'), writer:
            writer.add(part, make_cutouts(1))
    small = TrainingCutouts(*np.zeros((3, 1, 32, 32)), make_cutouts(1).table)
    with pytest.raises(ValueError, match='96 by 96'):
        write_cutouts(tmp_path / 'set', {'train': small})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope='module')
def small_set(tmp_path_factory):
    """Return a small training set, smaller than the default."""
    folder = tmp_path_factory.mktemp('small') / 'set'
    return make_small_training_set(
        folder, seed=3, n_fields=4, field_size=160, n_sources=5
    )


def test_small_set(small_set):
    fields = {}
    for part in ('train', 'valid', 'test'):
        rows = read_rows(small_set / f'{part}.csv')
        fields[part] = {row['field'] for row in rows}
        assert {row['setup'] for row in rows} == {'scanmap/blue', 'scanmap/green'}
        assert len(open_arrays(small_set, part)) == 10 * len(fields[part])
    assert len(set.union(*fields.values())) == sum(map(len, fields.values())) == 4
    listed = read_rows(small_set / 'fields.csv')
    assert {(row['field'], row['part']) for row in listed} == {
        (name, part) for part, names in fields.items() for name in names
    }
    # Target and input differ by noise, the source, and others' wings.
    data = open_arrays(small_set)
    setup = get_setup('scanmap', 'green')
    for i, row in enumerate(read_rows(small_set / 'train.csv')):
        excess = (data.image[i] - data.target[i])[38:59, 38:59].sum()
        flux = float(row['flux'])
        if row['setup'] == setup.name and float(row['snr']) > 100:
            assert 0.6 * flux < excess < 1.1 * flux


def test_small_set_is_seeded(small_set, tmp_path):
    options = {'n_fields': 4, 'field_size': 160, 'n_sources': 5}
    again = make_small_training_set(tmp_path / 'a', seed=3, **options)
    names = [path.name for path in small_set.iterdir()]
    assert filecmp.cmpfiles(small_set, again, names, shallow=False)[0] == names
    other = make_small_training_set(tmp_path / 'b', seed=4, **options)
    assert not filecmp.cmp(small_set / 'train.npy', other / 'train.npy', False)


def test_pipeline_end_to_end(small_set, tmp_path):
    pytest.importorskip('accelerate')
    pytest.importorskip('kornia')
    from photutils_pconv import NeuralSourceRemover
    from photutils_pconv.training import Trainer, TrainingConfig

    config = TrainingConfig.from_dict(
        {
            'epochs': 1,
            'batch_size': 4,
            'workers': 0,
            'examples': 0,
            'tensorboard': False,
            'progress_bar': False,
            'network': {'width': 2},
        }
    )
    options = {'normalisation': {'name': 'robust'}}
    trainer = Trainer(
        config,
        train_data=open_arrays(small_set, 'train', **options),
        validation_data=open_arrays(small_set, 'valid', **options),
        setups=['scanmap/blue', 'scanmap/green'],
        output=tmp_path / 'run',
    )
    history = trainer.fit()
    assert np.isfinite(history[-1]['valid_loss'])
    model = trainer.export()
    remover = NeuralSourceRemover('scanmap', 'green', model=model)
    data = np.random.default_rng(1).normal(size=(128, 128))
    cleaned, table = remover(data, [(64.0, 64.0)])
    assert np.isfinite(cleaned).all()
    assert len(table) == 1
