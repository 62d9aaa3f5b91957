"""The composition root: settings to a working engine. The only file that knows every concrete class."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from hmar.adapters.celery_queue import CeleryQueue
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.folder_source import FolderSource, UploadStore
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.jobs import SqlJobStore
from hmar.adapters.sql.keys import SqlKeyStore
from hmar.config import Settings
from hmar.decoding import ImageDecoder, frame_of
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import UnavailableError
from hmar.indexing import Indexer
from hmar.ports import FrameEncoder, ImageSource, JobQueue
from hmar.search import Searcher
from hmar.secrets import Secrets, load_secrets
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame

THUMBNAIL = "thumbnail"
"""HMAR_MODEL_DIR that selects the baseline without learning."""


class Engine:
    """Everything the product is made of, each part built when it is first used.

    Parameters
    ----------
    settings : Settings
        Where things are.
    encoder : FrameEncoder or None
        None loads the model that the settings name.
    queue : JobQueue or None
        None connects to the broker that the settings name.
    serving : bool
        True for a process that stays: it starts at once on the newest snapshot, and checks it in the
        background. False checks it before the first search.
    """

    def __init__(
        self,
        settings: Settings,
        encoder: FrameEncoder | None = None,
        queue: JobQueue | None = None,
        serving: bool = False,
    ) -> None:
        self.settings = settings
        self._serving = serving
        self._encoder = encoder
        self._queue = queue

    @cached_property
    def secrets(self) -> Secrets:
        """Keys of this data directory."""
        return load_secrets(self.settings.home)

    @cached_property
    def database(self) -> Database:
        """The migrated database."""
        database = Database(self.settings.database)
        database.migrate()
        return database

    @cached_property
    def catalogue(self) -> SqlCatalogue:
        """Entries and their log."""
        return SqlCatalogue(self.database)

    @cached_property
    def jobs(self) -> SqlJobStore:
        """Jobs and items."""
        return SqlJobStore(self.database)

    @cached_property
    def keys(self) -> SqlKeyStore:
        """API keys and login links."""
        return SqlKeyStore(self.database)

    @cached_property
    def encoder(self) -> FrameEncoder:
        """The model that serves."""
        return self._encoder or load_encoder(self.settings)

    @cached_property
    def index(self) -> EmbeddedIndex:
        """The projection of the catalogue that answers queries."""
        return EmbeddedIndex(
            self.settings.index_root,
            self.encoder.fingerprint,
            threads=min(self.settings.scan_threads, os.cpu_count() or 1),
            compiled=self.settings.scan_kernels == "compiled",
            checked=not self._serving,
        )

    @cached_property
    def searcher(self) -> Searcher:
        """The search use case."""
        return Searcher(self.catalogue, self.index, self.encoder)

    @cached_property
    def decoder(self) -> ImageDecoder:
        """Bytes to frames."""
        return ImageDecoder(self.settings.max_pixels, PatientHasher(self.secrets.patient))

    @cached_property
    def sources(self) -> Mapping[str, ImageSource]:
        """Image sources by name; "local" is for the command line alone."""
        return {
            "local": FolderSource(Path("/")),
            "import": FolderSource(self.settings.import_root),
            "upload": self.uploads,
        }

    @cached_property
    def uploads(self) -> UploadStore:
        """Files that came with a request."""
        return UploadStore(self.settings.upload_root)

    @cached_property
    def queue(self) -> JobQueue:
        """The way to the workers; raises UnavailableError where no broker is named."""
        if self._queue is not None:
            return self._queue
        if not self.settings.redis_url:
            raise UnavailableError(
                "HMAR_REDIS_URL is empty.", "Start the product with 'hmar serve', or set it."
            )
        return CeleryQueue(self.settings.redis_url)

    @cached_property
    def indexer(self) -> Indexer:
        """The indexing use case."""
        return Indexer(
            self.catalogue,
            self.jobs,
            self.queue,
            self.sources,
            self.encoder,
            self.decoder.open,
            self.settings,
        )

    def frame(self, entry: EntryInfo) -> Frame:
        """Read an indexed frame again from where it came; raises NotFoundError if it is gone or changed."""
        source = self.sources[entry.origin.source]
        data = source.fetch(entry.origin.reference, self.settings.max_file_bytes)
        return frame_of(self.decoder.open(data), entry)


def build_engine(
    settings: Settings,
    encoder: FrameEncoder | None = None,
    queue: JobQueue | None = None,
    serving: bool = False,
) -> Engine:
    """Create the data directory and return the engine over it."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.import_root.mkdir(parents=True, exist_ok=True)
    return Engine(settings, encoder, queue, serving)


def load_encoder(settings: Settings) -> FrameEncoder:
    """Load the encoder that the settings name: the shipped model, a bundle's folder, or the baseline."""
    if settings.model_dir == THUMBNAIL:
        from hmar.thumbnail import ThumbnailEncoder

        return ThumbnailEncoder()
    from hmar.encoder import HmarEncoder

    return HmarEncoder.load(model_folder(settings), threads=settings.encoder_threads)


def model_folder(settings: Settings) -> Path:
    """Return the folder of the model that the settings name."""
    from hmar.encoder import shipped_bundle

    return Path(settings.model_dir) if settings.model_dir else shipped_bundle()
