# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What each fill puts into the holes of a bright and of a faint source.
"""

import matplotlib.pyplot as plt
import numpy as np

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

ccd, sources = load_demo()
result = NeuralSourceRemover()(ccd, sources)
photometry = result.photometry
images = {
    'Map': ccd.data,
    "fill='observed'": result.cleaned.data,
    "fill='mean'": NeuralSourceRemover(fill='mean')(ccd, sources).cleaned.data,
    "fill='draw'": next(iter(result.draw(1, seed=1))).data,
}
half = 22
order = np.argsort(photometry['snr'])
rows = {'bright': order[-1], 'faint': order[len(order) // 4]}

fig, axes = plt.subplots(2, 4, figsize=(10, 5.3), layout='constrained')
for ax_row, (kind, row) in zip(axes, rows.items(), strict=True):
    x, y = photometry['x_center'][row], photometry['y_center'][row]
    window = tuple(
        slice(max(round(middle) - half, 0), round(middle) + half + 1)
        for middle in (y, x)
    )
    inside = 1e3 * result.cleaned.data[window]
    low, high = np.nanpercentile(inside, [1, 99])
    extent = (
        window[1].start - 0.5,
        window[1].start + inside.shape[1] - 0.5,
        window[0].start - 0.5,
        window[0].start + inside.shape[0] - 0.5,
    )
    for ax, (title, image) in zip(ax_row, images.items(), strict=True):
        shown = ax.imshow(
            1e3 * image[window],
            vmin=low,
            vmax=high,
            cmap='inferno',
            extent=extent,
            origin='lower',
        )
        ax.add_patch(
            plt.Circle(
                (x, y), photometry['hole_radius'][row], color='white', fill=False
            )
        )
        ax.set(xticks=[], yticks=[], title=title if kind == 'bright' else None)
    ax_row[0].set_ylabel(f'{kind}, SNR {photometry["snr"][row]:.0f}')
    fig.colorbar(shown, ax=ax_row, label='mJy/pixel', shrink=0.9)
