# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of maps in files, real ones among them."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from numpy.testing import assert_array_equal

from photutils_pconv.inputs.maps import parse_map
from tests.inputs.conftest import SHAPE, make_values, write_fits


def test_file_primary(tmp_path):
    path = write_fits(tmp_path / 'map.fits', make_values(), BUNIT='mJy/pixel')
    parsed = parse_map(path)
    assert parsed.unit == u.mJy / u.pix
    assert parsed.wcs is None
    assert_array_equal(parsed.data, make_values())


def test_file_first_2d(tmp_path):
    """Planes of other dimensions are passed over."""
    fits.HDUList(
        [
            fits.PrimaryHDU(np.zeros((2, *SHAPE))),
            fits.ImageHDU(np.zeros(5)),
            fits.BinTableHDU.from_columns([fits.Column('a', 'D', array=[1.0])]),
            fits.ImageHDU(make_values(), name='SCI'),
            fits.ImageHDU(np.ones((3, 3))),
        ]
    ).writeto(tmp_path / 'map.fits')
    assert_array_equal(parse_map(tmp_path / 'map.fits').data, make_values())


def test_file_compressed(tmp_path):
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.CompImageHDU(
                make_values(), name='IMAGE', compression_type='GZIP_2', quantize_level=0
            ),
        ]
    ).writeto(tmp_path / 'map.fits.gz')
    assert_array_equal(parse_map(tmp_path / 'map.fits.gz').data, make_values())


@pytest.mark.parametrize('name', ['image', 'PRIMARY'])
def test_file_cube(tmp_path, name):
    path = write_fits(tmp_path / 'map.fits', np.zeros((2, *SHAPE)), name=name)
    with pytest.raises(ValueError, match=r'Choose one plane'):
        parse_map(path)


def test_file_without_image(tmp_path):
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / 'map.fits')
    with pytest.raises(ValueError, match='holds no image'):
        parse_map(tmp_path / 'map.fits')


def test_file_not_fits(tmp_path):
    (tmp_path / 'map.fits').write_text('not FITS')
    with pytest.raises(ValueError, match='cannot be read as a FITS file'):
        parse_map(tmp_path / 'map.fits')
    with pytest.raises(FileNotFoundError, match='does not exist'):
        parse_map(str(tmp_path / 'none.fits'))


@pytest.mark.parametrize(
    ('bunit', 'unit'),
    [
        ('Jy/pixel', 'Jy/pix'),
        ('JY/PIXEL', 'Jy/pix'),
        ('Jy pixel-1', 'Jy/pix'),
        ('jy per px', 'Jy/pix'),
        ('mJy/pix', 'mJy/pix'),
        ('MJY/SR', 'MJy/sr'),
        ('KJy/SR', 'kJy/sr'),
        ('Jy/arcsec^2', 'Jy/arcsec2'),
        ('Jy', 'Jy'),
        ('Jy/arcsec**2', 'Jy/arcsec2'),
        ('MJy sr-1', 'MJy/sr'),
        ('', None),
        ('Unknown', None),
    ],
)
def test_file_units(tmp_path, bunit, unit, map_wcs):
    cards = dict(map_wcs.to_header()) | {'BUNIT': bunit}
    path = write_fits(tmp_path / 'map.fits', make_values(), **cards)
    parsed = parse_map(path)
    assert parsed.unit == (None if unit is None else u.Unit(unit))


@pytest.mark.parametrize(
    ('bunit', 'match'),
    [
        ('bananas', "'bananas' of the FITS file cannot be understood"),
        ('K', "The unit 'K' of the map is not accepted"),
    ],
)
def test_file_bad_unit(tmp_path, bunit, match):
    path = write_fits(tmp_path / 'map.fits', make_values(), BUNIT=bunit)
    with pytest.raises(ValueError, match=match):
        parse_map(path)


def test_file_coverage_nan(tmp_path):
    coverage = np.ones(SHAPE)
    coverage[0, :3] = np.nan, 0, -1
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(make_values(), name='IMAGE'),
            fits.ImageHDU(coverage, name='COVERAGE'),
        ]
    ).writeto(tmp_path / 'map.fits')
    parsed = parse_map(tmp_path / 'map.fits')
    assert np.sum(parsed.missing) == 3
    assert np.all(parsed.missing[0, :3])


def test_file_coverage_and_mask(tmp_path):
    coverage = np.ones(SHAPE)
    coverage[0, 0] = 0
    mask = np.zeros(SHAPE, bool)
    mask[1, 1] = True
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(make_values(), name='image'),
            fits.ImageHDU(coverage, name='coverage'),
        ]
    ).writeto(tmp_path / 'map.fits')
    parsed = parse_map(tmp_path / 'map.fits', mask=mask)
    assert_array_equal(np.argwhere(parsed.missing), [[0, 0], [1, 1]])


def test_file_coverage_shape(tmp_path):
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(make_values(), name='image'),
            fits.ImageHDU(np.zeros((3, 3)), name='coverage'),
        ]
    ).writeto(tmp_path / 'map.fits')
    with pytest.warns(AstropyUserWarning, match='"coverage" .* is ignored'):
        parsed = parse_map(tmp_path / 'map.fits')
    assert not np.any(parsed.missing)


