# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How many sources are found on structured emission, at equal reliability?

Finders run on simulated maps, on filaments, and on real emission with injected
sources, at many thresholds. At each of them completeness is the share of the injected
sources that is found, reliability the share of what is found that was injected: peaks
of a real map's own count as false, for all finders alike. The table has the highest
completeness at which the reliability, of all maps together, is at least so high::

    PCONV_REAL_DATA=... python benchmarks/finding.py --output FILE

Peers see the map less photutils' ``Background2D``, over its rms; hyper's detection is
that of hyper-py-photometry, if that is installed.
"""

import argparse
import os
import time
import warnings
from functools import partial

import numpy as np
from _finding_maps import PARTS, make_finding_map
from _run import (
    add_run_arguments,
    describe_command,
    measure_maps,
    print_progress,
    write_text,
)
from _tables import format_lines
from astropy.table import Table
from photutils.background import Background2D
from photutils.detection import DAOStarFinder
from photutils.segmentation import SourceCatalog, SourceFinder
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from photutils_pconv.finding import find_sources

#: The reliabilities at which finders are compared.
RELIABILITIES = (0.95, 0.9, 0.8)
# All by choice. A detection is a source within so many FWHM; the thresholds of each
# finder; boxes of the peers' background (FWHM); and the pixels of a segment.
_MATCH = 0.75
_THRESHOLDS = np.array([3.5, 4, 4.5, 5, 6, 7, 9, 12, 16, 24])
_DAO_THRESHOLDS = np.array([0.5, 1, 1.5, 2, 3, 4, 6, 9, 14, 20])
_SEGMENT_THRESHOLDS = np.array([0.7, 1, 1.5, 2, 3, 4, 6, 9, 14, 20])
_HYPER_THRESHOLDS = np.array([1.5, 2, 3, 4, 5, 6, 8, 12, 18, 30])
_BOX = 6.0
# The thresholds at which each is mostly used: by default, or in photutils' examples.
_DEFAULT = {
    'find_sources': 5.0,
    'any shape': 5.0,
    'DAOStarFinder': 6.0,
    'SourceFinder': 1.5,
    'hyper': 5.0,
}
_SEGMENT_PIXELS = 5
_SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')


def _ours(truth, fwhm, *, shape_tolerance=0.2):
    """
    Give what `find_sources` finds at each threshold.

    A lower threshold finds what a higher one does, and more: one run serves all.
    """
    table = find_sources(
        truth.data,
        setup=truth.setup,
        threshold=_THRESHOLDS[0],
        shape_tolerance=shape_tolerance,
    )
    x, y, snr = (np.array(table[name]) for name in ('x_centroid', 'y_centroid', 'snr'))
    return [(x[snr >= one], y[snr >= one]) for one in _THRESHOLDS]


def _flatten(truth, fwhm):
    """Give a map less its background, over its rms, and where it is missing."""
    missing = ~np.isfinite(truth.data)
    box = min(round(_BOX * fwhm), min(truth.data.shape))
    found = Background2D(
        np.where(missing, 0.0, truth.data), box, mask=missing, exclude_percentile=90
    )
    flat = (truth.data - found.background) / found.background_rms
    return np.where(missing, 0.0, flat), missing


def _positions(table, x, y):
    if table is None:
        return np.zeros(0), np.zeros(0)
    return np.array(table[x]), np.array(table[y])


def _dao(truth, fwhm):
    """Give what DAOStarFinder finds."""
    flat, missing = _flatten(truth, fwhm)
    return [
        _positions(
            DAOStarFinder(one, fwhm)(flat, mask=missing), 'x_centroid', 'y_centroid'
        )
        for one in _DAO_THRESHOLDS
    ]


def _segments(truth, fwhm):
    """Give the centroids of segments, deblended."""
    flat, missing = _flatten(truth, fwhm)
    finder = SourceFinder(n_pixels=_SEGMENT_PIXELS, progress_bar=False)
    found = []
    for one in _SEGMENT_THRESHOLDS:
        segments = finder(flat, one, mask=missing)
        if segments is None:
            found.append(_positions(None, '', ''))
            continue
        catalogue = SourceCatalog(flat, segments, mask=missing)
        found.append(
            (np.atleast_1d(catalogue.x_centroid), np.atleast_1d(catalogue.y_centroid))
        )
    return found


class _HyperConfig:
    """The settings of hyper that its detection reads: its defaults."""

    @staticmethod
    def get(section, name, default=None):
        """Give a setting; what hyper requires is as in its own example."""
        return {'aper_inf': 1.0, 'aper_sup': 2.0}.get(name, default)


def _hyper(truth, fwhm):
    """Give what hyper's detection finds, with the limits of its own example."""
    from hyper_py.detection import detect_sources, estimate_rms

    data = np.where(np.isfinite(truth.data), truth.data, np.nan)
    rms = estimate_rms(np.nan_to_num(data))
    found = []
    for one in _HYPER_THRESHOLDS:
        table = detect_sources(
            {'map': data, 'beam_dim': fwhm, 'pix_dim': 1.0},
            0,
            data,
            rms,
            one,
            (-4.0, 4.0),
            (-2.0, 2.0),
            _HyperConfig,
        )
        found.append(_positions(table, 'xcentroid', 'ycentroid'))
    return found


