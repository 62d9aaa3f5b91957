"""The stage that teaches labels of whole images to Expert0."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hmar.model.network import HmarNetwork
from hmar.training.config import TrainingConfig
from hmar.training.data.group_sampler import GroupSampler, Rows
from hmar.training.data.views import Told
from hmar.training.heads.code_layer import code_layer
from hmar.training.labels.material import Material, silent
from hmar.training.labels.quality import mean_average_precision
from hmar.training.loop import Loop, Work
from hmar.training.losses.class_codes import nested_codes
from hmar.training.losses.functional.centre import centre_loss
from hmar.training.losses.functional.nested import code_lengths, nested
from hmar.training.stages import Stage

_AT_ONCE = 1024
"""Images whose codes are computed at a time; bounds memory, changes no figure."""

_LEAST_DEVIATION = 1e-3
"""A bit that hardly varies is not scaled up beyond this: it would be rounding noise."""

_MOST_QUERIES, _MOST_GALLERY = 1000, 4000
"""Images that validation looks at, at most."""

Batch = tuple[Tensor, Tensor]
"""Pooled parts (B, C, 3, 3), and labels (B,)."""


class LabelWork(Work):
    """Trains Expert0 on images whose maps are pooled already, by class centres.

    Logits are normalised over each batch, so that every bit is 1 in about half of the images; in the end, the
    network takes over the normalisation. A batch has every label equally often, patients in proportion to the
    root of their images, and any of an image's looks. What a step draws depends on the seed and its number
    alone.

    Parameters
    ----------
    network : HmarNetwork
    make : callable
        Makes the images to train on, when they are first needed: by then, a run that is resumed has its
        backbone.
    config : TrainingConfig
    device : torch.device
    learns_all : bool
        Whether in the end the held-out patients are learnt from, too: Expert0 is trained again, from where
        this stage began, on all patients and for the steps that were best for those held out.
    told : callable
        Called with (done, total) while it does.
    """

    stage = Stage.LABELS
    keeps_better_start = True

    def __init__(
        self,
        network: HmarNetwork,
        make: Callable[[], Material],
        config: TrainingConfig,
        device: torch.device,
        *,
        learns_all: bool = True,
        told: Told = silent,
    ) -> None:
        self._network, self._make, self._config, self._device = network, make, config, device
        self._learns_all, self._told = learns_all, told
        self._first: dict[str, Tensor] = {}
        self._lengths = code_lengths(config.short_share)

    @cached_property
    def _material(self) -> Material:
        return self._make()

    def begin(self) -> None:
        """Draw the codes of labels, and who asks for whom in validation."""
        if not self._first:
            expert = self._network.global_expert
            self._first = {name: tensor.clone() for name, tensor in expert.state_dict().items()}
        labels, config = self._material.labels, self._config
        codes = nested_codes(labels.count, self._lengths, np.random.default_rng(config.seed)).to(self._device)
        self._directions = [F.normalize(codes[:, :bits], dim=1) for bits in self._lengths]
        self._learnt = np.flatnonzero(~self._material.held_out)
        self._sampler = GroupSampler(labels.label[self._learnt], labels.patient[self._learnt])
        rng = np.random.default_rng(config.seed)
        self._queries = _some(np.flatnonzero(self._material.held_out), _MOST_QUERIES, rng)
        self._gallery = _some(self._learnt, _MOST_GALLERY, rng)

    def parameters(self) -> list[dict[str, Any]]:
        """Return Expert0's."""
        expert = self._network.global_expert
        return [
            {
                "params": [weights for weights in expert.parameters() if weights.requires_grad],
                "lr": self._config.learning_rate,
            }
        ]

    def batches(self, numbers: range) -> Generator[Batch]:
        """Draw images."""
        material, size = self._material, min(self._config.label_batch, len(self._learnt))
        for number in numbers:
            rng = np.random.default_rng((self._config.seed, int(self.stage), number))
            rows = self._learnt[self._sampler.draw(size, rng)]
            looks = rng.integers(len(material.parts), size=size)
            yield material.parts[looks, rows], torch.from_numpy(material.labels.label[rows])

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss to the labels' codes, of logits normalised over the batch, at both lengths."""
        config = self._config
        parts, label = (part.to(self._device, non_blocking=True) for part in batch)
        logits = F.batch_norm(self._network.global_expert(parts.float()), None, None, training=True)
        target = F.one_hot(label, self._material.labels.count).float()
        centres = [
            centre_loss(logits[:, :bits], target, directions, config.scale, config.margin).mean()
            for bits, directions in zip(self._lengths, self._directions, strict=True)
        ]
        return {"centres": nested(centres, config.short_share)}

    @torch.no_grad()
    def validate(self, averaged: HmarNetwork) -> float | None:
        """Return the mean average precision of held-out patients' images, the mean over code lengths.

        They ask for the images that are trained on, all of them as the product encodes them.
        """
        if not len(self._queries):
            return None
        averaged.eval()
        label = torch.from_numpy(self._material.labels.label)
        sides = (self._queries, self._gallery)
        asked, known = (self._logits(averaged, rows) for rows in sides)
        asked_for, there = (label[rows] for rows in sides)
        middle = known.mean(dim=0)
        found = [
            mean_average_precision((asked - middle)[:, :bits], (known - middle)[:, :bits], asked_for, there)
            for bits in self._lengths
        ]
        mean = sum(found) / len(found)
        return None if math.isnan(mean) else mean

    def finish(self, kept_step: int) -> None:
        """Learn from all patients, and make the network normalise its logits by the images that it learnt."""
        if kept_step and self._learns_all and len(self._queries):
            self._learn_all(kept_step)
        else:
            self._normalise()

    def _learn_all(self, steps: int) -> None:
        """Train again, on everybody; there is nobody left to choose by."""
        nobody = np.zeros(len(self._material.held_out), np.bool_)
        everybody = replace(self._material, held_out=nobody)
        work = LabelWork(self._network, lambda: everybody, self._config, self._device)
        self._network.global_expert.load_state_dict(self._first)
        loop = Loop(self._network, self._config, self._device)
        loop.run(work, lambda step: self._told(step.number, step.total), until=steps)

    @torch.no_grad()
    def _normalise(self) -> None:
        logits = self._logits(self._network, self._learnt)
        scale = logits.std(dim=0).clamp(min=_LEAST_DEVIATION).reciprocal()
        layer = code_layer(self._network.global_expert.head)
        layer.rescale(logits.mean(dim=0).to(self._device), scale.to(self._device))

    def state(self) -> dict[str, Any]:
        """Return where Expert0 began; seed and number determine what a step draws."""
        return {"first": self._first}

    def restore(self, state: dict[str, Any]) -> None:
        """Set where Expert0 began."""
        self._first = state["first"]

    def _logits(self, network: HmarNetwork, rows: Rows) -> Tensor:
        seen = torch.split(self._material.parts[0][rows], _AT_ONCE)
        return torch.cat([network.global_expert(part.to(self._device).float()).cpu() for part in seen])


def _some(rows: Rows, count: int, rng: np.random.Generator) -> Rows:
    return np.sort(rng.permutation(rows)[:count])
