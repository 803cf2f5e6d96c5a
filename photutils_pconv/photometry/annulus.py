# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The standard method: sources above the mean of an annulus.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv._utils.arrays import as_map, join_missing
from photutils_pconv._utils.checks import as_radii, check_choice
from photutils_pconv.photometry._aperture_stacks import iterate_apertures
from photutils_pconv.photometry.flags import SourceFlags, flag_positions

__all__ = [
    'METHODS',
    'AnnulusPhotometry',
    'AnnulusStatistics',
    'annulus_photometry',
    'check_annulus',
    'local_background',
    'measure_annuli',
    'sum_above',
]

# An annulus of which less than this share is usable is flagged: by choice.
_LEAST_FRACTION = 0.5


#: The ways in which an aperture overlaps pixels, as in photutils.
METHODS = ('exact', 'center', 'subpixel')


@dataclass(frozen=True, eq=False)
class AnnulusStatistics:
    """
    The mean and scatter of a map in annuli, arrays of length N.

    Parameters
    ----------
    local_bkg, local_bkg_std : (N,) `~numpy.ndarray`
        The mean and the standard deviation, in the map's unit; NaN without
        a usable pixel.

    annulus_area : (N,) `~numpy.ndarray`
        The usable pixels.

    annulus_fraction : (N,) `~numpy.ndarray`
        Their share of the whole annulus.

    flags : (N,) int `~numpy.ndarray`
        See `~photutils_pconv.photometry.SourceFlags`.
    """

    local_bkg: np.ndarray
    local_bkg_std: np.ndarray
    annulus_area: np.ndarray
    annulus_fraction: np.ndarray
    flags: np.ndarray


