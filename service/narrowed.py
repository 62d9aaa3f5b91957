"""The engine as requests see it: the same parts, over ports that are narrowed to what each may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from hmar.decoding.contained import ContainedDecoder
from hmar.disk import Disk
from hmar.narrowed.catalogue import NarrowedCatalogue
from hmar.narrowed.feedback import NarrowedFeedback
from hmar.narrowed.index import NarrowedIndex
from hmar.narrowed.jobs import NarrowedJobs
from hmar.ports import (
    Catalogue,
    CodeIndex,
    FeedbackStore,
    FrameEncoder,
    ImageSource,
    JobQueue,
    JobStore,
    Storage,
    UploadSource,
)
from hmar.search import Searcher
from hmar.secrets import Secrets
from hmar.values.access import Access
from hmar.wiring import Engine


class NarrowedEngine(Engine):
    """What views are handed: use cases over the narrowed ports, so that no view can forget them.

    Parameters
    ----------
    engine : Engine
        The whole one, which it shares all parts with.
    access : callable
        Returns the access of the current request; raises where there is none.
    """

    def __init__(self, engine: Engine, access: Callable[[], Access]) -> None:
        super().__init__(engine.settings)
        self._whole = engine
        self._access = access

    def held(self) -> NarrowedEngine:
        """Return the same for the current request alone, for an answer that goes on after its view."""
        access = self._access()
        return NarrowedEngine(self._whole, lambda: access)

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
    def feedback(self) -> FeedbackStore:
        """Judgements of what the request sees."""
        return NarrowedFeedback(self._whole.feedback, self._access)

    @cached_property
    def index(self) -> CodeIndex:
        """The index, which finds what the request sees."""
        return NarrowedIndex(self._whole.index, self._access)

    @cached_property
    def searcher(self) -> Searcher:
        """The search use case over these."""
        return self._whole.searcher.over(self.catalogue, self.index)

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
        return self._whole.encoder

    @property
    def decoder(self) -> ContainedDecoder:
        """Bytes to frames."""
        return self._whole.decoder

    @property
    def sources(self) -> Mapping[str, ImageSource]:
        """Image sources by name."""
        return self._whole.sources

    @property
    def uploads(self) -> UploadSource:
        """Files that came with a request."""
        return self._whole.uploads

    @property
    def queue(self) -> JobQueue:
        """The way to the workers."""
        return self._whole.queue
