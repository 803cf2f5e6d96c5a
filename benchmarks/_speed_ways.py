# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Ways to measure the sources of a map, of which the benchmark takes the time.
"""

import time
import warnings
from functools import cache
from pathlib import Path

import astropy.units as u
import numpy as np
from _speed_maps import SETUP
from astropy.stats import SigmaClip
from astropy.utils.exceptions import AstropyUserWarning
from photutils.background import Background2D

from photutils_pconv import NeuralSourceRemover, PConvBackground
from photutils_pconv.evaluation import measure_baselines
from photutils_pconv.inpainting import inpaint
from photutils_pconv.network import has_bfloat16
from photutils_pconv.photometry import removed_photometry
from photutils_pconv.psf import PixelPSF, get_psf
from photutils_pconv.psf_photometry import fit_psf
from photutils_pconv.setups import get_setup

__all__ = [
    'BACKGROUNDS',
    'BASELINE',
    'PEER',
    'PRECISIONS',
    'WAYS',
    'make_paper_model',
    'time_way',
]

#: The way that the others are compared with: the program of the paper did so.
BASELINE = 'source by source, network of the paper'
#: The peer: photutils' PSFPhotometry with LocalBackground.
PEER = 'PSFPhotometry, LocalBackground'

# The hole of a source in the first program's stead, and half the part of the map
# that it looks at, in pixels: the paper's cutouts have 96.
_HOLE, _HALF = 8.0, 48


@cache
def make_paper_model(*, crops=True):
    """
    Make a network of the paper's size; its weights are those of no training.

    Parameters
    ----------
    crops : bool, optional
        Whether it decodes no more than what a hole needs.

    Returns
    -------
    model : `~photutils_pconv.network.LoadedModel`
        The network.
    """
    import torch

    from photutils_pconv.network import LoadedModel, ModelCard, PConvUNet

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2026)
        network = PConvUNet(width=32).eval()
    network.crops = crops
    card = ModelCard(
        name='paper',
        architecture={'class': 'PConvUNet', **network.config},
        normalisation={'name': 'robust', 'radius': 24.0},
        checksum='0' * 64,
    )
    return LoadedModel(network=network, card=card, path=Path('paper.safetensors'))


def _source_by_source(data, positions):
    """
    Do what the first program did: cut, fill, measure, source after source.
    """
    model = make_paper_model(crops=False)
    left = np.pad(data, _HALF, mode='reflect').astype(float)
    setup = get_setup(setup=SETUP)
    radius = (setup.aperture_radius / setup.pixel_scale).to_value(u.one)
    for x, y in positions:
        column, row = int(x), int(y)
        part = left[row : row + 2 * _HALF, column : column + 2 * _HALF]
        place = np.array([x - column + _HALF]), np.array([y - row + _HALF])
        filled = inpaint(
            part,
            *place,
            np.array([_HOLE]),
            model=model,
            batch_size=1,
            precision='float32',
        )
        cleaned = filled.replace_holes(part)
        removed_photometry(
            part - cleaned,
            *place,
            radii=[radius],
            hole_radius=np.array([_HOLE]),
            local_std=0.0,
        )
        part[:] = cleaned


def _remover(**options):
    """
    Make a way of a remover's settings.
    """
    made = {}

    def run(data, positions):
        if not made:
            made['remover'] = NeuralSourceRemover(setup=SETUP, **_resolve(options))
        # A large map is not copied for its unit.
        return made['remover'](u.Quantity(data, u.Jy / u.pix, copy=False), positions)

    return run


def _resolve(options):
    if options.get('model') == 'paper':
        return {**options, 'model': make_paper_model()}
    return options


def _peer(data, positions):
    setup = get_setup(setup=SETUP)
    x, y = positions.T
    return measure_baselines(
        np.asarray(data, dtype=float),
        x,
        y,
        setup=setup,
        hole_radius=np.full(len(x), _HOLE),
        eef=lambda radius: setup.eef(radius, table='real'),
        names=['psf_photometry'],
    )


def _fit(data, positions):
    setup = get_setup(setup=SETUP)
    psf = PixelPSF(get_psf(setup), setup.pixel_scale.to_value(u.arcsec))
    return fit_psf(data, *positions.T, psf)


#: The precisions that the machine calculates in: emulated, bfloat16 takes 30 times
#: as long as float32.
PRECISIONS = ('float32', 'bfloat16')[: 1 + has_bfloat16()]

_ALL_WAYS = {
    BASELINE: _source_by_source,
    'that network, errors "local"': _remover(
        model='paper', method='inpaint', error_method='local'
    ),
    'that network, default errors': _remover(model='paper', method='inpaint'),
    'that network, bfloat16, default errors': _remover(
        model='paper', method='inpaint', precision='bfloat16'
    ),
    'method "inpaint", errors "local"': _remover(
        method='inpaint', error_method='local'
    ),
    'method "inpaint", default errors': _remover(method='inpaint'),
    'method "psf" (default), errors "local"': _remover(error_method='local'),
    'method "psf" (default), default errors': _remover(),
    'the same, four turns, float32': _remover(turns=4, precision='float32'),
    'fit_psf alone': _fit,
    PEER: _peer,
}
#: What is timed, by name.
WAYS = {
    name: way
    for name, way in _ALL_WAYS.items()
    if 'bfloat16' not in name or 'bfloat16' in PRECISIONS
}

#: Backgrounds of the whole map.
BACKGROUNDS = {
    'Background2D': lambda data, positions: (
        Background2D(data, 64, sigma_clip=SigmaClip(3.0)).background
    ),
    'PConvBackground': lambda data, positions: (
        PConvBackground(data, positions, setup=SETUP).background
    ),
}


def time_way(way, data, positions, *, repeats=1):
    """
    Take the time of a way.

    Parameters
    ----------
    way : callable
        One of `WAYS` or `BACKGROUNDS`.

    data, positions : `~numpy.ndarray`
        As `_speed_maps.make_speed_map` gives them.

    repeats : int, optional
        How often; the least time counts.

    Returns
    -------
    seconds : float
        The time of the processor.
    """
    taken = []
    for _ in range(repeats):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', AstropyUserWarning)
            start = time.process_time()
            way(data, positions)
            taken.append(time.process_time() - start)
    return min(taken)
