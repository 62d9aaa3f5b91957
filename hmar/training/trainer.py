"""A training: the network, what it is trained on, and its stages, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from hmar.model.backbones.base import Backbone
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.training.checkpoint import State
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import ImageLabels
from hmar.training.data.pairs import PairConfig, PairSampler
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.feature_maps import FeatureMaps
from hmar.training.initialisation import initialise
from hmar.training.labels.material import of_volumes
from hmar.training.labels.work import LabelWork
from hmar.training.loop import Keep, Loop, Work
from hmar.training.losses.functional.nested import code_lengths
from hmar.training.losses.objective import Objective
from hmar.training.reports import Progress, Report, unheard
from hmar.training.sources import CachedSource, Fresh, FreshSource, Source
from hmar.training.split import Split
from hmar.training.stages import Stage, learns_from_views
from hmar.training.trainable import BuildNetwork, trainable_network
from hmar.training.validation.labels import LabelValidation
from hmar.training.validation.places import Validation
from hmar.training.view_work import Views, ViewWork


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
    progress : callable
        Called while labelled images are encoded, and while Expert0 learns from all of them.
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
        progress: Progress = unheard,
    ) -> None:
        torch.manual_seed(config.seed)
        rng = np.random.default_rng(config.seed)
        self._device, self._config = torch.device(device), config
        self._volumes, self._progress = volumes, progress
        self.network = build(network).to(self._device)
        self.network.backbone.load_state_dict(backbone.state_dict())
        self.network.backbone.eval().requires_grad_(False)
        maps = FeatureMaps(views, self._device)
        drawn_from = views if fresh is None else fresh.slices
        whole = Split.of(drawn_from, volumes, config)
        kept = whole if fresh is None else whole.take(fresh.rows, views)
        sampler = PairSampler(views, volumes, pairs, rng, kept.learnt, kept.labels)
        objective = Objective(self.network, config, drawn_from, volumes, whole.labels, rng, self._device)
        source: Source = CachedSource(sampler, maps, config)
        if fresh is not None:
            every = PairSampler(
                fresh.slices, volumes, pairs, rng, whole.learnt, whole.labels, pairs_a_slice_with_itself=True
            )
            source = FreshSource(every, fresh, volumes, config, self._device)
        places = Validation.of(views, volumes, pairs, kept.places, config)
        lengths = code_lengths(config.short_share)
        labels = LabelValidation.of(kept.labels, kept.patients, kept.learnt, lengths, config.seed)
        generator = torch.Generator().manual_seed(config.seed)
        # Where labels are all, a random start is better (docs/experiments/labels-of-images.md).
        from_views = learns_from_views(config)
        initialise(self.network, sampler, maps, config.initial_batches, generator, whole=from_views)
        self._views = Views(self.network, config, sampler, source, maps, objective, places, labels)

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
        loop = Loop(self.network, self._config, self._device)
        for stage in stages:
            if state is not None and state["stage"] > stage:
                continue
            if state is not None and state["stage"] < stage:
                self.network.load_state_dict(state["kept"])
                self._take_over(state)
                state = None
            if stage.steps(self._config) and self._has_work(stage):
                loop.run(self._work(stage), report, state, keep)
            state = None
        return self.network.cpu().eval()

    def _has_work(self, stage: Stage) -> bool:
        return stage is not Stage.LABELS or ImageLabels.of_slices(self._volumes, self._config).count > 0

    def _work(self, stage: Stage) -> Work:
        if stage is not Stage.LABELS:
            return ViewWork(stage, self._views)
        backbone = self.network.backbone
        encoding = partial(self._progress, "encoding labelled images")
        learning = partial(self._progress, "learning from all of them")
        make = partial(of_volumes, self._volumes, backbone, self._config, self._device, encoding)
        return LabelWork(self.network, make, self._config, self._device, told=learning)

    def _take_over(self, state: State) -> None:
        """Set the losses to what an earlier stage left of them."""
        if state["work"]:
            ViewWork(Stage.IMAGES, self._views).take_over(state["work"])
