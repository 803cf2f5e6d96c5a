# Licensed under a 3-clause BSD style license - see LICENSE.rst
import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal
from photutils.aperture import (
    ApertureStats,
    CircularAnnulus,
    CircularAperture,
    aperture_photometry,
)

from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.photometry.annulus import annulus_photometry, local_background
from photutils_pconv.photometry.aperture_fluxes import source_photometry
from photutils_pconv.photometry.apertures import (
    encircled_energy_correction,
    removed_photometry,
)
from photutils_pconv.photometry.flags import SourceFlags, decode_flags
from photutils_pconv.setups.registry import get_setup

SETUPS = [
    f'{mode}/{band}'
    for mode in ('scanmap', 'parallel')
    for band in ('blue', 'green', 'red')
]


class RoundPSF:
    """A Gaussian core with a fifth of the light in Moffat wings, in pixels."""

    def __init__(self, fwhm):
        self.sigma = fwhm / np.sqrt(8 * np.log(2))
        self.wing = 3 * self.sigma

    def eef(self, radius):
        core = 1 - np.exp(-0.5 * (radius / self.sigma) ** 2)
        wings = 1 - 1 / (1 + (radius / self.wing) ** 2)
        return 0.8 * core + 0.2 * wings

    def brightness(self, r2):
        core = np.exp(-0.5 * r2 / self.sigma**2) / (2 * np.pi * self.sigma**2)
        wings = 1 / (np.pi * self.wing**2 * (1 + r2 / self.wing**2) ** 2)
        return 0.8 * core + 0.2 * wings

    def image(self, shape, x, y, *, oversampling=7):
        """Render pixels as the mean of the PSF over their area."""
        fine = (np.arange(oversampling) + 0.5) / oversampling - 0.5
        xx = (np.arange(shape[1])[:, np.newaxis] + fine).ravel() - x
        yy = (np.arange(shape[0])[:, np.newaxis] + fine).ravel() - y
        values = self.brightness(xx**2 + yy[:, np.newaxis] ** 2)
        blocks = (shape[0], oversampling, shape[1], oversampling)
        return values.reshape(blocks).mean(axis=(1, 3))


@pytest.fixture
def scene():
    """A noisy map with gaps, and positions on and near its edge."""
    rng = np.random.default_rng(11)
    data = rng.normal(3.0, 1.0, (90, 110))
    missing = rng.random(data.shape) < 0.03
    x = np.array([50.3, 20.8, 60.0, 1.4, 109.2])
    y = np.array([40.9, 55.5, 45.0, 88.8, 30.1])
    return data, missing, x, y


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
    flux = 1e3 * result['flux'] / arrays['aperture_corrections']
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
        assert_allclose(result['flux'][:, 0], expected, rtol=1e-9)
        assert_allclose(result['local_bkg'], background, rtol=1e-12)
        assert_allclose(result['annulus_area'], stats.sum_aper_area.value)

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
        assert_allclose(result['local_bkg'], stats.mean, rtol=1e-12)
        assert_allclose(result['local_bkg_std'], stats.std, rtol=1e-12)

    def test_missing_is_missing(self, scene):
        data, missing, x, y = scene
        gaps = np.where(missing, np.nan, data)
        radii, annulus_radii = [2.5, 5], (8, 14)
        given = annulus_photometry(
            data, x, y, radii=radii, annulus_radii=annulus_radii, missing=missing
        )
        found = annulus_photometry(gaps, x, y, radii=radii, annulus_radii=annulus_radii)
        for key, value in given.items():
            assert_array_equal(value, found[key], err_msg=key)

    def test_constant_map(self, scene):
        _, missing, x, y = scene
        data = np.full(missing.shape, 0.3)
        result = annulus_photometry(
            data, x, y, radii=[2, 4], annulus_radii=(8, 14), missing=missing
        )
        assert_allclose(result['flux'], 0, atol=1e-12)
        assert_allclose(result['local_bkg_std'], 0, atol=1e-12)

    def test_flags(self, scene):
        data, missing, _, _ = scene
        missing[:] = False
        missing[40:, :60] = True
        x = [20, 100, 64, 58, np.nan, 200]
        y = [20, 20, 60, 38, 5, 5]
        result = annulus_photometry(
            data, x, y, radii=[3], annulus_radii=(8, 14), missing=missing
        )
        assert decode_flags(result['flags']) == [
            [],
            [],
            [],
            ['missing_pixels'],
            ['invalid_position'],
            ['outside_map'],
        ]
        assert_array_equal(np.isnan(result['flux'][:, 0]), [0, 0, 0, 0, 1, 1])
        assert result['annulus_fraction'][0] == 1
        assert 0.5 < result['annulus_fraction'][3] < 1
        corner = local_background(data, 109, 0, annulus_radii=(8, 14))
        assert corner['annulus_fraction'] < 0.3
        assert decode_flags(corner['flags']) == [['annulus_incomplete']]

    def test_nothing_usable(self, scene):
        data, _, x, y = scene
        result = annulus_photometry(
            data * np.nan, x, y, radii=[3], annulus_radii=(8, 14)
        )
        assert np.isnan(result['flux']).all()
        assert np.isnan(result['local_bkg']).all()
        assert (result['flags'] & SourceFlags.ANNULUS_INCOMPLETE).all()

    def test_annulus_between_pixel_centres(self, scene):
        data, *_ = scene
        result = local_background(
            data, 40.5, 40.5, annulus_radii=(0.1, 0.3), annulus_method='center'
        )
        assert np.isnan(result['local_bkg'][0])

    def test_many_sources(self, scene):
        data, missing, _, _ = scene
        rng = np.random.default_rng(2)
        x, y = rng.uniform(-3, 112, 1500), rng.uniform(-3, 92, 1500)
        kwargs = {'radii': [2.0, 3.0], 'annulus_radii': (5, 7), 'missing': missing}
        result = annulus_photometry(data, x, y, **kwargs)
        some = rng.permutation(1500)[:40]
        again = annulus_photometry(data, x[some], y[some], **kwargs)
        for key, value in again.items():
            assert_array_equal(value, result[key][some], err_msg=key)


