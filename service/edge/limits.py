"""Limits of one key and of one address, so that no client takes what all need."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.edge.bounds import Bounds
from service.edge.buckets import MOST, Buckets
from service.edge.clients import Client
from service.edge.refusals import too_many


class Limits:
    """Counts requests; for the event loop's thread alone.

    An address that tried too many wrong keys is refused, but for keys and logins that have worked: a proxy in
    front may make all clients one address.

    Parameters
    ----------
    bounds : Bounds
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self._key_concurrency = bounds.key_concurrency
        self._keys = Buckets(bounds.requests_per_minute, clock)
        self._addresses = Buckets(bounds.requests_per_minute, clock)
        self._failures = Buckets(bounds.failures_per_minute, clock)
        self._running: Counter[str] = Counter()
        self._worked: OrderedDict[str, str] = OrderedDict()
        """Names of those whose keys and tokens have worked."""

    @contextmanager
    def admitted(self, client: Client) -> Iterator[None]:
        """Count a request while it is in hand; raises a Refusal (429) beyond a limit."""
        self._check(client)
        self._addresses.take(client.address)
        if client.credential is None:
            yield
            return
        counted = self._counted(client.credential)
        self._keys.take(counted)
        self._running[counted] += 1
        try:
            yield
        finally:
            self._running[counted] -= 1
            if not self._running[counted]:
                del self._running[counted]

    def note(self, client: Client, status: int, name: str | None) -> None:
        """Remember whether the secret of a request worked, by its answer and by what the application says.

        Parameters
        ----------
        client : Client
        status : int
        name : str or None
            Whose key or token the application has found it to be. What follows counts under this name,
            whichever token comes with it.
        """
        if status == 401:
            if client.tries:
                self._failures.take(client.address)
            if client.credential is not None:
                self._worked.pop(client.credential, None)
        elif name is not None and client.credential is not None:
            if client.credential not in self._worked:
                self._keys.take(name)
            self._worked[client.credential] = name
            self._worked.move_to_end(client.credential)
            if len(self._worked) > MOST:
                self._worked.popitem(last=False)

    def _counted(self, credential: str) -> str:
        """Return under which name a secret counts: under itself until it is known to work."""
        return self._worked.get(credential, credential)

    def _check(self, client: Client) -> None:
        credential = client.credential
        untried = client.tries and credential not in self._worked
        if untried and (wait := self._failures.wait_s(client.address)):
            raise too_many("Too many wrong keys or login links came from this address.", wait)
        if wait := self._addresses.wait_s(client.address):
            raise too_many("Too many requests came from this address.", wait)
        if credential is None:
            return
        counted = self._counted(credential)
        if wait := self._keys.wait_s(counted):
            raise too_many("Too many requests came with this key.", wait)
        if self._running[counted] >= self._key_concurrency:
            raise too_many(f"{self._key_concurrency} requests with this key are in hand already.", 1.0)
