"""What is wrong with an archive at rest: its rows, log, jobs, uploads and files against each other."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Collection
from pathlib import Path

from benchmark.trust.oracle.rows import Frames, frames_of, opened

_DRAFT = re.compile(r"\..+\.[0-9a-f]{16}")
_UNFINISHED = re.compile(r"\.unfinished-.*")
SHOWN = 3


def differences(home: Path, allowed: Collection[Frames], partial: bool = False) -> list[str]:
    """Compare the live frames with the states that they may be in.

    Parameters
    ----------
    home : Path
        Data directory.
    allowed : collection of dict
        The frames must be one of these, codes and all.
    partial : bool
        Also some of the frames of any of these will do: an index job that was cut short.
    """
    try:
        found = frames_of(home)
    except AssertionError as error:
        return [f"frames are indexed twice: {error}"]
    if found in allowed or (partial and any(found.items() <= frames.items() for frames in allowed)):
        return []
    return min((_difference(found, frames) for frames in allowed), key=len)


def broken_rows(home: Path) -> list[str]:
    """Check the database's own integrity, and that the log, replayed, gives the live rows."""
    with opened(home) as connection:
        wrong = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        wrong += [
            f"a row of {row[0]} refers to none" for row in connection.execute("PRAGMA foreign_key_check")
        ]
        logged = connection.execute("SELECT seq, kind, entry_id FROM log ORDER BY seq").fetchall()
        live = {row[0] for row in connection.execute("SELECT entry_id FROM entries")}
        last = connection.execute("SELECT value FROM counter").fetchone()[0]
    if [row[0] for row in logged] != list(range(1, last + 1)):
        wrong.append(f"the log has gaps: {len(logged)} rows up to {last}")
    replayed: set[int] = set()
    for _, kind, entry_id in logged:
        (replayed.add if kind == "add" else replayed.discard)(entry_id)
    if replayed != live:
        wrong.append(f"the log says {len(replayed)} rows are live, the table holds {len(live)}")
    return wrong


def open_jobs(home: Path) -> list[str]:
    """Name the jobs and items that never ended, and the items that were given up."""
    with opened(home) as connection:
        jobs = _count(connection, "SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'failed')")
        items = _count(connection, "SELECT count(*) FROM items WHERE state IN ('queued', 'running')")
        dead = _count(connection, "SELECT count(*) FROM items WHERE state = 'dead'")
    named = ((jobs, "jobs have not ended"), (items, "items are open"), (dead, "items were given up"))
    return [f"{count} {what}" for count, what in named if count]


def stray_files(home: Path) -> list[str]:
    """Name drafts and unfinished snapshots: what a killed process left and nobody removed."""
    names = sorted(str(path.relative_to(home)) for path in home.rglob(".*"))
    kinds = (("drafts", _DRAFT), ("unfinished snapshots", _UNFINISHED))
    found = []
    for what, pattern in kinds:
        left = [name for name in names if pattern.fullmatch(Path(name).name)]
        if left:
            found.append(f"{len(left)} {what} are left: {', '.join(left[:SHOWN])}")
    return found


def wrong_uploads(home: Path) -> list[str]:
    """Compare the stored uploads with their names, and with the rows and open jobs that refer to them."""
    folder = home / "uploads"
    stored = {path.name: path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}
    altered = [name for name, path in stored.items() if hashlib.sha256(path.read_bytes()).hexdigest() != name]
    with opened(home) as connection:
        query = "SELECT DISTINCT origin_reference FROM entries WHERE origin_source = 'upload'"
        referenced = {row[0] for row in connection.execute(query)}
    wrong = [f"upload {name[:8]} holds other bytes" for name in altered]
    wrong += [f"upload {name[:8]} is missing" for name in sorted(referenced - set(stored))]
    return wrong + [f"upload {name[:8]} belongs to nothing" for name in sorted(set(stored) - referenced)]


def neither(home: Path, old: Frames, new: Frames) -> list[str]:
    """Name the frames that are there twice or not at all, or with codes that are neither old nor new."""
    try:
        found = frames_of(home)
    except AssertionError as error:
        return [f"frames are indexed twice: {error}"]
    wrong = sorted(key for key in set(new) | set(found) if found.get(key) not in (old.get(key), new.get(key)))
    return [f"{len(wrong)} frames neither old nor new: {wrong[:SHOWN]}"] if wrong else []


def remains(home: Path, gone: Frames) -> list[str]:
    """Name the files that still hold the code of a frame that was deleted."""
    codes = {found.global_code for found in gone.values()}
    holding = [
        str(path.relative_to(home))
        for path in sorted(home.rglob("*"))
        if codes and path.is_file() and any(code in path.read_bytes() for code in codes)
    ]
    return [f"codes of deleted frames are in {', '.join(holding[:SHOWN])}"] if holding else []


def _difference(found: Frames, expected: Frames) -> list[str]:
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    other = sorted(key for key in set(found) & set(expected) if found[key] != expected[key])
    named = (("missing", missing), ("too many", extra), ("with other codes", other))
    return [f"{len(keys)} frames {what}: {', '.join(map(str, keys[:SHOWN]))}" for what, keys in named if keys]


def _count(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
