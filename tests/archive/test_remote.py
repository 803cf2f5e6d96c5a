# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The same flows against the real services: ``pytest --remote-data tests/archive``.

Each has a time limit: a service that hangs must not hang the tests.
"""

import astropy.units as u
import numpy as np
import pytest
from astropy.config import paths

from photutils_pconv.archive import (
    NotInArchiveError,
    Patience,
    fetch_catalogue,
    fetch_map,
    find_observations,
)
from photutils_pconv.cli import main
from photutils_pconv.inputs import read_fits_map

pytest.importorskip('astroquery')

OBSID = '1342217404'  # gamma Dra, a small map of a standard star

pytestmark = [pytest.mark.remote_data, pytest.mark.timeout(600)]


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    """Return a cache that the tests share, so that a map is fetched once."""
    with paths.set_temp_cache(tmp_path_factory.mktemp('cache')):
        yield


@pytest.fixture
def patience():
    return Patience(timeout=120, attempts=2)


@pytest.mark.timeout(300)
def test_find(cache, patience):
    table = find_observations('269.1515 51.4889', mode='scanmap', patience=patience)
    assert OBSID in table['obsid']
    row = table[list(table['obsid']).index(OBSID)]
    assert 'gam' in row['target'].lower()
    assert 1 * u.arcmin < row['size'] < 1 * u.deg
    assert row['date'].isot.startswith('2011-03-29')
    assert row['bands'] is np.ma.masked or 'red' in row['bands']


@pytest.mark.timeout(300)
def test_a_name(cache, patience):
    table = find_observations('gamma Dra', radius=1 * u.arcmin, patience=patience)
    assert OBSID in table['obsid']


@pytest.mark.parametrize('source', ['esasky', 'hsa', 'auto'])
def test_fetch_map(cache, patience, source):
    fetched = fetch_map(
        OBSID, band='blue', level='2.5', source=source, patience=patience
    )
    assert fetched.mode == 'scanmap'
    ccd = read_fits_map(fetched)
    assert ccd.unit.is_equivalent(u.Jy / u.pix)


@pytest.mark.timeout(300)
def test_unknown_obsid(cache, patience):
    with pytest.raises(NotInArchiveError, match='There is no observation 1342999999'):
        fetch_map(1342999999, band='blue', patience=patience)


@pytest.mark.parametrize('catalogue', ['marton2024', 'hppsc'])
def test_fetch_catalogue(cache, patience, catalogue):
    fetched = fetch_map(OBSID, band='blue', level='2.5', patience=patience)
    table = fetch_catalogue(
        fetched, band='blue', catalogue=catalogue, patience=patience
    )
    ccd = read_fits_map(fetched)
    x, y = ccd.wcs.world_to_pixel(table['sky_center'])
    assert np.all((x > -0.5) & (y > -0.5))
    assert np.all((x < ccd.shape[1]) & (y < ccd.shape[0]))


def test_remove(cache, tmp_path):
    words = ['remove', '--obsid', OBSID, '--band', 'blue', '-o', str(tmp_path / 'out')]
    assert main([*words, '--catalogue', 'hppsc']) == 0
    assert (tmp_path / 'out' / 'provenance.json').exists()
