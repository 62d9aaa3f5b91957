"""A model that serves: the backbone in ONNX Runtime, experts and router in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from safetensors import SafetensorError, safe_open

from hmar.errors import ConfigError
from hmar.image.windows import QueryWindows, cover
from hmar.model.bundle import (
    BACKBONE,
    FORMAT_BACKBONE,
    TYPICALITY,
    WEIGHTS,
    ModelInfo,
    read_info,
    unreadable,
    verify,
)
from hmar.model.config import PARTS
from hmar.model.serving.heads import Head, ServedExpert, ServedRouter
from hmar.model.serving.pooling import pool_frame, pool_lattice, pool_windows
from hmar.model.serving.references import NO_REFERENCES, References, kind_of, read_references
from hmar.model.serving.runtime import BackboneRuntime
from hmar.model.tags import modality_index, region_index
from hmar.model.thresholds import NO_THRESHOLDS, ModalityThresholds, model_thresholds
from hmar.values.codes import WindowIds
from hmar.values.frames import FloatArray, Frame, FrameInfo

_BACKBONE_PREFIX = f"{FORMAT_BACKBONE}."


class Backbone(Protocol):
    """Maps images to features."""

    def map(self, image: FloatArray) -> FloatArray:
        """Map an image (3, H, W) in 0..1 to features (C, H / 16, W / 16)."""


class ServedModel:
    """A model that serves. Thread-safe.

    Methods take the backbone's map as :meth:`map` returns it.

    Parameters
    ----------
    info : ModelInfo
    backbone : Backbone
    tensors : mapping of str to ndarray
        Weights of experts and router, as model.safetensors names them.
    references : References
        What typicality is measured from. Codes do not depend on it.
    thresholds : ModalityThresholds
        Where a bit turns from 0 to 1. Logits do not depend on them.
    window_head : Head or None
        Computes the logits of windows elsewhere; None computes them here.
    """

    def __init__(
        self,
        info: ModelInfo,
        backbone: Backbone,
        tensors: Mapping[str, FloatArray],
        references: References = NO_REFERENCES,
        thresholds: ModalityThresholds = NO_THRESHOLDS,
        window_head: Head | None = None,
    ) -> None:
        self.info = info
        self.references = references
        self.thresholds = thresholds
        self._backbone = backbone
        self._global = ServedExpert(_part(tensors, "global_expert."))
        self._local = ServedExpert(_part(tensors, "local_expert."), window_head)
        self._router = ServedRouter(_part(tensors, "router."))

    def map(self, image: FloatArray) -> FloatArray:
        """Run the backbone over an image (3, H, W) in 0..1, H and W divisible by 16: (H / 16, W / 16, C)."""
        by_cell: FloatArray = np.ascontiguousarray(self._backbone.map(image).transpose(1, 2, 0))
        return by_cell

    def global_logits(self, backbone_map: FloatArray) -> FloatArray:
        """Return the logits (bits,) of the whole frame."""
        parts = self._global.project(pool_frame(backbone_map))  # (9, width): pooling and projecting commute
        logits: FloatArray = self._global.logits(parts.reshape(1, -1))[0]
        return logits

    def window_logits(self, backbone_map: FloatArray, ids: WindowIds) -> FloatArray:
        """Return the logits (N, bits) of windows of the lattices, given in order of size, row, column."""
        return self._local.logits(pool_lattice(self._local.project(backbone_map), ids, self.info.windows))

    def region_logits(self, backbone_map: FloatArray, windows: QueryWindows) -> FloatArray:
        """Return the logits (9, bits) of a region's windows, in their order."""
        projected = self._local.project(backbone_map)
        row_weights = cover(windows.rows, windows.side, PARTS, projected.shape[0])
        column_weights = cover(windows.columns, windows.side, PARTS, projected.shape[1])
        pooled = pool_windows(projected, row_weights, column_weights)
        by_window = pooled.transpose(0, 2, 1, 3, 4)  # (R, C, parts, parts, width)
        every = by_window.reshape(len(windows.rows) * len(windows.columns), -1)
        return self._local.logits(every if windows.chosen is None else every[windows.chosen])

    def gate(self, backbone_map: FloatArray, info: FrameInfo) -> tuple[float, float]:
        """Return the router's weights (global, local) for a frame."""
        mean = backbone_map.mean(axis=(0, 1))
        return self._router.gate(mean, modality_index(info.modality), region_index(info.body_part))

    def typicality(
        self,
        backbone_map: FloatArray,
        shown: FloatArray,
        frame: Frame,
        windows: QueryWindows | None = None,
    ) -> float | None:
        """Return how typical a frame, or a region of it, is of its kind; None where the model cannot tell."""
        kind = kind_of(frame.units, frame.info.modality)
        return self.references.typicality(kind, backbone_map, shown, windows)


def load_served(folder: Path, threads: int = 1, device: str = "cpu") -> ServedModel:
    """Verify and load a model that serves.

    Parameters
    ----------
    folder : Path
        The model's folder.
    threads : int
        Threads of the backbone's runtime.
    device : str
        "cuda" to compute what takes time on a GPU; see :mod:`hmar.model.on_gpu`.

    Raises
    ------
    ModelError
        If a file is missing or does not match SHA256SUMS, or the format is not this one; or if the GPU
        computes other codes than the processor.
    ConfigError
        If there is no GPU, or what computes on it is not installed.
    """
    verify(folder)
    model = read_served(folder, threads, read_references(folder / TYPICALITY))
    return model if device == "cpu" else moved(folder, model, device)


def moved(folder: Path, model: ServedModel, device: str) -> ServedModel:
    """Return a model that computes what takes time in torch on a device; raises as :func:`load_served`."""
    try:
        from hmar.model.on_gpu import check_agreement, gpu_parts
    except ImportError as error:
        raise ConfigError(
            f"HMAR_ENCODER_DEVICE is {device}, but {error.name or 'torch'} is not installed.",
            "Install hmar-search[gpu], or set it to cpu.",
        ) from error
    backbone, window_head = gpu_parts(folder, device)
    tensors = _tensors(folder)
    there = ServedModel(model.info, backbone, tensors, model.references, model.thresholds, window_head)
    check_agreement(there, model)
    return there


def read_served(folder: Path, threads: int = 1, references: References = NO_REFERENCES) -> ServedModel:
    """Load a model whose folder is not sealed yet; see :func:`load_served`."""
    info = read_info(folder)
    try:
        backbone = BackboneRuntime(folder / BACKBONE, threads)
        return ServedModel(info, backbone, _tensors(folder), references, model_thresholds(folder, info))
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise unreadable(folder, error) from error


def _tensors(folder: Path) -> dict[str, FloatArray]:
    """Read the weights of experts and router."""
    with safe_open(folder / WEIGHTS, framework="numpy") as file:
        names = [name for name in file.offset_keys() if not name.startswith(_BACKBONE_PREFIX)]
        return {name: file.get_tensor(name) for name in names}


def _part(tensors: Mapping[str, FloatArray], prefix: str) -> dict[str, FloatArray]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
