# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Writing training cutouts to disk, in the paper's layout of .npy files.

`photutils_pconv.training.open_arrays` reads them. A set appears under
its name only when it is complete.
"""

import os
import shutil
import uuid
from pathlib import Path

import numpy as np
from astropy.table import Table, vstack

from photutils_pconv.geometry.cutouts import CUTOUT_SIZE
from photutils_pconv.simulation._checks import check_mapping, check_path
from photutils_pconv.simulation.cutout_sets import TrainingCutouts, merge_cutouts

__all__ = ['CutoutWriter', 'write_cutouts']

_LAYOUTS = ('arrays', 'files')
_SUFFIXES = {'image': '', 'target': '_target', 'validity': '_mask'}
_DTYPES = {'image': np.float32, 'target': np.float32, 'validity': np.uint8}


class CutoutWriter:
    """
    Write training cutouts piece by piece, as a context manager.

    Memory holds the piece at hand only, so that sets of any size can be
    written. Until the ``with`` block ends, everything stands in a hidden
    folder beside the final one; an error removes it.

    Parameters
    ----------
    folder : path-like
        The folder to be made. It must not exist, or be empty.

    layout : {'arrays', 'files'}, optional
        ``'arrays'`` has one array ``train.npy``, ``train_target.npy``
        and ``train_mask.npy`` a part, which is memory-mapped when read.
        ``'files'`` is the paper's: folders of these names with a file
        ``0.npy``, ``1.npy``, ... a cutout. Either has the list
        ``train.csv``.

    Raises
    ------
    FileExistsError
        If the folder exists and is not empty.

    TypeError, ValueError
        If the folder is no path, the layout is unknown, or nothing was
        written.

    Examples
    --------
    >>> with CutoutWriter('cutouts') as writer:  # doctest: +SKIP
    ...     for cutouts in maps_of_training_fields:
    ...         writer.add('train', cutouts)
    """

    def __init__(self, folder, *, layout='arrays'):
        check_path(folder, 'folder')
        if not isinstance(layout, str) or layout not in _LAYOUTS:
            msg = f'layout must be one of {_LAYOUTS}, got {layout!r}'
            raise ValueError(msg)
        self.folder = Path(folder).expanduser()
        self.layout = layout
        self._refuse_existing()
        self._tables = {}
        self._streams = {}
        self._temporary = None

    def _refuse_existing(self):
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            return
        if self.folder.exists():
            msg = (
                f'{str(self.folder)!r} exists and is not an empty folder: choose '
                'another one, or remove it'
            )
            raise FileExistsError(msg)

    def __enter__(self):
        parent = self.folder.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        temporary = parent / f'.{self.folder.name}.{uuid.uuid4().hex}.tmp'
        # With the permissions of any new folder, which are those of the final
        # one: what they are cannot be asked for without changing them for all.
        temporary.mkdir()
        self._temporary = temporary
        return self

    def __exit__(self, kind, value, traceback):
        try:
            if kind is None:
                self._finish()
        finally:
            for stream in self._streams.values():
                stream.close()
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def add(self, part, cutouts):
        """
        Append cutouts to a part of the set.

        Parameters
        ----------
        part : str
            The part, such as 'train', 'valid' or 'test'.

        cutouts : `~photutils_pconv.simulation.TrainingCutouts`
            The cutouts; none are fine.

        Raises
        ------
        RuntimeError
            If this is not inside the ``with`` block.

        TypeError, ValueError
            If the name is no name of a part, the size is not that of cutouts,
            or they are none.
        """
        self._check_open()
        if not isinstance(cutouts, TrainingCutouts):
            msg = f'cutouts must be TrainingCutouts, got {type(cutouts).__name__}'
            raise TypeError(msg)
        # 'train' and 'train_mask' would share their files.
        plain = isinstance(part, str) and part.isidentifier()
        if not plain or part.endswith(('_mask', '_target')):
            msg = f"part must be a plain name such as 'train', got {part!r}"
            raise ValueError(msg)
        if cutouts.image.shape[1:] != (CUTOUT_SIZE, CUTOUT_SIZE):
            msg = (
                f'cutouts must have {CUTOUT_SIZE} by {CUTOUT_SIZE} pixels, got '
                f'{cutouts.image.shape[1:]}'
            )
            raise ValueError(msg)
        first = sum(len(table) for table in self._tables.get(part, ()))
        for key, suffix in _SUFFIXES.items():
            array = np.ascontiguousarray(getattr(cutouts, key), dtype=_DTYPES[key])
            if self.layout == 'arrays':
                self._append(f'{part}{suffix}.npy', array)
                continue
            folder = self._temporary / f'{part}{suffix}'
            folder.mkdir(exist_ok=True)
            for i, cutout in enumerate(array, first):
                np.save(folder / f'{i}.npy', cutout)
        tables = self._tables.setdefault(part, [])
        if len(cutouts):
            tables.append(cutouts.table)

    def add_table(self, name, table):
        """
        Put a table beside the cutouts, such as a list of the fields.

        Parameters
        ----------
        name : str
            Its name; ``.csv`` is appended.

        table : `~astropy.table.Table`
            The table.

        Raises
        ------
        RuntimeError
            If this is not inside the ``with`` block.

        TypeError, ValueError
            If the name is no plain one, or the table is none.
        """
        self._check_open()
        if not isinstance(table, Table):
            msg = f'table must be a Table, got {type(table).__name__}'
            raise TypeError(msg)
        if not isinstance(name, str) or not name.isidentifier():
            msg = f"name must be a plain name such as 'fields', got {name!r}"
            raise ValueError(msg)
        table.write(self._temporary / f'{name}.csv', format='ascii.csv')

    def _check_open(self):
        if self._temporary is None:
            msg = (
                'this is for the inside of a with block: with CutoutWriter(...) as ...'
            )
            raise RuntimeError(msg)

    def _append(self, name, array):
        stream = self._streams.get(name)
        if stream is None:
            stream = open(self._temporary / name, 'wb')
            self._streams[name] = stream
            _write_header(stream, 0, array.dtype)
        stream.write(array.data)

    def _finish(self):
        if not self._tables:
            msg = 'no cutouts were added'
            raise ValueError(msg)
        for part, tables in self._tables.items():
            if not tables:
                msg = (
                    f'the part {part!r} has no cutouts: leave it out, or divide the '
                    'fields in another way'
                )
                raise ValueError(msg)
            table = Table(vstack(tables, metadata_conflicts='silent'))
            table.add_column(np.arange(len(table)), index=0, name='index')
            self.add_table(part, table)
            if self.layout == 'arrays':
                for key, suffix in _SUFFIXES.items():
                    stream = self._streams[f'{part}{suffix}.npy']
                    stream.seek(0)
                    _write_header(stream, len(table), np.dtype(_DTYPES[key]))
                    stream.flush()
                    os.fsync(stream.fileno())
                    stream.close()
        # Another process may have been faster.
        self._refuse_existing()
        if self.folder.is_dir():
            self.folder.rmdir()
        self._temporary.rename(self.folder)


def _write_header(stream, n, dtype):
    # Since NumPy 1.25 a header has room for the first axis to grow, so
    # its length does not depend on the number of cutouts.
    header = {
        'descr': np.lib.format.dtype_to_descr(dtype),
        'fortran_order': False,
        'shape': (n, CUTOUT_SIZE, CUTOUT_SIZE),
    }
    np.lib.format.write_array_header_1_0(stream, header)


def write_cutouts(folder, sets, *, layout='arrays'):
    """
    Write training cutouts in the paper's layout.

    Parameters
    ----------
    folder : path-like
        The folder to be made. It must not exist, or be empty.

    sets : dict
        For each part ('train', 'valid', 'test') the `TrainingCutouts
        <photutils_pconv.simulation.TrainingCutouts>`, or a
        sequence of them.

    layout : {'arrays', 'files'}, optional
        As for `CutoutWriter`: memory-mapped arrays, or a file per
        cutout, as in the paper.

    Returns
    -------
    folder : `pathlib.Path`
        The folder, complete.

    Raises
    ------
    FileExistsError
        If the folder exists and is not empty.

    TypeError, ValueError
        If a part has no cutouts, the layout is unknown, or another argument is
        not accepted.
    """
    check_mapping(sets, 'sets', 'part to TrainingCutouts')
    with CutoutWriter(folder, layout=layout) as writer:
        for part, cutouts in sets.items():
            if not isinstance(cutouts, TrainingCutouts):
                cutouts = merge_cutouts(cutouts)
            writer.add(part, cutouts)
    return writer.folder
