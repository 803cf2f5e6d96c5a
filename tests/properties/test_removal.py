# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Properties of a removal that hold whatever the numbers.

Each test says whether the same comes out to the bit, and if not, why. The
examples are drawn from a fixed seed.
"""

from functools import cache
from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, NDData
from astropy.table import Table
from astropy.wcs import WCS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.inputs.values import as_array
from photutils_pconv.psf.library import get_psf
from photutils_pconv.simulation import inject_sources

METHODS = ('inpaint', 'psf')
SETUP = 'scanmap/green'
#: The side of a pixel, in arcsec, and the solid angle of it, in sr.
SCALE = 1.6
PIXEL = (SCALE * np.pi / 180 / 3600) ** 2
SIZE = 104
#: The columns that are compared.
COLUMNS = ('flux', 'flux_err', 'flux_aperture', 'flux_aperture_err', 'local_bkg')
# float32 of the network, relative to a flux, where the numbers that it sees differ
# in their last digit or are summed in another order.
ROUNDING = 2e-5
EXAMPLES = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
both = pytest.mark.parametrize('method', METHODS)


@cache
def make_scene():
    """Make a map with a slope, noise, and three sources; nobody may change it."""
    rng = np.random.default_rng(20261128)
    y, x = np.indices((SIZE, SIZE))
    data = 2e-3 + 2e-5 * x - 1e-5 * y + 1e-4 * rng.standard_normal((SIZE, SIZE))
    xy = np.array([[38.3, 41.1], [66.8, 68.7], [72.2, 33.4]])
    flux = [2.0, 0.5, 0.2]
    psf = get_psf(SETUP)
    data = inject_sources(data, *xy.T, flux, psf=psf, pixel_scale=SCALE)
    for array in (data, xy):
        array.setflags(write=False)
    return SimpleNamespace(data=data, xy=xy)


@cache
def make_remover(method, **options):
    """Make a remover: here alone."""
    return NeuralSourceRemover(
        setup=SETUP, method=method, error_method='local', **options
    )


def clean(method, data=None, xy=None, **options):
    """Clean a map, and give its table and the cleaned array."""
    scene = make_scene()
    data = scene.data if data is None else data
    xy = scene.xy if xy is None else xy
    result = make_remover(method, **options)(data, xy)
    table = {name: as_array(result.photometry[name]) for name in COLUMNS}
    return SimpleNamespace(table=table, cleaned=as_array(result.cleaned), result=result)


@cache
def plain(method):
    return clean(method)


def assert_same(found, truth, *, scale=1.0, rtol=0.0, order=slice(None), offset=0.0):
    """Compare tables; without a tolerance they are equal to the bit."""
    for name in COLUMNS:
        value = truth.table[name][order] * scale
        if name == 'local_bkg':
            value = value + offset
        if rtol == 0.0:
            assert_array_equal(found.table[name], value, err_msg=name)
        else:
            # The noise is what small numbers are measured with.
            atol = rtol * scale * (0.2 if name != 'local_bkg' else 0.01)
            assert_allclose(
                found.table[name], value, rtol=rtol, atol=atol, err_msg=name
            )


@both
@EXAMPLES
@given(exponent=st.integers(-40, 40))
def test_power_of_two(method, exponent):
    """To the bit: no digit of the map changes."""
    scale = 2.0**exponent
    found = clean(method, make_scene().data * scale)
    assert_same(found, plain(method), scale=scale)
    assert_array_equal(found.cleaned, plain(method).cleaned * scale)


@both
@EXAMPLES
@given(scale=st.floats(1e-12, 1e12))
def test_scale(method, scale):
    """Close: the product is rounded."""
    found = clean(method, make_scene().data * scale)
    assert_same(found, plain(method), scale=scale, rtol=ROUNDING)


@both
@EXAMPLES
@given(offset=st.floats(-0.1, 0.1))
def test_constant(method, offset):
    """
    Close: the sum is rounded.

    The filters of ``'psf'`` give a constant a finite variance: with 50 times the
    sky fluxes move by some percent of their errors.
    """
    found = clean(method, make_scene().data + offset)
    truth = plain(method)
    if method == 'inpaint':
        assert_same(found, truth, offset=offset, rtol=ROUNDING)
    for name in ('flux', 'flux_aperture'):
        difference = found.table[name] - truth.table[name]
        assert np.all(np.abs(difference) < 0.05 * truth.table[f'{name}_err']), name


def _turn(turns, *, flip=False):
    """Turn the map by quarters of a circle, after a mirror or not."""
    scene = make_scene()
    data, (x, y) = scene.data, scene.xy.T
    if flip:
        data, x = data[:, ::-1], SIZE - 1 - x
    for _ in range(turns):
        data, (x, y) = np.rot90(data), (y, SIZE - 1 - x)
    return np.ascontiguousarray(data), np.stack([x, y], axis=1)


@both
@pytest.mark.parametrize('turns', [1, 2, 3])
def test_quarter_turns(method, turns):
    """Close, to less than half of the error: a network learns symmetry in part."""
    found, truth = clean(method, *_turn(turns)), plain(method)
    for name in ('flux', 'flux_aperture'):
        difference = found.table[name] - truth.table[name]
        assert np.all(np.abs(difference) < 0.5 * truth.table[f'{name}_err']), name


@both
@EXAMPLES
@given(turns=st.integers(0, 3))
def test_flips(method, turns):
    """
    Close, to 1 percent or half of the error.

    Besides the network, the PSF is not symmetric: no turn makes its lobes those of
    the mirrored map.
    """
    found, truth = clean(method, *_turn(turns, flip=True)), plain(method)
    for name in ('flux', 'flux_aperture'):
        error = 0.5 * truth.table[f'{name}_err']
        assert_allclose(
            found.table[name], truth.table[name], rtol=0.01, atol=error.min()
        )


@both
@EXAMPLES
@given(shift=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_whole_pixels(method, shift):
    """A map that is continued at its low edges: the sources are where they were."""
    scene = make_scene()
    data = np.pad(scene.data, [(shift[1], 0), (shift[0], 0)], mode='reflect')
    found = clean(method, data, scene.xy + shift)
    truth = plain(method)
    difference = found.table['flux'] - truth.table['flux']
    assert np.all(np.abs(difference) < 0.5 * truth.table['flux_err'])


@both
@EXAMPLES
@given(order=st.permutations(range(3)))
def test_order(method, order):
    """Close: sums go over the sources, and batches of the network are others."""
    found = clean(method, xy=make_scene().xy[list(order)])
    assert_same(found, plain(method), order=list(order), rtol=ROUNDING)


@both
@EXAMPLES
@given(batch_size=st.integers(1, 100))
def test_batch_size(method, batch_size):
    """Close: torch convolves batches of other sizes in other ways."""
    found = clean(method, batch_size=batch_size)
    assert_same(found, plain(method), rtol=ROUNDING)


@both
@pytest.mark.parametrize('number', [1, 2, 3])
def test_threads(method, number):
    """Close: several threads sum in another order."""
    found = clean(method, threads=number)
    assert_same(found, plain(method), rtol=ROUNDING)


@both
@pytest.mark.parametrize(
    ('unit', 'factor'),
    [('Jy/pix', 1.0), ('mJy/pix', 1e3), ('MJy/sr', 1e-6 / PIXEL), ('Jy', 1.0)],
)
def test_unit(method, unit, factor):
    """To the bit in Jy/pixel, else close: the factor is rounded."""
    found = clean(method, make_scene().data * factor * u.Unit(unit))
    assert_same_fluxes(found, plain(method), rtol=0.0 if factor == 1 else ROUNDING)
    assert found.result.photometry['flux'].unit == u.Jy


def assert_same_fluxes(found, truth, *, rtol):
    """Compare the fluxes, which are in Jy, whatever the unit of the map."""
    for name in ('flux', 'flux_aperture', 'flux_err'):
        value = truth.table[name]
        if rtol == 0.0:
            assert_array_equal(found.table[name], value, err_msg=name)
        else:
            assert_allclose(found.table[name], value, rtol=rtol, atol=rtol * 0.2)


def _wcs():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = 83.8, -5.4
    wcs.wcs.crpix = (SIZE + 1) / 2, (SIZE + 1) / 2
    wcs.wcs.cdelt = -SCALE / 3600, SCALE / 3600
    wcs.wcs.set()
    return wcs


CONTAINERS = {
    'ndarray': lambda data, path: data.copy(),
    'list': lambda data, path: data.tolist(),
    'masked array': lambda data, path: np.ma.MaskedArray(data),
    'Quantity': lambda data, path: data << u.Unit('Jy/pix'),
    'NDData': lambda data, path: NDData(data.copy(), unit='Jy/pix'),
    'CCDData': lambda data, path: CCDData(data.copy(), unit='Jy/pix'),
    'big-endian': lambda data, path: data.astype('>f8'),
    'array and WCS': lambda data, path: (data.copy(), _wcs()),
    'CCDData and WCS': lambda data, path: CCDData(data, unit='Jy/pix', wcs=_wcs()),
    'HDU': lambda data, path: _hdu(data),
    'HDUList': lambda data, path: fits.HDUList([_hdu(data)]),
    'file': lambda data, path: _write(data, path / 'map.fits'),
    'gzipped file': lambda data, path: _write(data, path / 'map.fits.gz'),
}


def _hdu(data):
    header = _wcs().to_header()
    header['BUNIT'] = 'Jy/pixel'
    return fits.PrimaryHDU(data, header)


def _write(data, path):
    _hdu(data).writeto(path)
    return path


@both
@pytest.mark.parametrize('container', CONTAINERS)
def test_container(method, container, tmp_path):
    """To the bit, within the tolerance of the scale with a WCS, too."""
    found = clean(method, CONTAINERS[container](make_scene().data, tmp_path))
    truth = plain(method)
    # With a WCS the pixels' side is computed, to the last digits.
    has_wcs = container in (
        *('array and WCS', 'CCDData and WCS', 'HDU', 'HDUList', 'file', 'gzipped file'),
    )
    assert_same_fluxes(found, truth, rtol=1e-9 if has_wcs else 0.0)


@both
@pytest.mark.parametrize('form', ['list', 'Table', 'dict', 'SkyCoord'])
def test_form_of_the_sources(method, form):
    """To the bit in pixels; the sky is close, as positions are computed."""
    xy = make_scene().xy
    data, rtol = make_scene().data, 0.0
    if form == 'list':
        sources = xy.tolist()
    elif form == 'SkyCoord':
        wcs = _wcs()
        data, sources = CCDData(data, unit='Jy/pix', wcs=wcs), wcs.pixel_to_world(*xy.T)
        rtol = 1e-6
    else:
        columns = {'x': xy[:, 0], 'y': xy[:, 1]}
        sources = Table(columns) if form == 'Table' else columns
    assert_same_fluxes(clean(method, data, sources), plain(method), rtol=rtol)
