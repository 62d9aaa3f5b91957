"""The composition root: settings to a working engine. The only file that chooses concrete classes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hmar.adapters.dicomweb import PacsSource, read_sites
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.folder_source import FolderSource
from hmar.adapters.unkept_frames import UNKEPT, UnkeptFrames
from hmar.adapters.upload_store import UploadStore
from hmar.adapters.webhook_receivers import HttpReceivers
from hmar.audit_feed.feed import AuditFeed
from hmar.audit_feed.senders import sender_to
from hmar.audit_log import AuditLog
from hmar.backup.restore import settle_restore
from hmar.config import CUDA, Settings
from hmar.decoding.contained import ContainedDecoder, ContainedFile
from hmar.decoding.indexed import frame_of, stored_of
from hmar.decoding.limits import DecodeLimits
from hmar.dicom.deidentify import PatientHasher
from hmar.disk import Disk, writing
from hmar.errors import ConfigError, NotFoundError, OperatorError, UnavailableError, shown
from hmar.exporting import Exporter
from hmar.files import sweep_drafts
from hmar.home import make_folders
from hmar.index.gpu.choosing import gpu_scanner
from hmar.index.scan import Scanner
from hmar.index.scanning import WindowScanner
from hmar.index.snapshot import drop_others
from hmar.indexing.arrivals import Arrivals
from hmar.indexing.carrying import Carrier
from hmar.indexing.encoders import RecordedEncoders
from hmar.indexing.in_pacs import InPacs
from hmar.indexing.indexer import Indexer
from hmar.indexing.intake import Intake
from hmar.indexing.reindexing import Reindexing
from hmar.indexing.submitting import submit
from hmar.known_models import THUMBNAIL, KnownModels
from hmar.links import ViewerLinks
from hmar.model.serving.maps import KeptMaps
from hmar.patient_names import PatientNames
from hmar.ports import (
    Catalogue,
    CodeHolder,
    CodeIndex,
    FeedbackStore,
    FrameEncoder,
    ImageSource,
    JobQueue,
    JobStore,
    KeyStore,
    ModelStore,
    PacsImages,
    Receivers,
    SessionStore,
    SlabStore,
    Storage,
    UploadSource,
)
from hmar.removal import Remover
from hmar.reporting.contained import ContainedWriter
from hmar.search import Searcher
from hmar.secrets import Secrets, load_secrets, new_secrets, secrets_in_use
from hmar.serving import Serving
from hmar.slabs import WholeCodes
from hmar.spool import Spool
from hmar.tracing import Tracer
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.audit import Accessed
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame
from hmar.values.models import ModelName
from hmar.values.pulls import PACS
from hmar.values.stored import StoredFrame
from hmar.watching.following import Following
from hmar.watching.watcher import Watcher
from hmar.webhooks.sending import WebhookSender
from hmar.webhooks.signing import secret_of
from hmar.webhooks.subscribing import Subscriptions

if TYPE_CHECKING:
    from hmar.oidc.tokens import Tokens


class Engine:
    """Everything the product is made of, each part built when it is first used.

    Parameters
    ----------
    settings : Settings
        Where things are, and which adapters keep and carry them.
    encoder : FrameEncoder or None
        The model to use, whatever the archive records. None loads the one that the archive uses, and where it
        records none, the one that the settings name.
    queue : JobQueue or None
        None takes the one that the settings name.
    serving : bool
        True for a process that stays: it starts at once on the newest snapshot, and checks it in the
        background. False checks it before the first search.
    decoder : ContainedDecoder or None
        None makes one that knows patients by this archive's secret. Whoever made it closes it.
    """

    def __init__(
        self,
        settings: Settings,
        encoder: FrameEncoder | None = None,
        queue: JobQueue | None = None,
        serving: bool = False,
        decoder: ContainedDecoder | None = None,
    ) -> None:
        self.settings = settings
        self._stays = serving
        self._current: Serving | None = None
        self._not_followed: OperatorError | None = None
        self._taking = threading.RLock()
        self._encoder = encoder
        self._queue = queue
        self._decoder = decoder
        self._open = ExitStack()

    @cached_property
    def secrets(self) -> Secrets:
        """Keys of this archive, which stay until it is closed.

        Raises ConfigError where they are not those that it was made with, or are being rotated.
        """
        if self.settings.in_memory:
            return new_secrets()
        self._open.enter_context(secrets_in_use(self.settings.home))
        return load_secrets(self.settings.home, self.storage.integrity)

    @cached_property
    def disk(self) -> Disk:
        """The disk that rows, uploads and snapshots are written to."""
        return Disk(_written(self.settings), self.settings.min_free_mb << 20)

    @cached_property
    def storage(self) -> Storage:
        """Where rows are kept; a database is brought up to date first."""
        storage = load_storage(self.settings)
        self._open.callback(storage.close)
        return storage

    @property
    def catalogue(self) -> Catalogue:
        """Entries and their log."""
        return self.storage.catalogue

    @property
    def models(self) -> ModelStore:
        """Which model is used, and what is indexed under which."""
        return self.storage.models

    @property
    def slabs(self) -> SlabStore:
        """Slabs of thin slices, and the codes that no index holds."""
        return self.storage.slabs

    @property
    def codes(self) -> CodeHolder:
        """All codes of what may be found, those of slices that are held back included."""
        return WholeCodes(self.index, self.slabs)

    @property
    def jobs(self) -> JobStore:
        """Jobs and items."""
        return self.storage.jobs

    @property
    def keys(self) -> KeyStore:
        """API keys and login links."""
        return self.storage.keys

    @property
    def sessions(self) -> SessionStore:
        """Logins to the page."""
        return self.storage.sessions

    @cached_property
    def tokens(self) -> Tokens | None:
        """Tokens of the identity provider, None where the settings name none."""
        provider = self.settings.identity_provider
        if provider is None:
            return None
        from hmar.oidc.roles import Roles
        from hmar.oidc.tokens import Tokens

        return Tokens(provider, Roles.read(provider.roles_file))

    @cached_property
    def audit_log(self) -> AuditLog:
        """Who was given whose data."""
        return self.audit_log_under(self.secrets)

    def audit_log_under(self, secrets: Secrets) -> AuditLog:
        """Return the audit log as keys of this archive seal it."""
        head = None if self.settings.in_memory else self.settings.home / "audit-head.json"
        store, key, former = self.storage.audit, secrets.audit, secrets.former_audit
        feed = self.audit_feed
        if feed is None:
            return AuditLog(store, key, head, former=former)
        return AuditLog(store, key, head, feed.offer, former)

    @property
    def feedback(self) -> FeedbackStore:
        """Judgements of hits."""
        return self.storage.feedback

    @cached_property
    def audit_feed(self) -> AuditFeed | None:
        """What sends the audit log to a syslog receiver, too; None where the settings name none."""
        receiver = self.settings.audit_receiver
        if receiver is None:
            return None
        feed = AuditFeed(receiver, sender_to(receiver))
        self._open.callback(feed.close)
        return feed

    @cached_property
    def tracer(self) -> Tracer | None:
        """Tells an OpenTelemetry collector what is done; None where the settings name none."""
        if not self.settings.otel_endpoint:
            return None
        tracer = Tracer(self.settings.otel_endpoint, "hmar-web" if self._stays else "hmar-worker")
        self._open.callback(tracer.close)
        return tracer

    @cached_property
    def receivers(self) -> Receivers:
        """Carries deliveries of webhooks."""
        return HttpReceivers(self.settings.receiver_networks)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """The use case of subscribing to changes."""
        return Subscriptions(self.storage.webhooks, self.catalogue, self.receivers, self._webhook_secret)

    @cached_property
    def webhook_sender(self) -> WebhookSender:
        """Sends changes to those who subscribed."""
        return WebhookSender(
            self.storage.webhooks,
            self.catalogue,
            self.receivers,
            self._webhook_secret,
            self.audit_log.append,
        )

    def _webhook_secret(self, webhook_id: str) -> str:
        return secret_of(self.secrets.webhooks, webhook_id)

    @cached_property
    def known_models(self) -> KnownModels:
        """The models that can be loaded here."""
        settings = self.settings
        chosen = settings.model_dir not in ("", THUMBNAIL)
        return KnownModels(
            None if settings.in_memory else settings.model_root, Path(settings.model_dir) if chosen else None
        )

    @cached_property
    def encoders(self) -> RecordedEncoders:
        """The models that frames are indexed under."""
        threads, maps, device = self.settings.encoder_threads, self.kept_maps, self.settings.encoder_device
        return RecordedEncoders(
            self.models,
            lambda fingerprint: self.known_models.encoder(fingerprint, threads, maps, device),
            lambda: self._encoder or load_encoder(self.settings, maps),
            fixed=self._encoder is not None,
        )

    @property
    def serving(self) -> Serving:
        """The model that answers searches here, with its index; take it once for one answer."""
        with self._taking:
            if self._current is None:
                self._current = self._served_by(self.encoders.used())
            return self._current

    def follow(self) -> Serving | None:
        """Take up the model that the archive uses by now; return it, None where that is the one already.

        The one before answers until the whole log is applied to the new one's index. It is not closed: who
        took it for an answer finishes with it.

        Raises
        ------
        OperatorError
            If the model cannot be taken up, for whatever reason. The one before goes on.
        """
        if not self.behind:
            return None
        try:
            taken = self._taken_up()
        except OperatorError as error:
            # Without where it was raised: what was built there would stay in memory.
            self._not_followed = type(error)(error.detail, error.remedy)
            raise
        with self._taking:
            self._current, self._not_followed = taken, None
        return taken

    def _taken_up(self) -> Serving:
        """Return the model that the archive uses by now, with an index that has the whole log."""
        try:
            with ExitStack() as undone:
                taken = self._served_by(self.encoders.used())
                undone.callback(taken.close)
                taken.searcher.refresh()
                taken.unindexed()
                undone.pop_all()
        except OperatorError:
            raise
        except Exception as error:  # for want of memory, which two indexes take for a while
            raise UnavailableError(
                f"The model in use cannot be taken up ({type(error).__name__}).",
                "See that there is memory for both indexes, or use the model before again.",
            ) from error
        return taken

    def drop_other_snapshots(self) -> None:
        """Remove the index snapshots of all models but the one in use: no deletion would reach them.

        A model that is used again builds its index from the log.
        """
        if not self.settings.in_memory:
            used = self.models.roles().used
            drop_others(self.settings.index_root, used.fingerprint if used else self.encoder.fingerprint)

    @property
    def behind(self) -> bool:
        """Whether the archive uses another model by now than the one that answers here."""
        used = self.models.roles().used
        fixed = self._encoder is not None
        return not fixed and used is not None and used.fingerprint != self.encoder.fingerprint

    def check_model(self) -> bool:
        """Return whether the model in use answers here, and raise what keeps it from that."""
        if not self.behind:
            return True
        if self._not_followed is not None:
            raise self._not_followed
        return False

    def _served_by(self, encoder: FrameEncoder) -> Serving:
        return Serving(
            encoder, self.catalogue, self.models, self.slabs, self._new_index, self.settings.fast_above
        )

    @property
    def encoder(self) -> FrameEncoder:
        """The model that serves."""
        return self.serving.encoder

    @property
    def model_folder(self) -> Path | None:
        """The folder of the model that serves, None for the baseline."""
        return self.known_models.folder(self.encoder.fingerprint)

    @cached_property
    def kept_maps(self) -> KeptMaps:
        """Feature maps of the frames that were asked about last; none but in a process that stays."""
        return KeptMaps(self.settings.kept_frames_mb << 19 if self._stays else 0)

    @property
    def index(self) -> CodeIndex:
        """The projection of the catalogue that answers queries."""
        return self.serving.index

    def _new_index(self, model_fingerprint: str) -> CodeIndex:
        return EmbeddedIndex(
            None if self.settings.in_memory else self.settings.index_root,
            model_fingerprint,
            checked=not self._stays,
            scanner=_scanner(self.settings),
        )

    @property
    def searcher(self) -> Searcher:
        """The search use case."""
        return self.serving.searcher

    @cached_property
    def decoder(self) -> ContainedDecoder:
        """Bytes to frames, in processes of their own."""
        if self._decoder is not None:
            return self._decoder
        secret, *steps = self.secrets.patient
        decoder = ContainedDecoder(DecodeLimits.of(self.settings), secret, steps=steps)
        self._open.callback(decoder.close)
        return decoder

    @cached_property
    def sources(self) -> Mapping[str, ImageSource]:
        """Image sources by name; "local" is for the command line alone."""
        return {
            "local": FolderSource(Path("/")),
            "import": FolderSource(self.settings.import_root),
            UPLOAD: self.uploads,
            UNKEPT: UnkeptFrames(),
            PACS: self.pacs,
        }

    @cached_property
    def pacs(self) -> PacsImages:
        """What the PACS of the site have; raises ConfigError for a file of PACS that cannot be used."""
        source = PacsSource(read_sites(self.settings.pacs_path), spool=self.spool_folder)
        self._open.callback(source.close)
        return source

    @cached_property
    def following(self) -> Following:
        """How the PACS are followed, for who asks."""
        return Following(self.pacs, self.storage.follows)

    def watchers(self, clock: Callable[[], float] = time.time) -> list[Watcher]:
        """Return who watches each PACS that is followed; each is for one thread."""
        submitted = partial(submit, self.jobs, self.queue)
        return [
            Watcher(
                follow,
                self.pacs,
                self.storage.follows,
                self.storage.holdings,
                lambda collection, origin, references, request: submitted(
                    collection, origin, references, request=request
                ),
                self.remover.delete,
                self._record_gone,
                self.settings.item_lease_s,
                clock,
            )
            for follow in self.pacs.follows()
        ]

    def _record_gone(self, site: str, study_uid: str) -> None:
        touched = frozenset({("study", study_uid)})
        self.audit_log.append(
            [Accessed(time.time(), "deleteGoneStudy", "", "delete", f"pacs {site}", 0, "", touched)]
        )

    @cached_property
    def links(self) -> ViewerLinks:
        """Addresses of frames in viewers of the PACS that they came from; none while that cannot be told."""
        try:
            return ViewerLinks(self.pacs.viewers)
        except ConfigError:
            return ViewerLinks({})  # a search needs no PACS

    @cached_property
    def exporter(self) -> Exporter:
        """The use case of telling an answer as DICOM."""
        writer = ContainedWriter(DecodeLimits.of(self.settings))
        self._open.callback(writer.close)
        return Exporter(self._file, writer, lambda: self.pacs, self.settings.export_others)

    def _file(self, entry: EntryInfo) -> ContainedFile:
        """Open the file of an indexed frame."""
        source = self.sources[entry.origin.source]
        return self.decoder.open(source.fetch(entry.origin.reference, self.settings.max_file_bytes))

    @cached_property
    def uploads(self) -> UploadSource:
        """Files that came with a request."""
        if self.settings.in_memory:
            from hmar.adapters.memory import MemoryUploads

            return MemoryUploads()
        return UploadStore(self.settings.upload_root)

    @cached_property
    def queue(self) -> JobQueue:
        """The way to the workers; raises UnavailableError where no broker is named."""
        if self._queue is not None:
            return self._queue
        if self.settings.inline:
            from hmar.adapters.memory import InlineQueue

            return InlineQueue(lambda message: self.indexer.handle(message))
        if not self.settings.redis_url:
            raise UnavailableError(
                "HMAR_REDIS_URL is empty.", "Start the product with 'hmar serve', or set it."
            )
        from hmar.adapters.celery_queue import CeleryQueue

        return CeleryQueue(self.settings.redis_url)

    @cached_property
    def indexer(self) -> Indexer:
        """The indexing use case."""
        _ = self.secrets  # no frame is indexed before they are known to be right
        return Indexer(
            self.catalogue,
            self.jobs,
            self.queue,
            self.sources,
            self.encoders,
            self.decoder.open,
            self.settings,
            self.kept_uploads,
            check_disk=self.disk.check,
            carrier=Carrier(self.models, self._opened),
            # Looked up when it is needed: a request has no audit log to hand on.
            arrived=Arrivals(lambda accesses: self.audit_log.append(accesses)).note,
            in_pacs=self._in_pacs(),
        )

    @cached_property
    def patient_names(self) -> PatientNames:
        """The use case of telling who a patient is; raises ConfigError where there is no such PACS."""
        self._require_pacs("HMAR_SHOW_NAMES", self.settings.show_names)
        return PatientNames(self.settings.show_names, lambda: self.pacs, PatientHasher(*self.secrets.patient))

    def _require_pacs(self, variable: str, name: str) -> None:
        try:
            if name:
                self.pacs.require(name)
        except NotFoundError as error:
            raise ConfigError(f"{variable} is {shown(name)}: {error.detail}", error.remedy) from error

    def _in_pacs(self) -> InPacs | None:
        """Return what finds in a PACS what is sent here; raises ConfigError where there is no such PACS."""
        settings = self.settings
        if not settings.uploads_pacs:
            return None
        self._require_pacs("HMAR_UPLOADS_PACS", settings.uploads_pacs)
        return InPacs(settings.uploads_pacs, self.pacs, self.decoder.open, settings.max_file_bytes)

    @cached_property
    def reindexing(self) -> Reindexing:
        """The use case of moving to another model."""
        return Reindexing(self.models, self.jobs, lambda: self.queue, self._served_name)

    def _served_name(self) -> ModelName:
        return ModelName(self.encoder.fingerprint, self.encoder.name)

    def _opened(self, origin: Origin) -> Callable[[EntryInfo], Frame]:
        """Open the file of indexed frames; return what decodes them."""
        source = self.sources.get(origin.source)
        if source is None:
            raise NotFoundError(f"There is no source {origin.source!r} any more.", "Index the file again.")
        return partial(
            frame_of, self.decoder.open(source.fetch(origin.reference, self.settings.max_file_bytes))
        )

    @cached_property
    def kept_uploads(self) -> KeptUploads:
        """What receives uploads, and removes those that nobody needs."""
        return KeptUploads(self.uploads, self.jobs, self.catalogue)

    @cached_property
    def spool(self) -> Spool:
        """Files that were pushed here, and are not in an index job yet."""
        root = self.spool_folder
        if root is None:
            root = Path(self._open.enter_context(TemporaryDirectory(prefix="hmar-spool-")))
        return Spool(root)

    @property
    def spool_folder(self) -> Path | None:
        """The folder of what is too large for memory; None for an archive of which nothing is kept."""
        if self.settings.in_memory:
            return None
        root = self.settings.spool_root
        with writing("HMAR_HOME"):
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return root

    @property
    def intake(self) -> Intake:
        """The use case of taking what was pushed."""
        return Intake(self.spool, self.kept_uploads, self.queue)

    @cached_property
    def remover(self) -> Remover:
        """The use case of deleting."""
        return Remover(self.catalogue, self.kept_uploads, self._sweep_drafts)

    def _sweep_drafts(self) -> int:
        settings = self.settings
        return 0 if settings.in_memory else sweep_drafts(settings.home, (settings.import_root,))

    def frame(self, entry: EntryInfo) -> Frame:
        """Read an indexed frame again from where it came; raises NotFoundError if it is gone or changed."""
        source = self.sources[entry.origin.source]
        data = source.fetch(entry.origin.reference, self.settings.max_file_bytes)
        return frame_of(self.decoder.open(data, first_frame=entry.info.frame_number == 1), entry)

    def stored(self, entry: EntryInfo) -> StoredFrame:
        """Read an indexed frame as its file stores it; raises as :meth:`frame`."""
        source = self.sources[entry.origin.source]
        data = source.fetch(entry.origin.reference, self.settings.max_file_bytes)
        return stored_of(self.decoder.open(data), entry)

    def close(self) -> None:
        """Give back threads, processes and connections; the engine is not used afterwards."""
        if self._current is not None:
            self._current.close()
        self._open.close()


def _scanner(settings: Settings) -> WindowScanner:
    threads = min(settings.scan_threads, os.cpu_count() or 1)
    processor = Scanner(threads, settings.scan_kernels == "compiled")
    return gpu_scanner(processor) if settings.scan_device == CUDA else processor


def build_engine(
    settings: Settings,
    encoder: FrameEncoder | None = None,
    queue: JobQueue | None = None,
    serving: bool = False,
    decoder: ContainedDecoder | None = None,
) -> Engine:
    """Return the engine over an archive; creates its data directory, unless it is in memory."""
    if not settings.in_memory:
        make_folders(settings)
        settle_restore(settings.home)
    return Engine(settings, encoder, queue, serving, decoder)


def _written(settings: Settings) -> list[Path]:
    """Return the folders that are written to while the product runs."""
    if settings.in_memory:
        return []
    database = settings.database_url.removeprefix("sqlite:///")
    if database == settings.database_url:
        return [settings.home]
    return [settings.home, Path(database).absolute().parent]


def load_storage(settings: Settings) -> Storage:
    """Open the storage that the settings name: memory, or a database."""
    if settings.in_memory:
        from hmar.adapters.memory import memory_storage

        return memory_storage()
    from hmar.adapters.sql.storage import sql_storage

    # As a path, for a URL could not tell every name of a folder.
    return sql_storage(settings.database_url or settings.database_file)


def knows_schema(revision: str) -> bool:
    """Return whether this version can open a database of a schema."""
    from hmar.adapters.sql.storage import known_schemas

    return revision in known_schemas()


def load_encoder(settings: Settings, maps: KeptMaps | None = None) -> FrameEncoder:
    """Load the encoder that the settings name: the shipped model, a bundle's folder, or the baseline.

    ``maps`` keeps feature maps of frames that queries were made of.
    """
    if settings.model_dir == THUMBNAIL:
        from hmar.thumbnail import ThumbnailEncoder

        return ThumbnailEncoder()
    from hmar.encoder import HmarEncoder

    return HmarEncoder.load(model_folder(settings), settings.encoder_threads, maps, settings.encoder_device)


def model_folder(settings: Settings) -> Path:
    """Return the folder of the model that the settings name."""
    from hmar.encoder import shipped_bundle

    return Path(settings.model_dir) if settings.model_dir else shipped_bundle()
