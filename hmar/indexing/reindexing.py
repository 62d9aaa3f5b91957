"""The archive moves to another model: it is indexed under that one beside the one in use, then uses it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from hmar.errors import ConflictError, NotFoundError, shown
from hmar.indexing.submitting import send
from hmar.ports import JobQueue, JobStore, ModelStore
from hmar.values.jobs import OPEN_JOB_STATES, Message, reindexing_origin
from hmar.values.models import Begun, ModelName, ModelState, Role

FORGOTTEN_AT_ONCE = 1000
"""Entries of a model that are deleted in one transaction."""


class Reindexing:
    """Moves an archive from model to model.

    Parameters
    ----------
    models, jobs : ports
        See :mod:`hmar.ports`.
    queue : callable
        Returns the way to the workers, where one is needed.
    used : callable
        Returns the model that serves where the archive records none.
    """

    def __init__(
        self,
        models: ModelStore,
        jobs: JobStore,
        queue: Callable[[], JobQueue],
        used: Callable[[], ModelName],
    ) -> None:
        self._models = models
        self._jobs = jobs
        self._queue = queue
        self._used = used

    def prepare(self, model: ModelName, collections: Collection[str] | None = None) -> dict[str, int]:
        """Make a model the next one, unless it is used; return the frames that each collection misses.

        New frames are indexed under both from here on.

        Raises
        ------
        ConflictError
            If another model is the next one.
        NotFoundError
            For a collection that holds nothing.
        """
        covered = self._models.coverage(model.fingerprint)
        for name in collections or ():
            if name not in covered:
                raise NotFoundError(
                    f"The collection {shown(name)} holds no frames.", "See GET /api/v1/collections."
                )
        self._models.begin(self._recorded(), model)
        return {
            name: held.missing
            for name, held in covered.items()
            if held.missing and (collections is None or name in collections)
        }

    def begin(self, model: ModelName, collections: Collection[str] | None = None) -> Begun:
        """Index under a model what it misses, in the background: a job for each collection.

        A job that does this already goes on, and is not begun again. Errors are those of :meth:`prepare`.
        """
        missing = self.prepare(model, collections)
        origin = reindexing_origin(model.fingerprint)
        going_on = {
            job.collection: job.job_id
            for job in self._jobs.unfinished(OPEN_JOB_STATES)
            if job.origin == origin
        }
        jobs = [going_on.get(name) or self._jobs.create(name, origin) for name in missing]
        new = [job_id for job_id in jobs if job_id not in going_on.values()]
        send(self._queue(), [Message("expand", job_id) for job_id in new])
        return Begun(model, sum(missing.values()), tuple(jobs))

    def use(self, model: ModelName, accept_missing: int = 0) -> None:
        """Let searches use a model from now on; the one before is kept, and can be used again.

        Raises
        ------
        ConflictError
            If more than ``accept_missing`` frames are not indexed under it.
        """
        self._models.begin(self._recorded(), self._recorded())
        self._models.use(model, accept_missing)

    def states(self, installed: Iterable[ModelName]) -> list[ModelState]:
        """Return all models that are installed or have frames: the used one, the next, then by name."""
        here = {model.fingerprint: model for model in installed}
        frames, roles = self._models.frames(), self._models.roles()
        used, following = roles.used or self._used(), roles.next
        known = {print_: ModelName(print_, "") for print_ in frames} | here
        known |= {one.fingerprint: one for one in (used, following) if one is not None}
        total = self._models.coverage(used.fingerprint)
        held = sum(one.indexed + one.missing for one in total.values())

        def role(model: ModelName) -> Role:
            if model.fingerprint == used.fingerprint:
                return "used"
            return "next" if following is not None and model.fingerprint == following.fingerprint else "kept"

        states = [
            ModelState(
                model,
                role(model),
                model.fingerprint in here,
                frames.get(model.fingerprint, 0),
                held - frames.get(model.fingerprint, 0),
            )
            for model in known.values()
        ]
        order = ("used", "next", "kept")
        return sorted(states, key=lambda one: (order.index(one.role), one.model.name, one.model.fingerprint))

    def forget(
        self,
        model: ModelName,
        accept_missing: int = 0,
        progress: Callable[[int], None] = lambda _frames: None,
    ) -> int:
        """Delete all frames of a model that is not used, some at a time; return how many.

        ``progress`` is told how many are gone so far. A call that was interrupted is made again.

        Raises
        ------
        ConflictError
            If the model is used, or more than ``accept_missing`` frames are indexed under no other.
        """
        self._models.begin(self._recorded(), self._recorded())
        alone = self._models.alone(model.fingerprint)
        if alone > accept_missing:
            raise ConflictError(
                f"{alone} frames are indexed under the model {model.fingerprint[:12]} alone, and would go.",
                f"Index them under the used one first (hmar reindex), or say so (--accept-missing {alone}).",
            )
        forgotten = 0
        while some := self._models.forget(model.fingerprint, FORGOTTEN_AT_ONCE):
            forgotten += some
            progress(forgotten)
        return forgotten

    def _recorded(self) -> ModelName:
        return self._models.roles().used or self._used()
