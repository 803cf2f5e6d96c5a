# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-many-maps:

Many maps with dask
===================

A list of maps, cleaned side by side. A run that was interrupted goes on where it
stopped, and a map that fails is reported while the others go on. It needs dask: ``pip
install 'photutils-pconv[plot,scale]'``.
"""

# %%
# For the example, four quarters of the demo map are written as FITS files, and one of
# them is spoilt. A source belongs to the quarter that it lies on.

import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
from astropy.nddata import CCDData
from astropy.table import Table
from distributed import Client

from photutils_pconv.datasets import load_demo
from photutils_pconv.removal import plot_maps
from photutils_pconv.scale import remove_many

folder = Path(tempfile.mkdtemp())
ccd, sources = load_demo()
rows = []
for name, low_x, low_y in (
    ('north-west', 160, 160),
    ('north-east', 0, 160),
    ('south-west', 160, 0),
    ('south-east', 0, 0),
):
    quarter = ccd[low_y : low_y + 160, low_x : low_x + 160]
    quarter.write(folder / f'{name}.fits')
    x, y = sources['x'] - low_x, sources['y'] - low_y
    inside = (x > 0) & (x < 159) & (y > 0) & (y < 159)
    sources['ra', 'dec'][inside].write(folder / f'{name}.csv')
    rows.append((f'{name}.fits', f'{name}.csv'))
(folder / 'north-east.fits').write_bytes(b'a download that stopped')

# %%
# The list of maps is a table with a row per map. Further columns may hold any argument
# of the remover, such as ``mode`` and ``band`` or ``fill``; what is not given follows
# from the header.

maps = Table(rows=rows, names=('map', 'catalogue'))
maps.write(folder / 'maps.csv')
maps

# %%
# ``Client(address)`` would be a cluster. Without a client, ``remove_many`` starts a
# process for each core; in a script that belongs below ``if __name__ == '__main__':``.
# This page takes threads, which need no such care.

with Client(
    processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None
) as client:
    summary = remove_many(folder / 'maps.csv', folder / 'output', client=client)
    summary['name', 'status', 'n_sources', 'n_flagged'].pprint()
    print(textwrap.fill(summary['message'][1], 80))

    # Once more: what is done is not done again.
    again = remove_many(folder / 'maps.csv', folder / 'output', client=client)
    print(again['name', 'status'])

# %%
# The shell has the same::
#
#     photutils-pconv remove --many maps.csv -o output
#
# Each map has a folder with its cleaned map and its photometry.

for path in sorted((folder / 'output').rglob('*')):
    print(path.relative_to(folder))

# %%
# One of the three that went well, before and after.

name = 'south-east'
plot_maps(
    {
        name: CCDData.read(folder / f'{name}.fits'),
        'cleaned': CCDData.read(folder / 'output' / name / 'cleaned.fits'),
    }
)

plt.show()
