# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-new-instrument:

A new instrument in ten lines
=============================

The networks were trained for Herschel/PACS, but what they see of a map is in units of
its scatter, on pixels that the beam has a few of. Any instrument will do: all that is
needed is its PSF.
"""

# %%
# For the example, the beam of SPIRE at 250 micron stands in a FITS file, as an
# instrument's calibration files have it, and a map is simulated with it: emission,
# noise, and sources of 0.1 to 10 Jy. With your own data, none of this is needed.

import tempfile
from pathlib import Path

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover, ObservingSetup, get_setup
from photutils_pconv.simulation import simulate_field, simulate_sources

folder = Path(tempfile.mkdtemp())
get_setup('spire', '250').psf.to_fits(folder / 'beam.fits')
rng = np.random.default_rng(7)
field = simulate_field('spire/250', rng=rng, shape=(256, 256))
ccd, table = simulate_sources(
    field.image, 'spire/250', (100, 10000), rng=rng, n_sources=40
)
# Maps of other instruments do not name a setup of this package.
del ccd.meta['SETUP']

# %%
# The setup follows from the PSF: its FWHM and encircled energy are measured, and the
# aperture, the annulus, and the holes go with the beam (:doc:`/how_to/setups`). It is
# all that a remover needs.

setup = ObservingSetup.from_psf(
    folder / 'beam.fits', pixel_scale=6 * u.arcsec, wavelength=250 * u.um
)
remover = NeuralSourceRemover(setup=setup)
result = remover(ccd, table)
cleaned, photometry = result

setup

# %%
# The map before and after, what was removed, and what is left that is smaller than the
# holes: noise, and no sources.

result.plot()

# %%
# Measured over true flux, beside an aperture less the median of an annulus, which is
# off by tens of percent for a fourth of the sources.

true = table['flux'].to_value(u.Jy)
fig, ax = plt.subplots(figsize=(7, 4), layout='constrained')
for column, marker, color in (('flux_annulus', 'x', 'C1'), ('flux', 'o', 'C0')):
    ratio = photometry[column].to_value(u.Jy) / true
    low, middle, high = np.percentile(ratio, [25, 50, 75])
    print(f'{column}: median {middle:.3f}, interquartile range {high - low:.3f}')
    ax.semilogx(true, ratio, marker, color=color, label=column)
ax.axhline(1, color='0.5', lw=1)
ax.set(xlabel='true flux (Jy)', ylabel='measured / true', ylim=(0, 2))
ax.legend()

# %%
# The PSF alone will do, too: the setup is made from it, for the pixels of the map.

again = NeuralSourceRemover(psf=folder / 'beam.fits')(ccd, table).photometry
difference = np.nanmax(np.abs(again['flux'] / photometry['flux'] - 1))
print(f'largest difference of a flux: {difference:.1e}')

# %%
# A setup can be kept in a file, with its PSF beside it, for the next time and for the
# command line::
#
#     photutils-pconv setups --psf beam.fits --pixel-scale 6 -o mine.json
#     photutils-pconv remove map.fits sources.csv --setup mine.json -o output

paths = setup.write(folder / 'mine.json')
print([path.name for path in paths])
assert ObservingSetup.read(paths[0]) == setup

plt.show()
