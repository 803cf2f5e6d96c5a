# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-line-swapped:

A photutils script with one line swapped
========================================

A photutils script that subtracts a background and measures fluxes, run twice: with
`~photutils.background.Background2D`, and with
`~photutils_pconv.background.PConvBackground` in its place.
"""

# %%
# The map, the positions of its sources, and the pixels that were not observed. The map
# is simulated: the fluxes and the emission are known.

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.nddata import CCDData
from astropy.stats import SigmaClip
from photutils.aperture import ApertureStats, CircularAperture
from photutils.background import Background2D, MedianBackground

from photutils_pconv import PConvBackground
from photutils_pconv.datasets import (
    demo_aperture_corrections,
    load_demo,
    load_demo_emission,
)
from photutils_pconv.removal import plot_maps

ccd, sources = load_demo()
data, mask = ccd.data, ccd.mask

# %%
# This is the line that changes.

backgrounds = {
    'Background2D': Background2D(
        data,
        25,
        filter_size=3,
        coverage_mask=mask,
        sigma_clip=SigmaClip(3.0),
        bkg_estimator=MedianBackground(),
    ),
    'PConvBackground': PConvBackground(
        data, sources['x', 'y'], mode='scanmap', band='green', coverage_mask=mask
    ),
}
print(backgrounds['PConvBackground'])

# %%
# The rest of the script is the same for both: subtract the background, and add up what
# is left in an aperture of 4 pixels, corrected for what lies outside.

radius = 4.0
aperture = CircularAperture(np.transpose([sources['x'], sources['y']]), radius)
fraction = np.interp(1.6 * radius, *demo_aperture_corrections())
true_flux = sources['flux'].to_value(u.Jy)

ratios = {}
for name, bkg in backgrounds.items():
    stats = ApertureStats(data - bkg.background, aperture, mask=mask)
    ratios[name] = stats.sum / fraction / true_flux
    error = np.median(np.abs(ratios[name] - 1))
    print(f'{name}: median error of the fluxes {100 * error:.1f} percent')

# %%
# What the script subtracts, and what is left. A mesh of boxes is too coarse for the
# filaments: they stay on the map, and the fluxes have them. ``PConvBackground`` is the
# map itself wherever no source reaches, so that nothing but the sources is left.

maps, left = {}, []
for name, bkg in backgrounds.items():
    background = np.where(mask, np.nan, bkg.background)
    left.append(f'map - {name}')
    maps[name] = CCDData(background, unit=ccd.unit, wcs=ccd.wcs)
    maps[left[-1]] = np.where(mask, np.nan, data - bkg.background)
plot_maps(maps, differences=left)

# %%
# How far each background is from the true emission, in the holes.

emission = load_demo_emission().data
holes = backgrounds['PConvBackground'].holes & ~mask
for name, bkg in backgrounds.items():
    error = np.sqrt(np.mean((bkg.background - emission)[holes] ** 2))
    print(f'{name}: rms error in the holes {1e3 * error:.2f} mJy/pixel')

# %%
# The fluxes against the true ones. With the mesh, that of a faint source depends on
# what else is in its box: the brightest pixels of the filaments and of its neighbours.

fig, ax = plt.subplots(figsize=(7, 4), layout='constrained')
for (name, ratio), marker, color in zip(
    ratios.items(), 'xo', ('C1', 'C0'), strict=True
):
    ax.plot(true_flux, ratio, marker, color=color, label=name)
ax.axhline(1, color='0.6', lw=1, zorder=0)
ax.set(xscale='log', ylim=(-1, 3))
ax.set(xlabel='true flux (Jy)', ylabel='measured / true flux')
ax.legend()

plt.show()