class TestRemoved:
    """What was removed, where the reconstruction is perfect."""

    @pytest.mark.parametrize(
        ('scale', 'fwhm', 'hole_radius'),
        [
            (1.6, 5.5, 5),
            (1.6, 5.5, 7),
            (1.6, 5.5, 12),
            (1.6, 6.8, 5),
            (1.6, 6.8, 6),
            (1.6, 6.8, 13),
            (3.2, 10.7, 4),
            (3.2, 10.7, 6),
            (3.2, 10.7, 10),
            (3.2, 5.8, 4),
            (3.2, 6.8, 5),
        ],
    )
    def test_unbiased_beyond_small_holes(self, scale, fwhm, hole_radius):
        rng = np.random.default_rng(5)
        psf = RoundPSF(fwhm / scale)
        radii = np.array([12.0, 18.0])
        flux = []
        for x, y in rng.uniform(23.5, 24.5, (25, 2)):
            source = psf.image((49, 49), x, y)
            holes = draw_holes(source.shape, x, y, hole_radius)
            result = source_photometry(
                source,
                np.where(holes, source, 0),
                x,
                y,
                hole_radius,
                radii=radii,
                annulus_radii=(25, 35),
                pixel_scale=scale,
                eef=lambda radius: psf.eef(radius / scale),
            )
            flux.append(result['flux'][0])
        assert_allclose(np.mean(flux, axis=0), 1, atol=0.01)
        assert_allclose(flux, 1, atol=0.015)

    def test_effective_radius_reduces_scatter(self):
        rng = np.random.default_rng(6)
        psf = RoundPSF(4.2)
        ours, nominal = [], []
        for x, y in rng.uniform(23.5, 24.5, (40, 2)):
            source = psf.image((49, 49), x, y)
            result = removed_photometry(
                source, x, y, radii=[11], hole_radius=5, local_std=0
            )
            factor = encircled_energy_correction([11], result['hole_fraction'], psf.eef)
            ours.append((result['flux'] * factor)[0, 0])
            nominal.append(result['flux'][0, 0] / psf.eef(5))
        assert np.std(ours) < 0.25 * np.std(nominal)

    def test_only_own_hole_counts(self):
        # A taper around the hole and a neighbour's hole are removed, too.
        removed = np.full((60, 60), 5.0)
        holes = draw_holes(removed.shape, 30.2, 29.7, 6)
        removed[holes] = 1.0
        result = removed_photometry(
            removed, 30.2, 29.7, radii=[4, 12], hole_radius=6, local_std=1
        )
        assert_allclose(result['flux'][0], [np.pi * 16, holes.sum()])
        assert_allclose(result['area'], result['flux'])
        fraction = holes.sum() / (np.pi * 144)
        assert_allclose(result['hole_fraction'][0], [1, fraction])
        assert result['hole_fraction'][0, 0] == 1
        assert decode_flags(result['flags']) == [['aperture_beyond_hole']]

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
        assert_allclose(result['flux'][:, 0], expected['aperture_sum'])
        assert_allclose(
            result['flux_err'][:, 0],
            np.hypot(std * np.sqrt(area), expected['aperture_sum_err']),
        )
        assert_array_equal(result['hole_fraction'], 1)

    def test_error_is_the_scatter_of_noise(self):
        rng = np.random.default_rng(8)
        noise = rng.normal(0, 0.7, (400, 400))
        y, x = np.mgrid[20:380:18, 20:380:18].reshape(2, -1)
        result = removed_photometry(
            noise, x, y, radii=[3, 9], hole_radius=6, local_std=0.7
        )
        # 'exact' shares the pixels on the rim, whose noise then counts a
        # little less than their area.
        assert_allclose(result['flux'].std(axis=0), result['flux_err'][0], rtol=0.12)

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
            assert_array_equal(np.isnan(result[key][:, 0]), [True, False])

    def test_missing_pixels(self):
        removed = np.ones((40, 40))
        removed[20, 24] = np.nan
        x, y = [20, 20, 20, 1], [20, 19, 9, 30]
        result = removed_photometry(
            removed, x, y, radii=[2], hole_radius=[5, 3, 5, 5], local_std=1
        )
        # In the hole though not in the aperture; in neither; nor; off map.
        expected = [['missing_pixels'], [], [], ['missing_pixels']]
        assert decode_flags(result['flags']) == expected
        result = removed_photometry(
            removed, x, y, radii=[5], hole_radius=8, local_std=1
        )
        assert result['flux'][0, 0] == pytest.approx(np.pi * 25 - 1)
        assert_array_equal(result['hole_fraction'], 1)

    def test_missing_pixels_leave_the_correction_alone(self):
        removed = np.ones((40, 40))
        whole = removed_photometry(
            removed, 20, 20, radii=[9], hole_radius=5, local_std=1
        )
        removed[22, 21] = np.nan
        gap = removed_photometry(removed, 20, 20, radii=[9], hole_radius=5, local_std=1)
        assert_allclose(gap['flux'], whole['flux'] - 1)
        assert gap['hole_fraction'] == whole['hole_fraction']


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
            )['hole_fraction']
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


