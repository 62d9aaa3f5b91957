"""The indexing use case over memory adapters: every frame once, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hmar.adapters.memory import InlineQueue, MemoryCatalogue, MemoryJobStore, MemorySource, MemoryUploads
from hmar.config import Settings
from hmar.errors import (
    ConflictError,
    DecodeError,
    DiskFullError,
    NoImageError,
    ParameterError,
    UnavailableError,
)
from hmar.indexing.adding import CHUNK_FRAMES
from hmar.indexing.encoders import OneEncoder
from hmar.indexing.indexer import Indexer
from hmar.thumbnail import ThumbnailEncoder
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.codes import EncodedFrame
from hmar.values.entries import Origin
from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.jobs import ItemState, JobState, Message

ROOT = Origin("files", ".")
ENCODER = ThumbnailEncoder()


@dataclass
class TextImage:
    """An image file written as text: ``UID FRAMES``."""

    uid: str
    count: int
    decoded: list[tuple[str, int]]

    @property
    def infos(self) -> Sequence[FrameInfo]:
        return [
            FrameInfo(
                study_uid="1.1",
                series_uid="1.2",
                sop_instance_uid=self.uid,
                frame_number=number,
                modality="CT",
                patient_key=None,
                rows=32,
                columns=32,
                spacing=None,
            )
            for number in range(1, self.count + 1)
        ]

    def frame(self, frame_number: int) -> Frame:
        self.decoded.append((self.uid, frame_number))
        values = np.random.default_rng(frame_number).random((32, 32), dtype=np.float32)
        return Frame(self.infos[frame_number - 1], values, Units.PRESENTATION)


class CrashError(Exception):
    """Something that nobody foresaw."""


class DeadQueue:
    """A broker that is down."""

    def enqueue(self, messages: Sequence[Message]) -> None:
        raise UnavailableError("The broker does not answer.", "Start it.")

    def ping(self) -> int:
        raise UnavailableError("The broker does not answer.", "Start it.")

    backlog = ping


class FailingEncoder(ThumbnailEncoder):
    """An encoder that crashes the first few times."""

    def __init__(self, failures: int, error: Callable[[], BaseException] = CrashError) -> None:
        super().__init__()
        self.failures = failures
        self.error = error

    def encode(self, frame: Frame) -> EncodedFrame:
        if self.failures:
            self.failures -= 1
            raise self.error()
        return super().encode(frame)


class RecordingJobs(MemoryJobStore):
    """A job store that keeps when leases were renewed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.clock = clock
        self.renewed_at: list[float] = []

    def renew(self, item_id: int, lease_s: float) -> None:
        self.renewed_at.append(self.clock())
        super().renew(item_id, lease_s)


class Folder(MemorySource):
    """Files that may be mended."""

    def write(self, name: str, data: bytes) -> None:
        self._files[name] = data


class Archive:
    """An indexer and all that it works on, with one clock that stands still until it is moved."""

    def __init__(
        self, files: dict[str, bytes], encoder: ThumbnailEncoder = ENCODER, queue: DeadQueue | None = None
    ) -> None:
        self.now = 1000.0
        self.decoded: list[tuple[str, int]] = []
        self.catalogue = MemoryCatalogue()
        self.jobs = RecordingJobs(lambda: self.now)
        self.queue = InlineQueue()
        self.uploads = MemoryUploads()
        self.folder = Folder(files)
        self.indexer = Indexer(
            self.catalogue,
            self.jobs,
            queue or self.queue,
            {"files": self.folder, UPLOAD: self.uploads},
            OneEncoder(encoder),
            self.open,
            Settings(home=Path("nowhere"), item_lease_s=60, max_attempts=3),
            KeptUploads(self.uploads, self.jobs, self.catalogue),
            lambda: self.now,
        )
        self.queue.handler = self.indexer.handle

    def open(self, data: bytes) -> TextImage:
        if data == b"another kind":
            raise NoImageError(f"The {len(data)} bytes are of another kind.", "Send an image.")
        try:
            uid, count = data.decode().split()
        except ValueError:
            raise DecodeError(f"The {len(data)} bytes are not an image.", "Send one.") from None
        return TextImage(uid, int(count), self.decoded)

    def run(self, origin: Origin = ROOT, references: Sequence[str] | None = None) -> str:
        return self.indexer.submit("default", origin, references)

    def counts(self, job_id: str) -> dict[ItemState, int]:
        job = self.jobs.job(job_id)
        assert job is not None
        return {state: count for state, count in job.counts.items() if count}

    def frames(self) -> list[tuple[str, int]]:
        rows = self.catalogue.tail(0, 10_000)
        return [(r.encoded.info.sop_instance_uid, r.encoded.info.frame_number) for r in rows if r.encoded]


