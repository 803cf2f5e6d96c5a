# Licensed under a 3-clause BSD style license - see LICENSE.rst
import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from photutils_pconv.psf.lobed import LobedPSF, lobed_psf
from photutils_pconv.setups.registry import get_setup, list_setups
from photutils_pconv.setups.setup import ObservingSetup

# How far the model may be from the table that it was fitted to. The
# parallel modes' tables are steeper at 4 and 5 arcsec than a Gaussian core
# of the nominal FWHM allows.
TABLE_TOLERANCE = {'scanmap': 0.01, 'parallel': 0.03}


@pytest.fixture(params=list_setups(instrument='PACS'))
def setup(request):
    return get_setup(setup=request.param)


def render(psf, setup, **kwargs):
    # 201 pixels hold the halo's wings in every setup.
    options = {'pixel_scale': setup.pixel_scale.value, **kwargs}
    x, y = options.pop('position', (100.0, 100.0))
    return psf.render((201, 201), x, y, **options)


def polar_grid(radius, *, n_radius=2000, n_angle=24):
    """Midpoints and areas of a polar grid out to a radius."""
    edges = np.linspace(0, radius, n_radius + 1)
    r = 0.5 * (edges[1:] + edges[:-1])[:, None]
    theta = (np.arange(n_angle) + 0.5)[None, :] * 2 * np.pi / n_angle
    area = r * (edges[1] - edges[0]) * 2 * np.pi / n_angle
    return r * np.cos(theta), r * np.sin(theta), area


@pytest.mark.parametrize('shift', [(0, 0), (0.5, 0.5), (0.13, -0.37), (-0.5, 0.25)])
def test_flux_is_conserved_at_any_subpixel_position(setup, shift):
    psf = lobed_psf(setup)
    image = render(psf, setup, position=(100 + shift[0], 100 + shift[1]))
    assert_allclose(image.sum(), 1, atol=1e-3)


@pytest.mark.parametrize('kwargs', [{'angle': 1.1}, {'stretch': 1.1}])
def test_flux_is_conserved_by_rotation_and_stretch(setup, kwargs):
    assert_allclose(render(lobed_psf(setup), setup, **kwargs).sum(), 1, atol=1e-3)


def test_never_negative(setup):
    psf = lobed_psf(setup)
    assert render(psf, setup).min() >= 0
    x = np.linspace(-100, 100, 401)
    assert psf.density(*np.meshgrid(x, x)).min() >= 0


def test_lies_at_its_position(setup):
    # Three lobes balance each other.
    image = render(lobed_psf(setup), setup, position=(100.3, 99.8), angle=0.4)
    y, x = np.indices(image.shape)
    centroid = (image * x).sum(), (image * y).sum()
    assert_allclose(np.array(centroid) / image.sum(), (100.3, 99.8), atol=0.01)


@pytest.mark.parametrize('radius', [3.0, 7.0, 20.0, 60.0])
@pytest.mark.parametrize('angle', [0.0, 0.7])
def test_encircled_energy_is_the_integral_of_the_density(setup, radius, angle):
    psf = lobed_psf(setup)
    dx, dy, area = polar_grid(radius)
    total = (psf.density(dx, dy, angle=angle) * area).sum()
    assert_allclose(psf.encircled_energy(radius), total, rtol=1e-4)


def test_encircled_energy_is_near_the_setups_table(setup):
    psf = lobed_psf(setup)
    radii, eef = setup.encircled_energy['real']
    atol = TABLE_TOLERANCE[setup.mode]
    assert_allclose(psf.encircled_energy(radii), eef, atol=atol)


def test_encircled_energy_rises_from_0_to_1(setup):
    eef = lobed_psf(setup).encircled_energy(np.linspace(0, 300, 601))
    assert eef[0] == 0
    assert np.all(np.diff(eef) >= 0)
    assert_allclose(eef[-1], 1)


def test_three_fold_symmetry(setup):
    psf = lobed_psf(setup)
    rng = np.random.default_rng(3)
    dx, dy = rng.uniform(-30, 30, (2, 500))
    value = psf.density(dx, dy)

    def rotated(degrees):
        z = (dx + 1j * dy) * np.exp(1j * np.radians(degrees))
        return psf.density(z.real, z.imag)

    assert_allclose(rotated(120), value, rtol=1e-9, atol=1e-20)
    assert_allclose(rotated(-120), value, rtol=1e-9, atol=1e-20)
    # ... but neither round nor six-fold
    assert np.max(np.abs(rotated(60) / value - 1)) > 0.3


def test_angle_turns_counter_clockwise(setup):
    psf = lobed_psf(setup)
    angle = 0.3
    r = 3 * psf.sigmas[0]
    theta = np.linspace(0, 2 * np.pi / 3, 2000, endpoint=False)
    values = psf.density(r * np.cos(theta), r * np.sin(theta), angle=angle)
    assert_allclose(theta[np.argmax(values)], angle, atol=2e-3)


def test_stretch_widens_along_the_rotated_axis():
    psf = LobedPSF((3.0,), (1.0,), (0.0,))
    x, y = np.meshgrid(np.arange(-30, 31), np.arange(-30, 31))
    image = psf.density(x, y, stretch=1.2)
    assert_allclose(np.sqrt((image * x**2).sum()), 3.0 * 1.2, rtol=1e-6)
    assert_allclose(np.sqrt((image * y**2).sum()), 3.0 / 1.2, rtol=1e-6)


@pytest.mark.parametrize(('oversampling', 'tolerance'), [(3, 0.012), (9, 1.5e-3)])
def test_render_averages_over_the_pixel(oversampling, tolerance):
    # The coarsest pixels of all setups, for the sharpest core: the error
    # falls with the square of the number of points.
    psf = lobed_psf(get_setup('parallel', 'blue'))
    options = {'pixel_scale': 3.2, 'angle': 0.2}
    image = psf.render((21, 21), 10.2, 9.9, oversampling=oversampling, **options)
    fine = psf.render((21, 21), 10.2, 9.9, oversampling=45, **options)
    assert_allclose(image, fine, atol=tolerance * fine.max())


def test_setup_without_a_table_has_a_gaussian_core():
    setup = ObservingSetup(
        name='mine',
        mode='',
        band='',
        wavelength=24 * u.um,
        pixel_scale=1.25 * u.arcsec,
        psf_fwhm=6.0 * u.arcsec,
        aperture_radius=7 * u.arcsec,
        snr_source_radius=4,
        snr_inner_radius=10,
        snr_outer_radius=22,
        snr_thresholds=(100.0, 10.0),
        hole_radii=(12.0, 8.0, 5.0),
        encircled_energy={},
    )
    psf = lobed_psf(setup)
    peak, half = psf.density(np.array([0.0, 3.0]), np.zeros(2))
    assert_allclose(half / peak, 0.5)
    assert_allclose(psf.encircled_energy(3.0), 0.5)


@pytest.mark.parametrize(
    ('args', 'match'),
    [
        (((1.0, 2.0), (1.0,), (0.0,)), 'one length, got 2, 1 and 1'),
        (((1.0,), (0.9,), (0.0,)), 'sum to 1'),
        (((1.0, 2.0), (1.5, -0.5), (0.0, 0.0)), 'not be negative'),
        (((1.0,), (1.0,), (1.0,)), r'lobes must lie in \[0, 1\)'),
        (((1.0,), (1.0,), (-0.1,)), r'lobes must lie in \[0, 1\)'),
    ],
)
def test_bad_parameters(args, match):
    with pytest.raises(ValueError, match=match):
        LobedPSF(*args)
