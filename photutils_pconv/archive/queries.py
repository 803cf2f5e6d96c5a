# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Queries by astroquery: made with time-outs, asked with patience.
"""

import http.client
import logging
import re
import warnings
from contextlib import contextmanager
from urllib.parse import urlsplit

from photutils_pconv._utils.optional import require
from photutils_pconv._utils.warnings import quiet
from photutils_pconv.archive.errors import ArchiveFormatError
from photutils_pconv.archive.patience import call_patiently

__all__ = ['import_astroquery', 'make_tap', 'run_query']


def import_astroquery(name):
    """
    Import a part of astroquery.

    Parameters
    ----------
    name : str
        The part, such as ``'esa.hsa'``.

    Returns
    -------
    module : module
        The module.

    Raises
    ------
    ImportError
        If astroquery is missing; the message says what to install.
    """
    # astroquery's logger takes the warnings of everybody when it is imported.
    show = warnings.showwarning
    try:
        return require(
            f'astroquery.{name}',
            purpose='the archive',
            install="'photutils-pconv[archive]'",
        )
    finally:
        warnings.showwarning = show


def run_query(ask, *, patience, service):
    """
    Ask a service for a table; explain in words why it cannot be had.

    Parameters
    ----------
    ask : callable
        What asks, and gives the table.

    patience : `~photutils_pconv.archive.Patience`
        How long to wait, and how often to ask.

    service : str
        What messages call the service.

    Returns
    -------
    table : object
        What ``ask`` gave.

    Raises
    ------
    ArchiveConnectionError
        If the service does not answer.

    ArchiveFormatError
        If it has changed, or sent something else.
    """
    import requests

    def ask_quietly():
        # Services bend the standards of VOTables and units all the time. Threads of
        # this package that warn wait meanwhile.
        with quiet(), _without_log():
            return ask()

    try:
        return call_patiently(ask_quietly, patience=patience, service=service)
    except requests.HTTPError as exc:
        if (moved := re.search(r'Error (30\d)', str(exc))) is not None:
            msg = (
                f'{service} has moved: it answered {moved[1]}. Look for a newer '
                'astroquery, which knows where it is.'
            )
            raise ArchiveFormatError(msg) from exc
        reason = ' '.join(re.sub(r'<[^>]*>', ' ', str(exc)).split())[:300]
        msg = f'{service} refused a query of this version of photutils-pconv: {reason}'
        raise ArchiveFormatError(msg) from exc
    except (OSError, ImportError):
        raise
    except Exception as exc:
        # Readers of VOTables raise whatever they like.
        reason = (str(exc).splitlines() or [type(exc).__name__])[0][:200]
        msg = (
            f'{service} sent something that is no table ({reason}): perhaps a web page '
            'that mentions maintenance. Try again later.'
        )
        raise ArchiveFormatError(msg) from exc


@contextmanager
def _without_log():
    """Keep astroquery from telling on the standard output what it does."""
    log = logging.getLogger('astroquery')
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def make_tap(url, patience, *, plus=False):
    """
    Make a TAP client that does not wait for ever, and its connections.

    Parameters
    ----------
    url : str
        The address of the service.

    patience : `~photutils_pconv.archive.Patience`
        How long to wait.

    plus : bool, optional
        Whether it is one of astroquery's ``TapPlus``.

    Returns
    -------
    tap : object
        The client of astroquery.

    connections : object
        Its connections, which have ``close``.
    """
    core = import_astroquery('utils.tap.core')
    conn = import_astroquery('utils.tap.conn.tapconn')
    parts = urlsplit(url)
    secure = parts.scheme == 'https'
    port = parts.port or (443 if secure else 80)
    context, _, tap = parts.path.strip('/').rpartition('/')
    connections = _Connections(parts.hostname, port, patience.timeout)
    handler = conn.TapConn(
        secure,
        parts.hostname,
        server_context=f'/{context}' if context else '',
        tap_context=tap,
        port=port,
        sslport=port,
        connhandler=connections,
    )
    make = core.TapPlus if plus else core.Tap
    return make(url=url, connhandler=handler), connections


class _Connections:
    """What astroquery's TAP connections are made with: theirs have no time-out."""

    def __init__(self, host, port, timeout):
        self._host, self._port, self._timeout = host, port, timeout
        self._made = []

    def get_connection(self, *, ishttps=False, cookie=None, verbose=False):
        if ishttps or cookie is not None:
            return self.get_connection_secure(verbose)
        return self._keep(http.client.HTTPConnection)

    def get_connection_secure(self, verbose):
        return self._keep(http.client.HTTPSConnection)

    def _keep(self, make):
        self._made.append(make(self._host, self._port, timeout=self._timeout))
        return self._made[-1]

    def close(self):
        """Close all of them, which astroquery leaves to chance."""
        while self._made:
            self._made.pop().close()
