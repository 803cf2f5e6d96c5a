# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-from-archive:

A real observation, from its number
===================================

The standard star gamma Dra at 70 micron: found in the archive, fetched, cleaned, and
compared with a catalogue. This page was not run, since it needs a connection and ``pip
install 'photutils-pconv[plot,archive]'``. In the shell, all of it is::

    photutils-pconv find gamma Dra
    photutils-pconv remove --obsid 1342217404 --band blue --catalogue hppsc -o output
"""

# sphinx_gallery_thumbnail_path = 'images/before_after.png'
import astropy.units as u
import numpy as np

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.archive import (
    fetch_catalogue,
    fetch_map,
    find_observations,
    match_catalogue,
)

# %%
# The observations whose footprints cover the star.

observations = find_observations('gamma Dra', mode='scanmap')
observations

# %%
# The best map of one of them, which is kept for the next time, and the sources on it.

fetched = fetch_map(1342217404, band='blue')
print(fetched)
sources = fetch_catalogue(fetched, band='blue', catalogue='hppsc')

# %%
# From here on it is a map like any other: its header has the setup.

result = NeuralSourceRemover()(fetched, sources)
print(result.summary())
result.plot()

# %%
# The star is the brightest source. The profiles show how well it was taken off.

star = int(result.photometry['id'][np.nanargmax(result.photometry['flux'])])
result.plot_source(star)

# %%
# Our fluxes beside those of the catalogue.

matched = match_catalogue(result, sources, max_separation=3 * u.arcsec)
matched['id', 'flux', 'flux_err', 'catalogue_Flux', 'catalogue_separation']
