# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-first-map:

Your first map
==============

A map with forty compact sources on filaments: the same map without them, and the fluxes
of the sources. The map comes with the package. It is simulated, so that the fluxes that
were put in are known.
"""

# %%
# A map may be a FITS file, a `~astropy.nddata.CCDData`, a quantity or an array; the
# sources may be a catalogue file, a table, a `~astropy.coordinates.SkyCoord` or pixels.
# Here they are a ``CCDData`` with a unit and a WCS, and a table with the columns ``ra``
# and ``dec``.

import matplotlib.pyplot as plt

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

ccd, sources = load_demo()

# %%
# One line makes the remover, one line cleans the map. The header of the map says which
# instrument and band it is of; the summary repeats that.

remover = NeuralSourceRemover()
result = remover(ccd, sources)
print(result.summary())

# %%
# The map before and after has one stretch. Circles are the holes, in which the map was
# changed most. The panel *removed sources* is what was subtracted: three-lobed images
# of the telescope's PSF, and faint wings beyond the circles. The last panel shows what
# is smaller than the holes. A source that was not removed right would stand out inside
# its circle; what is seen there are filaments and noise, as everywhere.

result.plot()

# %%
# One source of them, with the emission that was reconstructed behind it. The radial
# profile of the cleaned map runs flat through the place where the source was. The bump
# of the map's profile at the rim of the hole is the neighbour.

result.plot_source(5)

# %%
# The photometry has one row per source, in the order of the input. ``flux`` is the
# column to use, with ``flux_err``; ``flux_annulus`` is the usual aperture photometry,
# for comparison, and ``flags`` says what to look at.

cleaned, photometry = result
columns = ['id', 'sky_center', 'snr', 'flux', 'flux_err', 'flux_annulus', 'flags']
photometry[columns][:8]

# %%
# Measured over true flux. Bright sources form a line, faint ones scatter about it by
# their error bars. The annulus is off by up to a half, since the emission around a
# source is not that behind it. All are 2 percent low: the sources of this map have a
# PSF of their own, with a little less flux in the aperture than the telescope's.

true_flux = sources['flux'].to_value('Jy')
fig, ax = plt.subplots(figsize=(7, 4), layout='constrained')
annulus = photometry['flux_annulus'].to_value('Jy') / true_flux
ax.plot(photometry['snr'], annulus, 'x', color='C1', label='flux_annulus')
ax.errorbar(
    photometry['snr'],
    photometry['flux'].to_value('Jy') / true_flux,
    photometry['flux_err'].to_value('Jy') / true_flux,
    fmt='o',
    ms=4,
    color='C0',
    label='flux',
)
ax.axhline(1, color='0.6', lw=1, zorder=0)
ax.set(xscale='log', ylim=(0, 2))
ax.set(xlabel='signal-to-noise ratio', ylabel='measured / true flux')
ax.legend()

plt.show()

# %%
# ``result.write('output')`` writes all of it: the cleaned map, the removed sources, the
# holes, and the table.
