"""Patients of an archive by their handles."""

from __future__ import annotations

from hmar.errors import NotFoundError, shown
from hmar.ports import Catalogue
from hmar.values.deletion import Collections
from hmar.values.listed_patients import PatientHandles


def key_of(
    handle: str,
    handles: PatientHandles,
    catalogue: Catalogue,
    model_fingerprint: str,
    collection: Collections,
) -> str:
    """Return the key of the patient that a handle stands for; all patients are gone through.

    Raises
    ------
    NotFoundError
        If no live frame is of that patient.
    """
    key = handles.key(handle, catalogue.patient_keys(model_fingerprint, collection))
    if key is None:
        raise NotFoundError(
            f"There is no patient {shown(handle)}.",
            "See GET /api/v1/patients or 'hmar patients' for those there are.",
        )
    return key
