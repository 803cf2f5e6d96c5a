# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The `Trainer` (section 3.5), on accelerate.

One process or many, CPUs or GPUs: the code is the same. A batch is
divided among the processes, so that the recipe does not depend on their
number.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from photutils_pconv._utils.checks import check_count, to_bool
from photutils_pconv.network.kinds import list_images
from photutils_pconv.setups.setup import ObservingSetup
from photutils_pconv.training._inputs import (
    common_kind,
    common_normalisation,
    cutout_size,
    describe,
    describe_training,
    find_checksum,
    parse_setups,
    summarise_data,
)
from photutils_pconv.training.checkpoint_folder import BEST, LAST, CheckpointFolder
from photutils_pconv.training.config import TrainingConfig
from photutils_pconv.training.devices import make_accelerator
from photutils_pconv.training.engine import Engine
from photutils_pconv.training.epochs import finish_epoch, train_epoch
from photutils_pconv.training.export import export_checkpoint, make_card
from photutils_pconv.training.loading import make_loaders
from photutils_pconv.training.monitors import Monitor, prepare_folder
from photutils_pconv.training.presets import check_terms
from photutils_pconv.training.progress import Progress
from photutils_pconv.training.starting import adopt_start
from photutils_pconv.training.trials import DryRun, RateSearch, find_rate, try_steps

__all__ = ['Trainer']


