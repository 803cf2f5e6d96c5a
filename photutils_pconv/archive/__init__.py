# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps and catalogues from the Herschel Science Archive, ESASky, and VizieR.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'catalogues': ('fetch_catalogue', 'match_catalogue'),
        'errors': (
            'ArchiveConnectionError',
            'ArchiveError',
            'ArchiveFormatError',
            'NotInArchiveError',
            'ProprietaryDataError',
        ),
        'maps': ('FetchedMap', 'fetch_map'),
        'observations': ('find_observations',),
        'patience': ('Patience',),
    },
)
