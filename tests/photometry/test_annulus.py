# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the standard method: sources above the mean of an annulus."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from photutils.aperture import (
    ApertureStats,
    CircularAnnulus,
    CircularAperture,
    aperture_photometry,
)

from photutils_pconv.photometry.annulus import (
    annulus_photometry,
    local_background,
    measure_annuli,
)
from photutils_pconv.photometry.flags import SourceFlags, decode_flags
from photutils_pconv.setups.registry import get_setup

SETUPS = [
    f'{mode}/{band}'
    for mode in ('scanmap', 'parallel')
    for band in ('blue', 'green', 'red')
]


def assert_same(first, second, *, rows=slice(None)):
    """Two results are equal, the first to some rows of the second."""
    for item in fields(first):
        one, other = (getattr(result, item.name) for result in (first, second))
        if is_dataclass(one):
            assert_same(one, other, rows=rows)
        else:
            assert_array_equal(one, other[rows], err_msg=item.name)


@pytest.mark.parametrize('name', SETUPS)
def test_reference(reference_data, name):
    """The standard photometry of the paper authors' own program."""
    mode, band = name.split('/')
    with np.load(reference_data / 'reference' / 'masks_and_photometry.npz') as file:
        arrays = {
            key: file[f'{mode}_{band}_{key}']
            for key in (
                'image',
                'xy',
                'injected_jy',
                'apertures_arcsec',
                'aperture_corrections',
                'flux_annulus_mjy',
            )
        }
    scale = get_setup(mode, band).pixel_scale.value
    result = annulus_photometry(
        arrays['image'],
        *np.ceil(arrays['xy'].T),
        radii=arrays['apertures_arcsec'] / scale,
        annulus_radii=(25 / scale, 35 / scale),
        method='subpixel',
        subpixels=5,
        annulus_method='center',
    )
    flux = 1e3 * result.flux / arrays['aperture_corrections']
    bright = arrays['injected_jy'] > 0.3
    assert bright.sum() > 4
    assert_allclose(flux[bright], arrays['flux_annulus_mjy'][bright], rtol=1e-5)


