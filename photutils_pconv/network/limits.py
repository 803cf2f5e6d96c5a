# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a network and its model card may be at most.

A card comes with a file from anywhere, and says what is to be built and run:
without limits a wrong number in it would take all memory, or hang. All limits
are by choice, far beyond what any model needs. This module does not import torch.
"""

__all__ = [
    'MAXIMUM_BLOCKS',
    'MAXIMUM_CARD',
    'MAXIMUM_CHANNELS',
    'MAXIMUM_CUTOUT',
    'MAXIMUM_DEPTH',
    'MAXIMUM_NAME',
    'MAXIMUM_SETUPS',
    'MAXIMUM_TURNS',
    'MAXIMUM_WIDTH',
    'SOFTENING_RANGE',
]

#: The channels of the first block: 8 times the paper's network (Table 4) and the
#: bundled models.
MAXIMUM_WIDTH = 256
#: The residual blocks a level; the bundled models have one.
MAXIMUM_BLOCKS = 32
#: The images that a network sees; no kind of model has more than 3.
MAXIMUM_CHANNELS = 16
#: The quarter turns of a full circle.
MAXIMUM_TURNS = 4
#: The side of a cutout (pixels); the paper's have 96, and a batch of 64 at this
#: size takes a gigabyte in the bundled models.
MAXIMUM_CUTOUT = 512
#: Where arcsinh sets in (scales): below the noise of any map, and beyond the
#: brightest source; the bundled models have 3.
SOFTENING_RANGE = (1.0e-3, 1.0e6)
#: The characters of a card's JSON; those of the bundled models have some thousand.
MAXIMUM_CARD = 1_000_000
#: The levels of lists and dicts inside each other in a card.
MAXIMUM_DEPTH = 16
#: The characters of a model's name, and of a setup's: it is part of a file name.
MAXIMUM_NAME = 100
#: The setups that a model is for.
MAXIMUM_SETUPS = 1000
