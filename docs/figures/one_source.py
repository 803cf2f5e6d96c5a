# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
One source of the demo map, as a result plots it.
"""

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

ccd, sources = load_demo()
NeuralSourceRemover()(ccd, sources).plot_source(5)
