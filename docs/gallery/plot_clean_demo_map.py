# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Clean a map and measure its sources
===================================

The bundled demo map is simulated extended emission with sources of known
flux. This example removes them, measures them, and compares the fluxes with
those that were injected.
"""

# %%
# The map is a `~astropy.nddata.CCDData` with a unit and a WCS. The table of
# what was injected has the columns ``ra``, ``dec``, and ``flux``; the remover
# reads the positions only.

import matplotlib.pyplot as plt

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

ccd, truth = load_demo()

# %%
# One line makes the remover, one line cleans the map. The PSF of the setup is known,
# so that the sources are fitted and subtracted first.

remover = NeuralSourceRemover(mode='scanmap', band='green')
result = remover(ccd, truth)
cleaned, phot = result
print(result.summary())

# %%
# The map before and after, in one stretch, what was removed, and what is left of the
# sources: the cleaned map less its own smooth emission. Circles are the holes. Where no
# source reaches, the cleaned map is the map itself, and the difference is zero.

fig = result.plot()

# %%
# One source of them: the map, the emission that was reconstructed behind it, the
# cleaned map, and their radial profiles. ``result.plot(zoom=5)`` shows the
# surroundings of source 5 in the panels of above.

fig = result.plot_source(5)

# %%
# The photometry has one row a source, in the order of the input. The column ``flux``
# is the one to use: here the flux of the PSF. ``flux_aperture`` is measured in an
# aperture, and ``flux_annulus`` is the standard method, for comparison.

columns = ['id', 'snr', 'flux', 'flux_err', 'flux_aperture', 'flux_annulus', 'flags']
phot[columns].pprint(max_lines=-1, max_width=-1)

# %%
# Measured over injected flux, against the signal-to-noise ratio.

fig, ax = plt.subplots(figsize=(7, 4), layout='constrained')
for name, label, marker in (
    ('flux', 'this method', 'o'),
    ('flux_annulus', 'annulus', 'x'),
):
    ratio = (phot[name] / truth['flux']).to_value('')
    ax.plot(phot['snr'], ratio, marker, label=label)
ax.axhline(1, color='0.6', linewidth=1, zorder=0)
ax.set(xscale='log', xlabel='SNR', ylabel='measured / injected flux')
ax.legend()
plt.show()
