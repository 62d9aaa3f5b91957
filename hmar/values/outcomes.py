"""How the indexing of one file ended, in a state and a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hmar.errors import first_of
from hmar.values.jobs import ItemState

_REASONS = 3
_RANGES = 8
_REASON_LENGTH = 400


class Outcome(NamedTuple):
    """What is recorded of a file; ``frames`` are those that the archive holds now."""

    state: ItemState
    frames: int
    reason: str | None = None


def outcome_of(total: int, added: int, bad: Mapping[int, str], untried: Sequence[int]) -> Outcome:
    """Return the outcome of a file.

    Parameters
    ----------
    total : int
        Number of its frames.
    added : int
        How many of them are new in the archive.
    bad : mapping of int to str
        Why frames cannot be indexed, by their number.
    untried : sequence of int
        Numbers of the frames that were not tried because too many others are bad.
    """
    good = total - len(bad) - len(untried)
    if good == total:
        return Outcome(ItemState.INDEXED if added else ItemState.UNCHANGED, total)
    if total == 1:
        return Outcome(ItemState.FAILED, 0, *bad.values())
    sentences = [f"{good} of {total} frames are indexed.", *_reasons(bad)]
    if untried:
        sentences.append(f"{_named(untried)}: not tried, for so many others are bad.")
    return Outcome(ItemState.PARTIAL if good else ItemState.FAILED, good, " ".join(sentences))


def _reasons(bad: Mapping[int, str]) -> list[str]:
    """Say which frames are bad, and why; a reason that several share is given once, and not all reasons."""
    kinds: dict[str, list[int]] = {}
    for number in sorted(bad):
        kinds.setdefault(re.sub(r"\d+", "0", bad[number]), []).append(number)
    shown = list(kinds.values())[:_REASONS]
    others = sorted(set(bad).difference(*shown))
    reasons = [f"{_named(numbers)}: {_cut(_told(bad[numbers[0]]))}" for numbers in shown]
    return [*reasons, f"{_named(others)}: other reasons."] if others else reasons


def _told(reason: str) -> str:
    """Leave out the number of the frame where a reason begins with it."""
    return re.sub(r"^Frame \d+: ", "", reason)


def _named(numbers: Sequence[int]) -> str:
    """Return "Frame 3", or "Frames 3, 7-9"."""
    ranges = list(_ranges(numbers))
    return f"{'Frame' if len(numbers) == 1 else 'Frames'} {first_of(ranges, _RANGES)}"


def _ranges(numbers: Iterable[int]) -> Iterable[str]:
    first = last = None
    for number in numbers:
        if last is not None and number != last + 1:
            yield _range(first, last)
            first = None
        first, last = number if first is None else first, number
    yield _range(first, last)


def _range(first: int | None, last: int | None) -> str:
    return f"{first}" if first == last else f"{first}-{last}"


def _cut(text: str) -> str:
    return text if len(text) <= _REASON_LENGTH else f"{text[: _REASON_LENGTH - 3]}..."
