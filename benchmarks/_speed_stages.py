# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where the time of a removal goes.
"""

import importlib
import time
from collections import Counter
from contextlib import ExitStack
from functools import wraps
from unittest import mock

from _speed_maps import make_speed_map
from _speed_ways import WAYS, time_way
from _tables import format_lines

__all__ = ['KERNELS', 'STAGES', 'format_stages', 'time_stages']

_SUBTRACTION = 'removal.psf_subtraction'
#: What is timed, by what it is for: names in modules of the package. The time of one
#: that calls another is without that.
STAGES = {
    'networks': ['network.filled:FilledUNet.forward'],
    'systems of equations of kriging': ['inpainting.kriging:_solve'],
    'kriging around bright sources': [
        'inpainting.masked_images:krige_cutouts',
        'inpainting.hole_filling:expected_wings',
        'inpainting.hole_filling:_MaskedMap._terms',
    ],
    'fits of the PSF': [
        f'{_SUBTRACTION}:fit_psf',
        f'{_SUBTRACTION}:fit_shape',
        f'{_SUBTRACTION}:find_telling',
        f'{_SUBTRACTION}:fit_quality',
        f'{_SUBTRACTION}:find_poor_fits',
        'removal.sizes:fit_psf',
        'removal.sizes:find_resolved',
    ],
    'filters and their scatter': [f'{_SUBTRACTION}:measure_fluxes'],
    'images of the sources': [
        f'{_SUBTRACTION}:{name}' for name in ('model_image', 'draw_subtraction')
    ],
    'structure around holes': [f'{_SUBTRACTION}:measure_structure'],
    'apertures': [
        f'{_SUBTRACTION}:aperture_ratio',
        'removal.pipeline:measure',
        'removal.empty_sample:measure',
    ],
    'cutouts and their blending': [
        'inpainting.hole_filling:_MaskedMap.cut',
        'removal.seen_emission:ResidualMap.cut',
        'inpainting.blending:Blender.add',
        'inpainting.blending:Blender.blend',
        'inpainting.blending:Blender.finish',
    ],
}
#: Loops of compiled code that do the sums of a removal, called with arrays that are
#: worth a call. What is left are copies, masks, indices and calls of Python and numpy.
KERNELS = {
    'networks': STAGES['networks'],
    'systems of equations of kriging': STAGES['systems of equations of kriging'],
    'covariances of kriging': ['inpainting.kriging:covariance_matrix'],
    'fast Fourier transforms': [
        f'inpainting.kriging:fft.{name}'
        for name in ('rfft2', 'irfft2', 'ifft', 'irfft')
    ],
    'sums over samples of the PSF': [
        f'psf._grids:{name}'
        for name in (
            'SampledGrid._sum',
            'SampledGrid._cut_samples',
            '_sum_rows',
            '_sum_columns',
        )
    ],
    'least squares and filters': [
        'psf_photometry.joint_fit:solve_window',
        'psf_photometry.size_fits:solve_window',
        'psf_photometry.bright_sources:solve_window',
        'psf_photometry.filters:FilterBank.weights',
    ],
    'averages over Gaussians': ['removal.structure:_Averages.over'],
}
_REST = 'all else'


class _Timers:
    """
    The time of the processor by stage, each without the stages within it.
    """

    def __init__(self):
        self.seconds = Counter()
        self._running = []

    def enter(self, stage):
        self._book()
        self._running.append([stage, time.process_time()])

    def leave(self):
        self._book()
        self._running.pop()
        if self._running:
            self._running[-1][1] = time.process_time()

    def _book(self):
        """Add what went by to the stage that runs."""
        if self._running:
            stage, start = self._running[-1]
            self.seconds[stage] += time.process_time() - start

    def wrap(self, stage, function):
        @wraps(function)
        def timed(*args, **kwargs):
            self.enter(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self.leave()

        return timed


def _find(name):
    """Find what holds a function, and what it is called there."""
    module, path = name.split(':')
    holder = importlib.import_module(f'photutils_pconv.{module}')
    *outer, last = path.split('.')
    for one in outer:
        holder = getattr(holder, one)
    return holder, last


def time_stages(way, data, positions, *, stages=STAGES):
    """
    Take the time of a removal by stages.

    Parameters
    ----------
    way : callable
        One of `_speed_ways.WAYS`.

    data, positions : `~numpy.ndarray`
        As `_speed_maps.make_speed_map` gives them.

    stages : dict of list of str, optional
        What is timed.

    Returns
    -------
    seconds : dict of float
        The time of the processor by stage.
    """
    timers = _Timers()
    with ExitStack() as stack:
        for stage, names in stages.items():
            for name in names:
                holder, last = _find(name)
                timed = timers.wrap(stage, getattr(holder, last))
                stack.enter_context(mock.patch.object(holder, last, timed))
        time_way(timers.wrap(_REST, way), data, positions)
    return {stage: timers.seconds[stage] for stage in (*stages, _REST)}


def format_stages(name, n_sources, size, *, repeats=3, stages=STAGES):
    """
    Compare the stages of a removal, of the fastest of some runs.

    Parameters
    ----------
    name : str
        One of `_speed_ways.WAYS`.

    n_sources, size : int
        The map.

    repeats : int, optional
        The number of runs.

    stages : dict of list of str, optional
        What is timed.

    Returns
    -------
    text : str
        The table.
    """
    way = WAYS[name]
    data, positions = make_speed_map(n_sources, size)
    # First calls load and compile.
    time_way(way, *make_speed_map(4, 160))
    runs = [time_stages(way, data, positions, stages=stages) for _ in range(repeats)]
    best = min(runs, key=lambda run: sum(run.values()))
    total = sum(best.values())
    rows = [
        [stage, f'{1e3 * seconds / n_sources:.2f}', f'{seconds / total:.0%}']
        for stage, seconds in best.items()
    ]
    rows.append(['together', f'{1e3 * total / n_sources:.2f}', ''])
    return format_lines([f'{name}, {n_sources} sources', 'ms a source', 'share'], rows)
