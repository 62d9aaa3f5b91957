"""Searching with a series or study of the archive."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.errors import NotFoundError, ParameterError
from hmar.groups import MAX_QUERY_FRAMES, evenly_spread, frames_of_group
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import EncodedFrame
from hmar.values.deletion import Selector
from hmar.values.pages import Page
from hmar.values.selection import Selection
from tests.contract.examples import ORIGIN, bits_code, info

ENCODER = ThumbnailEncoder()
ALL = Selection()


def frame_of(sop: str, series: str, ones: int, place: float = 0.0) -> EncodedFrame:
    code = bits_code(*range(ones))
    known = info(sop, series_uid=series, study_uid=series.split(".")[0], position=(0.0, 0.0, -place))
    # Two windows of the largest size that do not overlap, and one between them.
    ids = np.array([2 << 28, 2 << 28 | 3, 2 << 28 | 8], np.uint32)
    return EncodedFrame(known, code, np.stack([code, ~code, code]), ids, (0.5, 0.5), ENCODER.fingerprint)


@pytest.fixture
def catalogue() -> MemoryCatalogue:
    catalogue = MemoryCatalogue()
    catalogue.append("b", [frame_of(f"1.1.{n}", "1.1", n, n) for n in range(1, 41)], ORIGIN)
    catalogue.append("b", [frame_of(f"1.2.{n}", "1.2", 40 + n, n) for n in range(1, 4)], ORIGIN)
    catalogue.append("b", [frame_of(f"2.1.{n}", "2.1", n + 2, n) for n in range(1, 3)], ORIGIN)
    catalogue.append("c", [frame_of(f"1.1.{n}", "1.1", n, n) for n in range(1, 3)], ORIGIN)
    return catalogue


@pytest.fixture
def searcher(catalogue: MemoryCatalogue) -> Searcher:
    return Searcher(catalogue, MemoryIndex(ENCODER.fingerprint), ENCODER)


def frames(catalogue: MemoryCatalogue, level: Any, uid: str) -> list[Any]:
    return frames_of_group(catalogue, ENCODER.fingerprint, level, uid)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 31, 32, 33, 1000])
def test_frames_are_spread_evenly_and_symmetrically(count: int) -> None:
    spread = evenly_spread(range(count), MAX_QUERY_FRAMES)
    assert len(spread) == min(count, MAX_QUERY_FRAMES)
    assert spread == sorted(set(spread))
    gaps = np.diff([-spread[0] - 1, *spread, 2 * count - 1 - spread[-1]])
    if count > MAX_QUERY_FRAMES:
        assert gaps.max() - gaps.min() <= 2


def test_the_frames_of_a_study_are_those_of_its_series_in_display_order(catalogue: MemoryCatalogue) -> None:
    found = frames(catalogue, "study", "1")
    assert [entry.info.sop_instance_uid for entry in found] == [
        *(f"1.1.{n}" for n in range(1, 41)),
        *(f"1.2.{n}" for n in range(1, 4)),
    ]
    assert {entry.collection for entry in found} == {"b"}, "the first collection alone"
    assert len(frames(catalogue, "series", "1.1")) == 40


@pytest.mark.parametrize(("level", "uid"), [("series", "1"), ("study", "1.1"), ("study", "9")])
def test_what_is_not_indexed_is_not_found(catalogue: MemoryCatalogue, level: str, uid: str) -> None:
    with pytest.raises(NotFoundError, match=f"{level.capitalize()} '{uid}' is not indexed"):
        frames(catalogue, level, uid)


def test_a_series_is_compared_by_sixteen_frames_and_not_found_itself(
    catalogue: MemoryCatalogue, searcher: Searcher
) -> None:
    found = searcher.group("series", frames(catalogue, "series", "1.1"), 10, "global", ALL)
    assert [hit.entry.info.series_uid for hit in found] == ["2.1", "1.2"]
    assert (len(found.query), found.query_frames, found.searched_frames) == (16, 40, 5)
    first = found[0]
    assert [pair.query for pair in first.pairs] == list(found.query)
    assert first.distance == np.mean([pair.distance for pair in first.pairs])
    assert first.score == 1 - first.distance / 128
    for pair in first.pairs:
        asked, near = (int(each.info.sop_instance_uid.rsplit(".")[-1]) for each in (pair.query, pair.found))
        assert (near, pair.distance) == min((n, abs(asked - n - 2)) for n in (1, 2) if n == near)
        assert near == (1 if asked <= 3 else 2)


def test_a_study_is_not_among_its_hits_and_says_no_series(
    catalogue: MemoryCatalogue, searcher: Searcher
) -> None:
    told = searcher.group("study", frames(catalogue, "study", "2"), 10, "global", ALL).to_dict()
    assert told["query"]["series_uid"] is None
    assert [(hit["study_uid"], hit["series_uid"], hit["frames"]) for hit in told["hits"]] == [("1", None, 45)]


def test_by_windows_those_are_compared_that_stand_for_a_frame(
    catalogue: MemoryCatalogue, searcher: Searcher
) -> None:
    [hit] = searcher.group("study", frames(catalogue, "study", "2"), 10, "local", ALL)
    # The window between the two that do not overlap has the opposite code; it is not asked for.
    assert [pair.distance for pair in hit.pairs] == [0, 0]


def test_by_windows_frames_without_any_are_not_compared_and_not_counted(
    catalogue: MemoryCatalogue, searcher: Searcher
) -> None:
    def without_windows(sop: str, series: str) -> EncodedFrame:
        frame = frame_of(sop, series, 1, -1.0)
        return replace(frame, window_codes=frame.window_codes[:0], window_ids=frame.window_ids[:0])

    empty = [("1.2.9", "1.2"), ("2.1.9", "2.1"), ("4.1.1", "4.1")]
    catalogue.append("b", [without_windows(*each) for each in empty], ORIGIN)
    found = searcher.group("series", frames(catalogue, "series", "2.1"), 10, "local", ALL)
    assert (len(found.query), found.query_frames) == (2, 3)
    assert {hit.entry.info.series_uid: hit.frames for hit in found} == {"1.1": 42, "1.2": 3}
    nothing = searcher.group("series", frames(catalogue, "series", "4.1"), 10, "local", ALL).to_dict()
    assert nothing["hits"] == []
    asked = nothing["query"]
    assert (asked["series_uid"], asked["frames"], asked["compared_frames"]) == ("4.1", 1, 0)


def test_a_mean_code_is_that_of_all_frames(catalogue: MemoryCatalogue, searcher: Searcher) -> None:
    query = frames(catalogue, "series", "1.1")
    found = searcher.group("series", query, 10, "global", ALL, aggregation="mean")
    assert len(found.query) == 40
    # More than half of the frames 1 to 40 have the first 20 bits; of 41, 42, 43 the first 42; of 3, 4 three.
    assert [(hit.entry.info.series_uid, hit.distance, hit.pairs) for hit in found] == [
        ("2.1", 17.0, ()),
        ("1.2", 22.0, ()),
    ]


def test_on_a_later_page_a_query_is_what_it_was_on_the_first(
    catalogue: MemoryCatalogue, searcher: Searcher
) -> None:
    whole = searcher.group("series", frames(catalogue, "series", "1.1"), 10, "global", ALL)
    first = searcher.group(
        "series", frames(catalogue, "series", "1.1"), 10, "global", ALL, page=Page(b"k", 1)
    )
    catalogue.append("b", [frame_of(f"1.1.{n}", "1.1", n + 60, n) for n in range(41, 60)], ORIGIN)
    catalogue.append("b", [frame_of("3.1.1", "3.1", 20)], ORIGIN)
    assert first.following is not None
    catalogue.append("a", [frame_of("1.1.1", "1.1", 1)], ORIGIN)
    assert [entry.collection for entry in frames(catalogue, "series", "1.1")] == ["a"]
    query = frames_of_group(catalogue, ENCODER.fingerprint, "series", "1.1", first.following.as_of)
    second = searcher.group("series", query, 10, "global", ALL, page=first.following)
    assert [*first, *second] == list(whole)
    assert (second.query_frames, second.following) == (40, None)


def test_a_query_that_was_deleted_meanwhile_is_said_to_be(
    catalogue: MemoryCatalogue, searcher: Searcher
) -> None:
    query = frames(catalogue, "series", "2.1")
    catalogue.delete(Selector("series", "2.1"))
    with pytest.raises(NotFoundError, match="any more"):
        searcher.group("series", query, 10, "global", ALL)


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"k": 0}, "k is 0"),
        ({"mode": "auto"}, "mode is 'auto'"),
        ({"bits": 32}, "bits is 32"),
        ({"aggregation": "max"}, "aggregation is 'max'"),
        ({"aggregation": "mean", "mode": "local"}, "no mean code"),
    ],
)
def test_what_is_out_of_range_is_refused(
    catalogue: MemoryCatalogue, searcher: Searcher, how: dict[str, Any], named: str
) -> None:
    asked = {"k": 5, "mode": "global", "selection": ALL} | how
    with pytest.raises(ParameterError, match=named):
        searcher.group("series", frames(catalogue, "series", "2.1"), **asked)
