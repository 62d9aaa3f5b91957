"""Subscriptions to what happens in the archive, and how their deliveries go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from hmar.values.plain import Json

LONGEST_PAUSE_S = 3600.0
"""Between two attempts at one delivery."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription.

    Parameters
    ----------
    webhook_id : str
        Random; the secret that signs follows from it.
    name : str
    url : str
        Where changes are sent to.
    collections : frozenset of str or None
        Whose changes; None for all.
    created_at : float
        Seconds since the epoch, as all times here.
    after : int
        The last row of the log that was delivered, or that is of no concern.
    next_at : float
        Nothing is sent before.
    failures : int
        Attempts that failed since the last that did not.
    failing_since : float or None
        Time of the first of them.
    reason : str or None
        Why the last of them failed.
    disabled : bool
        Whether it was given up, until somebody enables it.
    deliveries, attempts_failed : int
        Since the beginning.
    delivered_at : float or None
        Time of the last delivery.
    """

    webhook_id: str
    name: str
    url: str
    collections: frozenset[str] | None
    created_at: float
    after: int
    next_at: float = 0.0
    failures: int = 0
    failing_since: float | None = None
    reason: str | None = None
    disabled: bool = False
    deliveries: int = 0
    attempts_failed: int = 0
    delivered_at: float | None = None

    def due(self, now: float) -> bool:
        """Return whether something may be sent; a pause that is too long was begun before a set clock."""
        return not self.disabled and not now < self.next_at <= now + LONGEST_PAUSE_S

    def to_dict(self, last_seq: int) -> Json:
        """Return the subscription as the API does; ``last_seq`` is the last row of the log."""
        return {
            "name": self.name,
            "url": self.url,
            "collections": None if self.collections is None else sorted(self.collections),
            "created_at": _time(self.created_at),
            "after": self.after,
            "lag": max(0, last_seq - self.after),
            "disabled": self.disabled,
            "failures": self.failures,
            "failing_since": _time(self.failing_since),
            "reason": self.reason,
            "deliveries": self.deliveries,
            "attempts_failed": self.attempts_failed,
            "delivered_at": _time(self.delivered_at),
        }


@dataclass(frozen=True, slots=True)
class WebhookInfo:
    """A subscription as it is listed; times are texts (ISO 8601), and ``lag`` is how many rows are ahead."""

    name: str
    url: str
    collections: tuple[str, ...] | None
    created_at: str
    after: int
    lag: int
    disabled: bool
    failures: int
    failing_since: str | None
    reason: str | None
    deliveries: int
    attempts_failed: int
    delivered_at: str | None

    @classmethod
    def of(cls, webhook: Webhook, last_seq: int) -> WebhookInfo:
        """Return a subscription as it is listed where the log ends with a row."""
        return cls.from_dict(webhook.to_dict(last_seq))

    def to_dict(self) -> Json:
        """Return the subscription as the API does."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {**told, "collections": None if self.collections is None else list(self.collections)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the subscription that an answer tells."""
        known = {name: told[name] for name in cls.__slots__}
        collections = known["collections"]
        return cls(**{**known, "collections": None if collections is None else tuple(collections)})


class Claim(NamedTuple):
    """A subscription that one sender holds for a while, and what proves it."""

    webhook: Webhook
    token: str


def _time(seconds: float | None) -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    )
