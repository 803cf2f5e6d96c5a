# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests that many threads leave the filters of warnings as they are."""

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable
from photutils.segmentation import SourceFinder

from photutils_pconv import NeuralSourceRemover, PConvBackground, PConvLocalBackground
from photutils_pconv.inputs import parse_map, parse_sources

GREEN = {'mode': 'scanmap', 'band': 'green'}
SHAPE = (90, 100)
POSITIONS = np.array([[40.3, 45.1], [70.8, 60.2]])


@pytest.fixture
def ccd(map_wcs):
    """Return a map of white noise with two sources."""
    data = np.random.default_rng(8).normal(1.0, 0.05, SHAPE)
    yy, xx = np.indices(SHAPE)
    for x, y in POSITIONS:
        data += 3 * np.exp(-0.5 * ((xx - x) ** 2 + (yy - y) ** 2) / 1.8**2)
    return CCDData(data, unit='Jy/pix', wcs=map_wcs)


@pytest.fixture
def fast_switches():
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def make_tasks(ccd, folder, model):
    """Return what is done by the threads, of several kinds."""
    sky = ccd.wcs.pixel_to_world(*POSITIONS.T)
    table = QTable({'ra': sky.ra, 'dec': sky.dec})
    for name, kind in (
        ('s.xml', 'votable'),
        ('s.ecsv', 'ascii.ecsv'),
        ('s.fits', 'fits'),
    ):
        table.write(folder / name, format=kind)
    ccd.write(folder / 'map.fits')
    local_background = PConvLocalBackground(**GREEN, model=model)
    remover = NeuralSourceRemover(
        **GREEN, model=model, recenter=True, error_method='card'
    )

    def read(k):
        parsed = parse_map(folder / 'map.fits')
        parsed.like_input(parsed.data)
        for name in ('s.xml', 's.ecsv', 's.fits'):
            parse_sources(folder / name, wcs=parsed.wcs)

    def find(k):
        finder = SourceFinder(5, progress_bar=False) if k % 2 else None
        PConvBackground(ccd, finder=finder, **GREEN, model=model).background_rms  # noqa: B018

    def measure(k):
        local_background(ccd.data, *POSITIONS.T)

    def remove(k):
        remover(ccd, table).write(folder / str(k))

    return read, find, measure, remove


# what threads show in other code is no concern of these tests
@pytest.mark.filterwarnings('ignore')
def test_filters(ccd, tmp_path, flat_model, fast_switches):
    tasks = make_tasks(ccd, tmp_path, flat_model)
    before, show = list(warnings.filters), warnings.showwarning
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(tasks[k % 4], k) for k in range(24)]
        for one in done:
            one.result()
    assert list(warnings.filters) == before
    assert warnings.showwarning is show


def test_warnings_are_not_lost(fast_switches, map_wcs):
    """Each thread's warnings are shown while others silence those of libraries."""
    values = np.ones(SHAPE) + np.eye(*SHAPE)
    values[:30] = values[-30:] = 0.0
    values[:, :20] = values[:, -20:] = 0.0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: parse_map(values, wcs=map_wcs), range(32)))
    assert sum('are exactly 0' in str(one.message) for one in caught) == 32
