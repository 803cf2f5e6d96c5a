# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Train the bundled network of the removal with a known PSF.

The model that ships was made with::

    python tools/train_psf_model.py -o WORK --validate-every 1600

It serves all setups, of both modes: the network is told the PSF. Training
resumes from its last checkpoint (every two minutes); the rate of learning
is constant but for a warm-up and the last third, so that it can also be
prolonged, with a larger ``--cutouts``, from the checkpoint that is kept
where the decay begins. Weights and card are written to
``WORK/psf.safetensors``. Everything is drawn from seeds: batch k is the
same whenever it is drawn.
"""

import argparse
import json
import os
import platform
import shutil
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from photutils_pconv.network import FilledUNet
from photutils_pconv.setups import get_setup, list_setups
from photutils_pconv.simulation import ResidualConfig, ResidualSampler

SEED = 606
#: The side of a cutout, in pixels.
SIZE = 64
#: The share of all steps after which the rate of learning falls.
CONSTANT = 0.65
NORMALISATION = {'name': 'robust', 'radius': 24.0, 'softening': 3.0}
SNR_EDGES = (0, 4, 12, 40, 130, 400, np.inf)


def save(path, **state):
    """
    Write a checkpoint so that a crash cannot leave half of one.
    """
    temporary = path.with_suffix('.tmp')
    torch.save(state, temporary)
    os.replace(temporary, path)


class Batches(torch.utils.data.Dataset):
    """
    Batch k of the training set, made in a worker process.

    Each batch is drawn once and serves twice in a row, the second time
    flipped and turned at random: drawing takes as long as learning.
    """

    def __init__(self, sampler, batch_size, n_batches, first=0):
        self.sampler = sampler
        self.batch_size = batch_size
        self.n_batches = n_batches
        self.first = first
        self._number, self._batch = None, None

    def __len__(self):
        return self.n_batches - self.first

    def __getitem__(self, index):
        number, again = divmod(self.first + index, 2)
        if number != self._number:
            batch = self.sampler.batch(self.batch_size, [SEED, 2, number])
            self._number, self._batch = number, tensors(batch)
        if not again:
            return self._batch
        rng = np.random.default_rng([SEED, 5, number])
        turns, flip = rng.integers(1, 4), rng.random() < 0.5

        def turn(tensor):
            if tensor.ndim < 4:
                return tensor
            tensor = torch.rot90(tensor, int(turns), (-2, -1))
            return tensor.flip(-1) if flip else tensor

        return tuple(turn(tensor).contiguous() for tensor in self._batch)


def tensors(batch):
    """
    Turn a batch into the tensors that training needs.
    """
    masks = (batch.validity, batch.missing, batch.hole & ~batch.missing)
    return (
        torch.from_numpy(batch.image),
        torch.from_numpy(batch.target[:, None]),
        *(torch.from_numpy(mask[:, None].astype(np.float32)) for mask in masks),
        torch.from_numpy(batch.weight[:, None]),
    )


def loss_terms(output, target, missing, hole, weight):
    """
    Compute the L1 losses within and beyond the holes, and the flux loss.

    The flux loss is the error of the source's flux that follows from the
    error of the emission when its pixels are summed with the PSF's
    weights, in units of the source's peak.
    """
    difference = (output - target).clamp(-20, 20)
    beyond = (1 - hole) * (1 - missing)
    flux = (difference * weight).sum(dim=(1, 2, 3)).abs().mean()
    error = difference.abs()
    l_hole = (error * hole).sum() / hole.sum().clamp(min=1)
    l_beyond = (error * beyond).sum() / beyond.sum().clamp(min=1)
    return l_hole, l_beyond, flux


def validate(network, batches):
    """
    Measure hole RMS and mean error under the source, by SNR.

    Both are in units of the local scatter; the mean is weighted with the
    PSF.
    """
    network.eval()
    rows = []
    for batch in batches:
        image, _, validity, *_ = tensors(batch)
        with torch.no_grad():
            output = network(image, validity)[:, 0].numpy().astype(float)
        error = batch.scaling.invert(output) - batch.emission
        for i in range(len(output)):
            hole = batch.hole[i] & ~batch.missing[i]
            if hole.sum() < 20:
                continue
            scatter = batch.peak[i] / batch.snr[i]
            rms = np.sqrt(np.mean(error[i][hole] ** 2)) / scatter
            weighted = (batch.weight[i] * error[i]).sum() / scatter
            rows.append((batch.snr[i], rms, weighted))
    network.train()
    rows = np.array(rows)
    names = ('hole_rms', 'weighted_error')
    result = {'n_cutouts': len(rows)}
    for k, name in enumerate(names, start=1):
        result[name] = float(f'{np.median(np.abs(rows[:, k])):.4g}')
    for k, name in enumerate(names, start=1):
        values = []
        for low, high in pairwise(SNR_EDGES):
            part = rows[(rows[:, 0] >= low) & (rows[:, 0] < high)]
            values.append(float(f'{np.median(np.abs(part[:, k])):.4g}'))
        result[f'{name}_by_snr'] = values
    return result


def train(args):
    """
    Train the model, from its last checkpoint if there is one.
    """
    torch.manual_seed(SEED)
    setups = [get_setup(setup=name) for name in list_setups()]
    start = time.time()
    sampler = ResidualSampler(
        setups,
        config=ResidualConfig(size=SIZE),
        normalisation=NORMALISATION,
        seed=SEED,
    )
    held_out = ResidualSampler(
        setups,
        config=ResidualConfig(
            size=SIZE, n_fields=36, n_noise=9, n_stamps=48, n_angles=4
        ),
        normalisation=NORMALISATION,
        seed=SEED + 1,
    )
    validation = [held_out.batch(64, [SEED, 3, k]) for k in range(16)]
    print(f'fields and PSFs made in {time.time() - start:.0f} s', flush=True)

    network = FilledUNet(width=args.width, in_channels=3)
    network = network.to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        network,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998),
        use_buffers=True,
    )
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=args.lr, weight_decay=1.0e-4, betas=(0.9, 0.98)
    )
    steps = args.cutouts // args.batch_size
    decay = int(CONSTANT * steps)
    first, hours, history = 0, 0.0, []
    checkpoint = args.output / 'psf.pt'
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state['network'])
        average.load_state_dict(state['average'])
        optimiser.load_state_dict(state['optimiser'])
        first, hours, history = state['step'], state['hours'], state['history']
        print(f'resuming at step {first}', flush=True)
    loader = torch.utils.data.DataLoader(
        Batches(sampler, args.batch_size, steps, first),
        batch_size=None,
        num_workers=1,
        prefetch_factor=16,
    )
    network.train()
    start = saved = time.time()
    running = np.zeros(3)
    for step, batch in enumerate(loader, start=first):
        factor = min((step + 1) / 200, 1.0, (steps - step) / (steps - decay))
        for group in optimiser.param_groups:
            group['lr'] = args.lr * factor
        image, target, validity, *rest = batch
        image = image.to(memory_format=torch.channels_last)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            output = network(image, validity)
        terms = loss_terms(output.float(), target, *rest)
        loss = 6 * terms[0] + terms[1] + 2 * terms[2]
        if not torch.isfinite(loss):
            msg = f'the loss is not finite at batch {step}'
            raise RuntimeError(msg)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        average.update_parameters(network)
        running += np.array([float(t.detach()) for t in terms])
        if (step + 1) % 100 == 0:
            rate = (step + 1 - first) * args.batch_size / (time.time() - start)
            print(step + 1, np.round(running / 100, 4), f'{rate:.1f}/s', flush=True)
            running[:] = 0
        last = step + 1 == steps
        if (step + 1) % args.validate_every == 0 or last:
            figures = validate(average.module, validation)
            history.append({'step': step + 1, **figures})
            print(json.dumps(history[-1]), flush=True)
        if time.time() - saved > 120 or last or step + 1 == decay:
            now = time.time()
            hours += (now - saved) / 3600
            saved = now
            save(
                checkpoint,
                network=network.state_dict(),
                average=average.state_dict(),
                optimiser=optimiser.state_dict(),
                step=step + 1,
                hours=hours,
                history=history,
            )
            if step + 1 == decay:
                shutil.copy(checkpoint, args.output / 'psf_before_decay.pt')
    return average.module, history, hours


def export(args, network, history, hours, steps):
    """
    Write the model file with its card.
    """
    from photutils_pconv.network import ModelCard, save_model

    recipe = {
        'script': 'tools/train_psf_model.py',
        'cutouts': steps * args.batch_size,
        'batch_size': args.batch_size,
        'optimiser': 'AdamW, betas (0.9, 0.98), weight decay 1e-4, clipped at 2',
        'learning_rate': args.lr,
        'schedule': 'warm-up over 200 steps, constant, linear decay from 65 percent on',
        'average': 'exponential moving average of the weights, decay 0.998',
        'loss': '6 L1(holes) + 1 L1(elsewhere) + 2 |PSF-weighted error|',
        'precision': 'bfloat16 autocast',
        'seed': SEED,
        'hours': round(hours, 2),
        'data': 'simulated on the fly: ResidualSampler, cutouts of 64 pixels; '
        'each cutout serves twice, the second time flipped and turned',
    }
    curve = {
        key: [one[key] for one in history]
        for key in ('step', 'hole_rms', 'weighted_error')
    }
    card = ModelCard(
        name='psf',
        description=(
            'Bundled model of the removal with a known PSF, for all setups. It '
            'sees the map minus its sources, their PSFs and the expected mismatch.'
        ),
        architecture={'class': 'FilledUNet', **network.config},
        cutout_size=SIZE,
        normalisation=NORMALISATION,
        setups=tuple(list_setups()),
        recipe=recipe,
        accuracy={'validation': history[-1], 'curve': curve},
        versions={
            'torch': torch.__version__.split('+')[0],
            'numpy': np.__version__,
            'python': platform.python_version(),
        },
    )
    save_model(args.output / 'psf.safetensors', network.eval(), card, overwrite=True)


def main():
    """
    Run the script.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('-o', '--output', type=Path, required=True)
    parser.add_argument('--cutouts', type=int, default=409_600)
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--width', type=int, default=32)
    parser.add_argument('--lr', type=float, default=1.0e-3)
    parser.add_argument('--validate-every', type=int, default=500)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    network, history, hours = train(args)
    export(args, network, history, hours, history[-1]['step'])


if __name__ == '__main__':
    main()
