# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Finding sources on structure
============================

Filaments and knots look like sources to a finder that looks for peaks above a
background. Filters that are matched to the map, and a look at the shape, tell them
apart.
"""

# %%
# The bundled demo map has forty sources on filamentary emission.

import matplotlib.pyplot as plt
import numpy as np
from photutils.background import Background2D
from photutils.detection import DAOStarFinder

from photutils_pconv.datasets import load_demo
from photutils_pconv.finding import find_sources

ccd, truth = load_demo()
table = find_sources(ccd, mode='scanmap', band='green')
table['id', 'sky_centroid', 'snr', 'flux', 'width_excess', 'ellipticity'][:8]

# %%
# A usual recipe beside it: a coarse background and its scatter, and peaks five times
# above that.

bkg = Background2D(ccd.data, 32, mask=ccd.mask, exclude_percentile=90)
flat = (ccd.data - bkg.background) / bkg.background_rms
usual = DAOStarFinder(5.0, fwhm=4.3)(flat, mask=ccd.mask)


def count(found):
    """Count sources that are found, and what is no source."""
    distance = np.hypot(
        np.array(found['x_centroid'])[:, None] - np.array(truth['x']),
        np.array(found['y_centroid'])[:, None] - np.array(truth['y']),
    )
    return np.sum(distance.min(axis=0) < 3), np.sum(distance.min(axis=1) >= 3)


for name, found in (('find_sources', table), ('DAOStarFinder', usual)):
    n_found, n_false = count(found)
    print(f'{name}: {n_found} of {len(truth)} sources, {n_false} others')

# %%
# What was injected (circles), and what each of them finds (crosses).

fig, axes = plt.subplots(1, 2, figsize=(11, 5.6), layout='constrained')
low, high = np.nanpercentile(ccd.data, [2, 98])
for ax, (name, found) in zip(
    axes, (('find_sources', table), ('DAOStarFinder', usual)), strict=True
):
    ax.imshow(ccd.data, origin='lower', vmin=low, vmax=high, cmap='gray_r')
    ax.plot(truth['x'], truth['y'], 'o', mfc='none', mec='C0', ms=11)
    ax.plot(found['x_centroid'], found['y_centroid'], 'x', color='C3', ms=6)
    ax.set(xticks=[], yticks=[], title=name)

plt.show()
