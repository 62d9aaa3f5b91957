"""Whether the server lives, and whether all that it needs works."""

from __future__ import annotations

from typing import Literal

from service.models.given import Given


class Alive(Given):
    """It does."""

    status: Literal["alive"]


class Ready(Given):
    """All parts work."""

    status: Literal["ready"]
    checks: dict[str, Literal["ok"]]
