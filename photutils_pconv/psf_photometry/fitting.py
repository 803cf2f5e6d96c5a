# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Linear fits of a known PSF on a polynomial background.

Every source is fitted in a window of its own, with the flux (and, where
asked for, the position, to first order) of its neighbours free as well:
sources that blend are thereby fitted jointly, and neither their order
nor a grouping matters. What lies farther away enters with its flux of
the iteration before.
"""

from dataclasses import dataclass, fields

import numpy as np

from photutils_pconv._utils.arrays import join_missing, pair_positions
from photutils_pconv._utils.checks import check_switches, to_float
from photutils_pconv.geometry.merging import merge_close
from photutils_pconv.psf_photometry.fit_windows import (
    FIT_RADIUS,
    SAME_POSITION,
)
from photutils_pconv.psf_photometry.joint_fit import JointFit

__all__ = [
    'BRIGHT_SNR',
    'POSITION_SNR',
    'FitSettings',
    'PSFFit',
    'fit_psf',
]

#: The SNR (Eq. 1) from which positions are fitted on the map itself. By choice,
#: 2026-11-22; the networks that see residuals were trained with it.
POSITION_SNR = 20.0
#: The SNR from which a source determines the PSF with little doubt: what it leaves
#: is the PSF's mismatch. Positions are fitted to what was removed from it on. By
#: choice, 2026-11-22.
BRIGHT_SNR = 80.0
#: The SNR from which sources determine the PSF's angle and width, all of them together
#: (benchmarks/psf_shape.py, 2026-11-29).
SHAPE_SNR = 15.0

# The rounds of a fit at most, and the largest shift of a position in all of them
# (pixels), both by default and by choice.
_MOST_ROUNDS = 10
_LARGEST_SHIFT = 1.0


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """
    Which sources determine what: the one set-up of all fits of a PSF to a map.

    The flux of every source is fitted. Bright ones also determine their own
    positions, and, all of them together, the angle, the width and the profile
    that the PSF has on the map. `for_method` gives the settings of a removal:

    ===========  ========================  ==============  =============
    method       fitted to                 positions from  shape from
    ===========  ========================  ==============  =============
    ``inpaint``  map minus reconstruction  SNR 80          SNR 15
    ``psf``      the map                   SNR 20          SNR 15
    ===========  ========================  ==============  =============

    With ``inpaint`` the fit sees what was removed from the holes, which has the
    error of the reconstruction in it: that would move the centre of a faint
    source. With ``psf`` it sees the map, and a polynomial takes up the background.

    Parameters
    ----------
    position_snr : float, optional
        The SNR (Eq. 1) from which a source's position is fitted.

    shape_snr : float, optional
        The SNR from which a source determines the PSF's shape and, after that, how
        the fluxes of filters and apertures compare with those of the fit.

    fit_positions : bool, optional
        Whether positions are fitted at all.

    fit_psf_shape : bool, optional
        Whether the PSF's shape is fitted at all.

    Raises
    ------
    TypeError, ValueError
        If an SNR is not a positive number, or a switch neither True nor False.
    """

    position_snr: float = POSITION_SNR
    shape_snr: float = SHAPE_SNR
    fit_positions: bool = True
    fit_psf_shape: bool = True

    def __post_init__(self):
        check_switches(self)
        for name in ('position_snr', 'shape_snr'):
            to_float(getattr(self, name), name)

    @classmethod
    def for_method(cls, method, *, fit_positions=True, fit_psf_shape=True):
        """
        Give the settings of a removal.

        Parameters
        ----------
        method : {'psf', 'inpaint'}
            The method.

        fit_positions, fit_psf_shape : bool, optional
            See the class.

        Returns
        -------
        settings : `FitSettings`
            The settings.
        """
        return cls(
            position_snr=BRIGHT_SNR if method == 'inpaint' else POSITION_SNR,
            shape_snr=SHAPE_SNR,
            fit_positions=fit_positions,
            fit_psf_shape=fit_psf_shape,
        )

    def may_move(self, snr):
        """
        Find which sources' positions are fitted.

        Parameters
        ----------
        snr : 1D array_like
            The sources' SNR (Eq. 1); NaN counts as faint.

        Returns
        -------
        may_move : 1D bool `~numpy.ndarray`
            The sources.
        """
        return (np.nan_to_num(snr) >= self.position_snr) & self.fit_positions

    def tells_shape(self, snr):
        """
        Find which sources are bright enough for the PSF's shape.

        Parameters
        ----------
        snr : 1D array_like
            The sources' SNR (Eq. 1); NaN counts as faint.

        Returns
        -------
        telling : 1D bool `~numpy.ndarray`
            The sources, whether or not the shape is to be fitted.
        """
        return np.nan_to_num(snr) >= self.shape_snr


@dataclass(frozen=True, eq=False)
class PSFFit:
    """
    The fit of a PSF to the sources of a map, arrays of length N.

    Parameters
    ----------
    flux : `~numpy.ndarray`
        The total fluxes, in the map's unit times pixel; NaN where there
        are too few pixels.

    flux_err : `~numpy.ndarray`
        Their errors for pixels of variance 1; NaN likewise.

    x, y : `~numpy.ndarray`
        The positions.

    n_pixels : `~numpy.ndarray` of int
        The number of pixels used.

    unstable : `~numpy.ndarray` of bool
        The sources whose fit ran away from the data, so that it was repeated
        without fluxes below 0 and shifts.

    level : `~numpy.ndarray`
        The brightness below which a source's wings were no concern of the others.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    x: np.ndarray
    y: np.ndarray
    n_pixels: np.ndarray
    unstable: np.ndarray | None = None
    level: np.ndarray | None = None

    def select(self, chosen):
        """
        Give the fit of some sources.

        Parameters
        ----------
        chosen : array_like
            A mask, or the sources' numbers.

        Returns
        -------
        fit : `PSFFit`
            The fit.
        """
        return PSFFit(*(getattr(self, one.name)[chosen] for one in fields(self)))


