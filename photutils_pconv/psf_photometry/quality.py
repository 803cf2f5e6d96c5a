# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How well fits and the emission behind sources explain a map.
"""

import numpy as np

from photutils_pconv.geometry.cutouts import extract_cutout
from photutils_pconv.geometry.lazy_images import Difference
from photutils_pconv.geometry.squares import group_alike
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf_photometry.fit_windows import FIT_RADIUS
from photutils_pconv.psf_photometry.window_stacks import WindowStack

__all__ = ['fit_quality']


def fit_quality(
    data,
    x,
    y,
    flux,
    pixel_psf,
    missing,
    emission,
    *,
    sources=None,
    radius=FIT_RADIUS,
):
    """
    Calculate how well sources and emission explain the map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    x, y, flux : 1D `~numpy.ndarray`
        The sources.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    emission : sequence
        For each source the first pixel (x, y) of a cutout and the
        emission there, or `None` where it is not known.

    sources : 2D `~numpy.ndarray`, optional
        The image of the sources, where it is at hand.

    radius : float, optional
        The radius of each source's window, in pixels.

    Returns
    -------
    qfit, cfit : `~numpy.ndarray`
        The sum of the absolute residuals within the window, and the
        residual in the central pixel, over the flux, as
        `photutils.psf.PSFPhotometry` defines them; NaN where the
        emission or the flux is not known.
    """
    qfit, cfit = np.full(len(x), np.nan), np.full(len(x), np.nan)
    if sources is None:
        sources = model_image(data.shape, x, y, flux, pixel_psf)
    left = Difference(data, sources)
    radii = radius * pixel_psf.scales(len(x))
    has_flux = np.isfinite(flux) & (flux != 0)
    measured = [i for i in np.flatnonzero(has_flux) if emission[i] is not None]
    for group in group_alike(measured, lambda i: radii[i]):
        windows = WindowStack.around(x[group], y[group], radii[group[0]], missing)
        squares = windows.squares
        origins = np.array([emission[i][0] for i in group])
        behind = np.array(
            [
                extract_cutout(
                    emission[i][1], *place, size=squares.side, fill_value=np.nan
                )
                for i, place in zip(group, squares.origins - origins, strict=True)
            ]
        )
        used = windows.used & np.isfinite(behind)
        residual = np.where(used, squares.cut(left) - behind, 0.0)
        dx, dy = squares.offsets(x[group], y[group])
        distance = np.where(used, dx**2 + dy**2, np.inf).reshape(len(group), -1)
        central = residual.reshape(len(group), -1)[
            np.arange(len(group)), distance.argmin(axis=1)
        ]
        enough = windows.has_enough(None)
        qfit[group[enough]] = np.abs(residual).sum(axis=(1, 2))[enough]
        cfit[group[enough]] = central[enough]
    with np.errstate(divide='ignore', invalid='ignore'):
        return qfit / np.abs(flux), cfit / flux
