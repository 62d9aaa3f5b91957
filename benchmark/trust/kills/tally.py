"""How kills are counted, and what must be true of an archive afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmark.trust.oracle.rows import Frames
from benchmark.trust.oracle.violations import (
    broken_rows,
    differences,
    open_jobs,
    stray_files,
    wrong_uploads,
)


@dataclass(slots=True)
class Tally:
    """What came of the kills of one operation.

    Parameters
    ----------
    marked, random : int
        Processes killed at a marked point, and at a random moment.
    survived : int
        Of both, those after which nothing was wrong.
    ended_first : int
        Processes that came to their end before they were killed; no kill, and checked all the same.
    failures : list of str
    """

    marked: int = 0
    random: int = 0
    survived: int = 0
    ended_first: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """Number of kills."""
        return self.marked + self.random

    def add(self, kind: str, killed: bool, wrong: list[str], where: str) -> None:
        """Count a trial."""
        if not killed:
            self.ended_first += 1
        elif kind == "marked":
            self.marked += 1
        else:
            self.random += 1
        self.survived += killed and not wrong
        self.failures += [f"{where}: {text}" for text in wrong]

    def add_at_end(self, wrong: list[str], where: str) -> None:
        """Count what is wrong after several trials: one of them was not survived then."""
        self.survived = max(0, self.survived - bool(wrong))
        self.failures += [f"{where}: {text}" for text in wrong]


def at_rest(home: Path, final: Frames) -> list[str]:
    """Return what is wrong with an archive in which everything was completed."""
    return [
        *differences(home, [final]),
        *broken_rows(home),
        *open_jobs(home),
        *stray_files(home),
        *wrong_uploads(home),
    ]
