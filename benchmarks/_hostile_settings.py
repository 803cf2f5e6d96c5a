# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: settings of a remover, and PSFs.
"""

from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import (
    METHODS,
    SHAPE,
    XY,
    check_removal,
    make_data,
    make_remover,
    plain,
)
from astropy.io import fits
from astropy.table import Table
from photutils.psf import GaussianPRF, ImagePSF

from photutils_pconv import NeuralSourceRemover, get_setup
from photutils_pconv.psf import get_psf

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
)


def _make_with(context, *, name, value):
    options = {name: value}
    if name in ('mode', 'band'):
        options = {'mode': 'scanmap', 'band': 'green', 'setup': None} | options
    else:
        options.setdefault('setup', 'scanmap/green')
    remover = (
        NeuralSourceRemover(error_method='local', **options)
        if (name != 'error_method')
        else NeuralSourceRemover(**options)
    )
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
            accept=(REFUSED,),
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
    'n_passes': lambda remover: setattr(remover, 'n_passes', 3),
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

# The side of the images of PSFs: they hold all but 1 percent of the flux.
_SIZE = 125

# -- PSFs --------------------------------------------------------------------


def _image(size=_SIZE):
    """Give the setup's PSF on its own pixels."""
    middle = size // 2
    return get_psf('scanmap/green').render(
        (size, size), middle, middle, pixel_scale=1.6, angle=0.0
    )


def _with(change):
    def make():
        image = _image()
        change(image)
        return image

    return make


def _set(key, value):
    return _with(lambda image: image.__setitem__(key, value))


