"""Patients as they are listed: by a handle, since neither their ids nor their keys leave the archive."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple, Self

from hmar.values.entries import SeriesInfo
from hmar.values.plain import Json

_DIGITS = 32


@dataclass(frozen=True, slots=True)
class PatientInfo:
    """A patient by key, in numbers, over all collections that were asked for."""

    patient_key: str
    studies: int
    series: int
    frames: int
    first_date: date | None
    last_date: date | None
    modalities: tuple[str, ...]


class PatientsPage(NamedTuple):
    """Some patients, and whether others follow."""

    patients: list[PatientInfo]
    more: bool


@dataclass(frozen=True, slots=True)
class ListedPatient:
    """A patient as it is listed: ``patient`` is the handle, the rest what is held."""

    patient: str
    studies: int
    series: int
    frames: int
    first_date: date | None
    last_date: date | None
    modalities: tuple[str, ...]

    def to_dict(self) -> Json:
        """Return the patient as the API lists it."""
        return {
            "patient": self.patient,
            "studies": self.studies,
            "series": self.series,
            "frames": self.frames,
            "first_date": None if self.first_date is None else self.first_date.isoformat(),
            "last_date": None if self.last_date is None else self.last_date.isoformat(),
            "modalities": list(self.modalities),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the patient that an answer lists."""
        first, last = (
            None if day is None else date.fromisoformat(day)
            for day in (told["first_date"], told["last_date"])
        )
        return cls(
            told["patient"],
            int(told["studies"]),
            int(told["series"]),
            int(told["frames"]),
            first,
            last,
            tuple(told["modalities"]),
        )


class PatientHandles:
    """Names for patients that tell neither id nor key.

    Parameters
    ----------
    secret : bytes
        Keys them: with another secret, the same patient has another handle.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def handle(self, patient_key: str) -> str:
        """Return the handle of a patient's key: 32 hexadecimal digits."""
        return hmac.digest(self._secret, patient_key.encode(), hashlib.sha256).hex()[:_DIGITS]

    def key(self, handle: str, patient_keys: Iterable[str]) -> str | None:
        """Return the one of some keys that a handle is of, None if it is of none."""
        return next((key for key in patient_keys if self.handle(key) == handle), None)

    def listed(self, patient: PatientInfo) -> ListedPatient:
        """Return a patient as it is listed."""
        return ListedPatient(
            self.handle(patient.patient_key),
            patient.studies,
            patient.series,
            patient.frames,
            patient.first_date,
            patient.last_date,
            patient.modalities,
        )

    def with_handles(self, series: Iterable[SeriesInfo]) -> list[SeriesInfo]:
        """Return series with the handles of their patients, in their order."""
        known: dict[str, str] = {}
        listed = []
        for one in series:
            key = one.patient_key
            if key is not None and key not in known:
                known[key] = self.handle(key)
            listed.append(one if key is None else replace(one, patient=known[key]))
        return listed
