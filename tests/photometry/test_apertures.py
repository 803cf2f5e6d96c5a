# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what was removed of sources, summed in apertures."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from photutils.aperture import CircularAperture, aperture_photometry

from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.photometry.apertures import (
    encircled_energy_correction,
    removed_photometry,
)
from photutils_pconv.photometry.flags import decode_flags
from photutils_pconv.setups.registry import get_setup

SETUPS = [
    f'{mode}/{band}'
    for mode in ('scanmap', 'parallel')
    for band in ('blue', 'green', 'red')
]


class TestRemoved:
    """What was removed, where the reconstruction is perfect."""

    def test_effective_radius_reduces_scatter(self, round_psf):
        rng = np.random.default_rng(6)
        psf = round_psf(4.2)
        ours, nominal = [], []
        for x, y in rng.uniform(23.5, 24.5, (40, 2)):
            source = psf.image((49, 49), x, y)
            result = removed_photometry(
                source, x, y, radii=[11], hole_radius=5, local_std=0
            )
            factor = encircled_energy_correction([11], result.hole_fraction, psf.eef)
            ours.append((result.flux * factor)[0, 0])
            nominal.append(result.flux[0, 0] / psf.eef(5))
        assert np.std(ours) < 0.25 * np.std(nominal)

    def test_only_own_hole_counts(self):
        # A taper around the hole and a neighbour's hole are removed, too.
        removed = np.full((60, 60), 5.0)
        holes = draw_holes(removed.shape, 30.2, 29.7, 6)
        removed[holes] = 1.0
        result = removed_photometry(
            removed, 30.2, 29.7, radii=[4, 12], hole_radius=6, local_std=1
        )
        assert_allclose(result.flux[0], [np.pi * 16, holes.sum()])
        assert_allclose(result.area, result.flux)
        fraction = holes.sum() / (np.pi * 144)
        assert_allclose(result.hole_fraction[0], [1, fraction])
        assert result.hole_fraction[0, 0] == 1
        assert decode_flags(result.flags) == [['aperture_beyond_hole']]

    @pytest.mark.parametrize('method', ['exact', 'center', 'subpixel'])
    def test_photutils_inside_hole(self, scene, method):
        data, missing, x, y = scene
        error = np.abs(data) + 0.1
        aperture = CircularAperture(np.column_stack((x, y)), 3.3)
        expected = aperture_photometry(
            data, aperture, error=error, mask=missing, method=method
        )
        area = aperture.area_overlap(data, mask=missing, method=method)
        std = np.arange(1.0, 6.0)
        result = removed_photometry(
            data,
            x,
            y,
            radii=[3.3],
            hole_radius=6,
            local_std=std,
            error=error,
            missing=missing,
            method=method,
        )
        assert_allclose(result.flux[:, 0], expected['aperture_sum'])
        assert_allclose(
            result.flux_err[:, 0],
            np.hypot(std * np.sqrt(area), expected['aperture_sum_err']),
        )
        assert_array_equal(result.hole_fraction, 1)

    def test_error_is_the_scatter_of_noise(self):
        rng = np.random.default_rng(8)
        noise = rng.normal(0, 0.7, (400, 400))
        y, x = np.mgrid[20:380:18, 20:380:18].reshape(2, -1)
        result = removed_photometry(
            noise, x, y, radii=[3, 9], hole_radius=6, local_std=0.7
        )
        # 'exact' shares the pixels on the rim, whose noise then counts a
        # little less than their area.
        assert_allclose(result.flux.std(axis=0), result.flux_err[0], rtol=0.12)

    @pytest.mark.parametrize('hole_radius', [0.0, np.nan])
    def test_source_not_removed(self, hole_radius):
        result = removed_photometry(
            np.ones((30, 30)),
            [15, 12],
            [15, 13],
            radii=[3],
            hole_radius=[hole_radius, 5],
            local_std=1,
        )
        for key in ('flux', 'flux_err', 'hole_fraction'):
            assert_array_equal(np.isnan(getattr(result, key)[:, 0]), [True, False])

    def test_missing_pixels(self):
        removed = np.ones((40, 40))
        removed[20, 24] = np.nan
        x, y = [20, 20, 20, 1], [20, 19, 9, 30]
        result = removed_photometry(
            removed, x, y, radii=[2], hole_radius=[5, 3, 5, 5], local_std=1
        )
        # In the hole though not in the aperture; in neither; nor; off map.
        expected = [['missing_pixels'], [], [], ['missing_pixels']]
        assert decode_flags(result.flags) == expected
        result = removed_photometry(
            removed, x, y, radii=[5], hole_radius=8, local_std=1
        )
        assert result.flux[0, 0] == pytest.approx(np.pi * 25 - 1)
        assert_array_equal(result.hole_fraction, 1)

    def test_missing_pixels_leave_the_correction_alone(self):
        removed = np.ones((40, 40))
        whole = removed_photometry(
            removed, 20, 20, radii=[9], hole_radius=5, local_std=1
        )
        removed[22, 21] = np.nan
        gap = removed_photometry(removed, 20, 20, radii=[9], hole_radius=5, local_std=1)
        assert_allclose(gap.flux, whole.flux - 1)
        assert gap.hole_fraction == whole.hole_fraction


