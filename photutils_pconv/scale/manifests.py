# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What is written down beside the results of a map, so that nothing is done twice.
"""

import hashlib
import json
import os
import socket
from datetime import UTC, datetime

from photutils_pconv._utils.checksums import file_checksum
from photutils_pconv._utils.versions import package_versions
from photutils_pconv._utils.writing import write_bytes_atomically
from photutils_pconv.scale.jobs import describe

__all__ = ['MANIFEST', 'Manifest']

#: The name of the file.
MANIFEST = 'manifest.json'
# What a removal writes besides it.
_OUTPUTS = ('cleaned.fits', 'photometry.ecsv')
# Options that may name a file, of which the content counts.
_FILES = ('mask', 'coverage_mask', 'error', 'psf', 'aperture_corrections')


class Manifest:
    """
    The manifest of a map: what its results are made from, and whether they are done.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The folder of the results.

    job : `~photutils_pconv.scale.RemovalJob`
        The job, with its setup.

    remover : `~photutils_pconv.NeuralSourceRemover`
        The remover.
    """

    def __init__(self, folder, job, remover):
        self.folder = folder
        self.path = folder / MANIFEST
        self.job = job
        self.checksums = _find_checksums(job, remover)

    def read(self):
        """
        Read the manifest that is there.

        Returns
        -------
        values : dict
            Its values; empty if there is none, or none of this package.
        """
        try:
            values = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    def find_done(self):
        """
        Find out whether the results are there already, made from the same.

        Returns
        -------
        values : dict or `None`
            The manifest of those results.
        """
        values = self.read()
        same = values.get('done') and values.get('checksums') == self.checksums
        if not same or values.get('outputs') != self._list_outputs():
            return None
        return values

    def check_free(self):
        """
        Refuse to replace the results of something else.

        Raises
        ------
        FileExistsError
            If there are results that no run of this job has left half-done.
        """
        existing = self._list_outputs()
        values = self.read()
        if not existing or values.get('done') is False:
            return
        before = values.get('checksums', {})
        changed = [
            key
            for key in sorted({*before, *self.checksums})
            if before.get(key) != self.checksums.get(key)
        ]
        why = 'were changed since' if changed and before else 'are there already'
        if changed and before:
            why = f'were made before something changed ({", ".join(changed)})'
        msg = (
            f'the results in {self.folder} {why}: allow to replace them '
            '(overwrite=True, on the command line --overwrite) or choose another folder'
        )
        raise FileExistsError(msg)

    def begin(self):
        """Write down that the results are about to be made."""
        self._write({'done': False})

    def finish(self, figures):
        """
        Write down that the results are there.

        Parameters
        ----------
        figures : dict
            What is to be recorded of them.
        """
        self._write({**figures, 'done': True, 'outputs': self._list_outputs()})

    def _list_outputs(self):
        """Give the sizes of the results that are there."""
        paths = (self.folder / name for name in _OUTPUTS)
        return {path.name: path.stat().st_size for path in paths if path.is_file()}

    def _write(self, values):
        values = {
            'map': self.job.map,
            'catalogue': self.job.catalogue,
            'options': describe(self.job.options),
            'checksums': self.checksums,
            'versions': package_versions('astropy', 'photutils'),
            'machine': socket.gethostname(),
            'date': datetime.now(UTC).isoformat(timespec='seconds'),
            **values,
        }
        text = json.dumps(values, indent=2, sort_keys=True) + '\n'
        write_bytes_atomically(self.path, text.encode())


def _find_checksums(job, remover):
    """Give the checksums of all that results follow from."""
    settings = remover.settings
    text = json.dumps(describe(job.options), sort_keys=True)
    checksums = {
        'map': file_checksum(job.map),
        'catalogue': file_checksum(job.catalogue),
        'settings': hashlib.sha256(text.encode()).hexdigest(),
        'model': settings.model.checksum,
        'inpaint_model': settings.inpaint_model.checksum,
    }
    for name in _FILES:
        path = job.options.get(name)
        if not isinstance(path, str):
            continue
        if path.endswith(']') and not os.path.isfile(path):
            path = path.rpartition('[')[0]
        if os.path.isfile(path):
            checksums[name] = file_checksum(path)
    return checksums
