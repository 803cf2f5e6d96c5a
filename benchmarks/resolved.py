# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Resolved sources that nobody told of, and point sources taken for them.

On real backgrounds, sources with the in-flight PSFs of Vesta are made larger by
round Gaussians. The package is told positions alone::

    PCONV_REAL_DATA=... python benchmarks/resolved.py --processes 2

Each source keeps its flux, so that a larger one has a lower SNR: bins are those of
the SNR that it has on the map.
"""

import os

# Before numpy comes: a thread for each process.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import time
from functools import partial

import astropy.units as u
import numpy as np
from _psf_maps import make_benchmark_map
from _psf_measure import model_eef
from _real import BACKGROUNDS
from _run import (
    add_run_arguments,
    describe_command,
    measure_maps,
    print_progress,
    write_text,
)
from _tables import BINS, PERCENT, format_lines, median
from astropy.stats import gaussian_fwhm_to_sigma
from astropy.table import Table
from scipy.ndimage import gaussian_filter

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.photometry import SourceFlags
from photutils_pconv.setups import get_setup

SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')
#: The FWHM of the sources' images, in units of the PSF's.
SIZES = (1.0, 1.1, 1.25, 1.5, 2.0, 2.5)
#: What the package is asked for.
METHODS = {'untold': {}, 'fitted': {'fit_sizes': True}}
_MAD_TO_STD = 1.4826
# Sources are made larger within so many pixels: farther out they hardly change.
_HALF = 60


def enlarge_sources(truth, sizes):
    """
    Make the sources of a map larger, with the fluxes that they have.

    Parameters
    ----------
    truth : `_maps.BenchmarkMap`
        The map.

    sizes : sequence of float
        The FWHM of each source's image, in units of the PSF's.

    Returns
    -------
    data : 2D `~numpy.ndarray`
        The map with the larger sources.
    """
    scale = truth.setup.pixel_scale.to_value(u.arcsec)
    beam = truth.setup.psf_fwhm.to_value(u.arcsec) / scale
    data = truth.data.copy()
    for x, y, flux, size in zip(truth.x, truth.y, truth.flux, sizes, strict=True):
        if size == 1.0:
            continue
        x0, y0 = (max(int(one) - _HALF, 0) for one in (x, y))
        part = data[y0 : int(y) + _HALF + 1, x0 : int(x) + _HALF + 1]
        image = flux * truth.psf.render(
            part.shape, x - x0, y - y0, pixel_scale=scale, angle=truth.angle
        )
        sigma = gaussian_fwhm_to_sigma * beam * np.sqrt(size**2 - 1.0)
        part += gaussian_filter(image, sigma, mode='constant') - image
    return data


def measure_task(task, *, folder, seed):
    """
    Measure the sources of one map.

    Parameters
    ----------
    task : tuple
        The setup's name, and the map's number.

    folder : path-like
        The folder of real data.

    seed : int
        The benchmark's seed.

    Returns
    -------
    table : `~astropy.table.Table` or `None`
        A row per source; `None` where the map holds none.
    """
    name, k = task
    truth = make_benchmark_map('real', name, k, seed=seed, folder=folder)
    if len(truth.x) == 0:
        return None
    setup = get_setup(setup=name)
    # Every map has all sizes, and its first source another one than the last map's.
    size = np.take(SIZES, k + np.arange(len(truth.x)), mode='wrap')
    data = u.Quantity(enlarge_sources(truth, size), u.Jy / u.pix)
    radius = setup.aperture_radius.to_value(u.arcsec)
    # What the package gives for a point source of the true PSF is right.
    expected = truth.flux * np.interp(radius, *truth.eef) / model_eef(setup)
    table = Table({'size': size})
    for method, options in METHODS.items():
        remover = NeuralSourceRemover(setup=setup, method='psf', **options)
        phot = remover(data, np.stack([truth.x, truth.y], axis=1)).photometry
        if method == 'untold':
            table['snr'] = np.asarray(phot['snr'])
        table[f'resolved {method}'] = (phot['flags'] & SourceFlags.RESOLVED) > 0
        table[f'ratio {method}'] = phot['flux'].to_value(u.Jy) / expected
        fitted, error = np.full((2, len(phot)), np.nan)
        if 'fwhm_fit' in phot.colnames:
            beam = setup.psf_fwhm.to(u.arcsec)
            pixel = setup.pixel_scale.to(u.arcsec)
            fitted, error = (_in_beams(phot[c], beam, pixel) for c in _SIZE_COLUMNS)
        table[f'size {method}'] = fitted
        table[f'pull {method}'] = (fitted - size) / error
    return table


_SIZE_COLUMNS = ('fwhm_fit', 'fwhm_err')


def _in_beams(column, beam, pixel):
    """Give a column of sizes, in arcsec or pixels, in units of the PSF's FWHM."""
    unit = getattr(column, 'unit', None)
    if unit is None or unit == u.pix:
        column = u.Quantity(getattr(column, 'value', column)) * pixel
    return column.to_value(u.arcsec) / beam.value


