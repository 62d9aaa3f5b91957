"""Limits of one key and of one address, so that no client takes what all need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.edge.bounds import Bounds
from service.edge.buckets import Buckets
from service.edge.clients import Client
from service.edge.known import Known, own_memory
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

    @contextmanager
    def admitted(self, client: Client) -> Iterator[None]:
        """Count a request while it is in hand; raises a Refusal (429) beyond a limit."""
        self._check(client)
        self._addresses.take(client.address)
        if client.credential is None:
            yield
            return
        self._keys.take(client.credential)
        self._in_hand.begin(client.credential)
        try:
            yield
        finally:
            self._in_hand.end(client.credential)

    def note(self, client: Client, status: int, authorised: bool) -> None:
        """Remember whether the secret of a request worked, by its answer and by what the application says."""
        if status == 401:
            if client.tries:
                self._failures.take(client.address)
            if client.credential is not None:
                self._worked.drop(client.credential)
        elif authorised and client.credential is not None:
            self._worked.change(client.credential, lambda _before: (1.0, self._clock()))

    def _check(self, client: Client) -> None:
        credential = client.credential
        if self._is_untried(client) and (wait := self._failures.wait_s(client.address)):
            raise too_many("Too many wrong keys or login links came from this address.", wait)
        if wait := self._addresses.wait_s(client.address):
            raise too_many("Too many requests came from this address.", wait)
        if credential is None:
            return
        if wait := self._keys.wait_s(credential):
            raise too_many("Too many requests came with this key.", wait)
        if self._in_hand.count(credential) >= self._key_concurrency:
            raise too_many(f"{self._key_concurrency} requests with this key are in hand already.", 1.0)

    def _is_untried(self, client: Client) -> bool:
        """Return whether a request tries a secret that has not worked yet."""
        return client.tries and (client.credential is None or self._worked.get(client.credential) is None)