_RING = np.hypot(*(np.indices((_SIZE, _SIZE)) - _SIZE // 2)) < 3
_BAD_PSFS = {
    'all zero': lambda: np.zeros((21, 21)),
    'all NaN': lambda: np.full((21, 21), np.nan),
    'one NaN': _set((3, 3), np.nan),
    'one infinity': _set((3, 3), np.inf),
    'sum of zero': lambda: _image() - _image().mean(),
    'negative': lambda: -_image(),
    'complex': lambda: _image() * (1 + 1j),
    'text': lambda: _image().astype(str),
    'bool': lambda: _image() > 0.01,
    'object': lambda: np.full((9, 9), None),
    '1-D': lambda: _image()[_SIZE // 2],
    '3-D': lambda: _image()[None],
    'empty': lambda: np.zeros((0, 0)),
    'one pixel': lambda: np.ones((1, 1)),
    'two pixels': lambda: np.ones((2, 2)),
    'flat': lambda: np.ones((41, 41)),
    'a hole in the middle': _set(_RING, 0.0),
    'a negative middle': _set(_RING, -0.05),
    'one bright pixel': lambda: np.outer(np.eye(41)[20], np.eye(41)[20]),
    'a corner': lambda: np.roll(_image(), (-62, -62), axis=(0, 1)),
    'noise': lambda: np.random.default_rng(0).standard_normal((41, 41)),
    '1e300': lambda: _image() * 1e300,
    '1e-300': lambda: _image() * 1e-300,
    'structured': lambda: np.zeros((9, 9), dtype=[('a', float)]),
    'list of words': lambda: [['a', 'b'], ['c', 'd']],
    'dict': dict,
    'function': lambda: np.sin,
    'model of photutils without an image': lambda: GaussianPRF(),
    'number': lambda: 3.0,
    'empty text': lambda: '',
    'Quantity of Jy': lambda: _image() * u.Jy,
    'masked': lambda: np.ma.MaskedArray(_image(), mask=_RING),
}
_SCALED = ('1e300', '1e-300', 'Quantity of Jy')


def _check_psf(context, *, method, make, rtol):
    psf = make()
    context.watch(psf)
    check_removal(context, method, make_data(), options={'psf': psf}, rtol=rtol)


for _what, _make in _BAD_PSFS.items():
    add(
        'PSFs',
        f'psf {_what}',
        partial(_check_psf, method='psf', make=_make, rtol=0.05),
        accept=(RIGHT, REFUSED) if _what in _SCALED else (REFUSED,),
        says='psf',
        quick=_what in ('all zero', 'complex', 'a hole in the middle', '1-D'),
    )


def _path(context, hdu):
    path = context.folder / 'psf.fits'
    hdu.writeto(path)
    return path


def _psf_hdu(**cards):
    hdu = fits.PrimaryHDU(_image())
    for key, value in cards.items():
        hdu.header[key] = value
    return hdu


_GOOD_PSFS = {
    'image': _image,
    'image of 151 pixels': partial(_image, 151),
    'image as a list': lambda: _image().tolist(),
    'image of another flux': lambda: _image() * 37.0,
    'float32': lambda: _image().astype('f4'),
    'big-endian': lambda: _image().astype('>f8'),
    'read-only': lambda: np.broadcast_to(_image(), (_SIZE, _SIZE)),
    'ImagePSF': lambda: ImagePSF(_image()),
    'ImagePSF of another flux': lambda: ImagePSF(_image(), flux=5.0),
    'name': lambda: 'scanmap/green',
    'setup': lambda: get_setup(setup='scanmap/green'),
    'SampledPSF': lambda: get_psf('scanmap/green'),
}
for _what, _make in _GOOD_PSFS.items():
    add(
        'PSFs',
        f'psf {_what}',
        partial(_check_psf, method='psf', make=_make, rtol=0.03),
        quick=_what in ('big-endian', 'ImagePSF', 'image of another flux'),
    )


def _check_even(context, *, size):
    """An image of even sides has its centre between pixels: right, or refused."""
    middle = (size - 1) / 2
    psf = get_psf('scanmap/green').render(
        (size, size), middle, middle, pixel_scale=1.6, angle=0.0
    )
    context.watch(psf)
    check_removal(context, 'psf', make_data(), options={'psf': psf}, rtol=0.03)


for _size in (124, 126):
    add(
        'PSFs',
        f'psf image of {_size} pixels',
        partial(_check_even, size=_size),
        accept=(RIGHT, REFUSED),
        says='psf',
    )

_PSF_FILES = {
    'without scale': ({}, (REFUSED,)),
    'CDELT': ({'CDELT1': -1.6 / 3600, 'CDELT2': 1.6 / 3600}, (RIGHT, REFUSED)),
    'PIXSCALE': ({'PIXSCALE': 1.6}, (RIGHT, REFUSED)),
    'PIXSCALE of zero': ({'PIXSCALE': 0.0}, (REFUSED,)),
    'PIXSCALE of text': ({'PIXSCALE': 'a'}, (REFUSED,)),
    'PIXSCALE negative': ({'PIXSCALE': -1.6}, (REFUSED,)),
    'CDELT of zero': ({'CDELT1': 0.0, 'CDELT2': 0.0}, (REFUSED,)),
    'CDELT of text': ({'CDELT1': 'a', 'CDELT2': 'b'}, (REFUSED,)),
    'CDELT tiny': ({'CDELT1': -1e-30, 'CDELT2': 1e-30}, (REFUSED,)),
}


def _check_psf_file(context, *, cards):
    path = _path(context, _psf_hdu(**cards))
    check_removal(context, 'psf', make_data(), options={'psf': path}, rtol=0.03)


def _check_psf_bytes(context, *, content):
    path = context.folder / 'psf.fits'
    path.write_bytes(content())
    check_removal(context, 'psf', make_data(), options={'psf': str(path)})


for _what, (_cards, _accept) in _PSF_FILES.items():
    add(
        'PSFs',
        f'file {_what}',
        partial(_check_psf_file, cards=_cards),
        accept=_accept,
        says='psf|pixel|scale',
    )
for _what, _content in {
    'empty': lambda: b'',
    'text': lambda: b'hello',
    'zeros': lambda: bytes(5760),
    'header alone': lambda: fits.PrimaryHDU().header.tostring().encode(),
    'truncated': lambda: (
        fits.PrimaryHDU(_image()).header.tostring().encode() + bytes(100)
    ),
}.items():
    add(
        'PSFs',
        f'file that is {_what}',
        partial(_check_psf_bytes, content=_content),
        accept=(REFUSED,),
        says='psf|image|fits',
        quick=True,
    )
add(
    'PSFs',
    'empirical without bright sources',
    lambda context: check_removal(
        context,
        'psf',
        np.random.default_rng(0).standard_normal(SHAPE),
        options={'psf': 'empirical'},
    ),
    accept=(REFUSED, WARNED),
    says='psf|sources',
    warning='psf',
    late=True,
)
