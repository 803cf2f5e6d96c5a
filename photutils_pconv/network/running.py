# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The network's prediction of scaled cutouts, for the reconstruction.
"""

import copy

import numpy as np

from photutils_pconv.removal.settings import check_precision, choose_device


def make_predictor(network, device, precision):
    """
    Make the function from scaled cutouts and validity to the output.
    """
    import torch

    check_precision(precision)
    device = choose_device(device)
    turns = getattr(network, 'turns', 1)
    if device.type != 'cpu':
        # The loaded network is shared, and `to` would move it for all.
        network = copy.deepcopy(network).to(device)

    def predict(images, validity):
        images = torch.from_numpy(images.astype(np.float32)).to(device)
        validity = torch.from_numpy(validity[:, None].astype(np.float32)).to(device)
        images = images.contiguous(memory_format=torch.channels_last)
        with (
            torch.inference_mode(),
            torch.autocast(
                device.type, dtype=torch.bfloat16, enabled=precision == 'bfloat16'
            ),
        ):
            # The sky has no up: what depends on the orientation is an error.
            output = sum(
                torch.rot90(
                    network(*(torch.rot90(t, k, (2, 3)) for t in (images, validity))),
                    -k,
                    (2, 3),
                )
                for k in range(turns)
            )
        return (output[:, 0].float() / turns).cpu().numpy().astype(float)

    return predict
