"""A model with its index: what answers searches, of one model alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from hmar.ports import Catalogue, CodeIndex, FrameEncoder, ModelStore, SlabStore
from hmar.search import Searcher
from hmar.unindexed import Unindexed


class Serving:
    """The parts of a search that belong to one model. Whoever takes one answers by no other.

    Parameters
    ----------
    encoder : FrameEncoder
    catalogue : Catalogue
    models : ModelStore
    slabs : SlabStore
    new_index : callable
        Returns the index of a model by its fingerprint.
    fast_above : int
        As for :class:`hmar.search.Searcher`.
    """

    def __init__(
        self,
        encoder: FrameEncoder,
        catalogue: Catalogue,
        models: ModelStore,
        slabs: SlabStore,
        new_index: Callable[[str], CodeIndex],
        fast_above: int = 0,
    ) -> None:
        self.encoder = encoder
        self._catalogue = catalogue
        self._slabs = slabs
        self._new_index = new_index
        self._fast_above = fast_above
        self.unindexed = Unindexed(models, encoder.fingerprint)

    @cached_property
    def index(self) -> CodeIndex:
        """The projection of the catalogue that answers queries."""
        return self._new_index(self.encoder.fingerprint)

    def close(self) -> None:
        """End the threads of the index, if it was asked for; nothing is asked of it afterwards."""
        if "index" in self.__dict__:
            self.index.close()

    @cached_property
    def searcher(self) -> Searcher:
        """The search use case."""
        return Searcher(
            self._catalogue, self.index, self.encoder, self.unindexed, self._slabs, self._fast_above
        )
