# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A server on the loopback address that speaks what the archives speak.

It answers TAP (of the Herschel Science Archive and of ESASky), VizieR, and
downloads, as they do, and can be told to fail. astroquery is pointed at it, so
that its own code runs.
"""

import gzip
import http.server
import io
import re
import tarfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import astropy.units as u
import numpy as np
import pytest
from astropy.config import paths
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import tree
from astropy.table import Table
from astropy.wcs import WCS

pytest.importorskip('astroquery')

OBSID = '1342217404'
PRODUCT = 'hpacs_25HPPJSMAPB_blue_1757_p5129_00_v1.0_1470980842635.fits.gz'
CENTRE = SkyCoord(269.15154, 51.48889, unit='deg')

COLUMNS = {
    'hsa.v_active_observation': (
        *('aor', 'bii', 'dec', 'duration', 'end_time', 'fov', 'image_2_5_location'),
        *('instrument_oid', 'is_public', 'observation_id', 'observing_mode_oid'),
        *('polygon_fov', 'prop_end', 'ra', 'start_time', 'status', 'target_name'),
    ),
    'hsa.instrument': ('instrument_oid', 'instrument_name'),
    'hsa.observing_mode': ('observing_mode_oid', 'observing_mode_name'),
}
ESASKY_TABLE = 'observations.herschel_photo'
# name, ucd, utype
ESASKY_COLUMNS = (
    ('observation_id', 'meta.id;meta.main', 'obscore:DataID.observationID'),
    ('instrument', 'meta.id;instr', ''),
    ('filter', 'instr.bandpass', ''),
    ('product_url', 'meta.ref.url', ''),
    ('ra_deg', 'pos.eq.ra;meta.main', ''),
    ('dec_deg', 'pos.eq.dec;meta.main', ''),
)


def square(centre, side):
    """Return a footprint as the archive writes it, in radian."""
    half = side / 2
    lon = centre.ra.rad + np.array([-1, 1, 1, -1]) * half.to_value('rad') / np.cos(
        centre.dec.rad
    )
    lat = centre.dec.rad + np.array([-1, -1, 1, 1]) * half.to_value('rad')
    pairs = ','.join(f'({x:.9f} , {y:.9f})' for x, y in zip(lon, lat, strict=True))
    return f'{{{pairs}}}'


def make_observation(obsid=OBSID, *, centre=CENTRE, side=20 * u.arcmin, **columns):
    """Return a row of the archive's table, joined with the others."""
    row = dict.fromkeys(COLUMNS['hsa.v_active_observation'], '')
    row |= {
        'observation_id': obsid,
        'target_name': 'gamma Dra',
        'ra': centre.ra.deg,
        'dec': centre.dec.deg,
        'polygon_fov': square(centre, side),
        'start_time': '2011-03-29 18:14:25.599',
        'is_public': 'true',
        'status': '',
        'image_2_5_location': '/some/where.jpg',
        'instrument_name': 'PACS',
        'observing_mode_name': 'PacsPhoto',
    }
    return row | columns


def make_wcs(shape, *, scale=1.6, centre=CENTRE):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = centre.ra.deg, centre.dec.deg
    wcs.wcs.crpix = (shape[1] + 1) / 2, (shape[0] + 1) / 2
    wcs.wcs.cdelt = -scale / 3600, scale / 3600
    wcs.wcs.radesys = 'ICRS'
    return wcs


def make_map(*, shape=(90, 100), wavelength=70, unit='Jy/pixel', data=None, **cards):
    """Return the bytes of a compressed map with the archive's extensions."""
    rng = np.random.default_rng(20110329)
    if data is None:
        data = 1e-4 * rng.standard_normal(shape)
        data[:, :5] = 0
    header = make_wcs(data.shape).to_header()
    if unit is not None:
        header['BUNIT'] = unit
    primary = fits.PrimaryHDU()
    primary.header['INSTRUME'] = 'PACS'
    primary.header['WAVELNTH'] = wavelength
    primary.header['CUSMODE'] = 'PacsPhoto'
    primary.header['OBJECT'] = 'gamma Dra'
    primary.header.update(cards)
    hdus = fits.HDUList(
        [
            primary,
            fits.ImageHDU(data, header, name='image'),
            fits.ImageHDU((data != 0) * 7.0, name='coverage'),
        ]
    )
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    return gzip.compress(buffer.getvalue(), mtime=0)