class Trainer:
    """
    Train a network, from the first step to the file that can be used.

    Parameters
    ----------
    config : `~photutils_pconv.training.TrainingConfig`
        The configuration. Its section ``data`` is not looked at.

    train_data, validation_data : `torch.utils.data.Dataset`
        Data sets with a length and the attribute ``normalisation``,
        which give `~photutils_pconv.training.Cutouts` when indexed by
        (epoch, index), or `~photutils_pconv.training.ResidualCutouts`
        where they have the attribute ``kind = 'residual'``; an optional
        ``describe()`` gives a dict for the model's card, and an optional
        ``digest()`` a text that is the same for the same cutouts alone, by
        which a training is not resumed with others.

    setups : sequence of `~photutils_pconv.setups.ObservingSetup` or str
        The setups that the network is for.

    output : path-like
        The folder for checkpoints, metrics and pictures. With several
        machines, they must share it.

    Attributes
    ----------
    progress : ``Progress``
        How far the training has come.

    Raises
    ------
    ImportError
        If accelerate is missing; the message says what to install.

    TypeError, ValueError
        If an argument is not accepted.

    Examples
    --------
    >>> from photutils_pconv.training import Trainer
    >>> trainer = Trainer(
    ...     config,
    ...     train_data=train,
    ...     validation_data=valid,
    ...     setups=['scanmap/green'],
    ...     output='run',
    ... )  # doctest: +SKIP
    >>> history = trainer.fit(resume=True)  # doctest: +SKIP
    >>> path = trainer.export()  # doctest: +SKIP
    """

    def __init__(
        self,
        config: TrainingConfig,
        *,
        train_data: torch.utils.data.Dataset,
        validation_data: torch.utils.data.Dataset,
        setups: Sequence[ObservingSetup | str],
        output: str | os.PathLike,
    ) -> None:
        if not isinstance(config, TrainingConfig):
            msg = f'config must be a TrainingConfig, got {type(config).__name__}'
            raise TypeError(msg)
        # What it says of the data is not looked at.
        self.config, self.adopted = adopt_start(config, with_data=False)
        config = self.config
        self.train_data = train_data
        self.validation_data = validation_data
        self.setups = parse_setups(setups)
        self.output = Path(output).expanduser()
        self.normalisation = common_normalisation(train_data, validation_data)
        self.kind = common_kind(train_data, validation_data)
        images = list_images(self.kind, self.normalisation)
        self.cutout_size = cutout_size(train_data, images)
        check_terms(config.loss.resolve(), self.kind)

        self.accelerator = make_accelerator(config.device)
        training, validation = make_loaders(
            train_data, validation_data, config, self.accelerator
        )
        self._loaders = training, validation
        self._batches = training[1]
        self._validation_loader = validation[0]
        self.engine = Engine(
            config,
            self.accelerator,
            kind=self.kind,
            normalisation=self.normalisation,
            n_steps=self._batches.n_batches * config.epochs,
        )
        self._checkpoints = CheckpointFolder(
            self.output, self.engine, self._batches, self._summarise_data
        )
        self.progress = Progress()

    @property
    def network(self) -> torch.nn.Module:
        """The network (`torch.nn.Module`)."""
        return self.engine.network

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__}({self.config.name!r}: epoch '
            f'{self.progress.epoch} of {self.config.epochs}, step '
            f'{self.progress.step}, {len(self.train_data)} training cutouts)>'
        )

    @property
    def history(self) -> list[dict[str, Any]]:
        """The figures of every finished epoch (list of `dict`)."""
        return self.progress.history

    def fit(self, *, resume: bool = False, max_steps: int | None = None) -> Any:
        """
        Train until all epochs are done.

        Parameters
        ----------
        resume : bool, optional
            Whether to go on from the last checkpoint in the output
            folder, if there is one. Killed at any moment and resumed, a
            training on one process (on a CPU, with the same threads,
            precision and compilation) reaches the same weights bit for
            bit.

        max_steps : int, optional
            Stop after so many steps of this call, with a checkpoint. A
            second call goes on.

        Returns
        -------
        history : list of dict
            The figures of every finished epoch.

        Raises
        ------
        DivergenceError
            If the loss or a weight is not finite, or the loss explodes. The
            message names the batch; the last checkpoint is from before.

        FileExistsError
            If the output folder has a checkpoint and ``resume`` is
            False.

        OSError
            If a file cannot be written; the last checkpoint is kept.

        ValueError
            If the checkpoint belongs to another training or is damaged, or
            no pixel of the cutouts is known.
        """
        resume = to_bool(resume, 'resume')
        path = self._checkpoints.last
        if self.progress.step == 0 and path.exists():
            if not resume:
                msg = (
                    f'{str(path)!r} exists: go on from it with resume=True (on the '
                    'command line --resume), or choose another output folder'
                )
                raise FileExistsError(msg)
            self.progress = self._checkpoints.restore()
        self._prepare_output()
        config, progress = self.config, self.progress
        patience = config.early_stopping
        limit = math.inf if max_steps is None else progress.step + max_steps
        for line in describe_training(self):
            self._tell(line)
        with Monitor(
            self.output,
            examples=config.examples,
            tensorboard=config.tensorboard,
            enabled=self.accelerator.is_main_process,
        ) as monitor:
            while progress.epoch < config.epochs and not progress.is_settled(patience):
                if progress.step >= limit or not self._train_epoch(limit):
                    self._checkpoints.save(LAST, progress)
                    break
                examples = self._finish_epoch()
                monitor.show(self.history, examples)
                self._tell(progress.describe_epoch(config.epochs))
        if progress.is_settled(patience):
            self._tell(
                f'the validation loss did not fall for {patience} epochs: ended after '
                f'epoch {progress.epoch} (early_stopping)'
            )
        return self.history

    def _train_epoch(self, limit):
        return train_epoch(
            self.engine, self._loaders[0], self.progress, self._checkpoints, limit=limit
        )

    def _finish_epoch(self):
        return finish_epoch(
            self.engine,
            self._validation_loader,
            self.progress,
            self._checkpoints,
            n_batches=self._batches.n_batches,
        )

    def _summarise_data(self):
        """Give what must be the same to resume; all cutouts may have to be read."""
        return {
            **summarise_data(self.train_data, self.validation_data),
            'kind': self.kind,
            'normalisation': self.normalisation,
            'setups': [setup.name for setup in self.setups],
            'cutout_size': self.cutout_size,
            'start': find_checksum(self.config.network.start),
            'teacher': find_checksum(self.config.loss.teacher),
        }

    def _tell(self, line):
        if self.config.report and self.accelerator.is_main_process:
            print(line, flush=True)

    def dry_run(self, n_steps: int = 5) -> DryRun:
        """
        Take a few steps that leave no trace, and see what training would take.

        Parameters
        ----------
        n_steps : int, optional
            The number of steps.

        Returns
        -------
        result : `~photutils_pconv.training.DryRun`
            The time a step, an epoch, and for the whole.
        """
        check_count(n_steps, 'n_steps')
        for line in describe_training(self):
            self._tell(line)
        result = try_steps(
            self.engine, self._loaders, n_steps=n_steps, epochs=self.config.epochs
        )
        self._tell(str(result))
        return result

    def find_learning_rate(
        self, *, limits: tuple[float, float] = (1.0e-6, 1.0), n_steps: int = 100
    ) -> RateSearch:
        """
        Find a learning rate, by steps at rising ones that leave no trace.

        Parameters
        ----------
        limits : pair of float, optional
            The lowest and the highest rate.

        n_steps : int, optional
            The number of steps.

        Returns
        -------
        result : `~photutils_pconv.training.RateSearch`
            The rates, the losses, and a suggestion: a tenth of the rate at
            which the loss was lowest, before it rose again.

        Raises
        ------
        ValueError
            If an argument is not accepted.
        """
        found = find_rate(
            self.engine, *self._loaders[0], limits=limits, n_steps=n_steps
        )
        self._tell(
            f'the loss is lowest at a learning rate of {10 * found.suggestion:.2g}; '
            f'suggested: optimiser.learning_rate = {found.suggestion:.2g}'
        )
        return found

    def _prepare_output(self):
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            prepare_folder(self.output, self.history, checkpoints=(LAST, BEST))
        self.accelerator.wait_for_everyone()

    def export(
        self,
        path: str | os.PathLike | None = None,
        *,
        which: str = 'best',
        dtype: str = 'float16',
        overwrite: bool = False,
    ) -> Path:
        """
        Write the trained network, with a complete model card.

        Parameters
        ----------
        path : path-like, optional
            The safetensors file; by default ``{name}.safetensors`` in
            the output folder.

        which : {'best', 'last'}, optional
            The checkpoint: that of the lowest validation loss, or the
            last one.

        dtype : {'float16', 'float32'}, optional
            As for `~photutils_pconv.network.save_model`.

        overwrite : bool, optional
            Whether to replace an existing file.

        Returns
        -------
        path : `pathlib.Path`
            The file, which `~photutils_pconv.NeuralSourceRemover` takes
            as its ``model``.

        Raises
        ------
        FileExistsError
            If the file exists and ``overwrite`` is False.

        FileNotFoundError
            If there is no such checkpoint yet.

        ValueError
            If ``which`` or ``dtype`` is not accepted, or the checkpoint
            belongs to another training.
        """
        overwrite = to_bool(overwrite, 'overwrite')
        names = {'best': BEST, 'last': LAST}
        if which not in names:
            msg = f'which must be one of {list(names)}, got {which!r}'
            raise ValueError(msg)
        if path is None:
            path = self.output / f'{self.config.name}.safetensors'
        path = Path(path).expanduser()
        if self.accelerator.is_main_process:
            state = self._checkpoints.read(names[which])
            card = make_card(
                state,
                self.config,
                setups=self.setups,
                cutout_size=self.cutout_size,
                described={
                    'loss': self.engine.loss.describe(),
                    'training_data': describe(self.train_data),
                    'validation_data': describe(self.validation_data),
                    'checkpoint': which,
                },
            )
            export_checkpoint(path, state, card, dtype=dtype, overwrite=overwrite)
        self.accelerator.wait_for_everyone()
        return path
