"""Laying two series side by side, against all courses that there are."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pytest

from hmar import matching
from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.errors import LimitError, NotFoundError
from hmar.matching import laid_beside, match_series
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import hamming
from tests.contract.examples import ORIGIN
from tests.hmar.test_groups import frame_of

ENCODER = ThumbnailEncoder()


def least_sum(distances: np.ndarray) -> int:
    """Return the least sum of distances along a course that never goes back, by trying all of them."""
    rows, columns = distances.shape
    courses = combinations_with_replacement(range(columns), rows)
    return min(sum(int(distances[row, place]) for row, place in enumerate(course)) for course in courses)


@pytest.mark.parametrize("seed", range(30))
def test_no_course_that_never_goes_back_is_nearer(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows, columns = generator.integers(1, 7, 2)
    course = np.sort(generator.integers(0, columns, rows))
    distances = 6 * np.abs(course[:, None] - np.arange(columns)) + generator.integers(0, 9, (rows, columns))
    order, places = laid_beside(distances)
    there = int(distances[np.arange(rows), places].sum())
    if order == "forward":
        assert (np.diff(places) >= 0).all()
        assert there == least_sum(distances)
    elif order == "backward":
        assert (np.diff(places) <= 0).all()
        assert there == least_sum(distances[:, ::-1])
    else:
        assert there == int(distances.min(axis=1).sum())


@pytest.mark.parametrize(("turned", "order"), [(False, "forward"), (True, "backward")])
def test_a_frame_that_looks_like_a_far_one_is_kept_in_the_order_of_the_others(
    turned: bool, order: str
) -> None:
    distances = 10 * np.abs(np.arange(8)[:, None] - np.arange(8))
    distances[4, 0] = 0  # by itself it would be laid beside the first
    expected = np.arange(8)
    if turned:
        distances, expected = distances[:, ::-1].copy(), expected[::-1]
    found, places = laid_beside(distances)
    assert (found, places.tolist()) == (order, expected.tolist())


def test_without_an_order_each_frame_is_laid_beside_its_nearest() -> None:
    distances = np.full((4, 4), 50)
    nearest = [1, 3, 0, 2]
    distances[range(4), nearest] = 3
    order, places = laid_beside(distances)
    assert (order, places.tolist()) == ("none", nearest)


def test_frames_that_are_all_alike_lie_evenly() -> None:
    order, places = laid_beside(np.zeros((3, 5), np.int64))
    assert (order, places.tolist()) == ("none", [0, 2, 4])
    order, places = laid_beside(np.array([[3, 1, 2]]))
    assert (order, places.tolist()) == ("none", [1])


@pytest.mark.parametrize("turned", [False, True])
def test_neighbours_at_equal_millimetres_tell_frames_apart_that_look_alike(turned: bool) -> None:
    # Two series of one body, 2 and 3 mm from frame to frame, in which every fourth centimetre looks the same.
    looks = np.random.default_rng(0).integers(0, 256, (300, 16), dtype=np.uint8)
    looks[:] = looks[np.arange(300) % 40]
    looks[100:140] = np.random.default_rng(1).integers(0, 256, (40, 16), dtype=np.uint8)
    own, other = np.arange(0, 300, 2), np.arange(60, 240, 3)
    if turned:
        other = other[::-1]
    distances = hamming(looks[own][:, None], looks[other][None])
    order, places = laid_beside(distances, (2.0, 3.0))
    covered = (own > 80) & (own < 217)
    assert order == ("backward" if turned else "forward")
    assert np.abs(other[places] - own)[covered].max() <= 3
    alone = laid_beside(distances)[1]
    assert np.abs(other[alone] - own)[covered].max() > 3


class Held(NamedTuple):
    """An archive of two series."""

    catalogue: MemoryCatalogue
    codes: MemoryIndex

    def match(self, one: str, other: str) -> matching.SeriesMatch:
        return match_series(self.catalogue, self.codes, ENCODER.fingerprint, one, other)


@pytest.fixture
def held() -> Held:
    held = Held(MemoryCatalogue(), MemoryIndex(ENCODER.fingerprint))
    held.catalogue.append("a", [frame_of(f"1.1.{n}", "1.1", 4 * n, n) for n in range(1, 11)], ORIGIN)
    held.catalogue.append("a", [frame_of(f"1.2.{n}", "1.2", 8 * n, 2 * n) for n in range(1, 6)], ORIGIN)
    held.codes.apply(held.catalogue.tail(0, 100))
    return held


def test_series_are_matched_by_their_codes_and_not_by_the_number_of_a_slice(held: Held) -> None:
    found = held.match("1.2", "1.1")
    assert found.order == "forward"
    beside = [(one.frame.info.sop_instance_uid, one.beside.info.sop_instance_uid) for one in found.frames]
    assert beside == [(f"1.2.{n}", f"1.1.{2 * n}") for n in range(1, 6)]
    assert {one.distance for one in found.frames} == {0}


def test_a_series_lies_beside_itself(held: Held) -> None:
    assert all(one.frame == one.beside for one in held.match("1.1", "1.1").frames)


def test_what_is_not_indexed_or_too_long_is_refused(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    for one, other in (("1.1", "9"), ("9", "1.1")):
        with pytest.raises(NotFoundError, match=r"Series '?9"):
            held.match(one, other)
    monkeypatch.setattr(matching, "MAX_PAIRS", 49)
    with pytest.raises(LimitError, match="10 and 5 frames"):
        held.match("1.1", "1.2")


def test_series_whose_order_is_not_clear_run_forward_where_positions_say_that_they_are_stacks() -> None:
    alike = np.full((4, 4), 9)
    assert laid_beside(alike)[0] == "none"
    order, places = laid_beside(alike, (5.0, 5.0))
    assert (order, places.tolist()) == ("forward", [0, 1, 2, 3])


@pytest.mark.parametrize("apart_mm", [1e-310, 1e300])
def test_positions_that_are_none_of_a_body_count_as_unknown(apart_mm: float) -> None:
    held = Held(MemoryCatalogue(), MemoryIndex(ENCODER.fingerprint))
    for series, step in (("1.1", 5.0), ("1.2", apart_mm)):
        frames = [frame_of(f"{series}.{n}", series, 4 * n, n) for n in range(1, 6)]
        placed = [
            replace(one, info=replace(one.info, position=(0.0, 0.0, step * n)))
            for n, one in enumerate(frames)
        ]
        held.catalogue.append("a", placed, ORIGIN)
    held.codes.apply(held.catalogue.tail(0, 100))
    for one, other in (("1.1", "1.2"), ("1.2", "1.1")):
        assert [pair.distance for pair in held.match(one, other).frames] == [0] * 5
