# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Simulated extended emission, noise, sources and training cutouts.

Everything is drawn from seeded `numpy.random.Generator` objects; nothing
here needs torch.
"""

from photutils_pconv.simulation.dataset import (
    CutoutBatch,
    CutoutSampler,
    SamplerConfig,
)
from photutils_pconv.simulation.emission import (
    emission_field,
    filament_field,
    fractional_brownian_motion,
    noise_field,
)
from photutils_pconv.simulation.injection import inject_sources, random_positions

__all__ = [
    'CutoutBatch',
    'CutoutSampler',
    'SamplerConfig',
    'emission_field',
    'filament_field',
    'fractional_brownian_motion',
    'inject_sources',
    'noise_field',
    'random_positions',
]
