"""Indexing: files to catalogue rows, through jobs that survive any crash.

What was asked for is written to the :class:`hmar.ports.JobStore` first and sent to the queue second, so a
message may be lost or come twice: a sweep sends again what has stalled, and handling a message twice
changes nothing. A frame is indexed once per (collection, SOP instance, frame number, model fingerprint).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from hmar.config import Settings
from hmar.errors import InputError, OperatorError, UnavailableError
from hmar.ports import Catalogue, FrameEncoder, ImageSource, JobQueue, JobStore
from hmar.properties.kinds.labels import label_value
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.codes import EncodedFrame, distinct_windows
from hmar.values.entries import Appended, Origin
from hmar.values.frames import Frame, FrameInfo, ImageFile
from hmar.values.jobs import Item, ItemState, Job, JobState, Message
from hmar.values.names import checked_name

CHUNK_FRAMES = 16
"""Frames committed together: few enough to hold, many enough for a transaction."""
PAGE_ITEMS = 1000
QUEUED_FOR_S = 3600.0
"""Age at which a queued row's message counts as lost although other messages still wait."""

_OPEN = frozenset({ItemState.QUEUED, ItemState.RUNNING})
_log = logging.getLogger(__name__)


def submit(
    jobs: JobStore,
    queue: JobQueue,
    collection: str,
    origin: Origin,
    references: Sequence[str] | None = None,
    label: str | None = None,
) -> str:
    """Create a job and send its first message; return the job's id.

    A broker that is down does not matter: the row is there, and a sweep sends the message later. ``label`` is
    given to the frames that the job adds.

    Raises
    ------
    ParameterError
        If the collection's name or the label cannot be used.
    """
    checked_name("collection", collection)
    kept_label = None if label is None else label_value(label)
    job_id = jobs.create(collection, origin, references, kept_label)
    _send(queue, [Message("expand", job_id)])
    return job_id


def sweep(jobs: JobStore, queue: JobQueue, queued_for_s: float) -> int:
    """Send a message again for each job and item that has stalled; return how many.

    While messages wait in the broker, a queued row most likely has its message among them: then only rows
    whose worker is gone, and very old ones, are sent again. Else a long job would be sent over and over.

    Parameters
    ----------
    queued_for_s : float
        Age at which a queued row counts as forgotten once no messages wait.
    """
    age = queued_for_s if queue.backlog() == 0 else max(queued_for_s, QUEUED_FOR_S)
    messages = jobs.overdue(age)
    queue.enqueue(messages)
    return len(messages)


