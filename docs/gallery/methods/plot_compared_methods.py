# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-compared-methods:

With a PSF and without, side by side
====================================

Where the PSF is known, sources are subtracted with it, and a network looks under them
(``method='psf'``). Without one it fills holes from what is around them
(``method='inpaint'``), which is the method of the paper. Both are compared with the
emission that the map was made of, and with the fluxes that were put in.
"""

# %%
# The setup has a PSF, so that ``'psf'`` is the default. The sources of the demo map
# have one that differs a little from it, as real sources would.

import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo, load_demo_emission
from photutils_pconv.removal import plot_maps

ccd, sources = load_demo()
emission = load_demo_emission()

with_psf = NeuralSourceRemover()(ccd, sources)
inpainted = NeuralSourceRemover(method='inpaint')(ccd, sources)

# %%
# A part of the map. On the left the cleaned maps, on the right the errors: what is left
# beside the true emission and its noise. Without the PSF the wings of bright sources
# stay, as rings around the holes, and what fills the holes has no noise. Give
# ``subtract_wings=True`` to take wings off without a PSF, too.

maps = {'map': ccd, 'true emission': emission}
for name, result in (('inpaint', inpainted), ('psf', with_psf)):
    maps[f"method '{name}'"] = result.cleaned
    error = np.where(ccd.mask, np.nan, result.cleaned.data - emission.data)
    maps[f"error of '{name}'"] = error
plot_maps(
    maps,
    differences=["error of 'inpaint'", "error of 'psf'"],
    reference='true emission',
    photometry=with_psf.photometry,
    zoom=(180, 320, 80, 220),
)

# %%
# The same in a number: the rms error in the holes against the emission without noise.
# What was observed has noise; the best estimate of the emission itself is
# ``fill='mean'``.

smooth = NeuralSourceRemover(fill='mean')(ccd, sources)
holes = inpainted.holes & ~ccd.mask
for name, result in (
    ('inpaint', inpainted),
    ('psf', with_psf),
    ("psf, fill='mean'", smooth),
):
    error = (result.cleaned.data - emission.data)[holes]
    print(f'{name:16} {1e3 * np.sqrt(np.mean(error**2)):.3f} mJy/pixel')

# %%
# The fluxes. ``flux`` is the best flux that a method has: without a PSF what was cut
# out of the hole in an aperture, with it that of the PSF. All ratios share a factor of
# about 0.98, as this PSF holds less flux in the aperture than the setup's; look at the
# scatter.

flux = sources['flux'].to_value('Jy')
methods = {
    'annulus': inpainted.photometry['flux_annulus'],
    "method 'inpaint'": inpainted.photometry['flux'],
    "method 'psf'": with_psf.photometry['flux'],
}
fig, ax = plt.subplots(figsize=(7, 4), layout='constrained')
for (name, values), marker, color in zip(
    methods.items(), 'xso', ('0.5', 'C1', 'C0'), strict=True
):
    ratio = values.to_value('Jy') / flux
    spread = np.subtract(*np.nanpercentile(ratio, [75, 25]))
    print(f'{name:16} interquartile range {100 * spread:.1f} percent')
    ax.plot(with_psf.photometry['snr'], ratio, marker, color=color, ms=5, label=name)
ax.axhline(1, color='0.6', lw=1, zorder=0)
ax.set(xscale='log', ylim=(0.4, 1.6))
ax.set(xlabel='signal-to-noise ratio', ylabel='measured / true flux')
ax.legend()

plt.show()
