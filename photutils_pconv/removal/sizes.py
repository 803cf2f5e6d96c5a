# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sizes of sources: from the catalogue, fitted, or found to be larger than the PSF.
"""

from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np

from photutils_pconv._utils.arrays import take_off_level
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.psf.library import GriddedPSF, get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resampled import resample_psf
from photutils_pconv.psf.source_sizes import SourceSizes
from photutils_pconv.psf_photometry.fitting import POSITION_SNR, PSFFit, fit_psf
from photutils_pconv.psf_photometry.size_fits import (
    LARGEST_SIZE,
    find_resolved,
    fit_sizes,
)
from photutils_pconv.removal.orientations import to_map_angles

__all__ = ['FoundSizes', 'enlarge_holes', 'measure_sizes']

# The SNR (Eq. 1) from which sources without a size are looked at; by choice: below
# it none was ever found larger than the PSF, right or wrong.
_LEAST_SNR = 4.0


@dataclass(frozen=True, eq=False)
class FoundSizes:
    """
    The sizes of the M sources on a map.

    Parameters
    ----------
    sizes : `~photutils_pconv.psf.SourceSizes`
        The sizes, in units of the PSF's FWHM.

    beam : float
        That FWHM, in arcsec.

    untold : (M,) bool `~numpy.ndarray`
        The sources that were found to be resolved without a size in the catalogue.

    shown : bool
        Whether the table shows sizes: some were given, asked for, or found.

    fit : `~photutils_pconv.psf_photometry.PSFFit`, optional
        The fit of the PSF to the native map, where it was made.
    """

    sizes: SourceSizes
    beam: float
    untold: np.ndarray
    shown: bool
    fit: PSFFit | None = None

    @property
    def is_any_resolved(self):
        """
        Whether there is a resolved source (bool).
        """
        return bool(self.sizes.is_resolved.any())

    @property
    def fwhm(self):
        """
        The geometric mean of both axes' FWHM ((M,) `~numpy.ndarray`), in arcsec.
        """
        return self.beam * self.sizes.mean

    @property
    def axes(self):
        """
        The FWHM along the major and the minor axis (pair of (M,) `~numpy.ndarray`), in
        arcsec.
        """
        return self.beam * self.sizes.major, self.beam * self.sizes.minor

    @property
    def orientation(self):
        """
        The angle of the major axis ((M,) `~numpy.ndarray`), in degrees from -90 to 90
        counter-clockwise from the map's x axis; NaN for round sources.
        """
        angle = (np.degrees(self.sizes.angle) + 90.0) % 180.0 - 90.0
        return np.where(self.sizes.major > self.sizes.minor, angle, np.nan)

    @property
    def fwhm_err(self):
        """
        The errors of fitted sizes ((M,) `~numpy.ndarray`), in arcsec.
        """
        return self.fwhm * self.sizes.error

    def scales(self):
        """
        Give how much larger than the PSF sources are along their major axes.

        Returns
        -------
        scales : (M,) `~numpy.ndarray`
            The factors; 1 for unresolved sources.
        """
        return np.where(self.sizes.is_resolved, self.sizes.major, 1.0)


def measure_sizes(settings, grid, holes, psf, sources):
    """
    Find the sizes of sources.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        Whether sizes are fitted, and which positions are.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    holes : `~photutils_pconv.geometry.Holes`
        The holes of unresolved sources, with their SNR.

    psf : PSF or `None`
        The PSF.

    sources : `~photutils_pconv.removal.Sources`
        The sources, of which the M distinct ones on the map are meant.

    Returns
    -------
    found : `FoundSizes`
        The sizes. Those of the catalogue, unless `fit_sizes` is set: then they are
        fitted. Bright sources that are larger than the PSF, though the catalogue
        says nothing of it, have fitted sizes in any case, unless the PSF varies.
    """
    native = grid.native
    seen = get_psf(settings.setup) if psf is None else psf
    if grid.factor != 1:
        # Interpolation widens what the map's pixels have.
        seen = resample_psf(seen, grid.pixel_scale, native.pixel_scale)
    pixel_psf = PixelPSF(seen, native.pixel_scale)
    beam = pixel_psf.fwhm * native.pixel_scale
    sizes = _from_catalogue(sources, grid, beam)
    told = sizes.is_resolved
    shown = settings.fit_sizes or sources.source_input.sizes is not None
    untold = np.zeros(len(holes), dtype=bool)
    if psf is None or settings.method != 'psf' or len(holes) == 0:
        return FoundSizes(sizes, beam, untold, shown)
    snr = np.nan_to_num(holes.snr)
    data, _ = take_off_level(native.data, native.missing)
    x, y = grid.to_native(holes.x, holes.y)
    moving = settings.fit_positions & (snr >= POSITION_SNR)
    chosen = np.full(len(holes), settings.fit_sizes)
    bright = (snr >= _LEAST_SNR) & ~told & ~chosen
    fit = None
    # Where the PSF varies, a source wider than its mean is no resolved one.
    if bright.any() and not isinstance(psf, GriddedPSF):
        fit = fit_psf(
            data, x, y, pixel_psf, missing=native.missing, fit_position=moving
        )
        chosen |= find_resolved(
            data, fit, pixel_psf, missing=native.missing, chosen=bright
        )
    if chosen.any():
        sizes = fit_sizes(
            data,
            x,
            y,
            pixel_psf,
            sizes,
            missing=native.missing,
            chosen=chosen,
            fit_position=moving,
        )
        untold = chosen & ~told & sizes.is_resolved
    return FoundSizes(sizes, beam, untold, shown or bool(untold.any()), fit)


def _from_catalogue(sources, grid, beam):
    """
    Give the sizes of a catalogue in units of the beam, and on the map's axes.
    """
    given = sources.source_input.sizes
    first = np.flatnonzero(sources.inside)[sources.distinct.first]
    if given is None:
        return SourceSizes.of_points(first.size)
    given = given.select(first)
    unit = 1.0 if given.unit == u.arcsec else grid.pixel_scale
    major, minor = (
        np.nan_to_num(unit * one / beam, nan=1.0) for one in (given.major, given.minor)
    )
    n_large = np.count_nonzero(major > LARGEST_SIZE)
    if n_large:
        msg = (
            f'{n_large} of {first.size} sources are larger than {LARGEST_SIZE:g} times '
            f'the PSF of {beam:.3g} arcsec, which is not compact: they are measured as '
            'if they had that size'
        )
        warn_user(msg)
    angle = np.radians(given.angle)
    if given.from_north:
        angle = to_map_angles(sources, first, angle)
    return SourceSizes(
        np.clip(major, 1.0, LARGEST_SIZE),
        np.clip(minor, 1.0, LARGEST_SIZE),
        angle,
        np.full(first.size, np.nan),
    )


def enlarge_holes(holes, found):
    """
    Give resolved sources larger holes.

    Parameters
    ----------
    holes : `~photutils_pconv.geometry.Holes`
        The holes of unresolved sources.

    found : `FoundSizes`
        The sizes.

    Returns
    -------
    holes : `~photutils_pconv.geometry.Holes`
        The holes, whose radii are larger by the sources' major axes.
    """
    if not found.is_any_resolved:
        return holes
    return replace(holes, radius=holes.radius * found.scales())
