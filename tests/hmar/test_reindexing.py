"""Moving an archive to another model: nothing is lost, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hmar.adapters.memory import InlineQueue, MemoryUploads, memory_storage
from hmar.adapters.sql.storage import sql_storage
from hmar.config import Settings
from hmar.errors import ConflictError, NotFoundError, OperatorError
from hmar.indexing.carrying import Carrier, Read
from hmar.indexing.encoders import Current, OneEncoder, RecordedEncoders
from hmar.indexing.indexer import Indexer
from hmar.indexing.reindexing import Reindexing
from hmar.ports import FrameEncoder, Storage
from hmar.thumbnail import ThumbnailEncoder
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.codes import EncodedFrame
from hmar.values.deletion import Selector
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame
from hmar.values.jobs import Item, ItemState, Job, JobState, Message
from hmar.values.models import Coverage, ModelName, ModelRoles
from tests.frames import textured_frame
from tests.hmar.test_indexing import Folder, TextImage

LEASE_S = 60.0


class Encoder(ThumbnailEncoder):
    """A model by its seed, whose codes take no time; something may happen while it encodes."""

    def __init__(self, seed: int) -> None:
        self.name = f"model-{seed}"
        self.fingerprint = hashlib.sha256(bytes([seed])).hexdigest()[:32]
        self.encoded = 0
        self.happens: Callable[[], None] = lambda: None

    def encode(self, frame: Frame) -> EncodedFrame:
        self.encoded += 1
        happens, self.happens = self.happens, lambda: None
        happens()
        digest = hashlib.sha256(self.fingerprint.encode() + frame.values.tobytes()).digest()
        codes = np.frombuffer(digest, np.uint8).reshape(2, 16)
        return EncodedFrame(
            frame.info, codes[0], codes[1:], np.zeros(1, np.uint32), (0.5, 0.5), self.fingerprint
        )

    @property
    def model(self) -> ModelName:
        return ModelName(self.fingerprint, self.name)


class World:
    """An archive with files that are texts, its worker, and three models."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.old, self.new, self.third = Encoder(1), Encoder(2), Encoder(3)
        self.folder, self.uploads, self.queue = Folder({}), MemoryUploads(), InlineQueue()
        self.loadable: dict[str, FrameEncoder] = {e.fingerprint: e for e in (self.old, self.new, self.third)}
        self.encoders = RecordedEncoders(storage.models, self.load, lambda: self.old)
        self.reindexing = Reindexing(storage.models, storage.jobs, lambda: self.queue, lambda: self.old.model)
        self.worker = self.new_worker()
        self.queue.handler = self.worker.handle

    def load(self, fingerprint: str) -> FrameEncoder:
        if fingerprint not in self.loadable:
            raise OperatorError("It is not here.", "Install it.")
        return self.loadable[fingerprint]

    def new_worker(self) -> Indexer:
        return Indexer(
            self.storage.catalogue,
            self.storage.jobs,
            self.queue,
            {"files": self.folder, UPLOAD: self.uploads},
            self.encoders,
            self.open,
            Settings(home=Path("nowhere"), item_lease_s=LEASE_S, max_attempts=3),
            KeptUploads(self.uploads, self.storage.jobs, self.storage.catalogue),
            carrier=Carrier(self.storage.models, self.opened),
        )

    def open(self, data: bytes) -> TextImage:
        uid, count = data.decode().split()
        return TextImage(uid, int(count), [])

    def opened(self, origin: Origin) -> Read:
        image = self.open(self.folder.fetch(origin.reference, 1000))

        def read(entry: EntryInfo) -> Frame:
            if image.uid != entry.info.sop_instance_uid:
                raise NotFoundError("The file holds another image.", "Put it back.")
            return image.frame(entry.info.frame_number)

        return read

    def index(self, name: str, content: str, collection: str = "default", label: str | None = None) -> None:
        self.folder.write(name, content.encode())
        self.worker.submit(collection, Origin("files", name), label=label)

    def frames(self, encoder: Encoder, collection: str = "default") -> set[tuple[str, int, str | None]]:
        found = self.storage.catalogue
        uids = {row.encoded.info.sop_instance_uid for row in found.tail(0, 1000) if row.encoded}
        return {
            (uid, entry.info.frame_number, entry.info.label)
            for uid in uids
            for entry in found.find(uid, encoder.fingerprint, collection)
        }

    def job(self, job_id: str) -> Job:
        job = self.storage.jobs.job(job_id)
        assert job is not None
        return job

    def items(self, job_id: str) -> dict[str, Item]:
        items = self.storage.jobs.items(job_id, set(ItemState), 100)
        return {item.origin.reference: item for item in items}

    def roles(self) -> ModelRoles:
        return self.storage.models.roles()

    def coverage(self, encoder: Encoder) -> dict[str, Coverage]:
        return self.storage.models.coverage(encoder.fingerprint)


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        yield World(memory_storage())
        return
    storage = sql_storage(tmp_path / "catalogue.db")
    yield World(storage)
    storage.close()


