# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of written maps: read back, they have the map's WCS, unit and keywords."""

from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, InverseVariance, NDDataRef, StdDevUncertainty
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS, DistortionLookupTable
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs import parse_map, read_fits_map
from photutils_pconv.inputs.headers import make_map_hdu
from photutils_pconv.removal.result import SourceRemovalResult

SHAPE = (20, 24)
DATA = np.random.default_rng(20261128).normal(size=SHAPE)
# positions in pixels at which WCS are compared
X, Y = np.array([0.0, 3.5, 20.0, 23.0]), np.array([0.0, 18.0, 7.25, 19.0])


def make_header(projection='TAN', **cards):
    """Return the header of a map of 1.6 arcsec pixels."""
    header = fits.Header()
    header['CTYPE1'], header['CTYPE2'] = f'RA---{projection}', f'DEC--{projection}'
    header['CRVAL1'], header['CRVAL2'] = 83.8, -5.4
    header['CRPIX1'], header['CRPIX2'] = 12.5, 10.5
    header['CDELT1'], header['CDELT2'] = -1.6 / 3600, 1.6 / 3600
    header['RADESYS'] = 'ICRS'
    header.update(cards)
    return header


def tpv(**cards):
    """Return a header with the distortion of SCAMP."""
    header = make_header('TPV', PV1_0=0.01, PV1_1=1.0, PV2_0=0.0, PV2_1=1.0, PV1_4=0.2)
    # its terms are in degrees only with CDi_j
    header['CD1_1'], header['CD2_2'] = header.pop('CDELT1'), header.pop('CDELT2')
    header.update(cards)
    return header


def sip():
    """Return a header with the distortion of Spitzer."""
    header = make_header('TAN-SIP', A_ORDER=2, B_ORDER=2, A_2_0=2e-5, B_1_1=-1e-5)
    header.update(AP_ORDER=2, BP_ORDER=2, AP_2_0=-2e-5, BP_1_1=1e-5)
    return header


def matrix():
    """Return a header with a rotation as CDi_j."""
    header = make_header()
    scale, angle = 1.6 / 3600, np.radians(30)
    del header['CDELT1'], header['CDELT2']
    header['CD1_1'], header['CD1_2'] = -scale * np.cos(angle), scale * np.sin(angle)
    header['CD2_1'], header['CD2_2'] = scale * np.sin(angle), scale * np.cos(angle)
    return header


def cube():
    """Return a header with axes of frequency and Stokes parameters."""
    header = make_header(WCSAXES=4, CTYPE3='FREQ', CRVAL3=1e12, CDELT3=1e9, CRPIX3=1.0)
    header.update(CUNIT3='Hz', CTYPE4='STOKES', CRVAL4=1.0, CDELT4=1.0, CRPIX4=1.0)
    header.update(RESTFRQ=1.9e12, SPECSYS='LSRK')
    return header


def old_keywords():
    """Return a header with what other programs leave."""
    header = make_header(CROTA2=12.0, LONPOLE=150.0, EQUINOX=1950.0, EPOCH=1950.0)
    header.update(LTV1=-30.0, LTM1_1=0.5, WCSDIM=2, VELREF=257)
    header['WAT1_001'] = 'wtype=tnx axtype=ra'
    header.update(CTYPE1A='LINEAR', CRPIX1A=3.0, CD1_1A=2.0, WCSNAMEA='PHYSICAL')
    return header


HEADERS = {
    'TAN': make_header,
    'TPV': tpv,
    'SIP': sip,
    'CD': matrix,
    'four axes': cube,
    'old keywords': old_keywords,
    'PV of LONPOLE': lambda: make_header('ZPN', PV2_1=1.0, PV2_3=40.0),
    'FK5': lambda: make_header(RADESYS='FK5', EQUINOX=1975.0),
    'galactic': lambda: make_header('SIN', CTYPE1='GLON-SIN', CTYPE2='GLAT-SIN'),
}


def read_wcs(header):
    """Read a WCS as any user would, on the plane of the sky."""
    # wcslib fails on those of IRAF
    header.remove('WAT1_001', ignore_missing=True)
    if header.get('CTYPE4'):
        return WCS(header).celestial
    return WCS(header)


