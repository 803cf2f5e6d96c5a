# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a command does to its process: signals and streams that end early.

This module imports next to nothing, so that an interrupt is one line
while everything else is being imported, too.
"""

import contextlib
import os
import signal
import sys
import threading

__all__ = ['BROKEN_PIPE', 'print_line', 'silence_output', 'watch']

#: The exit status after a reader went away, as a shell has it (128 + SIGPIPE).
BROKEN_PIPE = 141

# What a signal is called in the message; those that a system lacks are left out.
_SIGNALS = {
    getattr(signal, name): text
    for name, text in (
        ('SIGINT', 'interrupted'),
        ('SIGTERM', 'terminated'),
        ('SIGHUP', 'terminated: the terminal was closed'),
    )
    if hasattr(signal, name)
}
# So long (s) an interrupt that something has swallowed waits to be raised again.
_RETRY = 0.05


class _Interruption(BaseException):
    """
    Raised by a signal, like KeyboardInterrupt, so that files are cleaned up.
    """


class _Watch:
    """The signals that came, and the process that they are meant for."""

    def __init__(self):
        self.process = os.getpid()
        self.number = None

    def handle(self, number, _frame):
        if os.getpid() != self.process:
            # A worker: the process that began it ends it.
            if number != signal.SIGINT:
                os._exit(128 + number)
            return
        self.number = number
        raise _Interruption

    def retry(self, unraisable, *, otherwise):
        """Raise an interrupt again that came where nothing can be raised."""
        if not issubclass(unraisable.exc_type, _Interruption):
            otherwise(unraisable)
            return
        timer = threading.Timer(_RETRY, _send, [self.number])
        timer.daemon = True
        timer.start()


def _send(number):
    """Send a signal to the main thread, which it wakes up."""
    if hasattr(signal, 'pthread_kill'):
        signal.pthread_kill(threading.main_thread().ident, number)
    else:
        signal.raise_signal(number)


def watch(work):
    """
    Run a command in a process of its own.

    Parameters
    ----------
    work : callable
        The command; it returns an exit status.

    Returns
    -------
    status : int
        That, or 128 plus the number of the signal that ended it.
    """
    state = _Watch()
    sys.unraisablehook, otherwise = (
        lambda unraisable: state.retry(unraisable, otherwise=otherwise),
        sys.unraisablehook,
    )
    watched = [
        # What is ignored already, by nohup or in the background, stays so.
        number
        for number in _SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    try:
        for number in watched:
            signal.signal(number, state.handle)
        status = work()
    except BaseException:
        # What it was about to do may have failed because of the signal.
        if state.number is None:
            raise
        status = None
    finally:
        _end_quietly(watched)
        sys.unraisablehook = otherwise
    if state.number is not None:
        print_line(_SIGNALS[state.number])
        return 128 + state.number
    return status


def _end_quietly(numbers):
    """Let signals end the process at once, without a word."""
    for number in numbers:
        signal.signal(number, signal.SIG_DFL)


def silence_output():
    """
    Let what is left to print go nowhere.

    When the interpreter ends it writes what a broken pipe did not take, and
    would complain.
    """
    with contextlib.suppress(AttributeError, OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def print_line(text):
    """
    Print a line to the standard error, if there is anybody.

    Parameters
    ----------
    text : str
        The text. What other packages had a part in may have many lines.
    """
    with contextlib.suppress(OSError, ValueError):
        print(f'photutils-pconv: {" ".join(text.split())}', file=sys.stderr)
