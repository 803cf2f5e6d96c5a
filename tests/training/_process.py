# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A training in a process of its own, which may be killed on the way.

Called as ``_process.py JSON``, a list of tasks with the keys ``config``,
``folder``, ``output``, ``kill`` ([where, when]) and ``gradients``.
"""

import atexit
import json
import os
import signal
import sys

import numpy as np


def kill_at(where, when):
    """Let this process be killed the when-th time that it comes to where."""
    from photutils_pconv.training.engine import Engine

    count = 0

    def maybe_kill(descriptor=None):
        nonlocal count
        count += 1
        if count == when:
            if descriptor is not None:
                os.ftruncate(descriptor, 1000)
            os.kill(os.getpid(), signal.SIGKILL)

    if where == 'before rename':
        replace = os.replace

        def kill_or_replace(temporary, path):
            if path.name == 'last.pt':
                maybe_kill()
            replace(temporary, path)

        os.replace = kill_or_replace
    elif where == 'half written':
        fsync = os.fsync

        def kill_or_fsync(descriptor):
            maybe_kill(descriptor)
            fsync(descriptor)

        os.fsync = kill_or_fsync
    else:
        update = Engine.update

        def update_and_kill(self, loss):
            norm = update(self, loss)
            maybe_kill()
            return norm

        Engine.update = update_and_kill


class Doubled:
    """Give cutouts in double precision."""

    def __init__(self, data):
        self.data = data
        self.normalisation = data.normalisation

    def __len__(self):
        return len(self.data)

    def __getitem__(self, key):
        cutouts = self.data[key]
        return type(cutouts)(*(part.double() for part in cutouts))


def train(task):
    """Train as the task says."""
    import torch

    from photutils_pconv.training import Trainer, TrainingConfig, open_arrays

    if task['kill']:
        kill_at(*task['kill'])
    options = {'normalisation': {'name': 'robust'}}
    data = [open_arrays(task['folder'], part, **options) for part in ('train', 'valid')]
    if task['gradients']:
        # In single precision, rounding tips a pixel over the kinks of the
        # activations and of L1 now and then.
        torch.set_default_dtype(torch.float64)
        data = [Doubled(part) for part in data]
    trainer = Trainer(
        TrainingConfig.from_dict(task['config']),
        train_data=data[0],
        validation_data=data[1],
        setups=['scanmap/green'],
        output=task['output'],
    )
    if not task['gradients']:
        trainer.fit()
        trainer.export()
        return
    trainer.fit(max_steps=1)
    torch.set_default_dtype(torch.float32)
    gradients = {
        name: parameter.grad.numpy()
        for name, parameter in trainer.network.named_parameters()
    }
    if trainer.accelerator.is_main_process:
        np.savez(task['gradients'], **gradients)


def say_goodbye():
    """Say at the end of the process that it has left the others."""
    import torch

    if not torch.distributed.is_initialized():
        print('left the others')


if __name__ == '__main__':
    # What is registered first is called last.
    atexit.register(say_goodbye)
    for task in json.loads(sys.argv[1]):
        train(task)
