# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The processes that do the work: of a cluster of the user's, or of our own.
"""

import gc
import logging
import os
from contextlib import contextmanager

from photutils_pconv._utils.checks import check_count
from photutils_pconv._utils.optional import require

__all__ = ['connect', 'count_cores']

# How long (s) a scheduler may take to answer; by choice.
_PATIENCE = 30
# The most processes for each core: more of them only wait for each other (by choice).
_MOST_PER_CORE = 4
# A name of a host has up to 253 characters (RFC 1035); with a protocol and a port.
_LONGEST_ADDRESS = 300


@contextmanager
def connect(client=None, *, n_workers=None):
    """
    Get a client of dask, and leave the cluster of others alone afterwards.

    Parameters
    ----------
    client : `distributed.Client` or str, optional
        A client, or the address of a running scheduler, such as
        ``'tcp://node1:8786'``. Neither the scheduler nor its workers are ever
        closed. By default a cluster is started on this machine and
        closed in the end.

    n_workers : int, optional
        The number of processes of that cluster, each of one thread (default:
        one for each core that this process may use).

    Yields
    ------
    client : `distributed.Client`
        The client.

    Raises
    ------
    ImportError
        If dask is missing.

    TypeError, ValueError
        If ``client`` is neither, or comes with a number of workers, or if these are
        more than four for each core.

    OSError
        If no scheduler answers at the address.
    """
    distributed = require(
        'distributed',
        purpose='work on many maps',
        package='dask',
        install="'photutils-pconv[scale]'",
    )
    if client is not None and n_workers is not None:
        msg = 'n_workers is the size of a cluster of our own: leave it or client out'
        raise ValueError(msg)
    if isinstance(client, distributed.Client):
        yield client
    elif isinstance(client, str):
        with _connect_to(distributed, client) as connected:
            yield connected
    elif client is None:
        if n_workers is not None:
            _check_workers(n_workers)
        with (
            distributed.LocalCluster(
                n_workers=n_workers or count_cores(),
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                # Else it asks for port 8787, which only one cluster of a machine gets.
                scheduler_kwargs={'dashboard_address': 'localhost:0'},
                # Workers that end slowly are none of the user's business.
                silence_logs=logging.ERROR,
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as connected,
        ):
            yield connected
    else:
        msg = (
            'client must be a distributed.Client or the address of a scheduler, such '
            f"as 'tcp://node1:8786', got {client!r}."
        )
        raise TypeError(msg)


def count_cores():
    """
    Count the cores that this process may use.

    Returns
    -------
    number : int
        The number.
    """
    # Not all systems report what a process may use.
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_workers(n_workers):
    """Refuse more processes than the machine can do with."""
    check_count(n_workers, 'n_workers')
    most = _MOST_PER_CORE * count_cores()
    if n_workers > most:
        msg = (
            f'n_workers must be at most {most}, {_MOST_PER_CORE} for each core of this '
            f'machine, got {n_workers}; a cluster of more machines has a scheduler.'
        )
        raise ValueError(msg)


def _connect_to(distributed, address):
    if len(address) > _LONGEST_ADDRESS:
        msg = (
            'the address of a scheduler, such as tcp://node1:8786, has at most '
            f'{_LONGEST_ADDRESS} characters, got {len(address)}: {address[:40]!r}...'
        )
        raise ValueError(msg)
    try:
        return distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as exc:
        msg = (
            f'no scheduler of dask answers at {address!r}: start one with "dask '
            f'scheduler", or leave it out ({exc})'
        )
    # A client that has failed takes a lock of dask's when it is collected. If that
    # happened while the next one starts, which has the lock, it would wait for ever.
    # Nor may the error keep it, hence no cause.
    gc.collect()
    raise OSError(msg)
