# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The PSF of a map, from its own bright and isolated sources.

Photutils' `~photutils.psf.EPSFBuilder` makes an effective PSF from the
sources' stamps. A stamp ends where the background begins, but the PSF's
wings do not: they are those of a model, to which the effective PSF is
scaled.
"""

import numpy as np
from astropy.nddata import NDData
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from photutils.psf import EPSFBuilder, extract_stars
from scipy.spatial import KDTree

from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv._utils.arrays import (
    join_missing,
    one_per_source,
    pair_positions,
)
from photutils_pconv._utils.warnings import hold_filters, quiet
from photutils_pconv.photometry.annulus import local_background

__all__ = ['MINIMUM_SNR', 'MINIMUM_STARS', 'build_empirical_psf', 'choose_stars']

# All by choice, 2026-11-22.

#: The SNR (Eq. 1) from which a source may serve.
MINIMUM_SNR = 50.0

#: The least number of sources for a PSF.
MINIMUM_STARS = 5

# The number of sources that are used at most.
_MOST_STARS = 40
# The radius of the stamps in FWHM, and the width of the ring around them in which
# the background is measured, in pixels.
_STAMP_FWHM = 3.0
_RING_WIDTH = 5.0
# Over this distance (pixels) from the stamp's edge the stamp gives way to the
# model's wings; without a model it falls to 0 over a quarter of it.
_BLEND = 3.0
_NO_WINGS = 4.0
# The angles over which the model's wings are averaged, and how far (arcsec) those
# of an analytic model are drawn.
_N_ANGLES = 12
_WINGS_RADIUS = 100.0
# The rounds of photutils' builder.
_MOST_ROUNDS = 8


def choose_stars(x, y, snr, *, missing, radius, minimum_snr=MINIMUM_SNR):
    """
    Choose the sources that may show the PSF.

    Parameters
    ----------
    x, y : 1D `~numpy.ndarray`
        The positions of all sources, in pixels.

    snr : 1D `~numpy.ndarray`
        Their SNR (Eq. 1).

    missing : 2D bool `~numpy.ndarray`
        The map's missing pixels.

    radius : float
        The radius of the stamps and their surroundings, in pixels. No
        other source lies within twice of it, and no pixel is missing.

    minimum_snr : float, optional
        The least SNR.

    Returns
    -------
    index : 1D int `~numpy.ndarray`
        The chosen sources, the brightest first, at most 40.
    """
    finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    bright = finite[np.nan_to_num(snr[finite]) >= minimum_snr]
    if bright.size == 0:
        return bright
    tree = KDTree(np.stack([x[finite], y[finite]], axis=1))
    points = np.stack([x[bright], y[bright]], axis=1)
    alone = tree.query_ball_point(points, 2.0 * radius, return_length=True) == 1
    ny, nx = missing.shape
    reach = int(np.ceil(radius)) + 1
    for k, (column, row) in enumerate(np.round(points).astype(int)):
        inside = (reach <= column < nx - reach) and (reach <= row < ny - reach)
        window = np.s_[
            row - reach : row + reach + 1, column - reach : column + reach + 1
        ]
        alone[k] &= inside and not missing[window].any()
    chosen = bright[alone]
    return chosen[np.argsort(-snr[chosen], kind='stable')][:_MOST_STARS]


@hold_filters
def build_empirical_psf(
    data,
    x,
    y,
    *,
    snr,
    pixel_scale,
    fwhm,
    missing=None,
    wings=None,
    oversampling=2,
    minimum_snr=MINIMUM_SNR,
    minimum_stars=MINIMUM_STARS,
):
    """
    Build the PSF of a map from its bright and isolated sources.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    x, y : 1D `~numpy.ndarray`
        The positions of all sources, 0-based, in pixels.

    snr : 1D `~numpy.ndarray`
        Their SNR (Eq. 1).

    pixel_scale : float
        The map's pixel scale, in arcsec.

    fwhm : float
        The PSF's rough width, in pixels: stamps reach to 3 FWHM.

    missing : 2D bool `~numpy.ndarray`, optional
        Missing pixels; those that are not finite are missing in any case.

    wings : `~photutils_pconv.psf.SampledPSF` or ``LobedPSF``, optional
        A model for the wings beyond the stamps, averaged over angles,
        and for the flux within them. By default the PSF ends at the
        stamp's edge and has its whole flux within.

    oversampling : int, optional
        The number of samples a pixel.

    minimum_snr, minimum_stars : float and int, optional
        What it takes.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF. Its ``meta`` has ``n_stars``.

    Raises
    ------
    ValueError
        If there are too few bright and isolated sources, or an array has a
        wrong shape.
    """
    missing = join_missing(missing, data)
    x, y = pair_positions(x, y)
    snr = one_per_source(snr, x.shape, 'snr')
    radius = int(np.ceil(_STAMP_FWHM * fwhm))
    index = choose_stars(
        x, y, snr, missing=missing, radius=radius + _RING_WIDTH, minimum_snr=minimum_snr
    )
    if index.size < minimum_stars:
        msg = (
            f'an empirical PSF needs {minimum_stars} sources of an SNR of '
            f'{minimum_snr:g} or more that are alone within '
            f'{2 * (radius + _RING_WIDTH):g} pixels, and whole; the map has '
            f"{index.size}: take psf='setup', or give a PSF"
        )
        raise ValueError(msg)
    background = local_background(
        data, x[index], y[index], annulus_radii=(radius, radius + _RING_WIDTH)
    ).local_bkg
    image = np.where(missing, 0.0, data)
    for i, level in zip(index, background, strict=True):
        # Stamps do not overlap, so each gets its own level.
        column, row = round(x[i]), round(y[i])
        reach = radius + 1
        image[row - reach : row + reach + 1, column - reach : column + reach + 1] -= (
            level
        )
    stars = extract_stars(
        NDData(image), Table({'x': x[index], 'y': y[index]}), size=2 * radius + 1
    )
    fit_shape = 2 * int(np.ceil(fwhm)) + 1
    builder = EPSFBuilder(
        oversampling=oversampling,
        maxiters=_MOST_ROUNDS,
        fit_shape=fit_shape,
        progress_bar=False,
    )
    # A star that cannot be fitted is left out, which is all there is to it.
    with quiet(AstropyUserWarning):
        epsf = builder(stars)[0]
    return _with_wings(epsf, pixel_scale, oversampling, radius, wings, index.size)


def _with_wings(epsf, pixel_scale, oversampling, radius, wings, n_stars):
    """
    Scale an effective PSF, and continue it beyond its stamp.
    """
    step = pixel_scale / oversampling
    core = SampledPSF(
        np.array(epsf.data, dtype=float), step, effective_pixel=pixel_scale
    )
    edge = (radius - 0.5) * pixel_scale
    known = wings is not None
    reach = getattr(wings, 'radius', _WINGS_RADIUS) if known else edge
    half = int(reach / step)
    offset = np.arange(-half, half + 1) * step
    dx, dy = np.meshgrid(offset, offset)
    r = np.hypot(dx, dy)
    inner = np.where(r <= edge, core.density(dx, dy), 0.0)
    share = np.clip((edge - r) / (_BLEND * pixel_scale), 0.0, 1.0)
    if not known:
        image = inner * np.minimum(_NO_WINGS * share, 1.0)
        return SampledPSF(
            image / image.sum(),
            step,
            effective_pixel=pixel_scale,
            meta={'n_stars': n_stars},
        )
    outer = np.mean(
        [
            wings.density(dx, dy, angle=2.0 * np.pi * k / _N_ANGLES)
            for k in range(_N_ANGLES)
        ],
        axis=0,
    )
    # What was taken for background in the ring was the wings' level there.
    ring = (r >= radius * pixel_scale) & (r < (radius + _RING_WIDTH) * pixel_scale)
    level = outer[ring].mean()
    inside = r <= edge - _BLEND * pixel_scale
    total = outer[inside].sum() - level * np.count_nonzero(inside)
    inner = inner * total / inner[inside].sum() + level
    image = share * inner + (1.0 - share) * outer
    return SampledPSF(
        image * step**2,
        step,
        effective_pixel=pixel_scale,
        meta={'n_stars': n_stars},
    )
