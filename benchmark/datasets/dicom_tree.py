"""DICOM files in any folders, and a list that labels instances or series."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom

from benchmark.datasets.assemble import assemble
from benchmark.datasets.tables import SPLIT_NAMES, counted, read_table, some
from benchmark.types import Dataset, LabelledImage, Split
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.header import code, integer, text
from hmar.dicom.read import is_dicom
from hmar.dicom.vendor import translated
from hmar.errors import ConfigError, DecodeError

LABELS = "labels.csv"
INSTANCE, SERIES = "sopinstanceuid", "seriesinstanceuid"
HEAD_BYTES = 1 << 16
"""Enough of a file to tell whether it is DICOM."""
HEADER = (
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "Modality",
    "BodyPartExamined",
    "Rows",
    "NumberOfFrames",
)


def load_dicom_tree(root: Path) -> Dataset:
    """List the DICOM files below a folder that its ``labels.csv`` labels.

    The list has the columns SOPInstanceUID or SeriesInstanceUID (or both: a series' label holds for its
    instances that have none of their own) and label, and may have split (train, val or test for every row).
    Without it sides are drawn by :func:`group_split` with seed 0. Files need no extension.

    A group is a patient: patient ids are hashed with a secret that is forgotten, then only numbered. Where a
    file has no patient id its study takes the patient's place. As folders are often named after patients,
    problems name no files.

    Raises
    ------
    ConfigError
        If the list or one of its columns is missing, it labels something twice, has a split that is none, or
        nothing is left on one of the sides.
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
        # Hashes differ from run to run; numbers in the order of paths do not, nor does what is drawn by them.
        group = patients.setdefault(header.patient or header.study, f"patient {len(patients) + 1}")
        label, side = rows[uid]
        images.append(
            LabelledImage(header.path, label, group, side or "train", header.modality, header.region)
        )
    problems = [f"{counted(number, 'file')} {reason}, left out" for reason, number in out.items()]
    if anonymous := sum(not header.patient for header in headers):
        problems.append(f"{counted(anonymous, 'file')} without patient id: the study stands for the patient")
    if unused := [uid for uid in rows if uid not in used]:
        problems.append(f"{counted(len(unused), 'row')} of {LABELS} without a file: {some(unused)}")
    drawn = not any(side for _, side in rows.values())
    return assemble("dicom", root, images, problems, draw=drawn)


@dataclass(frozen=True, slots=True)
class _Header:
    """What the loader needs of one file; ``patient`` is a keyed hash, empty where the file has no id."""

    path: Path
    instance: str
    series: str
    study: str
    patient: str
    modality: str
    region: str


def _read_labels(path: Path) -> dict[str, tuple[str, Split | None]]:
    """Return label and side by UID, of an instance or of a series."""
    rows = read_table(path, ("label",))
    if rows and INSTANCE not in rows[0] and SERIES not in rows[0]:
        raise ConfigError(
            f"The list {path} has neither a column SOPInstanceUID nor SeriesInstanceUID.",
            "Add the column that says what each label belongs to.",
        )
    divided = any(row.get("split") for row in rows)
    labels: dict[str, tuple[str, Split | None]] = {}
    for row in rows:
        uid = row.get(INSTANCE) or row.get(SERIES, "")
        side = SPLIT_NAMES.get(row.get("split", "").lower())
        if not uid or not row["label"] or (divided and side is None):
            raise ConfigError(
                f"The list {path} has a row without UID, label or split (UID {uid!r}).",
                "Complete the row; split is train, val or test in every row, or there is no such column.",
            )
        if labels.setdefault(uid, (row["label"], side)) != (row["label"], side):
            raise ConfigError(f"The list {path} says two things of {uid}.", "Leave one row for each UID.")
    return labels


def _readable(root: Path, out: Counter[str]) -> Iterator[_Header]:
    """Yield the headers of single images, in order of paths; count in ``out`` what else lies there."""
    hasher = PatientHasher(secrets.token_bytes(32))
    seen: set[str] = set()
    for path in _files(root):
        header = _read_header(path, hasher)
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


def _read_header(path: Path, hasher: PatientHasher) -> _Header | str:
    """Return a file's header, or why it is none that can be used."""
    try:
        with path.open("rb") as file:
            if not is_dicom(file.read(HEAD_BYTES)):
                return "not DICOM"
        with translated("The header cannot be read", "Check that the file is complete."):
            dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=list(HEADER))
            return _header(path, dataset, hasher)
    except (OSError, DecodeError):
        return "that cannot be read"


def _header(path: Path, dataset: pydicom.Dataset, hasher: PatientHasher) -> _Header | str:
    instance, series, study = (text(dataset, keyword) for keyword in HEADER[:3])
    if not instance or not text(dataset, "Rows"):
        return "without SOPInstanceUID or image"
    if (integer(dataset, "NumberOfFrames") or 1) != 1:
        return "of several frames"
    return _Header(
        path,
        instance,
        series,
        study or series or instance,
        hasher.key(text(dataset, "PatientID"), text(dataset, "IssuerOfPatientID")) or "",
        code(dataset, "Modality") or "OT",
        code(dataset, "BodyPartExamined") or "",
    )
