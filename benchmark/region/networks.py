"""The networks of the region benchmark: the frozen backbone, the model measured, and ours as trained here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

from benchmark.provenance.code_digest import code_digest
from benchmark.region.ablations.variant import OURS, Variant
from benchmark.region.features import OwnMaps
from benchmark.region.volumes import LabelledVolume
from benchmark.types import Progress
from hmar.files import write_file
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.thresholds import NO_THRESHOLDS, ModalityThresholds
from hmar.training.carrying.carry import carry_labels
from hmar.training.carrying.kept_maps import KeptMaps
from hmar.training.config import TrainingConfig
from hmar.training.data.volumes import Volume
from hmar.training.export.fold import served_network
from hmar.training.run import Plan, train_network

TRAINING = replace(
    TrainingConfig(),
    initial_batches=24,
    pairs=6,
    windows=64,
    image_steps=20,
    region_steps=300,
    settle_pairs=24,
    place_weight=0.1,
    evaluate_every=100,
)
"""Smaller batches than for many scans, and more weight on structures than on positions: they are the task."""

VIEWS = 6
_RANDOM_SEED = 1
_MAPS = "carried"
"""Folder of the maps that carry labels, beside the networks."""


@dataclass(frozen=True, eq=False)
class Networks:
    """What peers are built from.

    Parameters
    ----------
    frozen : nn.Module
        The published backbone, batch norms folded.
    model : HmarNetwork
        The model that is measured as it is.
    train : callable
        Trains ours or a variant of it on one labelled volume, the query's.
    thresholds : ModalityThresholds
        Where the bits of the model turn.
    """

    frozen: nn.Module
    model: HmarNetwork
    train: Callable[[LabelledVolume, Variant], HmarNetwork]
    thresholds: ModalityThresholds = NO_THRESHOLDS

    @cached_property
    def model_maps(self) -> OwnMaps:
        """Feature maps of the model, each computed once for all peers and volumes."""
        return OwnMaps(self.model)

    @cached_property
    def random(self) -> OwnMaps:
        """Feature maps of a backbone with random weights, each computed once."""
        return OwnMaps(random_backbone())


def random_backbone() -> nn.Module:
    """Return a backbone of the published shape with random weights, the same at every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_RANDOM_SEED)
        return fold_batch_norm(Lite0Backbone().eval())


def trained_network(
    volume: LabelledVolume,
    backbone: Backbone,
    folder: Path,
    progress: Progress,
    config: TrainingConfig = TRAINING,
    views: int = VIEWS,
    variant: Variant = OURS,
    others: Sequence[Volume] = (),
) -> HmarNetwork:
    """Train ours on one volume as ``hmar train`` does on many, or load the network of an earlier run.

    Parameters
    ----------
    volume : LabelledVolume
        The training data, with its labels if the variant learns from them.
    backbone : Backbone
        Published weights to start from.
    folder : Path
        Where trained networks are kept, by volume, settings and code.
    progress : Progress
    config : TrainingConfig
        Settings of ours; the variant may change them.
    views : int
        Of each slice.
    variant : Variant
    others : sequence of Volume
        Of other people, without labels, to whom a variant that carries labels carries those of the volume.

    Raises
    ------
    NotFoundError
        If it carries labels, and the volume has none that can be carried.
    """
    plan = Plan(variant.settings(config), views)
    regions = np.full(len(volume.values), -1, np.int64)
    labels = volume.labels if variant.labels else None
    learnt = [Volume(volume.name, volume.values, volume.spacing_mm, "CT", regions, labels)]
    if variant.carried:
        maps = KeptMaps(folder / _MAPS)
        learnt = carry_labels([*learnt, *others], volume.structures, maps, progress).volumes
    seen = variant.backbone(backbone)
    file = folder / f"{_key(learnt, backbone, plan, variant)}.safetensors"
    if file.is_file():
        network = served_network(variant.build(NetworkConfig(backbone=seen.name)))
        network.load_state_dict(load_file(file))
    else:

        def say(what: str, done: int, total: int) -> None:
            progress(f"{variant.name} on {volume.name}: {what}", done, total)

        trained = train_network(learnt, seen, plan, say, build=variant.build)
        network = served_network(trained)
        folder.mkdir(parents=True, exist_ok=True)
        write_file(file, save({name: tensor.contiguous() for name, tensor in network.state_dict().items()}))
    network.backbone = fold_batch_norm(variant.backbone(network.backbone))
    return network.eval().requires_grad_(False)


def _key(volumes: list[Volume], backbone: Backbone, plan: Plan, variant: Variant) -> str:
    code = code_digest("hmar.training.run", variant.backbone.__module__, variant.build.__module__)
    digest = hashlib.sha256(f"{variant.name} {code}".encode())
    for volume in volumes:
        settings = (plan.config, plan.views_per_slice, volume.spacing_mm, volume.values.shape, volume.carried)
        digest.update(repr((*settings, torch.__version__)).encode())
        for array in (volume.values, volume.labels):
            if array is not None:
                digest.update(np.ascontiguousarray(array).tobytes())
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()[:32]
