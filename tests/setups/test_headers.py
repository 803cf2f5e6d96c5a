# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the setup that a map's header tells."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover, PConvBackground
from photutils_pconv.inputs import read_fits_map
from photutils_pconv.removal import provenance
from photutils_pconv.setups import (
    ObservingSetup,
    check_setup,
    find_setup,
    get_setup,
    register_setup,
    unregister_setup,
)

PACS = {'INSTRUME': 'PACS'}
SCAN = PACS | {'OBS_MODE': 'Scan map'}
BLUE = SCAN | {'WAVELNTH': 70.0, 'CAMERA': 'PHOTBLUE', 'BLUEBAND': 'blue1'}


@pytest.fixture
def other_setup():
    """Register a setup of another instrument."""
    values = get_setup('scanmap', 'red').to_dict()
    values |= {'name': 'camera/850', 'instrument': '', 'mode': '', 'band': ''}
    values |= {'wavelength_um': 850.0}
    setup = ObservingSetup.from_dict(values)
    register_setup(setup)
    yield setup
    unregister_setup(setup.name)


class TestFindSetup:
    @pytest.mark.parametrize(
        ('header', 'name'),
        [
            (BLUE, 'scanmap/blue'),
            (SCAN | {'WAVELNTH': 100}, 'scanmap/green'),
            (SCAN | {'WAVELNTH': 160 * u.um}, 'scanmap/red'),
            # The blue camera's filter says nothing of the red one's map.
            (SCAN | {'CAMERA': 'PHOTRED', 'BLUEBAND': 'blue2'}, 'scanmap/red'),
            (SCAN | {'CAMERA': 'PHOTBLUE', 'BLUEBAND': 'blue2'}, 'scanmap/green'),
            (PACS | {'CUSMODE': 'SpirePacsParallel', 'WAVELNTH': 70}, 'parallel/blue'),
            (
                {'INSTRMNT': 'PACS', 'DETECTOR': 'GREEN', 'OBSMODE': 'PARALLEL'},
                'parallel/green',
            ),
            ({'FILTER': 'PACS160', 'CUSMODE': 'PacsPhoto'}, 'scanmap/red'),
            ({'SETUP': 'parallel/red', 'WAVELNTH': 160.0}, 'parallel/red'),
            ({'INSTRUME': 'SCUBA-2', 'WAVELEN': 850e-6}, 'scuba2/850'),
            ({'RESTFRQ': 352.697e9}, 'scuba2/850'),
            ({'BAND': '850 micron'}, 'scuba2/850'),
            ({'INSTRUME': 'SPIRE', 'WAVELNTH': 250}, 'spire/250'),
            ({'INSTRUME': 'MIPS', 'WAVELNTH': 160.0}, 'mips/160'),
        ],
    )
    def test_told(self, header, name):
        choice = find_setup(fits.Header(header) if 'WAVELNTH' not in header else header)
        assert choice.setup.name == name
        assert choice.reason.startswith('the header says ')

    @pytest.mark.parametrize(
        ('mode', 'band', 'header', 'name'),
        [
            ('parallel', None, {'WAVELNTH': 70.0}, 'parallel/blue'),
            (None, 'red', SCAN, 'scanmap/red'),
            # What is asked for counts more than the header.
            ('parallel', None, BLUE, 'parallel/blue'),
            (None, 'red', BLUE, 'scanmap/red'),
            ('scanmap', 'green', BLUE, 'scanmap/green'),
        ],
    )
    def test_half_told(self, mode, band, header, name):
        assert find_setup(header, mode=mode, band=band).setup.name == name

    @pytest.mark.parametrize(
        ('header', 'options', 'match'),
        [
            ({}, {}, 'says nothing of wavelength or mode.*give mode and band, or'),
            (
                {'WAVELNTH': 0.0, 'INSTRUME': 'Unknown'},
                {},
                'says nothing of wavelength',
            ),
            ({'WAVELNTH': np.nan}, {}, 'says nothing of wavelength'),
            (SCAN, {}, "OBS_MODE = 'Scan map', which names no setup"),
            (
                {'WAVELNTH': 70.0},
                {},
                "WAVELNTH = 70.0, which fits 'scanmap/blue', 'parallel/blue', "
                "'mips/70': give setup, one of them",
            ),
            (
                PACS | {'WAVELNTH': 70.0},
                {},
                "which fits 'scanmap/blue', 'parallel/blue': give mode, one of "
                "'parallel', 'scanmap'",
            ),
            (
                PACS | {'CAMERA': 'PHOTBLUE', 'OBS_MODE': 'Scan map'},
                {},
                "give band, one of 'blue', 'green'",
            ),
            ({'FILTER': 'red'}, {'mode': 'scanmap'}, "mode='scanmap' was given"),
            ({'INSTRUME': 'LABOCA', 'WAVELNTH': 160.0}, {}, "'LABOCA'.*names no setup"),
            (BLUE | {'CAMERA': 'PHOTRED'}, {}, "WAVELNTH = 70.0.*'PHOTRED'"),
            ({}, {'band': 'violet'}, "Unknown band 'violet'; accepted are: 'blue'"),
            (BLUE, {'mode': 'slew'}, "Unknown mode 'slew'"),
        ],
    )
    def test_not_told(self, header, options, match):
        with pytest.raises(ValueError, match=match):
            find_setup(header, **options)

    def test_beam(self):
        """Where the wavelength leaves two setups, the beam may decide."""
        fwhm = [get_setup(mode, 'blue').psf_fwhm for mode in ('scanmap', 'parallel')]
        assert fwhm[1] > 1.2 * fwhm[0]
        for mode, one in zip(('scanmap', 'parallel'), fwhm, strict=True):
            header = {'WAVELNTH': 70.0, 'BMAJ': 1.03 * one.to_value(u.deg)}
            choice = find_setup(header)
            assert choice.setup.name == f'{mode}/blue'
            assert 'BMAJ' in choice.reason

    def test_numbered_cards(self, tmp_path):
        """Herschel products may number cards and say elsewhere what they are."""
        primary = fits.PrimaryHDU()
        for number, (name, value) in enumerate(
            {
                'instrument': 'PACS',
                'cusMode': 'SpirePacsParallel',
                'wavelength': 160.0,
            }.items()
        ):
            primary.header[f'META_{number}'] = value
            primary.header[f'HIERARCH key.META_{number}'] = name
        image = fits.ImageHDU(np.ones((5, 5)), name='image')
        image.header['BUNIT'] = 'Jy/pixel'
        fits.HDUList([primary, image]).writeto(tmp_path / 'map.fits')
        header = read_fits_map(tmp_path / 'map.fits').meta
        assert find_setup(header).setup.name == 'parallel/red'


