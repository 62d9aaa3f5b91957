"""One training run, from volumes to a sealed bundle; resumable."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.bundle import CARD, CONFIG, TYPICALITY, fingerprint, seal
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.serving.references import write_references
from hmar.model.weights import write_weights
from hmar.training.checkpoint import CHECKPOINT, State, read_checkpoint, run_key, write_checkpoint
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL, ImageLabels
from hmar.training.data.pairs import PairConfig
from hmar.training.data.views import ViewSet, make_views, slice_views
from hmar.training.data.volumes import Volume
from hmar.training.export.card import Origin, card
from hmar.training.export.curves import draw_curves
from hmar.training.export.fold import served_network
from hmar.training.export.serving_form import write_serving_form
from hmar.training.labels.width import frame_width
from hmar.training.log import TrainingLog, read_log
from hmar.training.memory import Need, need_of_fresh, need_of_kept
from hmar.training.reports import Progress, Step
from hmar.training.singles import VIEWS_OF_SAMPLE, slices_of_start, suited
from hmar.training.sources import Fresh
from hmar.training.split import Split
from hmar.training.stages import Stage, learns_from_views
from hmar.training.trainable import BuildNetwork, trainable_network
from hmar.training.trainer import Trainer
from hmar.training.typicality.card import with_typicality
from hmar.training.typicality.gathering import LOOKING, fit_references
from hmar.training.typicality.places import chosen, places_of_volumes

LOG = "training.jsonl"
CURVES = "training.png"

FRESH = 0
"""Views of each slice that are kept, where steps have new ones."""

_SAMPLE = 600
"""Slices whose views are kept in that case, for the heads' start and for validation: 1,200 views, 400 MB of
the smallest backbone. By the default settings validation draws 512 views, and the start 960."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train: all but the data.

    Parameters
    ----------
    config : TrainingConfig
    views_per_slice : int
        Views that are made of each slice.
    stages : tuple of Stage
        Ascending. A run without the last leaves its checkpoint, which another run may resume from.
    resume : bool
        Whether to resume from the checkpoint that an earlier run left.
    device : str
        "cpu" or "cuda".
    fresh : bool
        Whether views are rendered anew for every step. Then ``views_per_slice`` does not count.
    workers : int
        Processes that render them; 0 renders in the training process.
    memory : int, optional
        Bytes that views may take; by default all that are free.
    """

    config: TrainingConfig
    views_per_slice: int = 6
    stages: tuple[Stage, ...] = tuple(Stage)
    resume: bool = False
    device: str = "cpu"
    fresh: bool = False
    workers: int = 0
    memory: int | None = None


def train(
    out: Path, volumes: list[Volume], backbone: Backbone, origin: Origin, plan: Plan, progress: Progress
) -> str:
    """Train a model on volumes, write its folder, and return its fingerprint.

    Parameters
    ----------
    out : Path
        The model's folder; its name is the model's name.
    volumes : list of Volume
    backbone : Backbone
        Published weights.
    origin : Origin
        Where volumes and weights come from, for the card.
    plan : Plan
    progress : callable

    Raises
    ------
    ConfigError
        If a run is to be resumed and there is none, or one of other settings; if views do not fit into
        memory.
    OperatorError
        If a worker process that renders views ends or fails.
    """
    plan = replace(plan, config=suited(plan.config, volumes))
    resumed = read_checkpoint(out, _key(plan, volumes, backbone)) if plan.resume else None
    network = train_network(volumes, backbone, plan, progress, out, resumed)
    grid, windows = GridConfig(), WindowConfig()
    write_weights(out, out.name, served_network(network), grid, windows)
    settings = tomllib.loads((out / CONFIG).read_text())
    encoder = write_serving_form(out, progress)
    found = fit_references(encoder, chosen(places_of_volumes(volumes)), partial(progress, LOOKING))
    write_references(out / TYPICALITY, found.references)
    text = card(
        settings,
        plan.config,
        volumes,
        FRESH if plan.fresh else plan.views_per_slice,
        origin,
        read_log(out / LOG),
    )
    (out / CARD).write_text(with_typicality(text, found.fitted))
    draw_curves(out / LOG, out / CURVES)
    if Stage.LABELS in plan.stages:
        (out / CHECKPOINT).unlink(missing_ok=True)
    seal(out)
    return fingerprint(out)


def train_network(
    volumes: list[Volume],
    backbone: Backbone,
    plan: Plan,
    progress: Progress,
    out: Path | None = None,
    resumed: tuple[list[dict[str, Any]], State] | None = None,
    build: BuildNetwork = trainable_network,
) -> HmarNetwork:
    """Train a network on volumes.

    Parameters
    ----------
    volumes : list of Volume
    backbone : Backbone
        Published weights.
    plan : Plan
    progress : callable
    out : Path, optional
        Folder of the log and the checkpoint; without it, neither is written.
    resumed : tuple, optional
        Log and state of the run to resume.
    build : BuildNetwork
        Builds the network.
    """
    windows = WindowConfig()
    views, fresh = _views(volumes, fold_batch_norm(backbone).to(plan.device), plan, progress)
    pairs = PairConfig(plan.config.pairs, plan.config.windows, sides=windows.cells)
    trainer = Trainer(
        _sizes(volumes, backbone, plan.config),
        backbone,
        plan.config,
        pairs,
        views,
        volumes,
        plan.device,
        build,
        fresh,
        progress,
    )
    if out is None:
        return trainer.run(lambda step: _tell(step, progress), plan.stages)
    out.mkdir(parents=True, exist_ok=True)
    earlier, state = ([], None) if resumed is None else resumed
    key = _key(plan, volumes, backbone)
    with TrainingLog(out / LOG, earlier) as log:

        def report(step: Step) -> None:
            # Plain numbers: a checkpoint holds the log too, and is loaded without classes of ours.
            log.add(asdict(step) | {"stage": int(step.stage)})
            _tell(step, progress)

        def keep(reached: State) -> None:
            write_checkpoint(out, key, log.lines, reached)

        return trainer.run(report, plan.stages, state, keep)


def _sizes(volumes: list[Volume], backbone: Backbone, config: TrainingConfig) -> NetworkConfig:
    """Return the sizes of the network; a frame keeps all channels where labels of many images are learnt."""
    label = ImageLabels.of_slices(volumes, config).label
    labelled = int((label != NO_LABEL).sum()) if Stage.LABELS.steps(config) else 0
    return NetworkConfig(backbone=backbone.name, frame_width=frame_width(backbone.channels, labelled))


def _views(
    volumes: list[Volume], stem: Backbone, plan: Plan, progress: Progress
) -> tuple[ViewSet, Fresh | None]:
    """Make the views that are kept, and what makes the others; refuse those that do not fit."""
    config, pitch_mm = plan.config, GridConfig().pitch_mm
    rng = np.random.default_rng(config.seed)
    count = sum(len(volume.values) for volume in volumes)
    told = partial(progress, "encoding views")
    drawn_from = learns_from_views(config, plan.stages)
    if drawn_from and not plan.fresh:
        need = Need(need_of_kept(stem, config, count * plan.views_per_slice))
        need.check(plan.memory, "Give fewer --views, or --fresh, which keeps none")
        return make_views(volumes, stem, plan.views_per_slice, pitch_mm, rng, told), None
    sample = min(count, _SAMPLE if drawn_from else slices_of_start(config))
    kept = need_of_kept(stem, config, sample * VIEWS_OF_SAMPLE)
    ahead = need_of_fresh(config, plan.workers) if drawn_from else Need(0)
    replace(ahead, kept=kept).check(plan.memory, "Give fewer --workers")
    slices = slice_views(volumes, pitch_mm, partial(progress, "looking at slices"))
    rows = Split.of(slices, volumes, config).sample(slices, sample, rng)
    chosen = [(int(slices.volume[row]), int(slices.plane[row])) for row in rows]
    views = make_views(volumes, stem, VIEWS_OF_SAMPLE, pitch_mm, rng, told, chosen)
    if not drawn_from:
        return views, None
    return views, Fresh(slices, np.repeat(rows, VIEWS_OF_SAMPLE), stem, pitch_mm, plan.workers)


def _tell(step: Step, progress: Progress) -> None:
    found = "" if step.validation is None else f", {step.validation:.1%} found first"
    progress(f"stage {step.stage}, loss {step.losses['total']:.3f}{found}", step.number, step.total)


def _key(plan: Plan, volumes: list[Volume], backbone: Backbone) -> dict[str, Any]:
    return run_key(plan.config, FRESH if plan.fresh else plan.views_per_slice, volumes, backbone.name)
