# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a user asks of a removal, checked before any work.
"""

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from photutils_pconv._utils.checks import (
    as_radii,
    check_choice,
    check_seed,
    check_switches,
    to_bool,
    to_float,
)
from photutils_pconv.network.kinds import check_kind
from photutils_pconv.network.registry import default_model
from photutils_pconv.network.running import (
    BLIND_TURNS,
    SEEING_TURNS,
    RunOptions,
)
from photutils_pconv.photometry.upper_limits import (
    DETECTION_THRESHOLD,
    LIMIT_PROBABILITY,
    check_probability,
)
from photutils_pconv.psf.library import parse_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.removal.flux_calibration import (
    ColourCorrection,
    choose_calibration_error,
    choose_colour_correction,
)
from photutils_pconv.removal.measuring import make_eef
from photutils_pconv.removal.methods import (
    KIND_OF_METHOD,
    METHODS,
    choose_fill,
    choose_method,
)
from photutils_pconv.removal.psf_setups import find_setup_of_psf, stands_for_a_setup
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.setups.setup import ObservingSetup

__all__ = ['EMPIRICAL', 'ERROR_METHODS', 'RemovalSettings']

#: The accepted values of ``error_method``.
ERROR_METHODS = ('empty_apertures', 'card', 'local')

# A PSF whose FWHM differs from the setup's by more than this factor belongs to
# another; by choice, as wide as the three bands of an instrument are apart.
_LARGEST_BEAM_RATIO = 2.0
#: The value of ``psf`` for a PSF that is built from the map.
EMPIRICAL = 'empirical'


@dataclass(frozen=True, eq=False, kw_only=True)
class RemovalSettings:
    """
    The settings of a removal, all of them checked.

    Use `from_arguments` to make them from a user's keywords.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The observing setup.

    model : `~photutils_pconv.network.LoadedModel`
        The network.

    inpaint_model : `~photutils_pconv.network.LoadedModel`
        The network that does not look into the holes: ``model`` itself, or
        beside one of the other kind the bundled one.

    psf : PSF or `None`
        The PSF; `None` for none, or for one that is built from the map.

    psf_name : str or `None`
        What the user called the PSF; `EMPIRICAL` for one that is built from
        the map.

    method : {'psf', 'inpaint'}
        Whether the PSF is subtracted first, or the holes are not looked into.

    method_reason : str
        Why that method was chosen.

    aperture_radii : (A,) `~numpy.ndarray`
        The aperture radii, in arcsec.

    aperture_corrections : str, table or `None`
        The table of encircled energies; `None` for the PSF's own, or the
        setup's for real maps without a PSF.

    recenter : bool
        Whether positions are moved to their sources' centroids first.

    fit_positions, fit_psf_shape, fit_sizes : bool
        Whether the positions of bright sources, the PSF's angle and width, and
        the sizes of all sources are fitted.

    error_method : str
        One of `ERROR_METHODS`.

    detection_threshold : float
        The SNR of a detection; fainter sources have upper limits.

    upper_limit_probability : float
        The probability with which a source is fainter than its upper limit.

    colour_correction : ``ColourCorrection`` or `None`
        The colour correction of fluxes.

    calibration_error : float or `None`
        The relative error of the calibration that is added to those of fluxes.

    subtract_wings : bool
        Whether one pass takes wings beyond the holes off the map.

    fill : {'observed', 'mean', 'draw'}
        What the cleaned map holds where sources were.

    draw_seed : int or `numpy.random.Generator`
        The seed of the draw.

    resample : bool
        Whether a map that is off the setup's pixel scale is resampled.

    run : `~photutils_pconv.network.RunOptions`
        How the network is run.

    setup_reason : str, optional
        Why that setup was chosen.
    """

    setup: ObservingSetup
    model: Any
    inpaint_model: Any
    psf: Any
    psf_name: str | None
    method: str
    method_reason: str
    aperture_radii: np.ndarray
    aperture_corrections: Any
    recenter: bool
    fit_positions: bool
    fit_psf_shape: bool
    fit_sizes: bool
    error_method: str
    detection_threshold: float
    upper_limit_probability: float
    colour_correction: ColourCorrection | None
    calibration_error: float | None
    subtract_wings: bool
    fill: str
    draw_seed: Any
    resample: bool
    run: RunOptions
    setup_reason: str = 'as asked for'

    def __post_init__(self):
        check_switches(self)

    @classmethod
    def from_arguments(
        cls,
        mode=None,
        band=None,
        *,
        setup=None,
        model=None,
        psf=None,
        method='auto',
        aperture_radii=None,
        aperture_corrections=None,
        recenter=False,
        fit_positions=True,
        fit_psf_shape=True,
        fit_sizes=False,
        error_method='empty_apertures',
        detection_threshold=DETECTION_THRESHOLD,
        upper_limit_probability=LIMIT_PROBABILITY,
        colour_correction=None,
        calibration_error=None,
        subtract_wings=False,
        fill=None,
        draw_seed=0,
        resample=True,
        run=None,
    ):
        """
        Make settings from a user's keywords.

        Parameters
        ----------
        mode, band, setup, model, psf, method, aperture_radii, \
        aperture_corrections, recenter, fit_positions, fit_psf_shape, fit_sizes, \
        error_method, detection_threshold, upper_limit_probability, \
        colour_correction, calibration_error, subtract_wings, fill, draw_seed, \
        resample : optional
            As for `~photutils_pconv.NeuralSourceRemover`.

        run : `~photutils_pconv.network.RunOptions`, optional
            How the network is run.

        Returns
        -------
        settings : `RemovalSettings`
            The settings.

        Raises
        ------
        ValueError, TypeError
            If a keyword is not accepted, or an aperture lies outside the
            table of encircled energies.
        """
        for name, value in (
            ('recenter', recenter),
            ('fit_positions', fit_positions),
            ('fit_psf_shape', fit_psf_shape),
            ('fit_sizes', fit_sizes),
            ('subtract_wings', subtract_wings),
            ('resample', resample),
        ):
            to_bool(value, name)
        if stands_for_a_setup(psf, mode, band, setup):
            setup = get_setup(setup=find_setup_of_psf(psf))
            # an image without a scale has the setup's
            psf = setup.psf
        setup = get_setup(mode, band, setup=setup)
        radii = _parse_radii(aperture_radii, setup)
        check_choice(error_method, 'error_method', ERROR_METHODS)
        detection_threshold = to_float(detection_threshold, 'detection_threshold')
        check_probability(upper_limit_probability, 'upper_limit_probability')
        colour_correction = choose_colour_correction(colour_correction, setup)
        calibration_error = choose_calibration_error(calibration_error, setup)
        check_seed(draw_seed, 'draw_seed')
        check_choice(method, 'method', METHODS)
        model = _load_given(model)
        choice = choose_method(
            method,
            psf,
            setup=setup,
            model_kind=None if model is None else model.card.kind,
        )
        method, psf = choice.method, choice.psf
        fill = choose_fill(fill, method)
        psf_name = _name_psf(psf)
        is_empirical = psf_name == EMPIRICAL
        psf = None if is_empirical else parse_psf(psf, setup)
        _check_beam(psf, setup)
        if not is_empirical or aperture_corrections is not None:
            # So is an aperture outside the table. That of an empirical PSF is
            # not known yet.
            scale = setup.pixel_scale.to_value(u.arcsec)
            make_eef(setup, aperture_corrections, psf, scale)(radii)
        model = _find_model(model, setup, method)
        return cls(
            setup=setup,
            model=model,
            inpaint_model=(
                model
                if method == 'inpaint'
                else _find_model(
                    _load_given(default_model(setup, beside_psf=True)), setup, 'inpaint'
                )
            ),
            psf=psf,
            psf_name=psf_name,
            method=method,
            method_reason=choice.reason,
            aperture_radii=radii,
            aperture_corrections=aperture_corrections,
            recenter=recenter,
            fit_positions=fit_positions,
            fit_psf_shape=fit_psf_shape,
            fit_sizes=fit_sizes,
            error_method=error_method,
            detection_threshold=detection_threshold,
            upper_limit_probability=float(upper_limit_probability),
            colour_correction=colour_correction,
            calibration_error=calibration_error,
            subtract_wings=subtract_wings,
            fill=fill,
            draw_seed=draw_seed,
            resample=resample,
            run=_complete_run(run, method),
        )

    @property
    def has_psf(self):
        """
        Whether a PSF is given, or is to be built from the map (`bool`).
        """
        return self.psf_name is not None


def _complete_run(run, method):
    """Say how the network is run where the user left that open."""
    run = RunOptions() if run is None else run
    if run.turns is not None:
        return run
    return run.with_turns(SEEING_TURNS if method == 'psf' else BLIND_TURNS)


def _parse_radii(radii, setup):
    """Return the aperture radii in arcsec, by default the setup's."""
    if radii is None:
        radii = setup.aperture_radius
    try:
        radii = u.Quantity(radii, u.arcsec, dtype=float).value
    except (TypeError, ValueError) as exc:
        msg = f'aperture_radii must be angles or numbers (arcsec), got {radii!r}'
        raise ValueError(msg) from exc
    radii = as_radii(np.array(radii), 'aperture_radii')
    radii.flags.writeable = False
    return radii