def make_tar(files, *, special=()):
    """Return the bytes of a tar file; ``special`` are further members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in special:
            tar.addfile(member)
    return buffer.getvalue()


def product_path(name=PRODUCT, *, obsid=OBSID):
    return f'{obsid}/level2_5/HPPJSMAPB/{name}'


def to_votable(table):
    buffer = io.BytesIO()
    table.write(buffer, format='votable')
    return buffer.getvalue()


class Fault:
    """
    What goes wrong with one answer.

    Parameters
    ----------
    status, body : int and bytes, optional
        An answer of its own.

    after : int, optional
        How many bytes to send before the connection breaks.

    sleep : float, optional
        How long to do nothing (s), before anything is sent, or after ``after``.

    location : str, optional
        Where to redirect to.
    """

    def __init__(
        self,
        status=None,
        body=b'',
        *,
        after=None,
        sleep=0.0,
        kind='text/html',
        location=None,
    ):
        self.status, self.body, self.kind = status, body, kind
        self.after, self.sleep, self.location = after, sleep, location


class ArchiveServer(http.server.ThreadingHTTPServer):
    """The archives, and what they were asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), _Handler)
        self.url = f'http://127.0.0.1:{self.server_port}'
        self.columns = dict(COLUMNS)
        self.observations = [make_observation()]
        self.most_rows = None
        self.archives = {}
        self.esasky = []
        self.catalogues = {}
        self.faults = {'tap': [], 'data': [], 'esasky': [], 'vizier': []}
        self.has_ranges = True
        self.has_length = True
        self.has_etag = True
        self.extra_length = 0
        self.queries = []
        self.requests = []
        self.vizier_bodies = []

    def handle_error(self, request, client_address):
        """Clients that go away are no error here."""

    def data_requests(self):
        return [one for one in self.requests if one.path.startswith('/hsa/data')]

    def select(self, adql):
        """Answer a query of the archive's table, as far as it is understood."""
        found = re.search(r'SELECT TOP (\d+) (.*?) FROM (.*?) WHERE (.*)', adql, re.S)
        top, what, source, condition = found.groups()
        if 'tap_schema.columns' in source:
            table = re.search(r"table_name = '(.*?)'", condition)[1]
            names = self.columns.get(table, ())
            return Table({'column_name': np.array(names, dtype='U40')})
        rows = [row for row in self.observations if _is_selected(row, condition)]
        if 'COUNT(*)' in what:
            return Table({'how_many': [len(rows)]})
        rows = rows[: int(top)][: self.most_rows]
        pairs = re.findall(r'\w+\.(\w+) AS (\w+)', what)
        return Table(
            {
                alias: np.array(
                    [row[name] for row in rows], dtype=None if rows else str
                )
                for name, alias in pairs
            }
        )

    def select_esasky(self, adql):
        if 'descriptors' in adql:
            return Table(
                {
                    'mission': ['HERSCHEL'],
                    'category': ['observations'],
                    'table_name': [ESASKY_TABLE],
                    'intersect_polygon_query': [1],
                    'ra': ['ra_deg'],
                    'dec': ['dec_deg'],
                }
            )
        if 'tap_schema.columns' in adql:
            names, ucds, utypes = zip(*ESASKY_COLUMNS, strict=True)
            return Table({'column_name': names, 'ucd': ucds, 'utype': utypes})
        ids = re.findall(r'\d{10}', adql)
        is_region = 'INTERSECTS' in adql
        rows = [r for r in self.esasky if is_region or r['observation_id'] in ids]
        names = [name for name, *_ in ESASKY_COLUMNS]
        if rows:
            names = list(rows[0])
        return Table({n: np.array([row[n] for row in rows], 'U200') for n in names})


