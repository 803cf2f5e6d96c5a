# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Compact source removal and photometry on structured backgrounds.

Photutils-pconv reconstructs the extended emission behind compact sources
with a partial-convolution network (Madarász et al. 2025, A&A 696, A37)
and measures the sources on what it removed, for Herschel/PACS maps and,
with a setup of the user's own, for others.
"""

from typing import TYPE_CHECKING

from photutils_pconv._utils import versions
from photutils_pconv._utils.lazy import attach

if TYPE_CHECKING:
    from photutils_pconv.background.local_background import PConvLocalBackground
    from photutils_pconv.background.map_background import PConvBackground
    from photutils_pconv.removal.remover import NeuralSourceRemover
    from photutils_pconv.removal.result import SourceRemovalResult
    from photutils_pconv.setups.registry import get_setup, list_setups, register_setup
    from photutils_pconv.setups.setup import ObservingSetup
    from photutils_pconv.training import Trainer

__all__ = [
    'NeuralSourceRemover',
    'ObservingSetup',
    'PConvBackground',
    'PConvLocalBackground',
    'SourceRemovalResult',
    'Trainer',
    'get_setup',
    'list_setups',
    'register_setup',
]

__version__ = versions.VERSION

# The public names are imported at their first use, so that importing the
# package does not import torch.
_MODULES = {
    'NeuralSourceRemover': 'removal',
    'ObservingSetup': 'setups',
    'PConvBackground': 'background',
    'PConvLocalBackground': 'background',
    'SourceRemovalResult': 'removal',
    'Trainer': 'training',
    'get_setup': 'setups',
    'list_setups': 'setups',
    'register_setup': 'setups',
}

__getattr__, __dir__ = attach(__name__, _MODULES)
