"""What is pulled from a PACS: which one, and which of its studies and series; and the references of that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlencode

from hmar.errors import ConflictError, ParameterError, shown
from hmar.values.frames import FrameInfo
from hmar.values.uids import is_uid

SITE = "[a-z0-9][a-z0-9-]{0,31}"
"""What a PACS may be called."""
PACS = "pacs"
"""Name of the source of images that every PACS of a site is part of."""
MODALITY = "[A-Z0-9_ ]{1,16}"
"""What a modality may be (PS3.5 6.2, CS)."""
_KEYS = "Ask by modality, dates, study or series: ids of patients are not kept."


class InstanceReference(NamedTuple):
    """An instance of a PACS, as the origin of a frame names it."""

    site: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str

    def __str__(self) -> str:
        return "/".join(self)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference; raises ParameterError where it names no instance."""
        parts = text.split("/")
        if len(parts) != 4 or not re.fullmatch(SITE, parts[0]) or not all(map(is_uid, parts[1:])):
            raise ParameterError(
                f"{shown(text)} names no instance of a PACS.", "Give pacs:NAME, with options for what of it."
            )
        return cls(*parts)

    def check(self, found: FrameInfo) -> None:
        """Raise ConflictError where what was sent is not what was asked for; servers have mixed up files."""
        sent = (found.study_uid, found.series_uid, found.sop_instance_uid)
        if sent != self[1:]:
            raise ConflictError(
                f"The PACS {self.site} was asked for {self.sop_instance_uid} of series {self.series_uid}, "
                f"and sent {found.sop_instance_uid} of series {found.series_uid}.",
                "Report it to who runs the PACS; pull the study again when it is mended.",
            )


@dataclass(frozen=True, slots=True)
class Pull:
    """What is wanted of a PACS. Everything that is not None must hold.

    Parameters
    ----------
    site : str
        Name of the PACS in the site's own configuration.
    modality : str or None
        Of series, such as CT.
    since, until : date or None
        First and last study date.
    study_uid, series_uid : str or None

    Raises
    ------
    ParameterError
        If a value cannot be asked for, or nothing limits what is asked for.
    """

    site: str
    modality: str | None = None
    since: date | None = None
    until: date | None = None
    study_uid: str | None = None
    series_uid: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(SITE, self.site):
            raise ParameterError(
                f"The PACS is {shown(self.site)}.", "Give its name in the file of PACS: a-z, 0-9 and hyphens."
            )
        if self.modality is not None and not re.fullmatch(MODALITY, self.modality):
            raise ParameterError(
                f"The modality is {shown(self.modality)}.", "Give one such as CT, in capitals."
            )
        for name in ("study_uid", "series_uid"):
            uid = getattr(self, name)
            if uid is not None and not is_uid(uid):
                raise ParameterError(f"{name} is {shown(uid)}.", "Give a DICOM UID.")
        if self.series_uid is not None and self.study_uid is None:
            raise ParameterError("A series is given without its study.", "Give the study's UID, too.")
        if self.since and self.until and self.since > self.until:
            raise ParameterError(
                f"The first study date, {self.since}, is after the last, {self.until}.", "Swap them."
            )

    def __str__(self) -> str:
        values = {
            item.name: value.isoformat() if isinstance(value, date) else value
            for item in fields(self)[1:]
            if (value := getattr(self, item.name)) is not None
        }
        return f"{self.site}?{urlencode(values)}" if values else self.site

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what :meth:`__str__` wrote; raises ParameterError for anything else."""
        site, _, query = text.partition("?")
        known = {item.name for item in fields(cls)[1:]}
        given = dict(parse_qsl(query, keep_blank_values=True))
        if unknown := sorted(given.keys() - known):
            raise ParameterError(f"A PACS is not asked by {shown(unknown[0])}.", _KEYS)
        return cls(site, **{name: _value(name, value) for name, value in given.items()})


def day_of(value: object) -> date:
    """Return a study date that is written as 2026-01-31; raises ParameterError for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise ParameterError(f"A study date is {shown(value)}.", "Give a date such as 2026-01-31.")


def _value(name: str, text: str) -> Any:
    return day_of(text) if name in ("since", "until") else text


def halves(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the two halves of a range of dates; nothing where it is a single day."""
    if first < last:
        middle = first + (last - first) // 2
        yield first, middle
        yield date.fromordinal(middle.toordinal() + 1), last
