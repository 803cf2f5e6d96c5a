# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the errors of fluxes, against what they are by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.photometry.aperture_fluxes import ApertureFluxes, AperturePlan
from photutils_pconv.photometry.calibration import ErrorCalibration
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.removal.empty_sample import EmptySample
from photutils_pconv.removal.filling import Filled, PSFFluxes
from photutils_pconv.removal.flux_errors import estimate_errors

SHAPE = (50, 50)
RADIUS = np.array([6.0, 10.0])
APERTURES = np.array([3.0, 5.0])
RMS = np.array([0.1, 0.2])
FLUX = np.array([[3.0, 4.0], [50.0, 70.0]])
CORRECTION = np.array([[1.5, 1.2], [1.4, 1.1]])
EXCESS = np.array([[0.0, 0.5], [0.2, 0.0]])
FRACTION = np.array([[1.0, 0.81], [1.0, 1.0]])


def scatter(radius, aperture):
    """The calibration's scatter: a power law, which tables keep."""
    return 0.4 * radius**1.2 * aperture**1.5


@pytest.fixture
def calibration():
    radii, shares = np.array([4.0, 8.0, 16.0]), np.array([0.1, 0.5, 1.0])
    table = scatter(radii[:, None], radii[:, None] * shares)
    return ErrorCalibration(
        radii,
        shares,
        table,
        kappa=1.2,
        eps=0.01,
        psf_scatter=[2.0, 3.0, 5.0],
        psf_kappa=1.1,
        psf_eps=0.02,
    )


@pytest.fixture
def case(calibration):
    fluxes = ApertureFluxes(
        flux=FLUX,
        flux_err=FLUX / 7,
        flux_annulus=FLUX,
        aperture_correction=CORRECTION,
        hole_fraction=FRACTION,
        local_bkg=RMS,
        local_bkg_std=RMS,
        flags=np.zeros(2, dtype=int),
        excess=EXCESS,
        aperture_radius=np.tile(APERTURES, (2, 1)),
    )
    zero = np.zeros(SHAPE)
    n = np.zeros(2)
    psf = PSFFluxes(np.array([3.1, 55.0]), np.array([0.3, 0.9]), n, n, n, n)
    return SimpleNamespace(
        grid=MapGrid(zero, zero > 0),
        holes=Holes([20.0, 30.0], [20.0, 30.0], RADIUS, SHAPE),
        filled=Filled(Reconstruction(zero, zero, np.array([True, True])), psf),
        fluxes=fluxes,
        plan=AperturePlan(APERTURES, (12, 18), 1.0, lambda radius: 0.9 + 0 * radius),
        calibration=calibration,
    )


def estimate(case, **options):
    options = {'calibration': case.calibration} | options
    return estimate_errors(
        case.grid, case.holes, case.filled, case.fluxes, case.plan, **options
    )


def by_hand(*, ratio=1.0, factor=1.0, excess=EXCESS):
    """The errors in apertures as the module's text has them."""
    seen = APERTURES * np.sqrt(FRACTION)
    a = scatter(RADIUS[:, None] * factor, seen * factor) / factor**2
    part = 1.2 * ratio * a * RMS[:, None]
    own = 0.01 * FLUX / CORRECTION
    return CORRECTION * np.sqrt(part**2 + own**2 + excess)


def make_sample(case, amplitude=1.0, n=20):
    """Holes whose fluxes are off by the expected scatter, up and down."""
    sign = np.where(np.arange(n) % 2, 1.0, -1.0)
    radius, rms = np.full(n, 6.0), np.full(n, 0.3)
    expected = scatter(6.0, APERTURES) * 0.3
    psf_err = np.full(n, 0.5)
    return EmptySample(
        radius=radius,
        rms=rms,
        flux=amplitude * sign[:, None] * expected,
        hole_fraction=np.ones((n, 2)),
        psf_flux=amplitude * sign * 2.5 * psf_err,
        psf_err=psf_err,
        stamps=(),
    )


def sample_ratio(amplitude, n=20):
    """The robust scatter about two medians, with ten more holes at 1."""
    return (amplitude * 1.482602 * np.sqrt(n / (n - 2))) ** (n / (n + 10))


