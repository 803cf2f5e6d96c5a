# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what is sent: names, bad archives, and bad maps."""

import tarfile

import numpy as np
import pytest

from photutils_pconv.archive import (
    ArchiveFormatError,
    NotInArchiveError,
    map_checks,
    products,
)


class TestBadArchives:
    @pytest.mark.parametrize(
        ('name', 'kind', 'what'),
        [
            ('../../evil.fits', tarfile.REGTYPE, 'a path that leads out'),
            ('/etc/evil', tarfile.REGTYPE, 'a path that leads out'),
            ('a/..\\..\\evil', tarfile.REGTYPE, 'a path that leads out'),
            ('link', tarfile.SYMTYPE, 'a link'),
            ('link', tarfile.LNKTYPE, 'a link'),
            ('tty', tarfile.CHRTYPE, 'a device'),
            ('pipe', tarfile.FIFOTYPE, 'a device'),
            ('gaps', tarfile.GNUTYPE_SPARSE, 'a file with gaps'),
        ],
    )
    def test_dangerous_members(
        self, fetch, server, make, left_behind, name, kind, what
    ):
        member = tarfile.TarInfo(name)
        member.type = kind
        member.linkname = '/etc/passwd'
        server.archives[make.obsid, 'LEVEL2_5'] = make.tar(
            {make.path(): make.map()}, special=[member]
        )
        with pytest.raises(ArchiveFormatError, match=rf'not unpacked: it has {what}'):
            fetch()
        assert left_behind() == []

    def test_grows_beyond_the_bounds(self, fetch, monkeypatch, left_behind):
        monkeypatch.setattr(products, 'LARGEST_CONTENT', 1000)
        with pytest.raises(
            ArchiveFormatError, match='not unpacked: it holds more than'
        ):
            fetch()
        monkeypatch.undo()
        monkeypatch.setattr(products, 'LARGEST_MAP', 1000)
        with pytest.raises(ArchiveFormatError, match='more than the .* a map may have'):
            fetch()
        assert left_behind() == []

    def test_a_map_that_grows(self, fetch, monkeypatch, left_behind):
        monkeypatch.setattr(map_checks, 'LARGEST_UNPACKED', 1000)
        with pytest.raises(ArchiveFormatError, match='unpacks to more than'):
            fetch()
        assert left_behind() == []

    def test_no_tar_file(self, fetch, server, make, left_behind):
        server.archives[make.obsid, 'LEVEL2_5'] = b'something else' * 100
        with pytest.raises(ArchiveFormatError, match='What came of .* is no tar file'):
            fetch()
        assert left_behind() == []


class TestBadMaps:
    @pytest.fixture
    def send(self, fetch, server, make, left_behind):
        """Return a function that fetches a file under the map's name."""

        def call(content):
            server.archives[make.obsid, 'LEVEL2_5'] = make.tar({make.path(): content})
            try:
                return fetch()
            finally:
                assert left_behind() == []

        return call

    def test_truncated(self, send, make):
        with pytest.raises(ArchiveFormatError, match='damaged or truncated'):
            send(make.map()[:-2000])

    def test_corrupt(self, send, make):
        content = bytearray(make.map())
        content[len(content) // 2] ^= 0xFF
        with pytest.raises(ArchiveFormatError, match='damaged'):
            send(bytes(content))

    def test_no_fits_file(self, send):
        with pytest.raises(
            ArchiveFormatError, match="no FITS file: it begins with b'PK"
        ):
            send(b'PK\x03\x04 something')

    def test_page_inside(self, send):
        with pytest.raises(ArchiveFormatError, match='a web page instead of hpacs'):
            send(b'<html><title>oops</title></html>')

    def test_no_unit(self, send, make):
        with pytest.raises(
            ArchiveFormatError, match='has the unit None, which is no fl'
        ):
            send(make.map(unit=None))

    def test_another_unit(self, send, make):
        with pytest.raises(
            ArchiveFormatError, match="has the unit 'K', which is no fl"
        ):
            send(make.map(unit='K'))

    def test_nothing_observed(self, send, make):
        with pytest.raises(ArchiveFormatError, match='has no observed pixel'):
            send(make.map(data=np.zeros((9, 9))))

    def test_no_image(self, send, tmp_path):
        from astropy.io import fits

        fits.PrimaryHDU(np.ones((9, 9))).writeto(tmp_path / 'a.fits')
        with pytest.raises(ArchiveFormatError, match='no image with a WCS of the sky'):
            send((tmp_path / 'a.fits').read_bytes())

    def test_another_band_inside(self, send, make):
        with pytest.raises(NotInArchiveError, match='is a green map, not the blue one'):
            send(make.map(wavelength=100))

    def test_the_old_map_is_kept(self, fetch, server, make):
        fetched = fetch()
        content = fetched.path.read_bytes()
        server.archives[make.obsid, 'LEVEL2_5'] = make.tar({make.path(): content[:-99]})
        with pytest.raises(ArchiveFormatError, match='damaged'):
            fetch(cache=False)
        assert fetched.path.read_bytes() == content
        assert fetch() == fetched


def test_the_last_version_is_taken(fetch, server, make):
    names = [make.product, make.product.replace('842635', '999999')]
    files = {make.path(name): make.map(VERSION=name[-14:]) for name in names}
    server.archives[make.obsid, 'LEVEL2_5'] = make.tar(files)
    assert fetch().product == names[1]


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        (
            'hpacs_25HPPJSMAPB_blue_1822_m1337_00_v1.0_1471714532334.fits.gz',
            ('JScanam', '2.5', 'blue'),
        ),
        (
            'hpacs_30HPPJSMAPG_green_1129_p5834_00_v1.0_1458306378033.fits',
            ('JScanam', '3', 'green'),
        ),
        (
            'a/b/hpacs_25HPPJSMAPR_1831_p0041_00_v1.0_1471632179809.fits.gz',
            ('JScanam', '2.5', 'red'),
        ),
        (
            'hpacs1342217404_20hpppmapb_00_1469423089198.fits.gz',
            ('high-pass', '2', None),
        ),
        (
            'hpacs_25HPPHPFMAPB_green_1757_p5129_00_v1.0_1470980845846.fits.gz',
            ('high-pass', '2.5', 'green'),
        ),
    ],
)
def test_names(name, expected):
    """Names that are seen in public repositories."""
    product = products.parse_product(name)
    assert (product.map_maker, product.level, product.band) == expected


@pytest.mark.parametrize(
    'name', ['hspireplw696_25pxmp_1823_m1335.fits.gz', 'hpacs_25HPPMADB.fits', 'x.txt']
)
def test_other_names(name):
    assert products.parse_product(name) is None
