# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How far the fluxes of the method 'psf' are from what a map allows.

On real backgrounds with the in-flight PSFs of Vesta, the fluxes of the matched
filters stand beside those of the network, which are the matched filter for white
noise on the map minus the network's emission; beside the mean of the two that is
best in hindsight; and beside the same filter on the map minus the true emission,
where nothing but the noise is left::

    PCONV_REAL_DATA=... python benchmarks/flux_limits.py --processes 2

So that the normalisation does not matter, each map's fluxes of a kind are divided by
the median ratio to the truth that its sources of SNR 40 and more have. Figures are
standard deviations, clipped at four times themselves, of the error of the flux over
the error that the filters state.
"""

import os

# Before numpy comes: a thread for each process.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import astropy.units as u
import numpy as np
from _psf_maps import make_benchmark_map
from _psf_measure import model_eef, remove_in_stages
from _real_run import run_on_real_maps
from _tables import BINS, SMALLEST_SAMPLE, format_lines
from astropy.table import Table

from photutils_pconv.geometry import extract_cutout
from photutils_pconv.psf_photometry import aperture_fraction, get_filter_bank

#: The weights of the network's flux in the mean of both.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
#: The bins in which noise and emission rule, and not the mismatch of the PSF.
LIMITED_BINS = BINS[:3]
# Sources from this SNR on show how a kind of flux is normalised on a map.
_BRIGHT_SNR = 40.0
# The errors are clipped at so many times themselves.
_CLIP = 4.0


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
    setup = truth.setup
    scale = setup.pixel_scale.to_value(u.arcsec)
    radius = setup.aperture_radius.to_value(u.arcsec)
    removal = remove_in_stages(truth, method='psf', fill='mean')
    fluxes, psf = removal.filled.psf_fluxes, removal.filled.pixel_psf
    # All of them within the aperture of the setup.
    true = truth.flux * np.interp(radius, *truth.eef)
    fraction = aperture_fraction(psf, radius / scale)
    table = Table({'snr': removal.holes.snr})
    table['flux_err'] = fluxes.flux_err * model_eef(setup)
    found = {'filters': fluxes.flux * model_eef(setup)}
    for key, emission in (
        ('network', removal.composition.cleaned),
        ('known emission', truth.emission),
    ):
        flux = _sum_with_psf(truth.data - emission, fluxes, psf, setup)
        found[key] = fraction * flux
    bright = table['snr'] >= _BRIGHT_SNR
    for key, flux in found.items():
        ratio = np.nanmedian((flux / true)[bright]) if bright.any() else 1.0
        table[key] = flux / ratio - true
    return table


def _sum_with_psf(sources, fluxes, psf, setup):
    """
    Measure total fluxes with the matched filter for white noise.
    """
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    bank = get_filter_bank(beam)
    # Of the noise kinds, the first is the white one; the models name the slope of
    # the emission, the noise in its units, and the kind.
    strongest = max(noise for _, noise, _ in bank.models)
    white = next(
        k
        for k, (_, noise, (smoothing, _)) in enumerate(bank.models)
        if noise == strongest and smoothing == 0.0
    )
    found = []
    for x, y in zip(fluxes.x, fluxes.y, strict=True):
        origin = round(x) - bank.radius, round(y) - bank.radius
        pixels = extract_cutout(sources, *origin, size=bank.side, fill_value=np.nan)
        region = tuple(slice(one, one + bank.side) for one in origin[::-1])
        template = psf.draw(region, x, y).ravel()
        valid = np.isfinite(pixels).ravel()
        weights = bank.weights(white, [template], valid=valid)
        found.append(weights @ np.where(valid, pixels.ravel(), 0.0))
    return np.array(found)


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
        The table.
    """
    snr, error = np.asarray(table['snr']), np.asarray(table['flux_err'])
    pulls = {
        key: np.asarray(table[key]) / error
        for key in ('filters', 'network', 'known emission')
    }
    rows = {}
    for low, high in LIMITED_BINS:
        use = (snr >= low) & (snr < high)
        if use.sum() < SMALLEST_SAMPLE:
            continue
        filters, network, known = (one[use] for one in pulls.values())
        mixes = [
            _clipped_std(weight * network + (1.0 - weight) * filters)
            for weight in WEIGHTS
        ]
        own = mixes[0]
        column = [str(use.sum()), f'{own:.3f}']
        column += [f'{one / own:.3f}' for one in (mixes[-1], min(mixes))]
        column += [
            f'{WEIGHTS[int(np.argmin(mixes))]:g}',
            f'{np.corrcoef(*np.clip([filters, network], -_CLIP, _CLIP))[0, 1]:.2f}',
            f'{_clipped_std(known) / own:.3f}',
        ]
        rows[f'{low:g} to {high:g}'] = column
    labels = (
        'sources',
        'filters, in units of their errors',
        'network / filters',
        'best mean of both / filters',
        'weight of the network in it',
        'correlation of the errors of both',
        'emission known / filters',
    )
    lines = [
        [label, *values] for label, *values in zip(labels, *rows.values(), strict=True)
    ]
    return format_lines(['SNR', *rows], lines)


def _clipped_std(values):
    """
    Calculate the standard deviation about zero, clipped.
    """
    values = values[np.isfinite(values)]
    kept = 0
    while kept != len(values):
        kept = len(values)
        values = values[np.abs(values) <= _CLIP * np.sqrt(np.mean(values**2))]
    return float(np.sqrt(np.mean(values**2)))


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
        title='Limits of the fluxes',
        description=__doc__.splitlines()[1],
        maps=3,
    )


if __name__ == '__main__':
    main()
