# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Setups in files: JSON, with the PSF in a FITS file beside it.
"""

import json
from functools import partial
from pathlib import Path

from photutils_pconv._psf_models.gridded import GriddedPSF
from photutils_pconv._psf_models.images import write_psf_hdu
from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.reading import read_fits_psf
from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.writing import check_output, write_together

__all__ = ['read_setup_values', 'write_setup']

# The ending of a setup's file, and what the name of the PSF's has more.
_SUFFIX = '.json'
_PSF_SUFFIX = '_psf.fits'


def write_setup(setup, path, *, overwrite=False):
    """
    Write a setup, and its PSF beside it.

    Parameters
    ----------
    setup : `ObservingSetup`
        The setup.

    path : path-like
        The file.

    overwrite : bool, optional
        Whether to replace files.

    Returns
    -------
    paths : tuple of `~pathlib.Path`
        The files.
    """
    overwrite = to_bool(overwrite, 'overwrite')
    path = Path(path).expanduser()
    if path.suffix.lower() != _SUFFIX:
        msg = f'A setup is written to a file {_SUFFIX}, got {str(path)!r}.'
        raise ValueError(msg)
    values, psf = setup.to_dict(), setup.psf
    writers = {path: partial(_write_text, values=values)}
    if isinstance(psf, LobedPSF):
        names = ('sigmas', 'weights', 'lobes')
        values['psf'] = {name: list(map(float, getattr(psf, name))) for name in names}
    elif psf is not None:
        beside = path.with_name(path.stem + _PSF_SUFFIX)
        values['psf'] = {'file': beside.name}
        writers[beside] = partial(
            write_psf_hdu,
            data=psf.data,
            pixel_scale=psf.pixel_scale,
            effective_pixel=psf.effective_pixel,
            grid=psf.grid if isinstance(psf, GriddedPSF) else None,
        )
    check_output(writers, overwrite=overwrite)
    write_together(writers)
    return tuple(writers)


def _write_text(path, *, values):
    text = json.dumps(values, indent=1, allow_nan=False)
    path.write_text(f'{text}\n', encoding='utf-8')


def read_setup_values(path):
    """
    Read what a setup is made from.

    Parameters
    ----------
    path : path-like
        The file that `write_setup` wrote, or one with what
        `ObservingSetup.to_dict` gives.

    Returns
    -------
    values : dict
        What `ObservingSetup.from_dict` takes.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it does not hold a setup.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        msg = f'There is no setup file {str(path)!r}.'
        raise FileNotFoundError(msg)
    try:
        values = json.loads(path.read_text(encoding='utf-8'))
        if not isinstance(values, dict):
            msg = f'it holds a {type(values).__name__}'
            raise ValueError(msg)
    except ValueError as exc:
        msg = (
            f'{str(path)!r} is no setup file, which is JSON as ObservingSetup.write '
            f'writes it: {exc}. A PSF is given as psf, or made a setup by '
            'ObservingSetup.from_psf.'
        )
        raise ValueError(msg) from exc
    psf = values.get('psf')
    if isinstance(psf, dict):
        values['psf'] = _read_psf(psf, path)
    elif psf is not None:
        msg = f'{str(path)!r}: psf must be a file or the components, got {psf!r}.'
        raise ValueError(msg)
    return values


def _read_psf(values, path):
    """Read the PSF that a setup's file describes."""
    if set(values) == {'file'} and isinstance(values['file'], str):
        # Its flux is what it was when the setup was made.
        return read_fits_psf(path.parent / values['file'], normalize=False)
    try:
        return LobedPSF(**{name: tuple(one) for name, one in values.items()})
    except TypeError:
        msg = (
            f'{str(path)!r}: psf must have the key "file", or "sigmas", "weights" and '
            f'"lobes", got {list(values)}.'
        )
        raise ValueError(msg) from None
