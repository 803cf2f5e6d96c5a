# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The configuration of an evaluation, which a TOML file fills.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from photutils_pconv._utils.config import (
    TABLE,
    flag,
    number,
    path,
    texts,
    unknown_key,
)
from photutils_pconv._utils.toml import Configuration
from photutils_pconv.evaluation.methods.registry import BASELINES, available_baselines
from photutils_pconv.setups.registry import list_setups, name_setup
from photutils_pconv.simulation import flux_levels

__all__ = ['EvaluationConfig']

# What a map or a field may be described by, and what it must be.
_MAP_KEYS = {'path': str, 'sources': str, 'setup': str, 'simulated': bool}
_FIELD_KEYS = {'path': str, 'setup': str}
_STAR_KEYS = {'path': str, 'setup': str}
_PATH_KEYS = ('path', 'sources')

# Some of the levels of Table 1, a factor of five to six apart: three a field.
_QUICK_LEVELS = (20.0, 100.0, 600.0, 3000.0, 15000.0)
_QUICK_FIELDS = 3
_QUICK_DRAWS = 4

# The draws of a map: errors are known to a quarter; by choice.
_N_DRAWS = 8

# One for each way: an annulus, a PSF, both with its surroundings, a fill.
_QUICK_METHODS = (
    'local_background',
    'psf_photometry',
    'psf_polynomial_fit',
    'maskfill',
)


def _tables(accepted, required):
    def check(value, where):
        if not isinstance(value, list | tuple):
            msg = f'{where} must be a list of tables, got {value!r}'
            raise TypeError(msg)
        checked = []
        for item in value:
            if isinstance(item, str | os.PathLike):
                item = {'path': os.fspath(item)}
            if not isinstance(item, Mapping):
                msg = f'{where} must hold tables or paths, got {item!r}'
                raise TypeError(msg)
            for key, entry in item.items():
                if key not in accepted:
                    raise ValueError(unknown_key(key, accepted, f'[[{where}]]'))
                if not isinstance(entry, accepted[key]):
                    msg = (
                        f'{where}.{key} must be of type {accepted[key].__name__}, '
                        f'got {entry!r}'
                    )
                    raise TypeError(msg)
            lacking = [key for key in required if key not in item]
            if lacking:
                msg = f'[[{where}]] needs {lacking}, got {dict(item)}'
                raise ValueError(msg)
            item = dict(item)
            if 'setup' in item:
                item['setup'] = name_setup(item['setup'])
            checked.append(item)
        return tuple(checked)

    return field(default=(), metadata={'check': check, 'path_keys': _PATH_KEYS})


