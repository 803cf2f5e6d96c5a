# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Does the local covariance of a map make better filters, and fill holes better?

The fluxes of two passes are those of filters for isotropic spectra, of which the
one is taken that scatters least around a source; holes are kriged with a
covariance of that kind. Here, the covariance of patches around each position
(that of local pixelwise infilling), from pixels outside of its hole, is mixed
into both. What filters and fills do wrong is measured where there is no source,
at random positions of real emission and of filaments of one direction a map:
the error that the background makes is that of any source there, however bright.
The PSF is known::

    PCONV_REAL_DATA=... python benchmarks/local_covariance.py --output FILE

Intervals are of 68 percent, from bootstrap samples of whole maps.
"""

import argparse
import os
import time
from functools import partial

import numpy as np
from _local_maps import PARTS, make_empty_positions
from _run import (
    add_run_arguments,
    describe_command,
    measure_maps,
    print_progress,
    write_text,
)
from _tables import INTERVAL, format_interval, format_lines
from astropy.table import Table

from photutils_pconv.evaluation.methods import (
    PatchStatistics,
    condition,
    patch_statistics,
)
from photutils_pconv.inpainting import choose_covariance, krige_cutout
from photutils_pconv.psf import PixelPSF, get_psf
from photutils_pconv.psf_photometry import filter_scatter, get_filter_bank

#: The shares of the local covariance that are tried, of a patch as it is and of
#: one averaged over turns and flips.
SHARES = ((0.25, False), (0.5, False), (0.75, False), (0.25, True), (0.5, True))
# All by choice. The largest shift of the patches (pixels), with which the filters'
# scatter is measured, too; how far from a hole filters are looked at (pixels); the
# ring of pixels around a hole that fill it (pixels), as for kriging; a ridge and a
# constant's variance, over the mean variance; and the bootstrap samples.
_REACH, _MARGIN, _RING = 30, 4, 4.0
_RIDGE, _CONSTANT = 1.0e-7, 1.0e3
_BOOTSTRAP = 300
_SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')
# Errors are clipped at so many of the usual ones.
_CLIP = 3.0


def measure_job(job, *, seed, folder):
    """
    Measure the errors at the empty positions of one map.

    Parameters
    ----------
    job : tuple
        Part, setup and number of the map.

    seed : int
        The benchmark's seed.

    folder : str
        The folder of real data.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a position: ``flux_METHOD`` and ``fill_METHOD``, the error of
        the flux over the scatter of the chosen filter, and the root mean
        square error of the fill in the hole over that of kriging.
    """
    empty = make_empty_positions(*job, seed=seed, folder=folder)
    setup = empty.setup
    psf = PixelPSF(get_psf(setup), setup.pixel_scale.to_value('arcsec'))
    bank = get_filter_bank(empty.beam)
    scatter = filter_scatter(
        empty.data, ~empty.near(_MARGIN), empty.x, empty.y, bank.kernels(psf)
    )
    rows = []
    for i in range(len(empty.x)):
        row = {'map': empty.name, 'part': job[0]}
        row |= _measure_fluxes(empty, i, psf, bank, scatter[i])
        row |= _measure_fills(empty, i)
        rows.append(row)
    return Table(rows)


def _local(empty, i, half):
    """
    Give the local covariance of a patch, as it is and symmetrised.
    """
    shift = half + _REACH
    padded = np.pad(empty.filled, shift, mode='reflect')
    column, row = round(empty.x[i]), round(empty.y[i])
    found = patch_statistics(
        padded, row + shift, column + shift, half=half, reach=_REACH
    )
    # A covariance does not tell up from down.
    plain = 0.5 * (found.covariance + found.covariance[::-1, ::-1])
    return {False: plain, True: found.symmetrised().covariance}


def _name(share, symmetric):
    return f'local, {share:g}' + (', symmetrised' if symmetric else '')


def _measure_fluxes(empty, i, psf, bank, scatter):
    """
    Measure the flux of nothing by several filters.
    """
    half = int(bank.dx.max())
    column, row = round(empty.x[i]), round(empty.y[i])
    values = empty.data[
        row - half : row + half + 1, column - half : column + half + 1
    ].ravel()
    image = psf.evaluate(
        bank.dx + column - empty.x[i], bank.dy + row - empty.y[i]
    ).ravel()
    k = int(np.argmin(scatter))
    weights = bank.weights(k, [image])
    member = bank.covariances[k]
    member = scatter[k] ** 2 / (weights @ member @ weights) * member
    found = {'flux_bank': weights @ values / scatter[k]}
    local = _local(empty, i, half)
    for share, symmetric in SHARES:
        mixed = (1.0 - share) * member + share * local[symmetric]
        typical = np.trace(local[symmetric]) / len(mixed)
        mixed[np.diag_indices_from(mixed)] += _RIDGE * typical
        weights = np.linalg.solve(mixed + _CONSTANT * typical, image)
        weights /= weights @ image
        found[f'flux_{_name(share, symmetric)}'] = weights @ values / scatter[k]
    return found


def _measure_fills(empty, i):
    """
    Fill a hole by kriging with several covariances.
    """
    radius, cutout = empty.hole_radius, empty.cutout(i)
    filled, _ = krige_cutout(
        np.where(cutout.holes, 0.0, cutout.data),
        ~cutout.holes,
        beam=empty.beam,
        radius=radius,
    )
    error = (filled - cutout.emission)[cutout.hole]
    usual = np.sqrt(np.mean(error**2))
    found = {'fill_bank': 1.0}
    slope, noise, variance = choose_covariance(
        cutout.data, ~cutout.holes, beam=empty.beam
    )
    half = int(np.ceil(radius + _RING)) + 1
    dx, dy = np.meshgrid(*2 * (np.arange(-half, half + 1),))
    member = empty.power_law(slope, dx.ravel(), dy.ravel())
    member[np.diag_indices_from(member)] += noise**2
    member *= variance
    dx = dx + round(empty.x[i]) - empty.x[i]
    dy = dy + round(empty.y[i]) - empty.y[i]
    distance = np.hypot(dx, dy).ravel()
    hidden = distance <= radius
    known = (distance <= radius + _RING) & ~hidden
    column, row = round(empty.x[i]), round(empty.y[i])
    part = np.s_[row - half : row + half + 1, column - half : column + half + 1]
    known &= ~empty.holes[part].ravel()
    values, emission = empty.data[part].ravel(), empty.emission[part].ravel()
    local = _local(empty, i, half)
    for share, symmetric in ((0.0, False), *SHARES, (1.0, False)):
        mixed = (1.0 - share) * member + share * local[symmetric]
        typical = np.trace(mixed) / len(mixed)
        mixed[np.diag_indices_from(mixed)] += _RIDGE * typical
        statistics = PatchStatistics(
            mean=np.full(len(mixed), np.median(values[known])),
            # The level is unknown.
            covariance=mixed + _CONSTANT * typical,
        )
        mean, _ = condition(statistics, values, known, hidden)
        error = np.sqrt(np.mean((mean - emission[hidden]) ** 2))
        found[f'fill_{_name(share, symmetric)}'] = error / usual
    return found


def summarise(table, *, seed=1):
    """
    Compare the errors of all methods with those of today's.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `measure_job` gives for several maps.

    seed : int, optional
        The seed of the bootstrap samples.

    Returns
    -------
    text : str
        A Markdown table for the fluxes, and one for the fills.
    """
    rng = np.random.default_rng(seed)
    name = np.asarray(table['map'])
    parts = [one for one in PARTS if np.any(table['part'] == one)]
    # The same samples for all methods.
    samples = []
    for part in parts:
        maps = [
            np.flatnonzero(name == one)
            for one in np.unique(name[table['part'] == part])
        ]
        draws = rng.integers(len(maps), size=(_BOOTSTRAP, len(maps)))
        samples.append(
            (
                np.concatenate(maps),
                [np.concatenate([maps[j] for j in draw]) for draw in draws],
            )
        )
    text = []
    for kind, title, measure in (
        ('flux_', 'Error of fluxes, over that of the best filter of the bank', _rms),
        ('fill_', "Error in the hole, over kriging's", _typical),
    ):
        lines = []
        for column in table.colnames:
            if not column.startswith(kind):
                continue
            values = np.asarray(table[column])
            usual = np.asarray(table[f'{kind}bank'])
            cells = []
            for rows, drawn in samples:
                ratios = [measure(values[one]) / measure(usual[one]) for one in drawn]
                ratio = measure(values[rows]) / measure(usual[rows])
                cells.append(format_interval((ratio, *np.percentile(ratios, INTERVAL))))
            lines.append([column.removeprefix(kind), *cells])
        counts = ['positions', *(str(len(rows)) for rows, _ in samples)]
        text += [f'## {title}', format_lines(['method', *parts], [counts, *lines])]
    return '\n\n'.join(text)


def _rms(values):
    """
    Calculate the root mean square, clipped.
    """
    return float(np.sqrt(np.mean(np.minimum(values**2, _CLIP**2))))


def _typical(values):
    """
    Calculate the geometric mean of ratios.
    """
    return float(np.exp(np.mean(np.log(values))))


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument(
        '--setups',
        nargs='+',
        default=[f'scanmap/{b}' for b in ('blue', 'green', 'red')],
    )
    parser.add_argument('--parts', nargs='+', default=PARTS, choices=PARTS)
    parser.add_argument('--maps', type=int, default=12, help='maps a part and setup')
    add_run_arguments(parser, seed=2026, rows='positions')
    args = parser.parse_args(arguments)
    folder = os.environ.get('PCONV_REAL_DATA') or None
    parts = args.parts if folder else [one for one in args.parts if one != 'real']
    start = time.time()
    jobs = [
        (part, setup, k)
        for part in parts
        for k in range(args.maps)
        for setup in args.setups
    ]
    table = measure_maps(
        partial(measure_job, seed=args.seed, folder=folder),
        jobs,
        processes=args.processes,
        report=print_progress,
    )
    text = '\n\n'.join(
        [
            '# The local covariance in filters and kriging',
            describe_command(),
            summarise(table),
            f'Run time: {time.time() - start:.0f} s.',
        ]
    )
    write_text(text, args.output)
    if args.table:
        table.write(args.table, format='ascii.ecsv', overwrite=True)


if __name__ == '__main__':
    main()