def _spread(values):
    """Give the robust standard deviation, without NaN."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return np.nan
    return _MAD_TO_STD * np.median(np.abs(values - np.median(values)))


def make_report(table):
    """
    Write the figures as Markdown.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The sources of all maps.

    Returns
    -------
    text : str
        The tables.
    """
    size, snr = np.asarray(table['size']), np.asarray(table['snr'])
    edges = BINS
    parts = []
    for what, value in (
        ('Sources', lambda rows: f'{rows.sum()}'),
        (
            'With the flag resolved, untold',
            lambda rows: f'{np.sum(table["resolved untold"][rows])} of {rows.sum()}',
        ),
        *(
            (
                f'Flux over true flux, {method}: median offset / scatter, percent',
                partial(_show_ratio, np.asarray(table[f'ratio {method}'])),
            )
            for method in METHODS
        ),
        (
            'Fitted size over true size, fitted: median, and scatter',
            partial(_show_size, np.asarray(table['size fitted']) / size),
        ),
        (
            'Pull of fitted sizes: median, and scatter',
            partial(_show_size, np.asarray(table['pull fitted'])),
        ),
    ):
        rows = [
            [f'{one:g}', *(value(_select(size, snr, one, *edge)) for edge in edges)]
            for one in SIZES
        ]
        header = ['FWHM / beam', *(f'{low:g} to {high:g}' for low, high in edges)]
        parts.append(f'## {what}\n\n{format_lines(header, rows)}')
    return '\n\n'.join(parts)


def _select(size, snr, one, low, high):
    return (size == one) & (snr >= low) & (snr < high)


def _show_ratio(ratio, rows):
    if not rows.any():
        return '-'
    offset = PERCENT * (median(ratio[rows]) - 1.0)
    return f'{offset:+.1f} / {PERCENT * _spread(ratio[rows]):.1f}'


def _show_size(values, rows):
    if not np.isfinite(values[rows]).any():
        return '-'
    return f'{median(values[rows]):+.2f} / {_spread(values[rows]):.2f}'


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--maps', type=int, default=3, help='maps a background')
    parser.add_argument('--quick', action='store_true', help='two maps')
    add_run_arguments(parser, seed=2026, rows='sources')
    args = parser.parse_args(arguments)
    folder = os.environ.get('PCONV_REAL_DATA')
    if not folder:
        parser.error('PCONV_REAL_DATA must name the folder of real data')
    start = time.time()
    numbers = range(args.maps * len(BACKGROUNDS))
    tasks = [(name, k) for k in numbers for name in SETUPS]
    tasks = tasks[:2] if args.quick else tasks
    measure = partial(measure_task, folder=folder, seed=args.seed)
    table = measure_maps(
        measure, tasks, processes=args.processes, report=print_progress
    )
    if args.table:
        table.write(args.table, format='ascii.ecsv', overwrite=True)
    text = f'# Resolved sources\n\n{describe_command()}\n\n'
    text += f'{make_report(table)}\n\nRun time: {time.time() - start:.0f} s.\n'
    write_text(text, args.output)


if __name__ == '__main__':
    main()
