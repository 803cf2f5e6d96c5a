# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: threads and processes.
"""

import copy
import os
import pickle
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from _hostile_case import REFUSED, RIGHT, add
from _hostile_children import call
from _hostile_scene import METHODS, XY, make_data, make_remover, make_wcs, plain
from _hostile_shell import _NAMES, make_files
from _hostile_system import check_files
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData
from astropy.table import Table

from photutils_pconv.inputs import (
    as_array,
    parse_map,
    parse_sources,
    read_source_table,
)
from photutils_pconv.network import load_model

_N_THREADS = 8


def _in_threads(work, number=_N_THREADS):
    """Do the same in several threads that start at once."""
    barrier = threading.Barrier(number)

    def wait_and_work(i):
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(wait_and_work, range(number)))


def _compare(context, method, results, *, rtol=0.0):
    flux, _, cleaned = plain(method)
    for result in results:
        found = result.photometry['flux']
        context.compare('flux', found, flux, rtol=rtol)
        context.compare('the map', as_array(result.cleaned), cleaned, rtol=rtol)


def _check_threads(context, *, method, shared):
    one = make_remover(method)
    data = context.watch(make_data())

    def work(_):
        remover = one if shared else make_remover(method)
        return remover(data, XY)

    _compare(context, method, _in_threads(work))


def _parse(data, sources):
    """Read a map and its sources, where most of the warnings are dealt with."""
    map_input = parse_map(data, pixel_scale=1.6)
    if isinstance(sources, Path):
        sources = read_source_table(sources)
    return parse_sources(sources, wcs=map_input.wcs)


def _check_filters(context, *, what):
    """The filters of warnings are the same after calls from many threads."""
    path, table = make_files(context.folder)
    wcs = make_wcs()
    ccd = CCDData(make_data(), unit='Jy/pix', wcs=wcs)
    sky = wcs.pixel_to_world(*XY.T)
    given = {
        'files': (path, table),
        'sky': (ccd, SkyCoord(sky)),
        'tables': (ccd, Table({'ra': sky.ra.deg, 'dec': sky.dec.deg})),
        'arrays': (make_data(), XY),
    }[what]
    before = list(warnings.filters)
    for _ in range(3):
        _in_threads(lambda _: [_parse(*given) for _ in range(5)])
        if warnings.filters != before:
            context.fail(f'filters went from {len(before)} to {len(warnings.filters)}')
            warnings.filters[:] = before
            break


def _check_random(context, *, what):
    """Random numbers of other threads are not disturbed."""
    import torch

    state = torch.random.get_rng_state()
    torch.manual_seed(1)
    path = make_remover('inpaint').model.path
    remover = make_remover('inpaint')
    data = make_data()

    def work():
        for _ in range(6):
            if what == 'loading':
                load_model(path, cache=False)
            else:
                remover(data, XY)

    thread = threading.Thread(target=work)
    thread.start()
    found = torch.cat([torch.rand(1) for _ in range(20000)])
    thread.join()
    torch.random.set_rng_state(state)
    # The generator gives the same numbers one by one only in this order.
    torch.manual_seed(1)
    truth = torch.cat([torch.rand(1) for _ in range(20000)])
    torch.random.set_rng_state(state)
    context.check(torch.equal(found, truth), 'other random numbers')


def _check_writes(context, *, method):
    """Of several that write into one folder, all that is there is whole."""
    result = make_remover(method)(make_data(), XY.copy())
    folder = context.folder / 'out'

    def work(i):
        try:
            result.write(folder, overwrite=bool(i % 2))
        except FileExistsError:
            return False
        return True

    done = _in_threads(work)
    context.check(any(done), 'none was written')
    check_files(context, folder, whole=True)
    others = {path.name for path in folder.iterdir()} - set(_NAMES)
    context.check(not others, f'{others} stays')


def _check_mixed(context, *, number):
    """Both methods at once."""
    removers = {method: make_remover(method) for method in METHODS}
    data = context.watch(make_data())

    def work(i):
        return removers[METHODS[i % 2]](data, XY)

    results = _in_threads(work, number)
    for i, method in enumerate(METHODS):
        _compare(context, method, results[i::2])


for _method in METHODS:
    for _shared in (True, False):
        add(
            'threads',
            f'{_method} {"one remover" if _shared else "removers"} in {_N_THREADS}',
            partial(_check_threads, method=_method, shared=_shared),
            quick=_method == 'inpaint' and _shared,
        )
    add('threads', f'{_method} write', partial(_check_writes, method=_method))
for _what in ('files', 'sky', 'tables', 'arrays'):
    add(
        'threads',
        f'filters of warnings, {_what}',
        partial(_check_filters, what=_what),
        quick=_what == 'files',
    )
for _what in ('loading', 'removing'):
    add('threads', f'random numbers, {_what}', partial(_check_random, what=_what))
for _number in (2, 6):
    add('threads', f'both methods in {_number}', partial(_check_mixed, number=_number))


def _check_torch_threads(context, *, method, number):
    """The number of torch's threads changes rounding at most."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        result = make_remover(method)(make_data(), XY.copy())
    finally:
        torch.set_num_threads(before)
    _compare(context, method, [result], rtol=1e-5)


