# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What is in a PConvBackground: the map, the holes, the scatter."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    InverseVariance,
    NDDataRef,
    StdDevUncertainty,
    VarianceUncertainty,
)
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal
from photutils.detection import DAOStarFinder, IRAFStarFinder
from photutils.segmentation import SourceFinder
from photutils.utils.exceptions import NoDetectionsWarning

from photutils_pconv import NeuralSourceRemover, PConvBackground
from photutils_pconv.background._rms import local_scatter
from photutils_pconv.geometry.holes import draw_holes

GREEN = {'mode': 'scanmap', 'band': 'green'}
UNIT = u.Jy / u.pix


@pytest.fixture
def make(flat_model):
    def make(data, sources=None, **kwargs):
        return PConvBackground(data, sources, **GREEN, model=flat_model, **kwargs)

    return make


class TestMap:
    def test_only_holes_change(self, make, scene, ccd):
        bkg = make(ccd, scene.xy)
        holes = bkg.holes
        background = bkg.background.value
        assert_array_equal(background[~holes], ccd.data[~holes])
        assert bkg.n_holes == 3
        # The same pixels as the remover changes, and the same values.
        remover = NeuralSourceRemover(**GREEN, model=bkg.model)
        result = remover(ccd, scene.xy)
        assert_array_equal(holes, result.holes)
        assert_array_equal(background, result.cleaned.data)
        assert_allclose(bkg.photometry['flux'], result.photometry['flux'])

    def test_sources_stand_on_zero(self, make, scene, ccd):
        left = ccd.data - make(ccd, scene.xy).background.value
        # The flat model predicts the median around: 0.002, and of a
        # bright source's wings a thousandth of its peak.
        x, y = np.round(scene.xy).astype(int).T
        peak = ccd.data[y, x]
        assert_allclose(left[y, x], peak - 2e-3, atol=1e-4, rtol=2e-3)

    def test_holes_are_a_copy(self, make, scene, ccd):
        bkg = make(ccd, scene.xy)
        bkg.holes[:] = True
        bkg.photometry.remove_rows([0, 1])
        assert not bkg.holes.all()
        assert bkg.n_holes == 3

    def test_sources_off_the_map(self, make, scene, ccd):
        far = np.vstack([scene.xy, [[1000.0, 20.0]]])
        with pytest.warns(AstropyUserWarning, match='outside the map'):
            bkg = make(ccd, far)
        assert bkg.n_holes == 3
        assert len(bkg.photometry) == 4

    def test_other_forms(self, make, scene, tmp_path):
        data = scene.data
        expected = make(data, scene.xy).background
        assert_array_equal(make(data.tolist(), scene.xy).background, expected)
        path = tmp_path / 'map.fits'
        CCDData(data, unit=UNIT, wcs=scene.wcs).write(path)
        from_path = make(path, scene.xy).background
        assert from_path.unit == UNIT
        assert_allclose(from_path.value, expected)

    @pytest.mark.parametrize('form', ['path', 'HDUList', 'HDU', 'header', 'WCS'])
    def test_files(self, make, scene, tmp_path, form):
        """The map is chosen by its HDU, and so are its mask and error."""
        mask = np.zeros(scene.data.shape, dtype=np.uint8)
        mask[10:13, 10:13] = 1
        error = np.full(scene.data.shape, 0.5)
        header = scene.wcs.to_header()
        header['BUNIT'] = 'Jy/pix'
        expected = make(
            CCDData(scene.data, unit=UNIT, wcs=scene.wcs),
            scene.xy,
            mask=mask,
            error=error,
        )
        hdus = fits.HDUList(
            [
                fits.PrimaryHDU(),
                fits.ImageHDU(scene.data + 1, header, name='first'),
                fits.ImageHDU(scene.data, header, name='second'),
                fits.ImageHDU(mask, header, name='bad'),
                fits.ImageHDU(error, header, name='noise'),
            ]
        )
        options = {'hdu': 'second', 'mask': 'bad', 'error': 4}
        if form == 'path':
            given = tmp_path / 'map.fits'
            hdus.writeto(given)
        elif form == 'HDUList':
            given = hdus
        else:
            options = {'mask': mask, 'error': error}
            given = {
                'HDU': hdus['second'],
                'header': (scene.data, header),
                'WCS': (scene.data * UNIT, scene.wcs),
            }[form]
        bkg = make(given, scene.xy, **options)
        # a WCS that was written is not the same to the last bit
        assert_allclose(bkg.background, expected.background, rtol=1e-9)
        if form == 'HDUList':
            assert_array_equal(bkg._estimate.error, error)

    @pytest.mark.parametrize('name', ['hdu', 'mask', 'error'])
    def test_extensions_of_no_file(self, make, scene, name):
        with pytest.raises(TypeError, match=f"{name} = 'bad' names an extension"):
            make(scene.data, scene.xy, **{name: 'bad'})

    def test_both_masks_count(self, make, scene):
        one, two = np.zeros((2, *scene.data.shape), dtype=bool)
        one[10:13, 10:13] = two[20:23, 10:13] = True
        expected = make(scene.data, scene.xy, mask=one | two).background
        given = CCDData(scene.data, unit=UNIT, mask=one)
        assert_array_equal(make(given, scene.xy, mask=two).background.value, expected)
        masked = np.ma.MaskedArray(scene.data, mask=one)
        assert_array_equal(make(masked, scene.xy, mask=two).background, expected)
        # What is masked does not matter.
        spoilt = np.where(one | two, 1e9, scene.data)
        assert_array_equal(make(spoilt, scene.xy, mask=one | two).background, expected)

    @pytest.mark.parametrize('radius', [2, 5, 10])
    def test_masked_pixels_follow_the_emission(self, make, radius):
        # Waves of 70 to 90 pixels: what is around is nearly what is inside.
        yy, xx = np.indices((120, 130))
        truth = 1.0 + 0.2 * np.sin(xx / 12) * np.cos(yy / 15)
        mask = np.hypot(xx - 60.3, yy - 55.1) < radius
        bkg = make(np.where(mask, 99.0, truth), [[100.0, 90.0]], mask=mask)
        error = (bkg.background - truth)[mask]
        around = truth[(np.hypot(xx - 60.3, yy - 55.1) < radius + 6) & ~mask]
        annulus = np.median(around) - truth[mask]
        assert np.sqrt(np.mean(error**2)) < 0.6 * np.sqrt(np.mean(annulus**2))

    def test_refused(self, make, scene):
        with pytest.raises(ValueError, match='either sources or a finder'):
            make(scene.data, scene.xy, finder=DAOStarFinder(1.0, 4.0))
        with pytest.raises(TypeError, match='finder must be a photutils finder'):
            make(scene.data, finder='DAOStarFinder')
        with pytest.raises(TypeError, match='finder must give a table'):
            make(scene.data, finder=lambda data, mask: np.ones(3))
        with pytest.raises(ValueError, match='box_size must be an integer'):
            make(scene.data, scene.xy, box_size=0)
        with pytest.raises(TypeError, match='real numbers'):
            make(scene.data.astype(complex), scene.xy)
        with pytest.raises(ValueError, match='give mode and band, or setup'):
            PConvBackground(scene.data, scene.xy)
        with pytest.raises(ValueError, match="'ct'.*not accepted"):
            make(scene.data * u.ct, scene.xy)


