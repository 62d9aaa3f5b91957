"""Maps that were found before, kept on disk by what they are between."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from hmar.files import write_file
from hmar.training.carrying.register import DEFAULT, Fit, Registration, register
from hmar.training.carrying.transform import Transform
from hmar.training.data.volumes import Volume

_VERSION = 1
"""Of how maps are found; another one finds them anew."""

_OFF = torch.tensor(float("inf"))
"""Misfit that is kept where no map was found."""


class KeptMaps:
    """Finds maps between volumes, or reads those that were found before.

    A map is kept by the SHA-256 of the pixels of both volumes. The file holds neither pixels nor whose they
    are.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    fit : Fit
    """

    def __init__(self, folder: Path, fit: Fit = DEFAULT) -> None:
        self._folder, self._fit = folder, fit

    def has(self, target: Volume, atlas: Volume) -> bool:
        """Whether the map was found before."""
        return self._file(target, atlas).is_file()

    def find(self, target: Volume, atlas: Volume) -> Registration | None:
        """Return what :func:`register` returns, found before or now."""
        file = self._file(target, atlas)
        try:
            return _read(file)
        except (FileNotFoundError, SafetensorError, KeyError):
            found = register(target, atlas, self._fit)
            self._folder.mkdir(parents=True, exist_ok=True)
            write_file(file, _written(found))
            return found

    def _file(self, target: Volume, atlas: Volume) -> Path:
        pair = f"{_VERSION} {self._fit} {_digest(target)} {_digest(atlas)}"
        return self._folder / f"{hashlib.sha256(pair.encode()).hexdigest()}.safetensors"


def _digest(volume: Volume) -> str:
    digest = hashlib.sha256(repr((volume.values.shape, volume.spacing_mm)).encode())
    digest.update(np.ascontiguousarray(volume.values).data)
    return digest.hexdigest()


def _written(found: Registration | None) -> bytes:
    if found is None:
        return save({"misfit": _OFF})
    transform = found.transform
    tensors = {
        "misfit": torch.tensor(found.misfit, dtype=torch.float64),
        "linear": transform.linear,
        "offset": transform.offset,
        "spacing_mm": torch.tensor(transform.spacing_mm, dtype=torch.float64),
    }
    if transform.control is not None:
        tensors["control"] = transform.control
    return save({name: tensor.contiguous() for name, tensor in tensors.items()})


def _read(file: Path) -> Registration | None:
    kept = load_file(file)
    if torch.isinf(kept["misfit"]):
        return None
    transform = Transform(kept["linear"], kept["offset"], kept.get("control"), float(kept["spacing_mm"]))
    return Registration(transform, float(kept["misfit"]))
