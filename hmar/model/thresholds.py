"""Where a bit turns from 0 to 1: a threshold of each logit, by modality.

A model is trained so that its bits are balanced on what it learned from. On an archive of another kind the
same logits lie mostly on one side of 0, and the code has fewer bits than it is long. Thresholds at the median
of the archive's own logits balance it again; they are part of the model, since they decide what a code means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from hmar.errors import ModelError
from hmar.model.bundle import THRESHOLDS, ModelInfo
from hmar.model.tags import MODALITIES, modality_index
from hmar.values.codes import CODE_BITS
from hmar.values.frames import FloatArray

UNKNOWN = "UNKNOWN"
"""Name of the thresholds of frames whose modality the tag does not tell, such as pictures."""

NAMES = (*MODALITIES, UNKNOWN)
"""Modalities that thresholds are kept for."""

_FRAME, _WINDOWS = "frame", "windows"


@dataclass(frozen=True, slots=True, eq=False)
class Thresholds:
    """A bit is 1 where its logit is above its threshold; a logit that equals it gives 0.

    Parameters
    ----------
    frame, windows : ndarray of float32, shape (128,)
        Of the code of a whole frame (Expert0), and of those of its windows (Expert1).
    """

    frame: FloatArray
    windows: FloatArray


def _zeros() -> FloatArray:
    return np.zeros(CODE_BITS, np.float32)


ZERO = Thresholds(_zeros(), _zeros())
"""Thresholds of a model without any."""


@dataclass(frozen=True, slots=True)
class ModalityThresholds:
    """The thresholds of a model.

    Parameters
    ----------
    known : mapping of str to Thresholds
        By a name of :data:`NAMES`. A modality that is absent has thresholds of 0.
    """

    known: Mapping[str, Thresholds] = field(default_factory=dict)

    def of(self, modality: str) -> Thresholds:
        """Return the thresholds of a DICOM Modality; "" and "OT" say that it is unknown."""
        return self.of_name(threshold_name(modality))

    def of_name(self, name: str) -> Thresholds:
        """Return the thresholds of one of :data:`NAMES`."""
        return self.known.get(name, ZERO)


NO_THRESHOLDS = ModalityThresholds()
"""Those of a model of format 1: every bit turns at 0."""


def model_thresholds(folder: Path, info: ModelInfo) -> ModalityThresholds:
    """Read a model's thresholds, if it is of the format that has them; see :func:`read_thresholds`."""
    return read_thresholds(folder / THRESHOLDS) if info.has_thresholds else NO_THRESHOLDS


def threshold_name(modality: str) -> str:
    """Return the name in :data:`NAMES` of a DICOM Modality, as the router groups them."""
    index = modality_index(modality)
    return UNKNOWN if index is None else MODALITIES[index]


def write_thresholds(path: Path, thresholds: ModalityThresholds) -> None:
    """Write thresholds; equal ones make an equal file."""
    tensors = {}
    for name, one in thresholds.known.items():
        tensors[f"{name}.{_FRAME}"] = np.ascontiguousarray(one.frame, np.float32)
        tensors[f"{name}.{_WINDOWS}"] = np.ascontiguousarray(one.windows, np.float32)
    save_file(tensors, path)
    path.chmod(0o644)  # safetensors writes for the owner alone


def read_thresholds(path: Path) -> ModalityThresholds:
    """Read thresholds.

    Raises
    ------
    ModelError
        If the file cannot be read, names no modality of :data:`NAMES`, or holds other than 128 finite numbers
        for each code.
    """
    try:
        tensors = load_file(path)
        names = {name.partition(".")[0] for name in tensors}
        known = {
            name: Thresholds(tensors.pop(f"{name}.{_FRAME}"), tensors.pop(f"{name}.{_WINDOWS}"))
            for name in names
        }
    except (OSError, KeyError, SafetensorError) as error:
        raise _unusable(path, f"it cannot be read, {type(error).__name__}") from error
    if tensors or not names <= set(NAMES):
        raise _unusable(path, f"it names {', '.join(sorted(names))}")
    if not all(_usable(one.frame) and _usable(one.windows) for one in known.values()):
        raise _unusable(path, f"it does not hold {CODE_BITS} finite numbers for each code")
    return ModalityThresholds(known)


def _usable(numbers: FloatArray) -> bool:
    return numbers.dtype == np.float32 and numbers.shape == (CODE_BITS,) and bool(np.isfinite(numbers).all())


def _unusable(path: Path, why: str) -> ModelError:
    return ModelError(f"The thresholds {path} are not usable: {why}.", "Run hmar adapt again.")
