# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The engine of the trainer: network, loss and optimiser on accelerate.

One process or many, CPUs or GPUs: the code is the same.
"""

import math
from contextlib import nullcontext

import torch
from torch import nn

from photutils_pconv.training.augmentation import turn_upright
from photutils_pconv.training.devices import choose_precision
from photutils_pconv.training.initial_network import freeze_levels, make_network
from photutils_pconv.training.optimisers import (
    WeightAverage,
    make_optimiser,
    make_schedule,
)
from photutils_pconv.training.teacher import load_teacher
from photutils_pconv.training.validation_sums import ValidationSums
from photutils_pconv.training.weighted_loss import WeightedLoss

__all__ = ['Engine']


class Engine:
    """
    Everything that changes in a training step.

    Parameters
    ----------
    config : `~photutils_pconv.training.TrainingConfig`
        The configuration.

    accelerator : `accelerate.Accelerator`
        The accelerator.

    kind : {'masked', 'residual'}
        The kind of model.

    normalisation : dict
        The scaling of the data, which that of a network to start from
        must equal.

    n_steps : int
        The number of steps of the whole run.

    Raises
    ------
    ValueError
        If the network to start from is another one.
    """

    def __init__(self, config, accelerator, *, kind, normalisation, n_steps):
        self.config = config
        self.accelerator = accelerator
        self.kind = kind
        self._normalisation = normalisation
        #: The precision of the network's convolutions.
        self.precision = choose_precision(config.precision, accelerator.device)
        # One process downloads, the others find the file.
        with accelerator.local_main_process_first():
            self.loss = WeightedLoss.from_config(config.loss)
        self.loss.to(accelerator.device)
        self._make_network(kind, normalisation)
        self.teacher = None
        if config.loss.teacher:
            self.teacher = load_teacher(
                config.loss.teacher, kind, normalisation, device=accelerator.device
            )
        self.optimiser = accelerator.prepare_optimizer(
            make_optimiser(self.network, config.optimiser)
        )
        self.schedule = make_schedule(
            self.optimiser.optimizer, config.optimiser, n_steps
        )
        decay = config.optimiser.ema_decay
        self.average = None if decay is None else WeightAverage(self.network, decay)

    def _make_network(self, kind, normalisation):
        config, accelerator = self.config, self.accelerator
        network = make_network(config, kind, normalisation)
        self._frozen = freeze_levels(network, config.network.freeze)
        self._accumulated = False
        several = accelerator.num_processes > 1
        if config.sync_batch_norm and several and accelerator.device.type == 'cuda':
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        # In use it then sees each cutout in one orientation.
        self._is_upright = getattr(network, 'turns', None) == 1
        self._layout = (
            torch.channels_last if config.channels_last else torch.contiguous_format
        )
        self.network = network.to(accelerator.device, memory_format=self._layout)
        model = torch.compile(self.network) if config.compile else self.network
        self._model = accelerator.prepare_model(model)

    @property
    def learning_rate(self):
        """The present learning rate (`float`)."""
        return float(self.optimiser.param_groups[0]['lr'])

    def begin_epoch(self):
        """
        Put the network into training mode.
        """
        self.network.train()
        if self.config.freeze_batch_norm:
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        for module in self._frozen:
            # Its batch norms' statistics stay, too.
            module.eval()

    def compute_loss(self, batch):
        """
        Compute the loss of a training batch.

        Parameters
        ----------
        batch : `~photutils_pconv.training.Cutouts` or \
                `~photutils_pconv.training.ResidualCutouts`
            This process' share of the batch.

        Returns
        -------
        loss : `torch.Tensor`
            The loss, to be handed to `update`.

        values : dict of float
            The loss and its terms, means over all processes.
        """
        batch = self._to_device(self._orient(batch))
        with self._autocast():
            output = self._model(batch.image, batch.validity)
            if self.teacher is not None:
                wanted = self.teacher.predict(batch.image, batch.validity)
                batch = batch._replace(target=wanted.to(batch.target.dtype))
        self.loss.reduce = self._mean_over_processes
        loss, terms = self._compare(output, batch)
        values = torch.stack([loss.detach(), *terms.values()])
        values = self._mean_over_processes(values).tolist()
        return loss, dict(zip(('loss', *terms), values, strict=True))

    def split(self, batch):
        """
        Cut a batch into the parts that memory holds.

        Parameters
        ----------
        batch : `~photutils_pconv.training.Cutouts` or \
                `~photutils_pconv.training.ResidualCutouts`
            This process' share of the batch.

        Returns
        -------
        parts : list
            The parts, of the same class.
        """
        n = self.config.accumulate
        if n == 1:
            return [batch]
        chunks = zip(*(part.chunk(n) for part in batch), strict=True)
        return [type(batch)(*parts) for parts in chunks]

    def accumulate(self, loss):
        """
        Add to the gradient, for an update that follows.

        Parameters
        ----------
        loss : `torch.Tensor`
            The loss of a part of the batch, over the number of parts.
        """
        if not self._accumulated:
            self.optimiser.zero_grad()
        self._accumulated = True
        # The processes exchange gradients once a step.
        with self.accelerator.no_sync(self._model):
            self.accelerator.backward(loss)

    def train_batch(self, batch, check=None):
        """
        Take one step on a batch, part by part.

        Parameters
        ----------
        batch : `~photutils_pconv.training.Cutouts` or \
                `~photutils_pconv.training.ResidualCutouts`
            This process' share of the batch.

        check : callable, optional
            Given the loss of each part before its gradient is taken; what it
            raises ends the step.

        Returns
        -------
        values : dict of float
            The loss and its terms, means over all parts and processes.

        norm : float
            The norm of the gradient, see `update`.
        """
        parts = self.split(batch)
        sums = {}
        for k, part in enumerate(parts, start=1):
            loss, values = self.compute_loss(part)
            if check is not None:
                check(values['loss'])
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + value / len(parts)
            loss = loss / len(parts) if len(parts) > 1 else loss
            if k < len(parts):
                self.accumulate(loss)
        norm = self.update(loss)
        return sums, norm

    def set_learning_rate(self, rate):
        """
        Set the learning rate of the next step.

        Parameters
        ----------
        rate : float
            The rate.
        """
        for group in self.optimiser.param_groups:
            group['lr'] = rate

    def update(self, loss):
        """
        Take one step downhill, unless the gradient is not finite.

        Parameters
        ----------
        loss : `torch.Tensor`
            The loss.

        Returns
        -------
        norm : float
            The norm of the gradient. If it is not finite, the weights
            were left alone.
        """
        config = self.config.optimiser
        if not self._accumulated:
            self.optimiser.zero_grad()
        self._accumulated = False
        self.accelerator.backward(loss)
        # Without a limit this only measures it: finite losses can have
        # gradients that are not, and the weights would be lost.
        norm = self.accelerator.clip_grad_norm_(
            self.network.parameters(), config.clip_norm or math.inf
        )
        norm = float(norm)
        if math.isfinite(norm):
            self.optimiser.step()
            if config.schedule != 'plateau':
                self.schedule.step()
            if self.average is not None:
                self.average.update(self.network)
        return norm

    def end_epoch(self, validation_loss):
        """
        Report the loss of the epoch to the learning rate's schedule.

        Parameters
        ----------
        validation_loss : float
            The validation loss.
        """
        if self.config.optimiser.schedule == 'plateau':
            self.schedule.step(validation_loss)

    @torch.no_grad()
    def validate(self, loader):
        """
        Compute the loss and the figures of the validation set.

        Parameters
        ----------
        loader : iterable of `~photutils_pconv.training.Cutouts`
            This process' batches.

        Returns
        -------
        figures : dict
            ``valid_loss``, the terms, and the medians of
            `~photutils_pconv.training.validation.hole_figures`, or of
            `~photutils_pconv.training.validation.residual_figures`, of all
            processes.

        examples : tuple or `None`
            The first batch and the network's output, as arrays
            (N, H, W).

        Raises
        ------
        ValueError
            If no pixel of all cutouts is known.
        """
        self.network.eval()
        # Batches, and with them the losses, are whole here.
        self.loss.reduce = None
        sums = ValidationSums(
            ('loss', *self.loss.terms),
            self.kind,
            self._normalisation,
            self.accelerator,
        )
        examples, average = None, self.average
        with nullcontext() if average is None else average.put_into(self.network):
            for cutouts in loader:
                cutouts = self._orient(cutouts)
                batch = self._to_device(cutouts)
                # Neither compiled (the last batch has another size) nor
                # wrapped for several processes.
                with self._autocast():
                    output = self.network(batch.image, batch.validity)
                sums.add_losses(*self._compare(output, batch), batch.missing)
                # Never in bfloat16, which numpy does not know.
                output, *parts = (
                    t[:, 0].cpu().numpy()
                    for t in (output.to(batch.target.dtype), *cutouts)
                )
                sums.add_figures(output, type(cutouts)(*parts))
                if examples is None:
                    examples = (parts[:4], output)
        return sums.summarise(), examples

    def _compare(self, output, batch):
        """Compute the loss; never in bfloat16, whatever the network was run in."""
        return self.loss(
            output.to(batch.target.dtype),
            batch.target,
            batch.validity,
            batch.missing,
            hole=batch.hole,
            weight=batch.weight,
        )

    def state_dict(self):
        """
        Give the state for a checkpoint.

        Returns
        -------
        state : dict
            That of the network, optimiser, schedule and average.
        """
        return {
            'network': self.network.state_dict(),
            'optimiser': self.optimiser.optimizer.state_dict(),
            'schedule': self.schedule.state_dict(),
            'average': None if self.average is None else self.average.state_dict(),
        }

    def load_state_dict(self, state):
        """
        Take up the state of a checkpoint.

        Parameters
        ----------
        state : dict
            What `state_dict` gave.

        Raises
        ------
        KeyError, RuntimeError, TypeError, ValueError
            If a part is that of something else.
        """
        # torch would take whatever a schedule is given.
        if set(state['schedule']) != set(self.schedule.state_dict()):
            msg = f'the schedule is another one: {sorted(state["schedule"])}'
            raise ValueError(msg)
        self.network.load_state_dict(state['network'])
        self.optimiser.optimizer.load_state_dict(state['optimiser'])
        self.schedule.load_state_dict(state['schedule'])
        if self.average is not None:
            self.average.load_state_dict(state['average'])

    def _orient(self, batch):
        """Turn cutouts as they are in use, where that is one orientation."""
        return turn_upright(batch) if self._is_upright else batch

    def _to_device(self, batch):
        device = self.accelerator.device
        return type(batch)(
            *(
                part.to(device, non_blocking=True, memory_format=self._layout)
                for part in batch
            )
        )

    def _autocast(self):
        return torch.autocast(
            self.accelerator.device.type,
            dtype=torch.bfloat16,
            enabled=self.precision == 'bfloat16',
        )

    def _mean_over_processes(self, tensor):
        return self.accelerator.reduce(tensor, reduction='mean')
