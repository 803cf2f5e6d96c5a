# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""PConvLocalBackground, beside photutils' LocalBackground."""

import copy
import functools
import pickle
from concurrent.futures import ThreadPoolExecutor

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from numpy.testing import assert_allclose, assert_array_equal
from photutils.aperture import CircularAperture
from photutils.background import LocalBackground
from photutils.psf import CircularGaussianPRF, IterativePSFPhotometry, PSFPhotometry

from photutils_pconv import PConvBackground, PConvLocalBackground
from photutils_pconv.datasets import load_demo, load_demo_emission
from photutils_pconv.removal import inpaint_filler

GREEN = {'mode': 'scanmap', 'band': 'green'}
SHAPE = (100, 110)
X = np.array([30.0, 52.3, 75.9])
Y = np.array([60.0, 41.6, 70.2])
UNIT = u.Jy / u.pix


@pytest.fixture(params=['LocalBackground', 'PConvLocalBackground'])
def make(request, flat_model):
    """Return a function that makes one or the other."""
    if request.param == 'LocalBackground':
        return functools.partial(LocalBackground, 8, 14)
    return functools.partial(PConvLocalBackground, **GREEN, model=flat_model)


@pytest.fixture
def pconv(flat_model):
    return PConvLocalBackground(**GREEN, model=flat_model)


@pytest.fixture
def data():
    values = np.random.default_rng(20250411).normal(1.0, 0.01, SHAPE)
    yy, xx = np.indices(SHAPE)
    for x, y in zip(X, Y, strict=True):
        values += 2 * np.exp(-0.5 * ((xx - x) ** 2 + (yy - y) ** 2) / 1.8**2)
    return values


class TestContract:
    def test_values(self, make, data):
        local_bkg = make()
        assert isinstance(local_bkg, LocalBackground)
        values = local_bkg(data, X, Y)
        assert type(values) is np.ndarray
        assert values.shape == (3,)
        assert_allclose(values, 1.0, atol=0.01)
        assert_allclose(local_bkg(data, list(X), list(Y)), values)
        table = Table({'x': X, 'y': Y})
        assert_allclose(local_bkg(data, table['x'], table['y']), values)

    def test_scalar(self, make, data):
        value = make()(data, X[1], Y[1])
        assert np.isscalar(value)
        assert_allclose(value, 1.0, atol=0.01)
        # One position in an array gives a scalar, too.
        assert make()(data, X[1:2], Y[1:2]) == value

    def test_no_overlap(self, make, data):
        local_bkg = make()
        assert np.isnan(local_bkg(data, -100, -100))
        values = local_bkg(data, [X[0], 300.0, X[2]], [Y[0], 50.0, -40.0])
        assert_array_equal(np.isnan(values), [False, True, True])

    def test_position_off_the_map(self, make, data):
        # The circle, or the annulus, is still partly on the map.
        assert_allclose(make()(data, -2.0, 50.0), 1.0, atol=0.02)

    def test_not_finite_positions(self, make, data):
        with pytest.raises(ValueError, match='must not contain any non-finite'):
            make()(data, X[2], np.inf)
        with pytest.raises(ValueError, match='argument 2 is shorter'):
            make()(data, X, Y[:2])

    def test_mask(self, make, data):
        yy, xx = np.indices(SHAPE)
        mask = (np.abs(xx - X[0]) < 2) | (np.abs(yy - Y[1] - 11) < 2)
        expected = make()(data, X, Y, mask=mask)
        assert_allclose(expected, 1.0, atol=0.02)
        spoilt = np.where(mask, 1e9, data)
        assert_array_equal(make()(spoilt, X, Y, mask=mask), expected)
        # It can be given by its place, as photutils 2 did.
        everything = np.ones(SHAPE, dtype=bool)
        assert np.all(np.isnan(make()(data, X, Y, mask=everything)))

    @pytest.mark.parametrize('dtype', ['i4', 'f4', '>f4', 'u2'])
    def test_dtypes(self, make, data, dtype):
        values = make()((1000 * data).astype(dtype), X, Y)
        assert values.dtype == float
        assert_allclose(values, 1000, rtol=0.01)

    def test_input_is_not_changed(self, make, data):
        given = data.copy()
        x, y, mask = X.copy(), Y.copy(), data > 2
        make()(given, x, y, mask=mask)
        assert_array_equal(given, data)
        assert_array_equal([x, y], [X, Y])
        assert_array_equal(mask, data > 2)

    def test_to_aperture(self, make):
        one = make().to_aperture(50.0, 40.0)
        assert_allclose(one.positions, [[50, 40]])
        many = make().to_aperture(X, Y)
        assert_allclose(many.positions, np.transpose([X, Y]))
        assert make().to_aperture(list(X), list(Y)) == many

    @pytest.mark.parametrize(
        'clone',
        [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))],
        ids=['copy', 'deepcopy', 'pickle'],
    )
    def test_copies(self, make, data, clone):
        local_bkg = make()
        other = clone(local_bkg)
        assert type(other) is type(local_bkg)
        assert_array_equal(other(data, X, Y), local_bkg(data, X, Y))

    # photutils' own classes change the filters of all threads
    @pytest.mark.filterwarnings('ignore')
    def test_threads(self, make, data):
        local_bkg = make()
        with ThreadPoolExecutor(4) as pool:
            results = list(
                pool.map(lambda k: local_bkg((1 + k % 2) * data, X, Y), range(8))
            )
        for k, values in enumerate(results):
            expected = local_bkg((1 + k % 2) * data, X, Y)
            assert_array_equal(values, expected)

    def test_repr(self, make):
        assert repr(make()).startswith(make.func.__name__ + '(')
        assert str(make())

    def test_psf_photometry(self, make, data):
        init = Table({'x': X, 'y': Y})
        photometry = PSFPhotometry(
            CircularGaussianPRF(fwhm=1.8 * 2.3548),
            (7, 7),
            aperture_radius=5,
            local_bkg_estimator=make(),
        )
        for given in (data, data << UNIT):
            table = photometry(given, init_params=init)
            unit = getattr(given, 'unit', 1)
            assert_allclose(table['local_bkg'] / unit, 1.0, atol=0.01)
            # The volume of a Gaussian of height 2.
            flux = 2 * 2 * np.pi * 1.8**2
            assert_allclose(table['flux_fit'] / unit, flux, rtol=0.03)


