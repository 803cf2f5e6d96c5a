# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The setup that a map's header tells.
"""

from pathlib import Path

from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.setups.registry import get_setup, list_setups

__all__ = ['find_setup', 'setup_of_file']

# Wavelengths as headers give them, in micron.
_BANDS = {70.0: 'blue', 100.0: 'green', 160.0: 'red'}


def find_setup(data, *, mode=None, band=None):
    """
    Find the setup of a PACS map from its header.

    Parameters
    ----------
    data : map or path
        The map; its header must have ``WAVELNTH``, as products of the
        Herschel Science Archive do, or ``SETUP``, as simulations do.

    mode : str, optional
        The observing mode. By default ``'parallel'`` where the header
        speaks of it, else ``'scanmap'``.

    band : str, optional
        The band, where the header does not tell it.

    Returns
    -------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    Raises
    ------
    ValueError
        If the header does not tell the band.
    """
    meta = read_fits_map(data).meta if isinstance(data, str | Path) else data.meta
    if mode is None and meta.get('SETUP') in list_setups():
        return get_setup(setup=meta['SETUP'])
    try:
        band = _BANDS[round(float(meta.get('WAVELNTH', 0.0)), 1)]
    except (KeyError, TypeError, ValueError):
        if band is None:
            given = meta.get('WAVELNTH')
            told = 'no WAVELNTH' if given is None else f'WAVELNTH = {given!r}'
            msg = (
                f'the header has {told}, which tells no band: say which it is, blue '
                '(70 micron), green (100) or red (160), with band= or, on the command '
                'line, --band, or give the setup with the map'
            )
            raise ValueError(msg) from None
    if mode is None:
        words = ' '.join(str(meta.get(key, '')) for key in ('CUSMODE', 'OBS_MODE'))
        mode = 'parallel' if 'parallel' in words.lower() else 'scanmap'
    return get_setup(mode, band)


def setup_of_file(path, *, mode=None, band=None):
    """
    Find the setup of a file from its header, or name the file.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    mode, band : str, optional
        As for `find_setup`.

    Returns
    -------
    setup : `~photutils_pconv.ObservingSetup`
        The setup (see `find_setup`).

    Raises
    ------
    ValueError
        If the header does not tell the band; the message names the file.
    """
    try:
        return find_setup(path, mode=mode, band=band)
    except ValueError as exc:
        msg = f'{path.name}: {exc}'
        raise ValueError(msg) from exc
