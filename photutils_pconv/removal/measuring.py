# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Apertures, and the fluxes in them.
"""

import numpy as np

__all__ = [
    'make_eef',
]


def make_eef(setup, table, psf, pixel_scale):
    """
    Make the function that gives the encircled energy of a radius.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    table : str, table or `None`
        The table of encircled energies; `None` for the PSF's own, or the
        setup's for real maps without a PSF.

    psf : `~photutils_pconv.psf.SampledPSF` or `None`
        The PSF.

    pixel_scale : float
        The map's pixel scale, in arcsec.

    Returns
    -------
    eef : callable
        The encircled-energy fraction of radii in arcsec.
    """
    if table is None and psf is not None:

        def eef(radius):
            radius = np.asarray(radius, dtype=float)
            if np.any(radius > psf.radius):
                msg = (
                    f'the PSF is known to {psf.radius:.4g} arcsec, got an aperture '
                    f'of {radius.max():.4g} arcsec: choose a smaller one, or give '
                    'aperture_corrections'
                )
                raise ValueError(msg)
            return psf.encircled_energy(radius, pixel_scale=pixel_scale)

        return eef
    table = 'real' if table is None else table
    return lambda radius: setup.eef(radius, table=table)
