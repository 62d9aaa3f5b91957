"""Searches with slabs, beside the same searches of all slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryIndex, MemorySlabStore
from hmar.explaining import explain_indexed
from hmar.search import Searcher
from hmar.slabs import REFINED_HITS, WholeCodes
from hmar.values.codes import EncodedFrame
from hmar.values.deletion import Selector
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box
from hmar.values.hits import Hit
from hmar.values.indexed import IndexedFrame
from hmar.values.judged import Judged
from hmar.values.pages import Page
from hmar.values.selection import Selection
from hmar.values.slabs import InSlab
from tests.contract.examples import MODEL, ORIGIN, info
from tests.hmar.test_search import PlainEncoder, frame_of

FRAME = Frame(info("9.9"), np.zeros((512, 400), np.float32), Units.HU)
REGION = Box(1, 2, 3, 4)
ALL = Selection()
QUERY = PlainEncoder().region_query(FRAME, REGION)
REGION_OF_QUERIES = Box(0, 0, 0.5, 1)


class Archive(NamedTuple):
    catalogue: MemoryCatalogue
    index: MemoryIndex
    slabs: MemorySlabStore
    searcher: Searcher


def slices(series: str, ones: Sequence[int], step_mm: float = 1.0) -> list[EncodedFrame]:
    """Make a thin series: slices of one window with so many ones, and half as many in their global code."""
    return [
        frame_of(
            f"{series}.{number}",
            count // 2,
            {number + 1: count},
            series_uid=series,
            stack="0" * 16,
            along_mm=step_mm * number,
            position=(0.0, 0.0, step_mm * number),
            instance_number=number,
        )
        for number, count in enumerate(ones)
    ]


def archive_of(*series: list[EncodedFrame], slab_mm: float | None = 3.0) -> Archive:
    catalogue, index = MemoryCatalogue(), MemoryIndex(MODEL)
    slabs = MemorySlabStore(catalogue)
    slabs.change("default", slab_mm)
    for frames in series:
        catalogue.append("default", frames, ORIGIN)
    searcher = Searcher(catalogue, index, PlainEncoder(), slabs=slabs)
    searcher.refresh()
    return Archive(catalogue, index, slabs, searcher)


def said(hits: Sequence[Hit]) -> list[tuple[int, str, float]]:
    return [(hit.rank, hit.entry.info.sop_instance_uid, hit.distance) for hit in hits]


def test_a_hit_is_the_nearest_slice_of_its_slab_with_its_own_box_and_distances() -> None:
    archive = archive_of(slices("a", [30, 20, 9, 40, 41, 42]))
    hits = archive.searcher.region(FRAME, REGION, 10, "local", ALL)
    assert said(hits) == [(1, "a.2", 9), (2, "a.3", 40)]
    assert (hits[0].box, hits[0].global_distance) == (Box(30, 20, 30, 40), 4)
    assert [hit.slab for hit in hits] == [InSlab(3.0, 3)] * 2
    assert hits[0].to_dict()["slab"] == {"slab_mm": 3, "frames": 3}
    assert Hit.from_dict(hits[0].to_dict()).slab == InSlab(3.0, 3)


def test_hits_are_ranked_by_the_slices_that_they_name() -> None:
    archive = archive_of(slices("a", [50, 20, 50]), slices("b", [5, 25, 50]))
    assert [hit.entry_id for hit in archive.index.search_windows(QUERY, 2, 128, ALL)] == [
        entry_id for sop in ("a.1", "b.1") for entry_id in archive.catalogue.ids_of([sop], MODEL)
    ], "the slices in the middle are what the index compares"
    assert said(archive.searcher.region(FRAME, REGION, 2, "local", ALL)) == [(1, "b.0", 5), (2, "a.1", 20)]


def test_without_slabs_nothing_is_said_of_any() -> None:
    with_none = archive_of(slices("a", [30, 20, 9]), slab_mm=None)
    assert [hit.slab for hit in with_none.searcher.region(FRAME, REGION, 10, "local", ALL)] == [None] * 3
    thick = archive_of(slices("a", [30, 20, 9], step_mm=5.0))
    hits = thick.searcher.region(FRAME, REGION, 10, "local", ALL)
    assert [(hit.distance, hit.slab) for hit in hits] == [(9, None), (20, None), (30, None)]


@pytest.mark.parametrize("mode", ["auto", "global"])
def test_whole_images_find_every_slice_with_the_distances_that_it_has(mode: str) -> None:
    frames = slices("a", [30, 20, 9, 40, 41, 42])
    thin, whole = archive_of(frames), archive_of(frames, slab_mm=None)
    hits, expected = (
        archive.searcher.image(FRAME, 10, mode, ALL)  # type: ignore[arg-type]
        for archive in (thin, whole)
    )
    assert said(hits) == said(expected)
    assert [(hit.box, hit.local_distance) for hit in hits] == [
        (hit.box, hit.local_distance) for hit in expected
    ]


def test_slices_that_may_not_be_found_are_not_named() -> None:
    archive = archive_of(slices("a", [9, 20, 30]))
    [own] = archive.catalogue.ids_of(["a.0"], MODEL)
    hits = archive.searcher.region(FRAME, REGION, 10, "local", Selection(exclude=frozenset({own})))
    assert said(hits) == [(1, "a.1", 20)]


def test_a_group_is_told_by_the_nearest_slice_of_its_nearest_slab() -> None:
    archive = archive_of(slices("a", [30, 20, 9, 40, 41, 42]), slices("b", [50, 10, 50]))
    hits = archive.searcher.region(FRAME, REGION, 10, "local", Selection(group_by="series"))
    assert said(hits) == [(1, "a.2", 9), (2, "b.1", 10)]


def test_pages_show_each_slab_once() -> None:
    archive = archive_of(slices("a", [10, 20, 30, 3, 21, 31, 5, 22, 32]))
    first = archive.searcher.answer(FRAME, [Box(0, 0, 0.5, 1)], 3, "local", ALL, page=Page(b"key", 2))
    assert [uid for _, uid, _ in said(first.hits)] == ["a.3", "a.0"]
    assert first.following is not None
    second = archive.searcher.answer(FRAME, [Box(0, 0, 0.5, 1)], 3, "local", ALL, page=first.following)
    assert said(second.hits) == [(3, "a.6", 5)]


def test_a_place_grows_over_slices_that_are_held_back() -> None:
    ones = [40, 12, 11, 10, 11, 12, 13, 40, 40]
    frames = [
        frame_of(
            f"p.{number}",
            5,
            {7: count},
            series_uid="p",
            stack="0" * 16,
            along_mm=float(number),
            position=(0.0, 0.0, float(number)),
        )
        for number, count in enumerate(ones)
    ]
    asked, grouped = [Box(0, 0, 0.5, 1)], Selection(group_by="place")
    thin, whole = archive_of(frames), archive_of(frames, slab_mm=None)
    [place], [expected] = (
        [hit.place for hit in archive.searcher.answer(FRAME, asked, 1, "local", grouped).hits]
        for archive in (thin, whole)
    )
    assert place is not None
    assert expected is not None
    assert place.distances == expected.distances == (13, 12, 11, 10, 11, 12), "from high to low"


def test_a_held_back_slice_is_explained_and_refines_a_search_by_all_its_windows() -> None:
    archive = archive_of(slices("a", [9, 20, 30]))
    [found] = archive.catalogue.find("a.0", MODEL)
    held = WholeCodes(archive.index, archive.slabs)
    told = explain_indexed(PlainEncoder(), held, FRAME, REGION_OF_QUERIES, found, found, 128)
    assert told.local is not None
    assert told.local.distance == 9
    assert told.box == Box(10, 20, 30, 40)
    judged = Judged(relevant=(IndexedFrame("a.0"),))
    refined = archive.searcher.answer(FRAME, [REGION_OF_QUERIES], 1, "local", ALL, judged=judged)
    whole = archive_of(slices("a", [9, 20, 30]), slab_mm=None)
    expected = whole.searcher.answer(FRAME, [REGION_OF_QUERIES], 1, "local", ALL, judged=judged)
    assert said(refined.hits) == said(expected.hits)


def test_hits_beyond_the_first_hundred_stay_slices_in_the_middle() -> None:
    frames = [one for number in range(110) for one in slices(f"s{number}", [20, 10, 5])]
    archive = archive_of(frames)
    hits = archive.searcher.region(FRAME, REGION, 110, "local", ALL)
    assert [hit.distance for hit in hits] == [5] * REFINED_HITS + [10] * 10
    assert [hit.slab is None for hit in hits] == [False] * REFINED_HITS + [True] * 10


def test_slices_that_come_later_change_who_is_compared_and_not_what_is_found() -> None:
    frames = slices("a", [30, 20, 9])
    archive = archive_of([frames[0]])
    assert said(archive.searcher.region(FRAME, REGION, 10, "local", ALL)) == [(1, "a.0", 30)]
    archive.catalogue.append("default", [frames[2]], ORIGIN)
    assert said(archive.searcher.region(FRAME, REGION, 10, "local", ALL)) == [(1, "a.2", 9)]
    archive.catalogue.append("default", [frames[1]], ORIGIN)
    assert said(archive.searcher.region(FRAME, REGION, 10, "local", ALL)) == [(1, "a.2", 9)]
    archive.catalogue.delete(Selector("instance", "a.2"))
    assert said(archive.searcher.region(FRAME, REGION, 10, "local", ALL)) == [(1, "a.1", 20)]
    assert archive.index.stats().windows == 1
