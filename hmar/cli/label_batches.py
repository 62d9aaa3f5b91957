"""A table of labels to lists of files, one for each label: an index job gives one label to all its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from hmar.errors import InputError
from hmar.label_table import LabelRow
from hmar.ports import ImageSource
from hmar.values.frames import ImageFile
from hmar.values.references import reference_of

Uids = tuple[str, ...]


class Batch(NamedTuple):
    """Files that get one label, or none; without ``references``, all that lies at a path."""

    label: str | None
    references: list[str] | None = None


def label_batches(
    rows: Sequence[LabelRow], references: Sequence[str], uids_of: Callable[[str], Uids]
) -> tuple[list[Batch], int]:
    """Return files by label, those without one last, and how many rows name none of the files.

    A file's label is that of the first row with its path, else with its SOP Instance UID, else with its
    Series Instance UID.

    Parameters
    ----------
    rows : sequence of LabelRow
    references : sequence of str
        Files below the root of the file system.
    uids_of : callable
        Returns a file's SOP Instance UID and Series Instance UID; asked only where rows have UIDs.
    """
    by_name: dict[str, LabelRow] = {}
    for row in rows:
        for name in _names(row):
            by_name.setdefault(name, row)
    has_uids = any(row.uids for row in rows)
    labels: dict[str | None, list[str]] = {}
    used: set[str] = set()
    for reference in references:
        names = (reference, *(uids_of(reference) if has_uids else ()))
        found = [name for name in names if name in by_name]
        used.update(found)
        labels.setdefault(by_name[found[0]].label if found else None, []).append(reference)
    ordered = sorted(labels, key=lambda label: (label is None, label or ""))
    unmatched = sum(used.isdisjoint(_names(row)) for row in rows)
    return [Batch(label, labels[label]) for label in ordered], unmatched


def uids_in(
    source: ImageSource, decode: Callable[[bytes], ImageFile], max_bytes: int
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
