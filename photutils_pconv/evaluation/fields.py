# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Test fields: seeded maps without sources, from plain to complex.

They mirror the design of the paper's test sets (section 2.3): six fields
a band that differ in complexity (Fig. 3), each with a range of flux
levels of its own, from where sources begin to show against the
background to where they would be too bright for it (section 2.3.1, step
3), and one simulation for each level of Table 1 in that range, with as
many sources as the map's size allows.
"""

import os
import zlib
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np
from astropy.nddata import CCDData

from photutils_pconv._utils.checks import check_count, to_float
from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.photometry.annulus import local_background
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.beam_rules import size_ratio
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.setups.setup import ObservingSetup
from photutils_pconv.simulation import (
    complexity,
    flux_levels,
    random_positions,
    simulate_field,
    simulate_sources,
)

__all__ = [
    'EvaluationField',
    'make_evaluation_field',
    'make_evaluation_fields',
    'rank_fields',
    'visible_flux_range',
]

# What the six fields hold, and the robust scatter of their emission over
# the noise: the paper's own test fields (Table 6) span a factor of 60.
_KINDS = ('gaussian', 'gaussian', 'lognormal', 'filaments', 'bubbles', 'mixture')
_CONTRAST = (0.5, 40.0)
# Noise a pixel of that side (arcsec), in Jy, by choice; it grows with the
# pixel's area. Sides go with the beam where it is none of PACS.
_NOISE = 2.0e-4
_NOISE_SCALE = 1.6

# The least SNR (Eq. 1) of the faintest level, and the range of levels:
# the ratio of Tables A.1 to A.3 has a median near 150.
_FAINTEST_SNR = 3.0
_DYNAMIC_RANGE = 150.0

# The least distances of sources from the map's edge and from each other
# (arcsec), by choice: the annulus of a source, to 35 arcsec, is on the map. Beyond
# the beams of PACS they go with the FWHM.
_MARGIN = 40.0
_SEPARATION = 30.0
# The positions at which a map's scatter is sampled.
_N_SAMPLES = 25


@dataclass(frozen=True, eq=False)
class EvaluationField:
    """
    A map without sources into which sources are to be injected.

    Parameters
    ----------
    name : str
        The name of the field.

    setup : `~photutils_pconv.ObservingSetup`
        The observing setup.

    image : `~astropy.nddata.CCDData`
        The map, in a unit of surface brightness, with a WCS.

    complexity : float
        Its complexity (`~photutils_pconv.simulation.complexity`).

    rank : int
        Its place among the fields of the setup, 1 for the least complex.

    flux_range : pair of float
        The faintest and brightest flux level, in mJy.

    seed : int
        The seed of the sources.

    emission : 2D `~numpy.ndarray`, optional
        The noise-free emission, where it is known.

    coverage : 2D `~numpy.ndarray`, optional
        The coverage.
    """

    name: str
    setup: ObservingSetup
    image: CCDData
    complexity: float
    rank: int
    flux_range: tuple
    seed: int
    emission: Any = None
    coverage: Any = None

    def levels(self, allowed=None):
        """
        List the flux levels of this field.

        Parameters
        ----------
        allowed : sequence of float, optional
            Levels (mJy) to choose from, instead of all of Table 1.

        Returns
        -------
        levels : list of float
            The levels within the field's range, in mJy.
        """
        if allowed is None:
            return flux_levels(*self.flux_range).to_value(u.mJy).tolist()
        low, high = self.flux_range
        return [float(level) for level in allowed if low <= level <= high]

    def simulate(self, flux, *, n_sources=None, psf=None, stream=0):
        """
        Inject sources into the field.

        Parameters
        ----------
        flux : float or pair of float
            The flux of all sources, or its range (mJy).

        n_sources : int, optional
            The number of sources, by default 0.5 per square arcmin. On a
            map with room for fewer, there are as many as fit.

        psf : optional
            The PSF, as `~photutils_pconv.psf.get_psf` takes it; by
            default the setup's.

        stream : int, optional
            The number of the simulation: another one has other positions.

        Returns
        -------
        ccd : `~astropy.nddata.CCDData`
            The map with the sources.

        sources : `~astropy.table.QTable`
            The columns ``ra``, ``dec`` (deg) and ``flux`` (mJy).
        """
        psf = get_psf(self.setup if psf is None else psf)
        ratio = _find_ratio(self.setup)
        while True:
            rng = np.random.default_rng([self.seed, stream])
            try:
                return simulate_sources(
                    self.image,
                    psf,
                    flux,
                    rng=rng,
                    n_sources=n_sources,
                    separation=_SEPARATION * ratio,
                    margin=_MARGIN * ratio,
                )
            except ValueError:
                if n_sources is None or n_sources < 2:
                    raise
                # Two thirds of them, until they find room.
                n_sources = n_sources * 2 // 3


def make_evaluation_fields(setup, *, n_fields=6, shape=(320, 320), seed=2025):
    """
    Make the simulated test fields of a setup, from plain to complex.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup` or str
        The setup or its name.

    n_fields : int, optional
        The number of fields, 6 in the paper.

    shape : tuple of int, optional
        The shape (ny, nx) of each.

    seed : int, optional
        The seed. The streams are of their own: no field of the training
        sets has them.

    Returns
    -------
    fields : list of `EvaluationField`
        The fields, ordered by complexity.

    Raises
    ------
    ValueError
        If the number of fields is not positive or the setup unknown.
    """
    check_count(seed, 'seed', minimum=0)
    setup = get_setup(setup=setup)
    if n_fields < 1:
        msg = f'n_fields must be 1 or more, got {n_fields}'
        raise ValueError(msg)
    scale = setup.pixel_scale.to_value(u.arcsec)
    noise = _NOISE * (scale / _NOISE_SCALE / _find_ratio(setup)) ** 2
    contrast = np.geomspace(*_CONTRAST, n_fields)
    made = []
    for k in range(n_fields):
        stream = [seed, zlib.crc32(setup.name.encode()), k]
        kind = _KINDS[round(k * (len(_KINDS) - 1) / max(n_fields - 1, 1))]
        field = simulate_field(
            setup,
            rng=np.random.default_rng(stream),
            shape=shape,
            kinds=kind,
            emission=contrast[k] * noise,
            noise=noise,
        )
        made.append(
            replace(
                make_evaluation_field(field.image, setup, name='', seed=seed + k),
                emission=field.emission,
                coverage=field.coverage,
            )
        )
    stem = setup.name.replace('/', '_')
    return [replace(field, name=f'{stem}_{field.rank}') for field in rank_fields(made)]


def make_evaluation_field(data, setup, *, name, seed=2025):
    """
    Make a field of a map that has no, or few, sources.

    Parameters
    ----------
    data : map or path
        The map, in a unit of surface brightness and with a WCS.

    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.

    name : str
        The name of the field.

    seed : int, optional
        The seed of the sources.

    Returns
    -------
    field : `EvaluationField`
        The field, with the rank 1 (see `rank_fields`).
    """
    check_count(seed, 'seed', minimum=0)
    setup = get_setup(setup=setup)
    image = read_fits_map(data) if isinstance(data, str | os.PathLike) else data
    return EvaluationField(
        name=name,
        setup=setup,
        image=image,
        complexity=complexity(image, setup=setup),
        rank=1,
        flux_range=visible_flux_range(image, setup),
        seed=zlib.crc32(f'{seed} {setup.name} {name}'.encode()),
    )


def _find_ratio(setup):
    """Give the ratio of sizes to those that suit PACS."""
    return size_ratio(setup.psf_fwhm.to_value(u.arcsec))


def rank_fields(fields):
    """
    Rank fields by complexity, each setup's among themselves.

    Parameters
    ----------
    fields : iterable of `EvaluationField`
        The fields.

    Returns
    -------
    ranked : list of `EvaluationField`
        The fields, setup by setup, the least complex first.
    """
    groups = {}
    for field in fields:
        groups.setdefault(field.setup.name, []).append(field)
    return [
        replace(field, rank=rank)
        for group in groups.values()
        for rank, field in enumerate(sorted(group, key=lambda one: one.complexity), 1)
    ]


def visible_flux_range(data, setup, *, psf=None, faintest_snr=_FAINTEST_SNR):
    """
    Find the flux levels that suit a field, as section 2.3.1 asks.

    The faintest is the first level of Table 1 at which a source in the
    map's median annulus has the given SNR (Eq. 1): there sources begin
    to show. The brightest is 150 times brighter, at most 40 Jy, unless the faintest is
    not within a factor of ten of the table.

    Parameters
    ----------
    data : map
        The source-free map, in a unit of surface brightness.

    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.

    psf : optional
        The PSF, by default the setup's.

    faintest_snr : float, optional
        The SNR of the faintest level.

    Returns
    -------
    faintest, brightest : float
        The levels, in mJy.

    Raises
    ------
    ValueError
        If the map has no room for an annulus or no unit.
    """
    setup = get_setup(setup=setup)
    faintest_snr = to_float(faintest_snr, 'faintest_snr')
    given = parse_map(data, pixel_scale=setup.pixel_scale)
    if given.unit is None:
        msg = 'the map needs a unit of surface brightness, to compare it with mJy'
        raise ValueError(msg)
    scale = setup.pixel_scale if given.pixel_scale is None else given.pixel_scale
    scale = scale.to_value(u.arcsec)
    native = setup.pixel_scale.to_value(u.arcsec)
    ring = np.array([setup.snr_inner_radius, setup.snr_outer_radius]) * native / scale
    # The positions only sample the map: any fixed seed does.
    rng = np.random.default_rng(0)
    x, y = random_positions(
        given.shape,
        _N_SAMPLES,
        rng=rng,
        separation=1,
        margin=ring[1],
        mask=given.missing,
    )
    scatter = local_background(given.data, x, y, annulus_radii=ring).local_bkg_std
    scatter = np.nanmedian(scatter) * given.jy_per_pixel
    psf = get_psf(setup if psf is None else psf)
    peak = psf.render((3, 3), 1.0, 1.0, pixel_scale=scale, oversampling=9)[1, 1]
    needed = 1.0e3 * faintest_snr * scatter / peak
    levels = flux_levels().to_value(u.mJy)
    if not 0.1 * levels[0] < needed < levels[-1]:
        # a map of other fluxes than those of PACS
        levels = flux_levels(needed, 10 * _DYNAMIC_RANGE * needed).to_value(u.mJy)
    first = min(np.searchsorted(levels, needed), len(levels) - 2)
    within = levels[levels <= max(levels[first] * _DYNAMIC_RANGE, levels[first + 1])]
    return float(levels[first]), float(within[-1])
