# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Training sets in the making: what each field gave, and what became of it.

A field's cutouts are a piece, a file; a manifest has their checksums, so that an
interrupted run goes on. The pieces together are what a training reads.
"""

import hashlib
import json

import numpy as np
from astropy.table import Table

from photutils_pconv._utils.checksums import file_checksum
from photutils_pconv._utils.writing import write_atomically, write_bytes_atomically
from photutils_pconv.simulation.cutout_files import CutoutWriter
from photutils_pconv.simulation.cutout_sets import TrainingCutouts

__all__ = [
    'SPLITS',
    'assemble',
    'is_whole',
    'read_manifest',
    'spread',
    'write_manifest',
    'write_piece',
]

SPLITS = ('train', 'valid', 'test')
_MANIFEST = 'manifest.json'


def read_manifest(folder, recipe):
    """What an earlier run has done, by the names of the fields."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding='utf-8'))
        if any(manifest[key] != value for key, value in recipe.items()):
            msg = (
                f'{folder} holds a set with other options ('
                f'{", ".join(f"{key}={manifest[key]}" for key in recipe)}): choose '
                'another folder, or remove it.'
            )
            raise ValueError(msg)
        return {entry['name']: entry for entry in manifest['fields']}
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return {}


def write_manifest(folder, manifest, known):
    """Write it after each field; what is known of those to come is kept."""
    names = {entry['name'] for entry in manifest['fields']}
    others = [entry for name, entry in known.items() if name not in names]
    whole = {**manifest, 'fields': [*manifest['fields'], *others]}
    text = json.dumps(whole, indent=1) + '\n'
    write_bytes_atomically(folder / _MANIFEST, text.encode())


def is_whole(folder, entry):
    if entry['state'] != 'done':
        return False
    path = folder / entry['piece']
    return path.is_file() and file_checksum(path) == entry['sha256']


def write_piece(folder, name, cutouts):
    """Write the cutouts of a field; give its entry in the manifest."""
    path = folder / 'pieces' / f'{name}.npz'
    arrays = {key: getattr(cutouts, key) for key in ('image', 'target', 'validity')}
    columns = {f'table_{key}': np.asarray(cutouts.table[key]) for key in _columns()}
    write_atomically(path, lambda target: np.savez(target, **arrays, **columns))
    return {
        'state': 'done',
        'cutouts': len(cutouts),
        'piece': f'pieces/{name}.npz',
        'sha256': file_checksum(path),
    }


def _columns():
    return ('field', 'setup', 'source', 'x', 'y', 'snr', 'hole_radius', 'flux')


def spread(number, most):
    """Some of a number of simulations, spread evenly."""
    if most is None or most >= number:
        return set(range(number))
    return {round(value) for value in np.linspace(0, number - 1, most)}


def assemble(folder, entries):
    """Put the pieces together as a training reads them; give the checksums."""
    done = [entry for entry in entries if entry['state'] == 'done']
    if not done:
        reasons = '; '.join(f'{one["name"]}: {one["reason"]}' for one in entries[:3])
        msg = f'No field gave any cutouts. {reasons}'
        raise ValueError(msg)
    target = folder / 'cutouts'
    stamp = '\n'.join(f'{entry["sha256"]} {entry["split"]}' for entry in done)
    stamp = hashlib.sha256(stamp.encode()).hexdigest()
    stamp_file = folder / 'cutouts.sha256'
    is_same = stamp_file.is_file() and stamp_file.read_text().strip() == stamp
    if not (is_same and target.is_dir()):
        # In this order, so that a process that is killed leaves no false stamp.
        stamp_file.unlink(missing_ok=True)
        _remove_cutouts(target)
        with CutoutWriter(target) as writer:
            for entry in done:
                writer.add(entry['split'], read_piece(folder / entry['piece']))
        write_bytes_atomically(stamp_file, f'{stamp}\n'.encode())
    return {path.name: file_checksum(path) for path in sorted(target.iterdir())}


def _remove_cutouts(target):
    """Remove what `CutoutWriter` made of fewer pieces, and nothing else."""
    if not target.is_dir():
        return
    for split in SPLITS:
        for end in ('.npy', '_target.npy', '_mask.npy', '.csv'):
            (target / f'{split}{end}').unlink(missing_ok=True)


def read_piece(path):
    with np.load(path) as arrays:
        table = Table({key: arrays[f'table_{key}'] for key in _columns()})
        return TrainingCutouts(
            arrays['image'], arrays['target'], arrays['validity'], table
        )
