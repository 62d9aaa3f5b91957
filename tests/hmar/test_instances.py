"""Files that share a SOP Instance UID: several workers at once, bad frames, and rows without digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from hmar.adapters.memory import InlineQueue, MemoryCatalogue, MemoryJobStore, MemorySource, MemoryUploads
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.config import KEEP_BOTH, REFUSE, REPLACE, SAME_UID, Settings
from hmar.errors import DecodeError, UnavailableError
from hmar.indexing.adding import CHUNK_FRAMES, PLANS
from hmar.indexing.encoders import OneEncoder
from hmar.indexing.indexer import Indexer
from hmar.instances import MAX_BAD_FRAMES, MAX_REPLACING_FRAMES
from hmar.ports import Catalogue
from hmar.uploads import KeptUploads
from hmar.values.codes import EncodedFrame
from hmar.values.digests import Digests, pixel_digest
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.jobs import Item, ItemState, JobState

UID = "1.2.3"
ORIGIN = Origin("files", "")


@dataclass
class Image:
    """An image of one pixel a frame; ``bad`` frames cannot be decoded."""

    pixels: Sequence[float]
    bad: Sequence[int] = ()
    study: str = "1.1"
    uid: str = UID
    decoded: list[int] = field(default_factory=list)
    broken: bool = False
    patient: str | None = None

    @property
    def infos(self) -> list[FrameInfo]:
        first = FrameInfo(
            study_uid=self.study,
            series_uid="1.2",
            sop_instance_uid=self.uid,
            frame_number=1,
            modality="CT",
            patient_key=self.patient,
            rows=1,
            columns=1,
            spacing=None,
        )
        return [replace(first, frame_number=number) for number in range(1, len(self.pixels) + 1)]

    def frame(self, frame_number: int) -> Frame:
        self.decoded.append(frame_number)
        if self.broken:
            raise UnavailableError("No decoder is free.", "Wait.")
        if frame_number in self.bad:
            raise DecodeError(f"Frame {frame_number}: It is cut.", "Send it again.")
        values = np.full((1, 1), self.pixels[frame_number - 1], np.float32)
        return Frame(self.infos[frame_number - 1], values, Units.HU)


class CountingEncoder:
    """An encoder whose codes say nothing; ``meanwhile`` is called before each."""

    name = "counting"
    fingerprint = "counting"

    def __init__(self) -> None:
        self.encoded: list[tuple[float, int]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def encode(self, frame: Frame) -> EncodedFrame:
        self.meanwhile()
        self.encoded.append((float(frame.values[0, 0]), frame.info.frame_number))
        codes = np.zeros((1, 16), np.uint8)
        return EncodedFrame(frame.info, codes[0], codes, np.zeros(1, np.uint32), (0.5, 0.5), self.fingerprint)


class Worker:
    """An indexer over files by name, and what it encoded."""

    def __init__(self, catalogue: Catalogue, files: dict[str, Image], same_uid: str = REFUSE) -> None:
        self.now = 0.0
        self.files = files
        self.catalogue = catalogue
        self.jobs = MemoryJobStore(lambda: self.now)
        self.encoder = CountingEncoder()
        queue = InlineQueue()
        self.indexer = Indexer(
            catalogue,
            self.jobs,
            queue,
            {"files": MemorySource({name: name.encode() for name in files})},
            OneEncoder(self.encoder),  # type: ignore[arg-type]
            lambda data: self.files[data.decode()],
            Settings(home=Path("nowhere"), same_uid=same_uid),
            KeptUploads(MemoryUploads(), self.jobs, catalogue),
            lambda: self.now,
        )
        queue.handler = self.indexer.handle

    def index(self, name: str, patient: str | None = None) -> Item:
        patients = None if patient is None else {name: patient}
        job_id = self.indexer.submit("default", ORIGIN, [name], patients=patients)
        [item] = self.jobs.items(job_id, set(ItemState), 2)
        return item


@pytest.fixture(params=["memory", "sqlite"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalogue]:
    if request.param == "memory":
        yield MemoryCatalogue()
        return
    with closing(Database(f"sqlite:///{tmp_path / 'catalogue.db'}")) as database:
        database.migrate()
        yield SqlCatalogue(database)


def held(catalogue: Catalogue, uid: str = UID) -> list[EntryInfo]:
    return catalogue.instance("default", uid)


def whole(files: dict[str, Image], entries: list[EntryInfo]) -> str:
    """Return the name of the one file whose frames, all of them, the entries are."""
    made = [(entry.info.study_uid, entry.digests and entry.digests.pixels) for entry in entries]
    [name] = [
        name
        for name, file in files.items()
        if made
        == [(file.study, pixel_digest(file.frame(number))) for number in range(1, len(file.pixels) + 1)]
    ]
    return name


def origins(entries: list[EntryInfo]) -> list[str]:
    return [entry.origin.reference for entry in entries]


LONG = CHUNK_FRAMES + 4


@pytest.mark.parametrize("same_uid", SAME_UID)
@pytest.mark.parametrize("at", [1, LONG])
@pytest.mark.parametrize(
    "other", [Image([5.0] * LONG, study="9"), Image([*range(LONG - 1), 99.0]), Image([0.0, 1.0])]
)
def test_of_two_files_that_are_indexed_at_once_none_is_mixed(
    catalogue: Catalogue, other: Image, at: int, same_uid: str
) -> None:
    files = {"a": Image(list(range(LONG))), "b": other}
    slow, fast = Worker(catalogue, files, same_uid), Worker(catalogue, files, same_uid)

    fast_ends: list[ItemState] = []

    def meanwhile() -> None:
        if len(slow.encoder.encoded) == at - 1 and not fast_ends:
            fast_ends.append(fast.index("b").state)

    slow.encoder.meanwhile = meanwhile
    ends = {"a": slow.index("a").state, "b": fast_ends[0]}
    uids = {row.encoded.info.sop_instance_uid for row in catalogue.tail(0, 99) if row.encoded}
    kept = [whole(files, held(catalogue, uid)) for uid in uids]
    if same_uid == KEEP_BOTH:
        assert set(ends.values()) == {ItemState.INDEXED}
        assert sorted(kept) == ["a", "b"]
    elif same_uid == REPLACE:
        assert set(ends.values()) == {ItemState.INDEXED}
        assert kept == ["a"]
    else:
        assert sorted(ends.values()) == [ItemState.FAILED, ItemState.INDEXED]
        assert [ends[name] for name in kept] == [ItemState.INDEXED]


def test_a_worker_that_is_overtaken_each_time_gives_up(catalogue: Catalogue) -> None:
    files = {"a": Image([1.0]), **{f"b{number}": Image([float(number) + 2]) for number in range(PLANS)}}
    slow, fast = Worker(catalogue, files, REPLACE), Worker(catalogue, files, REPLACE)
    slow.encoder.meanwhile = lambda: fast.index(f"b{len(slow.encoder.encoded)}") and None
    outcome = slow.index("a")
    assert outcome.state is ItemState.FAILED
    assert "was indexed meanwhile" in str(outcome.reason)
    assert origins(held(catalogue)) == [f"b{PLANS - 1}"]


def test_a_replacement_is_never_seen_in_part(catalogue: Catalogue) -> None:
    """Whoever looks, or is killed, at any frame finds the old image."""
    files = {"old": Image([7.0, 8.0, 9.0]), "new": Image(list(range(3 * CHUNK_FRAMES)))}
    worker = Worker(catalogue, files, REPLACE)
    worker.index("old")
    seen: list[str] = []
    worker.encoder.meanwhile = lambda: seen.append(whole(files, held(catalogue)))
    assert worker.index("new").state is ItemState.INDEXED
    assert seen == ["old"] * 3 * CHUNK_FRAMES
    assert whole(files, held(catalogue)) == "new"


def test_a_file_of_too_many_frames_replaces_nothing_and_says_so(catalogue: Catalogue) -> None:
    long = Image([0.0] * (MAX_REPLACING_FRAMES + 1))
    worker = Worker(catalogue, {"old": Image([7.0]), "new": long}, REPLACE)
    worker.index("old")
    outcome = worker.index("new")
    assert outcome.state is ItemState.FAILED
    assert f"at most {MAX_REPLACING_FRAMES} replace another in one step" in str(outcome.reason)
    assert (origins(held(catalogue)), long.decoded) == (["old"], [])


def test_two_workers_at_one_file_add_each_frame_once(catalogue: Catalogue) -> None:
    files = {"a": Image(list(range(LONG)))}
    slow, fast = Worker(catalogue, files), Worker(catalogue, files)
    slow.encoder.meanwhile = lambda: None if fast.encoder.encoded else fast.index("a") and None
    assert slow.index("a").state is ItemState.UNCHANGED
    assert len(held(catalogue)) == LONG


def test_a_file_that_is_indexed_already_is_not_decoded(catalogue: Catalogue) -> None:
    worker = Worker(catalogue, {"a": Image([1.0, 2.0, 3.0])})
    worker.index("a")
    worker.files["a"].decoded.clear()
    assert worker.index("a").state is ItemState.UNCHANGED
    assert worker.files["a"].decoded == []


def test_another_header_is_refused_without_decoding(catalogue: Catalogue) -> None:
    worker = Worker(catalogue, {"a": Image([1.0, 2.0]), "b": Image([1.0, 2.0], study="9")})
    worker.index("a")
    assert worker.index("b").state is ItemState.FAILED
    assert worker.files["b"].decoded == []


def test_another_file_of_the_same_image_adds_what_is_missing(catalogue: Catalogue) -> None:
    worker = Worker(catalogue, {"a": Image([1.0, 2.0, 3.0], bad=[2]), "b": Image([1.0, 2.0, 3.0])})
    assert worker.index("a").state is ItemState.PARTIAL
    worker.encoder.encoded.clear()
    assert worker.index("b").state is ItemState.INDEXED
    assert worker.encoder.encoded == [(2.0, 2)]
    assert origins(held(catalogue)) == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("other", "state"),
    [
        (Image([5.0, 6.0]), ItemState.UNCHANGED),  # nothing is known of the pixels
        (Image([1.0, 2.0], study="9"), ItemState.FAILED),
        (Image([1.0]), ItemState.FAILED),
    ],
)
def test_rows_without_digests_are_compared_by_what_they_have(
    catalogue: Catalogue, other: Image, state: ItemState
) -> None:
    encoder, old = CountingEncoder(), Image([1.0, 2.0])
    catalogue.append("default", [encoder.encode(old.frame(number)) for number in (1, 2)], ORIGIN)
    worker = Worker(catalogue, {"b": other})
    assert worker.index("b").state is state
    assert len(held(catalogue)) == 2
    assert other.decoded == []


def test_rows_of_a_version_that_kept_other_properties_are_compared_by_owner_size_and_pixels(
    catalogue: Catalogue,
) -> None:
    encoder, image = CountingEncoder(), Image([1.0])
    frame = image.frame(1)
    old = replace(frame, info=replace(frame.info, body_part="CHEST"))
    digests = Digests.of(old, "0" * 64, 1)
    foreign = replace(digests, header="f" * 8 + digests.header[8:])
    catalogue.append("default", [replace(encoder.encode(old), digests=foreign)], ORIGIN)
    worker = Worker(
        catalogue, {"same": Image([1.0]), "other": Image([2.0]), "study": Image([1.0], study="9")}
    )
    assert worker.index("same").state is ItemState.UNCHANGED
    assert "differ in: pixels." in str(worker.index("other").reason)
    assert "differ in: study." in str(worker.index("study").reason)


def test_too_many_bad_frames_end_a_file_and_leave_the_good_ones(catalogue: Catalogue) -> None:
    count = 2 * MAX_BAD_FRAMES
    bad = range(3, count)
    worker = Worker(catalogue, {"a": Image([0.0] * count, bad=bad)})
    first = worker.index("a")
    assert (first.state, first.frames) == (ItemState.PARTIAL, 2)
    last = 2 + MAX_BAD_FRAMES
    assert f"Frames {last + 1}-{count}: not tried" in str(first.reason)
    worker.files["a"].decoded.clear()
    again = worker.index("a")
    assert (again.state, again.frames, again.reason) == (first.state, first.frames, first.reason)
    assert worker.files["a"].decoded == list(range(3, last + 1))
    assert len(worker.encoder.encoded) == 2


def test_too_many_frames_that_cannot_be_compared_end_a_file(catalogue: Catalogue) -> None:
    count = 2 * MAX_BAD_FRAMES
    worker = Worker(catalogue, {"a": Image([0.0] * count), "b": Image([0.0] * count, bad=range(2, count))})
    worker.index("a")
    assert worker.index("b").state is ItemState.FAILED
    assert len(worker.files["b"].decoded) == 1 + MAX_BAD_FRAMES


@pytest.mark.parametrize("known", [False, True])
def test_frames_that_are_bad_or_compared_keep_the_lease(catalogue: Catalogue, known: bool) -> None:
    """Of a lease of 60 s, a quarter is over at the second frame of 10 s."""
    image = Image([0.0] * 8, bad=() if known else range(2, 9))
    worker = Worker(catalogue, {"a": Image([0.0] * 8), "b": image})
    if known:
        worker.index("a")
    renewed: list[float] = []
    decode, renew = image.frame, worker.jobs.renew

    def slow(frame_number: int) -> Frame:
        worker.now += 10
        return decode(frame_number)

    image.frame = slow  # type: ignore[method-assign]
    worker.jobs.renew = lambda item_id, lease_s: renewed.append(worker.now) or renew(item_id, lease_s)  # type: ignore[method-assign, func-returns-value]
    worker.index("b")
    assert renewed == [20.0, 40.0, 60.0, 80.0]


def test_a_decoder_that_is_not_there_is_waited_for(catalogue: Catalogue) -> None:
    worker = Worker(catalogue, {"a": Image([1.0, 2.0]), "b": Image([1.0, 2.0], broken=True)})
    assert worker.index("b").state is ItemState.QUEUED
    worker.index("a")
    assert worker.index("b").state is ItemState.QUEUED


ONE, OTHER = "1" * 32, "2" * 32


def patients(catalogue: Catalogue) -> set[str | None]:
    return {entry.info.patient_key for entry in catalogue.entries(range(1, 100)).values()}


@pytest.mark.parametrize("same_uid", SAME_UID)
def test_a_file_that_names_no_patient_keeps_the_one_that_it_was_given(
    catalogue: Catalogue, same_uid: str
) -> None:
    worker = Worker(catalogue, {"a": Image([1, 2])}, same_uid)
    assert worker.index("a", ONE).state is ItemState.INDEXED
    # Whoever names no patient afterwards says nothing about him.
    assert [worker.index("a", given).state for given in (ONE, None)] == [ItemState.UNCHANGED] * 2
    assert patients(catalogue) == {ONE}


def test_frames_that_a_new_model_adds_are_of_the_patient_that_was_given(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(catalogue, {"a": Image([1, 2])})
    worker.index("a", ONE)
    monkeypatch.setattr(CountingEncoder, "fingerprint", "newer")
    newer = Worker(catalogue, worker.files)
    assert newer.index("a").state is ItemState.INDEXED
    assert len(held(catalogue)) == 4
    assert patients(catalogue) == {ONE}
    assert len({entry.digests.header for entry in held(catalogue) if entry.digests}) == 1


@pytest.mark.parametrize("before", [None, OTHER])
def test_an_image_that_is_there_for_another_patient_or_none_is_refused(
    catalogue: Catalogue, before: str | None
) -> None:
    worker = Worker(catalogue, {"a": Image([1])})
    worker.index("a", before)
    item = worker.index("a", ONE)
    assert item.state is ItemState.FAILED
    assert item.reason is not None
    assert "indexed already, with SOP Instance UID '1.2.3' and another patient" in item.reason
    assert "Delete it first" in item.reason
    assert ONE not in item.reason
    assert OTHER not in item.reason
    assert patients(catalogue) == {before}


def test_a_given_patient_takes_the_place_of_another_where_images_do(catalogue: Catalogue) -> None:
    worker = Worker(catalogue, {"a": Image([1, 2])}, REPLACE)
    for given in (None, ONE, OTHER):
        assert worker.index("a", given).state is ItemState.INDEXED
        assert patients(catalogue) == {given}
        assert len(held(catalogue)) == 2


def test_an_image_that_is_given_to_several_patients_is_kept_for_each_where_all_are_kept(
    catalogue: Catalogue,
) -> None:
    worker = Worker(catalogue, {"a": Image([1])}, KEEP_BOTH)
    for _ in range(2):
        for given in (ONE, OTHER, "3" * 32, None):
            worker.index("a", given)
    found = catalogue.entries(range(1, 100)).values()
    assert [(entry.info.sop_instance_uid == UID, entry.info.patient_key) for entry in found] == [
        (True, ONE),
        (False, OTHER),
        (False, "3" * 32),
    ]


def test_a_header_that_names_a_patient_is_believed(catalogue: Catalogue) -> None:
    worker = Worker(catalogue, {"a": Image([1], patient=ONE)})
    refused = worker.index("a", OTHER)
    assert refused.state is ItemState.FAILED
    assert refused.reason is not None
    assert "another patient than its header" in refused.reason
    assert patients(catalogue) == set()
    assert worker.index("a", ONE).state is ItemState.INDEXED
    assert worker.index("a").state is ItemState.UNCHANGED
    assert worker.index("a", OTHER).state is ItemState.FAILED
    assert patients(catalogue) == {ONE}


def test_another_file_of_an_image_is_of_the_patient_that_it_is_given(catalogue: Catalogue) -> None:
    """A copy in another transfer syntax is the same image of the same patient, and of no other."""
    worker = Worker(catalogue, {"a": Image([1]), "copy": Image([1])})
    worker.index("a", ONE)
    assert worker.index("copy", ONE).state is ItemState.UNCHANGED
    assert "differ in: patient" in str(worker.index("copy").reason)
    assert "differ in: patient" in str(worker.index("copy", OTHER).reason)


def test_an_id_is_no_key_and_makes_no_job(catalogue: Catalogue) -> None:
    worker = Worker(catalogue, {"a": Image([1])})
    with pytest.raises(ValueError, match="by their keys") as refused:
        worker.index("a", "GEHEIM-4711")
    assert "GEHEIM" not in str(refused.value)
    assert worker.jobs.unfinished(set(JobState)) == []
