"""A patient as a PACS names one: passed on to who asked, and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from hmar.values.plain import Json


@dataclass(frozen=True, slots=True)
class NamedPatient:
    """Who the patient of a study is. Nothing of it shows in its text, so that no log can have it.

    Parameters
    ----------
    name : str
        As people read it, such as ``Doe, Jane``; empty where the PACS has none.
    patient_id, issuer : str
        Patient ID (0010,0020) and Issuer of Patient ID (0010,0021); empty where the PACS has none.
    birth_date : date or None
        None where it is unknown.
    """

    name: str = field(repr=False)
    patient_id: str = field(repr=False)
    issuer: str = field(repr=False)
    birth_date: date | None = field(repr=False)

    def to_dict(self) -> Json:
        """Return the patient as the API tells one."""
        return {
            "name": self.name or None,
            "patient_id": self.patient_id or None,
            "birth_date": None if self.birth_date is None else self.birth_date.isoformat(),
        }
