from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.errors import ModelError, ParameterError, RegionError
from hmar.search import PAGE_ROWS, Searcher
from hmar.values.codes import EncodedFrame, Query, WindowIds
from hmar.values.deletion import Selector
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.geometry import Box
from hmar.values.pages import Page
from hmar.values.selection import Exclusion, Same, Selection
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, bits_code, encoded, info

ALL = Selection()
GATE = (0.25, 0.75)


class PlainEncoder:
    """An encoder whose every query is the code of all zeros, and whose windows are numbered squares."""

    name = "plain"
    fingerprint = MODEL

    def encode(self, frame: Frame) -> EncodedFrame:
        return encoded(frame.info.sop_instance_uid)

    def image_query(self, frame: Frame) -> Query:
        return Query(bits_code(), np.zeros((2, 16), np.uint8), GATE)

    def region_query(self, frame: Frame, region: Box) -> Query:
        if region.width <= 0:
            raise RegionError("The region has no area.", "Draw a larger one.")
        return Query(bits_code(), np.zeros((1, 16), np.uint8), GATE)

    def queries(self, frame: Frame, asked: Sequence[Sequence[Box]]) -> list[Query]:
        """Every region has one window, with as many ones as the region is wide."""
        return [
            Query(
                bits_code(),
                np.array([bits_code(*range(int(region.width))) for region in regions], np.uint8).reshape(
                    -1, 16
                ),
                GATE,
                0.5,
                tuple(region.width / 100 for region in regions),
            )
            for regions in asked
        ]

    def spread(self, window_ids: WindowIds) -> WindowIds:
        return window_ids

    def window_box(self, info: FrameInfo, window_id: int) -> Box:
        return Box(10.0 * window_id, 20.0, 30.0, 40.0)


def frame_of(sop: str, global_ones: int, windows: dict[int, int], **changes: Any) -> EncodedFrame:
    """Make a frame whose codes have so many ones; ``windows`` maps window ids to theirs."""
    return EncodedFrame(
        info(sop, **changes),
        bits_code(*range(global_ones)),
        np.array([bits_code(*range(ones)) for ones in windows.values()], np.uint8).reshape(-1, 16),
        np.array(list(windows), np.uint32),
        (0.5, 0.5),
        MODEL,
    )


@pytest.fixture
def catalogue() -> MemoryCatalogue:
    catalogue = MemoryCatalogue()
    frames = [
        frame_of("1.1", 4, {1: 32, 2: 16}),
        frame_of("1.2", 16, {3: 8}),
        frame_of("1.3", 8, {}, spacing=None),
    ]
    catalogue.append("default", frames, ORIGIN)
    return catalogue


@pytest.fixture
def searcher(catalogue: MemoryCatalogue) -> Searcher:
    return Searcher(catalogue, MemoryIndex(MODEL), PlainEncoder())


@pytest.fixture
def frame() -> Frame:
    return Frame(info("9.9"), np.zeros((512, 400), np.float32), Units.HU)


def test_a_hit_says_what_was_found_where_and_how_near(searcher: Searcher, frame: Frame) -> None:
    first = searcher.region(frame, Box(1, 2, 3, 4), 10, "local", ALL)[0]
    assert (first.rank, first.entry.info.sop_instance_uid, first.entry.origin) == (1, "1.2", ORIGIN)
    assert (first.distance, first.global_distance, first.local_distance) == (8, 16, 8)
    assert (first.global_score, first.local_score) == (1 - 16 / 128, 1 - 8 / 128)
    assert (first.gate, first.bits, first.model) == (GATE, 128, "plain")
    assert first.box == Box(30, 20, 30, 40)
    # Spacing is 0.7 mm between rows and 0.8 mm between columns.
    assert first.box_mm == pytest.approx(Box(24, 14, 24, 28))


@pytest.mark.parametrize(
    ("typicality", "strange"), [(None, None), (0.5, False), (0.01, False), (0.009, True)]
)
def test_a_hit_says_whether_the_query_was_unlike_what_the_model_was_trained_on(
    catalogue: MemoryCatalogue, frame: Frame, typicality: float | None, strange: bool | None
) -> None:
    class Judging(PlainEncoder):
        def image_query(self, frame: Frame) -> Query:
            return replace(super().image_query(frame), typicality=typicality)

    for hit in Searcher(catalogue, MemoryIndex(MODEL), Judging()).image(frame, 10, "auto", ALL):
        assert (hit.query_typicality, hit.query_out_of_distribution) == (typicality, strange)


