# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the benchmark of what limits the fluxes."""

import numpy as np
import pytest
from astropy.table import Table


def test_report(load):
    """Independent errors of equal size are best halved by their mean."""
    benchmark = load('flux_limits')
    n = 4000
    rng = np.random.default_rng(3)
    table = Table({'snr': np.full(n, 20.0), 'flux_err': np.full(n, 2.0)})
    table['filters'] = rng.normal(0.0, 1.0, n)
    table['network'] = rng.normal(0.0, 1.0, n)
    table['known emission'] = 0.25 * table['filters']
    # An outlier in each is clipped.
    for name in ('filters', 'network', 'known emission'):
        table[name][0] = 1e3
    lines = [
        line.strip('| ').split(' | ')
        for line in benchmark.make_report(table).splitlines()
    ]
    found = {line[0]: line[1] for line in lines[2:]}
    assert found['sources'] == str(n)
    assert float(found['filters, in units of their errors']) == pytest.approx(
        0.5, rel=0.03
    )
    assert float(found['best mean of both / filters']) == pytest.approx(
        0.5**0.5, rel=0.03
    )
    assert found['weight of the network in it'] == '0.5'
    assert abs(float(found['correlation of the errors of both'])) < 0.1
    assert float(found['emission known / filters']) == pytest.approx(0.25, rel=1e-3)


def test_flux_of_white_noise(load):
    """The filter gives a source's flux, whatever the level of the map."""
    from photutils_pconv.psf import PixelPSF, get_psf
    from photutils_pconv.removal import PSFFluxes
    from photutils_pconv.setups import get_setup

    benchmark = load('flux_limits')
    setup = get_setup(setup='scanmap/green')
    psf = PixelPSF(get_psf(setup), setup.pixel_scale.to_value('arcsec'))
    y, x = np.indices((64, 64), dtype=float)
    image = 5.0 + 3.0 * psf.evaluate(x - 31.3, y - 30.6)
    nan = np.full(1, np.nan)
    fluxes = PSFFluxes(
        flux=nan,
        flux_err=nan,
        qfit=nan,
        cfit=nan,
        x=np.array([31.3]),
        y=np.array([30.6]),
    )
    (flux,) = benchmark._sum_with_psf(image, fluxes, psf, setup)
    assert flux == pytest.approx(3.0, rel=1e-3)