def _is_selected(row, condition):
    """Whether a row fulfils the conditions that the package uses."""
    found = re.search(r"o\.observation_id = '(\d+)'", condition)
    if found and row['observation_id'] != found[1]:
        return False
    found = re.search(r"instrument_name = '(\w+)'", condition)
    if found and row['instrument_name'] != found[1]:
        return False
    if "status <> 'FAILED'" in condition and row['status'] == 'FAILED':
        return False
    number = r'([-\d.]+)'
    found = re.search(
        rf"POINT\('ICRS', {number}, {number}\), o\.polygon_fov", condition
    )
    radius = 0.0
    if not found:
        found = re.search(rf"CIRCLE\('ICRS', {number}, {number}, {number}\)", condition)
        if not found:
            return True
        radius = float(found[3])
    # The footprints here are squares along the axes.
    numbers = np.array(re.findall(r'[-\d.]+', row['polygon_fov']), dtype=float)
    lon, lat = np.degrees(numbers.reshape(-1, 2).T)
    ra, dec = float(found[1]), float(found[2])
    margin = radius / np.cos(np.radians(dec))
    return (
        lon.min() - margin <= ra <= lon.max() + margin
        and lat.min() - radius <= dec <= lat.max() + radius
    )


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self._answer(b'')

    def do_GET(self):
        self._answer(b'')

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers.get('Content-Length', 0))))

    def _answer(self, body):
        server = self.server
        server.requests.append(
            SimpleNamespace(method=self.command, path=self.path, headers=self.headers)
        )
        path = urlsplit(self.path).path
        kind, content, content_type = self._find(path, body)
        fault = server.faults[kind].pop(0) if server.faults[kind] else None
        if fault is not None and fault.after is None:
            time.sleep(fault.sleep)
            if fault.status is not None:
                self._send(fault.status, fault.body, fault.kind, fault.location)
                return
        if isinstance(content, int):
            self._send(content, b'<html><title>Error</title></html>', 'text/html')
        elif kind in ('data', 'esasky') and content_type == 'application/x-tar':
            self._send_file(content, fault)
        else:
            self._send(200, content, content_type)

    def _find(self, path, body):
        """Give the kind of the service, the content or a status, and its type."""
        server, votable = self.server, 'application/x-votable+xml'
        if path.endswith('/sync'):
            adql = parse_qs(body.decode())['QUERY'][0]
            server.queries.append(adql)
            is_esasky = path.startswith('/esasky')
            table = (server.select_esasky if is_esasky else server.select)(adql)
            return 'esasky' if is_esasky else 'tap', to_votable(table), votable
        if path.endswith('/tables'):
            return 'esasky', _describe_tables(), 'text/xml'
        if path.startswith('/viz-bin'):
            server.vizier_bodies.append(body.decode())
            return 'vizier', self._find_catalogue(body.decode()), votable
        query = parse_qs(urlsplit(self.path).query)
        if path.startswith('/hsa/data'):
            key = query['observation_id'][0], query['product_level'][0]
            return 'data', server.archives.get(key, 404), 'application/x-tar'
        return 'esasky', server.archives.get(path, 404), 'application/x-tar'

    def _find_catalogue(self, body):
        name = re.search(r'-source=(\S+)', body)[1]
        votable = tree.VOTableFile()
        resource = tree.Resource(name=name)
        votable.resources.append(resource)
        for key, table in self.server.catalogues.items():
            if key.startswith(name) and len(table):
                made = tree.TableElement.from_table(votable, table)
                made.name = key
                made.description = table.meta.get('description')
                resource.tables.append(made)
        buffer = io.BytesIO()
        votable.to_xml(buffer)
        return buffer.getvalue()

    def _send(self, status, content, content_type, location=None):
        self.send_response(status)
        if location is not None:
            self.send_header('Location', location)
        self.send_header('Content-Type', content_type)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(content)

    def _send_file(self, content, fault):
        server = self.server
        start, status = 0, 200
        found = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
        etag = f'"{len(content)}"'
        if found and server.has_ranges:
            if self.headers.get('If-Range', etag) == etag:
                start, status = int(found[1]), 206
            if start >= len(content):
                self.send_response(416)
                self.send_header('Content-Range', f'bytes */{len(content)}')
                self.send_header('Content-Length', '0')
                self.end_headers()
                return
        self.send_response(status)
        self.send_header('Content-Type', 'application/x-tar')
        self.send_header('Content-Disposition', f'attachment; filename="{OBSID}.tar"')
        if server.has_length:
            length = len(content) - start + server.extra_length
            self.send_header('Content-Length', str(length))
            if server.extra_length:
                self.close_connection = True
        else:
            self.send_header('Connection', 'close')
            self.close_connection = True
        if server.has_ranges:
            self.send_header('Accept-Ranges', 'bytes')
        if server.has_etag:
            self.send_header('ETag', etag)
        if status == 206:
            self.send_header(
                'Content-Range', f'bytes {start}-{len(content) - 1}/{len(content)}'
            )
        self.end_headers()
        if self.command == 'HEAD':
            return
        content = content[start:]
        if fault is None:
            self.wfile.write(content)
            return
        self.wfile.write(content[: fault.after])
        self.wfile.flush()
        time.sleep(fault.sleep)
        self.close_connection = True


