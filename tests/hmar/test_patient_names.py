"""A name is told of images that are of the very patient, and of no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from hmar.dicom.deidentify import PatientHasher
from hmar.errors import ConflictError, NotFoundError
from hmar.patient_names import PatientNames
from hmar.values.named_patients import NamedPatient

HASHER = PatientHasher(b"a secret of sixteen bytes", b"a step of a rotation")
JANE = NamedPatient("Doe, Jane", "0815", "HOSPITAL", None)


@dataclass
class OnePatient:
    """A PACS that has one study, or none."""

    patient_: NamedPatient | None

    def patient(self, _name: str, _study_uid: str) -> NamedPatient | None:
        return self.patient_


def names(patient: NamedPatient | None, site: str = "main") -> PatientNames:
    pacs: Any = OnePatient(patient)
    return PatientNames(site, lambda: pacs, HASHER)


def key(patient_id: str, issuer: str = "HOSPITAL") -> str:
    found = HASHER.key(patient_id, issuer)
    assert found is not None
    return found


def test_the_patient_of_the_images_is_told() -> None:
    assert names(JANE).of("1.2", {key("0815")}) == JANE


@pytest.mark.parametrize(
    "keys",
    [set(), {key("0816")}, {key("0815", "")}, {key("0815"), key("0816")}],
    ids=["no patient id", "another patient", "another issuer", "images of two patients"],
)
def test_no_other_patient_is_told(keys: set[str]) -> None:
    with pytest.raises(ConflictError, match="do not have the patient id") as caught:
        names(JANE).of("1.2", keys)
    assert not any(part in str(caught.value) for part in ("Doe", "Jane", "0815", "HOSPITAL"))


def test_a_patient_without_an_id_is_not_told_for_images_without_one() -> None:
    with pytest.raises(ConflictError):
        names(NamedPatient("Doe, Jane", "", "", None)).of("1.2", set())


def test_nothing_is_asked_where_the_site_shows_no_names_and_unknown_studies_are_said_to_be_so() -> None:
    with pytest.raises(NotFoundError, match="shows no names"):
        names(JANE, site="").of("1.2", {key("0815")})
    with pytest.raises(NotFoundError, match="does not have study"):
        names(None).of("1.2", {key("0815")})
