# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What faster settings do to the accuracy, on the same maps as the slow ones.
"""

import warnings
from functools import partial

import astropy.units as u
import numpy as np
from _holes import hole_rms
from _maps import make_map
from _speed_ways import PRECISIONS
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover, get_setup
from photutils_pconv.inputs import parse_map, parse_sources
from photutils_pconv.photometry import get_error_calibration
from photutils_pconv.removal import (
    RemovalSettings,
    estimate_errors,
    measure,
    remove_sources,
    sample_empty_holes,
)

__all__ = ['compare_accuracy', 'compare_empty_holes']

_SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')
# The slow settings come first: ratios are to them.
_SETTINGS = {
    f'{words}, {precision}': {'turns': turns, 'precision': precision}
    for words, turns in (('four turns', 4), ('two turns', 2), ('one turn', 1))
    for precision in PRECISIONS
}
_WAYS = {
    'psf': {'method': 'psf'},
    'psf, fill "mean"': {'method': 'psf', 'fill': 'mean', 'error_method': 'local'},
    'inpaint': {'method': 'inpaint', 'error_method': 'local'},
}
_NUMBERS = (16, 32, 48, 64, 128, 256)
# Draws of the interquartile range's error, by choice.
_N_BOOTSTRAP = 200


def compare_accuracy(n_maps, *, setups=_SETUPS, settings=None):
    """
    Compare settings on simulated maps, source by source.

    Parameters
    ----------
    n_maps : int
        The number of maps a setup, of 30 sources.

    setups : sequence of str, optional
        The setups.

    settings : sequence of str, optional
        The settings, by name (default: all); the first are the slow ones.

    Returns
    -------
    text : str
        A Markdown table: the interquartile range of measured over true flux, and
        the root mean square error in the holes, over those of the slow settings.
    """
    lines = [
        '| method | settings | flux IQR, ratio | hole errors, ratio |',
        '| --- | --- | --- | --- |',
    ]
    maps = [
        make_map(get_setup(setup=name), seed=(2026, i, k))
        for i, name in enumerate(setups)
        for k in range(n_maps)
    ]
    for way, options in _WAYS.items():
        slow = None
        for name in _SETTINGS if settings is None else settings:
            how = _SETTINGS[name]
            found = [_measure(truth, {**options, **how}) for truth in maps]
            flux, rms = (np.concatenate(one) for one in zip(*found, strict=True))
            if slow is None:
                slow = flux, rms
                width = np.ptp(np.nanpercentile(flux, (25, 75)))
                lines.append(f'| {way} | {name} | {width:.4f} of the flux | |')
                continue
            use = np.isfinite(flux) & np.isfinite(slow[0])
            ratio, error = _compare_widths(slow[0][use], flux[use])
            change = np.log(rms / slow[1])[np.isfinite(rms)]
            spread = change.std() / np.sqrt(change.size)
            lines.append(
                f'| {way} | {name} | {ratio:.3f} ± {error:.3f} | '
                f'{np.exp(change.mean()):.4f} ± {spread:.4f} |'
            )
    n_sources = sum(len(truth.x) for truth in maps)
    return f'{n_sources} sources on {len(maps)} maps.\n\n' + '\n'.join(lines)


def _measure(truth, options):
    """
    Give measured over true fluxes, and the errors in the holes.
    """
    positions = np.stack([truth.x, truth.y], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', AstropyUserWarning)
        remover = NeuralSourceRemover(setup=truth.setup, **options)
        result = remover(u.Quantity(truth.data, u.Jy / u.pix), positions)
    table = result.photometry
    rms = hole_rms(
        truth, {'left': result.cleaned.value}, np.asarray(table['hole_radius'])
    )
    return table['flux'].to_value(u.Jy) / truth.flux, rms['left']


def _compare_widths(slow, fast):
    """
    Give the ratio of two interquartile ranges, and its bootstrap error.
    """

    def width(values):
        return np.ptp(np.percentile(values, (25, 75)))

    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(_N_BOOTSTRAP):
        chosen = rng.integers(0, len(slow), len(slow))
        ratios.append(width(fast[chosen]) / width(slow[chosen]))
    return width(fast) / width(slow), float(np.std(ratios))


def compare_empty_holes(n_maps):
    """
    Measure how well some number of empty holes tells the errors of apertures.

    Parameters
    ----------
    n_maps : int
        The number of maps, of 30 sources.

    Returns
    -------
    text : str
        A Markdown table: the standard deviation of the ratio of a map's scatter to
        the calibration's, from one draw of places to the next, and from map to map.
    """
    n_draws = 6
    ratios = np.array(
        [
            [_draw_ratios(number, k, n_draws) for number in _NUMBERS]
            for k in range(n_maps)
        ]
    )
    within = np.sqrt(np.mean(np.log(ratios).var(axis=2, ddof=1), axis=0))
    lines = ['| empty holes | error of the errors |', '| --- | --- |']
    lines += [
        f'| {number} | {one:.1%} |'
        for number, one in zip(_NUMBERS, within, strict=True)
    ]
    means = np.log(ratios).mean(axis=(1, 2))
    text = '\n'.join(lines)
    if n_maps > 1:
        text += f'\n\nFrom map to map the ratio differs by {means.std(ddof=1):.0%}.'
    return text


def _draw_ratios(number, k, n_draws):
    """
    Give a map's ratio to the calibration, for several draws of empty holes.
    """
    setup = get_setup(setup='scanmap/green')
    truth = make_map(setup, seed=(2027, k))
    settings = RemovalSettings.from_arguments(setup=setup, error_method='local')
    positions = np.stack([truth.x, truth.y], axis=1)
    map_input = parse_map(u.Quantity(truth.data, u.Jy / u.pix))
    removal = remove_sources(settings, map_input, parse_sources(positions))
    plan = removal.plan
    calibration = get_error_calibration(settings.model, setup)
    fluxes = measure(removal.grid, removal.holes, removal.filled, plan)
    clean = removal.filled.reconstruction.clean(removal.grid.data)
    sample = partial(
        sample_empty_holes,
        type(removal.grid)(clean, removal.grid.missing, pixel_scale=plan.pixel_scale),
        removal.holes,
        removal.filler,
        removal.filled,
        plan,
        rms=fluxes.local_bkg_std,
        n_empty=number,
    )
    found = []
    for seed in range(n_draws):
        errors = estimate_errors(
            removal.grid,
            removal.holes,
            removal.filled,
            fluxes,
            plan,
            calibration=calibration,
            sample=sample(seed=seed),
        )
        found.append(errors.ratio[0])
    return found
