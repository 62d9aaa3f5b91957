"""Webhooks: who is told of changes, and how that goes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hmar.values.names import NAME
from hmar.webhooks.addresses import LONGEST_URL
from service.models.asked import Asked, JsonBody
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import Collection, CollectionName
from service.models.numbers import Count
from service.models.remedy import Remedy
from service.models.times import Time
from service.models.whole_numbers import After

_Name = Annotated[
    str,
    Field(strict=True, pattern=f"^{NAME}$"),
    Remedy("Give 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first."),
]
_Url = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=LONGEST_URL),
    Remedy("Give an address such as https://ris.example/hmar."),
]
_Collections = Annotated[
    list[Collection],
    Field(min_length=1, max_length=100),
    Remedy("Give 1 to 100 collections, or leave them out for all."),
]


class NewWebhook(JsonBody):
    """A subscription to changes."""

    name: _Name
    url: _Url
    collections: LeftOut[_Collections] = Field(
        default=None, description="Whose changes are sent; those of all if left out."
    )
    after: LeftOut[After] = Field(
        default=None,
        description="The last seq that the receiver knows, 0 for none. If left out, what is to come is sent.",
    )


class WebhookPath(Asked):
    """Which webhook."""

    name: str = Field(description="Its name.")


class Webhook(Given):
    """A subscription, and how its deliveries go."""

    name: str
    url: str
    collections: list[CollectionName] | None = Field(description="Null for all.")
    created_at: Time
    after: Count = Field(description="The last row of the log that was delivered, or is of no concern.")
    lag: Count = Field(description="Rows of the log after it.")
    disabled: bool = Field(description="Whether it was given up, until it is enabled again.")
    failures: Count = Field(description="Attempts that failed since the last that did not.")
    failing_since: Time | None
    reason: str | None = Field(description="Why the last of them failed.")
    deliveries: Count
    attempts_failed: Count = Field(description="Since the beginning.")
    delivered_at: Time | None


class SubscribedWebhook(Webhook):
    """A new subscription with its secret."""

    secret: str = Field(description="Signs the deliveries. It is not shown again.")


class WebhookList(Given):
    """Webhooks in order of name."""

    webhooks: list[Webhook]
