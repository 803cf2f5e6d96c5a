# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-psf-photometry:

PSF photometry with another local background
============================================

`~photutils.psf.PSFPhotometry` takes the background of each source from around it: the
median of an annulus, with `~photutils.background.LocalBackground`. On structured
emission that is not what lies behind the source.
`~photutils_pconv.background.PConvLocalBackground` stands in its place and reconstructs
it.
"""

# %%
# A simulated field of filaments, and sources of known flux in it.

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from photutils.background import LocalBackground
from photutils.psf import ImagePSF, PSFPhotometry, SourceGrouper

from photutils_pconv import PConvLocalBackground, get_setup
from photutils_pconv.psf import get_psf
from photutils_pconv.removal import plot_maps
from photutils_pconv.simulation import simulate_field, simulate_sources

setup = get_setup('scanmap', 'green')
psf = get_psf(setup)
rng = np.random.default_rng(20250411)
field = simulate_field(setup, rng=rng, shape=(256, 256), kinds='filaments')
ccd, sources = simulate_sources(
    field.image, psf, (30, 1000), rng=rng, n_sources=40, rotation=0
)
sky = SkyCoord(sources['ra'], sources['dec'], unit='deg')
x, y = ccd.wcs.world_to_pixel(sky)
true_flux = sources['flux'].to_value(u.Jy)

# %%
# The PSF as a model for photutils. Its middle is enough for a fit in windows of 9
# pixels.

whole = psf.to_image_psf(pixel_scale=1.6)
middle = whole.data.shape[0] // 2
core = np.s_[middle - 48 : middle + 49]
model = ImagePSF(whole.data[core, core], oversampling=whole.oversampling)

# %%
# The setup's annulus, and ours. Everything else is the same.

estimators = {
    'LocalBackground': LocalBackground(15.6, 21.9),
    'PConvLocalBackground': PConvLocalBackground(mode='scanmap', band='green'),
}
positions = QTable({'x': x, 'y': y})
results, residuals = {}, {}
for name, estimator in estimators.items():
    fit = model.copy()
    fit.x_0.fixed = fit.y_0.fixed = True
    photometry = PSFPhotometry(
        fit,
        (9, 9),
        grouper=SourceGrouper(10),
        aperture_radius=4,
        local_bkg_estimator=estimator,
    )
    results[name] = photometry(ccd.data, mask=ccd.mask, init_params=positions)
    residual = photometry.make_residual_image(ccd.data, psf_shape=(23, 23))
    residuals[f'left with {name}'] = np.where(ccd.mask, np.nan, residual)
    ratio = np.asarray(results[name]['flux_fit']) / true_flux
    error = np.median(np.abs(ratio - 1))
    print(f'{name}: median error of the fluxes {100 * error:.1f} percent')

# %%
# The local backgrounds against the emission that is there, and the fluxes. Where the
# annulus holds other emission than the source stands on, points are off the lines.

emission = field.emission[np.rint(y).astype(int), np.rint(x).astype(int)]
fig, axes = plt.subplots(2, 1, figsize=(6.5, 8), layout='constrained')
for (name, table), marker, color in zip(
    results.items(), 'xo', ('C1', 'C0'), strict=True
):
    options = {'color': color, 'label': name}
    axes[0].plot(1e3 * emission, 1e3 * table['local_bkg'], marker, **options)
    axes[1].plot(true_flux, table['flux_fit'] / true_flux, marker, **options)
axes[0].axline((0, 0), slope=1, color='0.6', lw=1, zorder=0)
axes[0].set(xlabel='true emission (mJy/pixel)', ylabel='local background (mJy/pixel)')
axes[1].axhline(1, color='0.6', lw=1, zorder=0)
axes[1].set(xscale='log', ylim=(-0.5, 2.5))
axes[1].set(xlabel='true flux (Jy)', ylabel='measured / true flux')
axes[0].legend()

# %%
# The map, the true emission, and what photutils leaves of the map. A source whose local
# background was too high leaves a bright spot, one whose background was too low a dark
# one; photutils subtracts no wings beyond its window.

plot_maps({'map': ccd, 'true emission': field.emission, **residuals})

plt.show()
