# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How close may two sources be for a finder to see both?

Pairs of sources lie on simulated emission with noise. Both are found if each is near a
detection of its own, at the threshold that each finder has by default or in its
examples::

    python benchmarks/finding_pairs.py --output FILE
"""

import argparse
import os
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from _finding_peers import find_finders
from _maps import draw_positions, inject_pairs, setup_number
from _maps import simulate_emission_and_noise as simulate
from _real import load_vesta
from _run import (
    add_run_arguments,
    describe_command,
    measure_maps,
    print_progress,
    write_text,
)
from _tables import format_lines
from astropy.table import Table
from finding import match

from photutils_pconv.psf import lobed_psf
from photutils_pconv.setups import get_setup

# All by choice. Distances (FWHM), the flux of the second source over that of the
# first, the SNR (Eq. 1) of the first, and how far off a detection may be, in units of
# the distance: what lies in the middle finds neither.
_DISTANCES = (0.7, 0.9, 1.1, 1.3, 1.6, 2.0)
_SHARES = (1.0, 0.3)
_SNR = 30.0
_MATCH = 0.35
# The maps: their side, the least distance of two pairs, and the margin (pixels).
_SIZE, _SEPARATION, _MARGIN = 320, 40.0, 24
_SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')


def make_pairs(setup_name, k, *, seed, folder=None):
    """
    Make a map of pairs.

    Parameters
    ----------
    setup_name : str
        The setup.

    k : int
        The map's number.

    seed : int
        The benchmark's seed.

    folder : path-like, optional
        The folder of real data, for the PSFs.

    Returns
    -------
    truth : `_maps.BenchmarkMap`
        The map; the two sources of each pair follow each other.

    distances, shares : 1D `~numpy.ndarray`
        The pairs' distances (FWHM) and ratios of fluxes.
    """
    setup = get_setup(setup=setup_name)
    rng = np.random.default_rng([seed, 12, setup_number(setup_name), k])
    emission, noise = simulate(setup, rng, (_SIZE, _SIZE))
    combinations = [(one, share) for one in _DISTANCES for share in _SHARES]
    positions = draw_positions(
        emission.shape,
        3 * len(combinations),
        rng,
        margin=_MARGIN,
        separation=_SEPARATION,
    )
    n = positions.shape[1]
    kinds = np.array([combinations[i % len(combinations)] for i in range(n)])
    fwhm = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    psf = lobed_psf(setup) if folder is None else load_vesta(Path(folder), setup)[0]
    truth = inject_pairs(
        'simulated',
        setup,
        psf,
        (),
        emission,
        noise,
        positions,
        rng,
        pairs=kinds * (fwhm, 1.0),
        snr=np.full(n, _SNR),
    )
    return truth, *kinds.T


def measure_job(job, *, seed, folder):
    """
    Run all finders on a map of pairs.

    Parameters
    ----------
    job : tuple
        Setup and number of the map.

    seed, folder
        As for `make_pairs`.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a finder and kind of pairs: how many there are, and of how many both
        sources are found.
    """
    truth, distances, shares = make_pairs(*job, seed=seed, folder=folder)
    fwhm = (truth.setup.psf_fwhm / truth.setup.pixel_scale).to_value('')
    rows = []
    for finder in find_finders():
        with warnings.catch_warnings():
            # None found, or a box of the background without a pixel.
            warnings.simplefilter('ignore')
            positions = finder.run(truth, fwhm)
        x, y = positions[finder.thresholds.index(finder.usual)]
        for distance in _DISTANCES:
            found = match(x, y, truth, _MATCH * distance * fwhm).reshape(-1, 2)
            for share in _SHARES:
                here = (distances == distance) & (shares == share)
                rows.append(
                    {
                        'finder': finder.name,
                        'share': share,
                        'distance': distance,
                        'n_pairs': np.count_nonzero(here),
                        'n_both': np.count_nonzero(found[here].all(axis=1)),
                    }
                )
    return Table(rows)


def summarise(table):
    """
    Compare the finders.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `measure_job` gives for several maps.

    Returns
    -------
    text : str
        A Markdown table for each ratio of fluxes.
    """
    parts = []
    for share in _SHARES:
        rows = []
        here = table[table['share'] == share]
        for name in dict.fromkeys(here['finder']):
            own = here[here['finder'] == name]
            cells = []
            for distance in _DISTANCES:
                one = own[own['distance'] == distance]
                cells.append(f'{one["n_both"].sum() / one["n_pairs"].sum():.2f}')
            rows.append([name, *cells])
        n_pairs = here['n_pairs'][here['finder'] == here['finder'][0]].sum()
        header = ['finder', *(f'{one:g} FWHM' for one in _DISTANCES)]
        parts.append(
            f'## Ratio of fluxes {share:g}: {n_pairs} pairs\n\n'
            'The share of pairs of which both sources are found, by their distance\n\n'
            + format_lines(header, rows)
        )
    return '\n\n'.join(parts)


def main(arguments=None):
    """
    Run the benchmark.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--quick', action='store_true', help='one map')
    parser.add_argument('--maps', type=int, default=4, help='maps a setup')
    add_run_arguments(parser, seed=20261129, rows='kinds of pairs')
    options = parser.parse_args(arguments)
    setups, n_maps = (_SETUPS[1:2], 1) if options.quick else (_SETUPS, options.maps)
    table = measure_maps(
        partial(
            measure_job, seed=options.seed, folder=os.environ.get('PCONV_REAL_DATA')
        ),
        [(setup, k) for setup in setups for k in range(n_maps)],
        processes=options.processes,
        report=print_progress,
    )
    if options.table:
        table.write(options.table, overwrite=True)
    text = ['# Finding pairs of sources', describe_command(), summarise(table)]
    write_text('\n\n'.join(text), options.output)


if __name__ == '__main__':
    main()
