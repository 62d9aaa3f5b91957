"""A model on disk: a folder that is complete, checked and versioned.

::

    models/<name>/
    ├── config.toml         format, sizes and backbone of the network, grid and windows
    ├── model.safetensors   weights of the served form
    ├── trunk.onnx          the backbone of these weights, as the serving runtime reads it
    ├── typicality.npz      statistics of the frames trained on
    ├── CARD.md             data, protocol, figures, limits, intended use
    ├── golden.npz          an input and the codes that it must give
    └── SHA256SUMS          of all of the above

Nothing here needs torch; :mod:`hmar.model.weights` loads the network to train and compare with,
:mod:`hmar.model.serving.model` the form that serves.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hmar.errors import ModelError
from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.config import NetworkConfig

FORMAT = 1
CONFIG, WEIGHTS, BACKBONE, TYPICALITY, CARD, GOLDEN, SUMS = (
    "config.toml",
    "model.safetensors",
    "trunk.onnx",
    "typicality.npz",
    "CARD.md",
    "golden.npz",
    "SHA256SUMS",
)
SEALED = (CARD, CONFIG, GOLDEN, WEIGHTS, BACKBONE, TYPICALITY)
"""Files that SHA256SUMS lists; a model without one of them is refused."""

FORMAT_BACKBONE = "trunk"
"""What the format calls the backbone, in ``config.toml`` and before the names of its tensors."""

REMEDY = "Restore the model's folder from the release, or point HMAR_MODEL_DIR at another."
_DERIVED_REMEDY = "Run: hmar export-model FOLDER. Or point HMAR_MODEL_DIR at another model."


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model's configuration.

    ``fingerprint`` is a hash of its configuration and weights; it names the model in every row and index.
    """

    name: str
    fingerprint: str
    network: NetworkConfig
    grid: GridConfig
    windows: WindowConfig


def read_info(folder: Path) -> ModelInfo:
    """Read a model's configuration, and hash it with the weights.

    Raises
    ------
    ModelError
        If the format is not this one, or the configuration cannot be read.
    """
    try:
        config = tomllib.loads((folder / CONFIG).read_text())
        if config.get("format") != FORMAT:
            raise ModelError(
                f"The model at {folder} has format {config.get('format')}, this program reads {FORMAT}.",
                REMEDY,
            )
        return ModelInfo(
            config["name"],
            fingerprint(folder),
            _network(config["network"]),
            GridConfig(**config["grid"]),
            _windows(**config["windows"]),
        )
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise unreadable(folder, error) from error


def unreadable(folder: Path, error: Exception) -> ModelError:
    """Return the error for a folder that is complete but cannot be read."""
    return ModelError(f"The model at {folder} cannot be read ({type(error).__name__}).", REMEDY)


def _network(section: dict[str, Any]) -> NetworkConfig:
    names = {FORMAT_BACKBONE: "backbone"}
    return NetworkConfig(**{names.get(key, key): value for key, value in section.items()})


def _windows(cells: list[int], strides: list[int], min_content: float) -> WindowConfig:
    return WindowConfig(tuple(cells), tuple(strides), min_content)


def fingerprint(folder: Path) -> str:
    """Return the first 32 hex digits of the sha256 over configuration and weights.

    ``trunk.onnx`` is derived from the weights: exporting it anew does not make another model.
    """
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:32]


def verify(folder: Path) -> None:
    """Check every file against SHA256SUMS.

    Raises
    ------
    ModelError
        If there is no such folder; names the first file that is missing or altered.
    """
    if not folder.is_dir():
        raise ModelError(f"There is no model at {folder}.", REMEDY)
    sums = _read_sums(folder)
    for name in SEALED:
        path = folder / name
        if name not in sums or not path.is_file():
            remedy = _DERIVED_REMEDY if name in (BACKBONE, TYPICALITY) else REMEDY
            raise ModelError(f"The model at {folder} lacks {name}.", remedy)
        if hashlib.sha256(path.read_bytes()).hexdigest() != sums[name]:
            raise ModelError(f"{path} does not match its checksum.", REMEDY)


def _read_sums(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    if not path.is_file():
        raise ModelError(f"The model at {folder} lacks {SUMS}.", REMEDY)
    lines = (line.split() for line in path.read_text().splitlines())
    return {parts[1]: parts[0] for parts in lines if len(parts) == 2}


def write_config(
    folder: Path, name: str, network: NetworkConfig, grid: GridConfig, windows: WindowConfig
) -> None:
    """Write a model's configuration."""
    named = {FORMAT_BACKBONE if key == "backbone" else key: value for key, value in asdict(network).items()}
    sections = {"network": named, "grid": asdict(grid), "windows": asdict(windows)}
    lines = [f"format = {FORMAT}", f'name = "{name}"']
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    (folder / CONFIG).write_text("\n".join(lines) + "\n")


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def seal(folder: Path) -> None:
    """Write SHA256SUMS over the finished folder."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}" for name in SEALED]
    (folder / SUMS).write_text("\n".join(lines) + "\n")
