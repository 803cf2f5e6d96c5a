# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the front door: its arguments, and the form of its results."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty, VarianceUncertainty
from astropy.table import QTable
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.network import save_model
from photutils_pconv.photometry.flags import decode_flags
from photutils_pconv.photometry.response import pixel_response
from photutils_pconv.psf.profiles import pixel_profile
from photutils_pconv.setups.registry import get_setup

GREEN = {'mode': 'scanmap', 'band': 'green'}


def bits(values):
    return np.ascontiguousarray(values).view(f'u{values.dtype.itemsize}')


def plain(image):
    """The values of a map of any class."""
    image = getattr(image, 'data', image) if hasattr(image, 'wcs') else image
    image = getattr(image, 'unmasked', image)
    return np.ma.getdata(getattr(image, 'value', image)).view(np.ndarray)


class TestConstruction:
    def test_setups(self, flat_model):
        green = get_setup('scanmap', 'green')
        for arguments in (
            {'mode': 'scanmap', 'band': 'green'},
            {'setup': 'scanmap/green'},
            {'setup': green},
        ):
            assert NeuralSourceRemover(**arguments, model=flat_model).setup == green
        positional = NeuralSourceRemover('scanmap', 'green', model=flat_model)
        assert positional.setup == green
        with pytest.raises(ValueError, match='not both'):
            NeuralSourceRemover(**GREEN, setup='scanmap/green')

    @pytest.mark.parametrize('name', ['scanmap/blue', 'parallel/red'])
    def test_default_model_and_radius(self, name):
        remover = NeuralSourceRemover(setup=name)
        assert remover.model.name == 'psf'
        inpainting = NeuralSourceRemover(setup=name, method='inpaint')
        assert inpainting.model.name == 'pacs'
        assert_array_equal(
            remover.aperture_radii, [get_setup(setup=name).aperture_radius.value]
        )

    def test_models(self, tmp_path, flat_model):
        path = tmp_path / 'own.safetensors'
        save_model(path, flat_model.network, flat_model.card)
        for given, name in (
            ('pacs', 'pacs'),
            (path, 'flat'),
            (str(path), 'flat'),
            (flat_model, 'flat'),
        ):
            remover = NeuralSourceRemover(**GREEN, model=given)
            assert f"model='{name}'" in repr(remover)
        with pytest.raises(FileNotFoundError, match="'pacs', 'pacs_narrow', 'psf'"):
            NeuralSourceRemover(**GREEN, model='nonesuch')
        with pytest.raises(TypeError, match='a model must be'):
            NeuralSourceRemover(**GREEN, model=3)

    @pytest.mark.parametrize(
        ('given', 'expected'),
        [
            (None, [7]),
            (6, [6]),
            ([5, 7.5], [5, 7.5]),
            (0.2 * u.arcmin, [12]),
            ([6, 12] * u.arcsec, [6, 12]),
            (np.array([18.0]), [18]),
        ],
    )
    def test_aperture_radii(self, flat_model, given, expected):
        remover = NeuralSourceRemover(**GREEN, model=flat_model, aperture_radii=given)
        assert_allclose(remover.aperture_radii, expected, rtol=1e-12)

    @pytest.mark.parametrize(
        ('given', 'match'),
        [
            (0, 'positive'),
            ([6, -1], 'positive'),
            ([], 'one or more'),
            ([[6, 7]], 'one or more'),
            (np.nan, 'positive'),
            (np.inf, 'positive'),
            (6 * u.Jy, 'angles or numbers'),
            ('wide', 'angles or numbers'),
            (1000, r'covers radii from \d+ to \d+ arcsec'),
            ([7, 0.1], r'covers radii from \d+ to \d+ arcsec'),
        ],
    )
    def test_refused_radii(self, given, match):
        with pytest.raises(ValueError, match=match):
            NeuralSourceRemover(**GREEN, method='inpaint', aperture_radii=given)

    def test_aperture_corrections(self, flat_model, scene, ccd):
        own = NeuralSourceRemover(
            **GREEN, model=flat_model, aperture_corrections=scene.eef
        )
        table = own(ccd, scene.xy).photometry
        eef = scene.psf.encircled_energy(7.0)
        # What the pixels hold of a source depends on where in them it is.
        response = pixel_response(
            *scene.xy.T,
            radii=[7.0 / 1.6],
            hole_radius=table['hole_radius'],
            profile=pixel_profile(own.setup, 1.6),
        )[:, 0]
        assert_allclose(table['aperture_correction'] * response, 1 / eef, rtol=1e-4)
        assert_allclose(response, 1, atol=2e-3)
        assert table.meta['aperture_corrections'] == 'user'
        with pytest.raises(ValueError, match="does not offer .* 'simulation'"):
            NeuralSourceRemover(**GREEN, aperture_corrections='simulation')
        with pytest.raises(ValueError, match="it has: 'real'"):
            NeuralSourceRemover(**GREEN, aperture_corrections='mine')
        simulation = NeuralSourceRemover(
            'scanmap', 'blue', model=flat_model, aperture_corrections='simulation'
        )
        assert simulation.settings.aperture_corrections == 'simulation'

    @pytest.mark.parametrize('error_method', ['ensemble', None, True])
    def test_error_methods(self, error_method):
        with pytest.raises(ValueError, match="one of .*'empty_apertures', 'card'"):
            NeuralSourceRemover(**GREEN, error_method=error_method)

    @pytest.mark.parametrize('batch_size', [0, -3, 2.5, '8', None])
    def test_batch_size(self, batch_size):
        with pytest.raises(ValueError, match='batch_size must be a positive integer'):
            NeuralSourceRemover(**GREEN, batch_size=batch_size)

    def test_device_and_precision(self, flat_model, scene, ccd):
        for arguments in ({'device': 'gpu'}, {'precision': 'half'}):
            with pytest.raises(ValueError, match='must be .* got'):
                NeuralSourceRemover(**GREEN, model=flat_model, **arguments)(
                    ccd, scene.xy
                )

    def test_arguments_are_keywords(self, scene):
        with pytest.raises(TypeError):
            NeuralSourceRemover('scanmap', 'green', 'scanmap')
        with pytest.raises(TypeError):
            NeuralSourceRemover(**GREEN)(scene.data, scene.xy, scene.data > 0)

    def test_repr_and_str(self, flat_model):
        remover = NeuralSourceRemover(
            **GREEN, model=flat_model, aperture_radii=[6, 12], recenter=True
        )
        assert repr(remover) == (
            "<NeuralSourceRemover(setup='scanmap/green', method='inpaint', "
            "fill='mean', model='flat', aperture_radii=[ 6., 12.] arcsec)>"
        )
        lines = str(remover).splitlines()
        assert lines[0] == '<photutils_pconv.removal.remover.NeuralSourceRemover>'
        assert "setup: 'scanmap/green (as asked for)'" in lines
        assert 'aperture_radii: [6.0, 12.0]' in lines
        assert 'recenter: True' in lines
        assert "error_method: 'empty_apertures'" in lines


