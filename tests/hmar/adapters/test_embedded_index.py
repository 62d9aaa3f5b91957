from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hmar.adapters.embedded_index import CHECK_EVERY_S, EmbeddedIndex
from hmar.adapters.memory import MemoryCatalogue
from hmar.index.scan import Scanner
from hmar.index.windows import coarse_first
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.deletion import Selector
from hmar.values.hits import CodeHit
from hmar.values.selection import Selection
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, Clock, encoded, query
from tests.hmar.index.manifests import resealed


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
        file = generation / "window_codes.npy"
        file.write_bytes(file.read_bytes()[:-1] + b"\xff")
        again = EmbeddedIndex(tmp_path, MODEL)
        assert again.stats().last_seq == (8 if generation.name.endswith("12") else 0)
        again.apply(catalogue.tail(again.stats().last_seq, 100))
        assert again.search_fused(query(2), 12, 64, Selection()) == expected


def test_a_snapshot_of_before_a_property_costs_nothing_but_a_replay(tmp_path: Path) -> None:
    catalogue = catalogue_of(12)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 99))
    index.snapshot()
    (generation,) = tmp_path.glob("*/gen-*")
    resealed(
        generation / "manifest.json", lambda body: [body[kind].pop("sexes") for kind in ("arrays", "texts")]
    )
    again = EmbeddedIndex(tmp_path, MODEL)
    assert again.stats().last_seq == 0
    again.apply(catalogue.tail(0, 99))
    again.snapshot()
    women = Selection(filters={"sex": frozenset({"F"})})
    assert again.count(women) == EmbeddedIndex(tmp_path, MODEL).count(women) == 12


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
    catalogue.delete(Selector("series", "1.2.9"))
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
    with pytest.raises(ValueError, match="16 bytes"):
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


ENCODER = ThumbnailEncoder()


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position, 2 if position < 0 else 0)
        [byte] = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte ^ 4]))


def found(index: EmbeddedIndex) -> list[CodeHit]:
    return index.search_fused(query(2), 99, 64, Selection())


def test_a_flipped_byte_is_found_in_the_background_and_the_log_brings_the_index_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = MemoryCatalogue()
    frames = [encoded(f"1.{i}", windows=i % 4, model=ENCODER.fingerprint) for i in range(12)]
    catalogue.append("default", frames, ORIGIN)
    first = EmbeddedIndex(tmp_path, ENCODER.fingerprint)
    Searcher(catalogue, first, ENCODER).refresh()
    first.snapshot()
    expected = found(first)
    (generation,) = tmp_path.glob("*/gen-*")
    flip(generation / "window_codes.npy", 130)
    index = EmbeddedIndex(tmp_path, ENCODER.fingerprint, checked=False)
    searcher = Searcher(catalogue, index, ENCODER)
    assert index.stats().frames == 12
    with caplog.at_level(logging.WARNING):
        index.check()
    assert found(index) == []
    assert "quarantine" in caplog.text
    assert "starts again from row 0" in caplog.text
    assert searcher.refresh() == 12
    assert found(index) == expected
    index.check()
    index.snapshot()
    assert found(EmbeddedIndex(tmp_path, ENCODER.fingerprint)) == expected


def test_an_altered_snapshot_gives_way_to_an_older_one_and_is_never_copied(tmp_path: Path) -> None:
    catalogue = catalogue_of(12)
    index = EmbeddedIndex(tmp_path, MODEL)
    for end in (5, 8):
        index.apply(catalogue.tail(0, end))
        index.snapshot()
    index.apply(catalogue.tail(0, 10))
    flip(max(tmp_path.glob("*/gen-*")) / "entry_ids.npy", -1)
    index.snapshot()
    assert index.stats().last_seq == 5
    assert [hit.entry_id for hit in sorted(found(index), key=lambda hit: hit.entry_id)] == [1, 2, 3, 4, 5]
    assert [int(path.name.removeprefix("gen-")) for path in tmp_path.glob("*/gen-*")] == [5]


