# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The terms that a loss can have, and sets of terms with their weights.

Plain data: this module does not import torch.
"""

import math
from collections.abc import Mapping

from photutils_pconv._utils.config import unknown_key

__all__ = ['LOSS_PRESETS', 'LOSS_TERMS', 'check_terms', 'resolve_terms']

LOSS_TERMS = {
    'hole': {'mean': 'image', 'limit': None},
    'valid': {'mean': 'image', 'limit': None},
    'style_raw': {},
    'style_composite': {},
    'ssim': {'window': 5, 'max_val': 2.0, 'halved': False},
    'source': {'composited': False},
    'mean_flux': {'limit': None},
    'psf_flux': {'limit': None},
    'balanced': {
        'valid': 0.3,
        'flux': 0.5,
        'aperture': 0.5,
        'radius': 4.0,
        'power': 0.5,
        'lag': 6,
        'floor': 0.02,
        'limit': 20.0,
    },
}
"""
The options of every term with their defaults, which are the paper's; the
function of the same name in `photutils_pconv.training.losses` describes
them.
"""

_LIMITED = {'limit': 20.0}

LOSS_PRESETS = {
    # An L1 term is a mean over its own region.
    'default': {
        'hole': {'weight': 6.0, 'mean': 'region', **_LIMITED},
        'valid': {'weight': 1.0, 'mean': 'region', **_LIMITED},
        'mean_flux': {'weight': 3.0, **_LIMITED},
    },
    # The bundled one-pass models'.
    'balanced': {'balanced': {'weight': 1.0}},
    # The bundled two-pass models'.
    'residual': {
        'hole': {'weight': 6.0, 'mean': 'region', **_LIMITED},
        'valid': {'weight': 1.0, 'mean': 'region', **_LIMITED},
        'psf_flux': {'weight': 2.0, **_LIMITED},
    },
    # Eq. 7. The images span [-1, 1], hence the dynamic range L = 2 of Eq. 5.
    'paper': {
        'valid': {'weight': 2.0},
        'hole': {'weight': 6.0},
        'style_raw': {'weight': 120.0},
        'style_composite': {'weight': 120.0},
        'ssim': {'weight': 0.4, 'max_val': 2.0},
        'source': {'weight': 1.0},
    },
    # What the authors' released program computes: one weight for both L1
    # terms, half the structural dissimilarity with L = 1, and the source
    # term of the composited image.
    'released': {
        'valid': {'weight': 6.0},
        'hole': {'weight': 6.0},
        'style_raw': {'weight': 120.0},
        'style_composite': {'weight': 120.0},
        'ssim': {'weight': 0.4, 'max_val': 1.0, 'halved': True},
        'source': {'weight': 1.0, 'composited': True},
    },
}
"""
The terms and weights of the presets: ``'default'``, ``'balanced'`` (that of the
bundled models of one pass), ``'residual'`` (that of the bundled models of two
passes), ``'paper'`` (Eq. 7) and ``'released'`` (the
authors' program).
"""


def resolve_terms(preset, terms=None):
    """
    Merge a preset with terms of your own.

    Parameters
    ----------
    preset : str or `None`
        A name of `LOSS_PRESETS`; `None` for no terms to begin with.

    terms : dict, optional
        Term name to weight, or to a dict with ``weight`` and the term's
        options. A term of the preset is changed; the weight 0 drops it.

    Returns
    -------
    terms : dict of dict
        Term name to ``weight`` and all options.

    Raises
    ------
    TypeError
        If a weight or an option has the wrong type.

    ValueError
        If a name is unknown (the message names the closest one), a value
        is not accepted, or no term is left.
    """
    if preset is not None and preset not in LOSS_PRESETS:
        msg = unknown_key(preset, LOSS_PRESETS, 'the presets of losses')
        raise ValueError(msg)
    merged = dict(LOSS_PRESETS[preset]) if preset is not None else {}
    for name, given in (terms or {}).items():
        if name not in LOSS_TERMS:
            msg = unknown_key(name, LOSS_TERMS, "the loss's terms")
            raise ValueError(msg)
        if not isinstance(given, Mapping):
            given = {'weight': given}
        merged[name] = {'weight': 1.0, **merged.get(name, {}), **given}
    resolved = {}
    for name, values in merged.items():
        known = {'weight': 1.0, **LOSS_TERMS[name]}
        for key in values:
            if key not in known:
                msg = unknown_key(key, known, f"the loss's term {name!r}")
                raise ValueError(msg)
        values = {**known, **values}
        for key, value in values.items():
            _check(value, key, f'{key} of the loss term {name!r}')
        if values['weight'] > 0:
            resolved[name] = values
    if not resolved:
        msg = f'the loss has no term: give one of {", ".join(LOSS_TERMS)} a weight'
        raise ValueError(msg)
    return resolved


def check_terms(terms, kind):
    """
    Refuse terms that cutouts of a kind cannot serve.

    Parameters
    ----------
    terms : dict of dict
        What `resolve_terms` gives.

    kind : {'masked', 'residual'}
        The kind of the cutouts.

    Raises
    ------
    ValueError
        If a term needs cutouts of the other kind.
    """
    if kind != 'residual' and 'psf_flux' in terms:
        msg = (
            "the loss term 'psf_flux' (of the preset 'residual') needs cutouts of "
            f"kind 'residual', but these are {kind!r}: set data.kind = 'residual', or "
            'choose another loss.preset'
        )
        raise ValueError(msg)


def _check(value, key, where):
    if key == 'mean':
        right = value in ('image', 'region')
        what = "'image' or 'region'"
    elif key in ('halved', 'composited'):
        right = isinstance(value, bool)
        what = 'true or false'
    elif key == 'window':
        right = type(value) is int and value > 0 and value % 2 == 1
        what = 'an odd positive integer'
    elif key == 'lag':
        right = type(value) is int and value > 0
        what = 'a positive integer'
    else:
        if value is None and key == 'limit':
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            msg = f'{where} must be a number, got {value!r}'
            raise TypeError(msg)
        low = -1 if key == 'weight' else 0
        right = math.isfinite(value) and value > low and value >= 0
        what = 'a finite number, not negative' if key == 'weight' else 'above 0'
    if not right:
        msg = f'{where} must be {what}, got {value!r}'
        raise ValueError(msg)
