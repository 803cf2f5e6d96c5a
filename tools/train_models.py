# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Train the bundled models.

The two models that ship were made with::

    python tools/train_models.py scanmap -o WORK --cutouts 160000
    python tools/train_models.py parallel -o WORK --cutouts 64000 --lr 1e-3 \
        --start WORK/scanmap.pt

Training resumes from its last checkpoint (every two minutes); the
weights and a card with the recipe and the validation figures are written
to ``WORK/MODE.safetensors``. Everything is drawn from seeds: batch k is
the same whenever it is drawn.
"""

import argparse
import json
import math
import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from photutils_pconv.setups import get_setup, list_setups
from photutils_pconv.simulation.dataset import CutoutSampler, SamplerConfig

SEEDS = {'scanmap': 101, 'parallel': 202}
NORMALISATION = {'name': 'robust', 'radius': 24.0, 'softening': 3.0}


class Batches(torch.utils.data.Dataset):
    """
    Batch k of the training set, made in a worker process.
    """

    def __init__(self, sampler, batch_size, n_batches, seed, first=0):
        self.sampler = sampler
        self.batch_size = batch_size
        self.n_batches = n_batches
        self.seed = seed
        self.first = first

    def __len__(self):
        return self.n_batches - self.first

    def __getitem__(self, index):
        batch = self.sampler.batch(self.batch_size, [self.seed, 2, self.first + index])
        return tensors(batch)


def tensors(batch):
    """
    Turn a batch into the four tensors that training needs.
    """
    return (
        torch.from_numpy(batch.image[:, None]),
        torch.from_numpy(batch.target[:, None]),
        torch.from_numpy(batch.validity[:, None].astype(np.float32)),
        torch.from_numpy(batch.missing[:, None].astype(np.float32)),
    )


def loss_terms(output, target, validity, missing):
    """
    Compute the L1 losses over holes and valid pixels, and the flux loss.

    The L1 terms are means over their own pixels (Eq. 2 of the paper
    divides both by the number of all pixels); the flux loss is the mean
    absolute error of a cutout's mean over its holes, which is what a
    source's flux sees.
    """
    difference = (output - target).clamp(-20, 20)
    hole = (1 - validity) * (1 - missing)
    valid = validity
    size = hole.sum(dim=(1, 2, 3)).clamp(min=1)
    flux = ((difference * hole).sum(dim=(1, 2, 3)) / size).abs().mean()
    error = difference.abs()
    l_hole = (error * hole).sum() / hole.sum().clamp(min=1)
    l_valid = (error * valid).sum() / valid.sum().clamp(min=1)
    return l_hole, l_valid, flux


def validate(network, batches):
    """
    Measure hole RMS and flux error against an annulus' on fixed cutouts.

    Both are divided by the local scatter of the map; medians over
    cutouts are robust against the few wild ones.
    """
    network.eval()
    rows = []
    for batch in batches:
        image, _, validity, _ = tensors(batch)
        with torch.no_grad():
            out = network(image, validity)[:, 0].numpy().astype(float)
        prediction = batch.scaling.invert(out)
        yy, xx = np.indices(batch.raw.shape[1:])
        r = np.hypot(xx - 48, yy - 48)
        ring = (r > 16) & (r < 22)
        for i in range(len(out)):
            hole = batch.hole[i] & ~batch.missing[i]
            around = ring & batch.validity[i]
            if around.sum() < 100 or hole.sum() < 20:
                continue
            truth = batch.emission[i][hole]
            scatter = batch.raw[i][around].std()
            annulus = batch.raw[i][around].mean() - truth
            model = prediction[i][hole] - truth
            rows.append(
                (
                    np.sqrt(np.mean(model**2)) / scatter,
                    np.sqrt(np.mean(annulus**2)) / scatter,
                    abs(model.mean()) / scatter,
                    abs(annulus.mean()) / scatter,
                    batch.snr[i],
                )
            )
    network.train()
    rows = np.array(rows)
    names = ('hole_rms', 'hole_rms_annulus', 'mean_error', 'mean_error_annulus')
    result = {'n_cutouts': len(rows)}
    for k, name in enumerate(names):
        result[name] = float(np.median(rows[:, k]))
    edges = (0, 12, 40, 130, 400, np.inf)
    ratio = []
    for low, high in pairwise(edges):
        part = rows[(rows[:, 4] >= low) & (rows[:, 4] < high)]
        ratio.append(float(np.median(part[:, 2]) / np.median(part[:, 3])))
    result['mean_error_ratio_by_snr'] = ratio
    return result


def refine_batch_norm(network, sampler, seed, *, n_batches=160, batch_size=32):
    """
    Take the batch-norm statistics anew, as means over many batches.

    Those kept while training follow the last few batches, and scatter
    by what happened to be in them.
    """
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    with torch.no_grad():
        for k in range(n_batches):
            image, _, validity, _ = tensors(sampler.batch(batch_size, [seed, 4, k]))
            network(image, validity)
    for norm in norms:
        norm.momentum = 0.1


def save(path, **state):
    """
    Write a checkpoint so that a crash cannot leave half of one.
    """
    temporary = path.with_suffix('.tmp')
    torch.save(state, temporary)
    os.replace(temporary, path)


def train(args):
    """
    Train one model, from its last checkpoint if there is one.
    """
    from photutils_pconv.network.unet import PConvUNet

    torch.manual_seed(SEEDS[args.mode])
    seed = SEEDS[args.mode]
    names = [name for name in list_setups() if name.startswith(args.mode)]
    # Parallel red shares its PSF with scan map red (section 2.3.2), and
    # serves for tests alone.
    names = [name for name in names if name != 'parallel/red']
    setups = [get_setup(setup=name) for name in names]
    sampler = CutoutSampler(setups, normalisation=NORMALISATION, seed=seed)
    held_out = CutoutSampler(
        setups,
        config=SamplerConfig(n_fields=36, n_noise=9, n_stamps=32),
        normalisation=NORMALISATION,
        seed=seed + 1,
    )
    validation = [held_out.batch(64, [seed, 3, k]) for k in range(16)]

    network = PConvUNet(width=args.width)
    network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=args.lr, weight_decay=1.0e-4, betas=(0.9, 0.98)
    )
    steps = args.cutouts // args.batch_size
    warm_up = steps // 40

    def factor(step):
        if step < warm_up:
            return (step + 1) / warm_up
        phase = (step - warm_up) / (steps - warm_up)
        return 0.5 * (1 + math.cos(math.pi * phase)) + 1e-4

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    first, hours, history = 0, 0.0, []
    checkpoint = args.output / f'{args.mode}.pt'
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state['network'])
        optimiser.load_state_dict(state['optimiser'])
        schedule.load_state_dict(state['schedule'])
        first, hours, history = state['step'], state['hours'], state['history']
        print(f'resuming at step {first}', flush=True)
    elif args.start:
        state = torch.load(args.start, weights_only=True)
        network.load_state_dict(state['network'])

    loader = torch.utils.data.DataLoader(
        Batches(sampler, args.batch_size, steps, seed, first),
        batch_size=None,
        num_workers=1,
        prefetch_factor=8,
    )
    model = torch.compile(network) if args.compile else network
    network.train()
    start = saved = time.time()
    running = np.zeros(3)
    for step, batch in enumerate(loader, start=first):
        image, target, validity, missing = batch
        image = image.to(memory_format=torch.channels_last)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            output = model(image, validity)
        terms = loss_terms(output.float(), target, validity, missing)
        loss = 6 * terms[0] + terms[1] + 3 * terms[2]
        if not torch.isfinite(loss):
            msg = f'the loss is not finite at batch {step}'
            raise RuntimeError(msg)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        running += np.array([float(t.detach()) for t in terms])
        if (step + 1) % 100 == 0:
            rate = (step + 1 - first) * args.batch_size / (time.time() - start)
            print(step + 1, np.round(running / 100, 4), f'{rate:.1f}/s', flush=True)
            running[:] = 0
        last = step + 1 == steps
        if (step + 1) % args.validate_every == 0 or last:
            figures = validate(network, validation)
            history.append({'step': step + 1, **figures})
            print(json.dumps(history[-1]), flush=True)
        if time.time() - saved > 120 or last:
            now = time.time()
            hours += (now - saved) / 3600
            saved = now
            save(
                checkpoint,
                network=network.state_dict(),
                optimiser=optimiser.state_dict(),
                schedule=schedule.state_dict(),
                step=step + 1,
                hours=hours,
                history=history,
            )
    refine_batch_norm(network, sampler, seed)
    figures = validate(network, validation)
    history.append({'step': steps, 'batch_norm': 'refined', **figures})
    print(json.dumps(history[-1]), flush=True)
    return network, history, hours, names


def export(args, network, history, hours, names):
    """
    Write the model file with its card.
    """
    import platform

    from photutils_pconv.network.card import ModelCard
    from photutils_pconv.network.weights import save_model

    recipe = {
        'script': 'tools/train_models.py',
        'cutouts': args.cutouts,
        'batch_size': args.batch_size,
        'optimiser': 'AdamW, betas (0.9, 0.98), weight decay 1e-4, clipped at 2',
        'learning_rate': args.lr,
        'schedule': 'linear warm-up over 2.5 percent, then cosine to zero',
        'loss': '6 L1(hole) + 1 L1(valid) + 3 |mean error over the holes|',
        'precision': 'bfloat16 autocast',
        'batch_norm': 'statistics re-estimated over 160 batches at the end',
        'seed': SEEDS[args.mode],
        'started_from': args.start.stem if args.start else None,
        'hours': round(hours, 2),
        'data': 'simulated on the fly: photutils_pconv.simulation.dataset defaults',
    }
    card = ModelCard(
        name=args.mode,
        description=(
            f'First bundled model for the {args.mode} mode: paper architecture at '
            f'width {args.width}, trained on simulated extended emission.'
        ),
        architecture={'class': 'PConvUNet', **network.config},
        normalisation=NORMALISATION,
        setups=tuple(names),
        recipe=recipe,
        accuracy={'validation': history[-1]},
        versions={
            'torch': torch.__version__.split('+')[0],
            'numpy': np.__version__,
            'python': platform.python_version(),
        },
    )
    save_model(
        args.output / f'{args.mode}.safetensors', network.eval(), card, overwrite=True
    )


def main():
    """
    Run the script.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('mode', choices=sorted(SEEDS))
    parser.add_argument('-o', '--output', type=Path, required=True)
    parser.add_argument('--cutouts', type=int, default=160_000)
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--width', type=int, default=12)
    parser.add_argument('--lr', type=float, default=2.0e-3)
    parser.add_argument('--start', type=Path, help='checkpoint to start from')
    parser.add_argument('--validate-every', type=int, default=500)
    parser.add_argument('--no-compile', dest='compile', action='store_false')
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    export(args, *train(args))


if __name__ == '__main__':
    main()
