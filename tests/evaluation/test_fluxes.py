# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of test fields and of the ratios of measured to injected flux."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from astropy.nddata import CCDData
from astropy.table import Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.fluxes import (
    APERTURE_RADII,
    evaluate_fluxes,
    measure_ratios,
)
from photutils_pconv.evaluation.removers import (
    INPAINT,
    list_removers,
)
from photutils_pconv.evaluation.summaries import (
    ratio_columns,
)
from photutils_pconv.setups.registry import get_setup

GREEN = get_setup('scanmap', 'green')


@pytest.fixture(scope='module')
def measured(make_scene, flat_model):
    scene = make_scene([70.3, 50.8], [55.1, 90.7], [1.0, 0.5], sky=2e-3, noise=1e-6)
    ccd = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
    sources = Table({'x': scene.x, 'y': scene.y, 'flux': [1000.0, 500.0]})
    return measure_ratios(
        ccd,
        sources,
        setup='scanmap/green',
        psf=scene.psf,
        removers=(dataclasses.replace(INPAINT, model=flat_model),),
        methods=['local_background'],
    )


class TestMeasureRatios:
    def test_flat_sky(self, measured):
        """Nothing but the sources' own wings is left to disturb."""
        table, results = measured
        assert_array_equal(table['flux'], [1000.0, 500.0])
        for radius in APERTURE_RADII:
            assert_allclose(table[f'ratio_inpaint_{radius:g}'], 1.0, atol=0.02)
        for radius in (4, 7):
            assert_allclose(table[f'ratio_annulus_{radius}'], 1.0, atol=0.01)
        assert_allclose(table['ratio_local_background'], 1.0, atol=0.03)
        assert list(results) == ['inpaint']
        assert len(results['inpaint'].photometry) == 2
        assert table.meta['aperture'] == 7.0

    def test_columns(self, measured):
        columns = ratio_columns(measured[0], aperture=7)
        assert columns['ratio_inpaint_7'] == ('inpaint', 7.0)
        assert columns['ratio_annulus_7'] == ('annulus', 7.0)
        assert columns['ratio_local_background'][0] == 'local_background'
        assert len(columns) == 3
        assert len(ratio_columns(measured[0])) == 2 * len(APERTURE_RADII) + 1

    def test_bad_input(self, scene):
        sources = Table({'x': scene.x, 'y': scene.y, 'flux': scene.flux})
        options = {'setup': 'scanmap/green', 'methods': ()}
        with pytest.raises(ValueError, match='the map has no unit'):
            measure_ratios(scene.data, sources, **options)
        with pytest.raises(ValueError, match="must have the column 'flux'"):
            measure_ratios(scene.data, sources['x', 'y'], **options)


def test_the_psf_finds_the_flux(fields):
    """Of bright sources, whatever the network makes of the emission."""
    ccd, sources = fields[0].simulate(3000.0, n_sources=3)
    table, results = measure_ratios(
        ccd, sources, setup=GREEN, removers=list_removers(), methods=()
    )
    assert list(results) == ['psf', 'inpaint']
    assert_allclose(table['ratio_psf'], 1.0, atol=0.02)
    assert_allclose(table['ratio_psf_aperture_7'], 1.0, atol=0.02)
    assert ratio_columns(table)['ratio_psf'][0] == 'psf'
    assert 'ratio_inpaint' not in table.colnames


def test_evaluate_fluxes(fields, flat_model):
    lines = []
    table = evaluate_fluxes(
        fields[:2],
        levels=(600, 2000),
        n_sources=2,
        removers=(dataclasses.replace(INPAINT, model=flat_model),),
        methods=(),
        report=lines.append,
    )
    assert len(table) == 8
    assert set(table['flux']) == {600.0, 2000.0}
    assert set(table['rank']) == {1, 2}
    assert lines == [f'{field.name}: 4 sources' for field in fields[:2]]
    with ThreadPoolExecutor(2) as executor:
        again = evaluate_fluxes(
            fields[:2],
            levels=(600, 2000),
            n_sources=2,
            removers=(dataclasses.replace(INPAINT, model=flat_model),),
            methods=(),
            executor=executor,
        )
    for name in table.colnames:
        assert_array_equal(again[name], table[name])
    with pytest.raises(TypeError, match='executor must have a method submit'):
        evaluate_fluxes(fields[:1], executor=2)
    with pytest.raises(ValueError, match='no field has a flux level'):
        evaluate_fluxes(fields[:1], levels=(1e6,))
