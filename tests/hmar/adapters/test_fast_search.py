"""Fast searches of the embedded index: most of what the exact ones find, told as what it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.values.codes import Bits, EncodedFrame, Query
from hmar.values.entries import LogRow
from hmar.values.fast import EXACT
from hmar.values.hits import Mode
from hmar.values.selection import Selection
from hmar.values.window_ids import pack_window_id
from tests.contract.examples import MODEL, info

SERIES, SLICES, ROWS, COLUMNS = 600, 12, 6, 7
WINDOWS = ROWS * COLUMNS
CT = Selection(filters={"modality": frozenset({"CT"})})
BY_PATIENT = Selection(group_by="patient")


def slices(rng: np.random.Generator) -> Iterator[EncodedFrame]:
    """Draw series whose slices and windows change slowly, as those of an image do, in random order."""
    ids = pack_window_id(0, np.arange(ROWS)[:, None], np.arange(COLUMNS)).ravel()
    for series in range(SERIES):
        at = rng.random((ROWS, COLUMNS, 128)) * 0.4 + rng.random((1, 1, 128))
        for number in rng.permutation(SLICES).tolist():
            changed = at + 0.05 * number * rng.random(128)
            codes = np.packbits(changed % 1.4 > 0.7, axis=2).reshape(-1, 16)
            told = info(
                f"{series}.{number}",
                modality="CT" if series % 3 else "MR",
                patient_key=f"p{series // 2}",
                study_uid=str(series),
                series_uid=f"{series}.1",
                along_mm=2.5 * number,
            )
            whole = np.packbits(changed.mean(axis=(0, 1)) % 1.4 > 0.7)
            yield EncodedFrame(told, whole, codes, ids, (0.4, 0.6), MODEL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="module")
def index(folder: Path) -> Iterator[EmbeddedIndex]:
    """Return an index on a snapshot, with a tail, from both of which frames were removed."""
    rng = np.random.default_rng(0)
    rows = [
        LogRow(seq, "add", seq, "default", f"mark-{seq}", frame)
        for seq, frame in enumerate(slices(rng), start=1)
    ]
    index = EmbeddedIndex(folder, MODEL, threads=2, fast_from=0)
    index.apply(rows[:6000])
    index.snapshot()
    index.apply(rows[6000:])
    last = len(rows)
    removed = rng.choice(last, 50, replace=False) + 1
    index.apply(
        [
            LogRow(last + at, "delete", int(entry), "default", f"mark-{last + at}", None)
            for at, entry in enumerate(removed, start=1)
        ]
    )
    yield index
    index.close()


def asked(seed: int, index: EmbeddedIndex) -> Query:
    """Ask with nine windows that lie near those of some frame."""
    rng = np.random.default_rng(seed)
    [frame] = index.codes([int(rng.integers(1, 6000)) or 1], Selection()) or index.codes([1], Selection())
    flips = np.packbits(rng.random((10, 128)) < 0.1, axis=1)
    at = rng.choice(len(frame.window_codes), 9, replace=len(frame.window_codes) < 9)
    return Query(frame.global_code ^ flips[9], frame.window_codes[at] ^ flips[:9], (0.4, 0.6))


def exactly(index: EmbeddedIndex, query: Query, k: int, mode: Mode, bits: Bits, selection: Selection) -> list:
    search = {"local": index.search_windows, "auto": index.search_fused}[mode]
    return search(query, k, bits, selection)


@pytest.mark.parametrize("mode", ["local", "auto"])
@pytest.mark.parametrize("bits", [64, 128])
@pytest.mark.parametrize("selection", [Selection(), CT, BY_PATIENT], ids=["all", "CT", "patients"])
def test_nearly_all_of_the_nearest_are_found_at_their_exact_distances(
    index: EmbeddedIndex, mode: Mode, bits: Bits, selection: Selection
) -> None:
    shares, ranked = [], []
    for seed in range(12):
        query = asked(seed, index)
        expected = exactly(index, query, 10, mode, bits, selection)
        found = index.search_fast(query, 10, mode, bits, selection)
        assert found is not None
        assert found.thoroughness.search == "fast"
        assert 0.98 <= found.thoroughness.expected_recall <= 1
        ranked.append(found.thoroughness.ranked_share)
        by_entry = {hit.entry_id: hit for hit in expected}
        assert [hit for hit in found.hits if hit.entry_id in by_entry] == [
            hit for hit in expected if hit.entry_id in {each.entry_id for each in found.hits}
        ]
        shares.append(len(by_entry.keys() & {hit.entry_id for hit in found.hits}) / len(expected))
    assert np.mean(shares) > 0.95
    assert np.mean(ranked) < 0.9


def test_refined_searches_are_fast_too(index: EmbeddedIndex) -> None:
    weights = np.array(([2] * 56 + [1] * 8) * 2, np.uint8)
    query = replace(asked(3, index), global_weights=weights, window_weights=np.stack([weights] * 9))
    found = index.search_fast(query, 10, "local", 128, Selection())
    assert found is not None
    assert found.hits[:5] == index.search_windows(query, 10, 128, Selection())[:5]


def test_a_search_that_measured_every_frame_says_that_it_is_exact(index: EmbeddedIndex) -> None:
    some = replace(Selection(), only_series=frozenset(f"{series}.1" for series in range(150)))
    found = index.search_fast(asked(2, index), 10, "local", 128, some)
    assert found is not None
    assert found.thoroughness == EXACT
    assert found.hits == index.search_windows(asked(2, index), 10, 128, some)


def test_frames_that_are_left_out_are_not_found(index: EmbeddedIndex) -> None:
    query = asked(1, index)
    first = index.search_fast(query, 10, "local", 128, Selection())
    assert first is not None
    gone = frozenset(hit.entry_id for hit in first.hits[:5])
    again = index.search_fast(query, 10, "local", 128, replace(Selection(), exclude=gone))
    assert again is not None
    assert not gone & {hit.entry_id for hit in again.hits}
    assert [hit.entry_id for hit in again.hits[:5]] == [hit.entry_id for hit in first.hits[5:]]


def test_where_little_may_be_found_the_search_is_left_to_the_exact_one(
    index: EmbeddedIndex,
) -> None:
    query = asked(1, index)
    assert index.search_fast(query, 10, "global", 128, Selection()) is None
    assert index.search_fast(query, 1000, "local", 128, Selection()) is None
    assert (
        index.search_fast(replace(query, window_codes=query.window_codes[:0]), 1, "auto", 128, Selection())
        is None
    )
    few = replace(Selection(), only_series=frozenset({"7.1", "9.1"}))
    assert index.search_fast(query, 1, "local", 128, few) is None
    empty = EmbeddedIndex(None, MODEL, fast_from=0)
    assert empty.search_fast(query, 1, "local", 128, Selection()) is None


@pytest.mark.parametrize(("more", "made"), [(0, True), (1, False)])
def test_a_search_is_fast_from_so_many_windows(
    index: EmbeddedIndex, folder: Path, more: int, made: bool
) -> None:
    other = EmbeddedIndex(folder, MODEL, fast_from=6000 * WINDOWS + more)
    found = other.search_fast(asked(1, index), 10, "local", 128, Selection())
    assert (found is not None) == made
    other.close()


def test_windows_that_came_since_the_snapshot_make_no_search_fast() -> None:
    rng = np.random.default_rng(0)
    frames = itertools.islice(slices(rng), 400)
    index = EmbeddedIndex(None, MODEL, fast_from=1)
    index.apply(
        [LogRow(seq, "add", seq, "default", f"mark-{seq}", one) for seq, one in enumerate(frames, start=1)]
    )
    assert index.search_fast(asked(1, index), 1, "local", 128, Selection()) is None
    index.close()


def test_series_of_unlike_images_are_searched_fast_all_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ids = pack_window_id(0, np.arange(2)[:, None], np.arange(2)).ravel()
    index = EmbeddedIndex(tmp_path, MODEL, fast_from=0)
    rows = []
    for seq in range(1, 20_001):
        codes = rng.integers(0, 256, (5, 16), np.uint8)
        told = info(str(seq), series_uid=f"{seq // 10}", instance_number=seq % 10)
        frame = EncodedFrame(told, codes[0], codes[1:], ids, (0.4, 0.6), MODEL)
        rows.append(LogRow(seq, "add", seq, "default", f"mark-{seq}", frame))
    index.apply(rows)
    index.snapshot()
    for seed in range(5):
        query = asked(seed, index)
        query = replace(query, window_codes=query.window_codes[:1])
        found = index.search_fast(query, 100, "local", 128, Selection())
        assert found is not None
        assert found.thoroughness.search == "fast"
        exact = index.search_windows(query, 100, 128, Selection())
        assert len({hit.entry_id for hit in exact} & {hit.entry_id for hit in found.hits}) > 95
    index.close()
