# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Benchmark maps with real emission and the in-flight PSFs of Vesta.

The emission is that of other regions and instruments, from the folder
PCONV_REAL_DATA. It is taken as noise-free: noise and sources are added
as to simulated emission. Vesta's PSFs are known to 18 (blue, green) and
29 arcsec (red) from the centre; the wings beyond are those of
`~photutils_pconv.psf.lobed_psf`.
"""

import warnings
from functools import cache
from pathlib import Path

import numpy as np
from _maps import EMISSION_RANGE, MARGIN, NOISE_RANGE, draw_positions, inject
from _stamps import measured_eef
from astropy.io import fits
from astropy.stats import mad_std
from photutils.aperture import CircularAperture
from scipy.ndimage import map_coordinates, median_filter

from photutils_pconv.photometry import snr as measure_snr
from photutils_pconv.psf import lobed_psf
from photutils_pconv.simulation import noise_field

__all__ = ['BACKGROUNDS', 'StampPSF', 'load_background', 'load_vesta', 'make_real_map']

#: The real backgrounds, in the order in which they are used.
BACKGROUNDS = (
    'w5_wise12',
    'm51_irac8',
    'perseus_b5_herschel_nh2',
    'm31_iras12',
    'orion_a_scuba2_850',
    'taurus_planck_log_nh',
)


class StampPSF:
    """
    A PSF that is known as an image, with the wings of a model around it.

    The image, interpolated by a cubic spline, is scaled so that its
    inscribed circle holds what the model's does. A PSF without wings
    would not do: far-infrared sources have them, and reconstructions
    from the pixels around a hole have to cope with them.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The flux in each pixel, centred on the middle pixel.

    pixel_scale : float
        The image's pixel scale (arcsec).

    wings : `~photutils_pconv.psf.LobedPSF`
        The model.
    """

    def __init__(self, image, pixel_scale, wings):
        self.pixel_scale = pixel_scale
        self.wings = wings
        middle = image.shape[0] // 2
        self.radius = middle * pixel_scale
        inside = CircularAperture((middle, middle), middle).do_photometry(image)[0][0]
        share = wings.encircled_energy(self.radius) / inside
        self.density = share * np.asarray(image, dtype=float) / pixel_scale**2

    def render(self, shape, x, y, *, pixel_scale, angle=0.0, oversampling=3):
        """
        Render a source of flux 1, as `~photutils_pconv.psf.LobedPSF` does.

        Parameters
        ----------
        shape : tuple of int
            The shape (ny, nx) of the image.

        x, y : float
            The source's position, 0-based, pixel centres at integers.

        pixel_scale : float
            The pixel's side (arcsec).

        angle : float, optional
            The rotation, in radians, counter-clockwise.

        oversampling : int, optional
            Points a pixel side over which the density is averaged.

        Returns
        -------
        image : 2D `~numpy.ndarray`
            The flux in each pixel.
        """
        ny, nx = shape
        n = oversampling
        sub = (np.arange(n) + 0.5) / n - 0.5
        dx = (np.arange(nx)[:, None] + sub).ravel() - x
        dy = (np.arange(ny)[:, None] + sub).ravel() - y
        dx, dy = np.meshgrid(dx * pixel_scale, dy * pixel_scale)
        cos, sin = np.cos(angle), np.sin(angle)
        middle = self.radius / self.pixel_scale
        columns = (cos * dx + sin * dy) / self.pixel_scale + middle
        rows = (-sin * dx + cos * dy) / self.pixel_scale + middle
        inner = map_coordinates(
            self.density, [rows, columns], order=3, mode='grid-constant'
        )
        outer = self.wings.density(dx, dy, angle=angle)
        # A seam would be a ring; cross over within the last 3 arcsec.
        share = np.clip((self.radius - np.hypot(dx, dy)) / 3.0, 0.0, 1.0)
        image = share * inner + (1.0 - share) * outer
        return image.reshape(ny, n, nx, n).mean(axis=(1, 3)) * pixel_scale**2


@cache
def load_background(path):
    """
    Read a real background, scaled to the robust standard deviation 1.
    """
    with warnings.catch_warnings():
        # Headers of archives: nothing here depends on them.
        warnings.simplefilter('ignore')
        with fits.open(path) as hdus:
            image = next(hdu.data for hdu in hdus if hdu.data is not None)
            image = np.array(image, dtype=float).squeeze()
    if 'log' in path.stem:
        image = 10.0 ** (image - np.nanmedian(image))
    if 'wise' in path.stem:
        # Stars, sampled too coarsely to pass for anything but spikes.
        image = median_filter(image, 5)
    image -= np.nanmedian(image)
    return image / mad_std(image, ignore_nan=True)


@cache
def load_vesta(folder, setup):
    """
    Read an in-flight PSF of Vesta, with wings.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The folder of real data.

    setup : `~photutils_pconv.ObservingSetup`
        The observing setup.

    Returns
    -------
    psf : `StampPSF`
        The PSF, of total flux 1.

    eef : tuple of `~numpy.ndarray`
        What `_stamps.measured_eef` gives for it.
    """
    scale = 2.4 if setup.band == 'red' else 1.2
    image = fits.getdata(folder / 'psf' / f'vesta_{setup.band}_{scale}arcsec.fits')
    psf = StampPSF(image.astype(float), scale, lobed_psf(setup))
    return psf, measured_eef(psf, setup.pixel_scale.to_value('arcsec'))


def make_real_map(folder, background, setup, *, seed, n_sources=30):
    """
    Make a map of real emission with sources.

    Positions where the background itself has a compact source are
    avoided: those where Eq. 1 finds an SNR above 5.

    Parameters
    ----------
    folder : path-like
        The folder of real data.

    background : str
        The name of the background, one of `BACKGROUNDS`.

    setup : `~photutils_pconv.ObservingSetup`
        The observing setup; the background's pixels are taken to have
        its scale.

    seed : sequence of int
        The seed.

    n_sources : int, optional
        The number of sources, at most: small maps hold fewer.

    Returns
    -------
    benchmark_map : `BenchmarkMap`
        The map.
    """
    rng = np.random.default_rng(seed)
    folder = Path(folder)
    emission = load_background(folder / 'backgrounds' / f'{background}.fits')
    emission = np.rot90(emission, rng.integers(4)).copy()
    psf, eef = load_vesta(folder, setup)
    unit = 10.0 ** rng.uniform(*EMISSION_RANGE)
    noise = 10.0 ** rng.uniform(*NOISE_RANGE) * noise_field(emission.shape, rng=rng)
    noisy = emission + noise

    def accept(x, y):
        # The peers' stamps reach 32 pixels far and must have no gaps.
        rows, columns = (slice(max(int(v) - 33, 0), int(v) + 34) for v in (y, x))
        return np.all(np.isfinite(emission[rows, columns])) and (
            measure_snr(noisy, [x], [y], setup=setup)[0] < 5.0
        )

    positions = draw_positions(
        emission.shape, n_sources, rng, margin=MARGIN // 2 + 4, accept=accept
    )
    return inject(
        background, setup, psf, eef, unit * emission, unit * noise, positions, rng
    )
