# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures for all tests: every accepted map, real data, references."""

import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    InverseVariance,
    NDData,
    NDDataRef,
    StdDevUncertainty,
    VarianceUncertainty,
)
from astropy.utils.masked import Masked
from astropy.wcs import WCS

# A suite that a shell starts in the background ignores SIGINT, and so would the
# processes of which tests see how they take it.
if (
    threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _find_real_data():
    """Return the folder of real data, or the reason why there is none."""
    folder = os.environ.get('PCONV_REAL_DATA')
    if not folder:
        return 'needs real data: set PCONV_REAL_DATA to their folder'
    if not Path(folder).is_dir():
        return f'PCONV_REAL_DATA is not a folder: {folder}'
    return Path(folder)


@pytest.fixture(scope='session')
def real_data():
    """Return the folder of real maps, PSFs and backgrounds."""
    folder = _find_real_data()
    if isinstance(folder, str):
        pytest.skip(folder)
    return folder


@pytest.fixture(scope='session')
def reference_data(real_data):
    """
    Return the folder that holds ``reference`` and ``facts``.

    They are the outputs of the paper authors' program, and the paper's
    tables as data.
    """
    folder = real_data.parent
    for name in ('reference', 'facts'):
        if not (folder / name).is_dir():
            pytest.skip(f'needs {name} beside the real data: {folder / name}')
    return folder


def make_wcs(*, scale=1.6, shape=(30, 40), center=(83.8, -5.4)):
    """Return a TAN WCS, the scale in arcsec."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = center
    wcs.wcs.crpix = (shape[1] + 1) / 2, (shape[0] + 1) / 2
    wcs.wcs.cdelt = -scale / 3600, scale / 3600
    wcs.wcs.radesys = 'ICRS'
    wcs.wcs.set()
    return wcs


@pytest.fixture
def map_wcs():
    """Return the WCS of the maps of `any_map`."""
    return make_wcs()


@dataclass
class MapCase:
    """A map of one of the accepted forms, and what it should become."""

    given: Any
    values: np.ndarray  # as given, without NaN
    missing: np.ndarray
    output_class: type
    dtype: Any = np.float64
    unit: Any = None
    jy_per_pixel: float = 1.0
    has_wcs: bool = False
    error: Any = None


def _make_values(seed=20250411):
    # in steps that float32 holds exactly
    rng = np.random.default_rng(seed)
    return rng.integers(-4096, 8192, size=(30, 40)) / 4096


def _make_mask():
    mask = np.zeros((30, 40), dtype=bool)
    mask[3:5, 10:14] = True
    return mask


def _none():
    return np.zeros((30, 40), dtype=bool)


def _array(dtype):
    def make(tmp_path):
        values = _make_values()
        if np.dtype(dtype).kind in 'iu':
            values = np.round(values * 100 + 1000)
        given = values.astype(dtype)
        is_float = np.dtype(dtype).kind == 'f'
        out = np.dtype(dtype).newbyteorder('=') if is_float else float
        return MapCase(given, values, _none(), np.ndarray, dtype=out)

    return make


def _array_nan(tmp_path):
    mask = _make_mask()
    given = np.where(mask, np.nan, _make_values())
    given[20, 20] = np.inf
    mask[20, 20] = True
    return MapCase(given, _make_values(), mask, np.ndarray)


def _masked_array(tmp_path):
    given = np.ma.MaskedArray(_make_values(), mask=_make_mask(), fill_value=-1.0)
    return MapCase(given, _make_values(), _make_mask(), np.ma.MaskedArray)


def _quantity(unit, factor):
    def make(tmp_path):
        return MapCase(
            _make_values() << u.Unit(unit),
            _make_values(),
            _none(),
            u.Quantity,
            unit=u.Unit(unit),
            jy_per_pixel=factor,
        )

    return make


def _masked_quantity(tmp_path):
    unit = u.Unit('mJy/pix')
    given = Masked(_make_values() << unit, mask=_make_mask())
    return MapCase(
        given, _make_values(), _make_mask(), type(given), unit=unit, jy_per_pixel=1e-3
    )


def _nddata(cls, uncertainty=None, *, dtype=float, mask=True):
    def make(tmp_path):
        sigma = np.linspace(0.5, 2, 1200).reshape(30, 40)
        arrays = {
            StdDevUncertainty: sigma,
            VarianceUncertainty: sigma**2,
            InverseVariance: sigma**-2,
        }
        kwargs = {}
        if uncertainty is not None:
            kwargs['uncertainty'] = uncertainty(arrays[uncertainty])
        bad = _make_mask() if mask else None
        given = cls(
            _make_values().astype(dtype),
            unit='MJy/sr',
            wcs=make_wcs(),
            mask=bad,
            meta={'OBJECT': 'test'},
            **kwargs,
        )
        area = (1.6 * np.pi / 180 / 3600) ** 2
        return MapCase(
            given,
            _make_values(),
            bad if mask else _none(),
            cls,
            dtype=dtype,
            unit=u.Unit('MJy/sr'),
            has_wcs=True,
            jy_per_pixel=1e6 * area,
            error=None if uncertainty is None else sigma,
        )

    return make


def write_hsa_map(path, values, coverage, *, unit='Jy/pixel', wcs=None):
    """Write a map as the Herschel Science Archive's products have it."""
    header = (make_wcs() if wcs is None else wcs).to_header()
    header['BUNIT'] = unit
    primary = fits.PrimaryHDU()
    primary.header['INSTRUME'] = 'PACS'
    fits.HDUList(
        [
            primary,
            fits.ImageHDU(values, header, name='image'),
            fits.ImageHDU(coverage, name='coverage'),
            fits.ImageHDU(np.full(values.shape, 0.25), name='stDev'),
        ]
    ).writeto(path)
    return path


def _path(kind):
    def make(tmp_path):
        mask = _make_mask()
        values = np.where(mask, 0, _make_values())
        path = write_hsa_map(tmp_path / 'map.fits', values, np.where(mask, 0.0, 7.0))
        return MapCase(
            kind(path), values, mask, CCDData, has_wcs=True, unit=u.Unit('Jy/pix')
        )

    return make


MAP_CASES = {
    'array float64': _array('float64'),
    'array float32': _array('float32'),
    'array big-endian': _array('>f4'),
    'array int16': _array('int16'),
    'array uint32': _array('uint32'),
    'array with NaN': _array_nan,
    'masked array': _masked_array,
    'Quantity Jy/pixel': _quantity('Jy/pix', 1.0),
    'Quantity Jy': _quantity('Jy', 1.0),
    'Quantity mJy/pixel': _quantity('mJy/pix', 1e-3),
    'Masked Quantity': _masked_quantity,
    'NDData': _nddata(NDData),
    'NDData variance': _nddata(NDData, VarianceUncertainty),
    'NDDataRef inverse variance': _nddata(NDDataRef, InverseVariance),
    'CCDData': _nddata(CCDData, mask=False),
    'CCDData float32': _nddata(CCDData, dtype=np.float32),
    'CCDData std': _nddata(CCDData, StdDevUncertainty),
    'CCDData variance': _nddata(CCDData, VarianceUncertainty),
    'CCDData inverse variance': _nddata(CCDData, InverseVariance),
    'path': _path(Path),
    'path as str': _path(str),
}


@pytest.fixture(params=MAP_CASES.values(), ids=MAP_CASES.keys())
def any_map(request, tmp_path):
    """Return a `MapCase` for every accepted form of a map."""
    return request.param(tmp_path)


@pytest.fixture(scope='session')
def model():
    """Return the bundled model of one pass."""
    from photutils_pconv.network import load_model

    return load_model('pacs')


@pytest.fixture(scope='session')
def make_flat_model():
    """Return a function that makes a model whose network predicts zero."""
    import torch

    from photutils_pconv.network import LoadedModel, ModelCard, PConvUNet

    def make(**normalisation):
        with torch.random.fork_rng(devices=[]):
            network = PConvUNet(width=2).eval()
        with torch.no_grad():
            for parameter in network.decoder[-1].conv.parameters():
                parameter.zero_()
        card = ModelCard(
            name='flat',
            architecture={'class': 'PConvUNet', **network.config},
            normalisation=normalisation,
            checksum='0123456789abcdef' * 4,
        )
        return LoadedModel(network=network, card=card, path=Path('flat.safetensors'))

    return make


@pytest.fixture(scope='session')
def flat_model(make_flat_model):
    """
    Return a model that predicts the median around each source.

    Zero in the robust normalisation is the median of the usable pixels
    within 24 pixels of the cutout's centre.
    """
    return make_flat_model(name='robust')


@pytest.fixture(scope='session')
def flat_psf_model():
    """
    Return a model for removal with a PSF whose network predicts zero.

    Like `flat_model`, it predicts the median around each source, of the map
    without sources.
    """
    import torch

    from photutils_pconv.network import LoadedModel, ModelCard, PConvUNet

    with torch.random.fork_rng(devices=[]):
        network = PConvUNet(width=2, in_channels=3).eval()
    with torch.no_grad():
        for parameter in network.decoder[-1].conv.parameters():
            parameter.zero_()
    card = ModelCard(
        name='flat-psf',
        architecture={'class': 'PConvUNet', **network.config},
        normalisation={'name': 'robust'},
        kind='residual',
        checksum='0123456789abcdef' * 4,
    )
    return LoadedModel(network=network, card=card, path=Path('flat.safetensors'))


def _make_scene(
    x,
    y,
    flux,
    *,
    setup='scanmap/green',
    shape=(140, 150),
    pixel_scale=None,
    sky=0.0,
    noise=0.0,
    seed=20250411,
    angle=0.4,
    psf=None,
):
    from photutils_pconv.psf.lobed import lobed_psf
    from photutils_pconv.setups.registry import get_setup
    from photutils_pconv.simulation import inject_sources

    setup = get_setup(setup=setup)
    scale = setup.pixel_scale.value if pixel_scale is None else pixel_scale
    psf = lobed_psf(setup) if psf is None else psf
    rng = np.random.default_rng(seed)
    x, y = (np.atleast_1d(np.asarray(value, dtype=float)) for value in (x, y))
    flux = np.broadcast_to(np.asarray(flux, dtype=float), x.shape)
    empty = sky + noise * rng.standard_normal(shape)
    radius = np.linspace(1.0, 60.0, 119)
    return SimpleNamespace(
        data=inject_sources(empty, x, y, flux, psf=psf, pixel_scale=scale, angle=angle),
        empty=empty,
        x=x,
        y=y,
        xy=np.stack([x, y], axis=1),
        flux=flux,
        setup=setup,
        psf=psf,
        wcs=make_wcs(scale=scale, shape=shape),
        eef=(radius, psf.encircled_energy(radius)),
    )


@pytest.fixture(scope='session')
def make_scene():
    """
    Return a function that simulates a map in Jy/pixel with sources.

    Its result holds ``data``, the map; ``empty``, the map without
    sources; ``x``, ``y``, ``xy`` and ``flux``; ``wcs``, ``setup``,
    ``psf``; and ``eef``, the PSF's encircled energy as a table.
    """
    return _make_scene


@pytest.fixture(scope='session')
def scene(make_scene):
    """Return a scene of three sources, far from each other and the edges."""
    return make_scene(
        [70.3, 50.8, 90.6], [55.1, 90.7, 88.2], [5.0, 0.3, 0.04], sky=2e-3, noise=1e-4
    )


@pytest.fixture
def ccd(scene):
    """Return the map of `scene`."""
    data = scene.data.copy()
    return CCDData(data, unit='Jy/pix', wcs=scene.wcs, meta={'OBJECT': 'test'})


@pytest.fixture
def remover(flat_model):
    """Return a remover for maps like that of `scene`, with `flat_model`."""
    from photutils_pconv import NeuralSourceRemover

    return NeuralSourceRemover('scanmap', 'green', model=flat_model)
