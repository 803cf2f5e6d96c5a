# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How long to wait for an archive, and how often to ask again.
"""

import http.client
import re
import socket
import time
from dataclasses import dataclass

from photutils_pconv._utils.checks import check_count, to_float
from photutils_pconv.archive.errors import ArchiveConnectionError

__all__ = ['Patience', 'call_patiently', 'describe_failure', 'is_passing']


@dataclass(frozen=True)
class Patience:
    """
    How long to wait for an archive, and how often to ask again.

    The defaults are by choice: with them a service that is down is given up
    after a quarter of a minute, one that does not answer after four minutes.

    Parameters
    ----------
    timeout : float, optional
        How long to wait for an answer, or for the next bytes of one (s).

    attempts : int, optional
        How often to try. A download that goes on where it broke off starts
        counting anew.

    pause : float, optional
        How long to wait before the second attempt (s); twice as long before
        each further one.

    Raises
    ------
    TypeError, ValueError
        If a value is not positive, or ``attempts`` is not an integer.
    """

    timeout: float = 60.0
    attempts: int = 4
    pause: float = 2.0

    def __post_init__(self):
        to_float(self.timeout, 'timeout')
        check_count(self.attempts, 'attempts')
        to_float(self.pause, 'pause')

    def wait(self, attempt):
        """
        Wait between two attempts.

        Parameters
        ----------
        attempt : int
            The number of attempts that have failed, from 1.
        """
        time.sleep(self.pause * 2 ** (attempt - 1))


def call_patiently(function, *, patience, service):
    """
    Call what asks a service, again if need be.

    Parameters
    ----------
    function : callable
        What asks; it is given no argument.

    patience : `Patience`
        How often to try.

    service : str
        What the service is called.

    Returns
    -------
    answer : object
        What the function gave.

    Raises
    ------
    ArchiveConnectionError
        If the service does not answer. Other errors of the function, such as
        that of a bad query, are raised as they are.
    """
    for attempt in range(1, patience.attempts + 1):
        try:
            return function()
        except Exception as exc:
            if not is_passing(exc):
                raise
            if attempt == patience.attempts or _is_offline(exc):
                msg = describe_failure(exc, service, patience, attempt)
                raise ArchiveConnectionError(msg) from exc
        patience.wait(attempt)
    return None


def is_passing(error):
    """
    Say whether an error of a connection may be gone in a moment.

    Parameters
    ----------
    error : Exception
        The error.

    Returns
    -------
    passing : bool
        Whether it is worth to ask again, or at least one of the connection.
    """
    import requests

    if isinstance(error, requests.HTTPError):
        return _status_of(error) in (None, 408, 429) or _status_of(error) >= 500
    return isinstance(
        error,
        requests.ConnectionError
        | requests.Timeout
        | requests.exceptions.ChunkedEncodingError
        | requests.exceptions.ContentDecodingError
        | http.client.HTTPException
        | ConnectionError
        | TimeoutError
        | socket.gaierror,
    ) or (isinstance(error, OSError) and _is_blocked(error))


def describe_failure(error, service, patience, attempts):
    """
    Say why a service did not answer, and what can be done.

    Parameters
    ----------
    error : Exception
        The last error.

    service : str
        What the service is called.

    patience : `Patience`
        How long was waited.

    attempts : int
        How often it was tried.

    Returns
    -------
    message : str
        The message.
    """
    import requests

    tried = f'tried {attempts} times' if attempts > 1 else 'tried once'
    if _is_offline(error):
        return (
            f'{service} cannot be reached: there is no network, or its name is not '
            'found. Connect, or give the path of a map that you have.'
        )
    if isinstance(error, requests.HTTPError):
        return (
            f'{service} is out of order: it answered {_status_of(error)} ({tried}). '
            'Try again later.'
        )
    if isinstance(error, TimeoutError | requests.Timeout) or 'timed out' in str(error):
        return (
            f'{service} did not answer within {patience.timeout:g} s ({tried}). Try '
            'again later, or wait longer (patience=Patience(timeout=...), on the '
            'command line --timeout).'
        )
    if 'refused' in str(error):
        return f'{service} refuses connections ({tried}): it is down. Try again later.'
    return (
        f'{service} broke the connection ({tried}). Try again: a download goes on '
        'where it broke off.'
    )


def _status_of(error):
    """Give the status of an HTTP error; TAP's have it in their text."""
    if error.response is not None:
        return error.response.status_code
    found = re.search(r'Error (\d{3})', str(error))
    return int(found[1]) if found else None


def _chain(error):
    """Go through an error and what it was made from."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        reason = getattr(error, 'reason', None)
        inner = [arg for arg in error.args if isinstance(arg, BaseException)]
        if isinstance(reason, BaseException):
            inner.append(reason)
        error = inner[0] if inner else (error.__cause__ or error.__context__)


def _is_offline(error):
    """Whether a name was not found, or no socket may be opened at all."""
    names = ('NameResolutionError', 'gaierror')
    return any(
        isinstance(one, socket.gaierror)
        or type(one).__name__ in names
        or _is_blocked(one)
        for one in _chain(error)
    )


def _is_blocked(error):
    """Whether there is no way to the internet, or a sandbox lets nothing out."""
    text = str(error).lower()
    return 'network is unreachable' in text or 'connect to the internet' in text
