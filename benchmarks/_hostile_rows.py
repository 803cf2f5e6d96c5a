# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: rows that are special, copies, and close sources.
"""

from functools import partial

import numpy as np
from _hostile_case import RIGHT, WARNED, add
from _hostile_scene import (
    FLUX,
    METHODS,
    SHAPE,
    TOLERANCE,
    XY,
    check_removal,
    make_data,
    make_scene,
    plain,
)
from _hostile_sources import DEC, RA, make_ccd
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table

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
    values = np.insert(XY if kind == 'pixels' else np.stack([RA, DEC], 1), 1, 1, 0)
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
        make_ccd(),
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
                flag='overlapping_hole|duplicate|unresolved|unstable_fit',
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
    name = 'flux'
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
            flag='overlapping_hole|duplicate|unresolved|unstable_fit',
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
    result = check_removal(context, method, make_ccd(), make(), truth=[])
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
