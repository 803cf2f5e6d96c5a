# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-verdicts:

Evaluate a model and read the report
====================================

How good is a model? An evaluation puts sources of known flux into fields of known
emission, removes them, and compares: fluxes, spectra, and the pixels in the holes. It
writes a report with tables and figures. This page runs a very small one; a real one
takes hours.
"""

# %%
# One field and two levels of flux, for the bundled model that looks under sources with
# their PSF. ``model='my_model.safetensors'`` would evaluate a model of your own. The
# shell has the same: ``photutils-pconv evaluate --quick -o evaluation``.

import tempfile

import matplotlib.pyplot as plt

from photutils_pconv.evaluation import run_evaluation

evaluation = run_evaluation(
    {
        'setups': ['scanmap/green'],
        'n_fields': 1,
        'size': 256,
        'levels': [60, 600],
        'n_sources': 12,
        'methods': ['none'],
        'remover': {'method': 'psf'},
    },
    tempfile.mkdtemp(),
)
print(evaluation.report.name)

# %%
# The report begins with this table: how many of the fields are within each limit.
# ``psf`` is the default, and ``psf+draw`` has a random draw of what is not known.
# ``exact`` has the true emission in its holes, and ``exact+noise`` noise of the same
# scatter beside it: where that misses a limit, no method can be blamed for missing it.
# Here there is one field, so that each is met or missed.

evaluation.tables['limits']

# %%
# A verdict says what was measured, and what the paper has.

for verdict in evaluation.verdicts[:3]:
    print(f'{verdict.topic}, {verdict.method}')
    print(f'    measured: {verdict.measured}')
    print(f'    limit:    {verdict.limit} (met: {verdict.met})')
    print(f'    paper:    {verdict.paper}')

# %%
# The figures of the report are files, too. This one has the ratio of measured to true
# flux at each level: boxes reach from quartile to quartile, and those of the PSF are
# much narrower than those of an annulus.

folder = evaluation.output / 'figures'


def show(name):
    """Show a figure of the report."""
    image = plt.imread(folder / f'{name}.png')
    fig = plt.figure(figsize=(9, 9 * image.shape[0] / image.shape[1]))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.imshow(image)
    ax.axis('off')


show('fluxes_scanmap')

# %%
# The field before and after. The report has both under a slider.

show('removal_scanmap_green')

plt.show()
