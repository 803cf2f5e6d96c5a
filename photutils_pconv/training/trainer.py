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
import time
from collections.abc import Sequence
from functools import cached_property
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
from photutils_pconv.training.checkpoint import (
    check_compatible,
    load_checkpoint,
    save_checkpoint,
)
from photutils_pconv.training.config import TrainingConfig
from photutils_pconv.training.divergence import (
    ADVICE,
    DivergenceError,
    describe_divergence,
    find_divergence,
)
from photutils_pconv.training.engine import Engine, make_accelerator
from photutils_pconv.training.export import export_checkpoint, make_card
from photutils_pconv.training.loading import make_loaders, repeat_batches
from photutils_pconv.training.monitors import Monitor, make_progress_bar, prepare_folder
from photutils_pconv.training.presets import check_terms
from photutils_pconv.training.progress import Progress
from photutils_pconv.training.starting import adopt_start
from photutils_pconv.training.trials import (
    DryRun,
    RateSearch,
    find_rate,
    try_steps,
)

__all__ = ['Trainer']

#: The names of the checkpoints.
LAST, BEST = 'last.pt', 'best.pt'
#: That of an epoch, where several are kept.
BEST_EPOCH = 'best_epoch_{:03d}.pt'


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
        self._loader, self._batches = training
        self._validation_loader, _ = validation
        self._loaders = training, validation
        share = config.batch_size // self.accelerator.num_processes
        if share % config.accumulate:
            msg = (
                f'batch_size ({config.batch_size}) over the number of processes '
                f'({self.accelerator.num_processes}) must be divisible by accumulate, '
                f'got {config.accumulate}'
            )
            raise ValueError(msg)
        self.engine = Engine(
            config,
            self.accelerator,
            kind=self.kind,
            normalisation=self.normalisation,
            n_steps=self._batches.n_batches * config.epochs,
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
        path = self.output / LAST
        if self.progress.step == 0 and path.exists():
            if not resume:
                msg = (
                    f'{str(path)!r} exists: go on from it with resume=True (on the '
                    'command line --resume), or choose another output folder'
                )
                raise FileExistsError(msg)
            self._restore(path)
        self._prepare_output()
        limit = math.inf if max_steps is None else self.progress.step + max_steps
        for line in describe_training(self):
            self._tell(line)
        with Monitor(
            self.output,
            examples=self.config.examples,
            tensorboard=self.config.tensorboard,
            enabled=self.accelerator.is_main_process,
        ) as monitor:
            while self.progress.epoch < self.config.epochs and not self._is_settled():
                if self.progress.step >= limit or not self._train_epoch(limit):
                    self._save(LAST)
                    break
                examples = self._finish_epoch()
                monitor.show(self.history, examples)
                self._tell(self.progress.describe_epoch(self.config.epochs))
        if self._is_settled():
            self._tell(
                f'the validation loss did not fall for {self.config.early_stopping} '
                f'epochs: ended after epoch {self.progress.epoch} (early_stopping)'
            )
        return self.history

    def _is_settled(self):
        """Return whether the validation loss has not fallen for long enough."""
        progress, patience = self.progress, self.config.early_stopping
        if patience == 0 or progress.best_epoch is None:
            return False
        return progress.epoch - progress.best_epoch >= patience

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
        check_count(n_steps, 'n_steps', minimum=10)
        if not 0 < limits[0] < limits[1] <= 1:
            msg = f'limits must be two rates in ascending order, to 1, got {limits!r}'
            raise ValueError(msg)
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

    def _train_epoch(self, limit):
        """Train to the end of the epoch (True) or to the limit of steps."""
        config, progress = self.config, self.progress
        whole, known = progress.batch == 0, False
        self._batches.epoch, self._batches.first = progress.epoch, progress.batch
        self.engine.begin_epoch()
        with self._progress_bar() as bar:
            start = time.perf_counter()
            for batch in repeat_batches(self._loader, self._batches):
                waited = time.perf_counter() - start
                self._step(batch)
                known = known or bool((batch.missing < 1).any())
                progress.batch += 1
                progress.step += 1
                bar.update()
                bar.set_postfix(progress.shown_losses(), refresh=False)
                every = config.checkpoint_steps
                save = every and progress.step % every == 0
                spent = time.perf_counter() - start
                progress.seconds += spent
                progress.add({'seconds': spent, 'waited': waited})
                if save:
                    self._save(LAST)
                if progress.step >= limit:
                    break
                start = time.perf_counter()
        finished = progress.batch == self._batches.n_batches
        if whole and finished and not known:
            msg = (
                'no pixel of all training cutouts is known: all are missing, NaN or '
                'infinite, and nothing can be learnt from them'
            )
            raise ValueError(msg)
        return finished

    def _progress_bar(self):
        return make_progress_bar(
            self.progress,
            n_batches=self._batches.n_batches,
            epochs=self.config.epochs,
            show=self.config.progress_bar and self.accelerator.is_main_process,
        )

    def _step(self, batch):
        progress = self.progress

        def check(loss):
            what = find_divergence(
                loss, progress.smoothed, explosion=self.config.explosion
            )
            if what:
                self._diverge(what)

        values, norm = self.engine.train_batch(batch, check)
        if not math.isfinite(norm):
            self._diverge('the gradient is not finite')
        progress.add({f'train_{name}': value for name, value in values.items()})
        progress.follow(values['loss'])

    def _diverge(self, what):
        raise DivergenceError(
            describe_divergence(
                what, self.progress, self._batches, checkpoint=self.output / LAST
            )
        )

    def _finish_epoch(self):
        progress = self.progress
        figures, examples = self.engine.validate(self._validation_loader)
        loss = figures['valid_loss']
        if not math.isfinite(loss):
            msg = (
                f'the validation loss is {loss} after epoch {progress.epoch + 1} '
                f'(batches 1 to {self._batches.n_batches}). The checkpoint '
                f'{str(self.output / LAST)!r} is from before the end of the epoch: '
                f'{ADVICE}'
            )
            raise DivergenceError(msg)
        best = progress.finish_epoch(
            figures,
            n_batches=self._batches.n_batches,
            batch_size=self.config.batch_size,
            learning_rate=self.engine.learning_rate,
        )
        self.engine.end_epoch(loss)
        if best:
            self._save(BEST)
        self._keep_best()
        self._save(LAST)
        return examples

    def _keep_best(self):
        """Keep the checkpoints of the lowest validation losses, by their epochs."""
        if self.config.keep_best == 1:
            return
        ranked = sorted(self.history, key=lambda row: row['valid_loss'])
        kept = {
            BEST_EPOCH.format(row['epoch']) for row in ranked[: self.config.keep_best]
        }
        name = BEST_EPOCH.format(self.progress.epoch)
        if name in kept:
            self._save(name)
        if self.accelerator.is_main_process:
            for path in self.output.glob(BEST_EPOCH.replace('{:03d}', '*')):
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    @cached_property
    def _data_summary(self):
        """What must be the same to resume; all cutouts may have to be read."""
        return {
            **summarise_data(self.train_data, self.validation_data),
            'kind': self.kind,
            'normalisation': self.normalisation,
            'setups': [setup.name for setup in self.setups],
            'cutout_size': self.cutout_size,
            'start': find_checksum(self.config.network.start),
        }

    def _save(self, name):
        if self.accelerator.is_main_process:
            engine = self.engine.state_dict()
            self._check_weights(engine['network'])
            save_checkpoint(
                self.output / name,
                config=self.config.to_dict(),
                data=self._data_summary,
                network=engine['network'],
                optimiser=engine['optimiser'],
                schedule=engine['schedule'],
                average=engine['average'],
                progress=self.progress,
                processes=self.accelerator.num_processes,
            )
        self.accelerator.wait_for_everyone()

    def _check_weights(self, weights):
        """Keep the last checkpoint if what it would be replaced by is of no use."""
        if not all(torch.isfinite(tensor).all() for tensor in weights.values()):
            self._diverge('the weights are not finite any more')

    def _check_compatible(self, state, path):
        config = self.config.to_dict()
        check_compatible(state, config, path, data=self._data_summary)

    def _restore(self, path):
        state = load_checkpoint(path)
        self._check_compatible(state, path)
        try:
            self.engine.load_state_dict(state)
        except (RuntimeError, LookupError, TypeError, ValueError) as exc:
            msg = (
                f'the parts of {str(path)!r} do not fit this training, though it says '
                f'so: begin in another output folder ({exc})'
            )
            raise ValueError(msg) from exc
        self.progress = state['progress']

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
        checkpoint = self.output / names[which]
        if path is None:
            path = self.output / f'{self.config.name}.safetensors'
        path = Path(path).expanduser()
        if self.accelerator.is_main_process:
            state = load_checkpoint(checkpoint)
            self._check_compatible(state, checkpoint)
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
