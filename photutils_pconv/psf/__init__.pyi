# Written by tools/write_stubs.py from the file __init__.py beside it.

from .library import GriddedPSF as GriddedPSF
from .library import SampledPSF as SampledPSF
from .library import get_psf as get_psf
from .library import sample_psf as sample_psf
from .lobed import LobedPSF as LobedPSF
from .lobed import lobed_psf as lobed_psf
from .pixel import PixelPSF as PixelPSF
from .profiles import WingProfile as WingProfile
from .profiles import pixel_profile as pixel_profile
from .profiles import wing_profile as wing_profile
from .resolved import SourcePSFs as SourcePSFs
from .source_sizes import SourceSizes as SourceSizes
from .wing_terms import DrawnTerms as DrawnTerms
from .wing_terms import WingTerms as WingTerms

__all__ = [
    'DrawnTerms',
    'GriddedPSF',
    'LobedPSF',
    'PixelPSF',
    'SampledPSF',
    'SourcePSFs',
    'SourceSizes',
    'WingProfile',
    'WingTerms',
    'get_psf',
    'lobed_psf',
    'pixel_profile',
    'sample_psf',
    'wing_profile',
]
