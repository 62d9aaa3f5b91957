"""The use case of indexing: what a worker does with a message."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

from hmar.config import Settings
from hmar.contents import Content
from hmar.errors import (
    DiskFullError,
    InputError,
    NoImageError,
    OperatorError,
    PacsError,
)
from hmar.indexing.adding import Target
from hmar.indexing.carrying import Carrier
from hmar.indexing.encoders import Encoders
from hmar.indexing.in_pacs import InPacs
from hmar.indexing.progress import Lease, Pulse
from hmar.indexing.steering import PAGE_ITEMS, cancel, retry
from hmar.indexing.submitting import send, submit, sweep
from hmar.indexing.under_both import UnderBoth
from hmar.instances import Incoming
from hmar.ports import Catalogue, ImageSource, JobQueue, JobStore
from hmar.properties.kinds.labels import label_value
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.entries import Appended, Origin
from hmar.values.frames import Frame, FrameInfo, ImageFile
from hmar.values.jobs import (
    OPEN_ITEM_STATES,
    OPEN_JOB_STATES,
    Item,
    ItemState,
    Job,
    JobRequest,
    JobState,
    Message,
    reindexed_origin,
    reindexed_reference,
)
from hmar.values.masks import masked_names
from hmar.values.names import checked_name
from hmar.values.outcomes import Outcome, outcome_of
from hmar.values.pulls import PACS, InstanceReference
from hmar.values.references import named_as_image

MASK = "By its name it is the mask of an image beside it. To index it, rename it or give its own path."
"""Why a mask is left out."""

_log = logging.getLogger(__name__)


class Indexer:
    """The use case of indexing, handed its ports.

    Parameters
    ----------
    catalogue, jobs, queue, sources : ports
        See :mod:`hmar.ports`; ``sources`` by name.
    encoders : Encoders
        Make the codes.
    decoder : callable
        Opens a file's bytes; raises DecodeError.
    settings : Settings
        Leases, attempts and limits.
    uploads : KeptUploads
        Keeps what is sent.
    clock : callable
        Returns seconds that only grow.
    check_disk : callable
        Raises OperatorError where there is no room for what is indexed; then nothing is begun.
    carrier : Carrier or None
        Indexes what is there under another model; None where that is never asked for.
    arrived : callable
        Told of every file that is about to be indexed, with what is known of its first frame.
    in_pacs : InPacs or None
        Says where files that were sent are read once they are not here any more; None keeps them.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        jobs: JobStore,
        queue: JobQueue,
        sources: Mapping[str, ImageSource],
        encoders: Encoders,
        decoder: Callable[[Content], ImageFile],
        settings: Settings,
        uploads: KeptUploads,
        clock: Callable[[], float] = time.monotonic,
        check_disk: Callable[[], None] = lambda: None,
        carrier: Carrier | None = None,
        arrived: Callable[[Item, FrameInfo], None] = lambda _item, _info: None,
        in_pacs: InPacs | None = None,
    ) -> None:
        self._arrived = arrived
        self._jobs = jobs
        self._queue = queue
        self._sources = sources
        self._encoders = encoders
        self._carrier = carrier
        self._in_pacs = in_pacs
        self._decoder = decoder
        self._settings = settings
        self._uploads = uploads
        self._clock = clock
        self._check_disk = check_disk
        self._unwritten: dict[int, Callable[[], None]] = {}
        self.pulse = Pulse(clock)
        """Shows whoever watches that work goes on."""
        self._adder = UnderBoth(catalogue, encoders, carrier, settings.same_uid, self.pulse.beat)

    def submit(
        self,
        collection: str,
        origin: Origin,
        references: Sequence[str] | None = None,
        label: str | None = None,
        patients: Mapping[str, str] | None = None,
        request: JobRequest | None = None,
    ) -> str:
        """Create a job over all that lies at ``origin``, or over ``references`` alone; see :func:`submit`."""
        return submit(self._jobs, self._queue, collection, origin, references, label, patients, request)

    def submit_files(
        self,
        collection: str,
        contents: Sequence[bytes],
        label: str | None = None,
        names: Sequence[str] | None = None,
        request: JobRequest | None = None,
    ) -> str:
        """Create a job over files that were sent; see :meth:`hmar.uploads.KeptUploads.receive`."""
        checked_name("collection", collection)
        kept_label = None if label is None else label_value(label)
        job_id = self._uploads.receive(collection, contents, kept_label, names, request)
        send(self._queue, [Message("expand", job_id)])
        return job_id

    def cancel(self, job_id: str) -> None:
        """End a job before its time; see :func:`hmar.indexing.steering.cancel`."""
        cancel(self._jobs, self._uploads, job_id)

    def retry(self, job_id: str) -> None:
        """Index again what failed of a job; see :func:`hmar.indexing.steering.retry`."""
        retry(self._jobs, self._queue, job_id)

    def add(
        self, collection: str, frames: Iterable[Frame], origin: Origin, label: str | None = None
    ) -> Appended:
        """Index frames that are decoded already, without a job; those indexed before stay as they are.

        Raises
        ------
        ConflictError
            If another image has the SOP Instance UID of a frame, and HMAR_SAME_UID is to refuse that; those
            before it are indexed.
        ParameterError
            If the collection's name is none, or the label.
        """
        checked_name("collection", collection)
        kept_label = None if label is None else label_value(label)
        target = Target(collection, origin, kept_label)
        added = [self._adder.add(Incoming.of_frame(frame), target).added for frame in frames]
        return Appended(sum(added), len(added) - sum(added))

    def sweep(self, clock_was_set: bool = False) -> int:
        """Send again what has stalled for longer than a lease; return the number of messages.

        Parameters
        ----------
        clock_was_set : bool
            Whether the wall clock was set since the last sweep. No lease counts as over then: workers that
            live would lose what they do.
        """
        self._jobs.rebase_leases(self._settings.item_lease_s, all_running=clock_was_set)
        return sweep(self._jobs, self._queue, self._settings.item_lease_s)

    def handle(self, message: Message) -> None:
        """Do what a message asks for; a second time changes nothing.

        Raises
        ------
        OperatorError
            If the database fails, the disk is full, or a model cannot be loaded. The message is handled again
            later.
        """
        self.pulse.take()
        try:
            self._check_disk()
            self._write_down()
            if message.kind == "expand":
                self._expand(message.target)
            else:
                self._index(int(message.target))
        finally:
            self.pulse.rest()

    def resume(self, job_id: str) -> None:
        """Go on with a folder's job: list it again for what is new, and send what is open."""
        job = self._jobs.job(job_id)
        if job is not None and job.state in OPEN_JOB_STATES and self._list(job):
            self._send_open(job_id)

    def _expand(self, job_id: str) -> None:
        job = self._jobs.job(job_id)
        if job is None or job.state not in OPEN_JOB_STATES:
            return
        # A job created with references has its items already; its origin's reference names no folder.
        if job.state is JobState.RUNNING or self._list(job):
            self._send_open(job_id)

    def _list(self, job: Job) -> bool:
        try:
            references = []
            for reference in self._references(job):
                references.append(reference)
                self.pulse.beat()
            self._jobs.add_items(job.job_id, references)
        except Exception as error:
            # Of a PACS whoever asked is told: it may be the wrong address.
            if isinstance(error, OperatorError) and not isinstance(error, PacsError):
                raise
            _log.warning("job %s could not be listed: %s", job.job_id, type(error).__name__)
            self._jobs.fail_job(job.job_id, _reason(error))
            return False
        return True

    def _references(self, job: Job) -> Iterable[str]:
        """Return the files of a job that is to be listed."""
        if job.model is None:
            return self._sources[job.origin.source].list(job.origin.reference)
        return map(reindexed_reference, self._carries().files(job.model, job.collection))

    def _send_open(self, job_id: str) -> None:
        """Send a message for every open item; one whose lease still runs is left alone when it is claimed."""
        after = 0
        while page := self._jobs.items(job_id, OPEN_ITEM_STATES, PAGE_ITEMS, after):
            send(self._queue, [Message("item", str(item.item_id)) for item in page])
            after = page[-1].item_id

    def _index(self, item_id: int) -> None:
        self._encoders.current()  # no attempt is lost where a model cannot be loaded
        item = self._jobs.claim(item_id, self._settings.item_lease_s, self._settings.max_attempts)
        if item is None:
            return
        try:
            outcome = self._outcome(item)
        except (DiskFullError, PacsError) as error:
            # No fault of the file's: it waits, and its attempt does not count.
            self._record(item_id, partial(self._jobs.release, item_id, _reason(error), counted=False))
            raise
        except (KeyboardInterrupt, SystemExit):
            # Whoever comes next need not wait for the lease.
            self._jobs.release(item_id, "Interrupted.")
            raise
        except BaseException as error:
            # Also what is no Exception, such as a panic of native code: it must not end the worker.
            self._record(item_id, self._after_failure(item, error))
        else:
            self._record(item_id, partial(self._jobs.finish, item_id, *outcome))
        if item.origin.source == UPLOAD:
            self._drop_unneeded(item)

    def _drop_unneeded(self, item: Item) -> None:
        """Remove the file of an item that has ended without a frame of its own."""
        try:
            self._uploads.collect([item.origin.reference])
        except OperatorError as error:
            _log.warning("the upload of item %d waits for the next sweep: %s", item.item_id, error.detail)

    def _record(self, item_id: int, write: Callable[[], None]) -> None:
        """Write down how an item went; what a full disk does not take is kept for later."""
        self._unwritten[item_id] = write
        self._write_down()

    def _write_down(self) -> None:
        """Write how items went that a full disk has not taken, as soon as there is room."""
        while self._unwritten:
            item_id = next(iter(self._unwritten))
            write = self._unwritten.pop(item_id)
            try:
                write()
            except DiskFullError:
                self._unwritten[item_id] = write
                raise

    def _after_failure(self, item: Item, error: BaseException) -> Callable[[], None]:
        """Return what to write of an item after an unexpected error: another attempt, or its end."""
        _log.warning(
            "item %d, attempt %d of %d: %s",
            item.item_id,
            item.attempts,
            self._settings.max_attempts,
            type(error).__name__,
        )
        if item.attempts >= self._settings.max_attempts:
            return partial(self._jobs.finish, item.item_id, ItemState.DEAD, 0, _reason(error))
        return partial(self._jobs.release, item.item_id, _reason(error))

    def _outcome(self, item: Item) -> Outcome:
        """Add or carry a file, and return how it ended; bad input is an end, other errors go on."""
        try:
            return self._add_file(item) if item.model is None else self._carry_file(item, item.model)
        except NoImageError as error:
            return Outcome(_state_without_image(item), 0, _reason(error))
        except InputError as error:
            # The file will not get better: no second attempt.
            return Outcome(ItemState.FAILED, 0, _reason(error))

    def _add_file(self, item: Item) -> Outcome:
        """Add what is new of a file, unless it is a mask."""
        source = self._sources[item.origin.source]
        if self._is_mask(item, source):
            return Outcome(ItemState.SKIPPED, 0, MASK)
        data = source.fetch(item.origin.reference, self._settings.max_file_bytes)
        file = self._decoder(data)
        if item.origin.source == PACS:
            InstanceReference.parse(item.origin.reference).check(file.infos[0])
        incoming = Incoming.of_file(file, data).of_patient(item.patient_key)
        self._arrived(item, incoming.first)
        target = Target(item.collection, self._read_again(item, file, data), item.label)
        done = self._adder.add(incoming, target, self._lease(item).progress)
        bad = {number: _reason(error) for number, error in done.bad.items()}
        return outcome_of(len(incoming.numbers), done.added, bad, done.untried)

    def _read_again(self, item: Item, file: ImageFile, data: Content) -> Origin:
        """Return where an item's file can be read again once the item has ended."""
        if item.origin.source != UPLOAD or self._in_pacs is None:
            return item.origin
        return self._in_pacs.origin(file, data)

    def _carry_file(self, item: Item, model_fingerprint: str) -> Outcome:
        """Index under a model what it misses of a file's frames."""
        encoder, lease = self._encoders.current().of(model_fingerprint), self._lease(item)

        def progress() -> None:
            lease.progress()
            self.pulse.beat()

        origin = reindexed_origin(item.origin.reference)
        done = self._carries().file(item.collection, origin, encoder, progress)
        return outcome_of(done.total, done.added, done.bad, done.untried)

    def _carries(self) -> Carrier:
        if self._carrier is None:
            raise RuntimeError("nothing was given that carries frames to another model")
        return self._carrier

    def _lease(self, item: Item) -> Lease:
        return Lease(self._jobs, item.item_id, self._settings.item_lease_s, self._clock)

    def _is_mask(self, item: Item, source: ImageSource) -> bool:
        """Whether a file is named as the mask of an image beside it; not where it was asked for by itself."""
        path = PurePosixPath(item.origin.reference)
        if not any(_is_file(source, str(path.with_name(name))) for name in masked_names(path.name)):
            return False
        job = self._jobs.job(item.job_id)
        return job is None or job.total > 1


def _is_file(source: ImageSource, reference: str) -> bool:
    try:
        return next(iter(source.list(reference)), None) == reference
    except InputError:
        return False


def _state_without_image(item: Item) -> ItemState:
    """Return what a file becomes that is no image: skipped, unless somebody said that it is one."""
    asked_for = item.origin.source == UPLOAD or named_as_image(item.origin.reference)
    return ItemState.FAILED if asked_for else ItemState.SKIPPED


def _reason(error: BaseException) -> str:
    """Return the text kept on a row; an unexpected error's own text may hold patient data and is left out."""
    return (
        str(error) if isinstance(error, InputError | OperatorError) else f"Unexpected {type(error).__name__}."
    )