def test_a_snapshot_is_checked_once_and_again_when_it_is_due(tmp_path: Path) -> None:
    catalogue, clock = catalogue_of(6), Clock()
    index = EmbeddedIndex(tmp_path, MODEL, clock=clock)
    index.apply(catalogue.tail(0, 9))
    index.snapshot()
    index.check()
    flip(next(tmp_path.glob("*/gen-*/id_runs.npy")), -1)
    clock.now += CHECK_EVERY_S - 1
    index.check()
    assert index.stats().frames == 6
    clock.now += 1
    index.check(lambda: True)
    assert index.stats().frames == 6
    index.check()
    assert index.stats().frames == 0


def test_an_index_moves_onto_its_snapshot_and_onto_a_newer_one_of_another_process(tmp_path: Path) -> None:
    catalogue = catalogue_of(10)
    catalogue.append("other", [encoded("3.1", windows=2)], ORIGIN)
    rows = catalogue.tail(0, 99)
    mine, theirs, alone = (EmbeddedIndex(tmp_path, MODEL) for _ in range(3))
    alone.apply(rows)
    expected = found(alone)
    mine.apply(rows[:4])
    mine.snapshot()
    assert mine.stats().snapshot_seq == 4
    theirs.apply(rows[:9])
    theirs.snapshot()
    mine.apply(rows)
    mine.check()
    assert (mine.stats().snapshot_seq, theirs.stats().snapshot_seq) == (9, 9)
    assert found(mine) == expected
    catalogue.delete(Selector("series", "1.2.9"), "default")
    catalogue.append("default", [encoded("4.1", windows=1)], ORIGIN)
    later = catalogue.tail(11, 99)
    theirs.apply(rows)
    theirs.apply(later[:7])
    theirs.snapshot()
    mine.apply(later)
    alone.apply(later)
    mine.check()
    assert mine.stats().snapshot_seq == later[6].seq
    assert mine.stats() == alone.stats()
    assert found(mine) == found(alone)
    assert [hit.entry_id for hit in mine.search_global(query(), 9, 128, Selection("other"))] == [11]


def test_an_index_does_not_move_onto_a_snapshot_of_another_log(tmp_path: Path) -> None:
    rows = catalogue_of(6).tail(0, 9)
    mine, theirs = EmbeddedIndex(tmp_path, MODEL), EmbeddedIndex(tmp_path, MODEL)
    theirs.apply([replace(row, mark="another") for row in rows[:3]])
    theirs.snapshot()
    mine.apply(rows)
    before = found(mine)
    mine.check()
    assert mine.stats().snapshot_seq == 0
    assert found(mine) == before


def test_searches_go_on_while_rows_are_applied_and_a_snapshot_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = catalogue_of(8)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 4))
    expected = found(index)
    adding, searched = threading.Event(), threading.Event()
    add = index._gallery.add

    def slowly(rows: Sequence[object]) -> None:
        add(rows)  # type: ignore[arg-type]
        adding.set()
        assert searched.wait(20)

    monkeypatch.setattr(index._gallery, "add", slowly)
    writer = threading.Thread(target=lambda: index.apply(catalogue.tail(4, 4)))
    writer.start()
    assert adding.wait(20)
    assert found(index) == expected
    assert index.stats().frames == 4
    searched.set()
    writer.join()
    assert index.stats().frames == len(found(index)) == 8


@pytest.mark.slow
def test_answers_are_the_same_with_any_number_of_threads_and_without_compiled_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmar.index.scan.cut.__defaults__", (7,))
    rows = catalogue_of(60).tail(0, 99)
    answers = []
    for threads, compiled in ((1, True), (3, True), (2, False)):
        index = EmbeddedIndex(tmp_path / f"{threads}", MODEL, threads, compiled)
        assert isinstance(index._scanner, Scanner)
        index.apply(rows[:40])
        index.snapshot()
        index.apply(rows)
        answers.append(
            [
                search(query(windows), 10, bits, Selection())
                for search in (index.search_global, index.search_windows, index.search_fused)
                for windows in (1, 4)
                for bits in (64, 128)
            ]
        )
        index.close()
    assert answers[0] == answers[1] == answers[2]


