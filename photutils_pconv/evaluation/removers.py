# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The removers that an evaluation compares: the one that knows the PSF, and
the paper's, which does not.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from photutils_pconv._utils.checks import check_choice, check_switches
from photutils_pconv._utils.config import unknown_key
from photutils_pconv.network import LoadedModel, load_model
from photutils_pconv.removal.methods import KIND_OF_METHOD, method_of_kind
from photutils_pconv.removal.remover import NeuralSourceRemover
from photutils_pconv.setups.registry import get_setup

__all__ = ['INPAINT', 'PSF', 'RemoverChoice', 'list_removers']

# What an evaluation sets for each setup and model.
_NOT_CHOSEN = ('mode', 'band', 'setup', 'model')


@dataclass(frozen=True, kw_only=True)
class RemoverChoice:
    """
    The choice of a remover that is to be evaluated.

    What is `None` is left open: an evaluation may choose it, and what it
    leaves open, too, is the default of
    `~photutils_pconv.NeuralSourceRemover`, whose arguments these are.

    Parameters
    ----------
    name : str, optional
        The name in tables and figures.

    model : str, path or loaded model, optional
        The model; by default the bundled one.

    method : str, optional
        ``'psf'`` or ``'inpaint'``.

    psf : str, path or PSF, optional
        The PSF.

    aperture_radii : float or array_like, optional
        The aperture radii (arcsec).

    aperture_corrections : str or table, optional
        The encircled energies that fluxes are corrected with.

    recenter : bool, optional
        Whether positions are centroided.

    fit_positions, fit_psf_shape, fit_sizes : bool, optional
        Whether positions, the PSF's shape, and sizes are fitted.

    detection_threshold, upper_limit_probability : float, optional
        For which sources there are upper limits, and of which probability.

    colour_correction : Quantity, float, str or pair, optional
        The spectrum that fluxes of real sources are corrected for.

    calibration_error : float or str, optional
        The relative error of the calibration that is added to their errors.

    error_method : str, optional
        Where the errors of fluxes come from.

    subtract_wings : bool, optional
        Whether ``'inpaint'`` takes off wings beyond the holes.

    fill : str, optional
        What the cleaned map holds where sources were. Comparisons of
        structure are made both without and with a random draw where it is
        open.

    draw_seed : int, optional
        The seed of the draw.

    resample : bool, optional
        Whether maps off the setup's pixel scale are resampled.

    batch_size : int, optional
        The number of cutouts that the network sees at once.

    device, precision : str, optional
        Where, and how precisely, the network is run.

    turns : int, optional
        Over how many quarter turns of each cutout its output is averaged.

    threads : int, optional
        The number of the processor's threads that the network uses.

    progress_bar : bool, optional
        Whether to show a progress bar.
    """

    name: str = 'psf'
    model: Any = None
    method: str | None = None
    psf: Any = None
    aperture_radii: Any = None
    aperture_corrections: Any = None
    recenter: bool | None = None
    fit_positions: bool | None = None
    fit_psf_shape: bool | None = None
    fit_sizes: bool | None = None
    detection_threshold: float | None = None
    upper_limit_probability: float | None = None
    colour_correction: Any = None
    calibration_error: Any = None
    error_method: str | None = None
    subtract_wings: bool | None = None
    fill: str | None = None
    draw_seed: int | None = None
    resample: bool | None = None
    batch_size: int | None = None
    device: str | None = None
    precision: str | None = None
    turns: int | None = None
    threads: int | None = None
    progress_bar: bool | None = None

    def __post_init__(self):
        check_switches(self)

    @classmethod
    def from_dict(cls, values):
        """
        Make a choice of the table of a configuration.

        Parameters
        ----------
        values : dict
            Arguments of `~photutils_pconv.NeuralSourceRemover`, by their
            names. The evaluation sets the setup and the model.

        Returns
        -------
        choice : `RemoverChoice`
            The choice.

        Raises
        ------
        ValueError
            If an argument is not known, or names the setup or the model.
        """
        names = [item.name for item in fields(cls) if item.name != 'name']
        names.remove('model')
        for key in values:
            if key in _NOT_CHOSEN:
                msg = f'remover must not name {key}: the evaluation sets it'
                raise ValueError(msg)
            if key not in names:
                raise ValueError(unknown_key(key, names, '[remover]'))
        return cls(**values)

    def or_else(self, other):
        """
        Take what is left open from another choice.

        Parameters
        ----------
        other : `RemoverChoice`
            The other choice.

        Returns
        -------
        choice : `RemoverChoice`
            The choice, with its own name.
        """
        changes = {
            item.name: getattr(other, item.name)
            for item in fields(self)
            if getattr(self, item.name) is None
        }
        return replace(self, **changes)

    def make_remover(self, setup):
        """
        Make the remover.

        Parameters
        ----------
        setup : `~photutils_pconv.ObservingSetup` or str
            The setup.

        Returns
        -------
        remover : `~photutils_pconv.NeuralSourceRemover`
            The remover.

        Raises
        ------
        TypeError, ValueError
            If the remover does not accept the choice.
        """
        chosen = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name != 'name' and getattr(self, item.name) is not None
        }
        return NeuralSourceRemover(setup=get_setup(setup=setup), **chosen)


PSF = RemoverChoice(name='psf', method='psf', psf='setup')
"""
The removal with the setup's PSF.
"""

INPAINT = RemoverChoice(name='inpaint', method='inpaint', subtract_wings=True)
"""
The paper's method, which knows nothing of the PSF. Wings beyond the holes are
taken off as far as the encircled energies determine them.
"""


def list_removers(*, model=None, choice=None):
    """
    List the removers that are to be compared.

    Parameters
    ----------
    model : optional
        A model, as `~photutils_pconv.NeuralSourceRemover` takes it,
        which serves removers of its own kind only. By default the
        bundled ones, of which there are both.

    choice : `RemoverChoice`, optional
        What is chosen for all removers. If ``method`` is, there is only
        the remover of that method.

    Returns
    -------
    removers : tuple of `RemoverChoice`
        ``'psf'`` (`PSF`), ``'inpaint'`` (`INPAINT`), or both.

    Raises
    ------
    ValueError
        If ``method`` is neither.
    """
    choice = RemoverChoice() if choice is None else choice
    method = choice.method
    if method is not None:
        check_choice(method, 'method', tuple(KIND_OF_METHOD))
    elif model is not None:
        loaded = model if isinstance(model, LoadedModel) else load_model(model)
        method = method_of_kind(loaded.card.kind)
    return tuple(
        replace(choice, name=own.name, method=own.method, model=model).or_else(own)
        for own in (PSF, INPAINT)
        if method in (None, own.method)
    )
