# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the data sets, the files in the paper's layout, and the batches.
"""

import gzip
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import CutoutSampler, SamplerConfig
from photutils_pconv.training import (
    ArrayCutouts,
    AugmentationConfig,
    SimulatedCutouts,
    open_arrays,
)
from photutils_pconv.training.loading import EpochBatches, make_loader


@pytest.fixture(scope='module')
def sampler():
    config = SamplerConfig(n_fields=2, n_noise=1, n_stamps=2, field_size=128)
    return CutoutSampler([get_setup(setup='scanmap/green')], config=config, seed=1)


class TestSimulated:
    def test_follows_from_seed_epoch_and_index(self, sampler):
        data = SimulatedCutouts(sampler, 10, seed=3)
        cutout = data[2, 5]
        data[0, 1]
        for a, b in zip(cutout, data[2, 5], strict=True):
            assert torch.equal(a, b)
        for other in (
            data[2, 6],
            data[3, 5],
            SimulatedCutouts(sampler, 10, seed=4)[2, 5],
            SimulatedCutouts(sampler, 10, seed=3, fixed=True)[2, 5],
        ):
            assert not torch.equal(cutout.image, other.image)

    def test_fixed(self, sampler):
        data = SimulatedCutouts(sampler, 10, seed=3, fixed=True)
        assert torch.equal(data[0, 4].image, data[7, 4].image)

    def test_cutouts(self, sampler):
        data = SimulatedCutouts(sampler, 10)
        assert len(data) == 10
        for part in data[0, 0]:
            assert part.shape == (1, 96, 96)
            assert part.dtype == torch.float32
            assert torch.isfinite(part).all()
        assert data.normalisation == {'name': 'robust'}
        described = data.describe()
        assert described['setups'] == ['scanmap/green']
        assert described['sampler']['n_fields'] == 2

    def test_several_images(self):
        config = SamplerConfig(
            n_fields=2, n_noise=1, n_stamps=2, field_size=128, size=64
        )
        normalisation = {'name': 'robust', 'wings': True, 'kriging': True}
        sampler = CutoutSampler(
            [get_setup(setup='scanmap/green')],
            config=config,
            normalisation=normalisation,
            seed=1,
        )
        cutouts = SimulatedCutouts(sampler, 4)[0, 1]
        assert cutouts.image.shape == (3, 64, 64)
        assert cutouts.target.shape == cutouts.validity.shape == (1, 64, 64)

    def test_digest(self, sampler):
        """It tells setups, ranges, scaling, and seeds, and needs no cutout."""
        digest = SimulatedCutouts(sampler, 10, seed=3).digest()
        assert digest == SimulatedCutouts(sampler, 10, seed=3).digest()
        setup = get_setup(setup='scanmap/green')
        other_setup = get_setup(setup='scanmap/blue')
        config = sampler.config
        samplers = [
            SimpleNamespace(setups=(setup,), config=config, kind='masked', seed=1),
            SimpleNamespace(setups=(setup,), config=config, kind='masked', seed=2),
            SimpleNamespace(
                setups=(other_setup,), config=config, kind='masked', seed=1
            ),
            SimpleNamespace(
                setups=(setup,),
                config=replace(config, log_noise=(-1.0, 0.0)),
                kind='masked',
                seed=1,
            ),
        ]
        for one in samplers:
            one.normalisation = {'name': 'robust'}
        more = SimpleNamespace(**vars(samplers[0]))
        more.normalisation = {'name': 'minmax'}
        sets = [SimulatedCutouts(one, 10, seed=3) for one in (*samplers, more)]
        sets += [
            SimulatedCutouts(samplers[0], 10, seed=4),
            SimulatedCutouts(samplers[0], 11, seed=3),
            SimulatedCutouts(samplers[0], 10, seed=3, fixed=True),
        ]
        digests = [one.digest() for one in sets]
        assert digests[0] == digest
        assert len(set(digests)) == len(digests)

    def test_bad_size(self, sampler):
        with pytest.raises(ValueError, match='at least 1'):
            SimulatedCutouts(sampler, 0)


class TestArrays:
    def test_minmax(self, arrays):
        # The paper's scaling, of input and target alike (section 2.4.2)
        image, target, validity = arrays(3, 0)
        cutout = ArrayCutouts(image, target, validity)[5, 1]
        low, high = image[1].min(), image[1].max()
        for part, values in ((cutout.image, image[1]), (cutout.target, target[1])):
            expected = 2 * (values - low) / (high - low) - 1
            np.testing.assert_allclose(part[0], expected, atol=1e-5)
        np.testing.assert_array_equal(cutout.validity[0], validity[1])
        assert float(cutout.missing.sum()) == 0

    def test_nan_in_input(self, arrays):
        image, target, validity = arrays(2, 0)
        image[1, 3:7, 3:7] = np.nan
        target[1, 3:7, 3:7] = np.nan
        cutout = ArrayCutouts(image, target, validity)[0, 1]
        assert float(cutout.missing.sum()) == 16
        assert float(cutout.validity[0, 3:7, 3:7].sum()) == 0
        assert all(torch.isfinite(part).all() for part in cutout)

    def test_nan_in_target(self, arrays):
        image, target, validity = arrays(300, 0)
        target[290, 40, 41:44] = np.nan
        with pytest.raises(ValueError, match=r'cutout 290 .* NaN in 3 pixels'):
            ArrayCutouts(image, target, validity)
        data = ArrayCutouts(image, target, validity, nan_targets='missing')
        assert float(data[0, 290].missing.sum()) == 3
        assert torch.isfinite(data[0, 290].target).all()
        # Unchecked at first, but not let through.
        data = ArrayCutouts(image, target, validity, check=False)
        with pytest.raises(ValueError, match='cutout 290'):
            data[0, 290]

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            (lambda i, t, v: (i, t[:1], v), 'same number'),
            (lambda i, t, v: (i[:0], t[:0], v[:0]), 'at least one'),
            (lambda i, t, v: (i, t[:, :90], v), 'one shape'),
            (lambda i, t, v: (i, t, 2.0 * v), 'must be 0 or 1, got 2'),
        ],
    )
    def test_bad_arrays(self, arrays, change, message):
        with pytest.raises(ValueError, match=message):
            ArrayCutouts(*change(*arrays(2, 0)))

    @pytest.mark.parametrize(
        ('change', 'error', 'message'),
        [
            (lambda i, t, v: (None, t, v), TypeError, 'image must be a sequence'),
            (lambda i, t, v: (i, 3.0, v), TypeError, 'target must be a sequence'),
            (lambda i, t, v: (i, t, [None, None]), ValueError, 'validity 0 has object'),
            (lambda i, t, v: (i * 1j, t, v), ValueError, 'image 0 has complex128'),
            (lambda i, t, v: (['a', 'b'], t, v), ValueError, 'image 0 has <U1'),
            (lambda i, t, v: (i * np.nan, t, v), ValueError, 'no pixel of the 2 cut'),
            (lambda i, t, v: (i + np.inf, t, v), ValueError, 'no pixel of the 2 cut'),
        ],
    )
    def test_no_arrays(self, arrays, change, error, message):
        with pytest.raises(error, match=message):
            ArrayCutouts(*change(*arrays(2, 0)))

    def test_no_target_at_all(self, arrays):
        image, target, validity = arrays(2, 0)
        with pytest.raises(ValueError, match='no pixel of the 2 cutouts'):
            ArrayCutouts(image, target * np.nan, validity, nan_targets='missing')
        # One cutout without any is no reason.
        target[0] = np.nan
        data = ArrayCutouts(image, target, validity, nan_targets='missing')
        assert float(data[0, 0].missing.mean()) == 1

    @pytest.mark.parametrize(
        'normalisation', [{'name': 'robust', 'radius': 'wide'}, {'name': 'x'}, {}]
    )
    def test_bad_normalisation(self, arrays, normalisation):
        with pytest.raises(ValueError, match=r"normalisation\['"):
            ArrayCutouts(*arrays(2, 0), normalisation=normalisation)

    def test_digest(self, arrays, tmp_path):
        image, target, validity = arrays(3, 0)
        digest = ArrayCutouts(image, target, validity).digest()
        assert digest == ArrayCutouts(list(image), target, validity * 1.0).digest()
        changed = image.copy()
        changed[2, 5, 5] = np.nextafter(changed[2, 5, 5], np.inf)
        options = {'normalisation': {'name': 'robust'}}
        others = [
            ArrayCutouts(changed, target, validity),
            ArrayCutouts(image[::-1], target, validity),
            ArrayCutouts(image, image, validity),
            ArrayCutouts(image, target, ~validity),
            ArrayCutouts(image[:2], target[:2], validity[:2]),
            ArrayCutouts(image, target, validity, **options),
            ArrayCutouts(image, target, validity, nan_targets='missing'),
        ]
        assert len({digest, *(other.digest() for other in others)}) == 8

    def test_bad_option(self, arrays):
        with pytest.raises(ValueError, match='nan_targets must be'):
            ArrayCutouts(*arrays(2, 0), nan_targets='ignore')


class TestOpenArrays:
    def test_stacked_and_files_are_the_same(self, arrays, array_folder, tmp_path):
        image, target, validity = arrays(16, 1)
        for name, array in (('train', image), ('train_target', target)):
            (tmp_path / name).mkdir()
            for k, cutout in enumerate(array):
                np.save(tmp_path / name / f'{k}.npy', cutout.astype(np.float32))
        # The authors' masks have four channels, the last one for the SNR.
        (tmp_path / 'train_mask').mkdir()
        for k, mask in enumerate(validity):
            other = np.zeros((3, 96, 96))
            np.save(tmp_path / 'train_mask' / f'{k}.npy', [*other, mask])
        stacked, files = open_arrays(array_folder), open_arrays(tmp_path)
        assert isinstance(stacked.image, np.memmap)
        assert len(stacked) == len(files) == 16
        for index in (0, 11):
            for a, b in zip(stacked[0, index], files[0, index], strict=True):
                assert torch.equal(a, b)
        first = open_arrays(tmp_path, mask_channel=0)
        assert float(first[0, 0].validity.sum()) == 0
        with pytest.raises(ValueError, match='has 4 channels'):
            open_arrays(tmp_path, mask_channel=4)

        # The list says how many belong to the set.
        (tmp_path / 'train.csv').write_text('ra,dec\n1,2\n3,4\n5,6\n')
        assert len(open_arrays(tmp_path)) == 3
        lists = tmp_path / 'lists'
        lists.mkdir()
        (lists / 'train.csv').write_text('ra\n' + '1\n' * 20)
        with pytest.raises(ValueError, match='16 files, but its CSV list 20 rows'):
            open_arrays(tmp_path, csv_folder=lists)

    def test_describe(self, array_folder):
        described = open_arrays(array_folder, 'valid').describe()
        assert described['size'] == 6
        assert described['origin'] == f'{array_folder.name}/valid'

    def test_missing(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r'train\.npy'):
            open_arrays(tmp_path)

    @pytest.mark.parametrize(
        'content', [np.array([{}]), np.array(['a']), b'\x93NUMPY\x01\x00 broken']
    )
    def test_no_numbers(self, tmp_path, content):
        path = tmp_path / 'train.npy'
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content, allow_pickle=True)
        with pytest.raises(ValueError, match=r'train\.npy'):
            open_arrays(tmp_path)

    @pytest.mark.parametrize('where', ['train.npy', 'train_mask.npy', 'files'])
    @pytest.mark.parametrize('damage', ['empty', 'zipped', 'gzip', 'short', 'scalar'])
    def test_damaged(self, array_folder, tmp_path, where, damage):
        for path in array_folder.glob('train*.npy'):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        path = tmp_path / where
        if where == 'files':
            (tmp_path / 'train.npy').rename(tmp_path / '0.npy')
            path = tmp_path / 'train' / '0.npy'
            path.parent.mkdir()
            for k, cutout in enumerate(np.load(tmp_path / '0.npy')):
                np.save(path.parent / f'{k}.npy', cutout)
        if damage == 'empty':
            path.write_bytes(b'')
        elif damage == 'zipped':
            with open(path, 'wb') as handle:
                np.savez(handle, data=np.ones((2, 96, 96)))
        elif damage == 'gzip':
            path.write_bytes(gzip.compress(path.read_bytes(), 1))
        elif damage == 'short':
            path.write_bytes(path.read_bytes()[:-7])
        else:
            np.save(path, np.float32(3.0))
        with pytest.raises(ValueError, match=re.escape(repr(str(path)))):
            open_arrays(tmp_path)

    @pytest.mark.parametrize('content', [b'', b'ra\n', b'\xff\xfe\x00\n1\n'])
    def test_bad_list(self, array_folder, tmp_path, content):
        (tmp_path / 'train.csv').write_bytes(content)
        with pytest.raises(ValueError, match=r'train\.csv. (is not a|must list)'):
            open_arrays(array_folder, csv_folder=tmp_path)


class TestBatches:
    def test_epoch(self):
        batches = EpochBatches(23, 6, seed=1)
        orders = []
        for epoch in (0, 1):
            batches.epoch = epoch
            keys = [key for batch in batches for key in batch]
            assert len(keys) == 18
            assert {e for e, _ in keys} == {epoch}
            assert len({index for _, index in keys}) == 18
            orders.append([index for _, index in keys])
        assert orders[0] != orders[1]

    def test_begins_in_the_middle(self):
        batches = EpochBatches(23, 6, seed=1)
        whole = list(batches)
        batches.first = 2
        assert list(batches) == whole[2:]
        assert batches.keys(1) == whole[1]

    def test_processes_share_a_batch(self):
        whole = list(EpochBatches(23, 6, seed=1))
        parts = [
            list(EpochBatches(23, 6, seed=1, rank=rank, n_processes=3))
            for rank in range(3)
        ]
        for k, batch in enumerate(whole):
            assert [key for part in parts for key in part[k]] == batch

    @pytest.mark.parametrize('n_processes', [1, 2, 5])
    def test_validation(self, n_processes):
        keys = []
        for rank in range(n_processes):
            batches = EpochBatches(
                10, 4, shuffle=False, rank=rank, n_processes=n_processes
            )
            keys += [key for batch in batches for key in batch]
        assert sorted(keys) == [(0, index) for index in range(10)]

    def test_bad_size(self):
        with pytest.raises(ValueError, match='at most the number of training cutouts'):
            EpochBatches(5, 6)
        with pytest.raises(ValueError, match='not divisible by the number of proc'):
            EpochBatches(50, 6, n_processes=4)


class TestLoader:
    def test_augmented(self, arrays):
        data = ArrayCutouts(*arrays(8, 0))
        batches = EpochBatches(8, 4, seed=2)
        state = torch.random.get_rng_state()
        plain = list(make_loader(data, batches))
        moved = list(make_loader(data, batches, augmentation=AugmentationConfig()))
        off = AugmentationConfig(enabled=False)
        same = list(make_loader(data, batches, augmentation=off))
        assert torch.equal(state, torch.random.get_rng_state())
        assert [len(batch.image) for batch in plain] == [4, 4]
        assert torch.equal(plain[0].image, same[0].image)
        assert not torch.equal(plain[0].image, moved[0].image)
        # Moved, but still the cutouts of this batch.
        for a, b in zip(plain[0].image, moved[0].image, strict=True):
            assert float(a.max()) == float(b.max())

    # Python 3.12 and later warn of threads, which torch always has.
    @pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
    def test_workers_give_the_same(self, arrays):
        data = ArrayCutouts(*arrays(8, 0))
        batches = EpochBatches(8, 4, seed=2)
        options = {'augmentation': AugmentationConfig()}
        alone = make_loader(data, batches, **options)
        worker = make_loader(data, batches, workers=2, **options)
        for epoch, first in ((0, 0), (1, 1), (1, 0)):
            batches.epoch, batches.first = epoch, first
            for a, b in zip(alone, worker, strict=True):
                assert torch.equal(a.image, b.image)
        # Left in the middle and begun again.
        next(iter(worker))
        assert torch.equal(next(iter(worker)).image, next(iter(alone)).image)