def stored_bytes(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


def filled(catalogue: MemoryCatalogue) -> MemoryCatalogue:
    """Add two patients, the second one's windows many."""
    catalogue.append("default", [encoded(f"1.{i}", windows=i % 4) for i in range(12)], ORIGIN)
    catalogue.append("default", [encoded("2.1", windows=90, patient_key="q")], ORIGIN)
    return catalogue


def planted(catalogue: MemoryCatalogue) -> list[bytes]:
    """Return what a snapshot holds of the second patient: the global code, and windows, plane by plane."""
    row = catalogue.tail(12, 1)[0].encoded
    assert row is not None
    order, _ = coarse_first(row.window_ids)
    return [row.global_code.tobytes(), *(row.window_codes[order, plane].tobytes() for plane in range(16))]


def test_a_snapshot_after_a_delete_leaves_nothing_of_what_was_deleted_on_disk(tmp_path: Path) -> None:
    catalogue = filled(MemoryCatalogue())
    codes = planted(catalogue)
    index, other = EmbeddedIndex(tmp_path, MODEL), EmbeddedIndex(tmp_path, OTHER_MODEL)
    for each in (index, other):
        each.apply(catalogue.tail(0, 99))
        each.snapshot()
    assert all(code in stored_bytes(tmp_path) for code in codes)
    assert not index.stats().unsettled
    catalogue.delete(Selector("patient", "q"))
    index.apply(catalogue.tail(13, 99))
    assert index.stats().unsettled
    index.check()
    assert all(code in stored_bytes(tmp_path) for code in codes)
    index.snapshot()
    assert not index.stats().unsettled
    assert not [code for code in codes if code in stored_bytes(tmp_path)]
    assert len(list(tmp_path.glob("*/gen-*"))) == 1
    again = EmbeddedIndex(tmp_path, MODEL)
    assert again.stats() == index.stats()
    assert found(again) == found(index)


def test_a_restart_goes_on_where_a_killed_process_had_not_removed_everything(tmp_path: Path) -> None:
    catalogue = filled(MemoryCatalogue())
    codes = planted(catalogue)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 99))
    index.snapshot()
    [old] = tmp_path.glob("*/gen-*")
    kept = tmp_path / "kept"
    shutil.copytree(old, kept)
    catalogue.delete(Selector("patient", "q"))
    unsettled = EmbeddedIndex(tmp_path, MODEL)
    unsettled.apply(catalogue.tail(13, 99))
    assert unsettled.stats().unsettled  # killed before it wrote any
    index.apply(catalogue.tail(13, 99))
    index.snapshot()
    kept.rename(old)  # as if killed before the old one was removed
    again = EmbeddedIndex(tmp_path, MODEL)
    assert all(code in stored_bytes(tmp_path) for code in codes)
    again.check()
    assert not [code for code in codes if code in stored_bytes(tmp_path)]


def test_a_quarantined_snapshot_goes_although_the_index_started_anew(tmp_path: Path) -> None:
    catalogue = filled(MemoryCatalogue())
    codes = planted(catalogue)
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 99))
    index.snapshot()
    index.clear()
    catalogue.delete(Selector("patient", "q"))
    index.apply(catalogue.tail(0, 99))
    assert index.stats().unsettled
    assert all(code in stored_bytes(tmp_path) for code in codes)
    index.snapshot()
    assert not [code for code in codes if code in stored_bytes(tmp_path)]


def test_an_index_whose_last_frame_was_deleted_is_written_empty(tmp_path: Path) -> None:
    catalogue = filled(MemoryCatalogue())
    index = EmbeddedIndex(tmp_path, MODEL)
    index.apply(catalogue.tail(0, 99))
    index.snapshot()
    catalogue.delete(Selector("study", "1.2"))
    index.apply(catalogue.tail(13, 99))
    index.snapshot()
    assert (index.stats().frames, index.stats().snapshot_seq, index.stats().unsettled) == (0, 26, False)
    assert found(EmbeddedIndex(tmp_path, MODEL)) == []


def test_an_index_without_snapshots_has_nothing_to_settle() -> None:
    catalogue = filled(MemoryCatalogue())
    catalogue.delete(Selector("patient", "q"))
    index = EmbeddedIndex(None, MODEL)
    index.apply(catalogue.tail(0, 99))
    assert (index.stats().deleted_seq, index.stats().unsettled) == (14, False)
