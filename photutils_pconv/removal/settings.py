# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The arguments of `~photutils_pconv.removal`, checked before any work.
"""

import astropy.units as u
import numpy as np

from photutils_pconv._utils.arrays import as_radii, check_choice

ERROR_METHODS = ('empty_apertures', 'card', 'local')
PRECISIONS = ('auto', 'float32', 'bfloat16')


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


def check_batch_size(batch_size):
    """Refuse a batch size that is not a positive integer."""
    if (
        isinstance(batch_size, bool)
        or not isinstance(batch_size, int | np.integer)
        or batch_size < 1
    ):
        msg = f'batch_size must be a positive integer, got {batch_size!r}'
        raise ValueError(msg)


def check_precision(precision):
    """Refuse an unknown precision."""
    check_choice(precision, 'precision', PRECISIONS)


def choose_device(device):
    """Return the torch device of a name, 'auto' for a GPU where there is one."""
    import torch

    name = device
    if name == 'auto':
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        chosen = torch.device(name)
        # A name may be known though the device is not there; torch says so
        # in either error, or an AssertionError if it was built without it.
        torch.empty(0, device=chosen)
    except (AssertionError, RuntimeError, TypeError) as exc:
        msg = (
            "device must be 'auto' or a torch device that is available here, got "
            f'{device!r}'
        )
        raise ValueError(msg) from exc
    return chosen


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
