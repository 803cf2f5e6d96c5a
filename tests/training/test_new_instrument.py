# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A new instrument from its setup to a cleaned map.
"""

import astropy.units as u
import numpy as np
import pytest

from photutils_pconv import NeuralSourceRemover, ObservingSetup, register_setup
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.setups.registry import unregister_setup
from photutils_pconv.simulation import emission_field, inject_sources, random_positions
from photutils_pconv.training import Trainer, TrainingConfig
from photutils_pconv.training.run import make_data

pytest.importorskip('accelerate')
pytest.importorskip('kornia')

SCALE, FWHM = 2.0, 6.0
RADII = np.arange(2.0, 60.0, 2.0)
# Of the Gaussian PSF, which a setup without a table has.
EEF = 1 - np.exp(-0.5 * (RADII / (FWHM / 2.3548)) ** 2)


@pytest.fixture
def camera():
    """Register the setup of a camera that no model knows."""
    setup = ObservingSetup(
        name='camera/250',
        mode='',
        band='',
        wavelength=250 * u.um,
        pixel_scale=SCALE * u.arcsec,
        psf_fwhm=FWHM * u.arcsec,
        aperture_radius=10 * u.arcsec,
        snr_source_radius=6,
        snr_inner_radius=9,
        snr_outer_radius=18,
        snr_thresholds=(50.0, 10.0),
        hole_radii=(10.0, 8.0, 6.0),
        encircled_energy={},
    )
    register_setup(setup)
    yield setup
    unregister_setup(setup.name)


@pytest.mark.slow
def test_new_instrument(camera, tmp_path):
    few = {'n_fields': 24, 'n_noise': 4, 'n_stamps': 8, 'field_size': 192}
    # Knots and noise of real maps would take more than these few cutouts to learn.
    plain = {
        'realistic': False,
        'missing': 0.0,
        'neighbours': 0.0,
        'log_noise': [-2.0, -1.0],
    }
    config = TrainingConfig.from_dict(
        {
            'name': 'camera',
            'epochs': 2,
            'batch_size': 16,
            'workers': 0,
            'checkpoint_steps': 0,
            'examples': 0,
            'progress_bar': False,
            'network': {'width': 4},
            'augmentation': {'enabled': False},
            'optimiser': {
                'learning_rate': 0.01,
                'schedule': 'cosine',
                'warm_up': 0.05,
                'clip_norm': 5.0,
            },
            'data': {
                'setups': [camera.name],
                'epoch_size': 640,
                'validation_size': 32,
                'sampler': {**few, **plain},
                'validation_sampler': {'n_fields': 8},
            },
        }
    )
    setups, train_data, validation_data = make_data(config)
    trainer = Trainer(
        config,
        train_data=train_data,
        validation_data=validation_data,
        setups=setups,
        output=tmp_path,
    )
    figures = trainer.fit()[-1]
    assert figures['hole_rms'] < 0.7 * figures['hole_rms_annulus']
    model = trainer.export()

    # A map that neither the training nor the validation knows.
    rng = np.random.default_rng(99)
    emission = emission_field((420, 420), beam_fwhm=FWHM / SCALE, rng=rng) * 1e-3
    x, y = random_positions(emission.shape, 40, rng=rng, separation=45, margin=24)
    flux = 10 ** rng.uniform(-1.5, 0.5, size=x.size)
    image = inject_sources(
        emission.astype(float), x, y, flux, psf=lobed_psf(camera), pixel_scale=SCALE
    )
    image += rng.normal(0, 2e-5, size=image.shape)
    remover = NeuralSourceRemover(
        setup=camera.name, model=model, aperture_corrections=(RADII, EEF)
    )
    cleaned, table = remover(image * u.Jy / u.pix, np.stack([x, y], axis=1))

    hole = cleaned.value != image
    error = cleaned.value[hole] - emission[hole]
    assert np.std(error) < 0.7 * np.std(emission[hole])
    network = np.abs(table['flux'].to_value('Jy') - flux)
    annulus = np.abs(table['flux_annulus'].to_value('Jy') - flux)
    assert np.median(network) < 0.8 * np.median(annulus)
