# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-structure:

Power spectra and PDFs, with error bars from draws
==================================================

Compact sources spoil the power spectrum and the PDF of the emission that they stand on.
Here they are measured on a map before and after the removal, and compared with those of
the map as it was before the sources were put in.
"""

# %%
# A field of filaments with noise, and forty sources in it.

import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.evaluation import (
    plot_difference,
    plot_pdfs,
    plot_power_spectra,
    power_spectrum,
)
from photutils_pconv.removal import plot_maps
from photutils_pconv.simulation import simulate_field, simulate_sources

rng = np.random.default_rng(5)
field = simulate_field('scanmap/green', rng=rng, shape=(288, 288), kinds='filaments')
original = field.image
ccd, sources = simulate_sources(
    original, 'scanmap/green', (30, 4000), rng=rng, n_sources=40
)
result = NeuralSourceRemover()(ccd, sources)

# %%
# In faint sources' holes the cleaned map holds what was observed, less the source.
# Under the brightest, the PSF leaves more than the emission is, and the reconstruction
# stands there: it is the best estimate, but smoother than the truth. ``result.draw``
# adds what is missing at random, with the power that was found in holes without a
# source. The spread of several such maps is the error of the reconstruction.

draws = list(result.draw(12, seed=1))
brightest = result.photometry['id'][np.argmax(result.photometry['flux'])]
plot_maps(
    {
        'map': ccd,
        'original': original,
        'cleaned': result.cleaned,
        'cleaned, one draw': draws[0],
    },
    reference='original',
    photometry=result.photometry,
    zoom=int(brightest),
)

# %%
# The power spectra. With its sources the map has up to a hundred times the power at
# small scales. The spectrum of the cleaned map lies on that of the original.

spectra = {
    'original': power_spectrum(original),
    'with sources': power_spectrum(ccd),
    'cleaned': power_spectrum(result.cleaned),
}
fig, ax = plt.subplots(figsize=(7, 4.5), layout='constrained')
plot_power_spectra(spectra, ax=ax)

# %%
# The relative difference from the original shows what the logarithm hides; the grey
# band is 5 percent. The mean of the draws is the estimate, and their scatter its error
# bar.

powers = [power_spectrum(one)['power'] for one in draws]
spectra['draws'] = spectra['cleaned'].copy()
spectra['draws']['power'] = np.mean(powers, axis=0) * powers[0].unit
fig, ax = plt.subplots(figsize=(7, 4.5), layout='constrained')
plot_difference(
    {name: spectra[name] for name in ('cleaned', 'draws')},
    spectra['original'],
    errors={'draws': np.std(powers, axis=0) * powers[0].unit},
    relative=True,
    tolerance=0.05,
    ax=ax,
)

# %%
# The PDFs of the pixels in the holes, which are all that changed. Those of the original
# and of the cleaned map agree; the sources made a long tail, which reaches far beyond
# the panel.

fig, ax = plt.subplots(figsize=(7, 4.5), layout='constrained')
maps = {'original': original, 'with sources': ccd, 'cleaned': result.cleaned}
plot_pdfs(maps, region=result.holes, bins=40, ax=ax)

plt.show()
