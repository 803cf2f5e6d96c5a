# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of removers on other pixel grids, and at other positions."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover, ObservingSetup, register_setup
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.setups.registry import list_setups, unregister_setup

GREEN = {'mode': 'scanmap', 'band': 'green'}
SKY = 2.0e-3
NOISE = 1.0e-4


def bits(values):
    return np.ascontiguousarray(values).view(f'u{values.dtype.itemsize}')


class TestRecenter:
    def test_positions_and_fluxes(self, flat_model, scene, ccd):
        offset = np.array([[1.4, -0.9], [-1.2, 1.1], [0.8, 0.7]])
        given = scene.xy + offset
        options = {'model': flat_model, 'aperture_corrections': scene.eef}
        off = NeuralSourceRemover(**GREEN, **options)(ccd, given).photometry
        assert_array_equal(off['x_center'], given[:, 0])
        table = NeuralSourceRemover(**GREEN, **options, recenter=True)(
            ccd, given
        ).photometry
        assert_allclose(table['x_center'][:2], scene.x[:2], atol=0.1)
        assert_allclose(table['y_center'][:2], scene.y[:2], atol=0.1)
        assert abs(table['x_center'][2] - scene.x[2]) < 1
        sky = scene.wcs.pixel_to_world(table['x_center'], table['y_center'])
        assert np.all(table['sky_center'].separation(sky) < 1e-6 * u.arcsec)
        assert_allclose(table['flux'][:2].value, scene.flux[:2], rtol=0.02)
        assert np.all(off['flux'][:2] < 0.98 * table['flux'][:2])
        assert_array_equal(table['flags'], 0)

    def test_bright_neighbour(self, make_scene, flat_model):
        """No source moves farther than the FWHM of the PSF."""
        scene = make_scene([70.0, 76.5], [70.0, 70.0], [0.5, 50.0], noise=NOISE)
        remover = NeuralSourceRemover(**GREEN, model=flat_model, recenter=True)
        table = remover(scene.data, scene.xy).photometry
        moved = np.hypot(table['x_center'] - scene.x, table['y_center'] - scene.y)
        assert np.all(moved < 6.8 / 1.6)
        assert moved[1] < 0.2

    def test_at_the_edge(self, make_scene, flat_model):
        scene = make_scene([0.0, 149.3, 70.0], [70.0, 139.4, -0.5], 1.0, noise=NOISE)
        remover = NeuralSourceRemover(**GREEN, model=flat_model, recenter=True)
        table = remover(scene.data, scene.xy).photometry
        assert np.all(np.isfinite(table['flux']))


