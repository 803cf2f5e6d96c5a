# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a worker does: one map, from file to file.
"""

import copy
import time
import traceback
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from photutils_pconv._utils.writing import remove_stale
from photutils_pconv.inputs.plane_files import read_plane_file
from photutils_pconv.inputs.sources import read_sources
from photutils_pconv.photometry.flags import has_warning
from photutils_pconv.removal.remover import NeuralSourceRemover
from photutils_pconv.scale.manifests import Manifest
from photutils_pconv.setups.eef_files import read_eef_file
from photutils_pconv.setups.from_header import setup_of_file

__all__ = ['JobReport', 'make_remover', 'run_job']

# Removers that a worker keeps, with their PSFs; by choice.
_KEPT = 8


@dataclass(frozen=True, kw_only=True)
class JobReport:
    """
    What became of a map.

    Parameters
    ----------
    status : {'done', 'skipped', 'failed'}
        Whether it was cleaned now, before, or not at all.

    n_sources, n_flagged : int, optional
        The number of sources, and of those with a flag.

    seconds : float, optional
        The time that it took, reading and writing included.

    message, traceback : str, optional
        What was wrong, and where.
    """

    status: str
    n_sources: int = 0
    n_flagged: int = 0
    seconds: float = 0.0
    message: str = ''
    traceback: str = ''


@lru_cache(maxsize=_KEPT)
def make_remover(settings):
    """
    Make the remover of a job, once for all that have the same settings.

    Parameters
    ----------
    settings : `~photutils_pconv.scale.jobs.RemoverSettings`
        The settings.

    Returns
    -------
    remover : `~photutils_pconv.NeuralSourceRemover`
        The remover.
    """
    options = dict(settings.options)
    options['aperture_corrections'] = read_eef_file(options.get('aperture_corrections'))
    return NeuralSourceRemover(**options)


def run_job(job, output, *, overwrite=False):
    """
    Clean one map, unless that was done before; say what was wrong with it.

    Parameters
    ----------
    job : `~photutils_pconv.scale.RemovalJob`
        The map, and how it is cleaned.

    output : str
        The folder of all results.

    overwrite : bool, optional
        Whether results of something else are replaced.

    Returns
    -------
    report : `JobReport`
        What came of it.
    """
    try:
        # One map a core: more threads would stand in each other's way.
        with threadpool_limits(1, user_api='blas'):
            return _run(job, Path(output) / job.name, overwrite)
    except Exception as exc:
        # Whatever it is, the other maps go on.
        message = ' '.join(f'{type(exc).__name__}: {exc}'.split())
        return JobReport(
            status='failed', message=message, traceback=traceback.format_exc()
        )


def _run(job, folder, overwrite):
    """Clean one map, unless that was done before."""
    start = time.perf_counter()
    if not job.has_setup:
        job = job.with_setup(setup_of_file(Path(job.map)))
    remover = make_remover(job.settings)
    manifest = Manifest(folder, job, remover)
    before = manifest.find_done()
    if before is not None:
        return JobReport(
            status='skipped',
            n_sources=before.get('n_sources', 0),
            n_flagged=before.get('n_flagged', 0),
        )
    if not overwrite:
        manifest.check_free()
    folder.mkdir(parents=True, exist_ok=True)
    remove_stale(folder)
    manifest.begin()
    photometry = _clean(job, remover, folder)
    figures = {
        'n_sources': len(photometry),
        'n_flagged': int(np.count_nonzero(has_warning(photometry['flags']))),
        'seconds': round(time.perf_counter() - start, 3),
    }
    manifest.finish(figures)
    return JobReport(status='done', **figures)


def _clean(job, remover, folder):
    """Clean a map, write what came of it, and return the photometry."""
    options = job.options
    # The remover stays. A copy does not let it hold this map beside the next one.
    result = copy.copy(remover)(
        job.map,
        read_sources(
            job.catalogue,
            hdu=options.get('catalogue_hdu'),
            table_id=options.get('table_id'),
        ),
        hdu=options.get('map_hdu'),
        mask=options.get('mask_hdu') or read_plane_file(options.get('mask')),
        coverage_mask=read_plane_file(options.get('coverage_mask')),
        error=options.get('error_hdu') or read_plane_file(options.get('error')),
        beam=options.get('beam'),
    )
    result.write(folder, overwrite=True)
    return result.photometry
