# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Train variants of a recipe for a while, and compare them.

From the top folder::

    OMP_NUM_THREADS=1 python tools/search_models.py -o WORK

trains every variant of ``VARIANTS`` on the same cutouts in the same order, and
prints a table with their errors in the holes of the same validation set: the
RMS, that of the smoothest quarter of the cutouts, and that of the mean over the
hole, all in units of the scatter of the emission over the cutout, which no
normalisation changes; the medians. What was trained before is not trained again.
``docs/development/model_search.rst`` has the table.

Of a recipe of the kind ``'residual'`` the figures are those of the training's own
validation, and only the variants of seed, width, and teacher have a meaning.
"""

import argparse
import copy
import json
import tomllib
from pathlib import Path

import numpy as np
import torch
from astropy.table import Table

from photutils_pconv.network import load_model
from photutils_pconv.training import Trainer, TrainingConfig, make_data

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / 'tools' / 'recipes' / 'pacs.toml'

#: What makes a run short.
SHORT = {
    'epochs': 1,
    'checkpoint_steps': 0,
    'progress_bar': False,
    'data': {
        'validation_size': 2048,
        'sampler': {'n_fields': 180, 'n_stamps': 64},
        'validation_sampler': {'n_fields': 36, 'n_noise': 9, 'n_stamps': 32},
    },
}
# The distance of the pixels that tell how rough a cutout is.
_LAG = 6
_L1 = {'preset': 'default'}
_TEACHER = str(ROOT / 'training_output' / 'psf_wide' / 'psf_wide.safetensors')
#: The variants, as they differ from the recipe.
VARIANTS = {
    'the recipe': {},
    # Other weights at the start, and another order of the same cutouts: what a
    # difference between variants means.
    'another seed': {'seed': 102},
    'a third seed': {'seed': 103},
    'without the wings': {'data': {'normalisation': {'wings': False}}},
    'without kriging: a smooth fill': {'data': {'normalisation': {'kriging': False}}},
    'minmax': {'data': {'normalisation': {'name': 'minmax'}}},
    'power 0.75': {'loss': {'terms': {'balanced': {'power': 0.75}}}},
    'means twice as heavy': {
        'loss': {'terms': {'balanced': {'flux': 1.0, 'aperture': 1.0}}}
    },
    'L1 loss': {'loss': _L1},
    'L1 loss and SSIM': {'loss': {**_L1, 'terms': {'ssim': 0.4}}},
    'L1 loss and the source term': {'loss': {**_L1, 'terms': {'source': 1.0}}},
    'ReLU': {'network': {'decoder_activation': 'relu'}},
    'two blocks a level': {'network': {'blocks': 2}},
    'width 16': {'network': {'width': 16}},
    # For the recipe psf_wide, and what it trained.
    'width 16, taught': {'network': {'width': 16}, 'loss': {'teacher': _TEACHER}},
    'width 16, taught, one turn': {
        'network': {'width': 16, 'turns': 1},
        'loss': {'teacher': _TEACHER},
    },
    'width 48': {'network': {'width': 48}},
    'batches of 16': {'batch_size': 16},
    'batches of 64': {'batch_size': 64},
    'constant rate': {'optimiser': {'schedule': 'constant'}},
    'no averaged weights': {'optimiser': {'ema_decay': None}},
}


def merge(base, change):
    """
    Merge nested dictionaries.

    Parameters
    ----------
    base, change : dict
        The dictionaries; values of the second one go first.

    Returns
    -------
    merged : dict
        A new dictionary.
    """
    merged = copy.deepcopy(base)
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    if merged.get('name') == 'minmax':
        # The options of 'robust' have no meaning for it.
        merged = {k: v for k, v in merged.items() if k in ('name', 'wings', 'kriging')}
    return merged


def measure(network, data, *, batch_size=64):
    """
    Measure a network's errors in holes.

    Parameters
    ----------
    network : `torch.nn.Module`
        The network.

    data : `torch.utils.data.Dataset`
        The validation set.

    batch_size : int, optional
        The cutouts that the network sees at once.

    Returns
    -------
    figures : dict
        The medians of the RMS error, of that in the smoothest quarter, and of
        the mean error, over the scatter of the cutout's emission.
    """
    rows = []
    for start in range(0, len(data), batch_size):
        keys = range(start, min(start + batch_size, len(data)))
        image, target, validity, missing = (
            torch.stack(parts)
            for parts in zip(*(data[0, key] for key in keys), strict=True)
        )
        with torch.inference_mode():
            output = network(image, validity)
        for out, truth, valid, absent in zip(
            *(one[:, 0].numpy() for one in (output, target, validity, missing)),
            strict=True,
        ):
            hole = (valid == 0) & (absent == 0)
            error = (out - truth)[hole].astype(float) / truth[absent == 0].std()
            roughness = np.abs(truth[_LAG:] - truth[:-_LAG]).mean()
            rows.append((np.sqrt(np.mean(error**2)), abs(error.mean()), roughness))
    rms, mean, roughness = np.array(rows).T
    smooth = roughness <= np.quantile(roughness, 0.25)
    figures = {'rms': rms, 'smooth': rms[smooth], 'mean': mean}
    return {name: float(np.nanmedian(one)) for name, one in figures.items()}


def train(name, values, output, made):
    """
    Train a variant, and measure it, unless that was done before.

    Parameters
    ----------
    name : str
        Its name.

    values : dict
        Its configuration.

    output : `~pathlib.Path`
        The folder of all runs.

    made : dict
        The data sets that were made, by their description.

    Returns
    -------
    figures : dict
        Its figures, and the time of its training in seconds.
    """
    folder = output / ''.join(c if c.isalnum() else '_' for c in name)
    path = folder / 'figures.json'
    if path.exists():
        return json.loads(path.read_text(encoding='utf-8'))
    config = TrainingConfig.from_dict({**values, 'output': str(folder)})
    description = repr(config.data)
    if description not in made:
        made.clear()
        made[description] = make_data(config)
    setups, train_data, validation_data = made[description]
    trainer = Trainer(
        config,
        train_data=train_data,
        validation_data=validation_data,
        setups=setups,
        output=folder,
    )
    trainer.fit(resume=True)
    model = load_model(trainer.export(dtype='float32', overwrite=True))
    metrics = Table.read(folder / 'metrics.csv', format='ascii.csv')
    if config.data.kind == 'masked':
        figures = measure(model.network, validation_data)
    else:
        # In units of the network's input; no measure of the smooth ones.
        names = {'rms': 'hole_rms', 'smooth': None, 'mean': 'weighted_error'}
        figures = {
            key: np.nan if name is None else float(metrics[name][-1])
            for key, name in names.items()
        }
    figures['seconds'] = float(metrics['seconds'][-1])
    path.write_text(json.dumps(figures), encoding='utf-8')
    return figures


def main(arguments=None):
    """
    Run the script.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('-o', '--output', type=Path, required=True)
    parser.add_argument('--recipe', type=Path, default=RECIPE)
    parser.add_argument('--cutouts', type=int, default=16384)
    parser.add_argument('--variants', nargs='*', choices=list(VARIANTS))
    args = parser.parse_args(arguments)
    recipe = merge(tomllib.loads(args.recipe.read_text(encoding='utf-8')), SHORT)
    recipe['data']['epoch_size'] = args.cutouts
    lines = ['| variant | hole RMS | smooth | mean | seconds |', '| --- ' * 5 + '|']
    made = {}
    for name in args.variants or VARIANTS:
        row = train(name, merge(recipe, VARIANTS[name]), args.output, made)
        lines.append(
            f'| {name} | {row["rms"]:.4f} | {row["smooth"]:.4f} | {row["mean"]:.4f} '
            f'| {row["seconds"]:.0f} |'
        )
        print(lines[-1], flush=True)
    (args.output / 'table.md').write_text('\n'.join(lines) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
