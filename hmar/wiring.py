"""The composition root: settings to a working engine. The only file that chooses concrete classes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.folder_source import FolderSource
from hmar.adapters.unkept_frames import UNKEPT, UnkeptFrames
from hmar.adapters.upload_store import UploadStore
from hmar.audit_log import AuditLog
from hmar.backup.restore import settle_restore
from hmar.config import Settings
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.indexed import frame_of
from hmar.decoding.limits import DecodeLimits
from hmar.disk import Disk
from hmar.errors import UnavailableError
from hmar.files import sweep_drafts
from hmar.home import make_folders
from hmar.indexing.indexer import Indexer
from hmar.model.serving.maps import KeptMaps
from hmar.ports import (
    Catalogue,
    CodeIndex,
    FeedbackStore,
    FrameEncoder,
    ImageSource,
    JobQueue,
    JobStore,
    KeyStore,
    SessionStore,
    Storage,
    UploadSource,
)
from hmar.removal import Remover
from hmar.search import Searcher
from hmar.secrets import Secrets, load_secrets, new_secrets
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame

THUMBNAIL = "thumbnail"
"""HMAR_MODEL_DIR that selects the baseline without learning."""


class Engine:
    """Everything the product is made of, each part built when it is first used.

    Parameters
    ----------
    settings : Settings
        Where things are, and which adapters keep and carry them.
    encoder : FrameEncoder or None
        None loads the model that the settings name.
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
        self._serving = serving
        self._encoder = encoder
        self._queue = queue
        self._decoder = decoder
        self._open = ExitStack()

    @cached_property
    def secrets(self) -> Secrets:
        """Keys of this archive; raises ConfigError where they are not those that it was made with."""
        if self.settings.in_memory:
            return new_secrets()
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
    def audit_log(self) -> AuditLog:
        """Who was given whose data."""
        head = None if self.settings.in_memory else self.settings.home / "audit-head.json"
        return AuditLog(self.storage.audit, self.secrets.audit, head)

    @property
    def feedback(self) -> FeedbackStore:
        """Judgements of hits."""
        return self.storage.feedback

    @cached_property
    def encoder(self) -> FrameEncoder:
        """The model that serves."""
        return self._encoder or load_encoder(self.settings, self.kept_maps)

    @cached_property
    def kept_maps(self) -> KeptMaps:
        """Feature maps of the frames that were asked about last; none but in a process that stays."""
        return KeptMaps(self.settings.kept_frames_mb << 19 if self._serving else 0)

    @cached_property
    def index(self) -> CodeIndex:
        """The projection of the catalogue that answers queries."""
        index = EmbeddedIndex(
            None if self.settings.in_memory else self.settings.index_root,
            self.encoder.fingerprint,
            threads=min(self.settings.scan_threads, os.cpu_count() or 1),
            compiled=self.settings.scan_kernels == "compiled",
            checked=not self._serving,
        )
        self._open.callback(index.close)
        return index

    @cached_property
    def searcher(self) -> Searcher:
        """The search use case."""
        return Searcher(self.catalogue, self.index, self.encoder)

    @cached_property
    def decoder(self) -> ContainedDecoder:
        """Bytes to frames, in processes of their own."""
        if self._decoder is not None:
            return self._decoder
        decoder = ContainedDecoder(DecodeLimits.of(self.settings), self.secrets.patient)
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
        }

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
            self.encoder,
            self.decoder.open,
            self.settings,
            self.kept_uploads,
            check_disk=self.disk.check,
        )

    @cached_property
    def kept_uploads(self) -> KeptUploads:
        """What receives uploads, and removes those that nobody needs."""
        return KeptUploads(self.uploads, self.jobs, self.catalogue)

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

    def close(self) -> None:
        """Give back threads, processes and connections; the engine is not used afterwards."""
        self._open.close()


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

    return HmarEncoder.load(model_folder(settings), settings.encoder_threads, maps)


def model_folder(settings: Settings) -> Path:
    """Return the folder of the model that the settings name."""
    from hmar.encoder import shipped_bundle

    return Path(settings.model_dir) if settings.model_dir else shipped_bundle()
