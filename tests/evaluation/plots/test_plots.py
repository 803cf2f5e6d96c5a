# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the figures of map statistics, and of the illustrations."""

import sys

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import get_setup, list_setups
from photutils_pconv.evaluation.plots.illustrations import (
    plot_masks,
    plot_psfs,
    plot_snr,
    plot_source_loss,
)
from photutils_pconv.evaluation.plots.maps import (
    MAP_COLORS,
    new_axes,
    plot_delta_variance,
    plot_difference,
    plot_map_statistics,
    plot_pdfs,
    plot_power_spectra,
)
from photutils_pconv.evaluation.statistics.spectra import (
    delta_variance,
    normalised_difference,
    power_spectrum,
    relative_difference,
)
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.psf.library import get_psf
from photutils_pconv.simulation.emission import fractional_brownian_motion

matplotlib = pytest.importorskip('matplotlib')


@pytest.fixture(autouse=True)
def no_screen():
    """Draw without a screen, and leave no figure open."""
    matplotlib.use('Agg')
    yield
    from matplotlib import pyplot

    pyplot.close('all')


@pytest.fixture(scope='module')
def maps():
    """Three maps: original, with sources, cleaned."""
    rng = np.random.default_rng(1)
    original = fractional_brownian_motion((96, 96), -3.0, rng=rng)
    with_sources, cleaned = original.copy(), original.copy()
    with_sources[40, 50] += 200.0
    cleaned[30:50, 40:60] *= 0.9
    return [one << u.Jy / u.pix for one in (original, with_sources, cleaned)]


@pytest.fixture(scope='module')
def spectra(maps):
    return {
        name: power_spectrum(data, pixel_scale=1.6)
        for name, data in zip(MAP_COLORS, maps, strict=True)
    }


@pytest.fixture(scope='module')
def sources(make_scene):
    """A map with sources of all sizes of hole."""
    x, y = np.meshgrid(np.arange(60, 300, 80), np.arange(60, 300, 80))
    flux = np.geomspace(0.004, 30.0, x.size)
    return make_scene(
        x.ravel() + 0.3,
        y.ravel() - 0.2,
        flux,
        shape=(280, 290),
        sky=2e-3,
        noise=2e-4,
    )


def is_drawn(ax, tmp_path):
    path = tmp_path / 'figure.png'
    ax.figure.savefig(path, dpi=40)
    return path.read_bytes().startswith(b'\x89PNG')


def curve(ax, label):
    """The x and y of the curve with a label in the legend."""
    handles, labels = ax.get_legend_handles_labels()
    handle = handles[labels.index(label)]
    line = handle.lines[0] if hasattr(handle, 'has_yerr') else handle
    return line, *line.get_data()


def test_power_spectra(spectra, tmp_path):
    ax = plot_power_spectra(spectra)
    assert ax.get_xscale() == ax.get_yscale() == 'log'
    assert ax.get_xlabel() == 'frequency (arcsec⁻¹)'
    assert ax.get_ylabel() == 'power (Jy² arcsec² pix⁻²)'
    for label, table in spectra.items():
        line, x, y = curve(ax, label)
        assert_array_equal(x, table['frequency'].value)
        assert_array_equal(y, table['power'].value)
        assert line.get_color() == MAP_COLORS[label]
    assert is_drawn(ax, tmp_path)


def test_fit_is_drawn(spectra):
    ax = plot_power_spectra(spectra, fit_limits=(0.03, 0.3) / u.arcsec)
    (label,) = [
        text for text in ax.get_legend_handles_labels()[1] if text.startswith('slope')
    ]
    assert_allclose(float(label.split()[1]), -3.0, atol=0.15)
    _, x, y = curve(ax, label)
    assert_allclose(x, [0.03, 0.3])
    assert_allclose(np.log10(y[1] / y[0]), float(label.split()[1]), atol=0.01)


def test_delta_variance(maps, tmp_path):
    tables = {'original': delta_variance(maps[0]), 'mine': delta_variance(maps[2])}
    ax = plot_delta_variance(tables, fit_limits=(4, 20) * u.pix)
    _, x, y = curve(ax, 'mine')
    assert_array_equal(x, tables['mine']['lag'].value)
    assert_array_equal(y, tables['mine']['delta_variance'].value)
    assert ax.get_xlabel() == 'lag (pix)'
    assert ax.get_ylabel() == 'delta variance (Jy² pix⁻²)'
    assert is_drawn(ax, tmp_path)


