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
    FLUX,
    METHODS,
    SHAPE,
    TOLERANCE,
    XY,
    check_removal,
    make_data,
    make_scene,
    make_wcs,
    plain,
)
from astropy.coordinates import Distance, SkyCoord
from astropy.nddata import CCDData
from astropy.table import MaskedColumn, QTable, Table

_RA, _DEC = make_wcs().all_pix2world(*XY.T, 0)
_SKY = SkyCoord(_RA, _DEC, unit='deg')


def _ccd():
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
        _RA * u.deg,
        _DEC * u.deg,
        pm_ra_cosdec=[0, 0] * u.mas / u.yr,
        pm_dec=[0, 0] * u.mas / u.yr,
    ),
    'SkyCoord cartesian': lambda: SkyCoord(
        *_SKY.cartesian.xyz, representation_type='cartesian'
    ),
    'list of SkyCoord': lambda: [_SKY[0], _SKY[1]],
    'frame': lambda: _SKY.frame,
    'table ra dec': lambda: Table({'ra': _RA, 'dec': _DEC}),
    'table RA DEC': lambda: Table({'RA': _RA, 'DEC': _DEC}),
    'table dec ra': lambda: Table({'dec': _DEC, 'ra': _RA}),
    'table RAJ2000': lambda: Table({'RAJ2000': _RA, 'DEJ2000': _DEC}),
    'table RA_ICRS': lambda: Table({'RA_ICRS': _RA, 'DE_ICRS': _DEC}),
    'table _RAJ2000': lambda: Table({'_RAJ2000': _RA, '_DEJ2000': _DEC}),
    'table ALPHA_J2000': lambda: Table({'ALPHA_J2000': _RA, 'DELTA_J2000': _DEC}),
    'QTable deg': lambda: QTable({'ra': _RA * u.deg, 'dec': _DEC * u.deg}),
    'QTable rad': lambda: QTable(
        {'ra': (_RA * u.deg).to(u.rad), 'dec': (_DEC * u.deg).to(u.rad)}
    ),
    'QTable hours': lambda: QTable({'ra': _RA / 15 * u.hourangle, 'dec': _DEC * u.deg}),
    'QTable arcsec': lambda: QTable(
        {'ra': _RA * 3600 * u.arcsec, 'dec': _DEC * 3600 * u.arcsec}
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
        {'sky_center.ra': _RA, 'sky_center.dec': _DEC}
    ),
    'sky before wrong pixels': lambda: Table(
        {'x': [5.0, 9.0], 'y': [7.0, 90.0], 'ra': _RA, 'dec': _DEC}
    ),
    'negative right ascension': lambda: Table({'ra': _RA - 360, 'dec': _DEC}),
    'MaskedColumn': lambda: Table({'ra': MaskedColumn(_RA), 'dec': MaskedColumn(_DEC)}),
    'float of objects': lambda: Table(
        {'ra': np.array(_RA, dtype=object), 'dec': np.array(_DEC, dtype=object)}
    ),
    'text of degrees': lambda: Table({'ra': _RA.astype(str), 'dec': _DEC.astype(str)}),
}


def _check_pixels(context, *, method, make):
    rtol = 1e-5 if make is _PIXELS['float32'] else 0.0
    result = check_removal(context, method, make_data(), make(), rtol=rtol)
    context.check(len(result.photometry) == 2, 'not two rows')


def _check_sky(context, *, method, make):
    result = check_removal(context, method, _ccd(), make(), rtol=1e-5)
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
    'unit of Jy': QTable({'ra': _RA * u.Jy, 'dec': _DEC * u.deg}),
    'unit of metres': QTable({'x': XY[:, 0] * u.m, 'y': XY[:, 1] * u.m}),
    'declination of 120': Table({'ra': [10.0], 'dec': [120.0]}),
    'columns of different lengths': {'x': [1.0, 2.0], 'y': [1.0]},
    'vector columns': Table({'x': np.ones((2, 3)), 'y': np.ones((2, 3))}),
    'namespace': SimpleNamespace(x=1, y=2),
    'function': np.sin,
    'True': True,
    'missing file': 'no/such/file.csv',
    'degrees and hours': Table({'ra': _RA, 'dec': _text(_SKY.dec)}),
    'class': Table,
}


def _check_nonsense(context, *, sources):
    check_removal(context, 'inpaint', _ccd(), sources, rtol=1e-5)


