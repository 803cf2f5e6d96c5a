# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of removal and photometry with a known PSF."""

from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.stats import mad_std
from astropy.table import QTable
from numpy.testing import assert_allclose, assert_array_equal
from photutils.psf import PSFPhotometry

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.photometry.response import pixel_response
from photutils_pconv.psf.library import SampledPSF, get_psf, parse_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.profiles import pixel_profile
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import inject_sources

GREEN = get_setup('scanmap', 'green')
NOISE = 1e-4


@pytest.fixture(scope='module')
def field():
    """Sources of three brightnesses in white noise, with the setup's PSF."""
    psf = get_psf('scanmap/green')
    rng = np.random.default_rng(20250411)
    x, y = (v.ravel() for v in np.meshgrid(*[np.arange(45.0, 300.0, 50.0)] * 2))
    x, y = x + rng.uniform(-0.4, 0.4, x.size), y + rng.uniform(-0.4, 0.4, x.size)
    flux = np.resize([0.01, 0.1, 3.0], x.size)
    empty = 1e-3 + rng.normal(0, NOISE, (330, 330))
    data = inject_sources(empty, x, y, flux, psf=psf, pixel_scale=1.6, angle=0.4)
    return SimpleNamespace(
        data=data, empty=empty, xy=np.stack([x, y], axis=1), flux=flux, psf=psf
    )


@pytest.fixture(scope='module')
def one_pass(field, flat_model):
    remover = NeuralSourceRemover(setup=GREEN, model=flat_model, psf='setup')
    return remover(field.data * u.Jy / u.pix, field.xy)


@pytest.fixture(scope='module')
def two_pass(field, flat_psf_model):
    remover = NeuralSourceRemover(
        setup=GREEN, model=flat_psf_model, method='psf', fill='draw'
    )
    return remover(field.data * u.Jy / u.pix, field.xy)


class TestArguments:
    def test_methods(self, flat_model, flat_psf_model):
        for method in ('PSF', 2, True, None):
            with pytest.raises((TypeError, ValueError), match='method must be'):
                NeuralSourceRemover(setup=GREEN, method=method, psf='setup')
        with pytest.raises(
            ValueError, match="'flat' is of kind 'masked'.*bundled 'psf'"
        ):
            NeuralSourceRemover(setup=GREEN, model=flat_model, method='psf')
        with pytest.raises(
            ValueError, match="'pacs' is of kind 'masked'.*bundled 'psf'"
        ):
            NeuralSourceRemover(setup=GREEN, method='psf', model='pacs')
        with pytest.raises(
            ValueError, match="one of kind 'masked'.*bundled 'pacs'.*method='psf'"
        ):
            NeuralSourceRemover(setup=GREEN, method='inpaint', model=flat_psf_model)

    def test_psfs(self, tmp_path):
        setup_psf = get_psf('scanmap/green')
        path = tmp_path / 'psf.fits'
        setup_psf.to_fits(path)
        image = setup_psf.render((61, 61), 30.0, 30.0, pixel_scale=1.6)
        effective = setup_psf.to_image_psf(pixel_scale=1.6)
        expected = setup_psf.encircled_energy([6.0, 12.0], pixel_scale=1.6)
        for given, factor in (
            ('setup', 1.0),
            ('scanmap/green', 1.0),
            (setup_psf, 1.0),
            (path, 1.0),
            (str(path), 1.0),
            (effective, 1.0),
            # It is normalised within its own stamp.
            (image / image.sum(), image.sum()),
        ):
            psf = parse_psf(given, GREEN)
            assert isinstance(psf, SampledPSF)
            if given is not image:
                eef = psf.encircled_energy([6.0, 12.0], pixel_scale=1.6)
                assert_allclose(eef * factor, expected, atol=0.015)
        assert parse_psf(None, GREEN) is None
        lobed = lobed_psf(GREEN)
        sampled = parse_psf(lobed, GREEN)
        radii = [4.0, 10.0, 30.0]
        assert_allclose(
            sampled.encircled_energy(radii), lobed.encircled_energy(radii), atol=0.005
        )
        for bad, error in ((3, TypeError), (np.ones((4, 4)), ValueError)):
            with pytest.raises(error):
                parse_psf(bad, GREEN)
        with pytest.raises(FileNotFoundError):
            parse_psf('nonesuch.fits', GREEN)

    def test_apertures_within_the_psf(self, flat_model):
        small = get_psf('scanmap/green').render((15, 15), 7.0, 7.0, pixel_scale=1.6)
        small = SampledPSF.from_array(small / small.sum(), pixel_scale=1.6)
        arguments = {'setup': GREEN, 'model': flat_model, 'aperture_radii': 18.0}
        with pytest.raises(ValueError, match='the PSF is known to 12 arcsec'):
            NeuralSourceRemover(psf=small, **arguments)
        NeuralSourceRemover(psf=small, aperture_corrections='real', **arguments)


