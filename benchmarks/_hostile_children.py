# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Processes that are killed, or that lack a disk, for the hostile cases.

`call` lets a server do a task in a process of its own. The server has the
package and torch imported and one thread only, and forks for each task: a
process costs a tenth of a second.
"""

import atexit
import contextlib
import errno
import hashlib
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from functools import cache
from pathlib import Path

__all__ = ['call']

#: The user without rights of the cases with folders that are read-only.
_NOBODY = 65534

_NUMBERS = itertools.count()


def call(task, **arguments):
    """
    Do a task in a process of its own.

    Parameters
    ----------
    task : str
        The name of one of `TASKS`.

    **arguments
        Its arguments, as JSON can hold them.

    Returns
    -------
    status : int
        The exit status; that of a signal is negative.

    output : str
        The standard error.
    """
    server = _start_server()
    number = next(_NUMBERS)
    server.stdin.write(json.dumps([number, task, arguments]) + '\n')
    server.stdin.flush()
    while True:
        answered, status, output = json.loads(server.stdout.readline())
        # Of a case that took too long the answer comes later.
        if answered == number:
            return status, output


@cache
def _start_server():
    environment = os.environ | {'OMP_NUM_THREADS': '1'}
    server = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    # It ends at the end of its input.
    atexit.register(server.communicate)
    return server


def _serve():
    """Fork a process for each line of the standard input."""
    import torch
    from _hostile_scene import METHODS, plain

    torch.set_num_threads(1)
    # The standard output is for the answers alone.
    with contextlib.redirect_stdout(sys.stderr):
        for method in METHODS:
            plain(method)
    for line in sys.stdin:
        number, task, arguments = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            os.close(writer)
            status = 1
            try:
                status = TASKS[task](**arguments)
            except SystemExit as exc:
                status = exc.code
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status or 0)
        os.close(writer)
        with os.fdopen(reader) as handle:
            output = handle.read()
        _, status = os.waitpid(child, 0)
        status = os.waitstatus_to_exitcode(status)
        print(json.dumps([number, status, output]), flush=True)


# -- tasks -------------------------------------------------------------------


def _clean(folder, method, more=()):
    """Clean the map in a folder by the command line."""
    from _hostile_shell import _OPTIONS

    from photutils_pconv.cli import main

    folder = Path(folder)
    files = folder / 'map.fits', folder / 'sources.csv'
    # As the shell does it: signals and streams are then the command's own.
    sys.argv = [
        *('photutils-pconv', 'remove', *map(str, files), *_OPTIONS[method]),
        *('-o', str(folder / 'out'), '--quiet', *more),
    ]
    return main()


def _act_at(place, act):
    """Let something happen at a place, such as 'replace 2' or 'after replace 1'."""
    import torch

    if place == 'network':
        register = torch.nn.modules.module.register_module_forward_pre_hook
        register(lambda *_: act())
        return
    name, number = place.removeprefix('after ').split()
    original, count = getattr(os, name), [0]

    def replaced(*arguments, **options):
        count[0] += 1
        if count[0] == int(number) and not place.startswith('after'):
            act()
        try:
            return original(*arguments, **options)
        finally:
            if count[0] == int(number):
                act()

    setattr(os, name, replaced)


def _kill(folder, method, place, number, more=()):
    """Clean a map, and get a signal at a place."""
    if number == signal.SIGINT:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _act_at(place, lambda: os.kill(os.getpid(), number))
    return _clean(folder, method, more)


def _fail(folder, method, place, error, more=()):
    """Clean a map, and get an error of the system at a place."""

    def act():
        code = getattr(errno, error)
        raise OSError(code, os.strerror(code))

    _act_at(place, act)
    return _clean(folder, method, more)


def _limit(folder, method, size, more=()):
    """Clean a map; no file may become larger than a size."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return _clean(folder, method, more)


def _limit_handles(folder, method, number):
    """Clean a map with a few handles of files."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
    return _clean(folder, method)


def _drop_rights(folder, method):
    """Clean a map as a user without rights; tell whether the network ran."""
    if os.getuid() == 0:
        os.setuid(_NOBODY)
    _act_at('network', lambda: print('the network ran', file=sys.stderr))
    return _clean(folder, method)


def _hash(method, times):
    """Print a hash of the cleaned map and the fluxes, after some calls."""
    import numpy as np
    from _hostile_scene import XY, make_data, make_remover
    from astropy import log

    # What is logged is no result.
    log.setLevel('WARNING')
    digest = None
    for _ in range(times):
        result = make_remover(method)(make_data(), XY.copy())
        digest = hashlib.sha256(np.asarray(result.cleaned).tobytes())
        digest.update(np.asarray(result.photometry['flux']).tobytes())
    print(digest.hexdigest(), flush=True)


TASKS = {
    'clean': _clean,
    'kill': _kill,
    'fail': _fail,
    'limit': _limit,
    'limit handles': _limit_handles,
    'drop rights': _drop_rights,
    'hash': _hash,
}

if __name__ == '__main__':
    _serve()
