"""The training loop: steps, optimiser and schedule, averaged weights, validation and checkpoints."""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

import torch
from torch import Tensor, nn

from hmar.model.network import HmarNetwork
from hmar.training.checkpoint import Parts, Progress, State
from hmar.training.config import TrainingConfig
from hmar.training.ema import ema_decay, update_ema
from hmar.training.reports import Report, Reports, Step
from hmar.training.stages import Stage

_LARGEST_NORM = 2.0
"""Gradients of each parameter group are clipped to this norm, so that one odd batch cannot throw a run off.
The value is a convention of the field, where 1 to 5 are usual."""

_WARM_UP_SHARE = 0.1
"""Share of a stage's steps in which the learning rate rises: a convention of the one-cycle schedule."""

Keep = Callable[[State], None]


class Work(ABC):
    """What a stage trains, on which batches, and by which losses."""

    stage: Stage

    keeps_better_start: bool = False
    """Whether the weights that the stage begins with stay where validation finds none better."""

    @abstractmethod
    def begin(self) -> None:
        """Prepare what every step needs; called once before the first."""

    @abstractmethod
    def parameters(self) -> list[dict[str, Any]]:
        """Return what is trained, in groups with their highest learning rates."""

    @abstractmethod
    def batches(self, numbers: range) -> Generator[Any]:
        """Give the batches of steps."""

    @abstractmethod
    def losses(self, batch: Any) -> dict[str, Tensor]:
        """Return the weighted losses of a batch by name; training follows their sum."""

    @abstractmethod
    def validate(self, averaged: HmarNetwork) -> float | None:
        """Return how well averaged weights do, the more the better; None where nothing is held out."""

    @abstractmethod
    def finish(self, kept_step: int) -> None:
        """Put what the stage has learnt into the network, once it has the weights that are kept.

        Parameters
        ----------
        kept_step : int
            The step that these are of; 0 for the start.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold besides weights and optimiser."""

    @abstractmethod
    def restore(self, state: dict[str, Any]) -> None:
        """Set what :meth:`state` returned."""


class Loop:
    """Makes the steps of stages, one stage after the other.

    Parameters
    ----------
    network : HmarNetwork
        Trained in place; after each stage it has the averaged weights that validation found best.
    config : TrainingConfig
    device : torch.device
        That the network is on.
    """

    def __init__(self, network: HmarNetwork, config: TrainingConfig, device: torch.device) -> None:
        self._network, self._config, self._device = network, config, device
        self._averaged = copy.deepcopy(network)

    def run(
        self,
        work: Work,
        report: Report,
        state: State | None = None,
        keep: Keep | None = None,
        until: int | None = None,
    ) -> None:
        """Run a stage.

        Parameters
        ----------
        work : Work
        report : callable
            Called after each step.
        state : dict, optional
            Where this stage was interrupted, as ``keep`` was given it.
        keep : callable, optional
            Called with the state every ``evaluate_every`` steps, and after the last.
        until : int, optional
            The step to stop after, while rates fall as if all steps were made.
        """
        config, steps = self._config, until or work.stage.steps(self._config)
        parts = self.parts(work)
        self._averaged.load_state_dict(self._network.state_dict())
        if state is None:
            progress = Progress(copy.deepcopy(self._averaged.state_dict()))
        else:
            progress = parts.restore(state)
        work.begin()
        if state is None and work.keeps_better_start:
            found = work.validate(self._averaged)
            progress.best = progress.best if found is None else found
        numbers = range(progress.step + 1, steps + 1)
        told = Reports(report, self._device)
        with closing(work.batches(numbers)) as batches:
            for number in numbers:
                if progress.waited >= config.patience:
                    break
                begun = time.perf_counter()
                batch = next(batches)
                waited_ms = 1000 * (time.perf_counter() - begun)
                losses = self._step(parts, work, batch, number)
                step_ms = 1000 * (time.perf_counter() - begun)
                due = number % config.evaluate_every == 0 or number == steps
                found = work.validate(self._averaged) if due else None
                told.add(Step(work.stage, number, steps, {}, found, waited_ms, step_ms), losses)
                if due:
                    told.flush()
                    progress.step = number
                    progress.note(found, self._averaged)
                    if keep is not None:
                        keep(parts.state(progress))
        self._network.load_state_dict(progress.kept)
        work.finish(progress.kept_step)

    def parts(self, work: Work) -> Parts:
        """Return what a stage changes; it has an optimiser and a schedule of its own."""
        optimiser = torch.optim.AdamW(work.parameters(), weight_decay=self._config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            [group["lr"] for group in optimiser.param_groups],
            total_steps=work.stage.steps(self._config) + 1,  # a rate before each step, and one after the last
            pct_start=_WARM_UP_SHARE,
        )
        return Parts(self._network, self._averaged, optimiser, schedule, work, self._device)

    def _step(self, parts: Parts, work: Work, batch: Any, number: int) -> dict[str, Tensor]:
        """Make one step, and return its losses, which nobody has waited for."""
        losses = work.losses(batch)
        total = torch.stack(list(losses.values())).sum()
        parts.optimiser.zero_grad()
        torch.autograd.backward(total)
        for group in parts.optimiser.param_groups:
            nn.utils.clip_grad_norm_(group["params"], _LARGEST_NORM)
        parts.optimiser.step()
        parts.schedule.step()
        update_ema(self._averaged, self._network, ema_decay(self._config.average, number))
        return {name: value.detach() for name, value in (losses | {"total": total}).items()}
