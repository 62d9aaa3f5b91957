"""Who the patient of a study is, asked of a PACS by QIDO-RS while a reader waits."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from hmar.adapters.dicomweb.asking import Asking
from hmar.adapters.dicomweb.breaker import Breaker
from hmar.adapters.dicomweb.credentials import credentials_of
from hmar.adapters.dicomweb.query import ACCEPT
from hmar.adapters.dicomweb.rows import STUDY, Row, rows_of, text
from hmar.adapters.dicomweb.sites import Site
from hmar.adapters.dicomweb.transport import Transport
from hmar.errors import LimitError, PacsError
from hmar.pauses import Pauses
from hmar.properties.header_text import day
from hmar.values.named_patients import NamedPatient

_NAME, _ID, _ISSUER, _BIRTH = "00100010", "00100020", "00100021", "00100030"
_CONNECT_S, _READ_S, _TOTAL_S = 2.0, 4.0, 5.0
_ROWS = 10
_LARGEST = 256 << 10
"""Bytes of an answer, which stays in memory: a larger one would be spooled to the disk."""
_LONGEST = 64
"""Characters of a patient id (VR LO), and of each of the parts of a name (VR PN)."""
_GROUPS = ("Alphabetic", "Ideographic")


class Naming:
    """Asks one PACS, once and not for long, through connections of its own. Thread-safe.

    Parameters
    ----------
    site : Site
        Its limits of time count where they are shorter than those for a reader who waits.
    """

    def __init__(self, site: Site) -> None:
        self._site = replace(
            site,
            connect_s=min(site.connect_s, _CONNECT_S),
            read_s=min(site.read_s, _READ_S),
            total_s=min(site.total_s, _TOTAL_S),
        )
        self._transport = Transport(self._site)
        credentials = credentials_of(self._site, self._transport)
        once = Pauses(_no_pause, attempts=1)
        self._asking = Asking(self._site, self._transport, credentials, Breaker(site.name), once)

    def patient(self, study_uid: str) -> NamedPatient | None:
        """Return the patient of a study, None where the PACS does not list the study.

        Raises
        ------
        PacsError
            If it does not answer in time, or not as a PACS.
        """
        wanted = {"StudyInstanceUID": study_uid, "includefield": _ISSUER, "limit": _ROWS}
        address = f"{self._site.qido}/studies?{urlencode(wanted)}"
        try:
            answer = self._asking.get(address, ACCEPT, _LARGEST, patient=False)
        except LimitError as error:
            raise PacsError(
                f"The PACS {self._site.name} told of more than the one study that was asked for.",
                f"It ignores StudyInstanceUID in a query, or qido in [{self._site.name}] is wrong.",
            ) from error
        rows = [] if answer.status in (204, 404) else rows_of(answer.data[:])
        if rows is None or (answer.status >= 400 and answer.status != 404):
            raise PacsError(
                f"The PACS {self._site.name} answered a query with status {answer.status}, and no rows.",
                f"Check qido in [{self._site.name}].",
            )
        # Servers that do not know a key of a query leave it out and send what they like.
        return next((_named(row) for row in rows if text(row, STUDY) == study_uid), None)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()


def _no_pause(_seconds: float) -> None:
    """Wait for nothing: there is no second attempt."""


def _named(row: Row) -> NamedPatient:
    return NamedPatient(
        name=_name(row),
        patient_id=_line(text(row, _ID)),
        issuer=_line(text(row, _ISSUER)),
        birth_date=day(text(row, _BIRTH)),
    )


def _name(row: Row) -> str:
    """Return a person name (PS3.18 F.2.2) as people read it, that in another script behind it."""
    element = row.get(_NAME)
    values = element.get("Value") if isinstance(element, Mapping) else None
    first: Any = values[0] if isinstance(values, list) and values else None
    groups = [first] if isinstance(first, str) else []
    if isinstance(first, Mapping):
        groups = [group for key in _GROUPS if isinstance(group := first.get(key), str)]
    read = [name for group in groups if (name := _components(group))]
    return " ".join([*read[:1], *(f"({name})" for name in read[1:])])


def _components(group: str) -> str:
    """Return family, given and middle name, prefix and suffix (PS3.5 6.2.1) as ``Doe, Dr. Jane Ann MD``."""
    family, given, middle, prefix, suffix = ([_line(part) for part in group.split("^")] + [""] * 5)[:5]
    others = " ".join(part for part in (prefix, given, middle, suffix) if part)
    return ", ".join(part for part in (family, others) if part)


def _line(value: str) -> str:
    """Return a text as one line: without control and formatting characters, which could hide or turn it."""
    kept = (letter for letter in value if not unicodedata.category(letter).startswith("C"))
    return "".join(kept).strip()[:_LONGEST]
