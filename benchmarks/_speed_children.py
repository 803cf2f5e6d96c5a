# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Time and memory of a removal in a process of its own.

Neither what was loaded before nor the memory of another removal counts then.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import astropy.units as u
from _memory import peak_memory, watch_memory
from _run import print_progress
from _speed_maps import SETUP, make_speed_map
from _speed_ways import WAYS, time_way
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover

__all__ = ['measure_file', 'measure_map', 'run_child']


def run_child(what, *, threads=1):
    """
    Take time and memory of a removal, in a process of its own.

    Parameters
    ----------
    what : dict
        As for `measure_map`, or as for `measure_file` where it has ``block``.

    threads : int, optional
        The number of threads of the process.

    Returns
    -------
    figures : dict
        What they give.
    """
    print_progress(
        f'{what.get("way", "from a file")}: {what["n_sources"]} sources, '
        f'{what["size"]} pixels, {threads} thread(s)'
    )
    names = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
    done = subprocess.run(
        [sys.executable, __file__, json.dumps(what)],
        env={**os.environ, **dict.fromkeys(names, str(threads))},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure_map(what):
    """
    Take time and memory of a removal of a map in memory.

    Parameters
    ----------
    what : dict
        ``way``, ``n_sources`` and ``size``, and how often, ``repeats``.

    Returns
    -------
    figures : dict
        ``seconds`` (of the processor), ``elapsed`` (s), ``memory``, the peak
        over what there was before, in MB, and ``copy``, the time of a copy of the map
        (seconds of the processor): a removal gives a new map back.
    """
    data, positions = make_speed_map(what['n_sources'], what['size'])
    way = WAYS[what['way']]
    time_way(way, *make_speed_map(4, 160))
    before = peak_memory()
    start = time.perf_counter()
    seconds = time_way(way, data, positions)
    found = {
        'elapsed': time.perf_counter() - start,
        # A remover keeps its last result, which is none of the memory of one removal.
        'memory': peak_memory() - before,
        'map': data.nbytes / 2**20,
    }
    if what.get('repeats', 1) > 1:
        again = time_way(way, data, positions, repeats=what['repeats'] - 1)
        seconds = min(seconds, again)
    start = time.process_time()
    data.copy()
    found['copy'] = time.process_time() - start
    return {'seconds': seconds, **found}


def measure_file(what):
    """
    Take time and memory of a removal from a file to files.

    Parameters
    ----------
    what : dict
        ``n_sources`` and ``size``, and whether to go block by block, ``block``.

    Returns
    -------
    figures : dict
        ``seconds`` (of the processor), and ``memory``, the peak over what there was
        before, in MB, without pages of files.
    """
    data, positions = make_speed_map(what['n_sources'], what['size'])
    size = data.nbytes / 2**20
    remover = NeuralSourceRemover(setup=SETUP)
    small, places = make_speed_map(4, 160)
    remover(u.Quantity(small, u.Jy / u.pix), places)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'map.fits'
        header = fits.Header({'BUNIT': 'Jy/pixel'})
        fits.PrimaryHDU(data, header).writeto(path)
        del data
        start = time.process_time()
        with warnings.catch_warnings(), watch_memory() as found:
            warnings.simplefilter('ignore', AstropyUserWarning)
            scratch = folder if what['block'] else None
            remover(path, positions, scratch=scratch).write(Path(folder) / 'cleaned')
        seconds = time.process_time() - start
    return {'seconds': seconds, 'map': size, **found}


if __name__ == '__main__':
    asked = json.loads(sys.argv[1])
    measure = measure_file if 'block' in asked else measure_map
    print(json.dumps(measure(asked)))
