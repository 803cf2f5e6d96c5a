# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of sampled PSFs and of the six bundled PSFs of Herschel/PACS.
"""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose
from photutils.aperture import CircularAperture
from photutils.psf import ImagePSF
from scipy.ndimage import map_coordinates
from scipy.optimize import minimize
from scipy.special import erf

import photutils_pconv
from photutils_pconv.psf.library import SampledPSF, get_psf
from photutils_pconv.psf.lobed import LobedPSF, lobed_psf
from photutils_pconv.setups.registry import get_setup, register_setup
from photutils_pconv.setups.registry import unregister_setup as unregister
from photutils_pconv.setups.setup import ObservingSetup
from photutils_pconv.simulation import inject_sources

FOLDER = Path(photutils_pconv.__file__).parent / 'data' / 'psf'
ROOT = Path(__file__).parents[2]
BUNDLED = [
    f'{mode}/{band}'
    for mode in ('scanmap', 'parallel')
    for band in ('blue', 'green', 'red')
]
SIGMA = 2.5  # arcsec
VESTA = {'blue': 1.2, 'green': 1.2, 'red': 2.4}  # arcsec

# Lutz, PICC-ME-TN-033: 20 arcsec/s scans.
PUBLISHED_FWHM = {'blue': (5.46, 5.76), 'green': (6.69, 6.89), 'red': (10.65, 12.13)}


def gaussian(n=61, *, step=0.8, sigma=SIGMA):
    """A round Gaussian, the flux in each sample."""
    offset = (np.arange(n) - n // 2) * step
    one = np.exp(-0.5 * (offset / sigma) ** 2)
    image = np.outer(one, one)
    return image / image.sum()


def gaussian_pixels(shape, x, y, *, scale, sigma=SIGMA):
    """A round Gaussian integrated over pixels, from the error function."""

    def integrals(n, centre):
        edges = (np.arange(n + 1) - 0.5 - centre) * scale
        return 0.5 * np.diff(erf(edges / (np.sqrt(2) * sigma)))

    return np.outer(integrals(shape[0], y), integrals(shape[1], x))


def measure(image, x, y, radii):
    """Exact circular apertures, in pixels."""
    apertures = [CircularAperture((x, y), r) for r in radii]
    return np.array([float(a.do_photometry(image)[0][0]) for a in apertures])


def widths(psf):
    """The FWHM along 60 directions, in arcsec."""
    radius = np.arange(0, 20, 0.02)
    phi = np.linspace(0, 2 * np.pi, 120, endpoint=False)[:, None]
    profile = psf.density(radius * np.cos(phi), radius * np.sin(phi))
    reach = radius[np.argmax(profile < 0.5 * profile[0, 0], axis=1)]
    return reach[:60] + reach[60:]


@pytest.fixture(params=BUNDLED)
def setup(request):
    return get_setup(setup=request.param)


@pytest.fixture
def gauss():
    return SampledPSF.from_array(gaussian(), pixel_scale=0.8)


# The bundled PSFs


def test_bundled_psf_is_normalised_and_reaches_far(setup):
    psf = get_psf(setup)
    assert isinstance(psf, SampledPSF)
    assert_allclose(psf.data.sum(), 1, atol=1e-6)
    assert psf.data.min() >= 0
    assert psf.radius >= 60
    assert_allclose(psf.encircled_energy(psf.radius), 1, atol=1e-4)
    # The image ends smoothly: no step at its edge.
    peak = psf.data.max()
    edge = max(psf.data[[0, -1]].max(), psf.data[:, [0, -1]].max())
    assert edge < 1e-6 * peak
    assert psf.data.argmax() == psf.data.size // 2


def test_bundled_psf_is_oversampled_by_an_integer(setup):
    psf = get_psf(setup)
    factor = setup.pixel_scale.value / psf.pixel_scale
    assert factor >= 2
    assert_allclose(factor, round(factor))
    assert psf.meta['OVERSAMP'] == round(factor)


def test_files_are_small():
    paths = sorted(FOLDER.glob('*.fits'))
    names = [path.stem.replace('_', '/') for path in paths]
    assert sorted(names) == sorted(BUNDLED)
    assert sum(path.stat().st_size for path in paths) < 3e6


def test_header_tells_how_it_was_made(setup):
    path = FOLDER / f'{setup.mode}_{setup.band}.fits'
    data, header = fits.getdata(path), fits.getheader(path, 1)
    assert data.dtype.newbyteorder('=') == np.float32
    assert header['SETUP'] == setup.name
    assert (ROOT / header['SCRIPT']).is_file()
    assert header['APERTURE'] == 3.28
    keywords = 'OBSCUR STRUT DETPIX JITTER SCANLEN HALOFRAC WFE10 TEMPER BANDMIN'
    for key in keywords.split():
        assert np.isfinite(header[key])
        assert header.comments[key]
    assert header['WFE10'] != 0  # the three-fold term
    assert header['EEFDEV'] <= 0.03
    assert header['EEFDEVM'] <= 0.03
    # What is written about the PSF is what it is.
    psf = get_psf(setup)
    fwhm = widths(psf)
    assert_allclose(header['FWHMMIN'], fwhm.min(), rtol=0.01)
    assert_allclose(header['FWHMMAX'], fwhm.max(), rtol=0.01)


def table(setup):
    radii, eef = setup.encircled_energy['real']
    keep = radii >= (10 if setup.band == 'red' else 5)
    return radii[keep], eef[keep]


def test_encircled_energy_agrees_with_real_maps(setup):
    radii, eef = table(setup)
    psf = get_psf(setup)
    assert_allclose(psf.encircled_energy(radii), eef, rtol=0.03)


def test_apertures_on_a_native_map_agree_with_real_maps(setup):
    radii, eef = table(setup)
    psf = get_psf(setup)
    scale = setup.pixel_scale.value
    rng = np.random.default_rng(3)
    found = []
    for x, y, angle in rng.uniform([29.5, 29.5, 0], [30.5, 30.5, 6.3], (24, 3)):
        image = psf.render((61, 61), x, y, pixel_scale=scale, angle=angle)
        found.append(measure(image, x, y, radii / scale))
    found = np.mean(found, axis=0)
    assert_allclose(found, eef, rtol=0.03)
    # The closed form is the mean over positions and angles.
    expected = psf.encircled_energy(radii, pixel_scale=scale)
    assert_allclose(expected, found, rtol=3e-3)


@pytest.mark.parametrize('band', VESTA)
def test_scanmap_fwhm_agrees_with_published(band):
    fwhm = widths(get_psf(f'scanmap/{band}'))
    assert_allclose([fwhm.min(), fwhm.max()], PUBLISHED_FWHM[band], rtol=0.05)


@pytest.mark.parametrize(('band', 'ratio'), [('blue', 1.2), ('green', 1.1)])
def test_parallel_psf_is_elongated(band, ratio):
    elongation = {}
    for mode in ('scanmap', 'parallel'):
        fwhm = widths(get_psf(f'{mode}/{band}'))
        elongation[mode] = fwhm.max() / fwhm.min()
    assert elongation['parallel'] > ratio
    assert elongation['parallel'] > elongation['scanmap'] + 0.08


def test_one_lobe_points_along_x():
    phi = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    setup = get_setup('scanmap', 'blue')
    for psf in (get_psf(setup), lobed_psf(setup)):
        ring = psf.density(10 * np.cos(phi), 10 * np.sin(phi))
        third = np.fft.rfft(ring)[3] / ring.sum()
        assert abs(third) > 0.05
        assert abs(np.angle(third)) < np.radians(10)


@pytest.mark.parametrize('band', VESTA)
def test_agrees_with_vesta(real_data, band):
    step = VESTA[band]
    path = real_data / 'psf' / f'vesta_{band}_{step}arcsec.fits'
    vesta = fits.getdata(path).astype(float)
    assert_allclose(vesta.sum(), 1, atol=1e-6)
    psf = get_psf(f'scanmap/{band}')
    centre = vesta.shape[0] // 2

    def difference(pose):
        x, y, angle = pose
        image = psf.render(
            vesta.shape, centre + x, centre + y, pixel_scale=step, angle=angle
        )
        return np.abs(image / image.sum() - vesta).sum()

    angles = np.arange(0, 2 * np.pi, np.pi / 12)
    start = min(angles, key=lambda angle: difference((0, 0, angle)))
    result = minimize(
        difference,
        (0, 0, start),
        method='Nelder-Mead',
        options={
            'initial_simplex': [
                (0, 0, start),
                (0.2, 0, start),
                (0, 0.2, start),
                (0, 0, start + 0.1),
            ]
        },
    )
    assert result.fun < 0.10
    assert_allclose(result.fun, psf.meta['VESTADEV'], atol=3e-3)
    # The rotation matters: the round average is not as close.
    phi = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    yy, xx = np.indices(vesta.shape) - centre
    r = np.hypot(xx, yy)[..., None]
    average = map_coordinates(
        vesta, [centre + r * np.sin(phi), centre + r * np.cos(phi)], mode='nearest'
    ).mean(axis=2)
    assert np.abs(average / average.sum() - vesta).sum() > 0.11


@pytest.mark.parametrize('scale', [0.8, 1.2, 1.6, 2.3, 3.2, 3.5, 5.0, 8.0])
@pytest.mark.parametrize(
    ('x', 'y', 'angle'), [(0, 0, 0), (0.5, -0.5, 0.3), (-0.23, 0.41, 2.0)]
)
def test_flux_is_conserved(setup, scale, x, y, angle):
    psf = get_psf(setup)
    n = 2 * int(105 / scale) + 3
    image = psf.render((n, n), n // 2 + x, n // 2 + y, pixel_scale=scale, angle=angle)
    assert_allclose(image.sum(), 1, atol=1e-3)


def test_source_lies_where_it_was_put(setup):
    psf = get_psf(setup)
    for x, y in [(20, 20), (20.5, 19.7), (19.77, 20.41)]:
        image = psf.render((41, 41), x, y, pixel_scale=0.8, angle=0.4)
        dy, dx = np.indices(image.shape) - np.array([y, x])[:, None, None]
        core = image * np.exp(-0.5 * (dx**2 + dy**2) / 5**2)
        # within 0.1 arcsec
        assert_allclose((core * dx).sum() / core.sum(), 0, atol=0.12)
        assert_allclose((core * dy).sum() / core.sum(), 0, atol=0.12)


def test_injected_flux(setup):
    scale = setup.pixel_scale.value
    n = int(230 / scale)
    image = inject_sources(
        np.zeros((n, n)),
        [n / 2 + 0.3],
        [n / 2 - 0.1],
        2.0,
        psf=get_psf(setup),
        pixel_scale=scale,
        angle=0.7,
    )
    assert_allclose(image.sum(), 2, rtol=1e-3)


@pytest.mark.slow
def test_script_makes_the_same_files(tmp_path):
    pytest.importorskip('poppy', reason='poppy is needed to build the PSFs')
    script = ROOT / 'tools' / 'build_psfs.py'
    subprocess.run(
        [sys.executable, script, '--from-headers', '-o', tmp_path],
        check=True,
        capture_output=True,
    )
    for path in FOLDER.glob('*.fits'):
        shipped, made = fits.getdata(path), fits.getdata(tmp_path / path.name)
        assert_allclose(made, shipped, atol=1e-5 * shipped.max())


# Sampled PSFs


@pytest.mark.parametrize('scale', [0.5, 0.8, 1.6, 3.2, 6.0])
def test_render_integrates_over_pixels(gauss, scale):
    image = gauss.render((25, 31), 15.3, 11.6, pixel_scale=scale, oversampling=8)
    expected = gaussian_pixels((25, 31), 15.3, 11.6, scale=scale)
    assert_allclose(image, expected, atol=4e-3 * expected.max())


@pytest.mark.parametrize('scale', [0.5, 1.6, 6.0])
def test_render_takes_enough_points_by_default(gauss, scale):
    image = gauss.render((25, 31), 15.3, 11.6, pixel_scale=scale)
    expected = gaussian_pixels((25, 31), 15.3, 11.6, scale=scale)
    assert_allclose(image, expected, atol=0.02 * expected.max())


def test_effective_pixel_is_not_repeated():
    data = gaussian_pixels((31, 31), 15, 15, scale=1.6)
    psf = SampledPSF.from_array(data, pixel_scale=1.6, effective_pixel=1.6)
    image = psf.render((31, 31), 15.4, 14.8, pixel_scale=1.6)
    expected = gaussian_pixels((31, 31), 15.4, 14.8, scale=1.6)
    assert_allclose(image, expected, atol=4e-3 * expected.max())
    # A larger pixel averages, and keeps the flux at any position.
    for x in (15, 15.25, 15.5):
        image = psf.render((31, 31), x, 15, pixel_scale=6.0)
        assert_allclose(image.sum(), 1, atol=1e-3)


@pytest.mark.parametrize('quarters', [1, 2, 3])
def test_rotation_is_counter_clockwise(quarters):
    psf = get_psf('parallel/blue')
    image = psf.render((61, 61), 30, 30, pixel_scale=1.6)
    turned = psf.render((61, 61), 30, 30, pixel_scale=1.6, angle=quarters * np.pi / 2)
    # Rows go up on the sky, down in rot90's picture of the array.
    assert_allclose(turned, np.rot90(image, -quarters), atol=1e-12)


def test_rotation_agrees_with_lobed_psf():
    setup = get_setup('scanmap', 'blue')
    lobed = lobed_psf(setup)
    offset = (np.arange(121) - 60) * 0.8
    data = lobed.density(*np.meshgrid(offset, offset)) * 0.64
    psf = SampledPSF.from_array(data, pixel_scale=0.8, normalize=False)
    options = {'pixel_scale': 1.6, 'angle': 0.4, 'stretch': 1.1, 'oversampling': 4}
    expected = lobed.render((31, 31), 15.2, 14.9, **options)
    image = psf.render((31, 31), 15.2, 14.9, **options)
    assert_allclose(image, expected, atol=2e-3 * expected.max())


def test_encircled_energy_of_a_gaussian(gauss):
    radii = np.array([0, 1, 2.5, 5, 8, 100])
    expected = 1 - np.exp(-0.5 * (radii / SIGMA) ** 2)
    assert_allclose(gauss.encircled_energy(radii), expected, atol=3e-4)
    assert np.ndim(gauss.encircled_energy(5.0)) == 0


def test_nothing_beyond_the_image(gauss):
    assert gauss.density(60.0, 0.0) == 0
    image = gauss.render((9, 9), 200, 4, pixel_scale=1.6)
    assert_allclose(image, 0, atol=0)


def test_image_psf_gives_the_same_map(gauss):
    model = gauss.to_image_psf(pixel_scale=3.2, oversampling=5)
    assert isinstance(model, ImagePSF)
    assert_allclose(model.data.sum(), 25)
    yy, xx = np.indices((25, 25))
    model.x_0, model.y_0, model.flux = 12.3, 11.8, 3.0
    expected = 3 * gaussian_pixels((25, 25), 12.3, 11.8, scale=3.2)
    assert_allclose(model(xx, yy), expected, atol=3e-3 * expected.max())


@pytest.mark.parametrize('angle', [0.0, 0.8])
def test_bundled_image_psf(setup, angle):
    scale = setup.pixel_scale.value
    psf = get_psf(setup)
    model = psf.to_image_psf(pixel_scale=scale, angle=angle)
    model.x_0, model.y_0 = 30.3, 29.6
    yy, xx = np.indices((61, 61))
    expected = psf.render((61, 61), 30.3, 29.6, pixel_scale=scale, angle=angle)
    assert_allclose(model(xx, yy), expected, atol=3e-3 * expected.max())


def test_image_psf_round_trip(setup):
    scale = setup.pixel_scale.value
    psf = get_psf(setup)
    again = get_psf(psf.to_image_psf(pixel_scale=scale), pixel_scale=scale)
    options = {'pixel_scale': scale, 'angle': 0.3}
    expected = psf.render((51, 51), 25.2, 24.7, **options)
    image = again.render((51, 51), 25.2, 24.7, **options)
    assert_allclose(image, expected, atol=3e-3 * expected.max())


def test_fits_round_trip(tmp_path):
    psf = SampledPSF.from_array(gaussian(), pixel_scale=0.7, effective_pixel=1.4)
    path = tmp_path / 'psf.fits.gz'
    psf.to_fits(path)
    again = SampledPSF.from_fits(path)
    assert_allclose(again.data, psf.data, atol=1e-7 * psf.data.max())
    assert (again.pixel_scale, again.effective_pixel) == (0.7, 1.4)
    with pytest.raises(OSError, match='would be overwritten'):
        psf.to_fits(path)
    psf.to_fits(path, overwrite=True)


def test_pickle_and_repr(gauss):
    again = pickle.loads(pickle.dumps(gauss))
    assert_allclose(again.data, gauss.data)
    assert repr(again) == '<SampledPSF(61 x 61 samples of 0.8 arcsec)>'
    assert not gauss.data.flags.writeable
    assert SampledPSF.__module__ == 'photutils_pconv.psf'


# get_psf


def test_get_psf_takes_names_setups_and_psfs(gauss):
    psf = get_psf('scanmap/green')
    assert get_psf(get_setup('scanmap', 'green')) is psf
    assert get_psf(gauss) is gauss
    lobed = LobedPSF((2.0,), (1.0,), (0.0,))
    assert get_psf(lobed) is lobed


def test_get_psf_of_a_setup_of_ones_own():
    given = get_setup('scanmap', 'green').to_dict()
    given |= {'name': 'mine', 'mode': '', 'band': '', 'encircled_energy': {}}
    setup = ObservingSetup.from_dict(given)
    psf = get_psf(setup)
    assert isinstance(psf, LobedPSF)
    assert len(psf.sigmas) == 1
    register_setup(setup)
    try:
        assert get_psf('mine') == psf
    finally:
        unregister('mine')


@pytest.mark.parametrize('key', ['PIXSCALE', 'PIXELSCL', 'WCS'])
def test_get_psf_reads_a_file(tmp_path, key, gauss):
    header = fits.Header()
    if key == 'WCS':
        header['CTYPE1'], header['CTYPE2'] = 'RA---TAN', 'DEC--TAN'
        header['CDELT1'], header['CDELT2'] = -0.8 / 3600, 0.8 / 3600
    else:
        header[key] = 0.8
    path = tmp_path / 'mine.fits'
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(gaussian(), header)]).writeto(path)
    for given in (path, str(path)):
        psf = get_psf(given)
        assert_allclose(psf.pixel_scale, 0.8)
        assert_allclose(psf.data, gauss.data)
    assert get_psf(path, pixel_scale=0.4).pixel_scale == 0.4


def test_get_psf_takes_an_array(gauss):
    for given in (gaussian(), gaussian().astype('>f4'), gaussian().tolist()):
        psf = get_psf(given, pixel_scale=0.8)
        assert_allclose(psf.data, gauss.data, atol=1e-8)


# Bad input


def test_not_normalised_warns():
    with pytest.warns(AstropyUserWarning, match=r'not normalised: its flux is 3'):
        psf = SampledPSF.from_array(3 * gaussian(), pixel_scale=0.8)
    assert_allclose(psf.data.sum(), 1)
    psf = SampledPSF.from_array(0.9 * gaussian(), pixel_scale=0.8, normalize=False)
    assert_allclose(psf.data.sum(), 0.9)
    with pytest.warns(AstropyUserWarning, match=r'not normalised: its flux is 0\.25'):
        get_psf(ImagePSF(gaussian(), oversampling=2), pixel_scale=1.6)


def test_off_centre_warns():
    data = np.roll(gaussian(), (0, 7), axis=(0, 1))
    with pytest.warns(AstropyUserWarning, match='7 columns and 0 rows'):
        SampledPSF.from_array(data, pixel_scale=0.8)


def nan_psf():
    data = gaussian()
    data[3, 4] = np.nan
    return data


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (gaussian(60), r'odd sides.*\(60, 60\)'),
        (gaussian()[:, 1:], 'odd sides'),
        (gaussian()[0], '2-D'),
        (gaussian(3), '5 x 5'),
        (nan_psf(), r'1 of its pixels are not'),
        (-gaussian(), 'sum of a PSF must be positive'),
        (np.zeros((9, 9)), 'sum of a PSF must be positive'),
    ],
)
def test_bad_images(data, message):
    with pytest.raises(ValueError, match=message):
        SampledPSF.from_array(data, pixel_scale=0.8)


def test_bad_arguments(tmp_path, gauss):
    with pytest.raises(TypeError, match='array of real numbers'):
        SampledPSF.from_array([['a'] * 5] * 5, pixel_scale=1)
    with pytest.raises(ValueError, match='pixel_scale must be finite and positive'):
        SampledPSF.from_array(gaussian(), pixel_scale=-1)
    with pytest.raises(ValueError, match='effective_pixel'):
        SampledPSF.from_array(gaussian(), pixel_scale=1, effective_pixel=-1)
    with pytest.raises(ValueError, match='needs pixel_scale'):
        get_psf(gaussian())
    with pytest.raises(ValueError, match='leave out pixel_scale'):
        get_psf('scanmap/blue', pixel_scale=1.6)
    with pytest.raises(TypeError, match='psf must be a setup.*got dict'):
        get_psf({})
    with pytest.raises(FileNotFoundError, match=r"no PSF file 'scanmap/purple'"):
        get_psf('scanmap/purple')
    with pytest.raises(ValueError, match='pixel_scale must be finite'):
        gauss.render((5, 5), 2, 2, pixel_scale=0.0)


def test_bad_files(tmp_path):
    path = tmp_path / 'psf.fits'
    fits.PrimaryHDU(gaussian()).writeto(path)
    with pytest.raises(ValueError, match='does not give the side of a pixel'):
        get_psf(path)
    fits.PrimaryHDU(np.zeros((2, 5, 5))).writeto(path, overwrite=True)
    with pytest.raises(ValueError, match='holds no 2-D image'):
        get_psf(path)


def test_bad_image_psfs():
    with pytest.raises(ValueError, match='one oversampling factor'):
        get_psf(ImagePSF(6 * gaussian(), oversampling=(2, 3)), pixel_scale=1)
    model = ImagePSF(gaussian(), origin=(29.0, 30.0))
    with pytest.raises(ValueError, match='origin of the ImagePSF'):
        get_psf(model, pixel_scale=1)
