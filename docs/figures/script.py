# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSF photometry with the background of an annulus, and with that of a network.
"""

import matplotlib.pyplot as plt
from astropy.table import QTable
from photutils.background import LocalBackground
from photutils.psf import PSFPhotometry

from photutils_pconv import PConvLocalBackground
from photutils_pconv.datasets import load_demo
from photutils_pconv.psf import get_psf

ccd, sources = load_demo()
sources = sources[:20]
x, y = ccd.wcs.world_to_pixel_values(sources['ra'], sources['dec'])
flux = sources['flux'].to_value('Jy')
psf_model = get_psf('scanmap/green').to_image_psf(pixel_scale=1.6)
fig, ax = plt.subplots(figsize=(7, 3.6), layout='constrained')
for local_bkg, label, marker, color in (
    (LocalBackground(15.6, 21.9), 'LocalBackground', 'o', '#999999'),
    (
        PConvLocalBackground(mode='scanmap', band='green'),
        'PConvLocalBackground',
        'v',
        '#D55E00',
    ),
):
    photometry = PSFPhotometry(
        psf_model, (9, 9), aperture_radius=4, local_bkg_estimator=local_bkg
    )
    table = photometry(ccd.data, init_params=QTable({'x': x, 'y': y}))
    error = 100 * (table['flux_fit'] / flux - 1)
    ax.plot(flux, error, marker, color=color, label=label, alpha=0.8)
ax.axhline(0, color='0.6', lw=1, zorder=0)
ax.set(xscale='log', ylim=(-30, 30), xlabel='Flux (Jy)', ylabel='Error of the flux (%)')
ax.legend(frameon=False)
