# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what goes with a map: masks, uncertainties, units, frames, objects."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    InverseVariance,
    NDData,
    StdDevUncertainty,
    UnknownUncertainty,
    VarianceUncertainty,
)
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from astropy.utils.masked import Masked
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs import parse_map, parse_sources

SHAPE = (12, 15)
DATA = np.random.default_rng(20261128).normal(size=SHAPE)


def make_mask(share=0.2):
    """Return a mask of so many rows."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[: round(share * SHAPE[0])] = 1
    return mask


def write(path, extension, *, name='image', cards=()):
    """Write a map and an extension."""
    hdus = [fits.PrimaryHDU(DATA)] if name is None else [fits.PrimaryHDU()]
    if name is not None:
        hdus.append(fits.ImageHDU(DATA, name=name))
    hdus[-1].header.update(cards)
    fits.HDUList([*hdus, extension]).writeto(path)
    return path


# ---- masks ---------------------------------------------------------------


def table_hdu(name):
    """Return an extension that is a table."""
    column = fits.Column('a', 'J', array=np.arange(3))
    return fits.BinTableHDU.from_columns([column], name=name)


def with_cards(hdu, **cards):
    """Return an HDU with further keywords."""
    hdu.header.update(cards)
    return hdu


FOREIGN = {
    'of an extension': (lambda: fits.ImageHDU(make_mask(), name='MASK'), 'image'),
    'of keywords': (
        lambda: with_cards(fits.ImageHDU(make_mask(), name='MASK'), CRVAL1=3.0),
        None,
    ),
    'of int16': (lambda: fits.ImageHDU(make_mask().astype('i2'), name='MASK'), None),
    'of float': (lambda: fits.ImageHDU(make_mask().astype('f4'), name='MASK'), None),
    'of bits': (lambda: fits.ImageHDU(4 * make_mask(), name='MASK'), None),
    'a table': (lambda: table_hdu('MASK'), None),
    'another shape': (lambda: fits.ImageHDU(np.zeros((5, 5), 'u1'), name='MASK'), None),
    'lower case': (lambda: fits.ImageHDU(make_mask(), name='mask'), 'image'),
}


@pytest.mark.parametrize(('make', 'name'), FOREIGN.values(), ids=FOREIGN.keys())
def test_mask_of_others(tmp_path, make, name):
    """What 1 means is not known: the extension is named, and not used."""
    path = write(tmp_path / 'map.fits', make(), name=name)
    with pytest.warns(AstropyUserWarning, match='extension "MASK" .* is ignored: .*'):
        parsed = parse_map(path)
    assert not parsed.missing.any()
    assert_array_equal(parsed.data, DATA)


@pytest.mark.parametrize('kind', ['of an extension', 'of int16', 'of float', 'of bits'])
@pytest.mark.parametrize('given', ['MASK', 'mask', 2, '2'])
def test_mask_that_is_named(tmp_path, kind, given):
    """Then it is used, and nothing is said."""
    make, name = FOREIGN[kind]
    path = write(tmp_path / 'map.fits', make(), name=name)
    given = (1 if name is None else 2) if given == 2 else given
    given = ('1' if name is None else '2') if given == '2' else given
    assert_array_equal(parse_map(path, mask=given).missing, make_mask() > 0)


@pytest.mark.parametrize(
    ('make', 'match'),
    [
        (lambda: table_hdu('MASK'), 'is no image'),
        (lambda: fits.ImageHDU(np.zeros((5, 5), 'u1'), name='MASK'), 'must have the s'),
        (lambda: fits.ImageHDU(np.full(SHAPE, 0.5), name='MASK'), 'not whole numbers'),
        (lambda: fits.ImageHDU(make_mask(), name='DQ'), "no image extension 'MASK'"),
    ],
)
def test_named_mask_that_is_none(tmp_path, make, match):
    path = write(tmp_path / 'map.fits', make())
    with pytest.raises(ValueError, match=match):
        parse_map(path, mask='MASK')


@pytest.mark.parametrize('share', [0.2, 0.8])
def test_mask_of_ccddata(tmp_path, share):
    """CCDData's own mask counts; one that seems inverted is told of."""
    path = tmp_path / 'map.fits'
    CCDData(DATA, unit='Jy', mask=make_mask(share) > 0).write(path)
    if share > 0.5:
        with pytest.warns(AstropyUserWarning, match='taken for bad pixels, 83% of all'):
            parsed = parse_map(path)
    else:
        parsed = parse_map(path)
    assert_array_equal(parsed.missing, make_mask(share) > 0)


