"""What is interrupted: operations on an archive, each with the state before it and those allowed after it."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from benchmark.trust.kills.aged import age
from benchmark.trust.oracle.album import album, write_album
from benchmark.trust.oracle.inspection import doctors_findings, wrong_answers
from benchmark.trust.settings import LEASE_S, settings_of
from hmar.adapters.memory import InlineQueue
from hmar.files import DRAFT_AGE_S
from hmar.library.archive import Archive
from hmar.values.added import Failure
from hmar.wiring import build_engine

COLLECTION = "default"
BACKUP = "backup.tar"
NEWER = "newer"
Keys = set[tuple[str, int]]
"""SOP instance and frame number of each frame that must be there."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that a process does to an archive, and that may be cut short.

    Parameters
    ----------
    name : str
        On the page.
    process : str
        What is killed.
    prepare : callable
        Makes the archive before it. Takes the data directory and the folder of images, as the next two.
    act : callable
        What is killed, and called again to complete what it began. Returns why files failed.
    expected : callable
        Returns what must be there in the end.
    partial : bool
        Whether some of the frames will do while it is cut short; otherwise it is all or nothing.
    replaces : bool
        Whether it gives all frames other codes, and each may have the old or the new while it is cut short.
    searched : bool
        Whether the archive is started and searched while it is cut short. A start would make an archive where
        one is to be restored.
    settle : callable
        Done after it was completed, as other processes would.
    """

    name: str
    process: str
    prepare: Callable[[Path, Path], object]
    act: Callable[[Path, Path], list[str] | None]
    expected: Callable[[], Keys]
    partial: bool = False
    replaces: bool = False
    searched: bool = True
    settle: Callable[[Path], None] = lambda _home: None


def empty(_home: Path, _images: Path) -> None:
    """Leave the archive as it is: not there."""


def start(home: Path, _images: Path) -> None:
    """Start an archive: folders, secrets, database."""
    engine = build_engine(settings_of(home))
    _ = engine.secrets
    engine.keys.listed()
    engine.close()


def index_by_library(home: Path, images: Path) -> list[str]:
    """Index a folder from Python."""
    with Archive(settings=settings_of(home)) as archive:
        added = archive.add(images, collection=COLLECTION)
    return [str(failure.reason) for failure in added.failures]


def index_by_command(home: Path, images: Path) -> None:
    """Run ``hmar index``."""
    command(home, "index", str(images), "--collection", COLLECTION, "--json")


def add_bytes(home: Path, images: Path) -> list[str]:
    """Add files as bytes, which go through the upload store."""
    failures: list[Failure] = []
    with Archive(settings=settings_of(home)) as archive:
        for file in sorted(images.glob("s*.dcm")):
            failures += archive.add(file.read_bytes(), collection=COLLECTION).failures
    return [str(failure.reason) for failure in failures]


def write_snapshot(home: Path, _images: Path) -> None:
    """Write a snapshot of the index."""
    engine = build_engine(settings_of(home))
    engine.searcher.refresh()
    engine.index.snapshot()
    engine.close()


def indexed_with_snapshot(home: Path, images: Path) -> None:
    """Index a folder, and write a snapshot of all but its last series."""
    index_by_library(home, images)
    write_snapshot(home, images)


def delete_series(home: Path, _images: Path) -> None:
    """Delete a series."""
    with Archive(settings=settings_of(home)) as archive:
        archive.delete(series_uid=album(0)[0].series_uid, collection=COLLECTION)


def delete_and_snapshot(home: Path, images: Path) -> None:
    """Delete a series, and write the snapshot without it."""
    delete_series(home, images)
    write_snapshot(home, images)


def indexed_and_aged(home: Path, images: Path) -> None:
    """Index a folder, and make the database that of the first release."""
    index_by_library(home, images)
    age(home)


def delete_by_command(home: Path, _images: Path) -> None:
    """Run ``hmar delete`` for a series that was indexed from a folder."""
    _delete(home, "--series", album(0)[0].series_uid)


def delete_uploads(home: Path, _images: Path) -> None:
    """Run ``hmar delete`` for a study whose files were uploaded."""
    _delete(home, "--study", album(0)[0].study_uid)


def _delete(home: Path, level: str, uid: str) -> None:
    try:
        command(home, "delete", level, uid, "--yes")
    except RuntimeError as error:
        # Asked again after it was done: there is nothing left.
        if "ended with 2" not in str(error):
            raise


def indexed_with_uploads(home: Path, images: Path) -> None:
    """Index a folder, and some bytes that are kept."""
    index_by_library(home, images)
    with Archive(settings=settings_of(home)) as archive:
        archive.add(album(0, study=2)[0].data, collection=COLLECTION)


def indexed_with_newer_images(home: Path, images: Path) -> None:
    """Index a folder, and have another one of the same instances with other pixels."""
    index_by_library(home, images)
    write_album(home.parent / NEWER, album(0, version=2))


def replace(home: Path, _images: Path) -> None:
    """Index other pixels under the same UIDs, in place of the old ones."""
    with Archive(settings=settings_of(home, HMAR_SAME_UID="replace")) as archive:
        archive.add(home.parent / NEWER, collection=COLLECTION)


def back_up(home: Path, _images: Path) -> None:
    """Run ``hmar backup``, and have what it wrote verified; one that is there is not written again."""
    file = home.parent / BACKUP
    if not file.exists():
        command(home, "backup", str(file))
    command(home, "backup", "--verify", str(file))


def backed_up_and_lost(home: Path, images: Path) -> None:
    """Make a backup, and lose the archive."""
    indexed_with_uploads(home, images)
    back_up(home, images)
    shutil.rmtree(home)
    home.mkdir()


def restore(home: Path, _images: Path) -> None:
    """Run ``hmar restore``; where it says that the archive is there already, start that."""
    try:
        command(home, "restore", str(home.parent / BACKUP))
    except RuntimeError as error:
        if "holds an archive already" not in str(error):
            raise
        start(home, home)


def migrate(home: Path, _images: Path) -> None:
    """Open an archive that an older release wrote."""
    start(home, _images)


def command(home: Path, *arguments: str) -> None:
    """Run a command of ``hmar`` in this process; raises RuntimeError where it exits with another status."""
    from hmar.cli import main

    os.environ["HMAR_HOME"] = str(home)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main(list(arguments), prog_name="hmar")
        except SystemExit as exit_:
            if exit_.code not in (0, None):
                raise RuntimeError(
                    f"hmar {arguments[0]} ended with {exit_.code}: {said.getvalue()}"
                ) from None


def all_frames() -> Keys:
    """Return the keys of the whole album."""
    return {
        (picture.sop_instance_uid, number) for picture in album(0) for number in range(1, picture.frames + 1)
    }


def with_upload() -> Keys:
    """Return the keys of the whole album and of the file that was uploaded."""
    return all_frames() | {(album(0, study=2)[0].sop_instance_uid, 1)}


def single_frames() -> Keys:
    """Return the keys of the files of one frame."""
    return {(picture.sop_instance_uid, 1) for picture in album(0) if picture.frames == 1}


def without_first_series() -> Keys:
    """Return the keys of the album without the series that is deleted."""
    gone = {picture.sop_instance_uid for picture in album(0) if picture.series_uid == album(0)[0].series_uid}
    return {key for key in all_frames() if key[0] not in gone}


def sweep(home: Path) -> None:
    """Do what a worker's sweep does: send again what has stalled, and handle it."""
    time.sleep(LEASE_S)
    queue = InlineQueue()
    engine = build_engine(settings_of(home), queue=queue)
    queue.handler = engine.indexer.handle
    engine.indexer.sweep()
    engine.close()


