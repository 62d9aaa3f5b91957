"""The audit log as it is listed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from hmar.values.audit import WantedAudit
from service.models.asked import Asked
from service.models.given import Given
from service.models.left_out import LeftOut
from service.models.numbers import Count, FromOne
from service.models.times import StudyDate, Time
from service.models.whole_numbers import After, PageSize

_DAY_S = 86_400.0


class AuditQuery(Asked):
    """Which rows."""

    operation: LeftOut[Annotated[str, Field(strict=True, pattern=r"^[A-Za-z]{1,64}$")]] = Field(
        default=None, description="Only those of this operation, such as searchImage."
    )
    day: LeftOut[StudyDate] = Field(default=None, description="Only those of this day (UTC).")
    after: LeftOut[After] = None
    limit: PageSize = 100

    @property
    def wanted(self) -> WantedAudit:
        """Which rows are listed."""
        if self.day is None:
            return WantedAudit(self.operation)
        begin = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC).timestamp()
        return WantedAudit(self.operation, begin, begin + _DAY_S)  # the last day of all has no next one


class AuditRow(Given):
    """An access, granted or denied."""

    seq: FromOne = Field(description="Number of the row; they have no gaps.")
    at: Time
    operation: str
    route: str = Field(description="Rule of the address, without what it names.")
    scope: str
    actor: str = Field(description="Name of the key or login; empty where there was none that is valid.")
    status: Count = Field(description="Of the answer; 0 where there is none.")
    address: str = Field(description="Of the client.")
    touched_count: Count = Field(description="Patients and studies that something was given or deleted of.")


class AuditPage(Given):
    """Rows, newest first."""

    rows: list[AuditRow]
    next_after: int | None = Field(description="Null on the last page.")