def test_mask_of_ccddata_without_data(tmp_path):
    """Most of many maps is empty: no doubt about their masks."""
    path = tmp_path / 'map.fits'
    mask = make_mask(0.8) > 0
    CCDData(np.where(mask, np.nan, DATA), unit='Jy', mask=mask).write(path)
    assert_array_equal(parse_map(path).missing, mask)


@pytest.mark.parametrize('mask', [np.ma.nomask, None, False])
@pytest.mark.parametrize('keyword', ['mask', 'coverage_mask'])
@pytest.mark.parametrize('own', [False, True])
def test_no_mask(mask, keyword, own):
    data = CCDData(DATA, unit='Jy', mask=np.ma.nomask) if own else DATA
    assert not parse_map(data, **{keyword: mask}).missing.any()


UNCERT = {
    'without UTYPE': lambda: fits.ImageHDU(np.ones(SHAPE), name='UNCERT'),
    'of another kind': lambda: with_cards(
        fits.ImageHDU(np.ones(SHAPE), name='UNCERT'), UTYPE='UnknownUncertainty'
    ),
    'a table': lambda: table_hdu('UNCERT'),
    'another shape': lambda: with_cards(
        fits.ImageHDU(np.ones((3, 3)), name='UNCERT'), UTYPE='StdDevUncertainty'
    ),
}


@pytest.mark.parametrize('make', UNCERT.values(), ids=UNCERT.keys())
@pytest.mark.parametrize('name', [None, 'image'])
def test_uncertainty_of_others(tmp_path, make, name):
    path = write(tmp_path / 'map.fits', make(), name=name)
    with pytest.warns(AstropyUserWarning, match='extension "UNCERT" .* is ignored'):
        assert parse_map(path).error is None


@pytest.mark.parametrize(
    'kind', [StdDevUncertainty, VarianceUncertainty, InverseVariance]
)
def test_uncertainty_of_ccddata(tmp_path, kind):
    path = tmp_path / 'map.fits'
    CCDData(DATA, unit='Jy', uncertainty=kind(np.full(SHAPE, 4.0))).write(path)
    power = {StdDevUncertainty: 1, VarianceUncertainty: 0.5, InverseVariance: -0.5}
    assert_allclose(parse_map(path).error, 4.0 ** power[kind])


# ---- errors --------------------------------------------------------------


@pytest.mark.parametrize('bad', [np.nan, np.inf, 1e300, 0.0])
@pytest.mark.parametrize('kind', ['array', 'Quantity', 'std', 'variance', 'inverse'])
def test_unknown_error(bad, kind):
    """Pixels with data and no usable error are marked, and told of."""
    sigma = np.full(SHAPE, 0.5)
    sigma[2:4, 5] = bad
    data = DATA.copy()
    data[3, 5] = np.nan  # no data: no loss
    with np.errstate(all='ignore'):
        if kind == 'array':
            given, kwargs = data * u.Jy, {'error': sigma}
        elif kind == 'Quantity':
            given, kwargs = data * u.Jy, {'error': sigma * u.Jy}
        else:
            cls, power = {
                'std': (StdDevUncertainty, 1),
                'variance': (VarianceUncertainty, 2),
                'inverse': (InverseVariance, -2),
            }[kind]
            given = CCDData(data, unit='Jy', uncertainty=cls(sigma**power))
            kwargs = {}
    with pytest.warns(AstropyUserWarning, match='The error of 1 pixels with data'):
        parsed = parse_map(given, **kwargs)
    assert_array_equal(np.argwhere(parsed.unknown_error), [[2, 5]])
    assert np.isnan(parsed.error[2, 5])
    good = sigma == 0.5
    assert_allclose(parsed.error[good], 0.5)


