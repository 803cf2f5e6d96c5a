# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of how networks are run.
"""

import numpy as np
import pytest
import torch
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.network import devices, running
from photutils_pconv.network.devices import choose_device
from photutils_pconv.network.filled import FilledUNet
from photutils_pconv.network.running import (
    RunOptions,
    choose_precision,
    make_predictor,
)
from photutils_pconv.network.unet import PConvUNet


@pytest.mark.parametrize('device', ['auto', 'cpu', 'cpu:0', torch.device('cpu')])
def test_devices_that_run(device):
    expected = 'cuda' if device == 'auto' and torch.cuda.is_available() else 'cpu'
    assert choose_device(device).type == expected


@pytest.mark.filterwarnings('ignore:.*no longer used as device type')
@pytest.mark.parametrize(
    'device',
    [
        *('meta', 'meta:0', 'mkldnn', 'lazy', 'xla', 'hpu', 'fpga', 'vulkan'),
        *('privateuseone', 'cuda:99', 'tpu', '', 'CPU', 'cpu:-2', 'a' * 1000),
        *(torch.device('meta'), None, 0, 1.5, ['cpu'], np.array(['auto', 'cpu'])),
    ],
)
def test_devices_that_cannot_run(device):
    with pytest.raises(ValueError, match=r"must be 'auto' or 'cpu'.* run here, got "):
        RunOptions(device=device)


@pytest.fixture
def cutouts():
    rng = np.random.default_rng(5)
    validity = rng.random((6, 32, 32)) > 0.1
    return rng.normal(size=(6, 1, 32, 32)) * validity[:, None], validity


@pytest.fixture
def network():
    """A network that is far from symmetric."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(3)
        network = FilledUNet(width=4).eval()
        network.head.weight.normal_(0, 0.1)
    return network


class TestTurns:
    @pytest.mark.parametrize('turns', [1, 2, 4])
    @pytest.mark.parametrize('k', [1, 2, 3])
    def test_turned_cutouts_give_turned_output(self, cutouts, network, turns, k):
        predict = make_predictor(network, RunOptions(turns=turns))
        images, validity = cutouts
        output = predict(images, validity)
        turned = predict(np.rot90(images, k, (2, 3)), np.rot90(validity, k, (1, 2)))
        np.testing.assert_allclose(turned, np.rot90(output, k, (1, 2)), atol=1e-5)

    def test_average(self, cutouts, network):
        run = RunOptions(turns=4, precision='float32')
        images, validity = cutouts
        image, usable = (
            torch.from_numpy(one.astype('f4')) for one in (images, validity[:, None])
        )
        with torch.inference_mode():
            turned = [
                network(*(torch.rot90(one, k, (2, 3)) for one in (image, usable)))
                for k in range(4)
            ]
        expected = sum(torch.rot90(one, -k, (2, 3)) for k, one in enumerate(turned)) / 4
        found = make_predictor(network, run)(images, validity)
        np.testing.assert_allclose(found, expected[:, 0].numpy(), atol=1e-5)

    def test_other_networks_are_run_as_they_are(self):
        rng = np.random.default_rng(2)
        images, validity = rng.random((2, 1, 96, 96)), np.ones((2, 96, 96), bool)
        network = PConvUNet(width=2).eval()
        found = make_predictor(network, RunOptions(turns=4))(images, validity)
        with torch.inference_mode():
            expected = network(
                torch.from_numpy(images.astype('f4')), torch.ones(2, 1, 96, 96)
            )
        np.testing.assert_allclose(found, expected[:, 0].numpy(), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize('turns', [0, 5, 1.5, True, '1'])
    def test_refused(self, turns):
        with pytest.raises((TypeError, ValueError), match='turns must be'):
            RunOptions(turns=turns)


class TestPrecision:
    @pytest.mark.parametrize('fast', [False, True])
    def test_auto(self, network, monkeypatch, fast):
        monkeypatch.setattr(running, 'has_bfloat16', lambda device: fast)
        chosen = 'bfloat16' if fast else 'float32'
        assert choose_precision(RunOptions(), network) == chosen
        # Its output is no correction: rounding would be that of the emission.
        assert choose_precision(RunOptions(), PConvUNet(width=2)) == 'float32'

    @pytest.mark.filterwarnings('ignore:.*only emulated')
    @pytest.mark.parametrize('precision', ['float32', 'bfloat16'])
    def test_given(self, network, precision):
        assert choose_precision(RunOptions(precision=precision), network) == precision

    @pytest.mark.parametrize('fast', [False, True])
    def test_emulation_is_warned_of(self, monkeypatch, recwarn, fast):
        monkeypatch.setattr(devices, 'has_bfloat16', lambda device: fast)
        for precision in ('auto', 'float32', 'bfloat16'):
            RunOptions(precision=precision)
        assert [str(one.message)[:20] for one in recwarn] == (
            [] if fast else ["precision='bfloat16'"]
        )

    def test_warned_of_once(self, monkeypatch):
        """Options that are completed later are not warned of again."""
        monkeypatch.setattr(devices, 'has_bfloat16', lambda device: False)
        with pytest.warns(AstropyUserWarning, match='only emulated'):
            run = RunOptions(precision='bfloat16', progress_bar=True)
        # From here on a warning is an error.
        turned, silent = run.with_turns(3), run.without_bar()
        for one, turns, bar in ((turned, 3, True), (silent, None, False)):
            assert (one.precision, one.turns, one.progress_bar) == (
                'bfloat16',
                turns,
                bar,
            )
        assert run.progress_bar
        assert run.turns is None
        with pytest.raises(ValueError, match='turns must be at most 4'):
            run.with_turns(5)

    @pytest.mark.filterwarnings('ignore:.*only emulated')
    def test_rounding_is_small(self, cutouts, network):
        exact, rounded = (
            make_predictor(network, RunOptions(precision=precision))(*cutouts)
            for precision in ('float32', 'bfloat16')
        )
        change = np.std(exact)
        assert 0 < np.abs(rounded - exact).max() < 0.05 * change
