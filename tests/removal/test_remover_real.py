# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests with the bundled model on real maps (see `real_data`).

``filterwarnings = error`` makes every warning a failure here: there is
none that a user of these maps could act on.
"""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.stats import sigma_clipped_stats
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal
from photutils.detection import DAOStarFinder

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.photometry.flags import SourceFlags, decode_flags

GAMMA_DRA = Table({'ra': [269.1515412], 'dec': [51.4888957]})
ETA_DRA = Table({'ra': [245.998], 'dec': [61.514]})


def bits(values):
    values = np.ascontiguousarray(values)
    values = values.astype(values.dtype.newbyteorder('='))
    return values.view(f'u{values.dtype.itemsize}')


def read(path, name):
    """Read an image of an HSA product without the package."""
    with fits.open(path) as hdus:
        return hdus[name].data.copy()


def detect(path, setup, n):
    """Find the brightest sources of a map; their pixel positions."""
    given = parse_map(path)
    _, median, std = sigma_clipped_stats(given.data, mask=given.missing)
    finder = DAOStarFinder(
        5 * std, (setup.psf_fwhm / given.pixel_scale).to_value(''), n_brightest=n
    )
    data = np.where(given.missing, 0.0, given.data - median)
    return finder(data, mask=given.missing)


def assert_only_holes_changed(result, values):
    """And missing pixels are not among them."""
    cleaned = result.cleaned.data
    assert cleaned.dtype == values.dtype.newbyteorder('=')
    same = bits(cleaned) == bits(values)
    assert same[~result.holes].all()
    assert not result.holes[result.map_input.missing].any()
    assert not same[result.holes].all()


def assert_sources_are_gone(result):
    """Nothing sticks out of the holes by much more than the noise."""
    table, cleaned = result.photometry, result.cleaned.data
    data, missing = result.map_input.data, result.map_input.missing
    yy, xx = np.indices(cleaned.shape)
    for row in table:
        r = np.hypot(xx - row['x_center'], yy - row['y_center'])
        hole = (r <= row['hole_radius']) & ~missing
        ring = (r > row['hole_radius'] + 2) & (r < row['hole_radius'] + 14) & ~missing
        spread = cleaned[ring].std()
        assert np.max(np.abs(cleaned[hole] - np.median(cleaned[ring]))) < 5 * spread
        assert np.max(data[hole]) > np.max(cleaned[hole])


@pytest.fixture(scope='module')
def gamma_dra(real_data):
    remover = NeuralSourceRemover('scanmap', 'blue', aperture_radii=12, recenter=True)
    return remover(real_data / 'pacs' / 'gamma_dra_blue_jscanam.fits.gz', GAMMA_DRA)


class TestGammaDra:
    def test_flux(self, gamma_dra):
        """Table 5: 3283.0 mJy; the paper found 3283.4."""
        row = gamma_dra.photometry[0]
        assert decode_flags(row['flags']) == []
        assert row['hole_radius'] == 12
        assert_allclose(row['flux'].to_value('mJy'), 3283.0, rtol=0.02)
        assert row['flux_err'].to_value('mJy') < 0.01 * 3283

    def test_recentred(self, gamma_dra):
        """By a few arcsec: the star moves, and so does the telescope."""
        row = gamma_dra.photometry[0]
        given = SkyCoord(GAMMA_DRA['ra'][0], GAMMA_DRA['dec'][0], unit='deg')
        offset = row['sky_center'].separation(given)
        assert 0.1 < offset.arcsec < 5.6
        data = gamma_dra.map_input.data
        peak = np.unravel_index(np.nanargmax(data), data.shape)
        assert np.hypot(row['y_center'] - peak[0], row['x_center'] - peak[1]) < 1

    def test_hole_agrees_with_its_surroundings(self, gamma_dra):
        """
        In its mean and scatter, by the noise of as many beams.

        Noise is correlated within a beam: the mean over the hole cannot
        be told from that around it to better than the scatter over the
        root of the number of beams. The surroundings begin where the
        star's wings end: at 25 arcsec they still stand a third of the
        scatter above the sky. A reconstruction leaves the noise out, so
        its scatter may be lower.
        """
        row, cleaned = gamma_dra.photometry[0], gamma_dra.cleaned.data
        yy, xx = np.indices(cleaned.shape)
        r = np.hypot(xx - row['x_center'], yy - row['y_center'])
        hole = r <= row['hole_radius']
        ring = (r > 48 / 1.6) & (r <= 67 / 1.6)
        beam = np.pi / (4 * np.log(2)) * (5.6 / 1.6) ** 2
        n_beams = hole.sum() / beam
        spread = cleaned[ring].std()
        assert 25 < n_beams < 40
        difference = cleaned[hole].mean() - cleaned[ring].mean()
        assert abs(difference) < 3 * spread / np.sqrt(n_beams)
        assert cleaned[hole].std() < 1.5 * spread

    def test_only_the_hole_changed(self, gamma_dra, real_data):
        path = real_data / 'pacs' / 'gamma_dra_blue_jscanam.fits.gz'
        assert_only_holes_changed(gamma_dra, read(path, 'image'))
        covered = read(path, 'coverage') > 0
        assert_array_equal(gamma_dra.map_input.missing, ~covered)
        assert_array_equal(gamma_dra.cleaned.data[~covered], 0)
        assert isinstance(gamma_dra.cleaned, CCDData)
        assert gamma_dra.cleaned.unit == 'Jy/pix'

    def test_without_recentring(self, real_data):
        """The other map maker's map, and the position as given."""
        remover = NeuralSourceRemover('scanmap', 'blue', aperture_radii=12)
        path = real_data / 'pacs' / 'gamma_dra_blue_unimap.fits.gz'
        table = remover(path, GAMMA_DRA).photometry
        assert_allclose(table['flux'].to_value('mJy'), 3283.0, rtol=0.05)


