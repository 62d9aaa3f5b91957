from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hmar.errors import SnapshotError, UnavailableError
from hmar.index.frames import FRAME_ARRAYS
from hmar.index.metadata import TEXTS
from hmar.index.planes import to_planes
from hmar.index.snapshot import ARRAYS, Generation, Snapshot, SnapshotStore, drop_others
from hmar.index.stored import ArrayParts
from hmar.locks import locked
from tests.contract.examples import MODEL, OTHER_MODEL
from tests.hmar.index.manifests import resealed

Damage = Callable[[bytes], bytes]
FILES = ["manifest.json", *(f"{name}.npy" for name in ARRAYS)]


def snapshot(seq: int, frames: int = 3) -> Snapshot:
    rng = np.random.default_rng(seq)
    counts = rng.integers(0, 5, frames)
    windows, occupied = int(counts.sum()), np.flatnonzero(counts)
    return Snapshot(
        seq,
        f"mark-{seq}",
        {name: ["default", "other"] for name in TEXTS},
        {
            **{name: rng.integers(0, 2, (frames, 2)[:axes]) for name, (_, axes) in FRAME_ARRAYS.items()},
            "entry_ids": np.arange(1, frames + 1),
            "global_words": rng.integers(0, 2**63, (frames, 2), np.uint64),
            "window_counts": counts,
            "coarse_counts": np.minimum(counts, 1),
            "guides_before": np.arange(frames),
            "guides_after": np.arange(frames),
            "guide_shares": np.zeros(frames),
            "window_codes": to_planes(rng.integers(0, 256, (windows, 16), np.uint8)),
            "id_run_counts": np.minimum(counts, 1),
            "id_runs": np.stack([rng.integers(0, 2**32, len(occupied), np.uint32), counts[occupied]], axis=1),
        },
    )


def assert_same(found: Generation | None, expected: Snapshot) -> None:
    assert found is not None
    assert (found.seq, found.mark) == (expected.seq, expected.mark)
    assert found.texts == expected.texts
    for name in ARRAYS:
        wanted = expected.arrays[name]
        assert isinstance(wanted, np.ndarray)
        np.testing.assert_array_equal(found.arrays[name], wanted)
        assert not found.arrays[name].flags.writeable or found.arrays[name].size == 0


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path, MODEL)


def generations(root: Path) -> list[Path]:
    return sorted(root.glob("*/gen-*"))


def test_there_is_no_snapshot_before_the_first(store: SnapshotStore, tmp_path: Path) -> None:
    assert store.load() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("frames", [0, 1, 20])
def test_a_snapshot_comes_back_as_it_was_written(store: SnapshotStore, frames: int) -> None:
    assert store.write(snapshot(5, frames))
    assert_same(store.load(), snapshot(5, frames))


def test_the_newest_of_two_generations_is_loaded_and_older_ones_are_dropped(
    store: SnapshotStore, tmp_path: Path
) -> None:
    for seq in (9, 10, 100):
        store.write(snapshot(seq))
    assert [int(path.name.removeprefix("gen-")) for path in generations(tmp_path)] == [10, 100]
    assert_same(store.load(), snapshot(100))


def test_snapshots_of_another_model_are_not_seen(store: SnapshotStore, tmp_path: Path) -> None:
    other = SnapshotStore(tmp_path, OTHER_MODEL)
    other.write(snapshot(50))
    assert store.load() is None
    store.write(snapshot(5))
    assert_same(store.load(), snapshot(5))
    assert_same(other.load(), snapshot(50))