@pytest.mark.parametrize('relative', [False, True])
def test_difference(spectra, relative, tmp_path):
    reference = spectra['original']
    ax = plot_difference(
        {'cleaned': spectra['cleaned']},
        reference,
        relative=relative,
        tolerance=0.05 if relative else None,
    )
    _, x, y = curve(ax, 'cleaned')
    assert_array_equal(x, reference['frequency'].value)
    if relative:
        expected = 100 * relative_difference(spectra['cleaned'], reference)
        assert ax.get_ylabel() == 'relative difference (percent)'
        (band,) = ax.patches
        assert_allclose([band.get_y(), band.get_y() + band.get_height()], [-5, 5])
    else:
        expected = np.abs(normalised_difference(spectra['cleaned'], reference))
        assert ax.get_yscale() == 'log'
    assert_array_equal(y, expected)
    assert is_drawn(ax, tmp_path)


def test_pdfs(maps, tmp_path):
    region = np.zeros((96, 96), dtype=bool)
    region[20:60] = True
    ax = plot_pdfs({'original': maps[0], 'cleaned': maps[2]}, region=region, bins=20)
    _, x, y = curve(ax, 'original')
    values = maps[0].value[region]
    expected, edges = np.histogram(values, bins=20, density=True)
    assert_allclose(x, 0.5 * (edges[1:] + edges[:-1]))
    assert_allclose(y, expected)
    assert_allclose(curve(ax, 'cleaned')[1], x)  # the same bins
    assert ax.get_xlabel() == 'value (Jy pix⁻¹)'
    assert is_drawn(ax, tmp_path)


def test_pdfs_of_logarithm(maps):
    ax = plot_pdfs({'map': np.exp(maps[0].value)}, log=True)
    assert ax.get_xlabel() == 'ln(value / mean)'
    assert ax.get_ylabel() == 'probability density'


def test_map_statistics(maps, tmp_path):
    region = np.zeros((96, 96), dtype=bool)
    region[30:50, 40:60] = True
    axes = plot_map_statistics(*maps, region=region)
    assert len(axes) == 3
    labels = [ax.get_legend_handles_labels()[1] for ax in axes]
    assert labels[0] == ['original', 'with sources', 'cleaned']
    assert labels[1] == ['cleaned']
    assert labels[2] == ['original', 'cleaned']
    assert is_drawn(axes[0], tmp_path)


def test_own_axes(maps, spectra):
    (row,) = new_axes(1, 4)
    plots = (
        plot_power_spectra(spectra, ax=row[0]),
        plot_difference(spectra, spectra['original'], ax=row[1]),
        plot_pdfs({'a': maps[0]}, ax=row[2]),
        plot_delta_variance({'a': delta_variance(maps[0])}, ax=row[3]),
    )
    for given, back in zip(row, plots, strict=True):
        assert back is given
    from matplotlib import pyplot

    assert len(pyplot.get_fignums()) == 1


# -- illustrations


def test_psfs(tmp_path):
    axes = plot_psfs()
    assert axes.shape == (2, 3)
    shown = list_setups(instrument='PACS')
    titles = [ax.get_title().split(',')[0] for ax in axes.flat]
    assert sorted(titles) == sorted(shown)
    assert titles[:3] == ['scanmap/blue', 'scanmap/green', 'scanmap/red']
    for ax, name in zip(axes.flat, titles, strict=True):
        image = ax.images[0].get_array()
        setup = get_setup(setup=name)
        ny, nx = image.shape
        extent = ax.images[0].get_extent()
        assert_allclose(extent[1] - extent[0], nx * setup.pixel_scale.value)
        expected = get_psf(name).render(
            image.shape, nx // 2, ny // 2, pixel_scale=setup.pixel_scale.value
        )
        assert_allclose(image, np.clip(expected, 1e-30, None))
    assert is_drawn(axes[0, 0], tmp_path)


def test_psfs_of_some_setups():
    axes = plot_psfs(['scanmap/red', 'parallel/blue', 'scanmap/blue', 'scanmap/green'])
    assert axes.shape == (2, 3)
    assert [ax.get_visible() for ax in axes.flat] == 4 * [True] + 2 * [False]
    own = new_axes(1, 2)[0]
    assert plot_psfs(['scanmap/red', 'scanmap/blue'], axes=own)[0, 1] is own[1]


