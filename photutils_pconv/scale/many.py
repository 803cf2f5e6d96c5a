# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Many maps, cleaned by the processes of a cluster.
"""

import uuid
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from astropy.table import QTable

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.optional import require
from photutils_pconv._utils.writing import (
    check_output,
    write_atomically,
    write_bytes_atomically,
)
from photutils_pconv.scale.clusters import connect, count_cores
from photutils_pconv.scale.job_lists import check_names, read_jobs
from photutils_pconv.scale.jobs import RemovalJob
from photutils_pconv.scale.tasks import JobReport, make_remover, run_job

__all__ = ['FAILURES', 'SUMMARY', 'remove_many']

#: The name of the table of all maps.
SUMMARY = 'summary.ecsv'
#: The name of the text that says what went wrong, and where.
FAILURES = 'failures.txt'
# How often a map is tried again; by choice.
_RETRIES = 1


def remove_many(
    jobs, output, *, client=None, n_workers=None, overwrite=False, progress_bar=False
):
    """
    Clean many maps and measure their sources, several at once.

    Each map gets a folder with what
    `~photutils_pconv.SourceRemovalResult.write` writes, bit for bit what a remover
    gives, and ``manifest.json``, which says what that was made from. A map whose
    manifest says that it is done, from the same files, settings, and networks, is
    skipped; so a run that was interrupted is simply started again.

    A map that fails is tried once more, and reported; the others go on. The map of
    a process that dies is given to another one.

    Parameters
    ----------
    jobs : list of `RemovalJob`, path-like or `~astropy.table.Table`
        The maps, or what `read_jobs` reads them from.

    output : path-like
        The folder for the folders of the maps, ``summary.ecsv``, and, if any
        failed, ``failures.txt`` with tracebacks. All processes must see it, and
        the maps, by the same path: only the jobs are sent to them.

    client : `distributed.Client` or str, optional
        A cluster of dask, or the address of its scheduler, which stay as they are
        (see `connect`). By default processes on this machine.

    n_workers : int, optional
        The number of those processes (default: one for each core).

    overwrite : bool, optional
        Whether results that were made from something else are replaced.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    summary : `~astropy.table.QTable`
        A row per map, in the order of the jobs: ``name``, ``map``, ``status``
        (``'done'``, ``'skipped'``, or ``'failed'``), ``n_sources``,
        ``n_flagged``, those with a flag that warns
        (`~photutils_pconv.photometry.has_warning`), ``seconds``, and ``message``,
        which says why it failed.

    Raises
    ------
    ImportError
        If dask is missing.

    TypeError, ValueError
        If the jobs or their settings are not accepted.

    OSError
        If nothing can be written into the folder, or no scheduler answers.

    Notes
    -----
    A script that calls this without a client must be one that can be imported, with
    its work below ``if __name__ == '__main__':``, since new processes read it.
    """
    overwrite = to_bool(overwrite, 'overwrite')
    progress_bar = to_bool(progress_bar, 'progress_bar')
    jobs = _parse_jobs(jobs)
    output = Path(output).expanduser().absolute()
    check_output([output / '.pconv'], overwrite=True)
    for settings in dict.fromkeys(job.settings for job in jobs if job.has_setup):
        # What is wrong with it is told before any process is started.
        make_remover(settings)
    output.mkdir(parents=True, exist_ok=True)
    if client is None and n_workers is None:
        # No more than there are maps.
        n_workers = min(count_cores(), len(jobs))
    with connect(client, n_workers=n_workers) as connected:
        reports = _run(connected, jobs, str(output), overwrite, progress_bar)
    summary = _make_summary(jobs, reports)
    write_atomically(output / SUMMARY, partial(summary.write, format='ascii.ecsv'))
    _write_failures(output / FAILURES, jobs, reports)
    return summary


def _parse_jobs(jobs):
    if isinstance(jobs, list | tuple):
        wrong = [job for job in jobs if not isinstance(job, RemovalJob)]
        if wrong or not jobs:
            what = type(wrong[0]).__name__ if wrong else 'none'
            msg = f'jobs must be RemovalJob objects, got {what}.'
            raise TypeError(msg)
        check_names(jobs)
        return list(jobs)
    return read_jobs(jobs)


def _run(client, jobs, output, overwrite, progress_bar):
    """Have all jobs done, and return the report of each."""
    distributed = require('distributed')
    run = uuid.uuid4().hex[:8]
    numbers, reports, attempts = {}, [None] * len(jobs), [0] * len(jobs)

    def submit(number):
        future = client.submit(
            run_job,
            jobs[number],
            output,
            overwrite=overwrite,
            key=f'remove-{run}-{number}-{attempts[number]}',
            pure=False,
        )
        attempts[number] += 1
        numbers[future] = number
        return future

    try:
        finished = distributed.as_completed(
            [submit(number) for number in range(len(jobs))], loop=client.loop
        )
        with _show_progress(len(jobs), progress_bar) as advance:
            for future in finished:
                number = numbers.pop(future)
                report = _get_report(future)
                if report.status == 'failed' and attempts[number] <= _RETRIES:
                    finished.add(submit(number))
                    continue
                reports[number] = report
                advance()
    except BaseException:
        client.cancel(list(numbers))
        raise
    return reports


def _get_report(future):
    """Return the report of a job that is over, well or not."""
    if future.status == 'finished':
        return future.result()
    # Its process died, and those to which it was given then.
    error = future.exception() if future.status == 'error' else 'it was cancelled'
    message = f'{type(error).__name__}: {error}' if future.status == 'error' else error
    return JobReport(status='failed', message=' '.join(message.split()))


def _make_summary(jobs, reports):
    columns = {
        'name': [job.name for job in jobs],
        'map': [job.map for job in jobs],
        **{
            name: [getattr(report, name) for report in reports]
            for name in ('status', 'n_sources', 'n_flagged', 'seconds', 'message')
        },
    }
    return QTable(columns)


def _write_failures(path, jobs, reports):
    """Write down where things went wrong, or remove what an earlier run wrote."""
    parts = [
        f'{job.name} ({job.map}): {report.message}\n{report.traceback}\n'
        for job, report in zip(jobs, reports, strict=True)
        if report.status == 'failed'
    ]
    if parts:
        write_bytes_atomically(path, '\n'.join(parts).encode())
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _show_progress(total, show):
    """Give what is called after each map, and shows a bar."""
    if not show:
        yield lambda: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc='maps', unit='map') as bar:
        yield bar.update