@dataclass(frozen=True, eq=False)
class AnnulusPhotometry:
    """
    Sources above the mean of their annuli.

    Parameters
    ----------
    flux : (N, A) `~numpy.ndarray`
        The sum above the background over the usable pixels, in the map's
        unit times pixel, not corrected for the aperture; missing pixels are
        not replaced.

    annulus : `AnnulusStatistics`
        The statistics of the annuli.

    flags : (N,) int `~numpy.ndarray`
        See `~photutils_pconv.photometry.SourceFlags`.
    """

    flux: np.ndarray
    annulus: AnnulusStatistics
    flags: np.ndarray


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
    results : `AnnulusPhotometry`
        The fluxes, and the statistics of the annuli.

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
    check_choice(method, 'method', METHODS)
    annulus_radii = check_annulus(annulus_radii)
    check_choice(annulus_method, 'annulus_method', ('exact', 'center'))
    x, y, inside, flags = flag_positions(x, y, data.shape)
    (annulus,) = measure_annuli(
        [(data, missing)], x, y, inside, annulus_radii, method=annulus_method
    )
    flux, more = sum_above(
        data,
        missing,
        x,
        y,
        inside,
        radii,
        annulus.local_bkg,
        method=method,
        subpixels=subpixels,
    )
    flags |= more
    annulus = replace(annulus, flags=annulus.flags | flags)
    return AnnulusPhotometry(flux, annulus, annulus.flags)


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
    results : `AnnulusStatistics`
        The mean and the scatter in each annulus.

    Raises
    ------
    ValueError
        If shapes, radii or the method are not as described.
    """
    data = as_map(data, 'data')
    missing = join_missing(missing, data)
    annulus_radii = check_annulus(annulus_radii)
    check_choice(annulus_method, 'annulus_method', ('exact', 'center'))
    x, y, inside, flags = flag_positions(x, y, data.shape)
    (annulus,) = measure_annuli(
        [(data, missing)], x, y, inside, annulus_radii, method=annulus_method
    )
    return replace(annulus, flags=annulus.flags | flags)


def check_annulus(annulus_radii):
    """
    Return the radii of an annulus as an array of two.

    Parameters
    ----------
    annulus_radii : array_like
        The inner and the outer radius.

    Returns
    -------
    annulus_radii : (2,) `~numpy.ndarray`
        The same, in the same unit.

    Raises
    ------
    ValueError
        If they are not two positive numbers, the second larger than the first.
    """
    annulus_radii = as_radii(annulus_radii, 'annulus_radii')
    if annulus_radii.size != 2 or annulus_radii[0] >= annulus_radii[1]:
        msg = (
            'annulus_radii must be an inner and a larger outer radius, got '
            f'{annulus_radii.tolist()}.'
        )
        raise ValueError(msg)
    return annulus_radii


def measure_annuli(images, x, y, inside, annulus_radii, *, method='exact'):
    """
    Measure the annuli around sources in several images at once.

    Nothing is checked here: `local_background` is for users.

    Parameters
    ----------
    images : sequence of pairs of 2D `~numpy.ndarray`
        The images, with the pixels that are missing in each.

    x, y : (N,) `~numpy.ndarray`
        The positions, in pixels.

    inside : (N,) bool `~numpy.ndarray`
        Which of them lie on the map.

    annulus_radii : 2-tuple of float
        The annulus' radii, in pixels.

    method : {'exact', 'center'}, optional
        How annuli overlap pixels.

    Returns
    -------
    statistics : list of `AnnulusStatistics`
        Those of each image; NaN for sources that lie elsewhere.
    """
    found = [np.full((4, x.size), np.nan) for _ in images]
    flags = [np.zeros(x.size, dtype=int) for _ in images]
    for stack in iterate_apertures(x, y, inside, annulus_radii, method):
        rows = stack.rows
        # A thin annulus may hold no pixel's centre at all.
        whole = np.maximum(stack.area, 1e-12)
        for k, (image, missing) in enumerate(images):
            present, _ = stack.on_map(missing)
            area = present.area
            part = area / whole
            flags[k][rows[part < _LEAST_FRACTION]] |= SourceFlags.ANNULUS_INCOMPLETE
            values = present.cut(image)
            with np.errstate(divide='ignore', invalid='ignore'):
                mean = np.einsum('nij,nij->n', values, present.weights) / area
                values -= mean[:, None, None]
                values *= values
                variance = np.einsum('nij,nij->n', values, present.weights) / area
            found[k][:, rows] = mean, np.sqrt(variance), area, part
    return [
        AnnulusStatistics(*columns, flags=one)
        for columns, one in zip(found, flags, strict=True)
    ]


def sum_above(
    data, missing, x, y, inside, radii, local_bkg, *, method='exact', subpixels=5
):
    """
    Sum sources in apertures above their local background.

    Nothing is checked here: `annulus_photometry` is for users.

    Parameters
    ----------
    data, missing : 2D `~numpy.ndarray`
        The map and its missing pixels.

    x, y, inside : (N,) `~numpy.ndarray`
        The positions, in pixels, and which of them lie on the map.

    radii : (A,) `~numpy.ndarray`
        The aperture radii, in pixels.

    local_bkg : (N,) `~numpy.ndarray`
        The local background, in the map's unit.

    method, subpixels : optional
        As for `annulus_photometry`.

    Returns
    -------
    flux : (N, A) `~numpy.ndarray`
        The sums.

    flags : (N,) int `~numpy.ndarray`
        ``MISSING_PIXELS`` where an aperture has some.
    """
    flux = np.full((x.size, radii.size), np.nan)
    flags = np.zeros(x.size, dtype=int)
    for j, radius in enumerate(radii):
        for stack in iterate_apertures(x, y, inside, (radius,), method, subpixels):
            rows = stack.rows
            present, incomplete = stack.on_map(missing)
            flags[rows[incomplete]] |= SourceFlags.MISSING_PIXELS
            used = present.area
            # Subpixels miss the circle's area by up to a few tenths of a
            # percent. The reference takes the background off the ideal
            # circle all the same; with 'exact' there is no difference.
            area = np.pi * radius**2 * used / stack.area
            total = present.sum(data) - local_bkg[rows] * area
            flux[rows, j] = np.where(used > 0, total, np.nan)
    return flux, flags
