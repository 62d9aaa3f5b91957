"""What the use cases need of the outside: small protocols in the verbs of the domain.

Each has an adapter in memory (:mod:`hmar.adapters.memory`) beside the real ones, and one contract suite
runs over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from hmar.contents import Content
from hmar.values.audit import AuditAnchor, AuditMark, AuditRecord, AuditRow, Seal, WantedAudit
from hmar.values.changes import Changes
from hmar.values.codes import Bits, EncodedFrame, Query, WindowIds
from hmar.values.collections import CollectionInfo
from hmar.values.damage import CheckedEntries, CheckedLog, DamagedRow, Sealed, SealedTable
from hmar.values.deletion import Collections, Deleted, Extent, Selector
from hmar.values.entries import Appended, EntryInfo, LogRow, Origin, SeriesInfo
from hmar.values.exports import Document
from hmar.values.fast import FastHits
from hmar.values.feedback import Judgement, KeptJudgement
from hmar.values.follows import Follow, Followed, FollowState, HeldInstance, News, SweepKind
from hmar.values.frames import Frame, FrameInfo
from hmar.values.geometry import Box
from hmar.values.groups import CodeGroup, FrameCodes, GroupQuery
from hmar.values.hits import CodeHit, Mode
from hmar.values.identity import Identity, KeyInfo
from hmar.values.jobs import Item, ItemState, Job, JobRequest, JobState, Message, QueueLoad, SentAs
from hmar.values.links import Template
from hmar.values.listed_patients import PatientsPage
from hmar.values.models import Coverage, ModelName, ModelRoles
from hmar.values.named_patients import NamedPatient
from hmar.values.outline import Region
from hmar.values.pulls import InstanceReference, Pull
from hmar.values.selection import Selection
from hmar.values.slabs import Slab
from hmar.values.studies import StudiesPage
from hmar.values.wanted_studies import ALL_STUDIES, WantedStudies
from hmar.values.webhooks import Claim, Webhook


class Catalogue(Protocol):
    """The truth: entries and an append-only log whose order is commit order."""

    def append(
        self,
        collection: str,
        frames: Sequence[EncodedFrame],
        origin: Origin,
        as_of: int | None = None,
        replaced: Collection[int] = (),
    ) -> Appended:
        """Add frames in one transaction; those of the same (SOP instance, frame, model) stay as they are.

        Parameters
        ----------
        collection, frames, origin
            What is added, where to, and where it came from.
        as_of : int, optional
            The last log row that the caller has seen of what he compared the frames with. If frames of
            another file, or given as values, have come to one of the instances since, that is a conflict.
            None looks for no such change.
        replaced : collection of int
            Entries of the collection that are deleted and logged first, in the same transaction.

        Raises
        ------
        ConflictError
            For such a change, and if an instance would be of two studies, series or patients. Nothing is
            added or deleted then.
        """

    def extent(self, selector: Selector, collection: Collections = None) -> Extent:
        """Return how much :meth:`delete` would take away."""

    def delete(self, selector: Selector, collection: Collections = None) -> Deleted:
        """Delete what a selector stands for, in one collection, in some or in all, and log each frame.

        Codes and all that is known of the frames are gone from the storage afterwards, as far as it is in the
        program's hands.
        """

    def relabel(self, selector: Selector, label: str | None, collection: Collections = None) -> int:
        """Give what a selector stands for a label, or None; return how many frames have a new one.

        Each of them becomes a new entry, and the log says so. Those that have the label stay as they are.
        """

    def referred(self, origins: Collection[Origin]) -> set[Origin]:
        """Return those of some origins that a live frame comes from, or one that was damaged."""

    def tail(self, after_seq: int, limit: int) -> list[LogRow]:
        """Return the next log rows in order of sequence number, none left out."""

    def marks(self, after_seq: int, limit: int) -> list[str]:
        """Return the marks of the next log rows, as :meth:`tail` would, without reading codes."""

    def changes(self, after_seq: int, limit: int, collection: Collections = None) -> Changes:
        """Return the next log rows in some collections, with what is known of their frames but the codes.

        Those that are damaged are left out.
        """

    def collections(self, model_fingerprint: str, collection: Collections = None) -> list[CollectionInfo]:
        """Return what some collections hold of a model, in order of name; of empty ones there is nothing.

        It takes as long as going through all frames.
        """

    def last_seq(self) -> int:
        """Return the highest sequence number committed, 0 for an empty log."""

    def entries(self, entry_ids: Collection[int]) -> dict[int, EntryInfo]:
        """Return the entries that are live among ``entry_ids``."""

    def find(
        self, sop_instance_uid: str, model_fingerprint: str, collection: str | None = None
    ) -> list[EntryInfo]:
        """Return the live frames of an instance in order of frame number, then of entry; maybe none."""

    def ids_of(self, sop_instance_uids: Collection[str], model_fingerprint: str) -> frozenset[int]:
        """Return the ids of the live entries of some instances."""

    def patients(self, sop_instance_uid: str, model_fingerprint: str) -> frozenset[str]:
        """Return the keys of the patients that live frames of an instance are of; maybe none, or several."""

    def instance(self, collection: str, sop_instance_uid: str) -> list[EntryInfo]:
        """Return the live frames of an instance, of all models, in order of frame number, then of entry."""

    def series(
        self, model_fingerprint: str, selector: Selector | None = None, collection: str | None = None
    ) -> list[SeriesInfo]:
        """List the series that hold live frames, in order of (collection, study, series).

        With a selector, only those of what it stands for, and only its frames count.
        """

    def studies(
        self,
        model_fingerprint: str,
        collection: Collections = None,
        wanted: WantedStudies = ALL_STUDIES,
        offset: int = 0,
        limit: int = 100,
    ) -> StudiesPage:
        """List studies that hold live frames, each in each of its collections, from a place in order on."""

    def patient_keys(self, model_fingerprint: str, collection: Collections = None) -> frozenset[str]:
        """Return the keys of the patients of live frames."""

    def patient_list(
        self, model_fingerprint: str, collection: Collections = None, offset: int = 0, limit: int = 100
    ) -> PatientsPage:
        """List patients that live frames are of, in order of key, from a place on; others have no key."""

    def study_uids(
        self, model_fingerprint: str, wanted: WantedStudies, collection: Collections = None
    ) -> list[str]:
        """Return the UIDs of wanted studies that hold live frames in some collections, each once, sorted."""

    def frames(self, collection: str, series_uid: str, model_fingerprint: str) -> list[EntryInfo]:
        """Return the live frames of a series in display order; empty if there is none.

        Order: position along the axis in which the positions vary most, from high to low (head first
        for an axial series), then instance number, then frame number, then entry.
        """


class ModelStore(Protocol):
    """Which model the archive uses, and the frames that are indexed under one model and not under another.

    A frame is what a collection, a SOP instance and a frame number name. It counts as missing under a model
    where another model has an entry of it and this one has none.
    """

    def roles(self) -> ModelRoles:
        """Return the model that is used, and the next one."""

    def begin(self, used: ModelName, model: ModelName) -> None:
        """Make a model the next one, unless it is used; ``used`` is recorded where no model is.

        Raises
        ------
        ConflictError
            If another model is the next one.
        """

    def use(self, model: ModelName, accept_missing: int = 0) -> None:
        """Make a model the one that is used, in one transaction with counting what is missing under it.

        Raises
        ------
        ConflictError
            If more than ``accept_missing`` frames are.
        """

    def coverage(self, model_fingerprint: str, collection: Collections = None) -> dict[str, Coverage]:
        """Return how far some collections are indexed under a model, by their names; of empty ones nothing.

        It takes as long as going through the names of all frames.
        """

    def frames(self) -> dict[str, int]:
        """Return the number of frames under each model that has any, by its fingerprint."""

    def files(self, model_fingerprint: str, collection: str) -> list[Origin]:
        """Return where the frames come from that are missing under a model, sorted."""

    def lacking(self, model_fingerprint: str, collection: str, of: Origin | str) -> list[EntryInfo]:
        """Return an entry of each frame of a file, or of an instance by its UID, that a model misses.

        In order of instance and frame number.
        """

    def carry(self, codes: Mapping[int, EncodedFrame]) -> int:
        """Add entries that are those given by their ids in all but codes and model; return how many.

        An entry that is gone by now is passed over, and so is a frame that the model has already. All of one
        call is one transaction.

        Raises
        ------
        ConflictError
            If a model is neither used nor the next one.
        """

    def alone(self, model_fingerprint: str) -> int:
        """Return how many frames no other model has."""

    def forget(self, model_fingerprint: str, limit: int) -> int:
        """Delete and log up to ``limit`` entries of a model, which is not next any more; return how many.

        Judgements of instances of which frames leave the archive with them go, too.

        Raises
        ------
        ConflictError
            If the model is used.
        """


class SlabStore(Protocol):
    """Slabs of thin slices, of which one stands for its neighbours when windows are searched.

    Every frame keeps all its codes. The log tells those of a frame that is held back without its windows.
    Which frames are follows from those that are there at every moment, by
    :func:`hmar.values.slabs.held_back`.
    """

    def sizes(self) -> dict[str, float]:
        """Return the thickness of the slabs in mm of each collection that has any."""

    def change(self, collection: str, slab_mm: float | None) -> int:
        """Give a collection slabs of another thickness, or none; return how many frames it changed.

        A process that is killed meanwhile leaves a part, which the same call changes.
        """

    def slabs(self, entry_ids: Collection[int]) -> dict[int, Slab]:
        """Return the slabs that entries lie in, of those in which one slice stands for others."""

    def codes(self, entry_ids: Collection[int]) -> list[FrameCodes]:
        """Return all codes of live entries, those that are held back included, in the order given."""


class JobStore(Protocol):
    """Jobs and items: what was asked for, and how far it is. Survives any crash."""

    def create(
        self,
        collection: str,
        origin: Origin,
        references: Sequence[str] | None = None,
        label: str | None = None,
        patients: Mapping[str, str] | None = None,
        sent: Mapping[str, SentAs] | None = None,
        request: JobRequest | None = None,
    ) -> str:
        """Create a job and return its id.

        With ``references`` its items are known at once; without, :meth:`add_items` supplies them. ``label``
        is kept for the frames, and so are ``patients``: keys of patients, by reference. So is how files were
        ``sent``. Where the same ``request`` has created a job in the last ``REQUESTS_KEPT_S`` seconds, that
        job's id is returned.

        Raises
        ------
        ConflictError
            If a request of the same key has asked for something else in that time.
        """

    def asked_before(self, request: JobRequest) -> str | None:
        """Return the job that the same request has created, as :meth:`create` does; None if there is none."""

    def add_items(self, job_id: str, references: Sequence[str]) -> list[int]:
        """Add items that are not there yet and set the job running; return the ids of all its items.

        A job without items is done.
        """

    def fail_job(self, job_id: str, reason: str) -> None:
        """End a job that is not finished, such as one that could not be listed.

        Its open items fail for the same reason, and the patients that were given with them are forgotten.
        """

    def cancel(self, job_id: str) -> None:
        """End a job that is open: nothing more of it is begun, and its queued items end as cancelled.

        So do running items that are released, or whose lease ends. The patients that were given with those
        that are not tried are forgotten. A job that has ended stays as it is.
        """

    def retry(self, job_id: str) -> None:
        """Put the failed and dead items of a job back to queued, with all their attempts.

        A job that failed as a whole counts as not listed yet. A cancelled one stays as it is.
        """

    def claim(self, item_id: int, lease_s: float, max_attempts: int) -> Item | None:
        """Take an item that is queued, or running with its lease over; None if another has it or it is done.

        Counts the attempt; an item out of attempts becomes dead (and None is returned). A lease that ends
        later than ``lease_s`` from now was given before the clock was set back: it is cut to that.
        """

    def finish(self, item_id: int, state: ItemState, frames: int, reason: str | None = None) -> None:
        """Record how an item ended; ends the job when it was the last one."""

    def renew(self, item_id: int, lease_s: float) -> None:
        """Extend the lease of a running item from now; an item that is not running stays as it is."""

    def release(self, item_id: int, reason: str, counted: bool = True) -> None:
        """Put a running item back to queued, from now, and keep why; its attempt stays counted, or not."""

    def rebase_leases(self, lease_s: float, all_running: bool) -> None:
        """Let leases of running items end ``lease_s`` from now: those that end later, or all of them.

        The later ones were given before the clock was set back. All of them mean nothing after the clock was
        set while workers ran: each worker has this long to show that it lives.
        """

    def job(self, job_id: str) -> Job | None:
        """Return a job with its counts."""

    def items(self, job_id: str, states: Collection[ItemState], limit: int, after: int = 0) -> list[Item]:
        """Return a job's items in the given states, in order of id, ids above ``after``."""

    def listed(
        self,
        states: Collection[JobState],
        limit: int,
        after: str | None = None,
        collection: Collections = None,
    ) -> list[Job]:
        """Return jobs in the given states, newest first; with ``after`` those that follow that job."""

    def forget_names(self, older_than_s: float) -> int:
        """Forget the names of sent files whose job was created longer ago; return how many."""

    def unfinished(self, states: Collection[JobState]) -> list[Job]:
        """Return the jobs in the given states, oldest first."""

    def finished_with(self, origins: Collection[Origin]) -> set[Origin]:
        """Return those of some origins that items refer to, all of which have ended."""

    def overdue(self, queued_for_s: float) -> list[Message]:
        """Return a message for each job and item that has stalled.

        That is: jobs not yet listed and items queued for longer than ``queued_for_s`` (their message may be
        lost), or as far in the future (the clock was set back), and items running with their lease over
        (their worker is gone). Each row returned counts as queued from now on, so that a sweep repeats a
        message at most once per ``queued_for_s``.
        """

    def load(self) -> QueueLoad:
        """Return how much waits, and since when."""


