from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryCatalogue
from hmar.types import Selection
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, encoded, query


def catalogue_of(frames: int) -> MemoryCatalogue:
    catalogue = MemoryCatalogue()
    catalogue.append("default", [encoded(f"1.{i}", windows=i % 4) for i in range(frames)], ORIGIN)
    return catalogue


def test_a_corrupt_snapshot_costs_nothing_but_a_replay(tmp_path: Path) -> None:
    catalogue = catalogue_of(12)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 8))
    index.snapshot()
    index.apply(catalogue.tail(8, 8))
    index.snapshot()
    expected = index.search_fused(query(2), 12, 64, Selection())
    for generation in sorted(tmp_path.glob("*/gen-*"), reverse=True):
        file = generation / "window_first.npy"
        file.write_bytes(file.read_bytes()[:-1] + b"\xff")
        again = EmbeddedIndex(tmp_path, MODEL)
        assert again.stats().last_seq == (8 if generation.name.endswith("12") else 0)
        again.apply(catalogue.tail(again.stats().last_seq, 100))
        assert again.search_fused(query(2), 12, 64, Selection()) == expected


def test_a_snapshot_of_an_unchanged_index_is_not_written_again(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue_of(3).tail(0, 9))
    index.snapshot()
    (generation,) = tmp_path.glob("*/gen-*")
    written = generation.stat().st_ino
    index.snapshot()
    assert generation.stat().st_ino == written


def test_an_index_of_another_model_does_not_load_the_snapshot(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue_of(3).tail(0, 9))
    index.snapshot()
    assert EmbeddedIndex(tmp_path, OTHER_MODEL).stats().last_seq == 0


def test_an_index_from_a_snapshot_grows_shrinks_and_grows_again(tmp_path: Path) -> None:
    catalogue = catalogue_of(5)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 9))
    index.snapshot()
    again = EmbeddedIndex(tmp_path, MODEL)
    catalogue.delete("default", "1.2.9")
    catalogue.append("default", [encoded("2.1", windows=2)], ORIGIN)
    again.apply(catalogue.tail(5, 99))
    stats = again.stats()
    assert (stats.frames, stats.windows) == (1, 2)
    assert [hit.entry_id for hit in again.search_windows(query(), 9, 128, Selection())] == [11]


def test_a_batch_that_fails_half_way_leaves_no_frame_beside_the_windows_of_another(tmp_path: Path) -> None:
    rows = catalogue_of(6).tail(0, 9)
    codes = rows[4].encoded
    assert codes is not None
    bad = replace(rows[4], encoded=replace(codes, window_codes=np.zeros((1, 3), np.uint8)))
    index, whole = EmbeddedIndex(tmp_path, MODEL), EmbeddedIndex(tmp_path / "whole", MODEL)
    with pytest.raises(ValueError, match="dtype"):
        index.apply([*rows[:4], bad])
    index.apply(rows)
    whole.apply(rows)
    assert index.stats() == whole.stats()
    found = [i.search_fused(query(2), 9, 128, Selection()) for i in (index, whole)]
    assert found[0] == found[1]


def test_searches_see_whole_batches_while_rows_are_applied(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path, MODEL)
    same = encoded(windows=1)
    rows = MemoryCatalogue()
    for number in range(60):
        rows.append(f"c{number}", [same], ORIGIN)
    batches = [rows.tail(start, 2) for start in range(0, 60, 2)]
    seen: list[int] = []

    def search() -> None:
        while not seen or seen[-1] < 60:
            seen.append(len(index.search_fused(query(), 100, 64, Selection())))

    reader = threading.Thread(target=search)
    reader.start()
    for batch in batches:
        index.apply(batch)
    reader.join()
    assert seen == sorted(seen)
    assert not np.any(np.array(seen) % 2)
