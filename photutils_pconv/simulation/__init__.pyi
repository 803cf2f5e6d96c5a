# Written by tools/write_stubs.py from the file __init__.py beside it.

from .backgrounds import Background as Background
from .backgrounds import make_background as make_background
from .cutout_configs import ResidualConfig as ResidualConfig
from .cutout_configs import SamplerConfig as SamplerConfig
from .cutout_extraction import extract_training_cutouts as extract_training_cutouts
from .cutout_files import CutoutWriter as CutoutWriter
from .cutout_files import write_cutouts as write_cutouts
from .cutout_sets import TrainingCutouts as TrainingCutouts
from .cutout_sets import merge_cutouts as merge_cutouts
from .cutout_sets import split_cutouts as split_cutouts
from .emission import emission_field as emission_field
from .emission import filament_field as filament_field
from .emission import fractional_brownian_motion as fractional_brownian_motion
from .emission_kinds import EmissionConfig as EmissionConfig
from .emission_kinds import simulate_emission as simulate_emission
from .fields import SimulatedField as SimulatedField
from .fields import simulate_field as simulate_field
from .files import write_simulation as write_simulation
from .injection import inject_sources as inject_sources
from .injection import random_positions as random_positions
from .levels import flux_levels as flux_levels
from .levels import simulate_levels as simulate_levels
from .map_fields import MapField as MapField
from .map_fields import read_map_fields as read_map_fields
from .map_noise import NoiseConfig as NoiseConfig
from .map_noise import correlated_noise as correlated_noise
from .map_noise import simulate_noise as simulate_noise
from .map_set import MapSetOptions as MapSetOptions
from .map_set import make_map_set as make_map_set
from .masked_cutouts import CutoutBatch as CutoutBatch
from .masked_cutouts import CutoutSampler as CutoutSampler
from .noise import confusion_field as confusion_field
from .noise import coverage_map as coverage_map
from .noise import coverage_noise as coverage_noise
from .noise import noise_field as noise_field
from .observations import simulate_sources as simulate_sources
from .paper_set import PaperSetOptions as PaperSetOptions
from .paper_set import load_paper_fields as load_paper_fields
from .paper_set import make_paper_set as make_paper_set
from .partition import complexity as complexity
from .partition import split_fields as split_fields
from .residual_cutouts import ResidualBatch as ResidualBatch
from .residual_cutouts import ResidualSampler as ResidualSampler
from .small_set import make_small_training_set as make_small_training_set

__all__ = [
    'Background',
    'CutoutBatch',
    'CutoutSampler',
    'CutoutWriter',
    'EmissionConfig',
    'MapField',
    'MapSetOptions',
    'NoiseConfig',
    'PaperSetOptions',
    'ResidualBatch',
    'ResidualConfig',
    'ResidualSampler',
    'SamplerConfig',
    'SimulatedField',
    'TrainingCutouts',
    'complexity',
    'confusion_field',
    'correlated_noise',
    'coverage_map',
    'coverage_noise',
    'emission_field',
    'extract_training_cutouts',
    'filament_field',
    'flux_levels',
    'fractional_brownian_motion',
    'inject_sources',
    'load_paper_fields',
    'make_background',
    'make_map_set',
    'make_paper_set',
    'make_small_training_set',
    'merge_cutouts',
    'noise_field',
    'random_positions',
    'read_map_fields',
    'simulate_emission',
    'simulate_field',
    'simulate_levels',
    'simulate_noise',
    'simulate_sources',
    'split_cutouts',
    'split_fields',
    'write_cutouts',
    'write_simulation',
]