class TestFinders:
    @pytest.mark.parametrize(
        'finder',
        [
            None,
            DAOStarFinder(1e-3, 4.3),
            DAOStarFinder(1 * u.mJy / u.pix, 4.3),
            IRAFStarFinder(1e-3, 4.3),
            SourceFinder(9, progress_bar=False),
        ],
        ids=['default', 'DAO', 'DAO with unit', 'IRAF', 'SourceFinder'],
    )
    def test_found(self, make, scene, ccd, finder):
        data = ccd
        if finder is not None and hasattr(getattr(finder, 'threshold', 0), 'unit'):
            data = (scene.data << UNIT).to('mJy/pix')
        bkg = make(data, finder=finder)
        found = np.array([bkg.photometry['x_center'], bkg.photometry['y_center']]).T
        # The nearest that was found lies within half a pixel of each.
        distance = np.linalg.norm(found - scene.xy[:, None], axis=2).min(axis=1)
        assert np.all(distance < 0.5)
        assert bkg.n_holes >= 3

    def test_masked_sources_are_not_found(self, make, scene):
        mask = draw_holes(scene.data.shape, scene.x[:1], scene.y[:1], 30.0)
        bkg = make(scene.data, mask=mask)
        table = bkg.photometry
        distance = np.hypot(
            table['x_center'] - scene.x[0], table['y_center'] - scene.y[0]
        )
        assert bkg.n_holes >= 2
        assert np.all(distance > 29)

    def test_none_found(self, make):
        data = np.random.default_rng(3).normal(1.0, 0.1, (80, 90))
        finder = DAOStarFinder(100.0, 4.3)
        with (
            pytest.warns(NoDetectionsWarning),
            pytest.warns(AstropyUserWarning, match='background is the map itself'),
        ):
            bkg = make(data, finder=finder)
        assert bkg.n_holes == 0
        assert not bkg.holes.any()
        assert_array_equal(bkg.background, data)
        assert_allclose(bkg.background_rms_median, 0.1, rtol=0.05)


