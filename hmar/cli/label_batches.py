"""A table of labels to lists of files, one for each label: an index job gives one label to all its files.

Each file has a patient of its own, where the table names one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hmar.contents import Content
from hmar.errors import InputError, ParameterError
from hmar.label_table import LabelRow
from hmar.ports import ImageSource
from hmar.values.frames import ImageFile
from hmar.values.references import reference_of

Uids = tuple[str, ...]


class Batch(NamedTuple):
    """Files that get one label, or none; without ``references``, all that lies at a path.

    ``patients`` are keys of patients, by reference.
    """

    label: str | None
    references: list[str] | None = None
    patients: Mapping[str, str] | None = None


def label_batches(
    rows: Sequence[LabelRow],
    references: Sequence[str],
    uids_of: Callable[[str], Uids],
    key_of: Callable[[str, str], str | None],
) -> tuple[list[Batch], int]:
    """Return files by label, those without one last, and how many rows name none of the files.

    A file's label is that of the first row with its path, else with its SOP Instance UID, else with its
    Series Instance UID. All rows that name its patient must name the same one.

    Parameters
    ----------
    rows : sequence of LabelRow
    references : sequence of str
        Files below the root of the file system.
    uids_of : callable
        Returns a file's SOP Instance UID and Series Instance UID; asked only where rows have UIDs.
    key_of : callable
        Returns the key of a patient by id and issuer, None for an empty id.

    Raises
    ------
    ParameterError
        If rows give a file two patients; it names their lines.
    """
    by_name: defaultdict[str, list[LabelRow]] = defaultdict(list)
    for row in rows:
        for name in _names(row):
            by_name[name].append(row)
    has_uids = any(row.uids for row in rows)
    labels: dict[str | None, list[str]] = {}
    patients: dict[str | None, dict[str, str]] = {}
    used: set[str] = set()
    for reference in references:
        names = (reference, *(uids_of(reference) if has_uids else ()))
        found = [name for name in names if name in by_name]
        used.update(found)
        naming = [row for name in found for row in by_name[name]]
        label = naming[0].label if naming else None
        labels.setdefault(label, []).append(reference)
        patient = _patient(naming, key_of)
        if patient is not None:
            patients.setdefault(label, {})[reference] = patient
    ordered = sorted(labels, key=lambda label: (label is None, label or ""))
    unmatched = sum(used.isdisjoint(_names(row)) for row in rows)
    return [Batch(label, labels[label], patients.get(label)) for label in ordered], unmatched


def _patient(rows: Sequence[LabelRow], key_of: Callable[[str, str], str | None]) -> str | None:
    """Return the key of the patient that the rows on a file name; None where they name none."""
    keys = {row.line: key_of(row.patient, row.issuer) for row in rows if row.patient is not None}
    first, *others = dict.fromkeys(keys.values()) or [None]
    if others:
        lines = sorted({key: line for line, key in keys.items()}.values())
        raise ParameterError(
            f"Lines {lines[0]} and {lines[1]} of the table give one file two patients.",
            "Give the same patient in all lines that name a file, its instance or its series. "
            "Nothing was indexed.",
        )
    return first


def uids_in(
    source: ImageSource, decode: Callable[[Content], ImageFile], max_bytes: int
) -> Callable[[str], Uids]:
    """Return what reads a file's UIDs; none of a file that cannot be read, which indexing will report."""

    def uids_of(reference: str) -> Uids:
        try:
            info = decode(source.fetch(reference, max_bytes)).infos[0]
        except InputError:
            return ()
        return info.sop_instance_uid, info.series_uid

    return uids_of


def _names(row: LabelRow) -> list[str]:
    """Return what a row calls its files: the reference of a path, and UIDs."""
    path = [] if row.path is None else [reference_of(row.path.resolve().relative_to(Path("/")))]
    return [*path, *row.uids]
