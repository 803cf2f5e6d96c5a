# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A simulated nebula with two clusters, before and after.
"""

import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo_emission
from photutils_pconv.simulation import simulate_sources

rng = np.random.default_rng(6)
nebula = load_demo_emission()[80:240, 80:240]
nebula.data = nebula.data + rng.normal(0, 2e-4, nebula.shape)
nebula, sources = simulate_sources(
    nebula,
    'scanmap/green',
    (100, 3000),
    rng=rng,
    n_sources=16,
    n_clusters=2,
    cluster_radius=20,
    separation=6,
)
result = NeuralSourceRemover('scanmap', 'green')(nebula, sources)
# In two rows, for a page.
fig, axes = plt.subplots(
    2,
    2,
    figsize=(9.5, 8),
    subplot_kw={'projection': nebula.wcs},
    gridspec_kw={'wspace': 0.35, 'hspace': 0.3},
)
result.plot(axes=axes.ravel())
