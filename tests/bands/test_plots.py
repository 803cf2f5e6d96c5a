# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the plots of several bands."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_allclose

from photutils_pconv import ObservingSetup, get_setup
from photutils_pconv.bands.results import BandsResult

matplotlib = pytest.importorskip('matplotlib')

BANDS = {'red': (3.0, 0.3, np.nan), 'blue': (1.0, 0.1, np.nan), 'green': (0, 1, 2.5)}


@pytest.fixture
def result():
    """Two sources in three bands, the second with an upper limit in one."""
    table = QTable({'id': [1, 2]})
    for band, (flux, error, limit) in BANDS.items():
        table[f'flux_{band}'] = [2.0, flux] * u.Jy
        table[f'flux_err_{band}'] = [0.1, error] * u.Jy
        table[f'flux_upper_limit_{band}'] = [np.nan, limit] * u.Jy
    setups = {band: get_setup('scanmap', band) for band in BANDS}
    return BandsResult(photometry=table, results={}, setups=setups, psfs={})


@pytest.fixture(autouse=True)
def no_screen():
    matplotlib.use('Agg')
    yield
    from matplotlib import pyplot

    pyplot.close('all')


def test_sed(result):
    ax = result.plot_sed(2)
    points, limits = ax.lines[0], ax.lines[-1]
    # In the order of the wavelengths, and in the table's unit.
    assert_allclose(points.get_xdata(), [70, 100, 160])
    assert_allclose(points.get_ydata(), [1.0, np.nan, 3.0])
    assert_allclose(limits.get_xydata(), [[100, 2.5]])
    assert ax.get_ylabel() == 'flux (Jy)'
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ['source 2']


def test_all_sources(result):
    assert len(result.plot_sed().containers) == 2


def test_refused(result):
    with pytest.raises(ValueError, match='no source has the id 3: they run from 1'):
        result.plot_sed([1, 3])
    values = get_setup('scanmap', 'blue').to_dict() | {'name': 'camera'}
    values = {key: one for key, one in values.items() if 'wavelength' not in key}
    result.setups['blue'] = ObservingSetup.from_dict(values)
    with pytest.raises(ValueError, match="setup of 'blue' has no wavelength"):
        result.plot_sed()
