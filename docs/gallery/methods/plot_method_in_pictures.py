# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-method-in-pictures:

The method in pictures
======================

Madarász et al. (2025, A&A 696, A37) explain their method with pictures of the PSFs
(their Fig. 1), of the signal-to-noise ratio (Fig. 4), of the holes (Fig. 5) and of the
source loss (Fig. 8). Here they are drawn from a simulated map, with functions that take
your own maps and setups as well.
"""

import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.evaluation import (
    plot_masks,
    plot_psfs,
    plot_snr,
    plot_source_loss,
)
from photutils_pconv.simulation import simulate_field, simulate_sources

# %%
# PSFs
# ----
# The PSF of each observing setup, as the pixels of its maps sample it. Scan maps are in
# the upper row, the parallel mode is in the lower. Colours are logarithmic.

plot_psfs()
plt.show()

# %%
# Signal-to-noise ratio
# ---------------------
# The highest pixel within the red circle, less the mean between the blue circles, over
# the standard deviation between them, is the ratio that sets the size of a source's
# hole (:doc:`/how_to/setups`).

plot_snr()
plt.show()

# %%
# Holes
# -----
# For the other figures, sources between 5 mJy and 40 Jy are injected into a simulated
# field.

rng = np.random.default_rng(20250411)
field = simulate_field('scanmap/green', rng=rng, shape=(400, 400), kinds='filaments')
simulated, truth = simulate_sources(
    field.image, 'scanmap/green', (5, 40000), rng=rng, n_sources=45
)

# %%
# One source for each size of hole that occurs, and the mask that the network gets for
# its cutout: white pixels are valid.

plot_masks(simulated, truth, setup='scanmap/green')
plt.show()

# %%
# Source loss
# -----------
# In training, the source that was injected is compared with the one that the network
# takes out. After a removal the same picture shows what is left: the noise that a
# reconstruction has not, and the wings of the source beyond the hole. The paper's
# method does not look into the holes.

remover = NeuralSourceRemover('scanmap', 'green', method='inpaint')
cleaned, phot = remover(simulated, truth)

middle = int(np.nanargmin(np.abs(phot['snr'] - 100)))
x, y = (round(float(phot[name][middle])) for name in ('x_center', 'y_center'))
cutout = np.s_[max(y - 32, 0) : y + 33, max(x - 32, 0) : x + 33]
images = (one.data[cutout] * one.unit for one in (simulated, field.image, cleaned))
plot_source_loss(*images)
plt.show()