class Indexer:
    """The use case of indexing, handed its ports.

    Parameters
    ----------
    catalogue, jobs, queue, sources : ports
        See :mod:`hmar.ports`; ``sources`` by name.
    encoder : FrameEncoder
        Makes the codes.
    decoder : callable
        Opens a file's bytes; raises DecodeError.
    settings : Settings
        Leases, attempts and limits.
    uploads : KeptUploads
        Keeps what is sent.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        jobs: JobStore,
        queue: JobQueue,
        sources: Mapping[str, ImageSource],
        encoder: FrameEncoder,
        decoder: Callable[[bytes], ImageFile],
        settings: Settings,
        uploads: KeptUploads,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._jobs = jobs
        self._queue = queue
        self._sources = sources
        self._encoder = encoder
        self._decoder = decoder
        self._settings = settings
        self._uploads = uploads
        self._clock = clock
        self.pulse = Pulse(clock)
        """Shows whoever watches that work goes on."""

    def submit(
        self,
        collection: str,
        origin: Origin,
        references: Sequence[str] | None = None,
        label: str | None = None,
    ) -> str:
        """Create a job over all that lies at ``origin``, or over ``references`` alone; see :func:`submit`."""
        return submit(self._jobs, self._queue, collection, origin, references, label)

    def submit_files(self, collection: str, contents: Sequence[bytes], label: str | None = None) -> str:
        """Create a job over files that were sent, and keep them; see :func:`submit`."""
        checked_name("collection", collection)
        kept_label = None if label is None else label_value(label)
        job_id = self._uploads.receive(collection, contents, kept_label)
        _send(self._queue, [Message("expand", job_id)])
        return job_id

    def add(
        self, collection: str, frames: Iterable[Frame], origin: Origin, label: str | None = None
    ) -> Appended:
        """Index frames that are decoded already, without a job; those indexed before stay as they are.

        Raises
        ------
        ParameterError
            If the collection's name is none, or the label.
        """
        checked_name("collection", collection)
        kept_label = None if label is None else label_value(label)
        unchanged = 0

        def new_frames() -> Iterator[Frame]:
            nonlocal unchanged
            for frame in frames:
                if self._new_frames([frame.info], collection):
                    yield frame
                else:
                    unchanged += 1

        appended = self._append(collection, new_frames(), origin, kept_label)
        return Appended(appended.added, appended.unchanged + unchanged)

    def sweep(self) -> int:
        """Send again what has stalled for longer than a lease; return the number of messages."""
        return sweep(self._jobs, self._queue, self._settings.item_lease_s)

    def handle(self, message: Message) -> None:
        """Do what a message asks for; a second time changes nothing."""
        self.pulse.take()
        try:
            if message.kind == "expand":
                self._expand(message.target)
            else:
                self._index(int(message.target))
        finally:
            self.pulse.rest()

    def resume(self, job_id: str) -> None:
        """Go on with a folder's job: list it again for what is new, and send what is open."""
        job = self._jobs.job(job_id)
        if job is not None and not job.finished and self._list(job):
            self._send_open(job_id)

    def _expand(self, job_id: str) -> None:
        job = self._jobs.job(job_id)
        if job is None or job.finished:
            return
        # A job created with references has its items already; its origin's reference names no folder.
        if job.state is JobState.RUNNING or self._list(job):
            self._send_open(job_id)

    def _list(self, job: Job) -> bool:
        try:
            references = []
            for reference in self._sources[job.origin.source].list(job.origin.reference):
                references.append(reference)
                self.pulse.beat()
            self._jobs.add_items(job.job_id, references)
        except OperatorError:
            raise
        except Exception as error:
            _log.warning("job %s could not be listed: %s", job.job_id, type(error).__name__)
            self._jobs.fail_job(job.job_id, _reason(error))
            return False
        return True

    def _send_open(self, job_id: str) -> None:
        """Send a message for every open item; one whose lease still runs is left alone when it is claimed."""
        after = 0
        while page := self._jobs.items(job_id, _OPEN, PAGE_ITEMS, after):
            _send(self._queue, [Message("item", str(item.item_id)) for item in page])
            after = page[-1].item_id

    def _index(self, item_id: int) -> None:
        item = self._jobs.claim(item_id, self._settings.item_lease_s, self._settings.max_attempts)
        if item is None:
            return
        try:
            added, frames = self._add_frames(item)
        except InputError as error:
            # The file will not get better: no second attempt.
            self._jobs.finish(item_id, ItemState.FAILED, 0, _reason(error))
        except (KeyboardInterrupt, SystemExit):
            # Whoever comes next need not wait for the lease.
            self._jobs.release(item_id, "Interrupted.")
            raise
        except BaseException as error:
            # Also what is no Exception, such as a panic of native code: it must not end the worker.
            self._give_back(item, error)
        else:
            self._jobs.finish(item_id, ItemState.INDEXED if added else ItemState.UNCHANGED, frames)
        if item.origin.source == UPLOAD:
            self._drop_unneeded(item)

    def _drop_unneeded(self, item: Item) -> None:
        """Remove the file of an item that has ended without a frame of its own."""
        try:
            self._uploads.collect([item.origin.reference])
        except OperatorError as error:
            _log.warning("the upload of item %d waits for the next sweep: %s", item.item_id, error.detail)

    def _give_back(self, item: Item, error: BaseException) -> None:
        _log.warning(
            "item %d, attempt %d of %d: %s",
            item.item_id,
            item.attempts,
            self._settings.max_attempts,
            type(error).__name__,
        )
        if item.attempts >= self._settings.max_attempts:
            self._jobs.finish(item.item_id, ItemState.DEAD, 0, _reason(error))
        else:
            self._jobs.release(item.item_id, _reason(error))

    def _add_frames(self, item: Item) -> tuple[int, int]:
        """Add what is new of a file; return the number of frames added, and of frames in the file."""
        source = self._sources[item.origin.source]
        file = self._decoder(source.fetch(item.origin.reference, self._settings.max_file_bytes))
        lease = _Lease(self._jobs, item.item_id, self._settings.item_lease_s, self._clock)
        frames = (file.frame(number) for number in self._new_frames(file.infos, item.collection))
        appended = self._append(item.collection, frames, item.origin, item.label, lease.progress)
        return appended.added, len(file.infos)

    def _append(
        self,
        collection: str,
        frames: Iterable[Frame],
        origin: Origin,
        label: str | None,
        progress: Callable[[], None] = lambda: None,
    ) -> Appended:
        """Encode frames and append them, some at a time; ``progress`` is called after each."""
        added = unchanged = 0
        encoded = (self._encoded(frame, label, progress) for frame in frames)
        while chunk := list(islice(encoded, CHUNK_FRAMES)):
            appended = self._catalogue.append(collection, chunk, origin)
            added += appended.added
            unchanged += appended.unchanged
        return Appended(added, unchanged)

    def _encoded(self, frame: Frame, label: str | None, progress: Callable[[], None]) -> EncodedFrame:
        encoded = distinct_windows(self._encoder.encode(frame))
        progress()
        self.pulse.beat()
        return replace(encoded, info=replace(encoded.info, label=label))

    def _new_frames(self, infos: Sequence[FrameInfo], collection: str) -> list[int]:
        listed = [(info.sop_instance_uid, info.frame_number) for info in infos]
        known = {
            (entry.info.sop_instance_uid, entry.info.frame_number)
            for uid in {uid for uid, _ in listed}
            for entry in self._catalogue.find(uid, self._encoder.fingerprint, collection)
        }
        return [number for uid, number in listed if (uid, number) not in known]


