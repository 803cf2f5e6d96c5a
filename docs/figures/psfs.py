# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The bundled PSFs of the scan map mode, and their encircled energies.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from photutils_pconv import get_setup
from photutils_pconv.psf import get_psf

# Okabe and Ito's colours, which colour-blind readers tell apart.
COLORS = {'blue': '#0072B2', 'green': '#009E73', 'red': '#D55E00'}
half = 40  # arcsec
scale = 0.8

fig, axes = plt.subplots(1, 4, figsize=(10, 2.9), layout='constrained')
for ax, (band, color) in zip(axes, COLORS.items(), strict=False):
    psf = get_psf(f'scanmap/{band}')
    side = 2 * round(half / scale) + 1
    image = psf.render((side, side), side // 2, side // 2, pixel_scale=scale)
    shown = ax.imshow(
        image / image.max(),
        norm=LogNorm(1e-4, 1),
        extent=(-half, half, -half, half),
        cmap='inferno',
        origin='lower',
    )
    ax.set(title=f'scanmap/{band}', xlabel='arcsec')
    radii = np.linspace(1, 30, 59)
    axes[3].plot(radii, [psf.encircled_energy(r) for r in radii], color=color)
    table, fractions = get_setup('scanmap', band).encircled_energy['real']
    axes[3].plot(table, fractions, '.', color=color, label=band)
fig.colorbar(shown, ax=axes[2], label='relative to the peak')
axes[3].set(xlabel='Radius (arcsec)', ylabel='Encircled energy', ylim=(0, 1))
axes[3].legend(frameon=False)