def test_every_frame_is_indexed_once_under_the_new_model_and_searches_keep_the_old_one(world: World) -> None:
    world.index("a", "1 20", label="seen")
    world.index("b", "2 1", collection="lung")
    begun = world.reindexing.begin(world.new.model)
    assert (begun.missing, len(begun.jobs)) == (21, 2)
    assert world.roles() == ModelRoles(world.old.model, world.new.model)
    assert world.encoders.current().used is world.old
    assert world.frames(world.new) == world.frames(world.old) == {("1", n, "seen") for n in range(1, 21)}
    assert world.frames(world.new, "lung") == {("2", 1, None)}
    assert {world.job(each).collection for each in begun.jobs} == {"default", "lung"}
    for each in begun.jobs:
        job = world.job(each)
        assert (job.state, job.model) == (JobState.DONE, world.new.fingerprint)
        assert job.summary()["kind"] == "reindex"
    again = world.reindexing.begin(world.new.model)
    assert (again.missing, again.jobs) == (0, ())
    assert world.new.encoded == 21
    world.reindexing.use(world.new.model)
    assert world.encoders.current() == Current(world.new)
    world.index("c", "3 1")
    assert world.frames(world.old) < world.frames(world.new), "the old model gets nothing any more"
    with pytest.raises(ConflictError, match="1 frames are not indexed"):
        world.reindexing.use(world.old.model)
    world.reindexing.begin(world.old.model)
    world.reindexing.use(world.old.model)
    assert world.encoders.current() == Current(world.old)


def test_frames_that_arrive_meanwhile_are_indexed_under_both(world: World) -> None:
    world.reindexing.begin(world.new.model)
    world.index("a", "1 2", label="new")
    assert world.frames(world.new) == world.frames(world.old) == {("1", 1, "new"), ("1", 2, "new")}
    given = textured_frame(1)
    world.worker.add("default", [given], Origin("unkept", ""), "given")
    assert (given.info.sop_instance_uid, 1, "given") in world.frames(world.new)
    assert world.coverage(world.new) == world.coverage(world.old)


@pytest.mark.parametrize("moment", ["begin", "use", "give up"])
def test_a_change_in_the_middle_of_a_file_leaves_no_frame_out(world: World, moment: str) -> None:
    world.index("z", "9 1")
    if moment != "begin":
        world.reindexing.begin(world.new.model)
    changes: dict[str, Callable[[], object]] = {
        "begin": lambda: world.reindexing.begin(world.new.model),
        "use": lambda: world.storage.models.use(world.new.model, 1000),
        "give up": lambda: world.reindexing.forget(world.new.model),
    }
    world.old.happens = changes[moment]
    world.index("a", "1 40")
    both = moment != "give up"
    assert len(world.frames(world.old)) == 41
    assert len(world.frames(world.new)) == (41 if both else 0)
    held = world.storage.models.coverage(world.encoders.current().used.fingerprint)["default"]
    assert held.missing == 0


def test_a_label_or_a_deletion_in_the_middle_counts_under_both_models(world: World) -> None:
    world.index("a", "1 3", label="old")
    world.index("b", "2 1", label="old")

    def changed() -> None:
        world.storage.catalogue.relabel(Selector("instance", "1"), "new")
        world.storage.catalogue.delete(Selector("instance", "2"))

    world.new.happens = changed
    world.reindexing.begin(world.new.model)
    assert world.frames(world.new) == world.frames(world.old) == {("1", n, "new") for n in (1, 2, 3)}


