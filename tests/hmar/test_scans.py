"""Exact and fast searches: what chooses between them, and what is told of either."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryCatalogue
from hmar.search import Searcher
from hmar.values.codes import EncodedFrame
from hmar.values.fast import EXACT, Search
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box
from hmar.values.pages import Page
from hmar.values.results import Results
from hmar.values.selection import Selection
from hmar.values.window_ids import pack_window_id
from tests.contract.examples import MODEL, ORIGIN, bits_code, info
from tests.hmar.test_search import PlainEncoder

ALL = Selection()
SERIES, SLICES, SIDE = 30, 100, 4
WINDOWS = SERIES * SLICES * SIDE * SIDE
QUERY = Frame(info("9.9"), np.zeros((512, 400), np.float32), Units.HU)
REGION = [Box(0, 0, 5, 5)]


def slices(series: int, first: int = 0, last: int = SLICES) -> list[EncodedFrame]:
    """Return slices whose windows change slowly along the series, some series nearer to the query."""
    rows, columns = (part.ravel() for part in np.mgrid[:SIDE, :SIDE])
    found = []
    for number in range(first, last):
        ones = 20 + (series + abs(number - 50)) // 2
        codes = np.array([bits_code(*range(ones + row)) for row in rows.tolist()], np.uint8)
        found.append(
            EncodedFrame(
                info(f"1.{series}.{number}", series_uid=f"1.{series}", position=(0.0, 0.0, float(number))),
                bits_code(*range(ones)),
                codes,
                pack_window_id(0, rows, columns),
                (0.5, 0.5),
                MODEL,
            )
        )
    return found


@pytest.fixture(scope="module")
def catalogue() -> MemoryCatalogue:
    catalogue = MemoryCatalogue()
    for series in range(SERIES):
        catalogue.append("default", slices(series), ORIGIN)
    return catalogue


@pytest.fixture(scope="module")
def index() -> Iterator[EmbeddedIndex]:
    index = EmbeddedIndex(None, MODEL, fast_from=0)
    yield index
    index.close()


def searcher(catalogue: MemoryCatalogue, index: EmbeddedIndex, fast_above: int = 0) -> Searcher:
    return Searcher(catalogue, index, PlainEncoder(), fast_above=fast_above)


def distances(results: Results) -> dict[int, float]:
    return {hit.entry.entry_id: hit.distance for hit in results}


@pytest.mark.parametrize(
    ("fast_above", "search", "made"),
    [
        (0, None, "exact"),
        (1, None, "fast"),
        (WINDOWS, None, "fast"),
        (WINDOWS + 1, None, "exact"),
        (1, "exact", "exact"),
        (0, "fast", "fast"),
        (WINDOWS + 1, "fast", "fast"),
    ],
)
def test_what_is_asked_for_decides_and_else_the_number_of_windows(
    catalogue: MemoryCatalogue, index: EmbeddedIndex, fast_above: int, search: Search | None, made: str
) -> None:
    asked = searcher(catalogue, index, fast_above)
    found = asked.answer(QUERY, REGION, 10, None, ALL, search=search)
    [batched] = asked.answers(QUERY, [REGION], 10, None, ALL, search=search)
    assert (found.thoroughness.search, batched.thoroughness.search) == (made, made)
    assert index.stats().windows == WINDOWS


def test_a_searcher_over_other_ports_searches_as_the_first(
    catalogue: MemoryCatalogue, index: EmbeddedIndex
) -> None:
    over = searcher(catalogue, index, WINDOWS).over(catalogue, index, lambda _collections: 0)
    assert over.answer(QUERY, REGION, 10, None, ALL).thoroughness.search == "fast"


@pytest.mark.parametrize("mode", ["local", "auto"])
def test_a_fast_search_tells_the_distances_of_the_exact_one_and_how_thorough_it_was(
    catalogue: MemoryCatalogue, index: EmbeddedIndex, mode: str
) -> None:
    asked = searcher(catalogue, index)
    exact = asked.answer(QUERY, REGION, 1000, mode, ALL, search="exact")  # type: ignore[arg-type]
    fast = asked.answer(QUERY, REGION, 10, mode, ALL, search="fast")  # type: ignore[arg-type]
    assert exact.thoroughness == EXACT
    told = fast.thoroughness
    assert 0 < told.ranked_share < 1
    assert 0.99 < told.expected_recall <= 1
    assert len(fast) == 10
    assert distances(fast).items() <= distances(exact).items()
    assert [hit.distance for hit in fast] == sorted(hit.distance for hit in fast)
    assert fast.searched_frames == SERIES * SLICES


def test_whole_images_are_compared_exactly_whatever_is_asked(
    catalogue: MemoryCatalogue, index: EmbeddedIndex
) -> None:
    found = searcher(catalogue, index).answer(QUERY, [], 10, "global", ALL, search="fast")
    assert found.thoroughness == EXACT


def test_pages_of_a_fast_search_show_k_frames_and_none_twice(
    catalogue: MemoryCatalogue, index: EmbeddedIndex
) -> None:
    asked = searcher(catalogue, index)
    page: Page | None = Page(b"key", 4)
    found: list[int] = []
    made = []
    while page is not None:
        answer = asked.answer(QUERY, REGION, 10, None, ALL, page=page, search="fast")
        found += distances(answer)
        made.append(answer.thoroughness.search)
        page = answer.following
    assert made == ["fast"] * 3
    assert len(found) == len(set(found)) == 10


@pytest.mark.parametrize(("fast_above", "made"), [(WINDOWS + 1, "exact"), (WINDOWS, "fast")])
def test_pages_are_searched_as_the_first_was_though_the_archive_grows(fast_above: int, made: str) -> None:
    catalogue = MemoryCatalogue()
    for series in range(SERIES):
        catalogue.append("default", slices(series), ORIGIN)
    index = EmbeddedIndex(None, MODEL, fast_from=0)
    asked = searcher(catalogue, index, fast_above)
    first = asked.answer(QUERY, REGION, 10, None, ALL, page=Page(b"key", 4))
    catalogue.append("default", slices(SERIES, last=1), ORIGIN)
    assert first.following is not None
    second = asked.answer(QUERY, REGION, 10, None, ALL, page=first.following)
    anew = asked.answer(QUERY, REGION, 10, None, ALL)
    index.close()
    assert (first.thoroughness.search, second.thoroughness.search) == (made, made)
    assert anew.thoroughness.search == "fast"
