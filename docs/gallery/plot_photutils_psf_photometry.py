# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSF photometry on structured emission
=====================================

`~photutils.psf.PSFPhotometry` takes a local background from around each source:
the median of an annulus, with `~photutils.background.LocalBackground`. Where the
emission is structured, that is not what lies behind the source.
`~photutils_pconv.background.PConvLocalBackground` stands in its place and
reconstructs it.
"""

# %%
# A simulated field of filaments, and sources of known flux in it.

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.visualization import AsinhStretch, ImageNormalize
from photutils.background import LocalBackground
from photutils.psf import ImagePSF, PSFPhotometry, SourceGrouper

from photutils_pconv import PConvLocalBackground, get_setup
from photutils_pconv.psf import get_psf
from photutils_pconv.simulation import simulate_field, simulate_sources

setup = get_setup('scanmap', 'green')
psf = get_psf(setup)
rng = np.random.default_rng(20250411)
field = simulate_field(setup, rng=rng, shape=(256, 256), kinds='filaments')
ccd, truth = simulate_sources(
    field.image, psf, (30, 1000), rng=rng, n_sources=40, rotation=0
)
sky = SkyCoord(truth['ra'], truth['dec'], unit='deg')
x, y = ccd.wcs.world_to_pixel(sky)
true_flux = truth['flux'].to_value(u.Jy)

# %%
# The PSF as a model for photutils. Its middle is enough for a fit in windows of
# 9 pixels.

whole = psf.to_image_psf(pixel_scale=1.6)
middle = whole.data.shape[0] // 2
core = np.s_[middle - 48 : middle + 49]
model = ImagePSF(whole.data[core, core], oversampling=whole.oversampling)

# %%
# Two local backgrounds: the setup's annulus, and ours. Everything else is the
# same.

estimators = {
    'LocalBackground': LocalBackground(15.6, 21.9),
    'PConvLocalBackground': PConvLocalBackground(mode='scanmap', band='green'),
}
positions = QTable({'x': x, 'y': y})
results = {}
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
    table = photometry(ccd.data, mask=ccd.mask, init_params=positions)
    residual = photometry.make_residual_image(ccd.data, psf_shape=(23, 23))
    results[name] = table, residual
    error = np.median(np.abs(np.asarray(table['flux_fit']) / true_flux - 1))
    print(f'{name}: median error of the fluxes {100 * error:.1f} percent')

# %%
# The local backgrounds against the emission that is there.

emission = field.emission[np.rint(y).astype(int), np.rint(x).astype(int)]
fig, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout='constrained')
for (name, (table, _)), marker in zip(results.items(), 'xo', strict=True):
    axes[0].plot(1e3 * emission, 1e3 * table['local_bkg'], marker, label=name)
    axes[1].plot(true_flux, table['flux_fit'] / true_flux, marker, label=name)
axes[0].axline((0, 0), slope=1, color='0.6', linewidth=1, zorder=0)
axes[0].set(xlabel='true emission (mJy/pixel)', ylabel='local background (mJy/pixel)')
axes[1].axhline(1, color='0.6', linewidth=1, zorder=0)
axes[1].set(
    xscale='log',
    ylim=(-0.5, 2.5),
    xlabel='true flux (Jy)',
    ylabel='measured / true flux',
)
axes[0].legend()

# %%
# The map, and what photutils leaves of it. A source whose local background was
# too high leaves a peak, one whose background was too low a hole.

norm = ImageNormalize(
    vmin=np.nanpercentile(ccd.data, 1),
    vmax=np.nanpercentile(ccd.data, 99),
    stretch=AsinhStretch(0.2),
)
panels = {'Map': ccd.data, **{name: one[1] for name, one in results.items()}}
fig, axes = plt.subplots(
    1, 3, figsize=(12, 4.2), sharex=True, sharey=True, layout='constrained'
)
for ax, (title, image) in zip(axes, panels.items(), strict=True):
    ax.imshow(image, origin='lower', norm=norm, cmap='inferno')
    ax.set_title(title if title == 'Map' else f'Residual with {title}')
plt.show()
