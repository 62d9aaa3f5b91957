"""The models of the archive as one request sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hmar.errors import ForbiddenError
from hmar.narrowed.selecting import seen
from hmar.ports import ModelStore
from hmar.values.access import Access
from hmar.values.codes import EncodedFrame
from hmar.values.deletion import Collections
from hmar.values.entries import EntryInfo, Origin
from hmar.values.models import Coverage, ModelName, ModelRoles


class NarrowedModels:
    """A :class:`hmar.ports.ModelStore` that counts nothing of collections that the request does not see.

    One model serves all collections: who does not see all of them changes nothing.

    Parameters
    ----------
    models : ModelStore
    access : callable
        Returns the access of the current request.
    """

    def __init__(self, models: ModelStore, access: Callable[[], Access]) -> None:
        self._models = models
        self._access = access

    def roles(self) -> ModelRoles:
        """Return the model that is used, and the next one."""
        return self._models.roles()

    def begin(self, used: ModelName, model: ModelName) -> None:
        """Make a model the next one; raises ForbiddenError where not all collections are seen."""
        self._all().begin(used, model)

    def use(self, model: ModelName, accept_missing: int = 0) -> None:
        """Make a model the one that is used; raises ForbiddenError where not all collections are seen."""
        self._all().use(model, accept_missing)

    def coverage(self, model_fingerprint: str, collection: Collections = None) -> dict[str, Coverage]:
        """Return how far the collections that are seen are indexed under a model."""
        return self._models.coverage(model_fingerprint, seen(self._access().identity, collection))

    def frames(self) -> dict[str, int]:
        """Return the number of frames under each model; raises ForbiddenError like :meth:`begin`."""
        return self._all().frames()

    def files(self, model_fingerprint: str, collection: str) -> list[Origin]:
        """Return where missing frames come from; raises ForbiddenError like :meth:`begin`."""
        return self._all().files(model_fingerprint, collection)

    def lacking(self, model_fingerprint: str, collection: str, of: Origin | str) -> list[EntryInfo]:
        """Return entries of missing frames; raises ForbiddenError like :meth:`begin`."""
        return self._all().lacking(model_fingerprint, collection, of)

    def carry(self, codes: Mapping[int, EncodedFrame]) -> int:
        """Add entries; raises ForbiddenError like :meth:`begin`."""
        return self._all().carry(codes)

    def alone(self, model_fingerprint: str) -> int:
        """Return how many frames no other model has; raises ForbiddenError like :meth:`begin`."""
        return self._all().alone(model_fingerprint)

    def forget(self, model_fingerprint: str, limit: int) -> int:
        """Delete some entries of a model; raises ForbiddenError like :meth:`begin`."""
        return self._all().forget(model_fingerprint, limit)

    def _all(self) -> ModelStore:
        if self._access().identity.collections is not None:
            raise ForbiddenError(
                "This key or login is limited to collections, and one model serves all of them.",
                "Use a key for all collections.",
            )
        return self._models
