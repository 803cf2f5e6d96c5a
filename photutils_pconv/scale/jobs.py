# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What is to be done with one map of many.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from photutils_pconv.psf import SampledPSF
from photutils_pconv.removal.options import removal_options
from photutils_pconv.setups.registry import get_setup, is_bundled
from photutils_pconv.setups.setup import ObservingSetup

__all__ = [
    'PLANE_OPTIONS',
    'RemovalJob',
    'RemoverSettings',
    'describe',
    'remover_options',
]

#: The options that go with the map rather than with the remover, as those of
#: ``photutils-pconv remove``.
PLANE_OPTIONS = (
    'map_hdu',
    'catalogue_hdu',
    'table_id',
    'mask',
    'mask_hdu',
    'coverage_mask',
    'error',
    'error_hdu',
    'beam',
)
# Of each pair one may be given.
_EXCLUSIVE = (('mask', 'mask_hdu'), ('error', 'error_hdu'))
_SETUP = ('mode', 'band', 'setup')


def remover_options():
    """
    List the keywords of a remover that a job may have.

    Returns
    -------
    names : tuple of str
        All but ``progress_bar``: nobody watches a single map of many.
    """
    return 'mode', 'band', *(n for n in removal_options() if n != 'progress_bar')


@dataclass(frozen=True)
class RemoverSettings:
    """
    The options of a remover, which are equal if they say the same.

    Parameters
    ----------
    text : str
        The options as a text.

    options : dict
        The options.
    """

    text: str
    options: dict = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class RemovalJob:
    """
    One map of many: its files, and how it is cleaned.

    Parameters
    ----------
    map : str or path-like
        The FITS file of the map, as the workers see it.

    catalogue : str or path-like
        The file of its sources.

    name : str
        The name of the folder of its results.

    options : mapping, optional
        Keywords of `~photutils_pconv.NeuralSourceRemover` that are plain values
        (numbers, texts, and lists of them) or an
        `~photutils_pconv.ObservingSetup`, and options of ``photutils-pconv
        remove`` that go with the map, such as ``mask`` and ``error_hdu``.
        Without ``mode`` and ``band`` or ``setup`` the header of the map names the
        setup (`~photutils_pconv.setups.find_setup`).

    Raises
    ------
    TypeError, ValueError
        If the name is none of a folder, an option is not known or not such a
        value, or the setup is not known.
    """

    map: str
    catalogue: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        for key in ('map', 'catalogue'):
            object.__setattr__(self, key, os.fspath(getattr(self, key)))
        name = self.name
        if not isinstance(name, str) or name != os.path.basename(name) or not name:
            msg = f'name must be the name of a folder, without a path, got {name!r}.'
            raise ValueError(msg)
        if name.startswith('.'):
            msg = f'name must not begin with a dot, got {name!r}.'
            raise ValueError(msg)
        object.__setattr__(self, 'options', self._check_options())

    def _check_options(self):
        options = {
            key: value for key, value in dict(self.options).items() if value is not None
        }
        known = (*remover_options(), *PLANE_OPTIONS)
        unknown = [key for key in options if key not in known]
        if unknown:
            msg = (
                f'the job {self.name!r} has unknown options {unknown}; there are '
                f'{", ".join(known)}.'
            )
            raise ValueError(msg)
        for pair in _EXCLUSIVE:
            if all(key in options for key in pair):
                msg = f'the job {self.name!r} has both {" and ".join(pair)}: give one.'
                raise ValueError(msg)
        for key, value in options.items():
            if isinstance(value, os.PathLike):
                options[key] = os.fspath(value)
            elif isinstance(value, np.generic | np.ndarray):
                options[key] = value.tolist()
            elif key != 'setup':
                _check_plain(key, value, self.name)
        if any(key in options for key in _SETUP):
            mode, band, setup = (options.pop(key, None) for key in _SETUP)
            setup = get_setup(mode, band, setup=setup)
            # Workers do not know the setups that are registered here.
            options['setup'] = setup.name if is_bundled(setup) else setup
        return options

    @property
    def has_setup(self):
        """
        Whether the setup is given, rather than read from the map's header (`bool`).
        """
        return 'setup' in self.options

    def with_setup(self, setup):
        """
        Give the setup that the header names.

        Parameters
        ----------
        setup : `~photutils_pconv.ObservingSetup`
            The setup.

        Returns
        -------
        job : `RemovalJob`
            The job with the setup.
        """
        return replace(self, options={**self.options, 'setup': setup})

    @property
    def settings(self):
        """
        The options of the remover (`RemoverSettings`).
        """
        names = remover_options()
        chosen = {key: self.options[key] for key in self.options if key in names}
        return RemoverSettings(json.dumps(describe(chosen), sort_keys=True), chosen)


def describe(options):
    """
    Write options down as plain values.

    Parameters
    ----------
    options : mapping
        The options of a job.

    Returns
    -------
    values : dict
        The same, ready for JSON: a setup of the user's own as its values, with a
        checksum of its PSF.
    """
    values = dict(options)
    setup = values.get('setup')
    if isinstance(setup, ObservingSetup):
        values['setup'] = {**setup.to_dict(), 'psf': _describe_psf(setup.psf)}
    return values


def _describe_psf(psf):
    if not isinstance(psf, SampledPSF):
        return None if psf is None else repr(psf)
    digest = hashlib.sha256(np.ascontiguousarray(psf.data).tobytes())
    digest.update(repr((psf.pixel_scale, psf.effective_pixel)).encode())
    return digest.hexdigest()


def _check_plain(key, value, name):
    """Refuse what cannot be written down, and sent to anybody."""
    try:
        json.dumps(value)
    except (TypeError, ValueError) as exc:
        msg = (
            f'the option {key} of the job {name!r} must be a number, a text, or a list '
            f'of them, got {type(value).__name__}.'
        )
        raise TypeError(msg) from exc
