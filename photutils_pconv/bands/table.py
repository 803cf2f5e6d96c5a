# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The table of all bands: a row per source.
"""

from astropy.table import QTable

__all__ = ['join_tables']

# What all bands have in common stands once.
_COMMON = ('id', 'sky_center')


def join_tables(tables, *, sky=None, position_band=None, tied=None):
    """
    Join the photometry of the bands, side by side.

    Parameters
    ----------
    tables : dict of `~astropy.table.QTable`
        The photometry of each band, with the same sources in the same order.

    sky : `~astropy.coordinates.SkyCoord`, optional
        The positions of the catalogue.

    position_band : str, optional
        The band whose positions are those of the others.

    tied : `~astropy.coordinates.SkyCoord`, optional
        These positions.

    Returns
    -------
    table : `~astropy.table.QTable`
        ``id`` and ``sky_center`` as in the catalogue, ``sky_tied`` where positions
        are tied, and every column of each band with the band's name as a suffix. The
        metadata have ``bands`` and ``position_band``, and that of each band in
        ``by_band``.
    """
    joint = QTable()
    joint['id'] = next(iter(tables.values()))['id']
    joint['id'].info.description = 'number of the source in the input, from 1'
    if sky is not None:
        joint['sky_center'] = sky
        joint['sky_center'].info.description = 'position in the catalogue'
    if tied is not None:
        joint['sky_tied'] = tied
        joint[
            'sky_tied'
        ].info.description = f'position in all bands, as {position_band} has it'
    for band, table in tables.items():
        for name in table.colnames:
            if name in _COMMON:
                continue
            own = f'{name}_{band}'
            joint[own] = table[name]
            joint[own].info.description = f'{band}: {table[name].info.description}'
    joint.meta['bands'] = list(tables)
    joint.meta['position_band'] = position_band
    joint.meta['by_band'] = {band: dict(table.meta) for band, table in tables.items()}
    return joint
