"""Which studies are listed, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from hmar.errors import ParameterError
from hmar.values.search_limits import check_choice

StudyOrder = Literal["uid", "newest", "oldest"]
"""By collection and UID, or by date; studies without a date come last."""


@dataclass(frozen=True, slots=True)
class WantedStudies:
    """What a study must hold to be listed: one series of which everything that is not None is true.

    A series is judged by its first frame.

    Parameters
    ----------
    study_uid, patient_key, modality, body_part : str or None
    since, until : date or None
        First and last study date.
    order : str
        "uid", "newest" or "oldest".

    Raises
    ------
    ParameterError
        If the last date is before the first, or there is no such order.
    """

    study_uid: str | None = None
    patient_key: str | None = None
    modality: str | None = None
    body_part: str | None = None
    since: date | None = None
    until: date | None = None
    order: StudyOrder = "uid"

    def __post_init__(self) -> None:
        check_choice("order", self.order, get_args(StudyOrder))
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ParameterError(
                f"until is {self.until.isoformat()}, before since, {self.since.isoformat()}.",
                "Give the earlier date as since.",
            )


ALL_STUDIES = WantedStudies()


def in_order(held: dict[tuple[str, str], date | None], order: StudyOrder) -> list[tuple[str, str]]:
    """Sort studies, each a collection and a UID with its date."""
    by_name = sorted(held)
    if order == "uid":
        return by_name
    sign = -1 if order == "newest" else 1

    def by_date(name: tuple[str, str]) -> tuple[bool, int]:
        day = held[name]
        return (True, 0) if day is None else (False, sign * day.toordinal())

    return sorted(by_name, key=by_date)
