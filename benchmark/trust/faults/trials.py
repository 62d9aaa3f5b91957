"""One fault in a copy of an archive: what was noticed, and what mends it."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.trust.faults.harms import Victim
from benchmark.trust.faults.kinds import Fault
from benchmark.trust.faults.observation import Seen, nothing
from benchmark.trust.nursery import HungError, begin
from benchmark.trust.settings import environment_of

_INDEX = "benchmark.trust.faults.templates:index_again"
BY_ITSELF, BY_INDEXING, BY_A_COPY, BY_NOTHING = "itself", "indexing again", "a copy of the file", "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a fault.

    Parameters
    ----------
    reported : bool
        By an error, a line of the log, or doctor.
    believed : list of str
        Answers and pixels that were wrong, if nothing was reported.
    crashed : list of str
        Errors that are not on purpose.
    mended : str
        By what, the least that did.
    words : str
        The first that was reported.
    lost : list of str
        Answers that were right before the last commits, if nothing was reported.
    """

    reported: bool
    believed: list[str]
    crashed: list[str]
    mended: str
    words: str
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Archives:
    """The archive that is harmed, another one, and the digests of the first one's pixels."""

    before: Path
    other: Path
    pixels: dict[str, str]


def harmed(fault: Fault, archives: Archives, folder: Path, seed: int) -> Verdict:
    """Do a fault to a copy of an archive, in a folder of its own, and return what came of it."""
    home = folder / "home"
    shutil.copytree(archives.before, home)
    path = fault.find(home)
    drawn = random.Random(f"{seed} {fault.kind} {fault.harm}")  # noqa: S311 - repeatable, not secret
    try:
        fault.do(Victim(path, fault.find(archives.other), drawn))
        seen = _look(fault, home, archives, folder)
        mended = _mended(fault, home, archives, folder, path)
    finally:
        shutil.rmtree(folder)
    reported = bool(seen["reported"])
    words = (seen["reported"] or seen["wrong"] or seen["lost"] or seen["crashed"] or [""])[0].replace(
        f"{folder}/", ""
    )
    believed, lost = ([], []) if reported else (seen["wrong"], seen["lost"])
    return Verdict(reported, believed, seen["crashed"], mended, words, lost)


def _look(fault: Fault, home: Path, archives: Archives, folder: Path) -> Seen:
    more = {name: value.replace("{home}", str(home)) for name, value in fault.environment}
    arguments = (str(home), str(archives.before), archives.pixels)
    try:
        seen: Seen = begin(folder, "look", environment_of(home, **more), fault.observe, *arguments).value()
    except (HungError, RuntimeError) as error:
        return {"reported": [], "wrong": [], "lost": [], "crashed": [str(error)]}
    return seen


def _mended(fault: Fault, home: Path, archives: Archives, folder: Path, path: Path) -> str:
    """Try remedies, the least first."""
    if nothing(_look(fault, home, archives, folder)):
        return BY_ITSELF
    try:
        begin(folder, "index", environment_of(home), _INDEX, str(home)).value()
    except (HungError, RuntimeError):
        again = False
    else:
        again = nothing(_look(fault, home, archives, folder))
    if again:
        return BY_INDEXING
    _put_back(path, archives.before / path.relative_to(home))
    return BY_A_COPY if nothing(_look(fault, home, archives, folder)) else BY_NOTHING


def _put_back(path: Path, copy: Path) -> None:
    if path.is_dir():
        path.rmdir()
    if path.name.startswith("catalogue.db"):
        # A log of writes belongs to its database: both are put back together.
        for part in path.parent.glob("catalogue.db*"):
            part.rmdir() if part.is_dir() else part.unlink()
        for part in copy.parent.glob("catalogue.db*"):
            shutil.copy(part, path.parent / part.name)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(copy, path)  # with its mode: a secret that others may read is not mended
