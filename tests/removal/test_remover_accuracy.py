# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what a remover measures, against the truth."""

import numpy as np
import pytest
from astropy.nddata import CCDData
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from photutils_pconv import NeuralSourceRemover, ObservingSetup
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.psf.library import get_psf
from photutils_pconv.simulation import emission_field, random_positions

GREEN = {'mode': 'scanmap', 'band': 'green'}


class TestAperturesBeyondTheHole:
    """Unbiased, though map minus cleaned is zero beyond the hole."""

    def test_compact_psf(self, make_scene, flat_model):
        """A PSF without wings, cut by a hole of about its FWHM."""
        sigma = 14.4 / np.sqrt(8 * np.log(2))
        radius = np.arange(3.0, 60, 1.5)
        setup = ObservingSetup(
            name='compact',
            wavelength=250,
            pixel_scale=3.2,
            psf_fwhm=14.4,
            aperture_radius=10,
            snr_source_radius=4,
            snr_inner_radius=10,
            snr_outer_radius=20,
            snr_thresholds=(2000, 1000),
            hole_radii=(4, 3, 2.5),
            encircled_energy={
                'real': (radius, 1 - np.exp(-0.5 * (radius / sigma) ** 2))
            },
        )
        rng = np.random.default_rng(5)
        grid = np.arange(40, 360, 40)
        x, y = (value.ravel() for value in np.meshgrid(grid, grid))
        x, y = (value + rng.uniform(-0.5, 0.5, x.size) for value in (x, y))
        scene = make_scene(
            x, y, rng.uniform(0.5, 2, x.size), setup=setup, shape=(400, 400), noise=4e-5
        )
        remover = NeuralSourceRemover(
            setup=setup, model=flat_model, aperture_radii=[14, 20]
        )
        table = remover(scene.data, scene.xy).photometry
        assert len(np.unique(table['hole_radius'])) > 1
        assert np.all(table['flags'] & SourceFlags.APERTURE_BEYOND_HOLE)
        assert np.all(table['hole_radius'] * 3.2 < 14)
        for k in range(2):
            ratio = table[f'flux_aperture_{k}'] / scene.flux
            assert abs(np.mean(ratio) - 1) < 0.02
            assert np.std(ratio) < 0.02
        # What the holes hold is up to a third less than the whole.
        assert np.max(table['aperture_correction_1']) > 1.3

    def test_faint_sources(self, model, make_scene):
        rng = np.random.default_rng(77)
        shape = (860, 860)
        x, y = random_positions(shape, 260, rng=rng, separation=40, margin=10)
        unit = make_scene([40.5], [40.5], [1.0], shape=(81, 81))
        noise = 2e-4
        flux = noise * rng.uniform(4, 12, x.size) / unit.data.max()
        scene = make_scene(x, y, flux, shape=shape, sky=2e-3, noise=noise, seed=78)
        remover = NeuralSourceRemover(
            **GREEN,
            model=model,
            aperture_radii=[7, 12, 18],
            aperture_corrections=scene.eef,
        )
        table = remover(scene.data, scene.xy).photometry
        assert np.all(table['flags'] & SourceFlags.APERTURE_BEYOND_HOLE)
        assert np.mean(table['hole_radius'] * 1.6 < 12) > 0.3
        ratios = [table[f'flux_aperture_{k}'].sum() / flux.sum() for k in range(3)]
        # The noise leaves an uncertainty of about 0.006.
        assert_allclose(ratios, 1, atol=0.02)


class TestWingsOfOthers:
    """The wings of a bright source are none of a faint one's flux."""

    @pytest.mark.parametrize(
        'options',
        [
            {'method': 'inpaint'},
            {'method': 'inpaint', 'subtract_wings': True},
            {'method': 'psf'},
        ],
        ids=['inpaint', 'subtracted', 'psf'],
    )
    @pytest.mark.parametrize('pixel_scale', [1.6, 2.0])
    def test_flux_near_a_bright_source(self, make_scene, options, pixel_scale):
        shape = {'shape': (160, 160), 'pixel_scale': pixel_scale}
        x, y = [60.3, 85.1], [70.2, 70.6]
        psf = get_psf('scanmap/green')
        both = make_scene(x, y, [30.0, 0.03], sky=2e-3, noise=2e-5, psf=psf, **shape)
        radius = np.linspace(2.0, 60.0, 59)
        remover = NeuralSourceRemover(
            **GREEN,
            aperture_corrections=(radius, psf.encircled_energy(radius)),
            **options,
        )
        result = remover(CCDData(both.data, unit='Jy/pix', wcs=both.wcs), both.xy)
        ratio = result.photometry['flux'].value[1] / 0.03
        # What the wings hold in the faint one's aperture, over its flux.
        rows, columns = np.indices(both.data.shape)
        distance = np.hypot(rows - y[1], columns - x[1])
        aperture = distance <= 7.0 / pixel_scale
        wings = make_scene([x[0]], [y[0]], [30.0], psf=psf, **shape).data
        share = wings[aperture].sum() / 0.03
        assert share > 0.5
        assert abs(ratio - 1.0) < 0.25 * share
        # The cleaned map has them, or has none, in the hole as around it.
        cleaned = result.cleaned.data
        hole = distance <= 5.0
        around = (distance > 10.0) & (distance < 16.0) & (columns > 78.0)
        kept = options == {'method': 'inpaint'}
        step = (cleaned - wings if kept else cleaned) - 2e-3
        assert abs(step[hole].mean()) < 0.3 * wings[hole].mean()
        assert abs(step[around].mean()) < 0.3 * wings[around].mean()


class TestAccuracy:
    """The claims for the bundled model."""

    def test_structured_emission(self, model, make_scene):
        """Bias below 2 percent above SNR 12, less scatter than annuli."""
        ratios = []
        for seed in range(3):
            rng = np.random.default_rng([31, seed])
            shape = (420, 420)
            x, y = random_positions(shape, 36, rng=rng, separation=54, margin=30)
            unit = make_scene([40.5], [40.5], [1.0], shape=(81, 81))
            emission = 1e-3 * emission_field(shape, beam_fwhm=4.2, rng=rng)
            noise = 1e-4
            local = gaussian_filter((emission - gaussian_filter(emission, 12)) ** 2, 15)
            spread = np.sqrt(local[y.astype(int), x.astype(int)] + noise**2)
            flux = spread * np.geomspace(12, 400, x.size) / unit.data.max()
            scene = make_scene(x, y, flux, shape=shape, noise=noise, seed=seed)
            remover = NeuralSourceRemover(
                **GREEN, model=model, aperture_corrections=scene.eef
            )
            table = remover(scene.data + emission, scene.xy).photometry
            use = table['snr'] > 12
            assert use.sum() > 20
            ratios.append(
                [(table[name] / flux)[use] for name in ('flux', 'flux_annulus')]
            )
        ours, annulus = np.concatenate(ratios, axis=1)
        assert abs(np.median(ours) - 1) < 0.02
        spread = [np.subtract(*np.percentile(r, [75, 25])) for r in (ours, annulus)]
        assert spread[0] < spread[1]
