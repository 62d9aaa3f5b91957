"""Places: a hit grown over its neighbouring slices, beside a plain loop over what is found by frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.errors import ParameterError
from hmar.places import LEAST_OVERLAP, SLACK
from hmar.search import Searcher
from hmar.values.codes import Bits, EncodedFrame
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box
from hmar.values.hits import Hit
from hmar.values.indexed import IndexedFrame
from hmar.values.judged import NOTHING_JUDGED, Judged
from hmar.values.pages import Page
from hmar.values.places import Place
from hmar.values.selection import Selection
from tests.contract.examples import MODEL, ORIGIN, info
from tests.hmar.test_search import PlainEncoder, frame_of

FRAME = Frame(info("9.9"), np.zeros((512, 400), np.float32), Units.HU)
ONE = [Box(1, 2, 3, 4)]
SEVERAL = [Box(1, 2, 3, 4), Box(1, 2, 30, 4)]
STEP_MM = 2.5
GROUPED = Selection(group_by="place")


def stack(series: str, ones: Sequence[dict[int, int] | None]) -> list[EncodedFrame]:
    """Make a series: the codes of each slice's windows, None for a slice without any."""
    return [
        frame_of(
            f"{series}.{number}",
            5,
            windows or {},
            series_uid=series,
            position=(0.0, 0.0, -STEP_MM * number),
            instance_number=number,
        )
        for number, windows in enumerate(ones)
    ]


def searcher_of(*series: list[EncodedFrame], real: bool = False) -> Searcher:
    catalogue = MemoryCatalogue()
    for frames in series:
        catalogue.append("default", frames, ORIGIN)
    return Searcher(catalogue, EmbeddedIndex(None, MODEL) if real else MemoryIndex(MODEL), PlainEncoder())


def places(
    searcher: Searcher,
    regions: Sequence[Box] = ONE,
    selection: Selection = GROUPED,
    bits: Bits = 128,
    page: Page | None = None,
    judged: Judged = NOTHING_JUDGED,
) -> list[Hit]:
    return list(searcher.answer(FRAME, regions, 100, "local", selection, bits, page, judged))


def numbers(place: Place | None) -> tuple[int | None, int | None, int]:
    assert place is not None
    return place.first.info.instance_number, place.last.info.instance_number, place.frames


def test_a_place_has_the_neighbours_that_are_near_and_lie_where_the_hit_does() -> None:
    near, far, aside = {1: 5}, {1: 60}, {1: 60, 9: 4}
    searcher = searcher_of(stack("1.5", [far, far, near, {1: 3}, {2: 8}, aside, aside, near]))
    [hit] = places(searcher)
    assert hit.entry.info.instance_number == 3
    assert numbers(hit.place) == (2, 4, 3)
    place = hit.place
    assert place is not None
    assert place.distances == (2, 0, 5)
    assert place.box == Box(10, 20, 40, 40)
    # Spacing is 0.7 mm between rows and 0.8 mm between columns.
    assert tuple(place.extent) == pytest.approx((32, 28, 2 * STEP_MM + STEP_MM))


def test_a_gap_of_one_slice_is_crossed_and_one_of_two_is_not() -> None:
    near, far = {1: 3}, {1: 90}
    [hit] = places(searcher_of(stack("1.5", [near, far, {1: 4}, far, far, {1: 4}, far, near])))
    assert numbers(hit.place) == (0, 2, 2)


def test_a_slice_that_may_not_be_found_counts_as_one_that_does_not_belong() -> None:
    searcher = searcher_of(stack("1.5", [{1: 3}, {1: 3}, {1: 3}, {1: 3}, {1: 3}]))
    [hit] = places(searcher, selection=replace(GROUPED, exclude=frozenset({2, 3})))
    assert numbers(hit.place) == (0, 0, 1)
    [hit] = places(searcher, selection=replace(GROUPED, exclude=frozenset({2})))
    assert numbers(hit.place) == (0, 4, 4)