def test_no_error_at_all():
    """An error map of zeros is that of a map without noise."""
    parsed = parse_map(DATA, error=np.zeros(SHAPE))
    assert not parsed.unknown_error.any()
    assert_array_equal(parsed.error, 0)
    assert parse_map(DATA).unknown_error is None


@pytest.mark.parametrize('kind', ['masked array', 'Masked'])
def test_masked_error(kind):
    sigma, mask = np.full(SHAPE, 0.5), make_mask() > 0
    cls = np.ma.MaskedArray if kind == 'masked array' else Masked
    with pytest.warns(AstropyUserWarning, match='is unknown there'):
        parsed = parse_map(DATA, error=cls(sigma, mask=mask))
    assert_array_equal(parsed.unknown_error, mask)


@pytest.mark.parametrize(
    ('error', 'match'),
    [
        (CCDData(np.ones(SHAPE), unit='Jy'), 'give its data'),
        (NDData(np.ones(SHAPE)), 'give its data'),
        (UnknownUncertainty(np.ones(SHAPE)), 'must be a StdDevUncertainty'),
        (np.ones(SHAPE) * u.m, 'must have the unit of the map'),
    ],
)
def test_error_that_is_none(error, match):
    with pytest.raises((TypeError, ValueError), match=match):
        parse_map(DATA * u.Jy, error=error)


# ---- units ---------------------------------------------------------------


@pytest.mark.parametrize('keyword', ['BUNIT', 'QTTY____'])
@pytest.mark.parametrize('inherit', [True, None, False, 'own', 'data'])
def test_unit_of_the_primary_header(tmp_path, keyword, inherit):
    primary = fits.PrimaryHDU(np.ones((2, 2)) if inherit == 'data' else None)
    primary.name = 'COVERAGE_2' if inherit == 'data' else 'PRIMARY'
    primary.header[keyword] = 'MJy/sr'
    image = fits.ImageHDU(DATA, WCS(naxis=2).to_header(), name='image')
    if inherit in (True, False):
        image.header['INHERIT'] = inherit
    if inherit == 'own':
        image.header['INHERIT'] = True
        image.header[keyword] = 'mJy/pixel'
    fits.HDUList([primary, image]).writeto(tmp_path / 'map.fits')
    expected = {True: 'MJy/sr', None: 'MJy/sr', 'own': 'mJy/pix'}.get(inherit)
    if inherit in (True, None):
        # a map in MJy/sr needs pixels of a known area
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.cdelt = ['RA---TAN', 'DEC--TAN'], [-1e-3, 1e-3]
        kwargs = {'wcs': wcs}
    else:
        kwargs = {}
    if inherit is None:
        with pytest.warns(AstropyUserWarning, match='primary header, .*MJy/sr'):
            parsed = parse_map(tmp_path / 'map.fits', **kwargs)
    else:
        parsed = parse_map(tmp_path / 'map.fits', **kwargs)
    assert parsed.unit == (None if expected is None else u.Unit(expected))


