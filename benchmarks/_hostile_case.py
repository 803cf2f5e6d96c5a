# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Cases of hostile input, and the registry that all of them are in.

A case is a function of a `Context`. It raises what the package raises, or
compares what came out with numbers that do not come from the same call. What
else went on (warnings, files, global state) is judged by `_hostile_judge`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import NDData
from astropy.table import Table

__all__ = [
    'CASES',
    'REFUSED',
    'RIGHT',
    'WARNED',
    'Case',
    'Context',
    'add',
    'fingerprint',
    'select',
    'thin',
]

#: What a case may end with. One that accepts several has no right answer that
#: everybody would agree on, but none of them is silent.
RIGHT, REFUSED, WARNED = 'right', 'refused', 'warned'

#: All cases, by group and name.
CASES = {}


@dataclass(frozen=True, eq=False)
class Case:
    """
    A case.

    Parameters
    ----------
    group, name : str
        Its group, and its name there.

    call : callable
        What is tried, a function of a `Context`.

    accept : tuple of str
        The verdicts that are right.

    says : str
        A regular expression that the message of a refusal must match.

    warning : str
        A regular expression that a warning must match, for ``WARNED``.

    flag : str
        The flags of which one must be set, for ``WARNED``, with bars between.

    late : bool
        Whether it may be refused after the network ran, since nobody can know
        before.

    seconds : float
        The limit of processor time.

    quick : bool
        Whether the test suite has it.
    """

    group: str
    name: str
    call: Callable
    accept: tuple = (RIGHT,)
    says: str = ''
    warning: str = ''
    flag: str = ''
    late: bool = False
    seconds: float = 10.0
    quick: bool = False


@dataclass(eq=False)
class Context:
    """
    What a case has to work with, and what it found.

    Parameters
    ----------
    folder : `pathlib.Path`
        An empty folder of its own.
    """

    folder: Path
    problems: list = field(default_factory=list)
    flags: set = field(default_factory=set)
    watched: list = field(default_factory=list)
    before: set = field(default_factory=set)

    def watch(self, *inputs):
        """Remember inputs, which the package must not change; give the first."""
        self.watched += [(one, fingerprint(one)) for one in inputs]
        self.start()
        return inputs[0] if inputs else None

    def start(self):
        """Remember the files that are there: others are the package's."""
        self.before = set(self.folder.rglob('*'))

    def fail(self, text):
        """Note that something is not as it should be."""
        self.problems.append(text)

    def check(self, condition, text):
        """Note that a condition does not hold."""
        if not condition:
            self.fail(text)

    def compare(self, what, value, truth, *, rtol=0.0, atol=0.0):
        """Note where numbers differ from independent ones."""
        value = np.asarray(getattr(value, 'value', value), dtype=float)
        truth = np.asarray(getattr(truth, 'value', truth), dtype=float)
        if value.shape != truth.shape:
            self.fail(f'{what} has the shape {value.shape}, not {truth.shape}')
            return
        if rtol == 0 and atol == 0:
            good = (value == truth) | (np.isnan(value) & np.isnan(truth))
        else:
            with np.errstate(all='ignore'):
                good = np.isclose(value, truth, rtol=rtol, atol=atol, equal_nan=True)
        if not np.all(good):
            i = np.unravel_index(np.argmin(good), good.shape)
            self.fail(
                f'{what} is {value[i]:.6g}, not {truth[i]:.6g}'
                f' ({np.count_nonzero(~good)} of {good.size} differ)'
            )


def add(group, name, call, **options):
    """
    Register a case.

    Parameters
    ----------
    group, name, call
        As for `Case`.

    **options
        The other fields of `Case`.
    """
    key = f'{group}/{name}'
    if key in CASES:
        msg = f'there are two cases {key}'
        raise ValueError(msg)
    CASES[key] = Case(group, name, call, **options)


def select(*, groups=(), names=(), quick=False):
    """
    Choose cases.

    Parameters
    ----------
    groups : sequence of str, optional
        Their groups; by default all.

    names : sequence of str, optional
        Parts of ``group/name``; by default all.

    quick : bool, optional
        Whether only those of the test suite are wanted.

    Returns
    -------
    cases : list of `Case`
        The cases, in the order of the registry.
    """
    return [
        case
        for key, case in CASES.items()
        if (not groups or case.group in groups)
        and (not names or any(name in key for name in names))
        and (case.quick or not quick)
    ]


def thin(cases, most):
    """
    Choose some cases of each group, evenly spread.

    Parameters
    ----------
    cases : list of `Case`
        The cases.

    most : int
        How many of a group, at most.

    Returns
    -------
    chosen : list of `Case`
        The chosen ones, in their order.
    """
    groups = {}
    for case in cases:
        groups.setdefault(case.group, []).append(case)
    return [
        one for group in groups.values() for one in group[:: -(-len(group) // most)]
    ]


def fingerprint(given):
    """
    Reduce an input to what must not change.

    Parameters
    ----------
    given : object
        An array, NDData, table, HDU, or a container of them.

    Returns
    -------
    fingerprint : object
        Something that can be compared.
    """
    if isinstance(given, NDData):
        uncertainty = given.uncertainty
        return (
            fingerprint(given.data),
            fingerprint(given.mask),
            None if uncertainty is None else fingerprint(uncertainty.array),
            str(given.unit),
            str(dict(given.meta)),
        )
    if isinstance(given, Table):
        return str(given.meta), [
            (name, fingerprint(given[name])) for name in given.colnames
        ]
    if isinstance(given, SkyCoord):
        angles = given.spherical
        return [fingerprint(np.asarray(one)) for one in (angles.lon, angles.lat)]
    if isinstance(given, fits.HDUList):
        return [fingerprint(hdu) for hdu in given]
    if isinstance(given, fits.ImageHDU | fits.PrimaryHDU):
        # The header last: astropy itself drops BZERO when data are read.
        return fingerprint(given.data), given.header.tostring()
    if isinstance(given, fits.Header):
        return given.tostring()
    if isinstance(given, np.ma.MaskedArray):
        return given.data.tobytes(), np.ma.getmaskarray(given).tobytes()
    if isinstance(given, np.ndarray):
        plain = np.array(given)
        if plain.dtype.hasobject:
            return repr(plain.tolist())
        return plain.dtype.str, plain.shape, plain.tobytes()
    if isinstance(given, dict):
        return [(key, fingerprint(value)) for key, value in given.items()]
    if isinstance(given, list | tuple):
        return [fingerprint(value) for value in given]
    return id(given)
