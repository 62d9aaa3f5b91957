"""The pages of operations."""

from __future__ import annotations

from pydantic import Field

from service.models.asked import Asked

PARTS = {
    "jobs": "Jobs",
    "statistics": "Statistics",
    "pacs": "PACS",
    "models": "Models",
    "keys": "Keys",
    "audit": "Audit log",
}
"""The pages and their titles, in the order of their links."""


class PartPath(Asked):
    """Which page."""

    part: str = Field(description="jobs, statistics, pacs, models, keys or audit.")
