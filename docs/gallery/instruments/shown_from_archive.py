# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-from-archive:

A real observation, from its number
===================================

The standard star gamma Dra at 70 micron, fetched from the archive, cleaned, and
compared with a catalogue. On the command line, all of it is::

    photutils-pconv find gamma Dra
    photutils-pconv remove --obsid 1342217404 --band blue --catalogue hppsc -o output

Without a connection this page shows the commands alone.
"""

# %%
# An archive is asked once, and given up after a minute of silence.

import astropy.units as u

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.archive import (
    ArchiveError,
    Patience,
    fetch_catalogue,
    fetch_map,
    find_observations,
    match_catalogue,
)

patience = Patience(timeout=60, attempts=1)


def ask(function, *arguments, **options):
    """Ask an archive; say why there is no answer."""
    try:
        return function(*arguments, patience=patience, **options)
    except (ArchiveError, ImportError) as exc:
        print(exc)
        return None


# %%
# The observations whose footprints cover the star.

observations = ask(find_observations, '269.1515 51.4889', mode='scanmap')
if observations is not None:
    observations.pprint(max_lines=12)

# %%
# The best map of one of them, and the sources on it.

fetched = ask(fetch_map, 1342217404, band='blue')
sources = None
if fetched is not None:
    print(fetched)
    sources = ask(fetch_catalogue, fetched, band='blue', catalogue='hppsc')

# %%
# From here on it is a map like any other.

if sources is not None:
    remover = NeuralSourceRemover(mode='scanmap', band='blue')
    result = remover(fetched, sources)
    matched = match_catalogue(result, sources, max_separation=3 * u.arcsec)
    matched['id', 'flux', 'flux_err', 'catalogue_Flux', 'catalogue_separation'].pprint()
    result.plot()
