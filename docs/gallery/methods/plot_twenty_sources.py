# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-twenty-sources:

Twenty sources, before and after
================================

What the cleaned map holds where sources were, by default, beside the truth. The sources
are a random choice on two simulated fields, a plain and a complex one, not the best of
them.
"""

# %%
# Two fields of the evaluation's six for the green band: their emission is known. The
# fluxes of the sources are spread over a factor of 150.

import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.evaluation import make_evaluation_fields

fields = make_evaluation_fields('scanmap/green', n_fields=6, shape=(320, 320))
remover = NeuralSourceRemover(mode='scanmap', band='green', error_method='card')
rng = np.random.default_rng(20)


def show(field, title):
    """Show ten sources of a field: before, after, and what is behind them."""
    ccd, sources = field.simulate(field.flux_range, n_sources=16)
    cleaned, phot = remover(ccd, sources)
    images = {
        'map': ccd.data,
        'cleaned': cleaned.data,
        'true map': field.image.data,
        'true emission': field.emission,
    }
    x, y = np.asarray(phot['x_center']), np.asarray(phot['y_center'])
    inside = (np.minimum(x, y) > 24) & (np.maximum(x, y) < 296)
    chosen = rng.permutation(np.flatnonzero(inside))[:10]
    fig, axes = plt.subplots(4, len(chosen), figsize=(12, 5.2), layout='constrained')
    for column, i in zip(axes.T, chosen, strict=True):
        part = np.s_[int(y[i]) - 24 : int(y[i]) + 25, int(x[i]) - 24 : int(x[i]) + 25]
        low, high = np.nanpercentile(field.image.data[part], [1, 99])
        for ax, image in zip(column, images.values(), strict=True):
            ax.imshow(image[part], origin='lower', vmin=low, vmax=high, cmap='inferno')
            ax.set(xticks=[], yticks=[])
            hole = plt.Circle(
                (24, 24), phot['hole_radius'][i], fill=False, color='w', lw=0.7
            )
            ax.add_patch(hole)
        column[0].set_title(f'SNR {phot["snr"][i]:.0f}', fontsize=8)
    for ax, name in zip(axes[:, 0], images, strict=True):
        ax.set_ylabel(name)
    fig.suptitle(title)


# %%
# Ten sources of a field with little emission: the map, the cleaned map, the same map
# without sources, and its emission without noise. Each column has one stretch, from
# black to yellow the values of the map without sources, so that what is left of a
# source would show. Cutouts are 78 arcsec wide; circles are the holes.

show(fields[1], 'a plain field')

# %%
# Ten sources of a field with bright filaments.

show(fields[4], 'a complex field')

# %%
# Under faint sources the cleaned map is the map less the source, with the noise that
# was observed. Under bright ones it is the reconstruction, the best estimate of the
# emission, which has no noise; ``fill='draw'`` adds a random draw of what is not known.

plt.show()
