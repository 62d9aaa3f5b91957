"""The objective of training: a weighted sum of losses, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hmar.model.network import HmarNetwork
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import ImageLabels
from hmar.training.data.pairs import PairBatch
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.losses.code_quality import CodeQuality
from hmar.training.losses.context import Context, Seen
from hmar.training.losses.image_labels import ImageLabelLoss
from hmar.training.losses.loss import Loss
from hmar.training.losses.places import GatedPlaces
from hmar.training.losses.registry import LOSSES

_STATES = {"level": GatedPlaces.name, "labels": ImageLabelLoss.name}
"""Names of losses that have a state, by their keys in checkpoints."""


class Objective:
    """The losses of a network on batches of views.

    Parameters
    ----------
    network : HmarNetwork
        The one that is trained; not copied.
    config : TrainingConfig
    views : ViewSet
    volumes : list of Volume
    labels : ImageLabels
        Of the views.
    rng : numpy.random.Generator
        Draws the codes of structures and labels.
    device : torch.device
    """

    def __init__(
        self,
        network: HmarNetwork,
        config: TrainingConfig,
        views: ViewSet,
        volumes: list[Volume],
        labels: ImageLabels,
        rng: np.random.Generator,
        device: torch.device,
    ) -> None:
        self._context = Context.of(network, config, views, volumes, labels, rng, device)
        built = {name: loss.of(self._context) for name, loss in LOSSES.items()}
        self._losses: dict[str, Loss] = {
            name: loss.to(device) for name, loss in built.items() if loss is not None
        }

    def weights(self, *, regions: bool) -> dict[str, float]:
        """Return the weights of the losses that count, by name."""
        weights = {name: loss.weight(regions=regions) for name, loss in self._losses.items()}
        return {name: weight for name, weight in weights.items() if weight > 0}

    def losses(self, maps: Tensor, batch: PairBatch, *, regions: bool) -> dict[str, Tensor]:
        """Return the weighted losses of a batch by name.

        Parameters
        ----------
        maps : Tensor, shape (2 M, C, h, w)
            The backbone's, of all first views, then of all second.
        batch : PairBatch
        regions : bool
            Whether windows are compared, as in stages 2 and 3.
        """
        seen = Seen(self._context, maps, batch, regions=regions)
        counted = self.weights(regions=regions)
        # Gradients add up in the order in which losses are computed, and rounding depends on that order: it
        # is part of what a seed reproduces. Bit quality comes last, after labels have used the windows.
        order = sorted(counted, key=lambda name: name == CodeQuality.name)
        found = {name: self._losses[name](seen) for name in order}
        return {name: found[name] for name in counted if found[name] is not None}

    def modules(self, *, regions: bool) -> list[nn.Module]:
        """Return the modules that are trained, but for the backbone; labels train Expert1 in every stage."""
        network, labels = self._context.network, self._losses.get(ImageLabelLoss.name)
        modules: list[nn.Module] = [network.global_expert, network.router]
        if regions or labels is not None:
            modules.append(network.local_expert)
        return modules if labels is None else [*modules, labels]

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold besides the network."""
        return {
            key: self._losses[name].state() if name in self._losses else None for key, name in _STATES.items()
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Set what :meth:`state` returned."""
        for key, name in _STATES.items():
            if name in self._losses:
                self._losses[name].restore(state[key])
