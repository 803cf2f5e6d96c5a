# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How many sources are found on structured emission, at equal reliability?

Finders run on simulated maps, on filaments, and on real emission with injected
sources, at many thresholds. At each of them completeness is the share of the injected
sources that is found, reliability the share of what is found that was injected: peaks
of a real map's own count as false, for all finders alike. The table has the highest
completeness at which the reliability, of all maps together, is at least so high, of
all sources and by their SNR (Eq. 1)::

    PCONV_REAL_DATA=... python benchmarks/finding.py --output FILE

Peers see the map less photutils' ``Background2D``, over its rms; hyper's detection is
that of hyper-py-photometry, if that is installed (1.2.3 needs scikit-learn before 1.6).
Then false detections are counted on maps into which nothing was injected, as they are
and upside down, where no source is a peak. ``--half training`` makes the maps with
which the package's numbers were chosen.
"""

import argparse
import os
import time
import warnings
from functools import partial

import numpy as np
from _finding_maps import (
    HALVES,
    PARTS,
    make_empty_map,
    make_finding_map,
    source_snr,
)
from _finding_peers import FINDERS, find_finders
from _run import (
    add_run_arguments,
    describe_command,
    measure_maps,
    print_progress,
    write_text,
)
from _tables import format_lines
from astropy.table import Table, vstack
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from photutils_pconv.finding import find_sources

#: The reliabilities at which finders are compared.
RELIABILITIES = (0.95, 0.9, 0.8)
#: The bins of the SNR (Eq. 1), by choice; the fainter sources count as well.
BINS = ((1, 3), (3, 10), (10, 30), (30, np.inf))
# All by choice. A detection is a source within so many FWHM; the thresholds at which
# false detections are counted; and the pixels of a megapixel.
_MATCH = 0.75
_FALSE_THRESHOLDS = (4.0, 5.0, 7.0)
_MEGAPIXEL = 1.0e6
_SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')
# Maps of noise alone are quick: for so many there is one of each emission.
_NOISE_MAPS = 4


def match(x, y, truth, radius):
    """
    Tell which sources are found, each by one detection.

    Parameters
    ----------
    x, y : 1D `~numpy.ndarray`
        The detections.

    truth : `_maps.BenchmarkMap`
        The map.

    radius : float
        How far a detection may be off, in pixels.

    Returns
    -------
    found : 1D bool `~numpy.ndarray`
        The sources that are found, of as many pairs as there can be.
    """
    if len(x) == 0:
        return np.zeros(len(truth.x), dtype=bool)
    near = np.hypot(truth.x[:, None] - x, truth.y[:, None] - y) <= radius
    pairs = maximum_bipartite_matching(csr_array(near.astype(int)), perm_type='column')
    return pairs >= 0


def measure_job(job, *, seed, folder, half='test'):
    """
    Run all finders on a map.

    Parameters
    ----------
    job : tuple
        Part, setup and number of the map.

    seed : int
        The benchmark's seed.

    folder : str or `None`
        The folder of real data.

    half : str, optional
        One of `_finding_maps.HALVES`.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a finder and threshold: the numbers of detections, of sources and of
        those that are found, of all and by bins of the SNR, and the time of the
        finder (s).
    """
    truth = make_finding_map(*job, seed=seed, folder=folder, half=half)
    fwhm = (truth.setup.psf_fwhm / truth.setup.pixel_scale).to_value('')
    snr = source_snr(truth)
    bins = np.array([(snr >= low) & (snr < high) for low, high in BINS])
    rows = []
    for finder in find_finders():
        start = time.process_time()
        with warnings.catch_warnings():
            # None found, or a box of the background without a pixel.
            warnings.simplefilter('ignore')
            positions = finder.run(truth, fwhm)
        spent = time.process_time() - start
        for threshold, (x, y) in zip(finder.thresholds, positions, strict=True):
            found = match(x, y, truth, _MATCH * fwhm)
            rows.append(
                {
                    'part': job[0],
                    'map': f'{truth.name} {truth.setup.name} {job[2]}',
                    'finder': finder.name,
                    'threshold': float(threshold),
                    'n_detections': len(x),
                    'n_sources': len(truth.x),
                    'n_found': np.count_nonzero(found),
                    'bin_sources': bins.sum(axis=1),
                    'bin_found': (bins & found).sum(axis=1),
                    'time': spent,
                }
            )
    return Table(rows)


def measure_false(job, *, seed, folder):
    """
    Count what is found on a map without sources.

    Parameters
    ----------
    job : tuple
        Part, setup and number of the map.

    seed, folder
        As for `measure_job`.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a threshold: the numbers of detections on the map and on it turned
        upside down, and of pixels.
    """
    name, data = make_empty_map(*job, seed=seed, folder=folder)
    counts = []
    for sign in (1.0, -1.0):
        table = find_sources(
            sign * data, setup=job[1], threshold=min(_FALSE_THRESHOLDS)
        )
        counts.append(
            [np.count_nonzero(table['snr'] >= one) for one in _FALSE_THRESHOLDS]
        )
    pixels = np.count_nonzero(np.isfinite(data))
    rows = [
        {
            'emission': name,
            'threshold': threshold,
            'n_detections': up,
            'n_upside_down': down,
            'n_pixels': pixels,
        }
        for threshold, up, down in zip(_FALSE_THRESHOLDS, *counts, strict=True)
    ]
    return Table(rows)


def curve(table):
    """
    Give completeness and reliability by threshold, of all maps together.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The rows of one finder.

    Returns
    -------
    completeness : 2D `~numpy.ndarray`
        By ascending threshold, of all sources and by bins of the SNR; NaN for bins
        without sources.

    reliability : 1D `~numpy.ndarray`
        That at each threshold.
    """
    thresholds = np.unique(table['threshold'])

    def sums(name):
        chosen = (table[name][table['threshold'] == one] for one in thresholds)
        return np.array([np.sum(one, axis=0) for one in chosen], dtype=float)

    n_detections, n_found = sums('n_detections'), sums('n_found')
    reliability = np.divide(
        n_found, n_detections, out=np.ones_like(n_found), where=n_detections > 0
    )
    found = np.column_stack([n_found, sums('bin_found')])
    sources = np.column_stack([sums('n_sources'), sums('bin_sources')])
    completeness = np.full(found.shape, np.nan)
    np.divide(found, sources, out=completeness, where=sources > 0)
    return completeness, reliability


def completeness_at(completeness, reliability, level):
    """
    Interpolate the highest completeness at which the reliability is a level.

    Parameters
    ----------
    completeness : 2D `~numpy.ndarray`
        See `curve`; that of all sources, the first, decides.

    reliability : 1D `~numpy.ndarray`
        See `curve`.

    level : float
        The reliability.

    Returns
    -------
    completeness : 1D `~numpy.ndarray`
        That of all sources and by bins, 0 where the reliability is never so high.
    """
    options = [np.zeros(completeness.shape[1]), *completeness[reliability >= level]]
    for k in range(len(reliability) - 1):
        low, high = reliability[k], reliability[k + 1]
        if low < level <= high:
            share = (level - low) / (high - low)
            options.append(
                (1.0 - share) * completeness[k] + share * completeness[k + 1]
            )
    return max(options, key=lambda one: one[0])


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
        Markdown tables for each kind of maps.
    """
    parts = []
    bins = [f'{low} to {high}' for low, high in BINS[:-1]]
    bins.append(f'> {BINS[-1][0]}')
    for part in PARTS:
        here = table[table['part'] == part]
        if len(here) == 0:
            continue
        curves = {
            one: curve(here[here['finder'] == one.name])
            for one in FINDERS
            if one.name in here['finder']
        }
        first = here[here['finder'] == FINDERS[0].name]
        first = first[first['threshold'] == FINDERS[0].usual]
        parts.append(
            f'## {part.capitalize()}: {len(first)} maps, '
            f'{first["n_sources"].sum()} sources'
        )
        for level in RELIABILITIES:
            rows = [
                [
                    one.name,
                    *(f'{value:.2f}' for value in completeness_at(*found, level)),
                ]
                for one, found in curves.items()
            ]
            parts.append(
                f'### Completeness at a reliability of {100 * level:.0f} percent\n\n'
                + format_lines(['finder', 'all', *bins], rows)
            )
        rows = []
        for one, (completeness, reliability) in curves.items():
            own = here[here['finder'] == one.name]
            k = np.unique(own['threshold']).tolist().index(one.usual)
            rows.append(
                [
                    one.name,
                    f'{one.usual:g}',
                    *_format([completeness[k, 0], reliability[k]]),
                    f'{np.median(own["time"]):.1f}',
                ]
            )
        header = 'finder,threshold,completeness,reliability,seconds in all'.split(',')
        parts.append('### Usual thresholds\n\n' + format_lines(header, rows))
    return '\n\n'.join(parts)


