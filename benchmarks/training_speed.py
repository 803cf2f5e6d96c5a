# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Speed and memory of the training, and the time it waits for data.

The paper's full-size network (width 32) and a small one are trained for
the same number of steps on the same generated sets: one of memory-mapped
arrays, and one that is simulated on the fly::

    python benchmarks/training_speed.py
    python benchmarks/training_speed.py --quick

Each training runs in a process of its own, with one more process that
makes the batches, one in advance; the training's threads leave it a core
(unless OMP_NUM_THREADS is set). The bar: less than 5 percent of the time is spent
waiting for data on two cores. The table is in Markdown.
"""

import argparse
import gc
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from _memory import peak_memory

from photutils_pconv.network import package_versions
from photutils_pconv.simulation import make_small_training_set
from photutils_pconv.training import Trainer, TrainingConfig, make_data

__all__ = ['BAR', 'format_table', 'main', 'measure']

#: The largest share of the time that may be spent waiting for data.
BAR = 0.05

_NETWORKS = {'full-size (width 32)': 32, 'small (width 8)': 8}
_STORES = {'arrays': 'memory-mapped arrays', 'simulated': 'simulated on the fly'}
_SETUPS = ('scanmap/blue', 'scanmap/green')
# Field and stamp numbers do not matter for the speed, only for the start.
_FEW = {'n_fields': 16, 'n_noise': 4, 'n_stamps': 16}


def measure(
    width, store, folder, *, steps, batch_size=64, workers=1, warm_up=2, output
):
    """
    Train a network for some steps and take its figures.

    Parameters
    ----------
    width : int
        The network's width.

    store : {'arrays', 'simulated'}
        Where the cutouts come from.

    folder : path-like
        The training set of `make_small_training_set`, for 'arrays'.

    steps : int
        The number of steps that are measured.

    batch_size : int, optional
        The cutouts a step.

    workers : int, optional
        The number of processes that make batches.

    warm_up : int, optional
        The steps before, in which processes start and memory is taken.

    output : path-like
        A folder for the checkpoint.

    Returns
    -------
    figures : dict
        ``width``, ``store``, ``steps``, ``images_per_second``,
        ``waiting_share``, ``step_seconds`` and ``memory``, the peak of
        the training process and of the largest process that makes
        batches, in MB.
    """
    config = TrainingConfig.from_dict(
        {
            'epochs': 1,
            'batch_size': batch_size,
            'workers': workers,
            # No stock of batches may hide that the data are too slow.
            'prefetch': 1,
            'checkpoint_steps': 0,
            'examples': 0,
            'tensorboard': False,
            'progress_bar': False,
            'network': {'width': width},
            'data': {
                'source': store,
                'setups': list(_SETUPS),
                'folder': str(folder),
                'epoch_size': (warm_up + steps + 1) * batch_size,
                'validation_size': 1,
                'sampler': _FEW,
                'validation_sampler': {**_FEW, 'n_fields': 2},
            },
        }
    )
    setups, train_data, validation_data = make_data(config)
    if store == 'arrays':
        train_data = _Repeated(train_data, config.data.epoch_size)
    trainer = Trainer(
        config,
        train_data=train_data,
        validation_data=validation_data,
        setups=setups,
        output=output,
    )
    before = _remember_warm_up(trainer, warm_up)
    trainer.fit(max_steps=warm_up + steps)
    seconds, waited = (
        trainer.progress.sums[name] - before.get(name, 0.0)
        for name in ('seconds', 'waited')
    )
    # The processes that make batches end with their loader; only then the
    # system knows their peak.
    del trainer
    gc.collect()
    return {
        'width': width,
        'store': store,
        'steps': steps,
        'images_per_second': steps * batch_size / seconds,
        'step_seconds': seconds / steps,
        'waiting_share': waited / seconds,
        'memory': [
            peak_memory(resource.RUSAGE_SELF),
            peak_memory(resource.RUSAGE_CHILDREN) if workers else 0.0,
        ],
    }


def _remember_warm_up(trainer, warm_up):
    """
    Give a trainer's sums at the end of the warm-up, once it has come there.
    """
    take_step, before = trainer.engine.train_batch, {}

    def take_next(batch, check=None):
        if trainer.progress.step == warm_up:
            before.update(trainer.progress.sums)
        return take_step(batch, check)

    trainer.engine.train_batch = take_next
    return before


class _Repeated:
    """
    A data set, as often as an epoch of the wanted length needs it.
    """

    def __init__(self, data, size):
        self.data = data
        self.size = size
        self.normalisation = data.normalisation

    def __len__(self):
        return self.size

    def __getitem__(self, key):
        epoch, index = key
        return self.data[epoch, index % len(self.data)]


def format_table(rows):
    """
    Write the figures as Markdown.

    Parameters
    ----------
    rows : list of dict
        What `measure` gives, and ``network``, the name.

    Returns
    -------
    text : str
        The table.
    """
    header = [
        'network',
        'data',
        'images/s',
        's/step',
        'peak memory, training + data (MB)',
        'waiting for data',
        f'below {BAR:.0%}',
    ]
    lines = ['| ' + ' | '.join(header) + ' |', '| --- ' * len(header) + '|']
    for row in rows:
        cells = [
            row['network'],
            _STORES[row['store']],
            f'{row["images_per_second"]:.1f}',
            f'{row["step_seconds"]:.2f}',
            '{:.0f} + {:.0f}'.format(*row['memory']),
            f'{row["waiting_share"]:.2%}',
            'yes' if row['waiting_share'] < BAR else 'no',
        ]
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def _measure_apart(arguments):
    """
    Measure in a process of its own, whose memory is that of one training.
    """
    done = subprocess.run(
        [sys.executable, __file__, '--measure', json.dumps(arguments)],
        env={'OMP_NUM_THREADS': _threads(arguments['workers']), **os.environ},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _threads(workers):
    """
    Leave a core for each process that makes batches, unless told otherwise.
    """
    cores = max(1, (os.cpu_count() or 1) - workers)
    return os.environ.get('OMP_NUM_THREADS', str(cores))


def _describe_run(steps, batch_size, workers):
    versions = package_versions()
    versions = ', '.join(f'{name} {versions[name]}' for name in sorted(versions))
    return (
        f'{steps} steps of {batch_size} cutouts, {workers} process(es) for the data; '
        f'{_threads(workers)} thread(s) for the training; {os.cpu_count()} cores, '
        f'{platform.machine()}, '
        f'load {os.getloadavg()[0]:.1f} at the start. {versions}.'
    )


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--quick', action='store_true', help='about five minutes')
    parser.add_argument('--steps', type=int, help='steps that are measured')
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--workers', type=int, default=1)
    parser.add_argument('--seed', type=int, default=2026)
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    parser.add_argument('--measure', help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.measure:
        print(json.dumps(measure(**json.loads(args.measure))))
        return

    steps = args.steps or (4 if args.quick else 20)
    parts = ['# Speed of the training']
    parts.append(_describe_run(steps, args.batch_size, args.workers))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = make_small_training_set(
            Path(name) / 'cutouts', seed=args.seed, setups=_SETUPS
        )
        for network, width in _NETWORKS.items():
            for store in _STORES:
                print(f'{network}, {_STORES[store]}', file=sys.stderr, flush=True)
                figures = _measure_apart(
                    {
                        'width': width,
                        'store': store,
                        'folder': str(folder),
                        'steps': steps,
                        'batch_size': args.batch_size,
                        'workers': args.workers,
                        'output': str(Path(name) / f'{width}-{store}'),
                    }
                )
                rows.append({'network': network, **figures})
    parts.append(format_table(rows))
    text = '\n\n'.join(parts) + '\n'
    print(text)
    if args.output:
        args.output.write_text(text, encoding='utf-8')


if __name__ == '__main__':
    main()