class TestAnnulus:
    @pytest.mark.parametrize('method', ['exact', 'center', 'subpixel'])
    def test_photutils(self, scene, method):
        data, missing, x, y = scene
        xy = np.column_stack((x, y))[:3]
        aperture, annulus = CircularAperture(xy, 3.7), CircularAnnulus(xy, 8, 14)
        stats = ApertureStats(data, annulus, mask=missing, sum_method='exact')
        background = stats.sum / stats.sum_aper_area.value
        total = aperture_photometry(data, aperture, mask=missing, method=method)
        area = aperture.area_overlap(data, mask=missing, method=method)
        whole = aperture.area_overlap(data, method=method)
        expected = total['aperture_sum'] - background * aperture.area * area / whole

        result = annulus_photometry(
            data,
            *xy.T,
            radii=3.7,
            annulus_radii=(8, 14),
            missing=missing,
            method=method,
        )
        assert_allclose(result.flux[:, 0], expected, rtol=1e-9)
        assert_allclose(result.annulus.local_bkg, background, rtol=1e-12)
        assert_allclose(result.annulus.annulus_area, stats.sum_aper_area.value)

    def test_unweighted_annulus(self, scene):
        data, missing, x, y = scene
        annulus = CircularAnnulus(np.column_stack((x, y)), 8, 14)
        stats = ApertureStats(data, annulus, mask=missing)
        result = local_background(
            data,
            x,
            y,
            annulus_radii=(8, 14),
            missing=missing,
            annulus_method='center',
        )
        assert_allclose(result.local_bkg, stats.mean, rtol=1e-12)
        assert_allclose(result.local_bkg_std, stats.std, rtol=1e-12)

    def test_missing_is_missing(self, scene):
        data, missing, x, y = scene
        gaps = np.where(missing, np.nan, data)
        radii, annulus_radii = [2.5, 5], (8, 14)
        given = annulus_photometry(
            data, x, y, radii=radii, annulus_radii=annulus_radii, missing=missing
        )
        found = annulus_photometry(gaps, x, y, radii=radii, annulus_radii=annulus_radii)
        assert_same(given, found)

    def test_constant_map(self, scene):
        _, missing, x, y = scene
        data = np.full(missing.shape, 0.3)
        result = annulus_photometry(
            data, x, y, radii=[2, 4], annulus_radii=(8, 14), missing=missing
        )
        assert_allclose(result.flux, 0, atol=1e-12)
        assert_allclose(result.annulus.local_bkg_std, 0, atol=1e-12)

    def test_flags(self, scene):
        data, missing, _, _ = scene
        missing[:] = False
        missing[40:, :60] = True
        x = [20, 100, 64, 58, np.nan, 200]
        y = [20, 20, 60, 38, 5, 5]
        result = annulus_photometry(
            data, x, y, radii=[3], annulus_radii=(8, 14), missing=missing
        )
        assert decode_flags(result.flags) == [
            [],
            [],
            [],
            ['missing_pixels'],
            ['invalid_position'],
            ['outside_map'],
        ]
        assert_array_equal(np.isnan(result.flux[:, 0]), [0, 0, 0, 0, 1, 1])
        assert result.annulus.annulus_fraction[0] == 1
        assert 0.5 < result.annulus.annulus_fraction[3] < 1
        corner = local_background(data, 109, 0, annulus_radii=(8, 14))
        assert corner.annulus_fraction < 0.3
        assert decode_flags(corner.flags) == [['annulus_incomplete']]

    def test_nothing_usable(self, scene):
        data, _, x, y = scene
        result = annulus_photometry(
            data * np.nan, x, y, radii=[3], annulus_radii=(8, 14)
        )
        assert np.isnan(result.flux).all()
        assert np.isnan(result.annulus.local_bkg).all()
        assert (result.flags & SourceFlags.ANNULUS_INCOMPLETE).all()

    def test_annulus_between_pixel_centres(self, scene):
        data, *_ = scene
        result = local_background(
            data, 40.5, 40.5, annulus_radii=(0.1, 0.3), annulus_method='center'
        )
        assert np.isnan(result.local_bkg[0])

    def test_many_sources(self, scene):
        data, missing, _, _ = scene
        rng = np.random.default_rng(2)
        x, y = rng.uniform(-3, 112, 1500), rng.uniform(-3, 92, 1500)
        kwargs = {'radii': [2.0, 3.0], 'annulus_radii': (5, 7), 'missing': missing}
        result = annulus_photometry(data, x, y, **kwargs)
        some = rng.permutation(1500)[:40]
        again = annulus_photometry(data, x[some], y[some], **kwargs)
        assert_same(again, result, rows=some)

    def test_several_images_at_once(self, scene):
        data, missing, x, y = scene
        inside = np.ones(x.size, dtype=bool)
        other = (data**2, ~missing)
        both = measure_annuli([(data, missing), other], x, y, inside, (8, 14))
        for image, statistics in zip([(data, missing), other], both, strict=True):
            (alone,) = measure_annuli([image], x, y, inside, (8, 14))
            assert_same(alone, statistics)
            checked = local_background(
                image[0], x, y, annulus_radii=(8, 14), missing=image[1]
            )
            assert_same(checked, statistics)

    @pytest.mark.parametrize('annulus_radii', [(14, 8), (8, 8), 8, (4, 8, 14)])
    @pytest.mark.parametrize('method', ['exact', 'center'])
    def test_refused(self, scene, annulus_radii, method):
        data, _, x, y = scene
        options = {'annulus_radii': annulus_radii, 'annulus_method': method}
        with pytest.raises(ValueError, match='inner and a larger outer'):
            local_background(data, x, y, **options)
        with pytest.raises(ValueError, match='inner and a larger outer'):
            annulus_photometry(data, x, y, radii=[3], **options)

    def test_refused_method(self, scene):
        data, _, x, y = scene
        with pytest.raises(ValueError, match='annulus_method must be one of'):
            local_background(
                data, x, y, annulus_radii=(8, 14), annulus_method='subpixel'
            )
