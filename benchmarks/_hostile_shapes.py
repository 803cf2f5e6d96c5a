# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: shapes of maps, and sources near the edge.
"""

from functools import partial

import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import (
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
from astropy.io import fits
from astropy.nddata import CCDData


def _check_bad_shape(context, *, method, shape):
    check_removal(context, method, np.ones(shape))


for _method in METHODS:
    for _shape in (
        (),
        (0,),
        (5,),
        (0, 0),
        (0, 5),
        (5, 0),
        (2, *SHAPE),
        (3, 2, 20, 20),
        (1, 1, 1),
        (1,) * 40,
    ):
        _name = 'x'.join(map(str, _shape[:5])) or 'scalar'
        add(
            'shapes',
            f'{_method} {_name}',
            partial(_check_bad_shape, method=_method, shape=_shape),
            accept=(REFUSED,),
            quick=_method == 'inpaint',
        )


def _check_extra_axes(context, *, method, axes, container):
    data = make_data().reshape((1,) * axes + SHAPE)
    if container == 'HDU':
        header = make_wcs().to_header()
        data = fits.PrimaryHDU(data, header)
    elif container == 'CCDData':
        data = CCDData(data, unit='Jy/pix')
    rtol = 1e-9 if container == 'HDU' else 0.0
    check_removal(context, method, data, rtol=rtol)


for _method in METHODS:
    for _axes in (1, 2):
        for _container in ('array', 'CCDData', 'HDU'):
            add(
                'shapes',
                f'{_method} {_axes} axes of length 1 {_container}',
                partial(
                    _check_extra_axes, method=_method, axes=_axes, container=_container
                ),
                accept=(RIGHT,) if _container == 'HDU' else (RIGHT, REFUSED),
            )


def _check_small(context, *, method, shape):
    """A source of 2 Jy in the middle of a map that is smaller than a cutout."""
    xy = ((shape[1] - 1) / 2 + 0.2, (shape[0] - 1) / 2 - 0.3)
    scene = make_scene(shape=shape, xy=(xy,), flux=(2.0,))
    check_removal(
        context, method, scene.data.copy(), scene.xy.copy(), truth=[2.0], rtol=0.05
    )


for _method in METHODS:
    for _shape in (
        (1, 1),
        (1, 60),
        (60, 1),
        (2, 2),
        (3, 3),
        (5, 5),
        (8, 8),
        (12, 12),
        (16, 16),
        (24, 24),
        (32, 32),
        (48, 48),
        (64, 64),
        (63, 65),
        (97, 128),
        (20, 300),
        (300, 20),
        (5, 200),
    ):
        add(
            'shapes',
            f'{_method} small {_shape[0]}x{_shape[1]}',
            partial(_check_small, method=_method, shape=_shape),
            accept=(RIGHT, WARNED, REFUSED) if min(_shape) < 48 else (RIGHT,),
            flag='near_edge|no_background',
            quick=_method == 'inpaint' and _shape in ((5, 5), (32, 32), (20, 300)),
        )


def _check_edge(context, *, method, place):
    """A source near the edge: right to 10 percent, or flagged."""
    scene = make_scene(xy=(place, tuple(XY[1])), flux=(1.0, 0.5))
    check_removal(
        context,
        method,
        scene.data.copy(),
        scene.xy.copy(),
        truth=[1.0, 0.5],
        rtol=0.1,
    )


for _method in METHODS:
    for _distance in (-0.4, 0.0, 0.5, 2.0, 5.0, 10.0, 20.0):
        add(
            'shapes',
            f'{_method} source {_distance} pixels from the edge',
            partial(_check_edge, method=_method, place=(_distance, 40.0)),
            accept=(WARNED,),
            flag='near_edge',
            quick=_distance == 2.0,
        )


def _check_interior(context, *, method):
    """The other source does not feel what lies at the edge."""
    scene = make_scene(xy=((0.5, 40.0), tuple(XY[1])), flux=(1.0, 0.5))
    check_removal(
        context,
        method,
        scene.data.copy(),
        scene.xy.copy(),
        truth=[0.5],
        rows=[1],
        rtol=TOLERANCE[method],
    )


for _method in METHODS:
    add('shapes', f'{_method} beside an edge', partial(_check_interior, method=_method))
    add(
        'shapes',
        f'{_method} the plain map itself',
        lambda context, method=_method: context.compare(
            'flux', plain(method)[0], [2.0, 0.5], rtol=TOLERANCE[method]
        ),
        quick=True,
    )
