# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the choice of devices.
"""

import numpy as np
import pytest
import torch

from photutils_pconv.network.running import RunOptions, choose_device


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
