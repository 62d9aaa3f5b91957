"""Which model the archive uses, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from hmar.adapters.common.entries import check_encoded
from hmar.adapters.common.models import check_carried, check_missing, check_next, check_unused
from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.values.codes import EncodedFrame
from hmar.values.deletion import Collections, among
from hmar.values.entries import EntryInfo, Origin
from hmar.values.models import Coverage, ModelName, ModelRoles

_Frame = tuple[str, str, int]
"""Collection, SOP instance and frame number."""


class MemoryModelStore:
    """A :class:`hmar.ports.ModelStore` that lives as long as the process. Thread-safe.

    Parameters
    ----------
    catalogue : MemoryCatalogue
        Holds the frames.
    """

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue
        self._roles = ModelRoles()

    def roles(self) -> ModelRoles:
        """Return the model that is used, and the next one."""
        return self._roles

    def begin(self, used: ModelName, model: ModelName) -> None:
        """Make a model the next one, unless it is used; ``used`` is recorded where no model is."""
        with self._catalogue.held():
            known = self._roles.used or used
            if model.fingerprint != known.fingerprint:
                check_next(self._roles, model)
                self._roles = ModelRoles(known, model)
            self._roles = self._roles._replace(used=known)

    def use(self, model: ModelName, accept_missing: int = 0) -> None:
        """Make a model the one that is used; nothing is indexed between counting and that."""
        with self._catalogue.held() as entries:
            covered = _coverage(entries, model.fingerprint, None)
            check_missing(model, sum(one.missing for one in covered.values()), accept_missing)
            following = self._roles.next
            done = following is not None and following.fingerprint == model.fingerprint
            self._roles = ModelRoles(model, None if done else following)

    def coverage(self, model_fingerprint: str, collection: Collections = None) -> dict[str, Coverage]:
        """Return how far some collections are indexed under a model, by their names."""
        with self._catalogue.held() as entries:
            return _coverage(entries, model_fingerprint, collection)

    def frames(self) -> dict[str, int]:
        """Return the number of frames under each model."""
        with self._catalogue.held() as entries:
            return dict(Counter(entry.model_fingerprint for entry in entries))

    def files(self, model_fingerprint: str, collection: str) -> list[Origin]:
        """Return where the frames come from that are missing under a model, sorted."""
        with self._catalogue.held() as entries:
            missing = _missing(entries, model_fingerprint)
        return sorted({entry.origin for entry in missing if entry.collection == collection})

    def lacking(self, model_fingerprint: str, collection: str, of: Origin | str) -> list[EntryInfo]:
        """Return an entry of each frame of a file, or of an instance, that a model misses."""
        with self._catalogue.held() as entries:
            missing = _missing(entries, model_fingerprint)
        first: dict[_Frame, EntryInfo] = {}
        for entry in missing:
            if entry.collection == collection and of in (entry.origin, entry.info.sop_instance_uid):
                first.setdefault(_frame(entry), entry)
        return [first[name] for name in sorted(first)]

    def carry(self, codes: Mapping[int, EncodedFrame]) -> int:
        """Add entries that are those given in all but codes and model; return how many."""
        for encoded in codes.values():
            check_encoded(encoded)
            check_carried(self._roles, encoded.model_fingerprint)
        return self._catalogue.carry(codes)

    def alone(self, model_fingerprint: str) -> int:
        """Return how many frames no other model has."""
        with self._catalogue.held() as entries:
            return sum(models == {model_fingerprint} for models in _models(entries).values())

    def forget(self, model_fingerprint: str, limit: int) -> int:
        """Delete and log some entries of a model; return how many."""
        check_unused(self._roles, model_fingerprint)
        if model_fingerprint in self._roles.fingerprints:
            self._roles = ModelRoles(self._roles.used)
        return self._catalogue.forget_model(model_fingerprint, limit)


def _frame(entry: EntryInfo) -> _Frame:
    return entry.collection, entry.info.sop_instance_uid, entry.info.frame_number


def _models(entries: Iterable[EntryInfo]) -> dict[_Frame, set[str]]:
    """Return the models that have each frame."""
    models: defaultdict[_Frame, set[str]] = defaultdict(set)
    for entry in entries:
        models[_frame(entry)].add(entry.model_fingerprint)
    return models


def _missing(entries: Iterable[EntryInfo], model_fingerprint: str) -> list[EntryInfo]:
    """Return the entries of the frames that a model misses, oldest first."""
    listed = list(entries)
    models = _models(listed)
    return [entry for entry in listed if model_fingerprint not in models[_frame(entry)]]


def _coverage(
    entries: Iterable[EntryInfo], model_fingerprint: str, collection: Collections
) -> dict[str, Coverage]:
    counted: defaultdict[str, Coverage] = defaultdict(lambda: Coverage(0, 0))
    for (name, _, _), models in _models(entries).items():
        if among(name, collection):
            has, before = model_fingerprint in models, counted[name]
            counted[name] = Coverage(before.indexed + has, before.missing + (not has))
    return dict(sorted(counted.items()))
