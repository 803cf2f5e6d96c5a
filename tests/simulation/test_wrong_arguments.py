# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of what simulations are given wrongly: it is named before any work.
"""

import re

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from astropy.wcs import WCS

from photutils_pconv import simulation
from photutils_pconv.psf import get_psf
from photutils_pconv.simulation import (
    CutoutWriter,
    EmissionConfig,
    NoiseConfig,
    SamplerConfig,
    TrainingCutouts,
)
from photutils_pconv.simulation.injection import clustered_positions
from tests.simulation.conftest import (
    NEVER,
    NO_COUNT,
    NO_NUMBER,
    NO_SEED,
    NOT_NEGATIVE,
    POSITIVE,
    TEXTS,
)

SETUP = 'scanmap/green'
PSF = get_psf(SETUP)
SHAPE = (40, 50)
ZEROS = np.zeros(SHAPE)


def rng():
    return np.random.default_rng(1)


def make_map():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = 10.0, 10.0
    wcs.wcs.crpix = 25.0, 20.0
    wcs.wcs.cdelt = -1.6 / 3600, 1.6 / 3600
    wcs.wcs.set()
    return CCDData(ZEROS.copy(), unit='Jy/pix', wcs=wcs)


def make_cutouts(n=2):
    cube = np.zeros((n, 96, 96), dtype=np.float32)
    table = Table({'field': ['a'] * n, 'setup': [SETUP] * n})
    return TrainingCutouts(cube, cube, cube == 0, table)


MAP = make_map()
CUTOUTS = make_cutouts()
SOURCES = QTable({'ra': [10.0] * u.deg, 'dec': [10.0] * u.deg, 'flux': [5.0] * u.mJy})

NO_RNG = [None, 1, 'word', [1], np.random, np.random.default_rng, np.nan]
NO_SHAPE = [*NEVER, *TEXTS, None, 5, (), (8,), (8, 8, 8), (-1, 8), (8, 2.5)]
NO_SHAPE += [('8', '8'), (np.nan, 8), (10**7, 10**7), (True, 8), {8: 8}, [None, 8]]
NO_PSF = [*NEVER, *TEXTS, None, 3.0, ZEROS, SETUP]
NO_CHOICE = [*NEVER, *TEXTS, None, 3, ['arrays'], {}]
NO_SETS = [*NEVER, *TEXTS, None, 3, {}, [], [None], ['a'], [CUTOUTS, 3]]
NO_NAMES = [*NEVER, *TEXTS, None, 3, {}, [None], [[1]]]
NO_DICT = [*NEVER, *TEXTS, None, 3, [], ['a']]
NO_TABLE = [*NEVER, *TEXTS, None, 3, {}, [1]]
NO_PLANE = [1 + 2j * ZEROS, ZEROS.astype(str), ZEROS.astype(object), 3.0, 'word', None]
NO_PLANE += [np.zeros((2, 3, 4)), np.zeros(3), {}, object()]

FIELD = {'shape': SHAPE, 'rng': rng}
NOISE = {'correlation': 0.3, 'stripes': 0.1}
NO_SHARE = [*(v for v in NOT_NEGATIVE if v is not None), 1.5]
POSITIONS = {**FIELD, 'n': 2, 'separation': 3.0, 'margin': 1.0}
NO_MASK = [3, 'word', ZEROS, np.zeros((3, 3), dtype=bool), [True]]
WRITTEN = {'directory': 'folder', 'number': 1, 'obsid': 'x'}

# Function, sound arguments, and for some of these what is refused.
CASES = [
    (
        'fractional_brownian_motion',
        {**FIELD, 'slope': -3.0},
        {'shape': NO_SHAPE, 'rng': NO_RNG, 'slope': [*NO_NUMBER, 3.0, -1e9]},
    ),
    (
        'filament_field',
        {**FIELD, 'n_filaments': 1, 'width': 2.0},
        {'shape': NO_SHAPE, 'rng': NO_RNG, 'n_filaments': NO_COUNT, 'width': POSITIVE},
    ),
    (
        'emission_field',
        {**FIELD, 'beam_fwhm': 3.0},
        {'shape': NO_SHAPE, 'rng': NO_RNG, 'beam_fwhm': [*POSITIVE, 1e300]},
    ),
    (
        'simulate_emission',
        {**FIELD, 'beam_fwhm': 3.0, 'kinds': 'gaussian', 'config': EmissionConfig()},
        {
            'shape': NO_SHAPE,
            'rng': NO_RNG,
            'beam_fwhm': [*POSITIVE, 1e300],
            'kinds': [*NEVER, *TEXTS, 3, [], ('gaussian', 'x'), (None,)],
            'config': [*NEVER, 'gaussian', {}, SamplerConfig()],
        },
    ),
    (
        'noise_field',
        {**FIELD, **NOISE},
        {'shape': NO_SHAPE, 'rng': NO_RNG, 'stripes': NO_SHARE}
        | {'correlation': [*(v for v in NOT_NEGATIVE if v is not None), 1e300]},
    ),
    (
        'correlated_noise',
        {**FIELD, 'share': 0.5, 'length': 1.0},
        {'shape': NO_SHAPE, 'rng': NO_RNG, 'share': [*NOT_NEGATIVE, 1.5]}
        | {'length': [*NOT_NEGATIVE, 1e300]},
    ),
    (
        'simulate_noise',
        {**FIELD, 'setup': SETUP, 'config': NoiseConfig()},
        {
            'shape': NO_SHAPE,
            'rng': NO_RNG,
            'setup': [*NEVER, *TEXTS, None, 3, []],
            'config': [*NEVER, 'white', {}, EmissionConfig()],
        },
    ),
    (
        'coverage_map',
        {'shape': SHAPE, 'full': 1.0, 'width': 0.8, 'ramp': 0.2, 'angle': 0.0},
        {
            'shape': NO_SHAPE,
            'full': POSITIVE,
            'width': [*POSITIVE, 1.5],
            'ramp': [*POSITIVE, 1.5],
            'angle': NO_NUMBER,
        },
    ),
    (
        'coverage_noise',
        {'coverage': ZEROS + 1.0, 'level': 1.0, 'rng': rng, **NOISE},
        {
            'coverage': [*NO_PLANE, ZEROS, ZEROS + np.inf, ZEROS * np.nan],
            'level': [*POSITIVE, 1e300],
            'rng': NO_RNG,
            'stripes': NO_SHARE,
        },
    ),
    (
        'confusion_field',
        {
            **FIELD,
            'psf': PSF,
            'pixel_scale': 3.2,
            'density': 1.0,
            'flux_max': 1.0,
            'flux_min': 0.1,
            'slope': -2.0,
        },
        {
            'shape': NO_SHAPE,
            'rng': NO_RNG,
            'psf': NO_PSF,
            'pixel_scale': [*POSITIVE, 1e300],
            'density': [*POSITIVE, 1e300],
            'flux_max': POSITIVE,
            'flux_min': [*(v for v in POSITIVE if v is not None), 2.0],
            'slope': [*NO_NUMBER, 1e300],
        },
    ),
    (
        'simulate_field',
        {**FIELD, 'setup': SETUP, 'emission': 1e-3, 'noise': 1e-4, 'faintest': 10.0}
        | {'confusion': 0.0, 'center': (10.0, 10.0)},
        {
            'shape': NO_SHAPE,
            'rng': NO_RNG,
            'setup': [*NEVER, *TEXTS, None, 3, []],
            'emission': POSITIVE,
            'noise': [*POSITIVE, 1e300],
            'faintest': [v for v in POSITIVE if v is not True],
            'confusion': NOT_NEGATIVE,
            'center': [
                *NEVER,
                *TEXTS,
                None,
                3,
                (),
                (1,),
                (0, 95),
                ('a', 1),
                (np.nan, 1),
            ],
        },
    ),
    (
        'inject_sources',
        {'data': ZEROS, 'x': [4.0], 'y': [5.0], 'flux': [1.0], 'psf': PSF}
        | {'pixel_scale': 3.2, 'angle': 0.0},
        {
            'data': NO_PLANE,
            'psf': NO_PSF,
            'pixel_scale': [*POSITIVE, 1e300],
            **{
                name: [
                    *NEVER,
                    *TEXTS,
                    None,
                    True,
                    np.inf,
                    {},
                    [1.0, 2.0],
                    ['a'],
                    [None],
                ]
                for name in ('x', 'y', 'flux', 'angle')
            },
        },
    ),
    (
        'random_positions',
        {**POSITIONS, 'mask': None},
        {
            'shape': NO_SHAPE,
            'rng': NO_RNG,
            'n': NO_COUNT,
            'separation': NOT_NEGATIVE,
            'margin': NOT_NEGATIVE,
            'mask': NO_MASK,
        },
    ),
    (
        clustered_positions,
        {**POSITIONS, 'n_clusters': 1, 'radius': 9.0, 'mask': None},
        {
            'shape': NO_SHAPE,
            'rng': NO_RNG,
            'n': [*NO_COUNT, 10**6],
            'separation': NOT_NEGATIVE,
            'margin': NOT_NEGATIVE,
            'mask': NO_MASK,
            'n_clusters': [*NO_COUNT, 0],
            'radius': POSITIVE,
        },
    ),
    (
        'flux_levels',
        {'minimum': 10.0, 'maximum': 100.0},
        {'minimum': [v for v in POSITIVE if v is not None and v is not True]},
    ),
    (
        'simulate_sources',
        {
            'data': MAP,
            'psf': PSF,
            'flux': 100.0,
            'rng': rng,
            'n_sources': 1,
            'separation': 3.0,
            'margin': 3.0,
            'n_clusters': None,
            'cluster_radius': 60.0,
            'rotation': 'map',
        },
        {
            'data': [None, 3.0, 'word.fits', {}, ZEROS],
            'psf': [*NEVER, *TEXTS, None, {}],
            'flux': [v for v in POSITIVE if v is not True and not isinstance(v, list)],
            'rng': NO_RNG,
            'n_sources': [*(v for v in NO_COUNT if v is not None), 0],
            'n_clusters': [*(v for v in NO_COUNT if v is not None), 0],
            # None goes by the beam.
            'separation': [v for v in NOT_NEGATIVE if v is not None],
            'margin': [v for v in NOT_NEGATIVE if v is not None],
            'cluster_radius': [v for v in NOT_NEGATIVE if v is not None],
            'rotation': NO_NUMBER,
        },
    ),
    (
        'write_simulation',
        {'ccd': MAP, 'sources': SOURCES, **WRITTEN},
        {
            'ccd': [*NEVER, *TEXTS, None, ZEROS],
            'sources': [*NO_TABLE, Table({'ra': [1.0]}), Table()],
            'directory': [*NEVER, None, 3, []],
            'number': NO_COUNT,
            'obsid': [*NEVER, '', 'a/b', 2.5, [], {}, True],
            'coverage': [v for v in NO_PLANE if v is not None],
            'emission': [v for v in NO_PLANE if v is not None],
        },
    ),
    (
        'complexity',
        {'data': MAP, 'setup': SETUP, 'noise': 1.0},
        {
            'data': [None, 3.0, {}, ZEROS * np.nan],
            'setup': [*NEVER, *TEXTS, None, 3, []],
            'noise': [v for v in NOT_NEGATIVE if v is not None],
        },
    ),
    (
        'split_fields',
        {
            'fields': list('abcdef'),
            'complexity': [1, 2, 3, 4, 5, 6],
            'fractions': {'train': 0.5, 'test': 0.5},
            'n_classes': 1,
            'seed': 0,
        },
        {
            'fields': [*NO_NAMES, [], ['a', 'a']],
            'complexity': [
                *NEVER,
                *TEXTS,
                None,
                3,
                [],
                {},
                [1] * 5 + [np.nan],
                ['a'] * 6,
            ],
            'fractions': [
                *(v for v in NO_DICT if v is not None),
                *({}, {'a': 'b'}, {'a': 0.5}, {'a': None}, {'a': 1j}),
                {'a': np.nan, 'b': 1.0},
            ],
            'n_classes': [*(v for v in NO_COUNT if v is not None), 0, 7],
            'seed': NO_SEED,
        },
    ),
    (
        'extract_training_cutouts',
        {'data': MAP, 'emission': MAP, 'sources': SOURCES, 'setup': SETUP}
        | {'field': 'a', 'minimum_usable': 0.0},
        {
            'data': [None, 3.0, {}],
            'emission': [None, 3.0, {}, ZEROS[:9]],
            'sources': [None, 3.0, 'word', object()],
            'setup': [*NEVER, *TEXTS, None, 3, []],
            'field': [*NEVER, None, 3, []],
            'minimum_usable': [*NOT_NEGATIVE, 1.5],
        },
    ),
    ('merge_cutouts', {'sets': [CUTOUTS, CUTOUTS]}, {'sets': NO_SETS}),
    (
        'split_cutouts',
        {'cutouts': CUTOUTS, 'parts': {'train': ['a']}, 'restricted': {}},
        {
            'cutouts': NO_SETS,
            'parts': [*NO_DICT, {'train': None}, {'train': 'a'}, {'train': [None]}, {}],
            'restricted': [*(v for v in NO_DICT if v is not None), {SETUP: 'train'}],
        },
    ),
    (
        'TrainingCutouts',
        {name: getattr(CUTOUTS, name) for name in ('image', 'target', 'validity')}
        | {'table': CUTOUTS.table},
        {
            'image': [*NO_PLANE, *NEVER, [], CUTOUTS.image[:1]],
            'target': [*NO_PLANE, *NEVER, [], CUTOUTS.image[:1]],
            'validity': [*NO_PLANE, *NEVER, [], CUTOUTS.image[:1]],
            'table': [*NO_TABLE, CUTOUTS.table[:1]],
        },
    ),
    (
        'CutoutWriter',
        {'folder': 'folder', 'layout': 'arrays'},
        {'folder': [*NEVER, None, 3, []], 'layout': NO_CHOICE},
    ),
    ('write_cutouts', {'folder': 'x', 'sets': {'a': CUTOUTS}}, {'sets': NO_DICT}),
    (
        'make_small_training_set',
        {'directory': 'folder', 'seed': 0, 'n_fields': 3, 'field_size': 96}
        | {'n_sources': 1, 'setups': [SETUP], 'layout': 'arrays'},
        {
            'directory': [*NEVER, None, 3, []],
            'seed': NO_COUNT,
            'n_fields': [*NO_COUNT, 2],
            'field_size': [*NO_COUNT, 0, 10**6],
            'n_sources': [*NO_COUNT, 0],
            'setups': [*NEVER, *TEXTS, None, 3, [], [None], ['word'], SETUP],
            'layout': NO_CHOICE,
        },
    ),
]

# Not in the message: what an argument is called where it is parsed.
CALLED = {
    'data': 'data|map|image|file|array',
    'emission': 'emission|data|map|image',
    'sources': 'sources|source|positions',
    'psf': 'psf|PSF',
    'setup': 'setup',
    'setups': 'setup',
    'directory': 'directory|folder',
    'ccd': 'ccd',
    'cutouts': 'cutouts|sets',
    'parts': 'parts|in none of|are in none',
    'fields': 'fields?',
    'center': 'center',
    'n': 'n |positions',
    'mask': 'mask',
    'flux_min': 'flux_min',
    'n_sources': 'n_sources|positions',
}


def given(sound):
    return {k: v() if v is rng else v for k, v in sound.items()}


def pairs():
    for function, sound, wrong in CASES:
        for name, values in wrong.items():
            called = function if isinstance(function, str) else function.__name__
            case = pytest.param(function, sound, name, values, id=f'{called}-{name}')
            yield case


@pytest.mark.parametrize(('function', 'sound', 'name', 'values'), list(pairs()))
def test_refused_by_name(tmp_path, monkeypatch, function, sound, name, values):
    """An error of ours, which names the argument, before anything is written."""
    monkeypatch.chdir(tmp_path)
    called = getattr(simulation, function) if isinstance(function, str) else function
    for value in values:
        arguments = {**given(sound), name: value}
        with pytest.raises((TypeError, ValueError, OSError)) as error:
            called(**arguments)
        text = str(error.value)
        assert re.search(CALLED.get(name, name), text), (value, text)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('n', [0, 1, 3])
def test_rows(n):
    cutouts = make_cutouts(n)
    assert len(cutouts.select([])) == 0
    assert len(cutouts.select(np.ones(n, dtype=bool))) == n
    for rows in (3, [n], [-n - 1], [0.5], ['a'], None, [[0]], [True] * (n + 1), 'word'):
        with pytest.raises((TypeError, ValueError), match='rows must be'):
            cutouts.select(rows)


def test_writer(tmp_path):
    wrong = {
        'part': [*NEVER, '', None, 3, 'a b', '../a', 'train_mask'],
        'cutouts': [*NO_TABLE, ZEROS],
        'name': [*NEVER, '', None, 3, '../a', 'a/b'],
        'table': [*NO_TABLE, ZEROS],
    }
    with CutoutWriter(tmp_path / 'set') as writer:
        for name, values in wrong.items():
            for value in values:
                if name in ('part', 'cutouts'):
                    add, sound = writer.add, {'part': 'train', 'cutouts': CUTOUTS}
                else:
                    add = writer.add_table
                    sound = {'name': 'fields', 'table': Table({'a': [1]})}
                with pytest.raises((TypeError, ValueError), match=name):
                    add(**{**sound, name: value})
        writer.add('train', CUTOUTS)
    assert [path.name for path in tmp_path.iterdir()] == ['set']
