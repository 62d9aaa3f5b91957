"""Problem details (RFC 9457): what every error is answered with."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from service.models.given import Given, Headers
from service.problem_table import all_problems


def _types() -> dict[str, Any]:
    known = list(all_problems())
    lines = (f"- {one.slug} ({one.status}): {one.title}" for one in known)
    return {"type": "string", "enum": [one.uri for one in known], "description": "\n".join(lines)}


class Problem(Given):
    """An error (RFC 9457)."""

    type: Annotated[str, WithJsonSchema(_types())]
    title: str
    status: Annotated[int, WithJsonSchema({"type": "integer", "minimum": 400, "maximum": 599})]
    detail: str = Field(description="What is wrong, with the offending value.")
    remedy: str = Field(description="What to do about it.")
    request_id: str = Field(description="As in the header X-Request-ID, and in the server's log lines.")


class WantsKey(Headers):
    """How to present a key."""

    scheme: str = Field(serialization_alias="WWW-Authenticate")


class TriesAgain(Headers):
    """When to try again."""

    seconds: int = Field(serialization_alias="Retry-After")