def test_file_error_extension(tmp_path, map_wcs):
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(make_values(), name='image'),
            fits.ImageHDU(np.full(SHAPE, 0.25), name='stDev'),
        ]
    ).writeto(tmp_path / 'map.fits')
    assert parse_map(tmp_path / 'map.fits').error is None
    parsed = parse_map(tmp_path / 'map.fits', error='STDEV', wcs=map_wcs)
    assert_array_equal(parsed.error, 0.25)
    with pytest.raises(ValueError, match="no image extension 'error'.*'STDEV'"):
        parse_map(tmp_path / 'map.fits', error='error')


def test_file_of_ours(tmp_path, map_wcs):
    """What was written comes back with mask, uncertainty and WCS."""
    mask = np.zeros(SHAPE, bool)
    mask[4, 5] = True
    given = CCDData(
        make_values(),
        unit='Jy/pix',
        mask=mask,
        wcs=map_wcs,
        uncertainty=StdDevUncertainty(np.full(SHAPE, 0.5)),
    )
    parsed = parse_map(given)
    parsed.like_input(parsed.data, history=['cleaned']).write(tmp_path / 'map.fits')
    again = parse_map(tmp_path / 'map.fits')
    assert_array_equal(again.data, parsed.data)
    assert_array_equal(again.error, 0.5)
    assert 'cleaned' in str(again.meta['HISTORY'])
    assert again.pixel_scale.value == pytest.approx(1.6)
    with pytest.raises(ValueError, match='wcs was given'):
        parse_map(tmp_path / 'map.fits', wcs=map_wcs)


REAL_MAPS = [
    # name, pixel scale, unit, percentage of missing pixels
    ('gamma_dra_blue_jscanam.fits.gz', 1.6, 'Jy/pix', 24.442),
    ('gamma_dra_blue_unimap.fits.gz', 1.6, 'Jy/pix', 22.985),
    ('a1689_green_jscanam.fits.gz', 1.6, 'Jy/pix', 33.890),
    ('a1689_red_jscanam.fits.gz', 3.2, 'Jy/pix', 35.681),
    ('eta_dra_blue_photproject.fits', 3.2, 'Jy', 51.057),
    ('ngc5584_green_3arcsec.fits.gz', 3.0, None, 32.505),
]


@pytest.mark.parametrize(('name', 'scale', 'unit', 'percent'), REAL_MAPS)
def test_real_map(real_data, tmp_path, name, scale, unit, percent):
    path = real_data / 'pacs' / name
    parsed = parse_map(path)
    assert parsed.pixel_scale.value == pytest.approx(scale, rel=1e-4)
    assert parsed.unit == (None if unit is None else u.Unit(unit))
    assert parsed.jy_per_pixel == 1
    assert 100 * np.mean(parsed.missing) == pytest.approx(percent, abs=0.01)
    assert parsed.error is None

    with fits.open(path) as hdus:
        index = next(i for i, hdu in enumerate(hdus) if hdu.name.lower() == 'image')
        raw = hdus[index].data
        good = ~parsed.missing
        assert_array_equal(parsed.data[good], raw[good])
        if 'jscanam' in name:
            assert np.all(raw[~good] == 0)
            assert_array_equal(good, hdus['coverage'].data > 0)
        expected = WCS(hdus[index].header).pixel_to_world(50, 60)
        expected_center = expected.icrs

        result = parsed.like_input(parsed.data, history=['nothing done'])
        assert isinstance(result, CCDData)
        assert_array_equal(result.data, raw)
    result.write(tmp_path / 'out.fits')
    again = parse_map(tmp_path / 'out.fits')
    assert_array_equal(again.missing, parsed.missing)
    assert_array_equal(again.data, parsed.data)
    assert again.unit == parsed.unit
    center = again.wcs.pixel_to_world(50, 60).icrs
    assert center.separation(expected_center) < 1e-5 * u.arcsec


def test_real_map_header(real_data):
    """What the primary header says of the observation is kept."""
    path = real_data / 'pacs/a1689_green_jscanam.fits.gz'
    header = parse_map(path).meta
    assert header['INSTRUME'] == 'PACS'
    assert header['WAVELNTH'] == 100
    assert header['OBSID001'] == 1342222912


def test_real_error_extension(real_data):
    path = real_data / 'pacs/gamma_dra_blue_unimap.fits.gz'
    parsed = parse_map(path, error='error')
    raw = fits.getdata(path, 'error')
    assert_array_equal(parsed.error, raw)


def test_real_map_without_coverage(real_data):
    """The image alone: its zeros are pointed out."""
    path = real_data / 'pacs/a1689_green_jscanam.fits.gz'
    data, header = fits.getdata(path, 'image', header=True)
    ccd = CCDData(data, unit='Jy/pix', wcs=WCS(header))
    with pytest.warns(AstropyUserWarning, match='34% of the pixels are exactly 0'):
        parse_map(ccd)
    parsed = parse_map(ccd, coverage_mask=data == 0)
    assert_array_equal(parsed.missing, parse_map(path).missing)


def test_real_cube(real_data):
    path = real_data / 'backgrounds/m31_iras12.fits'
    with pytest.warns(
        AstropyUserWarning, match=r'shape \(1, 241, 241\): its only plane'
    ):
        parsed = parse_map(path)
    assert_array_equal(parsed.data, fits.getdata(path)[0])
