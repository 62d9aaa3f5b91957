"""How far something is that is done in the background."""

from __future__ import annotations

from pydantic import Field

from service.models.given import Given
from service.models.numbers import Count


class Step(Given):
    """What is done right now."""

    doing: str
    done: Count = Field(description="In parts of its own, such as bytes or rows.")
    total: Count = Field(description="0 where it is not known.")