class TestCorrection:
    @pytest.mark.parametrize('name', SETUPS)
    def test_every_bundled_hole(self, name):
        """Every hole and aperture of a bundled setup has its factor."""
        setup = get_setup(*name.split('/'))
        radii = setup.encircled_energy['real'][0]
        scale = setup.pixel_scale.value
        rng = np.random.default_rng(9)
        for hole_radius in setup.hole_radii:
            x, y = rng.uniform(30, 31, (2, 8))
            fraction = removed_photometry(
                np.zeros((61, 61)),
                x,
                y,
                radii=radii / scale,
                hole_radius=hole_radius,
                local_std=0,
            ).hole_fraction
            factor = encircled_energy_correction(radii, fraction, setup.eef)
            limits = np.minimum(radii, hole_radius * scale)
            assert_allclose(factor, np.tile(1 / setup.eef(limits), (8, 1)), rtol=0.03)

    def test_inside_hole(self):
        setup = get_setup('scanmap', 'blue')
        factor = encircled_energy_correction([4, 12, 18], np.ones((2, 3)), setup.eef)
        assert_array_equal(factor, 1 / np.tile(setup.eef([4, 12, 18]), (2, 1)))

    def test_beyond_hole(self):
        setup = get_setup('scanmap', 'green')
        fraction = np.array([[1, (8 / 12) ** 2, (8 / 18) ** 2]])
        factor = encircled_energy_correction([6, 12, 18], fraction, setup.eef)
        assert_allclose(factor, [1 / setup.eef([6, 8, 8])])

    def test_hole_below_the_table(self):
        setup = get_setup('scanmap', 'red')  # from 9 arcsec on
        fraction = np.array([[1, 0.25], [0.8, 0.6], [np.nan, 0.0]])
        factor = encircled_energy_correction([9, 14], fraction, setup.eef)
        expected = [
            [1 / setup.eef(9), np.nan],
            [np.nan, 1 / setup.eef(14 * np.sqrt(0.6))],
            [np.nan, np.nan],
        ]
        assert_allclose(factor, expected)

    def test_aperture_outside_the_table(self):
        setup = get_setup('scanmap', 'red')
        with pytest.raises(ValueError, match='9 to 22'):
            encircled_energy_correction([8.9], np.ones((1, 1)), setup.eef)

    def test_invalid_shape(self):
        with pytest.raises(ValueError, match='each of the 2 radii'):
            encircled_energy_correction([4, 5], np.ones((3, 1)), lambda r: 0.5)
