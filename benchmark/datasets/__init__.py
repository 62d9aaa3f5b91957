"""Labelled images on disk: one loader per layout, all behind :func:`load_dataset`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmark.datasets.dicom_tree import load_dicom_tree
from benchmark.datasets.folder import load_folder
from benchmark.datasets.manifest import load_manifest
from benchmark.datasets.radimagenet import load_radimagenet, load_radimagenet_ct
from benchmark.datasets.read import read_image
from benchmark.types import Dataset, Progress, silent
from hmar.errors import ConfigError, ParameterError

__all__ = ["DATASETS", "load_dataset", "read_image"]

DATASETS: dict[str, Callable[[Path, Progress], Dataset]] = {
    "radimagenet": lambda root, _: load_radimagenet(root),
    "radimagenet-ct": lambda root, _: load_radimagenet_ct(root),
    "radioimagenet-ct": lambda root, _: load_radimagenet_ct(root),
    "folder": load_folder,
    "manifest": load_manifest,
    "dicom": lambda root, _: load_dicom_tree(root),
}
"""Loader of each layout by its name; "radioimagenet-ct" is how the paper spells "radimagenet-ct"."""


def load_dataset(name: str, root: Path, progress: Progress = silent) -> Dataset:
    """List the labelled images of a data set.

    No pixel is read, except by "folder" and "manifest" if a split must be drawn and groups are unknown.

    Parameters
    ----------
    name : str
        A key of :data:`DATASETS`.
    root : Path
        The data set's folder; for "manifest" also the CSV file itself.
    progress : Progress
        Shown where pixels are read.

    Returns
    -------
    Dataset
        With absolute paths, at least two images of every class, at least one image in each split, and no
        group in two splits. Its ``problems`` say what was left out, one line for each reason.

    Raises
    ------
    ParameterError
        If no layout has that name.
    ConfigError
        If the folder, a list or one of its columns is missing, or if a split has no image left.
    """
    if name not in DATASETS:
        raise ParameterError(f"There is no data set layout {name!r}.", f"Give one of {', '.join(DATASETS)}.")
    if not root.is_dir() and not (name == "manifest" and root.is_file()):
        raise ConfigError(f"{root} is no folder.", "Give the folder of the data set as --root.")
    return DATASETS[name](root.resolve(), progress)