def test_each_mode_ranks_by_its_own_distance_and_shows_the_nearest_window(
    searcher: Searcher, frame: Frame
) -> None:
    # Fused distances: 0.25 * 4 + 0.75 * 16 = 13; 0.25 * 16 + 0.75 * 8 = 10; 8, the global one alone.
    expected: dict[Any, list[tuple[str, float]]] = {
        "global": [("1.1", 4), ("1.3", 8), ("1.2", 16)],
        "local": [("1.2", 8), ("1.1", 16)],
        "auto": [("1.3", 8), ("1.2", 10), ("1.1", 13)],
    }
    boxes = {"1.1": Box(20, 20, 30, 40), "1.2": Box(30, 20, 30, 40), "1.3": Box(0, 0, 400, 512)}
    for mode, ranking in expected.items():
        for hits in (
            searcher.image(frame, 10, mode, ALL),
            searcher.region(frame, Box(1, 2, 3, 4), 10, mode, ALL),
        ):
            found = [(hit.entry.info.sop_instance_uid, hit.distance) for hit in hits]
            assert found == ranking
            assert [hit.rank for hit in hits] == list(range(1, len(ranking) + 1))
            assert all(hit.box == boxes[hit.entry.info.sop_instance_uid] for hit in hits)


def test_several_regions_are_ranked_by_their_mean_and_each_shows_its_window(
    searcher: Searcher, frame: Frame
) -> None:
    regions = [Box(0, 0, 32, 4), Box(0, 0, 8, 4)]
    found = searcher.answer(frame, regions, 10, None, ALL)
    # Frame 1.1 has windows of 32 and 16 ones: (0 + 8) / 2; frame 1.2 one of 8: (24 + 0) / 2.
    assert [(hit.entry.info.sop_instance_uid, hit.distance) for hit in found] == [("1.1", 4), ("1.2", 12)]
    first = found[0]
    assert [(each.distance, each.score, each.box.x) for each in first.regions] == [
        (0, 1, 10),
        (8, 1 - 8 / 128, 20),
    ]
    assert (first.box, first.box_mm) == (first.regions[0].box, first.regions[0].box_mm)
    assert (found.mode, found.regions, found.region_typicality) == ("local", tuple(regions), (0.32, 0.08))


def test_a_frame_without_windows_has_no_box_for_a_region(searcher: Searcher, frame: Frame) -> None:
    found = searcher.answer(frame, [Box(0, 0, 8, 4)] * 2, 10, "global", ALL)
    assert {hit.entry.info.sop_instance_uid: len(hit.regions) for hit in found} == {
        "1.1": 2,
        "1.2": 2,
        "1.3": 0,
    }


def test_more_regions_than_are_searched_for_together_are_refused(searcher: Searcher, frame: Frame) -> None:
    with pytest.raises(ParameterError, match="17 regions"):
        searcher.answer(frame, [Box(0, 0, 8, 4)] * 17, 10, None, ALL)


def test_a_frame_of_unknown_spacing_has_no_box_in_mm(searcher: Searcher, frame: Frame) -> None:
    hits = {hit.entry.info.sop_instance_uid: hit for hit in searcher.image(frame, 10, "auto", ALL)}
    assert hits["1.3"].box_mm is None
    assert hits["1.3"].local_score == 0


def test_scores_are_shares_of_the_bits_compared(searcher: Searcher, frame: Frame) -> None:
    (hit,) = searcher.image(frame, 1, "global", ALL, bits=64)
    assert (hit.bits, hit.global_score, hit.local_score) == (64, 1 - 4 / 64, 1 - 16 / 64)


def test_a_query_finds_what_was_added_and_not_what_was_deleted_before_it(
    catalogue: MemoryCatalogue, searcher: Searcher, frame: Frame
) -> None:
    searcher.image(frame, 10, "global", ALL)
    catalogue.delete(Selector("series", "1.2.9"))
    catalogue.append("default", [frame_of("2.1", 1, {1: 1})], ORIGIN)
    hits = searcher.image(frame, 10, "global", ALL)
    assert [hit.entry.info.sop_instance_uid for hit in hits] == ["2.1"]


