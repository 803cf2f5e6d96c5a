# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of FITS files that are cut, damaged or compressed: a word, and no hang."""

import bz2
import gzip
import lzma
import time
import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning, AstropyWarning
from numpy.testing import assert_array_equal

from photutils_pconv.inputs import parse_map, read_fits_map, read_fits_plane

DATA = np.random.default_rng(20261128).normal(size=(40, 50))


@pytest.fixture
def content(tmp_path, map_wcs):
    """Return the bytes of a FITS file of three HDUs."""
    header = map_wcs.to_header()
    header['BUNIT'] = 'Jy/pixel'
    path = tmp_path / 'good.fits'
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(DATA, header, name='image'),
            fits.ImageHDU(np.ones(DATA.shape), name='coverage'),
        ]
    ).writeto(path)
    return path.read_bytes()


@pytest.mark.parametrize('share', [0.02, 0.1, 0.2, 0.3, 0.45, 0.6, 0.9, 0.95])
@pytest.mark.parametrize('read', [parse_map, read_fits_map, 'plane'])
@pytest.mark.parametrize('compressed', [False, True])
def test_truncated(tmp_path, content, share, read, compressed):
    if compressed:
        content = gzip.compress(content)
    path = tmp_path / 'map.fits'
    path.write_bytes(content[: int(share * len(content))])
    read = read if callable(read) else lambda path: read_fits_plane(path, 'coverage')
    match = r'map\.fits.*(truncated|damaged|no END|cannot)'
    with pytest.raises(ValueError, match=match):
        read(path)


def card(keyword, value):
    """Return the start of a card."""
    return f'{keyword:8s}= {value:>20s}'.encode()


BAD_SIZES = [
    ('NAXIS1', '50', '-50', 'NAXIS1 = -50'),
    ('NAXIS2', '40', '4x', 'NAXIS2 = 4x'),
    ('NAXIS', '2', '3', 'no NAXIS3'),
    ('NAXIS', '2', '-2', 'NAXIS = -2'),
    ('NAXIS2', '40', '4000000000', 'truncated'),
    ('BITPIX', '-64', '-63', 'BITPIX = -63'),
    ('PCOUNT', '0', '999999', 'truncated'),
    ('GCOUNT', '1', '-1', 'GCOUNT = -1'),
]


@pytest.mark.parametrize(('keyword', 'old', 'new', 'match'), BAD_SIZES)
def test_impossible_size(tmp_path, content, keyword, old, new, match):
    """The message names file, HDU and keyword; astropy hangs on some of these."""
    path = tmp_path / 'map.fits'
    i = content.index(b'XTENSION')
    path.write_bytes(
        content[:i] + content[i:].replace(card(keyword, old), card(keyword, new), 1)
    )
    start = time.monotonic()
    with pytest.raises(ValueError, match=match) as excinfo:
        parse_map(path)
    assert 'map.fits' in str(excinfo.value)
    assert 'HDU 1' in str(excinfo.value)
    assert time.monotonic() - start < 5


@pytest.mark.filterwarnings('ignore::astropy.utils.exceptions.AstropyUserWarning')
@pytest.mark.parametrize('end', [b'', b'\0' * 100, b'junk after the last HDU' * 200])
def test_what_follows(tmp_path, content, end):
    """What stands behind the last HDU is none of it, though astropy speaks of it."""
    path = tmp_path / 'map.fits'
    path.write_bytes(content + end)
    assert_array_equal(parse_map(path).data, DATA)


@pytest.mark.parametrize('pack', [gzip.compress, bz2.compress, lzma.compress])
def test_compressed(tmp_path, content, pack):
    path = tmp_path / 'map.fits'
    path.write_bytes(pack(content))
    assert_array_equal(parse_map(path).data, DATA)


