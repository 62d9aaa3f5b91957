"""A CSV file that lists images."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from benchmark.datasets.assemble import assemble
from benchmark.datasets.group_split import NO_GROUPS
from benchmark.datasets.tables import SPLIT_NAMES, counted, inner_parts, read_table, some
from benchmark.types import Dataset, LabelledImage

MANIFEST = "manifest.csv"


def load_manifest(root: Path) -> Dataset:
    """List the images of a CSV file with the columns path, label and, if known, group and split.

    Without the column "split", or with nothing in it, sides are drawn by :func:`group_split` with seed 0.
    Without a group an image is its own. A row whose path is absolute or leads out of the folder, which has no
    label, or whose side is none of train, val and test, is left out.

    Parameters
    ----------
    root : Path
        The CSV file, or the folder that holds ``manifest.csv``. Paths are relative to its folder, with
        forward slashes.

    Raises
    ------
    ConfigError
        If the file or one of the columns path and label is missing, or nothing is left on one of the sides.
    """
    file = root / MANIFEST if root.is_dir() else root
    folder = file.parent
    rows = read_table(file, ("path", "label"))
    drawn = not any(row.get("split") for row in rows)
    images: list[LabelledImage] = []
    refused: defaultdict[str, list[str]] = defaultdict(list)
    alone = 0
    for row in rows:
        parts = inner_parts(row["path"])
        side = "train" if drawn else SPLIT_NAMES.get(row["split"].lower())
        if parts is None:
            refused["with a path that is absolute or climbs"].append(row["path"])
        elif not row["label"]:
            refused["without label"].append(row["path"])
        elif side is None:
            refused["on none of the sides train, val and test"].append(row["path"])
        else:
            group = row.get("group") or f"image {'/'.join(parts)}"
            alone += not row.get("group")
            images.append(LabelledImage(folder.joinpath(*parts), row["label"], group, side))
    problems = [
        f"{counted(len(names), 'row')} {reason}, left out: {some(names)}" for reason, names in refused.items()
    ]
    if alone:
        problems.append(NO_GROUPS if alone == len(images) else _some_alone(alone))
    return assemble("manifest", folder, images, problems, draw=drawn)


def _some_alone(alone: int) -> str:
    return (
        f"{counted(alone, 'image')} without group: each is its own, and near duplicates may lie on two sides"
    )