def test_frames_of_several_series_and_of_another_size_or_without_position_do_not_meet() -> None:
    one, other = stack("1.5", [{1: 3}] * 3), stack("1.6", [{1: 3}] * 2)
    lost = [replace(each, info=replace(each.info, position=None)) for each in stack("1.7", [{1: 3}] * 2)]
    mixed = stack("1.8", [{1: 3}] * 3)
    mixed[1] = replace(mixed[1], info=replace(mixed[1].info, rows=100))
    found = places(searcher_of(one, other, lost, mixed))
    frames = {hit.entry.info.series_uid: hit.place.frames for hit in found if hit.place}
    assert frames == {"1.5": 3, "1.6": 2, "1.7": 1, "1.8": 2}
    [alone] = [hit.place for hit in found if hit.entry.info.series_uid == "1.7"]
    assert alone is not None
    assert alone.extent.depth_mm is None


def test_the_frames_of_one_instance_are_slices_by_their_own_positions() -> None:
    frames = [
        replace(each, info=replace(each.info, sop_instance_uid="1.5.1", frame_number=number))
        for number, each in enumerate(stack("1.5", [{1: 3}, {1: 4}, {1: 90}]), start=1)
    ]
    [hit] = places(searcher_of(frames))
    assert hit.place is not None
    assert (hit.place.first.info.frame_number, hit.place.last.info.frame_number) == (1, 2)


def test_of_frames_at_one_position_the_nearest_is_taken() -> None:
    frames = stack("1.5", [{1: 3}, {1: 9}, {1: 6}])
    frames[2] = replace(frames[2], info=replace(frames[2].info, position=frames[1].info.position))
    [hit] = places(searcher_of(frames))
    assert hit.place is not None
    assert hit.place.distances == (0, 3)


def test_a_hit_without_windows_is_a_place_of_its_own() -> None:
    searcher = searcher_of(stack("1.5", [None, None]))
    [hit] = searcher.answer(FRAME, ONE, 5, "global", GROUPED)
    assert numbers(hit.place)[2] == 1


def test_a_place_needs_a_region_and_not_too_many_hits() -> None:
    searcher = searcher_of(stack("1.5", [{1: 3}]))
    with pytest.raises(ParameterError, match="no region"):
        searcher.answer(FRAME, (), 5, "local", GROUPED)
    with pytest.raises(ParameterError, match="k is 101"):
        searcher.answer(FRAME, ONE, 101, "local", GROUPED)


def test_other_searches_have_no_places() -> None:
    searcher = searcher_of(stack("1.5", [{1: 3}]))
    assert [hit.place for hit in places(searcher, selection=Selection(group_by="series"))] == [None]


def random_stack(series: str, generator: np.random.Generator) -> list[EncodedFrame]:
    def windows() -> dict[int, int] | None:
        if generator.random() < 0.1:
            return None
        ids = generator.choice(6, generator.integers(1, 4), replace=False).tolist()
        return {int(each): int(generator.integers(0, 24)) for each in sorted(ids)}

    return stack(series, [windows() for _ in range(generator.integers(1, 40))])


def by_a_plain_loop(hit: Hit, slices: Sequence[EntryInfo], found: dict[int, Hit]) -> list[int]:
    """Return the slices of a place, by their numbers in the stack."""

    def belongs(entry: EntryInfo) -> bool:
        other = found.get(entry.entry_id)
        if other is None or not other.regions:
            return False
        near = other.local_distance <= hit.local_distance + SLACK * hit.bits
        return near and all(
            overlap(one.box, two.box) >= LEAST_OVERLAP
            for one, two in zip(hit.regions, other.regions, strict=True)
        )

    at = [entry.entry_id for entry in slices].index(hit.entry.entry_id)
    if not hit.regions:
        return [at]
    good = [entry.entry_id == hit.entry.entry_id or belongs(entry) for entry in slices]
    low = high = at
    while any(good[max(low - 2, 0) : low]):
        low -= 1 if good[low - 1] else 2
    while any(good[high + 1 : high + 3]):
        high += 1 if good[high + 1] else 2
    return [number for number in range(low, high + 1) if good[number]]


