# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
.. _gallery-small-model:

Train a small model
===================

A small training set, a small network, and a few epochs: enough to see how a training
runs, not enough for a model of use. :doc:`/how_to/own_model` has the way to one. It
needs ``pip install 'photutils-pconv[plot,train]'``.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from photutils_pconv.network import load_model
from photutils_pconv.simulation import make_small_training_set
from photutils_pconv.training import Trainer, TrainingConfig, open_arrays

folder = Path(tempfile.mkdtemp())

# %%
# Four simulated fields with sources in them, cut into 96 by 96 pixels and divided by
# field:

cutouts = make_small_training_set(
    folder / 'cutouts', setups=['scanmap/green'], n_fields=4, n_sources=16, seed=1
)
train, valid = (
    open_arrays(cutouts, part, normalisation={'name': 'robust'})
    for part in ('train', 'valid')
)
print(len(train), len(valid))

# %%
# A network of eight channels, for six epochs. It begins as a smooth fill of the holes,
# which it learns to correct:

config = TrainingConfig.from_dict(
    {
        'name': 'small',
        'epochs': 6,
        'batch_size': 8,
        'workers': 0,
        'examples': 0,
        'tensorboard': False,
        'progress_bar': False,
        'network': {'architecture': 'FilledUNet', 'width': 8},
        'optimiser': {'learning_rate': 2e-3, 'schedule': 'cosine', 'clip_norm': 2.0},
    }
)
trainer = Trainer(
    config,
    train_data=train,
    validation_data=valid,
    setups=['scanmap/green'],
    output=folder / 'run',
)
history = trainer.fit()

# %%
# The error of the reconstruction in the holes of the validation set, in units of the
# scatter of each cutout, beside that of the mean of a ring around the hole. After a few
# epochs the network is better than the ring, and then it stops learning: the training
# set is too small.

figure, ax = plt.subplots(figsize=(7, 4), layout='constrained')
epochs = [row['epoch'] for row in history]
ax.plot(epochs, [row['hole_rms'] for row in history], 'o-', label='network')
ax.plot(epochs, [row['hole_rms_annulus'] for row in history], '--', label='annulus')
ax.set(xlabel='epoch', ylabel='rms error in the holes (scaled)')
ax.legend()

# %%
# The model is a file, which ``NeuralSourceRemover(model=...)`` takes. What it is stands
# on its card:

path = trainer.export()
print(path.name)
load_model(path).card
