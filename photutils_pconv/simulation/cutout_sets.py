# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Sets of training cutouts: merged, and divided by field.

The bands of a mode are merged (2.3, `merge_cutouts`), and divided by field, never by
cutout (2.3.2, `split_cutouts`). `photutils_pconv.simulation.partition` decides which
field goes where.
"""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table, vstack

from photutils_pconv.simulation._checks import as_fields, as_sequence, check_mapping

__all__ = [
    'RESTRICTED_SETUPS',
    'TrainingCutouts',
    'merge_cutouts',
    'split_cutouts',
]

#: The parts in which a setup may appear, where these are not all: the
#: red band of the parallel mode has the PSF of the scan map mode, so the
#: paper has it in the tests alone (section 2.3.2).
RESTRICTED_SETUPS = {'parallel/red': ('test',)}


@dataclass(eq=False)
class TrainingCutouts:
    """
    Cutouts with their targets and validity, and where they are from.

    Parameters
    ----------
    image : 3D float32 `~numpy.ndarray`
        The maps with sources, (N, H, W), in Jy/pixel, or in the map's
        own unit where it has none. NaN where a pixel is missing.

    target : 3D float32 `~numpy.ndarray`
        The source-free maps, with NaN in the same pixels.

    validity : 3D bool `~numpy.ndarray`
        False in holes and where pixels are missing.

    table : `~astropy.table.Table`
        A row per cutout: ``field``, ``setup``, ``source`` (the row of the
        source list), ``x``, ``y`` (pixels of the map), ``snr``,
        ``hole_radius`` (pixels) and ``flux`` (Jy, or the list's own unit
        where it states none; NaN where it has no such column).

    Raises
    ------
    TypeError, ValueError
        If the arrays and the table do not fit together, or are none.
    """

    image: np.ndarray
    target: np.ndarray
    validity: np.ndarray
    table: Table

    def __post_init__(self):
        for name in ('image', 'target', 'validity'):
            kind = getattr(getattr(self, name), 'dtype', np.dtype(object)).kind
            if kind not in 'fiub':
                msg = f'{name} must be an array of real numbers (N, H, W)'
                raise TypeError(msg)
        if not isinstance(self.table, Table):
            msg = f'table must be a Table, got {type(self.table).__name__}'
            raise TypeError(msg)
        shapes = {np.shape(a) for a in (self.image, self.target, self.validity)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 3:
            msg = (
                'image, target and validity must have one shape (N, H, W), got '
                f'{np.shape(self.image)}, {np.shape(self.target)} and '
                f'{np.shape(self.validity)}'
            )
            raise ValueError(msg)
        if len(self.table) != len(self.image):
            msg = (
                f'table must have a row for each of the {len(self.image)} cutouts, '
                f'got {len(self.table)}'
            )
            raise ValueError(msg)

    def __len__(self):
        return len(self.image)

    def __repr__(self):
        setups = ', '.join(sorted(set(self.table['setup'])))
        n_fields = len(set(self.table['field']))
        return (
            f'<{type(self).__name__}({len(self)} cutouts of {n_fields} fields; '
            f'{setups})>'
        )

    def select(self, rows):
        """
        Select some of the cutouts.

        Parameters
        ----------
        rows : array_like of bool or int
            Which ones.

        Returns
        -------
        cutouts : `TrainingCutouts`
            A copy of them.

        Raises
        ------
        TypeError, ValueError
            If they are neither bool nor int, or there are no such rows.
        """
        given = rows
        rows = np.asarray(rows)
        if rows.dtype.kind not in 'biu' and rows.size:
            msg = f'rows must be bool or int, got {rows.dtype}'
            raise TypeError(msg)
        if rows.dtype != bool:
            rows = rows.astype(int)
        n = len(self)
        inside = rows.shape == (n,)
        if rows.dtype != bool:
            inside = rows.ndim == 1 and np.all((rows >= -n) & (rows < n))
        if not inside:
            msg = f'rows must be a list of rows of the {n} cutouts, got {given!r}'
            raise ValueError(msg)
        return TrainingCutouts(
            self.image[rows], self.target[rows], self.validity[rows], self.table[rows]
        )


def merge_cutouts(sets):
    """
    Merge the cutouts of several maps, fields or bands into one set.

    The paper merges the bands of a mode (section 2.3): the network
    learns their differences from the holes. Every cutout is scaled by
    itself, so bands of different brightness need no common scale.

    Parameters
    ----------
    sets : sequence of `TrainingCutouts`
        What to merge, at least one.

    Returns
    -------
    cutouts : `TrainingCutouts`
        All cutouts, in the order given.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to merge, or the cutouts differ in size.
    """
    sets = as_sequence(sets, 'sets', 'TrainingCutouts')
    for one in sets:
        if not isinstance(one, TrainingCutouts):
            msg = f'sets must hold TrainingCutouts, got {type(one).__name__}'
            raise TypeError(msg)
    if not sets:
        msg = 'sets must hold at least one TrainingCutouts, got none'
        raise ValueError(msg)
    sizes = {one.image.shape[1:] for one in sets}
    if len(sizes) != 1:
        msg = f'all cutouts must have one size, got {sorted(sizes)}'
        raise ValueError(msg)
    # The columns of an empty table may have no proper type.
    sets = [one for one in sets if len(one)] or sets[:1]
    return TrainingCutouts(
        np.concatenate([one.image for one in sets]),
        np.concatenate([one.target for one in sets]),
        np.concatenate([one.validity for one in sets]),
        vstack([one.table for one in sets], metadata_conflicts='silent'),
    )


def split_cutouts(cutouts, parts, *, restricted=None):
    """
    Divide cutouts into training, validation and test, by their field.

    Parameters
    ----------
    cutouts : `TrainingCutouts` or sequence of them
        The cutouts of all fields and bands of a mode.

    parts : dict
        The fields of each part, as
        `~photutils_pconv.simulation.split_fields` gives them.

    restricted : dict, optional
        For the name of a setup, the only parts in which it may appear;
        its cutouts in other parts' fields are left out, since putting
        them elsewhere would show the network a field of the tests. By
        default `RESTRICTED_SETUPS`, the paper's.

    Returns
    -------
    sets : dict of `TrainingCutouts`
        The cutouts of each part; a part may be empty.

    Raises
    ------
    TypeError, ValueError
        If a field is in two parts, or a cutout's field in none, or an
        argument is of another type.
    """
    if not isinstance(cutouts, TrainingCutouts):
        cutouts = merge_cutouts(cutouts)
    check_mapping(parts, 'parts', 'part to fields')
    restricted = RESTRICTED_SETUPS if restricted is None else restricted
    check_mapping(restricted, 'restricted', 'setup to parts')
    restricted = {
        setup: as_fields(names, f'restricted[{setup!r}]')
        for setup, names in restricted.items()
    }
    home = {}
    for part, names in parts.items():
        for name in as_fields(names, f'parts[{part!r}]'):
            if home.setdefault(str(name), part) != part:
                msg = (
                    f'the field {name!r} is in two parts, {home[str(name)]} and {part}'
                )
                raise ValueError(msg)
    fields = np.asarray(cutouts.table['field'])
    setups = np.asarray(cutouts.table['setup'])
    unknown = sorted(set(fields.tolist()) - home.keys())
    if unknown:
        msg = f'the fields {unknown} have cutouts but are in none of {list(parts)}'
        raise ValueError(msg)
    where = np.array([home[name] for name in fields.tolist()], dtype=object)
    keep = np.array(
        [
            part in restricted.get(setup, (part,))
            for part, setup in zip(where, setups.tolist(), strict=True)
        ],
        dtype=bool,
    )
    return {part: cutouts.select((where == part) & keep) for part in parts}