def overlap(one: Box, two: Box) -> float:
    """Count whole pixels: boxes of the tests have whole sides."""
    first, second = (
        {
            (x, y)
            for x in range(int(box.x), int(box.x + box.width))
            for y in range(int(box.y), int(box.y + box.height))
        }
        for box in (one, two)
    )
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("bits", [64, 128])
@pytest.mark.parametrize("regions", [ONE, SEVERAL])
@pytest.mark.parametrize("refined", [False, True])
def test_places_are_those_of_a_plain_loop(refined: bool, regions: list[Box], bits: Bits, real: bool) -> None:
    generator = np.random.default_rng(bits + len(regions))
    grown = 0
    for _ in range(12):
        stacks = [random_stack(f"1.{series}", generator) for series in range(5, 9)]
        searcher = searcher_of(*stacks, real=real)
        total = sum(map(len, stacks))
        left_out = frozenset(map(int, generator.choice(total, total // 8) + 1))
        plain = Selection(exclude=left_out)
        named = [IndexedFrame(frame.info.sop_instance_uid, 1) for frames in stacks for frame in frames]
        judged = Judged(tuple(named[:2]), tuple(named[2:3])) if refined else NOTHING_JUDGED
        found = {
            hit.entry.entry_id: hit
            for hit in searcher.answer(FRAME, regions, 1000, "local", plain, bits, None, judged)
        }
        entries = {hit.entry.info.series_uid: hit.entry for hit in found.values()}
        for hit in places(searcher, regions, replace(plain, group_by="place"), bits, judged=judged):
            catalogue_order = searcher._catalogue.frames("default", hit.entry.info.series_uid, MODEL)
            expected = by_a_plain_loop(hit, catalogue_order, found)
            place, members = hit.place, [found[catalogue_order[at].entry_id] for at in expected]
            assert place is not None
            assert place.distances == tuple(member.local_distance for member in members)
            assert (place.first, place.last) == (members[0].entry, members[-1].entry)
            box = place.box
            assert box.x == min(member.box.x for member in members)
            assert box.x + box.width == max(member.box.x + member.box.width for member in members)
            steps = [] if len(catalogue_order) < 2 else [STEP_MM]
            depth = (expected[-1] - expected[0] + 1) * STEP_MM if steps else None
            assert place.extent.depth_mm == (depth if depth is None else pytest.approx(depth))
            grown += len(expected) > 1
        assert entries
    assert grown > 5


def test_pages_of_places_are_the_ranking_in_parts_and_of_the_state_at_the_first() -> None:
    stacks = [stack(f"1.{series}", [{1: series}, {1: series + 1}]) for series in range(5, 9)]
    searcher = searcher_of(*stacks)
    whole = places(searcher)
    page: Page | None = Page(b"k" * 32, 2)
    shown: list[Hit] = []
    while page is not None:
        answer = searcher.answer(FRAME, ONE, 100, "local", GROUPED, 128, page)
        shown += answer
        page = answer.following
        late = stack("1.5", [{}, {}, {1: 5}])[2:]
        searcher._catalogue.append("default", late, ORIGIN)  # type: ignore[attr-defined]
    assert [hit.place for hit in shown] == [hit.place for hit in whole]
    assert len({hit.entry.info.series_uid for hit in shown}) == 4


def test_a_place_comes_back_from_its_answer() -> None:
    [hit] = places(searcher_of(stack("1.5", [{1: 3}, {1: 4}])))
    assert hit.place is not None
    told = hit.place.to_dict()
    assert Place.from_dict(told).to_dict() == told
    again = Hit.from_dict(hit.to_dict())
    assert again.place is not None
    assert again.place.frames == 2
    assert math.isclose(again.place.extent.depth_mm or 0, 2 * STEP_MM)
