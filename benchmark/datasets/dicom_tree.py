"""DICOM files in any folders, and a list that labels instances or series."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmark.datasets.assemble import assemble
from benchmark.datasets.dicom_header import Header, read_header
from benchmark.datasets.tables import SPLIT_NAMES, counted, read_table
from benchmark.types import Dataset, LabelledImage, Split
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import ConfigError

LABELS = "labels.csv"
INSTANCE, SERIES = "sopinstanceuid", "seriesinstanceuid"


def load_dicom_tree(root: Path) -> Dataset:
    """List the DICOM files below a folder that its ``labels.csv`` labels.

    The list has the columns SOPInstanceUID or SeriesInstanceUID (or both: a series' label holds for its
    instances that have none of their own) and label, and may have split (train, val or test for every row).
    Without it the split is drawn by :func:`group_split` with seed 0. Files need no extension.

    A group is a patient: patient ids are hashed with a secret that is thrown away, then numbered. Where a
    file has no patient id its study takes the patient's place. As folders are often named after patients,
    problems name no files.

    Raises
    ------
    ConfigError
        If the list or one of its columns is missing, it labels something twice, names an unknown split, or a
        split has no image left.
    """
    rows = _read_labels(root / LABELS)
    out: Counter[str] = Counter()
    headers = list(_readable(root, out))
    patients: dict[str, str] = {}
    images: list[LabelledImage] = []
    used: set[str] = set()
    for header in headers:
        uid = next((uid for uid in (header.instance, header.series) if uid in rows), None)
        if uid is None:
            out[f"not labelled by {LABELS}"] += 1
            continue
        used.add(uid)
        # Hashes differ from run to run. Numbers in the order of paths do not, and neither does a split drawn
        # by them.
        group = patients.setdefault(header.patient or header.study, f"patient {len(patients) + 1}")
        label, side = rows[uid]
        images.append(
            LabelledImage(header.path, label, group, side or "train", header.modality, header.region)
        )
    problems = [f"{counted(number, 'file')} {reason}, left out" for reason, number in out.items()]
    if anonymous := sum(not header.patient for header in headers):
        problems.append(f"{counted(anonymous, 'file')} without patient id: the study stands for the patient")
    if unused := len(rows.keys() - used):
        problems.append(f"{counted(unused, 'row')} of {LABELS} without a file")
    drawn = not any(side for _, side in rows.values())
    return assemble("dicom", root, images, problems, draw=drawn)


def _read_labels(path: Path) -> dict[str, tuple[str, Split | None]]:
    """Return label and split by UID, of an instance or of a series."""
    rows = read_table(path, ("label",))
    if rows and INSTANCE not in rows[0] and SERIES not in rows[0]:
        raise ConfigError(
            f"The list {path} has neither a column SOPInstanceUID nor SeriesInstanceUID.",
            "Add the column that says what each label belongs to.",
        )
    divided = any(row.get("split") for row in rows)
    labels: dict[str, tuple[str, Split | None]] = {}
    for number, row in enumerate(rows, start=1):
        uid = row.get(INSTANCE) or row.get(SERIES, "")
        side = SPLIT_NAMES.get(row.get("split", "").lower())
        if not uid or not row["label"] or (divided and side is None):
            raise ConfigError(
                f"The list {path} has a row without UID, label or split (row {number} below the header).",
                "Complete the row; split is train, val or test in every row, or there is no such column.",
            )
        if labels.setdefault(uid, (row["label"], side)) != (row["label"], side):
            raise ConfigError(
                f"The list {path} says two things of one UID (row {number} below the header).",
                "Leave one row for each UID.",
            )
    return labels


def _readable(root: Path, out: Counter[str]) -> Iterator[Header]:
    """Yield the headers of single images, in order of paths; count in ``out`` what else lies there."""
    hasher = PatientHasher(secrets.token_bytes(32))
    seen: set[str] = set()
    for path in _files(root):
        header = read_header(path, hasher)
        if isinstance(header, str):
            out[header] += 1
        elif header.instance in seen:
            out["with the SOPInstanceUID of another"] += 1
        else:
            seen.add(header.instance)
            yield header


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(folder, name)
            if path != root / LABELS and path.is_file():
                yield path
