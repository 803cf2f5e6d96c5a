# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Work that an executor of the user's does: of threads, processes, or a cluster.
"""

__all__ = ['check_executor', 'run_jobs']


def check_executor(executor):
    """
    Complain if an executor cannot be one.

    Parameters
    ----------
    executor : object
        Something with ``submit``, as `concurrent.futures.Executor` and dask's
        ``Client`` have it; or `None`.

    Raises
    ------
    TypeError
        If it has none.
    """
    if executor is not None and not callable(getattr(executor, 'submit', None)):
        msg = (
            'executor must have a method submit, as concurrent.futures.Executor and '
            f'dask.distributed.Client have, got {executor!r}.'
        )
        raise TypeError(msg)


def run_jobs(function, shared, jobs, *, executor=None):
    """
    Call a function for each of some jobs, here or by an executor.

    Parameters
    ----------
    function : callable
        It takes what is shared, and a job.

    shared : object
        What the jobs have in common; an executor that can sends it once.

    jobs : sequence
        The jobs.

    executor : object, optional
        As for `check_executor`.

    Yields
    ------
    result : object
        What the function gives for each job, in their order.
    """
    if executor is None:
        yield from (function(shared, job) for job in jobs)
        return
    # Dask sends large data once that way.
    shared = executor.scatter(shared) if hasattr(executor, 'scatter') else shared
    futures = [executor.submit(function, shared, job) for job in jobs]
    try:
        yield from (future.result() for future in futures)
    except BaseException:
        for future in futures:
            future.cancel()
        raise