def test_files_that_are_gone_or_changed_are_named_and_tried_again(world: World) -> None:
    for name, content in {"a": "1 2", "b": "2 1", "c": "3 1"}.items():
        world.index(name, content)
    del world.folder._files["a"]
    world.folder.write("b", b"7 1")
    [job_id] = world.reindexing.begin(world.new.model).jobs
    items = world.items(job_id)
    states = {name: (item.state, item.frames) for name, item in items.items()}
    assert states == {
        "files/a": (ItemState.FAILED, 0),
        "files/b": (ItemState.FAILED, 0),
        "files/c": (ItemState.INDEXED, 1),
    }
    assert "another image" in (items["files/b"].reason or "")
    assert world.coverage(world.new) == {"default": Coverage(1, 3)}
    with pytest.raises(ConflictError, match="--accept-missing 3"):
        world.reindexing.use(world.new.model, 2)
    world.folder.write("a", b"1 2")
    world.worker.retry(job_id)
    assert world.items(job_id)["files/a"].state is ItemState.INDEXED
    assert world.coverage(world.new) == {"default": Coverage(3, 1)}
    world.reindexing.use(world.new.model, 1)
    assert world.encoders.current() == Current(world.new)


def test_a_cancelled_job_goes_on_when_it_is_begun_again(world: World) -> None:
    for number in range(4):
        world.index(f"{number}", f"{number} 1")
    world.queue.handler = lambda _message: None
    [job_id] = world.reindexing.begin(world.new.model).jobs
    assert world.reindexing.begin(world.new.model).jobs == (job_id,), "what goes on is not begun again"
    world.worker.handle(Message("expand", job_id))
    [first, *_] = world.items(job_id).values()
    world.worker.handle(Message("item", str(first.item_id)))
    world.worker.cancel(job_id)
    assert world.coverage(world.new)["default"] == Coverage(1, 3)
    world.queue.handler = world.worker.handle
    [other] = world.reindexing.begin(world.new.model).jobs
    assert other != job_id
    assert world.coverage(world.new)["default"] == Coverage(4, 0)
    assert world.new.encoded == 4


def test_a_killed_worker_loses_nothing_and_no_frame_is_there_twice(world: World) -> None:
    world.index("a", "1 40")
    world.queue.handler = lambda _message: None
    [job_id] = world.reindexing.begin(world.new.model).jobs
    world.worker.handle(Message("expand", job_id))
    [item] = world.items(job_id).values()

    class KilledError(BaseException):
        """The process is gone: nothing is written down."""

    def killed() -> None:
        raise KilledError

    encode, count = world.new.encode, 0

    def encode_some(frame: Frame) -> EncodedFrame:
        nonlocal count
        count += 1
        if count == 30:
            killed()
        return encode(frame)

    world.new.encode = encode_some  # type: ignore[method-assign]
    world.worker.handle(Message("item", str(item.item_id)))
    assert world.coverage(world.new)["default"] == Coverage(16, 24), "whole transactions are kept"
    world.new_worker().handle(Message("item", str(item.item_id)))
    assert world.coverage(world.new)["default"] == Coverage(40, 0)
    rows = [row for row in world.storage.catalogue.tail(0, 1000) if row.encoded]
    assert sum(row.encoded.model_fingerprint == world.new.fingerprint for row in rows if row.encoded) == 40


def test_frames_without_a_file_are_counted_as_missing(world: World) -> None:
    world.worker.add("default", [textured_frame(1)], Origin("unkept", ""))
    [job_id] = world.reindexing.begin(world.new.model).jobs
    [item] = world.items(job_id).values()
    assert item.state is ItemState.FAILED
    assert world.coverage(world.new) == {"default": Coverage(0, 1)}


def test_collections_can_be_begun_with(world: World) -> None:
    world.index("a", "1 1", collection="first")
    world.index("b", "2 1", collection="second")
    begun = world.reindexing.begin(world.new.model, ["second"])
    assert begun.missing == 1
    assert world.coverage(world.new) == {"first": Coverage(0, 1), "second": Coverage(1, 0)}
    with pytest.raises(NotFoundError, match="nowhere"):
        world.reindexing.begin(world.new.model, ["nowhere"])


def test_an_archive_moves_to_one_model_at_a_time(world: World) -> None:
    world.reindexing.begin(world.new.model)
    with pytest.raises(ConflictError, match="models remove"):
        world.reindexing.begin(world.third.model)
    world.reindexing.forget(world.new.model)
    world.reindexing.begin(world.third.model)
    assert world.roles() == ModelRoles(world.old.model, world.third.model)