def test_every_frame_of_every_file_is_indexed_once() -> None:
    archive = Archive({"a": b"1 2", "b": b"2 1"})
    job_id = archive.run()
    assert archive.counts(job_id) == {ItemState.INDEXED: 2}
    assert sorted(archive.frames()) == [("1", 1), ("1", 2), ("2", 1)]
    job = archive.jobs.job(job_id)
    assert job is not None
    assert (job.state, job.frames) == (JobState.DONE, 3)


def test_second_run_decodes_nothing_and_is_unchanged() -> None:
    archive = Archive({"a": b"1 2", "b": b"2 1"})
    archive.run()
    archive.decoded.clear()
    job_id = archive.run()
    assert archive.counts(job_id) == {ItemState.UNCHANGED: 2}
    assert archive.decoded == []
    assert len(archive.frames()) == 3


def test_another_collection_holds_its_own_frames() -> None:
    archive = Archive({"a": b"1 1"})
    archive.run()
    archive.indexer.submit("other", ROOT)
    assert archive.frames() == [("1", 1), ("1", 1)]


@pytest.mark.slow
def test_only_the_frames_that_are_missing_are_encoded() -> None:
    archive = Archive({"a": b"1 5"})
    encoded = [ENCODER.encode(TextImage("1", 5, []).frame(number)) for number in (1, 4)]
    archive.catalogue.append("default", encoded, Origin("files", "a"))
    job_id = archive.run()
    assert archive.decoded == [("1", 2), ("1", 3), ("1", 5)]
    assert archive.counts(job_id) == {ItemState.INDEXED: 1}


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, CHUNK_FRAMES - 1, CHUNK_FRAMES, CHUNK_FRAMES + 1, 2 * CHUNK_FRAMES])
def test_a_multi_frame_file_is_whole_whatever_its_length(count: int) -> None:
    archive = Archive({"a": b"1 %d" % count})
    archive.run()
    assert archive.frames() == [("1", number) for number in range(1, count + 1)]


def test_a_bad_file_fails_at_once_with_its_reason_and_stops_nothing() -> None:
    archive = Archive({"a": b"1 1", "b": b"no image at all", "c": b"3 1"})
    job_id = archive.run()
    assert archive.counts(job_id) == {ItemState.INDEXED: 2, ItemState.FAILED: 1}
    [item] = archive.jobs.items(job_id, {ItemState.FAILED}, 10)
    assert item.reason == "The 15 bytes are not an image. Send one."
    assert item.attempts == 1


@pytest.mark.parametrize(
    ("name", "state"),
    [("notes.txt", ItemState.SKIPPED), ("a/b", ItemState.SKIPPED), ("a/b.DCM", ItemState.FAILED)],
)
def test_a_file_of_another_kind_is_skipped_unless_its_name_says_that_it_is_an_image(
    name: str, state: ItemState
) -> None:
    archive = Archive({name: b"another kind"})
    job_id = archive.run()
    assert archive.counts(job_id) == {state: 1}
    [item] = archive.jobs.items(job_id, {state}, 1)
    assert item.reason == "The 12 bytes are of another kind. Send an image."


@pytest.mark.parametrize("image", ["a/000", "a/000.dcm", "a/000.png", "a/000.jpeg"])
@pytest.mark.parametrize("mask", ["a/mask_000.png", "a/000_mask.png", "a/000_MASK.PNG"])
def test_a_mask_beside_its_image_is_left_out_with_the_reason(image: str, mask: str) -> None:
    archive = Archive({image: b"1 1", mask: b"2 1"})
    job_id = archive.run()
    assert archive.frames() == [("1", 1)]
    [item] = archive.jobs.items(job_id, {ItemState.SKIPPED}, 10)
    assert item.origin.reference == mask
    assert item.reason is not None
    assert "mask of an image beside it" in item.reason