class TestCheckSetup:
    @pytest.mark.parametrize(
        ('name', 'header'),
        [
            ('scanmap/blue', BLUE),
            ('scanmap/blue', {}),
            ('parallel/green', {'WAVELNTH': 100.0}),
            ('camera/850', {'INSTRUME': 'SCUBA-2', 'WAVELEN': 850e-6}),
            ('camera/850', {'OBS_MODE': 'Scan map'}),
        ],
    )
    @pytest.mark.usefixtures('other_setup')
    def test_agrees(self, name, header):
        assert check_setup(get_setup(setup=name), header)

    @pytest.mark.parametrize(
        ('name', 'header', 'match'),
        [
            (
                'scanmap/red',
                BLUE,
                r"'scanmap/red' \(160 micron\), but .* WAVELNTH = 70.0.*'PHOTBLUE'.*"
                "give 'scanmap/blue'",
            ),
            ('parallel/blue', BLUE, "OBS_MODE = 'Scan map'"),
            ('scanmap/blue', {'INSTRUME': 'MIPS', 'WAVELNTH': 70.0}, "'MIPS'.*mips/70"),
            ('scanmap/green', {'SETUP': 'scanmap/red'}, "SETUP = 'scanmap/red'"),
            ('camera/850', BLUE, 'WAVELNTH = 70.0'),
        ],
    )
    @pytest.mark.usefixtures('other_setup')
    def test_contradicts(self, name, header, match):
        with pytest.warns(AstropyUserWarning, match=match):
            assert not check_setup(get_setup(setup=name), header)