def test_snr(tmp_path):
    axes = plot_snr()
    # Section 2.4.4: 8, 10 and 22 pixels, and 4, 8 and 18.
    expected = {'scanmap/blue': [8, 10, 22], 'parallel/blue': [4, 8, 18]}
    for ax in axes:
        radii = [circle.radius for circle in ax.patches]
        assert radii == expected[ax.get_title()]
        assert [circle.center for circle in ax.patches] == 3 * [(0.0, 0.0)]
        assert ax.get_xlim()[1] > max(radii)
        # The source is in the middle of the middle pixel.
        image = ax.images[0].get_array()
        middle = np.unravel_index(np.argmax(image), image.shape)
        assert np.all(np.abs(np.array(middle) - image.shape[0] // 2) <= 1)
    assert is_drawn(axes[0], tmp_path)


def test_masks(sources, tmp_path):
    data = sources.data.copy()
    data[:, :5] = np.nan
    axes = plot_masks(data, sources.xy, setup='scanmap/green')
    ratio = snr(data, sources.x, sources.y, setup=sources.setup)
    radius = sources.setup.hole_radius(ratio)
    expected = sorted(set(radius), reverse=True)
    assert len(expected) >= 5
    assert axes.shape == (2, len(expected))
    for (above, below), one in zip(axes.T, expected, strict=True):
        (circle,) = above.patches
        assert circle.radius == one
        assert f'R = {one:g}' in above.get_title()
        valid = np.asarray(below.images[0].get_array(), dtype=bool)
        assert valid.shape == (96, 96)
        # In the middle a hole of that radius, white around it.
        y, x = np.mgrid[:96, :96]
        distance = np.hypot(x - circle.center[0], y - circle.center[1])
        assert_allclose(circle.center, 48, atol=1)
        assert not valid[distance <= one].any()
        assert valid[(distance > one) & (distance < 30)].all()
    assert is_drawn(axes[0, 0], tmp_path)


def test_source_loss(tmp_path):
    rng = np.random.default_rng(2)
    truth, source, error = rng.normal(size=(3, 20, 20))
    image, prediction = truth + source, truth + 0.1 * error
    axes = plot_source_loss(image, truth * u.one, prediction)
    assert axes.shape == (2, 3)
    shown = [ax.images[0].get_array() for ax in axes.flat]
    expected = (image, truth, prediction, source, source - 0.1 * error, 0.1 * error)
    for one, other in zip(shown, expected, strict=True):
        assert_allclose(one, other, atol=1e-12)
    low, high = axes[1, 2].images[0].get_clim()
    assert low == -high
    assert f'{0.1 * np.abs(error).mean():.2g}' in axes[1, 2].get_title()
    assert axes[0, 0].images[0].get_clim() == axes[0, 2].images[0].get_clim()
    assert is_drawn(axes[0, 0], tmp_path)


# -- bad input


@pytest.mark.parametrize(
    'plot',
    [
        lambda: plot_power_spectra({}),
        lambda: plot_delta_variance({}),
        lambda: plot_difference({}, None),
        lambda: plot_pdfs({}),
    ],
)
def test_nothing_to_plot(plot):
    with pytest.raises(ValueError, match='nothing to plot: give one'):
        plot()


def test_wrong_axes(maps):
    region = np.ones((96, 96), dtype=bool)
    axes = new_axes(1, 2)[0]
    with pytest.raises(ValueError, match='axes must be three axes, got 2'):
        plot_map_statistics(*maps, region=region, axes=axes)
    with pytest.raises(ValueError, match='axes must be 2 rows of 3, got 2 axes'):
        plot_source_loss(np.eye(9), np.eye(9), np.eye(9), axes=axes)
    with pytest.raises(ValueError, match='axes must be 1 rows of 3, got 2 axes'):
        plot_psfs(['scanmap/blue', 'scanmap/red', 'scanmap/green'], axes=axes)


def test_tolerance_without_relative(spectra):
    with pytest.raises(ValueError, match='add relative=True'):
        plot_difference(spectra, spectra['original'], tolerance=0.05)


def test_no_source_on_the_map(sources):
    with pytest.raises(ValueError, match='none lies on the map'):
        plot_masks(sources.data, [[-500.0, 3.0]], setup='scanmap/green')


def test_images_of_two_shapes():
    with pytest.raises(ValueError, match="prediction must have the map's shape"):
        plot_source_loss(np.eye(9), np.eye(9), np.eye(8))


def test_without_matplotlib(spectra, monkeypatch):
    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    with pytest.raises(ImportError, match=r"pip install 'photutils-pconv\[plot\]'"):
        plot_power_spectra(spectra)
