# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
In the place of photutils' Background2D
=======================================

A photutils script that subtracts a background and measures fluxes, run twice:
with `~photutils.background.Background2D`, and with
`~photutils_pconv.background.PConvBackground` in its place. The bundled demo map
has sources of known flux, and its extended emission is known as well.
"""

# %%
# The map and the positions of its sources. What lies outside the coverage is
# masked.

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.stats import SigmaClip
from astropy.visualization import AsinhStretch, ImageNormalize
from photutils.aperture import ApertureStats, CircularAperture
from photutils.background import Background2D, MedianBackground

from photutils_pconv import PConvBackground
from photutils_pconv.datasets import (
    demo_aperture_corrections,
    load_demo,
    load_demo_emission,
)

ccd, truth = load_demo()
data, mask = ccd.data, ccd.mask

# %%
# Both backgrounds. This is the line that changes.

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
        data, truth['x', 'y'], mode='scanmap', band='green', coverage_mask=mask
    ),
}
print(backgrounds['PConvBackground'])

# %%
# The rest of the script is the same for both: subtract, and sum what is left in
# an aperture of 4 pixels (6.4 arcsec), corrected for what lies outside.

radius = 4.0
aperture = CircularAperture(np.transpose([truth['x'], truth['y']]), radius)
fraction = np.interp(1.6 * radius, *demo_aperture_corrections())
true_flux = truth['flux'].to_value(u.Jy)

ratios = {}
for name, bkg in backgrounds.items():
    stats = ApertureStats(data - bkg.background, aperture, mask=mask)
    ratios[name] = stats.sum / fraction / true_flux
    error = np.median(np.abs(ratios[name] - 1))
    print(f'{name}: median error of the fluxes {100 * error:.1f} percent')

# %%
# What the script subtracts, and what is left. PConvBackground is the map itself
# wherever no source reaches: all structure is in it, and nothing but the sources
# and their wings is left. The holes are drawn on it.

low, high = np.percentile(data[~mask], [0.5, 99.5])
norm = ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(0.1))
width = 0.1 * (high - low)
fig, axes = plt.subplots(
    2, 3, figsize=(12, 8), sharex=True, sharey=True, layout='constrained'
)
for row, (name, bkg) in zip(axes, backgrounds.items(), strict=True):
    difference = np.where(mask, np.nan, data - bkg.background)
    images = {
        'Map': (np.where(mask, np.nan, data), {'norm': norm}),
        name: (np.where(mask, np.nan, bkg.background), {'norm': norm}),
        f'Map - {name}': (difference, {'vmin': -width, 'vmax': width}),
    }
    for ax, (title, (image, scale)) in zip(row, images.items(), strict=True):
        ax.imshow(image, origin='lower', cmap='inferno', **scale)
        ax.set_title(title)
backgrounds['PConvBackground'].plot_holes(
    ax=axes[1, 1], color='white', markersize=0, linewidth=0.7
)

# %%
# How far each background is from the true emission, in the holes.

emission = load_demo_emission().data
holes = backgrounds['PConvBackground'].holes & ~mask
for name, bkg in backgrounds.items():
    error = np.sqrt(np.mean((bkg.background - emission)[holes] ** 2))
    print(f'{name}: rms error in the holes {1e3 * error:.2f} mJy/pixel')

# %%
# The fluxes against the true ones.

fig, ax = plt.subplots(figsize=(7, 4), layout='constrained')
for (name, ratio), marker in zip(ratios.items(), 'xo', strict=True):
    ax.plot(true_flux, ratio, marker, label=name)
ax.axhline(1, color='0.6', linewidth=1, zorder=0)
ax.set(
    xscale='log',
    ylim=(-1, 3),
    xlabel='true flux (Jy)',
    ylabel='measured / true flux',
)
ax.legend()
plt.show()
