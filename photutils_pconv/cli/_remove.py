# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The commands ``remove`` and ``demo``.
"""

from itertools import pairwise

import numpy as np

__all__ = []


def _output_paths(options, *, plot):
    names = ['cleaned.fits', 'photometry.ecsv', *(['removal.png'] if plot else [])]
    return [options.output / name for name in names]


def _prepare(options, *, plot):
    """
    Find out what would prevent the output before the work, not after it.

    Return the axes of the plot, or `None` without one.
    """
    from photutils_pconv._utils.plotting import make_axes
    from photutils_pconv._utils.writing import refuse_existing

    if options.output.exists() and not options.output.is_dir():
        msg = f'{options.output} is a file: choose another name for the folder'
        raise NotADirectoryError(msg)
    refuse_existing(_output_paths(options, plot=plot), overwrite=options.overwrite)
    return make_axes(3) if plot else None


def _write(result, options, *, axes):
    """
    Write a result and say where it went.
    """
    from photutils_pconv._utils.writing import write_atomically

    paths = list(result.write(options.output, overwrite=options.overwrite))
    if axes is not None:
        figure = result.plot(axes=axes)
        path = options.output / 'removal.png'
        write_atomically(path, lambda name: figure.savefig(name, dpi=120))
        paths.append(path)
    if not options.quiet:
        for path in paths:
            print(path)


def _remove(options):
    from photutils_pconv.inputs.tables import read_source_table
    from photutils_pconv.removal.remover import NeuralSourceRemover

    axes = _prepare(options, plot=options.plot)
    sources = read_source_table(
        options.catalogue, hdu=options.catalogue_hdu, table_id=options.table_id
    )
    remover = NeuralSourceRemover(
        options.mode,
        options.band,
        setup=options.setup,
        model=options.model,
        aperture_radii=options.aperture,
        aperture_corrections=options.aperture_corrections,
        recenter=options.recenter,
        resample=options.resample,
        batch_size=options.batch_size,
        device=options.device,
        progress_bar=not options.quiet,
    )
    result = remover(
        options.map,
        sources,
        hdu=options.map_hdu,
        mask=options.mask_hdu,
        error=options.error_hdu,
    )
    _write(result, options, axes=axes)
    if not options.quiet:
        flagged = np.count_nonzero(result.photometry['flags'])
        print(f'{len(result.photometry)} sources, {flagged} of them flagged')


def _demo(options):
    from photutils_pconv.datasets import (
        demo_aperture_corrections,
        load_demo,
        load_demo_emission,
    )
    from photutils_pconv.removal.remover import NeuralSourceRemover

    axes = _prepare(options, plot=True)
    ccd, truth = load_demo()
    remover = NeuralSourceRemover(
        mode='scanmap',
        band='green',
        model=options.model,
        # The table of the PSF with which the demo's sources were made.
        aperture_corrections=demo_aperture_corrections(),
        progress_bar=not options.quiet,
    )
    result = remover(ccd, truth)
    _write(result, options, axes=axes)
    if not options.quiet:
        print()
        print(_demo_table(result, truth, load_demo_emission()))


def _demo_table(result, truth, emission):
    """
    Format what was measured against what was injected.
    """
    table = result.photometry
    injected = truth['flux'].to_value('Jy')
    ratios = {
        'network': table['flux'].to_value('Jy') / injected,
        'annulus': table['flux_annulus'].to_value('Jy') / injected,
    }
    snr = np.asarray(table['snr'])
    lines = [
        'measured / injected flux     network            annulus',
        'SNR           sources     median   IQR (%)   median   IQR (%)',
    ]
    edges = (0.0, 12.0, 40.0, 130.0, np.inf)
    for low, high in pairwise(edges):
        part = (snr >= low) & (snr < high)
        if not part.any():
            continue
        row = f'{low:5.0f} - {high:5.0f} {part.sum():8d}  '
        for ratio in ratios.values():
            lower, median, upper = np.nanpercentile(ratio[part], [25, 50, 75])
            row += f'{median:9.3f} {100 * (upper - lower):9.2f}'
        lines.append(row)
    hole = result.holes
    error = result.cleaned.data[hole] - emission.data[hole]
    scatter = np.std(emission.data[hole])
    lines.append(
        f'reconstructed emission: off by {np.sqrt(np.mean(error**2)):.2e} Jy/pixel '
        f'(RMS) where it scatters by {scatter:.2e}'
    )
    return '\n'.join(lines)
