"""Who watches a PACS: takes its news, sweeps from time to time, and keeps how far that is."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from hmar.errors import HmarError, OperatorError
from hmar.ports import FollowStore, PacsFeed, PacsHoldings, PacsImages
from hmar.values.follows import Follow, Followed, FollowState, SweepKind
from hmar.watching.intake import Intake, Submit
from hmar.watching.sweeping import Delete, Record, Sweeper, begun

SOONEST_SWEEP_S = 300.0
"""Pause between two sweeps where the PACS tells of deletions."""
_log = logging.getLogger(__name__)


class _LostError(Exception):
    """Another watcher holds the PACS by now."""


class Watcher:
    """Watches one PACS. Of any number of watchers, in whatever processes, one at a time does so.

    Parameters
    ----------
    follow : Follow
    pacs : PacsImages
    store : FollowStore
    holdings : PacsHoldings
    submit : Submit
        Creates jobs.
    delete : Delete
        Deletes what the PACS has no more.
    record : Record
        Writes to the audit log that it does.
    lease_s : float
        After so many seconds of silence another watcher takes over; at least three pauses between two looks.
    clock : callable
        Returns seconds since the epoch.
    """

    def __init__(
        self,
        follow: Follow,
        pacs: PacsImages,
        store: FollowStore,
        holdings: PacsHoldings,
        submit: Submit,
        delete: Delete,
        record: Record,
        lease_s: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._follow, self._pacs, self._store, self._clock = follow, pacs, store, clock
        self._lease_s = max(lease_s, 3 * follow.every_s)
        self._holder = uuid.uuid4().hex
        self._intake = Intake(follow, store, holdings, submit)
        self._sweeper = Sweeper(follow, pacs, store, holdings, self._intake, delete, record, clock)
        self._feed: PacsFeed | None = None
        self._state = FollowState()
        self._trouble: str | None = None

    @property
    def every_s(self) -> float:
        """Pause between two looks, in seconds."""
        return self._follow.every_s

    def look(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Take what is new, and do a step of a sweep; return whether there is more to do at once.

        Parameters
        ----------
        stopped : callable
            Asked between two parts of it; nothing more is begun once it returns True.
        """
        held = self._store.claim(self._follow.site, self._holder, self._lease_s)
        if held is None:
            return False
        self._state = held.state
        try:
            with self._renewing():
                self._begin(held)
                self._read(stopped)
                if not stopped():
                    self._sweep()
                if self._state.failures or self._state.reason != self._trouble:
                    self._keep(replace(self._state, failures=0, failing_since=None, reason=self._trouble))
        except _LostError:
            _log.warning("the PACS %s is watched by another process now", self._follow.site)
            return False
        except HmarError as error:
            self._failed(str(error))
            return False
        except Exception as error:
            self._failed(f"Unexpected {type(error).__name__}.")
            return False
        return self._state.sweep is not None

    def close(self) -> None:
        """Let another watcher take over at once."""
        self._store.release(self._follow.site, self._holder)

    @contextmanager
    def _renewing(self) -> Iterator[None]:
        """Renew the lease meanwhile: a PACS may take long for one answer."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._lease_s / 3):
                with suppress(OperatorError):
                    self._store.claim(self._follow.site, self._holder, self._lease_s)

        thread = threading.Thread(target=renew, name="watching", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _begin(self, held: Followed) -> None:
        """Take up what somebody has asked for; at the very first, everything is new."""
        if held.state.cursor is None:
            # The end is noted before anything is listed: what comes meanwhile is told by the feed.
            self._keep(replace(begun(self._state, "sweep", self._clock()), cursor=self._opened().end()))
        if held.asked is not None:
            self._keep(begun(self._state, held.asked, self._clock()), done=held.asked)

    def _read(self, stopped: Callable[[], bool]) -> None:
        now, looked_at = self._clock(), self._state.looked_at
        if looked_at is not None and 0 <= now - looked_at < self._follow.every_s:
            return
        soon, trouble = False, None
        for news in self._opened().news(self._state.cursor or ""):
            if news.reset:
                _log.warning("the feed of the PACS %s began anew: everything is compared", self._follow.site)
                again = replace(self._state, cursor=news.cursor, resets=self._state.resets + 1)
                self._keep(begun(again, "resync", now))
                continue
            some = list(news.arrived) if news.again else self._intake.unknown(news.arrived)
            told_at = f"{self._state.resets} {self._state.cursor}" if news.again else None
            self._intake.take(some, told_at)
            soon |= news.deleted
            trouble = trouble or news.trouble
            self._keep(
                replace(
                    self._state,
                    cursor=news.cursor,
                    behind=news.behind,
                    arrived=self._state.arrived + len(some),
                )
            )
            if stopped():
                return
        self._keep(
            replace(
                self._state,
                behind=0,
                looked_at=now,
                caught_up_at=now if trouble is None else self._state.caught_up_at,
            )
        )
        self._trouble = trouble
        if soon:
            self._sweep_if_last_before(SOONEST_SWEEP_S)

    def _sweep(self) -> None:
        self._sweep_if_last_before(self._follow.sweep_s)
        if self._state.sweep is not None:
            self._keep(self._sweeper.step(self._state))
            if self._state.sweep is None and self._state.stopped is not None:
                _log.error("%s", self._state.stopped)

    def _sweep_if_last_before(self, pause_s: float) -> None:
        now, swept_at = self._clock(), self._state.swept_at
        # A clock that was set back must not put sweeps off.
        if self._state.sweep is None and (swept_at is None or not 0 <= now - swept_at < pause_s):
            self._keep(begun(self._state, "sweep", now))

    def _keep(self, state: FollowState, done: SweepKind | None = None) -> None:
        if not self._store.keep(self._follow.site, self._holder, state, self._lease_s, done):
            raise _LostError
        self._state = state

    def _failed(self, reason: str) -> None:
        _log.warning("following the PACS %s failed: %s", self._follow.site, reason)
        state = self._state
        failed = replace(
            state,
            failures=state.failures + 1,
            failing_since=self._clock() if state.failing_since is None else state.failing_since,
            reason=reason,
            failed=state.failed + 1,
        )
        self._store.keep(self._follow.site, self._holder, failed, self._lease_s)

    def _opened(self) -> PacsFeed:
        if self._feed is None:
            self._feed = self._pacs.feed(self._follow)
        return self._feed