@pytest.mark.parametrize('inherit', [True, None])
def test_beam_and_wcs_of_the_primary_header(tmp_path, map_wcs, inherit):
    """All keywords are inherited, but a WCS only if the image has none."""
    primary = fits.PrimaryHDU(header=map_wcs.to_header())
    primary.header['BUNIT'], primary.header['BMAJ'] = 'Jy/beam', 7 / 3600
    image = fits.ImageHDU(DATA, name='image')
    if inherit:
        image.header['INHERIT'] = True
    fits.HDUList([primary, image]).writeto(tmp_path / 'map.fits')
    if inherit:
        parsed = parse_map(tmp_path / 'map.fits')
        assert_allclose(parsed.wcs.wcs.crval, map_wcs.wcs.crval)
    else:
        with pytest.warns(AstropyUserWarning, match='BMAJ'):
            parsed = parse_map(tmp_path / 'map.fits', wcs=map_wcs)
    expected = 1.6**2 / (np.pi / 4 / np.log(2) * 49)
    assert parsed.jy_per_pixel == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    'unit', [u.mag(u.AB), u.ABmag, u.dex(u.Jy), u.dB(u.Jy / u.pix), u.mag, u.STmag]
)
@pytest.mark.parametrize('kind', ['Quantity', 'NDData'])
def test_logarithmic_units(unit, kind, map_wcs):
    """They are refused up front."""
    if kind == 'Quantity':
        data = u.Quantity(DATA + 9, unit, subok=True)
    else:
        data = NDData(DATA + 9, unit=unit, wcs=map_wcs)
    with pytest.raises(ValueError, match=r'unit .* is not accepted'):
        parse_map(data)


@pytest.mark.parametrize('bunit', [5, 1.5, True])
def test_unit_that_is_a_number(tmp_path, bunit):
    hdu = fits.PrimaryHDU(DATA)
    hdu.header['BUNIT'] = bunit
    hdu.writeto(tmp_path / 'map.fits')
    with pytest.raises(ValueError, match=f'unit {bunit} of the FITS file cannot be'):
        parse_map(tmp_path / 'map.fits')


# ---- objects and frames --------------------------------------------------


@pytest.mark.parametrize('dtype', ['f8', 'f4', '>f4', 'i2', 'u2'])
@pytest.mark.parametrize(
    'kind', ['HDUList', 'PrimaryHDU', 'ImageHDU', 'CompImageHDU', 'header', 'WCS']
)
def test_objects(kind, dtype, map_wcs):
    """HDUs in memory, and an image with its header or WCS."""
    data = (100 * DATA).astype(dtype)
    header = map_wcs.to_header()
    header['BUNIT'] = 'mJy/pixel'
    before = data.copy()
    given = {
        'HDUList': lambda: fits.HDUList(
            [fits.PrimaryHDU(), fits.ImageHDU(data, header, name='image')]
        ),
        'PrimaryHDU': lambda: fits.PrimaryHDU(data, header),
        'ImageHDU': lambda: fits.ImageHDU(data, header, name='error'),
        'CompImageHDU': lambda: fits.CompImageHDU(data, header),
        'header': lambda: (data, header),
        'WCS': lambda: (data * u.mJy / u.pix, map_wcs),
    }[kind]()
    if kind == 'ImageHDU':
        given.name = ''
    parsed = parse_map(given)
    assert_array_equal(parsed.data, before.astype(float))
    assert parsed.unit == u.mJy / u.pix
    assert parsed.pixel_scale.value == pytest.approx(1.6)
    result = parsed.like_input(parsed.data)
    assert type(result) is (u.Quantity if kind == 'WCS' else CCDData)
    assert_array_equal(data, before)


def test_list_of_hdus_stays_open(tmp_path):
    """What was opened by the user is closed by the user."""
    fits.PrimaryHDU(DATA).writeto(tmp_path / 'map.fits')
    with fits.open(tmp_path / 'map.fits') as hdus:
        parse_map(hdus)
        assert not hdus._file.closed
        assert_array_equal(hdus[0].data, DATA)


@pytest.mark.parametrize('frame', ['map', 'header'])
def test_header_as_wcs(frame, map_wcs):
    given = map_wcs if frame == 'map' else map_wcs.to_header()
    parsed = parse_map(DATA, wcs=given)
    assert_allclose(parsed.wcs.wcs.crval, map_wcs.wcs.crval)


