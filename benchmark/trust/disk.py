"""The part ``disk``: every operation on a disk that is full, or becomes full meanwhile."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import hmar.errors
from benchmark.trust.kills.operations import OPERATIONS
from benchmark.trust.kills.tally import at_rest
from benchmark.trust.kills.trials import Stage, set_stage
from benchmark.trust.nursery import HungError, begin
from benchmark.trust.oracle.album import album, write_album
from benchmark.trust.oracle.violations import differences
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.settings import environment_of
from benchmark.trust.small_disk import SmallDisk, small_disk, unavailable

SIZE = 16 << 20
RESERVE = 1 << 20
"""The least that `HMAR_MIN_FREE_MB` may ask for: with less, indexing does not begin."""
LEFT = (0, 16 << 10, 64 << 10, 128 << 10, 256 << 10, RESERVE + (32 << 10), RESERVE + (128 << 10))
SHORT_LEFT = (0, 64 << 10)
NAMES = ("start", "index", "command", "bytes", "snapshot", "delete", "migration")
SHORT_NAMES = ("index", "bytes", "snapshot")
_OPERATIONS = "benchmark.trust.kills.operations"
_COMMANDS_END = re.compile(r"hmar \w+ ended with \d: .*Error: ", re.DOTALL)
_HARMLESS = 1
"""Files of the album that fail in every run."""


@dataclass(slots=True)
class _Found:
    """What came of an operation at several fillings."""

    tried: int = 0
    fitted: int = 0
    reported: int = 0
    recovered: int = 0
    words: str = ""
    failures: list[str] = field(default_factory=list)


def full_disk(run: Run) -> Outcome:
    """Do each operation on a small file system that has between none and a little over a mebibyte left.

    It either fits, or is reported: by an error on purpose or the reason of a file that failed. Right
    afterwards, the rows must be those of before or of an undisturbed run. Then room is made, the archive is
    searched, and the operation is asked for again: it has recovered if nothing is wrong, as after a kill.
    """
    if why := unavailable():
        return Outcome([], {"skipped": why})
    images = run.folder / "images"
    write_album(images, album(0))
    found = {}
    for name in SHORT_NAMES if run.short else NAMES:
        stage = set_stage(name, run.folder / name, images)
        found[name] = _Found()
        for left in SHORT_LEFT if run.short else LEFT:
            _try(stage, left, run.folder, found[name])
        run.say(f"disk: {name}")
    rows: list[Row] = [
        {
            "operation": f"{OPERATIONS[name].process}: {OPERATIONS[name].name}",
            "tried": of_name.tried,
            "fitted": of_name.fitted,
            "reported": of_name.reported,
            "recovered": of_name.recovered,
            "for example": of_name.words,
        }
        for name, of_name in found.items()
    ]
    summary: Row = {
        what: sum(getattr(of_name, what) for of_name in found.values())
        for what in ("tried", "fitted", "reported", "recovered")
    }
    return Outcome(rows, summary, [text for of_name in found.values() for text in of_name.failures])


def _try(stage: Stage, left: int, folder: Path, found: _Found) -> None:
    found.tried += 1
    where = f"{stage.operation.process}, {stage.operation.name}, {left >> 10} KiB left"
    # The logs of trials are kept elsewhere: this disk is full.
    notes = folder / f"{stage.name}-{left}"
    notes.mkdir()
    with small_disk(folder / "disk", SIZE) as disk:
        home = disk.folder / "home"
        shutil.copytree(stage.folder / "before" / "home", home) if stage.before else home.mkdir()
        wrong = _filled(stage, disk, home, left, notes, found)
        disk.free()
        wrong += _completed(stage, home, notes)
    (folder / "disk").rmdir()
    found.recovered += not wrong
    found.failures += [f"{where}: {text}" for text in wrong]


def _filled(stage: Stage, disk: SmallDisk, home: Path, left: int, notes: Path, found: _Found) -> list[str]:
    """Do the operation; count it as reported or fitted, and return what is wrong."""
    disk.fill(left)
    failed = _call("act", stage, home, notes)
    if isinstance(failed, str):
        found.reported += 1
        found.words = found.words or failed
        return [] if _on_purpose(failed) else [f"it ended in {failed}"]
    wrong = differences(home, [stage.before, stage.final], stage.operation.partial)
    if not differences(home, [stage.final]):
        found.fitted += 1
    elif len(failed) > _HARMLESS:
        found.reported += 1
        found.words = found.words or failed[-1]
    else:
        wrong.append("nothing was reported, and it is not done")
    return [f"on the full disk, {text}" for text in wrong]


def _completed(stage: Stage, home: Path, notes: Path) -> list[str]:
    wrong = _call("complete", stage, home, notes)
    if isinstance(wrong, str):
        return [f"with room again, it ended in {wrong}"]
    return wrong + at_rest(home, stage.final)


def _call(what: str, stage: Stage, home: Path, notes: Path) -> list[str] | str:
    """Return a function's answer, or the error that it ended in."""
    arguments = (stage.name, str(home), str(stage.images))
    try:
        answer: list[str] = begin(
            notes, what, environment_of(home), f"{_OPERATIONS}:{what}", *arguments
        ).value()
    except (HungError, RuntimeError) as error:
        return str(error)
    return answer


def _on_purpose(text: str) -> bool:
    """Whether an error is one of ours, or a command's exit with one line of them."""
    return hasattr(hmar.errors, text.partition(":")[0]) or _COMMANDS_END.search(text) is not None


PART = Part(
    "disk",
    "Full disk",
    full_disk,
    "{tried} operations on a full disk",
    "{recovered} recovered; {reported} reported, {fitted} fitted",
)
