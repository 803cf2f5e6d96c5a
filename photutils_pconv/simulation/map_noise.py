# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Noise as real maps have it: correlated, striped, and with confusion.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation._checks import as_number, as_pair, as_shape, check_rng
from photutils_pconv.simulation.noise import confusion_field, stripe_field

__all__ = ['NoiseConfig', 'correlated_noise', 'simulate_noise']

# The length of stripes along the scan, in FWHMs of the beam: some ten, as the
# 40 pixels of `noise_field` are (by choice).
_STRIPE_LENGTH = 10.0
# The largest ranges that make sense: lengths in FWHMs, and sources a beam; by choice.
_LONGEST = 20.0
_MOST_SOURCES = 100.0
# The area of a Gaussian beam in squared FWHMs.
_BEAM_AREA = np.pi / (4.0 * np.log(2.0))


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """
    The ranges from which `simulate_noise` draws.

    Parameters
    ----------
    correlated : pair of float, optional
        The share of the detectors' noise that is correlated from pixel to
        pixel. PACS maps of JScanam have 0.4 at 70 and 100 micron and 0.85 at
        160 micron (see `correlated_noise`).

    length : pair of float, optional
        The length of that correlation, in FWHMs of the beam: 0.34 to 0.41
        at 70 and 100 micron, 0.51 at 160 micron.

    stripes : pair of float, optional
        The share of stripes along the scans in the whole variance.

    confusion : pair of float, optional
        The share of faint sources in the whole variance.

    sources_per_beam : pair of float, optional
        The number of those sources in the area of a beam, in whose
        logarithm it is spread evenly.
    """

    correlated: tuple = (0.1, 0.95)
    length: tuple = (0.3, 0.6)
    stripes: tuple = (0.0, 0.3)
    confusion: tuple = (0.0, 0.4)
    sources_per_beam: tuple = (0.1, 3.0)

    def __post_init__(self):
        for name in ('correlated', 'stripes', 'confusion'):
            as_pair(getattr(self, name), name, low=0, high=1)
        if self.stripes[1] + self.confusion[1] > 1:
            msg = (
                'stripes and confusion are shares of one variance, at most 1 together, '
                f'got up to {self.stripes[1]:g} and {self.confusion[1]:g}.'
            )
            raise ValueError(msg)
        as_pair(self.length, 'length', low=0, high=_LONGEST)
        pair = as_pair(
            self.sources_per_beam, 'sources_per_beam', low=0, high=_MOST_SOURCES
        )
        if pair[0] == 0:
            msg = f'sources_per_beam must be positive, got {pair!r}.'
            raise ValueError(msg)


def correlated_noise(shape, *, share, length, rng):
    """
    Make noise whose correlation falls exponentially, with a long tail.

    The correlation of pixels at the distance r is ``share * exp(-r /
    length)``; the rest is white. With a share of 0.4 and a length of 1.44
    pixels it is 0.2, 0.1 and 0.05 at 1, 2 and 3 pixels, as measured in maps
    of JScanam at 70 and 100 micron, with 0.85 and 1.82 pixels 0.5, 0.3 and
    0.16, as at 160 micron.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx); the field is periodic.

    share : float
        The share of the variance that is correlated.

    length : float
        The distance, in pixels, over which its correlation falls to 1/e.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    field : `~numpy.ndarray`
        The noise, of an expected standard deviation of 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted.
    """
    check_rng(rng)
    shape = as_shape(shape)
    share = as_number(share, 'share', low=0, high=1)
    length = as_number(length, 'length', low=0)
    if length > max(shape):
        msg = f"length must be at most the map's longer side, got {length:g}."
        raise ValueError(msg)
    # The spectrum of a field is the transform of its correlation, made periodic.
    y, x = (np.minimum(np.arange(n), n - np.arange(n)) for n in shape)
    correlation = share * np.exp(-np.hypot(y[:, None], x) / max(length, 1.0e-6))
    correlation[0, 0] = 1.0
    power = np.maximum(np.fft.rfft2(correlation).real, 0.0)
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) * np.sqrt(power)
    return np.fft.irfft2(spectrum, s=shape)


def simulate_noise(shape, setup, *, rng, config=None):
    """
    Make a random field of a map's noise.

    It is the sum of correlated noise (`correlated_noise`), stripes along two
    crossed scan directions, and confusion by faint sources, of random shares;
    all lengths are in units of the setup's beam.

    Parameters
    ----------
    shape : tuple of int
        The shape (ny, nx).

    setup : `~photutils_pconv.setups.ObservingSetup` or str
        The setup or its name, whose beam, pixel scale and PSF are taken.

    rng : `numpy.random.Generator`
        The source of randomness.

    config : `NoiseConfig`, optional
        The ranges.

    Returns
    -------
    field : `~numpy.ndarray`
        The noise, of standard deviation 1, float32.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted.
    """
    check_rng(rng)
    shape = as_shape(shape)
    setup = get_setup(setup=setup)
    config = NoiseConfig() if config is None else config
    if not isinstance(config, NoiseConfig):
        msg = f'config must be a NoiseConfig, got {config!r}.'
        raise TypeError(msg)
    scale = setup.pixel_scale.to_value('arcsec')
    beam = setup.psf_fwhm.to_value('arcsec') / scale
    stripes, confusion = rng.uniform(*config.stripes), rng.uniform(*config.confusion)
    # A length beyond the map would be no more than an offset.
    length = min(beam * rng.uniform(*config.length), float(max(shape)))
    field = correlated_noise(
        shape, share=rng.uniform(*config.correlated), length=length, rng=rng
    )
    field *= np.sqrt(1.0 - stripes - confusion)
    if stripes > 0:
        field += np.sqrt(stripes) * stripe_field(
            shape, length=_STRIPE_LENGTH * beam, rng=rng
        )
    if confusion > 0:
        per_beam = np.exp(rng.uniform(*np.log(config.sources_per_beam)))
        faint = confusion_field(
            shape,
            psf=get_psf(setup),
            pixel_scale=scale,
            density=per_beam / (_BEAM_AREA * (beam * scale / 60.0) ** 2),
            flux_max=1.0,
            rng=rng,
        )
        # There may be none on a small map.
        field += np.sqrt(confusion) * faint / max(faint.std(), 1.0e-12)
    return (field / field.std()).astype(np.float32)
