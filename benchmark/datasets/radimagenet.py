"""RadImageNet's layout: three official lists, and images in <modality>/<region>/<pathology>.

Mei et al., Radiology: Artificial Intelligence 4(5), 2022. The release names no patients; its lists are the
only split that keeps them apart. A ``groups.csv`` (filename,group) beside the lists names groups where
someone has worked them out.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

from benchmark.datasets.aliases import CT_PATTERNS, ct_pattern, plain_pathology
from benchmark.datasets.assemble import assemble
from benchmark.datasets.tables import counted, inner_parts, read_table, some
from benchmark.types import Dataset, LabelledImage, Split
from hmar.errors import ConfigError

IMAGES = "radiology_ai"
GROUPS = "groups.csv"
FORM = f"{IMAGES}/<modality>/<region>/<pathology>/<name>"


def load_radimagenet(root: Path) -> Dataset:
    """List the images of all modalities; classes are "ct/abd/liver_lesion" and the like.

    The classes are discovered from the paths, see :func:`benchmark.datasets.aliases.plain_pathology`; the
    column "label" is not used, as "normal" there does not say of what.

    Parameters
    ----------
    root : Path
        The folder that holds ``radiology_ai``, or ``radiology_ai`` itself. The lists
        ``RadiologyAI_{train,val,test}.csv`` lie beside it or in it; the file names in them are relative to
        the folder that holds it.

    Raises
    ------
    ConfigError
        If a list or the folder is missing, or a split has no image left.
    """
    base, images, problems = _candidates(root, "/".join)
    return assemble("radimagenet", base, images, problems)


def load_radimagenet_ct(root: Path) -> Dataset:
    """List the images of the 16 CT patterns of the published comparisons.

    Which of them are missing is told in ``problems``. Parameters as for :func:`load_radimagenet`.

    Raises
    ------
    ConfigError
        As :func:`load_radimagenet`, and if none of the 16 is there.
    """
    base, images, problems = _candidates(root, _ct_label)
    if not images:
        raise ConfigError(
            f"The lists of {base} name none of the {len(CT_PATTERNS)} CT patterns ({some(CT_PATTERNS)}).",
            "Give RadImageNet itself, or load other images of its layout as 'radimagenet'.",
        )
    dataset = assemble("radimagenet-ct", base, images, problems)
    missing = [pattern for pattern in CT_PATTERNS if pattern not in dataset.classes]
    if not missing:
        return dataset
    line = f"{len(missing)} of the {len(CT_PATTERNS)} CT patterns missing: {', '.join(missing)}"
    return replace(dataset, problems=(*dataset.problems, line))


def _ct_label(found: tuple[str, str, str]) -> str | None:
    modality, region, pathology = found
    return ct_pattern(region, pathology) if modality == "ct" else None


def _candidates(
    root: Path, label_of: Callable[[tuple[str, str, str]], str | None]
) -> tuple[Path, list[LabelledImage], list[str]]:
    """Return the folder above the images, the images that get a label, and problems.

    ``label_of`` takes modality, region and plain pathology, all in lower case.
    """
    base, lists = _places(root)
    groups = _read_groups(lists)
    images: list[LabelledImage] = []
    odd: list[str] = []
    alone: Counter[Split] = Counter()
    for side, filename in _listed(lists):
        parts = _below(filename)
        if parts is None or len(parts) != 4:
            odd.append(filename)
            continue
        found = _class_of(parts[:3])
        label = label_of(found)
        if label is None:
            continue
        key = "/".join(parts)
        alone[side] += key not in groups
        group = groups.get(key, f"{IMAGES}/{key}")
        path = base.joinpath(IMAGES, *parts)
        images.append(LabelledImage(path, label, group, side, found[0].upper(), found[1]))
    problems = [_told_of_groups(alone, bool(groups))] if alone.total() else []
    if odd:
        problems.insert(0, f"{counted(len(odd), 'path')} not of the form {FORM}, left out: {some(odd)}")
    return base, images, problems


def _places(root: Path) -> tuple[Path, Path]:
    """Return the folder above ``radiology_ai``, and the folder of the lists."""
    base = root.parent if root.name == IMAGES and not (root / IMAGES).is_dir() else root
    if not (base / IMAGES).is_dir():
        raise ConfigError(
            f"{root} holds no folder {IMAGES}.", f"Give the folder above {IMAGES}, or {IMAGES} itself."
        )
    inside = base / IMAGES
    return base, inside if (inside / "RadiologyAI_train.csv").is_file() else base


def _listed(lists: Path) -> Iterator[tuple[Split, str]]:
    for side in get_args(Split):
        for row in read_table(lists / f"RadiologyAI_{side}.csv", ("filename", "label")):
            yield side, row["filename"]


def _below(filename: str) -> tuple[str, ...] | None:
    """Return a listed path's parts below ``radiology_ai``, None if it leads out."""
    parts = inner_parts(filename)
    return parts[1:] if parts and parts[0] == IMAGES else parts


@functools.cache
def _class_of(folders: tuple[str, str, str]) -> tuple[str, str, str]:
    modality, region, pathology = folders
    return modality.lower(), region.lower(), plain_pathology(pathology, region, modality)


def _read_groups(lists: Path) -> dict[str, str]:
    """Return groups by path below ``radiology_ai``; empty without a list of them."""
    path = lists / GROUPS
    if not path.is_file():
        return {}
    rows = read_table(path, ("filename", "group"))
    named = ((_below(row["filename"]), row["group"]) for row in rows)
    return {"/".join(parts): group for parts, group in named if parts and group}


def _told_of_groups(alone: Mapping[Split, int], known: bool) -> str:
    if not known:
        return f"no {GROUPS}: each image counts as a patient of its own, so intervals come out too narrow"
    where = ", ".join(f"{number} in {side}" for side, number in alone.items() if number)
    images = counted(sum(alone.values()), "image")
    return f"{images} not in {GROUPS}, each a group of its own: {where}"