for _name, _sources in _NONSENSE.items():
    add(
        'sources',
        f'inpaint nonsense: {_name}',
        partial(_check_nonsense, sources=_sources),
        accept=(RIGHT, REFUSED)
        if _name in ('degrees and hours', 'text array')
        else (REFUSED,),
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

# -- rows that are special ----------------------------------------------------

_ROWS = {
    'NaN': ((np.nan, np.nan), 'invalid_position'),
    'x NaN': ((np.nan, 5.0), 'invalid_position'),
    'infinite': ((np.inf, 5.0), 'invalid_position|outside_map'),
    'far outside': ((5000.0, 20.0), 'outside_map'),
    'far outside below': ((-5000.0, -20.0), 'outside_map'),
    '1e30': ((1e30, 1e30), 'outside_map'),
    '1e300': ((-1e300, 1e300), 'outside_map'),
    'just outside': ((-0.6, 50.0), 'outside_map'),
}


def _check_row(context, *, method, row):
    """A row without a place: the others do not feel it."""
    sources = np.insert(XY, 1, row, axis=0)
    result = check_removal(
        context,
        method,
        make_data(),
        sources,
        truth=plain(method)[0],
        rows=[0, 2],
        rtol=0.01,
    )
    flux = np.asarray(result.photometry['flux'], dtype=float)
    context.check(np.isnan(flux[1]), f'flux of the row is {flux[1]}')
    context.check(len(flux) == 3, 'not three rows')


def _check_masked_row(context, *, method, kind):
    values = np.insert(XY if kind == 'pixels' else np.stack([_RA, _DEC], 1), 1, 1, 0)
    names = ('x', 'y') if kind == 'pixels' else ('ra', 'dec')
    masked = [False, True, False]
    table = Table(
        {
            name: MaskedColumn(column, mask=masked)
            for name, column in zip(names, values.T, strict=True)
        }
    )
    check_removal(
        context,
        method,
        _ccd(),
        table,
        truth=plain(method)[0],
        rows=[0, 2],
        rtol=0.01,
    )


for _method in METHODS:
    for _name, (_row, _flag) in _ROWS.items():
        add(
            'sources',
            f'{_method} row: {_name}',
            partial(_check_row, method=_method, row=_row),
            accept=(WARNED,),
            warning='outside|finite|position|lie',
            flag=_flag,
            quick=_name in ('NaN', '1e300'),
        )
    for _kind in ('pixels', 'sky'):
        add(
            'sources',
            f'{_method} masked row in {_kind}',
            partial(_check_masked_row, method=_method, kind=_kind),
            accept=(WARNED,),
            flag='invalid_position',
        )

# -- copies and close rows ----------------------------------------------------


def _check_copies(context, *, method, copies, shift):
    """Copies are one source: each row has its flux, the other source its own."""
    angles = np.linspace(0.0, 2 * np.pi, copies, endpoint=False)
    moved = XY[0] + shift * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    moved[0] = XY[0]
    sources = np.vstack([moved, XY[1:]])
    truth = np.append(np.full(copies, FLUX[0]), FLUX[1])
    tolerance = 0.05 if shift else TOLERANCE[method]
    check_removal(context, method, make_data(), sources, truth=truth, rtol=tolerance)


for _method in METHODS:
    for _copies in (2, 3, 5, 100):
        add(
            'sources',
            f'{_method} {_copies} copies',
            partial(_check_copies, method=_method, copies=_copies, shift=0.0),
            accept=(RIGHT, WARNED) if _method == 'inpaint' else (RIGHT,),
            flag='duplicate',
            quick=_copies == 3,
        )
    for _shift in (0.05, 0.2, 0.4):
        for _copies in (2, 3):
            add(
                'sources',
                f'{_method} {_copies} rows within {_shift} pixels',
                partial(_check_copies, method=_method, copies=_copies, shift=_shift),
                accept=(RIGHT, WARNED) if _method == 'inpaint' else (RIGHT,),
                flag='overlapping_hole|duplicate',
                quick=_shift == 0.2,
            )


def _check_pair(context, *, method, distance):
    """Two sources so close: their sum is right, or no row is silent."""
    first = (40.3, 45.2)
    xy = (first, (first[0] + distance, first[1]), (80.0, 85.0))
    scene = make_scene(xy=xy, flux=(2.0, 1.0, 0.5))
    result = check_removal(
        context,
        method,
        scene.data.copy(),
        scene.xy.copy(),
        truth=[0.5],
        rows=[2],
        rtol=0.06,
    )
    name = 'flux_psf' if method == 'psf' else 'flux'
    flux = np.asarray(result.photometry[name], dtype=float)[:2]
    if np.any(np.abs(flux) > 4) or np.any(flux < -1):
        context.fail(f'diverged: {flux}')
        context.flags.clear()
    elif not np.allclose(flux, [2.0, 1.0], rtol=0.1):
        context.fail(f'{name} is {flux}')


for _method in METHODS:
    for _distance in (0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 16.0):
        add(
            'sources',
            f'{_method} pair of {_distance} pixels',
            partial(_check_pair, method=_method, distance=_distance),
            accept=(RIGHT, WARNED),
            flag='overlapping_hole|duplicate',
            quick=_distance in (0.6, 6.0),
        )


def _check_number(context, *, method, number):
    """Many rows, most of which are no sources."""
    rng = np.random.default_rng(3)
    other = rng.uniform(0, SHAPE[::-1], size=(200, 2))
    near = np.hypot(*(other[:, None] - XY).T).min(axis=0)
    sources = np.vstack([XY, other[near > 26][:number]])
    check_removal(
        context,
        method,
        make_data(),
        sources,
        truth=FLUX,
        rows=[0, 1],
        rtol=0.05,
    )


def _check_empty(context, *, method, make):
    result = check_removal(context, method, _ccd(), make(), truth=[])
    context.compare('the map', result.cleaned.data, make_data())


for _method in METHODS:
    for _number in (1, 5, 15):
        add(
            'sources',
            f'{_method} with {_number} positions without a source',
            partial(_check_number, method=_method, number=_number),
        )
    for _name, _make in {
        'array': lambda: np.empty((0, 2)),
        'list': list,
        'dict': dict,
        'SkyCoord': lambda: SkyCoord([], [], unit='deg'),
        'table': lambda: Table(names=['ra', 'dec']),
    }.items():
        add(
            'sources',
            f'{_method} none: {_name}',
            partial(_check_empty, method=_method, make=_make),
            quick=_name == 'table',
        )
