"""Limits of one key and of one address, so that no client takes what all need."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.edge.bounds import Bounds
from service.edge.buckets import Buckets
from service.edge.clients import Client
from service.edge.known import Known, own_memory
from service.edge.refusals import too_many
from service.edge.remembered import MOST


class Limits:
    """Counts requests; for the event loop's thread alone.

    An address that tried too many wrong keys is refused, but for keys and logins that have worked: a proxy in
    front may make all clients one address.

    Parameters
    ----------
    bounds : Bounds
    clock : callable
        Returns seconds that only grow.
    known : Known or None
        What the limits of several processes share; None for a process alone.
    """

    def __init__(
        self, bounds: Bounds, clock: Callable[[], float] = time.monotonic, known: Known | None = None
    ) -> None:
        known = known or own_memory(clock)
        self._clock = clock
        self._key_concurrency = bounds.key_concurrency
        self._keys = Buckets(bounds.requests_per_minute, clock, known.keys)
        self._addresses = Buckets(bounds.requests_per_minute, clock, known.addresses)
        self._failures = Buckets(bounds.failures_per_minute, clock, known.failures)
        self._worked = known.worked
        self._in_hand = known.in_hand
        self._names: OrderedDict[str, str] = OrderedDict()
        """Whose keys and tokens have worked in this process: each learns it by itself."""

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
        self._in_hand.begin(counted)
        try:
            yield
        finally:
            self._in_hand.end(counted)

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
                self._worked.drop(client.credential)
                self._names.pop(client.credential, None)
        elif name is not None and client.credential is not None:
            self._worked.change(client.credential, lambda _before: (1.0, self._clock()))
            self._learn(client.credential, name)

    def _learn(self, credential: str, name: str) -> None:
        if credential not in self._names:
            self._keys.take(name)
        self._names[credential] = name
        self._names.move_to_end(credential)
        if len(self._names) > MOST:
            self._names.popitem(last=False)

    def _counted(self, credential: str) -> str:
        """Return under which name a secret counts: under itself until it is known to work."""
        return self._names.get(credential, credential)

    def _check(self, client: Client) -> None:
        credential = client.credential
        if self._is_untried(client) and (wait := self._failures.wait_s(client.address)):
            raise too_many("Too many wrong keys or login links came from this address.", wait)
        if wait := self._addresses.wait_s(client.address):
            raise too_many("Too many requests came from this address.", wait)
        if credential is None:
            return
        counted = self._counted(credential)
        if wait := self._keys.wait_s(counted):
            raise too_many("Too many requests came with this key.", wait)
        if self._in_hand.count(counted) >= self._key_concurrency:
            raise too_many(f"{self._key_concurrency} requests with this key are in hand already.", 1.0)

    def _is_untried(self, client: Client) -> bool:
        """Return whether a request tries a secret that has not worked yet."""
        return client.tries and (client.credential is None or self._worked.get(client.credential) is None)
