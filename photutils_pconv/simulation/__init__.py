# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Simulated extended emission, noise, sources and training cutouts.

Everything is drawn from seeded `numpy.random.Generator` objects; nothing
here needs torch.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'backgrounds': ('Background', 'make_background'),
        'cutout_configs': ('ResidualConfig', 'SamplerConfig'),
        'cutout_extraction': ('extract_training_cutouts',),
        'cutout_files': ('CutoutWriter', 'write_cutouts'),
        'cutout_sets': (
            'TrainingCutouts',
            'merge_cutouts',
            'split_cutouts',
        ),
        'emission': (
            'emission_field',
            'filament_field',
            'fractional_brownian_motion',
        ),
        'emission_kinds': ('EmissionConfig', 'simulate_emission'),
        'fields': ('SimulatedField', 'simulate_field'),
        'files': ('write_simulation',),
        'injection': ('inject_sources', 'random_positions'),
        'map_noise': ('NoiseConfig', 'correlated_noise', 'simulate_noise'),
        'map_fields': ('MapField', 'read_map_fields'),
        'map_set': ('MapSetOptions', 'make_map_set'),
        'masked_cutouts': ('CutoutBatch', 'CutoutSampler'),
        'noise': ('confusion_field', 'coverage_map', 'coverage_noise', 'noise_field'),
        'levels': ('flux_levels', 'simulate_levels'),
        'observations': ('simulate_sources',),
        'paper_set': ('PaperSetOptions', 'load_paper_fields', 'make_paper_set'),
        'partition': ('complexity', 'split_fields'),
        'residual_cutouts': ('ResidualBatch', 'ResidualSampler'),
        'small_set': ('make_small_training_set',),
    },
)
