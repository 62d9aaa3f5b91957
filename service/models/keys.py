"""Who asks, and the API keys: names, what each may do, and until when."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hmar.values.identity import EVERYDAY, Scope, in_order
from hmar.values.names import NAME
from service.models.asked import Asked, JsonBody
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.names import Collection, CollectionName
from service.models.remedy import Remedy
from service.models.times import Time
from service.models.whole_numbers import Days

_Name = Annotated[
    str,
    Field(strict=True, pattern=f"^{NAME}$"),
    Remedy("Give 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first."),
]
_SCOPES = "What it may do; admin may do all."
_COLLECTIONS = "The collections that exist for it; null for all."


class Identity(Given):
    """Who asks, and what it may do."""

    name: str = Field(description="Of the key or login; a token's begins with `oidc`.")
    scopes: list[Scope] = Field(description=_SCOPES)
    collections: list[CollectionName] | None = Field(description=_COLLECTIONS)
    expires_at: Time | None = Field(
        description="When the key or login ends; null for never, and for a token, which tells it itself."
    )


class NewKey(JsonBody):
    """An API key that is to be made."""

    name: _Name
    scopes: Annotated[list[Scope], Field(min_length=1)] = Field(
        default=in_order(EVERYDAY), description=_SCOPES
    )
    collections: LeftOut[Annotated[list[Collection], Field(min_length=1, max_length=100)]] = Field(
        default=None, description="The collections that exist for it; all if left out."
    )
    expires_in_days: LeftOut[Days] = Field(default=None, description="It never ends if left out.")


class KeyPath(Asked):
    """Which key."""

    name: str = Field(description="Its name.")


class Key(Given):
    """An API key, of which the database has a digest alone."""

    name: str
    scopes: list[Scope] = Field(description=_SCOPES)
    collections: list[CollectionName] | None = Field(description=_COLLECTIONS)
    expires_at: Time | None = Field(description="Null for never.")
    last_used_at: Time | None = Field(description="To the minute.")


class MadeKey(Key):
    """A new API key with its secret."""

    key: str = Field(description="What a program sends. It is not shown again.")


class KeyList(Given):
    """API keys that were not revoked, in order of name; expired ones are among them."""

    keys: list[Key]
