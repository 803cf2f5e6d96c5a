# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A simulated map of an instrument with a beam of 18 arcsec, before and after.
"""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover, ObservingSetup
from photutils_pconv.simulation import simulate_field, simulate_sources

setup = ObservingSetup.from_psf(
    18.1 * u.arcsec, pixel_scale=6 * u.arcsec, name='mine', wavelength=250 * u.um
)
rng = np.random.default_rng(2)
field = simulate_field(
    setup, rng=rng, shape=(160, 160), kinds='filaments', emission=2e-2, noise=1e-3
)
ccd, sources = simulate_sources(field.image, setup, (300, 10000), rng=rng, n_sources=20)
result = NeuralSourceRemover(setup=setup)(ccd, sources)
# In two rows, for a page.
fig, axes = plt.subplots(
    2,
    2,
    figsize=(9.5, 8),
    subplot_kw={'projection': ccd.wcs},
    gridspec_kw={'wspace': 0.35, 'hspace': 0.3},
)
result.plot(axes=axes.ravel())