class TestInpaint:
    def test_columns_and_meta(self, one_pass):
        table = one_pass.photometry
        for name in ('flux', 'flux_err'):
            assert table[name].unit == u.Jy
        for name in ('qfit', 'cfit', 'x_fit', 'y_fit'):
            assert np.all(np.isfinite(table[name]))
        assert 'inner_radius' not in table.colnames
        assert table.meta['psf'] == 'setup'
        assert table.meta['method'] == 'inpaint'
        assert table.meta['aperture_corrections'] == 'psf'

    def test_aperture_correction(self, one_pass, field):
        bright = field.flux == 3.0
        eef = field.psf.encircled_energy(7.0, pixel_scale=1.6)
        found = one_pass.photometry['aperture_correction'][bright]
        response = pixel_response(
            *field.xy[bright].T,
            radii=[7.0 / 1.6],
            hole_radius=one_pass.photometry['hole_radius'][bright],
            profile=pixel_profile(GREEN, 1.6),
        )[:, 0]
        assert_allclose(found * response, 1 / eef, rtol=1e-9)

    def test_fluxes(self, one_pass, field):
        table = one_pass.photometry
        pull = (table['flux'].value - field.flux) / table['flux_err'].value
        faint = field.flux < 1
        assert mad_std(pull[faint]) < 1.5
        # The median of a wing is taken for background.
        ratio = table['flux'].value / field.flux
        assert_allclose(ratio[~faint], 1.0, atol=0.02)

    def test_positions(self, one_pass, field):
        table = one_pass.photometry
        bright = field.flux == 3.0
        assert_array_equal(table['x_fit'][field.flux == 0.01], field.xy[::3, 0])
        assert_allclose(table['x_fit'][bright], field.xy[bright, 0], atol=0.02)
        assert_allclose(table['y_fit'][bright], field.xy[bright, 1], atol=0.02)

    def test_psf_photometry_agrees(self, field, flat_model):
        """The linear fit is photutils' PSFPhotometry on the same pixels."""
        remover = NeuralSourceRemover(
            setup=GREEN,
            model=flat_model,
            psf='setup',
            fit_positions=False,
            fit_psf_shape=False,
            error_method='local',
        )
        # Without the bright ones, whose wings only the linear fit takes off.
        rows = np.array([0, 1, 3, 4])
        result = remover(field.data * u.Jy / u.pix, field.xy[rows])
        table = result.photometry
        x, y = field.xy[rows].T
        hole = draw_holes(field.data.shape, x, y, table['hole_radius'])
        window = draw_holes(field.data.shape, x, y, 9.0)
        # Averaged over angles, as the remover's PSF is without a fit.
        images = [
            field.psf.to_image_psf(pixel_scale=1.6, angle=angle).data
            for angle in np.linspace(0.1, 2 * np.pi + 0.1, 36, endpoint=False)
        ]
        model = field.psf.to_image_psf(pixel_scale=1.6, angle=0.1)
        model.data = np.mean(images, axis=0)
        model.x_0.fixed = model.y_0.fixed = True
        photometry = PSFPhotometry(model, (19, 19), aperture_radius=4)
        found = photometry(
            result.sources.value,
            mask=~(hole & window),
            init_params=QTable({'x': x, 'y': y, 'flux': field.flux[rows]}),
        )
        assert_allclose(table['flux'].value, found['flux_fit'], rtol=2e-3)
        assert_allclose(table['qfit'], found['qfit'], rtol=0.05)
        assert_allclose(table['cfit'], found['cfit'], atol=2e-3)

    def test_empirical(self, field, flat_model):
        remover = NeuralSourceRemover(setup=GREEN, model=flat_model, psf='empirical')
        table = remover(field.data * u.Jy / u.pix, field.xy).photometry
        assert table.meta['psf'] == 'empirical'
        bright = field.flux == 3.0
        ratio = table['flux'].value[bright] / 3.0
        assert_allclose(ratio, 1.0, atol=0.03)
        with pytest.raises(ValueError, match='an empirical PSF needs 5 sources'):
            remover(field.data * u.Jy / u.pix, field.xy[:3])

    def test_sources_off_the_map(self, field, flat_model):
        remover = NeuralSourceRemover(setup=GREEN, model=flat_model, psf='setup')
        xy = np.vstack([[-50.0, 10.0], field.xy[:3]])
        with pytest.warns(UserWarning, match='1 of 4 sources'):
            table = remover(field.data, xy).photometry
        for name in ('flux', 'flux_err', 'qfit', 'x_fit'):
            assert_array_equal(np.isnan(table[name]), [True, False, False, False])


