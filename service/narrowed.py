"""The engine as requests see it: the same parts, over ports that are narrowed to what each may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from hmar.decoding.contained import ContainedDecoder
from hmar.disk import Disk
from hmar.exporting import Exporter
from hmar.indexing.encoders import RecordedEncoders
from hmar.known_models import KnownModels
from hmar.links import ViewerLinks
from hmar.narrowed.catalogue import NarrowedCatalogue
from hmar.narrowed.feedback import NarrowedFeedback
from hmar.narrowed.index import NarrowedIndex
from hmar.narrowed.jobs import NarrowedJobs
from hmar.narrowed.models import NarrowedModels
from hmar.narrowed.selecting import seen
from hmar.patient_names import PatientNames
from hmar.ports import (
    Catalogue,
    CodeIndex,
    FeedbackStore,
    FrameEncoder,
    ImageSource,
    JobQueue,
    JobStore,
    ModelStore,
    PacsImages,
    SlabStore,
    Storage,
    UploadSource,
)
from hmar.search import Searcher
from hmar.secrets import Secrets
from hmar.serving import Serving
from hmar.spool import Spool
from hmar.values.access import Access
from hmar.values.deletion import Collections
from hmar.wiring import Engine


class NarrowedEngine(Engine):
    """What views are handed: use cases over the narrowed ports, so that no view can forget them.

    Parameters
    ----------
    engine : Engine
        The whole one, which it shares all parts with.
    access : callable
        Returns the access of the current request; raises where there is none.
    serving : callable, optional
        Returns what answers the current request, always the same: the model may change while it is answered.
        By default what serves at each moment.
    """

    def __init__(
        self,
        engine: Engine,
        access: Callable[[], Access],
        serving: Callable[[], Serving] | None = None,
    ) -> None:
        super().__init__(engine.settings)
        self._whole = engine
        self._access = access
        self._pinned = serving

    def held(self) -> NarrowedEngine:
        """Return the same for the current request alone, for an answer that goes on after its view."""
        access, serving = self._access(), self.serving
        return NarrowedEngine(self._whole, lambda: access, lambda: serving)

    @cached_property
    def storage(self) -> Storage:
        """Nothing: keys and sessions are no request's, and the rest is narrowed."""
        raise TypeError("a request sees the catalogue and the jobs, not the storage")

    @cached_property
    def catalogue(self) -> Catalogue:
        """Entries of the collections that the request sees."""
        return NarrowedCatalogue(self._whole.catalogue, self._access)

    @cached_property
    def jobs(self) -> JobStore:
        """Jobs of the collections that the request sees."""
        return NarrowedJobs(self._whole.jobs, self._access)

    @cached_property
    def models(self) -> ModelStore:
        """The models, as far as the request may change them."""
        return NarrowedModels(self._whole.models, self._access)

    @property
    def slabs(self) -> SlabStore:
        """Slabs, of frames that the catalogue or the index has given: by an id that nobody can name."""
        return self._whole.slabs

    @property
    def serving(self) -> Serving:
        """What answers the request."""
        return self._whole.serving if self._pinned is None else self._pinned()

    @cached_property
    def feedback(self) -> FeedbackStore:
        """Judgements of what the request sees."""
        return NarrowedFeedback(self._whole.feedback, self._access)

    @property
    def index(self) -> CodeIndex:
        """The index, which finds what the request sees."""
        return NarrowedIndex(self.serving.index, self._access)

    @property
    def searcher(self) -> Searcher:
        """The search use case over these."""
        serving = self.serving

        def unindexed(collection: Collections) -> int:
            return serving.unindexed(seen(self._access().identity, collection))

        return serving.searcher.over(self.catalogue, NarrowedIndex(serving.index, self._access), unindexed)

    @property
    def secrets(self) -> Secrets:
        """Keys of this archive."""
        return self._whole.secrets

    @property
    def disk(self) -> Disk:
        """The disk that is written to."""
        return self._whole.disk

    @property
    def encoder(self) -> FrameEncoder:
        """The model that serves."""
        return self.serving.encoder

    @property
    def encoders(self) -> RecordedEncoders:
        """The models that frames are indexed under."""
        return self._whole.encoders

    @property
    def known_models(self) -> KnownModels:
        """The models that can be loaded here."""
        return self._whole.known_models

    @property
    def decoder(self) -> ContainedDecoder:
        """Bytes to frames."""
        return self._whole.decoder

    @property
    def sources(self) -> Mapping[str, ImageSource]:
        """Image sources by name."""
        return self._whole.sources

    @property
    def pacs(self) -> PacsImages:
        """What the PACS of the site have, as for all."""
        return self._whole.pacs

    @property
    def links(self) -> ViewerLinks:
        """Addresses of frames in viewers."""
        return self._whole.links

    @property
    def exporter(self) -> Exporter:
        """The use case of telling an answer as DICOM, of frames that the request saw."""
        return self._whole.exporter

    @property
    def patient_names(self) -> PatientNames:
        """The use case of telling who a patient is, of studies that the request saw."""
        return self._whole.patient_names

    @property
    def uploads(self) -> UploadSource:
        """Files that came with a request."""
        return self._whole.uploads

    @cached_property
    def spool(self) -> Spool:
        """Files that were pushed here, as for all."""
        return self._whole.spool

    @property
    def queue(self) -> JobQueue:
        """The way to the workers."""
        return self._whole.queue
