# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A small training set, made in seconds, to try the pipeline with.
"""

import astropy.units as u
import numpy as np
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from astropy.wcs import WCS

from photutils_pconv.psf.library import get_psf
from photutils_pconv.simulation._checks import as_integer, as_setups
from photutils_pconv.simulation.cutout_extraction import extract_training_cutouts
from photutils_pconv.simulation.cutout_files import CutoutWriter
from photutils_pconv.simulation.cutout_sets import merge_cutouts, split_cutouts
from photutils_pconv.simulation.emission import emission_field, noise_field
from photutils_pconv.simulation.injection import inject_sources, random_positions
from photutils_pconv.simulation.partition import complexity, split_fields

__all__ = ['make_small_training_set']

# Fluxes of 10 mJy to 10 Jy (Table 1), upon emission that scatters by
# 0.01 to 1 mJy/pixel and noise of some tenths of it or several times.
_LOG_FLUX = (-2.0, 1.0)
_LOG_SCATTER = (-5.0, -3.0)
_LOG_NOISE = (-1.5, 0.5)
# The least distance of sources from each other and from the edge, in pixels; by
# choice.
_SEPARATION = 32.0
_MARGIN = 24.0
# The largest map, in pixels a side; by choice.
_LARGEST_FIELD = 10_000


def make_small_training_set(
    directory,
    *,
    seed=0,
    setups=('scanmap/blue', 'scanmap/green'),
    n_fields=8,
    field_size=256,
    n_sources=20,
    layout='arrays',
):
    """
    Make a small training set out of simulated maps, from end to end.

    Each field is simulated in each band, sources are injected, cutouts
    made, the fields divided by their complexity into training, validation
    and test, the bands merged, and all written to disk. By default that
    is about 320 cutouts, in some seconds: enough to try the training
    with, not enough for a model of use.

    Parameters
    ----------
    directory : path-like
        The folder to be made. It must not exist, or be empty.

    seed : int, optional
        The seed of everything.

    setups : sequence of `~photutils_pconv.setups.ObservingSetup` or str, optional
        The bands that are merged.

    n_fields : int, optional
        The number of fields, at least 3.

    field_size : int, optional
        The side of a map, in pixels.

    n_sources : int, optional
        The number of sources a map.

    layout : {'arrays', 'files'}, optional
        As for `~photutils_pconv.simulation.CutoutWriter`.

    Returns
    -------
    directory : `pathlib.Path`
        The folder, for `~photutils_pconv.training.open_arrays`.

    Raises
    ------
    FileExistsError
        If the folder exists and is not empty.

    TypeError, ValueError
        If the sources do not fit on the maps, there are too few fields, or
        another argument is not accepted.
    """
    setups = as_setups(setups)
    seed = as_integer(seed, 'seed')
    n_fields = as_integer(n_fields, 'n_fields', low=3)
    field_size = as_integer(field_size, 'field_size', low=1, high=_LARGEST_FIELD)
    n_sources = as_integer(n_sources, 'n_sources', low=1)
    with CutoutWriter(directory, layout=layout) as writer:
        sets, measures = [], {}
        for k in range(n_fields):
            name = f'field_{k:02d}'
            measured = []
            for band, setup in enumerate(setups):
                rng = np.random.default_rng([seed, k, band])
                noisy, target, noise = _make_field(setup, field_size, rng)
                data, sources = _inject(noisy, setup, n_sources, rng)
                sets.append(
                    extract_training_cutouts(
                        data, target, sources, setup=setup, field=name
                    )
                )
                measured.append(complexity(noisy, setup=setup, noise=noise))
            measures[name] = float(np.mean(measured))
        parts = split_fields(list(measures), complexity=measures, seed=seed)
        for part, cutouts in split_cutouts(merge_cutouts(sets), parts).items():
            writer.add(part, cutouts)
        where = {name: part for part, names in parts.items() for name in names}
        fields = Table(
            {
                'field': list(measures),
                'part': [where[name] for name in measures],
                'complexity': list(measures.values()),
            }
        )
        writer.add_table('fields', fields)
    return writer.folder


def _make_field(setup, size, rng):
    """
    Simulate a map without sources, with and without noise.
    """
    shape = (size, size)
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    emission = emission_field(shape, beam_fwhm=beam, rng=rng).astype(float)
    emission *= 10.0 ** rng.uniform(*_LOG_SCATTER)
    noise = np.median(np.abs(emission)) * 10.0 ** rng.uniform(*_LOG_NOISE)
    noisy = emission + noise * noise_field(shape, rng=rng)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = rng.uniform(0.0, 360.0), rng.uniform(-60.0, 60.0)
    wcs.wcs.crpix = (size + 1) / 2, (size + 1) / 2
    scale = setup.pixel_scale.to_value('deg')
    wcs.wcs.cdelt = -scale, scale
    wcs.wcs.set()
    maps = [CCDData(plane, unit='Jy/pix', wcs=wcs) for plane in (noisy, emission)]
    return *maps, noise


def _inject(noisy, setup, n_sources, rng):
    x, y = random_positions(
        noisy.shape, n_sources, rng=rng, separation=_SEPARATION, margin=_MARGIN
    )
    flux = 10.0 ** rng.uniform(*_LOG_FLUX, size=n_sources)
    data = noisy.copy()
    data.data = inject_sources(
        noisy.data,
        x,
        y,
        flux,
        psf=get_psf(setup),
        pixel_scale=setup.pixel_scale.to_value('arcsec'),
        angle=rng.uniform(0.0, 2.0 * np.pi),
    )
    sky = noisy.wcs.pixel_to_world(x, y)
    return data, QTable({'ra': sky.ra, 'dec': sky.dec, 'flux': flux * u.Jy})