def _numbers():
    known = flux_levels().value

    def check(value, where):
        if not isinstance(value, list | tuple) or any(
            isinstance(item, bool) or not isinstance(item, int | float)
            for item in value
        ):
            msg = f'{where} must be a list of numbers (mJy), got {value!r}'
            raise TypeError(msg)
        if any(not known[0] <= item <= known[-1] for item in value):
            msg = (
                f'{where} must lie from {known[0]:g} to {known[-1]:g} mJy, the levels '
                f'of Table 1, got {value!r}'
            )
            raise ValueError(msg)
        return tuple(float(item) for item in value)

    return field(default=(), metadata={'check': check})


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig(Configuration):
    """
    What to evaluate, and on what.

    Parameters
    ----------
    setups : sequence of str, optional
        The setups; by default those of the model, or the six of PACS.

    model : str, optional
        A bundled model's name or a weights file; by default the bundled
        model of each mode.

    seed : int, optional
        The seed of the simulated fields and sources.

    n_fields : int, optional
        The number of simulated fields per setup, 6 in the paper; 0 for
        none.

    size : int, optional
        Their side, in pixels.

    levels : sequence of float, optional
        The flux levels (mJy) to take from each field's range; by default
        all of Table 1.

    n_sources : int, optional
        The sources a simulation of one flux level; by default 0.5 per
        square arcmin.

    structure_sources : int, optional
        The sources in the map of random fluxes; by default one for 6000
        pixels, so that holes cover some 5 percent.

    structure_draws : int, optional
        The draws of each cleaned map from which the errors of its power
        spectrum and pixel statistics follow; 0 for no errors.

    methods : sequence of str, optional
        The other methods to measure with: names of
        `photutils_pconv.evaluation`, or 'none'; by default
        all that are installed.

    illustrations : bool, optional
        Whether to draw PSFs, SNR, masks and source loss (Figs. 1, 4, 5,
        8).

    fields : sequence of dict, optional
        Maps with few sources into which to inject, beside the simulated
        fields: ``path`` and ``setup``.

    maps : sequence of dict, optional
        Maps to clean: ``path``, ``sources`` (a list; by default a
        CSV or ECSV file of the map's name beside it), ``setup`` (by
        default from the header), ``simulated``, whether the list holds
        injected fluxes (by default it is looked up).

    stars : sequence of dict or str, optional
        Maps of standard stars or folders of them: ``path``, ``setup``.

    remover : dict, optional
        Further arguments of `~photutils_pconv.NeuralSourceRemover`. With
        ``method``, only the remover of that method is evaluated; with
        ``fill``, only maps with that fill are compared.

    Raises
    ------
    TypeError, ValueError
        If a value is not accepted; the message names it.
    """

    setups: tuple = texts()
    model: str = path('')
    seed: int = number(2025, low=0, high=2**31, kind=int)
    n_fields: int = number(6, low=0, high=100, kind=int)
    size: int = number(512, low=128, high=8192, kind=int)
    levels: tuple = _numbers()
    n_sources: int = number(0, low=0, kind=int)
    structure_sources: int = number(0, low=0, kind=int)
    structure_draws: int = number(_N_DRAWS, low=0, kind=int)
    methods: tuple = texts()
    illustrations: bool = flag(True)
    fields: tuple = _tables(_FIELD_KEYS, ('path', 'setup'))
    maps: tuple = _tables(_MAP_KEYS, ('path',))
    stars: tuple = _tables(_STAR_KEYS, ('path',))
    remover: dict = field(
        default_factory=dict, metadata={**TABLE, 'path_keys': ('psf',)}
    )

    def __post_init__(self):
        super().__post_init__()
        if self.structure_draws == 1:
            msg = 'structure_draws must be 0 or at least 2: one draw has no scatter'
            raise ValueError(msg)
        # Tables know setups by their names alone.
        names = tuple(name_setup(name) for name in self.setups)
        object.__setattr__(self, 'setups', names)
        known = [*BASELINES, 'none']
        for name in self.methods:
            if name not in known:
                msg = f'methods must be some of {known}, got {name!r}'
                raise ValueError(msg)
        if not (self.n_fields or self.fields or self.maps or self.stars):
            msg = (
                'there is nothing to evaluate: give n_fields above 0, fields, maps or '
                'stars'
            )
            raise ValueError(msg)

    def make_quick(self):
        """
        Cut a configuration down to what takes a few minutes.

        Returns
        -------
        config : `EvaluationConfig`
            Three simulated fields per setup, which are smaller, a few of
            the flux levels, 10 sources each, and the four other methods
            that are worth most; four draws of a map.
        """
        return replace(
            self,
            n_fields=min(self.n_fields, _QUICK_FIELDS),
            size=min(self.size, 256),
            levels=self.levels or _QUICK_LEVELS,
            n_sources=min(self.n_sources or 10, 10),
            structure_draws=min(self.structure_draws, _QUICK_DRAWS),
            methods=self.methods or _QUICK_METHODS,
        )

    def list_methods(self):
        """
        List the other methods to measure with.

        Returns
        -------
        methods : tuple of str
            Those named as far as they are installed; by default all that
            are.
        """
        available = available_baselines()
        if not self.methods:
            return tuple(available)
        return tuple(name for name in self.methods if name in available)

    def list_setups(self, *, model=None):
        """
        List the setups to evaluate on simulated fields.

        Parameters
        ----------
        model : str, path-like or `~photutils_pconv.network.LoadedModel`, optional
            The model, instead of that of the configuration.

        Returns
        -------
        setups : tuple of str
            Those named; else those of the model's card; else the six of
            PACS.

        Raises
        ------
        ValueError
            If none of the setups of the model's card is known.
        """
        if self.setups:
            return self.setups
        model = self.model if model is None else model
        if model:
            from photutils_pconv.network import read_card

            card = model.card if hasattr(model, 'card') else read_card(model)
            own = card.setups
            known = tuple(name for name in own if name in list_setups())
            if own and not known:
                msg = (
                    f'the model was trained for {", ".join(map(repr, own))}, which '
                    'are not known: give setups (--setups), such as their files, or '
                    'register them'
                )
                raise ValueError(msg)
            if known:
                return known
        return list_setups(instrument='PACS')
