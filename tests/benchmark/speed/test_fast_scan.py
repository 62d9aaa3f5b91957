"""The share of the nearest that fast searches find is counted right, and a loss is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.speed.archive import MODEL, TENTH, Archive, write_archive
from benchmark.speed.fast_recall import FastCase, recall_at
from benchmark.speed.fast_scan import CASES, EVERYTHING, KS, PEER, made_fast, measure_fast_scan
from benchmark.speed.found_share import found_share
from benchmark.speed.growth import PROJECTED, growth_rows
from benchmark.speed.people import People
from benchmark.speed.real_codes import RealCodes
from benchmark.speed.shuffled_scan import measure_shuffled_scan
from benchmark.speed.timing import Rounds
from benchmark.types import silent
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.index.grouping import first_of_each
from hmar.values.codes import Bits, Query, hamming
from hmar.values.fast import FastHits, Thoroughness
from hmar.values.hits import Mode
from hmar.values.selection import Selection
from tests.benchmark.speed.real import SLICES, WINDOWS, body, queries

FRAMES = 21 * SLICES
TWO = Rounds(repeats=2, warm_up=1)
LOST_EVERY = 5
MANY = 400 * SLICES
"""Frames of which the product compares some alone, where ten are asked for."""
TOLD = Thoroughness("fast", 0.5, 0.9)
GATE = (0.25, 0.75)
CODES = RealCodes(
    [body(number) for number in range(4)],
    [Query(body(2000 + at).global_codes[3], windows, GATE) for at, windows in enumerate(queries())],
    8,
)
ROW_FIELDS = {"p50_ms", "p95_ms", "peer_p50_ms", "peer_p95_ms", "ratio", "ratio_ci95", "quality", "threads"}


class Forgetful(EmbeddedIndex):
    """Its fast searches never find a frame whose entry id ``LOST_EVERY`` divides."""

    def search_fast(
        self, query: Query, k: int, mode: Mode, bits: Bits, selection: Selection
    ) -> FastHits | None:
        lost = frozenset(range(LOST_EVERY, FRAMES + 1, LOST_EVERY))
        search = self.search_fused if mode == "auto" else self.search_windows
        return FastHits(search(query, k, bits, replace(selection, exclude=lost)), TOLD)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("drawn")
    return write_archive(folder, People(CODES.series), CODES.queries, FRAMES)


@pytest.fixture
def forgetful(archive: Archive) -> Iterator[Forgetful]:
    index = Forgetful(archive.folder, MODEL)
    yield index
    index.close()


def plain_distances(archive: Archive, query: Query, mode: Mode) -> list[float]:
    """Return the distance of every frame, one window after the other."""
    known = People(CODES.series).drawn(FRAMES)
    wholes = np.concatenate([person.global_codes for person in known])
    distances = []
    for frame in range(archive.frames):
        windows = archive.window_codes(frame)
        local = sum(int(hamming(windows, code).min()) for code in query.window_codes) / 9
        whole = int(hamming(wholes[frame], query.global_code))
        distances.append(GATE[0] * whole + GATE[1] * local if mode == "auto" else local)
    return distances


def plain_share(distances: list[float], allowed: list[int], k: int) -> float:
    """Return the share of the k nearest of some frames that no fast search of :class:`Forgetful` loses."""
    last = sorted(distances[frame] for frame in allowed)[:k][-1]
    nearer = [frame for frame in allowed if distances[frame] < last]
    tied = [frame for frame in allowed if distances[frame] == last]
    kept = [[frame for frame in some if (frame + 1) % LOST_EVERY] for some in (nearer, tied)]
    nearest = min(k, len(allowed))
    return (len(kept[0]) + min(len(kept[1]), nearest - len(nearer))) / nearest


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=8),
    st.sets(st.integers(0, 7)),
    st.integers(1, 5),
)
def test_the_share_is_that_of_the_k_nearest_that_ties_let_choose_most_kindly(
    distances: list[int], lost: set[int], k: int
) -> None:
    ranked = [(frame, float(distances[frame])) for frame in np.argsort(distances, kind="stable").tolist()]
    found = [(frame, distance) for frame, distance in ranked if frame not in lost][:k]
    take = min(k, len(ranked))
    nearest_sum = sum(distance for _, distance in ranked[:take])
    choices = [
        {frame for frame, _ in some}
        for some in combinations(ranked, take)
        if sum(distance for _, distance in some) == nearest_sum
    ]
    expected = max(len(choice & {frame for frame, _ in found}) for choice in choices) / take
    assert found_share(found, ranked[:k], k) == pytest.approx(expected)


def test_a_frame_with_another_distance_than_its_own_is_not_found() -> None:
    nearest = [(7, 1.0), (8, 2.0), (9, 3.0)]
    assert found_share(nearest, nearest, 3) == 1
    assert found_share([(7, 1.0), (8, 2.5), (9, 3.0)], nearest, 3) == pytest.approx(2 / 3)
    assert found_share([(7, 1.0), (9, 3.0), (8, 3.0)], nearest, 3) == pytest.approx(2 / 3)
    assert found_share([(7, 1.0), (4, 2.0), (5, 3.0)], nearest, 3) == pytest.approx(2 / 3)
    assert found_share([], [], 3) == 1


@pytest.mark.parametrize(("k", "mode"), [(10, "local"), (100, "local"), (10, "auto"), (100, "auto")])
def test_a_planted_loss_is_seen_as_plain_numpy_counts_it(
    archive: Archive, forgetful: Forgetful, k: int, mode: Mode
) -> None:
    everything = list(range(archive.frames))
    shares = [plain_share(plain_distances(archive, query, mode), everything, k) for query in CODES.asked]
    case = FastCase("all", mode, Selection())
    recall = recall_at(k, forgetful, CODES.asked, case, archive.people)
    assert 0.3 < min(shares) < 1
    assert (recall.share, recall.least) == pytest.approx((np.mean(shares), min(shares)))
    assert (recall.made, recall.expected, recall.ranked_share) == ("fast", 0.9, 0.5)


def test_of_a_filter_only_what_passes_it_counts(archive: Archive, forgetful: Forgetful) -> None:
    case = FastCase("a tenth", "local", TENTH)
    allowed = np.flatnonzero(archive.people % 10 == 0).tolist()
    assert len(allowed) == 2 * SLICES
    shares = [plain_share(plain_distances(archive, query, "local"), allowed, 100) for query in CODES.asked]
    recall = recall_at(100, forgetful, CODES.asked, case, archive.people)
    assert recall.share == pytest.approx(np.mean(shares))
    assert 0.5 < recall.share < 1


def test_people_are_found_only_with_their_own_distance(archive: Archive, forgetful: Forgetful) -> None:
    expected = []
    for query in CODES.asked:
        distances = np.array(plain_distances(archive, query, "local"))
        order = np.argsort(distances, kind="stable")
        nearest = order[first_of_each(archive.people[order].astype(np.uint64))]
        kept = order[(order + 1) % LOST_EVERY != 0]
        found = kept[first_of_each(archive.people[kept].astype(np.uint64))]
        of_people = (
            [(int(archive.people[at]), float(distances[at])) for at in some] for some in (found, nearest)
        )
        expected.append(found_share(*of_people, 10))
    case = FastCase("people", "local", Selection(group_by="patient"))
    recall = recall_at(10, forgetful, CODES.asked, case, archive.people)
    assert recall.share == pytest.approx(np.mean(expected))
    assert 0.3 < recall.share < 0.95


def test_a_search_that_is_made_exactly_says_so(archive: Archive) -> None:
    index = EmbeddedIndex(archive.folder, MODEL)
    rows = measure_fast_scan(
        archive, index, CODES, TWO, silent, [EVERYTHING, FastCase("a tenth", "local", TENTH)]
    )
    index.close()
    told = {"made": "exact", "recall": 1, "least_recall": 1, "expected_recall": 1, "ranked_share": 1}
    assert len(rows) == 4
    for row in rows:
        assert told.items() <= row.items()
    assert made_fast(rows) == []


def test_rows_tell_time_beside_recall_for_each_case_and_number_of_hits(
    archive: Archive, forgetful: Forgetful
) -> None:
    rows = measure_fast_scan(archive, forgetful, CODES, TWO, silent)
    assert [row["k"] for row in rows] == list(KS) * len(CASES)
    for row in rows:
        assert set(row) >= ROW_FIELDS
        assert (row["peer"], row["made"], row["expected_recall"]) == (PEER, "fast", 0.9)
        assert row["quality"] == {f"recall@{row['k']} (ANN)": row["recall"], "expected": 0.9}
        assert (row["frames"], row["people"], row["queries"], row["askers"]) == (FRAMES, 21, 8, 8)
        assert row["exact_p50_ms"] == row["peer_p50_ms"]
    assert made_fast(rows) == rows


def test_growth_of_fast_searches_has_the_exact_ones_and_the_recall_beside_it() -> None:
    scanned: list[dict[str, object]] = [
        {"name": "fast", "bits": 128, "threads": 2, "frames": size, "windows": 5 * size, "recall": 0.99,
         "expected_recall": 0.99, "ranked_share": 0.1, "p50_ms": size / 1000, "exact_p50_ms": size / 100}
        for size in (30_000, 100_000, 300_000)
    ]  # fmt: skip
    rows = growth_rows(scanned)
    assert [row.get("recall") for row in rows] == [0.99] * 3 + [None] * len(PROJECTED)
    for row in rows:
        assert (row["p50_ms"], row["exact_p50_ms"]) == pytest.approx(
            (row["frames"] / 1000, row["frames"] / 100)
        )
        assert "faiss_p50_ms" not in row


def test_shuffled_series_are_the_same_slices_in_another_order(tmp_path: Path, archive: Archive) -> None:
    folder = tmp_path / "shuffled"
    shuffled = write_archive(folder, People(CODES.series), CODES.queries, FRAMES, shuffled=True)
    assert shuffled.people.tolist() == archive.people.tolist()
    index, ordered = EmbeddedIndex(folder, MODEL), EmbeddedIndex(archive.folder, MODEL)
    index.check()
    entries = range(1, FRAMES + 1)
    slices = [
        [(one.global_code.tobytes(), one.window_codes.tobytes(), one.window_ids.tobytes()) for one in found]
        for found in (each.codes(entries, Selection()) for each in (ordered, index))
    ]
    assert slices[0] != slices[1]
    for first in range(0, FRAMES, SLICES):
        one, other = (some[first : first + SLICES] for some in slices)
        assert sorted(one) == sorted(other)
    rows = measure_shuffled_scan(shuffled, index, ordered, CODES, TWO, silent)
    assert [row["k"] for row in rows] == list(KS)
    assert all(row["recall"] == row["peer_recall"] for row in rows)
    index.close()
    ordered.close()


@pytest.mark.slow
def test_the_product_is_fast_where_it_says_so_and_finds_as_much_in_any_order_of_arrival(
    tmp_path: Path,
) -> None:
    archives = [
        write_archive(tmp_path / str(shuffled), People(CODES.series), CODES.queries, MANY, shuffled=shuffled)
        for shuffled in (True, False)
    ]
    shuffled, ordered = (EmbeddedIndex(one.folder, MODEL, fast_from=0) for one in archives)
    ten, hundred = measure_shuffled_scan(archives[0], shuffled, ordered, CODES, TWO, silent)
    assert (ten["made"], hundred["made"]) == ("fast", "exact")
    assert (ten["frames"], ten["people"]) == (MANY, MANY // SLICES)
    assert 0.1 < float(str(ten["ranked_share"])) < 1
    assert ten["recall"] == ten["peer_recall"]
    assert min(float(str(ten["recall"])), float(str(ten["expected_recall"]))) > 0.9
    shuffled.close()
    ordered.close()


def test_a_person_in_another_order_keeps_each_slice_with_its_windows_and_its_number() -> None:
    [person] = People(CODES.series).drawn(SLICES)
    order = np.random.default_rng(0).permutation(SLICES)
    other = person.reordered(order)
    assert other.slices.tolist() == (order + 1).tolist()
    for at, before in enumerate(order.tolist()):
        here, there = (slice(place * WINDOWS, (place + 1) * WINDOWS) for place in (at, before))
        assert (other.window_codes[here] == person.window_codes[there]).all()
        assert (other.global_codes[at] == person.global_codes[before]).all()