def test_the_selection_reaches_the_index(searcher: Searcher, frame: Frame) -> None:
    assert searcher.image(frame, 10, "auto", Selection("other")) == []
    hits = searcher.image(frame, 10, "global", Selection("default", frozenset({1, 2})))
    assert [hit.entry.entry_id for hit in hits] == [3]


class ForgetfulCatalogue(MemoryCatalogue):
    """A catalogue whose entry 3 is deleted between the index's answer and the look-up."""

    def entries(self, entry_ids: Collection[int]) -> dict[int, EntryInfo]:
        return super().entries([entry_id for entry_id in entry_ids if entry_id != 3])


@pytest.mark.parametrize(
    ("same", "expected"),
    [
        ("instance", Selection("a", frozenset({1, 7}), group_by="series")),
        ("series", Selection("a", frozenset({7}), not_series=frozenset({"1.2.9"}), group_by="series")),
        ("study", Selection("a", frozenset({7}), not_studies=frozenset({"1.2"}), group_by="series")),
        (
            "patient",
            Selection(
                "a",
                frozenset({7}),
                not_studies=frozenset({"1.2"}),
                not_patient="0123456789abcdef",
                group_by="series",
            ),
        ),
    ],
)
def test_what_the_query_belongs_to_is_left_out_besides_what_was(
    searcher: Searcher, same: Same, expected: Selection
) -> None:
    selection = Selection("a", frozenset({7}), group_by="series")
    assert searcher.excluding(selection, info("1.1"), same) == expected


def test_what_is_named_is_left_out_besides_what_the_query_belongs_to(searcher: Searcher) -> None:
    before = Selection("a", frozenset({7}), not_series=frozenset({"5.5"}))
    exclusion = Exclusion("study", ["8.1", "8.2"], ["8"], ["1.1", "1.3", "unknown"])
    assert searcher.without(before, exclusion, info("1.2")) == Selection(
        "a",
        frozenset({7, 1, 3}),
        not_series=frozenset({"5.5", "8.1", "8.2"}),
        not_studies=frozenset({"8", "1.2"}),
    )
    assert searcher.without(before, Exclusion(), info("1.2")) == before


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"same": "ward"}, "exclude is 'ward'"),
        ({"series_uids": "1.2"}, "series_uids is '1.2'"),
        ({"series_uids": 12}, "series_uids is 12"),
        ({"study_uids": [1]}, r"study_uids is \[1\]"),
        ({"sop_instance_uids": ["1"] * 1001}, "has 1001 UIDs"),
    ],
)
def test_an_exclusion_that_cannot_be_used_is_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        Exclusion(**fields)


def test_a_patient_that_nobody_knows_cannot_be_left_out(searcher: Searcher) -> None:
    unknown = info("9.9", patient_key=None)
    with pytest.raises(ParameterError, match="no patient id"):
        searcher.excluding(ALL, unknown, "patient")
    assert searcher.excluding(ALL, unknown, "study") == Selection(not_studies=frozenset({"1.2"}))


def test_a_query_without_patient_is_of_the_one_that_the_archive_keeps_its_instance_for(
    searcher: Searcher, catalogue: MemoryCatalogue
) -> None:
    query = info("9.9", patient_key=None)
    given = frame_of("9.9", 1, {})
    for collection, patient in (("a", None), ("b", "p1"), ("c", "p2")):
        named = replace(given, info=replace(given.info, patient_key=patient))
        catalogue.append(collection, [named], ORIGIN)
        if patient == "p1":
            assert searcher.excluding(ALL, query, "patient").not_patient == "p1"
    with pytest.raises(ParameterError, match="several patients"):
        searcher.excluding(ALL, query, "patient")


def test_an_entry_deleted_after_the_index_answered_leaves_no_gap_in_the_ranks(frame: Frame) -> None:
    catalogue = ForgetfulCatalogue()
    catalogue.append("default", [frame_of(f"1.{i}", i, {}) for i in range(1, 6)], ORIGIN)
    hits = Searcher(catalogue, MemoryIndex(MODEL), PlainEncoder()).image(frame, 10, "global", ALL)
    assert [(hit.rank, hit.entry.entry_id) for hit in hits] == [(1, 1), (2, 2), (3, 4), (4, 5)]


