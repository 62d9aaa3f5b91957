"""A model on disk: a folder that is complete, checked and versioned.

::

    models/<name>/
    ├── config.toml         format, sizes and backbone of the network, grid and windows
    ├── model.safetensors   weights of the served form
    ├── thresholds.safetensors  where a bit turns to 1, by modality; in format 2 only
    ├── trunk.onnx          the backbone of these weights, as the serving runtime reads it
    ├── typicality.npz      what frames and regions are typical, by kind of frame
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

from hmar.errors import ConfigError, ModelError
from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.config import NetworkConfig

FORMAT = 1
FORMAT_THRESHOLDS = 2
"""Format 1 with thresholds. Programs that know no thresholds refuse it, and would give other codes."""

CONFIG, WEIGHTS, THRESHOLDS, BACKBONE, TYPICALITY, CARD, GOLDEN, SUMS = (
    "config.toml",
    "model.safetensors",
    "thresholds.safetensors",
    "trunk.onnx",
    "typicality.npz",
    "CARD.md",
    "golden.npz",
    "SHA256SUMS",
)
SEALED = (CARD, CONFIG, GOLDEN, WEIGHTS, BACKBONE, TYPICALITY)
"""Files that SHA256SUMS lists, besides thresholds; a model without one of them is refused."""

FORMAT_BACKBONE = "trunk"
"""What the format calls the backbone, in ``config.toml`` and before the names of its tensors."""

REMEDY = "Restore the model's folder from the release, or point HMAR_MODEL_DIR at another."
_DERIVED_REMEDY = "Run: hmar export-model FOLDER. Or point HMAR_MODEL_DIR at another model."


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model's configuration.

    ``fingerprint`` is a hash of its configuration, weights and thresholds; it names the model in every
    row and index. ``has_thresholds`` is True for a model of format 2.
    """

    name: str
    fingerprint: str
    network: NetworkConfig
    grid: GridConfig
    windows: WindowConfig
    has_thresholds: bool = False


def read_info(folder: Path) -> ModelInfo:
    """Read a model's configuration, and hash it with the weights.

    Raises
    ------
    ModelError
        If the format is not this one, or the configuration cannot be read.
    """
    try:
        config = tomllib.loads((folder / CONFIG).read_text())
        found = config.get("format")
        if found not in (FORMAT, FORMAT_THRESHOLDS):
            raise ModelError(
                f"The model at {folder} has format {found}, this program reads {FORMAT} and "
                f"{FORMAT_THRESHOLDS}.",
                REMEDY,
            )
        return ModelInfo(
            config["name"],
            fingerprint(folder),
            _network(config["network"]),
            GridConfig(**config["grid"]),
            _windows(**config["windows"]),
            found == FORMAT_THRESHOLDS,
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
    """Return the first 32 hex digits of the sha256 over configuration, weights and thresholds.

    ``trunk.onnx`` is derived from the weights: exporting it anew does not make another model.
    """
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS, *_thresholds_of(folder)):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:32]


def _thresholds_of(folder: Path) -> tuple[str, ...]:
    """Return the name of the file of thresholds, where a folder has it."""
    return (THRESHOLDS,) if (folder / THRESHOLDS).is_file() else ()


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
    listed = (THRESHOLDS,) if THRESHOLDS in sums else _thresholds_of(folder)
    for name in (*SEALED, *listed):
        path = folder / name
        if name not in sums or not path.is_file():
            remedy = _DERIVED_REMEDY if name in (BACKBONE, TYPICALITY) else REMEDY
            raise ModelError(f"The model at {folder} lacks {name}.", remedy)
        if hashlib.sha256(path.read_bytes()).hexdigest() != sums[name]:
            raise ModelError(f"{path} does not match its checksum.", REMEDY)


def sealed_files(folder: Path) -> tuple[str, ...]:
    """Return the names of all files of a model that :func:`verify` has checked, its checksums among them."""
    return (*SEALED, *_thresholds_of(folder), SUMS)


def _read_sums(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    if not path.is_file():
        raise ModelError(f"The model at {folder} lacks {SUMS}.", REMEDY)
    lines = (line.split() for line in path.read_text().splitlines())
    return {parts[1]: parts[0] for parts in lines if len(parts) == 2}


def write_config(
    folder: Path,
    name: str,
    network: NetworkConfig,
    grid: GridConfig,
    windows: WindowConfig,
    thresholds: bool = False,
) -> None:
    """Write a model's configuration; ``thresholds`` says that the folder holds some."""
    named = {FORMAT_BACKBONE if key == "backbone" else key: value for key, value in asdict(network).items()}
    if not network.frame_width:  # earlier programs, which do not know it, can read the model
        del named["frame_width"]
    sections = {"network": named, "grid": asdict(grid), "windows": asdict(windows)}
    lines = [f"format = {FORMAT_THRESHOLDS if thresholds else FORMAT}", f'name = "{name}"']
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    (folder / CONFIG).write_text("\n".join(lines) + "\n")


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def check_new_folder(folder: Path) -> None:
    """Raise ConfigError for a folder to write a model into that holds something, or is a file."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already.", "Name a new folder, or an empty one.")


def seal(folder: Path) -> None:
    """Write SHA256SUMS over the finished folder."""
    names = (*SEALED, *_thresholds_of(folder))
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}" for name in names]
    (folder / SUMS).write_text("\n".join(lines) + "\n")
