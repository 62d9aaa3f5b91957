"""Sends changes to subscribers: each at least once, in order, signed, and again until they are taken."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence

from hmar.narrowed.catalogue import NarrowedCatalogue
from hmar.ports import Catalogue, Receivers, WebhookStore
from hmar.values.access import Access
from hmar.values.audit import Accessed
from hmar.values.identity import Identity
from hmar.values.webhooks import LONGEST_PAUSE_S, Claim
from hmar.webhooks.signing import signature

BATCH = 500
"""Changes of one delivery, at most."""
LEASE_S = 120.0
"""One sender holds a subscription for so long: longer than any delivery takes."""
FIRST_PAUSE_S = 2.0
GIVEN_UP_S = 72 * 3600.0
"""A subscription that takes nothing for so long is disabled."""


class WebhookSender:
    """Sends what is due. Any number of processes may do so: each subscription has one sender at a time.

    Parameters
    ----------
    store : WebhookStore
        Keeps the subscriptions, and how far each is.
    catalogue : Catalogue
        Tells the changes.
    receivers : Receivers
        Carries deliveries.
    secret_of : callable
        Returns the secret of a subscription by its id.
    record : callable
        Writes to the audit log who was given whose data.
    clock : callable
        Returns seconds since the epoch.
    draw : callable
        Returns a random number from 0 to 1.
    """

    def __init__(
        self,
        store: WebhookStore,
        catalogue: Catalogue,
        receivers: Receivers,
        secret_of: Callable[[str], str],
        record: Callable[[Sequence[Accessed]], None],
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._receivers = receivers
        self._secret_of = secret_of
        self._record = record
        self._clock = clock
        self._draw = draw

    def send_due(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Send one delivery to each subscription that is due; return whether any was taken.

        Parameters
        ----------
        stopped : callable
            Asked before each; nothing more is begun once it returns True.
        """
        end, taken = self._catalogue.last_seq(), False
        for webhook in self._store.listed():
            if stopped():
                break
            if webhook.after < end and webhook.due(self._clock()):
                claim = self._store.claim(webhook.webhook_id, LEASE_S)
                taken |= claim is not None and self._sent(claim, end)
        return taken

    def _sent(self, claim: Claim, end: int) -> bool:
        """Send what follows; return whether it was taken. ``end`` is a row that was committed before."""
        webhook = claim.webhook
        access = Access(Identity(f"webhook {webhook.name}", frozenset({"search"}), webhook.collections))
        found = NarrowedCatalogue(self._catalogue, lambda: access).changes(webhook.after, BATCH)
        if not found.changes:
            # Rows of other collections, or damaged ones: after the last that was looked at.
            self._store.passed(claim, found.last_seq if found.last_seq > webhook.after else end)
            return False
        told = {"changes": [change.to_dict() for change in found.changes], "next_after": found.last_seq}
        body = json.dumps(told, allow_nan=False).encode()
        posted = self._receivers.post(webhook.url, self._headers(claim, found.last_seq, body), body)
        self._record([self._accessed(access, posted.status)])
        if posted.fault is None:
            self._store.delivered(claim, found.last_seq)
            return True
        self._failed(claim, posted.fault)
        return False

    def _failed(self, claim: Claim, fault: str) -> None:
        webhook, now = claim.webhook, self._clock()
        since = now if webhook.failing_since is None else min(webhook.failing_since, now)
        if now - since >= GIVEN_UP_S:
            hours = round(GIVEN_UP_S / 3600)
            self._store.failed(claim, f"Disabled after {hours} hours without success. {fault}", now, True)
        else:
            self._store.failed(claim, fault, now + self._pause_s(webhook.failures), False)

    def _pause_s(self, failures: int) -> float:
        """Return the next pause: twice as long each time, half of it drawn at random."""
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(failures, 32), LONGEST_PAUSE_S)
        return pause_s / 2 * (1 + self._draw())

    def _headers(self, claim: Claim, last_seq: int, body: bytes) -> Mapping[str, str]:
        webhook, timestamp = claim.webhook, int(self._clock())
        return {
            "Content-Type": "application/json",
            "User-Agent": "hmar-webhooks",
            "X-HMAR-Webhook": webhook.name,
            "X-HMAR-Delivery": f"{webhook.webhook_id}-{webhook.after}-{last_seq}",
            "X-HMAR-Timestamp": str(timestamp),
            "X-HMAR-Signature": signature(self._secret_of(webhook.webhook_id), timestamp, body),
        }

    def _accessed(self, access: Access, status: int) -> Accessed:
        return Accessed(
            at=self._clock(),
            operation="deliverChanges",
            route="webhook",
            scope="search",
            actor=access.identity.name,
            status=status,
            address="",
            touched=frozenset(access.touched),
        )
