# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Three bands in one table
========================

One field at 70, 100 and 160 micron: the same sources and the same filaments, seen
by three beams. One call removes the sources from all of them, and gives one table.
"""

# %%
# The emission is one field, which each beam smooths as it does; the sources are
# grey bodies of different temperatures, so that their colours differ.

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.modeling.physical_models import BlackBody
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from photutils_pconv import get_setup
from photutils_pconv.bands import remove_bands
from photutils_pconv.psf import get_psf
from photutils_pconv.simulation import inject_sources, simulate_emission

BANDS = ('blue', 'green', 'red')
rng = np.random.default_rng(17)
setups = {band: get_setup('scanmap', band) for band in BANDS}
sharp = simulate_emission((288, 288), beam_fwhm=3.0, rng=rng).astype(float)

temperature = rng.uniform(14, 40, 30) * u.K
x, y = rng.uniform(24, 263, (2, 30))
red_flux = np.geomspace(0.05, 2, 30) * u.Jy


def flux_at(wavelength):
    """Give the flux of a grey body with an emissivity of index 2."""
    ratio = [BlackBody(t)(wavelength) / BlackBody(t)(160 * u.um) for t in temperature]
    return red_flux * np.array(ratio) * (160 * u.um / wavelength) ** 2


maps, fluxes = {}, {}
for band, level in zip(BANDS, (0.6e-3, 1.0e-3, 5.0e-3), strict=True):
    setup = setups[band]
    scale = setup.pixel_scale.value
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = 83.8, -5.4
    wcs.wcs.cdelt = -scale / 3600, scale / 3600
    n = round(288 * 1.6 / scale)
    wcs.wcs.crpix = (n + 1) / 2, (n + 1) / 2
    if band == 'blue':
        sky = wcs.pixel_to_world(x, y)
    beam = (setup.psf_fwhm / setups['blue'].psf_fwhm).value ** 2 - 1
    emission = gaussian_filter(sharp, 3.0 / 2.355 * np.sqrt(max(beam, 0)))
    emission = emission.reshape(n, 288 // n, n, 288 // n).mean(axis=(1, 3))
    data = level * emission + rng.normal(0, 0.1 * level, (n, n))
    fluxes[band] = flux_at(setup.wavelength).to_value(u.Jy)
    data = inject_sources(
        data,
        *wcs.world_to_pixel(sky),
        fluxes[band],
        psf=get_psf(setup),
        pixel_scale=scale,
    )
    maps[band] = CCDData(data, unit='Jy/pix', wcs=wcs)

# %%
# The positions that the sharpest band tells are those of all.

result = remove_bands(
    maps, QTable({'sky_center': sky}), mode='scanmap', position_band='blue'
)
table = result.photometry
names = [f'{name}_{band}' for band in BANDS for name in ('flux', 'flux_err', 'flags')]
for name in names:
    if not name.startswith('flags'):
        table[name].info.format = '.3f'
table[['id', *names]]

# %%
# The maps, before and after.

fig, axes = plt.subplots(2, 3, figsize=(11, 7.4), layout='constrained')
for column, band in zip(axes.T, BANDS, strict=True):
    low, high = np.percentile(maps[band].data, [1, 99])
    for ax, image in zip(column, (maps[band], result.cleaned[band]), strict=True):
        ax.imshow(image.data, origin='lower', vmin=low, vmax=high, cmap='inferno')
        ax.set(xticks=[], yticks=[])
    column[0].set_title(f'{setups[band].wavelength:.0f}')
for ax, text in zip(axes[:, 0], ('map', 'cleaned'), strict=True):
    ax.set_ylabel(text)

# %%
# The colours of the sources, measured and true.

fig, ax = plt.subplots(figsize=(5.5, 5), layout='constrained')
for a, b in (('blue', 'green'), ('green', 'red')):
    measured = (table[f'flux_{a}'] / table[f'flux_{b}']).value
    error = measured * np.hypot(
        table[f'flux_err_{a}'] / table[f'flux_{a}'],
        table[f'flux_err_{b}'] / table[f'flux_{b}'],
    )
    good = (table[f'detection_snr_{a}'] > 3) & (table[f'detection_snr_{b}'] > 3)
    ax.errorbar(
        (fluxes[a] / fluxes[b])[good],
        measured[good],
        error[good].value,
        fmt='o',
        ms=4,
        label=f'{a} / {b}',
    )
limits = np.array([0.05, 3])
ax.plot(limits, limits, color='0.5', lw=1)
ax.set(xscale='log', yscale='log', xlabel='true colour', ylabel='measured colour')
ax.legend()

# %%
# For the colours of the emission the cleaned maps are brought to the resolution of
# the coarsest.

matched = result.match_resolution()
fig, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout='constrained')
for ax, (band, image) in zip(axes, matched.items(), strict=True):
    low, high = np.nanpercentile(image.data, [1, 99])
    shown = ax.imshow(image.data, origin='lower', vmin=low, vmax=high, cmap='inferno')
    ax.set(xticks=[], yticks=[], title=f'{band}, as sharp as red')
    # As tall as the panel.
    fig.colorbar(shown, ax=ax, label='MJy/sr', fraction=0.046, pad=0.04)

plt.show()
