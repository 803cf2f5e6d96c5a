# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fluxes of maps without bright sources: what faint ones tell of the PSF.

Sources with the in-flight PSFs of Vesta, turned by a random angle a map, are
injected into simulated emission, none of them brighter than a limit. Fluxes of
the PSF method are compared within the setup's aperture, as in
``psf_accuracy.py``; so are those of the same method without a fit of the PSF's
shape::

    PCONV_REAL_DATA=... python benchmarks/psf_shape.py --processes 2
"""

import os

# Before numpy comes: a thread for each process.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import time
import warnings
from functools import partial
from pathlib import Path

import astropy.units as u
import numpy as np
from _maps import MARGIN, draw_positions, inject, simulate_emission_and_noise
from _psf_measure import model_eef
from _real import load_vesta
from _run import add_run_arguments, describe_command, run_jobs, write_text
from _tables import PERCENT, format_lines
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.setups import get_setup

#: The highest SNR (Eq. 1) on a map.
LIMITS = (12, 25, 50, 100, 400)
SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')
# The lowest SNR, the number of sources, and the side of the maps (pixels).
_LOWEST, _N_SOURCES, _SIZE = 5.0, 16, 400


def measure_map(task, *, folder, seed):
    """
    Measure the sources of one map.

    Parameters
    ----------
    task : tuple
        The highest SNR, the setup's name and the map's number.

    folder : path-like
        The folder of real data.

    seed : int
        The benchmark's seed.

    Returns
    -------
    ratios : dict of 1D `~numpy.ndarray`
        Measured over true flux, with and without a fit of the PSF's shape.
    """
    limit, name, k = task
    setup = get_setup(setup=name)
    rng = np.random.default_rng([seed, k, SETUPS.index(name)])
    psf, eef = load_vesta(Path(folder), setup)
    emission, noise = simulate_emission_and_noise(setup, rng, (_SIZE, _SIZE))
    positions = draw_positions(emission.shape, _N_SOURCES, rng, margin=MARGIN)
    truth = inject(
        name,
        setup,
        psf,
        eef,
        emission,
        noise,
        positions,
        rng,
        snr_range=(_LOWEST, limit),
    )
    radius = setup.aperture_radius.to_value(u.arcsec)
    true = truth.flux * np.interp(radius, *truth.eef)
    ratios = {}
    for method, fit in (('fitted', True), ('as it is', False)):
        remover = NeuralSourceRemover(
            setup=setup, method='psf', error_method='local', fit_psf_shape=fit
        )
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', AstropyUserWarning)
            table = remover(
                u.Quantity(truth.data, u.Jy / u.pix),
                np.stack([truth.x, truth.y], axis=1),
            ).photometry
        for column, what in (('flux', 'PSF'), ('flux_aperture', 'aperture')):
            flux = np.asarray(table[column].to_value(u.Jy)) * model_eef(setup)
            ratios[f'{what}, shape {method}'] = flux / true
    return ratios


def make_report(tasks, found):
    """
    Write the figures as Markdown.

    Parameters
    ----------
    tasks, found : list
        The tasks, and what `measure_map` gave for each.

    Returns
    -------
    text : str
        Two tables: the median flux ratio's distance from 1 on a map, and the
        scatter of the ratio over all sources, in percent.
    """
    header = ['highest SNR', *map(str, LIMITS)]
    bias, scatter = [], []
    for method in found[0]:
        groups = [
            [
                one[method]
                for task, one in zip(tasks, found, strict=True)
                if task[0] == n
            ]
            for n in LIMITS
        ]
        medians = [np.array([np.nanmedian(one) for one in maps]) for maps in groups]
        bias.append(
            [
                method,
                *(
                    f'{PERCENT * (np.median(one) - 1):+.1f} '
                    f'({PERCENT * np.sqrt(np.mean((one - 1) ** 2)):.1f})'
                    for one in medians
                ),
            ]
        )
        spread = [
            np.subtract(*np.nanpercentile(np.concatenate(maps), [75, 25]))
            for maps in groups
        ]
        scatter.append([method, *(f'{PERCENT * one:.1f}' for one in spread)])
    return '\n\n'.join(
        [
            '## Median bias on a map, percent (root mean square over the maps)',
            format_lines(header, bias),
            '## Interquartile range of the flux ratio, percent',
            format_lines(header, scatter),
        ]
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
    parser.add_argument('--maps', type=int, default=6, help='maps a setup and limit')
    add_run_arguments(parser, seed=2026, rows='maps')
    args = parser.parse_args(arguments)
    folder = os.environ.get('PCONV_REAL_DATA')
    if not folder:
        parser.error('PCONV_REAL_DATA must name the folder of real data')
    start = time.time()
    tasks = [(n, name, k) for k in range(args.maps) for n in LIMITS for name in SETUPS]
    measure = partial(measure_map, folder=folder, seed=args.seed)
    found = run_jobs(measure, tasks, processes=args.processes)
    text = '# Maps without bright sources\n\n'
    text += f'{describe_command()}\n\n{make_report(tasks, found)}\n'
    text += f'\nRun time: {time.time() - start:.0f} s.\n'
    write_text(text, args.output)


if __name__ == '__main__':
    main()