class TestScatter:
    @pytest.mark.parametrize('sigma', [1.5, 4.2])
    def test_white_noise(self, sigma):
        noise = np.random.default_rng(1).normal(0.0, 2.0, (300, 320))
        use = np.ones(noise.shape, dtype=bool)
        scatter = local_scatter(noise, use, sigma=sigma, box_size=48)
        # Clipping at 3 sigma takes 1.4 percent off the deviation of a
        # Gaussian, iterated about 2.
        assert_allclose(np.median(scatter), 2.0 * 0.985, rtol=0.01)

    def test_gradient_does_not_count(self):
        noise = np.random.default_rng(1).normal(0.0, 2.0, (300, 320))
        use = np.ones(noise.shape, dtype=bool)
        one = local_scatter(noise, use, sigma=4.2, box_size=48)
        slope = np.broadcast_to(0.5 * np.arange(320), noise.shape)
        two = local_scatter(noise + slope, use, sigma=4.2, box_size=48)
        # Of the plane, the mean leaves nothing but at the map's edge; its
        # own deviation in a box is 7.
        inner = np.s_[60:-60, 60:-60]
        assert_allclose(two[inner], one[inner], rtol=0.02)

    def test_follows_the_noise(self):
        sigma = np.linspace(1.0, 3.0, 400)
        noise = sigma * np.random.default_rng(2).standard_normal((200, 400))
        use = np.ones(noise.shape, dtype=bool)
        scatter = local_scatter(noise, use, sigma=4.2, box_size=40)
        assert_allclose(scatter.mean(axis=0)[40:-40], sigma[40:-40], rtol=0.06)

    def test_without_a_box(self):
        noise = np.random.default_rng(2).normal(0.0, 2.0, (60, 60))
        use = np.zeros(noise.shape, dtype=bool)
        assert not local_scatter(noise, use, sigma=4.2, box_size=20).any()
        # 5 percent of each box.
        for k in (0, 3, 7, 9, 13):
            use[k::20, ::5] = True
        scatter = local_scatter(noise, use, sigma=4.2, box_size=20)
        assert np.ptp(scatter) == 0
        assert_allclose(scatter[0, 0], noise[use].std(), rtol=0.1)

    def test_gaps_do_not_matter(self):
        # Where half of the pixels are out, a mean takes more with it.
        noise = np.random.default_rng(1).normal(0.0, 2.0, (300, 320))
        use = np.random.default_rng(2).random(noise.shape) < 0.5
        scatter = local_scatter(noise, use, sigma=1.5, box_size=48)
        assert_allclose(np.median(scatter), 2.0 * 0.985, rtol=0.01)

    def test_rms_is_that_of_the_noise(self, make, make_scene):
        # The flat model's median over some 1500 pixels has no error to
        # speak of, so the rms is the noise's inside holes, too.
        x, y = np.meshgrid([50.0, 130.0], [60.0, 120.0])
        scene = make_scene(
            x.ravel(), y.ravel(), 0.02, sky=1.0, noise=1e-3, shape=(180, 190)
        )
        bkg = make(scene.data, scene.xy)
        rms, holes = bkg.background_rms, bkg.holes
        assert_allclose(np.median(rms[~holes]), 1e-3, rtol=0.04)
        assert_allclose(np.median(rms[holes]), 1e-3, rtol=0.08)
        table = bkg.photometry
        inside = draw_holes(
            holes.shape, table['x_center'], table['y_center'], table['hole_radius']
        )
        pull = (scene.empty - bkg.background)[inside] / rms[inside]
        assert_allclose(pull.std(), 1.0, atol=0.1)

    def test_rms_has_the_error_of_the_reconstruction(self, make, make_scene):
        # Waves that the flat model cannot follow: what it misses is known.
        x, y = np.meshgrid([40.0, 110.0, 170.0], [50.0, 120.0, 170.0])
        scene = make_scene(
            x.ravel(), y.ravel(), 0.02, sky=1.0, noise=1e-3, shape=(220, 220)
        )
        yy, xx = np.indices((220, 220))
        wave = 0.01 * np.sin(2 * np.pi * xx / 37) * np.sin(2 * np.pi * yy / 41)
        bkg = make(scene.data + wave, scene.xy)
        table = bkg.photometry
        inside = draw_holes(
            wave.shape, table['x_center'], table['y_center'], table['hole_radius']
        )
        difference = (scene.empty + wave - bkg.background)[inside]
        rms = bkg.background_rms
        # Nine holes sample the waves coarsely.
        assert 0.5 < difference.std() / np.median(rms[inside]) < 1.5
        assert np.median(rms[inside]) > 1.5 * np.median(rms[~bkg.holes])

    def test_no_room(self, make, make_scene):
        scene = make_scene([35.0], [35.0], 0.02, sky=1.0, noise=1e-3, shape=(70, 70))
        data = scene.data.copy()
        mask = np.zeros(data.shape, dtype=bool)
        mask[::12] = mask[:, ::12] = True
        bkg = make(data, scene.xy, mask=mask)
        rms, holes = bkg.background_rms, bkg.holes
        # As large as the scatter: the root of 2 in all.
        yy, xx = np.nonzero(holes)
        ratio = rms[yy, xx] / np.median(rms[~holes])
        assert_allclose(np.median(ratio), np.sqrt(2), rtol=0.1)

    def test_rms_is_at_least_the_error(self, make, scene):
        error = np.full(scene.data.shape, 1e-5)
        error[:, :40] = 5e-4
        bkg = make(scene.data, scene.xy, error=error)
        rms = bkg.background_rms
        assert np.all(rms >= error * (1 - 1e-6))
        assert_allclose(rms[:, :30][~bkg.holes[:, :30]], 5e-4)
        assert_allclose(np.median(rms[:, 41:]), 1e-4, rtol=0.1)
        ccd = CCDData(scene.data, unit=UNIT, uncertainty=StdDevUncertainty(error))
        assert_array_equal(make(ccd, scene.xy).background_rms.value, rms)


