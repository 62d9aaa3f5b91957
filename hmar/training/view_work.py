"""What the stages on views train: places, structures and labels, on pairs of views of slices."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hmar.model.network import HmarNetwork
from hmar.training.config import TrainingConfig
from hmar.training.data.pairs import PairBatch, PairSampler
from hmar.training.feature_maps import FeatureMaps
from hmar.training.loop import Work
from hmar.training.losses.objective import Objective
from hmar.training.sources import Source
from hmar.training.stages import Stage
from hmar.training.validation.labels import LabelValidation
from hmar.training.validation.places import Validation


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Everything that the stages on views share.

    Parameters
    ----------
    network : HmarNetwork
    config : TrainingConfig
    sampler : PairSampler
        Of the views that are kept.
    source : Source
        Of batches.
    maps : FeatureMaps
        Of the views that are kept.
    objective : Objective
    places : Validation
    labels : LabelValidation, optional
    """

    network: HmarNetwork
    config: TrainingConfig
    sampler: PairSampler
    source: Source
    maps: FeatureMaps
    objective: Objective
    places: Validation
    labels: LabelValidation | None


class ViewWork(Work):
    """One stage on views.

    Parameters
    ----------
    stage : Stage
    views : Views
    """

    def __init__(self, stage: Stage, views: Views) -> None:
        self.stage, self._views = stage, views
        self.keeps_better_start = stage is Stage.EXPERTS

    def begin(self) -> None:
        """Compute the feature maps once, where the backbone no longer changes."""
        if self.stage is Stage.EXPERTS:
            self._views.maps.cache(self._views.network.backbone)

    def parameters(self) -> list[dict[str, Any]]:
        """Return experts and router, and the backbone's last blocks where they are trained."""
        config = self._views.config
        modules = self._views.objective.modules(regions=self.stage.regions)
        heads = [p for module in modules for p in module.parameters() if p.requires_grad]
        groups: list[dict[str, Any]] = [{"params": heads, "lr": config.learning_rate}]
        tail = self._views.network.backbone.tail_modules()
        if tail and self.stage.trains_backbone(config):
            tuned = [p.requires_grad_() for module in tail for p in module.parameters()]
            groups.append({"params": tuned, "lr": config.backbone_rate})
        return groups

    def batches(self, numbers: range) -> Generator[PairBatch]:
        """Give pairs of views."""
        return self._views.source.batches(self.stage, numbers)

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        """Encode a batch and return its losses."""
        maps = self._views.source.maps(batch, self._views.network.backbone)
        return self._views.objective.losses(maps, batch, regions=self.stage.regions)

    def validate(self, averaged: HmarNetwork) -> float | None:
        """Return the share of what is found again; None in stage 1, and where nothing is held out."""
        if not self.stage.regions:
            return None

        def maps(views: NDArray[np.int64]) -> Tensor:
            return self._views.maps(views, averaged.backbone)

        measures = (self._views.places, self._views.labels)
        found = [measure.measure(averaged, maps) for measure in measures if measure]
        known = [share for share in found if share is not None]
        return float(np.mean(known)) if known else None

    def finish(self, kept_step: int) -> None:
        """Do nothing: all that was learnt is in the weights."""

    def state(self) -> dict[str, Any]:
        """Return the states of losses and sampler."""
        return {"objective": self._views.objective.state(), "sampler": self._views.sampler.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Set both."""
        self.take_over(state)
        self._views.sampler.restore(state["sampler"])

    def take_over(self, state: dict[str, Any]) -> None:
        """Set the losses to the state that an earlier stage left."""
        self._views.objective.restore(state["objective"])
