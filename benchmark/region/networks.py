"""The networks of the region benchmark: the frozen trunk, the model measured, and ours as trained here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from benchmark.code_digest import code_digest
from benchmark.region.volumes import LabelledVolume
from benchmark.types import Progress
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.trunk import Trunk, fold_batch_norm
from hmar.training.config import TrainingConfig
from hmar.training.export import served_network
from hmar.training.run import Plan, train_network
from hmar.training.volumes import Volume

TRAINING = replace(
    TrainingConfig(),
    initial_batches=24,
    pairs=3,
    windows=64,
    image_steps=20,
    region_steps=300,
    place_weight=0.1,
    evaluate_every=100,
)
"""In smaller batches than for many scans, and for structures above places: they are what is asked for."""

VIEWS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """What peers are built from.

    Parameters
    ----------
    frozen : nn.Module
        The published trunk, batch norms folded.
    model : HmarNetwork
        The model that is measured as it is.
    train : callable
        Trains ours on one labelled volume, the query's.
    """

    frozen: nn.Module
    model: HmarNetwork
    train: Callable[[LabelledVolume], HmarNetwork]


def trained_network(
    volume: LabelledVolume,
    trunk: Trunk,
    folder: Path,
    progress: Progress,
    config: TrainingConfig = TRAINING,
    views: int = VIEWS,
) -> HmarNetwork:
    """Train ours on one volume as `hmar train` does on many, or load it where this was done before.

    Parameters
    ----------
    volume : LabelledVolume
        All that is learned from, its labels included.
    trunk : Trunk
        Published weights to start from.
    folder : Path
        Where trained networks are kept, by volume, settings and code.
    progress : Progress
    config : TrainingConfig
    views : int
        Of each slice.
    """
    file = folder / f"{_key(volume, trunk, config, views)}.safetensors"
    network = HmarNetwork(NetworkConfig(trunk=trunk.name))
    if file.is_file():
        network.load_state_dict(load_file(file))
    else:
        regions = np.full(len(volume.values), -1, np.int64)
        learnt = Volume(volume.name, volume.values, volume.spacing_mm, "CT", regions, volume.labels)

        def say(what: str, done: int, total: int) -> None:
            progress(f"hmar on {volume.name}: {what}", done, total)

        network = served_network(train_network([learnt], trunk, Plan(config, views), say))
        folder.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(".part")
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, scratch)
        scratch.replace(file)
    network.trunk = fold_batch_norm(network.trunk)
    return network.eval().requires_grad_(False)


def _key(volume: LabelledVolume, trunk: Trunk, config: TrainingConfig, views: int) -> str:
    digest = hashlib.sha256(code_digest("hmar.training.run").encode())
    digest.update(repr((config, views, volume.spacing_mm, volume.values.shape, torch.__version__)).encode())
    for array in (volume.values, volume.labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    for name, tensor in sorted(trunk.state_dict().items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()[:32]
