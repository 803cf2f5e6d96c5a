# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The arguments of `~photutils_pconv.removal`, checked before any work.
"""

import astropy.units as u

from photutils_pconv._utils.checks import as_radii
from photutils_pconv.network import LoadedModel, load_model
from photutils_pconv.network.kinds import check_kind
from photutils_pconv.network.registry import default_model

#: The bundled model for removal with a PSF.
PSF_MODEL = 'psf'

ERROR_METHODS = ('empty_apertures', 'card', 'local')


def parse_aperture_radii(radii, setup):
    """Return the aperture radii in arcsec, by default the setup's."""
    if radii is None:
        radii = setup.aperture_radius
    try:
        radii = u.Quantity(radii, u.arcsec, dtype=float).value
    except (TypeError, ValueError) as exc:
        msg = f'aperture_radii must be angles or numbers (arcsec), got {radii!r}'
        raise ValueError(msg) from exc
    return as_radii(radii, 'aperture_radii')


def check_passes(n_passes, psf):
    """Refuse a number of passes that is none, or that needs a PSF."""
    if n_passes not in (1, 2) or isinstance(n_passes, bool):
        msg = f'n_passes must be 1 or 2, got {n_passes!r}'
        raise ValueError(msg)
    if n_passes == 2 and psf is None:
        msg = (
            "n_passes=2 needs a PSF to subtract: give psf='setup' for the "
            "setup's, or a PSF of your own"
        )
        raise ValueError(msg)


def find_model(model, setup, n_passes):
    """Return the loaded model, by default the bundled one for the passes."""
    if model is None:
        model = default_model(setup) if n_passes == 1 else PSF_MODEL
    loaded = model if isinstance(model, LoadedModel) else load_model(model)
    check_kind(loaded.card, 'masked' if n_passes == 1 else 'residual')
    return model, loaded
