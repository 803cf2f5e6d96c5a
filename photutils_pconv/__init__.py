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
    from photutils_pconv.background import PConvBackground as PConvBackground
    from photutils_pconv.background import PConvLocalBackground as PConvLocalBackground
    from photutils_pconv.removal import NeuralSourceRemover as NeuralSourceRemover
    from photutils_pconv.removal import SourceRemovalResult as SourceRemovalResult
    from photutils_pconv.setups import ObservingSetup as ObservingSetup
    from photutils_pconv.setups import get_setup as get_setup
    from photutils_pconv.setups import list_setups as list_setups
    from photutils_pconv.setups import register_setup as register_setup
    from photutils_pconv.training import Trainer as Trainer

__version__ = versions.VERSION

# The public names are imported at their first use, so that importing the
# package does not import torch.
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'background': ('PConvBackground', 'PConvLocalBackground'),
        'removal': ('NeuralSourceRemover', 'SourceRemovalResult'),
        'setups': ('ObservingSetup', 'get_setup', 'list_setups', 'register_setup'),
        'training': ('Trainer',),
    },
)