def test_the_snapshots_of_all_models_but_one_are_dropped(store: SnapshotStore, tmp_path: Path) -> None:
    drop_others(tmp_path / "absent", MODEL)
    other = SnapshotStore(tmp_path, OTHER_MODEL)
    assert store.write(snapshot(1))
    assert other.write(snapshot(2))
    drop_others(tmp_path, MODEL)
    assert other.load() is None
    assert_same(store.load(), snapshot(1))
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_what_another_process_drops_at_the_same_time_is_gone_all_the_same(
    store: SnapshotStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several web processes move to another model in the same second."""
    other = SnapshotStore(tmp_path, OTHER_MODEL)
    assert store.write(snapshot(9))

    def overtaken(path: Path, exclusive: bool, wait: bool) -> AbstractContextManager[bool]:
        shutil.rmtree(path.parent)
        return locked(path, exclusive, wait)

    for act in (lambda: drop_others(tmp_path, MODEL), lambda: store.purge(5)):
        assert other.write(snapshot(1))
        with monkeypatch.context() as patch:
            patch.setattr("hmar.index.snapshot.locked", overtaken)
            act()
        assert other.load() is None
    assert_same(store.load(), snapshot(9))


def test_a_snapshot_moved_to_another_models_folder_is_refused(store: SnapshotStore, tmp_path: Path) -> None:
    store.write(snapshot(5))
    SnapshotStore(tmp_path, OTHER_MODEL).write(snapshot(1))
    mine, theirs = (path.parent for path in sorted(generations(tmp_path), key=lambda path: path.name)[::-1])
    shutil.copytree(mine / "gen-00000000000000000005", theirs / "gen-00000000000000000005")
    assert_same(SnapshotStore(tmp_path, OTHER_MODEL).load(), snapshot(1))


def flipped(position: int) -> Damage:
    def damage(data: bytes) -> bytes:
        at = position % len(data)
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return damage


DAMAGES: dict[str, Damage] = {
    "first byte": flipped(0),
    "format version": flipped(6),
    "header": flipped(40),
    "middle": lambda data: flipped(len(data) // 2)(data),
    "last byte": flipped(-1),
    "truncated": lambda data: data[:-1],
    "longer": lambda data: data + b"\0",
    "empty": lambda data: b"",
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_an_altered_generation_is_quarantined_said_so_and_the_older_one_is_loaded(
    store: SnapshotStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, damage: str
) -> None:
    store.write(snapshot(5))
    store.write(snapshot(6))
    newest = generations(tmp_path)[-1]
    file = newest / name
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert_same(store.load(), snapshot(5))
    assert "quarantine" in caplog.text
    assert newest.name in caplog.text
    assert not newest.exists()
    assert len(list(tmp_path.glob("*/quarantine/gen-*6-*"))) == 1


@pytest.mark.parametrize("name", ["sexes", "ages"])
def test_a_snapshot_of_a_version_with_other_properties_is_refused_and_they_are_named(
    store: SnapshotStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    changes: tuple[Callable[[dict[str, Any]], object], ...] = (
        lambda body: (body["arrays"].pop(name), body["texts"].pop(name, None)),
        lambda body: body["arrays"].update({f"more {name}": body["arrays"][name]}),
        lambda body: body["texts"].update({f"more {name}": []}),
    )
    for seq, change in enumerate(changes, start=5):
        store.write(snapshot(seq))
        resealed(generations(tmp_path)[-1] / "manifest.json", change)
        with caplog.at_level(logging.WARNING):
            assert store.load() is None
        assert "another version" in caplog.messages[-1]
        assert name in caplog.messages[-1]


@pytest.mark.parametrize("act", [lambda s: s.load(), lambda s: s.check_all()], ids=["load", "check"])
def test_snapshots_of_an_earlier_format_are_removed_and_are_no_damage(
    store: SnapshotStore,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    act: Callable[[SnapshotStore], object],
) -> None:
    for seq in (5, 6):
        store.write(snapshot(seq))
        resealed(generations(tmp_path)[-1] / "manifest.json", lambda body: body.update(format_version=5))
    with caplog.at_level(logging.WARNING):
        assert act(store) in (None, (0, []))
    assert generations(tmp_path) == []
    assert not list(tmp_path.glob("*/quarantine"))
    assert "its format is 5, not 6" in caplog.text
    assert "Check the disk" not in caplog.text
    store.write(snapshot(6))
    assert_same(store.load(), snapshot(6))


def test_a_manifest_that_is_sealed_anew_is_believed(store: SnapshotStore, tmp_path: Path) -> None:
    store.write(snapshot(5))
    resealed(generations(tmp_path)[0] / "manifest.json", lambda body: None)
    assert_same(store.load(), snapshot(5))


@pytest.mark.slow
def test_no_byte_of_the_manifest_can_change_unnoticed(store: SnapshotStore, tmp_path: Path) -> None:
    store.write(snapshot(5))
    (generation,) = generations(tmp_path)
    manifest = generation / "manifest.json"
    intact = manifest.read_bytes()
    for position in range(0, len(intact), 11):
        manifest.write_bytes(flipped(position)(intact))
        assert store.load() is None
        (quarantined,) = tmp_path.glob("*/quarantine/gen-*")
        quarantined.rename(generation)
    manifest.write_bytes(intact)
    assert_same(store.load(), snapshot(5))


@pytest.mark.parametrize("name", FILES)
def test_a_generation_that_lacks_a_file_is_quarantined(
    store: SnapshotStore, tmp_path: Path, name: str
) -> None:
    store.write(snapshot(5))
    (generations(tmp_path)[0] / name).unlink()
    assert store.load() is None
    assert generations(tmp_path) == []


def test_the_next_snapshot_replaces_a_quarantined_one_of_the_same_seq(
    store: SnapshotStore, tmp_path: Path
) -> None:
    store.write(snapshot(5))
    (generations(tmp_path)[0] / "manifest.json").write_bytes(b"{}")
    assert store.load() is None
    store.write(snapshot(5))
    assert_same(store.load(), snapshot(5))


def test_discarded_snapshots_are_never_loaded_again_whatever_their_seq(
    store: SnapshotStore, tmp_path: Path
) -> None:
    store.discard()
    assert list(tmp_path.iterdir()) == []
    store.write(snapshot(5))
    store.write(snapshot(6))
    store.discard()
    assert store.load() is None
    store.write(snapshot(4))
    assert_same(store.load(), snapshot(4))


def test_only_the_three_generations_quarantined_last_are_kept(store: SnapshotStore, tmp_path: Path) -> None:
    for seq in (9, 2, 7, 5, 3):
        store.write(snapshot(seq))
        store.discard()
    kept = sorted(path.name[:24] for path in tmp_path.glob("*/quarantine/*"))
    assert kept == [f"gen-{seq:020d}" for seq in (3, 5, 7)]


def test_only_one_process_writes_at_a_time(store: SnapshotStore, tmp_path: Path) -> None:
    store.write(snapshot(5))
    (lock,) = tmp_path.glob("*/lock")
    with locked(lock, exclusive=True, wait=True):
        assert not store.write(snapshot(6))
    assert_same(store.load(), snapshot(5))
    assert store.write(snapshot(6))


def test_what_a_dead_writer_left_is_never_loaded_and_is_swept(store: SnapshotStore, tmp_path: Path) -> None:
    store.write(snapshot(5))
    left = generations(tmp_path)[0].with_name(".unfinished-abc")
    shutil.copytree(generations(tmp_path)[0], left)
    assert_same(store.load(), snapshot(5))
    store.write(snapshot(6))
    assert not left.exists()


def test_a_write_that_fails_leaves_no_generation(store: SnapshotStore, tmp_path: Path) -> None:
    whole = snapshot(5)
    arrays = {name: array for name, array in whole.arrays.items() if name != "id_runs"}
    broken = Snapshot(whole.seq, whole.mark, whole.texts, arrays)
    with pytest.raises(KeyError):
        store.write(broken)
    assert store.load() is None
    assert [path.name for path in tmp_path.glob("*/*")] == ["lock"]


def test_an_array_may_be_written_in_parts(store: SnapshotStore) -> None:
    whole = snapshot(5, 20)
    codes = whole.arrays["window_codes"]
    assert isinstance(codes, np.ndarray)
    arrays = {**whole.arrays, "window_codes": ArrayParts(codes.shape, lambda: iter(codes))}
    store.write(Snapshot(whole.seq, whole.mark, whole.texts, arrays))
    assert_same(store.load(), whole)


def generation_of(store: SnapshotStore, seq: int) -> Generation:
    store.write(snapshot(seq, 20))
    generation = store.load(checked=False)
    assert generation is not None
    return generation


@pytest.mark.parametrize("name", ARRAYS)
def test_any_bit_of_an_array_that_differs_is_found_by_a_later_check(
    store: SnapshotStore, tmp_path: Path, name: str
) -> None:
    generation = generation_of(store, 5)
    generation.check()
    file = generations(tmp_path)[0] / f"{name}.npy"
    size = file.stat().st_size
    for position in (128, (128 + size) // 2, size - 1):
        with file.open("r+b") as opened:
            opened.seek(position)
            [byte] = opened.read(1)
            opened.seek(position)
            opened.write(bytes([byte ^ 1]))
            opened.flush()
            with pytest.raises(SnapshotError, match=f"{name}.npy was altered"):
                generation.check()
            opened.seek(position)
            opened.write(bytes([byte]))
    generation.check()


def test_a_check_that_is_stopped_reads_no_further(store: SnapshotStore) -> None:
    generation = generation_of(store, 5)
    asked = []

    def stopped() -> bool:
        asked.append(True)
        return True

    generation.stored["entry_ids"].check("entry_ids", stopped)
    assert asked == [True]


def test_a_generation_in_use_outlives_its_files(store: SnapshotStore, tmp_path: Path) -> None:
    generation = generation_of(store, 5)
    shutil.rmtree(generation.folder)
    generation.check()
    assert_same(generation, snapshot(5, 20))


def test_a_refused_generation_is_quarantined_once(
    store: SnapshotStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generation = generation_of(store, 5)
    for _ in range(2):
        store.refuse(generation, SnapshotError("It was altered.", "Nothing is lost."))
    assert generations(tmp_path) == []
    assert caplog.text.count("It was altered") == 1


@pytest.mark.parametrize("counts", [[-1, 2], [30, 40]])
def test_counts_that_would_lead_a_scan_beyond_the_codes_are_refused(
    store: SnapshotStore, counts: list[int]
) -> None:
    arrays = {
        **snapshot(5, 2).arrays,
        "window_counts": np.array(counts),
        "window_codes": to_planes(np.zeros((1, 16), np.uint8)),
        "id_run_counts": np.array([1, 0]),
        "id_runs": np.array([[0, 1]], np.uint32),
    }
    store.write(Snapshot(5, "mark", {name: [] for name in TEXTS}, arrays))
    assert store.load(checked=False) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("coarse_counts", [0, 1, 1]),
        ("coarse_counts", [3, 1, 1]),
        ("guides_before", [-1, 1, 2]),
        ("guides_after", [0, 1, 3]),
    ],
)
def test_coarse_windows_and_guides_that_a_frame_does_not_have_are_refused(
    store: SnapshotStore, name: str, values: list[int]
) -> None:
    sound = {
        **snapshot(5).arrays,
        "window_counts": np.array([2, 2, 2]),
        "coarse_counts": np.array([1, 1, 1]),
        "window_codes": to_planes(np.zeros((6, 16), np.uint8)),
        "id_run_counts": np.array([1, 1, 1]),
        "id_runs": np.array([[0, 2], [0, 2], [0, 2]], np.uint32),
    }
    texts: dict[str, list[str]] = {name: [] for name in TEXTS}
    store.write(Snapshot(5, "mark", texts, sound))
    assert store.load(checked=False) is not None
    store.write(Snapshot(6, "mark", texts, {**sound, name: np.array(values)}))
    found = store.load(checked=False)
    assert found is not None
    assert found.seq == 5


def test_an_altered_generation_that_cannot_be_moved_is_not_used_and_stops_nothing(
    store: SnapshotStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(snapshot(5))
    store.write(snapshot(6))
    (array,) = tmp_path.glob("*/gen-*6/entry_ids.npy")
    array.write_bytes(array.read_bytes()[:-1] + b"!")

    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hmar.index.snapshot.tempfile.mkdtemp", full)
    for checked in (True, False):
        assert_same(store.load(checked), snapshot(5))
    assert store.newest_seq() == 5
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize(
    "act", [lambda s: s.load(), lambda s: s.check_all(), lambda s: s.purge(9), lambda s: s.discard()]
)
def test_a_lock_that_cannot_be_opened_is_told(
    store: SnapshotStore, tmp_path: Path, act: Callable[[SnapshotStore], object]
) -> None:
    store.write(snapshot(5))
    (lock,) = tmp_path.glob("*/lock")
    lock.unlink()
    lock.mkdir()
    with pytest.raises(UnavailableError, match="The snapshots of the index cannot be written"):
        act(store)


def test_the_newest_seq_is_known_without_reading(store: SnapshotStore) -> None:
    assert store.newest_seq() == 0
    store.write(snapshot(7))
    store.write(snapshot(12))
    assert store.newest_seq() == 12


def test_what_may_hold_deleted_entries_is_removed_and_nothing_else(
    store: SnapshotStore, tmp_path: Path
) -> None:
    other = SnapshotStore(tmp_path, OTHER_MODEL)
    for seq in (5, 9):
        store.write(snapshot(seq))
        other.write(snapshot(seq))
    store.refuse(generation_of(store, 9), SnapshotError("It was altered.", "Nothing is lost."))
    store.write(snapshot(12))
    left = generations(tmp_path)[0].parent / ".unfinished-x"
    left.mkdir()
    assert store.purge(10)
    assert [path.name for path in generations(tmp_path)] == [f"gen-{12:020d}"]
    assert not list(tmp_path.glob("*/quarantine/*"))
    assert not left.exists()
    assert store.purge(10)
    assert_same(store.load(), snapshot(12))


def test_a_quarantined_snapshot_alone_is_removed_too(store: SnapshotStore, tmp_path: Path) -> None:
    store.write(snapshot(5))
    store.discard()
    assert store.purge(5)
    assert list(tmp_path.glob("*/quarantine/*"))
    assert store.purge(6)
    assert not list(tmp_path.glob("*/quarantine/*"))


def test_snapshots_that_another_process_reads_are_removed_later(store: SnapshotStore, tmp_path: Path) -> None:
    store.write(snapshot(5))
    with locked(generations(tmp_path)[0].parent / "lock", exclusive=False, wait=True):
        assert not store.purge(6)
    assert generations(tmp_path)
    assert store.purge(6)
    assert not generations(tmp_path)


def test_the_last_delete_is_kept_with_a_snapshot_and_zero_without(
    store: SnapshotStore, tmp_path: Path
) -> None:
    store.write(replace(snapshot(5), deleted_seq=4))
    assert generation_of(store, 5).deleted_seq == 4
    [generation] = generations(tmp_path)
    resealed(generation / "manifest.json", lambda body: body.pop("deleted_seq"))
    assert generation_of(store, 5).deleted_seq == 0
