# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Draw the picture of README.rst: the demo map before and after, by the default method.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.visualization import AsinhStretch, ImageNormalize
from matplotlib.figure import Figure

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.datasets import load_demo

PATH = Path(__file__).parents[1] / 'docs' / 'images' / 'before_after.png'
# Wide enough for a page, small enough for a repository.
SIZE = (9.0, 4.4)
RESOLUTION = 80
# The limits and the softening of the stretch, as in the package's own pictures.
PERCENTILES = (0.2, 99.8)
ASINH = 0.3


def draw(result, path):
    """
    Draw the map and the cleaned map, in one stretch.

    Parameters
    ----------
    result : `~photutils_pconv.SourceRemovalResult`
        The removal.

    path : path-like
        The file.
    """
    map_input = result.map_input
    cleaned = np.where(map_input.missing, np.nan, result.cleaned.data)
    low, high = np.nanpercentile(cleaned, PERCENTILES)
    norm = ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(ASINH))
    figure = Figure(figsize=SIZE)
    axes = figure.subplots(1, 2, subplot_kw={'projection': map_input.wcs})
    images = {'map': map_input.data, 'without its sources': cleaned}
    for ax, (title, image) in zip(axes, images.items(), strict=True):
        ax.imshow(image, origin='lower', norm=norm, cmap='inferno')
        ax.set_title(title)
        ax.coords[0].set_axislabel('right ascension')
        ax.coords[1].set_axislabel('declination')
    axes[1].coords[1].set_ticklabel_visible(False)
    axes[1].coords[1].set_axislabel(' ')
    figure.savefig(path, dpi=RESOLUTION, bbox_inches='tight')


def main():
    """
    Run the script.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('-o', '--output', type=Path, default=PATH)
    path = parser.parse_args().output
    path.parent.mkdir(parents=True, exist_ok=True)
    ccd, sources = load_demo()
    draw(NeuralSourceRemover()(ccd, sources), path)


if __name__ == '__main__':
    main()
