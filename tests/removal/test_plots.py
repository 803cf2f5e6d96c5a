# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the pictures of removals."""

import re
import sys
from types import SimpleNamespace

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


def bars_of(axes):
    """The colour bars of axes."""
    return [child for ax in axes for child in ax.child_axes]


def test_images(result, scene):
    figure = result.plot()
    axes, (before, after, removed, residual) = images(figure)
    assert [ax.get_title() for ax in axes] == [
        'map',
        'cleaned',
        'removed sources',
        'cleaned, less smooth emission',
    ]
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
    bars = bars_of(axes)
    assert len(bars) == 4
    assert all('Jy' in ax.get_ylabel() for ax in bars)
    # Noise about zero is left, and the edge of the map is no edge in it.
    assert_array_equal(np.isnan(residual), missing)
    assert abs(np.nanmean(residual)) < 2e-5
    assert 0.8e-4 < np.nanstd(residual) < 1.1e-4


def test_stretch(result):
    """The same for the map before and after; zero is in the middle after."""
    axes, _ = images(result.plot())
    limits = [ax.images[0].get_clim() for ax in axes]
    assert limits[0] == limits[1]
    cleaned = result.cleaned.data
    assert np.nanmin(cleaned) < limits[0][0] < limits[0][1] <= np.nanmax(cleaned)
    assert limits[2][0] == -limits[2][1]


def extents(ax):
    """The centres and the radii of the circles on axes."""
    boxes = [path.get_extents() for path in ax.collections[-1].get_paths()]
    centres = [[(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2] for box in boxes]
    return np.array(centres), np.array([box.width / 2 for box in boxes])


def test_circles_are_the_holes(result, scene):
    for ax in images(result.plot())[0]:
        centres, radii = extents(ax)
        assert_allclose(centres, scene.xy, atol=1e-6)
        assert_allclose(radii, result.photometry['hole_radius'], rtol=1e-3)
    axes, _ = images(result.plot(sources=[2]))
    assert_allclose(extents(axes[0])[0], scene.xy[1:], atol=1e-6)
    axes, _ = images(result.plot(sources=()))
    assert len(extents(axes[0])[0]) == 0


def test_coordinates(result, flat_model, scene):
    """Maps with a WCS have axes of the sky, of equal size, with equal limits."""
    figure = result.plot()
    figure.canvas.draw()
    axes, _ = images(figure)
    assert [coord.get_axislabel() for coord in axes[2].coords] == [
        'right ascension',
        'declination',
    ]
    sizes = np.array([ax.get_window_extent().size for ax in axes])
    assert_allclose(sizes, sizes[:1].repeat(4, axis=0), rtol=1e-3)
    for ax in axes:
        (bar,) = ax.child_axes
        height = bar.get_window_extent().height
        assert_allclose(height, ax.get_window_extent().height, rtol=1e-3)


@pytest.mark.parametrize(
    ('zoom', 'limits'),
    [
        ((10, 40, 60, 80), (9.5, 39.5, 59.5, 79.5)),
        ((-5, 400, 0, 20), (-0.5, 149.5, -0.5, 19.5)),
    ],
)
def test_zoom(result, zoom, limits):
    axes, _ = images(result.plot(zoom=zoom))
    for ax in axes:
        assert (*ax.get_xlim(), *ax.get_ylim()) == limits


def test_zoom_on_a_source(result, scene):
    axes, _ = images(result.plot(zoom=2))
    low, high = axes[0].get_xlim()
    x, radius = scene.xy[1, 0], result.photometry['hole_radius'][1]
    assert low < x - 2 * radius
    assert x + 2 * radius < high < x + 4 * radius


@pytest.mark.parametrize(
    ('options', 'error', 'match'),
    [
        ({'zoom': 7}, ValueError, 'no source has the id 7: they run from 1 to 2'),
        ({'zoom': (5, 4, 0, 9)}, ValueError, 'zoom must be the id of a source'),
        ({'zoom': 'all'}, ValueError, 'zoom must be the id of a source'),
        ({'zoom': (200, 220, 0, 9)}, ValueError, 'lies outside the map of 150 x 140'),
        ({'sources': [1, 3]}, ValueError, 'no source has the id 3'),
        ({'sources': ['a']}, TypeError, 'must be ids'),
    ],
)
def test_refused(result, options, error, match):
    with pytest.raises(error, match=match):
        result.plot(**options)


def test_source(result, scene):
    figure = result.plot_source(1)
    axes, (before, behind, after) = images(figure)
    assert [ax.get_title() for ax in axes] == [
        'map',
        'reconstructed emission',
        'cleaned',
    ]
    assert_array_equal(after, result.cleaned.data)
    assert_array_equal(behind[~result.holes], before[~result.holes])
    profile = next(ax for ax in figure.axes if ax.get_title() == 'radial profile')
    lines = {line.get_label(): line.get_ydata() for line in profile.lines}
    # 5 Jy stand out of a sky of 2 mJy, which is what is left.
    assert lines['map'][0] > 20 * lines['cleaned'][0]
    assert_allclose(lines['cleaned'][:5], 2e-3, rtol=0.2)
    flux, error = (result.photometry[name][0].value for name in ('flux', 'flux_err'))
    match = re.match(r'Source 1: flux ([\d.]+) ± ([\d.]+) Jy', figure.get_suptitle())
    # Rounded to the two first digits of the error, both.
    assert float(match[2]) == pytest.approx(error, rel=0.05)
    assert float(match[1]) == pytest.approx(flux, abs=0.051 * error)
    assert len(match[1].partition('.')[2]) == len(match[2].partition('.')[2])
    with pytest.raises(ValueError, match='no source has the id 5'):
        result.plot_source(5)


def test_notebooks_show_a_figure_once(result, monkeypatch):
    """As the value of a cell, which takes it from those that pyplot shows."""
    from matplotlib import pyplot

    shown = []
    module = SimpleNamespace(display=shown.append, Image=lambda png: png)
    monkeypatch.setitem(sys.modules, 'IPython', SimpleNamespace(display=module))
    monkeypatch.setitem(sys.modules, 'IPython.display', module)
    figure = result.plot()
    assert pyplot.get_fignums() != []
    figure._ipython_display_()
    assert [png[:4] for png in shown] == [b'\x89PNG']
    assert pyplot.get_fignums() == []


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
    with pytest.raises(ValueError, match='axes must be three or four axes, got 2'):
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
    assert [ax.get_ylabel() for ax in bars_of(axes)] == [''] * 4


def test_without_matplotlib(result, monkeypatch):
    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    with pytest.raises(ImportError, match=r"pip install 'photutils-pconv\[plot\]'"):
        result.plot()
