# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of removers in other processes and in several threads."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from numpy.testing import assert_array_equal

from photutils_pconv import NeuralSourceRemover

# A child that waits for threads that it has not would wait for ever (s).
PATIENCE = 120


@pytest.fixture(scope='module')
def remover(flat_model):
    return NeuralSourceRemover(
        'scanmap', 'green', model=flat_model, error_method='card', threads=2
    )


@pytest.fixture(scope='module')
def serial(remover, scene):
    return NeuralSourceRemover(
        'scanmap', 'green', model=remover.model, error_method='card'
    )(scene.data, scene.xy)


@pytest.fixture
def two_threads():
    """Let torch have two threads, and use them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    matrix = torch.ones(600, 600)
    assert (matrix @ matrix)[0, 0] == 600
    yield
    torch.set_num_threads(before)


def assert_same(found, expected):
    assert_array_equal(found.cleaned, expected.cleaned)
    for name in ('flux', 'flux_err', 'snr', 'flags'):
        assert_array_equal(found.photometry[name], expected.photometry[name])


@pytest.mark.filterwarnings('ignore:.*multi-threaded, use of fork:DeprecationWarning')
@pytest.mark.parametrize(
    'method',
    [
        # The others import everything anew.
        one if one == 'fork' else pytest.param(one, marks=pytest.mark.slow)
        for one in multiprocessing.get_all_start_methods()
    ],
)
def test_a_remover_in_another_process(method, two_threads, remover, serial, scene):
    """Of the parent, which has used its threads: a forked one has none of them."""
    context = multiprocessing.get_context(method)
    with context.Pool(1) as pool:
        found = pool.apply_async(remover, (scene.data, scene.xy)).get(PATIENCE)
    assert_same(found, serial)


def test_one_remover_in_several_threads(remover, serial, scene):
    """Each has the result of its own map."""
    factors = [1.0, 2.0, 4.0, 8.0]
    with ThreadPoolExecutor(len(factors)) as pool:
        results = list(pool.map(lambda f: remover(f * scene.data, scene.xy), factors))
    for factor, found in zip(factors, results, strict=True):
        # Powers of two are exact, but two threads sum in another order.
        assert found.photometry['flux'] == pytest.approx(
            factor * serial.photometry['flux'], rel=1e-5
        )
    last = remover.results['flux']
    assert any(last is found.photometry['flux'] for found in results)


class TestThreadsOfTorch:
    @pytest.mark.parametrize('threads', [1, 2, None])
    def test_are_left_as_they_were(self, flat_model, scene, threads, two_threads):
        import torch

        seen = []
        hook = flat_model.network.register_forward_pre_hook(
            lambda *_: seen.append(torch.get_num_threads())
        )
        remover = NeuralSourceRemover(
            'scanmap', 'green', model=flat_model, error_method='card', threads=threads
        )
        remover(scene.data, scene.xy)
        hook.remove()
        assert set(seen) == {2 if threads is None else threads}
        assert torch.get_num_threads() == 2

    @pytest.mark.parametrize('threads', [0, -1, 1.5, True, 'two'])
    def test_must_be_some(self, flat_model, threads):
        with pytest.raises((TypeError, ValueError), match='threads'):
            NeuralSourceRemover('scanmap', 'green', model=flat_model, threads=threads)


@pytest.mark.parametrize(
    'duplicate',
    [lambda one: pickle.loads(pickle.dumps(one)), copy.copy, copy.deepcopy],
    ids=['pickle', 'copy', 'deepcopy'],
)
def test_copies_have_no_result(duplicate, flat_model, scene, serial):
    remover = NeuralSourceRemover(
        'scanmap', 'green', model=flat_model, error_method='card'
    )
    empty = len(pickle.dumps(remover))
    remover(scene.data, scene.xy)
    assert remover.results is not None
    assert len(pickle.dumps(remover)) == empty
    other = duplicate(remover)
    assert other.results is None
    assert other.cleaned is None
    assert repr(other) == repr(remover)
    assert_same(other(scene.data, scene.xy), serial)
