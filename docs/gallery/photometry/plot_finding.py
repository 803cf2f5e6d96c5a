# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-finding:

Finding sources, and what a catalogue missed
============================================

Filaments and knots look like sources to a finder that looks for peaks above a
background. Filters that are matched to the map, and a look at the shape, keep them
apart. And on a map that the known sources were subtracted from, their faint neighbours
can be found.
"""

# %%
# The bundled demo map has forty sources on filaments.

import matplotlib.pyplot as plt
import numpy as np
from photutils.background import Background2D
from photutils.detection import DAOStarFinder

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo
from photutils_pconv.finding import find_sources
from photutils_pconv.removal import plot_maps

ccd, truth = load_demo()
table = find_sources(ccd)
table['id', 'x_centroid', 'y_centroid', 'snr', 'flux', 'width_excess'][:6]

# %%
# A usual recipe beside it: a coarse background with its scatter, and peaks that are
# five times above that.

bkg = Background2D(ccd.data, 32, mask=ccd.mask, exclude_percentile=90)
flat = (ccd.data - bkg.background) / bkg.background_rms
usual = DAOStarFinder(5.0, fwhm=4.3)(flat, mask=ccd.mask)


def match(found):
    """Mark the sources that are found, and the detections that are sources."""
    distance = np.hypot(
        np.array(found['x_centroid'])[:, None] - np.array(truth['x']),
        np.array(found['y_centroid'])[:, None] - np.array(truth['y']),
    )
    return distance.min(axis=0) < 3, distance.min(axis=1) < 3


# %%
# The sources that are there (circles), and what is found (crosses). The recipe misses
# one in five: its scatter holds the filaments, which few sources stand out of.

finders = {'find_sources': table, 'DAOStarFinder': usual}
fig = plot_maps(dict.fromkeys(finders, ccd), vmin=0, vmax=0.01)
for ax, (name, found) in zip(fig.axes, finders.items(), strict=True):
    is_found, is_source = match(found)
    print(f'{name}: {is_found.sum()} of {len(truth)}, {np.sum(~is_source)} others')
    ax.plot(truth['x'], truth['y'], 'o', mfc='none', mec='w', ms=9)
    ax.plot(found['x_centroid'], found['y_centroid'], 'x', color='c', ms=6, mew=1.5)

# %%
# Now let a catalogue hold the brighter half of the sources. They are subtracted, and
# the cleaned map is searched for the others.

catalogue = truth[truth['flux'] > np.median(truth['flux'])]
result = NeuralSourceRemover()(ccd, catalogue)
missed = find_sources(result.cleaned)
is_found, is_source = match(missed)
faint = truth['flux'] <= np.median(truth['flux'])
print(f'{np.sum(is_found & faint)} of {faint.sum()} faint sources are found')

# %%
# Squares are the catalogue, circles the sources that it does not have, and crosses what
# was found after its sources were gone.

fig = plot_maps({'map': ccd, 'map without the catalogue': result.cleaned})
for ax in fig.axes:
    ax.plot(catalogue['x'], catalogue['y'], 's', mfc='none', mec='w', ms=9)
    ax.plot(truth['x'][faint], truth['y'][faint], 'o', mfc='none', mec='w', ms=9)
    ax.plot(missed['x_centroid'], missed['y_centroid'], 'x', color='c', ms=6, mew=1.5)

plt.show()
