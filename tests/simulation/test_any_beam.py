# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What simulations leave open goes with the beam."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.wcs import WCS
from numpy.testing import assert_allclose
from scipy.spatial.distance import pdist

from photutils_pconv import ObservingSetup, get_setup
from photutils_pconv.evaluation import make_evaluation_fields
from photutils_pconv.evaluation.encircled_energy import measure_encircled_energy
from photutils_pconv.setups.beam_rules import size_ratio
from photutils_pconv.simulation import confusion_field, flux_levels, simulate_sources

SCALES = (0.013, 103.0)


def make_setup(scale):
    return ObservingSetup.from_psf(
        2.7 * scale * u.arcsec, pixel_scale=scale, name=f'sky/{scale}'
    )


def make_ccd(scale, side=150):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ['RA---TAN', 'DEC--TAN'], [83.8, -5.4]
    wcs.wcs.crpix, wcs.wcs.cdelt = [side / 2] * 2, [-scale / 3600, scale / 3600]
    return CCDData(np.zeros((side, side)), unit='Jy/pix', wcs=wcs)


@pytest.mark.parametrize('fwhm', [5.4, 9.0, 13.5])
def test_pacs_is_as_it_was(fwhm):
    assert size_ratio(fwhm) == 1


def test_ratio_is_steady():
    fwhm = np.geomspace(1e-3, 1e4, 500)
    ratio = np.array([size_ratio(one) for one in fwhm])
    assert np.all(np.diff(ratio) >= 0)
    assert_allclose(ratio[-1] / ratio[-2], fwhm[-1] / fwhm[-2])
    assert_allclose(ratio[1] / ratio[0], fwhm[1] / fwhm[0])


@pytest.mark.parametrize('scale', SCALES)
def test_sources_keep_their_distance_in_beams(scale):
    rng = np.random.default_rng(1)
    setup = make_setup(scale)
    ccd, sources = simulate_sources(make_ccd(scale), setup, 100.0, rng=rng)
    x, y = ccd.wcs.world_to_pixel_values(sources['ra'], sources['dec'])
    beams = pdist(np.transpose([x, y])) / 2.7
    # 30 arcsec are 2 to 6 of the beams of PACS
    assert 2 < beams.min() < 12
    assert_allclose(ccd.data.sum(), 0.1 * len(sources), rtol=0.01)
    assert 5 < len(sources) < 500


@pytest.mark.parametrize('scale', SCALES)
def test_fields_of_any_beam(scale):
    setup = make_setup(scale)
    (field,) = make_evaluation_fields(setup, n_fields=1, shape=(160, 160))
    low, high = field.flux_range
    assert 10 <= low < high <= 40000
    ccd, sources = field.simulate(low, n_sources=4)
    assert len(sources) >= 1
    assert np.isfinite(ccd.data).any()
    radii, eef = measure_encircled_energy(setup, setup.pixel_scale)
    middle = np.interp(1.35 * scale, radii, eef)
    # pixels widen the PSF, so that less than half of it is within its half width
    assert 0.35 < middle < 0.5


@pytest.mark.parametrize('scale', SCALES)
def test_confusion_of_any_beam(scale):
    rng = np.random.default_rng(2)
    density = 20 / (100 * scale / 60) ** 2
    field = confusion_field(
        (60, 60),
        psf=make_setup(scale).psf,
        pixel_scale=scale,
        density=density,
        flux_max=1.0,
        rng=rng,
    )
    assert field.std() > 0


def test_levels_go_on_beyond_the_table():
    assert_allclose(flux_levels(0.1, 0.9).value, [0.1, 0.2, 0.4, 0.6, 0.8])
    assert_allclose(flux_levels(1e5, 5e5).value, [1e5, 2e5, 4e5])
    # the table itself is what it was
    assert len(flux_levels()) == 51
    assert len(flux_levels(1, 1e6)) == 51 + 5 + 5 + 1


def test_pacs_separation_is_30_arcsec():
    rng = np.random.default_rng(3)
    setup = get_setup('scanmap', 'green')
    ccd, sources = simulate_sources(make_ccd(1.6), setup, 100.0, rng=rng, n_sources=15)
    x, y = ccd.wcs.world_to_pixel_values(sources['ra'], sources['dec'])
    least = pdist(np.transpose([x, y])).min() * 1.6
    assert 30 <= least < 40
