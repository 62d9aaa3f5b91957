"""The stages of training on cached views: first whole images, then regions, last the experts alone.

Most of a step's time goes into the backbone's tail. So the experts get to see many more windows once the
tail is left as it is and its maps are made once: stage 2 ends with that, which is stage 3 here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hmar.model.backbones.base import Backbone
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import ImageLabels
from hmar.training.data.pairs import PairBatch, PairConfig, PairSampler
from hmar.training.data.pooling import pool_windows
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.ema import follow
from hmar.training.heads.initial import initialise_head, initialise_projection
from hmar.training.heads.kan_layer import TrainableKAN
from hmar.training.losses.objective import Objective
from hmar.training.losses.terms import code_lengths
from hmar.training.validation.labels import LabelValidation
from hmar.training.validation.places import Validation, held_out

ALL = IMAGES, REGIONS, SETTLING = 1, 2, 3
_CLIP = 2.0
_AT_ONCE = 16
"""Views that the tail is run over at a time."""

BuildNetwork = Callable[[NetworkConfig], HmarNetwork]
"""Makes a network in the form that trains: its heads end with a layer of that form."""


def trainable_network(config: NetworkConfig) -> HmarNetwork:
    """Return a network with KAN layers in the form that trains."""
    return HmarNetwork(config, kan=TrainableKAN)


@dataclass(frozen=True, slots=True)
class Step:
    """One step's figures: its stage (1 to 3), number, losses by name, and what validation found, if any."""

    stage: int
    number: int
    total: int
    losses: dict[str, float]
    validation: float | None = None