def _format(values):
    return [f'{value:.2f}' for value in values]


def summarise_false(table):
    """
    Count false detections by emission.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `measure_false` gives for several maps.

    Returns
    -------
    text : str
        A Markdown table.
    """
    rows = []
    for name in dict.fromkeys(table['emission']):
        own = table[table['emission'] == name]
        cells = []
        for threshold in _FALSE_THRESHOLDS:
            one = own[own['threshold'] == threshold]
            pixels = one['n_pixels'].sum() / _MEGAPIXEL
            cells += [
                f'{one[column].sum() / pixels:.0f}'
                for column in ('n_detections', 'n_upside_down')
            ]
        rows.append([name, f'{pixels:.2f}', *cells])
    header = ['emission', 'megapixels']
    for threshold in _FALSE_THRESHOLDS:
        header += [f'SNR {threshold:g}', 'upside down']
    return (
        '## False detections per megapixel\n\n'
        'On noise and on emission without injected sources: real maps have some of '
        'their own.\n\n' + format_lines(header, rows)
    )


def main(arguments=None):
    """
    Run the benchmark.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--quick', action='store_true', help='one map a part')
    parser.add_argument('--maps', type=int, default=2, help='maps a setup and part')
    parser.add_argument('--half', choices=HALVES, default='test', help='which maps')
    add_run_arguments(parser, seed=20261129, rows='finders and thresholds')
    options = parser.parse_args(arguments)
    folder = os.environ.get('PCONV_REAL_DATA')
    setups, n_maps = (_SETUPS[1:2], 1) if options.quick else (_SETUPS, options.maps)
    parts = [part for part in PARTS if part != 'real' or folder]

    def jobs(names, count):
        return [
            (part, setup, i * count + k)
            for part in names
            for i, setup in enumerate(setups)
            for k in range(count)
        ]

    run = {'processes': options.processes, 'report': print_progress}
    given = {'seed': options.seed, 'folder': folder}
    table = measure_maps(
        partial(measure_job, **given, half=options.half), jobs(parts, n_maps), **run
    )
    text = ['# Finding sources on structure', describe_command(), summarise(table)]
    if options.half == 'test':
        n_empty = -(-n_maps // 2)
        empty = [*jobs(('noise',), _NOISE_MAPS * n_empty), *jobs(parts, n_empty)]
        false = measure_maps(partial(measure_false, **given), empty, **run)
        text.append(summarise_false(false))
        table = vstack([table, false])
    if options.table:
        table.write(options.table, overwrite=True)
    write_text('\n\n'.join(text), options.output)


if __name__ == '__main__':
    main()