class TestSourcePhotometry:
    def measure(self, data, removed, x, y, hole_radius, **kwargs):
        setup = get_setup('scanmap', 'blue')
        kwargs = {
            'radii': [6, 12],
            'annulus_radii': (25, 35),
            'pixel_scale': 1.6,
            'eef': setup.eef,
        } | kwargs
        return source_photometry(data, removed, x, y, hole_radius, **kwargs)

    def test_both_methods(self):
        """One source on a sloped background, perfectly reconstructed."""
        psf = RoundPSF(5.5 / 1.6)
        yy, xx = np.mgrid[:120, :120]
        source = 4.0 * psf.image(xx.shape, 60.3, 58.6)
        data = source + 0.01 * xx - 0.02 * yy
        holes = draw_holes(data.shape, 60.3, 58.6, 6)
        result = self.measure(
            data,
            np.where(holes, source, 0),
            60.3,
            58.6,
            6,
            eef=lambda radius: psf.eef(radius / 1.6),
        )
        # The pixels widen the PSF, which an aperture of 6 arcsec just feels.
        assert_allclose(result['flux'], 4.0, rtol=0.015)
        # The annulus holds a little of the wings.
        assert_allclose(result['flux_annulus'], 4.0, rtol=0.05)
        assert np.all(result['flux_annulus'] < result['flux'])
        assert_allclose(result['local_bkg'], 0.01 * 60.3 - 0.02 * 58.6, atol=0.001)
        assert_allclose(
            result['aperture_correction'],
            [1 / psf.eef(np.array([6 / 1.6, 6.0]))],
            rtol=0.01,
        )
        assert decode_flags(result['flags']) == [['aperture_beyond_hole']]

    def test_neighbour_does_not_add_to_the_error(self):
        rng = np.random.default_rng(4)
        noise = rng.normal(0, 1, (120, 120))
        neighbour = 1e4 * RoundPSF(3.4).image(noise.shape, 79, 60)
        holes = draw_holes(noise.shape, 79, 60, 12)
        alone = self.measure(noise, 0 * noise, 60, 60, 5)
        beside = self.measure(
            noise + neighbour, np.where(holes, neighbour, 0), 60, 60, 5
        )
        # Only its wings beyond its hole are left.
        assert_allclose(beside['flux_err'], alone['flux_err'], rtol=0.25)
        assert beside['local_bkg'] > 5

    def test_shapes_and_order(self, scene):
        data, missing, x, y = scene
        removed = np.where(draw_holes(data.shape, x, y, 6), data, 0)
        forward = self.measure(data, removed, x, y, 6, missing=missing)
        back = self.measure(data, removed, x[::-1], y[::-1], 6, missing=missing)
        for key, value in forward.items():
            has_apertures = key.startswith(('flux', 'aperture', 'hole'))
            assert value.shape == ((5, 2) if has_apertures else (5,))
            assert_array_equal(value, back[key][::-1], err_msg=key)
        assert forward['flags'].dtype.kind == 'i'

    def test_input_is_left_alone(self, scene):
        data, missing, x, y = scene
        arrays = (data, data.copy(), missing, x, y)
        before = [array.copy() for array in arrays]
        self.measure(data, arrays[1], x, y, 6, missing=missing)
        for array, old in zip(arrays, before, strict=True):
            assert_array_equal(array, old)

    def test_no_sources(self, scene):
        data, *_ = scene
        result = self.measure(data, data, [], [], [])
        assert result['flux'].shape == (0, 2)
        assert result['flags'].shape == (0,)

    def test_positions_off_the_map(self, scene):
        data, *_ = scene
        result = self.measure(data, data, [np.nan, -9, 50], [5, 5, 40], [5, 5, 5])
        assert decode_flags(result['flags'][:2]) == [
            ['invalid_position'],
            ['outside_map'],
        ]
        for key in ('flux', 'flux_err', 'flux_annulus', 'aperture_correction'):
            assert np.isnan(result[key][:2]).all()
            assert np.isfinite(result[key][2]).all()

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            ({'radii': [3]}, 'covers radii from 4 to 18'),
            ({'radii': [6, 20]}, 'covers radii from 4 to 18'),
            ({'radii': [-6]}, 'radii must be one or more positive'),
            ({'radii': []}, 'radii must be one or more positive'),
            ({'annulus_radii': (35, 25)}, 'inner and a larger outer'),
            ({'annulus_radii': 25}, 'inner and a larger outer'),
            ({'pixel_scale': 0}, 'pixel_scale must be positive'),
            ({'method': 'nearest'}, 'method must be one of'),
            ({'missing': np.zeros((2, 2), bool)}, 'missing must be boolean'),
            ({'missing': np.zeros((90, 110))}, 'missing must be boolean'),
            ({'error': np.zeros((2, 2))}, "error must have the map's shape"),
            ({'hole_radius': [1, 2]}, 'hole_radius must be one number'),
            ({'hole_radius': -1}, 'hole_radius must not be negative'),
            ({'x': [1, 2]}, 'one length'),
            ({'removed': np.zeros((2, 2))}, "removed must have the map's shape"),
            ({'data': np.zeros((2, 90, 110))}, 'data must be a 2-D map'),
        ],
    )
    def test_invalid(self, scene, change, message):
        data, _, x, y = scene
        arguments = {'data': data, 'removed': data, 'x': x, 'y': y, 'hole_radius': 5}
        with pytest.raises(ValueError, match=message):
            self.measure(**(arguments | change))


