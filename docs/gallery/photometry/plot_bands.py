# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-bands:

Three bands in one table
========================

One field at 70, 100 and 160 micron: the same sources and the same filaments, seen by
three beams. One call removes the sources from all of them, and gives one table.
"""

# %%
# The emission is one field, smoothed by each beam. The sources are grey bodies of
# different temperatures, so that their colours differ.

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
from photutils_pconv.removal import plot_maps
from photutils_pconv.simulation import (
    inject_sources,
    random_positions,
    simulate_emission,
)

BANDS = ('blue', 'green', 'red')
rng = np.random.default_rng(17)
setups = {band: get_setup('scanmap', band) for band in BANDS}
sharp = simulate_emission((288, 288), beam_fwhm=3.0, rng=rng, kinds='filaments')
sharp = sharp.astype(float)

temperature = rng.uniform(14, 40, 30) * u.K
x, y = random_positions((288, 288), 30, rng=rng, separation=10, margin=24)
red_flux = np.geomspace(0.05, 2, 30) * u.Jy


def flux_at(wavelength):
    """Give the flux of a grey body with an emissivity of index 2."""
    ratio = [BlackBody(t)(wavelength) / BlackBody(t)(160 * u.um) for t in temperature]
    return red_flux * np.array(ratio) * (160 * u.um / wavelength) ** 2


maps, fluxes = {}, {}
for band, level in zip(BANDS, (0.6e-3, 1.0e-3, 5.0e-3), strict=True):
    setup = setups[band]
    scale = setup.pixel_scale.value
    n = round(288 * 1.6 / scale)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval = 83.8, -5.4
    wcs.wcs.cdelt = -scale / 3600, scale / 3600
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
# The positions are fitted in the sharpest band, and used in all.

result = remove_bands(
    maps, QTable({'sky_center': sky}), mode='scanmap', position_band='blue'
)
table = result.photometry
columns = [f'{name}_{band}' for band in BANDS for name in ('flux', 'flux_err')]
table[['id', *columns]][:8]

# %%
# Before and after, at 70 micron.

plot_maps({'map, 70 µm': maps['blue'], 'cleaned, 70 µm': result.cleaned['blue']})

# %%
# The same at 160 micron, where the beam is twice as wide, and the pixels are twice as
# large.

plot_maps({'map, 160 µm': maps['red'], 'cleaned, 160 µm': result.cleaned['red']})

# %%
# The fluxes of five sources by wavelength. Cold sources rise towards 160 micron, warm
# ones fall; an open triangle is an upper limit. Lines are the grey bodies that were put
# in.

chosen = [2, 9, 16, 23, 30]
fig, ax = plt.subplots(figsize=(7, 4.5), layout='constrained')
result.plot_sed(chosen, ax=ax, linestyle='none')
wavelengths = np.geomspace(65, 170, 30) * u.um
curves = np.array([flux_at(one).to_value(u.Jy) for one in wavelengths])
for i in chosen:
    ax.plot(wavelengths, curves[:, i - 1], color='0.6', lw=1, zorder=0)

# %%
# The colours of the emission need maps of one resolution and one grid. Here the cleaned
# maps are brought to those of the coarsest, in MJy/sr. All show the same filaments, as
# they should.

matched = result.match_resolution()
plot_maps({f'{band}, resolution of red': matched[band] for band in ('blue', 'red')})

plt.show()
