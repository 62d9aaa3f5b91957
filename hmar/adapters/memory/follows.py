"""How far PACS are followed, in memory."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from hmar.values.follows import Followed, FollowState, SweepKind
from hmar.values.pulls import InstanceReference


@dataclass(slots=True)
class _Row:
    state: FollowState = field(default_factory=FollowState)
    asked: SweepKind | None = None
    holder: str | None = None
    lease_until: float = 0.0


class MemoryFollowStore:
    """A :class:`hmar.ports.FollowStore` that lives as long as the process. Thread-safe.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: defaultdict[str, _Row] = defaultdict(_Row)
        self._gone: defaultdict[str, dict[InstanceReference, bool]] = defaultdict(dict)

    def followed(self, site: str) -> Followed:
        """Return how far a PACS is followed; a fresh state for one that never was."""
        with self._lock:
            row = self._rows[site]
            return Followed(row.state, row.asked, row.lease_until > self._clock())

    def claim(self, site: str, holder: str, lease_s: float) -> Followed | None:
        """Hold a PACS, or go on holding it; None where another watcher does."""
        now = self._clock()
        with self._lock:
            row = self._rows[site]
            if row.holder != holder and now < row.lease_until <= now + lease_s:
                return None
            row.holder, row.lease_until = holder, now + lease_s
            return Followed(row.state, row.asked, True)

    def keep(
        self, site: str, holder: str, state: FollowState, lease_s: float, done: SweepKind | None = None
    ) -> bool:
        """Write a state and renew the lease; return whether the PACS was still held."""
        with self._lock:
            row = self._rows[site]
            if row.holder != holder:
                return False
            row.state, row.lease_until = state, self._clock() + lease_s
            if row.asked == done:
                row.asked = None
        return True

    def release(self, site: str, holder: str) -> None:
        """Let another watcher hold the PACS."""
        with self._lock:
            row = self._rows[site]
            if row.holder == holder:
                row.holder, row.lease_until = None, 0.0

    def ask(self, site: str, kind: SweepKind) -> None:
        """Have whoever watches a PACS begin a sweep."""
        with self._lock:
            self._rows[site].asked = kind

    def note_gone(self, site: str, gone: Collection[InstanceReference]) -> None:
        """Note that a PACS has instances no more."""
        with self._lock:
            self._gone[site].update(dict.fromkeys(gone, False))

    def note_deleted(self, site: str, gone: Collection[InstanceReference]) -> None:
        """Note that such instances were deleted here."""
        with self._lock:
            self._gone[site].update(dict.fromkeys(gone, True))

    def note_back(self, site: str, back: Collection[InstanceReference]) -> None:
        """Forget both of instances that the PACS has."""
        with self._lock:
            for reference in back:
                self._gone[site].pop(reference, None)

    def gone(self, site: str, limit: int) -> list[InstanceReference]:
        """Return instances that are to be deleted, in any order."""
        with self._lock:
            return [one for one, deleted in self._gone[site].items() if not deleted][:limit]

    def gone_count(self, site: str) -> int:
        """Return how many there are."""
        with self._lock:
            return sum(not deleted for deleted in self._gone[site].values())

    def deleted(self, site: str, references: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those of some instances that were deleted here because the PACS had them no more."""
        with self._lock:
            return {one for one in references if self._gone[site].get(one, False)}
