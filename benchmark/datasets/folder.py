"""A folder for each class, with or without folders of splits above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from benchmark.datasets.assemble import assemble
from benchmark.datasets.patients import NO_GROUP
from benchmark.datasets.tables import PICTURES, SPLIT_NAMES, counted, left_out
from benchmark.types import Dataset, LabelledImage, Progress, Split, silent
from hmar.errors import ConfigError

SUFFIXES = PICTURES | {".dcm"}


def load_folder(root: Path, progress: Progress = silent) -> Dataset:
    """List ``<root>/<class>/*``, or ``<root>/<split>/<class>/*`` with the splits train, val and test.

    PNG, JPEG and .dcm files count; names that begin with a dot do not. Without splits they are drawn by
    :func:`group_split` with seed 0. Folders say nothing of patients: see
    :func:`benchmark.datasets.patients.find_groups`.

    Raises
    ------
    ConfigError
        If only one or two of the three splits are there, or one of them has no image left.
    """
    sides = _sides(root)
    if sides:
        images = [image for side, folder in sides.items() for image in _classes(folder, side)]
    else:
        images = list(_classes(root, "train"))
    return assemble("folder", root, images, _others(root, images), draw=not sides, progress=progress)


def _sides(root: Path) -> dict[Split, Path]:
    found = {side: folder for folder in _folders(root) if (side := SPLIT_NAMES.get(folder.name.lower()))}
    missing = [side for side in get_args(Split) if side not in found]
    if found and missing:
        one = next(iter(found.values())).name
        raise ConfigError(
            f"{root} has a folder {one}, but none for {' nor for '.join(missing)}.",
            "Give folders train, val and test with the classes in each, or a folder for each class alone.",
        )
    return found


def _classes(root: Path, side: Split) -> Iterator[LabelledImage]:
    for folder in _folders(root):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file():
                yield LabelledImage(path, folder.name.strip(), NO_GROUP, side)


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _others(root: Path, images: Sequence[LabelledImage]) -> list[str]:
    known = {image.path for image in images}
    files = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    others = sorted(path.relative_to(root).as_posix() for path in files if path not in known)
    if not others:
        return []
    return [f"{counted(len(others), 'file')} other than PNG, JPEG or .dcm in a class, {left_out(others)}"]