OPERATIONS = {
    "start": Operation("first start", "library", empty, start, set),
    "index": Operation(
        "index a folder", "library (Archive.add)", empty, index_by_library, all_frames, partial=True
    ),
    "command": Operation("index a folder", "hmar index", empty, index_by_command, all_frames, partial=True),
    "bytes": Operation(
        "index bytes", "library (Archive.add)", empty, add_bytes, single_frames, partial=True, settle=sweep
    ),
    "snapshot": Operation("snapshot", "searcher", index_by_library, write_snapshot, all_frames),
    "delete": Operation(
        "delete, snapshot",
        "library",
        indexed_with_snapshot,
        delete_and_snapshot,
        without_first_series,
    ),
    "remove": Operation(
        "delete a series", "hmar delete", indexed_with_snapshot, delete_by_command, without_first_series
    ),
    "remove uploads": Operation("delete a study, uploaded", "hmar delete", add_bytes, delete_uploads, set),
    "backup": Operation("backup", "hmar backup", indexed_with_uploads, back_up, with_upload),
    "restore": Operation("restore", "hmar restore", backed_up_and_lost, restore, with_upload, searched=False),
    "replace": Operation(
        "replace by other pixels", "library", indexed_with_newer_images, replace, all_frames, replaces=True
    ),
    "migration": Operation("migration", "searcher", indexed_and_aged, migrate, all_frames),
}
"""All of them, by the name that a process of a trial is given."""


def prepare(name: str, home: str, images: str) -> None:
    """Make the archive before an operation."""
    OPERATIONS[name].prepare(Path(home), Path(images))


def act(name: str, home: str, images: str) -> list[str]:
    """Do an operation; return why files failed."""
    return OPERATIONS[name].act(Path(home), Path(images)) or []


def complete(name: str, home: str, images: str) -> list[str]:
    """Complete an operation that was cut short; return what was wrong before and afterwards."""
    operation, place = OPERATIONS[name], Path(home)
    early = wrong_answers(place) if operation.searched else []
    before = [f"while it was cut short, {wrong}" for wrong in early]
    operation.act(place, Path(images))
    operation.settle(place)
    return before + look(home)


def look(home: str) -> list[str]:
    """Sweep as a worker does an hour later; return what is answered wrongly, and what doctor finds."""
    long_ago = time.time() - 2 * DRAFT_AGE_S
    for hidden in Path(home).rglob(".*"):
        os.utime(hidden, (long_ago, long_ago))
    engine = build_engine(settings_of(Path(home)))
    engine.remover.sweep()
    engine.close()
    return wrong_answers(Path(home)) + doctors_findings(Path(home))
