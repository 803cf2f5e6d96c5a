# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-crowded-field:

A crowded field
===============

Clusters of sources whose images overlap: their fluxes are fitted together, and a hole
may hold several of them.
"""

# %%
# Eight groups of six sources on filaments: five around one, at distances from 5 to 16
# arcsec. The beam has a FWHM of 7 arcsec, and wings that reach ten times as far.

import matplotlib.pyplot as plt
import numpy as np
from astropy.nddata import CCDData
from astropy.table import QTable

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.photometry import decode_flags
from photutils_pconv.psf import get_psf
from photutils_pconv.removal import plot_maps
from photutils_pconv.simulation import inject_sources, simulate_field

rng = np.random.default_rng(11)
field = simulate_field('scanmap/green', rng=rng, shape=(256, 256), kinds='filaments')
radius, angle = np.linspace(3, 10, 8), 2 * np.pi * np.arange(5) / 5
x, y = (
    center[:, None] + radius[:, None] * np.append(turn(angle), 0)
    for center, turn in (
        (np.array([50, 128, 206, 50, 206, 50, 128, 206]), np.cos),
        (np.array([50, 50, 50, 128, 128, 206, 206, 206]), np.sin),
    )
)
x, y = x.ravel(), y.ravel()
true_flux = np.exp(rng.uniform(np.log(0.03), np.log(3), x.size))
data = inject_sources(
    field.image.data,
    x,
    y,
    true_flux,
    psf=get_psf('scanmap/green'),
    pixel_scale=1.6,
    angle=0.4,
)
ccd = CCDData(
    data,
    unit='Jy/pix',
    wcs=field.image.wcs,
    mask=field.image.mask,
    meta=field.image.meta,
)
sources = QTable({'x': x, 'y': y})

result = NeuralSourceRemover()(ccd, sources)
print(result.summary())

# %%
# The map, what it was before the sources were put in, the cleaned map, and its
# difference from the original: what is left of the sources, fainter than the filaments.
# Circles are the holes.

original = field.image.data
cleaned = result.cleaned
plot_maps(
    {
        'map': ccd,
        'original': original,
        'cleaned': cleaned,
        'cleaned - original': cleaned.data - original,
    },
    differences='cleaned - original',
    reference='original',
    photometry=result.photometry,
)

# %%
# One of the groups. The profiles are those about the source in its middle, so that the
# others make the bump in that of the map.

result.plot_source(24)

# %%
# Fluxes over the true ones, against the distance of the nearest neighbour. Closer than
# the FWHM, what one of a pair has too much the other has too little, and the error bars
# say so. The annulus holds other sources, and so does its aperture.

photometry = result.photometry
distance = np.hypot(x[:, None] - x, y[:, None] - y)
np.fill_diagonal(distance, np.inf)
nearest = 1.6 * distance.min(axis=0)
fig, ax = plt.subplots(figsize=(7, 4), layout='constrained')
ax.plot(
    nearest,
    photometry['flux_annulus'].to_value('Jy') / true_flux,
    'x',
    color='C1',
    label='flux_annulus',
)
ax.errorbar(
    nearest,
    photometry['flux'].to_value('Jy') / true_flux,
    photometry['flux_err'].to_value('Jy') / true_flux,
    fmt='o',
    ms=4,
    color='C0',
    label='flux',
)
ax.axhline(1, color='0.6', lw=1, zorder=0)
ax.axvline(7.0, color='0.6', ls='--', lw=1, zorder=0)
ax.text(7.2, 0.05, 'FWHM of the beam')
ax.set(ylim=(0, 3))
ax.set(xlabel='distance of the neighbour (arcsec)', ylabel='measured / true flux')
ax.legend()

# %%
# The flags say which sources have a neighbour in their hole, and whatever else is worth
# knowing.

for row in photometry[:6]:
    print(f'{row["id"]:3}', f'{row["flux"]:.3f}', ', '.join(decode_flags(row['flags'])))

plt.show()
