# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The setup of one map among many, where nobody is there to be asked.
"""

from pathlib import Path

from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.setups.header_statements import read_statements
from photutils_pconv.setups.headers import find_setup

__all__ = ['setup_of_file', 'setup_of_map']


def setup_of_map(data, *, mode=None, band=None):
    """
    Find the setup of a map from its header, where PACS' scan maps are the rule.

    Parameters
    ----------
    data : map or path
        The map; see `photutils_pconv.setups.find_setup` for what its header
        must have. ``SETUP``, as simulations have it, will do.

    mode : str, optional
        The observing mode. By default that in the header, or else, for a band of
        PACS, ``'scanmap'``.

    band : str, optional
        The band, where the header does not give it.

    Returns
    -------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    Raises
    ------
    ValueError
        If the header does not give the band.
    """
    meta = read_fits_map(data).meta if isinstance(data, str | Path) else data.meta
    statements = read_statements(meta)
    names = [one.instrument for one in statements if one.instrument]
    is_pacs = not names or any('PACS' in name for name in names)
    if (
        mode is None
        and is_pacs
        and not any(one.mode or one.setup for one in statements)
    ):
        mode = 'scanmap'
    if any(one.wavelengths or one.setup for one in statements):
        band = None
    elif band is None:
        given = meta.get('WAVELNTH')
        told = 'no WAVELNTH' if given is None else f'WAVELNTH = {given!r}'
        msg = (
            f'the header has {told}, which names no band: say which it is, blue '
            '(70 micron), green (100) or red (160), with band= or, on the command '
            'line, --band, or give the setup with the map'
        )
        raise ValueError(msg)
    return find_setup(meta, mode=mode, band=band).setup


def setup_of_file(path, *, mode=None, band=None):
    """
    Find the setup of a file from its header, or name the file.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    mode, band : str, optional
        As for `setup_of_map`.

    Returns
    -------
    setup : `~photutils_pconv.ObservingSetup`
        The setup (see `setup_of_map`).

    Raises
    ------
    ValueError
        If the header does not give the band; the message names the file.
    """
    try:
        return setup_of_map(path, mode=mode, band=band)
    except ValueError as exc:
        msg = f'{path.name}: {exc}'
        raise ValueError(msg) from exc
