"""Judgements as one request sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hmar.narrowed.selecting import seen
from hmar.ports import FeedbackStore
from hmar.values.access import Access
from hmar.values.deletion import Collections
from hmar.values.feedback import Judgement, KeptJudgement


class NarrowedFeedback:
    """A :class:`hmar.ports.FeedbackStore` without what names collections that the request does not see.

    Parameters
    ----------
    feedback : FeedbackStore
    access : callable
        Returns the access of the current request; it notes whose data it is given.
    """

    def __init__(self, feedback: FeedbackStore, access: Callable[[], Access]) -> None:
        self._feedback = feedback
        self._access = access

    def add(self, judgements: Sequence[Judgement]) -> int:
        """Keep judgements; raises ForbiddenError for one of a collection that is not seen."""
        for judgement in judgements:
            for collection in (judgement.collection, judgement.query_collection):
                if collection is not None:
                    self._access().require_collection(collection)
        return self._feedback.add(judgements)

    def listed(self, after_seq: int, limit: int, collection: Collections = None) -> list[KeptJudgement]:
        """Return the next judgements that are seen."""
        access = self._access()
        found = self._feedback.listed(after_seq, limit, seen(access.identity, collection))
        for kept in found:
            access.touched.update(kept.touched)
        return found
