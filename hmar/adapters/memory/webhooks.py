"""Subscriptions in memory."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from hmar.adapters.common.webhooks import name_taken
from hmar.values.webhooks import Claim, Webhook


class MemoryWebhookStore:
    """A :class:`hmar.ports.WebhookStore` that lives as long as the process. Thread-safe.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, Webhook] = {}
        self._leases: dict[str, tuple[str, float]] = {}

    def add(self, name: str, url: str, collections: frozenset[str] | None, after: int) -> Webhook:
        """Keep a new subscription; raises ParameterError if the name is taken."""
        with self._lock:
            if any(one.name == name for one in self._held.values()):
                raise name_taken(name)
            webhook = Webhook(uuid.uuid4().hex, name, url, collections, self._clock(), after)
            self._held[webhook.webhook_id] = webhook
        return webhook

    def listed(self) -> list[Webhook]:
        """Return the subscriptions in order of their names."""
        with self._lock:
            return sorted(self._held.values(), key=lambda one: one.name)

    def remove(self, name: str) -> bool:
        """End a subscription; return whether there was one."""
        with self._lock:
            gone = [one.webhook_id for one in self._held.values() if one.name == name]
            for webhook_id in gone:
                del self._held[webhook_id]
        return bool(gone)

    def enable(self, name: str) -> Webhook | None:
        """Let a subscription go on at once, and return it; None if there is none."""
        with self._lock:
            for one in self._held.values():
                if one.name == name:
                    going = replace(
                        one, disabled=False, failures=0, failing_since=None, reason=None, next_at=0.0
                    )
                    self._held[one.webhook_id] = going
                    return going
        return None

    def claim(self, webhook_id: str, lease_s: float) -> Claim | None:
        """Hold a subscription that is due and that no other sender holds; None if there is no such one."""
        now = self._clock()
        with self._lock:
            webhook = self._held.get(webhook_id)
            until = self._leases.get(webhook_id, ("", 0.0))[1]
            if webhook is None or not webhook.due(now) or now < until <= now + lease_s:
                return None
            token = uuid.uuid4().hex
            self._leases[webhook_id] = token, now + lease_s
        return Claim(webhook, token)

    def delivered(self, claim: Claim, after: int) -> bool:
        """Note that a delivery was taken, up to a row; return whether the claim still held."""

        def taken(one: Webhook) -> Webhook:
            return replace(
                one,
                after=after,
                failures=0,
                failing_since=None,
                reason=None,
                next_at=0.0,
                deliveries=one.deliveries + 1,
                delivered_at=self._clock(),
            )

        return self._ended(claim, taken)

    def passed(self, claim: Claim, after: int) -> bool:
        """Note that nothing up to a row is of any concern; return whether the claim still held."""
        return self._ended(claim, lambda one: replace(one, after=after))

    def failed(self, claim: Claim, reason: str, next_at: float, disabled: bool) -> bool:
        """Note why an attempt failed, and when the next is due; return whether the claim still held."""

        def worse(one: Webhook) -> Webhook:
            return replace(
                one,
                failures=one.failures + 1,
                failing_since=self._clock() if one.failing_since is None else one.failing_since,
                reason=reason,
                next_at=next_at,
                disabled=disabled,
                attempts_failed=one.attempts_failed + 1,
            )

        return self._ended(claim, worse)

    def _ended(self, claim: Claim, changed: Callable[[Webhook], Webhook]) -> bool:
        webhook_id = claim.webhook.webhook_id
        with self._lock:
            if webhook_id not in self._held or self._leases.get(webhook_id, ("", 0.0))[0] != claim.token:
                return False
            self._held[webhook_id] = changed(self._held[webhook_id])
            del self._leases[webhook_id]
        return True
