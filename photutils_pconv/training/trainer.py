# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The `Trainer` (section 3.5), on accelerate.

One process or many, CPUs or GPUs: the code is the same. A batch is
divided among the processes, so that the recipe does not depend on their
number.
"""

import math
import time
from pathlib import Path

from photutils_pconv._utils.optional import require
from photutils_pconv.network.kinds import list_images
from photutils_pconv.training._inputs import (
    common_kind,
    common_normalisation,
    cutout_size,
    describe,
    parse_setups,
)
from photutils_pconv.training.checkpoint import (
    Progress,
    check_compatible,
    get_random_states,
    load_checkpoint,
    save_checkpoint,
    set_random_states,
)
from photutils_pconv.training.config import TrainingConfig
from photutils_pconv.training.engine import Engine, make_accelerator
from photutils_pconv.training.export import export_checkpoint, make_card
from photutils_pconv.training.loading import EpochBatches, make_loader
from photutils_pconv.training.monitors import METRICS, Monitor, write_metrics

__all__ = ['DivergenceError', 'Trainer']

_LAST, _BEST = 'last.pt', 'best.pt'
# The weight of a new loss in the running mean.
_SMOOTHING = 0.02


class DivergenceError(RuntimeError):
    """
    The loss is not finite any more, or has exploded.
    """


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
        (epoch, index); an optional ``describe()`` gives a dict for the
        model's card.

    setups : sequence of `~photutils_pconv.setups.ObservingSetup` or str
        The setups that the network is for.

    output : path-like
        The folder for checkpoints, metrics and pictures. With several
        machines, they must share it.

    Attributes
    ----------
    progress : `~photutils_pconv.training.Progress`
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

    def __init__(self, config, *, train_data, validation_data, setups, output):
        if not isinstance(config, TrainingConfig):
            msg = f'config must be a TrainingConfig, got {type(config).__name__}'
            raise TypeError(msg)
        self.config = config
        self.train_data = train_data
        self.validation_data = validation_data
        self.setups = parse_setups(setups)
        self.output = Path(output).expanduser()
        self.normalisation = common_normalisation(train_data, validation_data)
        self.kind = common_kind(train_data, validation_data)
        images = list_images(self.kind, self.normalisation)
        self.cutout_size = cutout_size(train_data, images)

        self.accelerator = make_accelerator(config.device)
        self._make_batches()
        self.engine = Engine(
            config,
            self.accelerator,
            kind=self.kind,
            normalisation=self.normalisation,
            n_steps=self._batches.n_batches * config.epochs,
        )
        self.progress = Progress()

    @property
    def network(self):
        """The network (`torch.nn.Module`)."""
        return self.engine.network

    def __repr__(self):
        return (
            f'<{type(self).__name__}({self.config.name!r}: epoch '
            f'{self.progress.epoch} of {self.config.epochs}, step '
            f'{self.progress.step}, {len(self.train_data)} training cutouts)>'
        )

    def _make_batches(self):
        config, accelerator = self.config, self.accelerator
        share = {
            'rank': accelerator.process_index,
            'n_processes': accelerator.num_processes,
        }
        size = config.batch_size
        self._batches = EpochBatches(
            len(self.train_data), size, seed=config.seed, **share
        )
        self._validation_batches = EpochBatches(
            len(self.validation_data), size, shuffle=False, **share
        )
        options = {
            'workers': config.workers,
            'prefetch': config.prefetch,
            'pin': accelerator.device.type == 'cuda',
        }
        self._loader = make_loader(
            self.train_data,
            self._batches,
            augmentation=config.augmentation,
            **options,
        )
        self._validation_loader = make_loader(
            self.validation_data, self._validation_batches, **options
        )

    @property
    def history(self):
        """The figures of every finished epoch (list of `dict`)."""
        return self.progress.history

    def fit(self, *, resume=False, max_steps=None):
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
            If the loss is not finite or explodes. The message names the
            batch; the last checkpoint is from before.

        FileExistsError
            If the output folder has a checkpoint and ``resume`` is
            False.

        OSError
            If a file cannot be written; the last checkpoint is kept.

        ValueError
            If the checkpoint belongs to another training.
        """
        path = self.output / _LAST
        if self.progress.step == 0 and path.exists():
            if not resume:
                msg = (
                    f'{str(path)!r} exists: go on from it with resume=True, or choose '
                    'another output folder'
                )
                raise FileExistsError(msg)
            self._restore(path)
        self._prepare_output()
        limit = math.inf if max_steps is None else self.progress.step + max_steps
        with Monitor(
            self.output,
            examples=self.config.examples,
            tensorboard=self.config.tensorboard,
            enabled=self.accelerator.is_main_process,
        ) as monitor:
            while self.progress.epoch < self.config.epochs:
                if self.progress.step >= limit or not self._train_epoch(limit):
                    self._save(_LAST)
                    break
                examples = self._finish_epoch()
                monitor.show(self.history, examples)
        return self.history

    def _prepare_output(self):
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            self.output.mkdir(parents=True, exist_ok=True)
            # What a killed run was writing.
            for name in (_LAST, _BEST, METRICS):
                for path in self.output.glob(f'.{name}.*.tmp*'):
                    path.unlink(missing_ok=True)
            if self.history:
                write_metrics(self.output / METRICS, self.history)
        self.accelerator.wait_for_everyone()

    def _train_epoch(self, limit):
        """
        Train to the end of the epoch (True) or to the limit of steps.
        """
        config, progress = self.config, self.progress
        self._batches.epoch, self._batches.first = progress.epoch, progress.batch
        self.engine.begin_epoch()
        with self._progress_bar() as bar:
            start = time.perf_counter()
            for batch in self._loader:
                waited = time.perf_counter() - start
                self._step(batch)
                progress.batch += 1
                progress.step += 1
                bar.update()
                bar.set_postfix(self._shown_losses(), refresh=False)
                every = config.checkpoint_steps
                save = every and progress.step % every == 0
                spent = time.perf_counter() - start
                progress.seconds += spent
                self._add({'seconds': spent, 'waited': waited})
                if save:
                    self._save(_LAST)
                if progress.step >= limit:
                    break
                start = time.perf_counter()
        return progress.batch == self._batches.n_batches

    def _progress_bar(self):
        from tqdm.auto import tqdm

        show = self.config.progress_bar and self.accelerator.is_main_process
        return tqdm(
            total=self._batches.n_batches,
            initial=self.progress.batch,
            desc=f'epoch {self.progress.epoch + 1}/{self.config.epochs}',
            disable=not show,
        )

    def _shown_losses(self):
        shown = {'loss': f'{self.progress.smoothed:.4g}'}
        if self.history:
            shown['valid'] = f'{self.history[-1]["valid_loss"]:.4g}'
        return shown

    def _step(self, batch):
        progress = self.progress
        loss, values = self.engine.compute_loss(batch)
        self._check_loss(values['loss'])
        if not math.isfinite(self.engine.update(loss)):
            self._diverge('the gradient is not finite')
        self._add({f'train_{name}': value for name, value in values.items()})
        if progress.smoothed is None:
            progress.smoothed = values['loss']
        progress.smoothed += _SMOOTHING * (values['loss'] - progress.smoothed)

    def _add(self, values):
        sums = self.progress.sums
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value

    def _check_loss(self, loss):
        usual = self.progress.smoothed
        if not math.isfinite(loss):
            self._diverge(f'the loss is {loss}')
        if usual is not None and loss > self.config.explosion * usual > 0:
            self._diverge(
                f'the loss is {loss:.4g}, {loss / usual:.3g} times its running mean'
            )

    def _diverge(self, what):
        progress = self.progress
        indices = [index for _, index in self._batches.keys(progress.batch)]
        shown = ', '.join(map(str, indices[:8]))
        last = self.output / _LAST
        kept = f'{str(last)!r} is kept' if last.exists() else 'there is none yet'
        msg = (
            f'{what} at epoch {progress.epoch + 1}, batch {progress.batch + 1} of '
            f'{self._batches.n_batches} (step {progress.step + 1}; training cutouts '
            f'{shown}{", ..." if len(indices) > 8 else ""}). The last good '
            f'checkpoint: {kept}. Look at these cutouts, lower '
            'optimiser.learning_rate, or set optimiser.clip_norm'
        )
        raise DivergenceError(msg)

    def _finish_epoch(self):
        progress = self.progress
        figures, examples = self.engine.validate(self._validation_loader)
        loss = figures['valid_loss']
        if not math.isfinite(loss):
            last = self.output / _LAST
            msg = (
                f'the validation loss is {loss} after epoch {progress.epoch + 1} '
                f'(batches 1 to {self._batches.n_batches}). The checkpoint '
                f'{str(last)!r} is from before the end of the epoch: lower '
                'optimiser.learning_rate, or set optimiser.clip_norm'
            )
            raise DivergenceError(msg)
        progress.history.append(self._row(figures))
        self.engine.end_epoch(loss)
        progress.epoch += 1
        progress.batch = 0
        progress.sums = {}
        if progress.best_loss is None or loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = loss, progress.epoch
            self._save(_BEST)
        self._save(_LAST)
        return examples

    def _row(self, figures):
        progress, sums = self.progress, self.progress.sums
        n = self._batches.n_batches
        losses = {k: v / n for k, v in sums.items() if k.startswith('train_')}
        seconds = sums.get('seconds', 0.0)
        # Steps done before a resumption may have left no time.
        per_second = n * self.config.batch_size / seconds if seconds else 0.0
        return {
            'epoch': progress.epoch + 1,
            'step': progress.step,
            'learning_rate': self.engine.learning_rate,
            **losses,
            **figures,
            'seconds': round(seconds, 3),
            'cutouts_per_second': round(per_second, 3),
            'waiting_share': round(sums.get('waited', 0.0) / max(seconds, 1e-9), 5),
        }

    def _data_summary(self):
        return {
            'training_cutouts': len(self.train_data),
            'validation_cutouts': len(self.validation_data),
            'kind': self.kind,
            'normalisation': self.normalisation,
            'setups': [setup.name for setup in self.setups],
            'cutout_size': self.cutout_size,
        }

    def _save(self, name):
        states = [get_random_states()]
        if self.accelerator.num_processes > 1:
            states = require('accelerate.utils').gather_object(states)
        if self.accelerator.is_main_process:
            save_checkpoint(
                self.output / name,
                config=self.config.to_dict(),
                data=self._data_summary(),
                **self.engine.state_dict(),
                progress=self.progress,
                random_states=states,
            )
        self.accelerator.wait_for_everyone()

    def _restore(self, path):
        state = load_checkpoint(path)
        check_compatible(state, self.config.to_dict(), self._data_summary(), path)
        self.engine.load_state_dict(state)
        rank = self.accelerator.process_index
        if rank < len(state['random_states']):
            set_random_states(state['random_states'][rank])
        self.progress = state['progress']

    def export(self, path=None, *, which='best', dtype='float16', overwrite=False):
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
        names = {'best': _BEST, 'last': _LAST}
        if which not in names:
            msg = f'which must be one of {list(names)}, got {which!r}'
            raise ValueError(msg)
        checkpoint = self.output / names[which]
        if path is None:
            path = self.output / f'{self.config.name}.safetensors'
        path = Path(path).expanduser()
        if self.accelerator.is_main_process:
            state = load_checkpoint(checkpoint)
            check_compatible(
                state, self.config.to_dict(), self._data_summary(), checkpoint
            )
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
