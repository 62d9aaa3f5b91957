"""Subscriptions in SQL."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from hmar.adapters.common.webhooks import name_taken
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.schema import webhooks
from hmar.values.webhooks import LONGEST_PAUSE_S, Claim, Webhook


class SqlWebhookStore:
    """A :class:`hmar.ports.WebhookStore` in a database. Safe between threads and between processes.

    Parameters
    ----------
    database : Database
        Migrated.
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(self, name: str, url: str, collections: frozenset[str] | None, after: int) -> Webhook:
        """Keep a new subscription; raises ParameterError if the name is taken."""
        webhook = Webhook(uuid.uuid4().hex, name, url, collections, self._clock(), after)
        row = {
            "webhook_id": webhook.webhook_id,
            "name": name,
            "url": url,
            "collections": None if collections is None else " ".join(sorted(collections)),
            "created_at": webhook.created_at,
            "after_seq": after,
            "next_at": 0.0,
            "failures": 0,
            "disabled": False,
            "deliveries": 0,
            "attempts_failed": 0,
            "lease_until": 0.0,
        }
        with self._database.write() as connection:
            try:
                connection.execute(insert(webhooks), row)
            except IntegrityError as error:
                raise name_taken(name) from error
        return webhook

    def listed(self) -> list[Webhook]:
        """Return the subscriptions in order of their names."""
        with self._database.read() as connection:
            rows = connection.execute(select(webhooks)).all()
        # Sorted here, for databases differ in how they order text.
        return sorted(map(_webhook, rows), key=lambda one: one.name)

    def remove(self, name: str) -> bool:
        """End a subscription; return whether there was one."""
        with self._database.write() as connection:
            return connection.execute(delete(webhooks).where(webhooks.c.name == name)).rowcount > 0

    def enable(self, name: str) -> Webhook | None:
        """Let a subscription go on at once, and return it; None if there is none."""
        going = (
            update(webhooks)
            .where(webhooks.c.name == name)
            .values(disabled=False, failures=0, failing_since=None, reason=None, next_at=0.0)
            .returning(*webhooks.c)
        )
        with self._database.write() as connection:
            row = connection.execute(going).one_or_none()
        return None if row is None else _webhook(row)

    def claim(self, webhook_id: str, lease_s: float) -> Claim | None:
        """Hold a subscription that is due and that no other sender holds; None if there is no such one."""
        now, token = self._clock(), uuid.uuid4().hex
        columns = webhooks.c
        held = (
            update(webhooks)
            .where(
                columns.webhook_id == webhook_id,
                columns.disabled.is_(False),
                # Times that lie too far ahead were written before the clock was set back.
                or_(columns.next_at <= now, columns.next_at > now + LONGEST_PAUSE_S),
                or_(columns.lease_until <= now, columns.lease_until > now + lease_s),
            )
            .values(lease_token=token, lease_until=now + lease_s)
            .returning(*columns)
        )
        with self._database.write() as connection:
            row = connection.execute(held).one_or_none()
        return None if row is None else Claim(_webhook(row), token)

    def delivered(self, claim: Claim, after: int) -> bool:
        """Note that a delivery was taken, up to a row; return whether the claim still held."""
        return self._ended(
            claim,
            after_seq=after,
            failures=0,
            failing_since=None,
            reason=None,
            next_at=0.0,
            deliveries=webhooks.c.deliveries + 1,
            delivered_at=self._clock(),
        )

    def passed(self, claim: Claim, after: int) -> bool:
        """Note that nothing up to a row is of any concern; return whether the claim still held."""
        return self._ended(claim, after_seq=after)

    def failed(self, claim: Claim, reason: str, next_at: float, disabled: bool) -> bool:
        """Note why an attempt failed, and when the next is due; return whether the claim still held."""
        return self._ended(
            claim,
            failures=webhooks.c.failures + 1,
            failing_since=func.coalesce(webhooks.c.failing_since, self._clock()),
            reason=reason,
            next_at=next_at,
            disabled=disabled,
            attempts_failed=webhooks.c.attempts_failed + 1,
        )

    def _ended(self, claim: Claim, **values: Any) -> bool:
        columns = webhooks.c
        ended = (
            update(webhooks)
            .where(columns.webhook_id == claim.webhook.webhook_id, columns.lease_token == claim.token)
            .values(lease_token=None, lease_until=0.0, **values)
        )
        with self._database.write() as connection:
            return connection.execute(ended).rowcount > 0


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        row.webhook_id,
        row.name,
        row.url,
        None if row.collections is None else frozenset(row.collections.split()),
        row.created_at,
        row.after_seq,
        row.next_at,
        row.failures,
        row.failing_since,
        row.reason,
        row.disabled,
        row.deliveries,
        row.attempts_failed,
        row.delivered_at,
    )
