# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: areas and scales of pixels.
"""

from functools import partial

import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import (
    FLUX,
    METHODS,
    SHAPE,
    TOLERANCE,
    check_removal,
    make_data,
    make_scene,
    make_wcs,
    plain,
)
from astropy.nddata import CCDData

from photutils_pconv import list_setups


def _area(wcs, x, y):
    """Give the solid angle (sr) of a pixel from the directions of its corners."""

    def direction(dx, dy):
        longitude, latitude = np.radians(wcs.all_pix2world(x + dx, y + dy, 0))
        return np.array(
            [
                np.cos(latitude) * np.cos(longitude),
                np.cos(latitude) * np.sin(longitude),
                np.sin(latitude),
            ]
        )

    across = direction(0.5, 0.0) - direction(-0.5, 0.0)
    up = direction(0.0, 0.5) - direction(0.0, -0.5)
    return np.linalg.norm(np.cross(across, up))


def _check_area(context, *, method, make):
    """A map in MJy/sr of which every pixel has the area that it has there."""
    wcs = make()
    middle = (SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2
    data = make_data() * 1e-6 / _area(wcs, *middle)
    ccd = CCDData(data, unit='MJy/sr', wcs=wcs)
    check_removal(context, method, ccd, rtol=5e-3)


def _off_center(projection, center, offset):
    """A map far from the reference position of its projection."""

    def make():
        wcs = make_wcs(projection=projection, center=center)
        wcs.wcs.crpix = wcs.wcs.crpix + np.array(offset)
        wcs.wcs.set()
        return wcs

    return make


for _method in METHODS:
    for _name, _make in {
        'TAN': make_wcs,
        'TAN 4 degrees away': _off_center('TAN', (83.8, -5.4), (9000, 0)),
        'SIN 2 degrees away': _off_center('SIN', (83.8, -5.4), (0, 4500)),
        'CAR at its equator': partial(make_wcs, projection='CAR', center=(83.8, 0)),
        'CAR at 4 degrees': _off_center('CAR', (83.8, 0), (0, 9000)),
        'CAR at 40 degrees': _off_center('CAR', (83.8, 0), (0, 90000)),
        'CEA at 4 degrees': _off_center('CEA', (83.8, 0), (0, 9000)),
        'ZEA 8 degrees away': _off_center('ZEA', (83.8, -5.4), (18000, 0)),
    }.items():
        add(
            'WCS',
            f'{_method} area of pixels, {_name}',
            partial(_check_area, method=_method, make=_make),
            accept=(RIGHT, REFUSED)
            if 'at 40' in _name
            else (RIGHT, WARNED, REFUSED)
            if 'away' in _name or 'at 4' in _name
            else (RIGHT,),
            says='square',
            warning='area',
            quick=_name == 'TAN 4 degrees away',
        )

# -- scales ------------------------------------------------------------------


def _check_factor(context, *, method, setup, factor):
    """Injected fluxes come out at every scale that is accepted."""
    shape = tuple(int(np.ceil(n / min(factor, 1.0))) for n in (110, 110))
    shape = tuple(min(n, 230) for n in shape)
    xy = tuple(
        (u * shape[1], v * shape[0]) for u, v in ((0.337, 0.354), (0.652, 0.661))
    )
    scene = make_scene(setup=setup, factor=factor, shape=shape, xy=xy)
    check_removal(
        context,
        method,
        scene.data.copy(),
        scene.xy.copy(),
        wcs=scene.wcs,
        setup=setup,
        truth=FLUX,
        rtol=0.04,
    )


for _method in METHODS:
    for _setup in list_setups(instrument='PACS'):
        for _factor in (
            0.42,
            0.6,
            0.8,
            0.97,
            1.0,
            1.03,
            1.25,
            1.5,
            1.75,
            2.0,
            2.3,
            2.45,
        ):
            add(
                'scales',
                f'{_method} {_setup} times {_factor}',
                partial(_check_factor, method=_method, setup=_setup, factor=_factor),
                accept=(RIGHT,) if 0.55 < _factor < 1.3 else (RIGHT, REFUSED),
                quick=_method == 'inpaint'
                and (_setup, _factor)
                in (
                    ('scanmap/red', 0.6),
                    ('scanmap/green', 1.5),
                    ('parallel/blue', 2.0),
                ),
            )
    for _factor in (1e-6, 0.01, 0.2, 0.35, 2.6, 5.0, 100.0, 1e6):
        add(
            'scales',
            f'{_method} refused, times {_factor}',
            partial(
                lambda context, method, factor: check_removal(
                    context, method, make_data(), wcs=make_wcs(scale=1.6 * factor)
                ),
                method=_method,
                factor=_factor,
            ),
            accept=(REFUSED,),
            says='pixel',
            quick=_factor in (0.2, 100.0),
        )
    for _factor in (0.8, 1.03, 1.5):
        add(
            'scales',
            f'{_method} resample=False, times {_factor}',
            partial(
                lambda context, method, factor: check_removal(
                    context,
                    method,
                    make_data(),
                    wcs=make_wcs(scale=1.6 * factor),
                    options={'resample': False},
                ),
                method=_method,
                factor=_factor,
            ),
            accept=(REFUSED,),
            says='resample',
        )


def _check_tolerance(context, *, method, factor):
    """Within the tolerance of the scale a map is used as it is."""
    check_removal(
        context,
        method,
        make_data(),
        wcs=make_wcs(scale=1.6 * factor),
        truth=plain(method)[0],
        rtol=TOLERANCE[method],
    )


for _method in METHODS:
    for _factor in (0.985, 1.0, 1.015):
        add(
            'scales',
            f'{_method} nearly native, times {_factor}',
            partial(_check_tolerance, method=_method, factor=_factor),
        )
