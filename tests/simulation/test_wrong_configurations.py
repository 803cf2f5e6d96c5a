# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of what samplers and their configurations are given wrongly.
"""

from dataclasses import fields

import numpy as np
import pytest

from photutils_pconv.simulation import (
    CutoutSampler,
    EmissionConfig,
    NoiseConfig,
    ResidualConfig,
    ResidualSampler,
    SamplerConfig,
)
from tests.simulation.conftest import (
    NEVER,
    NO_COUNT,
    NO_NUMBER,
    NO_PAIR,
    NO_ROW,
    NO_SEED,
    NOT_NEGATIVE,
    POSITIVE,
    TEXTS,
)

SETUP = 'scanmap/green'

CONFIG_CASES = [
    (EmissionConfig, 'kinds', [*NEVER, 'word', (), None, 3, ('gaussian', None)]),
    *(
        (EmissionConfig, name, NO_PAIR)
        for name in (
            'slope',
            'log_width',
            'filament_width',
            'bubble_radius',
            'contrast',
            'cirrus_slope',
        )
    ),
    (EmissionConfig, 'n_filaments', [*NO_PAIR, (1.5, 2.5), (1, 10**9), (0, 2)]),
    (EmissionConfig, 'n_bubbles', [*NO_PAIR, (1.5, 2.5), (1, 10**9), (0, 2)]),
    (EmissionConfig, 'gradient', [*NOT_NEGATIVE, 1e300]),
    (EmissionConfig, 'unit', [*NEVER, 'arcsec', None, 3]),
    *(
        (NoiseConfig, name, [*NO_PAIR, (0.1, 300.0)])
        for name in (
            'correlated',
            'length',
            'stripes',
            'confusion',
            'sources_per_beam',
        )
    ),
]
for one in (SamplerConfig, ResidualConfig):
    CONFIG_CASES += [
        *((one, n, [*NO_COUNT, 0]) for n in ('n_fields', 'n_noise', 'n_stamps')),
        (one, 'field_size', [*NO_COUNT, 0, 50, 10**6]),
        (one, 'size', [*NO_COUNT, 0, 95, 128]),
        (
            one,
            'log_peak',
            [*NO_NUMBER, (1, 2), (3, 2, 1), (0, 1, np.nan), 'abc', (0, 1, 99)],
        ),
        (one, 'log_noise', [*NO_ROW, (1,), (3, 2), (0, np.nan), 'ab', (0, 99)]),
        (one, 'neighbours', [*NOT_NEGATIVE, 1.5]),
        (one, 'missing', [*NOT_NEGATIVE, 1.5]),
        (one, 'real_share', [*NOT_NEGATIVE, 1.5]),
        (one, 'added_noise', [(1,), (3, 2), (0, np.nan), 'ab', (0, 99)]),
        (one, 'stretch', [*NOT_NEGATIVE, 1e3]),
        (one, 'width', [*NOT_NEGATIVE, 1e3]),
    ]
CONFIG_CASES += [
    *(
        (SamplerConfig, name, [*NOT_NEGATIVE, 1.5])
        for name in ('far_position', 'any_radius', 'empty')
    ),
    (SamplerConfig, 'position_error', [*NOT_NEGATIVE, 1e3]),
    (ResidualConfig, 'position_error', [*NO_ROW, (1,), (2, 1), (0, 99), (-1, 0)]),
    (ResidualConfig, 'known_angle', [*NOT_NEGATIVE, 1.5]),
    (ResidualConfig, 'lobes', [*NOT_NEGATIVE, 1e3]),
    (ResidualConfig, 'n_angles', [*NO_COUNT, 0]),
    (ResidualConfig, 'n_stamps', [4]),
    (
        ResidualConfig,
        'mismatch',
        [
            *(v for v in NO_NUMBER if not isinstance(v, list)),
            (0,),
            (2.0,),
            ('a',),
            (np.nan,),
        ],
    ),
]


@pytest.mark.parametrize(
    ('config', 'name', 'values'),
    [pytest.param(*case, id=f'{case[0].__name__}-{case[1]}') for case in CONFIG_CASES],
)
def test_configurations(config, name, values):
    config()
    for value in values:
        with pytest.raises((TypeError, ValueError), match=name):
            config(**{name: value})


@pytest.mark.parametrize(
    'config', [EmissionConfig, NoiseConfig, SamplerConfig, ResidualConfig]
)
def test_every_field_is_tested(config):
    tested = {name for one, name, _ in CONFIG_CASES if one is config}
    switches = {'all_emission', 'all_psfs', 'realistic'}
    assert {item.name for item in fields(config)} <= tested | switches


@pytest.mark.parametrize(
    ('sampler', 'config'),
    [(CutoutSampler, SamplerConfig), (ResidualSampler, ResidualConfig)],
)
def test_samplers(sampler, config):
    few = config(n_fields=1, n_noise=1, n_stamps=6, field_size=96)
    other = ResidualConfig() if config is SamplerConfig else SamplerConfig()
    sound = {'setups': [SETUP], 'config': few, 'seed': 0}
    wrong = {
        'setups': [*NEVER, *TEXTS, None, 3, [], [None], ['word'], SETUP],
        'config': [*NEVER, 'word', {}, [], other],
        'seed': NO_COUNT[:-1],
        'normalisation': [*NEVER, 'robust', {}, [], {'name': 'x'}]
        + [{'name': 'robust', 'radius': value} for value in POSITIVE]
        + [{'name': 'robust', 'wings': 'no'}, {'name': 'robust', 'sacle': 3}],
    }
    for name, values in wrong.items():
        for value in values:
            match = 'setup' if name == 'setups' else name
            with pytest.raises((TypeError, ValueError), match=match):
                sampler(**{**sound, name: value})
    made = sampler(**sound)
    for value in [*NO_COUNT, 0]:
        with pytest.raises((TypeError, ValueError), match='n must'):
            made.batch(value, 0)
    for value in NO_SEED:
        with pytest.raises((TypeError, ValueError), match='seed must be an integer'):
            made.batch(1, value)