class TestPConv:
    def test_arguments(self, flat_model):
        local_bkg = PConvLocalBackground(**GREEN, model=flat_model)
        assert_allclose(local_bkg.radius, 7.0 / 1.6)
        assert local_bkg.outer_radius == local_bkg.radius
        other = PConvLocalBackground(setup='scanmap/green', radius=3, pixel_scale=2.0)
        assert other.radius == 3.0
        assert "model='psf', radius=3.0, pixel_scale=" in repr(other)
        assert str(other).startswith(
            '<photutils_pconv.background.local_background.PConvLocal'
        )
        scaled = PConvLocalBackground(**GREEN, pixel_scale=3.5 * u.arcsec)
        assert_allclose(scaled.radius, 2.0)
        aperture = other.to_aperture(X, Y)
        assert isinstance(aperture, CircularAperture)
        assert aperture.r == 3

    @pytest.mark.parametrize(
        ('options', 'error', 'match'),
        [
            ({'radius': 0}, ValueError, 'radius must be positive'),
            ({'radius': np.nan}, ValueError, 'radius must be positive'),
            ({'radius': [3, 4]}, TypeError, 'radius must be a number'),
            ({'radius': '3'}, TypeError, 'radius must be a number'),
            ({'pixel_scale': -1}, ValueError, 'pixel_scale must be finite'),
            ({'pixel_scale': 10}, ValueError, 'accepted are 0.4 to 2.5'),
            ({'batch_size': 0}, ValueError, 'batch_size'),
            ({'device': 'abacus'}, ValueError, 'device'),
            ({'setup': 'scanmap/green'}, ValueError, 'not both'),
        ],
    )
    def test_refused(self, options, error, match):
        with pytest.raises(error, match=match):
            PConvLocalBackground(**GREEN, **options)
        with pytest.raises(TypeError, match='positional'):
            PConvLocalBackground('scanmap', 'green')

    def test_refused_data(self, pconv, data):
        with pytest.raises(ValueError, match='2-D map'):
            pconv(data[0], 5, 5)
        with pytest.raises(TypeError, match='real numbers'):
            pconv(data * 1j, X, Y)
        with pytest.raises(ValueError, match='mask must have the shape'):
            pconv(data, X, Y, mask=np.zeros((3, 3), dtype=bool))
        with pytest.raises(TypeError, match='mask must be a bool array'):
            pconv(data, X, Y, mask=data)
        with pytest.raises(ValueError, match="'ct'.*not accepted"):
            pconv(data * u.ct, X, Y)

    def test_quantity(self, pconv, data):
        bare = pconv(data, X, Y)
        for unit in (UNIT, u.mJy / u.pix, u.MJy / u.sr):
            values = pconv(data << unit, X, Y)
            assert values.unit == unit
            assert_allclose(values.value, bare)
            assert pconv(data << unit, X[0], Y[0]).isscalar
            assert pconv(data << unit, -90, -90).unit == unit

    def test_is_the_mean_of_the_background(self, pconv, flat_model, data):
        bkg = PConvBackground(
            data, np.transpose([X, Y]), **GREEN, model=flat_model
        ).background
        for radius in (2.5, pconv.radius, 12.0):
            local_bkg = PConvLocalBackground(**GREEN, model=flat_model, radius=radius)
            aperture = CircularAperture(np.transpose([X, Y]), radius)
            expected = aperture.do_photometry(bkg)[0] / aperture.area
            assert_allclose(local_bkg(data, X, Y), expected, rtol=1e-12)

    def test_neighbours_are_holes(self, pconv, data):
        # A neighbour among the positions does not count, however bright.
        yy, xx = np.indices(SHAPE)
        spot = np.exp(-0.5 * ((xx - 41) ** 2 + (yy - 51) ** 2) / 1.8**2)
        x, y = np.append(X, 41.0), np.append(Y, 51.0)
        # Both are so bright that they have the largest hole.
        one, two = (pconv(data + f * spot, x, y)[:3] for f in (1e3, 4e3))
        assert_allclose(two, one, atol=1e-3)
        assert abs(pconv(data + 4e3 * spot, X, Y)[0] - one[0]) > 2 * abs(
            two[0] - one[0]
        )

    def test_order_does_not_matter(self, pconv, data):
        values = pconv(data, X, Y)
        assert_array_equal(pconv(data, X[::-1], Y[::-1]), values[::-1])

    def test_not_finite_data(self, pconv, data):
        bad = np.zeros(SHAPE, dtype=bool)
        bad[58:63, 10:33] = True
        expected = pconv(data, X, Y, mask=bad)
        assert_array_equal(pconv(np.where(bad, np.nan, data), X, Y), expected)
        masked = np.ma.MaskedArray(data, mask=bad)
        assert_array_equal(pconv(masked, X, Y), expected)

    def test_pixel_scale(self, flat_model, make_scene):
        scene = make_scene(
            [60.3], [55.1], 0.5, sky=2e-3, noise=1e-4, pixel_scale=2.4, shape=(110, 120)
        )
        local_bkg = PConvLocalBackground(**GREEN, model=flat_model, pixel_scale=2.4)
        bkg = PConvBackground(
            scene.data, scene.xy, **GREEN, model=flat_model, wcs=scene.wcs
        ).background
        aperture = CircularAperture(scene.xy[0], 7.0 / 2.4)
        expected = aperture.do_photometry(bkg)[0][0] / aperture.area
        assert_allclose(local_bkg(scene.data, *scene.xy[0]), expected, rtol=1e-6)

    def test_one_call(self, pconv, data, monkeypatch):
        calls = []

        def counting(grid, holes, *args, **kwargs):
            calls.append(len(holes))
            return fill(grid, holes, *args, **kwargs)

        fill = inpaint_filler.inpaint_grid
        monkeypatch.setattr(inpaint_filler, 'inpaint_grid', counting)
        pconv(data, np.append(X, [500.0, -500.0]), np.append(Y, [5.0, 5.0]))
        assert calls == [3]

    def test_small_pickle(self):
        local_bkg = PConvLocalBackground(**GREEN)
        pickled = pickle.dumps(local_bkg)
        # The bundled networks are loaded anew; they have some 20 MB. The PSF has 0.5.
        assert len(pickled) < 6e5
        assert repr(pickle.loads(pickled)) == repr(local_bkg)

    def test_iterative(self, pconv, data):
        from photutils.detection import DAOStarFinder

        photometry = IterativePSFPhotometry(
            CircularGaussianPRF(fwhm=1.8 * 2.3548),
            (7, 7),
            DAOStarFinder(0.3, 4.2, exclude_border=True),
            aperture_radius=5,
            local_bkg_estimator=pconv,
        )
        table = photometry(data)
        table.sort('x_fit')
        assert_allclose(table['x_fit'], np.sort(X), atol=0.05)
        assert_allclose(table['flux_fit'], 2 * 2 * np.pi * 1.8**2, rtol=0.03)

    def test_nearer_the_truth_than_an_annulus(self):
        ccd, sources = load_demo()
        emission = load_demo_emission().data
        x, y = np.array(sources['x']), np.array(sources['y'])
        pconv = PConvLocalBackground(**GREEN)
        aperture = CircularAperture(np.transpose([x, y]), pconv.radius)
        truth = aperture.do_photometry(emission)[0] / aperture.area
        # The annulus of 25 to 35 arcsec, as standard PACS photometry has it.
        annulus = LocalBackground(25 / 1.6, 35 / 1.6)
        errors = [
            np.median(np.abs(one(ccd.data, x, y, mask=ccd.mask) - truth))
            for one in (pconv, annulus)
        ]
        # 0.59 was measured.
        assert errors[0] < 0.7 * errors[1]