def _describe_tables():
    columns = ''.join(
        f'<column esatapplus:flags="0"><name>{name}</name><dataType>VARCHAR</dataType>'
        f'<ucd>{ucd}</ucd></column>'
        for name, ucd, _ in ESASKY_COLUMNS
    )
    return (
        '<?xml version="1.0"?><vosi:tableset xmlns:vosi="v" xmlns:esatapplus="e">'
        f'<schema><name>observations</name><table><name>{ESASKY_TABLE}</name>{columns}'
        '</table></schema></vosi:tableset>'
    ).encode()


@pytest.fixture
def cache(tmp_path):
    """Return a folder that is astropy's cache for one test."""
    folder = tmp_path / 'cache'
    folder.mkdir()
    with paths.set_temp_cache(folder):
        yield Path(paths.get_cache_dir())


@pytest.fixture
def server(monkeypatch, cache):
    """Return the archives, at which astroquery is pointed."""
    from astroquery.esa import hsa
    from astroquery.esasky import conf as esasky_conf
    from astroquery.vizier import VizierClass

    one = ArchiveServer()
    thread = threading.Thread(
        target=one.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True
    )
    thread.start()
    monkeypatch.setattr(
        VizierClass, '_server_to_url', lambda self, **_: f'{one.url}/viz-bin/votable'
    )
    with (
        hsa.conf.set_temp('METADATA_ACTION', f'{one.url}/hsa/tap'),
        hsa.conf.set_temp('DATA_ACTION', f'{one.url}/hsa/data?'),
        esasky_conf.set_temp('urlBase', f'{one.url}/esasky-tap'),
    ):
        yield one
    one.shutdown()
    one.server_close()
    thread.join()


@pytest.fixture
def patience():
    """Return patience that costs a test no time."""
    from photutils_pconv.archive import Patience

    return Patience(timeout=5, attempts=2, pause=0.01)


@pytest.fixture(scope='session')
def noise():
    """Bytes that make a tar file longer."""
    rng = np.random.default_rng(2)
    return rng.integers(0, 256, 300_000, dtype=np.uint8).tobytes()


@pytest.fixture(scope='session')
def tar(make, noise):
    """Return a tar file as the archive makes them."""
    return make.tar(
        {
            f'{make.obsid}/level2_5/HPPUNIMAPB/hpacs_25HPPUNIMAPB_blue_1757_p5129_00_'
            'v1.0_1470980842000.fits.gz': make.map(MAPPER='unimap'),
            f'{make.obsid}/level2_5/history.txt': noise,
            make.path(): make.map(),
            make.path('hpacs_25HPPJSMAPR_1757_p5129_00_v1.0_1470980842635.fits.gz'): (
                make.map(wavelength=160)
            ),
        }
    )


@pytest.fixture
def fetch(server, make, patience, tar):
    """Return a function that fetches the observation's map."""
    from photutils_pconv.archive import fetch_map

    server.archives[make.obsid, 'LEVEL2_5'] = tar

    def call(obsid=OBSID, **options):
        return fetch_map(obsid, **{'band': 'blue', 'patience': patience, **options})

    return call


@pytest.fixture
def left_behind(cache):
    """Return a function that lists all files in the cache, but for locks."""

    def look():
        files = [path for path in cache.rglob('*') if path.is_file()]
        return sorted(path.name for path in files if path.name != '.lock')

    return look


@pytest.fixture(scope='session')
def make():
    """Return what makes observations, maps, and tar files."""
    return SimpleNamespace(
        observation=make_observation,
        map=make_map,
        tar=make_tar,
        path=product_path,
        wcs=make_wcs,
        fault=Fault,
        obsid=OBSID,
        product=PRODUCT,
        centre=CENTRE,
    )
