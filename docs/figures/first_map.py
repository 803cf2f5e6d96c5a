# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The demo map before and after, as a result plots itself.
"""

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

ccd, sources = load_demo()
NeuralSourceRemover()(ccd, sources).plot()