def _check_beam(psf, setup):
    """Refuse a PSF that is not one of the setup at all."""
    if psf is None:
        return
    fwhm = PixelPSF(psf, setup.pixel_scale.to_value(u.arcsec)).fwhm
    fwhm = fwhm * setup.pixel_scale
    ratio = float(fwhm / setup.psf_fwhm)
    if not 1.0 / _LARGEST_BEAM_RATIO <= ratio <= _LARGEST_BEAM_RATIO:
        msg = (
            f'psf has a FWHM of {fwhm:.3g}, but the setup {setup.name!r} one of '
            f'{setup.psf_fwhm:.3g}: check the pixel scale of the PSF, or give the '
            'setup that it belongs to.'
        )
        raise ValueError(msg)


def _name_psf(psf):
    """Return what a PSF is called in metadata: its name or its class."""
    if psf is None or isinstance(psf, str):
        return psf
    return type(psf).__name__


def _load_given(model):
    """Load a model that a user names; None stays None."""
    if model is None:
        return None
    # Loading needs torch.
    from photutils_pconv.network.weights import LoadedModel, check_loaded, load_model

    if not isinstance(model, LoadedModel):
        return load_model(model)
    check_loaded(model)
    return model


def _find_model(model, setup, method):
    """Return the loaded model, by default the bundled one for the method."""
    kind = KIND_OF_METHOD[method]
    if model is None:
        model = _load_given(default_model(setup, kind=kind))
    check_kind(model.card, kind)
    return model
