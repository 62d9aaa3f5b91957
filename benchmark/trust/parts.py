"""What a part of ``make trust`` is, and the table of all parts."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hmar.errors import ParameterError

Value = int | float | str
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Run:
    """What a part is given.

    Parameters
    ----------
    short : bool
        True for the form that CI runs: each kind of trial at least once, in seconds.
    seed : int
        Of every random choice.
    folder : Path
        An empty folder of this part alone; it is deleted afterwards.
    say : callable
        Takes a line of progress.
    """

    short: bool
    seed: int
    folder: Path
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a part found.

    Parameters
    ----------
    rows : list of dict
        One line of the part's table each; all have the same columns.
    summary : dict
        The figures by name, as they are quoted.
    failures : list of str
        A sentence for each thing that went wrong, with what is needed to repeat it. Any makes the run fail.
    """

    rows: list[Row]
    summary: Row
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of trials.

    Parameters
    ----------
    name : str
        For ``--only``, and of its record.
    title : str
        Heading on the page.
    run : callable
        Does the trials. Its docstring is the protocol on the page: how it was done, what counts.
    tried, held : str
        What was done and what came of it, in a line each at the head of the page; they name figures of the
        summary in braces.
    alone : bool
        Whether its figures are times that no other part may spoil.
    picture : str
        Name of the plot that it writes into docs/, nothing where it writes none.
    """

    name: str
    title: str
    run: Callable[[Run], Outcome]
    tried: str
    held: str
    alone: bool = False
    picture: str = ""


PARTS = {
    "clients": "benchmark.trust.clients:PART",
    "load": "benchmark.trust.load:PART",
    "kills": "benchmark.trust.kills:PART",
    "faults": "benchmark.trust.faults:PART",
    "fuzzing": "benchmark.trust.fuzzing.part:PART",
    "requests": "benchmark.trust.requests:PART",
    "mixed": "benchmark.trust.mixed:PART",
    "bombs": "benchmark.trust.bombs:PART",
    "broker": "benchmark.trust.broker:PART",
    "phi": "benchmark.trust.phi:PART",
    "files": "benchmark.trust.files:PART",
    "disk": "benchmark.trust.disk:PART",
}
"""Where each part is, by name, in the order in which they run; imported when it is run."""


def chosen_parts(names: Sequence[str]) -> list[Part]:
    """Import parts by name, in the order of :data:`PARTS`; raises ParameterError for a name that is none."""
    unknown = sorted(set(names) - set(PARTS))
    if unknown or not names:
        raise ParameterError(
            f"The parts are {', '.join(unknown) or 'none'}.", f"Give some of {', '.join(PARTS)}."
        )
    return [_imported(place) for name, place in PARTS.items() if name in names]


def _imported(place: str) -> Part:
    module, _, attribute = place.partition(":")
    part = getattr(importlib.import_module(module), attribute)
    if not isinstance(part, Part):
        raise TypeError(f"{place} is not a part")
    return part
