# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The methods of a removal, and what the cleaned map holds where sources were.
"""

from dataclasses import dataclass
from typing import Any

from photutils_pconv._utils.checks import check_choice

__all__ = [
    'FILLS',
    'KIND_OF_METHOD',
    'METHODS',
    'MethodChoice',
    'choose_fill',
    'choose_method',
    'method_of_kind',
]

#: The accepted values of ``method``.
METHODS = ('auto', 'psf', 'inpaint')

#: The accepted values of ``fill``.
FILLS = ('observed', 'mean', 'draw')

#: The kind of model that each method needs.
KIND_OF_METHOD = {'psf': 'residual', 'inpaint': 'masked'}


@dataclass(frozen=True, eq=False)
class MethodChoice:
    """
    The method of a removal, and why it was chosen.

    Parameters
    ----------
    method : {'psf', 'inpaint'}
        The method.

    psf : str, PSF or `None`
        The PSF, as the user gave it or as the method needs it.

    reason : str
        Why it was chosen, for metadata.
    """

    method: str
    psf: Any
    reason: str


def choose_method(method, psf, *, setup, model_kind=None):
    """
    Choose the method of a removal.

    Parameters
    ----------
    method : {'auto', 'psf', 'inpaint'}
        What the user asks for. ``'auto'`` is the method that a given model is
        made for, else ``'psf'`` where a PSF is known, else ``'inpaint'``.

    psf : str, PSF or `None`
        The PSF that the user gave. `None` stands for the setup's own, but
        with ``'inpaint'`` for none.

    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    model_kind : str, optional
        The kind of a model that the user gave.

    Returns
    -------
    choice : `MethodChoice`
        The method.

    Raises
    ------
    ValueError
        If the method is not accepted.
    """
    check_choice(method, 'method', METHODS)
    reason = 'as asked for'
    if method == 'auto':
        if model_kind is not None:
            method = method_of_kind(model_kind)
            reason = f'the model is of the kind {model_kind!r}'
        elif psf is not None:
            method, reason = 'psf', 'a PSF was given'
        elif setup.has_psf:
            method, reason = 'psf', f'the PSF of {setup.name} is known'
        else:
            method, reason = 'inpaint', f'no PSF of {setup.name} is known'
    if method == 'psf' and psf is None:
        psf = 'setup'
    return MethodChoice(method, psf, reason)


def method_of_kind(kind):
    """
    Give the method that a kind of model is made for.

    Parameters
    ----------
    kind : {'masked', 'residual'}
        The kind.

    Returns
    -------
    method : {'inpaint', 'psf'}
        The method.
    """
    return next(method for method, one in KIND_OF_METHOD.items() if one == kind)


def choose_fill(fill, method):
    """
    Choose what the cleaned map holds where sources were.

    Parameters
    ----------
    fill : {'observed', 'mean', 'draw'} or `None`
        What the user asks for. By default ``'observed'`` with the method
        ``'psf'``, ``'mean'`` with ``'inpaint'``.

    method : {'psf', 'inpaint'}
        The method.

    Returns
    -------
    fill : str
        One of `FILLS`.

    Raises
    ------
    ValueError
        If the fill is not accepted, or needs the other method.
    """
    if fill is None:
        return 'observed' if method == 'psf' else 'mean'
    check_choice(fill, 'fill', FILLS)
    if fill == 'observed' and method == 'inpaint':
        msg = (
            "fill='observed' keeps the map less its sources, which the method "
            "'inpaint' does not know: use method='psf', or fill='mean' or 'draw'"
        )
        raise ValueError(msg)
    return fill
