"""The fast form of a model: the same weights with fewer windows, which is a model of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from hmar.errors import ModelError
from hmar.image.windows import WindowConfig
from hmar.model.bundle import WEIGHTS, ModelInfo, read_info, write_config

FAST_WINDOWS = replace(WindowConfig(), strides=(1, 2, 3))
"""Those of the default, the larger ones farther apart."""


def has_fast_form(info: ModelInfo) -> bool:
    """Return whether a model has a fast form: it has the default windows, and no thresholds."""
    return info.windows == WindowConfig() and not info.has_thresholds


def check_fast_form(info: ModelInfo) -> None:
    """Raise ModelError where a model has no fast form, see :func:`has_fast_form`."""
    if info.has_thresholds:
        raise ModelError(
            f"{info.name} has thresholds, which were measured on its own windows.",
            "Name the model that it was adapted from, then adapt the fast form.",
        )
    if info.windows != WindowConfig():
        usual = WindowConfig()
        raise ModelError(
            f"{info.name} has windows of {info.windows.cells} cells at strides of {info.windows.strides}.",
            f"Name a model with windows of {usual.cells} cells at strides of {usual.strides}.",
        )


def write_fast_weights(folder: Path, out: Path) -> None:
    """Write the weights of a model with the configuration of its fast form.

    Parameters
    ----------
    folder : Path
        The model's.
    out : Path
        Folder to write; its name is the fast model's.

    Raises
    ------
    ModelError
        If the model has no fast form.
    """
    info = read_info(folder)
    check_fast_form(info)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / WEIGHTS, out / WEIGHTS)
    write_config(out, out.name, info.network, info.grid, FAST_WINDOWS)
