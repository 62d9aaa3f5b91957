"""How the PACS of a site are followed, for who asks, and what somebody wants done of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from hmar.errors import ConflictError
from hmar.ports import FollowStore, PacsImages
from hmar.values.follows import Followed, FollowInfo, FollowState, SweepKind


class Following:
    """The use case of looking after what is followed.

    Parameters
    ----------
    pacs : PacsImages
    store : FollowStore
    clock : callable
        Returns seconds since the epoch.
    """

    def __init__(self, pacs: PacsImages, store: FollowStore, clock: Callable[[], float] = time.time) -> None:
        self._pacs, self._store, self._clock = pacs, store, clock

    def listed(self) -> list[FollowInfo]:
        """Return the PACS of the site, in order of their names."""
        follows, now = {follow.site: follow for follow in self._pacs.follows()}, self._clock()
        return [
            FollowInfo(
                name,
                follows.get(name),
                self._store.followed(name) if name in follows else Followed(FollowState()),
                now,
            )
            for name in self._pacs.names()
        ]

    def named(self, name: str) -> FollowInfo:
        """Return a PACS by its name; raises NotFoundError if there is none."""
        self._pacs.require(name)
        [found] = [info for info in self.listed() if info.name == name]
        return found

    def ask(self, name: str, kind: SweepKind) -> FollowInfo:
        """Have whoever watches a PACS sweep; return how far it is followed.

        Raises
        ------
        ConflictError
            If it is not followed.
        NotFoundError
            If there is no PACS of that name.
        """
        if self.named(name).follow is None:
            raise ConflictError(
                f"The PACS {name} is not followed.", f"Write [{name}.follow] into the file of PACS."
            )
        self._store.ask(name, kind)
        return self.named(name)