class JobQueue(Protocol):
    """Carries messages to workers, at least once. The truth of a job is the JobStore."""

    def enqueue(self, messages: Sequence[Message]) -> None:
        """Send messages; raises UnavailableError if the broker does not take them."""

    def ping(self) -> int:
        """Return the number of workers that answer; raises UnavailableError if the broker does not."""

    def backlog(self) -> int:
        """Return how many messages no worker has taken yet; raises UnavailableError like :meth:`ping`."""


Handler = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What an index holds: live frames and windows, and the last log row applied (0 and "" before any).

    ``deleted_seq`` is the last row that is a delete, ``snapshot_seq`` the last one in the snapshot under the
    index (0 where there is none), and ``unsettled`` tells whether snapshots may hold what was deleted.
    ``gpu_windows`` counts the windows that a graphics card scans, 0 while the processor does. The last three
    say nothing about what the index holds, and are ignored in comparisons.
    """

    frames: int
    windows: int
    last_seq: int
    last_mark: str
    model_fingerprint: str
    deleted_seq: int = 0
    snapshot_seq: int = field(default=0, compare=False)
    unsettled: bool = field(default=False, compare=False)
    gpu_windows: int = field(default=0, compare=False)


class CodeHolder(Protocol):
    """Something that has the codes of frames."""

    def codes(self, entry_ids: Sequence[int], selection: Selection) -> list[FrameCodes]:
        """Return the codes of those entries that may be found, in the order given."""


class CodeIndex(CodeHolder, Protocol):
    """A projection of the log that answers queries, exactly but for :meth:`search_fast`.

    Order of hits, in every adapter: distance at the bits asked for, then at 128 bits, then entry id. A
    selection is applied before the k nearest are taken; where it groups, they are those of k groups.
    """

    def apply(self, rows: Sequence[LogRow]) -> None:
        """Apply log rows in order; rows applied before, and those of other models, change nothing."""

    def search_global(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the nearest global code."""

    def search_windows(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest local distance; entries without windows are left out."""

    def search_fused(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest gate-weighted sum of both distances."""

    def search_fast(
        self, query: Query, k: int, mode: Mode, bits: Bits, selection: Selection
    ) -> FastHits | None:
        """Return most of what the exact search of that mode returns, and how much of it is expected.

        Distances and boxes of the hits are exact. None where the exact search costs no more.
        """

    def search_groups(self, query: GroupQuery, k: int, bits: Bits, selection: Selection) -> list[CodeGroup]:
        """Return the k nearest groups of a selection that groups: series, studies or patients.

        Order: distance at the bits asked for, then at 128 bits, then the oldest entry that may be found. Of a
        pair's candidates the nearest at the bits asked for counts, then at 128 bits, then the older entry.
        """

    def count(self, selection: Selection) -> int:
        """Return how many entries may be found."""

    def clear(self) -> None:
        """Forget everything, snapshots too: the log that it came from is not the catalogue's."""

    def stats(self) -> IndexStats:
        """Return what the index holds."""

    def snapshot(self) -> None:
        """Write a snapshot, where the adapter keeps any, and remove those that hold what was deleted."""

    def check(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Look after the snapshots: verify the one in use, and move onto a newer one if any.

        Those that hold what was deleted are removed once there is one that does not.
        An index on an altered one forgets what it holds, and the log brings it back. May take seconds; ends
        early once ``stopped`` returns True.
        """

    def close(self) -> None:
        """End the threads, where the adapter has any; nothing is asked of the index afterwards."""


class ImageSource(Protocol):
    """Where images come from: a folder, an upload store."""

    def list(self, reference: str) -> Iterator[str]:
        """Yield the reference of every file at or below ``reference``, in a stable order.

        Raises NotFoundError if there is nothing.
        """

    def fetch(self, reference: str, max_bytes: int) -> Content:
        """Return a file's bytes; those of a large file stay on the disk.

        Raises NotFoundError, or LimitError if it is larger than ``max_bytes``.
        """


class PacsImages(ImageSource, Protocol):
    """The PACS of a site, as one source: references begin with the name of one."""

    def require(self, name: str) -> None:
        """Raise NotFoundError unless there is a PACS of that name."""

    def some_instance(self, name: str) -> InstanceReference:
        """Return an instance that a PACS lists; raises NotFoundError where it lists none."""

    def names(self) -> Sequence[str]:
        """Return the names of all PACS, sorted."""

    def follows(self) -> Sequence[Follow]:
        """Return the PACS that are followed, in order of their names."""

    def feed(self, follow: Follow) -> PacsFeed:
        """Return what tells of a PACS what came to it."""

    def studies(self, pull: Pull) -> Sequence[str]:
        """Return the UIDs of studies in which what is wanted may be, sorted."""

    def gone(self, held: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those instances of one study that its PACS has no more.

        One that it may have, because it does not list all that it has, is not among them. Raises PacsError
        if it does not answer.
        """

    def store(self, name: str, study_uid: str, documents: Sequence[Document]) -> Mapping[str, str | None]:
        """Store documents; return why each was refused, None where it was taken, by its UID.

        Raises ConfigError where nothing says where to store to, PacsError if the PACS does not answer.
        """

    def try_storing(self, name: str) -> None:
        """Raise as :meth:`store` does; nothing is stored."""

    def patient(self, name: str, study_uid: str) -> NamedPatient | None:
        """Return who the patient of a study is, None where the PACS of that name does not list the study.

        It is asked once, and not for long: somebody waits. Raises PacsError if it does not answer.
        """

    @property
    def viewers(self) -> Mapping[str, Template]:
        """Addresses in viewers, of the PACS that have one."""


class PacsFeed(Protocol):
    """Tells what came to a PACS, from a cursor on."""

    def end(self) -> str:
        """Return the cursor behind all that there is; raises PacsError if the PACS does not answer."""

    def news(self, cursor: str) -> Iterator[News]:
        """Yield what came after a cursor, until there is no more.

        Who asks for the next has taken the one before. Raises PacsError like :meth:`end`.
        """


class UploadSource(ImageSource, Protocol):
    """An image source that keeps what is sent to it.

    :meth:`receiving` and :meth:`removing` keep each other out, between processes too: what is being sent is
    not removed because nothing refers to it yet.
    """

    def put(self, data: bytes) -> str:
        """Store bytes, whole or not at all, and return their reference: the SHA-256 in hex."""

    def adopt(self, path: Path, reference: str) -> None:
        """Store a file that lies on the disk under its SHA-256; the file itself stays."""

    def references(self) -> Iterator[str]:
        """Yield the references of all that is stored."""

    def check(self, reference: str) -> bool:
        """Return whether stored bytes are what was sent; those that are not are moved to quarantine."""

    def remove(self, reference: str) -> bool:
        """Remove what is stored under a reference; return whether anything was."""

    def receiving(self) -> AbstractContextManager[None]:
        """Hold off :meth:`removing` for as long as the context lasts; any number may receive at once."""

    def removing(self) -> AbstractContextManager[bool]:
        """Hold off :meth:`receiving` for as long as the context lasts.

        Gives False, and holds off nothing, where something was being received all the time.
        """


class FrameEncoder(Protocol):
    """Frames to codes, and windows back to boxes."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the model: what it is, not what it is called."""

    def encode(self, frame: Frame) -> EncodedFrame:
        """Encode a frame for the archive: its global code and all its windows."""

    def image_query(self, frame: Frame) -> Query:
        """Encode a frame as a query for the whole image."""

    def region_query(self, frame: Frame, region: Region) -> Query:
        """Encode a region of a frame as a query; raises RegionError if it lies outside."""

    def queries(self, frame: Frame, asked: Sequence[Sequence[Region]]) -> list[Query]:
        """Encode a frame once as several queries, each for all of its regions together.

        A query without regions is for the whole image. Each is what :meth:`image_query` and
        :meth:`region_query` return; raises RegionError if any region lies outside.
        """

    def spread(self, window_ids: WindowIds) -> WindowIds:
        """Return those of a frame's windows that stand for the whole frame in a search."""

    def window_box(self, info: FrameInfo, window_id: int) -> Box:
        """Return the box of a window in source pixels, clipped to the frame."""


class KeyStore(Protocol):
    """API keys, of which only a digest is kept, and one-time login tokens."""

    def create(self, identity: Identity, ttl_s: float | None = None) -> str:
        """Create a key and return it, the only time that it is shown. Without ``ttl_s`` it does not expire.

        Raises ParameterError for a name that cannot be used or that a key has which was not revoked.
        """

    def verify(self, key: str) -> Identity | None:
        """Return who has a valid key; None for one that is unknown, was revoked or has expired."""

    def revoke(self, name: str) -> bool:
        """Make a key invalid; return whether there was one."""

    def listed(self) -> list[KeyInfo]:
        """Return the keys that were not revoked, in order of their names."""

    def note_uses(self, used_at: Mapping[str, float]) -> None:
        """Keep when keys were used last, by their names, in seconds since the epoch.

        A time that is earlier than the one that is kept changes nothing.
        """

    def create_login(self, identity: Identity, ttl_s: float) -> str:
        """Return a token that can be redeemed once within ``ttl_s`` seconds, an hour at most.

        A token that would be valid for longer was made before the clock was set back, and is not.
        """

    def redeem_login(self, token: str) -> Identity | None:
        """Use up a token and return whom it lets in; None if it was not valid."""


class Integrity(Protocol):
    """Tells whether stored rows are still what was written, and takes out those that are not."""

    def store_problems(self) -> list[str]:
        """Return what the store's own check of its files finds, a line each; empty if it is sound."""

    def mend_store(self) -> None:
        """Build anew what the store derives from its rows, if its own check finds anything."""

    def check_entries(self, after_id: int, limit: int) -> CheckedEntries | None:
        """Verify the next entries in order of their ids; None after the last."""

    def check_log(self, progress: Callable[[int], None] = lambda _rows: None) -> CheckedLog:
        """Verify the whole log, against its digests and against the entries; told the rows done so far."""

    def take_out(self, entry_ids: Sequence[int]) -> int:
        """Move those that are damaged indeed to the damaged rows, and log them as gone; return how many."""

    def damaged_rows(self) -> list[DamagedRow]:
        """Return the frames that were taken out and are not back, oldest first."""

    def forget_damaged(self, entry_ids: Sequence[int]) -> None:
        """Drop damaged rows whose frames are back under other names."""

    def mend_log(self) -> int:
        """Make the log say again what the entries say; return the number of rows written.

        Damaged and lost rows are written anew, and an entry that vanished is logged as deleted.
        """

    def seal(self, table: SealedTable, after_id: int, limit: int) -> Sealed | None:
        """Give digests to those of the next rows that an older version wrote; None after the last."""

    def secret_check(self, name: str) -> str | None:
        """Return the check value of a secret, None before there is one."""

    def keep_secret_check(self, name: str, value: str) -> None:
        """Store the check value of a secret, in place of any other."""

    def holds_patient_keys(self) -> bool:
        """Return whether any frame has a key that was made with the patient secret."""

    def rotate_patients(
        self,
        step: bytes,
        check: str,
        anchor: AuditAnchor | None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> int:
        """Give each patient the next key (:func:`hmar.values.patients.next_key`), wherever one is kept.

        It is done as a whole or not at all, with the check value of the next patient secret, and the proof of
        where the audit log begins. Nobody else works with keys of patients meanwhile.

        Parameters
        ----------
        step : bytes
            What the rotation has drawn.
        check : str
            The check value of the next patient secret.
        anchor : AuditAnchor or None
            Where the audit log begins, with its next proof.
        progress : callable
            Told (rows done, rows in all).

        Returns
        -------
        int
            How many frames have another key.

        Raises
        ------
        ConfigError
            If a row cannot be read.
        """


class Copyable(Protocol):
    """What a backup takes a copy of while it is written to."""

    def revision(self) -> str:
        """Return the revision of the schema."""

    def copy(self, target: Path, progress: Callable[[int, int], None]) -> bool:
        """Write one state of the whole store to a file; told (parts done, parts).

        Returns False, with nothing written, where another tool must do it. Raises ConfigError where nothing
        is kept.
        """


class SessionStore(Protocol):
    """Logins to the page, of which only a digest is kept. Those past their time are removed."""

    def begin(self, identity: Identity, ttl_s: float) -> str:
        """Return the secret of a new session, which ends after ``ttl_s`` seconds."""

    def whose(self, secret: str) -> Identity | None:
        """Return who began a session that has not ended; None if there is none."""

    def end(self, secret: str) -> bool:
        """End a session; return whether it was there."""


class AuditStore(Protocol):
    """Rows of the audit log, numbered from 1 without gaps; what they mean is :mod:`hmar.audit_log`'s."""

    def append(self, records: Sequence[AuditRecord], seal: Seal) -> AuditMark:
        """Append records in one transaction, each sealed after the one before; return the last row."""

    def rows(self, after_seq: int, limit: int) -> list[AuditRow]:
        """Return the next rows in order of their numbers."""

    def newest(self, wanted: WantedAudit, before_seq: int | None, limit: int) -> list[AuditRow]:
        """Return the last rows before a number that are wanted, newest first; None is the end."""

    def digest(self, seq: int) -> str | None:
        """Return the digest of a row, None where there is none."""

    def anchor(self) -> AuditAnchor | None:
        """Return where the log begins, None where nothing was pruned."""

    def prune(self, anchor: AuditAnchor) -> int:
        """Remove the rows up to an anchor, which takes their place; return how many.

        An anchor that is not behind the one there changes nothing.
        """


class WebhookStore(Protocol):
    """Subscriptions to changes, and how far each is. One sender at a time holds one, by a claim."""

    def add(self, name: str, url: str, collections: frozenset[str] | None, after: int) -> Webhook:
        """Keep a new subscription, which knows the log up to a row.

        Raises ParameterError if the name is taken.
        """

    def listed(self) -> list[Webhook]:
        """Return the subscriptions in order of their names."""

    def remove(self, name: str) -> bool:
        """End a subscription; return whether there was one."""

    def enable(self, name: str) -> Webhook | None:
        """Let a subscription go on at once, as if nothing had failed; None if there is none."""

    def claim(self, webhook_id: str, lease_s: float) -> Claim | None:
        """Hold a subscription that is due and that no other sender holds; None if there is no such one.

        A claim ends with the call that says what came of it, or after ``lease_s`` seconds. A lease that ends
        later than that from now was given before the clock was set back, and holds no more.
        """

    def delivered(self, claim: Claim, after: int) -> bool:
        """Note that a delivery was taken, up to a row; return whether the claim still held.

        Where it does not hold any more, nothing changes, here and below.
        """

    def passed(self, claim: Claim, after: int) -> bool:
        """Note that nothing up to a row is of any concern; return whether the claim still held."""

    def failed(self, claim: Claim, reason: str, next_at: float, disabled: bool) -> bool:
        """Note why an attempt failed, and when the next is due; return whether the claim still held."""


class Posted(NamedTuple):
    """What came of a delivery: the status of the answer, 0 without one, and why it was not taken, or None."""

    status: int
    fault: str | None


class Receivers(Protocol):
    """Carries deliveries to those who subscribed."""

    def check(self, url: str) -> None:
        """Raise ParameterError unless deliveries can be sent to a URL."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Send a body once. Whatever goes wrong on the way is told as a fault."""


class FeedbackStore(Protocol):
    """Judgements of hits; they go with the frames that they name.

    A deletion takes those of the frames deleted, those of queries with these, and those of queries with a
    file that was indexed as these. So does another image that takes a frame's place.
    """

    def add(self, judgements: Sequence[Judgement]) -> int:
        """Keep judgements, and return how many: one that names what is not indexed is not kept.

        What one person has said of the same frame and query before goes.
        """

    def listed(self, after_seq: int, limit: int, collection: Collections = None) -> list[KeptJudgement]:
        """Return the next judgements whose two frames are in some collections, in order of their numbers.

        Numbers grow, and none comes twice.
        """


class FollowStore(Protocol):
    """How far each PACS is followed. One watcher at a time holds one, for as long as its lease lasts."""

    def followed(self, site: str) -> Followed:
        """Return how far a PACS is followed; a fresh state for one that never was."""

    def claim(self, site: str, holder: str, lease_s: float) -> Followed | None:
        """Hold a PACS, or go on holding it; None where another watcher does.

        A lease that ends later than ``lease_s`` from now was given before the clock was set back, and holds
        no more.
        """

    def keep(
        self, site: str, holder: str, state: FollowState, lease_s: float, done: SweepKind | None = None
    ) -> bool:
        """Write a state, renew the lease, and forget that somebody asked for what is ``done``.

        Returns whether the PACS was still held; where it was not, nothing changes.
        """

    def release(self, site: str, holder: str) -> None:
        """Let another watcher hold the PACS."""

    def ask(self, site: str, kind: SweepKind) -> None:
        """Have whoever watches a PACS begin a sweep; what was asked for before is forgotten."""

    def note_gone(self, site: str, gone: Collection[InstanceReference]) -> None:
        """Note that a PACS has instances no more, which are to be deleted here."""

    def note_deleted(self, site: str, gone: Collection[InstanceReference]) -> None:
        """Note that such instances were deleted here."""

    def note_back(self, site: str, back: Collection[InstanceReference]) -> None:
        """Forget both of instances that the PACS has."""

    def gone(self, site: str, limit: int) -> list[InstanceReference]:
        """Return instances that are to be deleted, in any order."""

    def gone_count(self, site: str) -> int:
        """Return how many there are."""

    def deleted(self, site: str, references: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those of some instances that were deleted here because the PACS had them no more."""


class PacsHoldings(Protocol):
    """What the archive holds that came from a PACS, in all collections and of all models."""

    def studies(self, site: str) -> list[str]:
        """Return the UIDs of studies with live frames that came from a PACS, in any order."""

    def of_study(self, site: str, study_uid: str) -> list[HeldInstance]:
        """Return the instances of a study whose live frames all came from the PACS."""

    def count(self, site: str) -> int:
        """Return how many instances came from a PACS, one in two collections as one."""

    def asked_for(self, collection: str, references: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those of some instances that a job of a collection was ever created for."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The ports that keep their rows in one place, a database or memory.

    Parameters
    ----------
    catalogue : Catalogue
    models : ModelStore
    slabs : SlabStore
    jobs : JobStore
    keys : KeyStore
    sessions : SessionStore
    audit : AuditStore
    webhooks : WebhookStore
    feedback : FeedbackStore
    follows : FollowStore
    holdings : PacsHoldings
    integrity : Integrity
    copies : Copyable
    close : callable
        Gives back connections.
    """

    catalogue: Catalogue
    models: ModelStore
    slabs: SlabStore
    jobs: JobStore
    keys: KeyStore
    sessions: SessionStore
    audit: AuditStore
    webhooks: WebhookStore
    feedback: FeedbackStore
    follows: FollowStore
    holdings: PacsHoldings
    integrity: Integrity
    copies: Copyable
    close: Callable[[], None]
