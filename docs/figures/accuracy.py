# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The accuracy by signal-to-noise ratio, from the output of the benchmark.
"""

from pathlib import Path

import matplotlib.pyplot as plt

RESULTS = Path('../../benchmarks/results/psf_accuracy.md')
PART = 'Real backgrounds, all together'
# The geometric middle of each bin.
SNR = [
    (low * high) ** 0.5
    for low, high in ((4, 12), (12, 40), (40, 130), (130, 400), (400, 1500))
]
# Okabe and Ito's colours, which colour-blind readers tell apart.
METHODS = {
    'annulus': ('annulus', '#999999', 'o'),
    'PSFPhotometry': ('PSFPhotometry', '#56B4E9', 's'),
    'PSF + quadratic': ('PSF + quadratic', '#009E73', '^'),
    'ours, inpaint': ("'inpaint'", '#E69F00', 'D'),
    'ours, PSF': ("'psf' (default)", '#D55E00', 'v'),
}
FILLS = {
    'ours, inpaint': ("'inpaint'", '#E69F00', 'D'),
    'ours, PSF, mean': ("'psf', fill 'mean'", '#0072B2', 's'),
    'ours, PSF': ("'psf', fill 'observed' (default)", '#D55E00', 'v'),
}


def read_table(title):
    """Read a table of the part: the values of each method."""
    text = RESULTS.read_text(encoding='utf-8').split(f'## {PART}\n')[1]
    lines = text.split(f'### {title}')[1].split('###')[0].splitlines()
    rows = [line.strip('| ').split(' | ') for line in lines if line.startswith('|')]
    return {row[0]: row[1:] for row in rows[2:]}


fig, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout='constrained')
for ax, title, label, methods in (
    (
        axes[0],
        'Interquartile range of the flux ratio',
        'Interquartile range of the flux ratio (%)',
        METHODS,
    ),
    (
        axes[1],
        'Hole RMS against the map without sources as observed',
        'Error in the holes (local scatter)',
        FILLS,
    ),
):
    table = read_table(title)
    for name, (text, color, marker) in methods.items():
        values = [float(value) for value in table[name]]
        ax.plot(SNR, values, color=color, marker=marker, label=text)
    ax.set(xscale='log', xlabel='SNR of the source', ylabel=label)
    ax.legend(frameon=False, fontsize='small')
axes[0].set_yscale('log')
axes[1].set_ylim(0, 1)
