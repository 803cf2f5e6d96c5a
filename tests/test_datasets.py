# Licensed under a 3-clause BSD style license - see LICENSE.rst
import importlib.util
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.testing import assert_allclose, assert_array_equal
from photutils.aperture import CircularAperture, aperture_photometry

from photutils_pconv.datasets import (
    demo_aperture_corrections,
    demo_path,
    load_demo,
    load_demo_emission,
)
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.setups.registry import get_setup

SCRIPT = Path(__file__).parents[1] / 'tools' / 'make_demo_map.py'
GREEN = get_setup('scanmap', 'green')


@pytest.fixture(scope='module')
def demo():
    return load_demo()


@pytest.fixture(scope='module')
def separations(demo):
    """Distance of each source to its nearest neighbour, in pixels."""
    _, truth = demo
    distance = np.hypot(
        *(truth[name][:, None] - truth[name][None, :] for name in ('x', 'y'))
    )
    np.fill_diagonal(distance, np.inf)
    return distance.min(axis=1)


def test_files_are_small():
    folder = demo_path().parent
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000


def test_map(demo):
    ccd, _ = demo
    assert isinstance(ccd, CCDData)
    assert ccd.unit == u.Jy / u.pix
    assert ccd.shape == (320, 320)
    assert ccd.data.dtype == np.float32
    assert ccd.data.dtype.isnative
    scales = proj_plane_pixel_scales(ccd.wcs) * u.deg
    assert_allclose(scales.to_value('arcsec'), 1.6)
    assert ccd.wcs.wcs.ctype[0] == 'RA---TAN'


def test_mask_is_where_coverage_is_0(demo):
    ccd, _ = demo
    with fits.open(demo_path()) as hdus:
        coverage = hdus['coverage'].data
        assert np.all(hdus['image'].data[coverage == 0] == 0)
    assert_array_equal(ccd.mask, coverage == 0)
    assert 0.01 < ccd.mask.mean() < 0.1


def test_path_is_read_as_the_map_is(demo):
    ccd, truth = demo
    from_path, given = parse_map(demo_path()), parse_map(ccd)
    assert_array_equal(from_path.data, given.data)
    assert from_path.jy_per_pixel == 1
    sources = parse_sources(truth, wcs=from_path.wcs)
    assert_allclose(sources.x, truth['x'], atol=1e-4)
    assert_allclose(sources.y, truth['y'], atol=1e-4)


def test_truth(demo, separations):
    ccd, truth = demo
    assert isinstance(truth, QTable)
    assert truth.colnames == ['ra', 'dec', 'flux', 'x', 'y']
    assert truth['ra'].unit == truth['dec'].unit == u.deg
    assert truth['flux'].unit == u.mJy
    assert len(truth) == 40
    assert_allclose([truth['flux'].value.min(), truth['flux'].value.max()], [40, 20000])
    # Pairs, and sources by themselves.
    assert 8 <= np.count_nonzero(separations < 15) <= 16
    column, row = (np.round(truth[name]).astype(int) for name in 'xy')
    assert not ccd.mask[row, column].any()


def test_snr_span_the_range_of_table_3(demo):
    ccd, truth = demo
    data = np.where(ccd.mask, np.nan, ccd.data)
    ratio = snr(data, truth['x'], truth['y'], setup=GREEN)
    assert ratio.min() > 2.5
    assert set(GREEN.hole_radius(ratio)) == set(GREEN.hole_radii)


def test_map_is_emission_sources_and_noise(demo):
    ccd, truth = demo
    emission = load_demo_emission()
    assert emission.unit == ccd.unit
    assert emission.mask is None
    assert emission.data.dtype == np.float32
    assert emission.wcs.wcs.compare(ccd.wcs.wcs)
    assert 1e-3 < emission.data.std() < 1e-2

    y, x = np.indices(ccd.shape)
    near = np.hypot(x[..., None] - truth['x'], y[..., None] - truth['y']).min(axis=-1)
    inside = (np.minimum(x, y) > 40) & (np.maximum(x, y) < 280) & (near > 30)
    rest = (ccd.data - emission.data)[inside & ~ccd.mask]
    # What remains are noise of 2e-4 and the sources' wings.
    spread = 1.4826 * np.median(np.abs(rest - np.median(rest)))
    assert 1.8e-4 < spread < 3e-4


def test_aperture_corrections_recover_the_injected_fluxes(demo, separations):
    ccd, truth = demo
    sources = ccd.data.astype(float) - load_demo_emission().data
    table = demo_aperture_corrections()
    alone = (separations > 28) & (truth['flux'] > 500 * u.mJy)
    assert alone.sum() >= 8
    rows = truth[alone]
    for radius in (7.0, 12.0):
        aperture = CircularAperture(np.stack([rows['x'], rows['y']], 1), radius / 1.6)
        flux = aperture_photometry(sources, aperture)['aperture_sum']
        flux = np.asarray(flux) / GREEN.eef(radius, table=table) * 1000
        ratio = flux / rows['flux'].value
        # Wings of bright sources lie on some of the others.
        assert np.mean(np.abs(ratio - 1) < 0.02) > 0.8
        assert_allclose(np.median(ratio), 1, atol=0.005)


def test_aperture_corrections_are_near_the_setups_table():
    radii, eef = demo_aperture_corrections()
    assert radii.shape == eef.shape
    assert np.all(np.diff(eef) > 0)
    assert eef[-1] < 1
    own_radii, own = GREEN.encircled_energy['real']
    difference = GREEN.eef(own_radii, table=(radii, eef)) - own
    assert np.max(np.abs(difference)) < 0.01
    assert np.max(np.abs(difference)) > 1e-4
    # Every hole and aperture of the setup lies within the table.
    assert radii[0] < 1.6 * min(GREEN.hole_radii)
    assert radii[-1] > 1.6 * max(GREEN.hole_radii)


def test_each_call_loads_afresh():
    ccd, truth = load_demo()
    ccd.data[:] = 0
    truth['flux'][:] = 0 * u.mJy
    again, truth = load_demo()
    assert again.data.max() > 0
    assert truth['flux'].min() > 0


def test_script_makes_the_bundled_files(tmp_path):
    if not SCRIPT.is_file():
        pytest.skip('needs tools/make_demo_map.py, which only a checkout has')
    spec = importlib.util.spec_from_file_location('make_demo_map', SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.write_demo(tmp_path)
    with (
        fits.open(tmp_path / 'demo.fits.gz') as made,
        fits.open(demo_path()) as bundled,
    ):
        assert [hdu.name for hdu in made] == [hdu.name for hdu in bundled]
        for hdu, expected in zip(made[1:], bundled[1:], strict=True):
            # Another machine's transforms may round to the next step.
            assert_allclose(hdu.data, expected.data, rtol=1e-6, atol=3e-6)
    made = QTable.read(tmp_path / 'demo_sources.ecsv')
    bundled = QTable.read(demo_path().with_name('demo_sources.ecsv'))
    for name in bundled.colnames:
        assert_allclose(made[name], bundled[name], rtol=1e-9)
