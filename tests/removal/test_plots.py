# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the pictures of removals."""

import sys

import numpy as np
import pytest
from astropy.nddata import CCDData
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv._utils.plotting import make_axes
from photutils_pconv.removal.plots import plot_removal

matplotlib = pytest.importorskip('matplotlib')


@pytest.fixture(autouse=True)
def no_screen():
    """Draw without a screen, and leave no figure open."""
    matplotlib.use('Agg')
    yield
    from matplotlib import pyplot

    pyplot.close('all')


@pytest.fixture(scope='module')
def scene(make_scene):
    return make_scene([70.3, 50.8], [55.1, 90.7], [5.0, 0.3], sky=2e-3, noise=1e-4)


@pytest.fixture(scope='module')
def result(scene, flat_model):
    data = scene.data.copy()
    data[:20] = np.nan
    ccd = CCDData(data, unit='Jy/pix', wcs=scene.wcs)
    return NeuralSourceRemover('scanmap', 'green', model=flat_model)(ccd, scene.xy)


def images(figure):
    """The axes that hold an image which is no colour bar."""
    axes = [ax for ax in figure.axes if ax.images]
    return axes, [np.ma.filled(ax.images[0].get_array(), np.nan) for ax in axes]


def test_images(result, scene):
    figure = result.plot()
    axes, (before, after, removed) = images(figure)
    assert len(axes) == 3
    assert [ax.get_title() for ax in axes] == ['map', 'cleaned', 'removed sources']
    missing = np.zeros(scene.data.shape, dtype=bool)
    missing[:20] = True
    data = np.where(missing, np.nan, scene.data)
    assert_array_equal(before, data)
    assert_array_equal(after, result.cleaned.data)
    expected = data - result.cleaned.data
    assert_allclose(removed, expected, atol=1e-15)
    for ax in axes:
        assert ax.images[0].origin == 'lower'
        assert ax.get_xlim() == (-0.5, 149.5)
        assert ax.get_ylim() == (-0.5, 139.5)
    # A bar for each, with the unit.
    bars = [ax for ax in figure.axes if ax not in axes]
    assert len(bars) == 3
    assert all('Jy' in ax.get_ylabel() for ax in bars)


def test_stretch(result):
    """The same for the map before and after; zero is in the middle after."""
    axes, _ = images(result.plot())
    limits = [ax.images[0].get_clim() for ax in axes]
    assert limits[0] == limits[1]
    cleaned = result.cleaned.data
    assert np.nanmin(cleaned) < limits[0][0] < limits[0][1] <= np.nanmax(cleaned)
    assert limits[2][0] == -limits[2][1]


def test_positions(result, scene):
    axes, _ = images(result.plot())
    offsets = axes[0].collections[0].get_offsets()
    assert_allclose(offsets, scene.xy)


def test_keyword_arguments(result):
    axes, _ = images(result.plot(cmap='gray', vmin=0.0, vmax=1.0))
    for ax in axes:
        assert ax.images[0].get_cmap().name == 'gray'
        assert ax.images[0].get_clim() == (0.0, 1.0)


def test_own_axes(result):
    axes = make_axes(3)
    figure = plot_removal(result, axes=axes)
    assert figure is axes[0].figure
    assert [len(ax.images) for ax in axes] == [1, 1, 1]
    from matplotlib import pyplot

    assert pyplot.get_fignums() == []  # nothing to show, nothing to close
    result.plot()
    assert len(pyplot.get_fignums()) == 1


def test_wrong_number_of_axes(result):
    with pytest.raises(ValueError, match='axes must be three axes, got 2'):
        result.plot(axes=make_axes(2))


def test_png(result, tmp_path):
    path = tmp_path / 'removal.png'
    result.plot().savefig(path)
    assert path.read_bytes().startswith(b'\x89PNG')


def test_without_unit_and_with_lost_sources(flat_model, scene, tmp_path):
    remover = NeuralSourceRemover('scanmap', 'green', model=flat_model)
    with pytest.warns(UserWarning, match='outside the map'):
        result = remover(scene.data, np.append(scene.xy, [[np.nan, 3.0]], axis=0))
    figure = result.plot()
    figure.savefig(tmp_path / 'removal.png')
    axes, _ = images(figure)
    bars = [ax for ax in figure.axes if ax not in axes]
    assert [ax.get_ylabel() for ax in bars] == ['', '', '']


def test_without_matplotlib(result, monkeypatch):
    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    with pytest.raises(ImportError, match=r"pip install 'photutils-pconv\[plot\]'"):
        result.plot()
