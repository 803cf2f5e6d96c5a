# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The PSF that a setup carries.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from photutils_pconv._psf_models.gridded import GriddedPSF
from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.reading import read_fits_psf
from photutils_pconv._psf_models.sampled import SampledPSF

__all__ = ['CarriedPSF', 'same_psf']

# The files that are kept in memory (by choice: more than an instrument has bands).
_N_FILES = 16


class CarriedPSF:
    """
    The field of a dataclass that holds a PSF, or the file that has it.

    A file is read when the PSF is asked for.
    """

    def __set_name__(self, owner, name):
        self._name = f'_{name}'

    def __get__(self, instance, owner=None):
        # The class itself is asked for the field's default.
        psf = None if instance is None else vars(instance).get(self._name)
        return _load(psf, psf.stat().st_mtime_ns) if isinstance(psf, Path) else psf

    def __set__(self, instance, value):
        if isinstance(value, str | Path):
            value = Path(value).expanduser()
            if not value.is_file():
                msg = f'There is no PSF file {str(value)!r}.'
                raise FileNotFoundError(msg)
        elif value is not None and not isinstance(value, SampledPSF | LobedPSF):
            msg = (
                'psf must be a SampledPSF, a LobedPSF, or a FITS file, got '
                f'{type(value).__name__}; ObservingSetup.from_psf takes more.'
            )
            raise TypeError(msg)
        vars(instance)[self._name] = value


@lru_cache(maxsize=_N_FILES)
def _load(path, _):
    """Read a PSF once, and again after the file has changed."""
    return read_fits_psf(path)


def same_psf(first, second):
    """
    Return whether two PSFs are equal.

    Parameters
    ----------
    first, second : PSF or `None`
        The PSFs.

    Returns
    -------
    equal : bool
        Whether they are.
    """
    if first is second:
        return True
    if not (isinstance(first, SampledPSF) and isinstance(second, SampledPSF)):
        return first == second
    varying = [isinstance(psf, GriddedPSF) for psf in (first, second)]
    if any(varying) and not (
        all(varying) and all(map(np.array_equal, first.grid, second.grid))
    ):
        return False
    return (first.pixel_scale, first.effective_pixel) == (
        second.pixel_scale,
        second.effective_pixel,
    ) and np.array_equal(first.data, second.data)
