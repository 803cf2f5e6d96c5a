# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
One source of the demo map, as a result plots it.
"""

import matplotlib.pyplot as plt

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

ccd, sources = load_demo()
result = NeuralSourceRemover()(ccd, sources)
# In two rows, for a page.
fig, axes = plt.subplots(2, 2, figsize=(9.5, 7), layout='constrained')
result.plot_source(5, axes=axes.ravel())