def fit_psf(
    data,
    x,
    y,
    pixel_psf,
    *,
    missing=None,
    fit_position=None,
    radius=FIT_RADIUS,
    degree=2,
    n_iterations=_MOST_ROUNDS,
    maximum_shift=_LARGEST_SHIFT,
    start=None,
):
    """
    Fit a PSF and a polynomial background to every source of a map.

    Rows of one position are one source, and all of them have its flux. No fit
    runs away: a source alone is never brighter than twice what its window shows.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    x, y : 1D `~numpy.ndarray`
        The positions, 0-based, in pixels; they must be finite.

    pixel_psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF on the map's pixels, or that of each source.

    missing : 2D bool `~numpy.ndarray`, optional
        Missing pixels; those that are not finite are missing in any case.

    fit_position : 1D bool `~numpy.ndarray`, optional
        The sources whose positions are fitted as well (default: none).

    radius : float, optional
        The radius of each source's window, in pixels; that of a resolved source
        is larger by its size.

    degree : int or `None`, optional
        The degree of the polynomial; `None` for no background.

    n_iterations : int, optional
        The largest number of rounds in which sources learn of the wings
        of those beyond their window, and of shifted positions; the fit
        ends when fluxes and positions have settled.

    maximum_shift : float, optional
        The largest shift of a position, in pixels; a source whose fit
        asks for more keeps the position given.

    start : `PSFFit`, optional
        Fluxes and positions to begin with, such as those of a fit of another PSF.

    Returns
    -------
    fit : `PSFFit`
        The fluxes and positions.

    Raises
    ------
    ValueError
        If the positions or the missing pixels have a wrong shape.
    """
    missing = join_missing(missing, data)
    if np.any(data[missing]):
        data = np.where(missing, 0.0, data)
    x0, y0 = pair_positions(x, y)
    n = len(x0)
    if fit_position is None:
        fit_position = np.zeros(n, dtype=bool)
    distinct = merge_close(x0, y0, SAME_POSITION)
    if len(distinct) < n:
        fit = fit_psf(
            data,
            distinct.x,
            distinct.y,
            pixel_psf.select(distinct.first),
            missing=missing,
            fit_position=distinct.largest(fit_position) > 0,
            radius=radius,
            degree=degree,
            n_iterations=n_iterations,
            maximum_shift=maximum_shift,
            start=None if start is None else start.select(distinct.first),
        )
        return fit.select(distinct.row)
    joint = JointFit(
        data,
        missing,
        x0,
        y0,
        pixel_psf,
        fit_position=fit_position,
        radius=radius,
        degree=degree,
        maximum_shift=maximum_shift,
    )
    if start is not None:
        joint.begin_with(start)
    joint.run(n_iterations)
    return PSFFit(
        flux=joint.flux,
        flux_err=joint.flux_err,
        x=joint.x,
        y=joint.y,
        n_pixels=joint.n_pixels,
        unstable=joint.unstable,
        level=joint.level,
    )