@pytest.mark.parametrize(
    "other", ["mask_001.png", "b/mask_000.png", "mask_000.jpg", "mask_.png", "000_mask", "mask_000.png.dcm"]
)
def test_what_is_not_named_as_the_mask_of_an_image_beside_it_is_indexed(other: str) -> None:
    archive = Archive({"000.dcm": b"1 1", other: b"2 1"})
    archive.run()
    assert sorted(archive.frames()) == [("1", 1), ("2", 1)]


def test_an_image_in_a_folder_of_the_masks_name_is_not_beside_it() -> None:
    archive = Archive({"000/1": b"1 1", "mask_000.png": b"2 1"})
    archive.run()
    assert sorted(archive.frames()) == [("1", 1), ("2", 1)]


def test_a_mask_that_is_asked_for_by_itself_is_indexed() -> None:
    archive = Archive({"000.dcm": b"1 1", "mask_000.png": b"2 1"})
    archive.run(Origin("files", "mask_000.png"))
    assert archive.frames() == [("2", 1)]


def test_a_missing_folder_fails_the_job_with_its_reason() -> None:
    archive = Archive({"a": b"1 1"})
    job = archive.jobs.job(archive.run(Origin("files", "elsewhere")))
    assert job is not None
    assert job.state is JobState.FAILED
    assert job.reason


def test_named_references_are_indexed_without_listing() -> None:
    archive = Archive({"a": b"1 1", "b": b"2 1"})
    job_id = archive.run(Origin("files", "not a folder"), ["b"])
    assert archive.counts(job_id) == {ItemState.INDEXED: 1}
    assert archive.frames() == [("2", 1)]


def test_an_unexpected_error_is_tried_again_by_the_sweep() -> None:
    archive = Archive({"a": b"1 1"}, FailingEncoder(1))
    job_id = archive.run()
    assert archive.counts(job_id) == {ItemState.QUEUED: 1}
    archive.now += 61
    assert archive.indexer.sweep() == 1
    assert archive.counts(job_id) == {ItemState.INDEXED: 1}


def test_a_file_that_keeps_crashing_is_given_up_and_its_error_text_stays_out() -> None:
    archive = Archive({"a": b"1 1"}, FailingEncoder(99, lambda: CrashError("DOE^JANE")))
    job_id = archive.run()
    for _ in range(5):
        archive.now += 61
        archive.indexer.sweep()
    assert archive.counts(job_id) == {ItemState.DEAD: 1}
    [item] = archive.jobs.items(job_id, {ItemState.DEAD}, 1)
    assert (item.attempts, item.reason) == (3, "Unexpected CrashError.")


def test_logs_hold_no_reference_and_no_error_text(caplog: pytest.LogCaptureFixture) -> None:
    archive = Archive({"DOE_JANE/a": b"1 1"}, FailingEncoder(99, lambda: CrashError("DOE^JANE")))
    archive.run()
    assert "CrashError" in caplog.text
    assert "DOE" not in caplog.text