class TestPixelScale:
    @pytest.fixture
    def coarse(self, make_scene):
        return make_scene(
            [60.3, 41.7],
            [45.1, 75.6],
            [5.0, 0.5],
            pixel_scale=3.0,
            shape=(110, 120),
            sky=SKY * (3 / 1.6) ** 2,
            noise=2e-5,
        )

    @pytest.fixture
    def native(self, make_scene):
        return make_scene(
            [112.9, 78.0],
            [84.4, 141.6],
            [5.0, 0.5],
            shape=(206, 225),
            sky=SKY,
            noise=1e-5,
        )

    # Coarse pixels blur the PSF, and small apertures lose by that.
    @pytest.mark.parametrize(
        ('radius', 'tolerance'), [(6.0, 0.04), (7.0, 0.03), (12.0, 0.015)]
    )
    def test_flux_off_scale(self, flat_model, coarse, native, radius, tolerance):
        remover = NeuralSourceRemover(
            **GREEN,
            model=flat_model,
            aperture_radii=radius,
            aperture_corrections=coarse.eef,
        )
        expected = remover(native.data, native.xy, wcs=native.wcs).photometry
        result = remover(coarse.data, coarse.xy, wcs=coarse.wcs)
        table = result.photometry
        assert_array_equal(table['flags'], SourceFlags.RESAMPLED)
        assert_allclose(table['flux'], expected['flux'], rtol=tolerance)
        assert_allclose(table['flux'], coarse.flux, rtol=tolerance + 0.015)
        # in pixels of the map, and those of Table 3 on the native grid
        native_radius = table['hole_radius'] * 3.0 / 1.6
        for value in native_radius:
            assert np.min(np.abs(np.array(coarse.setup.hole_radii) - value)) < 1e-9
        assert_allclose(native_radius, expected['hole_radius'], atol=2.01)
        drawn = draw_holes(
            coarse.data.shape, coarse.x, coarse.y, table['hole_radius'] + 2 - 1e-9
        )
        assert_array_equal(result.holes, drawn)
        same = bits(result.cleaned) == bits(coarse.data)
        assert same[~result.holes].all()

    def test_unit_off_scale(self, flat_model, coarse):
        remover = NeuralSourceRemover(**GREEN, model=flat_model)
        expected = remover(coarse.data, coarse.xy, wcs=coarse.wcs).photometry
        data = coarse.data / (3.0 * u.arcsec).to_value(u.rad) ** 2 / 1e6
        ccd = CCDData(data, unit='MJy/sr', wcs=coarse.wcs)
        table = remover(ccd, coarse.xy).photometry
        assert_allclose(table['flux'].value, expected['flux'], rtol=1e-6)

    def test_finer_than_native(self, flat_model, make_scene):
        scene = make_scene(
            [150.3], [140.4], [3.0], pixel_scale=0.8, shape=(290, 300), noise=1e-5
        )
        remover = NeuralSourceRemover(
            **GREEN, model=flat_model, aperture_corrections=scene.eef
        )
        table = remover(scene.data, scene.xy, wcs=scene.wcs).photometry
        assert_array_equal(table['flags'], SourceFlags.RESAMPLED)
        assert_allclose(table['flux'], scene.flux, rtol=0.02)

    @pytest.mark.parametrize(('scale', 'times'), [(0.6, '0.375'), (4.1, '2.56')])
    def test_limits(self, remover, scene, scale, times):
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
        with pytest.raises(
            ValueError, match=rf'{scale} arcsec, {times} times .* 0\.4 to 2\.5'
        ):
            remover(scene.data, scene.xy, wcs=wcs)

    @pytest.mark.parametrize('scale', [0.65, 3.99])
    def test_within_the_limits(self, remover, scene, scale):
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
        table = remover(scene.data, scene.xy[:1], wcs=wcs).photometry
        assert table['flags'][0] & SourceFlags.RESAMPLED

    @pytest.mark.parametrize('scale', [3.0, 0.5, 12.0])
    def test_resampling_refused(self, flat_model, scene, scale):
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
        remover = NeuralSourceRemover(**GREEN, model=flat_model, resample=False)
        with pytest.raises(
            ValueError, match=rf"{scale:.4g} arcsec, .*'scanmap/green' of 1\.6 arcsec"
        ):
            remover(scene.data, scene.xy, wcs=wcs)

    @pytest.mark.parametrize('scale', [1.57, 1.63])
    def test_within_two_percent(self, flat_model, scene, scale):
        """The map is used as it is, apertures in its own pixels."""
        wcs = scene.wcs.deepcopy()
        wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
        remover = NeuralSourceRemover(
            **GREEN, model=flat_model, resample=False, aperture_radii=7 * scale / 1.6
        )
        table = remover(scene.data, scene.xy, wcs=wcs).photometry
        exact = NeuralSourceRemover(**GREEN, model=flat_model)
        expected = exact(scene.data, scene.xy, wcs=scene.wcs).photometry
        assert_array_equal(table['flags'], 0)
        assert_array_equal(table['hole_radius'], expected['hole_radius'])
        assert_array_equal(table['snr'], expected['snr'])
        assert_allclose(
            table['flux'] / table['aperture_correction'],
            expected['flux'] / expected['aperture_correction'],
            rtol=1e-9,
        )


class TestWCS:
    @pytest.mark.parametrize('flip', ['x', 'y', 'both', 'transposed'])
    def test_flipped(self, flat_model, scene, flip):
        """The same sky in another order of pixels."""
        remover = NeuralSourceRemover(**GREEN, model=flat_model)
        sky = scene.wcs.pixel_to_world(scene.x, scene.y)
        expected = remover(scene.data, sky, wcs=scene.wcs).photometry
        data, wcs = scene.data, scene.wcs.deepcopy()
        ny, nx = data.shape
        if flip == 'transposed':
            data = data.T
            wcs = wcs.sub([2, 1])
        if flip in ('x', 'both'):
            data = data[:, ::-1]
            wcs.wcs.cdelt[0] *= -1
            wcs.wcs.crpix[0] = nx + 1 - wcs.wcs.crpix[0]
        if flip in ('y', 'both'):
            data = data[::-1]
            wcs.wcs.cdelt[1] *= -1
            wcs.wcs.crpix[1] = ny + 1 - wcs.wcs.crpix[1]
        wcs = WCS(wcs.to_header())
        result = remover(data, sky, wcs=wcs)
        table = result.photometry
        assert np.all(table['sky_center'].separation(sky) < 1e-3 * u.arcsec)
        # The SNR's annulus is centred on a rounded position.
        assert_allclose(table['snr'], expected['snr'], rtol=0.2)
        assert_allclose(
            table['flux'], expected['flux'], rtol=1e-3, atol=0.3 * NOISE * 60
        )

    @pytest.mark.parametrize('angle', [37.0, 200.0])
    def test_rotated(self, make_scene, flat_model, angle):
        scene = make_scene([40.2, 100.7], [90.1, 60.4], [4.0, 1.0], noise=NOISE)
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        wcs = scene.wcs.deepcopy()
        wcs.wcs.pc = [[c, -s], [s, c]]
        # the sky positions without astropy's own conversion: TAN, near its pole
        dx, dy = scene.x + 1 - wcs.wcs.crpix[0], scene.y + 1 - wcs.wcs.crpix[1]
        lon = -1.6 * (c * dx - s * dy) * u.arcsec
        lat = 1.6 * (s * dx + c * dy) * u.arcsec
        centre = SkyCoord(*wcs.wcs.crval, unit='deg')
        sky = centre.spherical_offsets_by(lon, lat)
        remover = NeuralSourceRemover(
            **GREEN, model=flat_model, aperture_corrections=scene.eef
        )
        table = remover(CCDData(scene.data, unit='Jy/pix', wcs=wcs), sky).photometry
        assert_allclose(table['x_center'], scene.x, atol=1e-2)
        assert_allclose(table['y_center'], scene.y, atol=1e-2)
        assert_allclose(table['flux'].value, scene.flux, rtol=0.02)


