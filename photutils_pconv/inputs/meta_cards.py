# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Cards of Herschel products that are numbered instead of named.
"""

import re

from astropy.io import fits

__all__ = ['name_meta_cards']

_META = re.compile('META_[0-9]+')
# The keywords of what the Herschel software calls so (Herschel products state
# both: ``HIERARCH key.WAVELNTH = 'wavelength'``).
_KEYWORDS = {
    'telescope': 'TELESCOP',
    'instrument': 'INSTRUME',
    'object': 'OBJECT',
    'obsmode': 'OBS_MODE',
    'cusmode': 'CUSMODE',
    'instmode': 'INSTMODE',
    'camera': 'CAMERA',
    'blue': 'BLUEBAND',
    'wavelength': 'WAVELNTH',
    'level': 'LEVEL',
}


def name_meta_cards(header, wanted):
    """
    Give the cards ``META_0``, ``META_1``, ... of a header by their own names.

    Where a product's metadata has no keyword of eight letters, the Herschel
    software numbers the card, and says in another what it is::

        META_3  = 70.0
        HIERARCH  key.META_3 = 'wavelength'

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        The header.

    wanted : sequence of str
        The keywords to give.

    Returns
    -------
    cards : list of `~astropy.io.fits.Card`
        The cards.
    """
    cards = []
    for card in header.cards:
        if not _META.fullmatch(card.keyword):
            continue
        name = str(header.get(f'key.{card.keyword}', '')).strip().lower()
        keyword = _KEYWORDS.get(name)
        if keyword in wanted and keyword not in header:
            cards.append(fits.Card(keyword, card.value, card.comment))
    return cards
