# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training cutouts in files, in the paper's layout.
"""

import csv
from pathlib import Path

import numpy as np

from photutils_pconv._utils.checks import to_bool
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.training.array_cutouts import ArrayCutouts

__all__ = ['open_arrays']


class _Files:
    """
    The files ``0.npy``, ``1.npy``, ... of a folder as a sequence.
    """

    def __init__(self, folder, size):
        self.folder = folder
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return _load(self.folder / f'{index}.npy')


class _Channel:
    """
    One channel of every mask, where a cutout has several.
    """

    def __init__(self, masks, channel):
        self.masks = masks
        self.channel = channel

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, index):
        mask = self.masks[index]
        if mask.ndim != 3:
            return mask
        if not -len(mask) <= self.channel < len(mask):
            msg = (
                f'mask_channel is {self.channel}, but mask {index} has {len(mask)} '
                'channels'
            )
            raise ValueError(msg)
        return mask[self.channel]


def open_arrays(
    folder,
    part='train',
    *,
    csv_folder=None,
    mask_channel=-1,
    normalisation=None,
    nan_targets='raise',
    check=True,
    setups=None,
):
    """
    Open training cutouts that are stored in the paper's layout.

    The cutouts stand in ``{part}``, the extended emission in
    ``{part}_target``, both in the map's unit, and the masks, 1 for
    usable pixels, in ``{part}_mask``. Each of them is either a folder
    with a file ``0.npy``, ``1.npy``, ... a cutout, as in the data that
    the authors published, or one array ``{part}.npy`` and so on of shape
    (N, H, W), which is memory-mapped and faster. A mask may have several
    channels (the authors' has four).

    Parameters
    ----------
    folder : path-like
        The folder.

    part : str, optional
        'train' or 'valid'.

    csv_folder : path-like, optional
        Where ``{part}.csv`` is looked for, whose rows say how many files
        belong to the set; by default ``folder``. Without it, all files
        do.

    mask_channel : int, optional
        The channel of masks that have several; the authors' last one has
        the holes that follow from the SNR.

    normalisation, nan_targets, check : optional
        As for `ArrayCutouts`.

    setups : sequence of setup or str, optional
        The setups, for a normalisation with ``wings`` or ``kriging``. Which
        cutout has which the column ``setup`` of the CSV says; without it,
        there must be one alone.

    Returns
    -------
    cutouts : `ArrayCutouts`
        The cutouts.

    Raises
    ------
    FileNotFoundError
        If one of the three is missing.

    ValueError
        If a file is no array of numbers, or `ArrayCutouts` refuses what
        is in it.
    """
    check = to_bool(check, 'check')
    folder = Path(folder).expanduser()
    list_path = Path(csv_folder or folder).expanduser() / f'{part}.csv'
    rows = _count_rows(list_path)
    needed = any((normalisation or {}).get(key) for key in ('wings', 'kriging'))
    own = _find_setups(list_path, setups or ()) if needed else None
    image, target, mask = (
        _open(folder, f'{part}{suffix}', rows) for suffix in ('', '_target', '_mask')
    )
    return ArrayCutouts(
        image,
        target,
        _Channel(mask, mask_channel),
        normalisation=normalisation,
        nan_targets=nan_targets,
        check=check,
        label=str(folder / part),
        setups=own,
    )


def _open(folder, name, rows):
    stacked, files = folder / f'{name}.npy', folder / name
    if stacked.is_file():
        return _load(stacked, memory_map=True)
    if files.is_dir():
        found = sum(path.stem.isdecimal() for path in files.glob('*.npy'))
        if rows is not None and rows > found:
            msg = f'{str(files)!r} has {found} files, but its CSV list {rows} rows'
            raise ValueError(msg)
        return _Files(files, found if rows is None else rows)
    msg = (
        f'neither the array {str(stacked)!r} nor the folder {str(files)!r} with a '
        'file per cutout exists'
    )
    raise FileNotFoundError(msg)


def _load(path, *, memory_map=False):
    try:
        array = np.load(path, mmap_mode='r' if memory_map else None, allow_pickle=False)
    # An empty file ends with EOFError.
    except (ValueError, EOFError) as exc:
        msg = f'{str(path)!r} is not an array of numbers, or is truncated: {exc}'
        raise ValueError(msg) from exc
    if not isinstance(array, np.ndarray):
        array.close()
        msg = (
            f'{str(path)!r} is an archive of arrays (.npz), not one array (.npy): save '
            'each array by itself, with numpy.save'
        )
        raise ValueError(msg)
    if array.dtype.kind not in 'fiub':
        msg = f'{str(path)!r} must hold numbers, got {array.dtype}'
        raise ValueError(msg)
    least = 3 if memory_map else 2
    if array.ndim < least:
        msg = (
            f'{str(path)!r} must have {least} axes or more, got the shape {array.shape}'
        )
        raise ValueError(msg)
    return array


def _find_setups(path, setups):
    """Find the setup of each cutout, or that of all; None if it is not known."""
    given = {one.name: one for one in (get_setup(setup=one) for one in setups)}
    names = []
    if path.is_file():
        with open(path, newline='', encoding='utf-8') as handle:
            names = [row.get('setup') for row in csv.DictReader(handle)]
    if names and all(names):
        known = {
            name: given[name] if name in given else get_setup(setup=name)
            for name in set(names)
        }
        return [known[name] for name in names]
    return list(given.values()) if len(given) == 1 else None


def _count_rows(path):
    if not path.is_file():
        return None
    with open(path, newline='', encoding='utf-8') as handle:
        try:
            rows = sum(1 for row in csv.reader(handle) if row) - 1
        except (UnicodeDecodeError, csv.Error) as exc:
            msg = f'{str(path)!r} is not a CSV table: {exc}'
            raise ValueError(msg) from exc
    if rows < 1:
        msg = f'{str(path)!r} must list at least one cutout below its header'
        raise ValueError(msg)
    return rows