@pytest.mark.parametrize('cls', [CCDData, NDDataRef])
@pytest.mark.parametrize(
    'kind', [None, StdDevUncertainty, VarianceUncertainty, InverseVariance]
)
def test_nddata_arithmetic(make, scene, cls, kind):
    mask = np.zeros(scene.data.shape, dtype=bool)
    mask[:3] = True
    uncertainty = None
    if kind is not None:
        uncertainty = kind(np.linspace(1, 2, mask.size).reshape(mask.shape))
    given = cls(
        scene.data,
        unit=UNIT,
        wcs=scene.wcs,
        mask=mask,
        meta={'OBJECT': 'test'},
        uncertainty=uncertainty,
    )
    background = make(given, scene.xy).background
    left = given.subtract(background, handle_meta='first_found')
    assert type(left) is cls
    assert left.unit == UNIT
    assert_array_equal(left.data, scene.data - background.value)
    assert_array_equal(left.mask, mask)
    assert left.meta['OBJECT'] == 'test'
    assert left.wcs is not None
    if kind is None:
        assert left.uncertainty is None
    else:
        assert type(left.uncertainty) is kind
        assert_allclose(left.uncertainty.array, uncertainty.array)
    assert_array_equal((scene.data * UNIT - background).value, left.data)
    assert_allclose(left.add(background).data, scene.data, rtol=1e-12)


def make_sip(wcs):
    sip = wcs.deepcopy()
    sip.wcs.ctype = 'RA---TAN-SIP', 'DEC--TAN-SIP'
    from astropy.wcs import Sip

    a, b, inverse = np.zeros((3, 3, 3))
    a[2, 0], b[0, 2] = 1e-6, -2e-6
    sip.sip = Sip(a, b, inverse, inverse, sip.wcs.crpix)
    return sip


def make_rotated(wcs, angle=37.0):
    rotated = wcs.deepcopy()
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    rotated.wcs.pc = [[cos, -sin], [sin, cos]]
    return rotated


def make_flipped(wcs):
    flipped = wcs.deepcopy()
    flipped.wcs.cdelt = -wcs.wcs.cdelt
    return flipped


def make_galactic(wcs):
    galactic = wcs.deepcopy()
    galactic.wcs.ctype = 'GLON-CAR', 'GLAT-CAR'
    galactic.wcs.crval = 30.0, 0.0
    galactic.wcs.radesys = ''
    return WCS(galactic.to_header())


