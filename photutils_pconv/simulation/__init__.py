# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Simulated extended emission, noise, sources and training cutouts.

Everything is drawn from seeded `numpy.random.Generator` objects; nothing
here needs torch.
"""

from photutils_pconv.simulation.cutout_files import CutoutWriter, write_cutouts
from photutils_pconv.simulation.cutout_sets import (
    RESTRICTED_SETUPS,
    TrainingCutouts,
    extract_training_cutouts,
    merge_cutouts,
    split_cutouts,
)
from photutils_pconv.simulation.emission import (
    EmissionConfig,
    bubble_field,
    emission_field,
    filament_field,
    fractional_brownian_motion,
    gradient_field,
    simulate_emission,
)
from photutils_pconv.simulation.fields import SimulatedField, simulate_field
from photutils_pconv.simulation.files import simulation_paths, write_simulation
from photutils_pconv.simulation.injection import (
    clustered_positions,
    inject_sources,
    random_positions,
)
from photutils_pconv.simulation.masked_cutouts import (
    CutoutBatch,
    CutoutSampler,
    SamplerConfig,
)
from photutils_pconv.simulation.noise import (
    confusion_field,
    coverage_map,
    coverage_noise,
    noise_field,
)
from photutils_pconv.simulation.observations import (
    flux_levels,
    simulate_levels,
    simulate_sources,
)
from photutils_pconv.simulation.partition import complexity, split_fields
from photutils_pconv.simulation.residual_cutouts import (
    ResidualBatch,
    ResidualConfig,
    ResidualSampler,
)
from photutils_pconv.simulation.small_set import make_small_training_set

__all__ = [
    'RESTRICTED_SETUPS',
    'CutoutBatch',
    'CutoutSampler',
    'CutoutWriter',
    'EmissionConfig',
    'ResidualBatch',
    'ResidualConfig',
    'ResidualSampler',
    'SamplerConfig',
    'SimulatedField',
    'TrainingCutouts',
    'bubble_field',
    'clustered_positions',
    'complexity',
    'confusion_field',
    'coverage_map',
    'coverage_noise',
    'emission_field',
    'extract_training_cutouts',
    'filament_field',
    'flux_levels',
    'fractional_brownian_motion',
    'gradient_field',
    'inject_sources',
    'make_small_training_set',
    'merge_cutouts',
    'noise_field',
    'random_positions',
    'simulate_emission',
    'simulate_field',
    'simulate_levels',
    'simulate_sources',
    'simulation_paths',
    'split_cutouts',
    'split_fields',
    'write_cutouts',
    'write_simulation',
]
