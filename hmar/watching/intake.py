"""What a PACS has becomes jobs, like those of a pull."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence

from hmar.ports import FollowStore, PacsHoldings
from hmar.values.entries import Origin
from hmar.values.follows import Follow
from hmar.values.jobs import JobRequest
from hmar.values.pulls import PACS, InstanceReference

Submit = Callable[[str, Origin, Sequence[str], JobRequest | None], str]
"""Creates a job over references of a collection and an origin, once for the same request; returns its id."""


class Intake:
    """Hands instances of one PACS to indexing.

    Parameters
    ----------
    follow : Follow
    store : FollowStore
    holdings : PacsHoldings
    submit : Submit
    """

    def __init__(self, follow: Follow, store: FollowStore, holdings: PacsHoldings, submit: Submit) -> None:
        self._follow, self._store, self._holdings, self._submit = follow, store, holdings, submit

    def unknown(self, there: Collection[InstanceReference]) -> list[InstanceReference]:
        """Return those of some instances that nobody has asked for yet, in their order.

        One that was deleted because the PACS had it no more counts as unknown. One that was deleted by
        somebody here does not, nor one that cannot be indexed.
        """
        known = self._holdings.asked_for(self._follow.collection, there)
        known -= self._store.deleted(self._follow.site, known)
        return [reference for reference in there if reference not in known]

    def take(self, some: Sequence[InstanceReference], told_at: str | None = None) -> None:
        """Have instances indexed; durable when it returns.

        Parameters
        ----------
        some : sequence of InstanceReference
        told_at : str, optional
            Where in the feed or in a sweep they were told. The same ones of the same place are one job.
        """
        if not some:
            return
        request = None if told_at is None else self._request(some, told_at)
        self._submit(self._follow.collection, Origin(PACS, ""), list(map(str, some)), request)
        self._store.note_back(self._follow.site, some)

    def _request(self, some: Sequence[InstanceReference], told_at: str) -> JobRequest:
        said = "\n".join(["pacs", self._follow.collection, told_at, *map(str, some)])
        digest = hashlib.sha256(said.encode()).hexdigest()
        return JobRequest(digest, digest)