def test_eta_dra(real_data):
    """An early map with pixels of 3.2 arcsec, twice the native ones."""
    path = real_data / 'pacs' / 'eta_dra_blue_photproject.fits'
    remover = NeuralSourceRemover(
        setup='scanmap/blue', aperture_radii=[6, 12], recenter=True
    )
    row = remover(path, ETA_DRA).photometry[0]
    # Two estimates of one flux.
    assert_allclose(row['flux'], row['flux_aperture_0'], rtol=0.02)
    remover = NeuralSourceRemover(
        setup='scanmap/blue', method='inpaint', aperture_radii=[6, 12], recenter=True
    )
    result = remover(path, ETA_DRA)
    row = result.photometry[0]
    assert decode_flags(row['flags']) == ['resampled']
    # The map's calibration is old: Table 5 has 479.5 mJy, an annulus 540.
    assert_allclose(row['flux_aperture_1'].to_value('mJy'), 540, rtol=0.04)
    assert_allclose(row['flux_aperture_1'], row['flux_annulus_1'], rtol=0.04)
    assert_only_holes_changed(result, read(path, 'image'))
    uncovered = read(path, 'coverage') == 0
    assert uncovered.any()
    assert_array_equal(result.cleaned.data[uncovered], 0)
    assert_sources_are_gone(result)


@pytest.mark.parametrize('band', ['green', 'red'])
def test_a1689(real_data, band):
    path = real_data / 'pacs' / f'a1689_{band}_jscanam.fits.gz'
    # There are one or two clear sources: no more turns' noise than need be.
    remover = NeuralSourceRemover('scanmap', band, method='inpaint', turns=4)
    sources = detect(path, remover.setup, 10)
    result = remover(path, sources)
    table = result.photometry
    assert len(table) == 10
    assert np.all(np.isfinite(table['flux']))
    assert np.all(table['flux'] > 0)
    assert not np.any(table['flags'] & SourceFlags.RESAMPLED)
    # Compact galaxies on flat sky: nothing speaks against an annulus.
    clear = (table['flags'] == 0) & (table['snr'] > 12)
    assert clear.any()
    assert_allclose(table['flux'][clear], table['flux_annulus'][clear], rtol=0.1)
    # With the PSF, too.
    other = NeuralSourceRemover('scanmap', band)(path, sources).photometry
    error = np.hypot(other['flux_err'], table['flux_err'])[clear]
    assert np.all(np.abs(other['flux'] - table['flux'])[clear] < 3 * error)

    assert_only_holes_changed(result, read(path, 'image'))
    uncovered = read(path, 'coverage') == 0
    assert uncovered.mean() > 0.3
    assert_array_equal(result.cleaned.data[uncovered], 0)
    assert_array_equal(result.map_input.missing, uncovered)
    assert_sources_are_gone(result)


def test_off_scale_map(real_data, tmp_path):
    """NGC 5584 at 3 arcsec, 1.9 times the native pixel scale."""
    path = real_data / 'pacs' / 'ngc5584_green_3arcsec.fits.gz'
    remover = NeuralSourceRemover('scanmap', 'green', method='inpaint')
    # Its header speaks of the parallel mode.
    with pytest.warns(AstropyUserWarning, match="give 'parallel/green'"):
        result = remover(path, detect(path, remover.setup, 10))
    table = result.photometry
    assert np.all(table['flags'] & SourceFlags.RESAMPLED)
    assert np.all(np.isfinite(table['flux']))
    ratio = (table['flux'] / table['flux_annulus'])[table['snr'] > 8]
    # An annulus scatters by as much on this galaxy's disc.
    assert abs(np.median(ratio) - 1) < 0.1
    values = read(path, 'image')
    assert_only_holes_changed(result, values)
    assert_array_equal(np.isnan(result.cleaned.data), np.isnan(values))
    assert_sources_are_gone(result)

    cleaned, _ = result.write(tmp_path)
    again = CCDData.read(cleaned, unit='Jy')
    assert_array_equal(bits(again.data), bits(result.cleaned.data))
