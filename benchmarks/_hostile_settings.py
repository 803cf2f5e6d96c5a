# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: settings of a remover.
"""

from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, add
from _hostile_scene import (
    METHODS,
    XY,
    check_removal,
    make_data,
    make_remover,
    plain,
)
from astropy.table import Table

from photutils_pconv import NeuralSourceRemover, get_setup

# -- settings ----------------------------------------------------------------

_SWITCHES = (
    'recenter',
    'fit_positions',
    'fit_psf_shape',
    'subtract_wings',
    'resample',
    'progress_bar',
)
_NO_SWITCH = {
    'no': 'no',
    'False as text': 'False',
    'empty text': '',
    'NaN': np.nan,
    'list of False': [False],
    'empty list': [],
    'None': None,
    'two': 2,
    'array': np.array([True, False]),
    'dict': {},
    'masked': np.ma.masked,
}
#: Values that no setting takes.
_NO_VALUE = {
    'NaN': np.nan,
    'dict': {},
    'list of None': [None],
    'object': object(),
    'bytes': b'auto',
    'negative': -1,
    'zero': 0,
    'infinite': np.inf,
    'nonsense': 'nonsense',
    'complex': 1j,
    'set': {1},
    'function': len,
    'class': int,
    'deep list': [[[1]]],
    'nested': {'a': [1]},
}
_VALUES = (
    'mode',
    'band',
    'setup',
    'model',
    'aperture_radii',
    'aperture_corrections',
    'psf',
    'error_method',
    'batch_size',
    'device',
    'precision',
    'method',
    'fill',
    'draw_seed',
    'colour_correction',
    'calibration_error',
)
#: ... of which some are numbers that these settings take.
_NUMBERS = ('draw_seed', 'colour_correction', 'calibration_error')


def _make_with(context, *, name, value):
    options = {name: value}
    if name in ('mode', 'band'):
        options = {'mode': 'scanmap', 'band': 'green', 'setup': None} | options
    else:
        options.setdefault('setup', 'scanmap/green')
    options = {'error_method': 'local', 'method': 'inpaint'} | options
    remover = NeuralSourceRemover(**options)
    context.start()
    remover(make_data(), XY.copy())


for _name in _SWITCHES:
    for _what, _value in _NO_SWITCH.items():
        add(
            'settings',
            f'{_name} is {_what}',
            partial(_make_with, name=_name, value=_value),
            accept=(REFUSED,),
            says=_name,
            quick=_what in ('no', 'NaN'),
        )
    for _what, _value in {
        'numpy True': np.True_,
        'numpy False': np.False_,
        '1': 1,
        '0': 0,
    }.items():
        add(
            'settings',
            f'{_name} is {_what}',
            partial(_make_with, name=_name, value=_value),
            accept=(RIGHT, REFUSED),
            says=_name,
        )
for _name in _VALUES:
    for _what, _value in _NO_VALUE.items():
        add(
            'settings',
            f'{_name} is {_what}',
            partial(_make_with, name=_name, value=_value),
            accept=(RIGHT, REFUSED) if _name in _NUMBERS else (REFUSED,),
            says=_name.replace('aperture_', '')
            + ('|mode|band|setup' if _name in ('mode', 'band', 'setup') else '')
            + '|eef|encircled|table must',
            quick=_what in ('dict', 'nonsense'),
        )

_OTHERS = {
    'unknown keyword': {'colour': 'red'},
    'band of another mode': {'mode': 'scanmap', 'band': 'purple', 'setup': None},
    'mode alone': {'mode': 'scanmap', 'setup': None},
    'nothing': {'setup': None},
    'setup and mode': {'mode': 'scanmap', 'band': 'blue'},
    'radius of zero': {'aperture_radii': 0.0},
    'radius negative': {'aperture_radii': [-5.0]},
    'radius NaN': {'aperture_radii': [5.0, np.nan]},
    'radius infinite': {'aperture_radii': np.inf},
    'radius of 1e6': {'aperture_radii': 1e6},
    'radii empty': {'aperture_radii': []},
    'radii 2-D': {'aperture_radii': [[5.0, 6.0]]},
    'radii text': {'aperture_radii': 'five'},
    'radii in Jy': {'aperture_radii': 5 * u.Jy},
    'radii bool': {'aperture_radii': True},
    'radii complex': {'aperture_radii': 5 + 1j},
    'corrections of one column': {'aperture_corrections': Table({'radius': [1.0]})},
    'corrections not sorted': {'aperture_corrections': ([5.0, 3.0], [0.5, 0.4])},
    'corrections above one': {'aperture_corrections': ([1.0, 80.0], [0.5, 4.0])},
    'corrections NaN': {'aperture_corrections': ([1.0, 80.0], [np.nan, 1.0])},
    'corrections of zero': {'aperture_corrections': ([1.0, 80.0], [0.0, 0.0])},
    'corrections negative': {'aperture_corrections': ([1.0, 80.0], [-0.5, 0.9])},
    'corrections of different lengths': {'aperture_corrections': ([1.0, 80.0], [0.5])},
    'corrections empty': {'aperture_corrections': ([], [])},
    'corrections too short': {'aperture_corrections': ([1.0, 2.0], [0.1, 0.2])},
    'batch of 1.5': {'batch_size': 1.5},
    'batch of True': {'batch_size': True},
    'batch of text': {'batch_size': '64'},
    'batch of NaN': {'batch_size': np.nan},
    'device meta': {'device': 'meta'},
    'device cuda:99': {'device': 'cuda:99'},
    'device empty': {'device': ''},
    'device None': {'device': None},
    'precision float64': {'precision': 'float64'},
    'model of the other kind': {'model': 'psf'},
    'model a folder': {'model': '/'},
    'model /dev/null': {'model': '/dev/null'},
    'model of a text file': {'model': __file__},
    'model an array': {'model': np.ones(3)},
    'psf True': {'psf': True},
    'psf a folder': {'psf': '/'},
    'psf /dev/null': {'psf': '/dev/null'},
    'psf a text file': {'psf': __file__},
    'psf of an unknown setup': {'psf': 'scanmap/purple'},
    'method of nothing': {'error_method': None},
    'spectrum of 3 K': {'colour_correction': 3 * u.K},
    'spectrum without a unit': {'colour_correction': 30},
    'spectrum in Jy': {'colour_correction': 30 * u.Jy},
    'spectrum of NaN': {'colour_correction': np.nan},
    'spectrum negative': {'colour_correction': np.negative},
    'calibration error in percent': {'calibration_error': 7},
    'calibration error NaN': {'calibration_error': np.nan},
    'calibration error negative': {'calibration_error': -0.07},
}


def _check_other(context, *, options):
    check_removal(context, 'inpaint', make_data(), options=options)


for _what, _options in _OTHERS.items():
    add(
        'settings',
        _what,
        partial(_check_other, options=_options),
        accept=(REFUSED,),
        says='|'.join(key.replace('aperture_', '') for key in _options)
        + '|eef|encircled|psf|mode|setup|table must|safetensors',
        quick=True,
    )


def _check_good(context, *, method, options, rtol):
    check_removal(context, method, make_data(), options=options, rtol=rtol)


_GOOD = {
    'batch of 1': ({'batch_size': 1}, 1e-5),
    'batch of 3': ({'batch_size': 3}, 1e-5),
    'batch of 10**6': ({'batch_size': 10**6}, 1e-5),
    'batch of 10**30': ({'batch_size': 10**30}, 1e-5),
    'numpy batch': ({'batch_size': np.int16(8)}, 1e-5),
    'device cpu': ({'device': 'cpu'}, 0.0),
    'bfloat16': ({'precision': 'bfloat16'}, 0.02),
    'empty apertures': ({'error_method': 'empty_apertures'}, 0.0),
    'card': ({'error_method': 'card'}, 0.0),
    'recenter': ({'recenter': True}, 0.02),
    'radius as Quantity': (
        {
            'aperture_radii': get_setup(setup='scanmap/green').aperture_radius.to(
                u.arcmin
            )
        },
        1e-9,
    ),
}
for _method in METHODS:
    for _what, (_options, _rtol) in _GOOD.items():
        add(
            'settings',
            f'{_method} {_what}',
            partial(_check_good, method=_method, options=_options, rtol=_rtol),
            quick=_what in ('batch of 1', 'batch of 10**30'),
        )


def _check_state(context, *, method, change):
    """What is set on a remover later is refused, or does what it says."""
    remover = make_remover(method)
    context.start()
    try:
        change(remover)
    except AttributeError as exc:
        # That is how Python refuses it.
        raise TypeError(*exc.args) from exc
    flux = remover(make_data(), XY.copy()).photometry['flux']
    context.compare('flux', flux, plain(method)[0])


for _what, _change in {
    'method': lambda remover: setattr(remover, 'method', 'psf'),
    'setup': lambda remover: setattr(remover, 'setup', None),
    'model': lambda remover: setattr(remover, 'model', None),
    'aperture_radii': lambda remover: setattr(remover, 'aperture_radii', 'a'),
    'a setting': lambda remover: setattr(remover.settings, 'recenter', True),
    'an unknown attribute': lambda remover: setattr(remover, 'recentre', True),
    'an element of the radii': lambda remover: remover.aperture_radii.__setitem__(0, 1),
}.items():
    add(
        'settings',
        f'set later: {_what}',
        partial(_check_state, method='inpaint', change=_change),
        accept=(RIGHT, REFUSED),
        says='.',
    )