class Trainer:
    """Trains the experts, the router and the backbone's tail on cached views.

    Parameters
    ----------
    network : NetworkConfig
    backbone : Backbone
        Published weights, batch norms not folded. Its stem made the views; its tail is trained on a copy.
    config : TrainingConfig
    pairs : PairConfig
    views : ViewSet
    volumes : list of Volume
    device : str
        Where to train.
    build : BuildNetwork
        Makes the network that is trained.
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
    ) -> None:
        torch.manual_seed(config.seed)
        rng = np.random.default_rng(config.seed)
        self._device = torch.device(device)
        self._config, self._views, self._volumes = config, views, volumes
        self.network = build(network).to(self._device)
        self.network.backbone.load_state_dict(backbone.state_dict())
        self.network.backbone.eval().requires_grad_(False)
        labels = ImageLabels.of(views, volumes, config)
        asked = labels.held_out()
        places = held_out(views)
        places &= ~labels.wholly_in(places | asked)
        learnt = ~(places | asked)
        self._sampler = PairSampler(views, volumes, pairs, rng, learnt, labels)
        self._objective = Objective(self.network, config, views, volumes, labels, rng, self._device)
        self._validation = Validation.of(views, volumes, pairs, places, config)
        self._label_validation = LabelValidation.of(
            labels, asked, learnt, code_lengths(config.short_share), config.seed
        )
        self._settled: Tensor | None = None
        self._initialise()
        self._averaged = copy.deepcopy(self.network)

    @torch.no_grad()
    def _initialise(self) -> None:
        """Start from components that tell places apart, and ITQ, on a sample of windows and frames."""
        generator = torch.Generator().manual_seed(self._config.seed)
        batches = [self._sampler.draw() for _ in range(self._config.initial_batches)]
        chosen = np.concatenate([batch.first[:8] for batch in batches])
        cells = torch.cat([self._cells(part) for part in np.array_split(chosen, len(batches))])
        sample = cells[torch.randperm(len(cells), generator=generator)[:20_000]]
        for expert in (self.network.local_expert, self.network.global_expert):
            initialise_projection(expert.project, sample)
        windows, frames = zip(*(self._seen_twice(batch) for batch in batches), strict=True)
        for head, pairs in (
            (self.network.local_expert.head, windows),
            (self.network.global_expert.head, frames),
        ):
            first, second = (torch.cat(views) for views in zip(*pairs, strict=True))
            initialise_head(head, first, second, generator)

    def _cells(self, views: NDArray[np.int64]) -> Tensor:
        """Return the backbone's features (n, C) of the cells that show something."""
        return self._backbone_maps(views).permute(0, 2, 3, 1)[self._views.content[views]].cpu()

    def _backbone_maps(self, views: NDArray[np.int64], network: HmarNetwork | None = None) -> Tensor:
        """Run the backbone's tail, of the network that is trained or another, or look up: (M, C, 32, 32)."""
        if self._settled is not None:
            return self._settled[views].to(self._device).float()
        return self._tail_of(self._views.maps[views], network or self.network)

    def _tail_of(self, maps: Tensor, network: HmarNetwork) -> Tensor:
        maps = maps.to(self._device, memory_format=torch.channels_last).float()
        return network.backbone.tail(maps)

    @torch.no_grad()
    def _settle(self) -> None:
        """Run the backbone's tail over all views, for the last time; nothing to do where there is none."""
        if not self.network.backbone.tail_modules():
            return
        maps, cells = self._views.maps, self._views.content.shape[1:]
        # One allocation: maps are not held twice.
        settled = torch.empty(len(maps), self.network.backbone.channels, *cells, dtype=torch.float16)
        for first in range(0, len(maps), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            settled[some] = self._tail_of(maps[some], self.network)
        self._settled = settled

    def _seen_twice(self, batch: PairBatch) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Return the features of a batch's windows, and those of its frames, each in two views."""
        maps = [self._backbone_maps(views) for views in (batch.first, batch.second)]
        weights = (batch.first_weights, batch.second_weights)
        seen = self.network.local_expert.seen
        mapped = (self.network.local_expert.map(each) for each in maps)
        first, second = (
            seen(pool_windows(each, of.to(self._device))).cpu()
            for each, of in zip(mapped, weights, strict=True)
        )
        whole = self.network.global_expert.pool
        return (first, second), (whole(maps[0]).cpu(), whole(maps[1]).cpu())

    def run(
        self,
        report: Callable[[Step], None],
        stages: Sequence[int] = ALL,
        state: dict[str, Any] | None = None,
        keep: Callable[[dict[str, Any]], None] | None = None,
    ) -> HmarNetwork:
        """Run stages and return the trained network, on the processor.

        Parameters
        ----------
        report : callable
            Called after each step.
        stages : sequence of int
            Of 1, 2 and 3, ascending.
        state : dict, optional
            Where an interrupted run stood, as ``keep`` was given it.
        keep : callable, optional
            Called with the state whenever validation has looked.
        """
        for stage in stages:
            if state is not None and state["stage"] > stage:
                continue
            if state is not None and state["stage"] < stage:
                self.network.load_state_dict(state["kept"])
                self._objective.restore(state["objective"])
                state = None
            if self._steps(stage):
                self._stage(stage, self._steps(stage), report, state, keep)
            state = None
        return self.network.cpu().eval()

    def _steps(self, stage: int) -> int:
        config = self._config
        steps = {IMAGES: config.image_steps, REGIONS: config.region_steps, SETTLING: config.settle_steps}
        return steps[stage]

    def _stage(
        self,
        stage: int,
        steps: int,
        report: Callable[[Step], None],
        state: dict[str, Any] | None,
        keep: Callable[[dict[str, Any]], None] | None,
    ) -> None:
        optimiser = torch.optim.AdamW(self._parameters(stage), weight_decay=self._config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            [group["lr"] for group in optimiser.param_groups],
            total_steps=max(steps, 1) + 1,
            pct_start=0.1,
        )
        self._averaged.load_state_dict(self.network.state_dict())
        best, waited, done = -1.0, 0, 0
        kept = copy.deepcopy(self._averaged.state_dict())
        if state is not None:
            self._restore(state, optimiser, schedule)
            best, waited, done, kept = state["best"], state["waited"], state["step"], state["kept"]
        if stage == SETTLING:
            self._settle()
            if state is None:
                found = self._look(stage)
                best = best if found is None else found  # what stage 2 reached is not given up for less
        for number in range(done + 1, steps + 1):
            if waited >= self._config.patience:
                break
            losses = self._step(optimiser, schedule, number, stage)
            looks = number % self._config.evaluate_every == 0 or number == steps
            found = self._look(stage) if looks else None
            report(Step(stage, number, steps, losses, found))
            if not looks:
                continue
            # Without anything held out, or in stage 1, the last weights are the best known.
            better = found is None or found > best
            best, waited = (best if found is None else found, 0) if better else (best, waited + 1)
            if better:
                kept = copy.deepcopy(self._averaged.state_dict())
            if keep is not None:
                keep(self._state(stage, number, best, waited, kept, optimiser, schedule))
        self.network.load_state_dict(kept)

    def _look(self, stage: int) -> float | None:
        """Return what validation finds; None in stage 1, and where nothing is held out."""
        if stage == IMAGES:
            return None

        def maps(views: NDArray[np.int64]) -> Tensor:
            return self._backbone_maps(views, self._averaged)

        found = [
            look.measure(self._averaged, maps) for look in (self._validation, self._label_validation) if look
        ]
        known = [share for share in found if share is not None]
        return float(np.mean(known)) if known else None

    def _parameters(self, stage: int) -> list[dict[str, Any]]:
        """Return what a stage trains, with its learning rates."""
        config, network = self._config, self.network
        modules = self._objective.modules(regions=stage > IMAGES)
        heads = [p for module in modules for p in module.parameters() if p.requires_grad]
        groups: list[dict[str, Any]] = [{"params": heads, "lr": config.learning_rate}]
        tail = network.backbone.tail_modules()
        if stage == REGIONS and tail and config.backbone_rate > 0:
            tuned = [p.requires_grad_() for module in tail for p in module.parameters()]
            groups.append({"params": tuned, "lr": config.backbone_rate})
        return groups

    def _step(
        self,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        number: int,
        stage: int,
    ) -> dict[str, float]:
        batch = self._sampler.draw(self._config.settle_pairs if stage == SETTLING else None)
        losses = self._losses(batch, regions=stage > IMAGES)
        total = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        torch.autograd.backward(total)
        for group in optimiser.param_groups:
            nn.utils.clip_grad_norm_(group["params"], _CLIP)
        optimiser.step()
        schedule.step()
        follow(self._averaged, self.network, min(self._config.average, number / (number + 9)))
        return {name: float(value.detach()) for name, value in losses.items()} | {
            "total": float(total.detach())
        }

    def _losses(self, batch: PairBatch, *, regions: bool) -> dict[str, Tensor]:
        maps = self._backbone_maps(np.concatenate([batch.first, batch.second]))
        return self._objective.losses(maps, batch, regions=regions)

    def _state(
        self,
        stage: int,
        step: int,
        best: float,
        waited: int,
        kept: dict[str, Tensor],
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> dict[str, Any]:
        """Return all that the next step depends on, in types that load without pickled code."""
        return {
            "stage": stage,
            "step": step,
            "best": best,
            "waited": waited,
            "kept": kept,
            "network": self.network.state_dict(),
            "averaged": self._averaged.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "objective": self._objective.state(),
            "sampler": self._sampler.state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None,
        }

    def _restore(
        self,
        state: dict[str, Any],
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> None:
        self.network.load_state_dict(state["network"])
        self._averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        self._objective.restore(state["objective"])
        self._sampler.restore(state["sampler"])
        torch.set_rng_state(state["torch"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self._device)
