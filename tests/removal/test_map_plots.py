# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of maps side by side."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.removal import plot_maps

matplotlib = pytest.importorskip('matplotlib')


@pytest.fixture(autouse=True)
def no_screen():
    """Draw without a screen, and leave no figure open."""
    matplotlib.use('Agg')
    yield
    from matplotlib import pyplot

    pyplot.close('all')


@pytest.fixture(scope='module')
def ccd():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = 83.8, -5.4
    wcs.wcs.cdelt = -1.6 / 3600, 1.6 / 3600
    wcs.wcs.crpix = 25, 20
    data = np.linspace(1.0, 2.0, 40 * 50).reshape(40, 50)
    return CCDData(data, unit='Jy/pix', wcs=wcs)


@pytest.fixture
def table():
    return QTable(
        {
            'id': [1, 2],
            'x_center': [10.0, np.nan],
            'y_center': [30.0, 4.0],
            'hole_radius': [3.0, 3.0],
        }
    )


def test_stretch_and_units(ccd):
    """One stretch for brightness, from the last; zero is white in differences."""
    values = 3.0 * ccd.data
    figure = plot_maps(
        {'map': values, 'cleaned': ccd, 'removed': values - ccd.data},
        differences='removed',
    )
    assert [ax.get_title() for ax in figure.axes] == ['map', 'cleaned', 'removed']
    shown = [ax.images[0] for ax in figure.axes]
    assert_array_equal(shown[0].get_array(), values)
    low, high = shown[1].get_clim()
    assert shown[0].get_clim() == (low, high)
    assert 1.0 < low < 1.01
    assert 1.99 < high < 2.0
    # Differences reach as far as the emission does, where they are larger.
    assert_allclose(shown[2].get_clim(), [-(high - low) / 2, (high - low) / 2])
    assert shown[0].get_cmap().name == shown[1].get_cmap().name
    assert shown[2].get_cmap()(0.5)[:3] == pytest.approx((0.97, 0.97, 0.97), abs=0.01)
    bars = [ax.child_axes[0].get_ylabel() for ax in figure.axes]
    assert bars == ['Jy/pix'] * 3


def test_small_differences_have_their_own_scale(ccd):
    figure = plot_maps(
        {'map': ccd, 'one': 1e-3 * ccd.data, 'other': -2e-3 * ccd.data},
        differences=['one', 'other'],
    )
    limits = [ax.images[0].get_clim() for ax in figure.axes[1:]]
    assert limits[0] == limits[1]
    assert_allclose(limits[0], [-3.99e-3, 3.99e-3], rtol=0.01)


def test_sides(ccd):
    """Only the outer axes have labels; those above a gap count."""
    figure = plot_maps(dict.fromkeys('abc', ccd))
    labels = [[one.get_axislabel() for one in ax.coords] for ax in figure.axes]
    assert labels == [
        ['', 'declination'],
        ['right ascension', ''],
        ['right ascension', 'declination'],
    ]
    figure.canvas.draw()
    sizes = [ax.get_window_extent().size for ax in figure.axes]
    assert_allclose(sizes, [sizes[0]] * 3, rtol=1e-3)


def test_zoom_and_holes(ccd, table):
    figure = plot_maps({'map': ccd}, photometry=table, zoom=1)
    (ax,) = figure.axes
    assert (*ax.get_xlim(), *ax.get_ylim()) == (0.5, 19.5, 20.5, 39.5)
    (box,) = [path.get_extents() for path in ax.collections[-1].get_paths()]
    assert_allclose([box.x0, box.x1, box.y0, box.y1], [7, 13, 27, 33], atol=1e-6)
    # The limits of the stretch are those of what is shown.
    assert ax.images[0].get_clim()[0] > ccd.data[20].min()
    (ax,) = plot_maps({'map': ccd}, zoom=(5, 15, 0, 10)).axes
    assert (*ax.get_xlim(), *ax.get_ylim()) == (4.5, 14.5, -0.5, 9.5)


def test_own_axes_and_looks(ccd):
    from matplotlib.figure import Figure

    axes = Figure().subplots(1, 2)
    figure = plot_maps(
        {'a': ccd, 'b': ccd}, differences='b', axes=axes, vmin=0, vmax=1, alpha=0.5
    )
    assert figure is axes[0].figure
    for ax in axes:
        assert ax.images[0].get_clim() == (0, 1)
        assert ax.images[0].get_alpha() == 0.5
    assert [ax.get_xlabel() for ax in axes] == ['x (pixels)'] * 2
    assert [ax.get_ylabel() for ax in axes] == ['y (pixels)', '']


@pytest.mark.parametrize(
    ('maps', 'options', 'match'),
    [
        ({}, {}, 'nothing to plot'),
        ({'a': np.ones((4, 5)), 'b': np.ones((5, 4))}, {}, r'one shape, got \(4, 5\)'),
        ({'a': np.ones((4, 5))}, {'differences': 'b'}, "'b' is no title"),
        ({'a': np.ones((4, 5))}, {'reference': 'b'}, "'b' is no title"),
        ({'a': np.ones((4, 5))}, {'zoom': 1}, 'zoom must be .x_min'),
        ({'a': np.ones((4, 5))}, {'axes': [None] * 2}, 'one for each of the 1 maps'),
    ],
)
def test_refused(maps, options, match):
    with pytest.raises(ValueError, match=match):
        plot_maps(maps, **options)


def test_values_without_unit():
    figure = plot_maps({'a': np.eye(9), 'b': np.eye(9) * u.Jy})
    assert [ax.child_axes[0].get_ylabel() for ax in figure.axes] == ['Jy'] * 2
    (ax,) = plot_maps({'a': np.eye(9)}).axes
    assert ax.child_axes[0].get_ylabel() == ''
