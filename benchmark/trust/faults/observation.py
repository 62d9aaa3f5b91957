"""What the product says of an archive that was harmed, and what it answers."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmark.trust.faults.templates import index_again, pixels_of
from benchmark.trust.kills.operations import BACKUP, command
from benchmark.trust.oracle.inspection import doctors_findings, wrong_answers
from benchmark.trust.oracle.rows import DATABASE, live_rows
from benchmark.trust.settings import settings_of
from hmar.cli.settings import settings_from_environment
from hmar.errors import HmarError
from hmar.product.greeting import default_key
from hmar.wiring import build_engine, load_encoder

Seen = dict[str, list[str]]
"""What was noticed: ``reported`` (errors on purpose, log lines, findings of doctor), ``crashed`` (other
errors), ``wrong`` (answers, pixels and patients that are not the oracle's), and ``lost`` (answers that are
not the oracle's, but all of them those of the archive before its last commits, in the write-ahead log
alone)."""


def observe(home: str, before: str, pixels: Mapping[str, str]) -> Seen:
    """Use an archive as its programs do: start, search, read frames again, examine.

    Parameters
    ----------
    home : str
        The harmed data directory.
    before : str
        The same before the harm; its rows are the oracle.
    pixels : mapping of str to str
        Digest of the pixels of each entry.
    """
    seen = _nothing_yet()
    lines = _Lines(seen["reported"])
    logging.getLogger("hmar").addHandler(lines)
    place = Path(home)
    _try(seen, "lost", lambda: wrong_answers(place, live_rows(Path(before))))
    if seen["lost"] and not _as_before_the_last_commits(place, Path(before)):
        seen["wrong"], seen["lost"] = seen["lost"], []
    _try(seen, "wrong", lambda: _wrong_pixels(place, pixels))
    _try(seen, "reported", lambda: doctors_findings(place, settings_from_environment()))
    _try(seen, "reported", lambda: _greeted_without_key(place))
    logging.getLogger("hmar").removeHandler(lines)
    return seen


def _nothing_yet() -> Seen:
    return {"reported": [], "crashed": [], "wrong": [], "lost": []}


def _as_before_the_last_commits(home: Path, before: Path) -> bool:
    """Whether all answers are right for the unharmed database without its write-ahead log."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(before / DATABASE, Path(folder, DATABASE))
        rows = live_rows(Path(folder))
    return not wrong_answers(home, rows)


def observe_indexing(home: str, _before: str, _pixels: Mapping[str, str]) -> Seen:
    """Index the import folder again."""
    seen = _nothing_yet()
    _try(seen, "reported", lambda: index_again(home))
    return seen


def observe_backup(home: str, _before: str, _pixels: Mapping[str, str]) -> Seen:
    """Verify the backup."""
    seen = _nothing_yet()
    try:
        command(Path(home), "backup", "--verify", str(Path(home, BACKUP)))
    except RuntimeError as error:
        seen["reported" if "Error: " in str(error) else "crashed"].append(str(error))
    return seen


def observe_settings(home: str, _before: str, _pixels: Mapping[str, str]) -> Seen:
    """Read the settings of this process and load the model that they name."""
    seen = _nothing_yet()

    def load() -> list[str]:
        os.environ["HMAR_HOME"] = home
        load_encoder(settings_from_environment())
        return []

    _try(seen, "reported", load)
    return seen


def _try(seen: Seen, kind: str, step: Callable[[], list[str]]) -> None:
    try:
        seen[kind] += step()
    except HmarError as error:
        seen["reported"].append(str(error))
    except Exception as error:
        seen["crashed"].append(f"{type(error).__name__}: {error}")


def _wrong_pixels(home: Path, pixels: Mapping[str, str]) -> list[str]:
    """Read every frame again; raises the first error after all were read."""
    engine = build_engine(settings_of(home))
    wrong, first = [], None
    try:
        entries = engine.catalogue.entries([int(entry_id) for entry_id in pixels])
        for entry_id, entry in entries.items():
            try:
                if pixels_of(engine, entry) != pixels[str(entry_id)]:
                    wrong.append(f"entry {entry_id} is shown with other pixels, or as another patient's")
            except HmarError as error:
                first = first or error
    finally:
        engine.close()
    if first is not None and not wrong:
        raise first
    return wrong


def _greeted_without_key(home: Path) -> list[str]:
    """Start as ``hmar serve`` does, as far as it reads the API key."""
    engine = build_engine(settings_of(home))
    try:
        return [] if default_key(engine) else ["greeting: the first key is not valid any more"]
    finally:
        engine.close()


class _Lines(logging.Handler):
    """Keeps warnings and errors."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(f"log: {record.getMessage()}")


def nothing(seen: Mapping[str, Any]) -> bool:
    """Whether nothing was noticed at all."""
    return not any(seen.values())
