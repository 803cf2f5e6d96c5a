# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fluxes on a public test of the extraction code Hyper, beside Hyper's own.

The map (a noise map with the header of an ALMA observation, 500 Gaussian
sources of 0.7 to 1.3 beams on it, many of them blended), the truth, and what
Hyper-py and Hyper IDL measured are read from the folder ``hyper`` of
PCONV_REAL_DATA::

    PCONV_REAL_DATA=... python benchmarks/hyper_test.py --output hyper_test.md

Ours are given the true positions; Hyper finds its own, and misses a few
sources. Without sizes all sources have the beam's; with them, given or fitted,
the PSF is as small as the smallest source. Beside them stand joint fits of
Gaussians with generalised least squares alone, and fits to round sources of the
listed sizes in the same noise: the map's own are ellipses.
The table is in Markdown.
"""

import argparse
import os
import time
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import astropy.units as u
import numpy as np
from _constants import add_constants_argument
from _hyper_fits import fit_gaussians
from _run import describe_command, print_progress, write_text
from _tables import PERCENT, format_lines
from astropy.io import fits
from astropy.stats import gaussian_fwhm_to_sigma
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.psf import LobedPSF
from photutils_pconv.setups import ObservingSetup

#: The beam's major axis (pixels), in which the sizes of the sources are given.
BEAM_FWHM = 3.7
#: The smallest size of a source (pixels): the PSF, where sizes are told or fitted.
SMALLEST_FWHM = 2.6
#: The radius of the aperture (pixels), by choice: 1.08 beams, as with PACS.
APERTURE_RADIUS = 4.0
#: A source is isolated that has no other within this distance (pixels), by choice:
#: three beams.
ISOLATED = 3.0 * BEAM_FWHM
# Simulated sources are drawn so far, in sigma.
_SIGMAS = 5.0
# Nearer than that (pixels), sources are blended beyond what a peak tells.
_CLOSE = 1.5 * BEAM_FWHM
# The radii (pixels) of the beam's encircled energies, by choice.
_EEF_RADII = np.arange(1.0, 15.1, 0.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class HyperTest:
    """
    The test: a map, and its sources.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map (Jy/pixel).

    truth : `~astropy.table.Table`
        The sources: ``x``, ``y`` (pixels, 0-based), ``fwhm_pix`` (pixels),
        ``flux``, ``flux_hyper_py`` and ``flux_hyper_idl`` (Jy).
    """

    data: np.ndarray
    truth: Table

    @property
    def x(self):
        """
        The sources' columns (pixels).
        """
        return np.asarray(self.truth['x'])

    @property
    def y(self):
        """
        The sources' rows (pixels).
        """
        return np.asarray(self.truth['y'])

    @property
    def nearest(self):
        """
        The distance of each source's nearest neighbour (pixels).
        """
        distance = np.hypot(self.x[:, None] - self.x, self.y[:, None] - self.y)
        np.fill_diagonal(distance, np.inf)
        return distance.min(axis=1)


def load_test(folder):
    """
    Read the test.

    Parameters
    ----------
    folder : path-like
        The folder of real data.

    Returns
    -------
    test : `HyperTest`
        Map and truth.
    """
    folder = Path(folder) / 'hyper'
    data = fits.getdata(folder / 'hyper_map_1.fits.gz').squeeze().astype(float)
    truth = Table.read(folder / 'hyper_sources_1.ecsv', format='ascii.ecsv')
    return HyperTest(data=data, truth=truth)


def simulate_like(test, *, seed=0):
    """
    Simulate the test anew, with sources as the truth lists them.

    The map's own sources are ellipses, of which the truth has one size: fitted ones are
    larger than that. These are round Gaussians of the listed sizes and fluxes, in noise
    of the map's power spectrum.

    Parameters
    ----------
    test : `HyperTest`
        The test.

    seed : int, optional
        The seed of the noise.

    Returns
    -------
    simulated : `HyperTest`
        The simulated map, and the same truth.
    """
    rows, columns = np.indices(test.data.shape)
    sources = np.zeros(test.data.shape)
    sigma = np.asarray(test.truth['fwhm_pix']) * gaussian_fwhm_to_sigma
    for x, y, flux, one in zip(
        test.x, test.y, np.asarray(test.truth['flux']), sigma, strict=True
    ):
        half = int(np.ceil(_SIGMAS * sigma.max()))
        region = tuple(
            slice(max(round(at) - half, 0), round(at) + half + 1) for at in (y, x)
        )
        square = (columns[region] - x) ** 2 + (rows[region] - y) ** 2
        peak = flux / (2.0 * np.pi * one**2)
        sources[region] += peak * np.exp(-0.5 * square / one**2)
    noise = np.fft.fft2(test.data - sources)
    phase = np.fft.fft2(np.random.default_rng(seed).standard_normal(noise.shape))
    turn = phase / np.abs(phase)
    turn[0, 0] = 1.0
    noise = np.fft.ifft2(noise * turn).real
    return HyperTest(data=sources + noise, truth=test.truth)


def make_setup(fwhm):
    """
    Make the observing setup: PACS' radii in pixels, and the beam.

    Parameters
    ----------
    fwhm : float
        The FWHM of the PSF (pixels).

    Returns
    -------
    setup : `~photutils_pconv.ObservingSetup`
        The setup. A pixel counts as one arcsec.
    """
    # Pixels widen the beam by a twelfth of their area, and the aperture's rim.
    variance = (fwhm * gaussian_fwhm_to_sigma) ** 2 + 1.0 / 6.0
    energies = 1.0 - np.exp(-0.5 * _EEF_RADII**2 / variance)
    return ObservingSetup(
        name='hyper test',
        wavelength=1300.0,
        pixel_scale=1.0,
        psf_fwhm=fwhm,
        aperture_radius=APERTURE_RADIUS,
        snr_source_radius=8,
        snr_inner_radius=10,
        snr_outer_radius=22,
        snr_thresholds=(300, 140, 13, 8, 4),
        hole_radii=(12, 11, 9, 7, 6, 5),
        annulus_radii=(16, 22),
        encircled_energy={'real': (_EEF_RADII, energies)},
    )


def remove(test, *, method, sizes=None):
    """
    Remove the sources with the package's own methods.

    Parameters
    ----------
    test : `HyperTest`
        The test.

    method : {'inpaint', 'psf'}
        The method, with the beam as the PSF.

    sizes : {'given', 'fitted'}, optional
        Where the sources' sizes are from (default: all have that of the beam).
        The PSF is then the smallest of them.

    Returns
    -------
    photometry : `~astropy.table.QTable`
        The fluxes.
    """
    fwhm = BEAM_FWHM if sizes is None else SMALLEST_FWHM
    psf = LobedPSF((fwhm * gaussian_fwhm_to_sigma,), (1.0,), (0.0,))
    remover = NeuralSourceRemover(
        setup=make_setup(fwhm),
        model='pacs' if method == 'inpaint' else 'psf',
        psf=None if method == 'inpaint' else psf,
        method=method,
        # The truth's positions are those that Hyper's fluxes are compared at.
        fit_positions=False,
        fit_psf_shape=sizes is None,
        fit_sizes=sizes == 'fitted',
        error_method='card',
    )
    sources = Table({'x': test.x, 'y': test.y})
    if sizes == 'given':
        sources['fwhm_pix'] = test.truth['fwhm_pix']
    with warnings.catch_warnings():
        # Many sources lie in each other's holes; that is the test.
        warnings.simplefilter('ignore', AstropyUserWarning)
        _, photometry = remover(u.Quantity(test.data, u.Jy / u.pix), sources)
    return photometry


def measure(test):
    """
    Measure the sources in every way.

    Parameters
    ----------
    test : `HyperTest`
        The test.

    Returns
    -------
    fluxes : dict of 1D `~numpy.ndarray`
        The fluxes (Jy) by the name of the method; NaN where there is none.
    """
    inpainted, fitted = (remove(test, method=one) for one in ('inpaint', 'psf'))
    given, sized = (
        remove(test, method='psf', sizes=one) for one in ('given', 'fitted')
    )
    like = remove(simulate_like(test), method='psf', sizes='fitted')
    beam = np.full(len(test.x), BEAM_FWHM)
    true = np.asarray(test.truth['fwhm_pix'])
    joint = partial(fit_gaussians, test.data, test.x, test.y)
    return {
        'Hyper-py': np.asarray(test.truth['flux_hyper_py']),
        'Hyper IDL': np.asarray(test.truth['flux_hyper_idl']),
        'annulus': inpainted['flux_annulus'].to_value(u.Jy),
        'ours, inpaint': inpainted['flux'].to_value(u.Jy),
        'ours, PSF, aperture': fitted['flux_aperture'].to_value(u.Jy),
        'ours, PSF': fitted['flux'].to_value(u.Jy),
        'ours, PSF, sizes given': given['flux'].to_value(u.Jy),
        'ours, PSF, sizes fitted': sized['flux'].to_value(u.Jy),
        'ours, PSF, sizes fitted, simulated like it': like['flux'].to_value(u.Jy),
        'joint fit, the beam for all': joint(beam).flux,
        'joint fit, true sizes': joint(true).flux,
        'joint fit, sizes fitted': joint(beam, fit_fwhm=True).flux,
    }


def summarise(fluxes, test):
    """
    Write median bias and interquartile range of the flux ratios.

    Parameters
    ----------
    fluxes : dict of 1D `~numpy.ndarray`
        What `measure` gives.

    test : `HyperTest`
        The test.

    Returns
    -------
    text : str
        A Markdown table.
    """
    nearest = test.nearest
    parts = {
        'all': np.ones(len(nearest), dtype=bool),
        f'isolated: alone within {ISOLATED:.1f} pixels': nearest > ISOLATED,
        'not marked as blended': np.asarray(test.truth['blended']) == 0,
        f'nearest within {_CLOSE:.2g} pixels': nearest < _CLOSE,
    }
    lines = []
    for name, flux in fluxes.items():
        ratio = flux / np.asarray(test.truth['flux'])
        line = [name, str(np.count_nonzero(np.isfinite(ratio)))]
        for pick in parts.values():
            values = ratio[pick & np.isfinite(ratio)]
            low, middle, high = np.percentile(values, (25, 50, 75))
            line.append(
                f'{PERCENT * (middle - 1.0):+.1f} / {PERCENT * (high - low):.1f}'
            )
        lines.append(line)
    counts = [str(np.count_nonzero(pick)) for pick in parts.values()]
    return format_lines(['method', 'found', *parts], [['sources', '', *counts], *lines])


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    add_constants_argument(parser)
    args = parser.parse_args(arguments)
    folder = os.environ.get('PCONV_REAL_DATA')
    if not folder:
        print_progress('PCONV_REAL_DATA is not set: no test')
        return
    start = time.time()
    test = load_test(folder)
    text = '\n\n'.join(
        [
            '# The test of Hyper',
            describe_command(),
            'Median bias / interquartile range of the flux ratio, percent.',
            summarise(measure(test), test),
            f'Run time: {time.time() - start:.0f} s.',
        ]
    )
    write_text(text, args.output)


if __name__ == '__main__':
    main()