class TestApertures:
    def test_calibration_alone(self, case):
        errors = estimate(case)
        assert_allclose(errors.flux_err, by_hand(), rtol=1e-6)
        assert errors.n_empty == 0
        assert errors.ratio is None
        assert_array_equal(errors.flags, 0)

    def test_no_error_map(self, case):
        case.fluxes = replace(case.fluxes, excess=None)
        assert_allclose(estimate(case).flux_err, by_hand(excess=0.0), rtol=1e-6)

    @pytest.mark.parametrize('amplitude', [0.5, 1.0, 3.0])
    def test_empty_holes(self, case, amplitude):
        errors = estimate(case, sample=make_sample(case, amplitude))
        ratio = sample_ratio(amplitude)
        assert_allclose(errors.ratio, [ratio, ratio], rtol=1e-5)
        assert_allclose(errors.flux_err, by_hand(ratio=ratio), rtol=1e-5)
        assert errors.n_empty == 20
        assert_array_equal(errors.flags, 0)

    def test_too_few_empty_holes(self, case):
        sample = make_sample(case, 3.0, n=15)
        errors = estimate(case, sample=sample)
        assert_allclose(errors.flux_err, by_hand(), rtol=1e-6)
        assert errors.n_empty == 0
        assert errors.ratio is None
        assert_array_equal(errors.flags, SourceFlags.CALIBRATED_ERROR)

    def test_not_filled(self, case):
        reconstruction = replace(
            case.filled.reconstruction, filled=np.array([True, False])
        )
        case.filled = replace(case.filled, reconstruction=reconstruction)
        errors = estimate(case, sample=make_sample(case, n=3))
        assert_allclose(errors.flux_err[0], by_hand()[0], rtol=1e-6)
        assert np.all(np.isnan(errors.flux_err[1]))
        assert_array_equal(errors.flags, [SourceFlags.CALIBRATED_ERROR, 0])

    def test_local(self, case):
        errors = estimate(case, calibration=None)
        assert_array_equal(errors.flux_err, case.fluxes.flux_err)
        assert_array_equal(errors.flux_psf_err, case.filled.psf_fluxes.flux_err)
        assert errors.n_empty == 0

    def test_off_the_native_scale(self, case):
        """The calibration counts native pixels."""
        case.grid = MapGrid(case.grid.data, case.grid.missing, factor=1.5)
        assert_allclose(estimate(case).flux_err, by_hand(factor=1.5), rtol=1e-6)


class TestPSF:
    def by_hand(self, case, scale, kappa=1.1, eps=0.02):
        flux, err = case.filled.psf_fluxes.flux, case.filled.psf_fluxes.flux_err
        # The excess of a mean pixel of the small aperture.
        excess = (err / RMS) ** 2 * EXCESS[:, 0] / (np.pi * 9)
        return np.sqrt((kappa * scale * err) ** 2 + (eps * flux) ** 2 + excess)

    def test_calibration_alone(self, case):
        errors = estimate(case)
        # Between radii of 4, 8 and 16 pixels.
        expected = self.by_hand(case, np.array([2.5, 3.5]))
        assert_allclose(errors.flux_psf_err, expected, rtol=1e-6)

    def test_empty_holes(self, case):
        errors = estimate(case, sample=make_sample(case, 2.0))
        expected = self.by_hand(case, sample_ratio(2.0) * np.array([2.5, 3.5]))
        assert_allclose(errors.flux_psf_err, expected, rtol=1e-5)

    @pytest.mark.parametrize('with_sample', [False, True])
    def test_known(self, case, with_sample):
        """What two passes measured filter by filter is not scaled."""
        sample = make_sample(case, 3.0) if with_sample else None
        errors = estimate(case, sample=sample, known_psf_errors=True)
        expected = self.by_hand(case, 1.0, kappa=1.0, eps=0.0)
        assert_allclose(errors.flux_psf_err, expected, rtol=1e-9)

    def test_none(self, case):
        case.filled = replace(case.filled, psf_fluxes=None)
        assert estimate(case).flux_psf_err is None
        assert estimate(case, calibration=None).flux_psf_err is None


class TestWithoutTheSource:
    def test_apertures(self, case):
        """The scatter of empty holes: neither kappa nor what grows with the flux."""
        errors = estimate(case, sample=make_sample(case, 3.0))
        seen = APERTURES * np.sqrt(FRACTION)
        part = sample_ratio(3.0) * scatter(RADIUS[:, None], seen) * RMS[:, None]
        expected = CORRECTION * np.sqrt(part**2 + EXCESS)
        assert_allclose(errors.null_err, expected, rtol=1e-6)
        assert np.all(errors.null_err < errors.flux_err)

    def test_known_psf_errors(self, case):
        psf = replace(case.filled.psf_fluxes, null_err=np.array([0.1, 0.2]))
        case.filled = replace(case.filled, psf_fluxes=psf)
        case.fluxes = replace(case.fluxes, excess=None)
        errors = estimate(case, known_psf_errors=True)
        assert_allclose(errors.null_psf_err, [0.1, 0.2])
        assert_allclose(errors.flux_psf_err, psf.flux_err)

    def test_calibrated_psf_errors(self, case):
        case.fluxes = replace(case.fluxes, excess=None)
        errors = estimate(case)
        scattered = np.interp(RADIUS, [4, 8, 16], [2, 3, 5]) * [0.3, 0.9]
        assert_allclose(errors.null_psf_err, scattered)

    def test_local_errors_are_the_same(self, case):
        errors = estimate(case, calibration=None)
        assert_array_equal(errors.null_err, errors.flux_err)
        assert_array_equal(errors.null_psf_err, errors.flux_psf_err)