@pytest.mark.parametrize(
    ('data', 'match'),
    [
        (table_hdu('a'), 'image'),
        (fits.PrimaryHDU(), 'holds no image'),
        (fits.HDUList(), 'holds no image'),
        ((DATA, {'BUNIT': 'Jy'}), 'got '),
        ((DATA, DATA), r'2-D map'),
        (WCS(naxis=2), 'got .* WCS|of object'),
        (fits.Header(), '2-D map'),
        (None, 'NoneType|object'),
    ],
)
def test_other_objects(data, match):
    with pytest.raises((TypeError, ValueError), match=match):
        parse_map(data)


@pytest.mark.parametrize(
    ('radesys', 'equinox', 'frame'),
    [
        ('J2000', None, 'fk5'),
        ('j2000', None, 'fk5'),
        ('FK5 J2000', None, 'fk5'),
        ('B1950', None, 'fk4'),
        ('ICRF', None, 'icrs'),
        ('ICRS', 2000.0, 'icrs'),
        ('FK5', 1975.0, 'fk5'),
        ('FK4', None, 'fk4'),
    ],
)
@pytest.mark.parametrize('where', ['file', 'WCS', 'wcs', 'RADECSYS'])
def test_frames(tmp_path, map_wcs, radesys, equinox, frame, where):
    """Names of frames that are plain, if not the standard's."""
    header = map_wcs.to_header()
    del header['RADESYS']
    header['RADECSYS' if where == 'RADECSYS' else 'RADESYS'] = radesys
    if equinox:
        header['EQUINOX'] = equinox
    before = header.tostring()
    if where in ('file', 'RADECSYS'):
        fits.PrimaryHDU(DATA, header).writeto(tmp_path / 'map.fits')
        parsed = parse_map(tmp_path / 'map.fits')
    elif where == 'WCS':
        parsed = parse_map(CCDData(DATA, unit='Jy', wcs=WCS(header)))
    else:
        parsed = parse_map(DATA, wcs=WCS(header))
    sky = parsed.wcs.pixel_to_world(3.0, 4.0)
    assert sky.frame.name == frame
    sources = parse_sources(sky, wcs=parsed.wcs)
    assert_allclose([sources.x[0], sources.y[0]], [3.0, 4.0], atol=1e-6)
    assert header.tostring() == before


@pytest.mark.parametrize('where', ['file', 'WCS'])
@pytest.mark.parametrize('radesys', ['MYFRAME', 'GAPPT', 'ICRS9'])
def test_unknown_frame(tmp_path, map_wcs, radesys, where):
    header = map_wcs.to_header()
    header['RADESYS'] = radesys
    given = CCDData(DATA, unit='Jy', wcs=WCS(header))
    if where == 'file':
        given = tmp_path / 'map.fits'
        fits.PrimaryHDU(DATA, header).writeto(given)
    with pytest.raises(ValueError, match=f"RADESYS '{radesys}'.*ICRS, FK5"):
        parse_map(given)


# ---- threads -------------------------------------------------------------


def test_warnings_of_other_threads(tmp_path, map_wcs):
    """Reading maps and catalogues leaves the filters of warnings alone."""
    header = map_wcs.to_header()
    header['BUNIT'], header['DATE-OBS'] = 'Jy/pixel', '2010-01-01'
    del header['RADESYS']
    header['RADECSYS'], header['MJD-OBS'] = 'FK5', 55197.0
    fits.PrimaryHDU(DATA, header).writeto(tmp_path / 'map.fits')
    sky = map_wcs.pixel_to_world([3.0, 4.0], [5.0, 6.0])
    table = Table({'RA': sky.ra.deg, 'DEC': sky.dec.deg})
    table.write(tmp_path / 's.csv')
    table['RA'].unit = table['DEC'].unit = 'deg'
    table.write(tmp_path / 's.xml', format='votable')
    table.write(tmp_path / 's.fits')

    seen = []

    def work(i):
        before = warnings.filters
        parsed = parse_map(tmp_path / 'map.fits')
        for ending in ('csv', 'xml', 'fits'):
            parse_sources(tmp_path / f's.{ending}', wcs=parsed.wcs)
        seen.append(warnings.filters is before)
        return i

    filters = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(24))) == list(range(24))
    assert list(warnings.filters) == filters