class TestUsers:
    """The remover and the background take the setup from the map."""

    @pytest.fixture
    def ccd(self):
        values = np.random.default_rng(5).normal(size=(60, 60))
        values[30, 30] += 100
        return CCDData(values, unit='Jy/pix', meta=dict(BLUE))

    @pytest.fixture
    def settings(self, flat_model):
        return {'model': flat_model, 'error_method': 'card', 'fit_positions': False}

    def test_remover(self, ccd, settings):
        remover = NeuralSourceRemover(**settings)
        assert remover.setup is None
        assert remover.settings is None
        assert "map's header" in repr(remover)
        assert "map's header" in str(remover)
        result = remover(ccd, [[30, 30]])
        assert result.photometry.meta['setup'] == remover.setup.name == 'scanmap/blue'
        assert 'WAVELNTH = 70.0' in result.photometry.meta['setup_reason']
        given = NeuralSourceRemover('scanmap', 'blue', **settings)(ccd, [[30, 30]])
        assert given.photometry['flux'] == result.photometry['flux']
        assert given.photometry.meta['setup_reason'] == 'as asked for'
        # Each map has its own.
        ccd.meta['OBS_MODE'] = 'Parallel'
        assert remover(ccd, [[30, 30]]).photometry.meta['setup'] == 'parallel/blue'

    def test_half_told(self, ccd, settings):
        del ccd.meta['OBS_MODE']
        with pytest.raises(ValueError, match='give mode, one of'):
            NeuralSourceRemover(**settings)(ccd, [[30, 30]])
        remover = NeuralSourceRemover(mode='parallel', **settings)
        assert "mode='parallel'" in repr(remover)
        assert remover(ccd, [[30, 30]]).photometry.meta['setup'] == 'parallel/blue'

    def test_contradiction(self, ccd, settings):
        remover = NeuralSourceRemover('scanmap', 'red', **settings)
        with pytest.warns(AstropyUserWarning, match="'scanmap/red'.*WAVELNTH = 70.0"):
            result = remover(ccd, [[30, 30]])
        assert result.photometry.meta['setup'] == 'scanmap/red'

    def test_array(self, ccd, settings):
        with pytest.raises(ValueError, match='give mode and band, or setup'):
            NeuralSourceRemover(**settings)(ccd.data, [[30, 30]])

    @pytest.mark.parametrize(
        ('options', 'error', 'match'),
        [
            ({'fill': 'noise'}, ValueError, 'fill must be one of'),
            ({'aperture_radii': -1}, ValueError, 'positive'),
            ({'mode': 'slew'}, ValueError, 'Unknown mode'),
            ({'psf': 'nonesuch.fits'}, FileNotFoundError, 'nonesuch'),
        ],
    )
    def test_refused_at_once(self, options, error, match):
        with pytest.raises(error, match=match):
            NeuralSourceRemover(**options)

    def test_background(self, ccd, flat_model):
        background = PConvBackground(ccd, [[30, 30]], model=flat_model)
        assert background.setup.name == 'scanmap/blue'
        assert 'WAVELNTH' in background.photometry.meta['setup_reason']
        with pytest.warns(AstropyUserWarning, match='header of the map says'):
            PConvBackground(ccd, [[30, 30]], setup='scanmap/red', model=flat_model)
        with pytest.raises(ValueError, match='give mode and band, or setup'):
            PConvBackground(ccd.data, [[30, 30]], model=flat_model)

    def test_log(self, ccd, settings, caplog, monkeypatch):
        """What was chosen is said, but not once for each of many removals."""
        monkeypatch.setattr(provenance, '_said', set())
        for _ in range(2):
            NeuralSourceRemover(**settings)(ccd, [[30, 30]])
        (record,) = [one for one in caplog.records if one.levelname == 'INFO']
        assert "setup 'scanmap/blue' (the header says WAVELNTH" in record.getMessage()
        assert "method 'inpaint' (the model is of the kind" in record.getMessage()


class TestRealMaps:
    @pytest.mark.parametrize(
        ('name', 'setup'),
        [
            ('gamma_dra_blue_jscanam', 'scanmap/blue'),
            ('gamma_dra_blue_unimap', 'scanmap/blue'),
            ('a1689_green_jscanam', 'scanmap/green'),
            ('a1689_red_jscanam', 'scanmap/red'),
            ('ngc5584_green_3arcsec', 'parallel/green'),
        ],
    )
    def test_told(self, real_data, name, setup):
        header = read_fits_map(real_data / 'pacs' / f'{name}.fits.gz').meta
        assert find_setup(header).setup.name == setup

    def test_early_product(self, real_data):
        """Its header says WAVELNTH = 0.0 and Unknown."""
        header = read_fits_map(real_data / 'pacs/eta_dra_blue_photproject.fits').meta
        with pytest.raises(ValueError, match='give mode and band'):
            find_setup(header)

    def test_wrong_band(self, real_data, flat_model):
        """What gave a wrong flux, and not a word."""
        remover = NeuralSourceRemover(
            'scanmap', 'red', model=flat_model, error_method='card'
        )
        star = SkyCoord('17h56m36.37s +51d29m20.0s')
        path = real_data / 'pacs/gamma_dra_blue_jscanam.fits.gz'
        with pytest.warns(AstropyUserWarning, match="'scanmap/red'.*WAVELNTH = 70.0"):
            table = remover(path, star).photometry
        assert table.meta['setup'] == 'scanmap/red'