def make_gwcs(wcs):
    gwcs = pytest.importorskip('gwcs')
    from astropy.coordinates import ICRS
    from astropy.modeling import models
    from gwcs import coordinate_frames

    x, y = wcs.wcs.crpix - 1
    scale = 1.6 / 3600
    transform = (
        models.Shift(-x) & models.Shift(-y)
        | models.Scale(-scale) & models.Scale(scale)
        | models.Pix2Sky_TAN()
        | models.RotateNative2Celestial(*wcs.wcs.crval, 180)
    )
    pixels = coordinate_frames.Frame2D(name='detector')
    sky = coordinate_frames.CelestialFrame(name='icrs', reference_frame=ICRS())
    return gwcs.WCS(transform, input_frame=pixels, output_frame=sky)


@pytest.mark.parametrize(
    'change', [make_sip, make_rotated, make_flipped, make_galactic, make_gwcs]
)
def test_wcs(make, scene, change):
    wcs = change(scene.wcs)
    # CCDData take no other WCS than astropy's.
    cls = CCDData if isinstance(wcs, WCS) else NDDataRef
    given = cls(scene.data, unit=UNIT, wcs=wcs)
    # No pixel lies on the very rim of a hole, where rounding would decide.
    xy = scene.xy + np.array([0.0137, 0.0071])
    sky = SkyCoord(wcs.pixel_to_world(*xy.T))
    bkg = make(given, sky)
    by_pixels = make(scene.data, xy)
    assert_array_equal(bkg.holes, by_pixels.holes)
    assert_allclose(bkg.background.value, by_pixels.background, rtol=1e-6)
    assert_allclose(bkg.background_rms.value, by_pixels.background_rms, rtol=1e-5)
    left = given.subtract(bkg.background)
    assert_allclose(left.data, scene.data - by_pixels.background, atol=1e-8)
    assert left.wcs is not None
    # The keyword does the same for a map without a WCS.
    keyword = make(scene.data, sky, wcs=wcs)
    assert_array_equal(keyword.background, bkg.background.value)


def test_refused_pixels(make, scene):
    wcs = scene.wcs.deepcopy()
    wcs.wcs.cdelt = [-1.6 / 3600, 1.8 / 3600]
    with pytest.raises(ValueError, match='not square: .* Reproject'):
        make(CCDData(scene.data, unit=UNIT, wcs=wcs), scene.xy)
    with pytest.raises(ValueError, match='not square: .* Reproject'):
        make(CCDData(scene.data, unit=UNIT, wcs=wcs))


def test_other_pixel_scale(make, make_scene):
    scene = make_scene(
        [60.3], [55.1], 0.5, sky=2e-3, noise=1e-4, pixel_scale=2.4, shape=(110, 120)
    )
    ccd = CCDData(scene.data, unit=UNIT, wcs=scene.wcs)
    bkg = make(ccd, scene.xy)
    holes = bkg.holes
    assert_array_equal(bkg.background.value[~holes], scene.data[~holes])
    assert_allclose(bkg.background.value[55, 60], 2e-3, atol=1e-4)
    assert bkg.box_size == 32
    assert_allclose(bkg.background_rms_median.value, 1e-4, rtol=0.1)
    with pytest.raises(ValueError, match='allow resample=True'):
        make(ccd, scene.xy, resample=False)
    with pytest.raises(ValueError, match='allow resample=True'):
        make(ccd, resample=False)


class TestPlot:
    @pytest.fixture
    def plt(self):
        matplotlib = pytest.importorskip('matplotlib')
        matplotlib.use('Agg')
        import matplotlib.pyplot as plt

        yield plt
        plt.close('all')

    def test_holes(self, make, scene, ccd, plt):
        bkg = make(ccd, scene.xy)
        ax = plt.figure().subplots()
        bkg.plot_holes(ax=ax, color='red', linewidth=2)
        assert_allclose(ax.collections[0].get_offsets(), scene.xy)
        assert [one.radius for one in ax.patches] == list(bkg.photometry['hole_radius'])
        assert_allclose([one.center for one in ax.patches], scene.xy)
        assert ax.patches[0].get_linewidth() == 2

    def test_current_axes(self, make, scene, ccd, plt):
        make(ccd, scene.xy).plot_holes(outlines=False, markersize=0)
        assert len(plt.gca().collections) == 1
        assert not plt.gca().patches
