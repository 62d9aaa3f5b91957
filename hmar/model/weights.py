"""Reading and writing the network of a model's folder, in torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.backbones.registry import build_backbone
from hmar.model.bundle import (
    FORMAT_BACKBONE,
    THRESHOLDS,
    WEIGHTS,
    ModelInfo,
    read_info,
    unreadable,
    verify,
    write_config,
)
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.thresholds import NO_THRESHOLDS, ModalityThresholds, model_thresholds


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A model's network, its batch norms folded, what its configuration says, and its thresholds."""

    info: ModelInfo
    network: HmarNetwork
    thresholds: ModalityThresholds = NO_THRESHOLDS


def load_bundle(folder: Path) -> Bundle:
    """Verify and load a model's network.

    Raises
    ------
    ModelError
        If a file is missing or does not match SHA256SUMS, or the format is not this one.
    """
    verify(folder)
    return load_weights(folder)


def load_weights(folder: Path) -> Bundle:
    """Load configuration and weights unverified; see :func:`load_bundle`."""
    info = read_info(folder)
    try:
        network = _build(info.network, load_file(folder / WEIGHTS))
        return Bundle(info, network, model_thresholds(folder, info))
    except (RuntimeError, SafetensorError) as error:
        raise unreadable(folder, error) from error


def _build(config: NetworkConfig, tensors: dict[str, torch.Tensor]) -> HmarNetwork:
    network = HmarNetwork(config)
    network.load_state_dict(_renamed(tensors, FORMAT_BACKBONE, "backbone"))
    network.backbone = fold_batch_norm(network.backbone)
    return network.eval().requires_grad_(False)


def load_backbone(folder: Path) -> Backbone:
    """Return the backbone of a model as it was trained, batch norms and all: what a training starts from.

    Raises
    ------
    ModelError
        See :func:`load_bundle`.
    """
    verify(folder)
    backbone = build_backbone(read_info(folder).network.backbone)
    try:
        tensors = _renamed(load_file(folder / WEIGHTS), FORMAT_BACKBONE, "backbone")
        backbone.load_state_dict({key: tensors[f"backbone.{key}"] for key in backbone.state_dict()})
    except (KeyError, RuntimeError, SafetensorError) as error:
        raise unreadable(folder, error) from error
    return backbone.eval().requires_grad_(False)


def write_weights(
    folder: Path, name: str, network: HmarNetwork, grid: GridConfig, windows: WindowConfig
) -> None:
    """Write configuration and weights of a network in served form (its KAN layers folded).

    Thresholds that the folder holds are of other weights: they are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / THRESHOLDS).unlink(missing_ok=True)
    write_config(folder, name, network.config, grid, windows)
    tensors = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
    save_file(_renamed(tensors, "backbone", FORMAT_BACKBONE), folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone


def _renamed(tensors: dict[str, torch.Tensor], old: str, new: str) -> dict[str, torch.Tensor]:
    """Return tensors by names in which the first part ``old`` is ``new``."""
    return {
        f"{new}{key.removeprefix(old)}" if key.startswith(f"{old}.") else key: tensor
        for key, tensor in tensors.items()
    }