class TestResult:
    def test_unpacks(self, remover, ccd, scene):
        assert remover.results is None
        assert remover.cleaned is None
        result = remover(ccd, scene.xy)
        cleaned, table = result
        assert cleaned is result.cleaned is remover.cleaned
        assert table is result.photometry is remover.results
        assert isinstance(cleaned, CCDData)
        assert isinstance(table, QTable)
        n_changed = np.count_nonzero(result.holes)
        assert repr(result) == (
            f'<SourceRemovalResult: 3 sources, 150 x 140 pixels, {n_changed} replaced>'
        )

    def test_second_call_replaces_the_first(self, remover, ccd, scene):
        first = remover(ccd, scene.xy)
        second = remover(ccd, scene.xy[:1])
        assert remover.results is second.photometry
        assert len(first.photometry) == 3
        assert len(second.photometry) == 1

    def test_every_input_type(self, remover, any_map):
        original = any_map.given
        before = None
        if hasattr(original, 'shape'):
            before = plain(original).copy()
        sources = np.array([[20.3, 14.6], [33.0, 24.9]])
        result = remover(original, sources)
        cleaned, table = result
        assert type(cleaned) is any_map.output_class
        values = plain(cleaned)
        assert values.dtype == any_map.dtype
        keep = ~any_map.missing & ~result.holes
        assert keep.sum() > 500
        expected = any_map.values
        if np.dtype(any_map.dtype) == float and not np.allclose(
            values[keep], expected[keep]
        ):
            expected = np.round(expected * 100 + 1000)
        assert_array_equal(values[keep], expected.astype(any_map.dtype)[keep])
        assert np.mean(values[result.holes] != expected[result.holes]) > 0.9
        if before is not None:
            assert_array_equal(plain(original), before)
            assert_array_equal(
                bits(values)[any_map.missing],
                bits(before.astype(values.dtype))[any_map.missing],
            )

        assert getattr(cleaned, 'unit', None) == any_map.unit
        has_flux_unit = any_map.unit is not None
        assert (getattr(table['flux'], 'unit', None) == u.Jy) == has_flux_unit
        assert getattr(table['local_bkg'], 'unit', None) == any_map.unit
        assert ('sky_center' in table.colnames) == any_map.has_wcs
        if any_map.has_wcs:
            assert cleaned.wcs is not None
        mask = getattr(cleaned, 'mask', None)
        assert mask is None or np.array_equal(mask, any_map.missing)

        assert type(result.sources) is any_map.output_class
        removed = plain(result.sources)
        assert_array_equal(removed[~result.holes], 0)
        image = remover.make_model_image()
        assert type(image) is (u.Quantity if has_flux_unit else np.ndarray)
        assert getattr(image, 'unit', None) == any_map.unit
        assert_array_equal(plain(image), removed)
        if before is not None:
            residual = remover.make_residual_image(original)
            assert type(residual) is any_map.output_class
            assert_allclose(
                plain(residual)[~any_map.missing],
                values[~any_map.missing],
                rtol=1e-6,
                atol=1e-6,
            )

    def test_uncertainty_of_every_input_type(self, remover, any_map):
        result = remover(any_map.given, np.array([[20.3, 14.6]]))
        uncertainty = getattr(result.cleaned, 'uncertainty', None)
        if any_map.error is None:
            assert uncertainty is None
            return
        assert type(uncertainty) is type(any_map.given.uncertainty)
        std = uncertainty.represent_as(StdDevUncertainty).array
        keep = ~result.holes & ~any_map.missing
        assert_allclose(std[keep], any_map.error[keep], rtol=1e-12)
        inside = np.hypot(*np.ogrid[-14.6:15.4, -20.3:19.7]) <= 5
        assert len(np.unique(std[inside])) == 1

    def test_uncertainty_values(self, remover, scene):
        """In a hole, 0.85 of the scatter of what is smaller than it around it."""
        error = np.full(scene.data.shape, 0.37e-4)
        ccd = CCDData(
            scene.data, unit='Jy/pix', uncertainty=VarianceUncertainty(error**2)
        )
        result = remover(ccd, scene.xy)
        std = np.sqrt(result.cleaned.uncertainty.array)
        x, y = scene.x[0], scene.y[0]
        r = np.hypot(*np.ogrid[-y : 140 - y, -x : 150 - x])
        ring = (r > 25 / 1.6) & (r < 35 / 1.6)
        hole = r <= result.photometry['hole_radius'][0]
        # White noise less its mean over a Gaussian of 1.5 pixels.
        fine = np.sqrt(1 + 1 / (4 * np.pi * 1.5**2) - 1 / (np.pi * 1.5**2))
        expected = 0.85 * fine * result.cleaned.data[ring].std()
        assert_allclose(std[hole], expected, rtol=0.06)
        assert_array_equal(
            result.cleaned.uncertainty.array[~result.holes], (error**2)[~result.holes]
        )

    def test_error_keyword(self, flat_model, scene, ccd):
        error = np.full(scene.data.shape, 0.37e-4)
        remover = NeuralSourceRemover(**GREEN, model=flat_model, error_method='local')
        result = remover(ccd, scene.xy, error=error)
        assert isinstance(result.cleaned.uncertainty, StdDevUncertainty)
        assert_array_equal(result.cleaned.uncertainty.array[~result.holes], 0.37e-4)
        larger = result.photometry['flux_err']
        without = remover(ccd, scene.xy).photometry['flux_err']
        area = np.pi * (7 / 1.6) ** 2
        correction = result.photometry['aperture_correction']
        assert_allclose(
            (larger**2 - without**2).value,
            area * (correction * 0.37e-4) ** 2,
            rtol=1e-6,
        )

    def test_metadata(self, remover, ccd, scene):
        cleaned, table = remover(ccd, scene.xy)
        assert ccd.meta == {'OBJECT': 'test'}
        assert cleaned.meta['OBJECT'] == 'test'
        history = str(cleaned.meta['HISTORY'])
        version = table.meta['versions']['photutils_pconv']
        assert f'photutils-pconv {version}: 3 compact sources' in history
        assert 'setup scanmap/green, model flat' in history
        assert '0123456789abcdef' * 2 in history
        assert table.meta['setup'] == 'scanmap/green'
        assert table.meta['model'] == 'flat'
        assert table.meta['model_checksum'] == '0123456789abcdef' * 4
        assert table.meta['aperture_radii_arcsec'] == [7.0]
        assert table.meta['aperture_corrections'] == 'real'
        assert table.meta['method'] == 'inpaint'
        assert 'psf' not in table.meta
        assert table.meta['annulus_radii_arcsec'] == [25.0, 35.0]
        assert table.meta['colour_corrected'] is False
        assert {'numpy', 'torch'} < set(table.meta['versions'])
        assert table.meta['date'].startswith('20')

    def test_holes(self, remover, ccd, scene):
        result = remover(ccd, scene.xy)
        radius = result.photometry['hole_radius']
        assert_array_equal(radius, scene.setup.hole_radius(result.photometry['snr']))
        drawn = draw_holes(scene.data.shape, scene.x, scene.y, radius)
        # The taper is two pixels wide, and weighs nothing at its end.
        reach = draw_holes(scene.data.shape, scene.x, scene.y, radius + 2 - 1e-9)
        assert_array_equal(result.holes, reach)
        assert np.all(result.holes[drawn])
        same = bits(result.cleaned.data) == bits(scene.data)
        assert same[~result.holes].all()
        assert not same[drawn].any()

    def test_model_image(self, remover, ccd, scene):
        with pytest.raises(ValueError, match='no map was cleaned yet'):
            remover.make_model_image()
        with pytest.raises(ValueError, match='no map was cleaned yet'):
            remover.make_residual_image(ccd)
        result = remover(ccd, scene.xy)
        image = remover.make_model_image(scene.data.shape)
        assert image.unit == 'Jy/pix'
        assert_allclose(image.value, scene.data - result.cleaned.data, atol=1e-15)
        image[:] = 0 * image.unit  # a copy
        assert remover.make_model_image().max() > 0.1 * image.unit
        with pytest.raises(ValueError, match=r'shape must be .*\(140, 150\)'):
            remover.make_model_image((150, 140))

    def test_residual_image(self, remover, ccd, scene):
        result = remover(ccd, scene.xy)
        cleaned = result.cleaned.data
        residual = remover.make_residual_image(ccd)
        assert isinstance(residual, CCDData)
        assert residual.unit == ccd.unit
        assert_allclose(residual.data, cleaned, rtol=1e-9)
        milli = remover.make_residual_image(1e3 * scene.data * u.mJy / u.pix)
        assert milli.unit == 'mJy/pix'
        assert_allclose(milli.value, 1e3 * cleaned, rtol=1e-9)
        with pytest.raises(ValueError, match=r'shape \(140, 150\) .* got \(140, 149\)'):
            remover.make_residual_image(scene.data[:, :-1] * u.Unit('Jy/pix'))
        with pytest.raises(ValueError, match='must have the unit'):
            remover.make_residual_image(scene.data)

    def test_masked_map(self, remover, scene):
        """What a masked pixel holds is kept, and is no source."""
        mask = np.zeros(scene.data.shape, dtype=bool)
        mask[50:60, 68] = True
        data = np.where(mask, -7.0, scene.data)
        ccd = CCDData(data, unit='Jy/pix', mask=mask)
        result = remover(ccd, scene.xy)
        assert_array_equal(result.cleaned.mask, mask)
        assert_array_equal(result.cleaned.data[mask], -7)
        assert_array_equal(remover.make_model_image()[mask], 0)
        assert decode_flags(result.photometry['flags'][0]) == ['missing_pixels']
        assert_array_equal(remover.make_residual_image(ccd).data[mask], -7)