class TestOwnSetup:
    @pytest.fixture
    def own_setup(self):
        sigma = 18.0 / np.sqrt(8 * np.log(2))
        radius = np.arange(4.0, 80, 4)
        setup = ObservingSetup(
            name='spire/psw',
            mode='spire',
            band='psw',
            wavelength=250,
            pixel_scale=6 * u.arcsec,
            psf_fwhm=18,
            aperture_radius=22,
            snr_source_radius=4,
            snr_inner_radius=8,
            snr_outer_radius=16,
            snr_thresholds=(100, 10),
            hole_radii=(9, 7, 5),
            encircled_energy={
                'real': (radius, 1 - np.exp(-0.5 * (radius / sigma) ** 2))
            },
            annulus_radii=(60, 90),
        )
        register_setup(setup)
        yield setup
        unregister_setup(setup.name)
        assert setup.name not in list_setups()

    def test_end_to_end(self, own_setup, make_scene, flat_model):
        scene = make_scene(
            [70.3, 60.2, 140.8],
            [60.7, 130.1, 104.4],
            [2.0, 0.2, 0.02],
            shape=(200, 210),
            setup='spire/psw',
            sky=0.01,
            noise=3e-4,
        )
        area = (6 * u.arcsec).to_value(u.rad) ** 2
        ccd = CCDData(scene.data / area / 1e6, unit='MJy/sr', wcs=scene.wcs)
        for arguments in ({'mode': 'spire', 'band': 'psw'}, {'setup': 'spire/psw'}):
            remover = NeuralSourceRemover(**arguments, model=flat_model)
            assert_array_equal(remover.aperture_radii, [22])
            cleaned, table = remover(ccd, scene.wcs.pixel_to_world(scene.x, scene.y))
            assert table.meta['setup'] == 'spire/psw'
            assert_array_equal(table['hole_radius'], [9, 7, 5])
            assert_array_equal(table['flags'], 0)
            tolerance = 0.005 * scene.flux + 4 * table['flux_err'].value
            assert np.all(np.abs(table['flux'].value - scene.flux) < tolerance)
            rms = (cleaned.data * area * 1e6 - 0.01)[40:90, 50:100].std()
            assert rms < 1.1 * 3e-4
        default = NeuralSourceRemover(setup=own_setup)
        assert default.model.name == 'pacs'


class TestSubtractedWings:
    """Wings beyond the holes are taken off the cleaned map, if asked for."""

    @pytest.mark.parametrize('scale', [1.6, 3.0, 0.9])
    def test_on_any_grid(self, make_scene, scale):
        side = int(240 / scale)
        middle = side / 2 + 0.3
        scene = make_scene(
            [middle], [middle], [20.0], pixel_scale=scale, shape=(side, side), sky=SKY
        )
        options = {**GREEN, 'error_method': 'card', 'aperture_corrections': scene.eef}
        options['model'] = 'pacs'
        data = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
        plain = NeuralSourceRemover(**options)(data, scene.xy)
        result = NeuralSourceRemover(**options, subtract_wings=True)(data, scene.xy)
        outside = ~plain.holes
        assert_array_equal(plain.cleaned.data[outside], scene.data[outside])
        assert_allclose(
            result.photometry['flux'].value, plain.photometry['flux'].value, rtol=1e-6
        )
        radius = plain.photometry['hole_radius'][0]
        distance = np.hypot(*(np.indices(scene.data.shape) - middle))
        ring = (distance > radius + 3) & (distance < 2 * radius + 3)
        before, after = (
            np.sqrt(np.mean((one.cleaned.data - scene.empty)[ring] ** 2))
            for one in (plain, result)
        )
        assert after < 0.3 * before
        # The map and its parts still add up.
        assert_allclose(
            result.cleaned.data + result.sources.data, scene.data, rtol=1e-12
        )
        assert result.photometry.meta['subtract_wings']
        assert not plain.photometry.meta['subtract_wings']
