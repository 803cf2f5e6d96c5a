# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-annulus:

Fluxes with error bars, beside an annulus
=========================================

Aperture photometry takes the background of a source from an annulus around it. Here
both are measured on one map of known sources: how far the fluxes are off, and whether
the error bars say so.
"""

# %%
# Filaments with noise, and seventy sources between 30 mJy and 3 Jy.

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from photutils.aperture import ApertureStats, CircularAnnulus
from scipy.stats import norm

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.removal import plot_maps
from photutils_pconv.simulation import simulate_field, simulate_sources

rng = np.random.default_rng(3)
field = simulate_field('scanmap/green', rng=rng, shape=(384, 384), kinds='filaments')
ccd, sources = simulate_sources(
    field.image, 'scanmap/green', (30, 3000), rng=rng, n_sources=70
)
remover = NeuralSourceRemover()
result = remover(ccd, sources)
photometry = result.photometry
plot_maps({'map': ccd, 'cleaned': result.cleaned}, photometry=photometry)

# %%
# The table has the flux of the annulus, too. Its error is what photutils gives: the
# scatter in the annulus, times the root of the number of pixels in the aperture.
# ``flux_err`` is measured at places of the map without a source. It holds the noise,
# and how well the emission behind a source is known.

setup = remover.setup
radius, *annulus_radii = (
    (one / setup.pixel_scale).to_value('')
    for one in (setup.aperture_radius, *setup.annulus_radii)
)
annuli = CircularAnnulus(
    np.transpose([photometry['x_center'], photometry['y_center']]), *annulus_radii
)
scatter = ApertureStats(ccd.data, annuli, mask=ccd.mask).std
annulus_err = scatter * np.sqrt(np.pi) * radius * photometry['aperture_correction']

true_flux = sources['flux'].to_value(u.Jy)
fluxes = {
    'annulus': (photometry['flux_annulus'].to_value(u.Jy), np.asarray(annulus_err)),
    'flux': (photometry['flux'].to_value(u.Jy), photometry['flux_err'].to_value(u.Jy)),
}

# %%
# Measured over true flux. On the left points scatter by tens of percent up to 0.5 Jy,
# and most bars miss the line. On the right points and bars are several times closer to
# it.

fig, axes = plt.subplots(
    1, 2, figsize=(10, 4), sharex=True, sharey=True, layout='constrained'
)
for ax, (name, (flux, error)), color in zip(
    axes, fluxes.items(), ('C1', 'C0'), strict=True
):
    ax.errorbar(
        true_flux, flux / true_flux, error / true_flux, fmt='o', ms=4, color=color
    )
    ax.axhline(1, color='0.6', lw=1, zorder=0)
    ax.set(xscale='log', ylim=(0, 2), xlabel='true flux (Jy)', title=name)
axes[0].set_ylabel('measured / true flux')

# %%
# The pull is the error of a flux in units of its error bar. If the bars are right,
# pulls have a normal distribution of width 1, the black line. Steps that rise more
# slowly have bars that are too small, and steps that are shifted have a bias.

fig, ax = plt.subplots(figsize=(7, 4), layout='constrained')
for (name, (flux, error)), color, style in zip(
    fluxes.items(), ('C1', 'C0'), ('--', '-'), strict=True
):
    pull = (flux - true_flux) / error
    inside = np.mean(np.abs(pull) < 1)
    print(f'{name}: {100 * inside:.0f} percent are within one error bar, of 68')
    ax.ecdf(pull, color=color, ls=style, label=name)
x = np.linspace(-5, 5, 201)
ax.plot(x, norm.cdf(x), 'k-', lw=1, label='normal')
ax.set(xlim=(-5, 5), xlabel='(measured - true) / error', ylabel='fraction of sources')
ax.legend()

# %%
# Sources with a ``detection_snr`` below 3 have an upper limit instead.

columns = ['id', 'snr', 'flux', 'flux_err', 'flux_annulus', 'flux_upper_limit']
faintest = np.argsort(photometry['detection_snr'])
photometry[columns][faintest[:6]]

# %%

plt.show()