for _method in METHODS:
    for _number in (1, 2, 4):
        add(
            'threads',
            f'{_method} {_number} of torch',
            partial(_check_torch_threads, method=_method, number=_number),
        )

# -- processes ---------------------------------------------------------------


def _check_process(context, *, method, times):
    """Another process gives the same, to the bit, however often it is asked."""
    status, output = call('hash', method=method, times=times)
    context.check(status == 0, output[-200:])
    again = call('hash', method=method, times=1)
    context.check(again[1] == output, 'the results differ')


_COMMAND = 'from _hostile_children import _hash; _hash({!r}, 1)'


def _check_interpreter(context, *, method, options, environment):
    """A fresh interpreter gives the same, whatever its options."""
    done = subprocess.run(
        [sys.executable, *options, '-c', _COMMAND.format(method)],
        cwd=context.folder,
        env=os.environ
        | {
            'PYTHONPATH': os.pathsep.join([str(Path(__file__).parent), *sys.path]),
            'OMP_NUM_THREADS': '1',
        }
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    context.check(done.returncode == 0, done.stderr[-300:])
    truth = call('hash', method=method, times=1)[1]
    context.check(done.stdout == truth, 'the results differ')
    context.check(not any(context.folder.iterdir()), 'files are left')


for _method in METHODS:
    for _times in (1, 3):
        add(
            'processes',
            f'{_method} {_times} calls',
            partial(_check_process, method=_method, times=_times),
            seconds=30,
        )
for _name, (_options, _environment) in {
    'python -O': (['-O'], {}),
    'python -W error': (
        ['-W', 'error::RuntimeWarning', '-W', 'error::UserWarning'],
        {},
    ),
    'LC_ALL=C': ([], {'LC_ALL': 'C', 'PYTHONHASHSEED': '7', 'PYTHONUTF8': '0'}),
    'no home': ([], {'HOME': '/nowhere', 'TMPDIR': '/tmp'}),
}.items():
    add(
        'processes',
        f'inpaint {_name}',
        partial(
            _check_interpreter,
            method='inpaint',
            options=_options,
            environment=_environment,
        ),
        seconds=30,
    )


def _check_copy(context, *, method, make):
    """A copy of a remover is a remover; so is that of a result."""
    remover = make(make_remover(method))
    result = remover(context.watch(make_data()), XY.copy())
    _compare(context, method, [make(result)])


for _method in METHODS:
    for _name, _make in {
        'copy': copy.copy,
        'deepcopy': copy.deepcopy,
        'pickle': lambda one: pickle.loads(pickle.dumps(one)),
    }.items():
        add(
            'processes',
            f'{_method} {_name}',
            partial(_check_copy, method=_method, make=_make),
            accept=(RIGHT, REFUSED) if _name == 'pickle' else (RIGHT,),
            quick=_method == 'psf',
        )


def _check_again(context, *, method):
    """A remover that was used gives what a new one gives."""
    remover = make_remover(method)
    remover(np.random.default_rng(2).standard_normal((80, 90)), [[40.0, 40.0]])
    _compare(context, method, [remover(context.watch(make_data()), XY.copy())])


for _method in METHODS:
    add(
        'processes',
        f'{_method} a remover that was used',
        partial(_check_again, method=_method),
        quick=True,
    )
