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
import numpy as np
from astropy.visualization import AsinhStretch, ImageNormalize

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

ccd, truth = load_demo()

# %%
# One line makes the remover, one line cleans the map. The PSF of the setup is known,
# so that the sources are fitted and subtracted first.

remover = NeuralSourceRemover(mode='scanmap', band='green')
cleaned, phot = remover(ccd, truth)

# %%
# The map before, after, and what was removed, in the same stretch. Where no source
# reaches, the cleaned map is the map itself, and the difference is zero.

removed = np.asarray(ccd.data) - np.asarray(cleaned.data)
low, high = np.nanpercentile(cleaned.data, [0.5, 99.5])
stretch = AsinhStretch(0.1)
background = ImageNormalize(vmin=low, vmax=high + 2 * (high - low), stretch=stretch)
sources = ImageNormalize(vmin=0, vmax=3 * (high - low), stretch=stretch)

panels = {
    'Map': (ccd.data, background),
    'Cleaned': (cleaned.data, background),
    'Removed sources': (removed, sources),
}
fig, axes = plt.subplots(
    1,
    len(panels),
    figsize=(12, 4.4),
    sharex=True,
    sharey=True,
    layout='constrained',
    subplot_kw={'projection': ccd.wcs},
)
for ax, (title, (image, norm)) in zip(axes, panels.items(), strict=True):
    artist = ax.imshow(image, origin='lower', norm=norm, cmap='inferno')
    fig.colorbar(artist, ax=ax, shrink=0.7, label=f'{ccd.unit}')
    ax.set(title=title, xlabel='Right ascension', ylabel='Declination')
    if ax is not axes[0]:
        ax.coords[1].set_ticklabel_visible(False)
        ax.set_ylabel(' ')

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