def test_standard_star(real_data):
    """Gamma Dra has one flux, whatever the hole it is seen through."""
    path = real_data / 'pacs' / 'gamma_dra_blue_jscanam.fits.gz'
    with fits.open(path) as hdus:
        data = np.where(hdus['coverage'].data > 0, hdus['image'].data, np.nan)
    data = data.astype(float)
    setup = get_setup('scanmap', 'blue')
    row, column = np.unravel_index(np.nanargmax(data), data.shape)
    window = data[row - 6 : row + 7, column - 6 : column + 7]
    dy, dx = np.mgrid[-6:7, -6:7]
    x = column + (window * dx).sum() / window.sum()
    y = row + (window * dy).sum() / window.sum()
    annulus = local_background(data, x, y, annulus_radii=(25 / 1.6, 35 / 1.6))

    for hole_radius in setup.hole_radii:
        holes = draw_holes(data.shape, x, y, hole_radius)
        result = source_photometry(
            data,
            np.where(holes, data - annulus['local_bkg'], 0),
            x,
            y,
            hole_radius,
            radii=[6, 12, 18],
            annulus_radii=(25, 35),
            pixel_scale=1.6,
            eef=setup.eef,
        )
        # Table 5: 3283.0 mJy.
        assert_allclose(result['flux'], 3.2830, rtol=0.015)
        assert_allclose(result['flux_annulus'], 3.2830, rtol=0.015)
