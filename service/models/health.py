"""Whether the server lives, and whether all that it needs works."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.models.given import Given

State = Literal["ok", "loading"]
"""How a part is that works."""


class Alive(Given):
    """It does."""

    status: Literal["alive"]


class Ready(Given):
    """All parts work."""

    status: Literal["ready"]
    checks: dict[str, State] = Field(
        description="loading: the index of the model that the archive has moved to is being built, and the "
        "model before it answers."
    )
