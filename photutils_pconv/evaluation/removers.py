# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The removers that an evaluation compares: the paper's, of one pass, and
the one that knows the PSF, of two.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from photutils_pconv._utils.checks import check_switches
from photutils_pconv._utils.config import unknown_key
from photutils_pconv.network import LoadedModel, load_model
from photutils_pconv.removal.remover import NeuralSourceRemover
from photutils_pconv.setups.registry import get_setup

__all__ = ['ONE_PASS', 'TWO_PASSES', 'RemoverChoice', 'list_removers']

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

    n_passes : int, optional
        1, or 2 with a PSF.

    psf : str, path or PSF, optional
        The PSF.

    aperture_radii : float or array_like, optional
        The aperture radii (arcsec).

    aperture_corrections : str or table, optional
        The encircled energies that fluxes are corrected with.

    recenter : bool, optional
        Whether positions are centroided.

    fit_positions, fit_psf_shape : bool, optional
        Whether two passes fit positions, and the PSF's shape.

    error_method : str, optional
        Where the errors of fluxes come from.

    subtract_wings : bool, optional
        Whether one pass takes off wings beyond the holes.

    texture : bool, optional
        Whether the cleaned map has a texture in the holes. Comparisons
        of structure are made both without and with it where it is open.

    texture_seed : int, optional
        The seed of the texture.

    resample : bool, optional
        Whether maps off the setup's pixel scale are resampled.

    batch_size : int, optional
        The number of cutouts that the network sees at once.

    device, precision : str, optional
        Where, and how precisely, the network is run.

    progress_bar : bool, optional
        Whether to show a progress bar.
    """

    name: str = 'network'
    model: Any = None
    n_passes: int | None = None
    psf: Any = None
    aperture_radii: Any = None
    aperture_corrections: Any = None
    recenter: bool | None = None
    fit_positions: bool | None = None
    fit_psf_shape: bool | None = None
    error_method: str | None = None
    subtract_wings: bool | None = None
    texture: bool | None = None
    texture_seed: int | None = None
    resample: bool | None = None
    batch_size: int | None = None
    device: str | None = None
    precision: str | None = None
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


ONE_PASS = RemoverChoice(name='network', n_passes=1, subtract_wings=True)
"""
The paper's method, which knows nothing of the PSF. Wings beyond the holes are
taken off as far as the encircled energies tell them.
"""

TWO_PASSES = RemoverChoice(name='two_pass', n_passes=2, psf='setup')
"""
The removal with the setup's PSF.
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
        What is chosen for all removers. If ``n_passes`` is, there is
        only the remover of as many passes.

    Returns
    -------
    removers : tuple of `RemoverChoice`
        ``'network'`` (`ONE_PASS`), ``'two_pass'`` (`TWO_PASSES`), or
        both.

    Raises
    ------
    ValueError
        If ``n_passes`` is neither 1 nor 2.
    """
    choice = RemoverChoice() if choice is None else choice
    number = choice.n_passes
    if number not in (None, 1, 2):
        msg = f'n_passes must be 1 or 2, got {number!r}'
        raise ValueError(msg)
    if number is None and model is not None:
        loaded = model if isinstance(model, LoadedModel) else load_model(model)
        number = 1 if loaded.card.kind == 'masked' else 2
    return tuple(
        replace(choice, name=own.name, n_passes=own.n_passes, model=model).or_else(own)
        for own in (ONE_PASS, TWO_PASSES)
        if number in (None, own.n_passes)
    )
