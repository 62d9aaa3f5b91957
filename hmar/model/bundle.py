"""A model on disk: a folder that is complete, checked and versioned.

::

    models/<name>/
    ├── config.toml         format, sizes and trunk of the network, grid and windows
    ├── model.safetensors   weights of the served form
    ├── CARD.md             data, protocol, figures, limits, intended use
    ├── golden.npz          an input and the codes that it must give
    └── SHA256SUMS          of all of the above
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from hmar.errors import ModelError
from hmar.model.network import HmarNetwork, NetworkConfig
from hmar.model.trunk import fold_batch_norm
from hmar.types import GridConfig, WindowConfig

FORMAT = 1
CONFIG, WEIGHTS, CARD, GOLDEN, SUMS = (
    "config.toml",
    "model.safetensors",
    "CARD.md",
    "golden.npz",
    "SHA256SUMS",
)
_REMEDY = "Restore the model's folder from the release, or point HMAR_MODEL_DIR at another."


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A loaded model.

    ``fingerprint`` is a hash of its configuration and weights; it names the model in every row and index.
    """

    name: str
    fingerprint: str
    network: HmarNetwork
    grid: GridConfig
    windows: WindowConfig


def load_bundle(folder: Path) -> Bundle:
    """Verify and load a model's folder.

    Raises
    ------
    ModelError
        If a file is missing or does not match SHA256SUMS, or the format is not this one.
    """
    if not folder.is_dir():
        raise ModelError(f"There is no model at {folder}.", _REMEDY)
    verify(folder)
    return load_weights(folder)


def load_weights(folder: Path) -> Bundle:
    """Load configuration and weights unverified; see :func:`load_bundle`."""
    config = tomllib.loads((folder / CONFIG).read_text())
    if config.get("format") != FORMAT:
        raise ModelError(
            f"The model at {folder} has format {config.get('format')}, this program reads {FORMAT}.", _REMEDY
        )
    try:
        network = _build(NetworkConfig(**config["network"]), load_file(folder / WEIGHTS))
        grid = GridConfig(**config["grid"])
        windows = _windows(**config["windows"])
    except (KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"The model at {folder} cannot be read ({type(error).__name__}).", _REMEDY
        ) from error
    return Bundle(config["name"], fingerprint(folder), network, grid, windows)


def _windows(cells: list[int], strides: list[int], min_content: float) -> WindowConfig:
    return WindowConfig(tuple(cells), tuple(strides), min_content)


def _build(config: NetworkConfig, tensors: dict[str, torch.Tensor]) -> HmarNetwork:
    network = HmarNetwork(config)
    network.load_state_dict(tensors)
    network.trunk = fold_batch_norm(network.trunk)
    return network.eval().requires_grad_(False)


def fingerprint(folder: Path) -> str:
    """Return the first 32 hex digits of the sha256 over configuration and weights."""
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:32]


def verify(folder: Path) -> None:
    """Check every file against SHA256SUMS; raises ModelError naming the first that is missing or altered."""
    sums = _read_sums(folder)
    for name in (CONFIG, WEIGHTS, CARD, GOLDEN):
        path = folder / name
        if name not in sums or not path.is_file():
            raise ModelError(f"The model at {folder} lacks {name}.", _REMEDY)
        if hashlib.sha256(path.read_bytes()).hexdigest() != sums[name]:
            raise ModelError(f"{path} does not match its checksum.", _REMEDY)


def _read_sums(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    if not path.is_file():
        raise ModelError(f"The model at {folder} lacks {SUMS}.", _REMEDY)
    lines = (line.split() for line in path.read_text().splitlines())
    return {parts[1]: parts[0] for parts in lines if len(parts) == 2}


def write_weights(
    folder: Path, name: str, network: HmarNetwork, grid: GridConfig, windows: WindowConfig
) -> None:
    """Write configuration and weights of a network in served form (its KAN layers folded)."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = {"network": asdict(network.config), "grid": asdict(grid), "windows": asdict(windows)}
    lines = [f"format = {FORMAT}", f'name = "{name}"']
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    (folder / CONFIG).write_text("\n".join(lines) + "\n")
    save_file({key: tensor.contiguous() for key, tensor in network.state_dict().items()}, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def seal(folder: Path) -> None:
    """Write SHA256SUMS over the finished folder."""
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}"
        for name in (CARD, CONFIG, GOLDEN, WEIGHTS)
    ]
    (folder / SUMS).write_text("\n".join(lines) + "\n")
