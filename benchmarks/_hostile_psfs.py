# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: PSFs.
"""

from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import (
    SHAPE,
    check_removal,
    make_data,
)
from astropy.io import fits
from photutils.psf import GaussianPRF, ImagePSF

from photutils_pconv import get_setup
from photutils_pconv.psf import get_psf

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
