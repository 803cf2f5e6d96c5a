# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How far the fills are from the best that can be done.

On Gaussian fields of known covariance that is kriging, which is given the
covariance, the noise, and the map without its sources: a bound that no method
can reach around a bright source, whose wings hide the emission. So there is a
second one, on the map with its sources, that is told what one pass is told of
their PSF: the setup's mean wings, and the ways in which they may differ. On other
fields these are the best linear estimates. On a map of noise alone the best
flux is that above the true mean.
"""

from functools import cache

import astropy.units as u
import numpy as np
from _holes import hole_rms
from _maps import MARGIN, BenchmarkMap, draw_positions, inject
from _psf_maps import make_benchmark_map
from _stamps import measured_eef
from _tables import INTERVAL, format_lines
from astropy.table import Table

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.evaluation import kriging
from photutils_pconv.geometry import draw_holes
from photutils_pconv.inpainting import expected_wings
from photutils_pconv.photometry import local_background
from photutils_pconv.psf import get_psf, wing_profile
from photutils_pconv.setups import get_setup
from photutils_pconv.simulation import simulate_emission

__all__ = ['FIELD_KINDS', 'format_optimum', 'make_optimum_map', 'measure_optimum']

#: The kinds of fields, in the table's order.
FIELD_KINDS = ('gaussian', 'lognormal', 'filaments', 'noise')

# The kriging sees so many pixels to each side of a source.
_HALF = 24
# The standard deviation of the fields (Jy/pixel), and the noise's in units of
# it (by choice).
_UNIT, _NOISE = 1.0e-3, 0.05
# The side of the maps (pixels).
_SIZE = 512
# The SNR (Eq. 1) below which a source is faint (by choice).
_FAINT = 40.0
_ESTIMATES = ('ours', 'kriging', 'wings')


def make_optimum_map(kind, setup_name, k, *, seed, n_sources=24):
    """
    Make a map on which the optimum is known.

    Parameters
    ----------
    kind : str
        One of `FIELD_KINDS`.

    setup_name : str
        The setup.

    k : int
        The map's number.

    seed : int
        The benchmark's seed.

    n_sources : int, optional
        The number of sources.

    Returns
    -------
    benchmark_map : `_maps.BenchmarkMap`
        The map. Its noise is white.
    """
    if kind == 'gaussian':
        return make_benchmark_map(
            'gaussian', setup_name, k, seed=seed, n_sources=n_sources
        )
    setup = get_setup(setup=setup_name)
    own = [*setup_name.encode()]
    rng = np.random.default_rng([seed, 7, FIELD_KINDS.index(kind), k, *own])
    shape = (_SIZE, _SIZE)
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    emission = np.zeros(shape)
    if kind != 'noise':
        emission = simulate_emission(shape, beam_fwhm=beam, rng=rng, kinds=kind)
    level = 1.0 if kind == 'noise' else _NOISE
    noise = _UNIT * level * rng.standard_normal(shape)
    emission = _UNIT * np.asarray(emission, dtype=float)
    positions = draw_positions(shape, n_sources, rng, margin=MARGIN)
    psf = get_psf(setup)
    eef = measured_eef(psf, setup.pixel_scale.to_value(u.arcsec))
    return inject(kind, setup, psf, eef, emission, noise, positions, rng)


@cache
def _taper(shape):
    return np.outer(np.hanning(shape[0]), np.hanning(shape[1]))


def _covariance(emission):
    """
    Estimate the covariance of a field from all of it.
    """
    window = _taper(emission.shape)
    field = (emission - np.average(emission, weights=window)) * window
    power = np.abs(np.fft.rfft2(field)) ** 2
    share = np.fft.irfft2(np.abs(np.fft.rfft2(window)) ** 2, s=emission.shape)
    covariance = np.fft.irfft2(power, s=emission.shape) / np.maximum(share, 1e-12)
    reach = np.arange(-2 * _HALF, 2 * _HALF + 1)
    covariance = covariance[reach[:, None], reach]
    # Far offsets are poorly known; a positive definite taper calms them.
    r2 = reach[:, None] ** 2 + reach**2
    return covariance * np.exp(-0.5 * r2 / (2.0 * _HALF) ** 2)


def measure_optimum(truth: BenchmarkMap, *, model=None):
    """
    Measure ours and the optimum on one map.

    Parameters
    ----------
    truth : `_maps.BenchmarkMap`
        The map, of `make_optimum_map`.

    model : optional
        The model, as `~photutils_pconv.NeuralSourceRemover` takes it.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a source: ``map``, ``setup``, ``hole_radius``, ``snr``,
        ``rms_ours``, ``rms_kriging`` and ``rms_wings`` (hole RMS against the
        noise-free emission, over the local scatter; kriging without sources,
        and with them and what one pass knows of their wings), and the errors
        of the aperture's sum, ``error_ours``, ``error_annulus`` and
        ``error_ideal`` (over the scatter): the last is that of the noise in
        the aperture alone.
    """
    setup, x, y = truth.setup, truth.x, truth.y
    radius = setup.aperture_radius.to_value(u.arcsec)
    # What looks into the holes is not bound by the optimum of what does not.
    remover = NeuralSourceRemover(
        setup=setup,
        model=model,
        method='inpaint',
        fill='mean',
        aperture_corrections=truth.eef,
        error_method='card',
    )
    cleaned, phot = remover(
        u.Quantity(truth.data, u.Jy / u.pix), np.stack([x, y], axis=1)
    )
    hole_radius = np.asarray(phot['hole_radius'])
    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(truth.noisy, x, y, annulus_radii=ring).local_bkg_std
    table = Table({'map': [truth.name] * len(x), 'setup': [setup.name] * len(x)})
    table['hole_radius'] = hole_radius
    table['snr'] = np.asarray(phot['snr'])
    maps = {'ours': cleaned.value}
    if truth.name != 'noise':
        noise = np.std(truth.noisy - truth.emission)
        covariance = _covariance(truth.emission)
        wings, wing_terms = _one_pass_wings(truth, hole_radius)
        for name, data, terms in (
            ('kriging', truth.noisy, None),
            ('wings', truth.data - wings, wing_terms),
        ):
            maps[name] = kriging(
                data,
                x,
                y,
                hole_radius=hole_radius,
                covariance=covariance,
                noise=noise,
                half=_HALF,
                terms=terms,
            ).background
    rms = hole_rms(truth, maps, hole_radius, with_wings=False)
    for name in _ESTIMATES:
        table[f'rms_{name}'] = rms[name] / scatter if name in rms else np.nan
    eef = setup.eef(radius, table=truth.eef)
    for name, column in (('ours', 'flux'), ('annulus', 'flux_annulus')):
        flux = phot[column].to_value(u.Jy)
        table[f'error_{name}'] = (flux - truth.flux) * eef / scatter
    table['error_ideal'] = _aperture_noise(truth, radius) / scatter
    return table


def _one_pass_wings(truth, hole_radius):
    """
    Give the mean wings, and the terms of `kriging`, as one pass has them.
    """
    profile = wing_profile(truth.setup)
    holes = (truth.x, truth.y, hole_radius)
    usable = ~draw_holes(truth.data.shape, *holes)
    found = expected_wings(truth.data, *holes, profile=profile, usable=usable)

    def terms(i, dx, dy):
        flux, flux_err = found.flux[i], found.flux_err[i]
        return profile.terms(dx, dy, flux=flux, flux_err=flux_err).draw()

    return found.image, terms


def _compare(part, other, n_bootstrap, rng):
    """
    Compare median hole RMS, with the interval of paired bootstrap samples.
    """
    if len(part) == 0:
        return '-'
    ours, best = (np.asarray(part[f'rms_{name}']) for name in ('ours', other))
    pick = rng.integers(len(part), size=(n_bootstrap, len(part)))
    ratio = np.median(ours[pick], axis=1) / np.median(best[pick], axis=1)
    low, high = np.percentile(ratio, INTERVAL)
    return f'{np.median(ours) / np.median(best):.2f} ({low:.2f} to {high:.2f})'


def _aperture_noise(truth, radius):
    from photutils.aperture import ApertureStats, CircularAperture

    scale = truth.setup.pixel_scale.to_value(u.arcsec)
    apertures = CircularAperture(np.stack([truth.x, truth.y], axis=1), radius / scale)
    return ApertureStats(truth.noisy - truth.emission, apertures).sum


def format_optimum(table, *, n_bootstrap=1000, seed=1):
    """
    Write the distance from the optimum as Markdown.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `measure_optimum` gives.

    n_bootstrap, seed : int, optional
        The bootstrap samples of sources, and their seed.

    Returns
    -------
    text : str
        The tables.
    """
    rng = np.random.default_rng(seed)
    rows = []
    names = np.asarray(table['map'])
    for name in dict.fromkeys(names):
        if name == 'noise':
            continue
        part = table[names == name]
        faint = part[np.asarray(part['snr']) < _FAINT]
        rows.append(
            [
                name,
                str(len(part)),
                *(f'{np.median(part[f"rms_{m}"]):.4f}' for m in _ESTIMATES),
                _compare(part, 'kriging', n_bootstrap, rng),
                _compare(faint, 'kriging', n_bootstrap, rng),
                _compare(part, 'wings', n_bootstrap, rng),
                _compare(faint, 'wings', n_bootstrap, rng),
            ]
        )
    header = [
        'field',
        'sources',
        'ours',
        'kriging, no sources',
        'kriging, wings as in one pass',
        'ours / the first (68 %)',
        f'the same, SNR below {_FAINT:g}',
        'ours / the second',
        f'the same, SNR below {_FAINT:g}',
    ]
    parts = [
        '## Distance from the optimum',
        '### Hole RMS against the noise-free emission, local scatter = 1',
        format_lines(header, rows),
    ]
    # A bright source's PSF scatters more than the noise does.
    part = table[(names == 'noise') & (table['snr'] < _FAINT)]
    if len(part):
        spread = {
            name: np.sqrt(np.mean(np.asarray(part[f'error_{name}']) ** 2))
            for name in ('ours', 'annulus', 'ideal')
        }
        parts += [
            f'### Noise alone, SNR below {_FAINT:g}: RMS error of the aperture sum, '
            'over the ideal',
            format_lines(
                ['sources', 'ours', 'annulus'],
                [
                    [
                        str(len(part)),
                        f'{spread["ours"] / spread["ideal"]:.3f}',
                        f'{spread["annulus"] / spread["ideal"]:.3f}',
                    ]
                ],
            ),
        ]
    return '\n\n'.join(parts)
