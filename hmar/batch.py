"""Several queries at once: each is answered or fails by itself, and every frame is read and encoded once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from hmar.errors import InputError, RegionError
from hmar.image.regions import check_region
from hmar.values.frames import Frame
from hmar.values.outline import Region
from hmar.values.results import Results
from hmar.values.selection import Selection

Source = TypeVar("Source")
Regions = Sequence[Region]


def answer_batch(
    queries: Sequence[tuple[Source, Regions]],
    opened: Callable[[Source], tuple[Frame, Selection]],
    answers: Callable[[Frame, Selection, Sequence[Regions]], list[Results]],
) -> list[Results | InputError]:
    """Answer queries in their order.

    Parameters
    ----------
    queries : sequence of (source, sequence of Region)
        Where the frame is read from, which can be hashed, and its regions; none for the whole image.
    opened : callable
        Returns the frame of a source, and what its queries may find. It is called once for each source, and
        the frame is let go before the next one is read.
    answers : callable
        Answers several queries of one frame.

    Returns
    -------
    list of Results or InputError
        An error where the frame cannot be read, or a region lies outside.
    """
    found: dict[int, Results | InputError] = {}
    for source, numbers in _by_source(queries).items():
        try:
            frame, selection = opened(source)
        except InputError as error:
            found |= dict.fromkeys(numbers, error)
            continue
        usable = []
        for number in numbers:
            outside = _outside(frame, queries[number][1])
            if outside is None:
                usable.append(number)
            else:
                found[number] = outside
        if usable:
            given = answers(frame, selection, [queries[number][1] for number in usable])
            found |= zip(usable, given, strict=True)
    return [found[number] for number in range(len(queries))]


def _by_source(queries: Sequence[tuple[Source, Regions]]) -> Mapping[Source, list[int]]:
    numbers: defaultdict[Source, list[int]] = defaultdict(list)
    for number, (source, _) in enumerate(queries):
        numbers[source].append(number)
    return numbers


def _outside(frame: Frame, regions: Regions) -> RegionError | None:
    try:
        for region in regions:
            check_region(region, frame.info)
    except RegionError as error:
        return error
    return None
