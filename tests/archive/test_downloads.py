# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of downloads, from a server that fails in all known ways."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple

import pytest

from photutils_pconv.archive import (
    ArchiveConnectionError,
    ArchiveError,
    ArchiveFormatError,
    Patience,
)
from photutils_pconv.archive import downloads as downloads_module


class TestDownload:
    def test_goes_on_where_it_broke_off(self, fetch, server, make, tar):
        server.faults['data'] = [None, make.fault(after=100_000)]
        fetch()
        first, second = server.data_requests()[1:]
        assert 'Range' not in first.headers
        have = int(second.headers['Range'].removeprefix('bytes=').removesuffix('-'))
        assert 0 < have <= 100_000
        assert second.headers['If-Range'] == f'"{len(tar)}"'

    def test_goes_on_at_the_next_call(self, fetch, server, make, left_behind, tar):
        server.faults['data'] = [None, make.fault(after=200_000)]
        once = Patience(timeout=5, attempts=1, pause=0.01)
        with pytest.raises(
            ArchiveConnectionError,
            match=r'broke the connection \(tried once\).* So far 0.2 MB of 1342217404 ',
        ):
            fetch(patience=once)
        assert left_behind() == [
            f'.{make.obsid}-level2_5.tar.part',
            f'.{make.obsid}-level2_5.tar.part.json',
        ]
        fetched = fetch(patience=once)
        assert 'Range' in server.data_requests()[-1].headers
        assert fetched.path.read_bytes() == make.map()
        assert left_behind() == [make.product, f'{make.product}.json']

    def test_a_connection_that_breaks_all_the_time(self, fetch, server, make):
        """Each attempt gets further, as at the archive after 20 minutes."""
        server.faults['data'] = [None] + [make.fault(after=70_000) for _ in range(4)]
        assert fetch().level == '2.5'
        assert len(server.data_requests()) == 6

    def test_no_ranges(self, fetch, server, make):
        server.has_ranges = False
        server.faults['data'] = [None, make.fault(after=100_000)]
        assert fetch().path.read_bytes() == make.map()

    @pytest.mark.parametrize('has_etag', [True, False])
    def test_another_file_meanwhile(self, fetch, server, make, tar, has_etag):
        server.has_etag = has_etag
        server.faults['data'] = [None, make.fault(after=100_000)]
        with pytest.raises(ArchiveConnectionError):
            fetch(patience=Patience(timeout=5, attempts=1, pause=0.01))
        server.archives[make.obsid, 'LEVEL2_5'] = make.tar(
            {make.path(): make.map(), 'more': tar}
        )
        assert fetch().path.read_bytes() == make.map()

    def test_neither_length_nor_etag(self, fetch, server, make):
        server.has_length = server.has_etag = server.has_ranges = False
        assert fetch().path.read_bytes() == make.map()

    def test_truncated_without_a_length(self, fetch, server, make, left_behind):
        """Only the tar file itself tells that it is not whole."""
        server.has_length = server.has_etag = server.has_ranges = False
        server.faults['data'] = [None, make.fault(after=100_000)]
        with pytest.raises(
            ArchiveFormatError, match=r'no tar file, or a truncated one .*Try again'
        ):
            fetch()
        assert left_behind() == []

    def test_silence(self, fetch, server, make):
        server.faults['data'] = [None, make.fault(after=1000, sleep=1.0)]
        with pytest.raises(ArchiveConnectionError, match='did not answer within 0.2 s'):
            fetch(patience=Patience(timeout=0.2, attempts=1, pause=0.01))

    def test_a_page(self, fetch, server, make, left_behind):
        page = b'<!DOCTYPE html>\n<html><title>The archive\n sleeps</title></html>'
        server.faults['data'] = [None, make.fault(200, page)]
        with pytest.raises(
            ArchiveFormatError,
            match=r'a web page instead of .*"The archive sleeps"',
        ):
            fetch()
        assert left_behind() == []

    def test_too_large(self, fetch, monkeypatch, left_behind, server):
        monkeypatch.setattr(downloads_module, 'LARGEST_DOWNLOAD', 10_000)
        with pytest.raises(ArchiveFormatError, match='which no PACS product has'):
            fetch()
        server.has_length = server.has_ranges = False
        with pytest.raises(ArchiveFormatError, match='which no PACS product is'):
            fetch()
        assert left_behind() == []

    def test_no_room(self, fetch, monkeypatch, left_behind):
        """Told before the download, since its length is known."""
        usage = namedtuple('usage', 'total used free')(10, 10, 0)
        monkeypatch.setattr(shutil, 'disk_usage', lambda folder: usage)
        with pytest.raises(
            ArchiveError, match=r'disk is full: .* has no room .* Nothing'
        ):
            fetch()
        assert left_behind() == []

    @pytest.mark.skipif(
        not os.path.exists('/dev/full'), reason='needs a device that is always full'
    )
    def test_full_meanwhile(self, fetch, server, monkeypatch, left_behind, make):
        monkeypatch.setattr(downloads_module, 'open', _open_full, raising=False)
        with pytest.raises(ArchiveError, match=r'The disk is full: .*XDG_CACHE_HOME'):
            fetch()
        assert left_behind() == []

    def test_killed(self, fetch, server, make, cache, tar):
        """A process is killed half-way, and the next one goes on."""
        server.faults['data'] = [make.fault(after=200_000, sleep=20)]
        code = (
            'import sys\n'
            'from photutils_pconv.archive.downloads import DownloadJob, download\n'
            'from photutils_pconv.archive import Patience\n'
            'from pathlib import Path\n'
            'job = DownloadJob(sys.argv[1], "x", "y", Patience(), False)\n'
            'download(job, Path(sys.argv[2]))\n'
        )
        folder = cache / 'photutils_pconv' / make.obsid
        folder.mkdir(parents=True)
        url = (
            f'{server.url}/hsa/data?&retrieval_type=OBSERVATION&observation_id='
            f'{make.obsid}&instrument_name=PACS&product_level=LEVEL2_5'
        )
        target = folder / f'{make.obsid}-level2_5.tar'
        process = subprocess.Popen([sys.executable, '-c', code, url, target])
        part = folder / f'.{make.obsid}-level2_5.tar.part'
        while not (part.exists() and part.stat().st_size > 100_000):
            assert process.poll() is None
        process.kill()
        process.wait()
        assert not target.exists()
        have = part.stat().st_size
        assert fetch(level='2.5').path.read_bytes() == make.map()
        assert server.data_requests()[-1].headers['Range'] == f'bytes={have}-'

    def test_progress_bar(self, fetch, capsys, tar):
        fetch(progress_bar=True)
        err = capsys.readouterr().err
        assert '1342217404 (level2_5): 100%' in err
        assert f'{len(tar) / 1000:.0f}k/{len(tar) / 1000:.0f}k' in err


def _open_full(path, mode='r', **options):
    return open('/dev/full' if mode == 'ab' else path, mode, **options)
