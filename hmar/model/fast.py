"""The fast form of a model: the same weights on larger grid pixels, which is a model of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from hmar.errors import ModelError
from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.bundle import WEIGHTS, ModelInfo, read_info, write_config

FAST_GRID = GridConfig(pitch_mm=1.0, unknown_side=336, max_side=576, min_side=72)
"""The default grid with pixels 4/3 as large: every length in pixels is three quarters of what it is there."""

FAST_WINDOWS = WindowConfig(cells=(2, 4, 6), strides=(1, 2, 3))
"""Squares of 32, 64 and 96 mm on cells of 16 mm; they stand for those of 36, 60 and 96 mm."""


def has_fast_form(info: ModelInfo) -> bool:
    """Return whether a model has a fast form: it has the default grid and windows, and no thresholds."""
    return _is_default(info) and not info.has_thresholds


def check_fast_form(info: ModelInfo) -> None:
    """Raise ModelError where a model has no fast form, see :func:`has_fast_form`."""
    if info.has_thresholds:
        raise ModelError(
            f"{info.name} has thresholds, which were measured on its own grid.",
            "Name the model that it was adapted from, then adapt the fast form.",
        )
    if not _is_default(info):
        raise ModelError(
            f"{info.name} has pixels of {info.grid.pitch_mm} mm and windows of {info.windows.cells} cells.",
            f"Name a model with {GridConfig().pitch_mm} mm and {WindowConfig().cells} cells.",
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
    write_config(out, out.name, info.network, FAST_GRID, FAST_WINDOWS)


def _is_default(info: ModelInfo) -> bool:
    return (info.grid, info.windows) == (GridConfig(), WindowConfig())