def test_an_interrupt_gives_the_file_back_and_resume_ends_the_job() -> None:
    archive = Archive({"a": b"1 1", "b": b"2 1"}, FailingEncoder(1, KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        archive.run()
    [job] = archive.jobs.unfinished({JobState.RUNNING})
    archive.indexer.resume(job.job_id)
    assert archive.counts(job.job_id) == {ItemState.INDEXED: 2}
    assert sorted(archive.frames()) == [("1", 1), ("2", 1)]


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_doubles_nothing() -> None:
    archive = Archive({"a": b"1 %d" % (CHUNK_FRAMES + 3)})
    archive.queue.handler = None
    job_id = archive.run()
    # The worker committed one chunk, and then was gone: its item is running, its lease runs out.
    [item_id] = archive.jobs.add_items(job_id, ["a"])
    assert archive.jobs.claim(item_id, 60, 3)
    image = TextImage("1", CHUNK_FRAMES + 3, [])
    chunk = [ENCODER.encode(image.frame(number)) for number in range(1, CHUNK_FRAMES + 1)]
    archive.catalogue.append("default", chunk, Origin("files", "a"))
    archive.queue = InlineQueue(archive.indexer.handle)
    archive.indexer.handle(Message("item", str(item_id)))
    assert archive.counts(job_id) == {ItemState.RUNNING: 1}
    archive.now += 61
    archive.indexer.handle(Message("item", str(item_id)))
    assert archive.counts(job_id) == {ItemState.INDEXED: 1}
    assert archive.frames() == [("1", number) for number in range(1, CHUNK_FRAMES + 4)]


def test_a_message_handled_twice_changes_nothing() -> None:
    archive = Archive({"a": b"1 1"})
    job_id = archive.run()
    before = archive.jobs.job(job_id)
    for message in (Message("expand", job_id), Message("item", "1"), Message("item", "999")):
        archive.indexer.handle(message)
    assert archive.jobs.job(job_id) == before
    assert archive.frames() == [("1", 1)]


def test_what_failed_of_a_folder_is_tried_again() -> None:
    archive = Archive({"a": b"1.1 1", "b": b"broken"})
    job_id = archive.run()
    assert archive.counts(job_id) == {ItemState.INDEXED: 1, ItemState.FAILED: 1}
    archive.folder.write("b", b"1.2 1")
    archive.indexer.retry(job_id)
    assert archive.counts(job_id) == {ItemState.INDEXED: 2}
    assert archive.jobs.listed({JobState.DONE}, 10)[0].finished


def test_a_folder_that_was_missing_is_listed_by_a_retry() -> None:
    archive = Archive({})
    job_id = archive.run()
    assert archive.jobs.listed({JobState.FAILED}, 10)
    archive.folder.write("a", b"1.1 1")
    archive.indexer.retry(job_id)
    assert archive.counts(job_id) == {ItemState.INDEXED: 1}


def test_files_that_were_given_one_by_one_are_not_tried_again() -> None:
    archive = Archive({"a": b"broken"})
    archive.indexer.retry("nowhere")
    for job_id in (archive.run(references=["a"]), archive.indexer.submit_files("default", [b"broken"])):
        with pytest.raises(ConflictError, match="one by one"):
            archive.indexer.retry(job_id)
        assert archive.counts(job_id) == {ItemState.FAILED: 1}


def test_a_cancelled_job_indexes_nothing_more_and_leaves_no_upload() -> None:
    archive = Archive({"a": b"1.1 1"})
    archive.queue.handler = None
    folder = archive.run()
    sent = archive.indexer.submit_files("default", [b"1.2 1", b"1.3 1"])
    assert len(list(archive.uploads.references())) == 2
    for job_id in (folder, sent):
        archive.indexer.cancel(job_id)
    assert list(archive.uploads.references()) == []
    archive.queue.handler = archive.indexer.handle
    archive.queue.enqueue([])
    archive.now += 7200
    archive.indexer.sweep()
    for job_id in (folder, sent):
        with pytest.raises(ConflictError, match="cancelled"):
            archive.indexer.retry(job_id)
    assert (archive.counts(folder), archive.counts(sent)) == ({}, {ItemState.CANCELLED: 2})
    assert archive.frames() == []


def test_what_failed_of_a_cancelled_job_stays_as_it_is() -> None:
    archive = Archive({"a": b"broken", "b": b"1.1 1"})
    archive.queue.handler = None
    job_id = archive.run()
    archive.indexer.handle(Message("expand", job_id))
    [first, _] = archive.jobs.items(job_id, {ItemState.QUEUED}, 10)
    archive.indexer.handle(Message("item", str(first.item_id)))
    archive.indexer.cancel(job_id)
    with pytest.raises(ConflictError, match="cancelled"):
        archive.indexer.retry(job_id)
    assert archive.counts(job_id) == {ItemState.FAILED: 1, ItemState.CANCELLED: 1}


def test_a_broker_that_is_down_keeps_the_job_for_the_sweep() -> None:
    archive = Archive({"a": b"1 1"}, queue=DeadQueue())
    job_id = archive.run()
    job = archive.jobs.job(job_id)
    assert job is not None
    assert job.state is JobState.QUEUED
    archive.now += 61
    assert archive.jobs.overdue(60) == [Message("expand", job_id)]


def test_sweep_sends_nothing_queued_while_messages_wait() -> None:
    archive = Archive({"a": b"1 1"})
    archive.queue.handler = None
    archive.run()
    archive.now += 61
    assert archive.indexer.sweep() == 0
    archive.now += 3600
    assert archive.indexer.sweep() == 1


@pytest.mark.slow
def test_a_long_file_keeps_its_lease_as_frames_come() -> None:
    """Of a lease of 60 s, a quarter is over at the fourth frame of 5 s."""

    class SlowEncoder(ThumbnailEncoder):
        def encode(self, frame: Frame) -> EncodedFrame:
            archive.now += 5
            return super().encode(frame)

    archive = Archive({"a": b"1 13"}, SlowEncoder())
    archive.run()
    assert archive.jobs.renewed_at == [1020, 1040, 1060]


@pytest.mark.slow
def test_a_frame_that_takes_most_of_a_lease_does_not_lose_it() -> None:
    class SlowEncoder(ThumbnailEncoder):
        def encode(self, frame: Frame) -> EncodedFrame:
            archive.now += 15 if frame.info.frame_number % 2 else 44
            taken.append(archive.jobs.overdue(queued_for_s=3600))
            return super().encode(frame)

    taken: list[list[Message]] = []
    archive = Archive({"a": b"1 6"}, SlowEncoder())
    archive.run()
    assert taken == [[]] * 6


@pytest.mark.parametrize("name", ["", "-x", "a b", "../x", "x" * 65, "ä"])
def test_a_collection_needs_a_plain_name(name: str) -> None:
    with pytest.raises(ParameterError):
        Archive({}).indexer.submit(name, ROOT)


@pytest.mark.slow
@pytest.mark.parametrize("label", [None, " teaching set "])
def test_every_frame_gets_the_label_of_its_job(label: str | None) -> None:
    archive = Archive({"a": b"1.5 2", "b": b"1.6 1"})
    archive.indexer.submit("default", ROOT, label=label)
    kept = {row.encoded.info.label for row in archive.catalogue.tail(0, 9) if row.encoded}
    assert kept == {None if label is None else "teaching set"}


def test_what_is_indexed_already_keeps_its_label() -> None:
    archive = Archive({"a": b"1.5 2"})
    archive.indexer.submit("default", ROOT, label="first")
    archive.indexer.submit("default", ROOT, label="second")
    assert [row.encoded.info.label for row in archive.catalogue.tail(0, 9) if row.encoded] == ["first"] * 2


class PanicError(BaseException):
    """Like the panic of a library written in Rust."""


def test_a_panic_of_native_code_is_tried_again_and_ends_nothing() -> None:
    archive = Archive({"a": b"1 1", "b": b"2 1"}, FailingEncoder(1, PanicError))
    job_id = archive.run()
    [item] = archive.jobs.items(job_id, {ItemState.QUEUED}, 10)
    assert item.reason == "Unexpected PanicError."
    assert archive.counts(job_id) == {ItemState.QUEUED: 1, ItemState.INDEXED: 1}


@pytest.mark.slow
def test_signs_of_life_come_with_every_message_and_frame() -> None:
    silences: list[float | None] = []

    class LookingEncoder(ThumbnailEncoder):
        def encode(self, frame: Frame) -> EncodedFrame:
            archive.now += 5
            silences.append(archive.indexer.pulse.silent_s())
            return super().encode(frame)

    archive = Archive({"a": b"1 3"}, LookingEncoder())
    assert archive.indexer.pulse.silent_s() is None
    archive.run()
    assert silences == [5, 5, 5]
    assert archive.indexer.pulse.silent_s() is None
    assert archive.indexer.pulse.taken == 2


def test_a_label_that_cannot_be_kept_makes_no_job() -> None:
    archive = Archive({"a": b"1.5 1"})
    with pytest.raises(ParameterError, match="The label is"):
        archive.indexer.submit("default", ROOT, label="two\nlines")
    assert archive.jobs.unfinished(set(JobState)) == []


class InterruptedEncoder(ThumbnailEncoder):
    """An encoder during whose first frame something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.happens: Callable[[], object] = lambda: None

    def encode(self, frame: Frame) -> EncodedFrame:
        happens, self.happens = self.happens, lambda: None
        happens()
        return super().encode(frame)


@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0])
def test_a_clock_that_is_set_while_a_worker_works_commits_no_frame_twice(step_s: float) -> None:
    encoder = InterruptedEncoder()
    archive = Archive({"a": b"1 20", "b": b"2 1"}, encoder)
    # Another worker, which does not know that the clock was set: it has just been started.
    others = InlineQueue()
    other = Indexer(
        archive.catalogue,
        archive.jobs,
        others,
        {"files": MemorySource({"a": b"1 20", "b": b"2 1"})},
        OneEncoder(ENCODER),
        archive.open,
        Settings(home=Path("nowhere"), item_lease_s=60, max_attempts=3),
        KeptUploads(archive.uploads, archive.jobs, archive.catalogue),
    )
    others.handler = other.handle

    def clock_is_set() -> None:
        archive.now += step_s
        other.sweep()
        archive.now += 61
        other.sweep()

    encoder.happens = clock_is_set
    job_id = archive.run()
    assert sorted(archive.frames()) == [*(("1", number) for number in range(1, 21)), ("2", 1)]
    assert archive.catalogue.last_seq() == 21
    job = archive.jobs.job(job_id)
    assert job is not None
    assert (job.state, job.frames) == (JobState.DONE, 21)
    assert all(item.attempts <= 2 for item in archive.jobs.items(job_id, set(ItemState), 10))


class FullDisk:
    """A disk that is full while ``full`` says so, below a catalogue and a job store."""

    def __init__(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        for part, name in (
            (archive.catalogue, "append"),
            (archive.jobs, "release"),
            (archive.jobs, "finish"),
        ):
            monkeypatch.setattr(part, name, self._guarded(getattr(part, name)))

    def _guarded(self, write: Callable[..., object]) -> Callable[..., object]:
        def written(*arguments: object, **named: object) -> object:
            self.check()
            return write(*arguments, **named)

        return written

    def check(self) -> None:
        if self.full:
            raise DiskFullError("The disk is full.", "Free some space.")


def test_a_disk_that_fills_up_during_a_file_uses_up_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = InterruptedEncoder()
    archive = Archive({"a": b"1 1"}, encoder)
    disk = FullDisk(archive, monkeypatch)
    archive.queue.handler = None
    job_id = archive.run()
    [item_id] = archive.jobs.add_items(job_id, ["a"])

    for _ in range(5):
        encoder.happens = lambda: setattr(disk, "full", True)
        with pytest.raises(DiskFullError):
            archive.indexer.handle(Message("item", str(item_id)))
        disk.full = False
    archive.indexer.handle(Message("item", str(item_id)))
    [item] = archive.jobs.items(job_id, set(ItemState), 2)
    assert (item.state, item.attempts) == (ItemState.INDEXED, 1)


def test_a_file_whose_end_a_full_disk_did_not_take_ends_as_what_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = Archive({"a": b"1 1", "b": b"broken"})
    disk = FullDisk(archive, monkeypatch)
    archive.queue.handler = None
    job_id = archive.run()
    item_ids = archive.jobs.add_items(job_id, ["a", "b"])
    decode = archive.open
    append = archive.catalogue.append

    def appended(*arguments: Any, **named: Any) -> object:
        done = append(*arguments, **named)
        disk.full = True
        return done

    def opened(data: bytes) -> object:
        disk.full = data == b"broken"
        return decode(data)

    monkeypatch.setattr(archive.catalogue, "append", appended)
    monkeypatch.setattr(archive.indexer, "_decoder", opened)
    for item_id in item_ids:
        with pytest.raises(DiskFullError):
            archive.indexer.handle(Message("item", str(item_id)))
        disk.full = False
    archive.indexer.handle(Message("expand", job_id))
    ended = {
        (item.origin.reference, item.state, item.attempts)
        for item in archive.jobs.items(job_id, set(ItemState), 3)
    }
    assert ended == {("a", ItemState.INDEXED, 1), ("b", ItemState.FAILED, 1)}


def test_nothing_is_begun_on_a_full_disk() -> None:
    archive = Archive({"a": b"1 1"})
    full = Indexer(
        archive.catalogue,
        archive.jobs,
        archive.queue,
        {"files": MemorySource({"a": b"1 1"})},
        OneEncoder(ENCODER),
        archive.open,
        Settings(home=Path("nowhere")),
        KeptUploads(archive.uploads, archive.jobs, archive.catalogue),
        check_disk=raise_full,
    )
    job_id = archive.jobs.create("default", Origin("files", "."), ["a"])
    [item_id] = archive.jobs.add_items(job_id, [])
    for message in (Message("expand", job_id), Message("item", str(item_id))):
        with pytest.raises(DiskFullError):
            full.handle(message)
    [item] = archive.jobs.items(job_id, set(ItemState), 2)
    assert (item.state, item.attempts) == (ItemState.QUEUED, 0)


def raise_full() -> None:
    raise DiskFullError("The disk is full.", "Free some space.")
