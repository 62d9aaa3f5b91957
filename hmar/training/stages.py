"""The two stages of training on cached views: first whole images, then regions, with the trunk frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hmar.model.config import PARTS, NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.router import Routing
from hmar.model.tags import modality_index
from hmar.training.initial import initialise_head, initialise_projection
from hmar.training.kan_layer import TrainableKAN
from hmar.training.losses import NESTED_BITS, bit_quality, contrastive
from hmar.training.pairs import PairBatch, PairConfig, PairSampler, may_push_apart
from hmar.training.views import ViewSet
from hmar.training.volumes import Volume

_SAMPLE_BATCHES = 60


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What a training run is made of, besides its data.

    Parameters
    ----------
    image_steps, region_steps : int
        Length of stage 1 (whole images and router) and stage 2 (regions; the router's gates weigh both
        experts).
    learning_rate, weight_decay : float
        AdamW, with a cosine schedule over each stage.
    temperature : float
        Of the contrastive losses.
    bit_weight, gate_entropy_weight : float
        Weights of bit quality, and of keeping both experts in play.
    tag_drop : float
        Share of frames whose modality and body part are hidden from the router.
    seed : int
        Seeds everything drawn.
    """

    image_steps: int = 50
    region_steps: int = 150
    learning_rate: float = 2e-4
    weight_decay: float = 1e-2
    temperature: float = 0.1
    bit_weight: float = 0.5
    gate_entropy_weight: float = 0.5
    tag_drop: float = 0.5
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Step:
    """One step's figures: its stage (1 or 2), number, and losses by name."""

    stage: int
    number: int
    total: int
    losses: dict[str, float]


