# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The demo map before and after, as a result plots itself.
"""

import matplotlib.pyplot as plt

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

ccd, sources = load_demo()
result = NeuralSourceRemover()(ccd, sources)
# In two rows, for a page.
fig, axes = plt.subplots(
    2,
    2,
    figsize=(9.5, 8),
    subplot_kw={'projection': ccd.wcs},
    gridspec_kw={'wspace': 0.35, 'hspace': 0.3},
)
result.plot(axes=axes.ravel())
