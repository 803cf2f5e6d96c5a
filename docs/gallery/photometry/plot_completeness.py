# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-completeness:

Completeness of a map
=====================

How faint a source can be and still be found depends on the noise and the structure of
the map at hand. To measure it, synthetic sources of known flux are put into the map, a
few at a time, and measured together with the real ones.
"""

# %%
# The bundled demo map has extended emission, noise, and sources of its own. The errors
# of PSF fluxes do not need empty apertures; without those each round is faster.

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.completeness import correct_errors, measure_completeness
from photutils_pconv.datasets import load_demo

ccd, table = load_demo()
remover = NeuralSourceRemover(error_method='card')

# %%
# Six fluxes, fifteen sources of each, at random places between the holes of real
# sources. They have the PSF that the remover finds on the map. Fifteen are few: fifty
# (the default) or more give smoother curves.

found = measure_completeness(
    ccd,
    table,
    remover=remover,
    fluxes=np.geomspace(4, 128, 6) * u.mJy,
    n_per_flux=15,
    n_per_round=30,
    separation=30 * u.arcsec,
)
found.to_table()['flux', 'completeness', 'bias', 'scatter', 'pull']

# %%
# On the left the completeness, which is the fraction of the sources that are recovered,
# with its binomial error; crosses are the fluxes of 50, 80 and 90 percent. On the right
# the measured over the true flux: bars are the scatter of the sources, which is the
# true error, and the grey band is what ``flux_err`` claims.

fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout='constrained')
found.plot(axes[0])
found.plot_fluxes(axes[1])

# %%
# Where band and bars differ, the errors of the real sources can be scaled to the true
# ones.

photometry = remover(ccd, table).photometry
corrected = correct_errors(photometry, found)
ratio = np.median(corrected['flux_err'] / photometry['flux_err'])
print(f'errors are scaled by {ratio:.2f} (median)')

plt.show()
