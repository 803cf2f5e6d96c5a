# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: what is written, with metadata of all kinds.
"""

from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import RIGHT, WARNED, add
from _hostile_scene import (
    METHODS,
    SHAPE,
    XY,
    make_data,
    make_remover,
    make_wcs,
)
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import Table


def _check_written(context, *, method, meta, uncertainty):
    """Every written file is read back, with the same pixels, sky and errors."""
    error = StdDevUncertainty(np.full(SHAPE, 1e-4)) if uncertainty else None
    mask = np.zeros(SHAPE, dtype=bool)
    mask[95:, :9] = True
    ccd = CCDData(
        make_data(),
        unit='Jy/pix',
        wcs=make_wcs(),
        uncertainty=error,
        mask=mask,
        meta=meta,
    )
    context.watch(ccd)
    result = make_remover(method)(ccd, XY.copy())
    path, table = result.write(context.folder / 'out')
    again = CCDData.read(path)
    context.compare('the map', again.data, result.cleaned.data)
    context.check(np.array_equal(again.mask, mask), 'the mask is another one')
    context.check(again.unit == ccd.unit, f'the unit is {again.unit}')
    longitude, latitude = again.wcs.all_pix2world(*XY.T, 0)
    truth = make_wcs().all_pix2world(*XY.T, 0)
    context.compare('longitude', longitude, truth[0], atol=1e-9)
    context.compare('latitude', latitude, truth[1], atol=1e-9)
    if uncertainty:
        context.compare(
            'the error', again.uncertainty.array, result.cleaned.uncertainty.array
        )
    flux = Table.read(table)['flux']
    context.compare('flux', flux, result.photometry['flux'])
    # The package itself reads what it wrote.
    make_remover(method)(path, table)


_METAS = {
    'nothing': {},
    'illegal keyword': {'P.I.': 'me'},
    'long keyword': {'A_VERY_LONG_KEYWORD': 1},
    'lower case': {'object': 'a'},
    'blank keyword': {'': 'a'},
    'keyword of blanks': {'TWO WORDS': 1},
    'keyword of umlauts': {'Ä': 1},
    'text of umlauts': {'OBSERVER': 'Ä'},
    'long text': {'COMMENT': 'a' * 500, 'LONG': 'b' * 500},
    'line breaks': {'NOTES': 'a\nb'},
    'None': {'NOTHING': None},
    'NaN': {'NOTANUM': np.nan},
    'infinity': {'INFIN': np.inf},
    'list': {'ALIST': [1, 2]},
    'dict': {'ADICT': {'a': 1}},
    'object': {'ANOBJ': object()},
    'Quantity': {'AQUANT': 5 * u.Jy},
    'complex': {'ACOMPLEX': 1j},
    'huge integer': {'BIG': 10**40},
    'history': {'HISTORY': ['a', 'b']},
    'SIMPLE': {'SIMPLE': False, 'BITPIX': 8, 'NAXIS': 7, 'NAXIS1': 3, 'EXTEND': False},
    'BSCALE': {'BSCALE': 2.0, 'BZERO': 100.0, 'BLANK': -1},
    'BUNIT': {'BUNIT': 'K'},
    'CTYPE': {'CTYPE1': 'GLON-CAR', 'CRVAL1': 7.0, 'CD1_1': 1.0, 'CROTA2': 40.0},
    'PV and SIP': {'PV1_1': 2.0, 'A_ORDER': 2, 'A_2_0': 1.0, 'B_ORDER': 2},
    'third axis': {'CTYPE3': 'FREQ', 'NAXIS3': 5, 'WCSAXES': 3, 'CRVAL3': 1.0},
    'CHECKSUM': {'CHECKSUM': 'a', 'DATASUM': 'b'},
    'EXTNAME': {'EXTNAME': 'coverage', 'EXTVER': 3},
    'integer key': {5: 'a'},
    'ZIMAGE': {'ZIMAGE': True, 'ZCMPTYPE': 'RICE_1', 'ZBITPIX': -64},
    'Header': fits.Header([('OBJECT', 'a', 'a comment'), ('HIERARCH a b', 1)]),
}
for _method in METHODS:
    for _name, _meta in _METAS.items():
        add(
            'files',
            f'{_method} written: {_name}',
            partial(
                _check_written,
                method=_method,
                meta=_meta,
                uncertainty=_name in ('nothing', 'BUNIT'),
            ),
            accept=(RIGHT, WARNED),
            warning='.',
            quick=_method == 'inpaint',
        )