class TestPSF:
    def test_fluxes(self, two_pass, field):
        table = two_pass.photometry
        for name, one in (('flux', 0.004), ('flux_aperture', 0.01)):
            ratio = table[name].value / field.flux
            assert_allclose(ratio[field.flux == 3.0], 1.0, atol=one)
        # A flat emission is a little below the noise's mean, which apertures see.
        ratio = table['flux'].value / field.flux
        assert_allclose(np.median(ratio[field.flux == 0.1]), 1.0, atol=0.01)

    def test_columns_and_meta(self, two_pass):
        table = two_pass.photometry
        assert np.all(table['inner_radius'] >= 0)
        assert table['inner_radius'].max() <= 16
        assert np.all(table['flux_err'] > 0)
        assert table.meta['method'] == 'psf'
        assert table.meta['model'] == 'flat-psf'
        assert isinstance(table.meta['psf_width'], float)

    def test_cleaned(self, two_pass, field):
        """Sources are gone, wings as well, and texture looks like noise."""
        inside = draw_holes(
            field.data.shape, *field.xy.T, two_pass.photometry['hole_radius']
        )
        left = two_pass.cleaned.value - two_pass.drawn - 1e-3
        assert np.abs(left[inside]).max() < 0.02 * field.data.max()
        assert abs(np.median(left[~inside & two_pass.holes])) < NOISE
        assert_array_equal(
            two_pass.cleaned.value[~two_pass.holes], field.data[~two_pass.holes]
        )

    @pytest.mark.parametrize('method', ['psf', 'inpaint'])
    def test_given_corrections(self, field, flat_model, flat_psf_model, method):
        """A table of less encircled energy raises all total fluxes alike."""
        radius = np.linspace(1.0, 60.0, 60)
        energy = field.psf.encircled_energy(radius, pixel_scale=1.6)
        found = []
        for table in (None, {'radius': radius, 'eef': 0.8 * energy}):
            remover = NeuralSourceRemover(
                setup=GREEN,
                psf='setup',
                method=method,
                model=flat_psf_model if method == 'psf' else flat_model,
                aperture_corrections=table,
                error_method='local',
            )
            found.append(remover(field.data, field.xy).photometry)
        for name in ('flux', 'flux_err', 'flux_aperture', 'flux_aperture_err'):
            assert_allclose(0.8 * found[1][name], found[0][name], rtol=2e-3)

    def test_history_and_error(self, field, flat_psf_model):
        error = np.full(field.data.shape, 2 * NOISE)
        ccd = CCDData(field.data, unit='Jy/pix', meta={'OBJECT': 'test'})
        remover = NeuralSourceRemover(setup=GREEN, model=flat_psf_model, method='psf')
        result = remover(ccd, field.xy[:3], error=error)
        history = str(result.cleaned.meta['HISTORY'])
        assert 'the PSF (setup) is known' in history
        inside = draw_holes(
            field.data.shape, *field.xy[:3].T, result.photometry['hole_radius'] + 2
        )
        assert np.any(result.holes & ~inside)
        # Subtracting wings adds what is not known of them.
        error = result.cleaned.uncertainty.array
        assert np.all(error[~inside] >= 2 * NOISE)
        assert_allclose(np.median(error[~inside]), 2 * NOISE, rtol=1e-3)
        assert_array_equal(error[~result.holes & ~inside], 2 * NOISE)

    @pytest.mark.parametrize('scale', [1.3, 2.0])
    def test_off_scale(self, field, flat_psf_model, scale):
        """A map of other pixels is resampled, and its fluxes are the same."""
        rng = np.random.default_rng(3)
        shape = (round(330 * 1.6 / scale),) * 2
        x, y = ((field.xy.T + 0.5) * 1.6 / scale) - 0.5
        empty = 1e-3 + rng.normal(0, NOISE, shape)
        data = inject_sources(
            empty, x, y, field.flux, psf=field.psf, pixel_scale=scale, angle=0.4
        )
        from tests.conftest import make_wcs

        ccd = CCDData(data, unit='Jy/pix', wcs=make_wcs(scale=scale, shape=shape))
        remover = NeuralSourceRemover(setup=GREEN, model=flat_psf_model, method='psf')
        result = remover(ccd, np.stack([x, y], axis=1))
        ratio = result.photometry['flux'].value / field.flux
        assert_allclose(np.median(ratio[field.flux == 3.0]), 1.0, atol=0.02)
        assert np.all(result.photometry['flux_err'] > 0)
