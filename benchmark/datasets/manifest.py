"""A CSV file that lists images."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from benchmark.datasets.assemble import assemble
from benchmark.datasets.patients import NO_GROUP
from benchmark.datasets.tables import SPLIT_NAMES, counted, inner_parts, left_out, read_table
from benchmark.types import Dataset, LabelledImage, Progress, silent

MANIFEST = "manifest.csv"


def load_manifest(root: Path, progress: Progress = silent) -> Dataset:
    """List the images of a CSV file with the columns path, label and, if known, group and split.

    Without the column "split", or if it is empty, the split is drawn by :func:`group_split` with seed 0.
    Images without a group get one by :func:`benchmark.datasets.patients.find_groups`. A row whose path is
    absolute or leads out of the folder, which has no label, or whose split is none of train, val and test, is
    left out.

    Parameters
    ----------
    root : Path
        The CSV file, or the folder that holds ``manifest.csv``. Paths are relative to its folder, with
        forward slashes.
    progress : Progress

    Raises
    ------
    ConfigError
        If the file or one of the columns path and label is missing, or a split has no image left.
    """
    file = root / MANIFEST if root.is_dir() else root
    folder = file.parent
    rows = read_table(file, ("path", "label"))
    drawn = not any(row.get("split") for row in rows)
    images: list[LabelledImage] = []
    refused: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        parts = inner_parts(row["path"])
        side = "train" if drawn else SPLIT_NAMES.get(row["split"].lower())
        if parts is None:
            refused["with a path that is absolute or climbs"].append(row["path"])
        elif not row["label"]:
            refused["without label"].append(row["path"])
        elif side is None:
            refused["with a split that is none of train, val and test"].append(row["path"])
        else:
            group = row.get("group") or NO_GROUP
            images.append(LabelledImage(folder.joinpath(*parts), row["label"], group, side))
    problems = [
        f"{counted(len(names), 'row')} {reason}, {left_out(names)}" for reason, names in refused.items()
    ]
    return assemble("manifest", folder, images, problems, draw=drawn, progress=progress)
