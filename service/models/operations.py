"""The pages of operations."""

from __future__ import annotations

from pydantic import Field

from service.models.asked import Asked


class PartPath(Asked):
    """Which page."""

    part: str = Field(description="jobs, statistics, pacs, models, keys or audit.")
