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

from functools import partial

import astropy.units as u
import numpy as np
from _psf_maps import make_benchmark_map
from _psf_measure import model_eef
from _real_run import run_on_real_maps
from _tables import BINS, PERCENT, format_lines, median, robust_std
from astropy.stats import gaussian_fwhm_to_sigma
from astropy.table import Table
from scipy.ndimage import gaussian_filter

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.photometry import SourceFlags
from photutils_pconv.setups import get_setup

#: The FWHM of the sources' images, in units of the PSF's.
SIZES = (1.0, 1.1, 1.25, 1.5, 2.0, 2.5)
#: What the package is asked for.
METHODS = {'untold': {}, 'fitted': {'fit_sizes': True}}
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
            # In units of the PSF's FWHM.
            fitted = (phot['fwhm_fit'] / setup.psf_fwhm).to_value(u.one)
            error = (phot['fwhm_err'] / setup.psf_fwhm).to_value(u.one)
        table[f'size {method}'] = fitted
        table[f'pull {method}'] = (fitted - size) / error
    return table


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
            [f'{one:g}', *(value(_select(size, snr, one, *edge)) for edge in BINS)]
            for one in SIZES
        ]
        header = ['FWHM / beam', *(f'{low:g} to {high:g}' for low, high in BINS)]
        parts.append(f'## {what}\n\n{format_lines(header, rows)}')
    return '\n\n'.join(parts)


def _select(size, snr, one, low, high):
    return (size == one) & (snr >= low) & (snr < high)


def _show_ratio(ratio, rows):
    if not rows.any():
        return '-'
    offset = PERCENT * (median(ratio[rows]) - 1.0)
    return f'{offset:+.1f} / {PERCENT * robust_std(ratio[rows]):.1f}'


def _show_size(values, rows):
    if not np.isfinite(values[rows]).any():
        return '-'
    return f'{median(values[rows]):+.2f} / {robust_std(values[rows]):.2f}'


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    run_on_real_maps(
        measure_task,
        make_report,
        arguments,
        title='Resolved sources',
        description=__doc__.splitlines()[1],
        maps=3,
    )


if __name__ == '__main__':
    main()
