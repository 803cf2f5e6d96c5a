# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fluxes on maps of other pixels than the native ones, against the truth."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.psf.library import get_psf
from photutils_pconv.removal.pipeline import run_removal
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.setups.registry import get_setup, list_setups


@pytest.fixture(scope='module')
def measure(make_scene, flat_model, flat_psf_model):
    """Return a function that measures sources of flux 1 on a map."""

    def run(name, factor, *, two_passes=False, psf=None, level=0.0):
        setup = get_setup(setup=name)
        x, y = (v.ravel() for v in np.meshgrid([50.0, 100.0], [50.0, 100.0]))
        # Each elsewhere within its pixel.
        x = (x + 0.5) / factor - 0.5 + np.array([0.0, 0.5, 0.25, -0.3])
        y = (y + 0.5) / factor - 0.5 + np.array([0.0, 0.5, -0.2, 0.1])
        scene = make_scene(
            x,
            y,
            1.0,
            setup=setup,
            psf=get_psf(name),
            pixel_scale=setup.pixel_scale.value * factor,
            shape=(int(150 / factor),) * 2,
            noise=1e-5 * factor**2,
        )
        settings = RemovalSettings.from_arguments(
            setup=setup,
            model=flat_psf_model if two_passes else flat_model,
            method='psf' if two_passes else 'inpaint',
            psf=psf,
            error_method='local',
        )
        given = parse_map(scene.data + level, wcs=scene.wcs)
        return run_removal(settings, given, parse_sources(scene.xy)).photometry

    return run


FACTORS = [
    ('scanmap/green', 0.6),
    ('scanmap/red', 2.4),
    ('parallel/blue', 1.5),
    ('parallel/blue', 1.85),
]


@pytest.mark.parametrize(('name', 'factor'), FACTORS)
def test_two_passes(measure, name, factor):
    table = measure(name, factor, two_passes=True, psf='setup')
    assert_allclose(np.mean(table['flux']), 1.0, atol=0.011)
    assert_allclose(table['flux'], 1.0, atol=0.02)
    assert_allclose(np.mean(table['flux_aperture']), 1.0, atol=0.01)


@pytest.mark.parametrize(('name', 'factor'), FACTORS)
def test_without_psf(measure, name, factor):
    """The encircled energies are those of native pixels."""
    native = np.mean(measure(name, 1.0)['flux_aperture'])
    table = measure(name, factor)
    # Within a percent of the table's own difference from the PSF.
    assert_allclose(np.mean(table['flux_aperture']), native, rtol=0.01)
    assert_allclose(table['flux_aperture'], native, rtol=0.02)
    assert_allclose(np.mean(table['flux_annulus']), native, rtol=0.03)


def test_level_does_not_matter(measure):
    """Pixels beyond the map and missing ones count as its level, not as 0."""
    plain, raised = (
        measure('parallel/blue', 1.5, two_passes=True, psf='setup', level=level)
        for level in (0.0, 1e3)
    )
    for name in ('flux', 'flux_aperture'):
        assert_allclose(raised[name], plain[name], rtol=1e-6)


@pytest.mark.parametrize('name', list_setups(instrument='PACS'))
def test_beams_of_too_few_pixels_are_refused(measure, name):
    setup = get_setup(setup=name)
    fwhm = setup.psf_fwhm.value / setup.pixel_scale.value
    largest = min(2.5, fwhm / 1.4)
    with pytest.raises(ValueError, match=f'accepted are 0.4 to {largest:.3g} times'):
        measure(name, 1.01 * largest)