class Pulse:
    """Signs of life of who handles messages: how many it took, and since when it has shown no progress."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.taken = 0
        self._clock = clock
        self._last: float | None = None

    def take(self) -> None:
        """Note that a message is taken."""
        self.taken += 1
        self.beat()

    def beat(self) -> None:
        """Note progress."""
        self._last = self._clock()

    def rest(self) -> None:
        """Note that nothing is in hand."""
        self._last = None

    def silent_s(self) -> float | None:
        """Return the seconds since the last sign of progress, None with no message in hand."""
        last = self._last
        return None if last is None else self._clock() - last


class _Lease:
    """Keeps an item's lease as long as frames come; a decoder that hangs loses it.

    It is renewed once a quarter of it is over, so that one frame may take most of a lease.
    """

    def __init__(self, jobs: JobStore, item_id: int, lease_s: float, clock: Callable[[], float]) -> None:
        self._jobs = jobs
        self._item_id = item_id
        self._lease_s = lease_s
        self._clock = clock
        self._renewed = clock()

    def progress(self) -> None:
        now = self._clock()
        if now - self._renewed > self._lease_s / 4:
            self._jobs.renew(self._item_id, self._lease_s)
            self._renewed = now


def _send(queue: JobQueue, messages: Sequence[Message]) -> None:
    try:
        queue.enqueue(messages)
    except UnavailableError as error:
        _log.warning("%d messages wait for the next sweep: %s", len(messages), error.detail)


def _reason(error: BaseException) -> str:
    """Return the text kept on a row; an unexpected error's own text may hold patient data and is left out."""
    return (
        str(error) if isinstance(error, InputError | OperatorError) else f"Unexpected {type(error).__name__}."
    )