class Trainer:
    """Trains the experts and the router on cached views.

    Parameters
    ----------
    network : NetworkConfig
    config : TrainingConfig
    pairs : PairConfig
    views : ViewSet
    volumes : list of Volume
    """

    def __init__(
        self,
        network: NetworkConfig,
        config: TrainingConfig,
        pairs: PairConfig,
        views: ViewSet,
        volumes: list[Volume],
    ) -> None:
        torch.manual_seed(config.seed)
        self.network = HmarNetwork(network, kan=TrainableKAN)
        self._config, self._views, self._volumes = config, views, volumes
        self._sampler = PairSampler(views, volumes, pairs, np.random.default_rng(config.seed))
        self._modality = np.array([modality_index(volume.modality) for volume in volumes])
        self._level: dict[str, Tensor] = {}
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        """Start from components that tell places apart, and ITQ, on a sample of windows and frames."""
        generator = torch.Generator().manual_seed(self._config.seed)
        batches = [self._sampler.draw() for _ in range(_SAMPLE_BATCHES)]
        chosen = np.concatenate([batch.first[:8] for batch in batches])
        cells = self._views.maps[chosen].float().permute(0, 2, 3, 1)[self._views.content[chosen]]
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

    def _seen_twice(self, batch: PairBatch) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Return the features of a batch's windows, and those of its frames, each in two views."""
        maps = [self._views.maps[views].float() for views in (batch.first, batch.second)]
        weights = (batch.first_weights, batch.second_weights)
        first, second = (self._pool(*view) for view in zip(maps, weights, strict=True))
        whole = self.network.global_expert.pool
        return (first, second), (whole(maps[0]), whole(maps[1]))

    def run(self, report: Callable[[Step], None]) -> HmarNetwork:
        """Run both stages and return the trained network."""
        stages = (
            (1, self._config.image_steps, [self.network.global_expert, self.network.router]),
            (
                2,
                self._config.region_steps,
                [self.network.local_expert, self.network.global_expert, self.network.router],
            ),
        )
        for stage, steps, modules in stages:
            for number, losses in enumerate(self._stage(stage, steps, modules), start=1):
                report(Step(stage, number, steps, losses))
        return self.network.eval()

    def _stage(self, stage: int, steps: int, modules: list[nn.Module]) -> Iterator[dict[str, float]]:
        parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(
            parameters, self._config.learning_rate, weight_decay=self._config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self._config.learning_rate, total_steps=max(steps, 1) + 1, pct_start=0.1
        )
        for _ in range(steps):
            losses = self._losses(self._sampler.draw(), regions=stage == 2)
            total = torch.stack(list(losses.values())).sum()
            optimiser.zero_grad()
            torch.autograd.backward(total)
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            yield {name: float(value.detach()) for name, value in losses.items()} | {
                "total": float(total.detach())
            }

    def _losses(self, batch: PairBatch, *, regions: bool) -> dict[str, Tensor]:
        first_map = self._views.maps[batch.first].float()
        second_map = self._views.maps[batch.second].float()
        routing, modality, region = self._route(first_map, batch.first)
        image_loss, image_quality = self._image_loss(first_map, second_map, batch)
        losses = {
            "modality": 0.2 * nn.functional.cross_entropy(routing.modality, modality),
            "region": 0.2 * nn.functional.cross_entropy(routing.region, region, ignore_index=-1),
            "codes": image_quality,
        }
        if not regions:
            return losses | {"image": image_loss.mean()}
        region_loss, region_quality = self._region_loss(first_map, second_map, batch)
        gate = routing.gate
        entropy = -(gate * gate.clamp_min(1e-6).log()).sum(dim=1).mean()
        return losses | {
            "gated": 2
            * (
                gate[:, 0] * self._relative("image", image_loss)
                + gate[:, 1] * self._relative("region", region_loss)
            ).mean(),
            "gate_entropy": -self._config.gate_entropy_weight * entropy,
            "codes": image_quality + region_quality,
        }

    def _route(
        self, trunk_map: Tensor, views: np.ndarray[tuple[int], np.dtype[np.int64]]
    ) -> tuple[Routing, Tensor, Tensor]:
        volume = self._views.volume[views]
        modality = torch.from_numpy(self._modality[volume])
        region = torch.tensor(
            [self._volumes[v].regions[p] for v, p in zip(volume, self._views.plane[views], strict=True)]
        )
        drop = torch.rand(2, len(views)) < self._config.tag_drop
        hidden = torch.full_like(modality, -1)
        routing = self.network.router(
            trunk_map, torch.where(drop[0], hidden, modality), torch.where(drop[1], hidden, region)
        )
        return routing, modality, region

    def _image_loss(self, first: Tensor, second: Tensor, batch: PairBatch) -> tuple[Tensor, Tensor]:
        expert = self.network.global_expert
        volume = self._views.volume[batch.first]
        z = self._views.z_mm[batch.first]
        place = np.column_stack([volume, np.zeros_like(z), np.zeros_like(z), z])
        return self._paired(expert(torch.cat([first, second])), may_push_apart(place, 30.0))

    def _region_loss(self, first: Tensor, second: Tensor, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Return the mean loss of each view's windows (M,), and the codes' quality."""
        windows = (self._pool(first, batch.first_weights), self._pool(second, batch.second_weights))
        half = batch.side_mm / 2
        negative = may_push_apart(batch.place, np.minimum.outer(half, half))
        loss, quality = self._paired(self.network.local_expert(torch.cat(windows)), negative)
        return loss.reshape(len(batch.first), -1).mean(dim=1), quality

    def _pool(self, trunk_map: Tensor, weights: Tensor) -> Tensor:
        """Pool the batch's windows: (M * n, width * 9)."""
        pooled_from = self.network.local_expert.map(trunk_map)  # (M, C, h, w)
        rows, columns = weights.reshape(2, len(trunk_map), -1, PARTS, weights.shape[-1])  # (M, n, 3, cells)
        pooled = torch.einsum("mnah,mchw,mnbw->mncab", rows, pooled_from, columns)
        return pooled.flatten(0, 1).flatten(1)

    def _paired(self, logits: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each pair (N,) and the codes' quality; rows are all first, then all second."""
        losses, quality = [], []
        for bits in NESTED_BITS:
            first, second = logits[:, :bits].chunk(2)
            losses.append(contrastive(first, second, negative, self._config.temperature))
            quality.append(self._config.bit_weight * bit_quality(logits[:, :bits]))
        return torch.stack(losses).mean(dim=0), torch.stack(quality).mean()

    def _relative(self, name: str, losses: Tensor) -> Tensor:
        """Return losses over their running mean: the gate compares experts, not scales of losses."""
        mean = losses.detach().mean()
        self._level[name] = 0.98 * self._level.get(name, mean) + 0.02 * mean
        return losses / self._level[name].clamp_min(1e-6)
