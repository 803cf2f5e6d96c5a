# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The standard method: sources above the mean of an annulus.
"""

import numpy as np

from photutils_pconv._utils.arrays import as_map, join_missing
from photutils_pconv._utils.checks import as_radii, check_choice
from photutils_pconv.photometry._stamps import clip_to_map, iterate_stamps, weighted_sum
from photutils_pconv.photometry.flags import SourceFlags, flag_positions

__all__ = [
    'annulus_photometry',
    'local_background',
]


def annulus_photometry(
    data,
    x,
    y,
    *,
    radii,
    annulus_radii,
    missing=None,
    method='exact',
    subpixels=5,
    annulus_method='exact',
):
    """
    Measure sources above the mean of an annulus: the standard method.

    Given the centres ``(ceil(x), ceil(y))``, ``method='subpixel'``,
    ``subpixels=5`` and ``annulus_method='center'``, this is the
    photometry of the paper authors' program.

    Parameters
    ----------
    data : array_like
        The 2-D map, of shape ``(ny, nx)``.
    x, y : array_like
        The ``N`` pixel positions.
    radii : array_like
        The ``A`` aperture radii in pixels.
    annulus_radii : 2-tuple of float
        The annulus' inner and outer radii in pixels.
    missing : array_like of bool, optional
        Pixels not to use, of the map's shape. Pixels that are not
        finite are missing in any case.
    method : {'exact', 'center', 'subpixel'}, optional
        The way apertures overlap pixels, as in
        `~photutils.aperture.aperture_photometry`.
    subpixels : int, optional
        The subpixels a side with ``method='subpixel'``.
    annulus_method : {'exact', 'center'}, optional
        Weight the annulus' pixels by their overlap with it, or take
        those whose centres it holds, unweighted.

    Returns
    -------
    results : dict of `~numpy.ndarray`
        ``flux`` (N, A), the sum above the background over the usable
        pixels, not corrected for the aperture (nothing is put in the
        place of missing pixels); the results of `local_background`;
        and ``flags`` (N,), see `~photutils_pconv.photometry.SourceFlags`.

    Raises
    ------
    ValueError
        If shapes, radii or methods are not as described.

    Notes
    -----
    Paper: section 3.4.
    """
    data = as_map(data, 'data')
    missing = join_missing(missing, data)
    radii = as_radii(radii)
    check_choice(method, 'method', ('exact', 'center', 'subpixel'))
    x, y, inside, flags = flag_positions(x, y, data.shape)
    annulus = local_background(
        data,
        x,
        y,
        annulus_radii=annulus_radii,
        missing=missing,
        annulus_method=annulus_method,
    )

    flux = np.full((x.size, radii.size), np.nan)
    for j, radius in enumerate(radii):
        for i, stamp in iterate_stamps(x, y, inside, (radius,), method, subpixels):
            large, weights, incomplete = clip_to_map(stamp, missing)
            if incomplete:
                flags[i] |= SourceFlags.MISSING_PIXELS
            used = weights.sum()
            if used == 0:
                continue
            # Subpixels miss the circle's area by up to a few tenths of a
            # percent. The reference takes the background off the ideal
            # circle all the same; with 'exact' there is no difference.
            area = np.pi * radius**2 * used / stamp.data.sum()
            total = weighted_sum(data[large], weights)
            flux[i, j] = total - annulus['local_bkg'][i] * area
    return {'flux': flux, **annulus, 'flags': flags | annulus['flags']}


def local_background(
    data, x, y, *, annulus_radii, missing=None, annulus_method='exact'
):
    """
    Measure the mean and scatter of the annuli around sources.

    Parameters
    ----------
    data : array_like
        The 2-D map, of shape ``(ny, nx)``.
    x, y : array_like
        The ``N`` pixel positions.
    annulus_radii : 2-tuple of float
        The annulus' inner and outer radii in pixels.
    missing : array_like of bool, optional
        Pixels not to use, of the map's shape. Pixels that are not
        finite are missing in any case.
    annulus_method : {'exact', 'center'}, optional
        Weight the annulus' pixels by their overlap with it, or take
        those whose centres it holds, unweighted.

    Returns
    -------
    results : dict of `~numpy.ndarray`
        All of shape (N,): ``local_bkg`` and ``local_bkg_std``, the mean
        and the standard deviation, NaN without a usable pixel;
        ``annulus_area``, the usable pixels; ``annulus_fraction``, their
        share of the whole annulus; and ``flags``, see
        `~photutils_pconv.photometry.SourceFlags`.

    Raises
    ------
    ValueError
        If shapes, radii or the method are not as described.
    """
    data = as_map(data, 'data')
    missing = join_missing(missing, data)
    annulus_radii = as_radii(annulus_radii, 'annulus_radii')
    if annulus_radii.size != 2 or annulus_radii[0] >= annulus_radii[1]:
        msg = (
            'annulus_radii must be an inner and a larger outer radius, got '
            f'{annulus_radii.tolist()}.'
        )
        raise ValueError(msg)
    check_choice(annulus_method, 'annulus_method', ('exact', 'center'))
    x, y, inside, flags = flag_positions(x, y, data.shape)

    mean, std, area, fraction = np.full((4, x.size), np.nan)
    for i, stamp in iterate_stamps(x, y, inside, annulus_radii, annulus_method):
        large, weights, _ = clip_to_map(stamp, missing)
        area[i] = weights.sum()
        # A thin annulus may hold no pixel's centre at all.
        fraction[i] = area[i] / max(stamp.data.sum(), 1e-12)
        if fraction[i] < 0.5:
            flags[i] |= SourceFlags.ANNULUS_INCOMPLETE
        if area[i] > 0:
            mean[i] = weighted_sum(data[large], weights) / area[i]
            square = (data[large] - mean[i]) ** 2
            std[i] = np.sqrt(weighted_sum(square, weights) / area[i])
    return {
        'local_bkg': mean,
        'local_bkg_std': std,
        'annulus_area': area,
        'annulus_fraction': fraction,
        'flags': flags,
    }