@pytest.mark.parametrize('share', [0.1, 0.5, 0.999])
@pytest.mark.parametrize('pack', [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_and_cut(tmp_path, content, pack, share):
    path = tmp_path / 'map.fits'
    packed = pack(content)
    path.write_bytes(packed[: int(share * len(packed))])
    with pytest.raises(ValueError, match='truncated or damaged'):
        parse_map(path)


@pytest.mark.parametrize('offset', [-8, -4])
def test_wrong_checksum_of_gzip(tmp_path, content, offset):
    """Its checksum or its length is wrong: the map is read, with a warning."""
    packed = bytearray(gzip.compress(content))
    packed[offset] ^= 1
    path = tmp_path / 'map.fits.gz'
    path.write_bytes(packed)
    with pytest.warns(AstropyUserWarning, match='fails the checksum of gzip'):
        parsed = parse_map(path)
    assert_array_equal(parsed.data, DATA)


def test_gzip_with_a_name(tmp_path, content):
    """The command gzip stores the name of the file in the header."""
    path = tmp_path / 'map.fits.gz'
    with path.open('wb') as raw, gzip.GzipFile('map.fits', 'wb', 9, raw) as file:
        file.write(content)
    packed = bytearray(path.read_bytes())
    assert packed[3] & 8
    packed[-8] ^= 1
    path.write_bytes(packed)
    with pytest.warns(AstropyUserWarning, match='checksum'):
        assert_array_equal(parse_map(path).data, DATA)


@pytest.mark.parametrize('i', [9000, 15000, 20000])
def test_damaged_gzip(tmp_path, content, i):
    """Pixels that are wrong are told of, as their checksum is."""
    packed = bytearray(gzip.compress(content, 0))
    packed[i : i + 40] = b'\xff' * 40
    path = tmp_path / 'map.fits.gz'
    path.write_bytes(packed)
    with pytest.warns(AstropyUserWarning, match=r'map\.fits\.gz fails the checksum'):
        parsed = parse_map(path)
    assert 4 <= np.count_nonzero(parsed.data != DATA) <= 6


@pytest.mark.parametrize(
    'text', [b"BUNIT   = 'Jy/pixel", b'BUNIT   = Jy/pixel', b'BUNIT   = 1,5']
)
def test_unit_that_cannot_be_read(tmp_path, content, text):
    path = tmp_path / 'map.fits'
    old = b"BUNIT   = 'Jy/pixel'".ljust(80)
    path.write_bytes(content.replace(old, text.ljust(80)))
    with pytest.raises(ValueError, match='unit|BUNIT'):
        parse_map(path)


@pytest.mark.parametrize(
    ('cards', 'match'),
    [
        ({'BSCALE': 'abc'}, "BSCALE = 'abc'"),
        ({'BSCALE': 0.0}, 'BSCALE = 0'),
        ({'BSCALE': True}, 'BSCALE = True'),
        ({'BZERO': ''}, "BZERO = ''"),
    ],
)
@pytest.mark.parametrize('name', ['image', 'coverage'])
def test_scaling_that_is_none(tmp_path, content, cards, match, name):
    path = tmp_path / 'map.fits'
    path.write_bytes(content)
    with fits.open(path, do_not_scale_image_data=True) as hdus:
        hdus[name].header.update(cards)
        hdus.writeto(tmp_path / 'bad.fits')
    with pytest.raises(ValueError, match=f'{name}.* has {match}'):
        parse_map(tmp_path / 'bad.fits')


JUNK = [
    *(b'-1', b'99999999999', b"'abc'", b'NaN', b'1e400', b'T', b'0', b'3.5', b"'"),
    *(b'', b'\xff\xfe', b'(1,2)', b"'Jy/pixel", b'2147483648'),
]
NAMES = (
    'NAXIS1 BSCALE BLANK CTYPE1 PV2_3 CD1_1 A_ORDER CPDIS1 D2IMDIS1 CUNIT1 RADESYS '
    'EQUINOX ZIMAGE CONTINUE HIERARCH INHERIT PCOUNT GROUPS'
).split()


def damage_header(content, rng):
    """Return a file of which some cards of a header are not as they were."""
    content = bytearray(content)
    starts = [
        i
        for i in range(0, len(content), 2880)
        if content[i : i + 8] in (b'SIMPLE  ', b'XTENSION')
    ]
    start = starts[rng.integers(len(starts))]
    i, j = start + 80 * rng.integers(0, 22, 2)
    kind = rng.integers(4)
    if kind == 0:
        for _ in range(5):
            content[start + rng.integers(1600)] = rng.integers(256)
    elif kind == 1:
        value = JUNK[rng.integers(len(JUNK))]
        content[i + 10 : i + 80] = value.rjust(20).ljust(70)
    elif kind == 2:
        content[i : i + 80] = content[j : j + 80]
    else:
        content[i : i + 8] = NAMES[rng.integers(len(NAMES))].ljust(8).encode()
    return bytes(content)


@pytest.mark.parametrize('seed', range(8))
def test_damaged_headers(tmp_path, content, seed):
    """The map is read, or a ValueError says why not; numpy's warnings are errors."""
    rng = np.random.default_rng(seed)
    path = tmp_path / 'map.fits'
    n_read = 0
    for _ in range(25):
        path.write_bytes(damage_header(content, rng))
        with warnings.catch_warnings():
            for category in (AstropyWarning, ResourceWarning):
                warnings.simplefilter('ignore', category)
            try:
                parsed = parse_map(path)
            except ValueError:
                continue
        n_read += 1
        assert parsed.like_input(parsed.data).shape == parsed.shape
    # most damages are of no keyword that matters
    assert n_read > 5


@pytest.mark.parametrize('keyword', ['PCOUNT', 'GCOUNT'])
def test_open_file_is_damaged(tmp_path, content, keyword):
    """An HDUList whose next header astropy fails on, only when it is read."""
    path = tmp_path / 'map.fits'
    i = content.rindex(b'XTENSION')
    j = content.index(f'{keyword:8s}='.encode(), i)
    path.write_bytes(content[: j + 10] + b"'abc'".ljust(70) + content[j + 80 :])
    with fits.open(path) as hdus:
        with pytest.raises(ValueError, match='header of .* is damaged'):
            parse_map(hdus)