def test_pages_skip_nothing_where_an_entry_was_deleted_after_the_index_answered(frame: Frame) -> None:
    catalogue = ForgetfulCatalogue()
    catalogue.append("default", [frame_of(f"1.{i}", i, {}) for i in range(1, 7)], ORIGIN)
    searcher = Searcher(catalogue, MemoryIndex(MODEL), PlainEncoder())
    page: Page | None = Page(b"key", 2)
    pages = []
    while page is not None:
        answer = searcher.answer(frame, [], 6, "global", ALL, page=page)
        pages.append([(hit.rank, hit.entry.entry_id) for hit in answer.hits])
        page = answer.following
    assert pages == [[(1, 1), (2, 2)], [(3, 4), (4, 5)], [(5, 6)]]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, 2 * PAGE_ROWS, 2 * PAGE_ROWS + 3])
def test_one_refresh_applies_all_pages_of_the_log(rows: int) -> None:
    catalogue, index = MemoryCatalogue(), MemoryIndex(MODEL)
    catalogue.append("default", [encoded("1.1", number, windows=0) for number in range(1, rows + 1)], ORIGIN)
    assert Searcher(catalogue, index, PlainEncoder()).refresh() == rows
    assert index.stats().last_seq == rows


@pytest.mark.slow
def test_refresh_applies_each_row_once_whatever_their_number_and_whoever_asks() -> None:
    catalogue, index = MemoryCatalogue(), MemoryIndex(MODEL)
    catalogue.append("default", [encoded("1.1", number, windows=0) for number in range(1, 1301)], ORIGIN)
    searcher = Searcher(catalogue, index, PlainEncoder())
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: searcher.refresh(), range(4))) == 1300
    assert index.stats().last_seq == 1300
    assert searcher.refresh() == 0


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_a_k_out_of_range_is_refused(searcher: Searcher, frame: Frame, k: int) -> None:
    for search in (
        lambda: searcher.image(frame, k, "auto", ALL),
        lambda: searcher.region(frame, Box(0, 0, 9, 9), k, "auto", ALL),
    ):
        with pytest.raises(ParameterError, match=rf"k is {k}\. .* 1 to 1000"):
            search()


def test_an_unknown_mode_or_length_is_refused(searcher: Searcher, frame: Frame) -> None:
    wrong_mode: Any = "both"
    wrong_bits: Any = 96
    with pytest.raises(ParameterError, match="'both'"):
        searcher.image(frame, 5, wrong_mode, ALL)
    with pytest.raises(ParameterError, match="96"):
        searcher.image(frame, 5, "auto", ALL, bits=wrong_bits)


def test_the_largest_k_is_allowed(searcher: Searcher, frame: Frame) -> None:
    assert len(searcher.image(frame, 1000, "auto", ALL)) == 3


def test_the_encoders_refusal_of_a_region_passes_through(searcher: Searcher, frame: Frame) -> None:
    with pytest.raises(RegionError):
        searcher.region(frame, Box(0, 0, 0, 5), 5, "auto", ALL)


def test_an_index_of_another_model_is_refused(catalogue: MemoryCatalogue) -> None:
    with pytest.raises(ModelError, match=OTHER_MODEL):
        Searcher(catalogue, MemoryIndex(OTHER_MODEL), PlainEncoder())


def test_a_refresh_with_no_news_applies_and_forgets_nothing(
    searcher: Searcher, caplog: pytest.LogCaptureFixture
) -> None:
    assert [searcher.refresh() for _ in range(3)] == [3, 0, 0]
    assert caplog.text == ""


@pytest.mark.parametrize("frames", [0, 2, 3, 7])
def test_an_index_of_another_catalogue_is_built_anew_and_said_so(
    catalogue: MemoryCatalogue, frames: int, caplog: pytest.LogCaptureFixture
) -> None:
    index = MemoryIndex(MODEL)
    index.apply(catalogue.tail(0, 10))
    other = MemoryCatalogue()
    other.append("default", [frame_of(f"2.{i}", i, {}) for i in range(frames)], ORIGIN)
    assert Searcher(other, index, PlainEncoder()).refresh() == frames
    assert index.stats().frames == frames
    assert "row 3" in caplog.text


@pytest.mark.slow
def test_searching_needs_no_torch_flask_celery_or_pydicom() -> None:
    script = "import sys, hmar.search; print({'torch','flask','celery','pydicom'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
