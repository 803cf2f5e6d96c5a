# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the numbers of a cleaned map's composition follow from.

On real backgrounds with the in-flight PSFs of Vesta, the errors of both kinds of
reconstruction are compared with the structure around the holes, with the PSF's
mismatch, and with each other; the cleaned map is put together with other errors
of the reconstruction; and positions and fits are compared with what was
injected::

    PCONV_REAL_DATA=... python benchmarks/composition.py --processes 2

Errors are those against the map without its sources as it was observed, in the
holes.
"""

import os

# Before numpy comes: a thread for each process.
os.environ.setdefault('OMP_NUM_THREADS', '1')

from dataclasses import replace
from itertools import pairwise

import numpy as np
from _holes import observed_rms
from _psf_maps import make_benchmark_map
from _psf_measure import remove_in_stages
from _real_run import run_on_real_maps
from _tables import BINS, PERCENT, format_lines, median, robust_std
from astropy.table import Table

from photutils_pconv.removal import compose

#: The mismatch in the middle of a source, in units of the structure, between
#: which errors are compared.
MISMATCHES = (0.0, 0.3, 0.7, 1.5, 3.0, 6.0, np.inf)
#: What the errors of reconstructions are taken to be, in units of those that
#: the package takes.
FACTORS = (0.7, 0.8, 1.0, 1.2, 1.4)
#: The name of errors that are those of each source's own reconstruction.
KNOWN = 'known'


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
    found = {
        method: remove_in_stages(truth, method=method) for method in ('psf', 'inpaint')
    }
    removal = found['psf']
    filled, holes, fluxes = removal.filled, removal.holes, removal.filled.psf_fluxes
    images = {
        'residual': filled.reconstruction.emission,
        'inpainted': found['inpaint'].filled.reconstruction.emission,
    }
    errors = observed_rms(truth, images, holes.radius)
    structures = {factor: factor * filled.structure for factor in FACTORS}
    # As if a network knew its own error in each hole.
    known = errors['residual']['observed']
    structures[KNOWN] = np.where(np.isfinite(known), known, filled.structure)
    composed = {}
    for name, structure in structures.items():
        other = replace(filled, structure=structure)
        composition = compose(removal.grid, holes, other, keep=True)
        composed[f'composed {name}'] = composition.cleaned
    errors |= observed_rms(truth, composed, holes.radius)
    table = Table({'snr': holes.snr, 'structure': filled.structure})
    table['scatter'] = removal.fluxes.local_bkg_std
    table['mismatch'] = np.abs(fluxes.flux) * filled.pixel_psf.expected_error(0, 0)
    for image, one in errors.items():
        table[image] = one['observed']
    moved = np.isfinite(fluxes.position_err)
    table['x_off'] = np.where(moved, fluxes.x - truth.x, np.nan)
    table['y_off'] = np.where(moved, fluxes.y - truth.y, np.nan)
    table['poor'] = fluxes.poor
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
    column = {name: np.asarray(table[name], dtype=float) for name in table.colnames}
    structure, snr = column['structure'], column['snr']
    lines = []
    for name in ('structure', 'scatter'):
        row = [f'the {name} around']
        for method in ('residual', 'inpainted'):
            ratio = column[method] / column[name]
            row += [f'{median(ratio):.2f}', f'{robust_std(np.log(ratio)):.2f}']
        lines.append(row)
    header = ['in units of', 'residual', 'spread (ln)', 'inpainted', 'spread (ln)']
    parts = ['## Errors of reconstructions', format_lines(header, lines)]
    lines = []
    relative = column['mismatch'] / structure
    for low, high in pairwise(MISMATCHES):
        use = (relative >= low) & (relative < high)
        errors = [
            f'{median((column[method] / structure)[use]):.2f}'
            for method in ('residual', 'inpainted')
        ]
        lines.append([f'{low:g} to {high:g}', str(use.sum()), *errors])
    header = ['mismatch / structure', 'sources', 'residual', 'inpainted']
    parts += ['## By mismatch', format_lines(header, lines)]
    parts += ['## By SNR', _format_bins(column, snr)]
    return '\n\n'.join(parts)


def _format_bins(column, snr):
    """Write what is found in each bin of the SNR."""
    bins = [(snr >= low) & (snr < high) for low, high in BINS]
    lines = [['sources', *(str(use.sum()) for use in bins)]]
    labels = {factor: f'errors times {factor}' for factor in FACTORS}
    for name, label in {**labels, KNOWN: 'errors as they are'}.items():
        error = column[f'composed {name}'] / column['scatter']
        values = [f'{median(error[use]):.3f}' for use in bins]
        lines.append([f'hole RMS / scatter, {label}', *values])
    offsets = np.stack([column['x_off'], column['y_off']])
    values = [robust_std(offsets[:, use]) for use in bins]
    values = ['-' if np.isnan(one) else f'{one:.3f}' for one in values]
    lines.append(['error of a position along an axis (pixels)', *values])
    values = [
        f'{PERCENT * np.mean(column["poor"][use]):.1f}' if use.any() else '-'
        for use in bins
    ]
    lines.append(['poor fits (percent)', *values])
    header = ['SNR', *(f'{low:g} to {high:g}' for low, high in BINS)]
    return format_lines(header, lines)


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
        title='Composition of cleaned maps',
        description=__doc__.splitlines()[1],
        maps=2,
    )


if __name__ == '__main__':
    main()