def make_result(image, **kwargs):
    """Return a result as the removal makes it, of a map without sources."""
    map_input = parse_map(image, **kwargs)
    cleaned = map_input.like_input(map_input.data)
    zero = map_input.like_input(np.zeros(map_input.shape), fill=0.0)
    table = QTable({'id': [1], 'flux': [1.0] * u.Jy})
    return SourceRemovalResult(
        cleaned=cleaned,
        photometry=table,
        sources=zero,
        holes=np.zeros(map_input.shape, bool),
        map_input=map_input,
    )


def check_wcs(path, wcs, tolerance=1e-6):
    """Compare the WCS of every image of a file, by astropy and by the package."""
    with fits.open(path) as hdus:
        for name in ('PRIMARY', 'SOURCES', 'HOLES'):
            back = WCS(hdus[name].header, hdus)
            assert back.naxis == 2
            apart = back.pixel_to_world(X, Y).separation(wcs.pixel_to_world(X, Y))
            assert apart.max().arcsec < tolerance
    ours = read_fits_map(path).wcs
    apart = ours.pixel_to_world(X, Y).separation(wcs.pixel_to_world(X, Y))
    assert apart.max().arcsec < tolerance


@pytest.mark.filterwarnings('ignore::astropy.wcs.FITSFixedWarning')
@pytest.mark.parametrize('meta', HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize('own', HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize('kind', [CCDData, NDDataRef])
def test_header_of_another_wcs(tmp_path, own, meta, kind):
    """Whatever the metadata hold, the file has the map's WCS."""
    wcs = read_wcs(own())
    image = kind(DATA, unit='Jy/pix', wcs=wcs, meta=meta())
    with np.errstate(all='raise'):
        path = make_result(image).write(tmp_path)[0]
    check_wcs(path, wcs)


@pytest.mark.parametrize('name', ['TPV', 'SIP', 'four axes', 'old keywords', 'CD'])
def test_from_file_to_file(tmp_path, name):
    """A map that was read and written keeps its positions."""
    header = HEADERS[name]()
    if name == 'four axes':
        header['NAXIS'] = 2
    source = tmp_path / 'map.fits'
    header['BUNIT'] = 'mJy/pixel'
    fits.PrimaryHDU(DATA, header).writeto(source)
    parsed = parse_map(source)
    path = make_result(source).write(tmp_path)[0]
    check_wcs(path, parsed.wcs)
    again = parse_map(path)
    assert again.unit == u.mJy / u.pix
    assert_array_equal(again.data, DATA)
    assert again.wcs.to_header(relax=True) == parsed.wcs.to_header(relax=True)


def test_sliced(tmp_path):
    """A slice has no WCS that FITS can hold: then there is none, and not the old."""
    header = make_header()
    header['BUNIT'] = 'Jy/pixel'
    full = NDDataRef(DATA, unit='Jy/pix', wcs=WCS(header), meta=header)
    result = make_result(full[2:18, 3:20])
    with pytest.warns(AstropyUserWarning, match='cannot be written'):
        path = result.write(tmp_path)[0]
    assert not WCS(fits.getheader(path)).has_celestial
    assert 'CRVAL1' not in fits.getheader(path)


def make_lookup(*, detector=False):
    """Return HDUs of a map whose WCS has a distortion table."""
    wcs = WCS(make_header())
    x = np.arange(24, dtype=np.float32)
    table = np.tile(0.5 + 2e-3 * x, (20, 1)).astype(np.float32)
    lookup = DistortionLookupTable(table, (1.0, 1.0), (1.0, 1.0), (1.0, 1.0))
    for axis in (1, 2):
        setattr(wcs, f'{"det2im" if detector else "cpdis"}{axis}', lookup)
    hdus = wcs.to_fits(relax=True)
    hdus[0].data = DATA
    hdus[0].header['BUNIT'] = 'Jy/pixel'
    return hdus


@pytest.mark.parametrize('detector', [False, True])
def test_distortion_tables(tmp_path, detector):
    """Lookup tables are read, and written beside the map."""
    hdus = make_lookup(detector=detector)
    hdus.writeto(tmp_path / 'map.fits')
    wcs = WCS(hdus[0].header, hdus)
    plain = WCS(make_header())
    apart = wcs.pixel_to_world(X, Y).separation(plain.pixel_to_world(X, Y))
    assert apart.max().arcsec > 0.5
    path = make_result(tmp_path / 'map.fits').write(tmp_path)[0]
    check_wcs(path, wcs, tolerance=1e-4)


@pytest.mark.parametrize(
    'names',
    [
        ['cpdis1'],
        ['cpdis2'],
        ['det2im1'],
        ['det2im2'],
        ['cpdis1', 'cpdis2', 'det2im1', 'det2im2'],
    ],
)
@pytest.mark.parametrize('is_sliced', [False, True])
def test_distortion_tables_of_some_axes(tmp_path, names, is_sliced):
    """A table along one axis alone, and tables of both kinds, also of a part."""
    wcs = WCS(make_header())
    table = (0.5 + 2e-3 * np.arange(28) * np.ones((24, 1))).astype(np.float32)
    for name in names:
        lookup = DistortionLookupTable(table, (1.0, 1.0), (1.0, 1.0), (1.0, 1.0))
        setattr(wcs, name, lookup)
    ccd = CCDData(DATA, unit='Jy/pix', wcs=wcs)
    plain = CCDData(DATA, unit='Jy/pix', wcs=WCS(make_header()))
    if is_sliced:
        ccd, plain = ccd[1:, 2:], plain[1:, 2:]
    x, y = np.array([3.0, 8.5, 14.0]), np.array([2.0, 9.5, 13.0])
    apart = ccd.wcs.pixel_to_world(x, y).separation(plain.wcs.pixel_to_world(x, y))
    assert apart.min().arcsec > 0.5
    path = make_result(ccd).write(tmp_path)[0]
    back = parse_map(path).wcs.pixel_to_world(x, y)
    assert back.separation(ccd.wcs.pixel_to_world(x, y)).max().arcsec < 1e-4


def test_distortion_tables_that_are_missing(tmp_path):
    fits.HDUList(make_lookup()[:1]).writeto(tmp_path / 'map.fits')
    with pytest.warns(AstropyUserWarning, match='distortion tables .* are missing'):
        parsed = parse_map(tmp_path / 'map.fits')
    assert parsed.wcs.pixel_to_world(11.5, 9.5).ra.deg == pytest.approx(83.8)


# ---- keywords ------------------------------------------------------------

BAD_CARDS = {
    'point': (b"P.I.    = 'Someone  '", 'P.I.', 'Someone'),
    'slash': (b'IRAF-B/P=                  -32', 'IRAF-B/P', -32),
    'lower case': (b'obs_id  =                   17', 'OBS_ID', 17),
    'blank inside': (b'MY KEY  =                  2.5', 'MY KEY', 2.5),
    'unfinished text': (b"BROKEN  = 'no end", None, None),
    'no value': (b'EMPTY   =', 'EMPTY', None),
    'number with commas': (b'COMMA   =              1,000', None, None),
    'plus': (b'A+B     =                    T', 'A+B', True),
}


@pytest.mark.parametrize(
    ('card', 'keyword', 'value'), BAD_CARDS.values(), ids=BAD_CARDS
)
@pytest.mark.filterwarnings('ignore::astropy.io.fits.verify.VerifyWarning')
def test_cards_that_fits_does_not_allow(tmp_path, card, keyword, value):
    """They become HIERARCH cards, or are left out and named."""
    source = tmp_path / 'map.fits'
    header = make_header(BUNIT='Jy/pixel')
    fits.PrimaryHDU(DATA, header).writeto(source)
    raw = source.read_bytes()
    i = raw.index(b'END'.ljust(80))
    source.write_bytes(raw[:i] + card.ljust(80) + raw[i : i + 80] + raw[i + 160 :])
    result = make_result(source)
    if keyword is None:
        with pytest.warns(AstropyUserWarning, match='left out: (BROKEN|COMMA)'):
            path = result.write(tmp_path)[0]
    else:
        path = result.write(tmp_path)[0]
        assert fits.getheader(path)[keyword] == value
    with fits.open(path) as hdus:
        hdus.verify('exception')
    assert_array_equal(read_fits_map(path).data, DATA)


@pytest.mark.parametrize(
    ('key', 'value', 'written'),
    [
        ('a key of many words', 1, 1),
        ('observer', 'A' * 200, 'A' * 200),
        ('flag', True, True),
        ('flag', np.bool_(False), False),
        ('size', np.int16(3), 3),
        ('scale', np.float32(2.5), 2.5),
        ('schlüssel', 1, None),
        ('a = b', 1, None),
        ('umlaut', 'Mädler', None),
        ('nothing', None, None),
        ('many', [1, 2], None),
        ('array', np.arange(3), None),
        ('nested', {'a': 1}, None),
        ('width', 3 * u.arcsec, None),
        ('infinite', np.inf, None),
        ('lines', 'a\nb', None),
        ('a long key of many many words that goes on', 'text' * 20, 'text' * 20),
        ('beam', 7 / 3600, 7 / 3600),
    ],
)
def test_metadata_of_a_dict(key, value, written):
    image = CCDData(DATA, unit='Jy/pix', meta={'object': 'M1', key: value})
    if written is None:
        with pytest.warns(AstropyUserWarning, match='FITS cannot hold'):
            hdu = make_map_hdu(image, fits.Header(), '')
        assert key not in hdu.header
    else:
        hdu = make_map_hdu(image, fits.Header(), '')
        assert hdu.header[key] == written
    assert hdu.header['OBJECT'] == 'M1'
    hdu.verify('exception')
    fits.Header.fromstring(hdu.header.tostring())


# ---- units, masks and uncertainties --------------------------------------


@pytest.mark.parametrize(
    'unit',
    [
        *('Jy/pix', 'mJy/pix', 'MJy/sr', 'Jy/arcsec2', 'uJy/beam', 'Jy'),
        *('10**-3 Jy/pix', '1e-6 Jy/pix', '1000000 Jy/sr', 'W / (m2 Hz sr)'),
    ],
)
@pytest.mark.parametrize('uncertainty', [StdDevUncertainty, InverseVariance, None])
@pytest.mark.parametrize('masked', [False, True])
def test_back_as_it_was(tmp_path, unit, uncertainty, masked):
    """Unit, mask and uncertainty of a file of ours come back."""
    mask = np.zeros(SHAPE, bool)
    mask[:, :17] = masked
    sigma = np.linspace(1, 2, DATA.size).reshape(SHAPE)
    kwargs = {}
    if uncertainty is not None:
        power = 1 if uncertainty is StdDevUncertainty else -2
        kwargs['uncertainty'] = uncertainty(sigma**power)
    image = CCDData(
        DATA,
        unit=u.Unit(unit),
        mask=mask if masked else None,
        wcs=WCS(make_header()),
        meta={'BMAJ': 7 / 3600},
        **kwargs,
    )
    before = make_result(image)
    path = before.write(tmp_path)[0]
    with fits.open(path) as hdus:
        hdus.verify('exception')
        text = hdus[0].header['BUNIT']
    assert '10' not in text
    after = parse_map(path)
    assert after.jy_per_pixel == pytest.approx(before.map_input.jy_per_pixel, rel=1e-12)
    assert_array_equal(after.missing, before.map_input.missing)
    assert_array_equal(after.original.data, DATA)
    if uncertainty is None:
        assert after.error is None
    else:
        assert_allclose(after.error, sigma, rtol=1e-12)


def test_subclass_of_an_uncertainty(tmp_path):
    class Ours(StdDevUncertainty):
        pass

    image = CCDData(DATA, unit='Jy/pix', uncertainty=Ours(np.full(SHAPE, 0.5)))
    result = make_result(image)
    error = np.full(SHAPE, 0.25)
    changed = result.map_input.like_input(result.map_input.data, error=error)
    assert type(changed.uncertainty) is Ours
    assert_array_equal(changed.uncertainty.array, 0.25)
    path = result.write(tmp_path)[0]
    assert_array_equal(parse_map(path).error, 0.5)


def test_no_input_is_changed(tmp_path):
    """Neither the header nor the WCS of the user."""
    header, wcs = tpv(), WCS(make_header())
    text, before = header.tostring(), wcs.to_header_string()
    image = SimpleNamespace(
        ccd=CCDData(DATA.copy(), unit='Jy/pix', wcs=wcs, meta=header)
    )
    make_result(image.ccd).write(tmp_path)
    assert header.tostring() == text
    assert wcs.to_header_string() == before
    assert_array_equal(image.ccd.data, DATA)