def test_a_job_of_a_model_that_was_given_up_adds_nothing(world: World) -> None:
    world.index("a", "1 1")
    world.queue.handler = lambda _message: None
    [job_id] = world.reindexing.begin(world.new.model).jobs
    world.worker.handle(Message("expand", job_id))
    world.reindexing.forget(world.new.model)
    [item] = world.items(job_id).values()
    world.worker.handle(Message("item", str(item.item_id)))
    [ended] = world.items(job_id).values()
    assert (ended.state, "any more" in (ended.reason or "")) == (ItemState.FAILED, True)
    assert world.frames(world.new) == set()


def test_frames_that_one_model_alone_has_are_not_removed_with_it_unless_that_is_said(world: World) -> None:
    world.index("a", "1 2")
    world.storage.models.use(world.new.model, 2)
    with pytest.raises(ConflictError, match="--accept-missing 2"):
        world.reindexing.forget(world.old.model, 1)
    with pytest.raises(ConflictError, match="models use"):
        world.reindexing.forget(world.new.model)
    told: list[int] = []
    assert world.reindexing.forget(world.old.model, 2, told.append) == 2
    assert told == [2]
    assert world.storage.models.frames() == {}


def test_the_states_of_models_add_up(world: World) -> None:
    world.index("a", "1 2")
    world.reindexing.begin(world.new.model, [])
    states = world.reindexing.states([world.new.model, world.third.model])
    told = [(one.model.name, one.role, one.installed, one.frames, one.missing) for one in states]
    assert told == [
        ("model-1", "used", False, 2, 0),
        ("model-2", "next", True, 0, 2),
        ("model-3", "kept", True, 0, 2),
    ]


def test_a_model_that_cannot_be_loaded_costs_no_attempt(world: World) -> None:
    world.queue.handler = lambda _message: None
    world.index("a", "1 1")
    [job] = world.storage.jobs.unfinished(set(JobState))
    world.worker.handle(Message("expand", job.job_id))
    [item] = world.items(job.job_id).values()
    world.reindexing.begin(world.new.model)
    del world.loadable[world.new.fingerprint]
    with pytest.raises(OperatorError, match="not here"):
        world.worker.handle(Message("item", str(item.item_id)))
    [waiting] = world.items(job.job_id).values()
    assert (waiting.state, waiting.attempts) == (ItemState.QUEUED, 0)


def test_one_encoder_knows_no_other_model() -> None:
    encoder = Encoder(1)
    current = OneEncoder(encoder).current()
    assert current.of(encoder.fingerprint) is encoder
    with pytest.raises(ConflictError, match="hmar reindex"):
        current.of("another")


def test_models_are_loaded_once_and_let_go() -> None:
    with closing_storage() as storage:
        loaded: list[str] = []
        encoders = {e.fingerprint: e for e in (Encoder(1), Encoder(2))}
        old, new = (e.model for e in encoders.values())

        def load(fingerprint: str) -> FrameEncoder:
            loaded.append(fingerprint)
            return encoders[fingerprint]

        recorded = RecordedEncoders(storage.models, load, lambda: encoders[old.fingerprint])
        storage.models.begin(old, new)
        for _ in range(3):
            assert recorded.current().fingerprints == (old.fingerprint, new.fingerprint)
        assert recorded.used().fingerprint == old.fingerprint
        assert loaded == [old.fingerprint, new.fingerprint]
        storage.models.use(new)
        assert recorded.current().fingerprints == (new.fingerprint,)
        storage.models.use(old)
        assert recorded.current().fingerprints == (old.fingerprint,)
        assert loaded == [old.fingerprint, new.fingerprint, old.fingerprint]
        storage.models.begin(old, new)
        searching = RecordedEncoders(storage.models, load, lambda: encoders[old.fingerprint])
        assert searching.used().fingerprint == old.fingerprint
        assert loaded[3:] == [old.fingerprint], "who only searches does not load the next one"
        fixed = RecordedEncoders(storage.models, load, lambda: encoders[new.fingerprint], fixed=True)
        assert fixed.current().fingerprints == (new.fingerprint,)


def closing_storage() -> closing[Storage]:
    return closing(memory_storage())
