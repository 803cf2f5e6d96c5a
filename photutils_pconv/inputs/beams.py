# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The beam of a map in Jy/beam: from an argument or a header, and plausible.
"""

from numbers import Real

import astropy.units as u
import numpy as np

__all__ = ['get_beam_area']

# The FWHM that a beam may have, in pixels. A map that is finer or coarser has no use
# for sources of that beam; arcsec instead of degrees are far outside.
_FWHM_RANGE = (1.0, 20.0)
# By how much a beam may be larger or smaller than the setup's (by choice: maps of
# the parallel mode are smeared by less).
_SETUP_FACTOR = 2.0


def get_beam_area(beam, meta, pixel_scale, *, setup_fwhm=None):
    """
    The solid angle of a Gaussian beam from its FWHM or from a header.

    Parameters
    ----------
    beam : float, pair of float or `~astropy.units.Quantity`, or `None`
        The FWHM of the beam, or of its axes (arcsec).

    meta : mapping
        The header, for ``BMAJ`` and ``BMIN`` (deg) where there is no ``beam``.

    pixel_scale : `~astropy.units.Quantity`
        The pixel scale.

    setup_fwhm : `~astropy.units.Quantity`, optional
        The FWHM that the beam should have, to a factor of 2.

    Returns
    -------
    area : `~astropy.units.Quantity`
        The solid angle.

    Raises
    ------
    ValueError
        If there is no beam, or none that is plausible: of 1 to 20 pixels, and
        like the setup's.
    """
    if beam is not None:
        try:
            axes = np.atleast_1d(u.Quantity(beam, u.arcsec, dtype=float))
        except (TypeError, ValueError):
            axes = np.array([])
        if axes.shape not in ((1,), (2,)) or not _is_positive(axes):
            msg = (
                "beam must be the beam's FWHM in arcsec, or a pair of the "
                f'FWHM of its axes, all positive, got {beam!r}.'
            )
            raise ValueError(msg)
        major, minor = axes[0], axes[-1]
        where = 'beam'
    else:
        major, minor = _read_beam(meta)
        where = 'the header (BMAJ and BMIN, in degrees)'
    fwhm = np.sqrt(major * minor).to(u.arcsec)
    in_pixels = [(axis / pixel_scale).to_value(u.one) for axis in (major, minor)]
    if min(in_pixels) < _FWHM_RANGE[0] or max(in_pixels) > _FWHM_RANGE[1]:
        msg = (
            f'The beam of {where} has a FWHM of {_axes_text(major, minor)}, but the '
            f'pixels are of {pixel_scale.to(u.arcsec):.4g}: a beam must have 1 to 20 '
            'pixels. Give beam, in arcsec, or correct the header.'
        )
        raise ValueError(msg)
    if setup_fwhm is not None:
        ratio = (fwhm / setup_fwhm).to_value(u.one)
        if not 1 / _SETUP_FACTOR <= ratio <= _SETUP_FACTOR:
            msg = (
                f'The beam of {where} has a FWHM of {_axes_text(major, minor)}, the '
                f'setup expects {setup_fwhm.to(u.arcsec):.4g}: choose the setup of '
                'this map, or give its beam, in arcsec.'
            )
            raise ValueError(msg)
    return np.pi / (4 * np.log(2)) * major * minor


def _read_beam(meta):
    header = {str(key).upper(): value for key, value in meta.items()}
    major = header.get('BMAJ')
    minor = header.get('BMIN', major)
    if major is None:
        msg = (
            "The map's unit is per beam, but its header has no BMAJ "
            "and BMIN: give beam, the beam's FWHM in arcsec."
        )
        raise ValueError(msg)
    for value in (major, minor):
        number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not (number and _is_positive(value)):
            msg = (
                'BMAJ and BMIN of the header must be positive numbers, in degrees, '
                f'got {major!r} and {minor!r}: give beam, in arcsec.'
            )
            raise ValueError(msg)
    return u.Quantity([major, minor], u.deg, dtype=float)


def _is_positive(values):
    values = np.asarray(getattr(values, 'value', values))
    return bool(np.all(np.isfinite(values) & (values > 0)))


def _axes_text(major, minor):
    return f'{major.to(u.arcsec):.5g} by {minor.to(u.arcsec):.5g}'