#: What is compared, and the thresholds of each.
FINDERS = {
    'find_sources': (_ours, _THRESHOLDS),
    'any shape': (partial(_ours, shape_tolerance=np.inf), _THRESHOLDS),
    'DAOStarFinder': (_dao, _DAO_THRESHOLDS),
    'SourceFinder': (_segments, _SEGMENT_THRESHOLDS),
    'hyper': (_hyper, _HYPER_THRESHOLDS),
}


def find_finders():
    """
    Name the finders that are installed.

    Returns
    -------
    names : list of str
        Their names.
    """
    names = list(FINDERS)
    try:
        import hyper_py.detection  # noqa: F401
    except ImportError:
        names.remove('hyper')
    return names


def count_matches(x, y, truth, radius):
    """
    Count the sources that are found, each by one detection.

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
    n_found : int
        The number, of as many pairs as there can be.
    """
    if len(x) == 0:
        return 0
    near = np.hypot(x[:, None] - truth.x, y[:, None] - truth.y) <= radius
    pairs = maximum_bipartite_matching(csr_array(near.astype(int)), perm_type='column')
    return int(np.count_nonzero(pairs >= 0))


def measure_job(job, *, seed, folder):
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

    Returns
    -------
    table : `~astropy.table.Table`
        A row a finder and threshold: the numbers of sources, of detections, and of
        detections of sources, and the time of the finder (s).
    """
    truth = make_finding_map(*job, seed=seed, folder=folder)
    fwhm = (truth.setup.psf_fwhm / truth.setup.pixel_scale).to_value('')
    rows = []
    for name in find_finders():
        run, thresholds = FINDERS[name]
        start = time.process_time()
        with warnings.catch_warnings():
            # None found, or a box of the background without a pixel.
            warnings.simplefilter('ignore')
            found = run(truth, fwhm)
        spent = time.process_time() - start
        n_runs = 1 if thresholds is _THRESHOLDS else len(thresholds)
        for threshold, (x, y) in zip(thresholds, found, strict=True):
            rows.append(
                {
                    'part': job[0],
                    'map': f'{truth.name} {truth.setup.name} {job[2]}',
                    'finder': name,
                    'threshold': threshold,
                    'n_sources': len(truth.x),
                    'n_detections': len(x),
                    'n_found': count_matches(x, y, truth, _MATCH * fwhm),
                    'time': spent / n_runs,
                }
            )
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
    completeness, reliability : 1D `~numpy.ndarray`
        The two, by ascending threshold.
    """
    thresholds = np.unique(table['threshold'])
    sums = np.array(
        [
            [
                np.sum(table[name][table['threshold'] == one])
                for name in ('n_sources', 'n_detections', 'n_found')
            ]
            for one in thresholds
        ],
        dtype=float,
    ).T
    n_sources, n_detections, n_found = sums
    reliability = np.divide(
        n_found, n_detections, out=np.ones_like(n_found), where=n_detections > 0
    )
    return n_found / n_sources, reliability


def completeness_at(completeness, reliability, level):
    """
    Interpolate the highest completeness at which the reliability is a level.

    Parameters
    ----------
    completeness, reliability : 1D `~numpy.ndarray`
        See `curve`.

    level : float
        The reliability.

    Returns
    -------
    completeness : float
        The completeness, 0 where the reliability is never so high.
    """
    best = np.max(completeness[reliability >= level], initial=0.0)
    for k in range(len(reliability) - 1):
        low, high = reliability[k], reliability[k + 1]
        if low < level <= high:
            share = (level - low) / (high - low)
            between = completeness[k] + share * (completeness[k + 1] - completeness[k])
            best = max(best, between)
    return best


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
        A Markdown table for each kind of maps.
    """
    parts = []
    header = ['finder', *(f'{100 * level:.0f} %' for level in RELIABILITIES)]
    header += ['default: complete', 'reliable', 'time (s)']
    for part in PARTS:
        here = table[table['part'] == part]
        if len(here) == 0:
            continue
        n_maps = len(set(here['map']))
        first = here[(here['finder'] == 'find_sources')]
        first = first[first['threshold'] == _DEFAULT['find_sources']]
        rows = []
        for name in FINDERS:
            own = here[here['finder'] == name]
            if len(own) == 0:
                continue
            found = curve(own)
            rows.append(
                [
                    name,
                    *(f'{completeness_at(*found, one):.2f}' for one in RELIABILITIES),
                ]
            )
            usual = own[own['threshold'] == _DEFAULT[name]]
            rows[-1] += [f'{one[0]:.2f}' for one in curve(usual)]
            rows[-1].append(f'{np.median(own["time"]):.1f}')
        parts.append(
            f'## {part.capitalize()}: {n_maps} maps, {first["n_sources"].sum()} sources'
            '\n\nCompleteness at a reliability of at least\n\n'
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
    add_run_arguments(parser, seed=20261129, rows='finders and thresholds')
    parser.add_argument('--maps', type=int, default=2, help='maps a setup and part')
    options = parser.parse_args(arguments)
    folder = os.environ.get('PCONV_REAL_DATA')
    jobs = [
        (part, setup, i * options.maps + k)
        for part in PARTS
        if part != 'real' or folder
        for i, setup in enumerate(_SETUPS)
        for k in range(options.maps)
    ]
    table = measure_maps(
        partial(measure_job, seed=options.seed, folder=folder),
        jobs,
        processes=options.processes,
        report=print_progress,
    )
    if options.table:
        table.write(options.table, overwrite=True)
    text = '\n\n'.join(
        ['# Finding sources on structure', describe_command(), summarise(table)]
    )
    write_text(text, options.output)


if __name__ == '__main__':
    main()
