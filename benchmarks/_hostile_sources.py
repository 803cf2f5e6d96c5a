# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: lists of sources.
"""

from functools import partial
from types import SimpleNamespace

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import (
    METHODS,
    XY,
    check_removal,
    make_data,
    make_wcs,
)
from astropy.coordinates import Distance, SkyCoord
from astropy.nddata import CCDData
from astropy.table import MaskedColumn, QTable, Table

RA, DEC = make_wcs().all_pix2world(*XY.T, 0)
_SKY = SkyCoord(RA, DEC, unit='deg')


def make_ccd():
    return CCDData(make_data(), unit='Jy/pix', wcs=make_wcs())


def _text(angles, **options):
    return angles.to_string(sep=':', precision=7, pad=True, **options)


# -- forms -------------------------------------------------------------------

_PIXELS = {
    'array': lambda: XY.copy(),
    'list': lambda: XY.tolist(),
    'list of tuples': lambda: [tuple(one) for one in XY.tolist()],
    'tuple': lambda: tuple(map(tuple, XY.tolist())),
    'float32': lambda: XY.astype('f4'),
    'big-endian': lambda: XY.astype('>f8'),
    'longdouble': lambda: XY.astype(np.longdouble),
    'Fortran': lambda: np.asfortranarray(XY),
    'read-only': lambda: np.broadcast_to(XY, XY.shape),
    'strided': lambda: np.repeat(XY, 2, axis=0)[::2],
    'MaskedArray': lambda: np.ma.MaskedArray(XY),
    'table x y': lambda: Table({'x': XY[:, 0], 'y': XY[:, 1]}),
    'table X Y': lambda: Table({'X': XY[:, 0], 'Y': XY[:, 1]}),
    'table y x': lambda: Table({'y': XY[:, 1], 'x': XY[:, 0]}),
    'table x_0': lambda: Table({'x_0': XY[:, 0], 'y_0': XY[:, 1]}),
    'table xcentroid': lambda: Table({'xcentroid': XY[:, 0], 'ycentroid': XY[:, 1]}),
    'table x_fit': lambda: Table({'x_fit': XY[:, 0], 'y_fit': XY[:, 1]}),
    'QTable pix': lambda: QTable({'x': XY[:, 0] * u.pix, 'y': XY[:, 1] * u.pix}),
    'dict': lambda: {'x': XY[:, 0].tolist(), 'y': XY[:, 1].tolist()},
    'dict y x': lambda: {'y': XY[:, 1], 'x': XY[:, 0]},
    'structured': lambda: np.array(
        [tuple(one) for one in XY], dtype=[('x', float), ('y', float)]
    ),
    'structured y x': lambda: np.array(
        [tuple(one) for one in XY[:, ::-1]], dtype=[('y', float), ('x', float)]
    ),
    'recarray': lambda: np.rec.fromarrays(XY.T, names='x,y'),
    'MaskedColumn': lambda: Table(
        {'x': MaskedColumn(XY[:, 0]), 'y': MaskedColumn(XY[:, 1])}
    ),
    'Quantity pix': lambda: XY * u.pix,
}
_POSITIONS = {
    'SkyCoord': lambda: _SKY,
    **{
        f'SkyCoord {frame}': partial(lambda frame: _SKY.transform_to(frame), frame)
        for frame in ('fk5', 'fk4', 'galactic', 'barycentrictrueecliptic')
    },
    'SkyCoord with distance': lambda: SkyCoord(_SKY, distance=Distance([1, 2] * u.kpc)),
    'SkyCoord with motion': lambda: SkyCoord(
        RA * u.deg,
        DEC * u.deg,
        pm_ra_cosdec=[0, 0] * u.mas / u.yr,
        pm_dec=[0, 0] * u.mas / u.yr,
    ),
    'SkyCoord cartesian': lambda: SkyCoord(
        *_SKY.cartesian.xyz, representation_type='cartesian'
    ),
    'list of SkyCoord': lambda: [_SKY[0], _SKY[1]],
    'frame': lambda: _SKY.frame,
    'table ra dec': lambda: Table({'ra': RA, 'dec': DEC}),
    'table RA DEC': lambda: Table({'RA': RA, 'DEC': DEC}),
    'table dec ra': lambda: Table({'dec': DEC, 'ra': RA}),
    'table RAJ2000': lambda: Table({'RAJ2000': RA, 'DEJ2000': DEC}),
    'table RA_ICRS': lambda: Table({'RA_ICRS': RA, 'DE_ICRS': DEC}),
    'table _RAJ2000': lambda: Table({'_RAJ2000': RA, '_DEJ2000': DEC}),
    'table ALPHA_J2000': lambda: Table({'ALPHA_J2000': RA, 'DELTA_J2000': DEC}),
    'QTable deg': lambda: QTable({'ra': RA * u.deg, 'dec': DEC * u.deg}),
    'QTable rad': lambda: QTable(
        {'ra': (RA * u.deg).to(u.rad), 'dec': (DEC * u.deg).to(u.rad)}
    ),
    'QTable hours': lambda: QTable({'ra': RA / 15 * u.hourangle, 'dec': DEC * u.deg}),
    'QTable arcsec': lambda: QTable(
        {'ra': RA * 3600 * u.arcsec, 'dec': DEC * 3600 * u.arcsec}
    ),
    'galactic columns': lambda: Table(
        {'glon': _SKY.galactic.l.deg, 'glat': _SKY.galactic.b.deg}
    ),
    'sexagesimal': lambda: Table(
        {'ra': _text(_SKY.ra, unit=u.hour), 'dec': _text(_SKY.dec)}
    ),
    'sky_center': lambda: QTable({'sky_center': _SKY}),
    'any name of a SkyCoord': lambda: QTable({'where': _SKY}),
    'two columns of astropy': lambda: Table(
        {'sky_center.ra': RA, 'sky_center.dec': DEC}
    ),
    'sky before wrong pixels': lambda: Table(
        {'x': [5.0, 9.0], 'y': [7.0, 90.0], 'ra': RA, 'dec': DEC}
    ),
    'negative right ascension': lambda: Table({'ra': RA - 360, 'dec': DEC}),
    'MaskedColumn': lambda: Table({'ra': MaskedColumn(RA), 'dec': MaskedColumn(DEC)}),
    'float of objects': lambda: Table(
        {'ra': np.array(RA, dtype=object), 'dec': np.array(DEC, dtype=object)}
    ),
    'text of degrees': lambda: Table({'ra': RA.astype(str), 'dec': DEC.astype(str)}),
}


def _check_pixels(context, *, method, make):
    rtol = 1e-5 if make is _PIXELS['float32'] else 0.0
    result = check_removal(context, method, make_data(), make(), rtol=rtol)
    context.check(len(result.photometry) == 2, 'not two rows')


def _check_sky(context, *, method, make):
    result = check_removal(context, method, make_ccd(), make(), rtol=1e-5)
    context.compare('x_center', result.photometry['x_center'], XY[:, 0], atol=1e-3)


for _method in METHODS:
    for _name, _make in _PIXELS.items():
        add(
            'sources',
            f'{_method} pixels: {_name}',
            partial(_check_pixels, method=_method, make=_make),
            accept=(RIGHT, REFUSED) if _name == 'Quantity pix' else (RIGHT,),
            quick=_method == 'inpaint'
            and _name in ('structured y x', 'dict y x', 'big-endian'),
        )
    for _name, _make in _POSITIONS.items():
        _odd = _name in ('text of degrees', 'list of SkyCoord', 'frame')
        add(
            'sources',
            f'{_method} sky: {_name}',
            partial(_check_sky, method=_method, make=_make),
            accept=(RIGHT, REFUSED) if _odd else (RIGHT,),
            quick=_method == 'inpaint'
            and _name in ('QTable hours', 'sky before wrong pixels', 'sexagesimal'),
        )

# -- what is no list of sources ----------------------------------------------

_NONSENSE = {
    'None': None,
    'number': 5.0,
    'text': 'sources',
    'bytes': b'sources',
    'pair of numbers': [1.0, 2.0],
    'three columns': np.ones((2, 3)),
    'transposed': np.ones((2, 7)),
    '3-D': np.ones((2, 2, 2)),
    'complex': XY + 1j,
    'text array': XY.astype(str),
    'bool array': XY > 1,
    'object': np.array([[None, None]]),
    'dates': np.zeros((2, 2), dtype='datetime64[s]'),
    'ragged': [[1.0, 2.0], [3.0]],
    'set': {1.0, 2.0},
    'table without positions': Table({'a': [1.0], 'b': [2.0]}),
    'table of x alone': Table({'x': [1.0], 'flux': [2.0]}),
    'table of ra alone': Table({'ra': [1.0], 'flux': [2.0]}),
    'table of words': Table({'ra': ['a', 'b'], 'dec': ['c', 'd']}),
    'table of words in pixels': Table({'x': ['a', 'b'], 'y': ['c', 'd']}),
    'unit of Jy': QTable({'ra': RA * u.Jy, 'dec': DEC * u.deg}),
    'unit of metres': QTable({'x': XY[:, 0] * u.m, 'y': XY[:, 1] * u.m}),
    'declination of 120': Table({'ra': [10.0], 'dec': [120.0]}),
    'columns of different lengths': {'x': [1.0, 2.0], 'y': [1.0]},
    'vector columns': Table({'x': np.ones((2, 3)), 'y': np.ones((2, 3))}),
    'namespace': SimpleNamespace(x=1, y=2),
    'function': np.sin,
    'True': True,
    'missing file': 'no/such/file.csv',
    'degrees and hours': Table({'ra': RA, 'dec': _text(_SKY.dec)}),
    'class': Table,
}


def _check_nonsense(context, *, sources):
    check_removal(context, 'inpaint', make_ccd(), sources, rtol=1e-5)


for _name, _sources in _NONSENSE.items():
    add(
        'sources',
        f'inpaint nonsense: {_name}',
        partial(_check_nonsense, sources=_sources),
        accept=(RIGHT, REFUSED)
        if _name in ('degrees and hours', 'text array')
        else (REFUSED, WARNED),
        # None is no position, as NaN is.
        flag='invalid_position',
        quick=True,
    )


def _check_without_wcs(context, *, method, make):
    check_removal(context, method, make_data(), make())


for _name in ('SkyCoord', 'table ra dec', 'sky_center', 'sky before wrong pixels'):
    add(
        'sources',
        f'inpaint without WCS: {_name}',
        partial(_check_without_wcs, method='inpaint', make=_POSITIONS[_name]),
        accept=(REFUSED,),
        says='WCS',
    )
