# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The removers that an evaluation compares: the paper's, of one pass, and
the one that knows the PSF, of two.
"""

from types import MappingProxyType

from photutils_pconv.network import LoadedModel, load_model
from photutils_pconv.removal.remover import NeuralSourceRemover
from photutils_pconv.setups.registry import get_setup

__all__ = ['ONE_PASS', 'TWO_PASSES', 'list_removers', 'make_remover']

ONE_PASS = MappingProxyType(
    {'network': MappingProxyType({'n_passes': 1, 'subtract_wings': True})}
)
"""
The paper's method, which knows nothing of the PSF. Wings beyond the holes are
taken off as far as the encircled energies tell them.
"""

TWO_PASSES = MappingProxyType(
    {'two_pass': MappingProxyType({'psf': 'setup', 'n_passes': 2})}
)
"""
The removal with the setup's PSF.
"""


def list_removers(*, model=None, remover_options=None):
    """
    List the removers that are to be compared.

    Parameters
    ----------
    model : optional
        A model, as `~photutils_pconv.NeuralSourceRemover` takes it,
        which serves removers of its own kind only. By default the
        bundled ones, of which there are both.

    remover_options : dict, optional
        Options of all removers. If ``n_passes`` is among them, there is
        only the remover of as many passes.

    Returns
    -------
    removers : dict of dict
        The options of each: ``'network'`` (`ONE_PASS`) and
        ``'two_pass'`` (`TWO_PASSES`).

    Raises
    ------
    ValueError
        If ``n_passes`` is neither 1 nor 2.
    """
    given = dict(remover_options or {})
    removers = {
        name: {**own, **given, 'n_passes': own['n_passes']}
        for name, own in (*ONE_PASS.items(), *TWO_PASSES.items())
    }
    number = given.get('n_passes')
    if number not in (None, 1, 2):
        msg = f'n_passes must be 1 or 2, got {number!r}'
        raise ValueError(msg)
    if number is None and model is not None:
        loaded = model if isinstance(model, LoadedModel) else load_model(model)
        number = 1 if loaded.card.kind == 'masked' else 2
    if number is not None:
        removers = {k: v for k, v in removers.items() if v['n_passes'] == number}
    return removers


def make_remover(setup, *, model=None, remover_options=None, **defaults):
    """
    Make the remover that is to be evaluated.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.

    model : optional
        The model, as `~photutils_pconv.NeuralSourceRemover` takes it.

    remover_options : dict, optional
        Further arguments of `~photutils_pconv.NeuralSourceRemover`. They
        go before the defaults.

    **defaults : dict
        What the evaluation would choose.

    Returns
    -------
    remover : `~photutils_pconv.NeuralSourceRemover`
        The remover.

    Raises
    ------
    ValueError
        If the options name the setup or the model again.
    """
    options = dict(remover_options or {})
    for name in ('mode', 'band', 'setup', 'model'):
        if name in options:
            msg = f'remover_options must not name {name}: the evaluation sets it'
            raise ValueError(msg)
    setup = get_setup(setup=setup)
    return NeuralSourceRemover(setup=setup, model=model, **{**defaults, **options})
