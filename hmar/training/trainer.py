"""The training loop on cached views: stage by stage, a step at a time."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hmar.model.backbones.base import Backbone
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.training.checkpoint import Parts, Progress, State
from hmar.training.config import TrainingConfig
from hmar.training.data.pairs import PairBatch, PairConfig, PairSampler
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.ema import ema_decay, update_ema
from hmar.training.feature_maps import FeatureMaps
from hmar.training.initialisation import initialise
from hmar.training.losses.functional.nested import code_lengths
from hmar.training.losses.objective import Objective
from hmar.training.reports import Report, Reports, Step
from hmar.training.sources import CachedSource, Fresh, FreshSource, Source
from hmar.training.split import Split
from hmar.training.stages import Stage
from hmar.training.trainable import BuildNetwork, trainable_network
from hmar.training.validation.labels import LabelValidation
from hmar.training.validation.places import Validation

_LARGEST_NORM = 2.0
"""Gradients of each parameter group are clipped to this norm, so that one odd batch cannot throw a run off.
The value is a convention of the field, where 1 to 5 are usual."""

_WARM_UP_SHARE = 0.1
"""Share of a stage's steps in which the learning rate rises: a convention of the one-cycle schedule."""

Keep = Callable[[State], None]


class Trainer:
    """Trains a network on views, which the backbone's stem has encoded once and for all, or on new ones.

    Parameters
    ----------
    network : NetworkConfig
    backbone : Backbone
        Published weights, batch norms not folded; copied. Views are the outputs of its stem.
    config : TrainingConfig
    pairs : PairConfig
    views : ViewSet
    volumes : list of Volume
    device : str
        Where to train.
    build : BuildNetwork
        Builds the network that is trained.
    fresh : Fresh, optional
        Makes new views for every step; the heads' start and validation stay with ``views``. Without it, steps
        draw from ``views``, too.
    """

    def __init__(
        self,
        network: NetworkConfig,
        backbone: Backbone,
        config: TrainingConfig,
        pairs: PairConfig,
        views: ViewSet,
        volumes: list[Volume],
        device: str = "cpu",
        build: BuildNetwork = trainable_network,
        fresh: Fresh | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        rng = np.random.default_rng(config.seed)
        self._device, self._config = torch.device(device), config
        self.network = build(network).to(self._device)
        self.network.backbone.load_state_dict(backbone.state_dict())
        self.network.backbone.eval().requires_grad_(False)
        self._maps = FeatureMaps(views, self._device)
        drawn_from = views if fresh is None else fresh.slices
        whole = Split.of(drawn_from, volumes, config)
        kept = whole if fresh is None else whole.take(fresh.rows, views)
        self._sampler = PairSampler(views, volumes, pairs, rng, kept.learnt, kept.labels)
        self._objective = Objective(
            self.network, config, drawn_from, volumes, whole.labels, rng, self._device
        )
        self._source: Source = CachedSource(self._sampler, self._maps, config)
        if fresh is not None:
            sampler = PairSampler(
                fresh.slices, volumes, pairs, rng, whole.learnt, whole.labels, pairs_a_slice_with_itself=True
            )
            self._source = FreshSource(sampler, fresh, volumes, config, self._device)
        self._validation = Validation.of(views, volumes, pairs, kept.places, config)
        lengths = code_lengths(config.short_share)
        self._label_validation = LabelValidation.of(
            kept.labels, kept.patients, kept.learnt, lengths, config.seed
        )
        generator = torch.Generator().manual_seed(config.seed)
        initialise(self.network, self._sampler, self._maps, config.initial_batches, generator)
        self._averaged = copy.deepcopy(self.network)

    def run(
        self,
        report: Report,
        stages: Sequence[Stage] = tuple(Stage),
        state: State | None = None,
        keep: Keep | None = None,
    ) -> HmarNetwork:
        """Run stages and return the trained network, on the processor.

        Parameters
        ----------
        report : callable
            Called after each step.
        stages : sequence of Stage
            Ascending.
        state : dict, optional
            Where an interrupted run stood, as ``keep`` was given it.
        keep : callable, optional
            Called with the state every ``evaluate_every`` steps, and after a stage's last.
        """
        for stage in stages:
            if state is not None and state["stage"] > stage:
                continue
            if state is not None and state["stage"] < stage:
                self.network.load_state_dict(state["kept"])
                self._objective.restore(state["objective"])
                state = None
            if stage.steps(self._config):
                self._stage(stage, report, state, keep)
            state = None
        return self.network.cpu().eval()

    def _stage(self, stage: Stage, report: Report, state: State | None, keep: Keep | None) -> None:
        config, steps = self._config, stage.steps(self._config)
        parts = self._parts(stage)
        self._averaged.load_state_dict(self.network.state_dict())
        if state is None:
            progress = Progress(copy.deepcopy(self._averaged.state_dict()))
        else:
            progress = parts.restore(state)
        if stage is Stage.EXPERTS:
            self._maps.cache(self.network.backbone)
            if state is None:  # the weights that stage 2 left are replaced by better ones only
                found = self._validate(stage)
                progress.best = progress.best if found is None else found
        numbers = range(progress.step + 1, steps + 1)
        told = Reports(report, self._device)
        with closing(self._source.batches(stage, numbers)) as batches:
            for number in numbers:
                if progress.waited >= config.patience:
                    break
                begun = time.perf_counter()
                batch = next(batches)
                waited_ms = 1000 * (time.perf_counter() - begun)
                losses = self._step(parts, batch, number, stage)
                step_ms = 1000 * (time.perf_counter() - begun)
                due = number % config.evaluate_every == 0 or number == steps
                found = self._validate(stage) if due else None
                told.add(Step(stage, number, steps, {}, found, waited_ms, step_ms), losses)
                if due:
                    told.flush()
                    progress.step = number
                    progress.note(found, self._averaged)
                    if keep is not None:
                        keep(parts.state(stage, progress))
        self.network.load_state_dict(progress.kept)

    def _parts(self, stage: Stage) -> Parts:
        """Return what a stage changes; it has an optimiser and a schedule of its own."""
        optimiser = torch.optim.AdamW(self._parameters(stage), weight_decay=self._config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            [group["lr"] for group in optimiser.param_groups],
            total_steps=stage.steps(self._config) + 1,  # a rate before each step, and one after the last
            pct_start=_WARM_UP_SHARE,
        )
        return Parts(
            self.network, self._averaged, optimiser, schedule, self._objective, self._sampler, self._device
        )

    def _parameters(self, stage: Stage) -> list[dict[str, Any]]:
        """Return what a stage trains, with its learning rates."""
        config = self._config
        modules = self._objective.modules(regions=stage.regions)
        heads = [p for module in modules for p in module.parameters() if p.requires_grad]
        groups: list[dict[str, Any]] = [{"params": heads, "lr": config.learning_rate}]
        tail = self.network.backbone.tail_modules()
        if tail and stage.trains_backbone(config):
            tuned = [p.requires_grad_() for module in tail for p in module.parameters()]
            groups.append({"params": tuned, "lr": config.backbone_rate})
        return groups

    def _step(self, parts: Parts, batch: PairBatch, number: int, stage: Stage) -> dict[str, Tensor]:
        """Make one step, and return its losses, which nobody has waited for."""
        maps = self._source.maps(batch, self.network.backbone)
        losses = self._objective.losses(maps, batch, regions=stage.regions)
        total = torch.stack(list(losses.values())).sum()
        parts.optimiser.zero_grad()
        torch.autograd.backward(total)
        for group in parts.optimiser.param_groups:
            nn.utils.clip_grad_norm_(group["params"], _LARGEST_NORM)
        parts.optimiser.step()
        parts.schedule.step()
        update_ema(self._averaged, self.network, ema_decay(self._config.average, number))
        return {name: value.detach() for name, value in (losses | {"total": total}).items()}

    def _validate(self, stage: Stage) -> float | None:
        """Return how well the averaged weights do; None in stage 1, and where nothing is held out."""
        if not stage.regions:
            return None

        def maps(views: NDArray[np.int64]) -> Tensor:
            return self._maps(views, self._averaged.backbone)

        measures = (self._validation, self._label_validation)
        found = [measure.measure(self._averaged, maps) for measure in measures if measure]
        known = [share for share in found if share is not None]
        return float(np.mean(known)) if known else None
